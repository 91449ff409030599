"""Ratings after an outage against tables and a hot spot followed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gridcheck.checks.emergency import allowed_ratios, short_time_ratio, winter_ampacity_ratio
from gridcheck.limits import DEFAULT_LIMITS, with_overrides
from gridcheck.network.records import BranchKind
from tests.support.two_feeders import example_of, two_feeders_net


@pytest.mark.parametrize(
    ("air_c", "ratio"), [(-15.0, 1.32), (-10.0, 1.29), (-5.0, 1.26), (0.0, 1.22), (10.0, 1.15), (25.0, 1.04)]
)
def test_ampacity_in_the_cold_is_that_of_the_table(air_c, ratio):
    assert winter_ampacity_ratio(air_c, DEFAULT_LIMITS) == pytest.approx(ratio, abs=0.006)


def test_heat_does_not_lower_what_the_limits_allow():
    assert winter_ampacity_ratio(40.0, DEFAULT_LIMITS) == 1.0


def by_hand(load, air_c, hours):
    """Hot spot of a transformer with fans after some hours, by small explicit steps from rest at 80 %."""
    oil = air_c + 52.0 * ((1 + 6 * 0.64) / 7.0) ** 0.8
    first, second = 2.0 * 26.0 * 0.8**1.3, 26.0 * 0.8**1.3
    dt, hottest = 0.05, -math.inf
    for _ in range(round(hours * 60.0 / dt)):
        oil += dt / (0.5 * 150.0) * (52.0 * ((1 + 6 * load**2) / 7.0) ** 0.8 - (oil - air_c))
        first += dt / (2.0 * 7.0) * (2.0 * 26.0 * load**1.3 - first)
        second += dt / (150.0 / 2.0) * (26.0 * load**1.3 - second)
        hottest = max(hottest, oil + first - second)
    return hottest


def test_a_main_transformer_may_carry_what_brings_its_hot_spot_to_the_limit():
    limits = with_overrides(
        DEFAULT_LIMITS, {"n_minus_1_main_transformer_percent": (300.0, "test"), "repair_h": (2.0, "test")}
    )
    load = short_time_ratio(5.0, limits)

    assert 1.3 < load < 2.0
    assert by_hand(load, 5.0, 2.0) == pytest.approx(140.0, abs=0.3)


def test_the_cap_of_practice_holds():
    assert short_time_ratio(-15.0, DEFAULT_LIMITS) == 1.3


def test_warm_air_leaves_less_than_the_cap():
    limits = with_overrides(DEFAULT_LIMITS, {"emergency_hot_spot_c": (110.0, "test")})
    assert 0.8 < short_time_ratio(30.0, limits) < 1.1


def test_a_setting_is_not_raised_by_the_cold():
    network = example_of(two_feeders_net()).network
    is_set = np.zeros(network.n_branch, dtype=bool)
    is_set[0] = True
    ratio = allowed_ratios(network, DEFAULT_LIMITS, warmest_c=0.0, is_set=is_set)

    kind = network.branches.kind
    assert ratio[0] == 1.0
    assert ratio[1] == pytest.approx(math.sqrt(90.0 / 60.0))
    assert (ratio[kind == BranchKind.TRAFO] == 1.3).all()
