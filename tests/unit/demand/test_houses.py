"""Heat need and use of houses, by hand."""

import numpy as np
import pytest

from gridcheck.demand.houses import (
    OutdoorCourse,
    Period,
    all_day_share,
    daily_use,
    heat_loss_w_per_k_m2,
    heat_need_w_per_m2,
    house_zones,
    room_zones,
    share_on,
    share_warming_up,
    smooth,
    trailing_mean,
)
from gridcheck.demand.parameters import default_parameters

HOUSE = default_parameters().house


def outdoor(temperature_c: float, *, solar_w_per_m2: float = 0.0) -> OutdoorCourse:
    value = np.array([temperature_c])
    return OutdoorCourse(
        hour=np.array([12.0]),
        temperature_c=value,
        daily_mean_c=value,
        smoothed_c=value,
        solar_w_per_m2=np.array([solar_w_per_m2]),
        humidity_percent=np.array([58.0]),
    )


def test_walls_remember_with_their_time_constant():
    step = np.where(np.arange(400) < 200, 0.0, -10.0)
    course = smooth(step, step_h=0.25, time_constant_h=20.0)
    assert course[:200] == pytest.approx(0.0)
    # 80 steps of 15 min are one time constant: 1 - 1/e of the way.
    assert course[279] == pytest.approx(-10.0 * (1.0 - np.exp(-1.0)))


def test_daily_mean_looks_back_24_hours():
    course = trailing_mean(np.arange(200.0), step_h=0.25)
    assert course[:3].tolist() == [0.0, 0.5, 1.0]
    # Mean of 104 ... 199.
    assert course[199] == pytest.approx(151.5)


def test_heat_loss_is_the_mean_of_insulated_and_other_homes():
    assert heat_loss_w_per_k_m2(HOUSE) == pytest.approx(0.5 * 2.3 + 0.5 * 3.6)


def test_heat_need_by_hand():
    # 2.95 W/(K m2) x (18.5 + 10) K - 4 W/m2 gain.
    assert heat_need_w_per_m2(outdoor(-10.0), 18.5, HOUSE)[0] == pytest.approx(80.075)
    # 200 W/m2 of sun through 0.033 m2 per m2 of floor.
    assert heat_need_w_per_m2(outdoor(-10.0, solar_w_per_m2=200.0), 18.5, HOUSE)[0] == pytest.approx(73.475)
    assert heat_need_w_per_m2(outdoor(18.0), 18.5, HOUSE)[0] == 0.0


@pytest.mark.parametrize(("on_hour", "off_hour", "length_h"), [(6.4, 21.8, 15.4), (20.0, 7.0, 11.0), (22.0, 0.5, 2.5)])
def test_period_is_half_begun_at_its_start_and_lasts_its_length(on_hour, off_hour, length_h):
    period = Period(on_hour=on_hour, off_hour=off_hour, on_sigma_h=0.3, off_sigma_h=0.3)
    hour = np.arange(0.0, 24.0, 0.01)
    share = share_on(hour, period)
    assert share.sum() * 0.01 == pytest.approx(length_h, abs=1e-6)
    assert np.interp(on_hour, hour, share) == pytest.approx(0.5, abs=1e-3)
    assert np.interp(off_hour, hour, share) == pytest.approx(0.5, abs=0.02)


def test_warming_up_lasts_as_long_as_asked_for_and_never_exceeds_the_period():
    period = Period(on_hour=7.0, off_hour=21.0, on_sigma_h=0.5, off_sigma_h=0.5)
    hour = np.arange(0.0, 24.0, 0.01)
    warming = share_warming_up(hour, period, np.full(len(hour), 0.8))
    assert warming.sum() * 0.01 == pytest.approx(0.8, abs=1e-4)
    assert (warming <= share_on(hour, period)).all()


def test_daily_use_against_the_mean_over_homes():
    # Brute force over the thrift of homes: E[sigma(1.6 - 0.28 (T - 2) + 0.6 z)].
    thrift = np.random.default_rng(1).standard_normal(200_000)
    for daily_mean_c in (-10.0, 0.0, 8.0):
        argument = 1.6 - 0.28 * (daily_mean_c - 2.0) + 0.6 * thrift
        brute = (1.0 / (1.0 + np.exp(-argument))).mean()
        found = daily_use(np.array([daily_mean_c]), HOUSE, full_time=False)[0]
        assert found == pytest.approx(brute, abs=0.004)
    # sigma(3 - 0.35 (4 - 4)) for full-time homes.
    assert daily_use(np.array([4.0]), HOUSE, full_time=True)[0] == pytest.approx(1 / (1 + np.exp(-3.0)))


def test_few_switch_off_in_a_hard_frost():
    share = all_day_share(np.array([-20.0, -13.0, 0.0]), HOUSE)
    assert share[1] == pytest.approx(0.5)
    assert share[0] > 0.9
    assert share[2] < 0.02


@pytest.mark.parametrize("zones", [room_zones(HOUSE), house_zones(HOUSE)], ids=["rooms", "house"])
def test_zones_share_out_the_whole_rating(zones):
    assert sum(zone.weight for zone in zones) == pytest.approx(1.0)
