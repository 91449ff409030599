"""Laws of the choice from a plain table: it equals all subsets tried one by one, and more money never hurts."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridcheck.errors import GridcheckError
from gridcheck.reinforcement.around import marginal_value, next_on_the_list, pareto
from gridcheck.reinforcement.menu import Conditions, choose
from gridcheck.reinforcement.packages import menu_of_packages, read_packages
from tests.support.package_tables import best_of_all_subsets, random_table, row, write_table

# Round numbers that tie, money in fen, floats with all their digits, and numbers that differ in the last place only.
COSTS = [
    st.integers(0, 20).map(lambda tens: str(10_000 * tens)),
    st.integers(0, 80_000_000).map(lambda fen: f"{fen / 100:.2f}"),
    st.floats(0.0, 8e5, allow_subnormal=False).map(lambda value: repr(round(value, 12))),
    st.sampled_from(["1000000", "1000000.000000001", "1000000.000001", "999999.9999999"]),
]
HOURS = [
    st.integers(-3, 5).map(str),
    st.integers(-200, 5000).map(lambda tenths: f"{tenths / 10:.1f}"),
    st.floats(-20.0, 500.0, allow_subnormal=False).map(lambda value: repr(round(value, 12))),
    st.sampled_from(["1", "1.000000000001", "2.5"]),
]


@st.composite
def tables(draw, *, most=9):
    kind = draw(st.integers(0, len(COSTS) - 1))
    rows = []
    for i in range(draw(st.integers(1, most))):
        needed = draw(st.sets(st.integers(0, i - 1), max_size=2)) if i and draw(st.booleans()) else set()
        rows.append(
            row(
                f"P{i:02d}",
                draw(COSTS[kind]),
                draw(st.integers(0, 6)),
                draw(HOURS[kind]),
                group=draw(st.sampled_from(["", "", "A", "B", "C"])),
                requires=";".join(f"P{j:02d}" for j in sorted(needed)),
            )
        )
    return draw(st.permutations(rows))


def menu_of(rows, folder):
    return menu_of_packages(read_packages(write_table(folder / "t.csv", rows)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@settings(max_examples=80, deadline=None)
@given(tables(), st.integers(0, 100), st.data())
def test_equals_all_subsets(folder, rows, percent, data):
    ids = [one["project_id"] for one in rows]
    forced = data.draw(st.sets(st.sampled_from(ids), max_size=1))
    forbidden = data.draw(st.sets(st.sampled_from(ids), max_size=1)) - forced
    budget = sum(Fraction(one["cost_yuan"]) for one in rows) * percent / 100
    expected = best_of_all_subsets(rows, budget, sorted(forced), sorted(forbidden))
    menu = menu_of(rows, folder)
    conditions = Conditions(forced=tuple(forced), forbidden=tuple(forbidden))

    if expected is None:
        with pytest.raises(GridcheckError):
            choose(menu, budget, conditions)
        return
    choice = choose(menu, budget, conditions)

    assert set(choice.ids) == expected
    assert (choice.gap, choice.is_least_cost) == (0.0, True)
    assert choice.cost_yuan <= budget


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("has_decimals", [False, True])
def test_sixteen_packages_equal_all_subsets(folder, seed, has_decimals):
    rows = random_table(16, np.random.default_rng(seed), has_decimals=has_decimals)
    budget = Fraction(400_000 + 150_000 * seed)

    choice = choose(menu_of(rows, folder), budget)

    assert set(choice.ids) == best_of_all_subsets(rows, budget)


@settings(max_examples=25, deadline=None)
@given(tables(most=25), st.integers(0, 90), st.integers(0, 30))
def test_a_larger_budget_never_lowers_the_first_objective(folder, rows, percent, more):
    menu, whole = menu_of(rows, folder), sum(Fraction(one["cost_yuan"]) for one in rows)

    little, much = (choose(menu, whole * share / 100) for share in (percent, percent + more))

    assert much.households >= little.households


@settings(max_examples=15, deadline=None)
@given(tables(most=8), st.integers(0, 80))
def test_what_comes_next_is_the_least_money_for_another_household(folder, rows, percent):
    menu, whole = menu_of(rows, folder), sum(Fraction(one["cost_yuan"]) for one in rows)
    now = choose(menu, whole * percent / 100)

    following = next_on_the_list(menu, now)

    most = choose(menu, whole).households
    if following is None:
        assert now.households == most
        return
    assert following.households >= 1
    assert set(now.ids) - set(following.dropped) | set(following.added) == best_of_all_subsets(
        rows, now.budget_yuan + following.more_yuan
    )
    # One part of a yuan less, and there is no household more.
    less = now.budget_yuan + following.more_yuan - Fraction(1, menu.parts_per_yuan)
    assert choose(menu, less).households == now.households


@settings(max_examples=15, deadline=None)
@given(tables(most=8), st.integers(1, 7))
def test_every_point_of_the_curve_is_exact(folder, rows, steps):
    menu = menu_of(rows, folder)
    to_yuan = int(sum(Fraction(one["cost_yuan"]) for one in rows)) + 2
    step_yuan = to_yuan // steps + 1

    points = pareto(menu, to_yuan=to_yuan, step_yuan=step_yuan)

    assert [point.budget_yuan for point in points] == list(range(0, to_yuan + 1, step_yuan))
    for point in points:
        assert set(point.ids) == best_of_all_subsets(rows, point.budget_yuan)


@settings(max_examples=15, deadline=None)
@given(tables(most=8), st.integers(0, 80))
def test_the_worth_of_more_money_is_a_difference_of_exact_choices(folder, rows, percent):
    menu, whole = menu_of(rows, folder), sum(Fraction(one["cost_yuan"]) for one in rows)
    now = choose(menu, whole * percent / 100)

    margin = marginal_value(menu, now)

    then = best_of_all_subsets(rows, now.budget_yuan + 100_000)
    assert (set(now.ids) - set(margin.dropped)) | set(margin.added) == then
    count = {one["project_id"]: int(one["households"]) for one in rows}
    assert margin.households == sum(count[i] for i in then) - sum(count[i] for i in now.ids)
