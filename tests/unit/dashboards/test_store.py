"""The server reads a run once and notices the next one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dashboards.settings import Settings
from dashboards.store import NO_VERSION, ResultsStore
from gridcheck.errors import LedgerError
from gridcheck.reports.folder import publish
from tests.support.results import Sample, write_sample_results


def test_missing_folder_has_no_version_and_says_what_to_run(tmp_path: Path) -> None:
    store = ResultsStore(Settings(results=tmp_path / "out"))

    assert store.version() == NO_VERSION
    with pytest.raises(LedgerError, match="gridcheck run"):
        store.results()


def test_results_that_arrive_later_are_found(tmp_path: Path) -> None:
    store = ResultsStore(Settings(results=tmp_path / "out"))
    write_sample_results(tmp_path / "out")

    assert len(store.results().counties) == 12


def test_results_are_read_once_until_another_run_is_published(tmp_path: Path) -> None:
    write_sample_results(tmp_path / "out")
    store = ResultsStore(Settings(results=tmp_path / "out"))
    first, view, version = store.results(), store.view("plan", "zh"), store.version()

    assert store.results() is first
    assert store.view("plan", "zh") is view

    publish(write_sample_results(tmp_path / "work", Sample(seed=5)), tmp_path / "out")

    assert store.version() != version
    assert store.results() is not first
    assert store.view("plan", "zh") is not view
    assert store.results().summary["scenario"]["seed"] == 5


def test_languages_have_views_of_their_own(tmp_path: Path) -> None:
    write_sample_results(tmp_path / "out")
    store = ResultsStore(Settings(results=tmp_path / "out"))

    assert store.view("areas", "zh").title == "台区"
    assert store.view("areas", "en").title == "Areas"


def test_many_threads_get_the_same_results(tmp_path: Path) -> None:
    write_sample_results(tmp_path / "out")
    store = ResultsStore(Settings(results=tmp_path / "out"))

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: store.results(), range(16)))

    assert all(results is found[0] for results in found)


def test_unknown_table_and_area_without_curve(tmp_path: Path) -> None:
    folder = write_sample_results(tmp_path / "out")
    store = ResultsStore(Settings(results=folder))

    with pytest.raises(LedgerError, match="no table 'users'"):
        store.view("users", "zh")
    assert store.curve("140881-A0001") is not None
    assert store.curve("no such area") is None
    (folder / "curves.parquet").unlink()
    assert store.curve("140881-A0001") is None
