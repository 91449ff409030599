"""Laws of the readings store: what was written comes back, and the order in which files arrive does not matter."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gridcheck.monitoring import ReadingsStore, ingest_file
from gridcheck.monitoring.quality import run_length, runs_of
from gridcheck.monitoring.readings import QUANTITIES, interval_start_utc, local_day_and_slot
from tests.support.readings import DAY, clock, write_lines

AREAS = ("140881-A0001", "台区2", "z", "A")
LAST_DAY = DAY + dt.timedelta(days=2)

powers = st.floats(0, 10_000, allow_nan=False) | st.none()
volts = st.floats(0, 286, allow_nan=False) | st.none()
values = st.tuples(powers, st.floats(-10_000, 10_000, allow_nan=False) | st.none(), volts, volts, volts, volts)
keys = st.tuples(st.sampled_from(AREAS), st.integers(0, 2), st.integers(0, 95))
tables = st.dictionaries(
    keys, values.filter(lambda cells: any(cell is not None for cell in cells)), min_size=1, max_size=40
)
Table = dict[tuple[str, int, int], tuple[float | None, ...]]


def long_lines(table: Table) -> list[str]:
    rows = [
        f"{area},{DAY + dt.timedelta(days=day)} {clock(slot)},"
        + ",".join("" if cell is None else repr(cell) for cell in cells)
        for (area, day, slot), cells in table.items()
    ]
    return ["area_id,time,p_kw,q_kvar,ua_v,ub_v,uc_v,voltage_v", *rows]


def wide_lines(table: Table) -> list[str]:
    rows: dict[tuple[str, int, int], list[str]] = {}
    for (area, day, slot), cells in table.items():
        for place, cell in enumerate(cells):
            if cell is not None:
                rows.setdefault((area, day, place), [""] * 96)[slot] = repr(cell)
    return [
        "area_id,date,quantity," + ",".join(f"P{n}" for n in range(1, 97)),
        *(
            f"{area},{DAY + dt.timedelta(days=day)},{QUANTITIES[place]},{','.join(cells)}"
            for (area, day, place), cells in rows.items()
        ),
    ]


def ingest_all(folder: Path, files: list[tuple[list[str], dict[str, Any]]], *, encoding: str = "utf-8") -> pd.DataFrame:
    store = ReadingsStore(folder / "store")
    for number, (lines, options) in enumerate(files):
        path = write_lines(folder / f"{number}.csv", lines, encoding=encoding)
        ingest_file(path, store, time_label="start" if ",time," in lines[0] else "auto", **options)
    return store.read(DAY, LAST_DAY)


def as_table(readings: pd.DataFrame) -> Table:
    days, slots = local_day_and_slot(readings["time_utc"].to_numpy())
    first = local_day_and_slot(interval_start_utc([DAY.toordinal() - dt.date(1970, 1, 1).toordinal()], [0]))[0][0]
    cells = readings[list(QUANTITIES)].astype(object).where(readings[list(QUANTITIES)].notna(), None).to_numpy()
    places = zip(readings["area_id"], (int(day - first) for day in days), (int(slot) for slot in slots), strict=True)
    return {key: tuple(row) for key, row in zip(places, cells, strict=True)}


@settings(max_examples=15, deadline=None)
@given(table=tables, encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]), wide=st.booleans())
def test_what_was_written_comes_back(table: Table, encoding: str, wide: bool) -> None:  # noqa: FBT001
    with tempfile.TemporaryDirectory() as folder:
        readings = ingest_all(Path(folder), [((wide_lines if wide else long_lines)(table), {})], encoding=encoding)

    assert as_table(readings) == table
    expected = [
        sum(1 << place for place, cell in enumerate(cells) if cell is not None) for cells in as_table(readings).values()
    ]
    assert readings["measured"].tolist() == expected
    assert list(zip(readings["area_id"], readings["time_utc"], strict=True)) == sorted(
        zip(readings["area_id"], readings["time_utc"], strict=True)
    )


@settings(max_examples=10, deadline=None)
@given(first=tables, second=tables, third=tables, order=st.permutations(range(3)), tie=st.booleans())
@example(
    first={("A", 0, 0): (1.0, *[None] * 5)},
    second={("A", 0, 0): (2.0, *[None] * 5)},
    third={("A", 0, 0): (1.0, *[None] * 5)},  # The first file again, as a later version.
    order=[2, 0, 1],
    tie=False,
)
def test_the_order_of_ingestion_does_not_matter_only_the_version(
    first: Table,
    second: Table,
    third: Table,
    order: list[int],
    tie: bool,  # noqa: FBT001
) -> None:
    files = [
        (long_lines(table), {"version": 1 if tie else number}) for number, table in enumerate((first, second, third))
    ]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        in_order = ingest_all(Path(folder), files)
        shuffled = ingest_all(Path(other), [files[place] for place in order])

    pd.testing.assert_frame_equal(in_order, shuffled)
    if not tie:
        joined: dict[tuple[str, int, int], list[float | None]] = {}
        for table in (first, second, third):
            for key, cells in table.items():
                old = joined.setdefault(key, [None] * len(QUANTITIES))
                joined[key] = [was if now is None else now for was, now in zip(old, cells, strict=True)]
        assert as_table(in_order) == {key: tuple(cells) for key, cells in joined.items()}


@settings(max_examples=10, deadline=None)
@given(table=tables, seed=st.integers(0, 2**16))
def test_rows_may_come_in_any_order_and_in_several_files(table: Table, seed: int) -> None:
    keys_in_order = list(table)
    shuffled = [keys_in_order[place] for place in np.random.default_rng(seed).permutation(len(keys_in_order))]
    half = len(shuffled) // 2
    parts = [long_lines({key: table[key] for key in part}) for part in (shuffled[:half], shuffled[half:]) if part]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        whole = ingest_all(Path(folder), [(long_lines(table), {})])
        in_parts = ingest_all(Path(other), [(lines, {}) for lines in parts])

    pd.testing.assert_frame_equal(whole, in_parts)


@given(day=st.integers(-40_000, 40_000), slot=st.integers(0, 95))
def test_points_and_times_are_inverse(day: int, slot: int) -> None:
    days, slots = local_day_and_slot(interval_start_utc([day], [slot]))

    assert (days[0], slots[0]) == (day, slot)


@given(holds=st.lists(st.booleans(), max_size=40), n_point=st.integers(1, 10))
def test_runs_are_those_found_by_counting(holds: list[bool], n_point: int) -> None:
    expected = [False] * len(holds)
    for first in range(len(holds) - n_point + 1):
        if all(holds[first : first + n_point]):
            expected[first : first + n_point] = [True] * n_point
    row = np.array([holds], dtype=bool)

    assert runs_of(row, n_point)[0].tolist() == expected
    assert (run_length(row)[0] > 0).tolist() == holds
