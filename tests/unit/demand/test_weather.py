"""Synthetic typical winter and cold waves, against the published statistics of the basin station."""

from datetime import date

import numpy as np
import pytest

from gridcheck.demand.clock import local_day, local_hour, local_midnight_utc
from gridcheck.demand.weather import WARM_UP_DAYS, Weather, scenario_weather
from gridcheck.demand.weather.cold_waves import cold_wave, cold_waves, wave_course
from gridcheck.demand.weather.typical_winter import county_offset_k, diurnal_shape, monthly_course, winter_statistics
from gridcheck.errors import ConfigError, InputError

BASIN = "140802"
# Yanhu's seat stands 11 m below the station: 6.5 K/km x 0.011 km.
BASIN_OFFSET_K = 0.0715
START = date(2026, 1, 20)


def test_local_clock_is_eight_hours_ahead():
    time_utc = np.array(["2026-01-19T15:45", "2026-01-19T16:00"], dtype="datetime64[ns]")
    assert local_hour(time_utc).tolist() == [23.75, 0.0]
    assert local_day(time_utc).astype(str).tolist() == ["2026-01-19", "2026-01-20"]
    assert local_midnight_utc(START) == time_utc[1]


@pytest.mark.parametrize("seed", [0, 1, 20260120])
@pytest.mark.parametrize("days", [1, 3, 5, 10])
@pytest.mark.parametrize(("wave", "minimum_c"), [("W1", -14.0), ("W2", -14.0), ("W4", -19.0)])
def test_wave_reaches_its_minimum_inside_the_window_whatever_the_seed(wave, minimum_c, days, seed):
    weather = scenario_weather(BASIN, start=START, days=days, wave=wave, seed=seed)
    coldest = int(weather.temperature_c.argmin())
    assert weather.temperature_c[coldest] == pytest.approx(minimum_c + BASIN_OFFSET_K, abs=1e-9)
    assert weather.study.start <= coldest < weather.study.stop
    assert local_hour(weather.time_utc)[coldest] == 8.0


def test_wet_wave_lies_five_kelvin_below_the_season_with_a_small_swing():
    weather = scenario_weather(BASIN, start=date(2026, 1, 16), days=1, wave="W3", seed=1)
    day = weather.temperature_c[weather.study]
    normal_c = monthly_course(weather.time_utc[weather.study][32:33], winter_statistics().monthly_mean_c)[0]
    assert day.mean() == pytest.approx(normal_c - 5.0 + BASIN_OFFSET_K, abs=0.02)
    assert day.max() - day.min() == pytest.approx(5.0, abs=0.1)
    assert weather.humidity_percent[weather.study] == pytest.approx(85.0)
    sunny = scenario_weather(BASIN, start=date(2026, 1, 16), days=1, wave="none", seed=1)
    assert weather.solar_w_per_m2[weather.study].sum() == pytest.approx(0.35 * sunny.solar_w_per_m2[sunny.study].sum())


def test_fast_wave_falls_twelve_kelvin_in_36_hours_holds_60_and_recovers_in_48():
    template = cold_wave("W1")
    hours = np.array([-66.0, -48.0, -30.0, 0.0, 30.0, 54.0, 78.0])
    course_c, weight = wave_course(hours, np.zeros(7), template, normal_c=0.0)
    # Before: -14 + 12 + 10/2 = 3 and 0.5 of sag; half way down at -48 h; floor -9.
    assert course_c == pytest.approx([3.5, -2.5, -8.5, -9.0, -8.5, -2.5, 3.5])
    assert weight.tolist() == [1.0] * 7


def test_typical_winter_meets_the_published_statistics():
    seasons = [
        scenario_weather(BASIN, start=date(2025, 11, 15), days=121, wave="none", seed=seed) for seed in range(24)
    ]
    hourly = np.array([season.temperature_c[season.study][::4] - BASIN_OFFSET_K for season in seasons])
    daily = hourly.reshape(len(seasons), 121, 24).mean(axis=2)
    degree_days = np.maximum(18.0 - daily, 0.0).sum(axis=1)
    lag_1 = [np.corrcoef(course[1:], course[:-1])[0, 1] for course in daily]
    achieved = {
        "season mean": (hourly.mean(), 2.74, 0.3),
        "spread": (hourly.std(axis=1).mean(), 5.5, 0.4),
        "HDD18": (degree_days.mean(), 1846.0, 74.0),
        "1 % value": (np.quantile(hourly, 0.01, axis=1).mean(), -8.0, 0.7),
        "5 % value": (np.quantile(hourly, 0.05, axis=1).mean(), -5.9, 0.7),
        "95 % value": (np.quantile(hourly, 0.95, axis=1).mean(), 11.8, 0.7),
        "minimum": (hourly.min(axis=1).mean(), -10.5, 1.0),
        "coldest day": (daily.min(axis=1).mean(), -4.1, 0.8),
        "lag 1 of daily means": (np.mean(lag_1), 0.86, 0.04),
        "hours below zero": ((hourly < 0.0).sum(axis=1).mean(), 946.0, 95.0),
    }
    assert {name: row for name, row in achieved.items() if abs(row[0] - row[1]) > row[2]} == {}


def test_monthly_means_are_kept():
    january = scenario_weather(BASIN, start=date(2026, 1, 1), days=31, wave="none", seed=0)
    course = monthly_course(january.time_utc[january.study], winter_statistics().monthly_mean_c)
    assert course.mean() == pytest.approx(-0.6, abs=0.05)
    # The coldest month lies below its own mean in its middle: straight lines through the means would cut that off.
    assert course.min() < -1.0
    assert monthly_course(january.time_utc, np.full(12, 3.0)) == pytest.approx(3.0)


def test_day_has_its_lowest_value_at_8_and_its_highest_at_16_and_mean_zero():
    hour = np.arange(96) / 4
    shape = diurnal_shape(hour, winter_statistics())
    assert (hour[shape.argmin()], hour[shape.argmax()]) == (8.0, 16.0)
    assert (shape.min(), shape.max()) == (-0.5, 0.5)
    assert shape.mean() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("county_code", "january_k"),
    [
        # -1.9 + 6.5 (0.579 - 0.365) = -0.509 at the station.
        (BASIN, 0.0715),
        # Jiang county, seat at 718 m: -2.8 + 6.5 (0.762 - 0.718) + 0.509.
        ("140826", -2.005),
        # Pinglu, seat at 375 m: -1.7 + 6.5 (0.673 - 0.375) + 0.509.
        ("140829", 0.746),
    ],
)
def test_counties_differ_by_climate_and_height(county_code, january_k):
    assert county_offset_k(county_code)[0] == pytest.approx(january_k, abs=1e-9)


def test_counties_of_one_seed_share_the_weather():
    here = scenario_weather(BASIN, start=START, days=5, wave="W1", seed=3)
    hills = scenario_weather("140826", start=START, days=5, wave="W1", seed=3)
    difference = hills.temperature_c - here.temperature_c
    assert difference == pytest.approx(-2.07, abs=0.1)


def test_a_day_is_the_same_in_every_window_of_one_seed():
    week = scenario_weather(BASIN, start=START, days=7, wave="none", seed=5)
    later = scenario_weather(BASIN, start=date(2026, 1, 22), days=2, wave="none", seed=5)
    assert later.temperature_c[later.study] == pytest.approx(week.temperature_c[week.study][2 * 96 : 4 * 96])


def test_same_seed_same_bytes_other_seed_other_days():
    one, same, other = (scenario_weather(BASIN, start=START, days=2, wave="none", seed=seed) for seed in (1, 1, 2))
    assert one.temperature_c.tobytes() == same.temperature_c.tobytes()
    assert np.abs(one.temperature_c - other.temperature_c).max() > 0.5


def test_record_has_steps_of_15_min_warm_up_and_a_label():
    weather = scenario_weather(BASIN, start=START, days=5, wave="W1", seed=1)
    assert len(weather.time_utc) == (WARM_UP_DAYS + 5) * 96
    assert weather.step_h == 0.25
    assert weather.time_utc[weather.study][0] == local_midnight_utc(START)
    assert weather.synthetic
    assert weather.label == "synthetic: typical winter with fast cold wave (W1), seed 1"
    with pytest.raises(ValueError, match="read-only"):
        weather.temperature_c[0] = 0.0


def test_unknown_wave_names_the_allowed_ones():
    with pytest.raises(ConfigError, match="Allowed are none, W1, W2, W3, W4"):
        scenario_weather(BASIN, start=START, days=5, wave="W9", seed=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"county_code": "999999"}, "not known"),
        ({"days": 0}, "days must be"),
        ({"days": 367}, "days must be"),
        ({"seed": -1}, "seed must not"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    arguments = {"county_code": BASIN, "start": START, "days": 5, "wave": "none", "seed": 1} | change
    with pytest.raises(InputError, match=message):
        scenario_weather(arguments.pop("county_code"), **arguments)


def test_weather_of_a_user_needs_only_temperature():
    time_utc = np.datetime64("2026-01-01", "ns") + np.arange(4) * np.timedelta64(1, "h")
    given = {"county_code": BASIN, "time_utc": time_utc, "label": "mine", "synthetic": False, "study": slice(2, 4)}
    weather = Weather(temperature_c=np.zeros(4), **given)
    assert weather.solar_w_per_m2.tolist() == [0.0] * 4
    assert weather.humidity_percent.tolist() == [58.0] * 4
    with pytest.raises(InputError, match="finite"):
        Weather(temperature_c=np.array([0.0, np.nan, 0.0, 0.0]), **given)
    with pytest.raises(InputError, match="even steps"):
        Weather(temperature_c=np.zeros(4), **(given | {"time_utc": time_utc[[0, 1, 3, 2]]}))
    with pytest.raises(InputError, match="study"):
        Weather(temperature_c=np.zeros(4), **(given | {"study": slice(4, 9)}))


def test_templates_are_listed_in_order():
    assert [template.wave for template in cold_waves()] == ["W1", "W2", "W3", "W4"]
