"""The tables of a run as people read them: words for codes, local times, money in ten thousand yuan.

The workbook and the dashboards show the same view of a table, so a number is worded alike everywhere.
A view keeps numbers as numbers; only its `ViewColumn` says how many decimals are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from gridcheck.reports import labels, view_layouts
from gridcheck.reports.folder import Results
from gridcheck.reports.palette import GRADE_SIGNS, STATE_SIGNS, VERDICT_SIGNS
from gridcheck.reports.texts import Language, column_label, label, text
from gridcheck.reports.totals import area_states, feeder_states, thresholds
from gridcheck.reports.view_layouts import CAPS, Layout, Shown
from gridcheck.units import YUAN_PER_WAN


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewColumn:
    """How one column of a view is shown.

    Attributes
    ----------
    name : str
        Column of the view's table.
    heading : str
        Heading in the language of the view, unit included.
    shown : {"text", "integer", "real", "long"}
        ``long`` is running text that may wrap.
    decimals : int
        Decimals of a real number.
    cap : float or None
        Value above which only "more than this" is shown.
    """

    name: str
    heading: str
    shown: Shown = "text"
    decimals: int = 0
    cap: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """A table for people.

    Attributes
    ----------
    name : str
        Name of the results file that it shows.
    title : str
        Title in the language of the view.
    columns : tuple of ViewColumn
        In the order in which they are shown.
    table : DataFrame
        One row per row of the file; holds the columns above and, for filters, the codes behind them in
        columns ending with ``_code``.
    """

    name: str
    title: str
    columns: tuple[ViewColumn, ...]
    table: pd.DataFrame


def _words(cells: pd.Series, section: str, language: Language) -> pd.Series:
    return cells.map(lambda code: label(section, code, language))


def _signed(cells: pd.Series, section: str, signs: Mapping[str, str], language: Language) -> pd.Series:
    return cells.map(lambda code: f"{signs.get(str(code).lower(), '○')} {label(section, code, language)}")


def _yes_no(cells: pd.Series, language: Language) -> pd.Series:
    return cells.map({True: text("word.yes", language), False: text("word.no", language)})


def _rows(table: pd.DataFrame, make: Callable[[labels.Row], str]) -> pd.Series:
    return pd.Series([make(row) for row in table.to_dict("records")], index=table.index, dtype=object)


def _times(cells: pd.Series) -> pd.Series:
    return cells.map(lambda moment: "" if labels.is_missing(moment) else labels.local_time(moment))


def _counties(table: pd.DataFrame, language: Language) -> pd.Series:
    return table["county_code"].map(lambda code: labels.county_name(code, language))


def _with_unit(heading: str, unit: str, language: Language) -> str:
    if not unit:
        return heading
    shown = text(f"unit.{unit}", language) if unit in ("wan", "household") else unit
    return text("sentence.heading_with_unit", language, heading=heading, unit=shown)


def shown_columns(view: View) -> tuple[ViewColumn, ...]:
    """Return the columns of a view that hold anything at all: what a run does not compute needs no room on a screen."""
    return tuple(column for column in view.columns if view.table[column.name].map(_holds_something).any())


def _holds_something(cell: object) -> bool:
    return not labels.is_missing(cell) and cell != ""


def _view(name: str, layout: Layout, table: pd.DataFrame, language: Language) -> View:
    columns = tuple(
        ViewColumn(
            name=column,
            heading=_with_unit(column_label(name, column, language), unit, language),
            shown=shown,
            decimals=decimals,
            cap=CAPS.get(column),
        )
        for column, shown, decimals, unit in layout
        if column in table.columns
    )
    return View(name=name, title=text(f"table.{name}", language), columns=columns, table=table)


def decisions_view(results: Results, language: Language) -> View:
    """Show every application with its verdict and the reason in words."""
    return verdicts_view(results.decisions, language)


def verdicts_view(given: pd.DataFrame, language: Language) -> View:
    """Show the rows of a table with the columns of ``decisions.csv``."""
    table = given.assign(
        county=_counties(given, language),
        verdict_code=given["verdict"],
        device_code=given["device"],
        level_code=given["binding_level"],
        quantity_code=given["binding_quantity"],
        verdict=_signed(given["verdict"], "verdict", VERDICT_SIGNS, language),
        device=_words(given["device"], "device", language),
        phase=_words(given["phase"], "phase", language),
        reason=_rows(given, lambda row: labels.reason_text(row, language)),
        conditions=_rows(given, lambda row: labels.conditions_text(row["conditions"], language, row["verdict"])),
        limit_clause=given["limit_clause"].map(lambda clause: labels.clause_text(clause, language)),
        blocked_by=_words(given["blocked_by"], "blocked_by", language),
        binding_level=_words(given["binding_level"], "level", language),
        binding_quantity=_words(given["binding_quantity"], "quantity", language),
        binding_time=_times(given["binding_time"]),
        probability_percent=100.0 * given["probability"],
    )
    return _view("decisions", view_layouts.DECISIONS, table, language)


def plan_view(results: Results, language: Language) -> View:
    """Show every candidate project in the order of its rank."""
    given = results.plan.sort_values(["rank", "project_id"], kind="stable").reset_index(drop=True)
    yes, no = text("word.chosen", language), text("word.not_chosen", language)
    table = given.assign(
        county=_counties(given, language),
        chosen_code=given["chosen"],
        measure_code=given["measure"],
        chosen=given["chosen"].map({True: f"● {yes}", False: f"○ {no}"}),
        measure=given["measure"].map(lambda code: labels.measure_name(code, language)),
        description=given["description"].map(lambda words: labels.work_text(words, language)),
        cost_wan=given["cost_yuan"] / YUAN_PER_WAN,
        cumulative_cost_wan=given["cumulative_cost_yuan"] / YUAN_PER_WAN,
        reason=_words(given["reason"], "plan_reason", language),
    )
    if "outcome" in given:
        table["outcome"] = _words(given["outcome"], "plan_outcome", language)
    if "chosen_robust" in given:
        table["chosen_robust"] = _yes_no(given["chosen_robust"], language)
    return _view("plan", view_layouts.PLAN, table, language)


def n_minus_1_view(results: Results, language: Language) -> View:
    """Show every outage that was studied."""
    given = results.n_minus_1
    table = given.assign(
        county=_counties(given, language),
        status_code=given["status"],
        kind_code=given["outage_kind"],
        outage_kind=_words(given["outage_kind"], "outage_kind", language),
        status=given["status"].map(lambda status: labels.n_minus_1_text(status, language)),
        transfer_percent=100.0 * given["transfer_ratio"],
    )
    if "security_met" in given:
        table["security_met"] = _yes_no(given["security_met"], language)
    return _view("n_minus_1", view_layouts.N_MINUS_1, table, language)


def areas_view(results: Results, language: Language) -> View:
    """Show every area with its state in the cold wave."""
    given = results.areas
    state = area_states(given, results.violations, thresholds(results.summary))
    table = given.assign(
        county=_counties(given, language),
        village=given["village_code"].map(labels.village_name),
        state_code=state,
        grade_code=given["grade"],
        state=_signed(state, "state", STATE_SIGNS, language),
        grade=_signed(given["grade"], "grade", GRADE_SIGNS, language),
    )
    return _view("areas", view_layouts.AREAS, table, language)


def feeders_view(results: Results, language: Language) -> View:
    """Show every 10 kV feeder with its state and its N-1 answer."""
    given = results.feeders
    state = feeder_states(given, thresholds(results.summary))
    table = given.assign(
        county=_counties(given, language),
        state_code=state,
        status_code=given["n_minus_1"],
        state=_signed(state, "state", STATE_SIGNS, language),
        n_minus_1=given["n_minus_1"].map(lambda status: labels.n_minus_1_text(status, language)),
        transfer_percent=100.0 * given["transfer_ratio"],
        grade=_signed(given["grade"], "feeder_grade", GRADE_SIGNS, language),
    )
    if "n_minus_1_reason" in given:
        table["n_minus_1_reason"] = _words(given["n_minus_1_reason"], "n_minus_1_reason", language)
        table["n_minus_1_measure_wan"] = given["n_minus_1_measure_yuan"] / YUAN_PER_WAN
    return _view("feeders", view_layouts.FEEDERS, table, language)


_COUNTY_SUMS = (
    "target_self_retrofit",
    "applications",
    "approved",
    "conditional",
    "deferred",
    "gap_to_target",
    "budget_yuan",
    "households_unlocked",
    "subsidy_yuan",
)


def counties_view(results: Results, language: Language) -> View:
    """Show the counties with targets, verdicts and money, and their sum in the last row (empty county code)."""
    own = results.counties[["county_code", *_COUNTY_SUMS]]
    whole = pd.DataFrame({"county_code": [""], **{name: [own[name].sum()] for name in _COUNTY_SUMS}})
    given = pd.concat([own, whole.astype(own.dtypes)], ignore_index=True)
    connectable = (given["approved"] + given["conditional"]).astype("float64")
    applications = given["applications"].astype("float64")
    names = _counties(given, language)
    table = given.assign(
        county=names.where(given["county_code"] != "", text("word.city", language)),
        connectable_percent=100.0 * connectable / applications.where(applications > 0),
        budget_wan=given["budget_yuan"] / YUAN_PER_WAN,
        subsidy_wan=given["subsidy_yuan"] / YUAN_PER_WAN,
    )
    return _view("counties", view_layouts.COUNTIES, table, language)


def violations_view(results: Results, language: Language) -> View:
    """Show every limit that is not met with all approved applications connected."""
    given = results.violations
    table = given.assign(
        county=_counties(given, language),
        kind_code=given["element_kind"],
        quantity_code=given["quantity"],
        element_kind=_words(given["element_kind"], "level", language),
        quantity=_words(given["quantity"], "quantity", language),
        time=_times(given["time"]),
        clause=given["clause"].map(lambda clause: labels.clause_text(clause, language)),
        unit=_words(given["unit"], "unit_word", language),
    )
    if "newly" in given:
        table["newly"] = _yes_no(given["newly"], language)
    return _view("violations", view_layouts.VIOLATIONS, table, language)


VIEWS: Mapping[str, Callable[[Results, Language], View]] = {
    "counties": counties_view,
    "decisions": decisions_view,
    "plan": plan_view,
    "n_minus_1": n_minus_1_view,
    "feeders": feeders_view,
    "areas": areas_view,
    "violations": violations_view,
}


def formatted_rows(columns: Sequence[ViewColumn], rows: pd.DataFrame) -> list[list[str]]:
    """Return rows of a view as texts, a dash for what is not known."""
    shown = [[_cell(value, column) for value in rows[column.name]] for column in columns]
    return [list(row) for row in zip(*shown, strict=True)]


def _cell(value: object, column: ViewColumn) -> str:
    if column.shown in ("integer", "real"):
        return labels.number_to(value, column.decimals, column.cap)
    return labels.MISSING if labels.is_missing(value) or value == "" else str(value)
