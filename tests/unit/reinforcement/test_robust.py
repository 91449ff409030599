"""The robust choice against all subsets, its scenarios, and the figures around a choice against hand calculation."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from gridcheck.errors import InputError, PlanError
from gridcheck.reinforcement.around import (
    by_benefit_per_cost,
    by_even_split,
    by_heaviest_risk,
    county_split,
    fair_minimum,
    marginal_value,
    next_on_the_list,
)
from gridcheck.reinforcement.menu import Benefit, Conditions, Menu, choose
from gridcheck.reinforcement.project_menu import menu_of_projects
from gridcheck.reinforcement.robust import (
    PlanScenario,
    Ranges,
    catalogue_ranges,
    choose_robustly,
    drawn_scenarios,
    menu_in,
)
from tests.unit.reinforcement.test_choose import project


def menu(cost, households, hours=None, *, counties=None, measures=None, groups=(), requires=()):
    n = len(cost)
    return Menu(
        ids=tuple("abcdefghijklmnop"[:n]),
        county_code=tuple(counties or [""] * n),
        measure=tuple(measures or [""] * n),
        cost=tuple(cost),
        parts_per_yuan=1,
        benefits=(
            Benefit(name="households", values=tuple(households)),
            Benefit(name="risk_hours", values=tuple(hours or [0] * n)),
        ),
        groups=groups,
        requires=requires,
    )


SCENARIOS = (
    PlanScenario(name="as expected"),
    PlanScenario(name="dear cable", price_factor={"cable": 1.5, "": 1.0}),
    PlanScenario(name="dear steel", price_factor={"steel": 1.5, "": 1.125}, households_factor=0.75),
    PlanScenario(name="everybody", households_factor=1.25, risk_factor=1.5),
)


def subsets(n):
    return itertools.chain.from_iterable(itertools.combinations(range(n), size) for size in range(n + 1))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("rule", "worst"), [("regret", 1), ("cvar", 1), ("cvar", 2), ("cvar", 4)])
def test_equals_all_subsets(seed, rule, worst):
    rng = np.random.default_rng(seed)
    given = menu(
        rng.integers(10, 60, 8).tolist(),
        rng.integers(0, 12, 8).tolist(),
        rng.integers(0, 9, 8).tolist(),
        measures=rng.choice(["cable", "steel", "other"], 8).tolist(),
        groups=((0, 1, 2),),
        requires=((5, 4),),
    )
    menus = [menu_in(given, scenario) for scenario in SCENARIOS]

    def is_allowed(built, there):
        chosen = set(built)
        return (
            len(chosen & {0, 1, 2}) <= 1
            and (5 not in chosen or 4 in chosen)
            and sum(there.cost[i] for i in built) <= 120
        )

    def brings(built, there):
        return sum(there.benefits[0].values[i] for i in built)

    best = [max(brings(b, there) for b in subsets(8) if is_allowed(b, there)) for there in menus]

    def worth(built):
        got = [
            brings(built, there) - (most if rule == "regret" else 0) for there, most in zip(menus, best, strict=True)
        ]
        hours = sum(given.benefits[1].values[i] for i in built)
        return (sum(sorted(got)[:worst]), brings(built, given), hours, -sum(given.cost[i] for i in built))

    expected = max(worth(b) for b in subsets(8) if all(is_allowed(b, there) for there in menus))

    found = choose_robustly(given, Fraction(120), SCENARIOS, rule=rule, worst_percent=25.0 * worst)

    assert worth(given.positions(found.choice.ids)) == expected
    assert [value * 1000 for value in found.best_households] == best
    assert found.choice.gap == 0.0
    if rule == "regret":
        assert max(found.regret) * 1000 == -expected[0]


def test_how_often_a_project_is_in_the_best_plan():
    given = menu([10, 10, 10], [5, 4, 3], measures=["cable", "steel", "steel"])

    found = choose_robustly(given, Fraction(20), SCENARIOS)

    # a and b are the best; with dear cable, 15, b and c; with dear steel, 15, and cable at 12 only one, and that is a.
    assert found.frequency_percent == {"a": 75.0, "b": 75.0, "c": 25.0}
    assert [float(value) for value in found.best_households] == [9.0, 7.0, 3.75, 11.25]
    assert [float(value) for value in found.households] == [5.0, 5.0, 3.75, 6.25]
    assert found.choice.ids == ("a",)


def test_scenarios_are_drawn_within_their_bounds_and_alike_for_a_seed():
    ranges = Ranges(price={"": (0.9, 1.1), "cable": (1.0, 1.5)}, uptake=(0.5, 0.6), weather=(2.0, 2.0))

    first, again = (drawn_scenarios(ranges, 50, np.random.default_rng(3)) for _ in range(2))

    assert first == again
    assert all(0.9 <= one.price_factor[""] <= 1.1 and 1.0 <= one.price_factor["cable"] <= 1.5 for one in first)
    assert all(0.5 <= one.households_factor <= 0.6 and one.risk_factor == 2.0 for one in first)
    assert len({one.households_factor for one in first}) == 50


def test_prices_of_the_catalogue_have_their_own_bounds():
    price = catalogue_ranges(["tie_switch", "unheard of"]).price

    # 6, 4 and 9 wan in the price list.
    assert price["tie_switch"] == (pytest.approx(4 / 6), 1.5)
    assert set(price) == {"", "tie_switch"}


@pytest.mark.parametrize(
    ("scenarios", "said"),
    [
        ([], "there are none"),
        ([PlanScenario(name="S", households_factor=-1.0)], "S: households_factor"),
        ([PlanScenario(name="S", price_factor={"cable": math.nan})], "S: price_factor of cable"),
    ],
)
def test_impossible_scenarios(scenarios, said):
    with pytest.raises(InputError, match=said):
        choose_robustly(menu([1], [1]), Fraction(1), scenarios)


def test_impossible_ranges():
    with pytest.raises(InputError, match="uptake: 2 to 1"):
        drawn_scenarios(Ranges(uptake=(2, 1)), 3, np.random.default_rng(1))


def test_what_more_money_brings_and_what_comes_next():
    given = menu([60, 50, 50, 200_000], [7, 5, 5, 3], [1, 0, 0, 0])
    now = choose(given, Fraction(100))

    margin, following = marginal_value(given, now), next_on_the_list(given, now)

    assert now.ids == ("b", "c")
    # 100,100 yuan pay for a, b and c.
    assert (margin.households, margin.risk_hours, margin.added, margin.dropped) == (7, 1, ("a",), ())
    # 110 yuan pay for a and one of the others: twelve households in place of ten.
    assert (following.more_yuan, following.households, following.added, following.dropped) == (10, 2, ("a",), ("c",))
    assert next_on_the_list(given, choose(given, Fraction(10**6))) is None


def test_how_counties_share():
    given = menu([60, 40, 50], [7, 5, 1], [2, 1, 9], counties=["1", "2", "2"])

    one, two = county_split(given, choose(given, Fraction(100)))

    assert (one.county_code, one.candidates, one.chosen, one.cost_yuan, one.cost_percent) == ("1", 1, 1, 60, 60.0)
    assert (two.county_code, two.candidates, two.chosen, two.households, two.risk_hours) == ("2", 2, 1, 5, 1)


def test_a_household_that_two_projects_unlock_counts_once():
    given = menu_of_projects([project("a", 1.0, ids=("P1", "P2")), project("b", 1.0, ids=("P2",))])

    assert given.alone(0) == (2, 1)
    assert choose(given, Fraction(9)).households == 2
    assert choose(given, Fraction(9)).ids == ("a",)


def test_simple_rules():
    # By household per yuan a is the best, and then neither b nor c fits; by hours c is the first.
    given = menu([60, 50, 50], [7, 5, 5], [0, 1, 9], counties=["1", "2", "2"])
    budget = Fraction(100)

    assert by_benefit_per_cost(given, budget).ids == ("a",)
    assert by_heaviest_risk(given, budget).ids == ("b", "c")
    assert by_even_split(given, budget).ids == ("c",)
    assert choose(given, budget).ids == ("b", "c")


def test_a_rule_buys_what_a_project_requires():
    given = menu([10, 10, 25], [9, 0, 8], [0, 0, 0], requires=((0, 1),))

    assert by_benefit_per_cost(given, Fraction(30)).ids == ("a", "b")


def test_the_least_that_a_county_gets():
    given = menu([60, 50, 50], [7, 5, 5], counties=["1", "2", "2"])

    assert choose(given, Fraction(100), Conditions(county_minimum={"1": 1})).ids == ("a",)
    with pytest.raises(PlanError, match=r"100 yuan is 10 yuan too small .* smallest budget that could is 110 yuan"):
        choose(given, Fraction(100), Conditions(county_minimum={"1": 1, "2": 5}))
    with pytest.raises(PlanError, match="No budget is enough"):
        choose(given, Fraction(100), Conditions(county_minimum={"1": 8}))
    with pytest.raises(InputError, match="county '9' is unknown"):
        choose(given, Fraction(100), Conditions(county_minimum={"9": 1}))


@pytest.mark.parametrize("share", ["0", "0.5", "1"])
def test_a_fair_share_can_always_be_met(share):
    rng = np.random.default_rng(4)
    given = menu(rng.integers(10, 60, 12).tolist(), rng.integers(0, 12, 12).tolist(), counties=list("112233112233"),
                 groups=((0, 2), (1, 5)))  # fmt: skip
    budget = Fraction(150)
    minimum = fair_minimum(given, budget, Fraction(share))

    choice = choose(given, budget, Conditions(county_minimum=minimum))

    shares = {one.county_code: one.households for one in county_split(given, choice)}
    even = {one.county_code: one.households for one in county_split(given, by_even_split(given, budget))}
    assert choice.households >= sum(even.values())
    assert all(shares[code] >= Fraction(share) * even[code] - 1 for code in "123")
    assert sum(even.values()) > 0


def test_a_fair_share_beyond_one():
    with pytest.raises(PlanError, match="within 0 and 1"):
        fair_minimum(menu([1], [1]), Fraction(1), Fraction(2))
