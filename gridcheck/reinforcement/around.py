"""Figures around a choice: what more or less money would bring, what comes next, how counties share, simple rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction

from gridcheck.errors import OutOfTimeError, PlanError
from gridcheck.reinforcement.menu import (
    NO_CONDITIONS,
    Choice,
    Conditions,
    Menu,
    best_of,
    choice_of,
    choice_problem,
    choose,
    least_budget,
    least_cost,
)  # fmt: skip
from gridcheck.reinforcement.patience import Patience, share
from gridcheck.reinforcement.problem import Floor, needs, reached
from gridcheck.reinforcement.programme import best_choice

MARGIN_YUAN = 100_000
PARETO_TO_YUAN, PARETO_STEP_YUAN = 40_000_000, 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """What a little more money would bring.

    Attributes
    ----------
    more_yuan : Fraction
        The money. [yuan]
    households, risk_hours : Fraction
        What is added; hours may fall where households rise, because households come first. [1], [h]
    added, dropped : tuple of str
        Projects that come in, and that go out for them.
    gap : float
        The larger of the gaps of the choices that are compared; 0 where all are proved.
    """

    more_yuan: Fraction
    households: Fraction
    risk_hours: Fraction
    added: tuple[str, ...]
    dropped: tuple[str, ...]
    gap: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CountyShare:
    """What one county gets of a choice.

    Attributes
    ----------
    county_code : str
        The county; empty where the table does not tell.
    candidates, chosen : int
        Its projects, and those that are built.
    cost_yuan : Fraction
        What they cost. [yuan]
    cost_percent : float
        Of the whole plan; NaN where that costs nothing. [%]
    households, risk_hours : Fraction
        What they bring. [1], [h]
    """

    county_code: str
    candidates: int
    chosen: int
    cost_yuan: Fraction
    cost_percent: float
    households: Fraction
    risk_hours: Fraction


def pareto(
    menu: Menu,
    conditions: Conditions = NO_CONDITIONS,
    *,
    to_yuan: int = PARETO_TO_YUAN,
    step_yuan: int = PARETO_STEP_YUAN,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
    patience: Patience | None = None,
) -> tuple[Choice, ...]:
    """Return the best choice at every budget from 0 on, each exact, or with its gap where the time ran out.

    Parameters
    ----------
    menu : Menu
        What is chosen from.
    conditions : Conditions
        What is to be met; budgets too small for that are left out.
    to_yuan, step_yuan : int
        Last budget, and the step. [yuan]
    progress : callable
        Told how many points are done, and of how many.
    patience : Patience, optional
        How long all of them may take; each gets an even share of what is left. Points for which nothing was found in
        it are left out.

    Returns
    -------
    tuple of Choice
        By budget.
    """
    budgets = range(0, to_yuan + 1, step_yuan)
    points: list[Choice] = []
    for done, budget in enumerate(budgets):
        with suppress(OutOfTimeError):
            point = pareto_point(menu, conditions, budget, share(patience, len(budgets) - done))
            points += [] if point is None else [point]
        progress(done + 1, len(budgets))
    return tuple(points)


def pareto_point(
    menu: Menu, conditions: Conditions, budget_yuan: int, patience: Patience | None = None
) -> Choice | None:
    """Return the best choice at one budget; None where that is too small for the conditions."""
    problem = choice_problem(menu, None, conditions)
    if problem.forced or problem.floors:
        least = least_budget(menu, problem, share(patience, 3))
        if budget_yuan < least.cost_yuan:
            return None
    return choose(menu, Fraction(budget_yuan), conditions, patience)


def marginal_value(
    menu: Menu,
    choice: Choice,
    conditions: Conditions = NO_CONDITIONS,
    *,
    more_yuan: int = MARGIN_YUAN,
    patience: Patience | None = None,
) -> Margin:
    """Return what more money would bring: the exact choice with it, less the exact choice without.

    Parameters
    ----------
    menu : Menu
        What is chosen from.
    choice : Choice
        The best choice without it.
    conditions : Conditions
        As it was made.
    more_yuan : int
        The money. [yuan]
    patience : Patience, optional
        How long to search.

    Returns
    -------
    Margin

    Raises
    ------
    OutOfTimeError
        If nothing was found in time.
    """
    return _margin(choice, choose(menu, choice.budget_yuan + more_yuan, conditions, patience))


def next_on_the_list(
    menu: Menu, choice: Choice, conditions: Conditions = NO_CONDITIONS, patience: Patience | None = None
) -> Margin | None:
    """Return the least money that would unlock one household more, and what would then be built.

    Parameters
    ----------
    menu : Menu
        What is chosen from.
    choice : Choice
        The best choice.
    conditions : Conditions
        As it was made.
    patience : Patience, optional
        How long to search; where it ran out, less money may do.

    Returns
    -------
    Margin or None
        ``more_yuan`` counts from the budget; None where no money unlocks any more.

    Raises
    ------
    OutOfTimeError
        If nothing was found in time.
    """
    problem = choice_problem(menu, None, conditions)
    benefit = menu.benefits[0]
    floor = Floor(values=benefit.values, least=int(choice.households * benefit.parts) + 1)
    more = replace(least_cost(problem), floors=(*problem.floors, floor))
    if sum(max(0, value) for value in benefit.values) < floor.least:
        return None
    try:
        cheapest = best_of(menu, more, choice.budget_yuan, share(patience, 2))
    except OutOfTimeError:
        raise
    except PlanError:
        return None
    return _margin(choice, choose(menu, cheapest.cost_yuan, conditions, patience), cheapest.gap)


def _margin(before: Choice, after: Choice, *gaps: float) -> Margin:
    old, new = set(before.ids), set(after.ids)
    return Margin(
        more_yuan=after.budget_yuan - before.budget_yuan,
        households=after.households - before.households,
        risk_hours=after.values["risk_hours"] - before.values["risk_hours"],
        added=tuple(sorted(new - old)),
        dropped=tuple(sorted(old - new)),
        gap=max(before.gap, after.gap, *gaps),
    )


def county_split(menu: Menu, choice: Choice) -> tuple[CountyShare, ...]:
    """Return what each county gets, by its code; a household that two projects unlock counts once.

    Parameters
    ----------
    menu : Menu
        What was chosen from.
    choice : Choice
        What is built.

    Returns
    -------
    tuple of CountyShare
        Every county that has candidates.
    """
    built = set(menu.positions(choice.ids))
    shares = []
    for code in sorted(set(menu.county_code)):
        own = menu.in_county(code)
        part = choice_of(menu, [i for i in own if i in built], choice.budget_yuan)
        shares.append(
            CountyShare(
                county_code=code,
                candidates=len(own),
                chosen=len(part.ids),
                cost_yuan=part.cost_yuan,
                cost_percent=float(100 * part.cost_yuan / choice.cost_yuan) if choice.cost_yuan else float("nan"),
                households=part.households,
                risk_hours=part.values["risk_hours"],
            )
        )
    return tuple(shares)


def simple_rules(menu: Menu, budget_yuan: Fraction, patience: Patience | None = None) -> dict[str, Choice]:
    """Return what the simple rules would build, by the code of each rule; they know no conditions."""
    return {
        "benefit_per_cost": by_benefit_per_cost(menu, budget_yuan),
        "heaviest_risk": by_heaviest_risk(menu, budget_yuan),
        "even_split": by_even_split(menu, budget_yuan, patience),
    }


def by_benefit_per_cost(menu: Menu, budget_yuan: Fraction) -> Choice:
    """Choose as a spreadsheet does: down the list by households per yuan, whatever still fits."""
    households, hours = menu.alone(0), menu.alone(1)

    def merit(i: int) -> tuple[bool, Fraction, Fraction, str]:
        cost = menu.cost[i]
        per_cost = [-Fraction(value, cost) if cost else Fraction(-value) for value in (households[i], hours[i])]
        return (cost > 0, per_cost[0], per_cost[1], menu.ids[i])

    return _down_the_list(menu, sorted(range(len(menu.ids)), key=merit), budget_yuan)


def by_heaviest_risk(menu: Menu, budget_yuan: Fraction) -> Choice:
    """Choose as an operator does: where most hours of broken limits go away first, whatever still fits."""
    hours = menu.alone(1)
    order = sorted(range(len(menu.ids)), key=lambda i: (-hours[i], menu.cost[i], menu.ids[i]))
    return _down_the_list(menu, order, budget_yuan)


def by_even_split(menu: Menu, budget_yuan: Fraction, patience: Patience | None = None) -> Choice:
    """Choose as an office does: the same money for every county, spent at best in each."""
    built = [i for there in even_split(menu, budget_yuan, patience).values() for i in there]
    return choice_of(menu, built, budget_yuan)


def even_split(menu: Menu, budget_yuan: Fraction, patience: Patience | None = None) -> dict[str, tuple[int, ...]]:
    """Return what each county would build with an even part of the money, at best for itself.

    Parameters
    ----------
    menu : Menu
        What is chosen from; a project that requires one of another county is left out.
    budget_yuan : Fraction
        Money of all counties together. [yuan]
    patience : Patience, optional
        How long all of them may take; where it ran out, a county has the best that was found.

    Returns
    -------
    dict of str to tuple of int
        Positions of projects by county.
    """
    codes = sorted(set(menu.county_code))
    part = menu.budget_parts(budget_yuan / max(1, len(codes)))
    found: dict[str, tuple[int, ...]] = {}
    taken: set[int] = set()
    for done, code in enumerate(codes):
        others = {i for i, county in enumerate(menu.county_code) if county != code}
        # An alternative that an earlier county has built is none any more.
        others |= {i for group in menu.groups if taken.intersection(group) for i in group}
        problem = replace(choice_problem(menu, part), forbidden=tuple(sorted(others)))
        found[code] = best_choice(problem, share(patience, len(codes) - done)).built
        taken.update(found[code])
    return found


def fair_minimum(
    menu: Menu, budget_yuan: Fraction, fair_share: Fraction, patience: Patience | None = None
) -> dict[str, int]:
    """Return the households that each county is to get at least: a share of what an even split would give it.

    Parameters
    ----------
    menu : Menu
        What is chosen from.
    budget_yuan : Fraction
        Money of all counties together. [yuan]
    fair_share : Fraction
        From 0, no minimum, to 1; the budget is always enough, since the even split itself meets it. [1]
    patience : Patience, optional
        How long to search for the even split.

    Returns
    -------
    dict of str to int
        For `Conditions`.

    Raises
    ------
    PlanError
        If the share is not within 0 and 1.
    """
    if not 0 <= fair_share <= 1:
        raise PlanError(f"The fair share must lie within 0 and 1. Got {float(fair_share):g}.")
    return {
        code: int(fair_share * choice_of(menu, built, budget_yuan).households // 1)
        for code, built in even_split(menu, budget_yuan, patience).items()
    }


def with_fair_share(
    menu: Menu, budget_yuan: Fraction, conditions: Conditions, fair_share: float, patience: Patience | None = None
) -> Conditions:
    """Return conditions by which every county gets at least a share of what an even split would bring it."""
    if not fair_share:
        return conditions
    least = fair_minimum(menu, budget_yuan, Fraction(str(fair_share)), patience)
    least |= {code: max(least.get(code, 0), own) for code, own in conditions.county_minimum.items()}
    return replace(conditions, county_minimum=least)


def _down_the_list(menu: Menu, order: Sequence[int], budget_yuan: Fraction) -> Choice:
    budget = menu.budget_parts(budget_yuan)
    group_of = {i: number for number, group in enumerate(menu.groups) for i in group}
    brings = [menu.alone(rank) for rank in range(len(menu.benefits))]
    needed = needs(menu.requires)
    built: set[int] = set()
    for i in order:
        if i in built or not any(benefit[i] > 0 for benefit in brings):
            continue
        # A project comes with all that it requires.
        trial = built.union(reached((i,), needed))
        groups = [group_of[j] for j in trial if j in group_of]
        is_apart = not any(one in trial and other in trial for one, other in menu.conflicts)
        if is_apart and len(groups) == len(set(groups)) and sum(menu.cost[j] for j in trial) <= budget:
            built = trial
    return choice_of(menu, sorted(built), budget_yuan)
