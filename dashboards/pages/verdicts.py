"""Every application with its verdict; the card of the one that is selected; what stands in the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboards.address import Address, parse_address
from dashboards.components import aria, facts, figure_block, section
from dashboards.grid import filter_bar, grid_id, table_grid
from dashboards.queries import row_index
from dashboards.store import ResultsStore
from gridcheck.reports import labels
from gridcheck.reports.figures import waiting_reasons
from gridcheck.reports.palette import VERDICT_SIGNS
from gridcheck.reports.texts import Language, is_known, label, text

CARD = "verdict-card"
REASONS = "verdict-reasons"
# A deferral in English needs a line more than in Chinese for place, blocker and what would fit.
_REASON_LINES: Mapping[Language, int] = {"zh": 3, "en": 4}
FILTERS = ("county", "verdict", "device", "binding_level")


def layout(store: ResultsStore, address: Address) -> list[Component]:
    """Build the page."""
    language = address.language
    view = store.view("decisions", language)
    county = labels.county_name(address.selection.get("county", ""), language)
    chosen = {"county": county} if county in set(view.table["county"]) else {}
    results = store.results()
    reasons = waiting_reasons(results.decisions, language)
    return [
        filter_bar(view, FILTERS, language, chosen),
        html.Div(
            [
                html.Div(
                    table_grid(
                        view,
                        language,
                        filters=chosen,
                        height_px=600,
                        pinned="application_id",
                        lines=_REASON_LINES[language],
                    ),
                    className="wide",
                ),
                html.Aside(card(None, language), id=CARD, className="narrow", **aria(live="polite")),
            ],
            className="wide-and-narrow",
        ),
        section(
            text("report.reasons", language),
            figure_block(REASONS, reasons, text("caption.reasons", language), language),
            html.P(text("report.reasons_note", language), className="note"),
        ),
    ]


def card(
    decision: Mapping[Any, Any] | None,
    language: Language,
    address: Address | None = None,
    why: Component | None = None,
) -> Component:
    """Return the card of one application: one colour, one sentence, the binding constraint, the margin.

    Parameters
    ----------
    decision : mapping or None
        One row of ``decisions.csv``; None while nothing is selected.
    why : Component, optional
        What stands below the sentence instead of binding constraint, probability and conditions.
    """
    if decision is None:
        return html.Div(html.P(text("card.none", language), className="note"), className="card card-empty")
    verdict = str(decision["verdict"])
    known = is_known("verdict", verdict)
    sign = VERDICT_SIGNS.get(verdict, "○")
    rows = _card_rows(decision, language, left_out=() if why is None else ("binding", "probability", "conditions"))
    link = []
    if address is not None:
        link = [
            dcc.Link(
                text("card.open_area", language),
                href=address.link("/area", area=str(decision["area_id"])),
                className="button",
            )
        ]
    return html.Div(
        [
            html.Div(
                [
                    html.Span(sign, className="card-sign"),
                    html.Div(
                        [
                            html.Strong(label("verdict", verdict, language)),
                            html.Span(label("verdict_colour", verdict, language), className="card-colour"),
                        ]
                    ),
                ],
                className=f"card-head verdict-{verdict if known else 'unknown'}",
            ),
            html.H2(str(decision["application_id"])),
            html.P(label("verdict_sentence", _sentence_code(decision), language), className="card-sentence"),
            *(() if why is None else (why,)),
            facts(rows),
            html.Div(link),
        ],
        className="card",
    )


def _sentence_code(decision: Mapping[Any, Any]) -> str:
    """Return the code of the sentence: an approval that only carries a remark on its heater has nothing to keep."""
    verdict = str(decision["verdict"])
    only_remark = verdict == "approve_with_conditions" and decision["conditions"] == labels.DISCOURAGED
    return "discouraged_only" if only_remark else verdict


def _card_rows(
    decision: Mapping[Any, Any], language: Language, left_out: tuple[str, ...] = ()
) -> list[tuple[str, Any]]:
    verdict, quantity = str(decision["verdict"]), decision["binding_quantity"]
    rows: list[tuple[str, Any]] = [
        ("binding", labels.binding_text(decision, language) or text("sentence.no_binding", language)),
        ("clause", labels.clause_text(decision["limit_clause"], language)),
        ("margin", _with_unit(decision["margin_kw"], 1, "kW")),
    ]
    before = decision.get("value_before")
    if not labels.is_missing(before):
        values = {
            "before": labels.quantity_value(quantity, before, decision["binding_limit"]),
            "after": labels.quantity_value(quantity, decision["binding_value"], decision["binding_limit"]),
        }
        rows.append(("before", text("card.before_value", language, **values)))
    if not labels.is_missing(decision["probability"]):
        rows.append(("probability", labels.percent(100.0 * float(decision["probability"]), 0)))
    device = {
        "device": label("device", decision["device"], language),
        "kw": labels.number(decision["rated_kw"], 2),
        "phase": label("phase", decision["phase"], language),
    }
    place = {
        "county": labels.county_name(decision["county_code"], language),
        "village": labels.village_name(decision.get("village_code")),
        "area": decision["area_id"],
        "feeder": decision["feeder_id"],
    }
    rows += [
        ("conditions", labels.conditions_text(decision["conditions"], language, verdict)),
        ("blocked_by", label("blocked_by", decision["blocked_by"], language)),
        ("device", text("card.device_value", language, **device)),
        ("place", text("card.place_value", language, **place)),
        ("queue", labels.number(decision["queue_position"])),
    ]
    return [(text(f"card.{code}", language), value) for code, value in rows if value and code not in left_out]


def _with_unit(value: Any, decimals: int, unit: str) -> str:
    return labels.MISSING if labels.is_missing(value) else f"{labels.number(value, decimals)}{labels.NO_BREAK}{unit}"


def register(app: Dash, store: ResultsStore) -> None:
    """Register the callbacks of the page."""

    @app.callback(
        Output(CARD, "children"),
        Input(grid_id("decisions"), "selectedRows"),
        State("url", "pathname"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def show_card(selected: list[dict[str, Any]] | None, path: str | None, search: str | None) -> Component:
        address = parse_address(path, search, store.settings.language)
        decisions = store.results().decisions
        index = row_index(str(selected[0].get("row_id", ""))) if selected else -1
        if not 0 <= index < len(decisions):
            return card(None, address.language)
        return card(decisions.iloc[index].to_dict(), address.language, address)
