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

_TOLERANCE_PU = 1e-8
_MAX_ITERATIONS = 400


def lanes_of_state(solved: SweepState) -> FloatArray:
    """Return a solution by case, shape (4, n_node + 1, n_case): voltage and current, real and imaginary. [pu]"""
    n_block, n_row, _ = solved.state.shape
    by_part = solved.state.reshape(n_block, n_row, 4, -1).transpose(2, 1, 0, 3)
    return np.ascontiguousarray(by_part.reshape(4, n_row, -1)[:, :, : solved.n_case])


def start_of(lanes: FloatArray, place: IntArray) -> FloatArray:
    """Return some cases of a solution as the kernel takes them, shape (n_node + 1, 4 width)."""
    chosen = lanes[:, :, place].transpose(1, 0, 2)
    return np.ascontiguousarray(chosen.reshape(chosen.shape[0], -1))


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
        self._held: dict[int, tuple[FloatArray, ...]] = {}

    def solve(
        self, p_weight: FloatArray, q_weight: FloatArray, profile: FloatArray, start: FloatArray
    ) -> FloatArray | None:
        """Return the solution, shape (n_node + 1, 4 width); None where a case has none.

        Parameters
        ----------
        p_weight, q_weight : ndarray, shape (n_load, n_class)
            Weights. [pu]
        profile : ndarray, shape (n_class, width)
            Profiles of the cases.
        start : ndarray, shape (n_node + 1, 4 width)
            Voltages to start from; stays as it is.
        """
        tree, width = self._model.arrays, profile.shape[1]
        pq, pq_rough, rough, lane, lane_rough = self._scratch(width)
        _kernels.factored_power(p_weight, q_weight, profile, pq[:-1])
        state = start.copy()
        status, iterations = np.zeros((2, width), dtype=np.int64)
        _kernels.sweep(
            tree.parent, tree.branch, tree.branch_rough, self._row, tree.start_rough, pq, pq_rough, rough, state,
            lane, lane_rough, status, iterations, _TOLERANCE_PU, _MAX_ITERATIONS,
        )  # fmt: skip
        return None if status.any() else state

    def loading_percent(self, state: FloatArray, row: IntArray, n_row: int) -> FloatArray:
        """Return loadings, shape (n_row, width); `row` (n_node,) is where each node's stands, -1 for nowhere. [%]"""
        model, out = self._model, np.empty((n_row, state.shape[1] // 4))
        _kernels.branch_currents(
            model.parent, model.ratio, model.near_g_pu, model.near_b_pu, model.far_g_pu, model.far_b_pu,
            self._near, self._far, state[None], row, 0, out,
        )  # fmt: skip
        return out

    def voltage_pu(self, state: FloatArray, row: IntArray, n_row: int) -> FloatArray:
        """Return voltages in the same way. [pu]"""
        out = np.empty((n_row, state.shape[1] // 4))
        _kernels.magnitudes(state[None], row, 0, out)
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

    def _scratch(self, width: int) -> tuple[FloatArray, ...]:
        if width not in self._held:
            pq = np.zeros((self._n_load + 1, 2 * width))
            # Single precision is not used from a start that is given.
            pq_rough, rough = np.zeros((1, 2 * width), np.float32), np.zeros((0, 4 * width), np.float32)
            self._held[width] = pq, pq_rough, rough, np.zeros(6 * width), np.zeros(4 * width, np.float32)
        return self._held[width]
