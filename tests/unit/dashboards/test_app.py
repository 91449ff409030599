"""The app as a server: headers, health, pages in both languages, callbacks as functions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plotly
import pytest
from dash import Dash
from dash.development.base_component import Component

import dashboards
from dashboards import HEALTH_PATH, Settings, create_app
from dashboards.address import parse_address
from dashboards.app import _pages
from dashboards.grid import answer, filter_model, table_grid
from dashboards.pages import area, verdicts
from dashboards.shell import shell
from dashboards.store import ResultsStore
from gridcheck.reports.texts import HTML_LANG, LANGUAGES, Language
from tests.support.results import HOSTILE_NAME, write_sample_results

ASSETS = Path(dashboards.__file__ or "").parent / "assets"
PATHS = [page.path for page in _pages()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample_results(tmp_path_factory.mktemp("results") / "out")


@pytest.fixture
def app(folder: Path) -> Dash:
    return create_app(Settings(results=folder))


def rendered(store: ResultsStore, path: str, language: Language, **selection: str) -> str:
    address = parse_address(path, "?" + "&".join(f"{k}={v}" for k, v in {"lang": language, **selection}.items()), "zh")
    screen = shell(store, _pages(), address)
    return json.dumps(screen, cls=plotly.utils.PlotlyJSONEncoder, ensure_ascii=False)


def texts_of(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Component):
        yield from texts_of(getattr(node, "children", None))
    elif isinstance(node, list | tuple):
        for child in node:
            yield from texts_of(child)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PATHS)
def test_every_page_can_be_built_and_says_synthetic(path: str, language: Language, folder: Path) -> None:
    page = rendered(ResultsStore(Settings(results=folder)), path, language)

    assert ("合成数据" if language == "zh" else "Synthetic data") in page
    assert "NaN" not in page
    assert not re.search(r"(?<![\w/])nan(?!\w)", page)


def test_first_answer_names_its_language_and_forbids_the_outside(app: Dash) -> None:
    client = app.server.test_client()

    chinese, english = client.get("/"), client.get("/verdicts?lang=en")

    assert '<html lang="zh-CN">' in chinese.text
    assert '<html lang="en">' in english.text
    policy = chinese.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]
    for part in ("object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"):
        assert part in policy
    assert chinese.headers["X-Content-Type-Options"] == "nosniff"
    assert chinese.headers["Referrer-Policy"] == "no-referrer"
    assert chinese.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert chinese.headers["Cache-Control"] == "no-store"
    assert client.get("/_dash-layout").headers["Cache-Control"] == "no-store"


def test_page_loads_scripts_and_styles_of_this_server_only(app: Dash) -> None:
    page = app.server.test_client().get("/").text

    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(sources) > 5
    assert [source for source in sources if not source.startswith("/")] == []
    assert any("plotly-locale-zh-cn.js" in source for source in sources)


def test_health_tells_whether_there_are_results(app: Dash, tmp_path: Path) -> None:
    ready = app.server.test_client().get(HEALTH_PATH).get_json()
    missing = create_app(Settings(results=tmp_path / "none")).server.test_client().get(HEALTH_PATH).get_json()

    assert (ready["status"], ready["results"]) == ("ok", "ready")
    assert (missing["status"], missing["results"]) == ("ok", "missing")


@pytest.mark.parametrize("path", PATHS)
def test_missing_results_show_the_command_instead_of_a_fault(path: str, tmp_path: Path) -> None:
    page = rendered(ResultsStore(Settings(results=tmp_path / "out")), path, "zh")

    assert f"gridcheck run --out {tmp_path / 'out'}" in page
    assert "还没有计算结果" in page


def test_unknown_page_says_so(folder: Path) -> None:
    assert "没有这个页面" in rendered(ResultsStore(Settings(results=folder)), "/admin", "zh")


def test_two_apps_live_in_one_process(folder: Path, tmp_path: Path) -> None:
    first, second = create_app(Settings(results=folder)), create_app(Settings(results=tmp_path, language="en"))

    assert set(first.callback_map) == set(second.callback_map) != set()
    assert HTML_LANG["en"] in second.server.test_client().get("/").text


def test_no_telemetry_no_remote_control(app: Dash) -> None:
    rules = {rule.rule for rule in app.server.url_map.iter_rules()}

    assert not any("mcp" in rule or "ws-callback" in rule for rule in rules)
    assert app.server.config["MAX_CONTENT_LENGTH"] <= 1_000_000
    assert app.server.debug is False


def test_request_that_is_too_long_is_refused(app: Dash) -> None:
    response = app.server.test_client().post(
        "/_dash-update-component", data=b"x" * 2_000_000, content_type="application/json"
    )

    assert response.status_code in (400, 413)


def test_names_of_all_counties_are_on_the_overview(folder: Path) -> None:
    store = ResultsStore(Settings(results=folder))
    page = rendered(store, "/", "zh")

    for name in store.results().counties["county"]:
        assert name in page


def test_grid_answers_with_rows_and_a_count(folder: Path) -> None:
    store = ResultsStore(Settings(results=folder))
    request = {"startRow": 0, "endRow": 100, "filterModel": filter_model({"county": "永济市", "verdict": "◆ 暂缓接入"})}

    response, sentence = answer(store, "decisions", request, "zh")

    decisions = store.results().decisions
    expected = int(((decisions["county_code"] == "140881") & (decisions["verdict"] == "defer")).sum())
    assert response["rowCount"] == expected > 0
    assert {row["county"] for row in response["rowData"]} == {"永济市"}
    assert sentence == f"{expected} / {len(decisions)} 行"


def test_grid_of_a_table_that_is_not_there_is_empty(folder: Path) -> None:
    response, _ = answer(ResultsStore(Settings(results=folder)), "users", {}, "zh")

    assert response == {"rowData": [], "rowCount": 0}


def test_grid_shows_missing_numbers_as_a_dash_and_runs_no_code(folder: Path) -> None:
    grid = table_grid(ResultsStore(Settings(results=folder)).view("areas", "zh"), "zh")

    numeric = [column for column in grid.columnDefs if column.get("type") == "rightAligned"]
    assert numeric
    assert all("== null ? '—'" in column["valueFormatter"]["function"] for column in numeric)
    assert getattr(grid, "dangerously_allow_code", None) is None
    assert grid.dashGridOptions["localeText"]["contains"] == "包含"


def test_card_has_colour_word_sentence_binding_and_margin(folder: Path) -> None:
    store = ResultsStore(Settings(results=folder))
    decisions = store.results().decisions
    row = decisions[decisions["verdict"] == "defer"].iloc[0].to_dict()

    shown = list(texts_of(verdicts.card(row, "zh", parse_address("/verdicts", "", "zh"))))

    assert {"◆", "暂缓接入", "红色", str(row["application_id"])} <= set(shown)
    assert any("高于限值" in words or "低于限值" in words for words in shown)
    assert any(words.endswith("kW") and words.startswith("-") for words in shown)


def test_card_of_a_mere_remark_speaks_of_no_condition() -> None:
    base = {
        name: None for name in ("binding_level", "binding_element", "binding_quantity", "limit_clause", "blocked_by")
    }
    nothing = {name: float("nan") for name in ("binding_value", "binding_limit", "margin_kw", "probability")}
    row = {
        **base, **nothing, "application_id": "140881-P00001", "county_code": "140881", "area_id": "A", "feeder_id": "F",
        "queue_position": 1, "device": "resistive_heater", "rated_kw": 0.95, "phase": "A", "binding_time": None,
        "verdict": "approve_with_conditions",
    }  # fmt: skip

    remark = str(verdicts.card(row | {"conditions": "discouraged_device"}, "en"))
    real = str(verdicts.card(row | {"conditions": "heavy_area;staggered_start;discouraged_device"}, "en"))

    assert "sets no condition" in remark
    assert "if the conditions below are kept" not in remark
    assert "if the conditions below are kept" in real
    assert "0.95 kW" in remark


def test_area_page_explains_state_and_grade_beside_the_facts(folder: Path) -> None:
    page = rendered(ResultsStore(Settings(results=folder)), "/area", "en")

    assert "green: C2 > 0" in page
    assert "for 2 h on end" in page


def test_card_of_a_verdict_nobody_knows_is_grey_and_shows_the_code(folder: Path) -> None:
    row = ResultsStore(Settings(results=folder)).results().decisions.iloc[0].to_dict() | {"verdict": "maybe"}

    card = verdicts.card(row, "zh")

    assert "verdict-unknown" in str(card)
    assert "maybe" in list(texts_of(card))


def test_area_page_opens_the_area_that_the_address_names(folder: Path) -> None:
    page = rendered(ResultsStore(Settings(results=folder)), "/area", "zh", area="140881-A0007")

    assert "140881-A0007 负载率曲线" in page


@pytest.mark.parametrize("asked", ["nowhere", "'; drop table areas", "../../etc/passwd"])
def test_area_that_does_not_exist_falls_back_to_the_first(asked: str, folder: Path) -> None:
    assert "负载率曲线" in rendered(ResultsStore(Settings(results=folder)), "/area", "zh", area=asked)


def test_areas_are_offered_worst_first_and_unsolved_last(folder: Path) -> None:
    store = ResultsStore(Settings(results=folder))

    options = area.area_options(store, "140802", "zh")

    assert options[0][1].startswith(options[0][0])
    loading = [float(m.group(1)) for _, label in options if (m := re.search(r"([\d.]+)\u00a0%", label))]
    assert loading == sorted(loading, reverse=True)
    assert "○ 无数据" in options[-1][1]


def test_area_without_solution_shows_words_instead_of_a_curve_of_zeros(folder: Path) -> None:
    store = ResultsStore(Settings(results=folder))
    unsolved = str(store.results().areas["area_id"].iloc[3])

    words = list(texts_of(area.area_body(store, unsolved, "all", "zh")))

    assert any("空白不是零" in word for word in words)
    assert "○ 无数据" in rendered(store, "/area", "zh", area=unsolved)


def test_name_from_a_ledger_reaches_the_browser_as_data_only(folder: Path) -> None:
    store = ResultsStore(Settings(results=folder))

    response, _ = answer(store, "plan", {"startRow": 0, "endRow": 5}, "zh")

    assert response["rowData"][0]["description"] == HOSTILE_NAME
    assert "<b>" not in json.dumps(rendered(store, "/plan", "zh"))


def test_vendored_files_carry_their_licences() -> None:
    notes = (ASSETS / "THIRD-PARTY.txt").read_text(encoding="utf-8")

    for name in ("plotly-locale-zh-cn.js", "ag-grid-locale-zh-cn.json"):
        assert (ASSETS / name).is_file()
        assert name in notes
    assert "MIT" in notes
    assert "AG GRID LTD" in notes


def test_styles_and_scripts_fetch_nothing() -> None:
    for path in ASSETS.glob("*"):
        if path.suffix in (".css", ".js"):
            assert not re.search(r"https?://|@import|url\(", path.read_text(encoding="utf-8")), path.name
