"""Lines of the ledger's journal, and where applications stand, as people and programs read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gridcheck.ledger import JournalEntry
from gridcheck.reports.tables import LOCAL_TIME

HEADINGS = (
    "序号 line",
    "时间 time",
    "经办人 who",
    "事项 action",
    "对象 object",
    "之前 before",
    "之后 after",
    "理由 reason",
)
"""Headings of the lines."""

STATES: Mapping[str, str] = {
    "received": "已受理 received",
    "assessed": "已测算 assessed",
    "approved": "已同意接入 approved",
    "deferred": "暂缓 deferred",
    "insufficient_data": "数据不足 insufficient data",
    "lapsed": "预留已过期 lapsed",
    "built": "已接入 built",
    "accepted": "已验收 accepted",
    "entitled": "已认定补贴 entitled",
    "withdrawn": "已撤回 withdrawn",
}
"""Where an application stands, in words."""

_HIDDEN = frozenset({"version", "assessment_id", "answer_sha256", "row_sha256", "rows_sha256", "limits_sha256",
                     "catalogue_sha256", "inputs_sha256"})  # fmt: skip


def local_time(moment: datetime) -> str:
    """Return a moment as people in Yuncheng read it.

    Examples
    --------
    >>> local_time(datetime(2026, 1, 22, 16, 30, tzinfo=UTC))
    '2026-01-23 00:30:00'
    """
    return f"{moment.astimezone(LOCAL_TIME):%Y-%m-%d %H:%M:%S}"


def plain(line: JournalEntry) -> dict[str, Any]:
    """Return a line with everything that it holds."""
    entry = line.entry
    return {
        "seq": line.seq, "at": line.at.astimezone(UTC).isoformat(), "who": entry.who, "action": entry.action,
        "object": entry.object, "before": entry.before, "after": entry.after, "reason": entry.reason,
        "previous_hash": line.previous_hash, "hash": line.hash,
    }  # fmt: skip


def row(line: JournalEntry) -> list[object]:
    """Return a line below `HEADINGS`, without checksums."""
    entry = line.entry
    return [str(line.seq), local_time(line.at), entry.who, entry.action, entry.object, _few(entry.before),
            _few(entry.after), entry.reason]  # fmt: skip


def _few(content: Mapping[str, Any] | None) -> str:
    """Return what people look for in a change; `--json` has all of it."""
    return "\n".join(f"{name}: {value}" for name, value in (content or {}).items() if name not in _HIDDEN)
