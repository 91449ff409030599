"""How soon homes are cold: the mix by hand, the worst moment by hand, and laws of the simulated homes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gridcheck.catalogue import DEVICE_CLASSES, class_devices
from gridcheck.demand.cooling import HOMES, THRESHOLDS_C, Cooling, cooling, hours_until
from gridcheck.demand.households import draw_homes, heated_zones
from gridcheck.demand.parameters import BASE, CLASSES, ROOFTOP_PV, default_parameters
from gridcheck.demand.pick_up import hours_until_cold
from gridcheck.demand.weather import steady_days
from gridcheck.errors import InputError

PARAMETERS = default_parameters()
AIR, WATER = (DEVICE_CLASSES.index(name) for name in ("air_air_heat_pump", "air_water_heat_pump"))


def eight_homes(*, warm=(True,) * 8, hours=(1.0, 2.0, 3.0, 4.0, 2.0, 4.0, 6.0, 8.0)):
    """Four homes with an air-to-air heat pump, four with an air-to-water one; classes base, air, water."""
    return Cooling(
        begin_utc=np.datetime64("2026-01-23T00:00", "ns"),
        class_device=np.array([-1, AIR, WATER]),
        device=np.array([AIR] * 4 + [WATER] * 4),
        is_warm=np.array(warm),
        hours=np.column_stack([hours, np.array(hours) * 10.0]),
    )


@pytest.mark.parametrize(
    ("mix", "share", "expected"),
    [
        # Homes by hours: 1 2 3 4 of the first class, 2 4 6 8 of the second.
        ((9.0, 5.0, 0.0), 0.5, 2.0),
        ((9.0, 0.0, 5.0), 0.5, 4.0),
        # Weights 2 and 1: 1 2 | 2 3 | 3 3 ... the sixth of twelve is a home of three hours.
        ((0.0, 2.0, 1.0), 0.5, 3.0),
        ((0.0, 2.0, 1.0), 0.25, 2.0),
        ((0.0, 2.0, 1.0), 1.0, 8.0),
    ],
)
def test_a_mix_weighs_each_home_by_its_class(mix, share, expected):
    found = hours_until(eight_homes(), np.array([mix]), share=share)

    assert found.tolist() == [[expected, 10.0 * expected]]


def test_homes_that_nobody_keeps_warm_are_not_counted():
    warm = (False, False, True, True, True, True, True, True)

    assert hours_until(eight_homes(warm=warm), np.array([[0.0, 1.0, 0.0]]))[0, 0] == 3.0
    assert np.isnan(hours_until(eight_homes(warm=(False,) * 8), np.array([[0.0, 1.0, 1.0]]))).all()


def test_unknown_is_no_number():
    never = eight_homes(hours=(1.0, np.inf, np.inf, np.inf, 2.0, 4.0, 6.0, 8.0))

    assert np.isnan(hours_until(never, np.array([[3.0, 1.0, 0.0]]))).all()
    assert np.isnan(hours_until(eight_homes(), np.array([[3.0, 0.0, 0.0]]))).all()
    assert hours_until(eight_homes(), np.zeros((0, 3))).shape == (0, 2)


@pytest.mark.parametrize(
    ("count", "share", "words"), [(np.ones((1, 4)), 0.5, "3 classes"), (np.ones((1, 3)), 0.0, "share")]
)
def test_what_cannot_be_answered_is_refused(count, share, words):
    with pytest.raises(InputError, match=words):
        hours_until(eight_homes(), count, share=share)


def with_a_cold_night(mild_c, cold_c, *, begin_h, days=3):
    """Steady days with twelve hours of another temperature, from an hour of the window on."""
    weather = steady_days(mild_c, days=days, range_k=0.0)
    first = weather.study.start + 4 * begin_h
    temperature_c = weather.temperature_c.copy()
    temperature_c[first : first + 48] = cold_c
    return replace(weather, temperature_c=temperature_c), weather.time_utc[first]


@pytest.mark.parametrize("begin_h", [0, 17, 60])
def test_the_supply_stops_when_the_coldest_twelve_hours_begin(begin_h):
    weather, expected = with_a_cold_night(0.0, -12.0, begin_h=begin_h)

    assert cooling(weather, PARAMETERS, seed=1).begin_utc == expected


@pytest.fixture(scope="module", name="cold")
def homes_in_the_cold():
    return cooling(steady_days(-10.0, days=2), PARAMETERS, seed=4)


def only(name):
    return np.array([[30.0 if name == other else 0.0 for other in CLASSES]])


@pytest.mark.parametrize("name", ["air_air_heat_pump", "resistive_heater"])
def test_one_class_is_the_median_of_its_own_homes(cold, name):
    """The same homes once more, simulated in a weather of their own that is long enough."""
    position = DEVICE_CLASSES.index(name)
    homes = draw_homes(np.arange(HOMES), np.full(HOMES, position), seed=4)
    zones = heated_zones(homes, PARAMETERS, seed=4, step_s=900.0)
    weather = steady_days(-10.0, days=5)
    begin_hour = float((cold.begin_utc - weather.time_utc[weather.study.start]) / np.timedelta64(1, "h"))
    until = hours_until_cold(zones, weather, PARAMETERS, begin_hour=begin_hour)
    # Who is below 12 °C within the first quarter of an hour was about there before.
    later = until[until[:, 0] > 0.25]

    found = hours_until(cold, only(name))[0]

    assert found[0] == pytest.approx(np.median(later[:, 0]), abs=0.5)
    assert found[1] == pytest.approx(np.nanmedian(later[:, 1]), rel=0.1)


def test_homes_that_are_not_warm_are_below_the_threshold_at_once(cold):
    # Radiators and stores may still warm a room a little when the supply has gone.
    at_once = np.isin(cold.device, [AIR, DEVICE_CLASSES.index("resistive_heater")])
    assert (cold.hours[~cold.is_warm & at_once, 0] == 0.25).all()
    assert 0.5 < cold.is_warm.mean() < 1.0


def test_homes_reach_5_degrees_later_than_12_and_both_sooner_in_the_cold(cold):
    mild = cooling(steady_days(0.0, days=2), PARAMETERS, seed=4)
    mixes = np.concatenate([only(name) for name in DEVICE_CLASSES])

    in_the_cold, in_mild = hours_until(cold, mixes), hours_until(mild, mixes)

    assert THRESHOLDS_C == (12.0, 5.0)
    assert (cold.hours[:, 0] <= cold.hours[:, 1]).all()
    assert (in_the_cold[:, 0] <= in_the_cold[:, 1]).all()
    assert (in_the_cold < np.nan_to_num(in_mild, nan=np.inf)).all()


def test_a_model_cools_down_like_its_class_and_base_load_and_roofs_heat_nothing():
    model = replace(class_devices()["air_water_heat_pump"], model="W1")
    parameters = replace(PARAMETERS, models=(model,))

    found = cooling(steady_days(-5.0), parameters, classes=(*CLASSES, "W1", ROOFTOP_PV), seed=1)

    assert CLASSES[0] == BASE
    assert found.class_device.tolist() == [-1, 0, 1, 2, 3, 4, WATER, -1]


def test_the_same_seed_gives_the_same_hours(cold):
    again = cooling(steady_days(-10.0, days=2), PARAMETERS, seed=4)

    assert (again.hours == cold.hours).all()
    assert (again.is_warm == cold.is_warm).all()
