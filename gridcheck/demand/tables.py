"""Named values of this room's CSV files, each with range, source and confidence."""

from __future__ import annotations

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
    table = packaged_table(PACKAGE, filename, _NAMED)
    outside = table.loc[~table["value"].between(table["min"], table["max"]), "name"]
    if len(outside):
        raise CatalogueError(f"{filename}: value must lie between min and max.", [str(name) for name in outside])
    return {str(name): float(value) for name, value in zip(table["name"], table["value"], strict=True)}
