"""Named values of this room's CSV files, each with range, source and confidence."""

from __future__ import annotations

import pandas as pd

from gridcheck.csv_tables import Column, TableSchema, packaged_table, source_columns
from gridcheck.errors import CatalogueError

PACKAGE = "gridcheck.demand"

_NAMED = TableSchema(
    key=("name",),
    columns=(
        Column(name="name"),
        *(Column(name=name, kind="float") for name in ("value", "min", "max")),
        Column(name="unit"),
        *source_columns(),
    ),
)


def named_values(filename: str) -> dict[str, float]:
    """Return the values of a table by name, each in the unit of its row.

    Raises
    ------
    CatalogueError
        If a value lies outside the range of its row.
    """
    table = _checked(filename)
    return {str(name): float(value) for name, value in zip(table["name"], table["value"], strict=True)}


def named_ranges(filename: str) -> dict[str, tuple[float, float]]:
    """Return the smallest and largest value expected by name, each in the unit of its row.

    Raises
    ------
    CatalogueError
        If a value lies outside the range of its row.
    """
    table = _checked(filename)
    return {
        str(name): (float(low), float(high))
        for name, low, high in zip(table["name"], table["min"], table["max"], strict=True)
    }


def _checked(filename: str) -> pd.DataFrame:
    table = packaged_table(PACKAGE, filename, _NAMED)
    outside = table[~table["value"].between(table["min"], table["max"])]
    if len(outside):
        raise CatalogueError(
            f"{filename}: value must lie between min and max.",
            [
                f"row {name}: {value:g} is not in [{low:g}, {high:g}]"
                for name, value, low, high in zip(*(outside[c] for c in ("name", "value", "min", "max")), strict=True)
            ],
        )
    return table
