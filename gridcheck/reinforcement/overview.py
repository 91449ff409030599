"""What people ask about a plan: other budgets, simpler rules, shares of counties, and years that turn out otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from gridcheck.reinforcement.around import (
    PARETO_STEP_YUAN,
    PARETO_TO_YUAN,
    CountyShare,
    Margin,
    county_split,
    marginal_value,
    next_on_the_list,
    pareto_point,
    simple_rules,
)
from gridcheck.reinforcement.menu import NO_CONDITIONS, Choice, Conditions, Menu
from gridcheck.reinforcement.robust import (
    PlanScenario,
    RobustChoice,
    catalogue_ranges,
    choose_robustly,
    drawn_scenarios,
)

Run = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
"""Applies a function to every item and keeps their order: ``map``, or the ``map`` of a pool of processes."""

ROBUST_DRAWS = 20
_SHARES = 8
EXACT_RULE = "exact"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOverview:
    """Figures around one plan, all of them exact choices from the claims that the plan was made with.

    Attributes
    ----------
    pareto : tuple of Choice
        The best choice at every budget from 0 on.
    rules : mapping of str to Choice
        The plan itself (``exact``) and what the simple rules would build with the same money.
    split : tuple of CountyShare
        What each county gets.
    margin : Margin
        What a little more money would bring.
    following : Margin or None
        The least money that unlocks one household more; None where no money does.
    scenarios : tuple of PlanScenario
        Prices, uptake and weather that were drawn (estimates).
    robust : RobustChoice
        The plan of least regret over them, and how often each project is in the best plan of one.
    """

    pareto: tuple[Choice, ...]
    rules: Mapping[str, Choice]
    split: tuple[CountyShare, ...]
    margin: Margin
    following: Margin | None
    scenarios: tuple[PlanScenario, ...]
    robust: RobustChoice


def plan_overview(
    menu: Menu,
    choice: Choice,
    conditions: Conditions = NO_CONDITIONS,
    *,
    seed: int,
    draws: int = ROBUST_DRAWS,
    run: Run = map,
) -> PlanOverview:
    """Work out the figures around a plan.

    Parameters
    ----------
    menu : Menu
        What was chosen from, with the claims that were proved.
    choice : Choice
        The plan.
    conditions : Conditions
        As it was made.
    seed : int
        Of the scenarios.
    draws : int
        Their number.
    run : callable
        Points of the curve are independent and can be worked on side by side.

    Returns
    -------
    PlanOverview
    """
    points = run(partial(pareto_point, menu, conditions), _budgets(int(choice.budget_yuan)))
    scenarios = drawn_scenarios(catalogue_ranges(menu.measure), draws, np.random.default_rng(seed))
    return PlanOverview(
        pareto=tuple(point for point in points if point is not None),
        rules={EXACT_RULE: choice, **simple_rules(menu, choice.budget_yuan)},
        split=county_split(menu, choice),
        margin=marginal_value(menu, choice, conditions),
        following=next_on_the_list(menu, choice, conditions),
        scenarios=scenarios,
        robust=choose_robustly(menu, choice.budget_yuan, scenarios, conditions),
    )


def _budgets(own_yuan: int) -> list[int]:
    """Return even steps, and finer ones up to twice the budget of the plan."""
    even = range(0, PARETO_TO_YUAN + 1, PARETO_STEP_YUAN)
    fine = (own_yuan * share // _SHARES for share in range(2 * _SHARES + 1))
    return sorted({*even, *(yuan for yuan in fine if yuan <= PARETO_TO_YUAN)})


def overview_report(found: PlanOverview) -> dict[str, Any]:
    """Return an overview as plain numbers, for summary.json."""
    exact = found.rules[EXACT_RULE]
    return {
        "pareto": [_brought(point) for point in found.pareto],
        "rules": [{"rule": rule, **_brought(choice)} for rule, choice in found.rules.items()],
        "county_split": [
            {
                "county_code": share.county_code,
                "candidates": share.candidates,
                "chosen": share.chosen,
                "cost_yuan": float(share.cost_yuan),
                "cost_percent": None if math.isnan(share.cost_percent) else share.cost_percent,
                "households": int(share.households),
                "risk_hours": float(share.risk_hours),
            }
            for share in found.split
        ],
        "marginal_value": margin_report(found.margin),
        "next_on_the_list": None if found.following is None else margin_report(found.following),
        "robust": {
            **_brought(found.robust.choice),
            "rule": found.robust.rule,
            "confidence": "E",
            "also_in_plan": len(set(found.robust.choice.ids) & set(exact.ids)),
            "least_households": float(min(found.robust.households)),
            "largest_regret_households": float(max(found.robust.regret)),
            "scenarios": [
                {
                    "scenario": drawn.name,
                    "price_factor": dict(drawn.price_factor),
                    "households_factor": drawn.households_factor,
                    "risk_factor": drawn.risk_factor,
                    "best_households": float(best),
                    "households": float(own),
                }
                for drawn, best, own in zip(
                    found.scenarios, found.robust.best_households, found.robust.households, strict=True
                )
            ],
        },
    }


def margin_report(margin: Margin) -> dict[str, Any]:
    """Return a margin as plain numbers."""
    return {
        "more_yuan": float(margin.more_yuan),
        "households": int(margin.households),
        "risk_hours": float(margin.risk_hours),
        "added": list(margin.added),
        "dropped": list(margin.dropped),
        "gap": None if math.isnan(margin.gap) else margin.gap,
    }


def _brought(choice: Choice) -> dict[str, Any]:
    values = {name: _number(value) for name, value in choice.values.items()}
    return {
        "budget_yuan": float(choice.budget_yuan),
        "cost_yuan": float(choice.cost_yuan),
        "projects": len(choice.ids),
        **values,
    }


def _number(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)
