"""Synthetic applications of self-retrofit households: who asks for a connection, when, with which device.

The number of applications per county is the plan's own; villages, dates, devices and sizes are drawn at random from
``heating_assumptions.csv``. Villages differ as they do in reality: in a few nearly every other home applies, in
most only some.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.catalogue import DEVICE_CLASSES, heater_ratings
from gridcheck.errors import InputError, SchemaError
from gridcheck.synthesis.heating import apportion, check_areas, heating_assumptions, layer_mix, plan_households

COLUMNS = (
    "application_id",
    "county_code",
    "village_code",
    "area_id",
    "applied_on",
    "device",
    "rated_kw",
    "phase",
    "household_group",
    "queue_position",
    "synthetic",
)

FIRST_DAY = np.datetime64("2025-03-01", "D")
LAST_DAY = np.datetime64("2025-10-15", "D")
"""Period of application: from spring until two weeks before the plan's deadline."""

# Keeps this stream of random numbers apart from others with the same seed and county.
_PURPOSE = 0x4150504C
_PHASES = np.array(["A", "B", "C"])


def synthetic_applications(county_code: str, areas: pd.DataFrame, heating: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Draw the applications of the self-retrofit households of a county.

    Parameters
    ----------
    county_code : str
        One of the plan's twelve counties.
    areas : DataFrame
        One row per area: ``area_id``, ``village_code``, ``households``, ``occupied_households``, ``key_area``.
    heating : DataFrame
        ``area_id``, ``households`` of all homes that heat with electricity already or will under the plan; they
        do not apply.
    seed : int
        Seed; another one changes who applies, when and with what, and no total.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, one row per application in the order of the queue (date, then id): exactly the plan's
        number of self-retrofit households, all outside key-area villages. ``phase`` is A, B, C or ABC.

    Raises
    ------
    SchemaError
        If a table lacks a column, or `heating` names an unknown area.
    InputError
        If the county is not in the plan, or too few homes are left that could apply.
    """
    check_areas(areas)
    target = plan_households(county_code, "self_retrofit")
    estimates = heating_assumptions()
    rng = np.random.default_rng(np.random.SeedSequence([seed, int(county_code), _PURPOSE]))
    village, codes = pd.factorize(areas["village_code"].astype(str))
    eligible = _eligible_homes(areas, heating)
    count = _draw_areas(village, eligible, target, county_code, estimates=estimates, rng=rng)
    area = np.repeat(np.arange(len(areas)), count)
    day = _draw_days(village, area, estimates, rng)
    device, rated_kw, phases = _draw_devices(target, estimates, rng)
    three_phase = (phases == 3) | (rated_kw > estimates["single_phase_max_kw"])
    phase = np.where(three_phase, "ABC", _draw_phases(area, len(areas), estimates, rng))
    hardship = rng.random(target) < estimates["hardship_share"]
    order = np.lexsort((rng.permutation(target), day))
    number = np.arange(1, target + 1)
    table = pd.DataFrame(
        {
            "application_id": [f"{county_code}-P{position:05d}" for position in number],
            "county_code": county_code,
            "village_code": np.asarray(codes, dtype=object)[village[area]][order],
            "area_id": areas["area_id"].to_numpy()[area][order],
            "applied_on": np.datetime_as_string(day[order], unit="D").astype(object),
            "device": np.array(DEVICE_CLASSES, dtype=object)[device[order]],
            "rated_kw": rated_kw[order],
            "phase": phase[order].astype(object),
            "household_group": np.where(hardship, "hardship", "ordinary").astype(object)[order],
            "queue_position": number,
            "synthetic": True,
        }
    )
    return table[list(COLUMNS)]


def _eligible_homes(areas: pd.DataFrame, heating: pd.DataFrame) -> IntArray:
    """Return the homes lived in, outside key-area villages, that do not heat with electricity, shape (n_area,)."""
    missing = [f"column {name} is missing" for name in ("area_id", "households") if name not in heating.columns]
    unknown = [] if missing else sorted(set(heating["area_id"]) - set(areas["area_id"]))
    if missing or unknown:
        raise SchemaError(
            "The table of heating does not fit the areas.",
            [*missing, *(f"area_id {name} is not in areas" for name in unknown)],
        )
    heated = heating.groupby("area_id")["households"].sum().reindex(areas["area_id"]).fillna(0).to_numpy(np.int64)
    free = np.maximum(areas["occupied_households"].to_numpy(np.int64) - heated, 0)
    return np.where(areas["key_area"].to_numpy(bool), 0, free).astype(np.int64)


def _draw_areas(
    village: IntArray,
    eligible: IntArray,
    target: int,
    county_code: str,
    *,
    estimates: Mapping[str, float],
    rng: np.random.Generator,
) -> IntArray:
    """Return the number of applications of each area, shape (n_area,); they sum to `target`."""
    if target > int(eligible.sum()):
        raise InputError(
            f"county {county_code}: the plan has {target} self-retrofit households, but outside key-area villages only "
            f"{int(eligible.sum())} homes are lived in and do not heat with electricity yet."
        )
    n_village = int(village.max(initial=-1)) + 1
    homes = np.bincount(village, weights=eligible, minlength=n_village).astype(np.int64)
    leaders = _draw_leaders(homes, estimates["application_leader_share"] * target, estimates, rng)
    weight = homes * np.exp(estimates["application_village_sigma"] * rng.standard_normal(n_village))
    room = np.where(leaders > 0, 0, np.floor(homes * estimates["application_village_max"])).astype(np.int64)
    rest = target - int(leaders.sum())
    # A county with few homes left may need more than the usual uptake.
    room = room if int(room.sum()) >= rest else homes - leaders
    by_village: IntArray = leaders + apportion(rest, weight, room)
    result = np.zeros(len(village), dtype=np.int64)
    noise = np.exp(estimates["application_area_sigma"] * rng.standard_normal(len(village)))
    for index in np.flatnonzero(by_village):
        rows = np.flatnonzero(village == index)
        result[rows] = apportion(int(by_village[index]), eligible[rows] * noise[rows], eligible[rows])
    return result


def _draw_leaders(homes: IntArray, quota: float, estimates: Mapping[str, float], rng: np.random.Generator) -> IntArray:
    """Choose villages in which about every other home applies until the quota is used, shape (n_village,)."""
    low, high = estimates["application_leader_min"], estimates["application_leader_max"]
    wanted = np.floor(homes * rng.uniform(low, high, len(homes))).astype(np.int64)
    result = np.zeros(len(homes), dtype=np.int64)
    used = 0
    for index in rng.permutation(len(homes)):
        if 0 < wanted[index] <= quota - used:
            result[index] = wanted[index]
            used += int(wanted[index])
    return result


def _draw_days(
    village: IntArray, area: IntArray, estimates: Mapping[str, float], rng: np.random.Generator
) -> np.ndarray:
    """Return the day of each application, clustered by village, dtype datetime64[D], shape (n_application,)."""
    mean, concentration = estimates["application_centre_day"], estimates["application_centre_concentration"]
    n_village = int(village.max(initial=-1)) + 1
    centre = rng.beta(mean * concentration, (1.0 - mean) * concentration, n_village)
    length = int((LAST_DAY - FIRST_DAY).astype(np.int64))
    offset = centre[village[area]] * length + estimates["application_date_sd"] * rng.standard_normal(len(area))
    # Reflected at both ends of the period, so that no single day collects what falls outside.
    reflected = length - np.abs(length - np.abs(offset))
    return np.asarray(FIRST_DAY + np.clip(np.round(reflected), 0, length).astype("timedelta64[D]"))


def _draw_devices(
    count: int, estimates: Mapping[str, float], rng: np.random.Generator
) -> tuple[IntArray, FloatArray, IntArray]:
    """Return class position, rated input [kW] and number of phases of each application, shape (n_application,)."""
    device = rng.choice(len(DEVICE_CLASSES), size=count, p=layer_mix(estimates, "application"))
    ratings = heater_ratings()
    rated_kw, phases = np.zeros(count), np.ones(count, dtype=np.int64)
    for index, name in enumerate(DEVICE_CLASSES):
        rows = np.flatnonzero(device == index)
        sizes = ratings.loc[ratings["device"] == name]
        share = sizes["share"].to_numpy() / sizes["share"].sum()
        drawn = rng.choice(len(sizes), size=len(rows), p=share)
        rated_kw[rows] = sizes["rated_kw"].to_numpy()[drawn]
        phases[rows] = sizes["phases"].to_numpy()[drawn]
    return device, rated_kw, phases


def _draw_phases(
    area: IntArray, n_area: int, estimates: Mapping[str, float], rng: np.random.Generator
) -> npt.NDArray[np.str_]:
    """Return a phase for each application, areas preferring one more or less, shape (n_application,)."""
    shares = rng.dirichlet(np.full(3, estimates["phase_concentration"]), size=n_area)
    below = np.cumsum(shares, axis=1)[area]
    draw = rng.random(len(area))
    return np.asarray(_PHASES[np.minimum((draw[:, None] > below).sum(axis=1), 2)])
