"""Where towns and villages lie: known points kept, all others placed inside the county.

Heights are synthetic as well: a smooth random surface, low near known towns, is mapped onto the
county's published height quantiles; villages fall into the height bands below 400 m, 400 to 600 m and
above by the county's settlement-weighted shares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridcheck.arrays import BoolArray, FloatArray, IntArray, frozen
from gridcheck.synthesis.facts import CountyFacts
from gridcheck.synthesis.plane import Plane, distances, inside

_CANDIDATES_PER_VILLAGE = 9
_LOW_M, _HIGH_M = 400.0, 600.0  # bounds of the height bands of `county_elevation`
_HIGH_FALL_M = 250.0  # fall of the density of villages with height above the last bound
_HILLS = 14  # random hills and hollows of the height surface
_HILL_WIDTH_KM = (4.0, 11.0)
_SEAT_TOWN_REACH_KM = 6.0  # a town point nearer than this to the county seat is the seat's town
_TOWN_CENTRE_KM = 0.4  # only the town's own first village lies nearer to its centre
_STREET_REACH_KM = 4.5  # urban street offices lie around the seat


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Towns and villages of a county on its plane; position i follows the tables of `CountyFacts`.

    Attributes
    ----------
    plane : Plane
        Map used.
    outline_xy : ndarray, shape (n_corner, 2)
        County boundary. [km]
    seat_xy : ndarray, shape (2,)
        County seat. [km]
    town_xy : ndarray, shape (n_town, 2)
        Town centres. [km]
    village_xy : ndarray, shape (n_village, 2)
        Village centres. [km]
    village_town : ndarray of int, shape (n_village,)
        Position of the town.
    elevation_m : ndarray, shape (n_village,)
        Height of the village. [m]
    is_known : ndarray of bool, shape (n_village,)
        True where the centre is a GeoNames point (of its town).
    """

    plane: Plane
    outline_xy: FloatArray
    seat_xy: FloatArray
    town_xy: FloatArray
    village_xy: FloatArray
    village_town: IntArray
    elevation_m: FloatArray
    is_known: BoolArray

    def __post_init__(self) -> None:
        n_village = len(self.village_xy)
        for field in ("outline_xy", "town_xy", "village_xy"):
            object.__setattr__(self, field, frozen(getattr(self, field), np.float64, (None, 2), name=field))
        object.__setattr__(self, "seat_xy", frozen(self.seat_xy, np.float64, (2,), name="seat_xy"))
        object.__setattr__(self, "village_town", frozen(self.village_town, np.int64, (n_village,), name="village_town"))
        object.__setattr__(self, "elevation_m", frozen(self.elevation_m, np.float64, (n_village,), name="elevation_m"))
        object.__setattr__(self, "is_known", frozen(self.is_known, np.bool_, (n_village,), name="is_known"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Land:
    xy: FloatArray  # (n, 2) jittered grid inside the county [km]
    elevation_m: FloatArray  # (n,)
    weight: FloatArray  # (n,) how much a village prefers the spot


def place_villages(facts: CountyFacts, rng: np.random.Generator) -> Places:
    """Place all towns and villages of a county.

    Parameters
    ----------
    facts : CountyFacts
        Public facts.
    rng : Generator
        Random stream.

    Returns
    -------
    Places
    """
    lon, lat = facts.outline[:, 0], facts.outline[:, 1]
    plane = Plane(lon0=round(float(lon.mean()), 4), lat0=round(float(lat.mean()), 4))
    outline_xy = plane.to_xy(lon, lat)
    seat_xy = plane.to_xy(np.array([facts.seat_lon]), np.array([facts.seat_lat]))[0]
    known_xy = plane.to_xy(facts.towns["lon"].to_numpy(float), facts.towns["lat"].to_numpy(float))
    anchors = np.vstack([seat_xy[None, :], known_xy[~np.isnan(known_xy[:, 0])]])
    land = _survey_land(facts, outline_xy, anchors, rng)
    village_town = pd.Index(facts.towns["town_code"]).get_indexer(pd.Index(facts.villages["town_code"]))
    town_size = np.bincount(village_town, minlength=len(facts.towns))
    town_xy = _place_towns(facts, known_xy, seat_xy, land, rng)
    spot = _choose_spots(village_town, town_size, town_xy, land, rng)
    village_xy, elevation_m = land.xy[spot].copy(), land.elevation_m[spot].copy()
    is_known = np.zeros(len(village_xy), dtype=bool)
    for town in range(len(facts.towns)):
        members = np.flatnonzero(village_town == town)
        chief = _chief_village(facts, town, members)
        village_xy[chief] = town_xy[town]
        if not np.isnan(known_xy[town, 0]):
            is_known[chief] = True
            elevation_m[chief] = facts.towns["elevation_m"].iloc[town]
    return Places(
        plane=plane,
        outline_xy=outline_xy,
        seat_xy=seat_xy,
        town_xy=town_xy,
        village_xy=village_xy,
        village_town=village_town,
        elevation_m=np.round(elevation_m),
        is_known=is_known,
    )


def _survey_land(facts: CountyFacts, outline_xy: FloatArray, anchors: FloatArray, rng: np.random.Generator) -> _Land:
    n_wanted = _CANDIDATES_PER_VILLAGE * len(facts.villages)
    low, high = outline_xy.min(axis=0), outline_xy.max(axis=0)
    step = float(np.sqrt(facts.elevation["area_km2"] / n_wanted))
    grid_x, grid_y = np.meshgrid(np.arange(low[0], high[0], step), np.arange(low[1], high[1], step))
    xy = np.column_stack([grid_x.ravel(), grid_y.ravel()])
    xy = xy + rng.uniform(-0.38, 0.38, xy.shape) * step
    xy = xy[inside(xy, outline_xy)]
    surface = np.minimum(distances(xy, anchors).min(axis=1) / 25.0, 1.2)
    centres = rng.uniform(low, high, (_HILLS, 2))
    widths, heights = rng.uniform(*_HILL_WIDTH_KM, _HILLS), rng.normal(0.0, 0.55, _HILLS)
    surface = surface + (np.exp(-0.5 * (distances(xy, centres) / widths) ** 2) * heights).sum(axis=1)
    rank = np.argsort(np.argsort(surface, kind="stable"), kind="stable") / (len(xy) - 1)
    quantiles = [facts.elevation[f"elev_{name}"] for name in ("min", "p05", "p25", "p50", "p75", "p95", "max")]
    elevation_m = np.interp(rank, [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0], quantiles)
    return _Land(xy=xy, elevation_m=elevation_m, weight=_settlement_weight(elevation_m, facts.elevation))


def _settlement_weight(elevation_m: FloatArray, figures: dict[str, float]) -> FloatArray:
    """Weight of each height band: its settlement-weighted share over its share of the county's area.

    The bands are below 400 m, 400 to 600 m and above; inside the last one the weight falls with height.
    """
    low, middle = figures["area_share_lt400"], figures["area_share_400_600"]
    settled_low, settled_below_600 = (
        figures["settlement_weighted_share_lt400"],
        figures["settlement_weighted_share_lt600"],
    )
    high = max(1.0 - low - middle, 1e-6)
    is_high = elevation_m >= _HIGH_M
    weight = np.where(elevation_m < _LOW_M, settled_low / max(low, 1e-6), 0.0)
    weight = np.where((elevation_m >= _LOW_M) & ~is_high, (settled_below_600 - settled_low) / max(middle, 1e-6), weight)
    fall = np.exp(-np.maximum(elevation_m - _HIGH_M, 0.0) / _HIGH_FALL_M)
    mean_fall = float(fall[is_high].mean()) if is_high.any() else 1.0
    return np.maximum(np.where(is_high, (1.0 - settled_below_600) / high * fall / mean_fall, weight), 1e-6)


def _place_towns(
    facts: CountyFacts, known_xy: FloatArray, seat_xy: FloatArray, land: _Land, rng: np.random.Generator
) -> FloatArray:
    town_xy = known_xy.copy()
    is_placed = ~np.isnan(town_xy[:, 0])
    near_seat = is_placed & (np.hypot(*(town_xy - seat_xy).T) < _SEAT_TOWN_REACH_KM)
    is_street = facts.towns["town"].str.endswith("街道").to_numpy()
    if not near_seat.any():
        town_xy[int(np.flatnonzero(~is_placed)[0])] = seat_xy
        is_placed[int(np.flatnonzero(~is_placed)[0])] = True
    spacing = 0.85 * np.sqrt(facts.elevation["area_km2"] / len(facts.towns))
    for town in np.flatnonzero(~is_placed):
        gap = distances(land.xy, town_xy[is_placed]).min(axis=1)
        if is_street[town]:
            to_seat = np.hypot(*(land.xy - seat_xy).T)
            weight = land.weight * np.exp(-((to_seat / _STREET_REACH_KM) ** 2)) * np.minimum(gap / 2.0, 1.0) ** 3
        else:
            weight = land.weight * np.minimum(gap / spacing, 1.0) ** 6
        share = np.cumsum(weight)
        town_xy[town] = land.xy[np.searchsorted(share, rng.random() * share[-1])]
        is_placed[town] = True
    return town_xy


def _choose_spots(
    village_town: IntArray, town_size: IntArray, town_xy: FloatArray, land: _Land, rng: np.random.Generator
) -> IntArray:
    """Draw a land point per village around its town, each point once (Gumbel top-k sampling)."""
    gap = distances(land.xy, town_xy)
    territory = np.argmin(gap / np.sqrt(town_size)[None, :], axis=1)
    key = np.log(land.weight) + rng.gumbel(size=len(land.xy))
    is_free = gap.min(axis=1) > _TOWN_CENTRE_KM
    spot = np.full(len(village_town), -1, dtype=np.int64)
    for town in np.argsort(-town_size, kind="stable"):
        members = np.flatnonzero(village_town == town)
        own = np.flatnonzero(is_free & (territory == town))
        if len(own) < 2 * len(members):
            free = np.flatnonzero(is_free)
            own = free[np.argsort(gap[free, town], kind="stable")[: 3 * len(members)]]
        reach = max(1.3 * float(np.median(gap[own, town])), 1.5)
        score = key[own] - 0.5 * (gap[own, town] / reach) ** 2
        picked = own[np.argsort(-score, kind="stable")[: len(members)]]
        # Villages with low codes lie nearer to their town: codes are given from the centre outwards.
        spot[members] = picked[np.argsort(gap[picked, town], kind="stable")]
        is_free[picked] = False
    return spot


def _chief_village(facts: CountyFacts, town: int, members: IntArray) -> int:
    """Position of the village at the town centre: named like the town, otherwise the first code."""
    stem = facts.towns["town"].iloc[town].rstrip("镇乡")[:2]
    for member in members:
        if facts.villages["village"].iloc[member].startswith(stem):
            return int(member)
    return int(members[0])
