"""The hot spot against the table of continuous loads, evening blocks, and integration in steps of a second."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from gridcheck.checks.thermal import ageing_factor, hot_spot_c, steady_hot_spot_c
from gridcheck.errors import InputError
from gridcheck.limits import DEFAULT_LIMITS, with_overrides

R10 = np.array([10.0])

# Continuous load in pu that settles at 98, 120 and 140 degC, calculated elsewhere for R = 10 and printed to 0.01.
CONTINUOUS = [
    (-15.0, 1.28, 1.43, 1.57),
    (-10.0, 1.24, 1.40, 1.53),
    (-5.0, 1.20, 1.36, 1.50),
    (0.0, 1.16, 1.33, 1.47),
    (10.0, 1.08, 1.25, 1.40),
    (20.0, 1.00, 1.18, 1.33),
]

# Ambient, evening load, its hours; peak hot spot and daily ageing on a base of 0.6 pu, calculated elsewhere.
EVENINGS = [
    (-10.0, 1.2, 4, 81, 0.01),
    (-10.0, 1.3, 4, 92, 0.03),
    (-10.0, 1.5, 2, 97, 0.02),
    (-10.0, 1.5, 4, 116, 0.33),
    (-10.0, 1.8, 2, 128, 0.60),
    (0.0, 1.3, 4, 102, 0.09),
    (0.0, 1.5, 2, 107, 0.08),
    (0.0, 1.5, 4, 126, 1.06),
    (0.0, 1.8, 2, 138, 1.9),
]


@pytest.mark.parametrize(("ambient_c", "at_98", "at_120", "at_140"), CONTINUOUS)
def test_continuous_load_settles_at_the_tabled_temperature(
    ambient_c: float, at_98: float, at_120: float, at_140: float
) -> None:
    for wanted_c, load in ((98.0, at_98), (120.0, at_120), (140.0, at_140)):
        found = brentq(
            lambda k, c=wanted_c: steady_hot_spot_c(np.array([k]), ambient_c, R10, DEFAULT_LIMITS)[0] - c, 0.5, 3.0
        )
        assert round(found, 2) == load


def test_rated_load_at_20_degc_is_98_degc() -> None:
    # 20 + 55 + 23: all exponents act on 1.
    course = hot_spot_c(np.ones((200, 1)), np.full(200, 20.0), R10, DEFAULT_LIMITS)

    np.testing.assert_allclose(course, 98.0, rtol=1e-14)


@pytest.mark.parametrize(("ambient_c", "load", "hours", "peak_c", "ageing"), EVENINGS)
def test_evening_block_reaches_the_tabled_peak_and_ageing(
    ambient_c: float, load: float, hours: int, peak_c: float, ageing: float
) -> None:
    step_h = 1 / 60
    day = np.full((24 * 60, 1), 0.6)
    day[17 * 60 : (17 + hours) * 60] = load
    loading = np.concatenate([np.full((24 * 60, 1), 0.6), day, day])
    course = hot_spot_c(loading, np.full(len(loading), ambient_c), R10, DEFAULT_LIMITS, duration_h=step_h)[:, 0]

    assert round(course.max()) == peak_c
    # The table's own step is not known; ageing feels it by about 1 %.
    own = ageing_factor(course[24 * 60 : 48 * 60], DEFAULT_LIMITS).mean()
    assert own == pytest.approx(ageing, abs=0.5 * 10.0 ** -(1 if ageing == 1.9 else 2) + 0.01 * ageing)


def test_quarter_hours_are_exact_for_loads_that_change_in_steps() -> None:
    rng = np.random.default_rng(7)
    loading, ambient = rng.uniform(0.2, 1.6, (12, 3)), rng.uniform(-15.0, 5.0, 12)
    ratio = np.array([5.0, 10.0, 11.3])

    course = hot_spot_c(loading, ambient, ratio, DEFAULT_LIMITS)

    np.testing.assert_allclose(course, _euler(loading, ambient, ratio, DEFAULT_LIMITS), atol=0.02)


def test_quarter_hours_equal_single_minutes() -> None:
    rng = np.random.default_rng(8)
    loading, ambient = rng.uniform(0.2, 1.6, (2 * 96, 2)), rng.uniform(-15.0, 5.0, 2 * 96)
    ratio = np.array([10.0, 8.0])

    coarse = hot_spot_c(loading, ambient, ratio, DEFAULT_LIMITS)
    fine = hot_spot_c(np.repeat(loading, 15, axis=0), np.repeat(ambient, 15), ratio, DEFAULT_LIMITS, duration_h=1 / 60)

    np.testing.assert_allclose(coarse, fine[14::15], rtol=1e-12)


def test_power_transformer_constants_use_the_second_winding_term() -> None:
    source = "test: ONAF power transformer"
    values = {"thermal_k11": 0.5, "thermal_k21": 2.0, "thermal_winding_time_constant_min": 7.0}
    limits = with_overrides(DEFAULT_LIMITS, {name: (value, source) for name, value in values.items()})
    loading, ambient = np.full((8, 1), 0.7), np.full(8, 10.0)
    loading[4:] = 1.3

    course = hot_spot_c(loading, ambient, np.array([6.0]), limits)

    np.testing.assert_allclose(course, _euler(loading, ambient, np.array([6.0]), limits), atol=0.02)
    # After the step the winding runs ahead of the oil and overshoots what one time constant would give.
    assert course[4, 0] > hot_spot_c(loading, ambient, np.array([6.0]), DEFAULT_LIMITS)[4, 0]


def _euler(loading, ambient, ratio, limits):  # type: ignore[no-untyped-def]
    """Integrate the difference equations in steps of one second, from rest at the first day's mean."""
    dt_min = 1.0 / 60.0
    k11, k21, k22 = limits.thermal_k11.value, limits.thermal_k21.value, limits.thermal_k22.value
    tau_o, tau_w = limits.thermal_oil_time_constant_min.value, limits.thermal_winding_time_constant_min.value
    to_oil = 55.0 * ((1 + ratio * loading**2) / (1 + ratio)) ** 0.8 + ambient[:, None]
    to_gradient = 23.0 * loading**1.6
    oil, gradient = to_oil[:96].mean(axis=0), to_gradient[:96].mean(axis=0)
    first, second = k21 * gradient, (k21 - 1) * gradient
    result = []
    for n in range(len(loading)):
        for _ in range(15 * 60):
            oil = oil + dt_min / (k11 * tau_o) * (to_oil[n] - oil)
            first = first + dt_min / (k22 * tau_w) * (k21 * to_gradient[n] - first)
            second = second + dt_min / (tau_o / k22) * ((k21 - 1) * to_gradient[n] - second)
        result.append(oil + first - second)
    return np.array(result)


def test_each_transformer_is_followed_on_its_own() -> None:
    rng = np.random.default_rng(3)
    loading, ambient, ratio = rng.uniform(0, 1.5, (40, 4)), rng.uniform(-10, 10, 40), np.array([5.0, 8.0, 10.0, 11.0])

    together = hot_spot_c(loading, ambient, ratio, DEFAULT_LIMITS)

    for i in range(4):
        alone = hot_spot_c(loading[:, i : i + 1], ambient, ratio[i : i + 1], DEFAULT_LIMITS)
        np.testing.assert_allclose(together[:, i : i + 1], alone, rtol=1e-13)


def test_no_load_at_rest_leaves_the_no_load_losses() -> None:
    # K = 0: the oil rises by 55 (1 / (1 + R))^0.8, the winding not at all.
    hot_spot = steady_hot_spot_c(np.array([0.0]), 0.0, R10, DEFAULT_LIMITS)

    assert hot_spot[0] == pytest.approx(55.0 * (1 / 11) ** 0.8)


def test_steady_state_at_peak_and_warmest_hour_bounds_the_course() -> None:
    rng = np.random.default_rng(5)
    loading, ambient = rng.uniform(0.0, 1.8, (300, 20)), rng.uniform(-15.0, 8.0, 300)
    ratio = rng.uniform(5.0, 12.0, 20)

    course = hot_spot_c(loading, ambient, ratio, DEFAULT_LIMITS)

    assert (course.max(axis=0) <= steady_hot_spot_c(loading.max(axis=0), ambient.max(), ratio, DEFAULT_LIMITS)).all()


def test_a_case_without_solution_makes_the_rest_unknown_not_cool() -> None:
    loading = np.full((10, 2), 0.8)
    loading[4, 1] = np.nan

    course = hot_spot_c(loading, np.zeros(10), np.array([10.0, 10.0]), DEFAULT_LIMITS)

    assert np.isfinite(course[:, 0]).all()
    assert np.isnan(course[4:, 1]).all()


def test_inputs_are_not_changed() -> None:
    loading, ambient, ratio = np.full((5, 1), 0.9), np.zeros(5), np.array([10.0])
    before = [array.copy() for array in (loading, ambient, ratio)]

    hot_spot_c(loading, ambient, ratio, DEFAULT_LIMITS)

    for array, copy in zip((loading, ambient, ratio), before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ambient_c": np.zeros(4)}, "shapes"),
        ({"ambient_c": np.full(5, np.nan)}, "ambient_c must be finite"),
        ({"loading_pu": np.full((5, 1), -0.1)}, "must not be negative"),
        ({"loss_ratio": np.array([0.0])}, "loss_ratio"),
        ({"duration_h": 0.0}, "duration_h"),
    ],
)
def test_wrong_inputs_are_named(change: dict[str, object], message: str) -> None:
    given: dict[str, object] = {"loading_pu": np.ones((5, 1)), "ambient_c": np.zeros(5), "loss_ratio": R10}

    with pytest.raises(InputError, match=message):
        hot_spot_c(**{**given, **change}, limits=DEFAULT_LIMITS)  # type: ignore[arg-type]
