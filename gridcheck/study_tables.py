"""Join what the counties of a study hand back: the tables of its results folder, and its summary."""

from __future__ import annotations

import hashlib
import math
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from gridcheck import __version__
from gridcheck.connection.intake import Intake
from gridcheck.county_study import CountyOutcome, CountyTask
from gridcheck.geography import counties
from gridcheck.planning import StudyPlan
from gridcheck.policy import plan_2025
from gridcheck.reports.applications_rejected import APPLICATIONS_REJECTED, rejected_rows
from gridcheck.reports.candidates import CANDIDATES
from gridcheck.reports.plan_items import PLAN_ITEMS
from gridcheck.reports.totals import taking_supply
from gridcheck.scenario import Scenario, require_counties
from gridcheck.stage_clock import peak_memory_mb
from gridcheck.study_inputs import weather_statement


def study_tables(
    outcomes: Sequence[CountyOutcome], plan: StudyPlan, intake: Intake | None = None
) -> dict[str, pd.DataFrame]:
    """Join the tables of all counties, and count them by county.

    Parameters
    ----------
    outcomes : sequence of CountyOutcome
        One per county, in code order.
    plan : StudyPlan
        The plan for all of them.
    intake : Intake, optional
        The application file, sorted.

    Returns
    -------
    dict of str to DataFrame
        By the name of the results file.
    """
    tables = {
        name: _joined([getattr(o, name) for o in outcomes])
        for name in ("decisions", "n_minus_1", "area_outages", "areas", "feeders", "violations")
    }
    tables |= {"plan": plan.table, CANDIDATES.name: plan.candidates, PLAN_ITEMS.name: plan.items}
    tables["counties"] = _county_table(outcomes, tables["decisions"], plan)
    invented = {o.county_code: o.synthetic_grid or o.synthetic_queue for o in outcomes}
    marked = {
        name: table.assign(synthetic=table["county_code"].map(invented).astype(bool)) for name, table in tables.items()
    }
    return {**marked, APPLICATIONS_REJECTED.name: rejected_rows(intake)}


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put the rows of all counties below each other; counties without rows say nothing about column types."""
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0]


def _county_table(outcomes: Sequence[CountyOutcome], decisions: pd.DataFrame, plan: StudyPlan) -> pd.DataFrame:
    names = counties().set_index("county_code")["county"]
    target = plan_2025().counties.set_index("county_code")["self_retrofit"]
    rows = []
    for outcome in outcomes:
        code = outcome.county_code
        own = decisions.loc[decisions["county_code"] == code, "verdict"].value_counts()
        chosen = plan.table[(plan.table["county_code"] == code) & plan.table["chosen"]]
        approved, conditional = int(own.get("approve", 0)), int(own.get("approve_with_conditions", 0))
        rows.append(
            {
                "county_code": code,
                "county": names[code],
                "target_self_retrofit": int(target[code]),
                "applications": int(own.sum()),
                "approved": approved,
                "conditional": conditional,
                "deferred": int(own.get("defer", 0)),
                "gap_to_target": max(int(target[code]) - approved - conditional, 0),
                "budget_yuan": float(chosen["cost_yuan"].sum()),
                "households_unlocked": plan.households_unlocked(code),
                "subsidy_yuan": outcome.subsidy_yuan,
            }
        )
    return pd.DataFrame(rows)


def study_summary(
    scenario: Scenario,
    tasks: Sequence[CountyTask],
    outcomes: Sequence[CountyOutcome],
    plan: StudyPlan,
    tables: dict[str, pd.DataFrame],
    *,
    applications: Mapping[str, Any],
    seconds: float,
) -> dict[str, Any]:
    """Return totals, provenance, time and memory of a study: the content of summary.json.

    Parameters
    ----------
    scenario : Scenario
        Its assumptions.
    tasks, outcomes : sequence
        Of the counties, in code order.
    plan : StudyPlan
        The plan.
    tables : dict of str to DataFrame
        From `study_tables`.
    applications : mapping
        What is said about the application file, from `gridcheck.study_inputs.applications_statement`.
    seconds : float
        Time from start to end. [s]

    Returns
    -------
    dict
    """
    by_verdict = tables["decisions"]["verdict"].value_counts()
    chosen = tables["plan"][tables["plan"]["chosen"]]
    return {
        "synthetic": any(o.synthetic_grid or o.synthetic_queue or o.synthetic_weather for o in outcomes),
        "budget_yuan": scenario.reinforcement.budget_yuan,
        "whole_plan_budget_for_some_counties": has_whole_budget_for_some(scenario, [o.county_code for o in outcomes]),
        "gridcheck_version": __version__,
        "scenario": scenario.model_dump(mode="json"),
        "weather": weather_statement(scenario, tasks[0].weather, [task.county_code for task in tasks]),
        "applications": dict(applications),
        "models": _models(tasks[0], tables["decisions"]),
        "seed": scenario.study.seed,
        "totals": {
            "counties": len(outcomes),
            "areas": len(tables["areas"]),
            "feeders": len(tables["feeders"]),
            "applications": len(tables["decisions"]),
            "rejected": int(applications["rejected"]),
            **{verdict: int(by_verdict.get(verdict, 0)) for verdict in ("approve", "approve_with_conditions", "defer")},
            "violations": len(tables["violations"]),
            "outages": len(taking_supply(tables["n_minus_1"])),
            "projects_chosen": len(chosen),
            "plan_cost_yuan": float(chosen["cost_yuan"].sum()),
            "households_unlocked": int(tables["counties"]["households_unlocked"].sum()),
        },
        "plan": plan.report,
        "around": plan.around,
        "limits": [
            {
                "name": limit.name,
                "value": limit.value,
                "unit": limit.unit,
                "clause": limit.clause,
                "confidence": limit.confidence,
            }
            for limit in scenario.limit_set().all()
        ],
        "limits_of_model": [
            *(["synthetic_grids"] if any(outcome.synthetic_grid for outcome in outcomes) else []),
            *(["synthetic_queue"] if any(outcome.synthetic_queue for outcome in outcomes) else []),
            f"demand_{scenario.demand.method}",
            *(["rooftop_pv"] if scenario.demand.pv_kwp_per_home > 0.0 else []),
            "low_voltage_by_draws" if scenario.is_drawn else "low_voltage_approximation",
            "balanced_load_flow",
            "one_cold_wave" if any(outcome.synthetic_weather for outcome in outcomes) else "one_weather_file",
        ],
        "inputs": {
            **{task.folder.name: folder_hash(task.folder) for task in tasks},
            **tasks[0].sha256,
        },
        "versions": {
            name: version(name) for name in ("numpy", "scipy", "numba", "pandas", "pandapower", "highspy", "plotly")
        },
        "performance": _performance(outcomes, plan, seconds),
    }


def _models(task: CountyTask, decisions: pd.DataFrame) -> dict[str, int]:
    """Return how many applications ask for each model of the planner's own."""
    asked = decisions["device"].value_counts()
    return {device.model: int(asked.get(device.model, 0)) for device in task.devices or ()}


def has_whole_budget_for_some(scenario: Scenario, codes: Sequence[str]) -> bool:
    """Tell whether some counties are planned with the money that the plan of 2025 gives to all of them together."""
    some = len(set(codes)) < len(require_counties((), "plan"))
    return some and scenario.reinforcement.budget_yuan == plan_2025().budget_yuan


def _performance(outcomes: Sequence[CountyOutcome], plan: StudyPlan, seconds: float) -> dict[str, Any]:
    stages: dict[str, dict[str, float]] = {}
    for outcome in outcomes:
        for name, value in outcome.clock.seconds.items():
            stage = stages.setdefault(name, {"cpu_process_seconds": 0.0, "peak_memory_mb": 0.0})
            stage["cpu_process_seconds"] += value
            stage["peak_memory_mb"] = max(stage["peak_memory_mb"], outcome.clock.peak_mb[name])
    stages |= plan.stages

    def rounded(value: float, digits: int) -> float | None:
        # Windows does not tell the memory, and JSON has no NaN.
        return None if math.isnan(value) else round(value, digits)

    return {
        "wall_seconds": round(seconds, 2),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "main_process_peak_memory_mb": rounded(peak_memory_mb(), 1),
        "stages": {name: {key: rounded(value, 2) for key, value in stage.items()} for name, stage in stages.items()},
    }


def folder_hash(folder: Path) -> str:
    """Return one SHA-256 over the names and contents of all files of a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file():
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
