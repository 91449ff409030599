"""The reinforcement plan: ranked projects, what they unlock, and where the budget ends."""

from __future__ import annotations

from dash import Dash, html
from dash.development.base_component import Component

from dashboards.address import Address
from dashboards.components import figure_block, kpi_tiles, section
from dashboards.grid import filter_bar, table_grid
from dashboards.store import ResultsStore
from gridcheck.reports.around_figures import budget_curve, county_shares
from gridcheck.reports.figures import plan_by_measure, plan_curve
from gridcheck.reports.folder import Results
from gridcheck.reports.labels import YUAN_PER_MILLION, money, number, percent, wan
from gridcheck.reports.plan_around import around_of, around_sentences
from gridcheck.reports.summaries import Kpi
from gridcheck.reports.texts import Language, text
from gridcheck.reports.totals import totals

CURVE = "plan-curve"
MEASURES = "plan-measures"
BUDGETS = "budget-curve"
SHARES = "county-shares"


def layout(store: ResultsStore, address: Address) -> list[Component]:
    """Build the page."""
    language = address.language
    results = store.results()
    view = store.view("plan", language)
    if view.table.empty:
        return [kpi_tiles(_tiles(results, language)), html.P(text("page.no_projects", language), className="block")]
    chosen_word = next(iter(view.table.loc[view.table["chosen_code"], "chosen"]), "")
    filters = {"chosen": chosen_word}
    curve, bars = plan_curve(results.plan, results.budget_yuan, language), plan_by_measure(results.plan, language)
    curve.update_layout(height=max(curve.layout.height, bars.layout.height))  # both blocks end on one line
    return [
        kpi_tiles(_tiles(results, language)),
        html.Div(
            [
                section(
                    text("page.plan_curve", language),
                    figure_block(
                        CURVE,
                        curve,
                        text("caption.plan_curve", language),
                        language,
                    ),
                ),
                section(
                    text("page.plan_measures", language),
                    figure_block(
                        MEASURES,
                        bars,
                        text("caption.plan_measures", language),
                        language,
                    ),
                ),
            ],
            className="columns",
        ),
        *_around(results, language),
        section(
            text("page.projects", language),
            html.P(_note(results, language), className="note"),
            filter_bar(view, ("county", "chosen", "reason", "measure"), language, filters),
            table_grid(view, language, filters=filters, height_px=600, pinned="rank", lines=2),
        ),
    ]


def _around(results: Results, language: Language) -> list[Component]:
    """Show what other budgets would bring and how the counties share; nothing where the run does not tell."""
    around = around_of(results)
    if around is None:
        return []
    curve, shares = budget_curve(around, results.budget_yuan, language), county_shares(around, language)
    curve.update_layout(height=max(curve.layout.height, shares.layout.height))
    blocks = ((BUDGETS, curve, "budget_curve"), (SHARES, shares, "county_shares"))
    return [
        html.Div(
            [
                section(
                    text(f"page.{name}", language),
                    figure_block(block, figure, text(f"caption.{name}", language), language),
                )
                for block, figure, name in blocks
            ],
            className="columns",
        ),
        section(
            text("report.around", language),
            *(html.P(words) for words in around_sentences(around, language)),
            html.P(text("around.rules_note", language), className="note"),
        ),
    ]


def _note(results: Results, language: Language) -> str:
    found = totals(results)
    counts = {"candidates": found.projects, "chosen": found.chosen, "unfunded": found.unfunded}
    return text("report.plan_note", language, **{name: number(count) for name, count in counts.items()})


def _tiles(results: Results, language: Language) -> list[Kpi]:
    found = totals(results)
    chosen = results.plan[results.plan["chosen"]]
    spent = percent(100.0 * found.spent_yuan / found.budget_yuan if found.budget_yuan else None)
    unlocking = chosen[chosen["households_unlocked"] > 0]
    per_household = float(unlocking["cost_yuan"].sum()) / found.unlocked if found.unlocked else None
    hours = float(chosen["overload_hours_removed"].sum())
    low_hours = float(chosen["undervoltage_hours_removed"].sum())
    values = {
        "spent": (
            text(
                "kpi_plan.spent_value",
                language,
                cost=wan(found.spent_yuan),
                cost_million=number(found.spent_yuan / YUAN_PER_MILLION, 2),
            ),
            text("kpi_plan.spent_note", language, share=spent, **money(found.budget_yuan)),
        ),
        "chosen": (
            number(found.chosen),
            text("kpi_plan.chosen_note", language, projects=number(found.projects), unfunded=number(found.unfunded)),
        ),
        "unlocked": (number(found.unlocked), text("kpi_plan.unlocked_note", language, cost=number(per_household))),
        "hours": (number(hours), text("kpi_plan.hours_note", language, low=number(low_hours))),
    }
    return [
        Kpi(name=text(f"kpi_plan.{code}", language), value=value, note=note) for code, (value, note) in values.items()
    ]


def register(_app: Dash, _store: ResultsStore) -> None:
    """Register nothing: the grid of this page is fed by `dashboards.grid`."""
