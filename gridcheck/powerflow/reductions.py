"""Reduce a quantity over all cases: its extreme and the case of it, or the highest level it holds for a while."""

from __future__ import annotations

import numpy as np

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.powerflow import _kernels


def highest(values: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the largest value of each row of (n, n_case) and its column; -inf and -1 where all are NaN."""
    return _extreme(values, 1.0)


def lowest(values: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the smallest value of each row of (n, n_case) and its column; inf and -1 where all are NaN."""
    best, place = _extreme(values, -1.0)
    return -best, place


def sustained_highest(values: FloatArray, windows: IntArray) -> tuple[FloatArray, IntArray]:
    """Return the highest level that each row holds throughout one of the windows, and its column.

    Parameters
    ----------
    values : ndarray, shape (n, n_case)
        Any quantity over time.
    windows : ndarray of int, shape (n_window, width)
        Columns of each window, as from `sliding_windows`.

    Returns
    -------
    level : ndarray, shape (n,)
        Maximum over the windows of the minimum inside the window.
    case : ndarray of int, shape (n,)
        Column at which the row has exactly that level.
    """
    best, place = np.empty(len(values)), np.empty(len(values), dtype=np.int64)
    _kernels.sustained_peak(values, windows, best, place)
    return best, place


def sliding_windows(n_case: int, width: int) -> IntArray:
    """Return the columns of all windows of `width` consecutive cases; one window of all where there are fewer."""
    width = max(1, min(width, n_case))
    return np.arange(n_case - width + 1)[:, None] + np.arange(width)[None, :]


def _extreme(values: FloatArray, sign: float) -> tuple[FloatArray, IntArray]:
    best, place = np.full(len(values), -np.inf), np.full(len(values), -1, dtype=np.int64)
    _kernels.extremes(values, sign, 0, best, place)
    return best, place
