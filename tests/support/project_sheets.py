"""Facts of projects for tests of their sheets and drawings, and bills for a sample run."""

from __future__ import annotations

import pandas as pd

from gridcheck.reinforcement.choose import choose_projects
from gridcheck.reinforcement.measures import Candidate, Item, Project
from gridcheck.reinforcement.plan_items import plan_items
from gridcheck.reports.folder import Results
from gridcheck.reports.plan_items import PLAN_ITEMS
from gridcheck.reports.project_facts import BillRow, BrokenLimit, ProjectFacts
from gridcheck.reports.tables import write_csv


def candidate_of(
    items: tuple[Item, ...], *, project_id: str = "R1", area_id: str = "", feeder_id: str = ""
) -> Candidate:
    """A candidate whose cost is the sum of a bill."""
    return Candidate(
        project_id=project_id,
        county_code="140800",
        feeder_id=feeder_id,
        area_id=area_id,
        group=project_id,
        measures=tuple(item.measure for item in items),
        description="what is done",
        cost_yuan=sum(item.cost_yuan for item in items),
        items=items,
    )


def items_table(*candidates: Candidate) -> pd.DataFrame:
    """The rows of plan_items.csv of candidates that all unlock somebody."""
    projects = [Project(candidate=candidate, households_unlocked=1) for candidate in candidates]
    return plan_items(choose_projects(projects, 1e9))


def facts_of(candidate: Candidate, **changes: object) -> ProjectFacts:
    """What a sheet says of a candidate; everything but place and bill is the same for all of them."""
    rows = items_table(candidate).to_dict("records")
    bill = tuple(
        BillRow(
            **{
                name: row[name]
                for name in ("item", "unit", "quantity", "unit_yuan", "cost_yuan", "cost_min_yuan", "cost_max_yuan",
                             "source", "confidence")
            },
            type_name=row["type_name"] or "",
            elements=tuple((row["elements"] or "").split(";")) if row["elements"] else (),
        )
        for row in rows
    )  # fmt: skip
    given: dict[str, object] = {
        "project_id": candidate.project_id, "county_code": candidate.county_code, "feeder_id": candidate.feeder_id,
        "feeder_name": "line 1", "substation_id": "S1", "area_id": candidate.area_id, "village": "village",
        "lon": 111.0,
        "lat": 35.0, "description": candidate.description, "reason": "new_load", "outcome": "chosen", "bill": bill,
        "rank": 1, "households_unlocked": 3, "cost_yuan": candidate.cost_yuan,
        "cumulative_cost_yuan": candidate.cost_yuan, "budget_yuan": 1_000_000.0, "overload_hours_removed": 12.25,
        "undervoltage_hours_removed": -1.5, "unsupplied_mwh_removed": 0.0, "benefit_per_wan": 0.11, "deferred": 4,
        "grade": "red", "n_minus_1": "unsupplied", "insecure_outages": 2, "worst_unsupplied_kw": 150.0,
        "broken": (
            BrokenLimit(element="A", quantity="voltage_v", clause="Rule 1 [E]", value=190.0, limit=198.0, hours=7.5),
        ),
        "clauses": ("Rule 1 [E]",), "synthetic": True,
    }  # fmt: skip
    return ProjectFacts(**{**given, **changes})  # type: ignore[arg-type]


def write_bills(results: Results) -> pd.DataFrame:
    """Give a sample run the bills of its plan: each project is one piece of its measure."""
    plan = results.plan
    table = pd.DataFrame(
        {
            "project_id": plan["project_id"], "item": plan["measure"], "unit": "each", "quantity": 1.0,
            "unit_yuan": plan["cost_yuan"], "cost_yuan": plan["cost_yuan"], "cost_min_yuan": plan["cost_yuan"] / 2,
            "cost_max_yuan": plan["cost_yuan"] * 2, "source": "unit_costs", "confidence": "E",
        }
    )  # fmt: skip
    write_csv(table, PLAN_ITEMS, results.folder / PLAN_ITEMS.file_name)
    return table
