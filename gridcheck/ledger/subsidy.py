"""Who is entitled to tariff and running subsidy, why or why not, and the money of a county for a season.

The amounts are those of the 2025 plan (`gridcheck.policy`): so much per kWh of heating up to a cap per household and
season, the same within households times the capped energy for central stations, and once an extra for hardship
households. Two kinds of households are left out: homes that were put on district heating later, and those whose head
gets a public-service heating allowance. Where nobody has asked, nothing is decided.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, and_, delete, insert, or_, select, update

from gridcheck.csv_tables import MARKS
from gridcheck.errors import InputError, LedgerError
from gridcheck.ledger.canonical import canonical_json, sha256_of
from gridcheck.ledger.life import State
from gridcheck.ledger.records import Entry, KeptApplication
from gridcheck.ledger.tables import application, entitlement, heating_energy
from gridcheck.policy import Plan2025, plan_2025

FIRST_SEASON = 2025
"""The season of the plan, named by the year in which it begins."""

# A home that heats with resistance all winter stays far below; more is a reading of something else. [kWh per home]
_MOST_KWH_PER_HOME = 100_000.0
_LAST_SEASON = 2100


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """What an application is entitled to, with the reasons as codes.

    Attributes
    ----------
    application_id : str
        The application.
    has_tariff : bool or None
        Coal-to-electricity tariff; None where it cannot be told yet.
    has_subsidy : bool or None
        Running subsidy; None where it cannot be told yet.
    reasons : tuple of str
        accepted, not_accepted, withdrawn, county_not_in_plan, district_heating, district_heating_not_known,
        public_heating_allowance, public_heating_allowance_not_known, central_station, hardship_once.
    yuan_per_kwh : float
        Rate. [yuan/kWh]
    cap_yuan : float
        Most that a season can bring, all homes together; 0 without subsidy. [yuan]
    hardship_yuan : float
        Extra, once. [yuan]
    """

    application_id: str
    has_tariff: bool | None
    has_subsidy: bool | None
    reasons: tuple[str, ...]
    yuan_per_kwh: float
    cap_yuan: float
    hardship_yuan: float


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


def entitled(
    kept: KeptApplication,
    *,
    on_district_heating: bool | None,
    gets_public_allowance: bool | None,
    plan: Plan2025 | None = None,
) -> Entitlement:
    """Tell what an application is entitled to, and why.

    Parameters
    ----------
    kept : KeptApplication
        The application as it stands.
    on_district_heating, gets_public_allowance : bool or None
        The two exclusions; None where nobody has asked.
    plan : Plan2025, optional
        Terms; those of the 2025 plan by default.

    Returns
    -------
    Entitlement
        Nothing is told of subsidy where an exclusion is not known.
    """
    terms = plan or plan_2025()
    reasons = []
    accepted = kept.state in (State.ACCEPTED, State.ENTITLED)
    in_plan = kept.asked.county_code in set(terms.counties["county_code"])
    reasons.append("accepted" if accepted else "withdrawn" if kept.state == State.WITHDRAWN else "not_accepted")
    if not in_plan:
        reasons.append("county_not_in_plan")
    has_tariff: bool | None = accepted and in_plan
    has_subsidy = has_tariff
    for fact, code in (
        (on_district_heating, "district_heating"),
        (gets_public_allowance, "public_heating_allowance"),
    ):
        if fact:
            reasons.append(code)
            has_subsidy = False
        elif fact is None:
            reasons.append(f"{code}_not_known")
            has_subsidy = None if has_subsidy else has_subsidy
    if kept.asked.homes > 1:
        reasons.append("central_station")
    hardship = kept.asked.household_group == "hardship" and has_subsidy is True
    if hardship:
        reasons.append("hardship_once")
    return Entitlement(
        application_id=kept.asked.application_id,
        has_tariff=has_tariff,
        has_subsidy=has_subsidy,
        reasons=tuple(reasons),
        yuan_per_kwh=terms.subsidy_yuan_per_kwh,
        cap_yuan=kept.asked.homes * terms.subsidy_cap_yuan if has_subsidy else 0.0,
        hardship_yuan=terms.hardship_yuan if hardship else 0.0,
    )


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


def keep_entitlement(connection: Connection, told: Entitlement, *, season: int, at: datetime) -> dict[str, object]:
    """Record an entitlement; return what the journal says of it.

    Raises
    ------
    LedgerError
        If it cannot be told yet.
    """
    if told.has_tariff is None or told.has_subsidy is None:
        asked = [reason for reason in told.reasons if reason.endswith("_not_known")]
        raise LedgerError(
            f"What application {told.application_id} is entitled to cannot be told: {', '.join(asked)}. Ask the "
            "household, and say yes or no."
        )
    row = {
        "application_id": told.application_id,
        "first_season": season,
        "has_tariff": told.has_tariff,
        "has_subsidy": told.has_subsidy,
        "reasons_json": canonical_json(told.reasons),
        "at": at,
    }
    connection.execute(insert(entitlement).values(**row))
    return {
        "has_tariff": told.has_tariff,
        "has_subsidy": told.has_subsidy,
        "reasons": told.reasons,
        "first_season": season,
        "cap_yuan": told.cap_yuan,
        "hardship_yuan": told.hardship_yuan,
    }


def end_subsidy(connection: Connection, application_id: str, *, last_season: int) -> dict[str, object]:
    """End the running subsidy of an application, such as of a home that was put on district heating later.

    Raises
    ------
    LedgerError
        If it has none, or none that long.
    """
    require_season(last_season)
    here = and_(entitlement.c.application_id == application_id, entitlement.c.has_subsidy.is_(True))
    row = connection.execute(select(entitlement).where(here)).mappings().one_or_none()
    first = None if row is None else int(row["first_season"])
    if first is None or last_season < first - 1:
        since = "gets no running subsidy" if first is None else f"gets it from season {first} on"
        raise LedgerError(f"Application {application_id} {since}; its last season cannot be {last_season}.")
    connection.execute(update(entitlement).where(here).values(last_season=last_season))
    return {"last_season": last_season}


def kept_entitlement(connection: Connection, kept: KeptApplication, plan: Plan2025 | None = None) -> Entitlement | None:
    """Return the entitlement that was recorded; None where there is none yet."""
    name = kept.asked.application_id
    row = connection.execute(select(entitlement).where(entitlement.c.application_id == name)).mappings().one_or_none()
    if row is None:
        return None
    terms, reasons = plan or plan_2025(), tuple(json.loads(row["reasons_json"]))
    return Entitlement(
        application_id=name,
        has_tariff=row["has_tariff"],
        has_subsidy=row["has_subsidy"],
        reasons=reasons,
        yuan_per_kwh=terms.subsidy_yuan_per_kwh,
        cap_yuan=kept.asked.homes * terms.subsidy_cap_yuan if row["has_subsidy"] else 0.0,
        hardship_yuan=terms.hardship_yuan if "hardship_once" in reasons else 0.0,
    )


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
    rows = _with_subsidy(connection, county_code, require_season(season))
    running = [
        season_subsidy_yuan(row["heating_kwh"], homes=row["homes"], plan=terms)
        for row in rows
        if row["heating_kwh"] is not None
    ]
    first = [
        row for row in rows if row["first_season"] == season and "hardship_once" in json.loads(row["reasons_json"])
    ]
    others = [row["homes"] * terms.subsidy_cap_yuan for row in rows if row["heating_kwh"] is None]
    return SeasonSum(
        county_code=county_code,
        season=season,
        applications=len(rows),
        metered=len(running),
        running_yuan=math.fsum(running),
        hardship_yuan=len(first) * terms.hardship_yuan,
        not_metered_cap_yuan=math.fsum(others),
    )


def _with_subsidy(connection: Connection, county_code: str, season: int) -> list[RowMapping]:
    of_season = and_(heating_energy.c.application_id == entitlement.c.application_id, heating_energy.c.season == season)
    wanted = (
        select(
            application.c.homes, entitlement.c.first_season, entitlement.c.reasons_json, heating_energy.c.heating_kwh
        )
        .join(entitlement, entitlement.c.application_id == application.c.id)
        .outerjoin(heating_energy, of_season)
        .where(
            application.c.county_code == county_code,
            entitlement.c.has_subsidy.is_(True),
            entitlement.c.first_season <= season,
            or_(entitlement.c.last_season.is_(None), entitlement.c.last_season >= season),
        )
        .order_by(application.c.id)
    )
    return list(connection.execute(wanted).mappings())


def energy_entry(told: Mapping[str, object], *, who: str, reason: str) -> Entry:
    """Return the line of the journal for the heating energy of a season."""
    return Entry(action="record_energy", object=f"season {told['season']}", who=who, reason=reason, after=told)
