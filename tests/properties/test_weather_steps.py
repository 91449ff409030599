"""Laws of weather on even steps: energy stays, nothing new is invented, gaps on straight lines do not matter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridcheck.demand.weather.even_steps import on_quarters, without_gaps
from gridcheck.demand.weather.series import RawSeries

STEPS_MIN = st.sampled_from([10, 15, 30, 60])


def raw(values: dict[str, np.ndarray], step_min: int, kept: np.ndarray | None = None) -> RawSeries:
    n = len(values["temperature_c"])
    rows = np.arange(n) if kept is None else np.flatnonzero(kept)
    time_utc = np.datetime64("2026-01-20", "ns") + rows * np.timedelta64(step_min, "m")
    return RawSeries(
        where="own.csv", time_utc=time_utc, row=rows + 2, values={name: value[rows] for name, value in values.items()}
    )


@given(st.lists(st.floats(0, 1200), min_size=6, max_size=60), STEPS_MIN)
def test_energy_stays(watts, step_min):
    n = len(watts) // 6 * 6
    sun = np.array(watts[:n])
    series = on_quarters(raw({"temperature_c": np.zeros(n), "solar_w_per_m2": sun}, step_min))
    quarters = series.values["solar_w_per_m2"]
    assert quarters.sum() * 15 == pytest.approx(sun.sum() * step_min, rel=1e-9, abs=1e-6)
    assert quarters.min() >= sun.min() - 1e-6
    assert quarters.max() <= sun.max() + 1e-6


@given(st.lists(st.floats(-30, 40), min_size=6, max_size=60), STEPS_MIN)
def test_temperature_stays_between_its_neighbours(celsius, step_min):
    values = np.array(celsius)
    quarters = on_quarters(raw({"temperature_c": values}, step_min)).values["temperature_c"]
    assert quarters.min() >= values.min() - 1e-9
    assert quarters.max() <= values.max() + 1e-9


@given(st.lists(st.booleans(), min_size=8, max_size=60), st.floats(-1, 1), STEPS_MIN)
def test_gaps_in_a_straight_course_change_nothing_but_the_report(missing, slope, step_min):
    # One row in four may be missing, never the last: the usual step stays the usual one, the course keeps both ends.
    missing = np.array(missing) & (np.arange(len(missing)) % 4 == 3)
    missing[-1] = False
    course = slope * np.arange(len(missing))
    whole = without_gaps(raw({"temperature_c": course}, step_min), longest_gap_h=1.0)
    filled = without_gaps(raw({"temperature_c": course}, step_min, ~missing), longest_gap_h=1.0)
    assert filled.time_utc.tolist() == whole.time_utc.tolist()
    assert filled.values["temperature_c"] == pytest.approx(course, abs=1e-9)
    assert (filled.repairs == ()) == (not missing.any())
    if missing.any():
        assert f"{missing.sum()} of {len(missing)} values" in filled.repairs[0]
