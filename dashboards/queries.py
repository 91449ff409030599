"""Sorting, filtering and paging of a view on the server.

What the browser asks for is not trusted: a column must be one of the view's, a comparison one of those
listed here, and a page no longer than `MAX_ROWS`. Anything else is left out of account.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from gridcheck.reports.labels import is_missing, rounded
from gridcheck.reports.views import View, ViewColumn

MAX_ROWS = 500
_MAX_CONDITIONS = 10
_MAX_DIGITS = 9

Cells = pd.Series
Mask = pd.Series

_TEXT_TESTS: Mapping[str, Callable[[Cells, str], Mask]] = {
    "contains": lambda cells, word: cells.str.contains(word, case=False, regex=False),
    "notContains": lambda cells, word: ~cells.str.contains(word, case=False, regex=False),
    "equals": lambda cells, word: cells.str.lower() == word.lower(),
    "notEqual": lambda cells, word: cells.str.lower() != word.lower(),
    "startsWith": lambda cells, word: cells.str.lower().str.startswith(word.lower()),
    "endsWith": lambda cells, word: cells.str.lower().str.endswith(word.lower()),
    "blank": lambda cells, _word: cells == "",
    "notBlank": lambda cells, _word: cells != "",
}
_NUMBER_TESTS: Mapping[str, Callable[[Cells, float], Mask]] = {
    "equals": lambda cells, bound: cells == bound,
    "notEqual": lambda cells, bound: cells != bound,
    "lessThan": lambda cells, bound: cells < bound,
    "lessThanOrEqual": lambda cells, bound: cells <= bound,
    "greaterThan": lambda cells, bound: cells > bound,
    "greaterThanOrEqual": lambda cells, bound: cells >= bound,
    "blank": lambda cells, _bound: cells.isna(),
    "notBlank": lambda cells, _bound: cells.notna(),
}


def filtered(view: View, filters: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows of `view` that pass the filters of a grid.

    Parameters
    ----------
    filters : mapping
        The grid's filter model: column to condition, or to two conditions joined by AND or OR.
    """
    table = view.table
    known = {column.name: column for column in view.columns}
    keep = np.ones(len(table), dtype=bool)
    for name, condition in filters.items():
        if name in known and isinstance(condition, Mapping):
            keep &= _condition(table[name], known[name], condition)
    return table[keep]


def _condition(cells: Cells, column: ViewColumn, condition: Mapping[str, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    parts = condition.get("conditions")
    if isinstance(parts, list) and parts:
        # A grid joins a few plain conditions; what is joined inside them is left out of account.
        plain = [part for part in parts[:_MAX_CONDITIONS] if isinstance(part, Mapping) and not part.get("conditions")]
        masks = [_condition(cells, column, part) for part in plain]
        combine = np.logical_or if condition.get("operator") == "OR" else np.logical_and
        return np.asarray(combine.reduce(masks), dtype=bool) if masks else np.ones(len(cells), dtype=bool)
    if column.shown in ("integer", "real"):
        return _number_condition(cells, condition)
    test = _TEXT_TESTS.get(str(condition.get("type", "contains")))
    word = str(condition.get("filter") or "")
    if test is None:
        return np.ones(len(cells), dtype=bool)
    return np.asarray(test(cells.astype(object).where(cells.notna(), "").astype(str), word), dtype=bool)


def _number_condition(cells: Cells, condition: Mapping[str, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    numbers = cells.astype("float64")
    kind = str(condition.get("type", "equals"))
    bound = _number(condition.get("filter"))
    if kind == "inRange":
        upper = _number(condition.get("filterTo"))
        return np.asarray((numbers >= bound) & (numbers <= upper), dtype=bool)
    test = _NUMBER_TESTS.get(kind)
    if test is None or (math.isnan(bound) and "lank" not in kind):
        return np.ones(len(cells), dtype=bool)
    return np.asarray(test(numbers, bound), dtype=bool)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def ordered(view: View, rows: pd.DataFrame, sorting: list[Mapping[str, Any]]) -> pd.DataFrame:
    """Return `rows` in the order a grid asks for; empty cells last, equal rows in the order of the file."""
    known = {column.name for column in view.columns}
    asked = [item for item in sorting if isinstance(item, Mapping)] if isinstance(sorting, list) else []
    wanted = [item for item in asked if isinstance(item.get("colId"), str) and item["colId"] in known]
    if not wanted:
        return rows
    return rows.sort_values(
        [str(item["colId"]) for item in wanted],
        ascending=[item.get("sort") != "desc" for item in wanted],
        kind="stable",
        na_position="last",
    )


def page(view: View, request: Mapping[str, Any], id_column: str) -> dict[str, Any]:
    """Answer one request of a grid for rows.

    Parameters
    ----------
    view : View
        The table that the grid shows.
    request : mapping
        ``startRow``, ``endRow``, ``sortModel``, ``filterModel`` as the grid sends them.
    id_column : str
        Column whose cells identify a row; the row number stands in where ids repeat.

    Returns
    -------
    dict
        ``rowData`` with plain texts and numbers (None where there is no value), and ``rowCount``.
    """
    filters = request.get("filterModel")
    rows = filtered(view, filters if isinstance(filters, Mapping) else {})
    rows = ordered(view, rows, request.get("sortModel") or [])
    start = min(max(_row_number(request.get("startRow"), 0), 0), len(rows))
    stop = min(_row_number(request.get("endRow"), MAX_ROWS), start + MAX_ROWS)
    return {"rowData": records(view, rows.iloc[start:stop], id_column), "rowCount": len(rows)}


def _row_number(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value else otherwise


def records(view: View, rows: pd.DataFrame, id_column: str) -> list[dict[str, Any]]:
    """Return rows as JSON values: the columns that are shown, and the row's identity as ``row_id``."""
    shown = {column.name: [_plain(cell, column) for cell in rows[column.name]] for column in view.columns}
    shown["row_id"] = [f"{rows[id_column].iloc[i]}#{index}" for i, index in enumerate(rows.index)]
    names = list(shown)
    return [dict(zip(names, cells, strict=True)) for cells in zip(*shown.values(), strict=True)]


def _plain(cell: Any, column: ViewColumn) -> Any:
    if is_missing(cell):
        return None
    if column.shown == "integer":
        return int(cell)
    if column.shown == "real":
        # JSON has no infinite number; such a cell is shown without a value.
        return rounded(float(cell), column.decimals) if math.isfinite(cell) else None
    return str(cell)


def row_index(row_id: str) -> int:
    """Return the position in the view's table of a row that `records` gave out; -1 where it is no such id."""
    tail = row_id.rpartition("#")[2]
    return int(tail) if tail.isascii() and tail.isdecimal() and len(tail) <= _MAX_DIGITS else -1
