"""One area: its load curve against rating and heavy-load line, its facts, its applications."""

from __future__ import annotations

from typing import Any

import pandas as pd
from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from dashboards.address import Address, parse_address
from dashboards.components import choices, dropdown, facts, figure_block, plain_table, section
from dashboards.readings import measured_load
from dashboards.store import ResultsStore
from gridcheck.errors import LedgerError
from gridcheck.reports import labels
from gridcheck.reports.area_figures import curve_days, curve_table, loading_curve
from gridcheck.reports.curves import AreaCurve
from gridcheck.reports.summaries import area_notes
from gridcheck.reports.texts import Language, text
from gridcheck.reports.totals import thresholds
from gridcheck.reports.views import View, formatted_rows

COUNTY = "area-county"
AREA = "area-area"
DAY = "area-day"
BODY = "area-body"
CURVE = "area-curve"
MEASURED = "area-measured"
ALL_DAYS = "all"

_FACTS = (
    "state",
    "grade",
    "sustained_loading_percent",
    "peak_loading_percent",
    "peak_kw",
    "kva",
    "min_voltage_v",
    "hot_spot_c",
    "c1_kw",
    "c2_kw",
    "more_heat_pumps",
    "households",
    "electric_households",
    "neutral_percent",
    "unbalance_percent",
    "feeder_id",
)
_APPLICATION_COLUMNS = ("queue_position", "application_id", "device", "rated_kw", "verdict", "reason", "margin_kw")
_MAX_APPLICATIONS = 200
# Two values of a curve that are nearer than its rounding are the same. [%]
_CURVE_STEP = 0.0501


def layout(store: ResultsStore, address: Address) -> list[Component]:
    """Build the page."""
    language = address.language
    areas = store.view("areas", language).table
    counties = list(dict.fromkeys(areas["county_code"]))
    asked = address.selection.get("area", "")
    known = areas.loc[areas["area_id"] == asked, "county_code"]
    county = str(known.iloc[0]) if len(known) else str(counties[0]) if counties else ""
    options = area_options(store, county, language)
    area = asked if len(known) else options[0][0] if options else None
    names = [(str(code), labels.county_name(code, language)) for code in counties]
    curve = store.curve(area) if area else None
    days = curve_days(curve) if curve else ()
    return [
        html.Div(
            [
                dropdown(COUNTY, names, county, text("word.county", language), language, clearable=False),
                dropdown(AREA, options, area, text("page.choose_area", language), language, clearable=False),
                choices(DAY, day_options(days, language), ALL_DAYS, text("page.choose_day", language)),
            ],
            className="filters filters-area",
        ),
        html.Div(area_body(store, area, ALL_DAYS, language), id=BODY),
    ]


def day_options(days: tuple[str, ...], language: Language) -> list[tuple[str, str]]:
    """Return the choice of days: all, then each date as month-day."""
    return [(ALL_DAYS, text("page.all_days", language)), *((day, day[5:]) for day in days)]


def area_options(store: ResultsStore, county_code: str, language: Language) -> list[tuple[str, str]]:
    """Return the areas of a county as choices, the most heavily loaded first, those without a result last."""
    areas = store.view("areas", language).table
    own = areas[areas["county_code"] == county_code].sort_values(
        ["peak_loading_percent", "area_id"], ascending=[False, True], kind="stable", na_position="last"
    )
    rows = zip(own["area_id"], own["village"], own["state"], own["peak_loading_percent"], strict=True)
    return [
        (
            str(area),
            " · ".join(part for part in (str(area), str(village), f"{state} {labels.percent(loading)}") if part),
        )
        for area, village, state, loading in rows
    ]


def area_body(store: ResultsStore, area: str | None, day: str, language: Language) -> list[Component]:
    """Return everything about one area."""
    view = store.view("areas", language)
    rows = view.table[view.table["area_id"] == area]
    if area is None or rows.empty:
        return [html.P(text("page.no_area", language), className="note")]
    curve = store.curve(area)
    wanted = None if day == ALL_DAYS else day
    return [
        html.Div(
            [
                section(
                    text("page.curve_of", language, area=area),
                    _curve_block(store, curve, wanted, language, float(rows["peak_loading_percent"].iloc[0])),
                    class_name="wide",
                ),
                section(
                    text("page.facts", language),
                    facts(_fact_rows(view, rows)),
                    *(html.P(words, className="note") for words in area_notes(language)),
                    class_name="narrow",
                ),
            ],
            className="wide-and-narrow",
        ),
        *_measured(store, area, float(rows["kva"].iloc[0]), language),
        section(text("page.applications_of", language), _applications(store, area, language)),
        *([section(text("page.points", language), _points(curve, wanted, language))] if curve else []),
    ]


def _curve_block(
    store: ResultsStore, curve: AreaCurve | None, day: str | None, language: Language, peak_percent: float
) -> Component:
    if curve is None:
        return html.P(text("page.no_curve", language), className="note")
    table = curve_table(curve, day)
    figure = loading_curve(table, thresholds(store.results().summary), language)
    caption = _peak_caption(table, language, peak_percent)
    return html.Div(
        [
            figure_block(CURVE, figure, caption, language),
            html.P(text("sentence.interval_note", language), className="note"),
        ]
    )


def _peak_caption(table: pd.DataFrame, language: Language, whole_peak_percent: float = float("nan")) -> str:
    """Name the highest point; curves are kept to a tenth, so the peak of all days is taken from the table of areas."""
    known = table.dropna(subset=["loading_percent"])
    if known.empty:
        return text("caption.area_unsolved", language)
    peak = known.iloc[int(known["loading_percent"].to_numpy().argmax())]
    return text(
        "caption.area_curve",
        language,
        loading=labels.percent(
            whole_peak_percent
            if abs(peak["loading_percent"] - whole_peak_percent) <= _CURVE_STEP
            else peak["loading_percent"]
        ),
        p_kw=labels.number(peak["p_kw"], 1),
        time=peak["time"].strftime("%m-%d %H:%M"),
    )


def _measured(store: ResultsStore, area: str, kva: float, language: Language) -> list[Component]:
    folder = store.settings.readings
    if folder is None:
        return []
    title = text("page.measured", language)
    try:
        found = measured_load(folder, area, kva)
    except LedgerError as error:
        return [section(title, html.P(str(error), className="note"))]
    if found is None:
        return [section(title, html.P(text("page.no_measured", language), className="note"))]
    figure = loading_curve(found.table, thresholds(store.results().summary), language, height_px=320)
    note = text("page.measured_synthetic" if found.synthetic else "page.measured_note", language)
    caption = _peak_caption(found.table, language)
    return [section(title, figure_block(MEASURED, figure, caption, language), html.P(note, className="note"))]


def _fact_rows(view: View, rows: pd.DataFrame) -> list[tuple[str, Any]]:
    by_name = {column.name: column for column in view.columns}
    columns = [by_name[name] for name in ("county", "village", *_FACTS)]
    return [
        (column.heading, value) for column, value in zip(columns, formatted_rows(columns, rows.head(1))[0], strict=True)
    ]


def _applications(store: ResultsStore, area: str, language: Language) -> Component:
    view = store.view("decisions", language)
    own = view.table[view.table["area_id"] == area].head(_MAX_APPLICATIONS)
    if own.empty:
        return html.P(text("page.no_applications", language), className="note")
    by_name = {column.name: column for column in view.columns}
    columns = [by_name[name] for name in _APPLICATION_COLUMNS]
    return plain_table(
        [column.heading for column in columns],
        formatted_rows(columns, own),
        [
            "number" if column.shown in ("integer", "real") else "long" if column.shown == "long" else "words"
            for column in columns
        ],
        text("caption.area_applications", language, count=labels.number(len(own))),
    )


def _points(curve: AreaCurve, day: str | None, language: Language) -> Component:
    table = curve_table(curve, day)
    rows = [
        [f"{when:%m-%d %H:%M}", labels.number(p_kw, 1), labels.number(loading, 1)]
        for when, p_kw, loading in zip(table["time"], table["p_kw"], table["loading_percent"], strict=True)
    ]
    headings = [text(f"page.{key}", language) for key in ("h_time", "h_load", "h_loading")]
    whole = plain_table(headings, rows, ["words", "number", "number"], text("caption.points", language))
    return html.Details([html.Summary(text("page.show_points", language)), whole])


def register(app: Dash, store: ResultsStore) -> None:
    """Register the callbacks of the page."""

    @app.callback(
        Output(AREA, "options"),
        Output(AREA, "value"),
        Input(COUNTY, "value"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def choose_county(county: str, search: str | None) -> Any:
        options = area_options(store, county, parse_address("/", search, store.settings.language).language)
        shown = [{"value": key, "label": label} for key, label in options]
        return shown, options[0][0] if options else no_update

    @app.callback(
        Output(BODY, "children"),
        Input(AREA, "value"),
        Input(DAY, "value"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def show_area(area: str | None, day: str, search: str | None) -> list[Component]:
        return area_body(store, area, day, parse_address("/", search, store.settings.language).language)
