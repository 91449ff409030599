"""Draws belong to a home and a purpose: evenly spread, independent, and the same in any company."""

from dataclasses import fields

import numpy as np
import pytest
from scipy import stats

from gridcheck.demand.households import draw_homes, draws, heated_zones
from gridcheck.demand.households.kernel import _unit
from gridcheck.demand.parameters import default_parameters
from gridcheck.errors import InputError

PARAMETERS = default_parameters()
N = 20_000
# The draws are fixed, so this is a bound that holds or does not; it would reject one sound generator in a thousand.
LEAST_P = 1e-3
STEP, OTHER_STEP = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03


@pytest.mark.parametrize("purpose", ["size", "phase", "heat loss", "on", "back"])
@pytest.mark.parametrize("seed", [0, 1, 2**40])
def test_draws_are_uniform(seed, purpose):
    assert stats.kstest(draws.uniform(draws.keys(seed, np.arange(N)), purpose), "uniform").pvalue > LEAST_P


def test_normal_draws_are_normal():
    assert stats.kstest(draws.normal(draws.keys(3, np.arange(N)), "target"), "norm").pvalue > LEAST_P


def test_purposes_seeds_and_neighbours_know_nothing_of_each_other():
    key = draws.keys(1, np.arange(N))
    one = draws.uniform(key, "size")
    others = [draws.uniform(key, "phase"), draws.uniform(draws.keys(2, np.arange(N)), "size"), np.roll(one, 1)]
    for other in others:
        assert abs(stats.spearmanr(one, other).statistic) < 4.0 / np.sqrt(N)


def test_days_are_uniform_and_independent():
    key = draws.keys(1, np.arange(1))[0]
    course = np.array([_unit(key, day, 1) for day in range(2000)])
    assert stats.kstest(course, "uniform").pvalue > LEAST_P
    assert abs(stats.spearmanr(course[1:], course[:-1]).statistic) < 4.0 / np.sqrt(2000)
    assert abs(stats.spearmanr(course, [_unit(key, day, 2) for day in range(2000)]).statistic) < 4.0 / np.sqrt(2000)


def test_the_kernel_hashes_as_draws_does():
    bits = 2**64
    for key in draws.keys(9, np.arange(20)):
        for day, number in ((-1, 4), (0, 1), (37, 3), (20_454, 10)):
            moved = (int(key) + (day - 1) * STEP + number * OTHER_STEP) % bits
            mixed = int(draws.mixed(np.array([moved], dtype=np.uint64))[0])
            assert _unit(key, day, number) == ((mixed >> 11) + 0.5) * 2.0**-53


def test_a_home_is_the_same_in_any_company():
    number = np.arange(300)
    device = number % 5
    all_homes = draw_homes(number, device, seed=4)
    zones = heated_zones(all_homes, PARAMETERS, seed=4, step_s=900.0)
    some = np.random.default_rng(1).permutation(300)[:100]
    few = draw_homes(number[some], device[some], seed=4)
    few_zones = heated_zones(few, PARAMETERS, seed=4, step_s=900.0)
    for field in fields(few):
        assert np.array_equal(getattr(few, field.name), getattr(all_homes, field.name)[some])
    names = [name for name in zones.dtype.names if name not in ("home", "group")]
    for position, home in enumerate(some):
        own, alone = zones[zones["home"] == home], few_zones[few_zones["home"] == position]
        assert all(np.array_equal(own[name], alone[name]) for name in names)
    again = heated_zones(draw_homes(number, device, seed=4), PARAMETERS, seed=4, step_s=900.0)
    assert again.tobytes() == zones.tobytes()
    other = heated_zones(draw_homes(number, device, seed=5), PARAMETERS, seed=5, step_s=900.0)
    assert not np.isin(other["key"], zones["key"]).any()


def test_sizes_and_phases_have_their_shares():
    homes = draw_homes(np.arange(N), np.zeros(N, dtype=np.int64), seed=4)
    # A fifth of the homes buys the smallest room unit; four standard errors.
    assert np.mean(homes.rated_kw == 0.95) == pytest.approx(0.2, abs=4.0 * np.sqrt(0.16 / N))
    for phase in range(3):
        assert np.mean(homes.phase == phase) == pytest.approx(1.0 / 3.0, abs=4.0 * np.sqrt(2.0 / 9.0 / N))


def test_known_ratings_and_phases_are_kept():
    homes = draw_homes(
        np.arange(3), np.array([0, 0, 1]), seed=1, rated_kw=np.array([1.4, np.nan, 4.4]), phase=np.array([2, -1, 0])
    )
    assert homes.rated_kw[[0, 2]].tolist() == [1.4, 4.4]
    assert homes.phase[[0, 2]].tolist() == [2, 0]
    # 1.4 kW is nearest to the unit of 1.35 kW and 5 kW of heat; 4.4 kW to that of 4.5 kW on three phases.
    assert homes.heat_kw[0] == pytest.approx(5.0 * 1.4 / 1.35)
    assert homes.phases.tolist()[::2] == [1, 3]
    assert homes.rated_kw[1] == draw_homes(np.arange(3), np.zeros(3, dtype=np.int64), seed=1).rated_kw[1]


def test_wrong_homes_are_refused():
    with pytest.raises(InputError, match="every number once"):
        draw_homes(np.array([1, 2, 1]), np.zeros(3, dtype=np.int64), seed=1)
    for wrong in (-1, 5):
        with pytest.raises(InputError, match="device must be a position"):
            draw_homes(np.arange(2), np.array([0, wrong]), seed=1)
    with pytest.raises(InputError, match="device must have shape"):
        draw_homes(np.arange(3), np.zeros(2, dtype=np.int64), seed=1)
