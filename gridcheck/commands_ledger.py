"""What the commands for the ledger do: open it, call one function, print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gridcheck import terminal
from gridcheck.errors import InputError

if TYPE_CHECKING:
    from gridcheck.ledger import JournalEntry, KeptApplication, Ledger

_CHINA = ZoneInfo("Asia/Shanghai")
_STATES: Mapping[str, str] = {
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
_FAULTS: Mapping[str, str] = {
    "gap": "此处缺少记录 a line is missing here",
    "previous": "与上一条不相连 not bound to the line before",
    "hash": "内容被改动 its content was changed",
    "tail": "末尾记录被删除 the last lines were removed",
    "exported_head": "与外部留存的链尾不符 not the end that was noted down outside",
}
_HEADINGS = (
    "序号 line",
    "时间 time",
    "经办人 who",
    "事项 action",
    "对象 object",
    "之前 before",
    "之后 after",
    "理由 reason",
)
_HIDDEN = frozenset({"version", "assessment_id", "answer_sha256", "row_sha256", "rows_sha256", "limits_sha256",
                     "catalogue_sha256", "inputs_sha256"})  # fmt: skip


def local_time(moment: datetime) -> str:
    """Return a moment as people in Yuncheng read it.

    Examples
    --------
    >>> local_time(datetime(2026, 1, 22, 16, 30, tzinfo=UTC))
    '2026-01-23 00:30:00'
    """
    return f"{moment.astimezone(_CHINA):%Y-%m-%d %H:%M:%S}"


def init(database: str, who: str, *, as_json: bool) -> None:
    """Make the ledger, or bring it to the shape of this version."""
    from gridcheck.ledger import init_ledger, open_ledger

    before, after = init_ledger(database, who=who)
    with open_ledger(database) as ledger:
        shown, head = ledger.shown, str(ledger.head())
    if as_json:
        terminal.print_json({"ledger": shown, "before": before, "after": after, "head": head})
        return
    done = (
        "新建 made"
        if before is None
        else "无需改动 nothing to do"
        if before == after
        else f"升级自 upgraded from {before}"
    )
    rows = [["位置 where", shown], ["版本 shape", after], ["结果 done", done], ["链尾 head", head]]
    terminal.print_table("台账 ledger", terminal.ITEMS, rows)


def show_journal(
    database: str, application_id: str | None, head: str | None, last: int, *, verify: bool, as_json: bool
) -> bool:
    """Show the journal, or verify its chain; return False where it does not hold."""
    from gridcheck.ledger import open_ledger

    with open_ledger(database) as ledger:
        if verify or head is not None:
            return _verify(ledger, head, as_json=as_json)
        lines = ledger.journal(last=last) if application_id is None else ledger.history(application_id)
    if application_id is not None and not lines:
        raise InputError(f"The journal of {ledger.shown} holds nothing about {application_id!r}.")
    if as_json:
        terminal.print_json([_plain(line) for line in lines])
    else:
        terminal.print_table(f"台账日志 journal: {ledger.shown}", _HEADINGS, [_row(line) for line in lines])
    return True


def _verify(ledger: Ledger, head: str | None, *, as_json: bool) -> bool:
    from gridcheck.ledger import read_head

    check = ledger.verify_journal(None if head is None else read_head(head))
    if as_json:
        terminal.print_json(
            {"whole": check.is_whole, "lines": check.entries, "head": str(check.head), "broken_at": check.broken_at,
             "fault": check.fault, "changed": list(check.changed)}
        )  # fmt: skip
        return check.is_whole
    rows: list[list[object]] = [["完整 whole", check.is_whole], ["已核对 lines", check.entries]]
    if check.fault:
        rows += [["首个断点 first fault at", check.broken_at], ["问题 what", _FAULTS[check.fault]]]
    else:
        rows.append(["链尾（请另处留存） head, to be noted down elsewhere", str(check.head)])
    rows += [["与日志不符 not as the journal says", name] for name in check.changed]
    terminal.print_table(f"日志核对 verification: {ledger.shown}", terminal.ITEMS, rows)
    return check.is_whole


def _plain(line: JournalEntry) -> dict[str, Any]:
    entry = line.entry
    return {
        "seq": line.seq, "at": line.at.astimezone(UTC).isoformat(), "who": entry.who, "action": entry.action,
        "object": entry.object, "before": entry.before, "after": entry.after, "reason": entry.reason,
        "previous_hash": line.previous_hash, "hash": line.hash,
    }  # fmt: skip


def _row(line: JournalEntry) -> list[object]:
    entry = line.entry
    return [str(line.seq), local_time(line.at), entry.who, entry.action, entry.object, _few(entry.before),
            _few(entry.after), entry.reason]  # fmt: skip


def _few(content: Mapping[str, Any] | None) -> str:
    """Return what people look for in a change; `--json` has all of it."""
    return "\n".join(f"{name}: {value}" for name, value in (content or {}).items() if name not in _HIDDEN)


def take_step(
    database: str, application_id: str, step: str | None, checklist: Path | None, by: tuple[str, str]
) -> None:
    """Take one step with an application: build, accept or withdraw; nothing where there is none.

    Parameters
    ----------
    database : str
        The ledger.
    application_id : str
        The application.
    step : str or None
        build, accept or withdraw; None only looks.
    checklist : Path or None
        The checklist that was filled in, for accept.
    by : tuple of str
        Who decides it, and why.

    Raises
    ------
    InputError
        If the checklist has faults, or nobody says who and why.
    IllegalStepError, LedgerError
        If the step cannot be taken.
    """
    from gridcheck.ledger import checklist_items, open_ledger, read_checklist

    if step is None:
        return
    who, reason = by
    with open_ledger(database) as ledger:
        if step == "accept" and checklist is not None:
            rated_kw = ledger.application(application_id).asked.rated_kw
            found = read_checklist(checklist, checklist_items(), rated_kw=rated_kw)
            ledger.accept(application_id, found, who=who, reason=reason)
        elif step == "build":
            ledger.build(application_id, who=who, reason=reason)
        else:
            ledger.withdraw(application_id, who=who, reason=reason)


def write_blank_checklist(file: Path) -> None:
    """Write a checklist to be filled in; never over a file that is there.

    Raises
    ------
    InputError
        If there is a file of that name.
    """
    from gridcheck.ledger import blank_checklist, checklist_items

    try:
        # With a mark at its start, so that spreadsheets read the Chinese names.
        with file.open("x", encoding="utf-8-sig", newline="") as out:
            out.write(blank_checklist(checklist_items()))
    except FileExistsError:
        raise InputError(f"{file} is there already; name another file, or remove it first.") from None


def show_application(database: str, application_id: str, *, as_json: bool) -> bool:
    """Show where an application stands, what was promised, and its history; return False after a failed inspection."""
    from gridcheck.ledger import open_ledger, steps_from
    from gridcheck.ledger.life import State

    with open_ledger(database) as ledger:
        kept = ledger.application(application_id)
        lines, promises = ledger.history(application_id), ledger.promises(application_id)
        inspections = ledger.inspections(application_id)
        entitlement = ledger.entitlement(application_id)
    steps = [step.value for step in steps_from(State(kept.state))]
    if as_json:
        terminal.print_json(
            {"application": _facts(kept), "allowed": steps,
             "entitlement": None if entitlement is None else asdict(entitlement),
             "history": [_plain(line) for line in lines],
             "promises": [{name: getattr(one, name) for name in one.__dataclass_fields__} for one in promises]}
        )  # fmt: skip
    else:
        rows: list[list[object]] = [[name, value] for name, value in _facts(kept).items()]
        rows += [["状态 state", _STATES[kept.state]], ["可办事项 allowed", ", ".join(steps)]]
        terminal.print_table(f"报装申请 application {application_id}", terminal.ITEMS, rows)
        if entitlement is not None:
            told = {**asdict(entitlement), "reasons": ", ".join(entitlement.reasons)}
            terminal.print_table("认定 entitlement", terminal.ITEMS, [[name, told[name]] for name in list(told)[1:]])
        if promises:
            headings = ("层级 level", "设备 element", "预留 reserved [kW]", "状态 state", "有效期至 until")
            terminal.print_table("容量预留 reservations", headings, [
                [one.level.value, one.element_id, one.reserved_kw, one.state, local_time(one.expires_at)]
                for one in promises
            ])  # fmt: skip
        terminal.print_table("过程 history", _HEADINGS, [_row(line) for line in lines])
    return kept.state != State.BUILT or not _failed(inspections)


def _facts(kept: KeptApplication) -> dict[str, Any]:
    asked = {name: getattr(kept.asked, name) for name in kept.asked.__dataclass_fields__}
    return {**asked, "state": kept.state, "version": kept.version}


def _failed(inspections: Sequence[Mapping[str, object]]) -> bool:
    """Return whether the last inspection has failed."""
    return bool(inspections) and not inspections[-1]["passed"]
