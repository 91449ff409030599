"""Reduce tables over their cases: extremes, and levels that are held for a while. No gridcheck types."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridcheck.powerflow._kernels.options import KERNEL


@njit(**KERNEL)
def extremes(values: Any, sign: float, first: int, best: Any, best_case: Any) -> None:
    """Keep per row the largest ``sign * values`` and its case; NaN columns are passed over.

    `values` (n, n_case) holds the cases from `first` on; `best` (n,) enters as -inf or the running value,
    `best_case` (n,) likewise. Of equal values the first is kept.
    """
    for i in range(values.shape[0]):
        top = best[i]
        place = best_case[i]
        for t in range(values.shape[1]):
            value = sign * values[i, t]
            if value > top:
                top = value
                place = first + t
        best[i] = top
        best_case[i] = place


@njit(**KERNEL)
def sustained_peak(values: Any, windows: Any, best: Any, best_case: Any) -> None:
    """Write per row the highest level that one of the windows holds throughout, and the column of that level.

    The level is the maximum over the windows of the minimum inside the window; at its column the row has
    exactly this value. `values` (n, n_case); `windows` (n_window, width) columns; `best`, `best_case` (n,).
    """
    for i in range(values.shape[0]):
        row = values[i]
        top = -np.inf
        place = -1
        for k in range(windows.shape[0]):
            low = row[windows[k, 0]]
            low_place = windows[k, 0]
            for m in range(1, windows.shape[1]):
                # A window that cannot beat the best any more is left at once.
                if low <= top:
                    break
                value = row[windows[k, m]]
                if value < low:
                    low = value
                    low_place = windows[k, m]
            if low > top:
                top = low
                place = low_place
        best[i] = top
        best_case[i] = place
