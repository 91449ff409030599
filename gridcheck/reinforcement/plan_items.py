"""The bill of quantities of every project of a plan: the rows of plan_items.csv."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from gridcheck.catalogue import measures
from gridcheck.errors import PlanError
from gridcheck.reinforcement.choose import Plan
from gridcheck.reinforcement.measures import Item
from gridcheck.units import YUAN_PER_WAN

_COLUMNS = (
    "project_id", "item", "unit", "quantity", "unit_yuan", "cost_yuan", "cost_min_yuan", "cost_max_yuan", "source",
    "confidence", "county_code", "type_name", "elements",
)  # fmt: skip


def plan_items(plan: Plan) -> pd.DataFrame:
    """Return the bills of a plan's projects as the rows of plan_items.csv.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    DataFrame
        One row per project and measure, projects by rank; the costs of a project's rows add up to its cost. Projects
        from a plain table have no bill and no rows.

    Raises
    ------
    PlanError
        If the bill of a project does not add up to its cost, or names a measure that the catalogue does not have.
    """
    table = measures()
    catalogue = {str(code): values for code, values in zip(table.index, table.to_dict("records"), strict=True)}
    rows: list[dict[str, Any]] = []
    for one in plan.items:
        candidate = one.project.candidate
        if not candidate.items:
            continue
        own = [_row(items, catalogue) for items in _by_measure(candidate.items)]
        if math.fsum(row["cost_yuan"] for row in own) != candidate.cost_yuan:
            raise PlanError(f"project {candidate.project_id}: its bill does not add up to its cost.")
        place = {"project_id": candidate.project_id, "county_code": candidate.county_code}
        rows += [place | row for row in own]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _by_measure(items: Sequence[Item]) -> list[list[Item]]:
    """Return items of the same measure together, in the order in which the measures come first."""
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.measure, []).append(item)
    return list(found.values())


def _row(items: Sequence[Item], catalogue: dict[str, dict[Any, Any]]) -> dict[str, Any]:
    measure = items[0].measure
    if measure not in catalogue:
        raise PlanError(f"measures.csv has no measure {measure!r}. Add a row with its price.")
    known = catalogue[measure]
    quantity = math.fsum(item.amount for item in items)
    return {
        "item": measure,
        "unit": known["unit"],
        "quantity": quantity,
        "unit_yuan": items[0].unit_yuan,
        "cost_yuan": math.fsum(item.cost_yuan for item in items),
        "cost_min_yuan": float(round(quantity * known["cost_min_wan"] * YUAN_PER_WAN)),
        "cost_max_yuan": float(round(quantity * known["cost_max_wan"] * YUAN_PER_WAN)),
        "source": known["source"],
        "confidence": known["confidence"],
        "type_name": "+".join(dict.fromkeys(item.type_name for item in items if item.type_name)) or None,
        # Every line keeps its two ends: nothing is taken out of the list.
        "elements": ";".join(element for item in items for element in item.elements) or None,
    }
