"""Who is entitled to tariff and running subsidy, and why or why not.

The amounts are those of the 2025 plan (`gridcheck.policy`): so much per kWh of heating up to a cap per household and
season, the same within households times the capped energy for central stations, and once an extra for hardship
households. Two kinds of households are left out: homes that were put on district heating later, and those whose head
gets a public-service heating allowance. Where nobody has asked, nothing is decided. A household is entitled once,
whatever number of heaters it has: its meter counts all of them, and the cap is one for the household.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, insert, select, update

from gridcheck.errors import InputError, LedgerError
from gridcheck.ledger.acceptance import accepted_at
from gridcheck.ledger.canonical import canonical_json
from gridcheck.ledger.life import State
from gridcheck.ledger.records import KeptApplication
from gridcheck.ledger.season import require_season, season_end, season_text
from gridcheck.ledger.tables import entitlement
from gridcheck.policy import Plan2025, plan_2025

TARIFFS = ("no_steps", "peak_valley")
"""Prices among which a home with coal-to-electricity tariff chooses: without steps, or by peak and valley hours."""

_CHINA = ZoneInfo("Asia/Shanghai")
_HOUSEHOLD = re.compile(r"\w[\w.#()（）〔〕-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdFacts:
    """What has to be asked before an entitlement.

    Attributes
    ----------
    household_id : str
        Number of the household's account with the grid company (户号): a household is entitled once.
    on_district_heating, gets_public_allowance : bool or None
        The two exclusions; None where nobody has asked.
    tariff : str
        Which price was chosen, one of `TARIFFS`.
    """

    household_id: str
    on_district_heating: bool | None
    gets_public_allowance: bool | None
    tariff: str = TARIFFS[0]

    def __post_init__(self) -> None:
        findings = []
        if not _HOUSEHOLD.fullmatch(self.household_id):
            findings.append(
                f"household {self.household_id!r}: the number of its account (户号) has 1 to 64 letters, digits and "
                "_ . # - ( )"
            )
        if self.tariff not in TARIFFS:
            findings.append(f"tariff {self.tariff!r}: allowed are {', '.join(TARIFFS)}")
        if findings:
            raise InputError("A household cannot be entitled with this.", findings)


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


def keep_entitlement(
    connection: Connection, told: Entitlement, facts: HouseholdFacts, *, season: int, at: datetime
) -> dict[str, object]:
    """Record an entitlement; return what the journal says of it.

    Raises
    ------
    LedgerError
        If it cannot be told yet, there is nothing to be entitled to, the season was over before the heater was
        accepted, or the household is entitled already.
    """
    name = told.application_id
    if told.has_tariff is None or told.has_subsidy is None:
        asked = [reason for reason in told.reasons if reason.endswith("_not_known")]
        raise LedgerError(
            f"What application {name} is entitled to cannot be told: {', '.join(asked)}. Ask the "
            "household, and say yes or no."
        )
    if not told.has_tariff:
        raise LedgerError(f"Application {name} is entitled to nothing: {', '.join(told.reasons)}.")
    _require_not_over(connection, name, season)
    _require_first(connection, name, facts.household_id, season)
    row = {
        "application_id": name,
        "first_season": season,
        "has_tariff": told.has_tariff,
        "has_subsidy": told.has_subsidy,
        "reasons_json": canonical_json(told.reasons),
        "household_id": facts.household_id,
        "tariff": facts.tariff,
        "at": at,
    }
    connection.execute(insert(entitlement).values(**row))
    return {
        "household_id": facts.household_id,
        "has_tariff": told.has_tariff,
        "tariff": facts.tariff,
        "has_subsidy": told.has_subsidy,
        "reasons": told.reasons,
        "first_season": season,
        "cap_yuan": told.cap_yuan,
        "hardship_yuan": told.hardship_yuan,
    }


def _require_not_over(connection: Connection, application_id: str, season: int) -> None:
    """Refuse a season that was over before the heater was accepted: nothing of it can have run then."""
    at = accepted_at(connection, application_id)
    if at is None:
        return
    accepted_on, first = at.astimezone(_CHINA).date(), season
    while season_end(first) < accepted_on:
        first += 1
    if first != season:
        raise LedgerError(
            f"Application {application_id} was accepted on {accepted_on}, and season {season_text(season)} ended on "
            f"{season_end(season)}: it cannot be entitled for it. The first season is {season_text(first)}."
        )


def _require_first(connection: Connection, application_id: str, household_id: str, season: int) -> None:
    """Refuse a second entitlement of a household while the first one lasts."""
    wanted = (
        select(entitlement.c.application_id, entitlement.c.last_season)
        .where(entitlement.c.household_id == household_id)
        .order_by(entitlement.c.application_id)
    )
    for other, last in connection.execute(wanted):
        if last is None or last >= season:
            until = "" if last is None else f" until season {last}"
            raise LedgerError(
                f"Application {application_id} cannot be entitled: household {household_id} is entitled{until} by "
                f"application {other}. Its meter counts every heater, and the cap is one for the household."
            )


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
