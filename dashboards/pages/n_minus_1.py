"""What happens when one element is lost: outages by result, and the 10 kV feeders."""

from __future__ import annotations

from dash import Dash, html
from dash.development.base_component import Component

from dashboards.address import Address
from dashboards.components import figure_block, kpi_tiles, section
from dashboards.grid import filter_bar, table_grid
from dashboards.store import ResultsStore
from gridcheck.reports.figures import n_minus_1_by_county
from gridcheck.reports.folder import Results
from gridcheck.reports.labels import number, percent
from gridcheck.reports.summaries import Kpi
from gridcheck.reports.texts import Language, text
from gridcheck.reports.totals import SECURE_CODES, most_untransferred, taking_supply, totals

CHART = "n-minus-1-chart"


def layout(store: ResultsStore, address: Address) -> list[Component]:
    """Build the page."""
    language = address.language
    results = store.results()
    outages, feeders = store.view("n_minus_1", language), store.view("feeders", language)
    chart = n_minus_1_by_county(results.n_minus_1, language)
    return [
        kpi_tiles(_tiles(results, language)),
        section(
            text("page.n_minus_1_by_county", language),
            figure_block(CHART, chart, text("caption.n_minus_1", language), language),
            html.P(text("report.n_minus_1_note", language), className="note"),
        ),
        section(
            text("page.outages", language),
            filter_bar(outages, ("county", "status", "outage_kind"), language),
            table_grid(outages, language, height_px=480, pinned="outage_id"),
        ),
        section(
            text("table.feeders", language),
            filter_bar(feeders, ("county", "state", "n_minus_1"), language),
            table_grid(feeders, language, height_px=480, pinned="feeder_id"),
        ),
    ]


def _tiles(results: Results, language: Language) -> list[Kpi]:
    found = totals(results)
    outages = taking_supply(results.n_minus_1)
    status = outages["status"].str.lower()
    worst = outages["unsupplied_households"].max()
    is_secure = status.isin(SECURE_CODES)
    unsolved = int((status == "not_converged").sum())
    share = percent(100.0 * found.secure / found.outages if found.outages else None)
    values = {
        "studied": (number(found.outages), ""),
        "secure": (
            share,
            text(
                "kpi_n1.secure_note",
                language,
                secure=number(found.secure),
                outages=number(found.outages),
                faulted=number(int((is_secure & (outages["unsupplied_households"] > 0)).sum())),
            ),
        ),
        "worst": (number(worst), text("kpi_n1.worst_note", language, healthy=number(most_untransferred(outages)))),
        "unsolved": (number(unsolved), text("kpi_n1.unsolved_note", language)),
    }
    return [
        Kpi(name=text(f"kpi_n1.{code}", language), value=value, note=note) for code, (value, note) in values.items()
    ]


def register(_app: Dash, _store: ResultsStore) -> None:
    """Register nothing: the grids of this page are fed by `dashboards.grid`."""
