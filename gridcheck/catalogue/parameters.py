"""Behaviour of houses and base load, prices of measures, and the list of sources."""

from __future__ import annotations

import pandas as pd

from gridcheck.csv_tables import Column, TableSchema, packaged_table, source_columns
from gridcheck.errors import CatalogueError

_PACKAGE = "gridcheck.catalogue"

_PARAMETERS = TableSchema(
    key=("name",),
    columns=(
        Column(name="name"),
        Column(name="value", kind="float"),
        Column(name="min", kind="float"),
        Column(name="max", kind="float"),
        Column(name="unit"),
        *source_columns(),
    ),
)

_MEASURES = TableSchema(
    key=("measure",),
    columns=(
        Column(name="measure"),
        Column(name="label_zh"),
        Column(name="label_en"),
        Column(name="cost_wan", kind="float", low=0, high=500),
        Column(name="cost_min_wan", kind="float", low=0, high=500),
        Column(name="cost_max_wan", kind="float", low=0, high=500),
        Column(name="unit", allowed=("each", "km", "household", "day")),
        Column(name="lead_days", kind="int", low=0, high=720),
        Column(name="price_year", kind="int", low=2015, high=2040),
        *source_columns(),
    ),
)

_SOURCES = TableSchema(
    key=("source",),
    columns=(
        Column(name="source"),
        Column(name="citation"),
        Column(name="url", optional=True),
        Column(name="licence", optional=True),
        Column(name="note", optional=True),
    ),
)


def houses() -> pd.DataFrame:
    """Return parameters of houses and of how they are heated, indexed by ``name``.

    Returns
    -------
    DataFrame
        ``value``, ``min``, ``max``, ``unit`` and source columns; the value lies in [min, max].
    """
    return _parameters("houses.csv")


def base_load() -> pd.DataFrame:
    """Return parameters of the load other than heating, indexed by ``name``.

    Rows ``shape_hour_00`` to ``shape_hour_23`` are the course of a winter day with a mean of about 1.

    Returns
    -------
    DataFrame
        ``value``, ``min``, ``max``, ``unit`` and source columns; the value lies in [min, max].
    """
    return _parameters("base_load.csv")


def device_rules() -> pd.DataFrame:
    """Return what makes a heater one of high power and low efficiency, and what a planner's own device must keep.

    Returns
    -------
    DataFrame
        Indexed by ``name``: ``value``, ``min``, ``max``, ``unit`` and source columns; the value lies in [min, max].

    Examples
    --------
    >>> float(device_rules().loc["low_efficiency_cop", "value"])
    2.0
    """
    return _parameters("device_rules.csv")


def measures() -> pd.DataFrame:
    """Return unit costs of reinforcement and operation, indexed by ``measure``.

    Returns
    -------
    DataFrame
        ``label_zh``, ``label_en``, ``cost_wan`` with its range ``cost_min_wan`` to ``cost_max_wan`` [10 000 yuan per
        ``unit``], ``unit``, ``lead_days`` [d], ``price_year``, source columns.

    Examples
    --------
    >>> float(measures().loc["new_area_400", "cost_wan"])
    22.0
    """
    table = packaged_table(_PACKAGE, "measures.csv", _MEASURES).set_index("measure")
    _require_ordered(table, ("cost_min_wan", "cost_wan", "cost_max_wan"), "measures.csv")
    return table


def sources() -> pd.DataFrame:
    """Return the sources that catalogue rows, policy rows and limits name, indexed by ``source``."""
    return packaged_table(_PACKAGE, "sources.csv", _SOURCES).set_index("source")


def _parameters(filename: str) -> pd.DataFrame:
    table = packaged_table(_PACKAGE, filename, _PARAMETERS).set_index("name")
    _require_ordered(table, ("min", "value", "max"), filename)
    return table


def _require_ordered(table: pd.DataFrame, columns: tuple[str, str, str], filename: str) -> None:
    low, middle, high = (table[column] for column in columns)
    outside = ~((low <= middle) & (middle <= high))
    if outside.any():
        found = zip(table.index[outside], middle[outside], low[outside], high[outside], strict=True)
        raise CatalogueError(
            f"{filename}: {columns[1]} must lie between {columns[0]} and {columns[2]}.",
            [f"row {name}: {value:g} is not in [{least:g}, {most:g}]" for name, value, least, most in found],
        )
