"""Choose projects under a budget, exactly, and put them in order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from gridcheck.errors import InputError, PlanError
from gridcheck.reinforcement.around import with_fair_share
from gridcheck.reinforcement.claims import claiming, is_claim
from gridcheck.reinforcement.measures import Project
from gridcheck.reinforcement.menu import NO_CONDITIONS, Choice, Conditions, Menu, choice_of, choose
from gridcheck.reinforcement.project_menu import menu_of_projects
from gridcheck.units import YUAN_PER_WAN


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanItem:
    """One project in a plan.

    Attributes
    ----------
    rank : int
        Place, from 1: chosen projects by what they bring per money, then the others likewise.
    project : Project
        The project.
    chosen : bool
        True where the budget pays for it.
    cumulative_cost_yuan : float
        Cost of the chosen projects up to this one; NaN for those not chosen. [yuan]
    benefit_per_wan : float
        Households unlocked per 10,000 yuan; infinite for what costs nothing and unlocks somebody. [1]
    outcome : str
        chosen, alternative_chosen (another project of its group is), no_benefit, or over_budget.
    """

    rank: int
    project: Project
    chosen: bool
    cumulative_cost_yuan: float
    benefit_per_wan: float
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to build with a budget.

    Attributes
    ----------
    items : tuple of PlanItem
        Every project, by rank.
    budget_yuan, cost_yuan : float
        Money there is, and money that the chosen projects cost. [yuan]
    households_unlocked : int
        Applications that the chosen projects unlock; each counts once.
    hours_removed, unsupplied_mwh_removed : float
        Hours of broken limits, and unsupplied energy, that the chosen projects remove. [h], [MWh]
    status : str
        ``optimal``, or ``fixed`` where the choice was given.
    gap : float
        Relative distance to the proved bound: 0, or NaN where the choice was given.
    """

    items: tuple[PlanItem, ...]
    budget_yuan: float
    cost_yuan: float
    households_unlocked: int
    hours_removed: float
    unsupplied_mwh_removed: float
    status: str
    gap: float

    @property
    def chosen(self) -> tuple[Project, ...]:
        """The chosen projects, by rank."""
        return tuple(item.project for item in self.items if item.chosen)


def choose_projects(
    projects: Sequence[Project],
    budget_yuan: float,
    conditions: Conditions = NO_CONDITIONS,
    *,
    fair_share: float = 0.0,
) -> Plan:
    """Choose the projects that serve best within a budget.

    Parameters
    ----------
    projects : sequence of Project
        What could be built; the answer does not depend on their order.
    budget_yuan : float
        Money. [yuan]
    conditions : Conditions
        Projects that are forced or forbidden, and the least that counties are to get.
    fair_share : float
        Share of what an even split of the money would bring a county that it gets at least; 0 for no such minimum. [1]

    Returns
    -------
    Plan

    Raises
    ------
    InputError
        Negative or missing numbers, ids that stand twice, numbers that do not fit: every finding with its row.
    PlanError
        If the budget is negative or does not reach for the conditions, or HiGHS does not prove the optimum.

    Notes
    -----
    Costs count in fen, hours in hundredths of an hour, energy in kWh; less does not decide.
    """
    if not (math.isfinite(budget_yuan) and budget_yuan >= 0.0):
        raise PlanError(f"budget_yuan must be a finite number of at least 0. Got {budget_yuan}.")
    _check(projects)
    ordered = sorted(projects, key=lambda project: project.project_id)
    menu = menu_of_projects(ordered)
    budget = Fraction(_fen(budget_yuan, menu), menu.parts_per_yuan)
    found = choose(menu, budget, with_fair_share(menu, budget, conditions, fair_share))
    return _plan(tuple(ordered), menu.positions(found.ids), budget_yuan, found.gap)


def fixed_plan(projects: Sequence[Project], chosen_ids: set[str], budget_yuan: float) -> Plan:
    """Return the plan that builds given projects, without looking for a better one; its gap is NaN.

    Parameters
    ----------
    projects : sequence of Project
        What could be built.
    chosen_ids : set of str
        Ids of what is built.
    budget_yuan : float
        Money. [yuan]

    Returns
    -------
    Plan
        With status ``fixed``.
    """
    _check(projects)
    ordered = tuple(sorted(projects, key=lambda project: project.project_id))
    built = tuple(i for i, project in enumerate(ordered) if project.project_id in chosen_ids)
    return replace(_plan(ordered, built, budget_yuan, float("nan")), status="fixed")


def chosen_of(menu: Menu, plan: Plan) -> Choice:
    """Return a plan as a choice of its menu, with the gap that it was found with."""
    built = menu.positions(project.project_id for project in plan.chosen)
    budget = Fraction(_fen(plan.budget_yuan, menu), menu.parts_per_yuan)
    return replace(choice_of(menu, built, budget), gap=plan.gap, is_least_cost=plan.status == "optimal")


def _fen(budget_yuan: float, menu: Menu) -> int:
    # A hair is added so that 0.29 yuan are 29 fen.
    return math.floor(budget_yuan * menu.parts_per_yuan + 1e-6)


def folded(plan: Plan) -> Plan:
    """Return a plan for people: what projects bring together is counted with the first of them, and is no project."""
    together: dict[str, set[str]] = {}
    for project in plan.chosen:
        if is_claim(project):
            together.setdefault(project.candidate.requires[0], set()).update(project.application_ids)
    real = sorted(
        (item.project for item in plan.items if not is_claim(item.project)), key=lambda project: project.project_id
    )
    projects = tuple(
        claiming(one, (*one.application_ids, *sorted(together.get(one.project_id, set()) - set(one.application_ids))))
        for one in real
    )
    chosen = {project.project_id for project in plan.chosen}
    built = tuple(i for i, project in enumerate(projects) if project.project_id in chosen)
    return replace(_plan(projects, built, plan.budget_yuan, plan.gap), status=plan.status)


def _check(projects: Sequence[Project]) -> None:
    findings: list[str] = []
    seen: dict[str, int] = {}
    for row, project in enumerate(projects, start=1):
        where = f"row {row} ({project.project_id})"
        if project.project_id in seen:
            findings.append(f"{where}: project_id stands in row {seen[project.project_id]} already")
        seen.setdefault(project.project_id, row)
        if not (math.isfinite(project.cost_yuan) and project.cost_yuan >= 0.0):
            findings.append(f"{where}: cost_yuan must be a finite number of at least 0. Got {project.cost_yuan}")
        if project.households_unlocked < 0:
            findings.append(f"{where}: households_unlocked must be at least 0. Got {project.households_unlocked}")
        if project.application_ids and len(set(project.application_ids)) != project.households_unlocked:
            findings.append(
                f"{where}: households_unlocked is {project.households_unlocked}, "
                f"but {len(set(project.application_ids))} different application_ids stand with it"
            )
        for name in ("overload_hours_removed", "undervoltage_hours_removed", "unsupplied_mwh_removed"):
            if not math.isfinite(getattr(project, name)):
                findings.append(f"{where}: {name} must be a finite number. Got {getattr(project, name)}")
    if findings:
        raise InputError("The candidate projects are not usable; correct the rows named below.", findings)


def _plan(projects: tuple[Project, ...], built: tuple[int, ...], budget_yuan: float, gap: float) -> Plan:
    chosen = [projects[i] for i in built]
    is_built = set(built)
    others = [project for i, project in enumerate(projects) if i not in is_built]
    taken = {project.candidate.group for project in chosen}
    items = []
    spent = 0.0
    for rank, project in enumerate([*sorted(chosen, key=_merit), *sorted(others, key=_merit)], start=1):
        in_plan = rank <= len(chosen)
        spent += project.cost_yuan if in_plan else 0.0
        items.append(
            PlanItem(
                rank=rank,
                project=project,
                chosen=in_plan,
                cumulative_cost_yuan=spent if in_plan else float("nan"),
                benefit_per_wan=_per_wan(project.households_unlocked, project.cost_yuan),
                outcome="chosen" if in_plan else _why_not(project, taken),
            )
        )
    unlocked = {i for project in chosen for i in project.application_ids}
    return Plan(
        items=tuple(items),
        budget_yuan=budget_yuan,
        cost_yuan=math.fsum(project.cost_yuan for project in chosen),
        households_unlocked=len(unlocked) + sum(p.households_unlocked for p in chosen if not p.application_ids),
        hours_removed=math.fsum(project.hours_removed for project in chosen),
        unsupplied_mwh_removed=math.fsum(project.unsupplied_mwh_removed for project in chosen),
        status="optimal",
        gap=gap,
    )


def _merit(project: Project) -> tuple[bool, float, float, float, str]:
    cost = project.cost_yuan
    return (
        # What others bring together stands behind them.
        bool(project.candidate.requires),
        -_per_wan(project.households_unlocked, cost),
        -_per_wan(project.hours_removed, cost),
        -_per_wan(project.unsupplied_mwh_removed, cost),
        project.project_id,
    )


def _per_wan(benefit: float, cost_yuan: float) -> float:
    if cost_yuan > 0.0:
        return benefit / (cost_yuan / YUAN_PER_WAN)
    return math.copysign(math.inf, benefit) if benefit else 0.0


def _why_not(project: Project, taken: set[str]) -> str:
    if project.candidate.group in taken:
        return "alternative_chosen"
    if project.households_unlocked <= 0 and project.hours_removed <= 0.0 and project.unsupplied_mwh_removed <= 0.0:
        return "no_benefit"
    return "over_budget"
