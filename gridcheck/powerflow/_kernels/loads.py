"""Write the loads of one block for the sweeps. No gridcheck types."""

from __future__ import annotations

from typing import Any

from numba import njit

from gridcheck.powerflow._kernels.layout import BLOCK
from gridcheck.powerflow._kernels.options import KERNEL, PART

# Cases that are read side by side: more rows at once than the processor can fetch ahead would wait for memory.
_AT_ONCE = 8


@njit(**KERNEL)
def factored_power(p_weight: Any, q_weight: Any, profile: Any, pq: Any) -> None:
    """Write the loads of one block as weights times profiles.

    Parameters
    ----------
    p_weight, q_weight : (n_load, n_class) float64 [pu]
    profile : (n_class, BLOCK) float64
    pq : (n_load, 2 width) float64, written [pu]
    """
    width = pq.shape[1] // 2
    if width == BLOCK:
        _weigh(p_weight, q_weight, profile, pq, BLOCK)
    else:
        _weigh(p_weight, q_weight, profile, pq, width)


@njit(**PART)
def _weigh(p_weight: Any, q_weight: Any, profile: Any, pq: Any, width: int) -> None:
    for i in range(p_weight.shape[0]):
        row = pq[i]
        for t in range(2 * width):
            row[t] = 0.0
        for k in range(p_weight.shape[1]):
            wp = p_weight[i, k]
            wq = q_weight[i, k]
            course = profile[k]
            if wp != 0.0 or wq != 0.0:
                for t in range(width):
                    row[t] += wp * course[t]
                    row[width + t] += wq * course[t]


@njit(**KERNEL)
def written_power(p_mw: Any, q_mvar: Any, column: Any, row: Any, per_mva: float, first: int, pq: Any) -> None:
    """Write the loads of the block that starts with case `first` from tables of cases.

    Parameters
    ----------
    p_mw, q_mvar : (n_case, n_column) float64 [MW], [Mvar]
    column, row : (n_load,) uint64
        Column of each load, ascending, so that cases are read as they stand in memory, and its row in `pq`; without a
        sign, so that none is taken to count from the end.
    per_mva : float
        One over the power base. [1/MVA]
    pq : (n_load, 2 width) float64, written [pu]
    """
    width = pq.shape[1] // 2
    lanes = min(width, p_mw.shape[0] - first)
    for begin in range(0, lanes, _AT_ONCE):
        end = min(lanes, begin + _AT_ONCE)
        for i in range(column.shape[0]):
            c = column[i]
            m = row[i]
            for t in range(begin, end):
                pq[m, t] = p_mw[first + t, c] * per_mva
                pq[m, width + t] = q_mvar[first + t, c] * per_mva
    if lanes < width:
        for i in range(column.shape[0]):
            for t in range(lanes, width):
                pq[i, t] = 0.0
                pq[i, width + t] = 0.0
