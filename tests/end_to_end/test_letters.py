"""`gridcheck letters` and `gridcheck capacity` on a results folder."""

from __future__ import annotations

import json
from pathlib import Path

import docx
import pandas as pd
import pytest

from tests.support.command_line import gridcheck
from tests.support.results import write_sample_results

DATED = ("--date", "2026-01-20")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample_results(tmp_path_factory.mktemp("run") / "out")


def test_a_letter_is_written_and_its_code_checked(results: Path, tmp_path: Path) -> None:
    name = "140827-P00001"
    done = gridcheck("letters", name, "--results", results, "--out", tmp_path / "letters", *DATED)
    index = pd.read_csv(tmp_path / "letters" / "letters.csv", dtype=str)
    code, file = index.loc[0, ["code", "file"]]

    assert done.exit_code == 0, done.stderr
    assert "样张" in done.stderr
    assert docx.Document(str(tmp_path / "letters" / file)).paragraphs
    right = gridcheck("letters", name, "--results", results, *DATED, "--verify", code)
    wrong = gridcheck("letters", name, "--results", results, "--date", "2026-01-21", "--verify", code)
    undated = gridcheck("letters", name, "--results", results, "--verify", code)
    assert [right.exit_code, wrong.exit_code, undated.exit_code] == [0, 1, 2]
    assert "--date YYYY-MM-DD" in undated.stderr


def test_a_county_becomes_one_page(results: Path, tmp_path: Path) -> None:
    asked = ("--county", "140827", "--format", "html", "--language", "en", "--together")
    done = gridcheck("letters", *asked, "--results", results, "--out", tmp_path / "letters", *DATED)

    assert done.exit_code == 0, done.stderr
    assert "<article>" in (tmp_path / "letters" / "letters.html").read_text("utf-8")


def test_wrong_wishes_are_told(results: Path, tmp_path: Path) -> None:
    common = ("--results", results, "--out", tmp_path / "letters")
    nothing = gridcheck("letters", *common)
    unknown = gridcheck("letters", "no-such-id", *common)

    assert [nothing.exit_code, unknown.exit_code] == [2, 2]
    assert "--village" in nothing.stderr
    assert "no-such-id" in unknown.stderr
    assert not (tmp_path / "letters").exists()


def test_room_is_published(results: Path, tmp_path: Path) -> None:
    done = gridcheck("capacity", "--results", results, "--out", tmp_path / "capacity", "--date", "2026-02-01")
    content = json.loads((tmp_path / "capacity" / "capacity.geojson").read_text("utf-8"))

    assert done.exit_code == 0, done.stderr
    assert len(content["features"]) == 384
    assert content["published_on"] == "2026-02-01"
    assert "384" in done.stderr  # the sample has no places of areas, and the command says so
