"""Working memory that is used again: fresh pages from the system in every call would cost as much as the sweeps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from gridcheck.arrays import CACHE_LINE

# Memory beyond this is given back to the system after each call. [bytes]
_KEEP_AT_MOST = 32 * 2**20
_KEPT: list[npt.NDArray[np.uint8]] = []


class Scratch:
    """One piece of memory from which arrays are cut, each at the beginning of a cache line.

    Parameters
    ----------
    n_bytes : int
        Size of all arrays that will be cut.
    n_array : int
        Their number at most.
    """

    def __init__(self, n_bytes: int, n_array: int) -> None:
        wanted = n_bytes + CACHE_LINE * (n_array + 1)
        try:
            # One step: no two callers get the same piece, and none finds the list emptied by another.
            kept = _KEPT.pop()
        except IndexError:
            kept = None
        self._raw = kept if kept is not None and kept.size >= wanted else np.empty(wanted, dtype=np.uint8)
        self._at = -self._raw.ctypes.data % CACHE_LINE

    def array(self, shape: tuple[int, ...], dtype: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
        """Return a new array, not filled, which must not be used after `give_back`."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        begin, self._at = self._at, self._at + size + -size % CACHE_LINE
        return self._raw[begin : begin + size].view(dtype).reshape(shape)

    def give_back(self) -> None:
        """Keep the memory for the next call."""
        if sum(raw.size for raw in _KEPT) + self._raw.size <= _KEEP_AT_MOST:
            _KEPT.append(self._raw)
