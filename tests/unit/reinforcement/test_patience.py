"""A search that is given a time: what it finds is allowed, and its bound is above the best, known from elsewhere."""

import math
import os
import signal
import threading
import time
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from gridcheck import terminal
from gridcheck.errors import OutOfTimeError
from gridcheck.reinforcement import programme
from gridcheck.reinforcement.aims import Aim
from gridcheck.reinforcement.around import marginal_value, next_on_the_list, pareto
from gridcheck.reinforcement.menu import Conditions, choose
from gridcheck.reinforcement.packages import menu_of_packages, read_packages
from gridcheck.reinforcement.patience import Patience, patience_of, share
from gridcheck.reinforcement.problem import ChoiceProblem, Floor, Limit
from gridcheck.reinforcement.programme import best_choice
from gridcheck.reinforcement.robust import PlanScenario, choose_robustly
from tests.support.package_tables import hard_table, row, write_table


def knapsack(cost, most, *aims, **more):
    return ChoiceProblem(
        n_project=len(cost),
        aims=tuple(Aim(name=f"aim {i}", rows=(tuple(int(v) for v in aim),)) for i, aim in enumerate(aims)),
        limits=(Limit(cost=tuple(int(v) for v in cost), most=most),),
        **more,
    )


def correlated(seed, n=120, largest=1000):
    rng = np.random.default_rng(seed)
    cost = rng.integers(largest // 100, largest, n)
    return cost, cost + largest // 10, int(cost.sum()) // 2


def most_of(cost, worth, room):
    """Return the most that a knapsack can hold, by dynamic programming over what is spent."""
    best = np.zeros(room + 1, dtype=np.int64)
    for own, value in zip(cost.tolist(), worth.tolist(), strict=True):
        best[own:] = np.maximum(best[own:], best[: room + 1 - own] + value)
    return int(best[-1])


def out_of_time():
    return Patience(until_s=time.monotonic())


@pytest.mark.parametrize("seed", range(3))
def test_four_hundred_strongly_correlated_projects_are_proved(seed):
    cost, worth, room = correlated(seed, 400)

    # Without the row of the most projects that fit, minutes are not enough.
    found = best_choice(knapsack(1000 * cost, 1000 * room, worth), patience_of(1.0, lambda *_: None))

    assert (found.gap, found.unproved) == (0.0, "")
    assert sum(worth[list(found.built)]) == most_of(cost, worth, room)


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.1])
@pytest.mark.parametrize("seed", range(3))
def test_the_best_lies_between_what_is_found_and_the_bound(seed, seconds):
    cost, worth, room = correlated(seed, 300)
    patience = patience_of(seconds / 60.0, lambda *_: None)

    found = best_choice(knapsack(cost, room, worth), patience)

    value, best = int(worth[list(found.built)].sum()), most_of(cost, worth, room)
    assert cost[list(found.built)].sum() <= room
    assert value <= best
    if found.unproved:
        assert (found.unproved, found.is_settled, patience.cut_short) == ("aim 0", False, ["aim 0"])
        assert value < found.bound >= best
        assert found.gap == (found.bound - value) / max(1, value)
    else:
        assert (value, found.gap) == (best, 0.0)


def test_without_any_time_what_is_forced_is_built():
    cost, worth, room = correlated(1, 20)

    found = best_choice(knapsack(cost, room, worth, forced=(3,), requires=((3, 5),)), out_of_time())

    assert found.built == (3, 5)
    assert found.unproved == "aim 0"
    assert found.bound >= most_of(cost, worth, room)


def test_the_bound_of_numbers_that_are_sought_digit_by_digit():
    rng = np.random.default_rng(4)
    worth = [(int(v) << 40) + int(w) for v, w in rng.integers(1, 1 << 30, (12, 2))]
    cost = rng.integers(10, 60, 12)
    best = max(
        sum(worth[i] for i in range(12) if bits >> i & 1)
        for bits in range(1 << 12)
        if sum(cost[i] for i in range(12) if bits >> i & 1) <= 150
    )

    found = best_choice(knapsack(cost, 150, [3 * one for one in worth]), out_of_time())

    assert found.unproved == "aim 0"
    # A bound of the first digit is as good as its last place: 3 * 2^48 parts, beside the relaxation.
    assert 3 * best <= found.bound <= 3 * sum(worth)
    assert found.gap == float(found.bound)


@pytest.mark.parametrize(("bound", "gap"), [(12.9, 0.0), (13.0, 1 / 12), (1e9, 3 / 12)])
def test_an_aim_that_is_not_proved_leaves_those_before_it_proved(monkeypatch, bound, gap):
    solve, hours = programme.maximise, (9, 8, 3, 2)

    def late(given, **kwargs):
        found = solve(given, **kwargs)
        is_second = tuple(given.objective[:4]) == hours
        return replace(found, status="Time limit reached", bound=bound) if is_second else found

    monkeypatch.setattr(programme, "maximise", late)

    found = best_choice(knapsack([6, 5, 3, 3], 10, [1] * 4, hours), patience_of(1.0, lambda *_: None))

    # Two fit, at best the first and the third: 12 hours. The relaxation builds the first and four fifths of the second,
    # 15.4 hours, so no bound is above 15.
    assert found.built == (0, 2)
    assert found.unproved == ("aim 1" if gap else "")
    assert (found.gap, found.bound) == (gap, 12 * (1 + gap) if gap else None)


def test_other_ends_than_time_are_faults_all_the_same(monkeypatch):
    solve = programme.maximise
    monkeypatch.setattr(
        programme, "maximise", lambda *args, **kwargs: replace(solve(*args, **kwargs), status="Solve error")
    )

    with pytest.raises(programme.PlanError, match="Solve error"):
        best_choice(knapsack([1, 2], 2, [1, 1]), patience_of(1.0, lambda *_: None))


def test_nothing_found_in_time_is_not_nothing_there():
    problem = knapsack([5, 4], 5, [1, 1], floors=(Floor(values=(1, 1), least=1),))

    with pytest.raises(OutOfTimeError, match="ran out"):
        best_choice(problem, out_of_time())


@pytest.fixture(scope="module")
def menu(tmp_path_factory):
    rows = hard_table(12, np.random.default_rng(5), largest=1000)
    for number, one in enumerate(rows):
        one["county_code"] = f"{number % 2}"
    return menu_of_packages(read_packages(write_table(tmp_path_factory.mktemp("t") / "t.csv", rows, tuple(rows[0]))))


def test_a_choice_says_what_is_not_proved(menu):
    budget = Fraction(3_000_000)
    best = choose(menu, budget)

    found = choose(menu, budget, patience=out_of_time())

    assert (found.ids, found.unproved, found.is_least_cost) == ((), "households", False)
    assert found.bound >= best.households > 0
    assert found.gap == found.bound
    assert (best.unproved, best.bound, best.gap) == ("", None, 0.0)


def test_a_minimum_is_not_called_impossible_for_want_of_time(menu):
    with pytest.raises(OutOfTimeError):
        choose(menu, Fraction(3_000_000), Conditions(county_minimum={"0": 1}), out_of_time())


def test_figures_around_a_choice_have_gaps(menu):
    now = choose(menu, Fraction(3_000_000))

    assert marginal_value(menu, now, patience=out_of_time()).gap > 0.0
    assert marginal_value(menu, now, patience=patience_of(1.0, lambda *_: None)) == marginal_value(menu, now)
    with pytest.raises(OutOfTimeError):
        next_on_the_list(menu, now, patience=out_of_time())
    points = pareto(menu, to_yuan=3_000_000, patience=out_of_time())
    assert [point.gap > 0.0 for point in points] == [False, True, True, True]
    robust = choose_robustly(menu, Fraction(3_000_000), [PlanScenario(name="S")], patience=out_of_time())
    assert robust.choice.gap > 0.0


def test_time_is_shared_and_what_is_spared_goes_on():
    patience = Patience(until_s=time.monotonic() + 100.0)

    assert patience.part(4).left_s == pytest.approx(25.0, abs=1.0)
    assert patience.part(1).left_s == pytest.approx(100.0, abs=1.0)
    assert share(None, 3) is None
    assert patience.part(2).cut_short is patience.cut_short


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs signals")
def test_ctrl_c_ends_a_search():
    cost, worth, room = correlated(3, 400, 10**8)
    begun_s = time.monotonic()
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()

    with pytest.raises(KeyboardInterrupt):
        best_choice(knapsack(cost, room, worth), patience_of(1.0, lambda *_: None))

    assert time.monotonic() - begun_s < 30.0


def test_progress_is_told_in_lines_where_there_is_no_terminal(monkeypatch, capsys):
    monkeypatch.setattr(terminal, "_FIRST_SHOWN_S", 0.0)

    with terminal.search_progress("方案 choice", 10.0) as tell:
        tell("households", 0.001234)
        tell("risk_hours", math.nan)

    # The second comes within the minute and is not shown.
    assert capsys.readouterr().err == "求解 searching 方案 choice: households, 差距 gap 0.00123, 0 s / 10 min\n"


def test_a_table_with_a_row_alone(tmp_path):
    menu = menu_of_packages(read_packages(write_table(tmp_path / "t.csv", [row("a", 1, 1)])))

    assert choose(menu, Fraction(0), patience=patience_of(1.0, lambda *_: None)).gap == 0.0
