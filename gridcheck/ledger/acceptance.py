"""Acceptance (验收): the checklist, and what an inspector has found item by item.

Estimates and general knowledge among the bounds are editable: a table of the same columns takes the place of the one
that ships.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection, and_, func, insert, select

from gridcheck.csv_tables import Column, TableSchema, check_table, packaged_table, source_columns, text_table
from gridcheck.errors import InputError, SchemaError
from gridcheck.ledger.canonical import canonical_json
from gridcheck.ledger.records import Approved
from gridcheck.ledger.tables import inspection

RESULTS = ("pass", "fail", "not_applicable")
COLUMNS = ("item", "result", "value", "note")
"""Columns of a checklist that was filled in."""

_ITEMS = TableSchema(
    key=("item",),
    columns=(
        Column(name="item"),
        Column(name="label_zh"),
        Column(name="label_en"),
        Column(name="kind", allowed=("judged", "measured")),
        Column(name="low", kind="float", optional=True),
        Column(name="high", kind="float", optional=True),
        Column(name="unit", optional=True),
        Column(name="needed", kind="bool"),
        *source_columns(),
    ),
)
_LONGEST_NOTE = 500
# The row that says whose checklist it is; it is no item.
_WHOSE = "application_id"
# What was approved stands with these; the bound of the nameplate is the approved power.
_RATING, _PHASE = "rated_kw", "phase_as_approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of the checklist.

    Attributes
    ----------
    item, label_zh, label_en : str
        Code and names.
    measured : bool
        Whether a value belongs to it; otherwise it is judged.
    low, high : float
        Bounds of the value, infinite where there is none. [unit]
    unit : str
        Unit of the value.
    needed : bool
        Whether it applies to every home; the others may be left out.
    source, confidence : str
        Where the item comes from, and how firm that is.
    """

    item: str
    label_zh: str
    label_en: str
    measured: bool
    low: float
    high: float
    unit: str
    needed: bool
    source: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What an inspector has found for one item.

    Attributes
    ----------
    item, result, note : str
        Item; pass, fail or not_applicable; remark.
    value : float or None
        What was measured, in the item's unit; None where nothing was.
    """

    item: str
    result: str
    value: float | None
    note: str


def checklist_items(path: Path | None = None) -> tuple[Item, ...]:
    """Return the items of the checklist: those that ship, or those of a table with the same columns.

    Raises
    ------
    SchemaError
        If the table breaks a rule of its columns.
    InputError
        If it cannot be read.
    """
    if path is None:
        table = packaged_table("gridcheck.ledger", "acceptance_items.csv", _ITEMS)
    else:
        table = check_table(_text(path), _ITEMS, where=str(path))
    return tuple(
        Item(
            item=row["item"],
            label_zh=row["label_zh"],
            label_en=row["label_en"],
            measured=row["kind"] == "measured",
            low=-math.inf if math.isnan(row["low"]) else float(row["low"]),
            high=math.inf if math.isnan(row["high"]) else float(row["high"]),
            unit=row["unit"],
            needed=bool(row["needed"]),
            source=row["source"],
            confidence=row["confidence"],
        )
        for row in table.to_dict("records")
    )


def read_checklist(path: Path, items: Sequence[Item], *, approved: Approved) -> tuple[Finding, ...]:
    """Read a checklist that was filled in: one row per item with result, value and note.

    Parameters
    ----------
    path : Path
        CSV in UTF-8 or GB18030 with the columns item, result, value, note. A row ``application_id`` may say in its
        value whose checklist it is.
    items : sequence of Item
        The checklist.
    approved : Approved
        What was approved; its power is the bound of the nameplate.

    Returns
    -------
    tuple of Finding
        In the order of the checklist; items that need not apply and are left out count as not applicable.

    Raises
    ------
    InputError
        If the file cannot be read.
    SchemaError
        Naming every row that is not allowed or contradicts itself, and every item that is missing; or that it is the
        checklist of another application.
    """
    table = _text(path)
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise SchemaError(f"{path} lacks columns; a checklist has {', '.join(COLUMNS)}.", missing)
    known = {one.item: one for one in items}
    findings: list[str] = []
    found: dict[str, Finding] = {}
    for number, row in enumerate(table.to_dict("records"), start=2):
        name = str(row["item"]).strip()
        if name == _WHOSE:
            whose = str(row["value"]).strip()
            if whose and whose != approved.application_id:
                findings.append(f"row {number}: this is the checklist of {whose!r}, not of {approved.application_id!r}")
            continue
        if name not in known or name in found:
            why = "stands more than once" if name in found else f"is no item; allowed are {', '.join(known)}"
            findings.append(f"row {number}: {name!r} {why}")
            continue
        found[name] = Finding(
            item=name, result=str(row["result"]).strip(), value=_value(row["value"]), note=str(row["note"]).strip()
        )
        faults = _faults(found[name], known[name], str(row["value"]).strip(), approved.rated_kw)
        findings += [f"row {number} ({name}): {fault}" for fault in faults]
    findings += [f"{one.item} ({one.label_zh}) is missing" for one in items if one.needed and one.item not in found]
    if findings:
        raise SchemaError(
            f"{path}: {len(findings)} faults in the checklist; correct them and hand it in again.", findings
        )
    absent = {one.item: Finding(item=one.item, result="not_applicable", value=None, note="") for one in items}
    return tuple((absent | found).values())


def _text(path: Path) -> pd.DataFrame:
    try:
        return text_table(path)
    except SchemaError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a table: {error}") from error


def _value(cell: Any) -> float | None:
    try:
        number = float(str(cell).strip())
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _faults(found: Finding, item: Item, written: str, rated_kw: float) -> list[str]:
    """Return what is wrong with a row: a word, a value that is missing, or a result that the value contradicts."""
    faults = []
    if found.result not in RESULTS:
        faults.append(f"result {found.result!r}, allowed are {', '.join(RESULTS)}")
    if written and found.value is None:
        faults.append(f"value {written!r} is no number")
    if found.result == "not_applicable" and item.needed:
        faults.append("applies to every home: pass or fail")
    if len(found.note) > _LONGEST_NOTE:
        faults.append(f"note has {len(found.note)} signs, allowed are {_LONGEST_NOTE}")
    if not item.measured or found.result not in RESULTS[:2]:
        return faults
    high = rated_kw if item.item == _RATING else item.high
    if found.value is None:
        faults.append(f"a value is needed [{item.unit}]")
    elif found.result == "pass" and not item.low <= found.value <= high:
        bounds = " and ".join(
            f"{word} {bound:g}" for word, bound in (("from", item.low), ("up to", high)) if math.isfinite(bound)
        )
        faults.append(
            f"result pass, but {found.value:g} is not {bounds} {item.unit} [{item.source}, {item.confidence}]"
        )
    return faults


def blank_checklist(items: Sequence[Item], approved: Approved) -> str:
    """Return the checklist of an application to be filled in, as CSV.

    Parameters
    ----------
    items : sequence of Item
        The checklist; each item is named in its note.
    approved : Approved
        What was approved: the first row says for whom, the notes of phase and nameplate say what.
    """
    granted = {_PHASE: f": {approved.phase}", _RATING: f": {approved.rated_kw:g} kW"}
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerow((_WHOSE, "", approved.application_id, "报装编号 application"))
    for one in items:
        unit = f" [{one.unit}]" if one.unit else ""
        writer.writerow((one.item, "", "", f"{one.label_zh} {one.label_en}{granted.get(one.item, '')}{unit}"))
    return out.getvalue()


def passed(findings: Sequence[Finding]) -> bool:
    """Return whether no item has failed."""
    return all(one.result != "fail" for one in findings)


def keep_inspection(
    connection: Connection, application_id: str, findings: Sequence[Finding], *, at: datetime
) -> dict[str, object]:
    """Record an inspection, passed or not; return what the journal says of it."""
    content = canonical_json([asdict(one) for one in findings])
    row = {"application_id": application_id, "at": at, "passed": passed(findings), "items_json": content}
    number = int(connection.execute(insert(inspection).values(**row).returning(inspection.c.id)).scalar_one())
    return {"inspection_id": number, "failed": [one.item for one in findings if one.result == "fail"]}


def accepted_at(connection: Connection, application_id: str) -> datetime | None:
    """Return when the inspection of an application that passed was recorded; None where none did. [UTC]"""
    has_passed = and_(inspection.c.application_id == application_id, inspection.c.passed.is_(True))
    at: datetime | None = connection.execute(select(func.max(inspection.c.at)).where(has_passed)).scalar()
    return at


def inspections(connection: Connection, application_id: str) -> list[Mapping[str, Any]]:
    """Return the inspections of an application, oldest first: ``at``, ``passed`` and ``items_json``."""
    wanted = select(inspection).where(inspection.c.application_id == application_id).order_by(inspection.c.id)
    return [dict(row) for row in connection.execute(wanted).mappings()]
