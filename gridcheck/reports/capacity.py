"""Room for electric heating by area, feeder and county, as published each month; from the tables of a results folder.

Rooms are counted as areas.csv counts them: C1 is the rated input of air-to-air heat pumps that an area's transformer
and low-voltage lines still carry before the queue, C2 what is left of it after the run's approvals. What the files do
not hold is named in `Capacity.missing` and left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.catalogue import DEVICE_CLASSES, heater_ratings
from gridcheck.reports.folder import Results
from gridcheck.reports.labels import county_name

GREEN, YELLOW, RED, GREY = GRADES = ("green", "yellow", "red", "grey")
COUNTED_DEVICE = "air_air_heat_pump"
"""Class of heater in whose rated input the files count room."""

_SHORT_HASH = 12
_KW_PER_MW = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatPumpSize:
    """One rating of the counted class.

    Attributes
    ----------
    rated_kw, max_input_kw : float
        Rated electric input, and the largest that it ever draws. [kW]
    """

    rated_kw: float
    max_input_kw: float

    @property
    def column(self) -> str:
        """Name of the column that counts it."""
        return f"more_{self.rated_kw:g}_kw"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Capacity:
    """Published room.

    Attributes
    ----------
    areas, feeders, counties : DataFrame
        One row each per area, feeder and county of the results, with ``grade``, ``c1_kw``, ``c2_kw`` [kW] and
        ``more_heat_pumps``, of feeders and counties ``more_heat_pumps_at_most``: areas share what is above them.
        ``capacity_texts.toml`` says what they mean at each level.
    sizes : tuple of HeatPumpSize
        Ratings of the counted class that areas are counted for.
    devices : tuple of str
        Further classes of heaters for which areas.csv has a column ``more_<device>``.
    missing : tuple of str
        What the files lack: codes of the section ``capacity_missing``, a class of heaters behind a colon.
    published_on : date
        Day of publication.
    run : str
        First digits of the SHA-256 of areas.csv; empty for results that were never written.
    synthetic : bool
        Whether anything behind it is synthetic.
    """

    areas: pd.DataFrame
    feeders: pd.DataFrame
    counties: pd.DataFrame
    sizes: tuple[HeatPumpSize, ...]
    devices: tuple[str, ...]
    missing: tuple[str, ...]
    published_on: date
    run: str
    synthetic: bool


def room_grades(c1_kw: FloatArray, c2_kw: FloatArray, red_above: BoolArray) -> np.ndarray:
    """Grade places by their room: green C2 > 0, yellow C2 <= 0 < C1, red C1 <= 0 or red above, grey where not known.

    Parameters
    ----------
    c1_kw, c2_kw : ndarray, shape (n,)
        Room before the queue and after its approvals; NaN where not known. [kW]
    red_above : ndarray of bool, shape (n,)
        Whether something above is beyond its limit: that makes everything below it red, known or not.

    Returns
    -------
    ndarray of object, shape (n,)
    """
    grade = np.where(c1_kw > 0.0, np.where(c2_kw > 0.0, GREEN, YELLOW), RED).astype(object)
    grade[np.isnan(c1_kw) | np.isnan(c2_kw)] = GREY
    grade[red_above] = RED
    return grade


def usual_heat_pump() -> HeatPumpSize:
    """Return the most frequent rating of the counted class; the one that more_heat_pumps of areas.csv counts."""
    return _sizes()[0]


def _sizes() -> tuple[HeatPumpSize, ...]:
    """Return the ratings of single units of the counted class, the most frequent first, then by size."""
    ratings = heater_ratings()
    own = ratings[(ratings["device"] == COUNTED_DEVICE) & (ratings["units"] == 1)]
    usual = own.sort_values("share", kind="stable")["rated_kw"].iloc[-1]
    ordered = own.assign(later=own["rated_kw"] != usual).sort_values(["later", "rated_kw"], kind="stable")
    return tuple(
        HeatPumpSize(rated_kw=float(rated), max_input_kw=float(largest))
        for rated, largest in zip(ordered["rated_kw"], ordered["max_input_kw"], strict=True)
    )


def capacity_of(results: Results, published_on: date) -> Capacity:
    """Return the room of every area, feeder and county of a run.

    Parameters
    ----------
    results : Results
        As `gridcheck.reports.folder.read_results` returns them.
    published_on : date
        Day of publication.
    """
    sizes = _sizes()
    devices = tuple(name for name in DEVICE_CLASSES if name != COUNTED_DEVICE and f"more_{name}" in results.areas)
    absent = [f"more_by_device:{name}" for name in DEVICE_CLASSES if name not in (COUNTED_DEVICE, *devices)]
    if not {"lon", "lat"} <= set(results.areas.columns):
        absent.append("lon")
    absent = ([] if "peak_mw_before" in results.feeders else ["peak_mw_before"]) + ["main_transformer", *absent]
    areas = _areas(results.areas, sizes[1:], devices)
    feeders = _feeders(results.feeders, areas)
    files = results.summary.get("files", {})
    return Capacity(
        areas=areas,
        feeders=feeders,
        counties=_counties(results.counties, areas, feeders),
        sizes=sizes,
        devices=devices,
        missing=tuple(absent),
        published_on=published_on,
        run=str(files.get("areas.csv", {}).get("sha256", ""))[:_SHORT_HASH],
        synthetic=results.synthetic,
    )


def _areas(given: pd.DataFrame, sizes: tuple[HeatPumpSize, ...], devices: tuple[str, ...]) -> pd.DataFrame:
    """Return one row per area; what stands in the file is taken as it is."""
    grade = given["grade"].str.lower()
    c1_kw, c2_kw = (given[name].to_numpy(dtype=np.float64) for name in ("c1_kw", "c2_kw"))
    not_yet = np.maximum((given["households"] - given["electric_households"]).to_numpy(dtype=np.float64), 0.0)
    red = (grade == RED).to_numpy()
    table = pd.DataFrame(
        {
            **{name: given[name] for name in ("area_id", "county_code", "feeder_id", "village_code")},
            **{name: given.get(name, pd.Series(None, index=given.index, dtype=object)) for name in ("town", "village")},
            "kva": given["kva"],
            "households": given["households"].astype(np.float64),
            "not_yet_electric": not_yet,
            "grade": grade.where(grade.isin(GRADES), GREY),
            # Red although it has room of its own: something above is beyond its limit.
            "blocked_above": red & (c1_kw > 0.0),
            "c1_kw": c1_kw,
            "c2_kw": c2_kw,
            "more_heat_pumps": given["more_heat_pumps"].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan),
        }
    )
    for size in sizes:
        # Nothing fits below equipment that is beyond its limit, whatever the area itself would carry.
        table[size.column] = np.where(red, 0.0, np.clip(np.floor(c2_kw / size.rated_kw), 0.0, not_yet))
    for device in devices:
        table[f"more_{device}"] = pd.to_numeric(given[f"more_{device}"], errors="coerce")
    for name in ("lon", "lat"):
        table[name] = given.get(name, np.nan)
    inside = table["lon"].abs().le(180.0) & table["lat"].abs().le(90.0)
    table[["lon", "lat"]] = table[["lon", "lat"]].where(inside)
    return table


def _usable(areas: pd.DataFrame, column: str) -> pd.Series:
    """Return the room that counts in a sum: of areas that are not red, and never less than nothing."""
    return areas[column].clip(lower=0.0).where(areas["grade"] != RED, 0.0)


def _feeders(given: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    rooms = pd.DataFrame(
        {
            "feeder_id": areas["feeder_id"],
            **{name: _usable(areas, name) for name in ("c1_kw", "c2_kw", "more_heat_pumps")},
            "not_yet_electric": areas["not_yet_electric"],
            **{f"areas_{grade}": (areas["grade"] == grade).astype(float) for grade in GRADES},
        }
    )
    # One known area makes a sum; where nothing is known, nothing is said.
    sums = rooms.groupby("feeder_id").sum(min_count=1).reindex(given["feeder_id"])
    peak_mw, loading = (given[name].to_numpy(dtype=np.float64) for name in ("peak_mw", "peak_loading_percent"))
    with np.errstate(divide="ignore", invalid="ignore"):
        outlet_kw = np.where(loading > 0.0, _KW_PER_MW * peak_mw * (100.0 / loading - 1.0), np.nan)
    red = (given["grade"].str.lower() == RED).to_numpy()
    c1_kw, c2_kw = sums["c1_kw"].to_numpy(), sums["c2_kw"].to_numpy()
    fit = np.minimum(sums["more_heat_pumps"].to_numpy(), np.floor(outlet_kw / usual_heat_pump().max_input_kw))
    nothing = pd.Series(None, index=given.index, dtype=object)
    return pd.DataFrame(
        {
            "feeder_id": given["feeder_id"],
            "county_code": given["county_code"],
            "name": given.get("name", nothing),
            "grade": room_grades(c1_kw, np.where(outlet_kw <= 0.0, 0.0, c2_kw), red),
            "c1_kw": c1_kw,
            "c2_kw": c2_kw,
            "more_heat_pumps_at_most": np.where(red, 0.0, np.maximum(fit, 0.0)),
            "outlet_room_kw": outlet_kw,
            "n_minus_1_room_kw": given.get("n_minus_1_room_kw", nothing).astype(float),
            **{f"areas_{grade}": sums[f"areas_{grade}"].fillna(0.0).to_numpy() for grade in GRADES},
            "not_yet_electric": sums["not_yet_electric"].to_numpy(),
        }
    )


def _counties(given: pd.DataFrame, areas: pd.DataFrame, feeders: pd.DataFrame) -> pd.DataFrame:
    summed = ["c1_kw", "c2_kw", "more_heat_pumps_at_most", "not_yet_electric", *(f"areas_{grade}" for grade in GRADES)]
    codes = given["county_code"]
    sums = feeders.groupby("county_code")[summed].sum(min_count=1).reindex(codes)
    is_red = feeders["grade"] == RED
    by_county = is_red.groupby(feeders["county_code"]).agg(["sum", "size"]).reindex(codes, fill_value=0)
    all_red = (by_county["sum"] == by_county["size"]).to_numpy() & (by_county["size"] > 0).to_numpy()
    deferred = given["deferred"].astype(float).to_numpy()
    return pd.DataFrame(
        {
            "county_code": codes,
            "county": [county_name(code, "zh") for code in codes],
            "county_en": [county_name(code, "en") for code in codes],
            "grade": room_grades(sums["c1_kw"].to_numpy(), sums["c2_kw"].to_numpy(), all_red),
            **{name: sums[name].to_numpy() for name in summed},
            "feeders_red": by_county["sum"].astype(float).to_numpy(),
            "deferred": deferred,
            "areas": areas["county_code"].value_counts().reindex(codes, fill_value=0).astype(float).to_numpy(),
        }
    )
