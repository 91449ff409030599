"""What simulated homes may and may not do: sums, company, nameplates, tariff, outages, summers, wrong input."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from gridcheck.demand.clock import local_hour
from gridcheck.demand.households import draw_homes, heated_zones, simulate, simulate_base
from gridcheck.demand.parameters import default_parameters
from gridcheck.demand.weather import in_minutes, scenario_weather, steady_days
from gridcheck.errors import InputError

PARAMETERS = default_parameters()
SEED, N = 3, 200
NUMBER = np.arange(N)
HOMES = draw_homes(NUMBER, NUMBER % 5, seed=SEED)
WAVE = scenario_weather("140881", start=date(2026, 1, 10), days=5, wave="W1", seed=2)
QUARTERS = 96


def zones_of(homes=HOMES, *, step_s=900.0, group=None):
    return heated_zones(homes, PARAMETERS, seed=SEED, step_s=step_s, group=group)


def nameplate_kw(zones, power_kw):
    most_w = zones["max_input_w"] + zones["backup_w"] + zones["standby_w"]
    return np.bincount(zones["group"], weights=most_w, minlength=len(power_kw)) / 1000.0


@pytest.fixture(scope="module", name="wave")
def simulated_wave():
    return simulate(zones_of(), WAVE, PARAMETERS, n_group=N, threads=1)


def test_the_sum_of_a_group_is_the_sum_of_its_homes(wave):
    group = NUMBER % 7
    sums = simulate(zones_of(group=group), WAVE, PARAMETERS, n_group=9, threads=1)
    for own in range(7):
        for name in ("power_kw", "reactive_kvar"):
            expected = getattr(wave, name)[group == own].sum(axis=0, dtype=float)
            np.testing.assert_allclose(getattr(sums, name)[own], expected, rtol=1e-5, atol=1e-5)
    assert not sums.power_kw[7:].any()
    np.testing.assert_array_equal(sums.energy_kwh, wave.energy_kwh)


def test_power_and_energy_are_the_same_account(wave):
    zones = zones_of()
    power_kwh = wave.power_kw.sum(axis=1, dtype=float) * WAVE.step_h
    energy_kwh = np.bincount(zones["home"], weights=wave.energy_kwh)
    np.testing.assert_allclose(power_kwh, energy_kwh, rtol=1e-5, atol=1e-5)


def test_a_home_lives_alike_in_any_company(wave):
    some = np.random.default_rng(2).permutation(N)[:60]
    few = simulate(zones_of(HOMES.at(some)), WAVE, PARAMETERS, n_group=60, threads=1)
    assert few.power_kw.tobytes() == wave.power_kw[some].tobytes()


def test_threads_and_repetition_give_the_same_bits(wave):
    for threads in (1, 2, 5):
        again = simulate(zones_of(), WAVE, PARAMETERS, n_group=N, threads=threads)
        for name in ("power_kw", "reactive_kvar", "energy_kwh", "heat_kwh", "room_c", "lowest_c"):
            assert getattr(again, name).tobytes() == getattr(wave, name).tobytes()
    mixed = zones_of(group=NUMBER % 7)
    one, two = (simulate(mixed, WAVE, PARAMETERS, n_group=7, threads=threads) for threads in (1, 2))
    assert one.power_kw.tobytes() == two.power_kw.tobytes()


@pytest.mark.parametrize("mean_c", [-25.0, -10.0, 3.0])
def test_no_home_draws_more_than_its_nameplate(mean_c):
    for weather in (steady_days(mean_c), in_minutes(steady_days(mean_c))):
        zones = zones_of(HOMES.at(NUMBER[:50]), step_s=weather.step_h * 3600.0)
        made = simulate(zones, weather, PARAMETERS, n_group=50)
        assert (made.power_kw <= nameplate_kw(zones, made.power_kw)[:, None] * (1.0 + 1e-6)).all()
        assert made.power_kw.max() > 1.0


def test_stores_charge_in_the_valley_only(wave):
    house, hour = PARAMETERS.house, local_hour(WAVE.time_utc[WAVE.study])
    start, end = house["valley_start_hour"], house["valley_end_hour"]
    in_valley = (hour >= start) | (hour < end)
    stores = HOMES.device == 4
    np.testing.assert_allclose(wave.power_kw[stores][:, ~in_valley], 0.002, rtol=1e-6)
    assert (wave.power_kw[stores][:, in_valley].max(axis=1) > 1.0).all()
    # No store takes in more in a night than it holds; what it gives by day comes out of it.
    zones = zones_of()
    own = zones[zones["device"] == 4]
    night = np.split(wave.power_kw[stores], 5, axis=1)
    noon_to_noon = np.concatenate([night[1][:, : QUARTERS // 2], night[0][:, QUARTERS // 2 :]], axis=1)
    taken_kwh = (noon_to_noon.astype(float) - 0.002).sum(axis=1) * 0.25
    given_kwh = taken_kwh - own["store_j"] / 3.6e6
    # While it charges it heats as well, ten hours at most.
    assert (given_kwh <= 10.0 * own["max_input_w"] / 1000.0).all()


def test_a_summer_week_draws_standby_only():
    made = simulate(zones_of(), steady_days(27.0, days=7, day=date(2026, 7, 1)), PARAMETERS, n_group=N)
    zones = zones_of()
    standby_kw = np.bincount(zones["group"], weights=zones["standby_w"]) / 1000.0
    np.testing.assert_allclose(made.power_kw, np.repeat(standby_kw[:, None], 7 * QUARTERS, axis=1), rtol=1e-6)
    assert not made.heat_kwh[zones["use"] != 2].any()


@pytest.fixture(scope="module", name="outage", params=[-10.0, -3.0, 3.0])
def outage_by_minutes(request):
    """Two hours without supply from 17:00, and the same day without an outage, minute by minute."""
    weather = in_minutes(steady_days(request.param, days=2))
    begin = weather.study.start + 17 * 60
    supply = np.ones(len(weather.time_utc), dtype=bool)
    supply[begin : begin + 120] = False
    homes = HOMES.at(NUMBER[(HOMES.device != 4) & (NUMBER < 100)])
    zones = zones_of(homes, step_s=60.0)
    thresholds_c = (18.0, 16.0, 14.0, 12.0, 10.0)
    out, normal = (
        simulate(zones, weather, PARAMETERS, n_group=homes.n_home, supply=given, thresholds_c=thresholds_c)
        for given in (supply, None)
    )
    return homes, zones, out, normal


def test_nothing_is_drawn_without_supply(outage):
    _, _, out, normal = outage
    assert not out.power_kw[:, 17 * 60 : 19 * 60].any()
    assert not out.reactive_kvar[:, 17 * 60 : 19 * 60].any()
    assert np.array_equal(out.power_kw[:, : 17 * 60], normal.power_kw[:, : 17 * 60])


def test_compressors_wait_before_they_restart(outage):
    homes, zones, out, _ = outage
    standby_kw = np.bincount(zones["group"], weights=zones["standby_w"]) / 1000.0
    pumps = homes.device <= 2
    # Three minutes; backup elements wait with the compressor.
    waiting = out.power_kw[pumps, 19 * 60 : 19 * 60 + 3]
    np.testing.assert_allclose(waiting, np.repeat(standby_kw[pumps, None], 3, axis=1), rtol=1e-6)
    assert (out.power_kw[pumps, 19 * 60 + 3] > 2.0 * standby_kw[pumps]).sum() > 10
    direct = homes.device == 3
    assert out.power_kw[direct, 19 * 60].sum() > 0.0


def test_not_more_energy_is_repaid_than_was_not_served(outage):
    _, _, out, normal = outage
    missing_kwh = (normal.power_kw - out.power_kw)[:, 17 * 60 : 19 * 60].sum(dtype=float) / 60.0
    repaid_kwh = (out.power_kw - normal.power_kw)[:, 19 * 60 :].sum(dtype=float) / 60.0
    assert missing_kwh > 0.0
    assert 0.0 < repaid_kwh <= missing_kwh


def test_lower_thresholds_are_undercut_later(outage):
    _, _, out, normal = outage
    below_h = np.where(np.isnan(out.below_h), np.inf, out.below_h)
    assert (below_h[:, 1:] >= below_h[:, :-1]).all()
    assert np.isfinite(below_h).any()
    assert np.isnan(normal.below_h).all()
    coldest = np.array([18.0, 16.0, 14.0, 12.0, 10.0])
    # The lowest temperature of the window lies below whatever was undercut.
    assert (out.lowest_c[:, None] < coldest)[np.isfinite(below_h)].all()


def test_wrong_input_is_refused():
    zones, n_step = zones_of(), len(WAVE.time_utc)
    for wrong in (np.ones(n_step - 1, dtype=bool), np.ones(n_step), np.ones((1, n_step), dtype=bool)):
        with pytest.raises(InputError, match=f"each of the {n_step} steps"):
            simulate(zones, WAVE, PARAMETERS, n_group=N, supply=wrong)
    for n_group in (0, N - 1):
        with pytest.raises(InputError, match="groups of zones"):
            simulate(zones, WAVE, PARAMETERS, n_group=n_group)


def test_no_home_at_all_is_no_load():
    none = np.zeros(0, dtype=np.int64)
    made = simulate(zones_of(draw_homes(none, none, seed=1)), WAVE, PARAMETERS, n_group=2)
    assert made.power_kw.shape == (2, 5 * QUARTERS)
    assert not made.power_kw.any()


def test_the_window_does_not_change_what_happens_in_it():
    longer = replace(WAVE, study=slice(WAVE.study.start - 96, WAVE.study.stop))
    inside, outside = (simulate(zones_of(), weather, PARAMETERS, n_group=N) for weather in (WAVE, longer))
    assert inside.power_kw.tobytes() == outside.power_kw[:, 96:].tobytes()


def test_what_comes_after_the_window_is_not_simulated(wave):
    shorter = replace(WAVE, study=slice(WAVE.study.start, WAVE.study.stop - 96))
    made = simulate(zones_of(), shorter, PARAMETERS, n_group=N)
    assert made.power_kw.tobytes() == wave.power_kw[:, :-96].tobytes()
    base, _ = simulate_base(NUMBER, shorter, PARAMETERS, seed=SEED, group=NUMBER, n_group=N)
    assert base.shape == made.power_kw.shape


@pytest.mark.parametrize("area_m2", [-58.0, 0.0])
def test_zones_without_a_floor_are_refused_with_their_area(area_m2):
    zones = zones_of()
    zones["area_m2"][3] = area_m2
    with pytest.raises(InputError, match=rf"area_m2 must be a number above 0 in every zone\. Least is {area_m2:g} m2"):
        simulate(zones, WAVE, PARAMETERS, n_group=N)
