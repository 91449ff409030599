r"""Random numbers that belong to a home and a purpose, not to a place in a queue of draws.

A number is a hash of seed, home and purpose. So adding a home, leaving one out, changing its heater or simulating the
homes in another order changes no draw of any other home: alternatives are compared on common random numbers by
construction.

References
----------
.. [1] G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014 (the finaliser
   of SplitMix64). DOI 10.1145/2660193.2660195
"""

from __future__ import annotations

import zlib

import numpy as np
from scipy.special import ndtri

from gridcheck.arrays import FloatArray, IntArray, UnsignedArray

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_TO_UNIT = 2.0**-53


def mixed(value: UnsignedArray) -> UnsignedArray:
    """Return well-mixed bits of each value, shape as given."""
    with np.errstate(over="ignore"):
        bits = value + _STEP
        bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
        bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return np.asarray(bits ^ (bits >> np.uint64(31)))


def keys(seed: int, home: IntArray) -> UnsignedArray:
    """Return one key per home, shape (n_home,)."""
    start = mixed(np.array([seed], dtype=np.uint64))
    return mixed(start ^ np.asarray(home, dtype=np.int64).view(np.uint64))


def uniform(key: UnsignedArray, purpose: str) -> FloatArray:
    """Return numbers in (0, 1), one per key: the same for the same key and purpose.

    Examples
    --------
    >>> first, again = uniform(keys(1, np.arange(3)), "size"), uniform(keys(1, np.arange(3)), "size")
    >>> bool((first == again).all() and (0 < first).all() and (first < 1).all())
    True
    """
    bits = mixed(key ^ mixed(np.array([zlib.crc32(purpose.encode())], dtype=np.uint64)))
    return np.asarray(((bits >> np.uint64(11)).astype(np.float64) + 0.5) * _TO_UNIT)


def normal(key: UnsignedArray, purpose: str) -> FloatArray:
    """Return standard normal numbers, one per key."""
    return np.asarray(ndtri(uniform(key, purpose)))
