from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from gridcheck.errors import InputError, LedgerError
from gridcheck.locks import locked
from gridcheck.monitoring import ReadingsStore, ingest_file
from tests.support.readings import DAY, long_day, run_program, write_lines

INGEST_EACH = """
import sys
from gridcheck.monitoring import ReadingsStore, ingest_file
store = ReadingsStore(sys.argv[1])
for path in sys.argv[2:]:
    ingest_file(path, store)
"""
# The program ends itself with SIGKILL when the named function is called for the n-th time (before or after it ran).
INGEST_AND_DIE = """
import os, signal, sys
from gridcheck import atomic
from gridcheck.monitoring import ReadingsStore, commits, ingest_file, staging, store
places = {
    "staging a block": (staging.Staging, "add"), "writing day files": (staging, "_table"),
    "moving a day file": (store.ReadingsStore, "_moved"), "writing the commit": (store, "write_commit"),
    "renaming the commit": (atomic.Path, "replace"),
}
owner, name = places[sys.argv[3]]
original, countdown = getattr(owner, name), [int(sys.argv[4])]
def dying(*arguments, **options):
    countdown[0] -= 1
    result = original(*arguments, **options) if sys.argv[5] == "after" or countdown[0] else None
    if not countdown[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    return result
setattr(owner, name, dying)
ingest_file(sys.argv[2], ReadingsStore(sys.argv[1]))
"""


@pytest.fixture
def store(tmp_path: Path) -> ReadingsStore:
    return ReadingsStore(tmp_path / "it's a store")


def finish(*programs: subprocess.Popen[bytes]) -> Iterator[int]:
    for program in programs:
        _, errors = program.communicate(timeout=120)
        assert program.returncode <= 0, errors.decode()
        yield program.returncode


def power(store: ReadingsStore, **options: int) -> dict[str, float]:
    readings = store.read(DAY, **options)  # type: ignore[arg-type]
    return dict(zip(readings["area_id"], readings["p_kw"], strict=True))


def test_layout_on_disk(store: ReadingsStore) -> None:
    ingest_file(long_day(store.path.parent / "f.csv", {"B": {0: 2.0}, "A": {1: 1.0, 0: 0.5}}), store)

    parts = list(store.path.glob("readings/month=2025-12/day=2025-12-03/part-00000001-*.parquet"))
    file = pq.ParquetFile(parts[0])
    note = json.loads(file.schema_arrow.metadata[b"gridcheck"])
    assert len(parts) == 1
    assert file.read()["area_id"].to_pylist() == ["A", "A", "B"]
    assert file.read()["voltage_v"].null_count == 3
    assert {file.metadata.row_group(0).column(k).compression for k in range(10)} == {"ZSTD"}
    assert (note["file_name"], note["synthetic"], note["units"]["p_kw"]) == ("f.csv", False, "kW")
    assert list((store.path / "staging").iterdir()) == []


def test_later_files_win_per_area_time_and_quantity(store: ReadingsStore) -> None:
    folder = store.path.parent
    ingest_file(
        write_lines(
            folder / "1.csv", ["area_id,time,p_kw,ua_v", "A,2025-12-03 00:00,1,220", "B,2025-12-03 00:00,2,221"]
        ),
        store,
    )
    ingest_file(write_lines(folder / "2.csv", ["area_id,time,p_kw", "A,2025-12-03 00:00,9"]), store)

    readings = store.read(DAY)

    assert readings["p_kw"].tolist() == [9, 2]
    assert readings["voltage_a_v"].tolist() == [220, 221]
    assert readings["measured"].tolist() == [5, 5]


def test_a_greater_version_wins_whatever_came_last(store: ReadingsStore) -> None:
    folder = store.path.parent
    ingest_file(long_day(folder / "final.csv", {"A": {0: 5.0}}), store, version=20)
    ingest_file(long_day(folder / "draft.csv", {"A": {0: 4.0}, "B": {0: 1.0}}), store, version=10)

    assert power(store) == {"A": 5.0, "B": 1.0}


def test_what_was_known_when(store: ReadingsStore) -> None:
    folder = store.path.parent
    first = ingest_file(long_day(folder / "1.csv", {"A": {0: 1.0}}), store)
    ingest_file(long_day(folder / "2.csv", {"A": {0: 2.0}}), store)

    assert power(store) == {"A": 2.0}
    assert power(store, as_of=first.sequence) == {"A": 1.0}
    assert power(store, as_of=0) == {}


def test_reading_days_and_areas(store: ReadingsStore) -> None:
    folder = store.path.parent
    for number in range(3):
        day = DAY + dt.timedelta(days=number)
        ingest_file(long_day(folder / f"{number}.csv", {"A": {0: 1.0}, "B": {0: 2.0}, "C": {0: 3.0}}, day=day), store)

    assert store.days() == tuple(DAY + dt.timedelta(days=n) for n in range(3))
    assert len(store.read(DAY, DAY + dt.timedelta(days=1))) == 4 + 2
    assert store.read(DAY, DAY + dt.timedelta(days=2), area_ids=["A", "C"])["area_id"].tolist() == ["A"] * 3 + ["C"] * 3
    assert store.read(DAY, area_ids=[]).empty
    assert store.read(dt.date(2024, 1, 1)).empty
    assert store.read(dt.date(2024, 1, 1)).dtypes.equals(store.read(DAY).dtypes)
    assert len(store.history()) == 3
    with pytest.raises(InputError, match="lies before"):
        store.read(DAY, DAY - dt.timedelta(days=1))


def test_ids_reach_the_database_as_values_only(store: ReadingsStore) -> None:
    ingest_file(long_day(store.path.parent / "f.csv", {"A": {0: 1.0}}), store)

    assert store.read(DAY, area_ids=["A') or 1=1 --", "x'; drop table part; --"]).empty


def test_the_database_reads_nothing_outside_the_store(store: ReadingsStore, tmp_path: Path) -> None:
    ingest_file(long_day(tmp_path / "f.csv", {"A": {0: 1.0}}), store)
    outside = tmp_path / "f.csv"

    with store._connected() as connection:
        for statement in (
            "select * from read_csv($path)",
            "copy (select 1) to '/tmp/should-not-exist.csv'",
            "install httpfs",
            "set enable_external_access = true",
            "set allowed_directories = ['/']",
        ):
            parameters = {"path": str(outside)} if "$path" in statement else {}
            with pytest.raises(duckdb.Error):
                connection.execute(statement, parameters).fetchall()


def test_a_folder_with_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("x")

    with pytest.raises(LedgerError, match="not a readings store"):
        ReadingsStore(tmp_path)


def test_a_newer_format_is_refused(store: ReadingsStore) -> None:
    ingest_file(long_day(store.path.parent / "f.csv", {"A": {0: 1.0}}), store)
    (store.path / "store.json").write_text('{"format": 99}')

    with pytest.raises(LedgerError, match="format 99"):
        ReadingsStore(store.path)


def test_a_damaged_commit_is_an_error_not_an_omission(store: ReadingsStore) -> None:
    ingest_file(long_day(store.path.parent / "f.csv", {"A": {0: 1.0}}), store)
    (store.path / "commits" / "00000001.json").write_text("{")

    with pytest.raises(LedgerError, match="cannot be read"):
        store.read(DAY)


def test_a_missing_day_file_is_an_error_not_an_omission(store: ReadingsStore) -> None:
    ingest_file(long_day(store.path.parent / "f.csv", {"A": {0: 1.0}}), store)
    next(store.path.rglob("part-*.parquet")).unlink()

    with pytest.raises(LedgerError, match="cannot be read"):
        store.read(DAY)


def test_a_writer_waits_for_another_and_gives_up_with_a_message(tmp_path: Path) -> None:
    store = ReadingsStore(tmp_path / "store", lock_timeout_s=0.1)
    path = long_day(tmp_path / "f.csv", {"A": {0: 1.0}})

    with locked(store.path / "lock", timeout_s=0.0), pytest.raises(LedgerError, match="held by another process"):
        ingest_file(path, store)

    assert store.commits() == ()
    assert ingest_file(path, store).sequence == 1


def test_two_processes_lose_nothing(store: ReadingsStore) -> None:
    folder = store.path.parent
    files: list[list[str]] = [[], []]
    for number in range(12):
        path = long_day(folder / f"{number}.csv", {f"A{number}": {0: float(number)}, "shared": {number: float(number)}})
        files[number % 2].append(str(path))
    both = str(long_day(folder / "both.csv", {"both": {0: 1.0}}))

    programs = [run_program(INGEST_EACH, str(store.path), *files[k], both) for k in (0, 1)]
    assert list(finish(*programs)) == [0, 0]

    readings = store.read(DAY)
    assert {area for area in readings["area_id"]} == {*(f"A{n}" for n in range(12)), "shared", "both"}
    assert readings.loc[readings["area_id"] == "shared", "p_kw"].tolist() == [float(n) for n in range(12)]
    assert [commit.sequence for commit in store.commits()] == list(range(1, 14))
    assert sorted(commit.version for commit in store.commits()) == list(range(1, 14))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize(
    ("place", "count", "when", "is_new"),
    [
        pytest.param("staging a block", 1, "after", False, id="after staging a block"),
        pytest.param("writing day files", 2, "before", False, id="in the middle of the day files"),
        pytest.param("moving a day file", 1, "before", False, id="before the first day file is moved"),
        pytest.param("moving a day file", 2, "after", False, id="after two of three day files are moved"),
        pytest.param("writing the commit", 1, "before", False, id="before the commit"),
        pytest.param("renaming the commit", 4, "before", False, id="commit written but not renamed"),
        pytest.param("writing the commit", 1, "after", True, id="after the commit"),
    ],
)
def test_kill_9_leaves_old_or_new(store: ReadingsStore, place: str, count: int, when: str, is_new: bool) -> None:  # noqa: FBT001
    folder = store.path.parent
    ingest_file(long_day(folder / "old.csv", {"A": {0: 1.0}}), store)
    old = store.read(DAY, DAY + dt.timedelta(days=2))
    lines = ["area_id,time,p_kw", *(f"A,{DAY + dt.timedelta(days=n)} 00:00,{n + 5}" for n in range(3))]
    path = write_lines(folder / "new.csv", lines)

    program = run_program(INGEST_AND_DIE, str(store.path), str(path), place, str(count), when)
    assert list(finish(program)) == [-signal.SIGKILL]

    after = ReadingsStore(store.path).read(DAY, DAY + dt.timedelta(days=2))
    if is_new:
        assert after["p_kw"].tolist() == [5, 6, 7]
    else:
        pd.testing.assert_frame_equal(after, old)
    # The next writer goes on as if nothing had happened, and takes away what was left.
    report = ingest_file(path, store)
    assert report.already_ingested is is_new
    ingest_file(long_day(folder / "next.csv", {"B": {0: 1.0}}), store)
    assert store.read(DAY, DAY + dt.timedelta(days=2))["p_kw"].tolist() == [5, 6, 7, 1]
    named = {part.file for commit in store.commits() for part in commit.parts}
    assert {file.relative_to(store.path).as_posix() for file in store.path.rglob("*.parquet")} == named
    assert list((store.path / "staging").iterdir()) == []


def test_a_reader_beside_a_writer_sees_whole_files(store: ReadingsStore) -> None:
    folder = store.path.parent
    points = {point: 1.0 for point in range(96)}
    paths = [long_day(folder / f"{n}.csv", {f"A{n}": points}) for n in range(15)]
    program = run_program(INGEST_EACH, str(store.path), *(str(path) for path in paths))

    counts = []
    while program.poll() is None:
        counts.append(len(store.read(DAY)))

    assert list(finish(program)) == [0]
    assert len(store.read(DAY)) == 15 * 96
    assert all(count % 96 == 0 for count in counts)
    assert counts == sorted(counts)
    assert np.unique(counts).size > 1
