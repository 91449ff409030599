"""One way to write down what is hashed, and one way to keep moments: the same bytes on every database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, TypeDecorator

# Columns of an answer that the first ledgers did not have.
_LATER = ("broken_before_json",)


def canonical_json(content: object) -> str:
    r"""Return JSON with sorted keys, without blanks and in plain ASCII; days and moments as ISO text.

    Raises
    ------
    ValueError
        If a number is not finite: JSON has none of that kind.

    Examples
    --------
    >>> canonical_json({"b": 1.5, "a": "户"})
    '{"a":"\\u6237","b":1.5}'
    """
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no part of a record of the ledger")


def sha256_of(content: bytes | str) -> str:
    """Return the SHA-256 of bytes, or of text in UTF-8, as 64 hexadecimal digits."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def answer_digest(row: Mapping[str, Any]) -> str:
    """Return the SHA-256 over every column of an answer, so that none can be changed unseen.

    A column that came later counts where something stands in it, so that older answers keep their digest.
    """
    left_out = {"id", "row_bytes", *(name for name in _LATER if row.get(name) is None)}
    whole = {name: value for name, value in row.items() if name not in left_out}
    return sha256_of(canonical_json({**whole, "row_bytes": sha256_of(row["row_bytes"])}))


def moment_text(moment: datetime) -> str:
    """Return a moment as UTC to the microsecond, always in the same 27 characters.

    Examples
    --------
    >>> moment_text(datetime(2026, 1, 23, 8, 0, tzinfo=UTC))
    '2026-01-23T08:00:00.000000Z'
    """
    return f"{in_utc(moment):%Y-%m-%dT%H:%M:%S.%f}Z"


def in_utc(moment: datetime) -> datetime:
    """Return the same moment in UTC.

    Raises
    ------
    ValueError
        If it does not say in which zone it is.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} does not say in which time zone it is")
    return moment.astimezone(UTC)


def now_utc() -> datetime:
    """Return the present moment. [UTC]"""
    return datetime.now(UTC)


class UtcMoment(TypeDecorator[datetime]):
    """A moment, kept in UTC to the microsecond: text on SQLite, with a zone on PostgreSQL."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Write UTC; SQLite keeps no zone."""
        if value is None:
            return None
        moment = in_utc(value)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Read UTC, in whatever zone the server answers."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
