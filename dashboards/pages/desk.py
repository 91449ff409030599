"""Answers of the connection desk this week: how many of each, and for each one the reason and its probability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component

from dashboards.address import Address, parse_address
from dashboards.components import aria, kpi_tiles
from dashboards.grid import filter_bar, grid_id, table_grid
from dashboards.pages import verdicts
from dashboards.queries import row_index
from dashboards.store import ResultsStore
from gridcheck.errors import LedgerError
from gridcheck.reports import labels
from gridcheck.reports.desk_answers import DESK_VIEW, DeskAnswers
from gridcheck.reports.palette import VERDICT_SIGNS
from gridcheck.reports.summaries import Kpi
from gridcheck.reports.texts import Language, label, text

CARD = "desk-card"
FILTERS = ("county", "verdict", "device", "binding_level")
_VERDICTS = ("approve", "approve_with_conditions", "defer", "insufficient_data")
_REASON_LINES: Mapping[Language, int] = {"zh": 3, "en": 4}
# The bar ends above what it shows, and never so near that the accepted risk stands at its edge.
_ROOM, _RISKS_SHOWN = 1.15, 3.0


def layout(store: ResultsStore, address: Address) -> list[Component]:
    """Build the page."""
    language = address.language
    answers, view = store.answers(), store.view(DESK_VIEW, language)
    return [
        *_source(answers, store, language),
        kpi_tiles(tiles(answers, language)),
        filter_bar(view, FILTERS, language),
        html.Div(
            [
                html.Div(
                    table_grid(view, language, height_px=600, pinned="application_id", lines=_REASON_LINES[language]),
                    className="wide",
                ),
                html.Aside(card(None, language), id=CARD, className="narrow", **aria(live="polite")),
            ],
            className="wide-and-narrow",
        ),
    ]


def _source(answers: DeskAnswers, store: ResultsStore, language: Language) -> list[Component]:
    """Say where the answers come from, and that they are synthetic where they are."""
    said: list[Component] = []
    if answers.folder:
        count, drawn = len(answers.table), int(answers.table["draws"].notna().sum())
        words = {"folder": answers.folder, "count": labels.number(count), "drawn": labels.number(drawn)}
        said.append(html.P(text("desk.from_folder", language, **words), className="note"))
    else:
        folder = store.settings.decisions.name if store.settings.decisions is not None else "decisions"
        command = text("desk.command", language, folder=folder)
        said.append(html.P([text("desk.from_results", language), html.Code(command)], className="note"))
    if answers.synthetic and not _says_synthetic(store):
        said.append(html.P(text("desk.synthetic", language), className="note synthetic"))
    return said


def _says_synthetic(store: ResultsStore) -> bool:
    """Tell whether the banner above every page says it already."""
    try:
        return store.results().synthetic
    except LedgerError:
        return False


def tiles(answers: DeskAnswers, language: Language) -> list[Kpi]:
    """Return the numbers that come first: households by answer, and in areas that were beyond a limit before."""
    table, whole = answers.table, len(answers.table)
    counts = table["verdict"].value_counts()
    # A verdict that this version does not know is counted under its own name.
    unknown = [str(code) for code in counts.index if code not in _VERDICTS]
    found = [
        Kpi(
            name=f"{VERDICT_SIGNS.get(code, '○')} {label('verdict', code, language)}",
            value=labels.number(int(counts.get(code, 0))),
            note=text("desk.share", language, share=labels.percent(100.0 * counts.get(code, 0) / max(whole, 1), 0)),
        )
        for code in (*_VERDICTS, *sorted(unknown))
    ]
    if answers.folder:
        before = int((table["broken_before"] != "").sum())
        note = text("desk.broken_before_note", language)
        found.append(Kpi(name=text("desk.broken_before", language), value=labels.number(before), note=note))
    return found


def card(answer: Mapping[Any, Any] | None, language: Language, address: Address | None = None) -> Component:
    """Return the card of one answer: the verdict, the reason in words, the probability, and what was broken before.

    Parameters
    ----------
    answer : mapping or None
        One row of `DeskAnswers.table`; None while nothing is selected.
    """
    if answer is None:
        return html.Div(html.P(text("desk.choose", language), className="note"), className="card card-empty")
    conditions = labels.conditions_text(answer["conditions"], language, str(answer["verdict"]))
    before = text("sentence.joiner", language).join(
        label("quantity", code, language) for code in str(answer["broken_before"]).split(";") if code
    )
    blocks: list[tuple[str, list[Component]]] = [
        ("reason", [html.P(labels.reason_text(answer, language))]),
        ("probability", probability_bar(answer, language)),
        ("conditions", [html.P(conditions or text("desk.no_conditions", language))]),
        ("before", [html.P(before or text("desk.nothing_before", language))]),
    ]
    why = html.Section(
        [html.Div([html.H3(text(f"desk.{code}", language)), *parts]) for code, parts in blocks], className="desk-why"
    )
    return verdicts.card(answer, language, address, why)


def probability_bar(answer: Mapping[Any, Any], language: Language) -> list[Component]:
    """Return the probability of a broken limit with its interval, drawn against the accepted one."""
    kept, low, high = (answer[name] for name in ("probability", "probability_low", "probability_high"))
    if any(labels.is_missing(value) for value in (kept, low, high)):
        return [html.P(text("desk.not_drawn", language), className="note")]
    broken, least, most = 1.0 - float(kept), 1.0 - float(high), 1.0 - float(low)
    risk = None if labels.is_missing(answer["accepted_risk"]) else float(answer["accepted_risk"])
    end = min(1.0, max(_ROOM * most, _RISKS_SHOWN * (risk or 0.0), 0.01))
    shown = {name: labels.percent(100.0 * value) for name, value in (("share", broken), ("low", least), ("high", most))}
    marks = [
        html.Span(className="bar-interval", style={"left": _at(least, end), "width": _at(most - least, end)}),
        html.Span(className="bar-estimate", style={"left": _at(broken, end)}),
    ]
    spoken = text("desk.bar_without_risk", language, **shown)
    legend = [html.Span(labels.percent(0.0, 0)), html.Span(labels.percent(100.0 * end, 0))]
    if risk is not None:
        accepted = labels.percent(100.0 * risk, 1 if risk < 0.01 else 0)
        marks.append(html.Span(className="bar-accepted", style={"left": _at(risk, end)}))
        spoken = text("desk.bar", language, **shown, risk=accepted)
        legend.insert(1, html.Span(text("desk.accepted", language, risk=accepted), className="bar-accepted-word"))
    is_beyond = risk is not None and broken > risk
    return [
        html.P(text("desk.probability_value", language, **shown, draws=labels.number(answer["draws"]))),
        html.Div(marks, className=f"bar{' bar-beyond' if is_beyond else ''}", role="img", **aria(label=spoken)),
        html.Div(legend, className="bar-legend"),
    ]


def _at(value: float, end: float) -> str:
    return f"{100.0 * value / end:.2f}%"


def register(app: Dash, store: ResultsStore) -> None:
    """Register the callbacks of the page."""

    @app.callback(
        Output(CARD, "children"),
        Input(grid_id(DESK_VIEW), "selectedRows"),
        State("url", "pathname"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def show_card(selected: list[dict[str, Any]] | None, path: str | None, search: str | None) -> Component:
        address = parse_address(path, search, store.settings.language)
        return card(chosen_answer(store, selected), address.language, address)


def chosen_answer(store: ResultsStore, selected: list[dict[str, Any]] | None) -> Mapping[Any, Any] | None:
    """Return the row of the answers that a grid says is selected; None where there is none or it is gone."""
    try:
        table: pd.DataFrame = store.answers().table
    except LedgerError:
        return None
    index = row_index(str(selected[0].get("row_id", ""))) if selected else -1
    return table.iloc[index].to_dict() if 0 <= index < len(table) else None
