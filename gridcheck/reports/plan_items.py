"""``plan_items.csv``: what every project of the plan consists of, with quantities, prices and their range."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from gridcheck.errors import LedgerError
from gridcheck.reports.schemas import Column, TableSpec
from gridcheck.reports.tables import read_table

if TYPE_CHECKING:
    from gridcheck.reports.folder import Results

# Money in the file has two decimals; more than half of the last one is a difference. [yuan]
_CENT_YUAN = 0.005


def _yuan(name: str) -> Column:
    return Column(name=name, kind="real", unit="yuan", decimals=2)


PLAN_ITEMS = TableSpec(
    name="plan_items",
    key=("project_id", "item"),
    columns=(
        *(Column(name=name, kind="text") for name in ("project_id", "item", "unit")),
        # Tenths of a metre where the unit is km.
        Column(name="quantity", kind="real", decimals=4),
        *(_yuan(name) for name in ("unit_yuan", "cost_yuan", "cost_min_yuan", "cost_max_yuan")),
        *(Column(name=name, kind="text") for name in ("source", "confidence")),
    ),
    optional=(
        Column(name="county_code", kind="text"),
        *(Column(name=name, kind="text", nullable=True) for name in ("type_name", "elements")),
        Column(name="synthetic", kind="boolean"),
    ),
)
"""One row per project and measure."""


def read_plan_items(results: Results) -> pd.DataFrame:
    """Read the bills of a run and hold them against its plan.

    Parameters
    ----------
    results : Results
        The run.

    Returns
    -------
    DataFrame
        The columns of `PLAN_ITEMS`.

    Raises
    ------
    LedgerError
        If the file is missing, cannot be read, or does not add up to the costs of plan.csv.
    """
    path = results.folder / PLAN_ITEMS.file_name
    if not path.is_file():
        raise LedgerError(
            f"{results.folder} has no {PLAN_ITEMS.file_name}: it was written by an earlier version of gridcheck. "
            "Run `gridcheck run` again."
        )
    items = read_table(path, PLAN_ITEMS)
    costs = dict(zip(results.plan["project_id"], results.plan["cost_yuan"], strict=True))
    unknown = sorted(set(items["project_id"]) - set(costs))
    sums = items.groupby("project_id")["cost_yuan"].sum()
    wrong = [f"project {i} is not in plan.csv" for i in unknown] + [
        f"project {i}: its items add up to {total:.2f} yuan, plan.csv says {costs[i]:.2f}"
        for i, total in sums.items()
        if i in costs and abs(total - costs[i]) >= _CENT_YUAN
    ]
    if wrong:
        raise LedgerError(f"{path} does not fit plan.csv: {'; '.join(wrong[:5])}. Run `gridcheck run` again.")
    return items
