"""A flat map of one county in kilometres, points inside its outline, and sums by position."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray

# Length of one degree on the mean sphere (R = 6371.0 km); flat within 0.1 % over a county of 60 km.
KM_PER_DEGREE = 111.195


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """Equirectangular map around a centre.

    Attributes
    ----------
    lon0, lat0 : float
        Centre. [degree]
    """

    lon0: float
    lat0: float

    def to_xy(self, lon: FloatArray, lat: FloatArray) -> FloatArray:
        """Return the points as x east, y north, shape (n, 2). [km]"""
        x = (np.asarray(lon) - self.lon0) * KM_PER_DEGREE * np.cos(np.radians(self.lat0))
        y = (np.asarray(lat) - self.lat0) * KM_PER_DEGREE
        return np.column_stack([x, y])

    def to_lonlat(self, xy: FloatArray) -> FloatArray:
        """Return points of the plane as lon, lat, shape (n, 2). [degree]"""
        lon = self.lon0 + xy[:, 0] / (KM_PER_DEGREE * np.cos(np.radians(self.lat0)))
        lat = self.lat0 + xy[:, 1] / KM_PER_DEGREE
        return np.column_stack([lon, lat])


def inside(points: FloatArray, outline: FloatArray) -> BoolArray:
    """Tell which points lie inside a closed outline (even-odd rule, one ray per point).

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        Points. [km] or [degree]
    outline : ndarray, shape (n_corner, 2)
        Closed polygon in the same unit.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    x, y = points[:, :1], points[:, 1:]
    x1, y1 = outline[:-1, 0][None, :], outline[:-1, 1][None, :]
    x2, y2 = outline[1:, 0][None, :], outline[1:, 1][None, :]
    straddles = (y1 > y) != (y2 > y)
    slope = (x2 - x1) / np.where(y2 == y1, 1.0, y2 - y1)  # horizontal edges never straddle
    crossings = straddles & (x < x1 + slope * (y - y1))
    result: BoolArray = crossings.sum(axis=1) % 2 == 1
    return result


def distances(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the straight distances between two sets of points, shape (n_a, n_b). [km]"""
    result: FloatArray = np.hypot(a[:, None, 0] - b[None, :, 0], a[:, None, 1] - b[None, :, 1])
    return result


def sum_by(position: IntArray, value: FloatArray, n_position: int) -> FloatArray:
    """Sum values that share a position.

    Parameters
    ----------
    position : ndarray of int, shape (n,)
        Positions from 0.
    value : ndarray, shape (n,)
        Values.
    n_position : int
        Length of the result.

    Returns
    -------
    ndarray, shape (n_position,)
    """
    result: FloatArray = np.asarray(np.bincount(position, weights=value, minlength=n_position), dtype=np.float64)
    return result
