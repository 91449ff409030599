"""Read and check applications: who wishes to connect what, where, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from gridcheck.catalogue import DEVICE_CLASSES
from gridcheck.errors import InputError, SchemaError

COLUMNS = (
    "application_id", "county_code", "village_code", "area_id", "applied_on", "device", "rated_kw", "phase",
    "household_group", "queue_position",
)  # fmt: skip
PHASES = ("A", "B", "C", "ABC")
HOUSEHOLD_GROUPS = ("ordinary", "hardship")
# A household meter of 5(60) A single-phase ends at 13.2 kW, three-phase at 39.6 kW; more is no household heater.
MAX_RATED_KW = 40.0


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
        Device class, a key of the catalogue of heaters.
    rated_kw : float
        Rated electric input. [kW]
    phase : str
        A, B, C or ABC.
    household_group : str
        ordinary or hardship.
    queue_position : int
        Place in the county's queue, from 1.
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


def read_applications(path: Path) -> pd.DataFrame:
    """Read an application file.

    Parameters
    ----------
    path : Path
        UTF-8 CSV with the columns of `COLUMNS`.

    Returns
    -------
    DataFrame
        As text; `parse_applications` checks and converts it.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a table of applications: {error}") from error


def parse_applications(table: pd.DataFrame, *, area_ids: Sequence[str], county_code: str, source: str) -> tuple[Application, ...]:
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
        raise SchemaError(f"{source}: columns are missing.", [f"column {c}; expected {', '.join(COLUMNS)}" for c in missing])
    rows = table[table["county_code"].astype(str) == county_code]
    known = set(area_ids)
    findings: list[str] = []
    result: list[Application] = []
    for number, row in zip(rows.index, rows[list(COLUMNS)].itertuples(index=False), strict=True):
        application, faults = _parse_row(row._asdict(), known)
        findings += [f"row {int(number) + 2} ({row.application_id}): {fault}" for fault in faults]
        if application is not None:
            result.append(application)
    findings += _duplicates(rows)
    if findings:
        raise SchemaError(f"{source}: {len(findings)} faults in the applications of county {county_code}.", findings)
    return tuple(sorted(result, key=lambda a: (a.queue_position, a.application_id)))


def _parse_row(row: dict[str, object], known: set[str]) -> tuple[Application | None, list[str]]:
    faults = []
    if str(row["area_id"]) not in known:
        faults.append(f"area_id {row['area_id']!r} is not an area of the county (see areas.csv)")
    if row["device"] not in DEVICE_CLASSES:
        faults.append(f"device {row['device']!r} must be one of {', '.join(DEVICE_CLASSES)}")
    rated_kw = _number(row["rated_kw"])
    if rated_kw is None or not 0.0 < rated_kw <= MAX_RATED_KW:
        faults.append(f"rated_kw {row['rated_kw']!r} must be a number above 0 and up to {MAX_RATED_KW:g}")
    if row["phase"] not in PHASES:
        faults.append(f"phase {row['phase']!r} must be one of {', '.join(PHASES)}")
    if row["household_group"] not in HOUSEHOLD_GROUPS:
        faults.append(f"household_group {row['household_group']!r} must be one of {', '.join(HOUSEHOLD_GROUPS)}")
    position = _number(row["queue_position"])
    if position is None or position < 1 or position != int(position):
        faults.append(f"queue_position {row['queue_position']!r} must be a whole number from 1")
    try:
        applied_on = date.fromisoformat(str(row["applied_on"]))
    except ValueError:
        faults.append(f"applied_on {row['applied_on']!r} must be a date like 2025-09-30")
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
    )
    return application, []


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if number == number and abs(number) != float("inf") else None


def _duplicates(rows: pd.DataFrame) -> list[str]:
    findings = []
    for column in ("application_id", "queue_position"):
        doubled = rows[rows[column].astype(str).duplicated(keep="first")]
        findings += [f"row {int(i) + 2}: {column} {value!r} stands more than once" for i, value in doubled[column].head(20).items()]
    return findings
