"""The areas (台区) of every village: place, households, transformer and low-voltage lines."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.catalogue import conductors
from gridcheck.synthesis.assumptions import Assumptions
from gridcheck.synthesis.facts import CountyFacts
from gridcheck.synthesis.households import VillageHouseholds, whole_shares
from gridcheck.synthesis.places import Places
from gridcheck.synthesis.plane import inside

StrArray = npt.NDArray[np.str_]

# Standard sizes of pole-mounted units [kVA]; 63, 80 and 315 only in units up to 2021.
SIZES_KVA = np.array([50.0, 63.0, 80.0, 100.0, 160.0, 200.0, 250.0, 315.0, 400.0])
_PREFERRED_KVA = np.array([50.0, 100.0, 200.0, 400.0])
_HILL_M = 600.0  # above this villages are scattered and lines longer
_VILLAGE_SHARE_OF_VARIANCE = 0.45  # transformers of one village were bought together
_PREFIX = "合成"
_HEAVY = 0.75  # loading at which a transformer is replaced, and which the new one stays below
_NEVER_LEFT = 1.15  # no transformer is left above this loading of an ordinary winter evening
_LAST_S13_YEAR = 2020
_LINE_SIZES = tuple(f"JKLYJ-1-{mm2}" for mm2 in (50, 70, 95, 120, 150, 185))
_MORE_CIRCUITS = 2  # trunks that are added at most where the thickest conductor does not do
_LV_PHASE_V = 220.0


def build_areas(
    facts: CountyFacts,
    places: Places,
    villages: VillageHouseholds,
    assumptions: Assumptions,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Split every village into areas and equip them.

    Parameters
    ----------
    facts, places, villages
        What is known and drawn so far.
    assumptions : Assumptions
        Estimates.
    rng : Generator
        Random stream.

    Returns
    -------
    DataFrame
        One row per area in the order of village code, with the columns of ``areas.csv`` that do not
        depend on the 10 kV grid.
    """
    village, households = _split_villages(facts, villages, assumptions, rng)
    n_area, code = len(village), facts.county_code
    number = np.arange(n_area) - np.searchsorted(village, village) + 1
    xy = _area_points(places, village, number, rng)
    lonlat = np.round(places.plane.to_lonlat(xy), 5)
    kva, series = _transformers(facts, villages, village, households, assumptions, rng)
    is_strong = villages.is_strengthened[village]
    occupied = np.clip(np.round(households * villages.occupied_share[village]), 1, households).astype(np.int64)
    factor = rng.lognormal(0.0, assumptions.value("base_factor_sigma", code), n_area)
    factor = factor * occupied.sum() / (factor * occupied).sum()
    stem = facts.villages["village"].str.removesuffix("村委会").to_numpy()
    vector_group = np.where((series == "S11") & (rng.random(n_area) < 0.8), "Yyn0", "Dyn11")
    is_at_known_point = places.is_known[village] & (number == 1)
    table = facts.villages.iloc[village].reset_index(drop=True)
    frame = pd.DataFrame(
        {
            "area_id": [f"{code}-A{k + 1:04d}" for k in range(n_area)],
            "name": [f"{_PREFIX}·{stem[v]}{k}号台区" for v, k in zip(village, number, strict=True)],
            "county_code": code,
            "town_code": table["town_code"],
            "town": table["town"],
            "village_code": table["village_code"],
            "village": table["village"],
            "kva": kva.astype(np.int64),
            "type_name": [f"{s}-{size:.0f}-{g}" for s, size, g in zip(series, kva, vector_group, strict=True)],
            "vector_group": vector_group,
            "series": series,
            "built_year": _built_year(series, is_strong, rng),
            "households": households,
            "occupied_households": occupied,
            "base_kw_factor": np.round(factor, 3),
        }
    )
    frame = pd.concat([frame, _low_voltage(frame, places.elevation_m[village], is_strong, rng)], axis=1)
    frame["key_area"] = villages.is_key_area[village]
    frame["elevation_m"] = _area_heights(places.elevation_m[village], is_at_known_point, rng)
    frame["lon"], frame["lat"] = lonlat[:, 0], lonlat[:, 1]
    frame["coordinate_source"] = np.where(is_at_known_point, "geonames", "synthetic")
    return frame


def uprate_heavy_areas(
    areas: pd.DataFrame, area_mw: FloatArray, assumptions: Assumptions, rng: np.random.Generator
) -> pd.DataFrame:
    """Give most of the areas that electric heating has already made heavy a larger transformer.

    Where electric heating is in use today, the transformers were mostly strengthened with it; a few
    are still behind.

    Parameters
    ----------
    areas : DataFrame
        Result of `build_areas`.
    area_mw : ndarray, shape (n_area,)
        Today's winter peak. [MW]
    assumptions : Assumptions
        Estimates.
    rng : Generator
        Random stream.

    Returns
    -------
    DataFrame
        A new table with other kva, type_name, series, vector_group and built_year in those areas.
    """
    peak_kva = area_mw * 1000.0 / assumptions.value("cos_phi")
    loading = peak_kva / areas["kva"].to_numpy(float)
    is_done = rng.random(len(areas)) < assumptions.value("uprated_share")
    is_uprated = (
        (loading > _HEAVY) & (is_done | (loading > _NEVER_LEFT)) & (areas["kva"].to_numpy() < _PREFERRED_KVA[-1])
    )
    sizes = np.append(_PREFERRED_KVA[1:-1], [250.0, _PREFERRED_KVA[-1]])
    position = np.minimum(np.searchsorted(sizes, peak_kva / _HEAVY), len(sizes) - 1)
    kva = np.where(is_uprated, np.maximum(sizes[position], areas["kva"]), areas["kva"]).astype(np.int64)
    year = np.where(is_uprated, rng.integers(2018, 2025, len(areas)), areas["built_year"])
    result = areas.copy()
    result["kva"], result["built_year"] = kva, year
    result["series"] = np.where(is_uprated, np.where(year > _LAST_S13_YEAR, "S20", "S13"), areas["series"])
    result["vector_group"] = np.where(is_uprated, "Dyn11", areas["vector_group"])
    result["type_name"] = result["series"] + "-" + result["kva"].astype(str) + "-" + result["vector_group"]
    return result


def strengthen_lines(
    areas: pd.DataFrame, area_mw: FloatArray, assumptions: Assumptions, rng: np.random.Generator
) -> pd.DataFrame:
    """Give most of the areas low-voltage lines that carry what stands there, heating included.

    Lines were looked at when heaters were connected: the thinnest conductor that keeps the drop at the worst meter
    within its budget, then further trunks. Some areas were left as they were.

    Parameters
    ----------
    areas : DataFrame
        Result of `uprate_heavy_areas`.
    area_mw : ndarray, shape (n_area,)
        What the lines were planned for, an ordinary winter evening. [MW]
    assumptions : Assumptions
        Estimates.
    rng : Generator
        Random stream.

    Returns
    -------
    DataFrame
        A new table with other lv_type_name and lv_circuits in those areas.
    """
    is_done = rng.random(len(areas)) < assumptions.value("line_strengthened_share")
    budget_v = _LV_PHASE_V * assumptions.value("lv_drop_budget_percent") / 100.0
    result = areas.copy()

    def too_weak() -> BoolArray:
        weak: BoolArray = is_done & (_worst_drop_v(result, area_mw, assumptions) > budget_v)
        return weak

    r_ohm_per_km = conductors()["r_ohm_per_km"]
    for name in _LINE_SIZES:
        is_thicker = r_ohm_per_km[name] < r_ohm_per_km[result["lv_type_name"]].to_numpy()
        result.loc[too_weak() & is_thicker, "lv_type_name"] = name
    for _ in range(_MORE_CIRCUITS):
        result["lv_circuits"] += too_weak().astype(np.int64)
    return result


def _worst_drop_v(areas: pd.DataFrame, area_mw: FloatArray, assumptions: Assumptions) -> FloatArray:
    """Return the drop to the worst meter: that of load spread evenly over the trunks, times a factor. [V]"""
    r_ohm_per_km = conductors()["r_ohm_per_km"][areas["lv_type_name"]].to_numpy(float)
    per_trunk_kw = area_mw * 1000.0 / areas["lv_circuits"].to_numpy(float)
    half_km = areas["lv_radius_m"].to_numpy(float) / 2000.0
    even_v = per_trunk_kw * 1000.0 / (3.0 * _LV_PHASE_V) * r_ohm_per_km * half_km
    drop_v: FloatArray = assumptions.value("worst_meter_factor") * areas["lv_unbalance_factor"].to_numpy(float) * even_v
    return drop_v


def _split_villages(
    facts: CountyFacts, villages: VillageHouseholds, assumptions: Assumptions, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    ordinary = assumptions.value("households_per_area", facts.county_code)
    strong = assumptions.value("households_per_area_strengthened", facts.county_code)
    village, parts = [], []
    for v, count in enumerate(villages.households):
        wanted = (strong if villages.is_strengthened[v] else ordinary) * rng.lognormal(0.0, 0.14)
        n_area = max(1, round(count / wanted))
        parts.append(whole_shares(rng.uniform(0.7, 1.3, n_area), int(count)))
        village.append(np.full(n_area, v, dtype=np.int64))
    return np.concatenate(village), np.concatenate(parts)


def _area_points(places: Places, village: IntArray, number: IntArray, rng: np.random.Generator) -> FloatArray:
    """Spread the areas of a village around its centre; the first one stands at the centre."""
    scatter = np.where(places.elevation_m[village] > _HILL_M, 1.7, 1.0)
    radius = (0.20 + 0.24 * np.sqrt(number - 1)) * rng.uniform(0.75, 1.35, len(village)) * scatter * (number > 1)
    start = rng.uniform(0.0, 2.0 * np.pi, len(places.village_xy))
    golden = np.pi * (3.0 - np.sqrt(5.0))
    angle = start[village] + golden * number + rng.normal(0.0, 0.35, len(village))
    centre = places.village_xy[village]
    step = np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None]
    for _ in range(8):
        is_out = ~inside(centre + step, places.outline_xy)
        step[is_out] *= 0.5
    return centre + step


def _transformers(
    facts: CountyFacts,
    villages: VillageHouseholds,
    village: IntArray,
    households: IntArray,
    assumptions: Assumptions,
    rng: np.random.Generator,
) -> tuple[FloatArray, StrArray]:
    """Draw capacity and series; the mean kVA per household of ordinary areas meets its estimate."""
    code, n_area = facts.county_code, len(village)
    is_strong = villages.is_strengthened[village]
    sigma = assumptions.value("kva_per_household_sigma", code)
    spread = rng.normal(0.0, sigma * np.sqrt(_VILLAGE_SHARE_OF_VARIANCE), len(villages.households))[village]
    spread = spread + rng.normal(0.0, sigma * np.sqrt(1.0 - _VILLAGE_SHARE_OF_VARIANCE), n_area)
    spread = np.where(is_strong, 0.35 * spread, spread)
    is_old = ~is_strong & (
        rng.random(n_area) < assumptions.value("old_unit_share", code) * np.where(spread < 0.0, 1.4, 0.6)
    )
    is_new = ~is_old & (rng.random(n_area) < np.where(is_strong, 0.55, 0.22))
    series = np.where(is_old, "S11", np.where(is_new, "S20", "S13"))
    kva = np.zeros(n_area)
    for group, name in ((~is_strong, "kva_per_household"), (is_strong, "kva_per_household_strengthened")):
        wanted = assumptions.value(name, code)
        scale = wanted
        for _ in range(8 if group.any() else 0):
            kva[group] = _standard_size(
                scale * np.asarray(households[group] * np.exp(spread[group]), np.float64), is_new[group]
            )
            scale *= wanted / (kva[group].sum() / households[group].sum())
    return kva, series


def _standard_size(wanted_kva: FloatArray, is_new: BoolArray) -> FloatArray:
    """Nearest standard size by ratio; units after 2021 in preferred sizes and 250 kVA only."""
    new_sizes = np.sort(np.append(_PREFERRED_KVA, 250.0))
    old = np.abs(np.log(wanted_kva[:, None] / SIZES_KVA[None, :])).argmin(axis=1)
    new = np.abs(np.log(wanted_kva[:, None] / new_sizes[None, :])).argmin(axis=1)
    sizes: FloatArray = np.where(is_new, new_sizes[new], SIZES_KVA[old])
    return sizes


def _built_year(series: StrArray, is_strong: BoolArray, rng: np.random.Generator) -> IntArray:
    draw = rng.random(len(series))
    old, middle, new = 2004 + draw * 11, np.where(is_strong, 2017, 2014) + draw * 5, 2021 + draw * 4
    year: IntArray = np.floor(np.where(series == "S11", old, np.where(series == "S13", middle, new))).astype(np.int64)
    return year


def _low_voltage(
    frame: pd.DataFrame, elevation_m: FloatArray, is_strong: BoolArray, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw number, reach, conductor and unbalance of the low-voltage trunks."""
    n_area, kva = len(frame), frame["kva"].to_numpy()
    circuits = np.select([kva <= 63, kva <= 160, kva <= 315], [2, 3, 4], 5) - (rng.random(n_area) < 0.2)
    reach = np.where(is_strong, 270.0, 340.0) * np.where(elevation_m > _HILL_M, 1.15, 1.0)
    reach = reach * (frame["households"].to_numpy() / 74.0) ** 0.3 * rng.lognormal(0.0, 0.24, n_area)
    draw = rng.random(n_area)
    area_mm2 = np.select([draw < 0.15, draw < 0.60, draw < 0.85], [50, 70, 95], 120)
    area_mm2 = np.where((frame["series"] == "S11") & (draw < 0.5), 50, area_mm2)
    area_mm2 = np.where(is_strong, np.where(draw < 0.25, 95, 120), area_mm2)
    unbalance = 1.1 + 0.4 * rng.beta(2.0, np.where(is_strong, 5.0, 3.0))
    return pd.DataFrame(
        {
            "lv_circuits": np.maximum(circuits, 2).astype(np.int64),
            "lv_radius_m": np.round(np.clip(reach, 120.0, 800.0), -1).astype(np.int64),
            "lv_type_name": [f"JKLYJ-1-{mm2}" for mm2 in area_mm2],
            "lv_unbalance_factor": np.round(unbalance, 2),
        }
    )


def _area_heights(elevation_m: FloatArray, is_at_known_point: BoolArray, rng: np.random.Generator) -> IntArray:
    noise = rng.normal(0.0, np.clip(0.02 * (elevation_m - 330.0), 2.0, 25.0))
    heights: IntArray = np.round(elevation_m + np.where(is_at_known_point, 0.0, noise)).astype(np.int64)
    return heights
