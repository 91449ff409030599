"""Large tables: AG Grid that fetches pages of rows, with filters above it that speak the table's words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import dash_ag_grid as dag
from dash import ALL, MATCH, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from dashboards import queries
from dashboards.address import parse_address
from dashboards.components import aria, dropdown
from dashboards.store import ResultsStore
from gridcheck.errors import LedgerError
from gridcheck.reports import palette
from gridcheck.reports.texts import Language, text
from gridcheck.reports.views import View, ViewColumn, shown_columns

_CACHE_ROWS = 100
_CACHE_BLOCKS = 5
_LOCALE_FILE = Path(__file__).parent / "assets" / "ag-grid-locale-zh-cn.json"
_THEME = (
    "themeQuartz.withParams({accentColor: '#24587e', fontFamily: 'inherit', fontSize: 13, headerFontWeight: 600, "
    "spacing: 6, rowHeight: 34, headerHeight: 42, headerBackgroundColor: '#e9edf0', borderColor: '#cbd2d9', "
    "oddRowBackgroundColor: '#f8f9fa', wrapperBorderRadius: 3, cellTextColor: '#1f2933'})"
)

# Column by which a row of each table is known.
ID_COLUMNS: Mapping[str, str] = {
    "decisions": "application_id",
    "desk": "application_id",
    "plan": "project_id",
    "n_minus_1": "outage_id",
    "areas": "area_id",
    "feeders": "feeder_id",
    "violations": "element_id",
}
# Widths by kind of column; a text column is as wide as its words need, within bounds. [px]
_NUMBER_WIDTH, _LONG_WIDTH = 104, 370
# Height of a row of several lines. [px]
_ROW_PADDING, _LINE_HEIGHT = 10, 17
_MIN_TEXT_WIDTH, _MAX_TEXT_WIDTH = 96, 230
_WIDE_CHARACTER, _NARROW_CHARACTER, _PADDING, _HEADER_PADDING = 14, 7.6, 34, 52
_CJK_FROM = "\u2e80"


# From all is well to not known.
_SIGN_ORDER = "●▲▽◆◇○"


def grid_id(table: str) -> dict[str, str]:
    """Return the id of the grid of a table."""
    return {"type": "grid", "table": table}


def filter_id(table: str, column: str) -> dict[str, str]:
    """Return the id of one filter above the grid of a table."""
    return {"type": "filter", "table": table, "column": column}


@cache
def _locale_zh() -> dict[str, str]:
    texts: dict[str, str] = json.loads(_LOCALE_FILE.read_text(encoding="utf-8"))
    return texts


def _formatter(column: ViewColumn) -> dict[str, str]:
    # A cell without a value must not be shown as zero.
    shown = f"d3.format(',.{column.decimals}f')(params.value)"
    if column.cap is not None:
        shown = f"params.value > {column.cap:g} ? '>{column.cap:g}' : {shown}"
    return {"function": f"params.value == null ? '—' : {shown}"}


def _width(view: View, column: ViewColumn) -> int:
    if column.shown == "long":
        return _LONG_WIDTH
    if column.shown in ("integer", "real"):
        # A heading may take two lines.
        return round(max(_NUMBER_WIDTH, 0.55 * _text_width(column.heading) + _HEADER_PADDING))
    longest = max((_text_width(str(cell)) for cell in view.table[column.name].dropna().unique()), default=0.0)
    needed = max(longest + _PADDING, _text_width(column.heading) + _HEADER_PADDING)
    return round(min(max(needed, _MIN_TEXT_WIDTH), _MAX_TEXT_WIDTH))


def _text_width(words: str) -> float:
    return sum(_WIDE_CHARACTER if char >= _CJK_FROM else _NARROW_CHARACTER for char in words)


def _column_def(view: View, column: ViewColumn, pinned: str, *, wrapped: bool) -> dict[str, Any]:
    numeric = column.shown in ("integer", "real")
    definition: dict[str, Any] = {
        "field": column.name,
        "headerName": column.heading,
        "filter": "agNumberColumnFilter" if numeric else "agTextColumnFilter",
        "width": _width(view, column),
        "tooltipField": column.name if column.shown == "long" else None,
        "pinned": "left" if column.name == pinned else None,
    }
    if numeric:
        definition |= {"type": "rightAligned", "valueFormatter": _formatter(column)}
    elif wrapped and column.name != pinned:
        definition |= {"wrapText": True}
    if column.shown == "long":
        definition["minWidth"] = 220
    if column.name in ("verdict", "state", "grade", "status", "n_minus_1", "chosen"):
        definition["cellStyle"] = {
            "styleConditions": [
                {
                    "condition": f"params.value && params.value[0] == '{sign}'",
                    "style": {"borderLeft": f"4px solid {colour}"},
                }
                for sign, colour in palette.SIGN_COLOURS.items()
            ]
        }
    return {key: value for key, value in definition.items() if value is not None}


def table_grid(
    view: View,
    language: Language,
    *,
    filters: Mapping[str, str] | None = None,
    height_px: int = 560,
    pinned: str = "",
    lines: int = 1,
) -> Component:
    """Return the grid of a view; its rows come by `register`.

    Parameters
    ----------
    filters : mapping of str to str
        Words that the rows must have at the start, by column.
    height_px : int
        Height of the grid. [px]
    pinned : str
        Column that stays in sight when the others are scrolled.
    lines : int
        Lines of text that a row has room for.
    """
    options: dict[str, Any] = {
        "theme": {"function": _THEME},
        "cacheBlockSize": _CACHE_ROWS,
        "maxBlocksInCache": _CACHE_BLOCKS,
        "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
        "tooltipShowDelay": 300,
        "enableCellTextSelection": True,
    }
    if lines > 1:
        options["rowHeight"] = _ROW_PADDING + _LINE_HEIGHT * lines
    if language == "zh":
        options["localeText"] = _locale_zh()
    grid: Component = dag.AgGrid(
        id=grid_id(view.name),
        rowModelType="infinite",
        columnDefs=[_column_def(view, column, pinned, wrapped=lines > 1) for column in shown_columns(view)],
        defaultColDef={"sortable": True, "resizable": True, "suppressHeaderMenuButton": False, "wrapHeaderText": True},
        getRowId="params.data.row_id",
        filterModel=filter_model(filters or {}),
        dashGridOptions=options,
        style={"height": f"{height_px}px", "width": "100%"},
        className="grid",
    )
    return grid


def filter_model(words: Mapping[str, str]) -> dict[str, Any]:
    """Return the grid's filter model that asks for these words."""
    return {column: {"filterType": "text", "type": "equals", "filter": word} for column, word in words.items() if word}


def filter_bar(
    view: View, columns: Sequence[str], language: Language, chosen: Mapping[str, str] | None = None
) -> Component:
    """Return a choice for each of `columns`, offering the words that occur in the view."""
    headings = {column.name: column.heading for column in view.columns}
    selected = chosen or {}
    boxes = []
    for name in columns:
        words = [word for word in dict.fromkeys(view.table[name]) if word]
        ordered = words if name == "county" else sorted(words, key=_mildest_first)
        boxes.append(
            dropdown(
                filter_id(view.name, name),
                [(word, word) for word in ordered],
                selected.get(name),
                headings[name],
                language,
            )
        )
    count = html.P(id={"type": "count", "table": view.name}, className="count", role="status", **aria(live="polite"))
    return html.Div([*boxes, count], className="filters")


def _mildest_first(word: str) -> tuple[int, str]:
    """Sort words that begin with a sign by what the sign says, and then by the alphabet."""
    return (_SIGN_ORDER.find(word[0]), word)


def register(app: Dash, store: ResultsStore) -> None:
    """Register the callbacks that feed every grid."""

    @app.callback(
        Output({"type": "grid", "table": MATCH}, "getRowsResponse"),
        Output({"type": "count", "table": MATCH}, "children"),
        Input({"type": "grid", "table": MATCH}, "getRowsRequest"),
        State({"type": "grid", "table": MATCH}, "id"),
        State("url", "search"),
    )
    def send_rows(request: dict[str, Any] | None, identity: dict[str, str], search: str | None) -> Any:
        if request is None:
            return no_update, no_update
        language = parse_address("", search, store.settings.language).language
        return answer(store, identity["table"], request, language)

    @app.callback(
        Output({"type": "grid", "table": MATCH}, "filterModel"),
        Input({"type": "filter", "table": MATCH, "column": ALL}, "value"),
        State({"type": "grid", "table": MATCH}, "filterModel"),
        prevent_initial_call=True,
    )
    def choose(_values: list[str | None], current: dict[str, Any] | None) -> dict[str, Any]:
        words = {item["id"]["column"]: item.get("value") for item in ctx.inputs_list[0]}
        kept = {column: condition for column, condition in (current or {}).items() if column not in words}
        return kept | filter_model({column: word or "" for column, word in words.items()})


def answer(
    store: ResultsStore, table: str, request: Mapping[str, Any], language: Language
) -> tuple[dict[str, Any], str]:
    """Return the rows that a grid asks for and the sentence that counts them."""
    try:
        view = store.view(table, language)
    except LedgerError:
        return {"rowData": [], "rowCount": 0}, text("page.results_gone", language)
    response = queries.page(view, request, ID_COLUMNS.get(table, view.columns[0].name))
    return response, text("page.count", language, shown=f"{response['rowCount']:,}", whole=f"{len(view.table):,}")
