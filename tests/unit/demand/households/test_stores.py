"""Storage heaters: what they buy in a night, when, what they give, and what they lose standing."""

from dataclasses import replace

import numpy as np
import pytest

from gridcheck.demand.clock import local_hour
from gridcheck.demand.households import draw_homes, heated_zones, simulate
from gridcheck.demand.parameters import default_parameters
from gridcheck.demand.weather import steady_days

STORE, N, SEED = 4, 60, 5
# Every home heats on every day, so that a day can be worked out by hand.
PARAMETERS = default_parameters().with_overrides({"use_full_a": 60.0})
TIGHT = PARAMETERS.with_overrides({"storage_loss_percent_per_h": 0.0})
NUMBER = np.arange(N)
HOMES = draw_homes(NUMBER, np.full(N, STORE), seed=SEED)
STANDBY_KW = 0.002
QUARTERS = 96


def steps(mean_c, *, days=1, first=None):
    """Steady days without a swing; the window begins so many steps after the weather, or with the study days."""
    weather = steady_days(mean_c, days=days, range_k=0.0)
    return weather if first is None else replace(weather, study=slice(first, len(weather.time_utc)))


def zones_of(parameters=PARAMETERS, homes=HOMES):
    return heated_zones(homes, parameters, seed=SEED, step_s=900.0)


def run(zones, weather, parameters=PARAMETERS, **more):
    return simulate(zones, weather, parameters, n_group=len(zones), threads=1, **more)


def bought_kwh(made):
    """Energy of each home without its standby."""
    return (made.power_kw.astype(float) - STANDBY_KW).sum(axis=1) * 0.25


@pytest.mark.parametrize("share", [0.4, 0.6, 0.75])
def test_a_day_costs_the_share_of_its_heat_loss(share):
    """At 6 degC all of it fits into a night and a store, and in the evening the store is empty."""
    parameters = TIGHT.with_overrides({"storage_heat_share": share, "internal_gain_w_per_m2": 0.0})
    zones = zones_of(parameters)
    weather = replace(steps(6.0), solar_w_per_m2=np.zeros(len(steps(6.0).time_utc)))
    wanted_kwh = share * zones["loss_w_per_k"] * (zones["target_c"] - 6.0) * 24.0 / 1000.0
    fits = (wanted_kwh < 9.0 * zones["max_input_w"] / 1000.0) & (wanted_kwh < zones["store_j"] / 3.6e6)
    assert fits.mean() > 0.7
    np.testing.assert_allclose(bought_kwh(run(zones, weather, parameters))[fits], wanted_kwh[fits], rtol=1e-4)


def test_the_season_follows_the_share():
    energy = [
        run(zones_of(parameters), steps(3.0, days=4), parameters).energy_kwh.sum()
        for parameters in (PARAMETERS.with_overrides({"storage_heat_share": share}) for share in (0.4, 0.6, 0.8, 1.0))
    ]
    rise = np.diff(energy) / energy[0]
    # A fifth more of the need is half of the first again, until rooms are as warm as they are wanted.
    assert rise[0] == pytest.approx(0.5, rel=0.03)
    assert (rise > 0.0).all()
    assert rise[2] < 0.5 * rise[0]


def test_what_is_given_in_the_night_is_not_bought_again():
    """A night takes what the day wants less what is left, however much the room takes while it lasts."""
    zones = zones_of()
    weather = steps(-2.0)
    begin = weather.study.start - 8
    made = run(zones, replace(weather, study=slice(begin, begin + QUARTERS)))
    need_kwh = 0.75 * zones["loss_w_per_k"] * (zones["target_c"] + 2.0) * 24.0 / 1000.0
    assert (bought_kwh(made) <= need_kwh * (1.0 + 1e-6)).all()
    # The heat of the night alone is more than half of it.
    night = run(zones, replace(weather, study=slice(begin, begin + 40)))
    assert (night.heat_kwh > 0.4 * need_kwh).mean() > 0.5


def test_a_night_buys_for_the_weather_of_the_coming_day():
    """Mild until midnight, frost from then on: what is bought from 22 o'clock on is that of the frost."""
    parameters = TIGHT.with_overrides({"storage_heat_share": 0.4, "internal_gain_w_per_m2": 0.0})
    zones, mild = zones_of(parameters), steps(8.0, days=2)
    begin = mild.study.start
    weather = replace(
        mild,
        temperature_c=np.where(np.arange(len(mild.time_utc)) < begin, 8.0, 0.0),
        solar_w_per_m2=np.zeros(len(mild.time_utc)),
        study=slice(begin - 8, begin + 32),
    )
    wanted_kwh = 0.4 * zones["loss_w_per_k"] * zones["target_c"] * 24.0 / 1000.0
    fits = wanted_kwh < np.minimum(9.0 * zones["max_input_w"] / 1000.0, zones["store_j"] / 3.6e6)
    assert fits.mean() > 0.7
    np.testing.assert_allclose(bought_kwh(run(zones, weather, parameters))[fits], wanted_kwh[fits], rtol=1e-4)


def test_a_store_takes_no_more_than_it_holds():
    """It begins half full and gives nothing in a house that is not used: a hard frost fills it, once."""
    zones = zones_of(TIGHT)
    zones["use_a"] = -60.0
    made = run(zones, steps(-15.0, first=0), TIGHT)
    np.testing.assert_allclose(bought_kwh(made), 0.5 * zones["store_j"] / 3.6e6, rtol=1e-4)
    assert not made.heat_kwh.any()


def test_an_interruption_in_the_valley_only_delays():
    zones, weather = zones_of(), steps(8.0, days=2)
    hour = local_hour(weather.time_utc)
    supply = np.ones(len(hour), dtype=bool)
    first_midnight = weather.study.start
    supply[first_midnight : first_midnight + 8] = False
    begin = first_midnight - 8
    night = replace(weather, study=slice(begin, begin + 40))
    normal, late = run(zones, night), run(zones, night, supply=supply)
    assert not late.power_kw[:, 8:16].any()
    off_kwh = 8 * 0.25 * STANDBY_KW
    np.testing.assert_allclose(late.energy_kwh + off_kwh, normal.energy_kwh, rtol=1e-6)
    last = [np.argmax(np.cumsum(made.power_kw > 0.01, axis=1), axis=1) for made in (normal, late)]
    assert (last[1] > last[0]).mean() > 0.9


def test_supply_that_comes_back_after_the_valley_finds_no_debt():
    weather = steps(0.0, days=2)
    supply = np.ones(len(weather.time_utc), dtype=bool)
    begin = weather.study.start - 8
    supply[begin : begin + 48] = False
    made = run(zones_of(), weather, supply=supply)
    hour = local_hour(weather.time_utc[weather.study])
    by_day = (hour >= 8.0) & (hour < 22.0)
    assert made.power_kw[:, by_day].max() <= STANDBY_KW * (1.0 + 1e-6)


def test_a_cold_room_gets_more_than_the_elements_could_draw():
    """The fan gives twice the loss at 24 K; the rating for a night is 1.19 times less. Rooms begin 3 K too cold."""
    zones = zones_of()
    made = run(zones, replace(steps(-25.0), study=slice(0, 1)))
    given_w = 4000.0 * made.heat_kwh
    full_w = 48.0 * zones["loss_w_per_k"]
    at_full = np.isclose(given_w, full_w)
    assert at_full.mean() > 0.5
    assert (full_w > 1.1 * zones["max_input_w"]).all()


@pytest.mark.parametrize("percent_per_h", [1.0, 2.5])
def test_a_store_that_nobody_uses_warms_its_room(percent_per_h):
    """Half full at first; after h hours exp(-rate h) of that is left, and the room has the rest."""
    parameters = PARAMETERS.with_overrides({"storage_loss_percent_per_h": percent_per_h})
    zones = zones_of(parameters, replace(HOMES, is_away=np.ones(N, dtype=bool)))
    made = run(zones, steps(0.0, first=0), parameters)
    hours = made.power_kw.shape[1] * 0.25
    lost_kwh = 0.5 * zones["store_j"] / 3.6e6 * -np.expm1(-percent_per_h / 100.0 * hours)
    np.testing.assert_allclose(made.heat_kwh, lost_kwh, rtol=1e-9)
    np.testing.assert_allclose(made.power_kw, STANDBY_KW, rtol=1e-6)
    none = run(zones_of(TIGHT, replace(HOMES, is_away=np.ones(N, dtype=bool))), steps(0.0, first=0), TIGHT)
    assert not none.heat_kwh.any()
    assert (made.room_c > none.room_c).all()


def test_the_loss_does_not_depend_on_the_step():
    quarter, minute = (heated_zones(HOMES, PARAMETERS, seed=SEED, step_s=step_s) for step_s in (900.0, 60.0))
    np.testing.assert_allclose((1.0 - minute["store_leak"]) ** 15, 1.0 - quarter["store_leak"], rtol=1e-12)
    np.testing.assert_allclose(quarter["store_leak"], -np.expm1(-0.0025), rtol=1e-12)
