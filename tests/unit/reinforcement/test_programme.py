"""Parts of the programme: digits of long numbers, projects settled by multipliers, twins, cuts."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse

from gridcheck.errors import PlanError
from gridcheck.mixed_integer import INFINITY, Draft, Programme, dual_bound, maximise
from gridcheck.reinforcement import programme
from gridcheck.reinforcement.aims import Aim, levels
from gridcheck.reinforcement.problem import ChoiceProblem, Floor, Limit, closure, twins
from gridcheck.reinforcement.programme import best_choice


def knapsack(cost, most, *aims, **more):
    return ChoiceProblem(
        n_project=len(cost),
        aims=tuple(Aim(name=f"aim {i}", rows=(tuple(int(v) for v in aim),)) for i, aim in enumerate(aims)),
        limits=(Limit(cost=tuple(int(v) for v in cost), most=most),),
        **more,
    )


def test_numbers_of_a_hundred_bits_are_told_apart():
    # The second differs from the first in the last of 101 bits, far below what a double can hold.
    values = [1 << 100, (1 << 100) + 1, (1 << 100) - 1]

    assert best_choice(knapsack([1, 1, 1], 1, values)).built == (1,)
    assert best_choice(knapsack([1, 1, 1], 2, values)).built == (0, 1)


def test_a_long_number_has_a_level_for_each_digit():
    draft = Draft()
    for _ in range(2):
        draft.column(0.0, 1.0, integral=True)
    aim = Aim(name="long", rows=(((3 << 60) + 5, 2 << 60 | 1),))

    found = list(levels(aim, draft))

    assert [level.shift for level in found] == [48, 32, 16, 0]
    total = (5 << 60) + 6
    assert [level.value((0, 1)) for level in found] == [total >> shift for shift in (48, 32, 16, 0)]


def test_a_budget_is_kept_where_a_double_cannot_tell():
    # Three of four exceed the budget by one part in 10^18.
    cost = [10**18 + 1] * 3 + [10**18]

    assert best_choice(knapsack(cost, 3 * 10**18 + 1, [1] * 4)).built in ((0, 3), (1, 3), (2, 3), (0, 1), (0, 2))
    assert len(best_choice(knapsack(cost, 3 * 10**18 + 2, [1] * 4)).built) == 3


@pytest.mark.parametrize("seed", range(12))
def test_costs_that_differ_by_cents_only(seed):
    """Millions of yuan each, alike but for the fen: what fits is a matter of the last of 29 bits."""
    rng = np.random.default_rng(seed)
    n, base = int(rng.choice([15, 25, 30])), int(rng.choice([3, 5, 30])) * 10**8
    most = int(rng.integers(3, n // 2))
    fen, risk = rng.integers(1, 100, n).tolist(), rng.integers(0, 6, n).tolist()
    spare = sum(sorted(fen)[:most]) + int(rng.choice([0, 0, 3, 20]))
    # By number of projects and fen: the most risk, by dynamic programming.
    best = [{0: 0}, *({} for _ in range(most))]
    for own, worth in zip(fen, risk, strict=True):
        for k in range(most - 1, -1, -1):
            for spent, value in best[k].items():
                if spent + own <= spare:
                    best[k + 1][spent + own] = max(best[k + 1].get(spent + own, -1), value + worth)
    top = max(best[most].values())
    cheapest = min(spent for spent, value in best[most].items() if value == top)

    problem = knapsack([base + own for own in fen], most * base + spare, [1] * n)
    aims = (
        *problem.aims,
        Aim(name="risk", rows=(tuple(risk),)),
        Aim(name="cost", rows=(tuple(-base - f for f in fen),)),
    )
    built = best_choice(replace(problem, aims=aims)).built

    assert len(built) == most
    assert sum(risk[i] for i in built) == top
    assert sum(fen[i] for i in built) == cheapest


@pytest.fixture(scope="module")
def large():
    rng = np.random.default_rng(6)
    n = 700
    groups = tuple(tuple(range(i, i + 3)) for i in range(0, 300, 3))
    requires = tuple((i, int(rng.integers(i))) for i in range(1, n) if rng.random() < 0.15)
    cost, households, hours = rng.integers(20_000, 800_000, n), rng.integers(0, 40, n), rng.integers(-50, 900, n)
    return knapsack(cost, 9_000_000, households, hours, groups=groups, requires=requires)


def whole(problem, aim, held=()):
    """Solve the whole programme at once, with nothing settled before: what the search must come to."""
    n = problem.n_project
    rows = [(problem.limits[0].cost, problem.limits[0].most)]
    rows += [([float(i in group) for i in range(n)], 1.0) for group in problem.groups]
    for i, needed in problem.requires:
        row = np.zeros(n)
        row[i], row[needed] = 1.0, -1.0
        rows.append((row, 0.0))
    rows += [(-np.array(values), 0.5 - least) for values, least in held]
    return maximise(
        Programme(
            objective=np.array(aim, dtype=float),
            matrix=sparse.csr_array(np.array([row for row, _ in rows], dtype=float)),
            row_lower=np.full(len(rows), -INFINITY),
            row_upper=np.array([upper for _, upper in rows], dtype=float),
            lower=np.zeros(n),
            upper=np.ones(n),
            integral=np.ones(n, dtype=bool),
        )
    )


def test_settling_projects_changes_nothing(large):
    households, hours = (aim.rows[0] for aim in large.aims)
    first = whole(large, households)
    second = whole(large, hours, held=[(households, round(first.value))])

    search = programme._Search(large)
    for aim in large.aims:
        for level in levels(aim, search.draft):
            search.climb(level)
    open_now = np.count_nonzero(search._lower < search._upper)
    found = best_choice(large).built

    assert sum(households[i] for i in found) == round(first.value)
    assert sum(hours[i] for i in found) == round(second.value)
    # Otherwise nothing was settled and this test says nothing.
    assert open_now < large.n_project / 2


def test_the_multipliers_bound_the_whole_programme(large):
    draft = programme._Search(large).draft
    terms = [(i, float(value)) for i, value in enumerate(large.aims[0].rows[0])]
    written = draft.programme(terms)

    dual = dual_bound(written)
    best = maximise(written)

    assert best.value <= dual.bound + 1e-6
    assert dual.bound == pytest.approx(maximise(draft.programme(terms, is_relaxed=True)).value, rel=1e-9)
    # Taking a project off its better end costs at least its worth: true of the best solution too.
    better = np.where(dual.worth > 0.0, 1.0, 0.0)
    assert best.value <= dual.bound - np.abs(dual.worth)[np.abs(best.x - better) > 0.5].sum() + 1e-6


def test_a_floor_and_two_limits():
    problem = ChoiceProblem(
        n_project=3,
        aims=(Aim(name="most", rows=((5, 4, 3),)),),
        limits=(Limit(cost=(2, 2, 2), most=4), Limit(cost=(3, 1, 1), most=3)),
        floors=(Floor(values=(0, 0, 1), least=1),),
    )

    assert best_choice(problem).built == (1, 2)
    with pytest.raises(PlanError, match="No choice"):
        best_choice(ChoiceProblem(n_project=1, aims=problem.aims[:0], limits=(), floors=(Floor(values=(1,), least=2),)))


def test_what_brings_nothing_still_meets_its_conditions(monkeypatch):
    monkeypatch.setattr(programme, "_TIE_BREAK_OPEN", 0)
    problem = knapsack([3, 2, 4], 9, [0, 0, 0], forced=(2,), requires=((2, 0),))

    assert best_choice(problem).built == (0, 2)


def test_twins_are_built_in_the_order_of_their_ids():
    problem = knapsack([5, 7, 5, 5], 10, [1, 1, 1, 1])

    assert twins(problem) == ((0, 2), (2, 3))
    assert best_choice(problem).built == (0, 2)


def test_what_is_required_is_found_to_the_end():
    assert closure((4,), [(4, 2), (2, 0), (3, 1)]) == (0, 2, 4)


def test_a_search_that_is_cut_short_among_equals_says_so(monkeypatch):
    rng = np.random.default_rng(2)
    cost = rng.integers(100, 1000, 400)
    cost_aim = Aim(name="cost", rows=(tuple((-cost).tolist()),), is_tie_break=True)
    problem = knapsack(cost, 5000, [1] * 400)
    problem = ChoiceProblem(n_project=400, aims=(*problem.aims, cost_aim), limits=problem.limits)
    monkeypatch.setattr(programme, "_TIE_BREAK_OPEN", 0)

    short = best_choice(problem)
    monkeypatch.undo()
    settled = best_choice(problem)

    assert (short.is_settled, settled.is_settled) == (False, True)
    # What brings most is proved in both; only the cost may differ.
    assert len(short.built) == len(settled.built)
    assert Fraction(int(cost[list(settled.built)].sum())) <= int(cost[list(short.built)].sum())
