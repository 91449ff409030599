"""A few cases of a radial model, solved again and again for loads that hardly differ.

Every lane comes out with the bits that `solve_nodes` gives it from the same start: lanes do not influence each other,
and the kernels are the same. What is saved is everything around them, and the cases that nobody asked for.
"""

from __future__ import annotations

import numpy as np

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.powerflow import _kernels
from gridcheck.powerflow.radial import RadialModel
from gridcheck.powerflow.readings import tree_percent_scales
from gridcheck.powerflow.sweep import SweepState

Weights = tuple[FloatArray, FloatArray]
"""Of active and of reactive loads."""

_TOLERANCE_PU = 1e-8
_MAX_ITERATIONS = 400


def lanes_of_state(solved: SweepState) -> FloatArray:
    """Return a solution by case, shape (n_node + 1, 4, n_case): voltage and current, real and imaginary. [pu]"""
    n_block, n_row, _ = solved.state.shape
    by_part = solved.state.reshape(n_block, n_row, 4, -1).transpose(1, 2, 0, 3)
    return np.ascontiguousarray(by_part.reshape(n_row, 4, -1)[:, :, : solved.n_case])


def in_lanes(place: IntArray) -> IntArray:
    """Fill the last block with repetitions of its first case: the kernel is fast where all lanes are used."""
    lanes = _kernels.BLOCK
    return np.concatenate([place, np.full(-len(place) % lanes, place[0])])


def start_of(lanes: FloatArray, place: IntArray) -> FloatArray:
    """Return some cases of a solution as the kernel takes them, shape (n_block, n_node + 1, 4 BLOCK).

    `place` (n_block BLOCK,) as from `in_lanes`.
    """
    blocks = place.reshape(-1, _kernels.BLOCK)
    chosen = [lanes[:, :, block].reshape(len(lanes), -1) for block in blocks]
    return np.stack(chosen)


class NarrowSolver:
    """Solves and reads a few cases of one model.

    Parameters
    ----------
    model : RadialModel
        The tree.
    row : ndarray of int, shape (n_node,)
        Row of each node's load, -1 where it has none.
    """

    def __init__(self, model: RadialModel, row: IntArray) -> None:
        self._model = model
        self._n_load = int(row.max(initial=-1)) + 1
        self._row = np.where(row < 0, self._n_load, row)
        self._near, self._far = tree_percent_scales(model)
        # Single precision is not used from a start that is given.
        lanes, rough = _kernels.BLOCK, np.float32
        self._scratch = (
            np.zeros((self._n_load + 1, 2 * lanes)), np.zeros((1, 2 * lanes), rough), np.zeros((0, 4 * lanes), rough),
            np.zeros(6 * lanes), np.zeros(4 * lanes, rough),
        )  # fmt: skip

    def solve(
        self,
        weights: Weights,
        profile: FloatArray,
        start: FloatArray,
        *,
        own: tuple[int, Weights, IntArray] | None = None,
    ) -> FloatArray | None:
        """Return the solution, shape (n_block, n_node + 1, 4 BLOCK); None where a case has none.

        Parameters
        ----------
        weights : tuple of ndarray, shape (n_load, n_class)
            Weights of active and reactive loads. [pu]
        profile : ndarray, shape (n_class, n_block BLOCK)
            Profiles of the cases.
        start : ndarray, shape (n_block, n_node + 1, 4 BLOCK)
            Voltages to start from; stays as it is.
        own : tuple of int, weights of shape (n_state, n_class), and ndarray of int, shape (n_block BLOCK,), optional
            A row whose weights are others in each state, and the state of each lane.
        """
        tree, lanes = self._model.arrays, _kernels.BLOCK
        pq, pq_rough, rough, lane, lane_rough = self._scratch
        state = start.copy()
        status, iterations = np.zeros((2, len(state), lanes), dtype=np.int64)
        for block in range(len(state)):
            course = np.ascontiguousarray(profile[:, block * lanes : (block + 1) * lanes])
            _kernels.factored_power(*weights, course, pq[:-1])
            if own is not None:
                row, (p_weight, q_weight), state_of_lane = own
                each = np.empty((len(p_weight), 2 * lanes))
                _kernels.factored_power(p_weight, q_weight, course, each)
                chosen = state_of_lane[block * lanes : (block + 1) * lanes]
                pq[row] = each[np.tile(chosen, 2), np.arange(2 * lanes)]
            _kernels.sweep(
                tree.parent, tree.branch, tree.branch_rough, self._row, tree.start_rough, pq, pq_rough, rough,
                state[block], lane, lane_rough, status[block], iterations[block], _TOLERANCE_PU, _MAX_ITERATIONS,
            )  # fmt: skip
        return None if status.any() else state

    def loading_percent(self, state: FloatArray, row: IntArray, shape: tuple[int, int]) -> FloatArray:
        """Return loadings, shape (n_row, n_case); `row` (n_node,) is where each node's stands, -1 for nowhere. [%]"""
        model, out = self._model, np.empty(shape)
        _kernels.branch_currents(
            model.parent, model.ratio, model.near_g_pu, model.near_b_pu, model.far_g_pu, model.far_b_pu,
            self._near, self._far, state, row, 0, out,
        )  # fmt: skip
        return out

    def voltage_pu(self, state: FloatArray, row: IntArray, shape: tuple[int, int]) -> FloatArray:
        """Return voltages in the same way. [pu]"""
        out = np.empty(shape)
        _kernels.magnitudes(state, row, 0, out)
        return out

    def loading_bound_percent(self, node: int, current_pu: FloatArray) -> FloatArray:
        """Return what the loading above a node cannot exceed where its load draws a current. [%]"""
        model = self._model
        highest_pu = 1.1 * float(model.source_vm_pu.max())
        shunt = complex(model.g_pu[node], model.b_pu[node])
        far = shunt - complex(model.far_g_pu[node], model.far_b_pu[node])
        near = complex(model.near_g_pu[node], model.near_b_pu[node])
        at_far = self._far[node] * (current_pu + abs(far) * highest_pu)
        at_near = self._near[node] * (
            model.ratio[node] * (current_pu + abs(shunt) * highest_pu) + abs(near) * highest_pu
        )
        bound: FloatArray = np.fmax(at_far, at_near)
        return bound
