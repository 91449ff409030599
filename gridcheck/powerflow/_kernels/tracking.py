"""Keep extremes, hours and energies of blocks of solved cases while they are in the cache. No gridcheck types."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridcheck.powerflow._kernels.layout import BLOCK

# Lanes that are compared side by side, so that the compiler can use vectors; a divisor of BLOCK.
_WIDE = 8


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _peak(row: Any, acc: Any) -> Any:
    """Return the largest of BLOCK values; NaN lanes are passed over, -inf where all are NaN."""
    for u in range(_WIDE):
        acc[u] = -np.inf
    for s in range(0, BLOCK, _WIDE):
        for u in range(_WIDE):
            acc[u] = row[s + u] if row[s + u] > acc[u] else acc[u]
    top = acc[0]
    for u in range(1, _WIDE):
        top = acc[u] if acc[u] > top else top
    return top


@njit(cache=True, nogil=True)
def _lane(row: Any, value: float) -> int:
    """Return the first lane that holds a value."""
    for t in range(BLOCK):
        if row[t] == value:
            return t
    return -1


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def track(
    parent: Any, ratio: Any, g_near: Any, b_near: Any, g_far: Any, b_far: Any, near_scale: Any, far_scale: Any,
    v: Any, j: Any, first: int, best: Any, case: Any, loading: Any,
) -> None:  # fmt: skip
    """Keep lowest and highest voltages and highest currents of one block, all squared.

    Parameters
    ----------
    parent, ratio, g_near, b_near, g_far, b_far, near_scale, far_scale : (n_node,)
        As in `reading.branch_currents`; a scale of NaN makes the branch one without a value.
    v, j : (n_node, 2 BLOCK) float64
        Lanes that do not count hold NaN. [pu]
    first : int
        Case of the first lane.
    best : (3, n_node) float64, updated
        Highest of minus the squared voltage, of the squared voltage, and of the squared scaled current; enters as -inf.
    case : (3, n_node) int64, updated
        Their cases.
    loading : (n_node,) float64, updated
        The scaled current of the last one, reckoned as in `reading.branch_currents`.
    """
    square = np.empty(BLOCK)
    minus = np.empty(BLOCK)
    larger = np.empty(BLOCK)
    acc = np.empty(_WIDE)
    for i in range(parent.shape[0]):
        vi = v[i]
        for t in range(BLOCK):
            square[t] = vi[t] * vi[t] + vi[BLOCK + t] * vi[BLOCK + t]
            minus[t] = -square[t]
        top = _peak(minus, acc)
        if top > best[0, i]:
            best[0, i] = top
            case[0, i] = first + _lane(minus, top)
        top = _peak(square, acc)
        if top > best[1, i]:
            best[1, i] = top
            case[1, i] = first + _lane(square, top)
        up = parent[i]
        if up < 0:
            continue
        a = ratio[i]
        ji = j[i]
        v_up = v[up]
        near = near_scale[i] * near_scale[i]
        far = far_scale[i] * far_scale[i]
        if np.isnan(near) and np.isnan(far):
            continue
        for t in range(BLOCK):
            nr = a * ji[t] + g_near[i] * v_up[t] - b_near[i] * v_up[BLOCK + t]
            ni = a * ji[BLOCK + t] + g_near[i] * v_up[BLOCK + t] + b_near[i] * v_up[t]
            fr = ji[t] - g_far[i] * vi[t] + b_far[i] * vi[BLOCK + t]
            fi = ji[BLOCK + t] - g_far[i] * vi[BLOCK + t] - b_far[i] * vi[t]
            minus[t] = nr * nr + ni * ni
            square[t] = fr * fr + fi * fi
        for t in range(BLOCK):
            larger[t] = far * square[t] if far * square[t] > near * minus[t] else near * minus[t]
        top = _peak(larger, acc)
        if top > best[2, i]:
            t = _lane(larger, top)
            best[2, i] = top
            case[2, i] = first + t
            loading[i] = max(near_scale[i] * np.sqrt(minus[t]), far_scale[i] * np.sqrt(square[t]))


@njit(cache=True, nogil=True)
def count_beyond(values: Any, limit: float, sign: float, weight: Any, total: Any) -> None:
    """Add the weights (n_case,) int64 of the cases in which ``sign * values`` (n, n_case) exceeds ``sign * limit``.

    Whole numbers, so that the sum does not depend on the order in which blocks come.
    """
    for i in range(values.shape[0]):
        for t in range(values.shape[1]):
            if sign * values[i, t] > sign * limit:
                total[i] += weight[t]


@njit(cache=True, nogil=True)
def count_bins(values: Any, low: float, width: float, weight: Any, bins: Any) -> None:
    """Add the weights (n_case,) int64 to the bins (n, n_bin) of values (n, n_case); outer bins take the rest."""
    last = bins.shape[1] - 1
    for i in range(values.shape[0]):
        for t in range(values.shape[1]):
            value = values[i, t]
            if not np.isnan(value):
                place = int(np.floor((value - low) / width))
                bins[i, max(0, min(last, place))] += weight[t]


@njit(cache=True, nogil=True)
def add_energy(g_far: Any, v: Any, j: Any, weight: Any, total: Any) -> None:
    """Add the energy that leaves the branch above each node, behind its shunt, to `total` (n_node,) int64.

    `weight` (BLOCK,) is what one pu of power counts in each lane, 0 in lanes that do not count; every product is
    rounded to a whole number, so that the sum does not depend on the order in which blocks come.
    """
    for i in range(v.shape[0]):
        for t in range(BLOCK):
            if weight[t] > 0.0:
                power = v[i, t] * (j[i, t] - g_far[i] * v[i, t])
                power += v[i, BLOCK + t] * (j[i, BLOCK + t] - g_far[i] * v[i, BLOCK + t])
                if not np.isnan(power):
                    total[i] += np.int64(np.rint(power * weight[t]))
