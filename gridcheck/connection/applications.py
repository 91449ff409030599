"""Read and check applications: who wishes to connect what, where, in which order."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from gridcheck.catalogue import DEVICE_CLASSES, Device, device_rules
from gridcheck.csv_tables import text_table
from gridcheck.errors import InputError, SchemaError

COLUMNS = (
    "application_id", "county_code", "village_code", "area_id", "applied_on", "device", "rated_kw", "phase",
    "household_group", "queue_position",
)  # fmt: skip
PHASES = ("A", "B", "C", "ABC")
HOUSEHOLD_GROUPS = ("ordinary", "hardship")
# A household meter of 5(60) A single-phase ends at 13.2 kW, three-phase at 39.6 kW; more is no household heater.
MAX_RATED_KW = 40.0
MAX_QUEUE_POSITION = 10_000_000
# A home may install more units than the sheet expects, one in each room; four times as much is a slip of the pen.
_MOST_OF_SHEET = 4.0
# Ids name folders and stand in messages, so they are short and hold nothing that leads elsewhere.
APPLICATION_ID = re.compile(r"\w[\w.#()（）〔〕-]{0,63}")
"""What the id of an application looks like."""
# A number as every program reads it: Python would take 1_0 and full-width digits as well.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", flags=re.ASCII)
_SHOWN_CHARACTERS = 60
_SHOWN_NAMES = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One household's wish to connect a heater.

    Attributes
    ----------
    application_id, county_code, village_code, area_id : str
        Ids.
    applied_on : date
        Day of the application.
    device : str
        Device class, a key of the catalogue of heaters, or a model of the planner's own.
    rated_kw : float
        Rated electric input. [kW]
    phase : str
        A, B, C or ABC.
    household_group : str
        ordinary or hardship.
    queue_position : int
        Place in the county's queue, from 1.
    is_discouraged : bool or None
        Whether a model is one of high power and low efficiency; None for a class, whose row of the catalogue says it.
    """

    application_id: str
    county_code: str
    village_code: str
    area_id: str
    applied_on: date
    device: str
    rated_kw: float
    phase: str
    household_group: str
    queue_position: int
    is_discouraged: bool | None = None


def read_applications(path: Path) -> pd.DataFrame:
    """Read an application file.

    Parameters
    ----------
    path : Path
        CSV in UTF-8 or GB18030 with the columns of `COLUMNS`.

    Returns
    -------
    DataFrame
        As text; `parse_applications` checks and converts it.

    Raises
    ------
    InputError
        If the file cannot be read.
    SchemaError
        If a row does not fit under the heading, or two applications have the same id.
    """
    try:
        table = text_table(path)
    except SchemaError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a table of applications: {error}") from error
    if "application_id" in table:
        findings = _repeated(table, "application_id", table["application_id"].duplicated())
        if findings:
            raise SchemaError(f"{path}: {len(findings)} applications have the id of another one.", findings)
    return table


def parse_applications(
    table: pd.DataFrame,
    *,
    area_ids: Sequence[str],
    county_code: str,
    source: str,
    models: Mapping[str, bool] = MappingProxyType({}),
) -> tuple[Application, ...]:
    """Check the applications of one county and put them in queue order.

    Parameters
    ----------
    table : DataFrame
        Rows with the columns of `COLUMNS`; rows of other counties are left out.
    area_ids : sequence of str
        Areas that exist in the county.
    county_code : str
        The county.
    source : str
        File that messages name.
    models : mapping of str to bool
        Models of the planner's own that may stand in the column of devices, and whether each is discouraged.

    Returns
    -------
    tuple of Application
        By queue position.

    Raises
    ------
    SchemaError
        Naming every faulty row, what was found and what is allowed.
    """
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise SchemaError(
            f"{source}: columns are missing.", [f"column {c}; expected {', '.join(COLUMNS)}" for c in missing]
        )
    rows = table[table["county_code"].astype(str) == county_code]
    known = set(area_ids)
    findings: list[str] = []
    result: list[Application] = []
    records = [{str(column): cell for column, cell in record.items()} for record in rows.to_dict("records")]
    for number, record in zip(_row_numbers(rows), records, strict=True):
        application, faults = _parse_row(record, known, models)
        findings += [f"row {number} ({_cut(record['application_id'])[1:-1]}): {fault}" for fault in faults]
        if application is not None:
            result.append(application)
    findings += _duplicates(rows)
    if findings:
        raise SchemaError(f"{source}: {len(findings)} faults in the applications of county {county_code}.", findings)
    return tuple(sorted(result, key=lambda a: (a.queue_position, a.application_id)))


def sheet_conflicts(sheet: Device, rated_kw: float | None, phase: str) -> tuple[tuple[str, dict[str, str]], ...]:
    """Return in what an application contradicts the product sheet of the model it names.

    Parameters
    ----------
    sheet : Device
        The model.
    rated_kw : float or None
        Rated input asked for, None where it is no number. [kW]
    phase : str
        A, B, C or ABC.

    Returns
    -------
    tuple of (str, dict of str to str)
        over_sheet, one_phase_of_sheet or three_phase_sheet, with the values that a message names.
    """
    found: list[tuple[str, dict[str, str]]] = []
    most_kw, one_phase_kw = sheet.max_input_kw, float(device_rules()["value"]["single_phase_max_kw"])
    if rated_kw is not None and rated_kw > _MOST_OF_SHEET * most_kw * (1.0 + 1e-9):
        values = {
            "found": f"{rated_kw:g}", "times_found": f"{rated_kw / most_kw:.0f}", "units": f"{sheet.units:g}",
            "most": f"{most_kw:g}", "times": f"{_MOST_OF_SHEET:g}",
        }  # fmt: skip
        found.append(("over_sheet", values))
    elif rated_kw is not None and phase in PHASES[:3] and rated_kw > one_phase_kw:
        found.append(("one_phase_of_sheet", {"found": f"{rated_kw:g}", "allowed": f"{one_phase_kw:g}"}))
    if sheet.phases == 3 and phase in PHASES[:3]:
        found.append(("three_phase_sheet", {}))
    return tuple(found)


def _row_numbers(rows: pd.DataFrame) -> list[int]:
    """Return the line of each row in its file: the heading is line 1."""
    numbers: list[int] = (rows.index.to_numpy(dtype=np.int64) + 2).tolist()
    return numbers


def _parse_row(
    row: Mapping[str, object], known: set[str], models: Mapping[str, bool]
) -> tuple[Application | None, list[str]]:
    faults = []
    if not APPLICATION_ID.fullmatch(str(row["application_id"])):
        faults.append(
            "application_id must have 1 to 64 letters, digits and _ . # - ( ), beginning with a letter or digit"
        )
    if str(row["area_id"]) not in known:
        faults.append(f"area_id {_cut(row['area_id'])} is not an area of the county (see areas.csv)")
    if row["device"] not in DEVICE_CLASSES and row["device"] not in models:
        hint = "" if models else "; a model of your own needs the table of your heaters, demand.devices of the scenario"
        faults.append(f"device {_cut(row['device'])} must be one of {names_of((*DEVICE_CLASSES, *models))}{hint}")
    rated_kw = plain_number(row["rated_kw"])
    if rated_kw is None or not 0.0 < rated_kw <= MAX_RATED_KW:
        faults.append(f"rated_kw {_cut(row['rated_kw'])} must be a number above 0 and up to {MAX_RATED_KW:g}")
    if row["phase"] not in PHASES:
        faults.append(f"phase {_cut(row['phase'])} must be one of {', '.join(PHASES)}")
    if row["household_group"] not in HOUSEHOLD_GROUPS:
        faults.append(f"household_group {_cut(row['household_group'])} must be one of {', '.join(HOUSEHOLD_GROUPS)}")
    position = plain_number(row["queue_position"])
    if position is None or not 1 <= position <= MAX_QUEUE_POSITION or position != int(position):
        faults.append(
            f"queue_position {_cut(row['queue_position'])} must be a whole number from 1 to {MAX_QUEUE_POSITION}"
        )
    try:
        applied_on = date.fromisoformat(str(row["applied_on"]))
    except ValueError:
        faults.append(f"applied_on {_cut(row['applied_on'])} must be a date like 2025-09-30")
    if faults or rated_kw is None or position is None:
        return None, faults
    application = Application(
        application_id=str(row["application_id"]),
        county_code=str(row["county_code"]),
        village_code=str(row["village_code"]),
        area_id=str(row["area_id"]),
        applied_on=applied_on,
        device=str(row["device"]),
        rated_kw=rated_kw,
        phase=str(row["phase"]),
        household_group=str(row["household_group"]),
        queue_position=int(position),
        is_discouraged=models.get(str(row["device"])),
    )
    return application, []


def names_of(allowed: Sequence[str]) -> str:
    """Return what is allowed, the first of it where a planner has many models."""
    more = len(allowed) - _SHOWN_NAMES
    return ", ".join(allowed[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def plain_number(value: object) -> float | None:
    """Return a plain number as every program reads it, None where a cell is none."""
    text = str(value).strip(" ")
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    return number if math.isfinite(number) else None


def _cut(value: object) -> str:
    """Return a cell as messages show it: in quotation marks, what cannot be printed escaped, not endlessly long."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _duplicates(rows: pd.DataFrame) -> list[str]:
    positions = rows["queue_position"].map(plain_number)
    return [
        *_repeated(rows, "application_id", rows["application_id"].astype(str).duplicated()),
        # 7 and 7.0 are the same place; what is no number was found already.
        *_repeated(rows, "queue_position", positions.notna() & positions.duplicated()),
    ]


def _repeated(rows: pd.DataFrame, column: str, again: pd.Series[bool]) -> list[str]:
    repeated = rows[again]
    return [
        f"row {number}: {column} {_cut(value)} stands more than once"
        for number, value in zip(_row_numbers(repeated), repeated[column].tolist(), strict=True)
    ]
