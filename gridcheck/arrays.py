"""Array types of the records, and the one function that makes an array read-only."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gridcheck.errors import InputError

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
UnsignedArray = npt.NDArray[np.uint64]
BoolArray = npt.NDArray[np.bool_]
TimeArray = npt.NDArray[np.datetime64]

CACHE_LINE = 64


def frozen(
    value: npt.ArrayLike, dtype: npt.DTypeLike, shape: tuple[int | None, ...] | None = None, *, name: str = "array"
) -> npt.NDArray[Any]:
    """Return `value` as a read-only C-contiguous array of `dtype`.

    Copies unless the array is already read-only, owns its memory and has that dtype, so passing
    arrays from record to record costs nothing.

    Parameters
    ----------
    value : array_like
        What to freeze.
    dtype : dtype
        Element type of the result.
    shape : tuple of int or None, optional
        Expected shape; ``None`` in a place allows any length there.
    name : str
        Name used in the error message.

    Returns
    -------
    ndarray
        Read-only array.

    Raises
    ------
    InputError
        If the shape is not the expected one.

    Examples
    --------
    >>> frozen([1, 2], np.float64).flags.writeable
    False
    """
    given = np.asarray(value)
    if shape is not None and (
        given.ndim != len(shape)
        or any(want is not None and want != got for want, got in zip(shape, given.shape, strict=True))
    ):
        expected = tuple("any" if want is None else want for want in shape)
        raise InputError(f"{name} must have shape {expected}. Got {given.shape}.")
    # An owned read-only array cannot be edited through another view that we know of.
    if (
        given.dtype == np.dtype(dtype)
        and not given.flags.writeable
        and given.flags.owndata
        and given.flags.c_contiguous
    ):
        return given
    result = np.array(given, dtype=dtype, order="C", copy=True)
    result.flags.writeable = False
    return result


def aligned_empty(shape: tuple[int, ...], dtype: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
    """Return a new array, not filled, that begins at a cache line: vectors of it then never lie across two lines.

    Parameters
    ----------
    shape : tuple of int
        Its shape.
    dtype : dtype
        Its type.

    Returns
    -------
    ndarray
        C-contiguous.
    """
    n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.empty(n_bytes + CACHE_LINE, dtype=np.uint8)
    begin = -raw.ctypes.data % CACHE_LINE
    return raw[begin : begin + n_bytes].view(dtype).reshape(shape)
