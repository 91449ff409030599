"""Figures around a plan, held against every subset of a small table."""

import json
from fractions import Fraction

import numpy as np
import pytest

from gridcheck.reinforcement.menu import choose
from gridcheck.reinforcement.overview import overview_report, plan_overview
from gridcheck.reinforcement.packages import menu_of_packages, read_packages
from tests.support.package_tables import best_of_all_subsets, random_table, write_table

BUDGET = 900_000


@pytest.fixture(scope="module", params=range(4))
def table(request, tmp_path_factory):
    rows = random_table(9, np.random.default_rng(request.param + 40), has_decimals=True)
    folder = tmp_path_factory.mktemp("overview")
    return rows, menu_of_packages(read_packages(write_table(folder / "t.csv", rows)))


@pytest.fixture(scope="module")
def found(table):
    _, menu = table
    return plan_overview(menu, choose(menu, Fraction(BUDGET)), seed=3, draws=4)


def households(rows, ids):
    return sum(int(one["households"]) for one in rows if one["project_id"] in ids)


def test_every_point_of_the_curve_is_the_best_of_all_subsets(table, found):
    rows, _ = table

    assert [int(point.budget_yuan) for point in found.pareto] == list(range(0, 40_000_001, 1_000_000))
    for point in (*found.pareto[:3], found.pareto[-1]):
        assert set(point.ids) == best_of_all_subsets(rows, point.budget_yuan)
    brought = [point.households for point in found.pareto]
    assert brought == sorted(brought)


def test_no_simple_rule_is_better_and_none_spends_more(found):
    exact = found.rules["exact"]

    assert list(found.rules) == ["exact", "benefit_per_cost", "heaviest_risk", "even_split"]
    for choice in found.rules.values():
        assert choice.cost_yuan <= BUDGET
        assert (choice.households, choice.values["risk_hours"]) <= (exact.households, exact.values["risk_hours"])


def test_more_money_and_the_next_on_the_list(table, found):
    rows, _ = table
    now = households(rows, found.rules["exact"].ids)

    assert found.margin.households == households(rows, best_of_all_subsets(rows, Fraction(BUDGET + 100_000))) - now
    if found.following is not None:
        enough = Fraction(BUDGET) + found.following.more_yuan
        assert households(rows, best_of_all_subsets(rows, enough)) > now
        assert households(rows, best_of_all_subsets(rows, enough - Fraction(1, 100))) == now


def test_the_report_says_the_same_in_plain_numbers(found):
    report = json.loads(json.dumps(overview_report(found), allow_nan=False))
    robust = report["robust"]

    assert [rule["households"] for rule in report["rules"]] == [int(c.households) for c in found.rules.values()]
    assert sum(share["households"] for share in report["county_split"]) == report["rules"][0]["households"]
    gaps = [draw["best_households"] - draw["households"] for draw in robust["scenarios"]]
    assert len(gaps) == 4
    assert robust["largest_regret_households"] == pytest.approx(max(gaps))
    assert min(gaps) >= 0.0
