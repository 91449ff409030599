r"""A choice that stands up to weather, uptake and prices that nobody knows yet.

In scenario s the plan x unlocks :math:`H_s(x)` households at prices :math:`c_s`; the best plan for s alone would unlock
:math:`H_s^*`. Only plans that every scenario's prices leave within the budget are looked at. Sought is

.. math::

    \min_x \max_s \left( H_s^* - H_s(x) \right) \qquad \text{or} \qquad
    \max_x \frac{1}{k} \sum_{s \,\in\, \text{the k worst}} H_s(x),

the least regret, or the most households in the worst scenarios (CVaR); then, as always, households, hours and cost.

References
----------
.. [1] L. J. Savage, "The theory of statistical decision", J. Am. Stat. Assoc. 46(253), 1951 (regret).
.. [2] R. T. Rockafellar, S. Uryasev, "Optimization of conditional value-at-risk", Journal of Risk 2(3), 2000, 21-41.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

import numpy as np

from gridcheck.catalogue import measures
from gridcheck.errors import InputError
from gridcheck.reinforcement.aims import Aim
from gridcheck.reinforcement.menu import (
    NO_CONDITIONS,
    Benefit,
    Choice,
    Conditions,
    Menu,
    best_of,
    choice_of,
    choice_problem,
)
from gridcheck.reinforcement.patience import Patience, share
from gridcheck.reinforcement.problem import Limit

Rule = Literal["regret", "cvar"]
# Factors count in thousandths: households of a scenario are then whole thousandths.
_PARTS = 1000
DEFAULT_WORST_PERCENT = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanScenario:
    """One way in which things could turn out.

    Attributes
    ----------
    name : str
        Its name.
    price_factor : mapping of str to float
        Price of a measure over the one in the table, by measure; ``""`` is that of all others. [1]
    households_factor : float
        Households that apply over those in the table: uptake. [1]
    risk_factor : float
        Hours of broken limits over those in the table: weather. [1]
    """

    name: str
    price_factor: Mapping[str, float] = field(default_factory=dict)
    households_factor: float = 1.0
    risk_factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """Between which bounds prices, uptake and weather lie.

    Attributes
    ----------
    price : mapping of str to (float, float)
        Least and largest price factor by measure; ``""`` for all others. [1]
    uptake, weather : (float, float)
        Least and largest factor on households, and on hours of broken limits. [1]
    """

    price: Mapping[str, tuple[float, float]] = field(default_factory=lambda: {"": (0.85, 1.25)})
    uptake: tuple[float, float] = (0.7, 1.3)
    weather: tuple[float, float] = (0.7, 1.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustChoice:
    """A choice for all scenarios, and the best ones for each.

    Attributes
    ----------
    rule : {"regret", "cvar"}
        What was sought.
    choice : Choice
        The robust choice, at the prices and households of the table.
    scenarios : tuple of str
        Names.
    households, best_households : tuple of Fraction, shape (n_scenario,)
        What the robust choice unlocks in each scenario, and what the best plan for that scenario alone would. [1]
    frequency_percent : mapping of str to float
        In how many scenarios a project is part of the best plan, by id. [%]
    """

    rule: Rule
    choice: Choice
    scenarios: tuple[str, ...]
    households: tuple[Fraction, ...]
    best_households: tuple[Fraction, ...]
    frequency_percent: Mapping[str, float]

    @property
    def regret(self) -> tuple[Fraction, ...]:
        """Households that the robust choice falls short of the best one, by scenario."""
        return tuple(best - own for best, own in zip(self.best_households, self.households, strict=True))


def drawn_scenarios(ranges: Ranges, n_scenario: int, rng: np.random.Generator) -> tuple[PlanScenario, ...]:
    """Draw scenarios evenly between bounds; prices of one measure move together, those of several apart.

    Parameters
    ----------
    ranges : Ranges
        The bounds.
    n_scenario : int
        How many.
    rng : Generator
        Random numbers.

    Returns
    -------
    tuple of PlanScenario
        ``S1`` and so on.

    Raises
    ------
    InputError
        If bounds are negative, missing or the wrong way round, or there are no scenarios.
    """
    named = {**{f"price {k or 'of all'}": v for k, v in ranges.price.items()}, "uptake": ranges.uptake,
             "weather": ranges.weather}  # fmt: skip
    findings = [
        f"{name}: {low} to {high} is no range of factors" for name, (low, high) in named.items()
        if not (0.0 <= low <= high < math.inf)
    ]  # fmt: skip
    if n_scenario < 1:
        findings.append(f"n_scenario must be at least 1. Got {n_scenario}")
    if findings:
        raise InputError("Scenarios cannot be drawn between these bounds.", findings)
    return tuple(
        PlanScenario(
            name=f"S{number}",
            price_factor={measure: float(rng.uniform(*ranges.price[measure])) for measure in sorted(ranges.price)},
            households_factor=float(rng.uniform(*ranges.uptake)),
            risk_factor=float(rng.uniform(*ranges.weather)),
        )
        for number in range(1, n_scenario + 1)
    )


def catalogue_ranges(measure_codes: Sequence[str]) -> Ranges:
    """Return default ranges, with the bounds of the catalogue for the prices of measures that it knows.

    Parameters
    ----------
    measure_codes : sequence of str
        Codes that occur.

    Returns
    -------
    Ranges
        Estimates (confidence E), to be edited.
    """
    table, default = measures(), Ranges()
    known = sorted(set(measure_codes) & set(table.index))
    bounds = {
        str(code): (
            float(table["cost_min_wan"][code] / table["cost_wan"][code]),
            float(table["cost_max_wan"][code] / table["cost_wan"][code]),
        )
        for code in known
        if table["cost_wan"][code] > 0.0
    }
    return replace(default, price={**default.price, **bounds})


def menu_in(menu: Menu, scenario: PlanScenario) -> Menu:
    """Return a menu as it is in a scenario; costs are rounded up to a part of a yuan, benefits to thousandths."""
    prices = [
        Fraction(scenario.price_factor.get(measure, scenario.price_factor.get("", 1.0))) for measure in menu.measure
    ]
    factors = [scenario.households_factor, *(scenario.risk_factor for _ in menu.benefits[1:])]
    return replace(
        menu,
        cost=tuple(math.ceil(cost * price) for cost, price in zip(menu.cost, prices, strict=True)),
        benefits=tuple(
            Benefit(
                name=benefit.name,
                values=tuple(value * round(factor * _PARTS) for value in benefit.values),
                parts=benefit.parts * _PARTS,
            )
            for benefit, factor in zip(menu.benefits, factors, strict=True)
        ),
    )


def choose_robustly(
    menu: Menu,
    budget_yuan: Fraction,
    scenarios: Sequence[PlanScenario],
    conditions: Conditions = NO_CONDITIONS,
    *,
    rule: Rule = "regret",
    worst_percent: float = DEFAULT_WORST_PERCENT,
    patience: Patience | None = None,
) -> RobustChoice:
    """Choose what is best in view of all scenarios, among plans that every scenario's prices leave within the budget.

    Parameters
    ----------
    menu : Menu
        What is chosen from, as expected.
    budget_yuan : Fraction
        Money. [yuan]
    scenarios : sequence of PlanScenario
        At least one; each counts alike.
    conditions : Conditions
        What is to be met beside; a county's minimum is held at the households of the table.
    rule : {"regret", "cvar"}
        Least largest regret, or most households in the worst scenarios.
    worst_percent : float
        Share of scenarios that are the worst, for ``cvar``. [%]
    patience : Patience, optional
        How long all searches together may take.

    Returns
    -------
    RobustChoice
        Where the time ran out the gap of its choice is the largest of all searches.

    Raises
    ------
    InputError
        If there are no scenarios, a factor is negative or missing, or conditions name what is not there.
    PlanError
        If no plan meets the conditions within the budget at all prices.
    OutOfTimeError
        If none was found in time.
    """
    _check(scenarios, worst_percent)
    menus = [menu_in(menu, scenario) for scenario in scenarios]
    budget = menu.budget_parts(budget_yuan)
    best: list[Choice] = []
    for there, scenario in zip(menus, scenarios, strict=True):
        alone = choice_problem(there, budget, _in(conditions, scenario))
        # One search more is that for all scenarios.
        best.append(best_of(there, alone, budget_yuan, share(patience, len(menus) - len(best) + 1)))
    problem = choice_problem(menu, budget, conditions)
    households = [there.benefits[0] for there in menus]
    parts = households[0].parts
    offsets = [-int(one.households * parts) for one in best] if rule == "regret" else [0] * len(best)
    worst = 1 if rule == "regret" else max(1, math.ceil(len(best) * worst_percent / 100.0))
    aim = Aim(name=rule, rows=tuple(one.values for one in households), offsets=tuple(offsets), worst=worst)
    limits = tuple(Limit(cost=there.cost, most=budget) for there in menus)
    together = replace(problem, limits=(*problem.limits, *limits), aims=(aim, *problem.aims))
    choice = best_of(menu, together, budget_yuan, patience)
    choice = replace(choice, gap=max(choice.gap, *(one.gap for one in best)))
    built = menu.positions(choice.ids)
    return RobustChoice(
        rule=rule,
        choice=choice,
        scenarios=tuple(scenario.name for scenario in scenarios),
        households=tuple(choice_of(there, built, budget_yuan).households for there in menus),
        best_households=tuple(one.households for one in best),
        frequency_percent={
            project_id: 100.0 * sum(project_id in one for one in map(set, (b.ids for b in best))) / len(best)
            for project_id in menu.ids
        },
    )


def _in(conditions: Conditions, scenario: PlanScenario) -> Conditions:
    """Return conditions whose least households are those that come of them in a scenario."""
    factor = Fraction(round(scenario.households_factor * _PARTS), _PARTS)
    return replace(
        conditions,
        county_minimum={code: int(least * factor // 1) for code, least in conditions.county_minimum.items()},
    )


def _check(scenarios: Sequence[PlanScenario], worst_percent: float) -> None:
    findings = [] if scenarios else ["there are none; at least one is needed"]
    for scenario in scenarios:
        numbers = {f"price_factor of {k or 'all'}": v for k, v in scenario.price_factor.items()}
        numbers |= {"households_factor": scenario.households_factor, "risk_factor": scenario.risk_factor}
        findings += [
            f"{scenario.name}: {name} must be a finite number of at least 0. Got {value}"
            for name, value in numbers.items()
            if not (math.isfinite(value) and value >= 0.0)
        ]
    if not 0.0 < worst_percent <= 100.0:
        findings.append(f"worst_percent must lie above 0 and up to 100. Got {worst_percent}")
    if findings:
        raise InputError("The scenarios are not usable.", findings)
