"""Running subsidy of a season: by application and by county, metered and expected energy apart, and what is left.

Energy that nobody has metered is expected, never zero: it stands in columns of its own. Where nothing is expected
either, the home counts with its cap in `at_most_yuan` alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from gridcheck.csv_tables import text_table
from gridcheck.errors import InputError, SchemaError
from gridcheck.ledger import Claim, season_subsidy_yuan, season_text
from gridcheck.policy import Plan2025, plan_2025
from gridcheck.reports.schemas import Column, TableSpec

_TEXTS = ("application_id", "county_code", "season", "device", "reasons", "energy_source", "confidence")
_COUNTS = (
    "applications", "homes", "metered_homes", "expected_homes", "not_known_homes", "hardship_applications",
    "without_district_heating", "without_public_allowance", "ended", "accepted_waiting",
)  # fmt: skip


def _column(name: str) -> Column:
    if name.endswith("_kwh"):
        return Column(name=name, kind="real", unit="kWh", decimals=1, nullable=True)
    if name.endswith("_yuan"):
        return Column(name=name, kind="real", unit="yuan", decimals=2, nullable=True)
    if name == "rated_kw":
        return Column(name=name, kind="real", unit="kW", decimals=2)
    if name in ("has_subsidy", "synthetic"):
        return Column(name=name, kind="boolean")
    is_count = name in _COUNTS
    return Column(name=name, kind="integer" if is_count else "text", nullable=not is_count)


SEASON_APPLICATIONS = TableSpec(
    name="season_applications",
    key=("application_id",),
    columns=tuple(
        _column(name)
        for name in (
            "application_id", "county_code", "season", "device", "rated_kw", "homes", "has_subsidy", "reasons",
            "heating_kwh", "energy_source", "confidence", "running_yuan", "hardship_yuan", "cap_yuan", "synthetic",
        )
    ),
)  # fmt: skip
"""One row per entitled application."""

SEASON_COUNTIES = TableSpec(
    name="season_counties",
    key=("county_code",),
    columns=tuple(
        _column(name)
        for name in (
            "county_code", "season", *_COUNTS, "metered_kwh", "expected_kwh", "metered_yuan", "expected_yuan",
            "running_yuan", "hardship_yuan", "at_most_yuan", "budget_yuan", "budget_source", "left_yuan",
            "left_at_least_yuan", "synthetic",
        )
    ),
)  # fmt: skip
"""One row per county of the plan."""

EXPECTED = "expected"
"""Source of energy that nobody has recorded and the season's simulation expects."""
_BUDGET_COLUMNS = ("county_code", "budget_yuan", "source")
_PLAN_BUDGET = "electric homes of the plan x cap [C]"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonInput:
    """What the money of a season is counted from.

    Attributes
    ----------
    season : int
        Year in which it begins.
    claims : sequence of Claim
        What the ledger has entitled.
    waiting : mapping of str to int
        Accepted applications that are not entitled yet, by county.
    expected_kwh : mapping of str to float
        Heating energy of applications without a record, as simulated (E). [kWh]
    budgets : mapping of str to tuple of float and str
        Money for the running subsidy by county with its source; the plan's homes times the cap where not given. [yuan]
    """

    season: int
    claims: Sequence[Claim]
    waiting: Mapping[str, int] = field(default_factory=dict)
    expected_kwh: Mapping[str, float] = field(default_factory=dict)
    budgets: Mapping[str, tuple[float, str]] = field(default_factory=dict)


def read_budgets(path: Path, county_codes: Sequence[str]) -> dict[str, tuple[float, str]]:
    """Read the money that counties have for the running subsidy of a season. [yuan]

    Parameters
    ----------
    path : Path
        CSV with the columns ``county_code``, ``budget_yuan``, ``source``.
    county_codes : sequence of str
        Counties that exist.

    Raises
    ------
    InputError
        If the file cannot be read.
    SchemaError
        Naming every row at fault.
    """
    try:
        table = text_table(path)
    except SchemaError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a table of budgets: {error}") from error
    missing = [name for name in _BUDGET_COLUMNS if name not in table]
    if missing:
        raise SchemaError(f"{path} lacks columns; budgets have {', '.join(_BUDGET_COLUMNS)}.", missing)
    found: dict[str, tuple[float, str]] = {}
    faults = []
    cells = zip(*(table[name].str.strip() for name in _BUDGET_COLUMNS), strict=True)
    for number, (code, cell, source) in enumerate(cells, start=2):
        yuan = pd.to_numeric(cell, errors="coerce")
        if code not in county_codes or code in found:
            faults.append(f"row {number}: county_code {code!r} is no county of the plan, or stands more than once")
        if not (math.isfinite(yuan) and yuan >= 0.0):
            faults.append(f"row {number}: budget_yuan {cell!r} must be a number from 0")
        if not source:
            faults.append(f"row {number}: source is missing: say where the money stands")
        found[code] = float(yuan), source
    if faults:
        raise SchemaError(f"{path}: {len(faults)} faults in the budgets.", faults)
    return found


def season_applications(given: SeasonInput, plan: Plan2025 | None = None) -> pd.DataFrame:
    """Return the money of every entitled application, columns of `SEASON_APPLICATIONS`.

    ``running_yuan`` is empty where no energy is known or expected; applications with the tariff alone have none.
    """
    terms, rows = plan or plan_2025(), []
    for claim in given.claims:
        kwh, source, mark = claim.heating_kwh, claim.source, claim.confidence
        if kwh is None and claim.application_id in given.expected_kwh:
            kwh, source, mark = given.expected_kwh[claim.application_id], EXPECTED, "E"
        gets = claim.has_subsidy
        known = gets and kwh is not None
        rows.append(
            {
                "application_id": claim.application_id,
                "county_code": claim.county_code,
                "season": season_text(given.season),
                "device": claim.device,
                "rated_kw": claim.rated_kw,
                "homes": claim.homes,
                "has_subsidy": gets,
                "reasons": ";".join(claim.reasons),
                "heating_kwh": kwh,
                "energy_source": source or None,
                "confidence": mark or None,
                "running_yuan": season_subsidy_yuan(kwh or 0.0, homes=claim.homes, plan=terms) if known else None,
                "hardship_yuan": terms.hardship_yuan if claim.gets_hardship else 0.0,
                "cap_yuan": claim.homes * terms.subsidy_cap_yuan if gets else 0.0,
                "synthetic": source == EXPECTED,
            }
        )
    table = pd.DataFrame(rows, columns=list(SEASON_APPLICATIONS.column_names))
    numbers = ["rated_kw", "heating_kwh", "running_yuan", "hardship_yuan", "cap_yuan"]
    return table.astype({**dict.fromkeys(numbers, "float64"), "homes": "int64", "has_subsidy": bool, "synthetic": bool})


def season_counties(applications: pd.DataFrame, given: SeasonInput, plan: Plan2025 | None = None) -> pd.DataFrame:
    """Return the money of every county of the plan and of every other one with an entitlement, by code.

    Parameters
    ----------
    applications : DataFrame
        From `season_applications`.
    given : SeasonInput
        What it was made from.
    plan : Plan2025, optional
        Terms; those of the 2025 plan by default.

    Returns
    -------
    DataFrame
        Columns of `SEASON_COUNTIES`. ``running_yuan`` is what is metered and expected, up to the caps;
        ``at_most_yuan`` the metered and the caps of all others. Hardship is the county's own money and no part of
        ``left_yuan``, budget less running subsidy, and ``left_at_least_yuan``, budget less the most.
    """
    terms = plan or plan_2025()
    homes = dict(zip(terms.counties["county_code"], terms.counties["electric"], strict=True))
    codes = sorted({*homes, *applications["county_code"], *given.waiting})
    rows = []
    for code in codes:
        own = applications[applications["county_code"] == code]
        paid, reasons = own[own["has_subsidy"]], own["reasons"].str.split(";")
        is_known = paid["running_yuan"].notna()
        is_expected = is_known & (paid["energy_source"] == EXPECTED)
        is_metered = is_known & ~is_expected
        budget = given.budgets.get(code, (float(homes.get(code, 0)) * terms.subsidy_cap_yuan, _PLAN_BUDGET))
        metered, expected = (math.fsum(paid.loc[some, "running_yuan"]) for some in (is_metered, is_expected))
        at_most = metered + math.fsum(paid.loc[~is_metered, "cap_yuan"])
        rows.append(
            {
                "county_code": code,
                "season": season_text(given.season),
                "applications": len(paid),
                "homes": int(paid["homes"].sum()),
                "metered_homes": int(paid.loc[is_metered, "homes"].sum()),
                "expected_homes": int(paid.loc[is_expected, "homes"].sum()),
                "not_known_homes": int(paid.loc[~is_known, "homes"].sum()),
                "hardship_applications": int((paid["hardship_yuan"] > 0.0).sum()),
                "without_district_heating": _with_reason(reasons, "district_heating"),
                "without_public_allowance": _with_reason(reasons, "public_heating_allowance"),
                "ended": _with_reason(reasons, "ended"),
                "accepted_waiting": given.waiting.get(code, 0),
                "metered_kwh": math.fsum(paid.loc[is_metered, "heating_kwh"]),
                "expected_kwh": math.fsum(paid.loc[is_expected, "heating_kwh"]),
                "metered_yuan": metered,
                "expected_yuan": expected,
                "running_yuan": metered + expected,
                "hardship_yuan": math.fsum(paid["hardship_yuan"]),
                "at_most_yuan": at_most,
                "budget_yuan": budget[0],
                "budget_source": budget[1],
                "left_yuan": budget[0] - metered - expected,
                "left_at_least_yuan": budget[0] - at_most,
                "synthetic": bool(is_expected.any()),
            }
        )
    return pd.DataFrame(rows, columns=list(SEASON_COUNTIES.column_names))


def _with_reason(reasons: pd.Series, code: str) -> int:
    return int(sum(code in own for own in reasons))
