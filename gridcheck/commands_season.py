"""What the commands for entitlements and the money of a season do: open the ledger, call one function, print."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gridcheck import terminal
from gridcheck.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from gridcheck.reports.texts import Language

_HEADINGS = (
    "县 county", "户数 homes", "已登记 recorded", "预计 expected", "不明 not known", "补贴 subsidy [元 yuan]",
    "困难户 hardship [元 yuan]", "最高 at most [元 yuan]", "预算 budget [元 yuan]", "结余 left [元 yuan]",
)  # fmt: skip
_SHOWN = (
    "homes", "metered_homes", "expected_homes", "not_known_homes", "running_yuan", "hardship_yuan", "at_most_yuan",
    "budget_yuan", "left_yuan",
)  # fmt: skip


def entitle(
    database: str,
    application_id: str,
    season: str,
    asked: tuple[str, str, bool | None, bool | None],
    by: tuple[str, str],
) -> None:
    """Entitle an accepted application from a season on.

    Parameters
    ----------
    database, application_id : str
        The ledger and the application.
    season : str
        First season, such as ``2025-26``.
    asked : tuple
        Account of the household, its tariff, whether it is on district heating, whether its head gets a public-service
        heating allowance; the last two None where nobody has asked.
    by : tuple of str
        Who decides it, and why.

    Raises
    ------
    InputError, IllegalStepError, LedgerError
        If it cannot be entitled.
    """
    from gridcheck.ledger import HouseholdFacts, open_ledger, season_of

    household_id, tariff, on_district_heating, gets_allowance = asked
    facts = HouseholdFacts(
        household_id=household_id,
        tariff=tariff,
        on_district_heating=on_district_heating,
        gets_public_allowance=gets_allowance,
    )
    with open_ledger(database) as ledger:
        ledger.entitle(application_id, facts, season=season_of(season), who=by[0], reason=by[1])


def end_subsidy(database: str, application_id: str, last_season: str, by: tuple[str, str]) -> None:
    """End the running subsidy of an application after a season."""
    from gridcheck.ledger import open_ledger, season_of

    with open_ledger(database) as ledger:
        ledger.end_subsidy(application_id, last_season=season_of(last_season), who=by[0], reason=by[1])


def record_readings(database: str, season: str, file: Path, by: tuple[str, str]) -> None:
    """Record the metered heating energy of a file in the ledger: all of it, or nothing."""
    from gridcheck.ledger import open_ledger, read_readings, season_of

    kwh = read_readings(file)
    with open_ledger(database) as ledger:
        ledger.record_energy(season_of(season), kwh, source="meter", confidence="S", who=by[0], reason=by[1])


def season_money(
    database: str,
    season: str,
    files: Mapping[str, Path | None],
    *,
    county_codes: Sequence[str] = (),
    seed: int,
    out: Path | None,
    language: Language,
) -> pd.DataFrame:
    """Add up a season and write its folder where one is named; return the table of counties.

    Parameters
    ----------
    database : str
        The ledger.
    season : str
        Such as ``2025-26``.
    files : mapping of str to Path or None
        ``budgets``, and what else the folder names as a source.
    county_codes : sequence of str
        Counties that are wanted, all where empty; a folder holds all of them.
    seed : int
        Seed of the energy that is expected of homes without a record.
    out : Path or None
        Folder to write.
    language : {"zh", "en"}
        Language of the workbook.
    """
    from gridcheck.geography import counties
    from gridcheck.ledger import open_ledger, season_of
    from gridcheck.reports.season import SeasonInput, read_budgets, season_applications, season_counties
    from gridcheck.reports.season_files import write_season
    from gridcheck.season_energy import METHOD, expected_kwh

    named = {name: path for name, path in files.items() if path is not None}
    number = season_of(season)
    codes = counties()["county_code"].astype(str).tolist()
    budgets = read_budgets(named["budgets"], codes) if "budgets" in named else {}
    with open_ledger(database) as ledger:
        claims, waiting, head = ledger.season_claims(number)
    wanted = [claim for claim in claims if out is not None or not county_codes or claim.county_code in county_codes]
    expected = expected_kwh(wanted, seed=seed)
    given = SeasonInput(season=number, claims=claims, waiting=waiting, expected_kwh=expected, budgets=budgets)
    if out is None:
        return season_counties(season_applications(given), given)
    notes = {name: f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for name, path in named.items()}
    if expected:
        notes["expected"] = f"{METHOD}, seed {seed}"
    return write_season(given, out, journal_head=str(head), notes=notes, language=language)[0]


def show_season(table: pd.DataFrame, county_codes: Sequence[str], out: Path | None, *, as_json: bool) -> None:
    """Print the money of a season by county.

    Raises
    ------
    InputError
        If a county is named that the plan does not have.
    """
    from gridcheck.reports.labels import county_name

    unknown = [code for code in county_codes if code not in set(table["county_code"])]
    if unknown:
        raise InputError(f"--county: unknown county {', '.join(unknown)}. Allowed: {', '.join(table['county_code'])}.")
    shown = table[table["county_code"].isin(county_codes)] if county_codes else table
    if as_json:
        terminal.print_json({"counties": shown.to_dict("records"), "out": None if out is None else str(out)})
        return
    rows: list[list[object]] = [
        [county_name(row["county_code"], "zh"), *(_to_the_fen(row[name]) for name in _SHOWN)]
        for row in shown.to_dict("records")
    ]
    total = ["合计 total", *(_to_the_fen(shown[name].sum()) for name in _SHOWN)]
    terminal.print_table(f"运行补贴 running subsidy {table['season'].iloc[0]}", _HEADINGS, [*rows, total])
    if shown["synthetic"].any():
        terminal.console().print(
            "预计电量为估算（E），不得作为结算依据。 Expected energy is an estimate (E), no basis for payment.",
            highlight=False, markup=False,
        )  # fmt: skip
    if out is not None:
        terminal.console().print(f"完成 done: {out}/ (season.xlsx)", highlight=False, markup=False)


def _to_the_fen(value: float) -> str:
    """Return a number of homes, kWh or yuan in full: a sum of money is never shortened."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
