from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xlsxwriter

from gridcheck.errors import InputError
from gridcheck.monitoring import IngestReport, Measured, ReadingsStore, ingest_file
from tests.support.readings import DAY, LONG_HEADER, MIDNIGHT_UTC, clock, long_day, write_lines

QUARTER = np.timedelta64(15, "m")
WIDE_HEADER = "台区编号,日期,数据项," + ",".join(f"P{n}" for n in range(1, 97))


@pytest.fixture
def store(tmp_path: Path) -> ReadingsStore:
    return ReadingsStore(tmp_path / "store")


def ingest_lines(store: ReadingsStore, lines: list[str], **options: object) -> IngestReport:
    return ingest_file(write_lines(store.path.parent / "f.csv", lines), store, **options)  # type: ignore[arg-type]


def wide_row(area: str, quantity: str, values: list[object], *, day: str = "2025-12-03") -> str:
    return ",".join([area, day, quantity, *(str(value) for value in values)])


def rejected(report: IngestReport) -> list[tuple[str, str, str, str, str]]:
    text = Path(report.rejected_path).read_text(encoding="utf-8-sig")
    rows = csv.DictReader(text.splitlines())
    return [(row["row"], row["column"], row["value"], row["rule"], row["scope"]) for row in rows]


def test_long_file_comes_back_as_utc_starts_with_measured_bits(store: ReadingsStore) -> None:
    lines = [LONG_HEADER, "A2,2025-12-03 00:15,7.5,,219.5,220.5,221", "A1,2025-12-03 00:00,5,1.5,,,"]

    report = ingest_lines(store, lines)
    readings = store.read(DAY)

    assert (report.layout, report.rows_read, report.rows_accepted, report.readings, report.areas) == (
        "long",
        2,
        2,
        2,
        2,
    )
    assert report.days == ("2025-12-03",)
    assert report.values_missing == 4
    assert readings["area_id"].tolist() == ["A1", "A2"]
    assert readings["time_utc"].to_numpy().tolist() == [MIDNIGHT_UTC.astype(int), (MIDNIGHT_UTC + QUARTER).astype(int)]
    assert readings["measured"].tolist() == [
        Measured.P | Measured.Q,
        Measured.P | Measured.VOLTAGE_A | Measured.VOLTAGE_B | Measured.VOLTAGE_C,
    ]
    np.testing.assert_array_equal(readings["q_kvar"], [1.5, np.nan])
    np.testing.assert_array_equal(readings["voltage_a_v"], [np.nan, 219.5])
    assert not readings["synthetic"].any()


def test_wide_rows_of_several_quantities_join_to_readings(store: ReadingsStore) -> None:
    power, volts = list(range(96)), [220] * 96
    power[3] = ""
    lines = [
        WIDE_HEADER,
        wide_row("A1", "有功功率", power),
        wide_row("A1", "A相电压", volts),
        wide_row("A1", "IA", [1] * 96),
    ]

    report = ingest_lines(store, lines)
    readings = store.read(DAY)

    assert (report.rows_read, report.rows_accepted, report.rows_ignored, report.readings) == (3, 2, 1, 96)
    np.testing.assert_array_equal(readings["p_kw"], [0, 1, 2, np.nan, *range(4, 96)])
    assert readings["measured"].tolist()[2:5] == [5, 4, 5]
    assert (readings["voltage_a_v"] == 220).all()


def test_missing_points_stay_missing(store: ReadingsStore) -> None:
    ingest_file(long_day(store.path.parent / "f.csv", {"A1": {0: 5.0, 2: 6.0}}), store)

    assert len(store.read(DAY)) == 2


def test_every_bad_row_is_listed_and_good_rows_go_through(store: ReadingsStore) -> None:
    lines = [
        LONG_HEADER,
        "A1,2025-12-03 00:00,5,1,220,220,220",
        "X9,2025-12-03 00:00,5,1,220,220,220",
        ",2025-12-03 00:00,5,1,220,220,220",
        "A1,2025-12-03 00:07,5,1,220,220,220",
        "A1,2025-13-03 00:00,5,1,220,220,220",
        "A1,2025-12-03 00:15,-5,1,220,220,999",
        "A1,2025-12-03 00:30,=1+1,,,,",
        "A1,2025-12-03 00:00,5,1,220,220,220",
        "A1,2025-12-03 00:00,6,1,220,220,220",
        "A1,2025-12-03 24:00",
        "A1,2025-12-03 23:45,9,1,220,220,220",
    ]

    report = ingest_lines(store, lines, area_ids=["A1", "A2"], time_label="start")

    assert (report.rows_read, report.rows_accepted, report.rows_rejected, report.duplicates) == (11, 3, 8, 2)
    assert report.values_rejected == 3
    assert rejected(report) == [
        ("3", "area_id", "X9", "unknown_area", "row"),
        ("4", "area_id", "", "missing_area", "row"),
        ("5", "time", "2025-12-03 00:07", "time_off_grid", "row"),
        ("6", "time", "2025-13-03 00:00", "bad_time", "row"),
        ("7", "p_kw", "-5", "negative_power", "value"),
        ("7", "uc_v", "999", "out_of_range", "value"),
        ("8", "p_kw", "'=1+1", "formula", "value"),
        ("9", "area_id, time", "A1 2025-12-03 00:00", "duplicate", "row"),
        ("10", "area_id, time", "A1 2025-12-03 00:00", "duplicate_conflict", "row"),
        ("11", "", "2 cells, header has 7: A1,2025-12-03 24:00", "ragged_row", "row"),
    ]
    readings = store.read(DAY)
    assert readings["p_kw"].tolist()[::2] == [5, 9]
    assert readings["measured"].tolist() == [31, Measured.Q | Measured.VOLTAGE_A | Measured.VOLTAGE_B, 31]


def test_rejections_lie_beside_the_store_or_where_asked(store: ReadingsStore, tmp_path: Path) -> None:
    lines = [LONG_HEADER, "A1,2025-12-03 00:00,5,1,1,1,1", "A1,never,5,1,1,1,1"]

    beside = ingest_lines(store, lines)
    asked = ingest_lines(store, [*lines, "A1,never,6,1,1,1,1"], rejected_path=tmp_path / "deep" / "list.csv")

    assert Path(beside.rejected_path) == tmp_path / "f.csv.rejected.csv"
    assert Path(asked.rejected_path) == tmp_path / "deep" / "list.csv"
    assert len(rejected(asked)) == 2


def test_a_clean_second_try_empties_the_old_list(store: ReadingsStore) -> None:
    ingest_lines(store, [LONG_HEADER, "A1,2025-12-03 00:00,5,1,1,1,1", "A1,never,5,1,1,1,1"])

    report = ingest_lines(store, [LONG_HEADER, "A1,2025-12-03 00:00,5,1,1,1,1"])

    assert report.rejected_path == ""
    assert (store.path.parent / "f.csv.rejected.csv").read_text(encoding="utf-8-sig").count("\n") == 1


def test_mixed_time_zones_the_first_row_decides(store: ReadingsStore) -> None:
    lines = [
        "area_id,time,p_kw",
        "A1,2025-12-02T16:00:00Z,1",
        "A1,2025-12-03T00:15:00+08:00,2",
        "A1,2025-12-03 00:30,3",
    ]

    report = ingest_lines(store, lines)

    assert [(row, rule) for row, _, _, rule, _ in rejected(report)] == [("4", "mixed_time_zone")]
    assert store.read(DAY)["time_utc"].to_numpy().tolist() == [
        MIDNIGHT_UTC.astype(int),
        (MIDNIGHT_UTC + QUARTER).astype(int),
    ]


def end_labelled(n_point: int = 96) -> list[str]:
    labels = [f"2025-12-03 {clock(point)}" for point in range(1, 96)] + ["2025-12-03 24:00"]
    return ["area_id,time,p_kw", *(f"A1,{label},{point}" for point, label in enumerate(labels[:n_point]))]


def test_times_of_24_00_mean_labels_by_the_end(store: ReadingsStore) -> None:
    report = ingest_lines(store, end_labelled())

    assert (report.time_label, report.time_label_basis) == ("end", "24:00 found")
    assert store.read(DAY)["p_kw"].tolist() == list(range(96))
    assert store.read(DAY)["time_utc"].iloc[0] == MIDNIGHT_UTC


def test_a_first_time_of_00_15_has_to_be_explained(store: ReadingsStore) -> None:
    with pytest.raises(InputError, match="Say time_label='end'"):
        ingest_lines(store, end_labelled(95))

    as_end = ingest_lines(store, end_labelled(95), time_label="end")
    assert store.read(DAY)["time_utc"].iloc[0] == MIDNIGHT_UTC
    as_start = ingest_lines(store, end_labelled(95), time_label="start")

    assert (as_end.time_label_basis, as_start.superseded) == ("stated", (as_end.sequence,))
    assert store.read(DAY)["time_utc"].iloc[0] == MIDNIGHT_UTC + QUARTER


@pytest.mark.parametrize("n_day", [1, 2])
def test_labels_by_the_end_that_write_midnight_as_00_00_have_to_be_explained(store: ReadingsStore, n_day: int) -> None:
    times = pd.date_range("2025-12-03 00:15", periods=96 * n_day, freq="15min").strftime("%Y-%m-%d %H:%M")
    lines = ["area_id,time,p_kw", *(f"A1,{time},{point}" for point, time in enumerate(times))]

    with pytest.raises(InputError, match="first time is 00:15"):
        ingest_lines(store, lines)
    ingest_lines(store, lines, time_label="end")

    assert store.read(DAY)["p_kw"].tolist() == list(range(96))


@pytest.mark.parametrize(("date", "times"), [("date", "time"), ("日期", "时间")])
def test_date_and_clock_in_two_columns(store: ReadingsStore, date: str, times: str) -> None:
    lines = [f"area_id,{date},{times},p_kw", "A1,2025/12/3,00:00,1", "A1,2025/12/3,23:45,2", "A1,2025/12/3,x,3"]

    report = ingest_lines(store, lines)

    assert store.read(DAY)["p_kw"].tolist() == [1, 2]
    assert rejected(report)[0][:4] == ("4", times, "2025/12/3 x", "bad_time")


def test_the_list_of_rejections_cannot_replace_the_file(store: ReadingsStore, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is the file itself"):
        ingest_lines(store, [LONG_HEADER, "A1,never,5,1,1,1,1"], rejected_path=tmp_path / "f.csv")


def test_24_00_under_labels_by_the_start_is_rejected(store: ReadingsStore) -> None:
    report = ingest_lines(store, end_labelled(), time_label="start")

    assert dict(report.rules) == {"time_24_00": 1}
    assert report.readings == 95


def test_23_45_is_the_last_point_and_midnight_the_first_of_the_next_day(store: ReadingsStore) -> None:
    ingest_lines(store, ["area_id,time,p_kw", "A1,2025-12-03 23:45,1", "A1,2025-12-04 00:00,2"])

    assert store.read(DAY)["p_kw"].tolist() == [1]
    assert store.read(DAY + dt.timedelta(days=1))["p_kw"].tolist() == [2]


def test_clock_headers_decide_and_contradiction_is_refused(store: ReadingsStore) -> None:
    header = "area_id,date,quantity," + ",".join([*(clock(n) for n in range(1, 96)), "24:00"])
    lines = [header, wide_row("A1", "P", list(range(96)))]

    with pytest.raises(InputError, match="headed by the end"):
        ingest_lines(store, lines, time_label="start")
    report = ingest_lines(store, lines)

    assert (report.time_label, report.time_label_basis) == ("end", "headers")
    assert store.read(DAY)["p_kw"].tolist() == list(range(96))


def test_bad_cells_of_a_wide_row_leave_the_other_points(store: ReadingsStore) -> None:
    values: list[object] = list(range(96))
    values[4], values[5] = "err", -1

    report = ingest_lines(store, [WIDE_HEADER, wide_row("A1", "P", values)])

    assert (report.rows_accepted, report.values_rejected, report.readings) == (1, 2, 94)
    assert [(row, column) for row, column, *_ in rejected(report)] == [("2", "P5"), ("2", "P6")]


def test_repeated_wide_rows_are_duplicates(store: ReadingsStore) -> None:
    first, other = wide_row("A1", "P", [1] * 96), wide_row("A1", "P", [2] * 96)

    report = ingest_lines(store, [WIDE_HEADER, first, first, other, wide_row("A1", "Q", [3] * 96)])

    assert dict(report.rules) == {"duplicate": 1, "duplicate_conflict": 1}
    assert set(store.read(DAY)["p_kw"]) == {1}


def test_empty_rows_are_accepted_and_give_nothing(store: ReadingsStore) -> None:
    report = ingest_lines(store, ["area_id,time,p_kw", "A1,2025-12-03 00:00,--", "A1,2025-12-03 00:00,5"])

    assert (report.rows_accepted, report.duplicates, report.values_missing, report.readings) == (2, 0, 1, 1)


def test_the_same_file_twice_is_a_no_op_even_under_another_name(store: ReadingsStore) -> None:
    path = long_day(store.path.parent / "f.csv", {"A1": {0: 5.0}})
    first = ingest_file(path, store)
    before = sorted(file.name for file in store.path.rglob("*"))
    path.rename(path.with_name("g.csv"))

    second = ingest_file(path.with_name("g.csv"), store)

    assert second.already_ingested
    assert (second.sequence, second.rows_read, second.days) == (first.sequence, 1, first.days)
    assert sorted(file.name for file in store.path.rglob("*")) == before


def test_reading_a_file_anew_with_more_areas_does_not_undo_a_later_correction(store: ReadingsStore) -> None:
    folder = store.path.parent
    path = long_day(folder / "f.csv", {"A1": {0: 5.0}, "A2": {0: 6.0}})
    ingest_file(path, store, area_ids=["A1"])
    ingest_file(long_day(folder / "correction.csv", {"A1": {0: 5.5}}), store)

    report = ingest_file(path, store, area_ids=["A1", "A2"])

    assert (report.superseded, report.version) == ((1,), 1)
    assert dict(zip(*store.read(DAY)[["area_id", "p_kw"]].T.to_numpy(), strict=True)) == {"A1": 5.5, "A2": 6.0}


def test_workbook_and_csv_give_the_same_readings(store: ReadingsStore, tmp_path: Path) -> None:
    cells = [
        ["A1", dt.datetime.fromisoformat("2025-12-03") + n * dt.timedelta(minutes=15), n / 4, 220] for n in range(96)
    ]
    with xlsxwriter.Workbook(tmp_path / "f.xlsx", {"default_date_format": "yyyy/m/d h:mm"}) as book:
        sheet = book.add_worksheet()
        for row, values in enumerate([["台区编号", "时间", "有功功率(kW)", "A相电压(V)"], *cells]):
            sheet.write_row(row, 0, values)
    other = ReadingsStore(tmp_path / "other")
    lines = ["area_id,time,p_kw,ua_v", *(f"A1,2025-12-03 {clock(n)},{n / 4},220" for n in range(96))]

    report = ingest_file(tmp_path / "f.xlsx", store)
    ingest_lines(other, lines)

    assert (report.encoding, report.readings) == ("xlsx", 96)
    pd.testing.assert_frame_equal(store.read(DAY), other.read(DAY))


def test_formula_cells_of_a_workbook_are_rejected(store: ReadingsStore, tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "f.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["area_id", "time", "p_kw"])
        sheet.write_row(1, 0, ["A1", "2025-12-03 00:00", 5])
        sheet.write_row(2, 0, ["A1", "2025-12-03 00:15"])
        sheet.write_formula(2, 2, "=C2*40", None, 200)

    report = ingest_file(tmp_path / "f.xlsx", store)

    assert rejected(report) == [("3", "p_kw", "'=formula", "formula", "value")]
    assert store.read(DAY)["p_kw"].tolist() == [5]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        pytest.param([LONG_HEADER], "no rows", id="header alone"),
        pytest.param([LONG_HEADER, "A1,never,5,1,1,1,1"], "none of its 1 rows", id="nothing usable"),
        pytest.param([LONG_HEADER, ",,,,,,"], "no rows", id="blank rows"),
    ],
)
def test_files_without_a_usable_row_are_refused_and_not_remembered(
    store: ReadingsStore, lines: list[str], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        ingest_lines(store, lines)

    assert store.commits() == ()


@pytest.mark.parametrize("name", ["missing.csv", "old.xls", "folder.csv"])
def test_files_of_another_kind_are_refused(store: ReadingsStore, tmp_path: Path, name: str) -> None:
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    (tmp_path / "folder.csv").mkdir()

    with pytest.raises(InputError, match=r"is not a file|allowed are"):
        ingest_file(tmp_path / name, store)


@pytest.mark.parametrize("area", ["../A1", "=A1", "A 1", "A1\u200b", "x" * 65, "A1;drop table"])
def test_ids_that_could_do_harm_are_rejected(store: ReadingsStore, area: str) -> None:
    report = ingest_lines(store, ["area_id,time,p_kw", f"{area},2025-12-03 00:00,1", "A1,2025-12-03 00:00,1"])

    assert dict(report.rules) == {"bad_area_id": 1}


def test_synthetic_files_mark_every_reading(store: ReadingsStore) -> None:
    report = ingest_lines(
        store, ["area_id,time,p_kw,合成数据", "A1,2025-12-03 00:00,1,合成", "A1,2025-12-03 00:15,1,合成"]
    )

    assert report.synthetic
    assert store.read(DAY)["synthetic"].all()
    assert store.history()["synthetic"].tolist() == [True]


def test_unused_columns_are_named(store: ReadingsStore) -> None:
    report = ingest_lines(store, ["area_id,time,p_kw,有功功率(MW)", "A1,2025-12-03 00:00,1,0.001"])

    assert "columns not used: 有功功率(MW)" in report.findings
