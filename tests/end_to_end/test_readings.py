"""Synthetic meters, their file taken in, and the alarms of a day, against pandas on the same file."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.support.command_line import YUANQU, county_folder, gridcheck

DAY = "2026-01-23"


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The file of one cold-wave week, and the store that it was taken into."""
    place = tmp_path_factory.mktemp("readings")
    made = gridcheck("sample-readings", place / "week.csv", "--county", YUANQU, "--seed", "5")
    assert made.exit_code == 0, made.output
    taken = gridcheck("ingest", place / "week.csv", "--store", place / "store", "--json")
    assert taken.exit_code == 0, taken.output
    return place / "week.csv", place / "store", json.loads(taken.stdout)


def quarter_hours(path) -> pd.DataFrame:
    """The file as it is, with the rating of each area."""
    table = pd.read_csv(path, parse_dates=["time"])
    kva = pd.read_csv(county_folder(YUANQU) / "areas.csv", usecols=["area_id", "kva"]).set_index("area_id")["kva"]
    table["loading_percent"] = 100.0 * np.hypot(table["p_kw"], table["q_kvar"]) / table["area_id"].map(kva)
    table["voltage_v"] = table[["ua_v", "ub_v", "uc_v"]].min(axis=1)
    return table


def hours_in_long_runs(mask: pd.Series, day: str) -> float:
    """Hours of a day that lie in unbroken stretches of at least two hours; `mask` by quarter hour, two days."""
    stretch = (mask != mask.shift()).cumsum()
    long_enough = mask & (mask.groupby(stretch).transform("size") >= 8)
    return 0.25 * float(long_enough.loc[day].sum())


def expected_alarms(path) -> dict[tuple[str, str], float]:
    """Alarms of the day by area and kind, with their hours."""
    grid = pd.date_range(pd.Timestamp(DAY) - pd.Timedelta(days=1), periods=192, freq="15min")
    found: dict[tuple[str, str], float] = {}
    for area_id, own in quarter_hours(path).groupby("area_id"):
        course = own.set_index("time").reindex(grid)
        over = hours_in_long_runs(course["loading_percent"] > 100.0, DAY)
        heavy = hours_in_long_runs(course["loading_percent"] >= 80.0, DAY)
        low = 0.25 * float((course["voltage_v"].loc[DAY] < 198.0).sum())
        complete = course.loc[DAY, ["loading_percent", "ua_v", "ub_v", "uc_v"]].notna().mean()
        if over:
            found[area_id, "overloaded"] = over
        elif heavy:
            found[area_id, "heavy"] = heavy
        elif complete["loading_percent"] < 0.9:
            found[area_id, "insufficient_data loading"] = 0.0
        if low:
            found[area_id, "low_voltage"] = low
        elif complete[["ua_v", "ub_v", "uc_v"]].min() < 0.9:
            found[area_id, "insufficient_data voltage"] = 0.0
    return found


def test_the_file_is_labelled_and_complete(sample):
    path, _, report = sample
    table = pd.read_csv(path)

    assert table.columns.tolist() == ["area_id", "time", "p_kw", "q_kvar", "ua_v", "ub_v", "uc_v", "synthetic"]
    assert set(table["synthetic"]) == {"synthetic"}
    assert table["area_id"].nunique() == 440
    assert 0.95 < len(table) / (440 * 7 * 96) < 1.0
    assert (report["rows_read"], report["rows_rejected"], report["areas"]) == (len(table), 0, 440)
    assert report["days"] == [f"2026-01-{day}" for day in range(20, 27)]
    assert report["synthetic"] is True


def test_the_same_seed_gives_the_same_file(sample, tmp_path):
    path, *_ = sample

    for name, seed in (("same.csv", "5"), ("other.csv", "6")):
        assert gridcheck("sample-readings", tmp_path / name, "--county", YUANQU, "--seed", seed).exit_code == 0

    assert (tmp_path / "same.csv").read_bytes() == path.read_bytes()
    assert (tmp_path / "other.csv").read_bytes() != path.read_bytes()


def test_alarms_are_those_that_pandas_finds_in_the_file(sample):
    path, store, _ = sample

    result = gridcheck("alarms", "--day", DAY, "--store", store, "--json")

    expected = expected_alarms(path)
    kinds = {kind for _, kind in expected}
    assert {"overloaded", "heavy"} <= kinds
    found = {}
    for row in json.loads(result.stdout):
        kind = f"insufficient_data {row['quantity']}" if row["alarm"] == "insufficient_data" else row["alarm"]
        found[row["area_id"], kind] = row["hours"]
        assert row["synthetic"] is True
    assert found == pytest.approx(expected)
    assert result.exit_code == 1


def test_peaks_are_those_of_the_file(sample):
    path, store, _ = sample
    table = quarter_hours(path)
    day = table[table["time"].dt.strftime("%Y-%m-%d") == DAY]

    result = gridcheck("alarms", "--day", DAY, "--store", store, "--json")

    rows = [row for row in json.loads(result.stdout) if row["alarm"] in ("heavy", "overloaded")]
    assert rows
    for row in rows:
        own = day[day["area_id"] == row["area_id"]].set_index("time")["loading_percent"]
        assert row["peak_value"] == pytest.approx(own.max(), rel=1e-9)
        local = pd.Timestamp(row["peak_time_utc"]) + pd.Timedelta(hours=8)
        assert own[local] == pytest.approx(own.max(), rel=1e-9)


def test_people_see_local_times(sample, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    _, store, _ = sample
    first = json.loads(gridcheck("alarms", "--day", DAY, "--store", store, "--json").stdout)[0]
    local = pd.Timestamp(first["peak_time_utc"]) + pd.Timedelta(hours=8)

    shown = gridcheck("alarms", "--day", DAY, "--store", store).stdout
    assert "longest" in shown
    assert "percent" in shown

    line = next(line for line in shown.splitlines() if first["area_id"] in line)
    assert local.strftime("%Y-%m-%d") in line


def test_taking_the_same_file_again_changes_nothing(sample):
    path, store, _ = sample
    before = gridcheck("alarms", "--day", DAY, "--store", store, "--json").stdout

    again = gridcheck("ingest", path, "--store", store, "--json")

    assert json.loads(again.stdout)["already_ingested"] is True
    assert gridcheck("alarms", "--day", DAY, "--store", store, "--json").stdout == before


def test_a_day_without_readings_is_not_a_day_without_alarms(sample):
    _, store, _ = sample

    result = gridcheck("alarms", "--day", "2026-03-01", "--store", store)

    assert result.exit_code == 2
    assert "holds no readings of 2026-03-01. Days that it holds: 2026-01-20 to 2026-01-26, 7 days." in result.stderr


def test_a_county_that_is_silent_is_told(sample):
    _, store, _ = sample

    result = gridcheck("alarms", "--day", DAY, "--store", store, "--county", "140826", "--json")

    rows = json.loads(result.stdout)
    assert {row["alarm"] for row in rows} == {"insufficient_data"}
    assert {row["area_id"][:6] for row in rows} == {"140826"}


def test_no_store_and_no_file(tmp_path):
    alarms = gridcheck("alarms", "--day", DAY, "--store", tmp_path / "absent")
    ingest = gridcheck("ingest", tmp_path / "absent.csv", "--store", tmp_path / "store")

    assert (alarms.exit_code, ingest.exit_code) == (2, 2)
    assert "There is no readings store" in alarms.stderr
    assert "absent.csv" in ingest.stderr
    assert list(tmp_path.iterdir()) == []


def test_readings_of_areas_that_nobody_knows(tmp_path):
    path = tmp_path / "week.csv"
    path.write_text("area_id,time,p_kw\nX-1,2026-01-23 00:00,5\n", encoding="utf-8")

    result = gridcheck("ingest", path, "--store", tmp_path / "store", "--json")

    assert result.exit_code == 2
    assert "row 2, area_id: found 'X-1' (unknown_area)" in result.stderr
    alarms = gridcheck("alarms", "--day", DAY, "--store", tmp_path / "store")
    assert "Days that it holds: none." in alarms.stderr


def test_a_file_that_is_mostly_rejected_is_not_taken_for_whole(tmp_path):
    rows = [f"140827-A000{number},2026-01-23 00:{minute},1.0" for number, minute in ((1, "00"), (1, "15"))]
    rows += [f"140899-A000{number},2026-01-23 00:00,1.0" for number in range(3)]
    (tmp_path / "day.csv").write_text("\n".join(["area_id,time,p_kw", *rows, ""]), encoding="utf-8")

    result = gridcheck("ingest", tmp_path / "day.csv", "--store", tmp_path / "store", "--time-label", "start")

    assert result.exit_code == 3, result.output
    assert "Most rows were rejected: 3 of 5" in result.stderr
    assert "day.csv.rejected.csv" in result.stderr
