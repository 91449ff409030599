"""Array types of the records, and the one function that makes an array read-only."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gridcheck.errors import InputError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
TimeArray = npt.NDArray[np.datetime64]


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
