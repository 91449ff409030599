"""The page of the connection desk: its tiles, its grid, and the card of one answer, as functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import plotly
import pytest
from dash.development.base_component import Component

from dashboards import Settings
from dashboards.address import parse_address
from dashboards.grid import answer
from dashboards.pages import desk
from dashboards.store import ResultsStore
from gridcheck.errors import LedgerError
from gridcheck.reports.desk_answers import answers_of_run, read_desk_answers
from gridcheck.reports.folder import read_results
from gridcheck.reports.texts import LANGUAGES, Language, label, text
from tests.support.desk_folder import write_desk_folder
from tests.support.results import write_sample_results


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ResultsStore:
    place = tmp_path_factory.mktemp("desk")
    results = read_results(write_sample_results(place / "out"))
    folder = write_desk_folder(place / "answers", results.decisions.head(40))
    return ResultsStore(Settings(results=place / "out", decisions=folder))


def as_json(component: Any) -> str:
    return json.dumps(component, cls=plotly.utils.PlotlyJSONEncoder, ensure_ascii=False)


def styled(node: Any) -> Iterator[tuple[str, dict[str, str]]]:
    if isinstance(node, Component):
        if getattr(node, "style", None):
            yield str(getattr(node, "className", "")), node.style
        yield from styled(getattr(node, "children", None))
    elif isinstance(node, list | tuple):
        for child in node:
            yield from styled(child)


def test_tiles_count_every_answer_once(store: ResultsStore) -> None:
    answers = store.answers()
    found = desk.tiles(answers, "zh")

    counted = answers.table["verdict"].value_counts()
    assert [tile.name for tile in found[:4]] == ["● 同意接入", "▲ 附条件接入", "◆ 暂缓接入", "○ 资料不足"]
    assert [int(tile.value) for tile in found[:4]] == [
        int(counted.get(code, 0)) for code in ("approve", "approve_with_conditions", "defer", "insufficient_data")
    ]
    assert sum(int(tile.value) for tile in found[:4]) == 40
    assert (found[4].name, found[4].value) == (text("desk.broken_before", "zh"), "20")


def test_interval_stands_where_its_numbers_are(store: ResultsStore) -> None:
    first = store.answers().table.iloc[0].to_dict()
    assert first["draws"] == 1000

    parts = dict(styled(desk.probability_bar(first, "zh")))

    # The bar ends at three times the accepted risk, 15 %: 4 to 9 %, 6 %, and 5 % of it.
    assert {name: float(style["left"].removesuffix("%")) for name, style in parts.items()} == pytest.approx(
        {"bar-interval": 100 * 4 / 15, "bar-estimate": 100 * 6 / 15, "bar-accepted": 100 * 5 / 15}, abs=0.01
    )
    assert float(parts["bar-interval"]["width"].removesuffix("%")) == pytest.approx(100 * 5 / 15, abs=0.01)
    assert "6.0 %（区间 4.0 % 至 9.0 %，1,000 次抽样）" in as_json(desk.probability_bar(first, "zh")).replace(
        "\\u00a0", " "
    ).replace("\u00a0", " ")
    assert "bar-beyond" in as_json(desk.probability_bar(first, "zh"))
    assert "bar-beyond" not in as_json(desk.probability_bar({**first, "accepted_risk": 0.1}, "zh"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_card_says_why_and_what_was_broken_before(store: ResultsStore, language: Language) -> None:
    table = store.answers().table
    drawn, not_drawn = (desk.card(table.iloc[k].to_dict(), language) for k in (0, 1))

    words = as_json(drawn)
    for code in ("meter_voltage_v", "phase_loading_percent"):
        assert label("quantity", code, language) in words
    assert label("verdict", table["verdict"].iloc[0], language) in words
    assert text("desk.not_drawn", language) not in words
    words = as_json(not_drawn)
    assert text("desk.not_drawn", language) in words
    assert text("desk.nothing_before", language) in words
    assert "NaN" not in words
    assert text("desk.choose", language) in as_json(desk.card(None, language))


def test_grid_filters_the_answers_and_its_row_opens_the_card(store: ResultsStore) -> None:
    word = "◆ 暂缓接入"
    request = {
        "startRow": 0,
        "endRow": 50,
        "filterModel": {"verdict": {"filterType": "text", "type": "equals", "filter": word}},
    }
    response, _ = answer(store, "desk", request, "zh")

    table = store.answers().table
    assert response["rowCount"] == int((table["verdict"] == "defer").sum()) > 0
    row = response["rowData"][-1]
    chosen = desk.chosen_answer(store, [row])
    assert chosen is not None
    assert (chosen["application_id"], chosen["verdict"]) == (row["application_id"], "defer")
    for wrong in ([], None, [{"row_id": "x#9999"}], [{"row_id": "x#-1"}]):
        assert desk.chosen_answer(store, wrong) is None


def test_without_a_folder_the_verdicts_of_the_run_are_shown_and_no_probability(store: ResultsStore) -> None:
    plain = ResultsStore(Settings(results=store.settings.results, decisions=store.settings.results / "none"))
    answers = plain.answers()

    assert len(answers.table) == len(plain.results().decisions)
    assert np.isnan(answers.table["draws"]).all()
    assert len(desk.tiles(answers, "en")) == 4
    page = as_json(desk.layout(plain, parse_address("/desk", "?lang=en", "zh")))
    assert "gridcheck decide asked.csv --out none" in page


def test_a_new_folder_is_noticed_and_a_torn_one_is_refused(store: ResultsStore, tmp_path: Path) -> None:
    decisions = answers_of_run(store.results()).table
    folder = write_desk_folder(tmp_path / "answers", decisions.head(5))
    own = ResultsStore(Settings(results=store.settings.results, decisions=folder))
    assert len(own.answers().table) == 5
    write_desk_folder(folder, decisions.head(7), synthetic=False)
    assert len(own.answers().table) == 7
    assert not own.answers().synthetic

    (folder / "probabilities.csv").write_text("nothing\n1\n")
    with pytest.raises(LedgerError, match=r"probabilities.csv cannot be read"):
        read_desk_answers(folder)
