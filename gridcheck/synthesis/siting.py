"""Where substations stand and which villages they serve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import FloatArray, IntArray, frozen
from gridcheck.synthesis.assumptions import Assumptions
from gridcheck.synthesis.places import Places
from gridcheck.synthesis.plane import distances, sum_by

_STARTS = 12  # random starts of the clustering; the cheapest is kept
_ROUNDS = 40
_TOWN_REACH_KM = 3.0  # a substation moves to a town centre that is nearer than this
_OUTSIDE_TOWN_KM = 0.7  # and stands this far outside the centre
_MAX_SUBSTATIONS = 14
_REACHED_SHARE = 0.97  # share of the load that must lie within reach


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Substations:
    """Substations of a county, sorted from west to east.

    Attributes
    ----------
    xy : ndarray, shape (n_substation, 2)
        Place. [km]
    town : ndarray of int, shape (n_substation,)
        Position of the nearest town, which gives the name.
    village_substation : ndarray of int, shape (n_village,)
        Position of the serving substation.
    """

    xy: FloatArray
    town: IntArray
    village_substation: IntArray

    def __post_init__(self) -> None:
        n_substation = len(self.xy)
        object.__setattr__(self, "xy", frozen(self.xy, np.float64, (n_substation, 2), name="xy"))
        object.__setattr__(self, "town", frozen(self.town, np.int64, (n_substation,), name="town"))
        object.__setattr__(
            self, "village_substation", frozen(self.village_substation, np.int64, (None,), name="village_substation")
        )


def site_substations(
    places: Places, village_mw: FloatArray, assumptions: Assumptions, rng: np.random.Generator
) -> Substations:
    """Choose number and places of the substations.

    The number grows until the mean peak per substation is below the estimate and nearly all load lies
    within reach; places are load centres (k-means) moved to the edge of a town near by.

    Parameters
    ----------
    places : Places
        Towns and villages.
    village_mw : ndarray, shape (n_village,)
        Winter peak per village. [MW]
    assumptions : Assumptions
        Estimates.
    rng : Generator
        Random stream.

    Returns
    -------
    Substations
    """
    reach = assumptions.value("substation_reach_km")
    n_least = max(2, int(np.ceil(village_mw.sum() / assumptions.value("substation_peak_mw"))))
    for n_substation in range(n_least, _MAX_SUBSTATIONS + 1):
        centres = _cluster(places.village_xy, village_mw, n_substation, rng)
        gap = distances(places.village_xy, centres).min(axis=1)
        if village_mw[gap <= reach].sum() >= _REACHED_SHARE * village_mw.sum():
            break
    xy, town = _move_to_towns(centres, places, rng)
    order = np.argsort(xy[:, 0], kind="stable")
    xy, town = xy[order], town[order]
    return Substations(xy=xy, town=town, village_substation=distances(places.village_xy, xy).argmin(axis=1))


def _cluster(xy: FloatArray, weight: FloatArray, n_cluster: int, rng: np.random.Generator) -> FloatArray:
    best_cost, best = np.inf, xy[:n_cluster]
    for _ in range(_STARTS):
        centres = xy[rng.choice(len(xy), n_cluster, replace=False, p=weight / weight.sum())]
        for _ in range(_ROUNDS):
            label = distances(xy, centres).argmin(axis=1)
            mass = sum_by(label, weight, n_cluster)
            sums = [sum_by(label, weight * xy[:, axis], n_cluster) for axis in (0, 1)]
            moved = np.where(mass[:, None] > 0.0, np.column_stack(sums) / np.maximum(mass, 1e-9)[:, None], centres)
            if np.allclose(moved, centres, atol=1e-6):
                break
            centres = moved
        cost = float((weight * distances(xy, centres).min(axis=1) ** 2).sum())
        if cost < best_cost - 1e-9:
            best_cost, best = cost, centres
    return best


def _move_to_towns(centres: FloatArray, places: Places, rng: np.random.Generator) -> tuple[FloatArray, IntArray]:
    """Move each load centre to the edge of the nearest town that no other substation has taken."""
    gap = distances(centres, places.town_xy)
    xy, town = centres.copy(), gap.argmin(axis=1)
    taken: list[int] = []
    for k in np.argsort(gap.min(axis=1), kind="stable"):
        nearest = next(int(t) for t in np.argsort(gap[k], kind="stable") if int(t) not in taken)
        town[k] = nearest
        taken.append(nearest)
        if gap[k, nearest] <= _TOWN_REACH_KM:
            angle = rng.uniform(0.0, 2.0 * np.pi)
            xy[k] = places.town_xy[nearest] + _OUTSIDE_TOWN_KM * np.array([np.cos(angle), np.sin(angle)])
    return xy, town
