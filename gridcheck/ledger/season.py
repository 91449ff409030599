"""The money of a heating season: energy by application, running subsidy by county, whose first season it is.

A season is named by the year in which it begins, and written as ``2025-26``. The subsidy is that of the 2025 plan: so
much per kWh of heating up to a cap per household, for a central station within its homes times the cap.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Connection, RowMapping, and_, delete, func, insert, or_, select

from gridcheck.csv_tables import MARKS, text_table
from gridcheck.errors import InputError, SchemaError
from gridcheck.ledger.canonical import canonical_json, sha256_of
from gridcheck.ledger.life import State
from gridcheck.ledger.records import Entry
from gridcheck.ledger.tables import application, entitlement, heating_energy
from gridcheck.policy import Plan2025, plan_2025

FIRST_SEASON = 2025
"""The season of the plan, named by the year in which it begins."""

LAST_DAY = (3, 15)
"""Month and day on which a season ends, in the year after that of its name: legal heating is 15 Nov to 15 March [G]."""

READING_COLUMNS = ("application_id", "kwh")
"""Columns of a file of metered heating energy."""

# A home that heats with resistance all winter stays far below; more is a reading of something else. [kWh per home]
_MOST_KWH_PER_HOME = 100_000.0
_LAST_SEASON = 2100
_SEASON = re.compile(r"([0-9]{4})(?:[-/]([0-9]{2}|[0-9]{4}))?", flags=re.ASCII)
_CENTURY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An entitled application in a season.

    Attributes
    ----------
    application_id, county_code, device : str
        What was entitled, and where.
    rated_kw : float
        Rated input. [kW]
    homes : int
        Homes behind it; more than one for a central station.
    has_subsidy : bool
        Whether it gets the running subsidy in this season; the others have the tariff alone.
    reasons : tuple of str
        Codes of the entitlement.
    is_first : bool
        Whether this is its first season: the hardship extra is paid once.
    heating_kwh : float or None
        Heating energy that was recorded; None where nobody has. [kWh]
    source, confidence : str
        Where the energy comes from, and how firm that is; empty without any.
    """

    application_id: str
    county_code: str
    device: str
    rated_kw: float
    homes: int
    has_subsidy: bool
    reasons: tuple[str, ...]
    is_first: bool
    heating_kwh: float | None
    source: str
    confidence: str

    @property
    def gets_hardship(self) -> bool:
        """Whether the hardship extra falls into this season."""
        return self.has_subsidy and self.is_first and "hardship_once" in self.reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonSum:
    """Running subsidy of a county in a season.

    Attributes
    ----------
    county_code : str
        The county.
    season : int
        Year in which the season begins.
    applications : int
        Applications with subsidy; a central station is one.
    metered : int
        Those of which the heating energy is known.
    running_yuan : float
        Running subsidy of these. [yuan]
    hardship_yuan : float
        Extra of those whose first season this is. [yuan]
    not_metered_cap_yuan : float
        Most that the others can bring; not part of `known_yuan`. [yuan]
    """

    county_code: str
    season: int
    applications: int
    metered: int
    running_yuan: float
    hardship_yuan: float
    not_metered_cap_yuan: float

    @property
    def known_yuan(self) -> float:
        """Running subsidy of what is known, with the hardship extra. [yuan]"""
        return self.running_yuan + self.hardship_yuan

    @property
    def at_most_yuan(self) -> float:
        """What to have ready: the known, and the cap of the others. [yuan]"""
        return self.known_yuan + self.not_metered_cap_yuan


def season_of(text: str) -> int:
    """Return the season that people write as ``2025-26``, ``2025-2026`` or ``2025``.

    Raises
    ------
    InputError
        If it is none, or its two years do not follow each other.

    Examples
    --------
    >>> season_of("2025-26"), season_text(2025)
    (2025, '2025-26')
    """
    found = _SEASON.fullmatch(text.strip())
    first = int(found[1]) if found else 0
    if found is None or (found[2] and int(found[2]) not in (first + 1, (first + 1) % _CENTURY)):
        raise InputError(f"A season is written as its two years, such as 2025-26; {text!r} is none.")
    return require_season(first)


def season_text(season: int) -> str:
    """Return how people write a season."""
    return f"{season}-{(season + 1) % _CENTURY:02d}"


def season_end(season: int) -> date:
    """Return the last day of a season.

    Examples
    --------
    >>> season_end(2025).isoformat()
    '2026-03-15'
    """
    return date(season + 1, *LAST_DAY)


def read_readings(path: Path) -> dict[str, float]:
    """Read metered heating energy by application. [kWh]

    Parameters
    ----------
    path : Path
        CSV in UTF-8 or GB18030 with the columns ``application_id`` and ``kwh``, the season's sum of each.

    Raises
    ------
    InputError
        If the file cannot be read.
    SchemaError
        Naming every row that is no reading.
    """
    try:
        table = text_table(path)
    except SchemaError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a table of readings: {error}") from error
    missing = [name for name in READING_COLUMNS if name not in table]
    if missing:
        raise SchemaError(f"{path} lacks columns; readings have {', '.join(READING_COLUMNS)}.", missing)
    found: dict[str, float] = {}
    faults = []
    for number, (name, cell) in enumerate(zip(*(table[c] for c in READING_COLUMNS), strict=True), start=2):
        kwh = _number(cell)
        if name in found:
            faults.append(f"row {number}: application_id {name!r} stands more than once")
        if kwh is None:
            faults.append(f"row {number} ({name}): kwh {cell!r} must be a number from 0; leave the row out if unread")
        else:
            found[name] = kwh
    if faults:
        raise SchemaError(f"{path}: {len(faults)} faults in the readings; none was recorded.", faults)
    return found


def _number(cell: str) -> float | None:
    try:
        number = float(cell.strip()) if cell.strip().isascii() and "_" not in cell else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0.0 else None


def season_subsidy_yuan(heating_kwh: float, *, homes: int, plan: Plan2025) -> float:
    r"""Return the running subsidy of one connection for one season. [yuan]

    .. math:: \min(r\,E,\; n\,C)

    with the rate r [yuan/kWh], the heating energy E [kWh], n homes and the cap C [yuan] of one home.
    """
    return min(heating_kwh * plan.subsidy_yuan_per_kwh, homes * plan.subsidy_cap_yuan)


def require_season(season: int) -> int:
    """Refuse what is no season since the plan began.

    Raises
    ------
    InputError
        If the year is out of range.
    """
    if not FIRST_SEASON <= season <= _LAST_SEASON:
        raise InputError(f"A season is named by the year in which it begins, from {FIRST_SEASON}; {season} is none.")
    return season


def keep_energy(
    connection: Connection,
    season: int,
    heating_kwh: Mapping[str, float],
    *,
    source: str,
    confidence: str,
    at: datetime,
) -> dict[str, object]:
    """Record the heating energy of applications in a season, in place of what stood there.

    Parameters
    ----------
    connection : Connection
        A writing transaction.
    season : int
        Year in which it begins.
    heating_kwh : mapping of str to float
        By application. [kWh]
    source, confidence : str
        Meter, simulation or estimate, with its mark.
    at : datetime
        When. [UTC]

    Returns
    -------
    dict
        What the journal says of it.

    Raises
    ------
    InputError
        If a value or a mark is not allowed.
    """
    require_season(season)
    homes = {row.id: row.homes for row in connection.execute(select(application.c.id, application.c.homes))}
    findings = [
        f"{name}: " + ("no such application" if name not in homes else f"{kwh} kWh, allowed is 0 to "
                       f"{_MOST_KWH_PER_HOME * homes[name]:g} kWh")
        for name, kwh in sorted(heating_kwh.items())
        if name not in homes or not (math.isfinite(kwh) and 0.0 <= kwh <= _MOST_KWH_PER_HOME * homes[name])
    ]  # fmt: skip
    if confidence not in MARKS:
        findings.append(f"confidence {confidence!r}, allowed are {', '.join(MARKS)}")
    if not source.strip():
        findings.append("source is missing: meter, simulation or estimate")
    if findings:
        raise InputError(f"The heating energy of season {season} cannot be recorded.", findings)
    rows = [
        {"application_id": name, "season": season, "heating_kwh": float(kwh), "source": source,
         "confidence": confidence, "at": at}
        for name, kwh in sorted(heating_kwh.items())
    ]  # fmt: skip
    for row in rows:
        here = and_(heating_energy.c.application_id == row["application_id"], heating_energy.c.season == season)
        connection.execute(delete(heating_energy).where(here))
    if rows:
        connection.execute(insert(heating_energy), rows)
    content = canonical_json([[row["application_id"], row["heating_kwh"]] for row in rows])
    return {"season": season, "rows": len(rows), "source": source, "confidence": confidence,
            "rows_sha256": sha256_of(content)}  # fmt: skip


def season_sum(connection: Connection, county_code: str, season: int, plan: Plan2025 | None = None) -> SeasonSum:
    """Add up the running subsidy of a county for a season.

    Parameters
    ----------
    connection : Connection
        Any transaction.
    county_code : str
        The county.
    season : int
        Year in which the season begins; entitlements count from their first season on.
    plan : Plan2025, optional
        Terms; those of the 2025 plan by default.
    """
    terms = plan or plan_2025()
    own = [claim for claim in claims(connection, season, county_code=county_code) if claim.has_subsidy]
    running = [
        season_subsidy_yuan(claim.heating_kwh, homes=claim.homes, plan=terms)
        for claim in own
        if claim.heating_kwh is not None
    ]
    others = [claim.homes * terms.subsidy_cap_yuan for claim in own if claim.heating_kwh is None]
    return SeasonSum(
        county_code=county_code,
        season=season,
        applications=len(own),
        metered=len(running),
        running_yuan=math.fsum(running),
        hardship_yuan=sum(claim.gets_hardship for claim in own) * terms.hardship_yuan,
        not_metered_cap_yuan=math.fsum(others),
    )


def claims(connection: Connection, season: int, *, county_code: str | None = None) -> tuple[Claim, ...]:
    """Return what is entitled in a season, by county and id: with the running subsidy or with the tariff alone."""
    require_season(season)
    of_season = and_(heating_energy.c.application_id == entitlement.c.application_id, heating_energy.c.season == season)
    wanted = (
        select(application, entitlement.c.first_season, entitlement.c.last_season, entitlement.c.has_subsidy,
               entitlement.c.reasons_json, heating_energy.c.heating_kwh, heating_energy.c.source,
               heating_energy.c.confidence)
        .join(entitlement, entitlement.c.application_id == application.c.id)
        .outerjoin(heating_energy, of_season)
        .where(entitlement.c.first_season <= season, or_(entitlement.c.has_tariff, entitlement.c.has_subsidy))
        .order_by(application.c.county_code, application.c.id)
    )  # fmt: skip
    if county_code is not None:
        wanted = wanted.where(application.c.county_code == county_code)
    return tuple(_claim(row, season) for row in connection.execute(wanted).mappings())


def _claim(row: RowMapping, season: int) -> Claim:
    has_ended = row["last_season"] is not None and row["last_season"] < season
    return Claim(
        application_id=row["id"],
        county_code=row["county_code"],
        device=row["device"],
        rated_kw=float(row["rated_kw"]),
        homes=int(row["homes"]),
        has_subsidy=bool(row["has_subsidy"]) and not has_ended,
        reasons=(*json.loads(row["reasons_json"]), *(("ended",) if has_ended else ())),
        is_first=row["first_season"] == season,
        heating_kwh=row["heating_kwh"],
        source=row["source"] or "",
        confidence=row["confidence"] or "",
    )


def accepted_waiting(connection: Connection) -> dict[str, int]:
    """Return how many applications of each county are accepted and were not entitled yet."""
    wanted = (
        select(application.c.county_code, func.count())
        .where(application.c.state == State.ACCEPTED.value)
        .group_by(application.c.county_code)
        .order_by(application.c.county_code)
    )
    return {str(code): int(count) for code, count in connection.execute(wanted)}


def energy_entry(told: Mapping[str, object], *, who: str, reason: str) -> Entry:
    """Return the line of the journal for the heating energy of a season."""
    return Entry(action="record_energy", object=f"season {told['season']}", who=who, reason=reason, after=told)
