"""Laws of restoration: no switching that anybody could try is better than the one that is found."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.random_radial import law
from tests.support.restoration_grids import best_by_trial
from tests.support.restored import random_loss


@law
@given(seed=st.integers(1000, 10**6), by_line=st.booleans())
def test_search_programme_and_trial_of_all_states_agree(seed: int, by_line: bool) -> None:  # noqa: FBT001
    loss = random_loss(seed, by_line=by_line, most_dark=6)
    assume(loss is not None)
    assert loss is not None
    best = best_by_trial(loss.grid, loss.line, loss.load_kw, loss.limits)

    for found in (loss.restored().found, loss.restored(evaluations=1).found):
        assert found.is_proved
        assert found.rank == pytest.approx(best, abs=1e-5)


@law
@given(seed=st.integers(1000, 10**6), evaluations=st.integers(1, 12))
def test_more_effort_is_never_worse_and_bounds_hold(seed: int, evaluations: int) -> None:
    loss = random_loss(seed, by_line=False)
    assume(loss is not None)
    assert loss is not None

    best, hurried = loss.restored().found, loss.restored(evaluations=evaluations, effort=0).found

    assert hurried.margin >= 0.0
    assert hurried.bound <= best.rank[:2]
    assert best.rank <= hurried.rank
