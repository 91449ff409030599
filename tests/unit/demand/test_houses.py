"""Heat need and use of houses, by hand."""

import numpy as np
import pytest

from gridcheck.demand.houses import (
    OutdoorCourse,
    daily_use,
    heat_loss_w_per_k_m2,
    heat_need_w_per_m2,
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
