"""Cold waves laid over any weather, and weather moved to the height of a village."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridcheck.demand.clock import local_hour, local_midnight_utc
from gridcheck.demand.weather import Weather, at_height, height_offset_k, overlay_wave, scenario_weather
from gridcheck.demand.weather.typical_winter import county_offset_k
from gridcheck.errors import ConfigError, InputError

BASIN = "140802"
START = date(2026, 1, 20)
COLDEST = date(2026, 1, 23)


def measured(county_code: str = BASIN, *, level_c: float = 3.0, sun: float = 200.0, step_min: int = 15) -> Weather:
    """Forty days of one temperature, as a user may bring them."""
    n = 40 * 24 * 60 // step_min
    return Weather(
        county_code=county_code,
        time_utc=local_midnight_utc(date(2026, 1, 5)) + np.arange(n) * np.timedelta64(step_min, "m"),
        temperature_c=np.full(n, level_c),
        label="measured",
        synthetic=False,
        study=slice(0, n),
        solar_w_per_m2=np.full(n, sun),
        humidity_percent=np.full(n, 40.0),
    )


@pytest.mark.parametrize("wave", ["W1", "W2", "W3", "W4"])
@pytest.mark.parametrize("county_code", [BASIN, "140826"])
def test_over_the_typical_winter_it_gives_the_weather_of_a_scenario(wave, county_code):
    drawn = scenario_weather(county_code, start=START, days=5, wave=wave, seed=4)
    laid = overlay_wave(scenario_weather(county_code, start=START, days=5, wave="none", seed=4), wave, COLDEST)
    assert laid.temperature_c == pytest.approx(drawn.temperature_c, abs=1e-9)
    assert laid.solar_w_per_m2 == pytest.approx(drawn.solar_w_per_m2, abs=1e-9)
    assert laid.humidity_percent == pytest.approx(drawn.humidity_percent, abs=1e-9)


@pytest.mark.parametrize("step_min", [15, 60])
@pytest.mark.parametrize(("wave", "minimum_c"), [("W1", -14.0), ("W2", -14.0), ("W4", -19.0)])
@pytest.mark.parametrize("county_code", [BASIN, "140826"])
def test_over_measured_weather_it_reaches_its_minimum_at_eight(county_code, wave, minimum_c, step_min):
    laid = overlay_wave(measured(county_code, step_min=step_min), wave, COLDEST)
    coldest = int(laid.temperature_c.argmin())
    # January's offset at its middle, a few days before: within a tenth.
    assert laid.temperature_c[coldest] == pytest.approx(minimum_c + county_offset_k(county_code)[0], abs=0.15)
    assert str(laid.time_utc[coldest] + np.timedelta64(8, "h")).startswith("2026-01-23T08:00")
    assert laid.synthetic
    assert laid.label.startswith("measured, with ")


def test_outside_the_wave_nothing_changes_even_where_it_was_colder():
    cold = measured(level_c=-25.0)
    laid = overlay_wave(cold, "W1", COLDEST)
    # W1: 30 h of half floor, 36 h of fall, 36 h of passage before the minimum; 30, 48 and 36 after it.
    hours = (laid.time_utc - local_midnight_utc(COLDEST)) / np.timedelta64(1, "h") - 8.0
    far = (hours <= -102.0) | (hours >= 114.0)
    assert (laid.temperature_c[far] == -25.0).all()
    assert laid.temperature_c[~far].min() > -25.0
    assert (laid.solar_w_per_m2[far] == 200.0).all()
    assert cold.temperature_c[0] == -25.0


def test_wet_wave_has_little_sun_and_weather_without_sun_stays_without():
    noon = local_hour(measured().time_utc) == 12.0
    at = np.flatnonzero(noon)[18]
    assert overlay_wave(measured(), "W3", COLDEST).solar_w_per_m2[at] < 0.4 * 450.0
    assert not overlay_wave(measured(sun=0.0), "W1", COLDEST).solar_w_per_m2.any()


def test_offset_of_the_place_may_be_given_where_the_county_is_not_known():
    elsewhere = measured("610502")
    with pytest.raises(InputError, match="610502"):
        overlay_wave(elsewhere, "W1", COLDEST)
    laid = overlay_wave(elsewhere, "W1", COLDEST, offset_k=np.full(12, -2.0))
    assert laid.temperature_c.min() == pytest.approx(-16.0, abs=1e-6)


def test_wrong_waves_and_days_are_refused():
    with pytest.raises(ConfigError, match="W9"):
        overlay_wave(measured(), "W9", COLDEST)
    with pytest.raises(InputError, match="lies outside the weather"):
        overlay_wave(measured(), "W1", date(2026, 3, 1))


# ------------------------------------------------------------------------------------------------------------ heights


def test_height_by_hand():
    # 6.5 K/km over 300 m and 1000 m; a village below the place is not taken to be warmer.
    offset = height_offset_k(from_height_m=400.0, to_height_m=[400.0, 700.0, 1400.0, 300.0])
    assert offset == pytest.approx([0.0, -1.95, -6.5, 0.0])
    warm = height_offset_k(from_height_m=400.0, to_height_m=[300.0], warmer_below=True)
    assert warm == pytest.approx([0.65])
    assert height_offset_k(from_height_m=400, to_height_m=500, lapse_rate_k_per_km=5.0) == pytest.approx(-0.5)


def test_weather_at_the_height_of_a_village():
    weather = measured()
    high = at_height(weather, from_height_m=365.0, to_height_m=765.0)
    assert high.temperature_c == pytest.approx(3.0 - 2.6)
    assert high.label == "measured, moved from 365 to 765 m (-2.6 K)"
    assert high.solar_w_per_m2 is weather.solar_w_per_m2
    assert at_height(weather, from_height_m=365.0, to_height_m=330.0) is weather


@given(
    place=st.floats(200, 1500),
    villages=st.lists(st.floats(200, 2300), min_size=1, max_size=20),
)
def test_higher_is_never_warmer_and_never_warmer_than_the_place(place, villages):
    heights = np.sort(np.array(villages))
    offset = height_offset_k(from_height_m=place, to_height_m=heights)
    assert (np.diff(offset) <= 0).all()
    assert (offset <= 0).all()
    both = height_offset_k(from_height_m=place, to_height_m=heights, warmer_below=True)
    assert both == pytest.approx(-0.0065 * (heights - place))


@pytest.mark.parametrize("height_m", [np.nan, -1000.0, 9000.0])
def test_heights_that_are_none_are_refused(height_m):
    with pytest.raises(InputError, match="to_height_m must be heights"):
        height_offset_k(from_height_m=400.0, to_height_m=[500.0, height_m])


def test_a_village_is_moved_after_the_wave_was_laid():
    laid = overlay_wave(measured(), "W1", COLDEST)
    moved = at_height(laid, from_height_m=365.0, to_height_m=565.0)
    assert moved.temperature_c - laid.temperature_c == pytest.approx(-1.3)
    assert replace(moved, temperature_c=laid.temperature_c).time_utc is laid.time_utc
