"""The kernel against a plain loop in Python, zone by zone and step by step, and the heat balance of that loop."""

from datetime import date

import numpy as np
import pytest

from gridcheck.catalogue import DEVICE_CLASSES
from gridcheck.demand.households import draw_homes, simulate
from gridcheck.demand.parameters import default_parameters
from gridcheck.demand.weather import Weather, in_minutes, scenario_weather
from tests.support.one_zone import Course, OneZone, zones_and_envelope

PARAMETERS = default_parameters()
PER_CLASS = 8
THRESHOLDS_C = (16.0, 12.0, 8.0, 4.0)


def some_homes(per_class: int):
    """Homes of every class, every fourth that of a migrant; New Year 2026 is on 17 February."""
    number = np.arange(per_class * len(DEVICE_CLASSES))
    return draw_homes(number, number % len(DEVICE_CLASSES), seed=11, is_away=number // len(DEVICE_CLASSES) % 4 == 3)


def minutes() -> Weather:
    """Two days in steps of a minute, the second one counts."""
    quarters = scenario_weather("140881", start=date(2026, 2, 5), days=1, wave="W1", seed=2)
    last = slice(len(quarters.time_utc) - 2 * 96, None)
    return in_minutes(
        Weather(
            county_code=quarters.county_code,
            time_utc=quarters.time_utc[last],
            temperature_c=quarters.temperature_c[last],
            label=quarters.label,
            synthetic=True,
            study=slice(96, 192),
            solar_w_per_m2=quarters.solar_w_per_m2[last],
        )
    )


@pytest.fixture(scope="module", name="runs", params=["quarters", "minutes"])
def both_runs(request):
    """The same homes in kernel and in Python, with an outage in the evening of the first day that counts."""
    if request.param == "quarters":
        weather, per_class = scenario_weather("140881", start=date(2026, 2, 10), days=6, wave="W1", seed=2), PER_CLASS
    else:
        weather, per_class = minutes(), 4
    begin = weather.study.start
    supply = np.ones(len(weather.time_utc), dtype=bool)
    per_hour = round(1.0 / weather.step_h)
    supply[begin + 18 * per_hour : begin + 21 * per_hour] = False
    zones, envelope = zones_and_envelope(some_homes(per_class), PARAMETERS, seed=11, step_s=weather.step_h * 3600.0)
    simulated = simulate(
        zones, weather, PARAMETERS, n_group=len(zones), supply=supply, thresholds_c=THRESHOLDS_C, threads=1
    )
    plain = [OneZone(zones[z], envelope, z, weather, PARAMETERS).follow(supply) for z in range(len(zones))]
    return weather, zones, envelope, supply, simulated, plain


def stacked(plain: list[Course], name: str):
    return np.stack([getattr(course, name) for course in plain])


def test_the_zones_are_of_every_kind(runs):
    zones = runs[1]
    assert set(zones["device"]) == set(range(len(DEVICE_CLASSES)))
    assert set(zones["use"]) == {0, 1, 2}
    for name in ("setback_k", "backup_w", "is_inverter", "foresees"):
        assert 0 < np.count_nonzero(zones[name]) < len(zones)
    assert len(np.unique(zones["emitter_keep"])) == 3
    assert np.isfinite(zones["back_day"]).any()


def test_power_is_the_same_in_every_step(runs):
    weather, zones, _, _, simulated, plain = runs
    power_kw = stacked(plain, "power_w")[:, weather.study] / 1000.0
    # Results are in single precision.
    np.testing.assert_allclose(simulated.power_kw, power_kw, rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(simulated.reactive_kvar, power_kw * zones["tan_phi"][:, None], rtol=2e-6, atol=1e-6)
    assert power_kw.max() > 1.0


def test_what_is_kept_of_a_zone_is_the_same(runs):
    weather, _, _, _, simulated, plain = runs
    study, step_h = weather.study, weather.step_h
    power_w, air_c = stacked(plain, "power_w")[:, study], stacked(plain, "air_c")[:, study]
    full_w, on_share = stacked(plain, "full_w")[:, study], stacked(plain, "on_share")[:, study]
    close = {"rtol": 1e-9, "atol": 1e-6}
    np.testing.assert_allclose(simulated.energy_kwh, power_w.sum(axis=1) * step_h / 1000.0, **close)
    np.testing.assert_allclose(
        simulated.heat_kwh, stacked(plain, "heat_w")[:, study].sum(axis=1) * step_h / 1000.0, **close
    )
    np.testing.assert_allclose(simulated.on_h, on_share.sum(axis=1) * step_h, **close)
    np.testing.assert_allclose(simulated.full_load_h, (power_w / full_w).sum(axis=1) * step_h, **close)
    np.testing.assert_allclose(simulated.room_c, air_c.mean(axis=1), **close)
    np.testing.assert_allclose(simulated.lowest_c, air_c.min(axis=1), **close)


def test_rooms_undercut_their_thresholds_at_the_same_time(runs):
    weather, _, _, supply, simulated, plain = runs
    outage = int(np.argmin(supply))
    expected = np.full(simulated.below_h.shape, np.nan)
    for z, course in enumerate(plain):
        for k, threshold_c in enumerate(THRESHOLDS_C):
            cold = np.flatnonzero(course.air_c[outage:] < threshold_c)
            if len(cold):
                expected[z, k] = (cold[0] + 1) * weather.step_h
    np.testing.assert_allclose(simulated.below_h, expected, atol=1e-9)
    assert np.isfinite(expected).any()
    assert np.isnan(expected).any()


def test_heat_is_neither_made_nor_lost(runs):
    """Heaters, people and sun give what walls and air lose and keep; the means over a step are exact integrals."""
    weather, _, envelope, _, simulated, plain = runs
    begin, end = weather.study.start, weather.study.stop
    seconds = weather.step_h * 3600.0
    outdoor_c, sun = weather.temperature_c[begin:end], weather.solar_w_per_m2[begin:end]
    for z, course in enumerate(plain):
        lost_w = envelope.air_loss_w_per_k[z] * (course.mean_air_c[begin:end] - outdoor_c)
        lost_w += envelope.mass_loss_w_per_k[z] * (course.mean_mass_c[begin:end] - outdoor_c)
        given_j = 3.6e6 * simulated.heat_kwh[z]
        given_j += seconds * (envelope.gain_w[z] * (end - begin) + envelope.aperture_m2[z] * sun.sum())
        kept_j = envelope.air_j_per_k[z] * (course.air_c[end - 1] - course.air_c[begin - 1])
        kept_j += envelope.mass_j_per_k[z] * (course.mass_c[end - 1] - course.mass_c[begin - 1])
        # Nothing is approximated, so only rounding is left of terms of up to 1e9 J.
        assert given_j == pytest.approx(seconds * lost_w.sum() + kept_j, rel=1e-8, abs=10.0)


def test_a_store_gives_what_it_took(runs):
    weather, zones, _, _, simulated, plain = runs
    begin, end = weather.study.start, weather.study.stop
    for z in np.flatnonzero(zones["use"] == 2):
        stored_j = plain[z].stored_j
        standby_kwh = zones["standby_w"][z] / 1000.0 * np.count_nonzero(runs[3][begin:end]) * weather.step_h
        taken_j = 3.6e6 * (simulated.energy_kwh[z] - standby_kwh - simulated.heat_kwh[z])
        assert taken_j == pytest.approx(stored_j[end - 1] - stored_j[begin - 1], abs=10.0)
        assert stored_j.min() >= -1.0
        assert stored_j.max() <= zones["store_j"][z] + 1.0
