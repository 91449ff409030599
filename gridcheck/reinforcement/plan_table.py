"""Plans as tables: the rows of plan.csv, and projects from a plain table of candidates."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gridcheck.errors import SchemaError
from gridcheck.reinforcement.choose import Plan
from gridcheck.reinforcement.measures import Candidate, Project
from gridcheck.reinforcement.robust import RobustChoice

_REQUIRED = ("project_id", "cost_yuan", "households_unlocked")
_TEXTS = ("county_code", "feeder_id", "area_id", "measure", "description")
_BENEFITS = ("overload_hours_removed", "undervoltage_hours_removed", "unsupplied_mwh_removed")


def plan_table(plan: Plan, robust: RobustChoice | None = None) -> pd.DataFrame:
    """Return a plan as the rows of plan.csv.

    Parameters
    ----------
    plan : Plan
        The plan.
    robust : RobustChoice, optional
        Choice from the same projects in view of prices, uptake and weather that nobody knows yet; adds
        ``in_best_percent``, in how many of those draws a project is part of the best plan, and ``chosen_robust``.

    Returns
    -------
    DataFrame
        Every project by rank. ``reason`` is the problem it solves first (new_load, low_voltage, overload,
        stronger_grid); ``outcome`` says why it is not chosen; ``measures`` names all measures of a package.
    """
    rows = [
        {
            "rank": item.rank,
            "project_id": item.project.project_id,
            "county_code": item.project.candidate.county_code,
            "feeder_id": item.project.candidate.feeder_id,
            "area_id": item.project.candidate.area_id,
            "measure": item.project.candidate.measure,
            "description": item.project.candidate.description,
            "cost_yuan": item.project.cost_yuan,
            "cumulative_cost_yuan": item.cumulative_cost_yuan,
            "chosen": item.chosen,
            "households_unlocked": item.project.households_unlocked,
            **{name: getattr(item.project, name) for name in _BENEFITS},
            "benefit_per_wan": item.benefit_per_wan,
            "reason": item.project.reason,
            "outcome": item.outcome,
            "group": item.project.candidate.group,
            "measures": "+".join(item.project.candidate.measures),
        }
        for item in plan.items
    ]
    table = pd.DataFrame(rows, columns=list(rows[0]) if rows else list(_COLUMNS))
    if robust is not None:
        table["in_best_percent"] = table["project_id"].map(dict(robust.frequency_percent)).astype("float64")
        table["chosen_robust"] = table["project_id"].isin(robust.choice.ids)
    return table


def candidate_table(plan: Plan) -> pd.DataFrame:
    """Return all projects of a plan as the rows of candidates.csv, by their ids.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    DataFrame
        ``unlocks`` names the applications that count among ``households``, joined by semicolons: one that several
        projects unlock counts once.
    """
    ordered = sorted((item.project for item in plan.items), key=lambda project: project.project_id)
    rows = [
        {
            "project_id": project.project_id,
            "group": project.candidate.group,
            "requires": ";".join(project.candidate.requires),
            "cost_yuan": project.cost_yuan,
            "households": project.households_unlocked,
            "risk_hours": project.hours_removed,
            "unlocks": ";".join(sorted(set(project.application_ids))),
            "county_code": project.candidate.county_code,
            "measure": project.candidate.measure,
        }
        for project in ordered
    ]
    return pd.DataFrame(rows, columns=["project_id", "group", "requires", "cost_yuan", "households", "risk_hours",
                                       "unlocks", "county_code", "measure"])  # fmt: skip


_COLUMNS = (
    "rank", "project_id", "county_code", "feeder_id", "area_id", "measure", "description", "cost_yuan",
    "cumulative_cost_yuan", "chosen", "households_unlocked", *_BENEFITS, "benefit_per_wan", "reason", "outcome",
    "group", "measures",
)  # fmt: skip


def projects_of_table(table: pd.DataFrame, *, source: str) -> tuple[Project, ...]:
    """Read projects from a plain table of candidates, so that a list made elsewhere can be chosen from.

    Parameters
    ----------
    table : DataFrame
        At least project_id, cost_yuan, households_unlocked; optional the other columns of plan.csv, and ``group``:
        of the rows of one group at most one is chosen. Without a group every row stands for itself.
    source : str
        File that messages name.

    Returns
    -------
    tuple of Project
        In the order of the table. Negative costs and repeated ids are found by `choose_projects`.

    Raises
    ------
    SchemaError
        Missing columns, or cells that are no numbers: every finding with its row.
    """
    missing = [column for column in _REQUIRED if column not in table]
    if missing:
        raise SchemaError(f"{source}: columns are missing.", [f"column {column}" for column in missing])
    findings: list[str] = []
    result = []
    for number, row in enumerate(table.to_dict("records"), start=2):
        values = {name: _number(row, name, number, findings) for name in (*_REQUIRED[1:], *_BENEFITS)}
        project_id = _text(row, "project_id")
        if not project_id:
            findings.append(f"row {number}: project_id is empty")
        if values["households_unlocked"] % 1.0:
            findings.append(f"row {number}: households_unlocked {row['households_unlocked']!r} must be a whole number")
        result.append((project_id, row, values))
    if findings:
        raise SchemaError(f"{source}: {len(findings)} faults in the table of candidates.", findings)
    return tuple(_project(*item) for item in result)


def _project(project_id: str, row: dict[Any, Any], values: dict[str, float]) -> Project:
    texts = {name: _text(row, name) for name in _TEXTS}
    candidate = Candidate(
        project_id=project_id,
        county_code=texts["county_code"],
        feeder_id=texts["feeder_id"],
        area_id=texts["area_id"],
        group=_text(row, "group") or f"row:{project_id}",
        measures=(texts["measure"],),
        description=texts["description"],
        cost_yuan=values["cost_yuan"],
    )
    return Project(
        candidate=candidate,
        households_unlocked=int(values["households_unlocked"]),
        overload_hours_removed=values["overload_hours_removed"],
        undervoltage_hours_removed=values["undervoltage_hours_removed"],
        unsupplied_mwh_removed=values["unsupplied_mwh_removed"],
    )


def _text(row: dict[Any, Any], name: str) -> str:
    value = row.get(name, "")
    return "" if value is None or value != value else str(value)  # noqa: PLR0124 - NaN is not equal to itself


def _number(row: dict[Any, Any], name: str, number: int, findings: list[str]) -> float:
    if name in _BENEFITS and name not in row:
        return 0.0
    try:
        value = float(str(row[name]))
    except ValueError:
        value = float("nan")
    if value != value or abs(value) == float("inf"):  # noqa: PLR0124 - NaN is not equal to itself
        findings.append(f"row {number}: {name} {row[name]!r} must be a finite number")
        return 0.0
    return value
