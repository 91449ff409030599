"""The public facts of one county that its synthetic grid is made from, and its random streams."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gridcheck import geography, policy
from gridcheck.arrays import FloatArray, frozen
from gridcheck.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountyFacts:
    """What is publicly known about one county.

    Attributes
    ----------
    county_code, county, county_en, slug : str
        Administrative code, Chinese and English name, short name used in paths.
    households_est : float
        Family households, urban and rural. [households]
    seat_lon, seat_lat : float
        County seat, WGS84. [degree]
    outline : ndarray, shape (n_corner, 2)
        Closed boundary as lon, lat. [degree]
    towns : DataFrame
        Town units with rural committees: town_code, town, lon, lat, elevation_m (NaN where unknown).
    villages : DataFrame
        Rural committees: town_code, town, village_code, village; sorted by village code.
    elevation : dict of str to float
        Height quantiles and settlement-weighted figures of the county. [m], [1]
    key_households : int
        Households that the 2025 plan converts in key areas. [households]
    """

    county_code: str
    county: str
    county_en: str
    slug: str
    households_est: float
    seat_lon: float
    seat_lat: float
    outline: FloatArray
    towns: pd.DataFrame
    villages: pd.DataFrame
    elevation: dict[str, float]
    key_households: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "outline", frozen(self.outline, np.float64, (None, 2), name="outline"))


def plan_county_codes() -> tuple[str, ...]:
    """Return the codes of the twelve counties of the plan in ascending order."""
    counties = geography.counties()
    return tuple(sorted(str(code) for code in counties.loc[counties["in_plan"].astype(bool), "county_code"]))


def county_facts(county_code: str) -> CountyFacts:
    """Collect the public facts of one county of the plan.

    Parameters
    ----------
    county_code : str
        Six-digit code.

    Returns
    -------
    CountyFacts

    Raises
    ------
    InputError
        If the code is not one of the plan's twelve counties.
    """
    allowed = plan_county_codes()
    if county_code not in allowed:
        raise InputError(f"county_code must be one of {', '.join(allowed)}. Got {county_code!r}.")
    row = _row_of(geography.counties(), county_code)
    villages = geography.villages()
    chosen = (villages["county_code"] == county_code) & (villages["kind"] == "rural")
    villages = villages.loc[chosen].sort_values("village_code", kind="stable").reset_index(drop=True)
    towns = geography.towns()
    towns = towns.loc[towns["town_code"].isin(villages["town_code"].unique())]
    towns = towns.sort_values("town_code", kind="stable").reset_index(drop=True)
    plan = _row_of(policy.plan_2025().counties, county_code)
    elevation = _row_of(geography.county_elevation(), county_code)
    return CountyFacts(
        county_code=county_code,
        county=str(row["county"]),
        county_en=str(row["county_en"]),
        slug=str(row["slug"]),
        households_est=float(row["households_est"]),
        seat_lon=float(row["seat_lon"]),
        seat_lat=float(row["seat_lat"]),
        outline=_outline(county_code),
        towns=towns[["town_code", "town", "lon", "lat", "elevation_m"]],
        villages=villages[["town_code", "town", "village_code", "village"]],
        elevation={str(k): float(v) for k, v in elevation.items() if k not in ("county_code", "county")},
        key_households=int(plan["key_area"]),
    )


def random_stream(seed: int, county_code: str, purpose: str) -> np.random.Generator:
    """Return the random stream of one step of one county.

    Streams of different steps are independent, so a change in one step leaves the others' draws as they are.
    """
    return np.random.default_rng(np.random.SeedSequence([seed, int(county_code), zlib.crc32(purpose.encode())]))


def _row_of(frame: pd.DataFrame, county_code: str) -> dict[str, Any]:
    if "county_code" not in frame.columns:
        frame = frame.reset_index()
    rows = frame.loc[frame["county_code"].astype(str) == county_code]
    if len(rows) != 1:
        raise InputError(f"{county_code}: expected one row of county facts. Got {len(rows)}.")
    return {str(k): v for k, v in rows.iloc[0].items()}


def _outline(county_code: str) -> FloatArray:
    for feature in geography.county_outlines()["features"]:
        if str(feature["properties"]["code"]) == county_code:
            return np.asarray(feature["geometry"]["coordinates"][0], dtype=np.float64)
    raise InputError(f"{county_code}: no county outline. The outlines need a feature with this code.")
