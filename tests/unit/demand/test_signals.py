"""Cold-wave classes and warning colours, worked out by hand."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridcheck.demand.weather import Weather, cold_wave_days, cold_wave_levels, scenario_weather
from gridcheck.errors import InputError

MIDNIGHT_UTC = np.datetime64("2026-01-09T16:00", "ns")


def weather_of(minima_c: list[float], *, lead_h: int = 0) -> Weather:
    """Hourly weather whose local days from 10 January have these minima at 6 o'clock, `lead_h` hours before them."""
    hour = np.arange(-lead_h, 24 * len(minima_c))
    minimum = np.array(minima_c)[np.maximum(hour, 0) // 24]
    return Weather(
        county_code="140802",
        time_utc=MIDNIGHT_UTC + hour * np.timedelta64(1, "h"),
        temperature_c=minimum + np.abs(hour % 24 - 6) / 2.0,
        label="by hand",
        synthetic=True,
        study=slice(0, len(hour)),
    )


def test_falls_are_counted_from_the_highest_minimum_within_the_window():
    days = cold_wave_days(weather_of([5.0, 2.0, 4.0, -6.0]))
    assert days.day.astype(str).tolist() == ["2026-01-10", "2026-01-11", "2026-01-12", "2026-01-13"]
    assert days.minimum_c.tolist() == [5.0, 2.0, 4.0, -6.0]
    assert days.fall_24h_k[1:].tolist() == [3.0, -2.0, 10.0]
    assert days.fall_48h_k[1:].tolist() == [3.0, 1.0, 10.0]
    assert days.fall_72h_k[1:].tolist() == [3.0, 1.0, 11.0]
    assert np.isnan([days.fall_24h_k[0], days.fall_48h_k[0], days.fall_72h_k[0]]).all()


@pytest.mark.parametrize(
    ("minima_c", "wave_class", "signal"),
    [
        ([10.0, 2.1], "", ""),
        ([10.0, 2.0], "cold_wave", "blue"),
        # Falls deep enough, but not cold enough.
        ([20.0, 4.1], "", ""),
        ([20.0, 4.0], "cold_wave", "yellow"),
        # 9.9 K in 48 h, then 10.
        ([10.0, 6.0, 0.1], "", "blue"),
        ([10.0, 6.0, 0.0], "cold_wave", "blue"),
        ([10.0, 7.0, 3.0, -2.0], "cold_wave", "blue"),
        ([12.0, 2.0], "strong", "yellow"),
        ([12.0, 0.0], "extreme", "orange"),
        ([11.0, 0.0], "strong", "yellow"),
        ([15.9, 0.0], "extreme", "orange"),
        ([16.0, 0.0], "extreme", "red"),
        ([10.0, 5.0, -1.0, -6.0], "extreme", "blue"),
        ([-6.0, 10.0], "", ""),
    ],
)
def test_class_and_colour_at_their_thresholds(minima_c, wave_class, signal):
    days = cold_wave_days(weather_of(minima_c))
    assert (days.wave_class[-1], days.signal[-1]) == (wave_class, signal)


def test_days_covered_in_part_are_left_out():
    days = cold_wave_days(weather_of([5.0, -5.0], lead_h=7))
    assert days.day.astype(str).tolist() == ["2026-01-10", "2026-01-11"]
    short = weather_of([5.0])
    with pytest.raises(InputError, match="no whole local day"):
        cold_wave_days(
            replace(short, time_utc=short.time_utc + np.timedelta64(1, "h")),
        )


def test_the_fast_wave_is_a_cold_wave_and_the_typical_day_before_it_is_none():
    days = cold_wave_days(scenario_weather("140802", start=date(2026, 1, 20), days=5, wave="W1", seed=1))
    coldest = int(days.minimum_c.argmin())
    assert days.fall_72h_k[coldest] > 12.0 - 1.0
    assert (days.wave_class[coldest], days.wave_class[coldest - 3]) == ("cold_wave", "")
    assert "blue" in days.signal


def test_own_levels_replace_those_of_the_table():
    levels = [replace(level, minimum_c=-20.0) for level in cold_wave_levels()]
    assert set(cold_wave_days(weather_of([16.0, 0.0]), levels=levels).signal) == {""}


def test_what_is_only_remembered_is_marked_so():
    marks = {level.level: level.confidence for level in cold_wave_levels()}
    assert (marks["cold_wave"], marks["strong"], marks["extreme"], marks["red"]) == ("S2", "G", "G", "S")


@given(st.lists(st.floats(-30, 20), min_size=2, max_size=12))
def test_a_fall_within_a_longer_time_is_never_smaller(minima_c):
    days = cold_wave_days(weather_of(minima_c))
    assert (days.fall_48h_k[1:] >= days.fall_24h_k[1:]).all()
    assert (days.fall_72h_k[1:] >= days.fall_48h_k[1:]).all()
    # Every colour is met by a fall that its class sees too, except blue, which asks for less in 48 h.
    assert (days.wave_class[np.isin(days.signal, ["yellow", "orange", "red"])] != "").all()
