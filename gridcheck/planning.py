"""From decided counties to one proved plan: candidates county by county, one choice, one proof."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pandas as pd

from gridcheck.checks.records import NMinus1Row
from gridcheck.county_outages import OutageDemand, study_outages, unchanged
from gridcheck.county_study import CountyWalk
from gridcheck.demand.profiles import ClassCounts
from gridcheck.limits import LimitSet
from gridcheck.network.county import CountyGrid
from gridcheck.reinforcement import DecidedCounty, ProvedPlan, find_projects, plan_table, prove_plan
from gridcheck.reinforcement.around import with_fair_share
from gridcheck.reinforcement.choose import Plan, chosen_of
from gridcheck.reinforcement.claims import is_claim
from gridcheck.reinforcement.measures import Project
from gridcheck.reinforcement.menu import Conditions
from gridcheck.reinforcement.overview import PlanOverview, overview_report, plan_overview
from gridcheck.reinforcement.plan_items import plan_items
from gridcheck.reinforcement.plan_table import candidate_table
from gridcheck.reinforcement.project_menu import menu_of_projects
from gridcheck.reinforcement.proof import Progress
from gridcheck.scenario import ReinforcementSection
from gridcheck.stage_clock import peak_memory_mb

Run = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
"""Applies a function to every item and keeps their order, in this process or in others."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountyPlanInput:
    """What one county brings to the plan.

    Attributes
    ----------
    county : DecidedCounty
        The county after its queue.
    projects : tuple of Project
        What could be built there, evaluated.
    seconds, peak_mb : float
        Time that took, and the highest memory of the process.
    """

    county: DecidedCounty
    projects: tuple[Project, ...]
    seconds: float
    peak_mb: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyPlan:
    """The chosen and proved plan of a study.

    Attributes
    ----------
    proved : ProvedPlan
        The plan with its proofs.
    table, candidates, items : DataFrame
        Rows of plan.csv, candidates.csv and plan_items.csv.
    report : dict
        Budget, cost, optimality and proof, for summary.json.
    around : dict
        Other budgets, simple rules, counties, other prices and winters, for summary.json.
    stages : dict
        Time and memory of candidates, choice and proof.
    """

    proved: ProvedPlan
    table: pd.DataFrame
    candidates: pd.DataFrame
    items: pd.DataFrame
    report: dict[str, Any]
    around: dict[str, Any]
    stages: dict[str, dict[str, float]]

    def households_unlocked(self, county_code: str) -> int:
        """Return how many households of a county the plan connects; one that two projects need counts once."""
        own = [p for p in self.proved.plan.chosen if p.candidate.county_code == county_code]
        named = {i for project in own for i in project.application_ids}
        return len(named) + sum(p.households_unlocked for p in own if not p.application_ids)


def plan_input(walk: CountyWalk) -> CountyPlanInput:
    """Find what could be built in one county; runs in the county's own process."""
    started = time.perf_counter()
    case = walk.case
    county = DecidedCounty(
        grid=case.grid,
        profiles=case.profiles,
        counts=case.counts,
        decisions=walk.queue.decisions,
        limits=case.limits,
        outages=walk.outages,
        least_measures={found.feeder_id: found.options for found in walk.least},
        desk=case.desk,
        outage_study=partial(_study_feeder, demand=case.outage_demand or unchanged(case.profiles), limits=case.limits),
    )
    projects = find_projects(county)
    return CountyPlanInput(
        county=county, projects=projects, seconds=time.perf_counter() - started, peak_mb=peak_memory_mb()
    )


def _study_feeder(
    grid: CountyGrid, counts: ClassCounts, feeder_id: str, *, demand: OutageDemand, limits: LimitSet
) -> tuple[NMinus1Row, ...]:
    """Repeat the outages of one feeder in a changed grid."""
    return study_outages(grid, counts, demand, limits, feeder_id=feeder_id)


def make_plan(
    inputs: Sequence[CountyPlanInput],
    wishes: ReinforcementSection,
    *,
    seed: int = 1,
    run: Run,
    progress: Progress | None = None,
) -> StudyPlan:
    """Choose among all counties' projects under one budget, prove the choice, and look around it.

    Parameters
    ----------
    inputs : sequence of CountyPlanInput
        One per county, in code order.
    wishes : ReinforcementSection
        Budget, fair share, forced and forbidden projects, and how many draws the plan is held against.
    seed : int
        Seed of those draws of prices, uptake and weather.
    run : callable
        Applies a function to several items, as the proof of one supply tree.
    progress : callable, optional
        Told how far each round of the proof is.

    Returns
    -------
    StudyPlan
    """
    conditions = Conditions(forced=wishes.force, forbidden=wishes.forbid)
    fair_share = wishes.fair_share
    started = time.perf_counter()
    projects = [project for given in inputs for project in given.projects]
    counties = [given.county for given in inputs]
    proved = prove_plan(
        counties, projects, wishes.budget_yuan, conditions, fair_share=fair_share, run=run, progress=progress
    )
    proof_ended = time.perf_counter()
    plan = proved.plan
    around = _around(plan, conditions, fair_share, draws=wishes.robust_draws, seed=seed, run=run)
    claimed = {i for project in plan.chosen for i in project.application_ids}
    gained = {i for proof in proved.proofs for i in proof.gained}
    report = {
        "budget_yuan": wishes.budget_yuan,
        "cost_yuan": plan.cost_yuan,
        "status": plan.status,
        "optimality_gap": None if math.isnan(plan.gap) else plan.gap,
        "is_best_for_proved_claims": proved.is_best,
        "rounds": proved.rounds,
        "candidates": sum(not is_claim(item.project) for item in plan.items),
        "chosen": sum(not is_claim(project) for project in plan.chosen),
        "households_unlocked": plan.households_unlocked,
        "claims_proved_by_rerun": len(claimed & gained),
        "claims_not_proved": len(claimed - gained),
        "connections_lost_by_plan": sum(f.lost for proof in proved.proofs for f in proof.failures),
        "connected_beyond_claims": len(gained - claimed),
        "claims_withdrawn": sum(not f.lost for f in proved.withdrawn),
    }
    stages = {
        "candidates": {
            "cpu_process_seconds": sum(given.seconds for given in inputs),
            "peak_memory_mb": max((given.peak_mb for given in inputs), default=0.0),
        },
        "choice_and_proof": {
            "cpu_process_seconds": proof_ended - started,
            "peak_memory_mb": peak_memory_mb(),
        },
        "around_the_plan": {
            "cpu_process_seconds": time.perf_counter() - proof_ended,
            "peak_memory_mb": peak_memory_mb(),
        },
    }
    return StudyPlan(
        proved=proved,
        table=plan_table(plan, around.robust),
        candidates=candidate_table(plan),
        items=plan_items(plan),
        report=report,
        around=overview_report(around),
        stages=stages,
    )


def _around(plan: Plan, conditions: Conditions, fair_share: float, *, draws: int, seed: int, run: Run) -> PlanOverview:
    """Work out the figures around a plan from what its projects were found to bring."""
    menu = menu_of_projects([item.project for item in plan.items])
    there = set(menu.ids)
    kept = replace(conditions, forbidden=tuple(one for one in conditions.forbidden if one in there))
    choice = chosen_of(menu, plan)
    kept = with_fair_share(menu, choice.budget_yuan, kept, fair_share)
    return plan_overview(menu, choice, kept, draws=draws, seed=seed, run=run)
