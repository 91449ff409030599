"""Keep extremes, hours and energies of blocks of solved cases while they are in the cache. No gridcheck types."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridcheck.powerflow._kernels.layout import BLOCK

# Lanes that are compared side by side, so that the compiler can use vectors; a divisor of BLOCK.
_WIDE = 8


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _n_above(row: Any, first: int, level: float, acc: Any) -> Any:
    """Tell whether any lane is above a level, without a branch; NaN is above nothing."""
    for u in range(_WIDE):
        acc[u] = -np.inf
    for s in range(0, BLOCK, _WIDE):
        for u in range(_WIDE):
            acc[u] = row[first + s + u] if row[first + s + u] > acc[u] else acc[u]
    n = 0
    for u in range(_WIDE):
        n += acc[u] > level
    return n


@njit(cache=True, nogil=True)
def _highest(row: Any, first: int) -> int:
    """Return the first lane that holds the highest value, where at least one is a number."""
    place = -1
    for t in range(BLOCK):
        if not np.isnan(row[first + t]) and (place < 0 or row[first + t] > row[first + place]):
            place = t
    return place


@njit(cache=True, nogil=True, error_model="numpy")
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
    # Squares of this node's voltage and minus them; then of its branch's currents at both ends and the larger one.
    lane = np.empty(3 * BLOCK)
    acc = np.empty(_WIDE)
    for i in range(parent.shape[0]):
        vi = v[i]
        for t in range(BLOCK):
            lane[t] = vi[t] * vi[t] + vi[BLOCK + t] * vi[BLOCK + t]
            lane[BLOCK + t] = -lane[t]
        if _n_above(lane, BLOCK, best[0, i], acc) > 0:
            t = _highest(lane, BLOCK)
            best[0, i] = lane[BLOCK + t]
            case[0, i] = first + t
        if _n_above(lane, 0, best[1, i], acc) > 0:
            t = _highest(lane, 0)
            best[1, i] = lane[t]
            case[1, i] = first + t
        near = near_scale[i] * near_scale[i]
        far = far_scale[i] * far_scale[i]
        if parent[i] < 0 or (np.isnan(near) and np.isnan(far)):
            continue
        a = ratio[i]
        gn = g_near[i]
        bn = b_near[i]
        gf = g_far[i]
        bf = b_far[i]
        ji = j[i]
        v_up = v[parent[i]]
        for t in range(BLOCK):
            real = a * ji[t] + gn * v_up[t] - bn * v_up[BLOCK + t]
            imaginary = a * ji[BLOCK + t] + gn * v_up[BLOCK + t] + bn * v_up[t]
            lane[t] = real * real + imaginary * imaginary
        for t in range(BLOCK):
            real = ji[t] - gf * vi[t] + bf * vi[BLOCK + t]
            imaginary = ji[BLOCK + t] - gf * vi[BLOCK + t] - bf * vi[t]
            lane[BLOCK + t] = real * real + imaginary * imaginary
        for t in range(BLOCK):
            at_far = far * lane[BLOCK + t]
            at_near = near * lane[t]
            lane[2 * BLOCK + t] = at_far if at_far > at_near else at_near
        if _n_above(lane, 2 * BLOCK, best[2, i], acc) > 0:
            t = _highest(lane, 2 * BLOCK)
            best[2, i] = lane[2 * BLOCK + t]
            case[2, i] = first + t
            loading[i] = max(near_scale[i] * np.sqrt(lane[t]), far_scale[i] * np.sqrt(lane[BLOCK + t]))


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
