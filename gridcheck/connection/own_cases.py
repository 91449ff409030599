"""The checks of one area, with the crowd in all others, from the few cases that can be the worst."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.checks.assessment import LV_PHASE_V, load_weights
from gridcheck.checks.low_voltage import end_voltage_v
from gridcheck.checks.thermal import steady_hot_spot_c
from gridcheck.connection.promises import Promises
from gridcheck.powerflow.narrow import NarrowSolver, Weights, in_lanes, lanes_of_state, start_of
from gridcheck.powerflow.readings import node_voltages
from gridcheck.powerflow.reductions import lowest, sustained_highest

# First guess of what can be the worst: so near to the highest bound. What was missed is solved after it.
_NEAR_PERCENT, _NEAR_V = 0.8, 0.15
# Sums of other orders differ in their last digits.
_ROUNDING = 1.0 + 1e-12
# Voltages are solved to 1e-8 pu; bounds leave room for that.
_SLACK = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """Loading and end voltage of the states of an area, shape (n_state, n_kept); NaN where not solved. [%], [V]"""

    loading: FloatArray
    end_v: FloatArray


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

    def values(self, row: int, rated_kw: FloatArray, count: FloatArray) -> list[tuple[FloatArray, IntArray] | None]:
        """Return loading, hot spot and end voltage of an area in some states, and their cases.

        Parameters
        ----------
        row : int
            The area.
        rated_kw, count : ndarray, shape (n_state, n_class)
            Its homes and heaters.

        Returns
        -------
        list of tuple of ndarray, or of None
            None where a state takes all cases.
        """
        tree, course = self._promises.tree, self._promises.course
        own = load_weights(tree, course, rated_kw, count, group=None)
        p_pu, q_pu = (weight @ course.columns.T for weight in own)
        node, voltage = int(tree.area_node[row]), self._voltage[row]
        beyond = (p_pu > self._power[0][row] * _ROUNDING) | (q_pu > self._power[1][row] * _ROUNDING)
        bound = self._solver.loading_bound_percent(node, np.hypot(p_pu, q_pu) / voltage) * (1.0 + _SLACK)
        level = bound[:, course.windows].min(axis=2)
        end_v = self._end_v(row, voltage, p_pu, q_pu) * (1.0 - _SLACK)
        windows = level >= level.max(axis=1)[:, None] - _NEAR_PERCENT
        alone = end_v <= end_v.min(axis=1)[:, None] + _NEAR_V
        seen = _Seen(loading=np.full(alone.shape, np.nan), end_v=np.full(alone.shape, np.nan))
        found: list[tuple[FloatArray, IntArray] | None] = [None] * len(level)
        open_states = np.flatnonzero(~beyond.any(axis=1)).tolist()
        while open_states:
            if not self._solve(row, own, open_states, windows, alone, seen):
                break
            again = []
            for state in open_states:
                one = self._worst(seen, state, windows[state])
                missed_windows = ~windows[state] & (level[state] >= one[0][0])
                missed = np.isnan(seen.end_v[state]) & (end_v[state] <= one[0][2])
                if missed_windows.any() or missed.any():
                    windows[state] |= missed_windows
                    alone[state] |= missed
                    again.append(state)
                elif self._is_cool(row, one[0][0], float(bound[state].max())):
                    found[state] = one
            open_states = again
        return found

    def _worst(self, seen: _Seen, state: int, windows: BoolArray) -> tuple[FloatArray, IntArray]:
        """Return the worst values of one state among what was seen."""
        course = self._promises.course
        level, at = sustained_highest(seen.loading[state : state + 1], course.windows[windows])
        low, low_at = lowest(seen.end_v[state : state + 1])
        return np.array([level[0], np.nan, low[0]]), course.case[np.array([at[0], at[0], low_at[0]])]

    def _is_cool(self, row: int, loading: float, peak_percent: float) -> bool:
        """Tell whether the hot spot need not be followed: `assess` would not either."""
        limits = self._promises.limits
        ratio = self._promises.tree.loss_ratio[[row]]
        steady = steady_hot_spot_c(np.array([peak_percent / 100.0]), self._warmest_c, ratio, limits)[0]
        return bool(loading > limits.area_loading_percent.value * (1.0 + _SLACK) or steady <= limits.hot_spot_c.value)

    def _end_v(self, row: int, voltage_pu: FloatArray, p_pu: FloatArray, q_pu: FloatArray) -> FloatArray:
        tree = self._promises.tree
        p_mw, q_mvar = p_pu * tree.model.sn_mva, q_pu * tree.model.sn_mva
        return end_voltage_v(voltage_pu * LV_PHASE_V, p_mw, q_mvar, tree.lines.of(np.array([row])))

    def _solve(
        self, row: int, own: Weights, states: list[int], windows: BoolArray, alone: BoolArray, seen: _Seen
    ) -> bool:
        """Solve the cases of some windows and some alone of each state that were not seen; False without solution."""
        tree, course = self._promises.tree, self._promises.course
        cases = []
        for state in states:
            wanted = alone[state].copy()
            wanted[course.windows[windows[state]]] = True
            cases.append(np.flatnonzero(wanted & np.isnan(seen.end_v[state])))
        state_of = np.repeat(states, [len(case) for case in cases])
        case = np.concatenate(cases)
        place = in_lanes(case)
        profile = np.ascontiguousarray(course.columns[place].T)
        start = start_of(self._lanes, place)
        solved = self._solver.solve(self._weights, profile, start, own=(row, own, in_lanes(state_of)))
        if solved is None:
            return False
        at = np.full(tree.model.n_node, -1, dtype=np.int64)
        at[tree.area_node[row]] = 0
        shape = 1, len(case)
        seen.loading[state_of, case] = self._solver.loading_percent(solved, at, shape)[0]
        power = (np.einsum("tc,tc->t", weight[state_of], profile.T[: len(case)])[None] for weight in own)
        seen.end_v[state_of, case] = self._end_v(row, self._solver.voltage_pu(solved, at, shape), *power)[0]
        return True
