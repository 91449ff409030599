"""Keep extremes, hours and energies of blocks of solved cases while they are in the cache. No gridcheck types."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridcheck.powerflow._kernels.layout import BLOCK
from gridcheck.powerflow._kernels.options import KERNEL, PART


@njit(**PART)
def _n_above(row: Any, first: int, level: float, width: int) -> int:
    """Count the lanes above a level, without a branch; NaN is above nothing."""
    n = 0
    for t in range(width):
        n += row[first + t] > level
    return n


@njit(**KERNEL)
def _highest(row: Any, first: int, width: int) -> int:
    """Return the first lane that holds the highest value, where at least one is a number."""
    place = -1
    for t in range(width):
        if not np.isnan(row[first + t]) and (place < 0 or row[first + t] > row[first + place]):
            place = t
    return place


@njit(**PART)
def _track(
    parent: Any, ratio: Any, g_near: Any, b_near: Any, g_far: Any, b_far: Any, near_scale: Any, far_scale: Any,
    state: Any, lane: Any, first: int, best: Any, case: Any, loading: Any, width: int,
) -> None:  # fmt: skip
    for i in range(parent.shape[0]):
        w = state[i]
        for t in range(width):
            lane[t] = w[t] * w[t] + w[width + t] * w[width + t]
            lane[width + t] = -lane[t]
        if _n_above(lane, width, best[0, i], width) > 0:
            t = _highest(lane, width, width)
            best[0, i] = lane[width + t]
            case[0, i] = first + t
        if _n_above(lane, 0, best[1, i], width) > 0:
            t = _highest(lane, 0, width)
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
        w_up = state[parent[i]]
        for t in range(width):
            real = a * w[2 * width + t] + gn * w_up[t] - bn * w_up[width + t]
            imaginary = a * w[3 * width + t] + gn * w_up[width + t] + bn * w_up[t]
            lane[t] = real * real + imaginary * imaginary
        for t in range(width):
            real = w[2 * width + t] - gf * w[t] + bf * w[width + t]
            imaginary = w[3 * width + t] - gf * w[width + t] - bf * w[t]
            lane[width + t] = real * real + imaginary * imaginary
        for t in range(width):
            at_far = far * lane[width + t]
            at_near = near * lane[t]
            lane[2 * width + t] = at_far if at_far > at_near else at_near
        if _n_above(lane, 2 * width, best[2, i], width) > 0:
            t = _highest(lane, 2 * width, width)
            best[2, i] = lane[2 * width + t]
            case[2, i] = first + t
            loading[i] = max(near_scale[i] * np.sqrt(lane[t]), far_scale[i] * np.sqrt(lane[width + t]))


@njit(**KERNEL)
def track(
    parent: Any, ratio: Any, g_near: Any, b_near: Any, g_far: Any, b_far: Any, near_scale: Any, far_scale: Any,
    state: Any, lane: Any, first: int, best: Any, case: Any, loading: Any,
) -> None:  # fmt: skip
    """Keep lowest and highest voltages and highest currents of one block, all squared.

    Parameters
    ----------
    parent, ratio, g_near, b_near, g_far, b_far, near_scale, far_scale : (n_node,)
        As in `reading.branch_currents`; a scale of NaN makes the branch one without a value.
    state : (n_node + 1, 4 width) float64
        Lanes that do not count hold NaN. [pu]
    lane : (3 width,) float64
        Scratch: squares of a voltage and minus them; then of the currents at both ends and the larger one.
    first : int
        Case of the first lane.
    best : (3, n_node) float64, updated
        Highest of minus the squared voltage, of the squared voltage, and of the squared scaled current; enters as -inf.
    case : (3, n_node) int64, updated
        Their cases.
    loading : (n_node,) float64, updated
        The scaled current of the last one, reckoned as in `reading.branch_currents`.
    """
    width = state.shape[1] // 4
    if width == BLOCK:
        _track(
            parent, ratio, g_near, b_near, g_far, b_far, near_scale, far_scale, state, lane, first, best, case, loading,
            BLOCK,
        )  # fmt: skip
    else:
        _track(
            parent, ratio, g_near, b_near, g_far, b_far, near_scale, far_scale, state, lane, first, best, case, loading,
            width,
        )  # fmt: skip


@njit(**KERNEL)
def count_beyond(values: Any, limit: float, sign: float, weight: Any, total: Any) -> None:
    """Add the weights (n_case,) int64 of the cases in which ``sign * values`` (n, n_case) exceeds ``sign * limit``.

    Whole numbers, so that the sum does not depend on the order in which blocks come.
    """
    for i in range(values.shape[0]):
        for t in range(values.shape[1]):
            if sign * values[i, t] > sign * limit:
                total[i] += weight[t]


@njit(**KERNEL)
def count_bins(values: Any, low: float, width: float, weight: Any, bins: Any) -> None:
    """Add the weights (n_case,) int64 to the bins (n, n_bin) of values (n, n_case); outer bins take the rest."""
    last = bins.shape[1] - 1
    for i in range(values.shape[0]):
        for t in range(values.shape[1]):
            value = values[i, t]
            if not np.isnan(value):
                place = int(np.floor((value - low) / width))
                bins[i, max(0, min(last, place))] += weight[t]


@njit(**KERNEL)
def add_energy(g_far: Any, state: Any, weight: Any, total: Any) -> None:
    """Add the energy that leaves the branch above each node, behind its shunt, to `total` (n_node,) int64.

    `weight` (width,) is what one pu of power counts in each lane, 0 in lanes that do not count; every product is
    rounded to a whole number, so that the sum does not depend on the order in which blocks come.
    """
    width = weight.shape[0]
    for i in range(g_far.shape[0]):
        w = state[i]
        for t in range(width):
            if weight[t] > 0.0:
                power = w[t] * (w[2 * width + t] - g_far[i] * w[t])
                power += w[width + t] * (w[3 * width + t] - g_far[i] * w[width + t])
                if not np.isnan(power):
                    total[i] += np.int64(np.rint(power * weight[t]))
