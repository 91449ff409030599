"""The checks of one area, with the crowd in all others, from the few cases that can be the worst."""

from __future__ import annotations

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.checks.assessment import LV_PHASE_V, load_weights
from gridcheck.checks.low_voltage import end_voltage_v
from gridcheck.checks.thermal import steady_hot_spot_c
from gridcheck.connection.promises import Promises
from gridcheck.powerflow.narrow import NarrowSolver, lanes_of_state, start_of
from gridcheck.powerflow.readings import node_voltages
from gridcheck.powerflow.reductions import lowest, sustained_highest

# First guess of what can be the worst: so near to the highest bound. What was missed is solved after it.
_NEAR_PERCENT, _NEAR_V = 3.0, 0.3
# Voltages are solved to 1e-8 pu; bounds leave room for that.
_SLACK = 1e-6


class OwnCases:
    """The areas of one tree, each with the crowd in all others.

    Parameters
    ----------
    promises : Promises
        With a crowd, and without any feed-in.
    """

    def __init__(self, promises: Promises) -> None:
        tree, course, crowd = promises.tree, promises.course, promises.crowd
        assert crowd is not None
        self._promises = promises
        row = np.full(tree.model.n_node, -1, dtype=np.int64)
        row[tree.area_node] = np.arange(len(tree.area_node))
        self._solver = NarrowSolver(tree.model, row)
        self._lanes = lanes_of_state(promises.crowd_level.state)
        self._weights = load_weights(tree, course, crowd.rated_kw, crowd.count, group=None)
        self._power = tuple(weight @ course.columns.T for weight in self._weights)
        self._voltage = node_voltages(promises.crowd_level.state)[tree.area_node]
        self._warmest_c = float(course.profiles.temperature_c.max())

    def values(self, row: int, rated_kw: FloatArray, count: FloatArray) -> tuple[FloatArray, IntArray] | None:
        """Return loading, hot spot and end voltage of an area, and their cases; None where that takes all cases.

        Parameters
        ----------
        row : int
            The area.
        rated_kw, count : ndarray, shape (n_class,)
            Its homes and heaters.
        """
        tree, course = self._promises.tree, self._promises.course
        own = load_weights(tree, course, rated_kw[None, :], count[None, :], group=None)
        p_pu, q_pu = (weight[0] @ course.columns.T for weight in own)
        if (p_pu > self._power[0][row] * (1.0 + 1e-12)).any() or (q_pu > self._power[1][row] * (1.0 + 1e-12)).any():
            return None
        node, voltage = int(tree.area_node[row]), self._voltage[row]
        bound = self._solver.loading_bound_percent(node, np.hypot(p_pu, q_pu) / voltage) * (1.0 + _SLACK)
        level = bound[course.windows].min(axis=1)
        end_v = self._end_v(row, voltage, p_pu, q_pu) * (1.0 - _SLACK)
        windows = level >= level.max() - _NEAR_PERCENT
        alone = end_v <= end_v.min() + _NEAR_V
        for _ in range(2):
            found = self._solved(row, own, windows, alone)
            if found is None:
                return None
            loading, lowest_v = found[0][0], found[0][2]
            missed_windows, missed = ~windows & (level >= loading), ~alone & (end_v <= lowest_v)
            if not missed_windows.any() and not missed.any():
                return found if self._is_cool(row, loading, float(bound.max())) else None
            windows, alone = windows | missed_windows, alone | missed
        return None

    def _is_cool(self, row: int, loading: float, peak_percent: float) -> bool:
        """Tell whether the hot spot need not be followed: `assess` would not either."""
        limits = self._promises.limits
        ratio = self._promises.tree.loss_ratio[[row]]
        steady = steady_hot_spot_c(np.array([peak_percent / 100.0]), self._warmest_c, ratio, limits)[0]
        return bool(loading > limits.area_loading_percent.value * (1.0 + _SLACK) or steady <= limits.hot_spot_c.value)

    def _end_v(self, row: int, voltage_pu: FloatArray, p_pu: FloatArray, q_pu: FloatArray) -> FloatArray:
        tree = self._promises.tree
        p_mw, q_mvar = p_pu[None, :] * tree.model.sn_mva, q_pu[None, :] * tree.model.sn_mva
        return end_voltage_v(voltage_pu[None, :] * LV_PHASE_V, p_mw, q_mvar, tree.lines.of(np.array([row])))[0]

    def _solved(
        self, row: int, own: tuple[FloatArray, FloatArray], windows: BoolArray, alone: BoolArray
    ) -> tuple[FloatArray, IntArray] | None:
        """Solve the cases of some windows and some alone; worst values among them."""
        tree, course = self._promises.tree, self._promises.course
        wanted = alone.copy()
        wanted[course.windows[windows]] = True
        case = np.flatnonzero(wanted)
        columns = course.columns[case]
        p_weight, q_weight = (weight.copy() for weight in self._weights)
        p_weight[row], q_weight[row] = own[0][0], own[1][0]
        state = self._solver.solve(p_weight, q_weight, np.ascontiguousarray(columns.T), start_of(self._lanes, case))
        if state is None:
            return None
        at = np.full(tree.model.n_node, -1, dtype=np.int64)
        at[tree.area_node[row]] = 0
        loading = self._solver.loading_percent(state, at, 1)
        voltage = self._solver.voltage_pu(state, at, 1)[0]
        place = np.searchsorted(case, course.windows[windows])
        sustained, sustained_at = sustained_highest(loading, place)
        p_pu, q_pu = (weight[0] @ columns.T for weight in own)
        low, low_at = lowest(self._end_v(row, voltage, p_pu, q_pu)[None, :])
        value = np.array([sustained[0], np.nan, low[0]])
        return value, course.case[case[np.array([sustained_at[0], sustained_at[0], low_at[0]])]]
