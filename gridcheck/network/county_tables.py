"""The tables of a county folder: what their columns may hold, and reading them with every fault named by row."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pandas as pd

from gridcheck.csv_tables import Column, TableSchema, check_table, text_table
from gridcheck.errors import NetworkError, SchemaError


def _texts(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name=name, optional=True) for name in names)


def _ids(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name=name) for name in names)


AREAS = TableSchema(
    key=("area_id",),
    columns=(
        *_ids("area_id"),
        *_texts("name"),
        *_ids("county_code"),
        *_texts("town_code", "town", "village_code", "village"),
        *_ids("feeder_id"),
        *_texts("section_id", "substation_id", "main_transformer_id"),
        Column(name="kva", kind="float", low=1, high=10_000),
        *_texts("type_name", "vector_group", "series"),
        Column(name="built_year", kind="int", low=1900, high=2200, optional=True),
        Column(name="households", kind="int", low=0, high=100_000),
        Column(name="occupied_households", kind="int", low=0, high=100_000),
        Column(name="base_kw_factor", kind="float", low=0, high=1000),
        Column(name="lv_circuits", kind="int", low=1, high=1000),
        Column(name="lv_radius_m", kind="float", low=0, high=100_000),
        *_texts("lv_type_name"),
        Column(name="lv_unbalance_factor", kind="float", low=1, high=10),
        Column(name="key_area", kind="bool"),
        Column(name="elevation_m", kind="float", low=-500, high=9000, optional=True),
        Column(name="lon", kind="float", low=-180, high=180, optional=True),
        Column(name="lat", kind="float", low=-90, high=90, optional=True),
        *_texts("coordinate_source"),
        Column(name="lv_bus", kind="int"),
        Column(name="trafo", kind="int"),
    ),
)
# A heading without a row says that no electric heating stands in the county yet.
HEATING = TableSchema(
    # Several rows of one device add up; only a row that stands twice is a slip.
    key=("area_id", "layer", "device", "households", "rated_kw"),
    columns=(
        *_ids("area_id", "layer", "device"),
        Column(name="households", kind="int", low=0, high=100_000),
        Column(name="rated_kw", kind="float", low=0, high=1_000_000),
    ),
)
FEEDERS = TableSchema(
    key=("feeder_id",),
    columns=(
        *_ids("feeder_id"),
        *_texts("name"),
        *_ids("county_code"),
        *_texts("substation_id", "main_transformer_id"),
        Column(name="busbar_bus", kind="int"),
        Column(name="outlet_line", kind="int"),
        Column(name="outlet_switch", kind="int"),
        *_texts("supply_class"),
        Column(name="limit_ka", kind="float", low=0.001, high=100),
        Column(name="length_km", kind="float", low=0, high=10_000),
    ),
)


def read_table(path: Path, schema: TableSchema) -> pd.DataFrame:
    """Read one CSV file of a county folder.

    Parameters
    ----------
    path : Path
        The file.
    schema : TableSchema
        Its columns, in any order; further ones are kept as text behind them.

    Returns
    -------
    DataFrame
        Typed columns, rows in the order of the file.

    Raises
    ------
    NetworkError
        If the file is missing or not a table.
    SchemaError
        With one finding per row that does not fit under the heading, missing column and wrong cell.
    """
    if not path.is_file():
        raise NetworkError(f"{path} is missing.")
    try:
        raw = text_table(path)
    except SchemaError:
        raise
    except ValueError as error:  # empty, malformed or undecodable
        raise NetworkError(f"{path} is not a readable table: {error}") from error
    wanted = [column.name for column in schema.columns]
    missing = [f"column {name} is missing" for name in wanted if name not in raw]
    if missing:
        raise SchemaError(f"{path} needs the columns {', '.join(wanted)}.", missing)
    for column in schema.columns:
        if column.kind == "bool":
            raw[column.name] = raw[column.name].str.lower()  # pandas writes True, people write true
    typed = check_table(raw[wanted], schema, where=str(path))
    further = [name for name in raw if name not in wanted]
    return pd.concat([typed, raw[further]], axis=1)


def read_origin(path: Path) -> dict[str, Any]:
    """Read the file that says where a county's grid comes from.

    Raises
    ------
    NetworkError
        If it is missing, not TOML, or does not say whether the grid is synthetic.
    """
    if not path.is_file():
        raise NetworkError(f"{path} is missing. A county folder says in origin.toml where its grid comes from.")
    try:
        origin = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NetworkError(f"{path} is not readable TOML: {error}") from error
    missing = [f"{key} is missing" for key in ("county_code", "county", "county_en", "synthetic") if key not in origin]
    if missing:
        raise NetworkError(f"{path}: keys missing.", missing)
    # An invented grid must not be taken for a real one because of a word in quotation marks.
    if not isinstance(origin["synthetic"], bool):
        raise NetworkError(f"{path}: synthetic must be true or false. Got {origin['synthetic']!r}.")
    return origin
