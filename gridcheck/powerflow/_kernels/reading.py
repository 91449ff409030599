"""Read blocks of solved voltages and currents: magnitudes, angles, losses, loadings. No gridcheck types."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridcheck.powerflow._kernels.layout import BLOCK


@njit(cache=True, nogil=True, error_model="numpy")
def magnitudes(v: Any, row: Any, first: int, out: Any) -> None:
    """Write the magnitudes of blocks of voltages.

    Parameters
    ----------
    v : (n_block, n_node, 2 BLOCK) float64
        Consecutive blocks.
    row : (n_node,) int64
        Row of `out` for each node, -1 for none.
    first : int
        Column of `out` for the first lane.
    out : (n, n_case) float64, written
        Lanes behind its last column are left out.
    """
    n_case = out.shape[1]
    for block in range(v.shape[0]):
        start = first + block * BLOCK
        for i in range(v.shape[1]):
            if row[i] >= 0:
                vi = v[block, i]
                target = out[row[i], start:]
                for t in range(min(BLOCK, n_case - start)):
                    target[t] = np.sqrt(vi[t] * vi[t] + vi[BLOCK + t] * vi[BLOCK + t])


@njit(cache=True, nogil=True, error_model="numpy")
def angles(v: Any, row: Any, shift: Any, first: int, out: Any) -> None:
    """Write the angles of blocks of voltages; `shift` (n_node,) is the angle of each node's frame. [degree]

    The other arguments as in `magnitudes`; the result lies in [-180, 180].
    """
    n_case = out.shape[1]
    for block in range(v.shape[0]):
        start = first + block * BLOCK
        for i in range(v.shape[1]):
            if row[i] >= 0:
                vi = v[block, i]
                target = out[row[i], start:]
                for t in range(min(BLOCK, n_case - start)):
                    angle = np.arctan2(vi[BLOCK + t], vi[t]) * (180.0 / np.pi) + shift[i]
                    target[t] = angle - 360.0 * np.rint(angle / 360.0)


@njit(cache=True, nogil=True, error_model="numpy")
def losses(r: Any, g: Any, v: Any, j: Any, first: int, out: Any) -> None:
    """Write the sum of :math:`r |J|^2 + g |V|^2` over all nodes of blocks to `out`, shape (n_case,). [pu]"""
    n_case = out.shape[0]
    total = np.empty(BLOCK)
    for block in range(v.shape[0]):
        total[:] = 0.0
        lanes = min(BLOCK, n_case - first - block * BLOCK)
        for i in range(v.shape[1]):
            vi = v[block, i]
            ji = j[block, i]
            for t in range(lanes):
                series = r[i] * (ji[t] * ji[t] + ji[BLOCK + t] * ji[BLOCK + t])
                total[t] += series + g[i] * (vi[t] * vi[t] + vi[BLOCK + t] * vi[BLOCK + t])
        start = first + block * BLOCK
        for t in range(min(BLOCK, n_case - start)):
            out[start + t] = total[t]


@njit(cache=True, nogil=True, error_model="numpy")
def branch_currents(
    parent: Any, ratio: Any, g_near: Any, b_near: Any, g_far: Any, b_far: Any, near_scale: Any, far_scale: Any,
    v: Any, j: Any, row: Any, first: int, out: Any,
) -> None:  # fmt: skip
    """Write the larger of the scaled currents at both ends of the branch above each node.

    The near end is the parent's: :math:`|a J + y_{near} V_p|`, the far end the node's own:
    :math:`|J - y_{far} V_c|`. `near_scale`, `far_scale` (n_node,) turn pu into kA or percent; the other
    arguments as in `magnitudes`; 0 in the rows of sources.
    """
    n_case = out.shape[1]
    for block in range(v.shape[0]):
        start = first + block * BLOCK
        lanes = min(BLOCK, n_case - start)
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
            vi = v[block, i]
            ji = j[block, i]
            v_up = v[block, up]
            for t in range(lanes):
                nr = a * ji[t] + g_near[i] * v_up[t] - b_near[i] * v_up[BLOCK + t]
                ni = a * ji[BLOCK + t] + g_near[i] * v_up[BLOCK + t] + b_near[i] * v_up[t]
                fr = ji[t] - g_far[i] * vi[t] + b_far[i] * vi[BLOCK + t]
                fi = ji[BLOCK + t] - g_far[i] * vi[BLOCK + t] - b_far[i] * vi[t]
                near = near_scale[i] * np.sqrt(nr * nr + ni * ni)
                far = far_scale[i] * np.sqrt(fr * fr + fi * fi)
                target[t] = far if far > near else near


@njit(cache=True, nogil=True)
def pass_down(parent: Any, ratio: Any, shift: Any, vm: Any, angle: Any) -> None:
    """Pass voltages and angles of the sources, which stand in `vm` and `angle` (n_node,), down the tree."""
    for i in range(parent.shape[0]):
        if parent[i] >= 0:
            vm[i] = vm[parent[i]] * ratio[i]
            angle[i] = angle[parent[i]] + shift[i]
