"""Homes as loads of buses: what is added up where, in which unit and with which sign."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from gridcheck.demand.households import (
    ServicePoints,
    draw_homes,
    heated_zones,
    household_loads,
    load_cases,
    phase_load_cases,
    pv_power_kw,
    simulate,
    simulate_base,
    station_zones,
)
from gridcheck.demand.parameters import default_parameters
from gridcheck.demand.weather import scenario_weather
from gridcheck.errors import InputError

PARAMETERS = default_parameters()
WEATHER = scenario_weather("140881", start=date(2026, 1, 20), days=2, seed=2)
SEED, N, N_BUS = 5, 60, 7
NUMBER = np.arange(N)
HOMES = draw_homes(NUMBER, NUMBER % 5, seed=SEED)
BUS = NUMBER * 3 % 5 + 1  # bus 0 and bus 6 have no homes
THREE = HOMES.phases == 3


@pytest.fixture(scope="module", name="by_home")
def power_of_each_home():
    zones = heated_zones(HOMES, PARAMETERS, seed=SEED, step_s=900.0)
    heating = simulate(zones, WEATHER, PARAMETERS, n_group=N, threads=1)
    base = simulate_base(NUMBER, WEATHER, PARAMETERS, seed=SEED, group=NUMBER, n_group=N)
    energy_kwh = np.bincount(zones["home"], weights=heating.energy_kwh)
    return heating.power_kw.astype(float), heating.reactive_kvar.astype(float), base, energy_kwh


def loads_of(points: ServicePoints, *, homes=HOMES, threads=1):
    return household_loads(homes, points, WEATHER, PARAMETERS, seed=SEED, threads=threads)


def test_every_home_is_on_its_bus_and_phase(by_home):
    heating_kw, heating_kvar, (base_kw, base_kvar), energy_kwh = by_home
    expected_p, expected_q = np.zeros((2, N_BUS, 3, heating_kw.shape[1]))
    assert 0 < THREE.sum() < N
    for home in range(N):
        phases = [0, 1, 2] if THREE[home] else [HOMES.phase[home]]
        for phase in phases:
            expected_p[BUS[home], phase] += (heating_kw + base_kw)[home] / len(phases)
            expected_q[BUS[home], phase] += (heating_kvar + base_kvar)[home] / len(phases)
    loads = loads_of(ServicePoints(bus_of_home=BUS, n_bus=N_BUS))
    np.testing.assert_allclose(loads.p_kw, expected_p, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(loads.q_kvar, expected_q, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(loads.heating_kwh, energy_kwh, rtol=1e-12)
    assert not loads.p_kw[[0, 6]].any()


def test_cases_are_in_megawatts_and_both_views_agree(by_home):
    loads = loads_of(ServicePoints(bus_of_home=BUS, n_bus=N_BUS))
    balanced, by_phase = load_cases(loads), phase_load_cases(loads)
    assert balanced.p_mw.shape == (2 * 96, N_BUS)
    assert by_phase.p_mw.shape == (2 * 96, N_BUS, 3)
    np.testing.assert_allclose(by_phase.p_mw.sum(axis=2), balanced.p_mw, rtol=1e-9, atol=1e-12)
    total_mw = (by_home[0].sum(axis=0) + by_home[2][0].sum(axis=0, dtype=float)) / 1000.0
    np.testing.assert_allclose(balanced.p_mw.sum(axis=1), total_mw, rtol=1e-5)
    assert (balanced.p_mw >= 0.0).all()
    assert balanced.duration_h.tolist() == [0.25] * (2 * 96)


def test_layers_are_masks_over_the_same_homes(by_home):
    before = loads_of(ServicePoints(bus_of_home=BUS, n_bus=N_BUS, is_heated=NUMBER < 20))
    after = loads_of(ServicePoints(bus_of_home=BUS, n_bus=N_BUS, is_heated=NUMBER < 45))
    assert np.array_equal(before.heating_kwh[:20], after.heating_kwh[:20])
    assert not before.heating_kwh[20:].any()
    added_kw = (after.p_kw - before.p_kw).sum(axis=(0, 1), dtype=float)
    np.testing.assert_allclose(added_kw, by_home[0][20:45].sum(axis=0), rtol=1e-4, atol=1e-4)


def test_nobody_is_heated():
    loads = loads_of(ServicePoints(bus_of_home=BUS, n_bus=N_BUS, is_heated=np.zeros(N, dtype=bool)))
    assert not loads.heating_kwh.any()
    assert loads.p_kw.sum() > 0.0


def test_roofs_feed_in_as_negative_load():
    single = int(np.flatnonzero(~THREE)[0])
    kwp = np.zeros(N)
    kwp[single] = 5.0
    bare, small = (loads_of(ServicePoints(bus_of_home=BUS, n_bus=N_BUS, pv_kwp=given)) for given in (None, kwp))
    large = loads_of(ServicePoints(bus_of_home=BUS, n_bus=N_BUS, pv_kwp=4.0 * kwp))
    course_kw = pv_power_kw(WEATHER, 5.0, PARAMETERS)
    drop_kw = bare.p_kw.astype(float) - small.p_kw
    np.testing.assert_allclose(drop_kw[BUS[single], HOMES.phase[single]], course_kw, atol=1e-5)
    assert drop_kw.sum() == pytest.approx(course_kw.sum(), rel=1e-5)
    # 20 kWp are beyond one phase: a third on each.
    drop_kw = bare.p_kw.astype(float) - large.p_kw
    for phase in range(3):
        np.testing.assert_allclose(drop_kw[BUS[single], phase], 4.0 / 3.0 * course_kw, atol=1e-5)
    assert np.array_equal(bare.q_kvar, large.q_kvar)
    many = loads_of(ServicePoints(bus_of_home=BUS, n_bus=N_BUS, pv_kwp=np.full(N, 20.0)))
    assert load_cases(many).p_mw.min() < -0.05


def test_stations_are_balanced_on_their_bus():
    loads = loads_of(ServicePoints(bus_of_home=BUS, n_bus=N_BUS))
    zones = station_zones(
        "air_source_station", np.array([80]), PARAMETERS, seed=SEED, step_s=900.0, group=np.array([6])
    )
    more = loads.with_stations(zones, WEATHER, PARAMETERS)
    alone = simulate(zones, WEATHER, PARAMETERS, n_group=N_BUS)
    np.testing.assert_allclose(more.p_kw[6].sum(axis=0), alone.power_kw[6], rtol=1e-6)
    assert np.array_equal(more.p_kw[6, 0], more.p_kw[6, 2])
    assert np.array_equal(more.p_kw[:6], loads.p_kw[:6])


def test_threads_give_the_same_bits():
    points = ServicePoints(bus_of_home=BUS, n_bus=N_BUS)
    one, two = loads_of(points), loads_of(points, threads=2)
    for name in ("p_kw", "q_kvar", "heating_kwh"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()


def test_migrants_are_told_apart():
    is_away = NUMBER % 3 == 0
    away = loads_of(ServicePoints(bus_of_home=NUMBER, n_bus=N), homes=replace(HOMES, is_away=is_away))
    # Late in January, four weeks before New Year: nobody is back, rooms stay cold, a meter and a router run.
    rooms = is_away & np.isin(HOMES.device, (0, 3))
    standby_kw = np.array([0.005, 0.0, 0.0, 0.0])
    for home in np.flatnonzero(rooms):
        expected_kw = 0.02 + HOMES.units[home] * standby_kw[HOMES.device[home]]
        np.testing.assert_allclose(away.p_kw[home].sum(axis=0), expected_kw, rtol=1e-5)


def test_wrong_points_are_refused():
    with pytest.raises(InputError, match=r"buses must be positions in \[0, 3\)") as caught:
        ServicePoints(bus_of_home=np.array([0, 3, -1]), n_bus=3, pv_kwp=np.array([0.0, np.nan, 0.0]))
    assert len(caught.value.findings) == 3
    with pytest.raises(InputError, match="pv_kwp must have shape"):
        ServicePoints(bus_of_home=np.array([0, 1]), n_bus=3, pv_kwp=np.zeros(3))
    with pytest.raises(InputError, match="one bus for each of 60 homes"):
        loads_of(ServicePoints(bus_of_home=np.zeros(3, dtype=np.int64), n_bus=3))
