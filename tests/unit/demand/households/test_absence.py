"""Homes of migrants: empty but for the Spring Festival. New Year 2026 is on 17 February."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from gridcheck.demand.clock import local_day
from gridcheck.demand.festival import days_from_new_year, festival_presence
from gridcheck.demand.households import draw_homes, draws, heated_zones, simulate, simulate_base
from gridcheck.demand.households.absence import days_at_home
from gridcheck.demand.households.kernel import PERIODS
from gridcheck.demand.parameters import default_parameters
from gridcheck.demand.weather import scenario_weather, steady_days

PARAMETERS = default_parameters()
N, SEED = 300, 6
NUMBER = np.arange(N)
HOMES = draw_homes(NUMBER, NUMBER % 5, seed=SEED)
AWAY = replace(HOMES, is_away=np.ones(N, dtype=bool))
DAYS = 45
WINTER = scenario_weather("140881", start=date(2026, 1, 25), days=DAYS, seed=4)
DAY = local_day(WINTER.time_utc[WINTER.study])
FROM_NEW_YEAR = days_from_new_year(DAY)


def zones_of(homes):
    return heated_zones(homes, PARAMETERS, seed=SEED, step_s=900.0)


@pytest.fixture(scope="module", name="runs")
def away_and_at_home():
    return tuple(simulate(zones_of(homes), WINTER, PARAMETERS, n_group=N) for homes in (AWAY, HOMES))


@pytest.fixture(scope="module", name="is_home")
def presence_by_home():
    back, gone = days_at_home(draws.keys(SEED, NUMBER), AWAY.is_away, PARAMETERS)
    return (back[:, None] <= FROM_NEW_YEAR) & (gone[:, None] > FROM_NEW_YEAR)


def test_days_are_counted_from_the_nearest_new_year():
    days = np.array(["2026-02-16", "2026-02-17", "2026-03-03", "2025-01-29"], dtype="datetime64[D]")
    assert days_from_new_year(days).tolist() == [-1.0, 0.0, 14.0, 0.0]


def test_the_share_at_home_is_the_presence_of_the_festival():
    n = 20_000
    back, gone = days_at_home(draws.keys(1, np.arange(n)), np.ones(n, dtype=bool), PARAMETERS)
    for day in np.arange(-20, 20):
        here = np.mean((back <= day) & (day < gone))
        expected = festival_presence(np.array([np.datetime64("2026-02-17") + day]), PARAMETERS.house)[0]
        assert here == pytest.approx(expected, abs=4.0 * np.sqrt(0.25 / n))


def test_who_is_no_migrant_is_always_at_home():
    back, gone = days_at_home(draws.keys(1, np.arange(3)), np.array([False, True, False]), PARAMETERS)
    assert np.isneginf(back).tolist() == np.isposinf(gone).tolist() == [True, False, True]


def test_rooms_and_stores_draw_standby_while_nobody_is_there(runs, is_home):
    away, _ = runs
    zones = zones_of(AWAY)
    standby_kw = np.bincount(zones["group"], weights=zones["standby_w"]) / 1000.0
    cold = np.isin(HOMES.device, (0, 3, 4))
    gone = ~is_home[cold]
    drawn_kw = away.power_kw[cold]
    np.testing.assert_allclose(drawn_kw[gone], np.broadcast_to(standby_kw[cold, None], gone.shape)[gone], rtol=1e-6)
    assert drawn_kw[is_home[cold]].mean() > 0.2


def test_water_does_not_freeze_while_nobody_is_there():
    start = WINTER.study.start
    # Until the first come back, on the fourteenth day before New Year.
    early = replace(WINTER, study=slice(start, start + int(np.argmax(FROM_NEW_YEAR >= -14))))
    away, home = (simulate(zones_of(homes), early, PARAMETERS, n_group=N) for homes in (AWAY, HOMES))
    water = zones_of(AWAY)["foresees"]
    frost_c = PARAMETERS.house["frost_protection_c"]
    # Water follows a damped outdoor temperature and a soft controller: up to 2 K below the target, rarely a little more
    # when a front comes through.
    assert (away.lowest_c[water] > frost_c - 2.5).all()
    assert np.median(away.room_c[water]) < 12.0
    assert np.median(away.lowest_c[~water]) < frost_c - 2.0
    assert (away.energy_kwh[water] < home.energy_kwh[water]).all()


def test_water_does_not_freeze_on_days_without_use():
    """Nobody heats in two weeks of frost: rooms fall to where outdoors leaves them, water does not."""
    weather, zones = steady_days(-10.0, days=3), zones_of(HOMES)
    zones["use_a"] = -60.0
    made = simulate(zones, weather, PARAMETERS, n_group=N)
    frost_c, water = PARAMETERS.house["frost_protection_c"], zones["foresees"]
    assert (made.lowest_c[water] > frost_c - 2.0).all()
    assert (made.room_c[water] < frost_c + 2.0).all()
    assert np.median(made.lowest_c[~water]) < 0.0
    assert not made.on_h[zones["use"] == PERIODS].any()
    # Set-points that are lowered when supply comes back are those of rooms.
    supply = np.ones(len(weather.time_utc), dtype=bool)
    supply[weather.study.start : weather.study.start + 4] = False
    out = simulate(zones, weather, PARAMETERS, n_group=N, supply=supply)
    zones["lowered_s"], zones["lowered_k"] = 1e9, 6.0
    lowered = simulate(zones, weather, PARAMETERS, n_group=N, supply=supply)
    assert lowered.power_kw.tobytes() == out.power_kw.tobytes()


def test_a_day_without_use_costs_less_than_one_with_it():
    sometimes = PARAMETERS.with_overrides({"use_full_a": 0.0, "use_full_b_per_k": 0.0})
    made, always = (
        simulate(heated_zones(HOMES, given, seed=SEED, step_s=900.0), WINTER, given, n_group=N)
        for given in (sometimes, PARAMETERS)
    )
    water = zones_of(HOMES)["foresees"]
    assert (made.lowest_c[water] > PARAMETERS.house["frost_protection_c"] - 2.0).all()
    assert made.energy_kwh[water].sum() < 0.9 * always.energy_kwh[water].sum()


def test_base_load_of_an_empty_home_is_a_standing_load(is_home):
    power_kw, kvar = simulate_base(NUMBER, WINTER, PARAMETERS, seed=SEED, group=NUMBER, n_group=N, is_away=AWAY.is_away)
    np.testing.assert_allclose(power_kw[~is_home], PARAMETERS.house["empty_home_kw"], rtol=1e-6)
    assert power_kw[is_home].mean() > 0.15
    cos_phi = PARAMETERS.base["cos_phi"]
    np.testing.assert_allclose(kvar, power_kw * np.sqrt(1.0 / cos_phi**2 - 1.0), rtol=1e-5)


def test_homes_lived_in_keep_their_course_beside_migrants():
    is_away = NUMBER % 2 == 1
    alone, beside = (
        simulate_base(NUMBER, WINTER, PARAMETERS, seed=SEED, group=NUMBER, n_group=N, is_away=given)[0]
        for given in (None, is_away)
    )
    before = FROM_NEW_YEAR < -14
    assert before.any()
    assert alone[~is_away][:, before].tobytes() == beside[~is_away][:, before].tobytes()
    # At the festival they draw 1.3 instead of 2 times as much: what migrants bring is counted with the migrants.
    feast = (FROM_NEW_YEAR >= -3) & (FROM_NEW_YEAR <= 6)
    ratio = beside[~is_away][:, feast].mean() / alone[~is_away][:, feast].mean()
    assert ratio == pytest.approx(1.3 / 2.0, rel=0.02)


def test_no_migrants_is_the_same_as_before():
    zones = zones_of(HOMES)
    assert np.isneginf(zones["back_day"]).all()
    assert np.isposinf(zones["gone_day"]).all()
