"""The journal: every change with who, when, before, after and why, each line bound to the one before it.

The hash of a line is SHA-256 over the canonical JSON of the line with the hash before it. Changing a line breaks the
chain there; removing the last lines does not, so the end of the chain is kept in a row of its own and can be noted down
outside. Triggers refuse changes; the chain shows what somebody did who could remove the triggers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from gridcheck.errors import InputError
from gridcheck.ledger.canonical import canonical_json, sha256_of
from gridcheck.ledger.records import Entry, Head, JournalCheck, JournalEntry
from gridcheck.ledger.tables import NAME_LENGTH, journal, journal_head
from gridcheck.ledger.told import Told, differences, note

ZERO_HASH = "0" * 64
"""What stands before the first line."""

_LONGEST_REASON = 2000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_HEAD = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")
_ROWS_AT_ONCE = 1000


def append(connection: Connection, entries: Sequence[Entry], *, at: datetime) -> None:
    """Add lines to the journal, within the transaction that makes the changes they tell of.

    Parameters
    ----------
    connection : Connection
        A writing transaction. The end of the journal stays locked until it is over, so this comes last.
    entries : sequence of Entry
        In order.
    at : datetime
        When. [UTC]

    Raises
    ------
    InputError
        If a name or a reason is missing, too long or not printable.
    """
    for entry in entries:
        require_signed(entry.who, entry.reason)
    end = connection.execute(select(journal_head).where(journal_head.c.id == 1).with_for_update()).mappings().one()
    seq, previous = int(end["seq"]), str(end["hash"])
    rows = []
    for entry in entries:
        row: dict[str, Any] = {
            "seq": seq + 1,
            "at": at,
            "who": entry.who,
            "action": entry.action,
            "object": entry.object,
            "before_json": _json(entry.before),
            "after_json": _json(entry.after),
            "reason": entry.reason,
            "previous_hash": previous,
        }
        seq, previous = seq + 1, sha256_of(canonical_json(row))
        rows.append({**row, "hash": previous})
    if rows:
        connection.execute(insert(journal), rows)
        connection.execute(update(journal_head).where(journal_head.c.id == 1).values(seq=seq, hash=previous))


def require_signed(who: str, reason: str) -> None:
    """Refuse a step without a name or a reason.

    Raises
    ------
    InputError
        If one is missing, too long, or holds signs that cannot be printed.
    """
    findings = []
    for name, value, longest in (("who", who, NAME_LENGTH), ("reason", reason, _LONGEST_REASON)):
        if not value.strip():
            findings.append(f"{name} is missing")
        elif len(value) > longest:
            findings.append(f"{name} has {len(value)} signs, allowed are {longest}")
        elif _CONTROL.search(value):
            findings.append(f"{name} must be one line of printable text")
    if findings:
        raise InputError("Every change of the ledger needs a name and a reason: who decides this, and why.", findings)


def _json(content: Mapping[str, Any] | None) -> str | None:
    return None if content is None else canonical_json(content)


def head(connection: Connection) -> Head:
    """Return the end of the journal as the ledger keeps it."""
    row = connection.execute(select(journal_head).where(journal_head.c.id == 1)).mappings().one()
    return Head(seq=int(row["seq"]), hash=str(row["hash"]))


def read_head(text: str) -> Head:
    """Read the end of a journal that was noted down as ``NUMBER:HASH``.

    Raises
    ------
    InputError
        If it is none.
    """
    match = _HEAD.fullmatch(text.strip())
    if match is None:
        raise InputError("The end of a journal is written as NUMBER:HASH, as `gridcheck journal --verify` prints it.")
    return Head(seq=int(match[1]), hash=match[2])


def entries(connection: Connection, object_id: str | None = None, *, last: int | None = None) -> list[JournalEntry]:
    """Return lines of the journal, oldest first.

    Parameters
    ----------
    connection : Connection
        Any transaction.
    object_id : str, optional
        Only those of one object.
    last : int, optional
        Only the last ones.
    """
    wanted = select(journal).order_by(journal.c.seq.desc())
    if object_id is not None:
        wanted = wanted.where(journal.c.object == object_id)
    if last is not None:
        wanted = wanted.limit(last)
    rows = connection.execute(wanted).mappings().all()
    return [_entry(row) for row in reversed(rows)]


def _entry(row: RowMapping) -> JournalEntry:
    return JournalEntry(
        seq=int(row["seq"]),
        at=row["at"],
        entry=Entry(
            action=row["action"],
            object=row["object"],
            who=row["who"],
            reason=row["reason"],
            before=_content(row["before_json"]),
            after=_content(row["after_json"]),
        ),
        previous_hash=row["previous_hash"],
        hash=row["hash"],
    )


def _content(text: str | None) -> Mapping[str, Any] | None:
    content: Mapping[str, Any] | None = None if text is None else json.loads(text)
    return content


def verify(connection: Connection, exported: Head | None = None) -> JournalCheck:
    """Walk the whole chain and find the first line that does not hold.

    Parameters
    ----------
    connection : Connection
        A reading transaction.
    exported : Head, optional
        An end that was noted down outside the ledger; its line must still be there.

    Returns
    -------
    JournalCheck
        Also what is not as the journal tells: applications with their promises and entitlements, answers, room.
    """
    told: Told = {}
    try:
        end, broken_at, fault, found = _walked(connection, exported, told, at_once=_ROWS_AT_ONCE)
    except ValueError:
        # What stands there cannot even be read; line by line tells where.
        end, broken_at, fault, found = _walked(connection, exported, told, at_once=1)
    if not fault and end != head(connection):
        broken_at, fault = end.seq + 1, "tail"
    if not fault and exported is not None and not found:
        broken_at, fault = exported.seq, "exported_head"
    changed = [] if fault else differences(connection, told)
    return JournalCheck(entries=end.seq, head=end, broken_at=broken_at, fault=fault, changed=tuple(changed))


def _walked(
    connection: Connection, exported: Head | None, told: Told, *, at_once: int
) -> tuple[Head, int | None, str, bool]:
    """Walk the chain; return its last good line, where and what is wrong, and whether the exported end is there."""
    end, broken_at, fault = Head(seq=0, hash=ZERO_HASH), None, ""
    found = exported is None or exported.seq == 0
    wanted = select(journal).order_by(journal.c.seq).execution_options(yield_per=at_once)
    # Closed here: a chain that breaks leaves the rest unread on the server.
    with connection.execute(wanted) as rows:
        lines = iter(rows.mappings())
        while True:
            try:
                row = next(lines, None)
            except ValueError:
                if at_once > 1:
                    raise
                return end, end.seq + 1, "hash", found
            if row is None:
                return end, broken_at, fault, found
            fault = _fault(row, end)
            if fault:
                broken_at = end.seq + 1 if fault == "gap" else int(row["seq"])
                return end, broken_at, fault, found
            end = Head(seq=int(row["seq"]), hash=str(row["hash"]))
            found = found or end == exported
            note(told, row)


def _fault(row: RowMapping, before: Head) -> str:
    """Return what is wrong with a line that follows another."""
    if int(row["seq"]) != before.seq + 1:
        return "gap"
    if row["previous_hash"] != before.hash:
        return "previous"
    body = {name: row[name] for name in row if name != "hash"}
    try:
        return "" if sha256_of(canonical_json(body)) == row["hash"] else "hash"
    except TypeError:  # bytes where text was written
        return "hash"
