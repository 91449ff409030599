"""Village stations and rooftop power against numbers by hand and from the literature."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from gridcheck.catalogue import central_stations
from gridcheck.demand.clock import local_day, local_hour
from gridcheck.demand.households import pv_power_kw, simulate, station_zones
from gridcheck.demand.parameters import default_parameters
from gridcheck.demand.weather import Weather, scenario_weather, steady_days, typical_weather
from gridcheck.errors import InputError

PARAMETERS = default_parameters()


def station(name: str, weather: Weather, n_home: int = 100):
    zones = station_zones(name, np.array([n_home]), PARAMETERS, seed=1, step_s=weather.step_h * 3600.0)
    return zones, simulate(zones, weather, PARAMETERS, n_group=1)


def test_a_boiler_station_draws_heat_losses_and_pumps():
    _, made = station("electric_boiler_station", steady_days(0.0, days=3))
    # 7.5 % of the heat is lost on the way, pumps take 3 % on top.
    assert made.energy_kwh[0] == pytest.approx(made.heat_kwh[0] * 1.03 / 0.925, rel=2e-3)


def test_a_station_holds_the_temperature_down_to_its_sizing():
    # Sizing: 18.5 - 24 K; people and sun give the rest. Below, rooms cool and the station is at its limit.
    for name in ("electric_boiler_station", "air_source_station"):
        assert station(name, steady_days(-4.0, days=3, range_k=0.0))[1].room_c[0] == pytest.approx(18.5, abs=1.0)
    zones, made = station("electric_boiler_station", steady_days(-18.0, days=3, range_k=0.0))
    assert made.room_c[0] < 16.0
    assert made.power_kw.max() == pytest.approx(zones["max_input_w"][0] / 1000.0, rel=1e-6)


def test_a_station_of_heat_pumps_draws_15_to_30_watts_per_square_metre():
    zones, made = station("air_source_station", steady_days(-5.5, days=3, range_k=0.0))
    assert 15.0 < 1000.0 * made.power_kw.mean() / zones["area_m2"][0] < 30.0
    row = central_stations().loc["air_source_station"]
    assert row["rated_kw_min"] <= zones["rated_w"][0] / 1000.0 <= row["rated_kw_max"]
    assert made.power_kw.max() <= zones["max_input_w"][0] / 1000.0


def test_twice_the_homes_draw_twice_the_power():
    weather = steady_days(0.0)
    one, two = (station("air_source_station", weather, n_home)[1] for n_home in (100, 200))
    np.testing.assert_allclose(two.power_kw, 2.0 * one.power_kw, rtol=1e-5)


def test_wrong_stations_are_refused():
    with pytest.raises(InputError, match="station must be one of"):
        station_zones("coal", np.array([100]), PARAMETERS, seed=1, step_s=900.0)
    with pytest.raises(InputError, match="must heat 50 to 300 homes") as caught:
        station_zones("air_source_station", np.array([100, 3, 900]), PARAMETERS, seed=1, step_s=900.0)
    assert len(caught.value.findings) == 2


def clear_sky(weather: Weather) -> Weather:
    """Haurwitz's clear sky, from the height of the sun alone."""
    day = local_day(weather.time_utc)
    number = (day - day.astype("datetime64[Y]")).astype(float) + 1.0
    declination = np.deg2rad(23.45 * np.sin(2.0 * np.pi * (284.0 + number) / 365.0))
    angle = np.deg2rad(15.0 * (local_hour(weather.time_utc) + weather.step_h / 2.0 - 12.0) - (120.0 - 111.05))
    latitude = np.deg2rad(35.05)
    sine = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(angle)
    sine = np.maximum(sine, 1e-3)
    return replace(weather, solar_w_per_m2=np.where(sine > 1e-3, 1098.0 * sine * np.exp(-0.057 / sine), 0.0))


def test_a_clear_winter_noon_gives_what_is_seen_in_the_field():
    weather = clear_sky(steady_days(0.0, day=date(2026, 1, 15)))
    power_kw = pv_power_kw(weather, 1.0, PARAMETERS)
    assert 0.60 <= power_kw.max() <= 0.75
    assert local_hour(weather.time_utc[weather.study])[power_kw.argmax()] == pytest.approx(12.6, abs=0.3)
    assert power_kw.min() == 0.0


def test_a_year_gives_what_is_seen_in_the_field():
    years = [typical_weather(start=date(2025, 1, 1), days=365, seed=seed) for seed in range(8)]
    kwh = [0.25 * pv_power_kw(weather, 1.0, PARAMETERS).sum() for weather in years]
    assert 1050.0 <= min(kwh) <= max(kwh) <= 1200.0


def test_a_flat_roof_gets_what_the_ground_gets():
    weather = clear_sky(steady_days(25.0, day=date(2026, 3, 20)))
    flat = PARAMETERS.with_overrides({"pv_slope_deg": 0.0, "pv_module_rise_k_m2_per_w": 0.0})
    ground = weather.solar_w_per_m2[weather.study]
    loss = 1.0 - 0.0036 * (weather.temperature_c[weather.study] - 25.0)
    high = ground > 100.0
    np.testing.assert_allclose(
        pv_power_kw(weather, 2.0, flat)[high], (2.0 * 0.87 * ground / 1000.0 * loss)[high], rtol=1e-9
    )


def test_roofs_scale_with_their_modules():
    weather = scenario_weather("140802", start=date(2026, 1, 20), days=1, seed=1)
    power_kw = pv_power_kw(weather, np.array([0.0, 1.0, 20.0]), PARAMETERS)
    assert power_kw.shape == (3, 96)
    assert not power_kw[0].any()
    np.testing.assert_allclose(power_kw[2], 20.0 * power_kw[1])
