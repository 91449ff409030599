"""A results folder appears whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import gridcheck.reports.folder as folder_module
from gridcheck.errors import LedgerError
from gridcheck.reports.curves import CURVES_FILE
from gridcheck.reports.folder import publish, read_results, write_results
from gridcheck.reports.schemas import TableSpec
from tests.support.results import Sample, sample_summary, sample_tables, write_sample_results


def test_what_is_written_is_read(tmp_path: Path) -> None:
    folder = write_sample_results(tmp_path / "out")

    results = read_results(folder)

    assert len(results.counties) == 12
    assert results.synthetic
    assert results.budget_yuan == 18_000_000
    assert results.summary["files"]["counties.csv"]["rows"] == 12
    assert results.curves_path == folder / CURVES_FILE


def test_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = write_sample_results(tmp_path / "a"), write_sample_results(tmp_path / "b")

    for path in sorted(first.iterdir()):
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name


def test_missing_folder_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="gridcheck run --out"):
        read_results(tmp_path / "nowhere")


def test_missing_files_are_all_named(tmp_path: Path) -> None:
    folder = write_sample_results(tmp_path / "out")
    (folder / "plan.csv").unlink()
    (folder / "areas.csv").unlink()

    with pytest.raises(LedgerError, match=r"plan\.csv, areas\.csv|areas\.csv.*plan\.csv"):
        read_results(folder)


def test_torn_table_is_noticed_by_its_row_count(tmp_path: Path) -> None:
    folder = write_sample_results(tmp_path / "out")
    lines = (folder / "areas.csv").read_bytes().splitlines(keepends=True)
    (folder / "areas.csv").write_bytes(b"".join(lines[:-3]))

    with pytest.raises(LedgerError, match=r"has 381 rows, summary\.json says 384"):
        read_results(folder)


def test_summary_without_budget_is_refused(tmp_path: Path) -> None:
    folder = write_sample_results(tmp_path / "out")
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    del summary["budget_yuan"]
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")

    with pytest.raises(LedgerError, match="budget_yuan"):
        read_results(folder)


def test_edited_table_is_noticed_by_its_hash(tmp_path: Path) -> None:
    folder = write_sample_results(tmp_path / "out")
    path = folder / "feeders.csv"
    path.write_bytes(path.read_bytes().replace(b".1", b".2", 1))

    with pytest.raises(LedgerError, match=r"feeders\.csv does not have the SHA-256 that summary\.json says"):
        read_results(folder)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("budget_yuan", "x", "budget_yuan must be a number"),
        ("budget_yuan", True, "budget_yuan must be a number"),
        ("budget_yuan", float("nan"), "budget_yuan must be a number"),
        ("files", [], "files must be an object"),
        ("files", {}, r"files\.decisions\.csv must hold rows and sha256"),
        ("totals", 5, "totals must be an object"),
        ("limits", 3, "limits must be a list"),
        ("limits", ["x"], r"limits\[0\]: it must be an object"),
        ("limits", [{"name": "heavy_percent"}], r"limits\[0\]: value must be a number"),
        ("synthetic", "no", "synthetic must be true or false"),
    ],
)
def test_summary_of_another_kind_is_refused(tmp_path: Path, key: str, value: object, said: str) -> None:
    folder = write_sample_results(tmp_path / "out")
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    (folder / "summary.json").write_text(json.dumps(summary | {key: value}), encoding="utf-8")

    with pytest.raises(LedgerError, match=said):
        read_results(folder)


def test_a_summary_nested_without_end_is_refused(tmp_path: Path) -> None:
    folder = write_sample_results(tmp_path / "out")
    (folder / "summary.json").write_text("[" * 200_000, encoding="utf-8")

    with pytest.raises(LedgerError, match="not JSON"):
        read_results(folder)


def test_a_run_that_is_published_while_results_are_read_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = write_sample_results(tmp_path / "out")
    finished = write_sample_results(tmp_path / "work", Sample(seed=7))
    read_one = folder_module.read_table

    def read_then_publish(path: Path, spec: TableSpec) -> pd.DataFrame:
        table = read_one(path, spec)
        if finished.exists() and path.parent == place:
            monkeypatch.setattr(folder_module, "read_table", read_one)
            publish(finished, place)
        return table

    monkeypatch.setattr(folder_module, "read_table", read_then_publish)

    assert read_results(place).summary["scenario"]["seed"] == 7


def test_incomplete_tables_write_nothing(tmp_path: Path) -> None:
    tables = sample_tables(Sample())
    del tables["violations"]

    with pytest.raises(LedgerError, match="violations"):
        write_results(tables, sample_summary(Sample()), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_results_say_synthetic_unless_the_summary_denies_it(tmp_path: Path) -> None:
    folder = write_sample_results(tmp_path / "out")
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))

    summary["synthetic"] = False
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")

    assert not read_results(folder).synthetic


def test_publish_replaces_a_former_run_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    place = write_sample_results(tmp_path / "out")
    (place / "report.html").write_text("old", encoding="utf-8")
    finished = write_sample_results(tmp_path / "work", Sample(seed=7))
    expected = (finished / "decisions.csv").read_bytes()

    publish(finished, place)

    assert (place / "decisions.csv").read_bytes() == expected
    assert not (place / "report.html").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_incomplete_run_is_not_published(tmp_path: Path) -> None:
    place = write_sample_results(tmp_path / "out")
    before = (place / "summary.json").read_bytes()
    torn = write_sample_results(tmp_path / "work", Sample(seed=7))
    (torn / "plan.csv").unlink()

    with pytest.raises(LedgerError, match=r"plan\.csv"):
        publish(torn, place)
    assert (place / "summary.json").read_bytes() == before


def test_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    finished = write_sample_results(tmp_path / "work")
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter.txt").write_text("years of work", encoding="utf-8")

    with pytest.raises(LedgerError, match="left alone"):
        publish(finished, other)
    assert (other / "chapter.txt").read_text(encoding="utf-8") == "years of work"


def test_unknown_table_is_refused(tmp_path: Path) -> None:
    results = read_results(write_sample_results(tmp_path / "out"))

    with pytest.raises(LedgerError, match="no table 'secrets'"):
        results.table("secrets")
