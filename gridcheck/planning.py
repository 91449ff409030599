"""From decided counties to one proved plan: candidates county by county, one choice, one proof."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
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
from gridcheck.reinforcement.measures import Project
from gridcheck.reinforcement.plan_items import plan_items
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
    table, items : DataFrame
        Rows of plan.csv, and of plan_items.csv.
    report : dict
        Budget, cost, optimality and proof, for summary.json.
    stages : dict
        Time and memory of candidates, choice and proof.
    """

    proved: ProvedPlan
    table: pd.DataFrame
    items: pd.DataFrame
    report: dict[str, Any]
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


def make_plan(inputs: Sequence[CountyPlanInput], budget_yuan: float, *, run: Run) -> StudyPlan:
    """Choose among all counties' projects under one budget and prove the choice.

    Parameters
    ----------
    inputs : sequence of CountyPlanInput
        One per county, in code order.
    budget_yuan : float
        Money of the plan. [yuan]
    run : callable
        Applies the proof of a county to several of them.

    Returns
    -------
    StudyPlan
    """
    started = time.perf_counter()
    projects = [project for given in inputs for project in given.projects]
    proved = prove_plan([given.county for given in inputs], projects, budget_yuan, run=run)
    plan = proved.plan
    claimed = {i for project in plan.chosen for i in project.application_ids}
    gained = {i for proof in proved.proofs for i in proof.gained}
    report = {
        "budget_yuan": budget_yuan,
        "cost_yuan": plan.cost_yuan,
        "status": plan.status,
        "optimality_gap": None if math.isnan(plan.gap) else plan.gap,
        "is_best_for_proved_claims": proved.is_best,
        "rounds": proved.rounds,
        "candidates": len(plan.items),
        "chosen": len(plan.chosen),
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
            "cpu_process_seconds": time.perf_counter() - started,
            "peak_memory_mb": peak_memory_mb(),
        },
    }
    return StudyPlan(proved=proved, table=plan_table(plan), items=plan_items(plan), report=report, stages=stages)
