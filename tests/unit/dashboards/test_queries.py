"""Server-side filters, sorting and paging, against plain pandas and against what a browser must not get."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from dashboards.queries import MAX_ROWS, filtered, page, row_index
from gridcheck.reports.views import View, ViewColumn


def view() -> View:
    table = pd.DataFrame(
        {
            "name": ["b", "a", None, "C", "a1"],
            "count": pd.array([3, 1, None, 2, 10], dtype="Int64"),
            "p_kw": [1.26, float("nan"), 3.0, -4.0, 1.25],
            "secret_code": ["x", "y", "z", "x", "y"],
        }
    )
    columns = (
        ViewColumn(name="name", heading="Name"),
        ViewColumn(name="count", heading="Count", shown="integer"),
        ViewColumn(name="p_kw", heading="P", shown="real", decimals=1),
    )
    return View(name="small", title="Small", columns=columns, table=table)


def names(request: dict[str, Any]) -> list[Any]:
    return [row["name"] for row in page(view(), request, "name")["rowData"]]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"type": "contains", "filter": "A"}, ["a", "a1"]),
        ({"type": "notContains", "filter": "a"}, ["b", None, "C"]),
        ({"type": "equals", "filter": "c"}, ["C"]),
        ({"type": "notEqual", "filter": "a"}, ["b", None, "C", "a1"]),
        ({"type": "startsWith", "filter": "a"}, ["a", "a1"]),
        ({"type": "endsWith", "filter": "1"}, ["a1"]),
        ({"type": "blank"}, [None]),
        ({"type": "notBlank"}, ["b", "a", "C", "a1"]),
        ({"type": "contains", "filter": ".*"}, []),
        ({"type": "no such test", "filter": "a"}, ["b", "a", None, "C", "a1"]),
    ],
    ids=lambda given: given.get("type") if isinstance(given, dict) else None,
)
def test_text_filters(condition: dict[str, Any], expected: list[Any]) -> None:
    assert names({"filterModel": {"name": condition}}) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"type": "equals", "filter": 2}, ["C"]),
        ({"type": "notEqual", "filter": 2}, ["b", "a", None, "a1"]),
        ({"type": "lessThan", "filter": 2}, ["a"]),
        ({"type": "greaterThanOrEqual", "filter": 3}, ["b", "a1"]),
        ({"type": "inRange", "filter": 2, "filterTo": 3}, ["b", "C"]),
        ({"type": "blank"}, [None]),
        ({"type": "notBlank"}, ["b", "a", "C", "a1"]),
        ({"type": "equals", "filter": "drop table"}, ["b", "a", None, "C", "a1"]),
    ],
    ids=lambda given: given.get("type") if isinstance(given, dict) else None,
)
def test_number_filters(condition: dict[str, Any], expected: list[Any]) -> None:
    assert names({"filterModel": {"count": condition}}) == expected


def test_two_conditions_are_joined() -> None:
    both = {"operator": "OR", "conditions": [{"type": "equals", "filter": "a"}, {"type": "equals", "filter": "b"}]}

    assert names({"filterModel": {"name": both}}) == ["b", "a"]
    assert names({"filterModel": {"name": {**both, "operator": "AND"}}}) == []


def test_filters_of_several_columns_all_hold() -> None:
    request = {"name": {"type": "contains", "filter": "a"}, "count": {"type": "greaterThan", "filter": 5}}

    assert names({"filterModel": request}) == ["a1"]


def test_column_that_is_not_shown_can_neither_filter_nor_sort_nor_be_read() -> None:
    request = {
        "filterModel": {"secret_code": {"type": "equals", "filter": "x"}},
        "sortModel": [{"colId": "secret_code", "sort": "asc"}],
    }

    response = page(view(), request, "name")

    assert response["rowCount"] == 5
    assert [row["name"] for row in response["rowData"]] == ["b", "a", None, "C", "a1"]
    assert set(response["rowData"][0]) == {"name", "count", "p_kw", "row_id"}


@pytest.mark.parametrize(
    ("direction", "expected"), [("asc", ["a", "C", "b", "a1", None]), ("desc", ["a1", "b", "C", "a", None])]
)
def test_sorting_puts_missing_values_last(direction: str, expected: list[Any]) -> None:
    assert names({"sortModel": [{"colId": "count", "sort": direction}]}) == expected


def test_missing_number_is_none_and_real_is_rounded() -> None:
    rows = page(view(), {}, "name")["rowData"]

    assert [row["p_kw"] for row in rows] == [1.3, None, 3.0, -4.0, 1.3]  # a half goes up
    assert [row["count"] for row in rows] == [3, 1, None, 2, 10]


def test_infinite_number_is_not_sent() -> None:
    endless = view()
    endless.table.loc[0, "p_kw"] = float("inf")

    assert page(endless, {}, "name")["rowData"][0]["p_kw"] is None


def test_pages_follow_each_other_and_have_a_greatest_length() -> None:
    assert names({"startRow": 1, "endRow": 3}) == ["a", None]
    assert page(view(), {"startRow": 3, "endRow": 100}, "name")["rowCount"] == 5
    long = View(
        name="long", title="", columns=view().columns[:1], table=pd.DataFrame({"name": ["x"] * (MAX_ROWS + 50)})
    )
    assert len(page(long, {"startRow": 0, "endRow": 10**9}, "name")["rowData"]) == MAX_ROWS
    assert names({"startRow": -5, "endRow": 2}) == ["b", "a"]


def test_row_id_leads_back_to_the_row() -> None:
    rows = page(view(), {"sortModel": [{"colId": "count", "sort": "desc"}]}, "name")["rowData"]

    assert [view().table["name"].iloc[row_index(row["row_id"])] for row in rows[:2]] == ["a1", "b"]


@pytest.mark.parametrize("row_id", ["", "x", "x#", "x#-1", "x#1.5", "#", "x#²"])
def test_row_id_that_is_none_is_refused(row_id: str) -> None:
    assert row_index(row_id) == -1


def test_filter_gives_the_same_rows_as_pandas() -> None:
    kept = filtered(view(), {"p_kw": {"type": "greaterThan", "filter": 1.2}})

    pd.testing.assert_frame_equal(kept, view().table.query("p_kw > 1.2"))
