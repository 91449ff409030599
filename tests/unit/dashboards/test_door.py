"""What no page of ours sends is refused without a trace in the log, and results that vanish are told in words."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dash import Dash

from dashboards import Settings, create_app
from dashboards.door import KINDS
from tests.support.results import write_sample_results

GRID = {"table": "decisions", "type": "grid"}
SEARCH = {"id": "url", "property": "search", "value": "?lang=en"}
PATH = {"id": "url", "property": "pathname", "value": "/"}
ROWS = '..{"table":["MATCH"],"type":"grid"}.getRowsResponse...{"table":["MATCH"],"type":"count"}.children..'
FILTER = '{"table":["MATCH"],"type":"grid"}.filterModel'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_sample_results(tmp_path / "out")


@pytest.fixture
def app(folder: Path) -> Dash:
    return create_app(Settings(results=folder))


@pytest.fixture(autouse=True)
def no_trace(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that a stranger sends may fill the log."""
    yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def outputs_of(output: str) -> Any:
    names = output[2:-2].split("...") if output.startswith("..") else [output]
    parts = [name.rpartition(".") for name in names]
    given = [
        {"id": GRID | {"type": json.loads(one)["type"]} if one.startswith("{") else one, "property": prop}
        for one, _, prop in parts
    ]
    return given if output.startswith("..") else given[0]


def post(app: Dash, output: str, inputs: list[Any], state: list[Any] | None = None) -> Any:
    body = {"output": output, "outputs": outputs_of(output), "inputs": inputs, "changedPropIds": []}
    body |= {} if state is None else {"state": state}
    return app.server.test_client().post("/_dash-update-component", data=json.dumps(body).encode(), **JSON)


JSON = {"content_type": "application/json"}


def rows(request: Any, identity: Any = GRID) -> tuple[str, list[Any], list[Any]]:
    grid = {"id": GRID, "property": "getRowsRequest", "value": request}
    return ROWS, [grid], [{"id": GRID, "property": "id", "value": identity}, SEARCH]


def card(selected: Any, path: Any = "/verdicts") -> tuple[str, list[Any], list[Any]]:
    grid = {"id": GRID, "property": "selectedRows", "value": selected}
    return "verdict-card.children", [grid], [PATH | {"value": path}, SEARCH]


def area(value: Any, day: Any = "all") -> tuple[str, list[Any], list[Any]]:
    chosen = [{"id": f"area-{name}", "property": "value", "value": v} for name, v in (("area", value), ("day", day))]
    return "area-body.children", chosen, [SEARCH]


def county(value: Any) -> tuple[str, list[Any], list[Any]]:
    chosen = {"id": "area-county", "property": "value", "value": value}
    return "..area-area.options...area-area.value..", [chosen], [SEARCH]


def measure(value: Any) -> tuple[str, list[Any], list[Any]]:
    return (
        "..overview-map.figure...overview-map-caption.children..",
        [{"id": "overview-measure", "property": "value", "value": value}],
        [SEARCH],
    )


def shown(path: Any, search: Any = "") -> tuple[str, list[Any], list[Any]]:
    return "..shell.children...version.data..", [PATH | {"value": path}, SEARCH | {"value": search}], []


def chosen(words: list[Any], current: Any = None) -> tuple[str, list[Any], list[Any]]:
    return FILTER, [words], [{"id": GRID, "property": "filterModel", "value": current}]


def box(column: str, value: Any) -> dict[str, Any]:
    return {"id": {"type": "filter", "table": "decisions", "column": column}, "property": "value", "value": value}


def nested(depth: int) -> dict[str, Any]:
    condition: dict[str, Any] = {"type": "contains", "filter": "x"}
    for _ in range(depth):
        condition = {"operator": "AND", "conditions": [condition]}
    return {"application_id": condition}


def test_every_property_that_a_callback_reads_has_a_kind(app: Dash) -> None:
    app.server.test_client().get("/")

    read = {one["property"] for entry in app.callback_map.values() for one in entry["inputs"] + entry["state"]}
    assert read
    assert read <= set(KINDS)


@pytest.mark.parametrize(
    "request_of_a_page",
    [
        rows(
            {"startRow": 0, "endRow": 100, "filterModel": {}, "sortModel": [{"colId": "queue_position", "sort": "asc"}]}
        ),
        rows(None),
        card([{"row_id": "x#0"}]),
        card([]),
        area(None),
        area("140881-A0001", "2026-01-23"),
        county("140881"),
        measure("verdicts"),
        shown("/verdicts"),
        shown(None, None),
        chosen([box("county", None), box("verdict", "x")], {}),
        chosen([]),
    ],
)
def test_what_pages_send_is_answered(app: Dash, request_of_a_page: Any) -> None:
    assert post(app, *request_of_a_page).status_code in (200, 204)


@pytest.mark.parametrize(
    "hostile",
    [
        rows({"startRow": "x"}),
        rows({"endRow": 1.5}),
        rows({"startRow": True}),
        rows([1, 2]),
        rows({"filterModel": [1]}),
        rows({"filterModel": nested(300)}),
        rows({"sortModel": "x"}),
        rows({"sortModel": [5]}),
        rows({}, identity="decisions"),
        rows({}, identity={}),
        rows({}, identity={"table": ["decisions"], "type": "grid"}),
        card(5),
        card(["x"]),
        card([{"row_id": "x#0"}], path=5),
        card([{}] * 101),
        area(["140881-A0001"]),
        area("x", ["all"]),
        area("x" * 10_001),
        county(["140881"]),
        county({"a": 1}),
        measure([]),
        shown(5),
        shown("/", ["?lang=en"]),
        shown("/", "?a=\ud800"),
        chosen([{"id": {"type": "filter"}, "property": "value", "value": "x"}]),
        chosen([box("county", ["x"])]),
        chosen([box("county", "x")], []),
        ("area-body.children", [], []),
        ("area-body.children", [{"id": "area-area"}, {"id": "area-day"}], [SEARCH]),
        ("area-body.children", [{"id": "x", "property": "value"}, {"id": "area-day", "property": "value"}], [SEARCH]),
        ("nothing.children", [], []),
        ("area-body.children", {"id": 1}, None),
    ],
)
def test_what_no_page_sends_is_refused(app: Dash, hostile: Any) -> None:
    answer = post(app, *hostile)

    assert answer.status_code == 400
    assert answer.text == "请求格式不正确。"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"x", b"[]", b"5", b"null", b'{"output": 5}', b'{"output": {}}', b"[" * 500_000,
        b'{"output":"a","x":' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_bodies_that_are_no_request_are_refused(app: Dash, body: bytes) -> None:
    assert app.server.test_client().post("/_dash-update-component", data=body, **JSON).status_code == 400


@pytest.mark.parametrize(
    "outputs", [None, [], {}, [{"id": "area-body"}], {"id": "area-area", "property": "children"}, 5]
)
def test_outputs_of_another_callback_are_refused(app: Dash, outputs: Any) -> None:
    output, inputs, state = area("x")
    body = {"output": output, "outputs": outputs, "inputs": inputs, "state": state}

    answer = app.server.test_client().post("/_dash-update-component", data=json.dumps(body).encode(), **JSON)

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "odd",
    [
        rows({"startRow": 10**30, "endRow": -5}),
        rows({"sortModel": [{"colId": ["queue_position"]}, {"colId": "nothing"}]}),
        rows({"filterModel": nested(3)}),
        rows({"filterModel": {"rated_kw": {"type": "equals", "filter": 10**400}}}),
        rows({"filterModel": {"application_id": {"conditions": [{"type": "contains", "filter": "x"}] * 5000}}}),
        rows({}, identity={"table": "secrets", "type": "grid"}),
        card([{"row_id": "a#" + "9" * 5000}]),
        card([{"row_id": ["x"]}]),
        area("nowhere", "yesterday"),
        county("999999"),
        shown("/nowhere", "?" + "&".join(f"k{i}=1" for i in range(200))),
    ],
)
def test_odd_wishes_get_an_answer_without_rows(app: Dash, odd: Any) -> None:
    assert post(app, *odd).status_code in (200, 204)


def test_an_address_with_many_parameters_is_a_page(app: Dash) -> None:
    search = "&".join(f"k{i}=1" for i in range(200))

    assert app.server.test_client().get(f"/?{search}").status_code == 200
    assert '<html lang="en">' in app.server.test_client().get(f"/?lang=en&{search}").text


@pytest.mark.parametrize("wish", [area("140881-A0001"), county("140881"), card([{"row_id": "x#0"}]), measure("x")])
def test_results_that_vanish_are_told_in_words(app: Dash, folder: Path, wish: Any) -> None:
    shutil.rmtree(folder)

    answer = post(app, *wish)

    assert answer.status_code == 200
    assert "结果文件夹不可读" in json.loads(answer.text)["sideUpdate"]["news"]["children"]


@pytest.mark.parametrize("content", [b"no parquet", b"", b"PAR1" + b"\0" * 40 + b"PAR1"])
def test_curves_that_are_none_are_told_in_words(app: Dash, folder: Path, content: bytes) -> None:
    first = (folder / "areas.csv").read_text(encoding="utf-8-sig").splitlines()[1].split(",")[0]
    (folder / "curves.parquet").write_bytes(content)

    answer = post(app, *area(first))

    assert answer.status_code == 200
    assert "结果文件夹不可读" in json.loads(answer.text)["sideUpdate"]["news"]["children"]
    assert post(app, *shown("/area")).status_code == 200
