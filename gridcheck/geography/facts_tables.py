"""Loaders of the fact tables. Each returns a new copy; codes are strings because they are names, not numbers."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any

import pandas as pd

from gridcheck.csv_tables import Column, TableSchema, packaged_table

_PACKAGE = "gridcheck.geography"
_COUNTY = (Column(name="county_code"), Column(name="county"))


def _heights(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name=name, kind="float", low=-500.0, high=9000.0) for name in names)


def _shares(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name=name, kind="float", low=0.0, high=1.0) for name in names)


_COUNTIES = TableSchema(
    key=("county_code",),
    columns=(
        *_COUNTY,
        Column(name="county_en"),
        Column(name="slug"),
        Column(name="in_plan", kind="bool"),
        Column(name="pop_2020", kind="int", low=1),
        Column(name="pop_precision"),
        Column(name="urban_pop_2020", kind="float", low=0, optional=True),
        Column(name="households_est", kind="int", low=1),
        Column(name="area_km2_official", kind="float", low=0, optional=True),
        Column(name="area_source", optional=True),
        Column(name="area_km2_polygon", kind="float", low=0),
        Column(name="n_rural_committees", kind="int", low=0),
        Column(name="n_urban_committees", kind="int", low=0),
        Column(name="seat_lon", kind="float", low=110.0, high=112.5),
        Column(name="seat_lat", kind="float", low=34.5, high=36.0),
        *_heights("elev_min_dem", "elev_median_dem", "elev_max_dem"),
        Column(name="elev_published", optional=True),
        Column(name="industry"),
        Column(name="industry_source"),
        Column(name="pop_source"),
    ),
)

_VILLAGES = TableSchema(
    key=("village_code",),
    columns=(
        *_COUNTY,
        Column(name="town_code"),
        Column(name="town"),
        Column(name="village_code"),
        Column(name="village"),
        Column(name="kind", allowed=("rural", "urban")),
    ),
)

_TOWNS = TableSchema(
    key=("town_code",),
    columns=(
        *_COUNTY,
        Column(name="town_code"),
        Column(name="town"),
        Column(name="n_rural", kind="int", low=0),
        Column(name="n_urban", kind="int", low=0),
        Column(name="lon", kind="float", low=110.0, high=112.5, optional=True),
        Column(name="lat", kind="float", low=34.5, high=36.0, optional=True),
        Column(name="elevation_m", kind="float", low=-500, high=9000, optional=True),
        Column(name="coordinate_source", optional=True),
    ),
)

_ELEVATION = TableSchema(
    key=("county_code",),
    columns=(
        *_COUNTY,
        Column(name="area_km2", kind="float", low=0),
        *_heights("elev_min", "elev_p05", "elev_p25", "elev_p50", "elev_p75", "elev_p95", "elev_max"),
        *_shares("area_share_lt400", "area_share_400_600", "area_share_600_1000", "area_share_ge1000"),
        *_shares("area_share_low_relief", "low_relief_share_lt400"),
        *_shares("settlement_weighted_share_lt400", "settlement_weighted_share_lt600"),
        *_heights("settlement_weighted_median_elev", "seat_elev_dem"),
    ),
)

_CLIMATE = TableSchema(
    key=("county_code",),
    columns=(
        *_COUNTY,
        Column(name="lon", kind="float", low=110.0, high=112.5),
        Column(name="lat", kind="float", low=34.5, high=36.0),
        *_heights("cell_mean_elev_m"),
        *(Column(name=f"t{month:02d}_degC", kind="float", low=-60, high=60) for month in range(1, 13)),
        Column(name="annual", kind="float", low=-60, high=60),
    ),
)


def counties() -> pd.DataFrame:
    """Return the 13 county-level units, one row each, in the order of their codes.

    Returns
    -------
    DataFrame
        ``county_code``, ``county``, ``county_en``, ``slug``, ``in_plan`` (Hejin has no row in the 2025
        plan), ``households_est`` (an estimate), population, areas [km2], seat [degree WGS84], heights [m]
        and a source column beside each group. Portal pages behind some figures are weak.

    Examples
    --------
    >>> int(counties()["in_plan"].sum())
    12
    """
    return packaged_table(_PACKAGE, "facts/county_facts.csv", _COUNTIES)


def villages() -> pd.DataFrame:
    """Return the village and neighbourhood committees, one row each, in the order of their codes.

    Returns
    -------
    DataFrame
        ``county_code``, ``county``, ``town_code``, ``town``, ``village_code``, ``village``, ``kind``
        (rural or urban). Virtual committees are left out, and the communities of a county seat are
        listed under the seat's town; a village keeps its official code even then.

    Examples
    --------
    >>> len(villages())
    2386
    """
    return packaged_table(_PACKAGE, "facts/villages.csv", _VILLAGES)


def towns() -> pd.DataFrame:
    """Return the township units that hold at least one committee.

    Returns
    -------
    DataFrame
        ``county_code``, ``county``, ``town_code``, ``town``, ``n_rural``, ``n_urban``, and for 29 of them
        ``lon``, ``lat`` [degree WGS84], ``elevation_m`` [m] with ``coordinate_source``; NaN and empty for the rest.
    """
    return packaged_table(_PACKAGE, "facts/towns.csv", _TOWNS)


def county_elevation() -> pd.DataFrame:
    """Return quantiles of height [m] and shares of area by height band [0..1], one row per county."""
    return packaged_table(_PACKAGE, "facts/county_elevation.csv", _ELEVATION)


def climate_monthly() -> pd.DataFrame:
    """Return monthly means ``t01_degC`` ... ``t12_degC`` of air temperature at each county seat.

    The values belong to a climate cell of the height ``cell_mean_elev_m`` [m]; use them for differences between
    counties and correct each seat with 6.5 K/km.
    """
    return packaged_table(_PACKAGE, "facts/climate_monthly.csv", _CLIMATE)


def county_outlines() -> dict[str, Any]:
    """Return the 13 county polygons as a GeoJSON feature collection; feature ``id`` is the county code."""
    return json.loads(_outlines_text())  # type: ignore[no-any-return]


@functools.cache
def _outlines_text() -> str:
    return resources.files(_PACKAGE).joinpath("facts/counties.geojson").read_text(encoding="utf-8")
