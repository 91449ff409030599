"""Points inside outlines, and the flat map."""

from __future__ import annotations

import numpy as np

from gridcheck.synthesis.plane import Plane, distances, inside, sum_by


def test_inside_a_shape_with_a_notch() -> None:
    # A square of 4 km with a notch cut in from the top between x = 1 and x = 3 down to y = 2.
    outline = np.array([[0, 0], [4, 0], [4, 4], [3, 4], [3, 2], [1, 2], [1, 4], [0, 4], [0, 0]], dtype=float)
    points = np.array([[0.5, 3.0], [2.0, 3.0], [2.0, 1.0], [3.5, 3.9], [-0.1, 1.0], [2.0, 4.5]])

    assert inside(points, outline).tolist() == [True, False, True, True, False, False]


def test_one_degree_of_latitude_is_111_km_and_longitude_shrinks_with_the_cosine() -> None:
    plane = Plane(lon0=111.0, lat0=35.0)

    xy = plane.to_xy(np.array([111.0, 112.0]), np.array([36.0, 35.0]))

    np.testing.assert_allclose(xy[0], [0.0, 111.195], atol=1e-9)
    np.testing.assert_allclose(xy[1], [111.195 * np.cos(np.radians(35.0)), 0.0], atol=1e-9)


def test_the_map_and_back_is_the_same_point() -> None:
    plane = Plane(lon0=111.0, lat0=35.0)
    lonlat = np.array([[110.2, 34.6], [112.0, 35.8]])

    np.testing.assert_allclose(plane.to_lonlat(plane.to_xy(lonlat[:, 0], lonlat[:, 1])), lonlat, atol=1e-12)


def test_distances_are_euclidean() -> None:
    assert distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 0.0]])).tolist() == [[5.0, 0.0]]


def test_values_are_summed_by_position() -> None:
    assert sum_by(np.array([2, 0, 2]), np.array([1.5, 4.0, 0.5]), 4).tolist() == [4.0, 0.0, 2.0, 0.0]
