"""Programmes of whole numbers against all their solutions, and against scipy."""

import itertools

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog

from gridcheck.mixed_integer import Draft, Programme, maximise


def programme(objective, rows, upper, *, integral=True, row_lower=None) -> Programme:
    n = len(objective)
    matrix = np.array(rows, dtype=float).reshape(-1, n)
    return Programme(
        objective=np.array(objective, dtype=float),
        matrix=sparse.csr_array(matrix),
        row_lower=np.full(len(matrix), -np.inf) if row_lower is None else np.array(row_lower, dtype=float),
        row_upper=np.array(upper, dtype=float),
        lower=np.zeros(n),
        upper=np.ones(n),
        integral=np.full(n, integral),
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_best_of_all_choices_is_found(seed):
    rng = np.random.default_rng(seed)
    worth, weight = rng.integers(1, 30, 10), rng.integers(1, 20, (3, 10))
    room = weight.sum(axis=1) // 2

    found = maximise(programme(worth, weight, room))

    choices = np.array(list(itertools.product((0, 1), repeat=10)))
    allowed = choices[(choices @ weight.T <= room).all(axis=1)]
    assert found.is_proved
    assert found.value == pytest.approx((allowed @ worth).max(), abs=1e-9)
    assert found.bound == pytest.approx(found.value, abs=1e-9)
    assert (weight @ np.round(found.x) <= room).all()


def test_real_numbers_as_scipy_does_it():
    rng = np.random.default_rng(3)
    worth, weight = rng.uniform(1.0, 2.0, 8), rng.uniform(0.0, 1.0, (4, 8))

    found = maximise(programme(worth, weight, [1.5] * 4, integral=False))

    expected = linprog(-worth, A_ub=weight, b_ub=[1.5] * 4, bounds=(0.0, 1.0))
    assert found.is_proved
    assert found.value == pytest.approx(-expected.fun, rel=1e-9)


def test_what_cannot_be_met_has_no_solution():
    found = maximise(programme([1, 1], [[1, 1]], [3.0], row_lower=[2.5]))

    assert not found.is_proved
    assert found.status == "Infeasible"
    assert found.x.size == 0


def test_out_of_nodes_is_not_proved_and_ends_alike_every_time():
    rng = np.random.default_rng(0)
    weight = rng.integers(1, 1000, (30, 200))
    large = programme(weight.sum(axis=0), weight, weight.sum(axis=1) // 2)

    first, second = (maximise(large, most_nodes=20) for _ in range(2))

    assert not first.is_proved
    assert first.status == "Solution limit reached"
    assert first.bound > first.value
    assert (weight @ np.round(first.x) <= large.row_upper).all()
    assert (second.x.tobytes(), second.bound, second.iterations) == (first.x.tobytes(), first.bound, first.iterations)
    assert first.iterations > 0


def test_nothing_is_printed(capfd):
    test_the_best_of_all_choices_is_found(0)

    assert capfd.readouterr() == ("", "")


def test_a_draft_is_solved_again_after_more_rows() -> None:
    # Two things of weight 2 and 3 and worth 3 and 5, together at most 4; one real column beside them.
    draft = Draft()
    light, heavy = draft.column(upper=1.0, integral=True), draft.column(upper=1.0, integral=True)
    rest = draft.column(upper=0.5)
    draft.row([(light, 2.0), (heavy, 3.0), (rest, 1.0), (rest, 1.0)], upper=4.0)
    worth = [(light, 3.0), (heavy, 5.0), (rest, 1.0)]

    first = maximise(draft.programme(worth))
    relaxed = maximise(draft.programme(worth, is_relaxed=True))
    draft.row([(heavy, 1.0)], upper=0.0)
    second = maximise(draft.programme(worth), is_presolved=False)

    assert first.x == pytest.approx([0.0, 1.0, 0.5])
    assert relaxed.value == pytest.approx(5.0 + 1.5)  # the heavy one, and half of the light one
    assert second.value == pytest.approx(3.5)
