"""First page: the answer in one sentence, six figures, the map and the counties."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboards.address import Address, parse_address
from dashboards.components import choices, figure_block, graph, kpi_tiles, plain_table, section
from dashboards.store import ResultsStore
from gridcheck.reports.figures import county_verdicts
from gridcheck.reports.maps import MAP_MEASURES, county_map
from gridcheck.reports.summaries import answer_sentence, budget_note, county_sentences, kpis
from gridcheck.reports.texts import text
from gridcheck.reports.totals import totals
from gridcheck.reports.views import formatted_rows

MEASURE = "overview-measure"
MAP = "overview-map"
MAP_CAPTION = "overview-map-caption"
VERDICTS = "overview-verdicts"

# As high as the map with its switch, so that both blocks end on one line.
BARS_HEIGHT_PX = 500
_COLUMN_CLASS = {"text": "words", "long": "long", "integer": "number", "real": "number"}


def layout(store: ResultsStore, address: Address) -> list[Component]:
    """Build the page."""
    language = address.language
    results = store.results()
    measures = [(measure.code, text(f"map_short.{measure.code}", language)) for measure in MAP_MEASURES]
    first = MAP_MEASURES[0]
    map_figure = county_map(results, language, first)
    bars = county_verdicts(results.counties, results.decisions, language)
    bars.update_layout(height=BARS_HEIGHT_PX)
    sentences = [html.Li(sentence) for sentence in county_sentences(results, language).values()]
    return [
        html.P(answer_sentence(results, language), className="answer"),
        *([html.P(note, className="block note")] if (note := budget_note(results, language)) else []),
        kpi_tiles(kpis(totals(results), language)),
        html.P(text("report.state_note", language), className="note"),
        html.Div(
            [
                section(
                    text("page.map", language),
                    choices(MEASURE, measures, first.code, text("page.map_shows", language)),
                    html.Figure(
                        [
                            html.Figcaption(text(f"map_caption.{first.code}", language), id=MAP_CAPTION),
                            graph(MAP, map_figure, language, "chart map"),
                        ]
                    ),
                ),
                section(
                    text("page.verdicts_by_county", language),
                    figure_block(VERDICTS, bars, text("caption.verdicts", language), language),
                ),
            ],
            className="columns",
        ),
        section(text("table.counties", language), _county_table(store, address)),
        section(text("report.by_county", language), html.Ul(sentences, className="sentences")),
    ]


def _county_table(store: ResultsStore, address: Address) -> Component:
    view = store.view("counties", address.language)
    rows: list[list[Any]] = []
    for code, cells in zip(view.table["county_code"], formatted_rows(view.columns, view.table), strict=True):
        name = dcc.Link(cells[0], href=address.link("/verdicts", county=str(code))) if code else html.Strong(cells[0])
        rows.append([name, *cells[1:]])
    return plain_table(
        [column.heading for column in view.columns],
        rows,
        [_COLUMN_CLASS[column.shown] for column in view.columns],
        text("caption.county_table", address.language),
    )


def register(app: Dash, store: ResultsStore) -> None:
    """Register the callbacks of the page."""

    @app.callback(
        Output(MAP, "figure"),
        Output(MAP_CAPTION, "children"),
        Input(MEASURE, "value"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def show_measure(code: str, search: str | None) -> Any:
        language = parse_address("/", search, store.settings.language).language
        measure = next((known for known in MAP_MEASURES if known.code == code), MAP_MEASURES[0])
        return county_map(store.results(), language, measure), text(f"map_caption.{measure.code}", language)
