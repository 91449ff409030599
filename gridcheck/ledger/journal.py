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
from gridcheck.ledger.canonical import answer_digest, canonical_json, sha256_of
from gridcheck.ledger.records import Entry, Head, JournalCheck, JournalEntry
from gridcheck.ledger.tables import NAME_LENGTH, application, assessment, journal, journal_head
from gridcheck.ledger.tables import project as project_table

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


def project_name(plan_id: str, project_id: str) -> str:
    """Return what the journal calls a project of a plan."""
    return f"project {plan_id}/{project_id}"


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
        Also applications and answers that are not as the journal tells.
    """
    end, broken_at, fault = Head(seq=0, hash=ZERO_HASH), None, ""
    found = exported is None or exported.seq == 0
    told: dict[str, Any] = {}
    wanted = select(journal).order_by(journal.c.seq).execution_options(yield_per=_ROWS_AT_ONCE)
    # Closed here: a chain that breaks leaves the rest unread on the server.
    with connection.execute(wanted) as rows:
        for row in rows.mappings():
            fault = _fault(row, end)
            if fault:
                broken_at = end.seq + 1 if fault == "gap" else int(row["seq"])
                break
            end = Head(seq=int(row["seq"]), hash=str(row["hash"]))
            found = found or end == exported
            _note(told, row)
    if not fault and end != head(connection):
        broken_at, fault = end.seq + 1, "tail"
    if not fault and exported is not None and not found:
        broken_at, fault = exported.seq, "exported_head"
    changed = [] if fault else _changed(connection, told)
    return JournalCheck(entries=end.seq, head=end, broken_at=broken_at, fault=fault, changed=tuple(changed))


def _fault(row: RowMapping, before: Head) -> str:
    """Return what is wrong with a line that follows another."""
    if int(row["seq"]) != before.seq + 1:
        return "gap"
    if row["previous_hash"] != before.hash:
        return "previous"
    body = {name: row[name] for name in row if name != "hash"}
    return "" if sha256_of(canonical_json(body)) == row["hash"] else "hash"


def _note(told: dict[str, Any], row: RowMapping) -> None:
    """Keep what the journal says last of an application, and of each answer."""
    after = _content(row["after_json"]) or {}
    if "version" in after:
        told[str(row["object"])] = (after["state"], after["version"])
    if "answer_sha256" in after:
        told[f"assessment {after['assessment_id']}"] = after["answer_sha256"]


def _changed(connection: Connection, told: Mapping[str, Any]) -> list[str]:
    """Return what was changed in the tables past the journal."""
    stands: dict[str, Any] = {
        one.id: (one.state, one.version)
        for one in connection.execute(select(application.c.id, application.c.state, application.c.version))
    }
    stands |= {
        project_name(one.plan_id, one.id): (one.state, one.version)
        for one in connection.execute(
            select(project_table.c.plan_id, project_table.c.id, project_table.c.state, project_table.c.version)
        )
    }
    with connection.execute(select(assessment).execution_options(yield_per=_ROWS_AT_ONCE)) as answers:
        for row in answers.mappings():
            stands[f"assessment {row['id']}"] = answer_digest(dict(row))
    return sorted(name for name in stands.keys() | told.keys() if stands.get(name) != told.get(name))
