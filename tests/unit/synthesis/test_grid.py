"""Sums along the forest and its small load flow, against hand-computed numbers."""

from __future__ import annotations

import numpy as np
import pytest

from gridcheck.synthesis.grid import path_from_root, solve_forest, sum_downstream

#   0 -- 1 -- 2
#        |
#        3      4 (another root)
PARENT = np.array([-1, 0, 1, 1, -1])


def test_downstream_sums_include_the_node_itself() -> None:
    assert sum_downstream(PARENT, np.array([1.0, 2.0, 4.0, 8.0, 16.0])).tolist() == [15.0, 14.0, 4.0, 8.0, 16.0]


def test_the_way_from_the_root_adds_up() -> None:
    assert path_from_root(PARENT, np.array([0.0, 2.0, 4.0, 8.0, 0.0])).tolist() == [0.0, 2.0, 6.0, 10.0, 0.0]


def test_two_bus_voltage_is_the_root_of_the_quadratic() -> None:
    # |V|^4 + (2 (R P + X Q) - V0^2) |V|^2 + (R^2 + X^2) (P^2 + Q^2) = 0, upper root
    r, x, p, q, v0 = 0.02, 0.05, 0.8, 0.3, 1.04
    b = 2.0 * (r * p + x * q) - v0**2
    expected = np.sqrt((-b + np.sqrt(b**2 - 4.0 * (r**2 + x**2) * (p**2 + q**2))) / 2.0)

    voltage = solve_forest(
        np.array([-1, 0]), np.array([0j, r + 1j * x]), np.array([0j, p + 1j * q]), np.array([v0, 1.0])
    )

    assert abs(voltage[1]) == pytest.approx(expected, abs=1e-8)


def test_without_load_every_node_has_the_voltage_of_its_root() -> None:
    roots = np.array([1.05, 1.0, 1.0, 1.0, 1.02])

    voltage = solve_forest(PARENT, np.full(5, 0.1 + 0.1j), np.zeros(5, dtype=complex), roots)

    np.testing.assert_allclose(np.abs(voltage), [1.05, 1.05, 1.05, 1.05, 1.02])
