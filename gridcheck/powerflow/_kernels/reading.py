"""Read blocks of solved voltages and currents: magnitudes, angles, losses, loadings. No gridcheck types.

Blocks are those of `balanced.sweep`, one behind the other: (n_block, n_node + 1, 4 width).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridcheck.powerflow._kernels.options import KERNEL


@njit(**KERNEL)
def magnitudes(state: Any, row: Any, first: int, out: Any) -> None:
    """Write the magnitudes of blocks of voltages.

    Parameters
    ----------
    state : (n_block, n_node + 1, 4 width) float64
        Consecutive blocks.
    row : (n_node,) int64
        Row of `out` for each node, -1 for none.
    first : int
        Column of `out` for the first lane.
    out : (n, n_case) float64, written
        Lanes behind its last column are left out.
    """
    n_case = out.shape[1]
    width = state.shape[2] // 4
    for block in range(state.shape[0]):
        start = first + block * width
        for i in range(state.shape[1] - 1):
            if row[i] >= 0:
                w = state[block, i]
                target = out[row[i], start:]
                for t in range(min(width, n_case - start)):
                    target[t] = np.sqrt(w[t] * w[t] + w[width + t] * w[width + t])


@njit(**KERNEL)
def angles(state: Any, row: Any, shift: Any, first: int, out: Any) -> None:
    """Write the angles of blocks of voltages; `shift` (n_node,) is the angle of each node's frame. [degree]

    The other arguments as in `magnitudes`; the result lies in [-180, 180].
    """
    n_case = out.shape[1]
    width = state.shape[2] // 4
    for block in range(state.shape[0]):
        start = first + block * width
        for i in range(state.shape[1] - 1):
            if row[i] >= 0:
                w = state[block, i]
                target = out[row[i], start:]
                for t in range(min(width, n_case - start)):
                    angle = np.arctan2(w[width + t], w[t]) * (180.0 / np.pi) + shift[i]
                    target[t] = angle - 360.0 * np.rint(angle / 360.0)


@njit(**KERNEL)
def losses(r: Any, g: Any, state: Any, first: int, out: Any) -> None:
    """Write the sum of :math:`r |J|^2 + g |V|^2` over all nodes of blocks to `out`, shape (n_case,). [pu]"""
    n_case = out.shape[0]
    width = state.shape[2] // 4
    for block in range(state.shape[0]):
        start = first + block * width
        lanes = min(width, n_case - start)
        total = out[start:]
        for t in range(lanes):
            total[t] = 0.0
        for i in range(state.shape[1] - 1):
            w = state[block, i]
            for t in range(lanes):
                series = r[i] * (w[2 * width + t] * w[2 * width + t] + w[3 * width + t] * w[3 * width + t])
                total[t] += series + g[i] * (w[t] * w[t] + w[width + t] * w[width + t])


@njit(**KERNEL)
def branch_currents(
    parent: Any, ratio: Any, g_near: Any, b_near: Any, g_far: Any, b_far: Any, near_scale: Any, far_scale: Any,
    state: Any, row: Any, first: int, out: Any,
) -> None:  # fmt: skip
    """Write the larger of the scaled currents at both ends of the branch above each node.

    The near end is the parent's: :math:`|a J + y_{near} V_p|`, the far end the node's own:
    :math:`|J - y_{far} V_c|`. `near_scale`, `far_scale` (n_node,) turn pu into kA or percent; the other
    arguments as in `magnitudes`; 0 in the rows of sources.
    """
    n_case = out.shape[1]
    width = state.shape[2] // 4
    for block in range(state.shape[0]):
        start = first + block * width
        lanes = min(width, n_case - start)
        for i in range(parent.shape[0]):
            if row[i] < 0:
                continue
            target = out[row[i], start:]
            up = parent[i]
            if up < 0:
                for t in range(lanes):
                    target[t] = 0.0
                continue
            a = ratio[i]
            w = state[block, i]
            w_up = state[block, up]
            for t in range(lanes):
                nr = a * w[2 * width + t] + g_near[i] * w_up[t] - b_near[i] * w_up[width + t]
                ni = a * w[3 * width + t] + g_near[i] * w_up[width + t] + b_near[i] * w_up[t]
                fr = w[2 * width + t] - g_far[i] * w[t] + b_far[i] * w[width + t]
                fi = w[3 * width + t] - g_far[i] * w[width + t] - b_far[i] * w[t]
                near = near_scale[i] * np.sqrt(nr * nr + ni * ni)
                far = far_scale[i] * np.sqrt(fr * fr + fi * fi)
                target[t] = far if far > near else near


@njit(**KERNEL)
def pass_down(parent: Any, ratio: Any, shift: Any, vm: Any, angle: Any) -> None:
    """Pass voltages and angles of the sources, which stand in `vm` and `angle` (n_node,), down the tree."""
    for i in range(parent.shape[0]):
        if parent[i] >= 0:
            vm[i] = vm[parent[i]] * ratio[i]
            angle[i] = angle[parent[i]] + shift[i]
