"""Reductions over all cases against numpy, by brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gridcheck.powerflow.reductions import highest, lowest, sliding_windows, sustained_highest
from tests.support.random_radial import law

# Few different values, so that ties occur.
tied = st.sampled_from([-2.0, -0.5, 0.0, 0.5, 1.0, 3.0])
with_gaps = st.one_of(tied, st.just(np.nan))


def tables(elements):
    return st.tuples(st.integers(0, 6), st.integers(1, 12)).flatmap(
        lambda shape: arrays(np.float64, shape, elements=elements)
    )


@law
@given(tables(tied))
def test_highest_and_lowest_equal_numpy_and_take_the_first_of_equals(values):
    for found, expected, place in (
        (highest(values), values.max(axis=1), values.argmax(axis=1)),
        (lowest(values), values.min(axis=1), values.argmin(axis=1)),
    ):
        np.testing.assert_array_equal(found[0], expected)
        np.testing.assert_array_equal(found[1], place)


@law
@given(tables(with_gaps))
def test_cases_that_were_not_solved_are_passed_over(values):
    best, place = highest(values)
    least, least_place = lowest(values)

    for row in range(len(values)):
        solved = values[row][~np.isnan(values[row])]
        if len(solved):
            assert best[row] == solved.max() == values[row, place[row]]
            assert least[row] == solved.min() == values[row, least_place[row]]
        else:
            assert (best[row], place[row]) == (-np.inf, -1)
            assert (least[row], least_place[row]) == (np.inf, -1)


@law
@given(tables(tied), st.integers(1, 5))
def test_sustained_highest_is_the_best_minimum_of_all_windows(values, width):
    windows = sliding_windows(values.shape[1], width)

    level, place = sustained_highest(values, windows)

    for row in range(len(values)):
        assert level[row] == max(values[row, window].min() for window in windows)
        assert values[row, place[row]] == level[row]


@law
@given(tables(tied))
def test_sustained_for_one_case_is_the_highest(values):
    level, place = sustained_highest(values, sliding_windows(values.shape[1], 1))

    np.testing.assert_array_equal(level, highest(values)[0])
    np.testing.assert_array_equal(place, highest(values)[1])


@law
@given(tables(tied), st.integers(1, 5))
def test_holding_longer_never_raises_the_level(values, width):
    shorter, _ = sustained_highest(values, sliding_windows(values.shape[1], width))
    longer, _ = sustained_highest(values, sliding_windows(values.shape[1], width + 1))

    assert (longer <= shorter).all()


def test_windows_need_not_be_neighbours():
    values = np.array([[9.0, 1.0, 8.0, 2.0, 7.0]])

    level, place = sustained_highest(values, np.array([[0, 1, 2], [0, 2, 4], [1, 3, 4]]))

    assert (level[0], place[0]) == (7.0, 4)


@pytest.mark.parametrize(
    ("n_case", "width", "expected"),
    [(4, 2, [[0, 1], [1, 2], [2, 3]]), (3, 3, [[0, 1, 2]]), (2, 8, [[0, 1]]), (3, 0, [[0], [1], [2]])],
)
def test_sliding_windows_by_hand(n_case, width, expected):
    assert sliding_windows(n_case, width).tolist() == expected
