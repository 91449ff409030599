"""Taking applications in: checked as a whole, and the same one twice is one."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, insert, select

from gridcheck.errors import InputError
from gridcheck.ledger.life import State, kept_of
from gridcheck.ledger.records import Entry, NewApplication
from gridcheck.ledger.tables import ID_LENGTH, NAME_LENGTH, application

_ID = re.compile(r"\w[\w.#()（）〔〕-]*")
_IDS = ("application_id", "county_code", "village_code", "area_id", "feeder_id", "main_transformer_id")
_PHASES = ("A", "B", "C", "ABC")
_GROUPS = ("ordinary", "hardship")
_MOST_KW = 100_000.0
_MOST_HOMES = 10_000
_IDS_AT_ONCE = 500


def receive(
    connection: Connection, asked: Sequence[NewApplication], *, at: datetime, who: str, reason: str
) -> list[Entry]:
    """Take applications into the ledger; those that are there already, word for word, are left as they are.

    Parameters
    ----------
    connection : Connection
        A writing transaction.
    asked : sequence of NewApplication
        Applications.
    at : datetime
        When. [UTC]
    who, reason : str
        For the journal.

    Returns
    -------
    list of Entry
        A line for the journal for each new one.

    Raises
    ------
    InputError
        With one finding per fault: what is not allowed, or stands in the ledger with other contents.
    """
    findings = [f"{one.application_id}: {fault}" for one in asked for fault in _faults(one)]
    wanted = {one.application_id: one for one in asked}
    if len(wanted) < len(asked):
        names = Counter(one.application_id for one in asked)
        findings += [f"{name}: stands more than once" for name, times in names.items() if times > 1]
    there = _there(connection, sorted(wanted))
    findings += [
        f"{name}: is in the ledger with other contents; withdraw that one and use a new id"
        for name, kept in there.items()
        if wanted[name] != kept
    ]
    if findings:
        raise InputError(f"{len(findings)} faults in the applications; none was received.", findings)
    new = [one for name, one in sorted(wanted.items()) if name not in there]
    start = {"received_at": at, "state": State.RECEIVED.value, "version": 1, "assessment_id": None}
    if new:
        rows = [
            {"id" if name == "application_id" else name: value for name, value in asdict(one).items()} for one in new
        ]
        connection.execute(insert(application), [{**row, **start} for row in rows])
    return [
        Entry(action="receive", object=one.application_id, who=who, reason=reason,
              after={**asdict(one), "state": State.RECEIVED.value, "version": 1})
        for one in new
    ]  # fmt: skip


def _there(connection: Connection, names: Sequence[str]) -> dict[str, NewApplication]:
    """Return those that the ledger holds already."""
    found: dict[str, NewApplication] = {}
    for start in range(0, len(names), _IDS_AT_ONCE):
        some = select(application).where(application.c.id.in_(names[start : start + _IDS_AT_ONCE]))
        for row in connection.execute(some).mappings():
            found[row["id"]] = kept_of(row).asked
    return found


def _faults(one: NewApplication) -> list[str]:
    faults = []
    for name in _IDS:
        value = getattr(one, name)
        if len(value) > ID_LENGTH or not _ID.fullmatch(value):
            faults.append(f"{name} {value[:ID_LENGTH]!r} must have 1 to {ID_LENGTH} letters, digits and _ . # - ( )")
    if not 0 < len(one.device) <= NAME_LENGTH:
        faults.append(f"device must have 1 to {NAME_LENGTH} signs")
    if not (math.isfinite(one.rated_kw) and 0.0 < one.rated_kw <= _MOST_KW):
        faults.append(f"rated_kw {one.rated_kw} must be above 0 and up to {_MOST_KW:g}")
    if one.phase not in _PHASES:
        faults.append(f"phase {one.phase!r}, allowed are {', '.join(_PHASES)}")
    if one.household_group not in _GROUPS:
        faults.append(f"household_group {one.household_group!r}, allowed are {', '.join(_GROUPS)}")
    if not 1 <= one.homes <= _MOST_HOMES:
        faults.append(f"homes {one.homes} must be from 1 to {_MOST_HOMES}")
    if not re.fullmatch(r"[0-9]{6}", one.county_code):
        faults.append(f"county_code {one.county_code!r} must have six digits")
    return faults
