from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gridcheck.errors import SchemaError
from gridcheck.limits import DEFAULT_LIMITS, with_overrides
from gridcheck.monitoring import ReadingsStore, find_alarms, ingest_file
from gridcheck.monitoring.alarms import ALARM_COLUMNS
from tests.support.readings import DAY, MIDNIGHT_UTC, clock, long_day, write_lines

EVE = DAY - dt.timedelta(days=1)
QUARTER = np.timedelta64(15, "m")
Alarms = Callable[..., pd.DataFrame]


@pytest.fixture
def store(tmp_path: Path) -> ReadingsStore:
    return ReadingsStore(tmp_path / "store")


@pytest.fixture
def alarms_of(store: ReadingsStore) -> Alarms:
    """Ingest a hand-made day of area A of 100 kVA (reactive power 0, so kW are percent) and return its alarms."""

    def judged(
        power: Mapping[int, float], *, kva: float = 100.0, limits: Any = DEFAULT_LIMITS, **options: Any
    ) -> pd.DataFrame:
        ingest_file(long_day(store.path.parent / "f.csv", {"A": power}, **options), store, time_label="start")
        return find_alarms(store, pd.DataFrame({"area_id": ["A"], "kva": [kva]}), DAY, limits)

    return judged


def flat(level: float = 50.0, **changes: float) -> dict[int, float]:
    """Return a whole day at one level."""
    return {point: level + point % 3 for point in range(96)}


def with_points(day: dict[int, float], points: range, value: float) -> dict[int, float]:
    return day | dict.fromkeys(points, value)


def kinds(alarms: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(alarms["alarm"], alarms["quantity"], strict=True))


def test_a_calm_day_has_no_alarm(alarms_of: Alarms) -> None:
    alarms = alarms_of(flat())

    assert alarms.empty
    assert tuple(alarms.columns) == ALARM_COLUMNS


def test_two_hours_above_rating_are_an_overload(alarms_of: Alarms) -> None:
    day = with_points(flat(), range(72, 80), 101.0) | {75: 130.0}

    row = alarms_of(day).iloc[0]

    assert (row["alarm"], row["hours"], row["run_hours"], row["peak_value"], row["unit"]) == (
        "overloaded",
        2,
        2,
        130,
        "percent",
    )
    assert row["peak_time_utc"] == MIDNIGHT_UTC + 75 * QUARTER
    assert row["first_time_utc"] == MIDNIGHT_UTC + 72 * QUARTER
    assert row["last_time_utc"] == MIDNIGHT_UTC + 79 * QUARTER
    assert (row["points_measured"], row["completeness_percent"], row["limit_value"]) == (96, 100, 100)
    assert row["limit_clause"] == DEFAULT_LIMITS.area_loading_percent.clause
    assert row["day"] == "2025-12-03"


@pytest.mark.parametrize(
    ("level", "n_point", "expected"),
    [
        pytest.param(101.0, 7, [], id="overload for 1.75 h only"),
        pytest.param(100.0, 8, ["heavy"], id="exactly 100 % is not above it"),
        pytest.param(100.1, 8, ["overloaded"], id="just above"),
        pytest.param(80.0, 8, ["heavy"], id="exactly 80 % is heavy"),
        pytest.param(79.9, 8, [], id="just below"),
        pytest.param(80.0, 7, [], id="heavy for 1.75 h only"),
    ],
)
def test_levels_and_durations(alarms_of: Alarms, level: float, n_point: int, expected: list[str]) -> None:
    alarms = alarms_of(with_points(flat(), range(40, 40 + n_point), level))

    assert alarms["alarm"].tolist() == expected


def test_heavy_and_partly_overloaded_is_heavy_with_the_true_peak(alarms_of: Alarms) -> None:
    day = with_points(flat(), range(40, 50), 90.0) | dict.fromkeys(range(42, 46), 120.0)

    alarms = alarms_of(day)

    assert alarms[["alarm", "hours", "peak_value"]].to_numpy().tolist() == [["heavy", 2.5, 120.0]]


def test_an_overloaded_area_is_not_listed_as_heavy_too(alarms_of: Alarms) -> None:
    assert kinds(alarms_of(flat(110.0))) == [("overloaded", "loading")]


def test_a_missing_point_breaks_a_run(alarms_of: Alarms) -> None:
    day = with_points(flat(), range(40, 54), 110.0)
    del day[47]  # 7 points before it, 6 behind it: never 2 h that were measured.

    assert alarms_of(day).empty


def test_a_run_on_each_side_of_a_gap_counts_alone(alarms_of: Alarms) -> None:
    day = with_points(flat(), range(40, 60), 110.0)
    del day[45]  # 5 points, gap, 14 points.

    row = alarms_of(day).iloc[0]

    assert (row["hours"], row["run_hours"]) == (3.5, 3.5)
    assert row["first_time_utc"] == MIDNIGHT_UTC + 46 * QUARTER


def test_hours_add_over_runs_that_are_long_enough(alarms_of: Alarms) -> None:
    day = flat()
    for points in (range(10, 18), range(30, 42), range(60, 67)):  # 2 h, 3 h, and 1.75 h that does not count
        day = with_points(day, points, 110.0)

    row = alarms_of(day).iloc[0]

    assert (row["hours"], row["run_hours"]) == (5.0, 3.0)


def test_a_run_over_midnight_belongs_to_the_day_on_which_it_is_two_hours_old(
    store: ReadingsStore, alarms_of: Alarms
) -> None:
    ingest_file(long_day(store.path.parent / "e.csv", {"A": with_points(flat(), range(92, 96), 110.0)}, day=EVE), store)
    areas = pd.DataFrame({"area_id": ["A"], "kva": [100.0]})

    today = alarms_of(with_points(flat(), range(4), 110.0))

    assert today[["alarm", "hours", "run_hours"]].to_numpy().tolist() == [["overloaded", 1.0, 2.0]]
    assert find_alarms(store, areas, EVE, DEFAULT_LIMITS).empty


def test_the_day_after_does_not_change_a_day(store: ReadingsStore, alarms_of: Alarms) -> None:
    before = alarms_of(with_points(flat(), range(90, 96), 110.0))
    tomorrow = DAY + dt.timedelta(days=1)
    ingest_file(long_day(store.path.parent / "t.csv", {"A": flat(110.0)}, day=tomorrow), store)

    after = find_alarms(store, pd.DataFrame({"area_id": ["A"], "kva": [100.0]}), DAY, DEFAULT_LIMITS)

    pd.testing.assert_frame_equal(before, after)
    assert before.empty


def test_loading_is_apparent_power(alarms_of: Alarms) -> None:
    # 60 kW and 80 kvar are 100 kVA; on 99 kVA that is 101.01 %.
    row = alarms_of(dict.fromkeys(range(96), 60.0), q_kvar=80.0, kva=99.0).iloc[0]

    assert row["alarm"] == "overloaded"
    assert row["peak_value"] == pytest.approx(100 / 99 * 100)
    assert row["points_assumed_pf"] == 0


def test_missing_reactive_power_is_assumed_and_counted(alarms_of: Alarms) -> None:
    # 95.2 kW at 0.95 are 100.2 kVA.
    row = alarms_of(dict.fromkeys(range(96), 95.2), q_kvar=None).iloc[0]

    assert row["alarm"] == "overloaded"
    assert row["peak_value"] == pytest.approx(95.2 / 0.95)
    assert row["points_assumed_pf"] == 96


def test_exactly_rated_with_assumed_power_factor_is_not_an_overload(alarms_of: Alarms) -> None:
    assert alarms_of(dict.fromkeys(range(96), 95.0), q_kvar=None)["alarm"].tolist() == ["heavy"]


def test_low_voltage_of_any_phase(store: ReadingsStore) -> None:
    rows = [
        f"A,2025-12-03 {clock(n)},50,0,{220 - n % 2},{197.9 if n in (3, 40, 41) else 215},{190.5 if n == 70 else 210}"
        for n in range(96)
    ]
    ingest_file(write_lines(store.path.parent / "f.csv", ["area_id,time,p_kw,q_kvar,ua_v,ub_v,uc_v", *rows]), store)

    alarms = find_alarms(store, pd.DataFrame({"area_id": ["A"], "kva": [100.0]}), DAY, DEFAULT_LIMITS)

    assert kinds(alarms) == [("low_voltage", "voltage")]
    row = alarms.iloc[0]
    assert (row["hours"], row["run_hours"], row["peak_value"], row["phase"], row["unit"]) == (1.0, 0.5, 190.5, "c", "V")
    assert row["peak_time_utc"] == MIDNIGHT_UTC + 70 * QUARTER
    assert row["first_time_utc"] == MIDNIGHT_UTC + 3 * QUARTER
    assert row["last_time_utc"] == MIDNIGHT_UTC + 70 * QUARTER
    assert row["limit_value"] == 198


def test_exactly_198_v_is_not_low(alarms_of: Alarms) -> None:
    assert alarms_of(flat(), voltage_v=(198.0, 210.0, 215.0)).empty


def test_a_voltage_of_an_unnamed_phase_counts(store: ReadingsStore) -> None:
    rows = [f"A,2025-12-03 {clock(n)},50,{197 if n == 5 else 220}" for n in range(96)]
    ingest_file(write_lines(store.path.parent / "f.csv", ["area_id,time,p_kw,voltage_v", *rows]), store)

    alarms = find_alarms(store, pd.DataFrame({"area_id": ["A"], "kva": [100.0]}), DAY, DEFAULT_LIMITS)

    assert alarms[["alarm", "hours", "peak_value", "phase"]].to_numpy().tolist() == [["low_voltage", 0.25, 197.0, ""]]


def test_a_silent_area_is_insufficient_data_not_healthy(store: ReadingsStore, alarms_of: Alarms) -> None:
    alarms_of(flat())
    areas = pd.DataFrame({"area_id": ["B", "A"], "kva": [50.0, 100.0]})

    alarms = find_alarms(store, areas, DAY, DEFAULT_LIMITS)

    assert alarms[["area_id", "alarm", "quantity"]].to_numpy().tolist() == [
        ["B", "insufficient_data", "loading"],
        ["B", "insufficient_data", "voltage"],
    ]
    assert alarms["points_measured"].tolist() == [0, 0]
    assert alarms["peak_value"].isna().all()
    assert alarms["peak_time_utc"].isna().all()


@pytest.mark.parametrize(("n_point", "is_enough"), [(87, True), (86, False)])
def test_nine_tenths_of_the_points_are_needed(alarms_of: Alarms, n_point: int, is_enough: bool) -> None:  # noqa: FBT001
    alarms = alarms_of({point: value for point, value in flat().items() if point < n_point})

    assert alarms.empty is is_enough
    assert set(alarms["alarm"]) <= {"insufficient_data"}


def test_what_was_measured_can_alarm_even_if_little_was(alarms_of: Alarms) -> None:
    row = alarms_of(dict.fromkeys(range(40, 48), 120.0)).iloc[0]

    assert row["alarm"] == "overloaded"
    assert row["completeness_percent"] == pytest.approx(100 * 8 / 96)


def test_a_lost_phase_is_insufficient_data_for_voltage(alarms_of: Alarms) -> None:
    alarms = alarms_of(flat(), voltage_v=(220.0, 220.0, None))

    assert kinds(alarms) == [("insufficient_data", "voltage")]


def test_an_outage_is_doubtful_and_not_low_voltage(alarms_of: Alarms) -> None:
    alarms = alarms_of(flat(), voltage_v=(220.0, 221.0, 0.0))

    assert kinds(alarms) == [("insufficient_data", "voltage")]
    assert alarms["points_doubtful"].tolist() == [96]
    assert alarms["peak_value"].tolist() == [220.0]


def test_power_in_watts_is_doubtful_and_not_an_overload(alarms_of: Alarms) -> None:
    alarms = alarms_of(flat(5000.0))

    assert kinds(alarms) == [("insufficient_data", "loading")]
    assert alarms["points_doubtful"].tolist() == [96]


def test_stuck_values_are_used_and_counted(alarms_of: Alarms) -> None:
    row = alarms_of(with_points(flat(), range(40, 52), 110.0)).iloc[0]

    assert (row["alarm"], row["hours"]) == ("overloaded", 3.0)
    assert row["points_doubtful"] == 96  # the constant voltage of the hand-made day is stuck as well


def test_limits_are_the_callers(alarms_of: Alarms) -> None:
    limits = with_overrides(
        DEFAULT_LIMITS,
        {
            "area_loading_percent": (60.0, "test"),
            "overload_duration_h": (0.5, "test"),
            "low_voltage_v": (230.0, "test"),
        },
    )

    alarms = alarms_of(with_points(flat(), range(40, 42), 61.0), limits=limits)

    assert alarms[["alarm", "hours", "limit_clause"]].to_numpy().tolist() == [
        ["overloaded", 0.5, "test"],
        ["low_voltage", 24.0, "test"],
    ]


def test_order_is_by_kind_then_severity_then_area(store: ReadingsStore) -> None:
    power = {"A": flat(85.0), "B": flat(105.0), "C": flat(130.0), "D": flat(130.0)}
    ingest_file(long_day(store.path.parent / "f.csv", power), store)
    areas = pd.DataFrame({"area_id": ["D", "E", "C", "B", "A"], "kva": [100.0] * 5})

    alarms = find_alarms(store, areas, DAY, DEFAULT_LIMITS)
    shuffled = find_alarms(store, areas.iloc[::-1], DAY, DEFAULT_LIMITS)

    assert alarms["area_id"].tolist() == ["C", "D", "B", "A", "E", "E"]
    pd.testing.assert_frame_equal(alarms, shuffled)


def test_synthetic_readings_make_synthetic_alarms(store: ReadingsStore) -> None:
    rows = [f"A,2025-12-03 {clock(n)},120,0,synthetic" for n in range(96)]
    ingest_file(write_lines(store.path.parent / "f.csv", ["area_id,time,p_kw,q_kvar,synthetic", *rows]), store)

    alarms = find_alarms(store, pd.DataFrame({"area_id": ["A"], "kva": [100.0]}), DAY, DEFAULT_LIMITS)

    assert alarms["synthetic"].all()


@pytest.mark.parametrize(
    "areas",
    [
        pytest.param({"area_id": ["A"]}, id="no kva"),
        pytest.param({"area_id": ["A", "A"], "kva": [1.0, 1.0]}, id="twice"),
        pytest.param({"area_id": ["A"], "kva": [0.0]}, id="zero"),
        pytest.param({"area_id": ["A"], "kva": [np.nan]}, id="unknown rating"),
    ],
)
def test_bad_area_tables_are_refused(store: ReadingsStore, areas: dict[str, list[Any]]) -> None:
    with pytest.raises(SchemaError):
        find_alarms(store, pd.DataFrame(areas), DAY, DEFAULT_LIMITS)
