"""How long a choice among packages takes: ``make bench`` prints it for thousands; otherwise some hundred, untimed."""

import time
from contextlib import nullcontext
from fractions import Fraction

import numpy as np

from gridcheck.reinforcement.menu import Conditions, choose
from gridcheck.reinforcement.packages import menu_of_packages, read_packages
from tests.support.package_tables import random_table, write_table

BUDGET = Fraction(18_000_000)


def timed(name, work):
    began = time.perf_counter()
    choice = work()
    print(f"{name}: {time.perf_counter() - began:.1f} s, {choice.households} households, {len(choice.ids)} projects")
    return choice


def test_changed_budgets_and_forbidden_projects(tmp_path, capsys, request):
    is_timed = request.config.getoption("--timing", default=False)
    rows = random_table(5000 if is_timed else 500, np.random.default_rng(1), has_decimals=True)
    menu = menu_of_packages(read_packages(write_table(tmp_path / "t.csv", rows)))

    with capsys.disabled() if is_timed else nullcontext():
        best = timed(f"\n{len(rows):,} packages", lambda: choose(menu, BUDGET))
        without = timed("without the first", lambda: choose(menu, BUDGET, Conditions(forbidden=best.ids[:1])))
        more = timed("with 100,000 yuan more", lambda: choose(menu, BUDGET + 100_000))

    assert (best.gap, without.gap, more.gap) == (0.0, 0.0, 0.0)
    assert best.cost_yuan <= BUDGET
    assert without.households <= best.households <= more.households
    assert best.ids[0] not in without.ids
