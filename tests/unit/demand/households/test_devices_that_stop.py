"""Devices of a planner that stop in too hard a frost: no heat, no input of a compressor, standby and element alone."""

from dataclasses import replace

import numpy as np
import pytest

from gridcheck.catalogue import DEVICE_CLASSES, class_devices
from gridcheck.demand import default_parameters, device_parameters, seasonal_cop
from gridcheck.demand.households import draw_homes, heated_zones, simulate
from gridcheck.demand.weather import in_minutes, steady_days
from tests.support.one_zone import OneZone, zones_and_envelope
from tests.support.steady_weather import steady_weather

SEED, N, LEAST_C = 4, 120, -12.0
NUMBER = np.arange(N)
# Half air to air, half air to water, of which a quarter has an element.
HOMES = draw_homes(NUMBER, NUMBER % 2, seed=SEED)


def with_least(least_c):
    """Parameters with both air-source classes as a planner's devices that stop below a temperature."""
    parameters = default_parameters()
    own = {
        device.device: device_parameters(replace(device, min_outdoor_c=least_c))
        for device in class_devices()
        if device.device.startswith("air_")
    }
    return replace(parameters, devices=tuple(own.get(entry.device, entry) for entry in parameters.devices))


def run(weather, parameters):
    zones = heated_zones(HOMES, parameters, seed=SEED, step_s=weather.step_h * 3600.0)
    zones["group"] = np.arange(len(zones))
    return zones, simulate(zones, weather, parameters, n_group=len(zones), threads=1)


def steady(mean_c, *, by_minute, range_k=0.0):
    weather = steady_days(mean_c, range_k=range_k)
    return in_minutes(weather) if by_minute else weather


@pytest.mark.parametrize("by_minute", [False, True])
def test_below_its_least_temperature_only_standby_and_element_are_drawn(by_minute):
    zones, made = run(steady(LEAST_C - 0.1, by_minute=by_minute), with_least(LEAST_C))
    standby_kw, backup_kw = zones["standby_w"] / 1000.0, zones["backup_w"] / 1000.0
    none = zones["backup_w"] == 0.0
    np.testing.assert_allclose(made.power_kw[none], np.repeat(standby_kw[none, None], made.power_kw.shape[1], 1))
    assert (made.power_kw <= (standby_kw + backup_kw)[:, None] * (1.0 + 1e-6)).all()
    # Somebody uses the element, all of it, and it is all the heat there is.
    assert np.isclose(made.power_kw.max(axis=1), standby_kw + backup_kw)[~none].any()
    np.testing.assert_allclose(made.heat_kwh, made.energy_kwh - 24.0 * standby_kw, atol=1e-9)
    assert not made.on_h.any()
    for name in ("power_kw", "reactive_kvar", "energy_kwh", "full_load_h", "room_c", "lowest_c"):
        assert np.isfinite(getattr(made, name)).all()
    assert np.median(made.room_c) < -2.0


def test_above_it_nothing_changes():
    weather = steady(LEAST_C + 0.1, by_minute=False)
    (_, stops), (_, runs) = run(weather, with_least(LEAST_C)), run(weather, with_least(-np.inf))
    assert stops.power_kw.tobytes() == runs.power_kw.tobytes()
    assert stops.power_kw.max() > 1.0


def test_the_compressor_comes_back_with_the_warmth_of_the_day():
    weather = steady(LEAST_C, by_minute=False, range_k=8.0)
    zones, made = run(weather, with_least(LEAST_C))
    is_stopped = weather.temperature_c[weather.study] < LEAST_C
    assert 0.2 < is_stopped.mean() < 0.8
    most_w = zones["standby_w"] + zones["backup_w"]
    assert (made.power_kw[:, is_stopped] <= most_w[:, None] / 1000.0 * (1.0 + 1e-6)).all()
    assert (made.power_kw[:, ~is_stopped].max(axis=1) > 1.1 * most_w / 1000.0).mean() > 0.9


def test_homes_and_seasonal_cop_stop_at_the_same_hours():
    device = replace(class_devices()["air_air_heat_pump"], min_outdoor_c=LEAST_C)
    weather = steady_weather(LEAST_C, range_k=8.0)
    zones, made = run(weather, with_least(LEAST_C))
    rooms = zones["device"] == DEVICE_CLASSES.index("air_air_heat_pump")
    runs_at = (made.power_kw[rooms] > 0.1).any(axis=0)
    assert np.count_nonzero(~runs_at) * weather.step_h == seasonal_cop(device, weather).stopped_h > 0.0


def test_a_class_of_the_catalogue_stops_where_its_record_says():
    for device, seen in zip(class_devices(), default_parameters().devices, strict=True):
        assert seen.min_outdoor_c == device.min_outdoor_c
    assert default_parameters().devices[0].min_outdoor_c == -25.0
    assert default_parameters().devices[3].min_outdoor_c == -np.inf


@pytest.mark.parametrize("by_minute", [False, True])
def test_the_kernel_does_what_a_plain_zone_does(by_minute):
    parameters = with_least(LEAST_C)
    weather = steady(LEAST_C, by_minute=by_minute, range_k=8.0)
    if by_minute:
        length = len(weather.time_utc)
        weather = replace(weather, study=slice(length - 1440, length - 600))
    zones, envelope = zones_and_envelope(
        HOMES.at(NUMBER[:12]), parameters, seed=SEED, step_s=weather.step_h * 3600.0
    )  # fmt: skip
    supply = np.ones(len(weather.time_utc), dtype=bool)
    made = simulate(zones, weather, parameters, n_group=len(zones), threads=1)
    for position in range(0, len(zones), 4 if by_minute else 1):
        plain = OneZone(zones[position], envelope, position, weather, parameters).follow(supply)
        power_kw = plain.power_w[weather.study] / 1000.0
        np.testing.assert_allclose(made.power_kw[position], power_kw, rtol=2e-6, atol=1e-6)
