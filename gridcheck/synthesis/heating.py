"""Synthetic electric heating of an area: what stands already, and what the 2025 plan converts in key areas.

No public table says which home heats with what. The totals of the plan are real, everything below them is drawn at
random from ``heating_assumptions.csv`` and labelled synthetic by the files that carry it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.catalogue import DEVICE_CLASSES, heater_ratings
from gridcheck.csv_tables import Column, TableSchema, packaged_table, source_columns
from gridcheck.errors import CatalogueError, InputError, SchemaError
from gridcheck.policy import plan_2025

LAYERS = ("existing", "key_area_2025")
"""What stands today, and what the plan converts in 2025 in key-area villages."""

_AREA_COLUMNS = ("area_id", "village_code", "households", "occupied_households", "key_area")

_ASSUMPTIONS = TableSchema(
    key=("name",),
    columns=(
        Column(name="name"),
        *(Column(name=name, kind="float") for name in ("value", "min", "max")),
        Column(name="unit"),
        *source_columns(),
    ),
)


def heating_assumptions() -> Mapping[str, float]:
    """Return the estimates behind the synthetic heating and the synthetic applications, by name.

    Raises
    ------
    CatalogueError
        If a value lies outside its own bounds.
    """
    table = packaged_table("gridcheck.synthesis", "heating_assumptions.csv", _ASSUMPTIONS)
    outside = table[~table["value"].between(table["min"], table["max"])]
    if len(outside):
        found = zip(*(outside[column] for column in ("name", "value", "min", "max")), strict=True)
        raise CatalogueError(
            "heating_assumptions.csv: value must lie between min and max.",
            [f"row {name}: {value:g} is not in [{least:g}, {most:g}]" for name, value, least, most in found],
        )
    return dict(zip(table["name"], table["value"], strict=True))


def synthetic_heating(
    areas: pd.DataFrame, county_code: str, rng: np.random.Generator, *, existing_share: float | None = None
) -> pd.DataFrame:
    """Draw the electric heating of every area of a county.

    Parameters
    ----------
    areas : DataFrame
        One row per area: ``area_id``, ``village_code``, ``households`` (registered), ``occupied_households``
        (lived in during winter), ``key_area``.
    county_code : str
        One of the plan's twelve counties.
    rng : numpy.random.Generator
        Source of randomness.
    existing_share : float, optional
        Share of lived-in homes that heat with electricity already, outside key-area villages; the estimate of
        ``heating_assumptions.csv`` by default. Key-area villages keep their ratio to it. [1]

    Returns
    -------
    DataFrame
        ``area_id``, ``layer`` (`LAYERS`), ``device``, ``households``, ``rated_kw`` (sum of the rated electric
        input); rows in the order of `areas`, `LAYERS` and the device classes, without empty rows. Households
        of the layer ``key_area_2025`` add up to the plan's number for the county exactly.

    Raises
    ------
    SchemaError
        If a column is missing, an area stands twice, or more homes are lived in than are registered.
    InputError
        If the county is not in the plan, or its key-area villages have too few households.
    """
    check_areas(areas)
    target = plan_households(county_code, "key_area")
    estimates = heating_assumptions()
    village = pd.factorize(areas["village_code"].astype(str))[0]
    occupied = areas["occupied_households"].to_numpy(np.int64)
    key = areas["key_area"].to_numpy(bool)
    share = estimates["existing_share"] if existing_share is None else existing_share
    existing = _draw_existing(village, occupied, key, share, estimates=estimates, rng=rng)
    converted = _draw_key_area(areas, existing, target, county_code, sigma=estimates["key_area_sigma"], rng=rng)
    parts = [
        _layer_rows(
            areas["area_id"], layer, _draw_devices(village, count, layer_mix(estimates, mix), estimates, rng), rng
        )
        for layer, mix, count in ((LAYERS[0], "existing", existing), (LAYERS[1], "key_area", converted))
    ]
    rows = pd.concat(parts, ignore_index=True).sort_values(["position", "layer_position"], kind="stable")
    return rows.drop(columns=["position", "layer_position"]).reset_index(drop=True)


def check_areas(areas: pd.DataFrame) -> None:
    """Raise `SchemaError` with every fault if `areas` cannot carry synthetic households."""
    missing = [f"column {name} is missing" for name in _AREA_COLUMNS if name not in areas.columns]
    if missing:
        raise SchemaError("The table of areas lacks columns that synthetic heating needs.", missing)
    repeated = areas.loc[areas["area_id"].duplicated(), "area_id"]
    findings = [f"area_id {name}: stands more than once" for name in repeated]
    wrong = areas.loc[~(areas["occupied_households"].between(0, areas["households"])), "area_id"]
    findings += [f"area_id {name}: occupied_households must be in [0, households]" for name in wrong]
    if findings:
        raise SchemaError("The table of areas has faults.", findings)


def plan_households(county_code: str, column: str) -> int:
    """Return the plan's number of households of one county, from column ``key_area`` or ``self_retrofit``.

    Raises
    ------
    InputError
        If the county is not in the plan.
    """
    counties = plan_2025().counties.set_index("county_code")[column]
    if county_code not in counties.index:
        raise InputError(
            f"county_code {county_code!r} is not in the 2025 plan. Allowed are {', '.join(counties.index)}."
        )
    return int(counties[county_code])


def layer_mix(estimates: Mapping[str, float], prefix: str) -> FloatArray:
    """Return the shares of the device classes for rows ``<prefix>_mix_<device>``, scaled to sum 1, shape (n_class,)."""
    shares = np.array([estimates[f"{prefix}_mix_{device}"] for device in DEVICE_CLASSES])
    return np.asarray(shares / shares.sum(), dtype=np.float64)


def apportion(total: int, weight: npt.ArrayLike, capacity: npt.ArrayLike) -> IntArray:
    """Split `total` into integers in proportion to `weight`, none above its capacity.

    Parameters
    ----------
    total : int
        What is to be split.
    weight : array_like, shape (n,)
        Wanted proportions, not negative.
    capacity : array_like of int, shape (n,)
        Largest value in each place.

    Returns
    -------
    ndarray of int, shape (n,)
        Sums to `total` exactly.

    Raises
    ------
    InputError
        If the capacities do not add up to `total`.

    Notes
    -----
    Places that reach their capacity are closed and the rest is shared again; the last units go to the largest
    remainders, and to the first place among equals.

    Examples
    --------
    >>> apportion(10, [3.0, 1.0, 1.0], [4, 9, 9]).tolist()
    [4, 3, 3]
    """
    room = np.asarray(capacity, dtype=np.int64)
    if total > int(room.sum()):
        raise InputError(f"{total} households do not fit: there is room for {int(room.sum())}.")
    share = np.where(room > 0, np.asarray(weight, dtype=np.float64), 0.0)
    if int(room[share > 0].sum()) < total:
        # Places of weight zero are used only when the others are full.
        share = np.where(room > 0, np.maximum(share, 1e-9 * max(share.max(initial=0.0), 1.0)), 0.0)
    exact = _water_fill(float(total), share, room.astype(np.float64))
    result = np.floor(exact + 1e-9).astype(np.int64)
    open_room = result < room
    order = np.lexsort((np.arange(len(room)), -np.where(open_room, exact - result, -1.0)))
    result[order[: total - int(result.sum())]] += 1
    return result


def _water_fill(total: float, weight: FloatArray, room: FloatArray) -> FloatArray:
    """Share `total` in proportion to `weight`, closing places that are full, until all of it is placed."""
    placed = np.zeros_like(weight)
    is_open = weight > 0
    while total - placed.sum() > 1e-9 and is_open.any():
        scale = (total - placed[~is_open].sum()) / weight[is_open].sum()
        placed = np.where(is_open, np.minimum(weight * scale, room), placed)
        full = is_open & (placed >= room - 1e-12)
        if not full.any():
            break
        is_open &= ~full
    return placed


def _draw_existing(
    village: IntArray,
    occupied: IntArray,
    key: BoolArray,
    share: float,
    *,
    estimates: Mapping[str, float],
    rng: np.random.Generator,
) -> IntArray:
    """Draw the households that heat with electricity already, shape (n_area,)."""
    sigma = estimates["existing_village_sigma"]
    # The mean of exp(sigma z - sigma^2 / 2) is 1, so the share stays what it was set to.
    level = np.exp(sigma * rng.standard_normal(int(village.max(initial=-1)) + 1) - sigma**2 / 2)
    ratio = np.where(key, estimates["existing_share_key"] / estimates["existing_share"], 1.0)
    chance = np.minimum(share * ratio * level[village], estimates["existing_share_max"])
    return rng.binomial(occupied, chance).astype(np.int64)


def _draw_key_area(
    areas: pd.DataFrame, existing: IntArray, target: int, county_code: str, *, sigma: float, rng: np.random.Generator
) -> IntArray:
    """Place the plan's key-area households on flagged villages: homes lived in first, then the others."""
    key = areas["key_area"].to_numpy(bool)
    registered = np.where(key, areas["households"].to_numpy(np.int64) - existing, 0)
    lived_in = np.where(key, areas["occupied_households"].to_numpy(np.int64) - existing, 0)
    if target > int(registered.sum()):
        raise InputError(
            f"county {county_code}: the plan converts {target} key-area households, but the areas flagged key_area "
            f"hold only {int(registered.sum())} without electric heating. Flag more villages."
        )
    weight = lived_in * np.exp(sigma * rng.standard_normal(len(areas)))
    first = apportion(min(target, int(lived_in.sum())), weight, lived_in)
    rest = registered - first
    return first + apportion(target - int(first.sum()), rest.astype(np.float64), rest)


def _draw_devices(
    village: IntArray, households: IntArray, mix: FloatArray, estimates: Mapping[str, float], rng: np.random.Generator
) -> IntArray:
    """Draw the device of each household, alike inside a village, shape (n_area, n_class)."""
    concentration = estimates["village_mix_concentration"]
    used = mix > 0
    shares = np.zeros((int(village.max(initial=-1)) + 1, len(mix)))
    shares[:, used] = rng.dirichlet(concentration * mix[used], size=len(shares))
    return rng.multinomial(households, shares[village]).astype(np.int64)


def _layer_rows(area_id: pd.Series, layer: str, counts: IntArray, rng: np.random.Generator) -> pd.DataFrame:
    """Return the rows of one layer; the rated input of every household is drawn from the catalogue."""
    position, column = np.nonzero(counts)
    households = counts[position, column]
    ratings = heater_ratings()
    rated_kw = np.zeros(len(position))
    for index, device in enumerate(DEVICE_CLASSES):
        rows = np.flatnonzero(column == index)
        sizes = ratings.loc[ratings["device"] == device]
        share = sizes["share"].to_numpy() / sizes["share"].sum()
        rated_kw[rows] = rng.multinomial(households[rows], share) @ sizes["rated_kw"].to_numpy()
    return pd.DataFrame(
        {
            "area_id": area_id.to_numpy()[position],
            "layer": layer,
            "device": np.array(DEVICE_CLASSES)[column],
            "households": households,
            # Ratings have two decimals; without this the sum would carry the rounding of binary fractions.
            "rated_kw": np.round(rated_kw, 2),
            "position": position,
            "layer_position": LAYERS.index(layer),
        }
    )
