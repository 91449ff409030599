"""Which cases can be left out because another loads every bus at least as much."""

from __future__ import annotations

import numpy as np
import pytest

from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.checks.worst_cases import select_cases, undominated_cases


def test_only_cases_that_no_other_covers_are_kept() -> None:
    p_mw = np.array([[1.0, 1.0], [2.0, 1.0], [1.0, 2.0], [2.0, 1.0], [1.5, 1.5], [0.0, 0.0]])

    kept = undominated_cases(LoadCases(p_mw=p_mw, q_mvar=np.zeros_like(p_mw)))

    # 0 and 5 lie below 1; 3 equals 1 and comes later; 4 has less at each bus than 1 or 2, but less than neither.
    assert kept.tolist() == [1, 2, 4]


def test_reactive_power_counts_too() -> None:
    p_mw = np.array([[2.0], [1.0]])

    assert undominated_cases(LoadCases(p_mw=p_mw, q_mvar=np.array([[0.5], [0.6]]))).tolist() == [0, 1]
    assert undominated_cases(LoadCases(p_mw=p_mw, q_mvar=np.array([[0.5], [0.4]]))).tolist() == [0]


def test_loads_that_follow_the_voltage_keep_every_case() -> None:
    p_mw = np.array([[2.0, 1.0], [1.0, 0.5]])

    loads = LoadCases(p_mw=p_mw, q_mvar=0.0 * p_mw, z_share=np.array([0.0, 0.5]))

    assert undominated_cases(loads).tolist() == [0, 1]


def test_generation_keeps_every_case() -> None:
    p_mw = np.array([[2.0, 1.0], [1.0, 0.5], [0.5, -0.1]])

    assert undominated_cases(LoadCases(p_mw=p_mw, q_mvar=np.zeros_like(p_mw))).tolist() == [0, 1, 2]


@pytest.mark.parametrize("n_case", [1, 63, 64, 65, 200])
def test_equals_comparing_every_pair(n_case: int) -> None:
    rng = np.random.default_rng(n_case)
    loads = FactoredLoads(
        p_weight_mw=rng.uniform(0, 1, (5, 2)) * (rng.random((5, 2)) < 0.7),
        q_weight_mvar=rng.uniform(0, 0.3, (5, 2)),
        profile=np.round(rng.uniform(0, 1, (n_case, 2)), 1),
    )
    written = loads.cases()
    power = np.concatenate([written.p_mw, written.q_mvar], axis=1)
    expected = []
    for s in range(n_case):
        covers = (power >= power[s] - 1e-12).all(axis=1)
        equal = np.isclose(power, power[s], atol=1e-12).all(axis=1)
        if not (covers & ~equal).any() and not equal[:s].any():
            expected.append(s)

    assert undominated_cases(loads).tolist() == expected


def test_selected_cases_are_those_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    loads = FactoredLoads(
        p_weight_mw=rng.uniform(0, 1, (4, 2)),
        q_weight_mvar=rng.uniform(0, 1, (4, 2)),
        profile=rng.uniform(0, 1, (6, 2)),
        duration_h=np.arange(1.0, 7.0),
    )
    chosen = np.array([1, 4])

    factored, written = select_cases(loads, chosen), select_cases(loads.cases(), chosen)

    assert isinstance(factored, FactoredLoads)
    assert isinstance(written, LoadCases)
    np.testing.assert_allclose(factored.cases().p_mw, written.p_mw)
    np.testing.assert_allclose(written.q_mvar, loads.cases().q_mvar[chosen])
    assert factored.duration_h.tolist() == written.duration_h.tolist() == [2.0, 5.0]
