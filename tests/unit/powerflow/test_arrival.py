"""When a case counts as solved, sweep by sweep."""

import numpy as np
import pytest

from gridcheck.powerflow._kernels.arrival import judge, judge_roughly
from gridcheck.powerflow._kernels.layout import ROUGH_PU, ROUGH_SWEEPS

GOING, ARRIVED, GIVEN_UP = 1.0, 0.0, -1.0


class Lane:
    """One case, told of its changes one after the other."""

    def __init__(self, tolerance=1e-8, max_iterations=100):
        self.active, self.previous, self.least_rho = np.ones(1), np.zeros(1), np.zeros(1)
        self.iterations = np.zeros(1, dtype=np.int64)
        self.tolerance, self.max_iterations = tolerance, max_iterations

    def roughly(self, *changes):
        for change in changes:
            judge_roughly(
                self.active, np.array([change]), self.previous, self.least_rho, self.iterations, self.max_iterations
            )
        return self.active[0]

    def begin_finely(self):
        self.active[:], self.previous[:] = 1.0, 0.0

    def finely(self, *changes):
        for change in changes:
            judge(
                self.active, np.array([change]), self.previous, self.least_rho, self.tolerance, self.iterations,
                self.max_iterations,
            )  # fmt: skip
        return self.active[0]


def test_the_remaining_error_is_estimated_from_the_last_ratio():
    # 1e-8 * 0.1 / 0.9 is far below 1e-8; 1e-7 * 0.1 / 0.9 is not.
    assert Lane().finely(1e-6, 1e-7) == GOING
    assert Lane().finely(1e-7, 1e-8) == ARRIVED


def test_a_slow_case_has_to_come_closer():
    # Half a tolerance of change, but the sum of all further changes is 0.5e-8 * 0.8 / 0.2 = 2e-8.
    assert Lane().finely(0.625e-8, 0.5e-8) == GOING


def test_what_is_left_of_rounding_does_not_pass_for_fast_progress():
    lane = Lane()
    assert lane.roughly(1e-4, 0.5 * ROUGH_PU) == ARRIVED
    lane.least_rho[0] = 0.8
    lane.begin_finely()
    # The drop from 1e-7 to 0.9e-8 looks fast, but 0.9e-8 * 0.8 / 0.2 is 3.6e-8.
    assert lane.finely(1e-7, 0.9e-8) == GOING


@pytest.mark.parametrize(
    "rough",
    [
        pytest.param((1.0, 2e3), id="diverged"),
        pytest.param((0.1 * 0.97**k for k in range(ROUGH_SWEEPS)), id="too slow"),
        pytest.param((0.5 * ROUGH_PU / 0.95, 0.5 * ROUGH_PU), id="slow to the end"),
    ],
)
def test_what_single_precision_could_not_do_does_not_bind_double_precision(rough):
    lane = Lane()
    lane.roughly(*rough)
    lane.begin_finely()
    assert lane.finely(1e-6, 1e-7, 1e-8) == ARRIVED


def test_the_first_change_is_judged_by_what_was_seen_before():
    lane = Lane()
    lane.roughly(1e-4, 1e-6)
    lane.begin_finely()
    assert lane.least_rho[0] == pytest.approx(0.01)
    # 1e-7 * 0.01 / 0.99 = 1e-9.
    assert lane.finely(1e-7) == ARRIVED


def test_nothing_arrives_without_a_ratio():
    assert Lane().finely(1e-12) == GOING


@pytest.mark.parametrize("change", [np.nan, np.inf, 1e4])
def test_what_flies_away_is_given_up(change):
    assert Lane().finely(1.0, change) == GIVEN_UP
    assert Lane().roughly(change) == GIVEN_UP


def test_the_last_sweep_is_left_to_double_precision():
    lane = Lane(max_iterations=3)
    assert lane.roughly(1e-1, 1e-2) == ARRIVED
    lane.begin_finely()
    assert lane.finely(1e-3) == GIVEN_UP
    assert lane.iterations[0] == 3
