"""Feeders: sectors of villages around a substation, and the tree of lines through their poles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.synthesis.assumptions import Assumptions
from gridcheck.synthesis.grid import Forest, path_from_root, sum_downstream
from gridcheck.synthesis.places import Places
from gridcheck.synthesis.plane import distances, sum_by
from gridcheck.synthesis.siting import Substations

# Weight of the way already travelled when a pole is joined to the tree (0: shortest lines, 1: shortest ways).
_WAY_WEIGHT = 0.35
_SHARED_POLE_REACH_KM = 0.6
_TWO_UNITS_FROM_MW = 3.8  # a substation above this winter peak has two main transformers
_DETOUR_SPREAD = 0.04
_EXIT_CABLE_KM = (0.08, 0.30)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Poles:
    xy: FloatArray  # (n_pole, 2) [km]
    village: IntArray  # (n_pole,)
    load_mw: FloatArray  # (n_pole,)
    area_pole: IntArray  # (n_area,)


def route_feeders(
    places: Places,
    substations: Substations,
    areas: pd.DataFrame,
    area_mw: FloatArray,
    assumptions: Assumptions,
    rng: np.random.Generator,
) -> Forest:
    """Build the 10 kV forest of a county.

    Parameters
    ----------
    places, substations
        Where things are.
    areas : DataFrame
        Areas with lon, lat and village_code, sorted by village.
    area_mw : ndarray, shape (n_area,)
        Winter peak. [MW]
    assumptions : Assumptions
        Estimates.
    rng : Generator
        Random stream.

    Returns
    -------
    Forest
        Feeders are numbered by substation and then by direction.
    """
    poles = _set_poles(places, areas, area_mw, assumptions, rng)
    village_feeder, feeder_substation, feeder_unit = _form_feeders(places, substations, poles, assumptions)
    return _assemble(substations, poles, (village_feeder, feeder_substation, feeder_unit), assumptions, rng)


def _set_poles(
    places: Places, areas: pd.DataFrame, area_mw: FloatArray, assumptions: Assumptions, rng: np.random.Generator
) -> _Poles:
    """Give every area a pole of its own or a neighbour's pole in the same village."""
    xy = places.plane.to_xy(areas["lon"].to_numpy(), areas["lat"].to_numpy())
    village = pd.factorize(areas["village_code"])[0]
    wants_to_share = rng.random(len(xy)) < assumptions.value("shared_pole_share")
    area_pole = np.zeros(len(xy), dtype=np.int64)
    chosen: list[int] = []
    start = 0
    for k in range(len(xy)):
        if k == 0 or village[k] != village[k - 1]:
            start = len(chosen)
        elif wants_to_share[k]:
            gap = np.hypot(*(xy[chosen[start:]] - xy[k]).T)
            if gap.min() < _SHARED_POLE_REACH_KM:
                area_pole[k] = start + int(gap.argmin())
                continue
        area_pole[k] = len(chosen)
        chosen.append(k)
    return _Poles(
        xy=xy[chosen],
        village=village[chosen],
        load_mw=sum_by(area_pole, area_mw, len(chosen)),
        area_pole=area_pole,
    )


def _form_feeders(
    places: Places, substations: Substations, poles: _Poles, assumptions: Assumptions
) -> tuple[IntArray, IntArray, IntArray]:
    """Cut the villages of every substation into sectors; returns feeder per village, substation and unit per feeder."""
    n_village = len(places.village_xy)
    village_mw = sum_by(poles.village, poles.load_mw, n_village)
    n_area = np.bincount(poles.village[poles.area_pole], minlength=n_village)
    village_feeder = np.zeros(n_village, dtype=np.int64)
    feeder_substation: list[int] = []
    feeder_unit: list[int] = []
    for k in range(len(substations.xy)):
        members = np.flatnonzero(substations.village_substation == k)
        load = village_mw[members]
        by_areas = n_area[members].sum() / assumptions.value("areas_per_feeder")
        by_load = load.sum() / assumptions.value("feeder_peak_mw")
        n_feeder = min(max(2, round(by_areas), int(np.ceil(by_load))), len(members))
        weight = load / load.sum() + n_area[members] / n_area[members].sum()
        sector = _sectors(places.village_xy[members] - substations.xy[k], weight, n_feeder)
        village_feeder[members] = len(feeder_substation) + sector
        n_unit = 2 if load.sum() > _TWO_UNITS_FROM_MW else 1
        feeder_substation += [k] * n_feeder
        # Neighbouring sectors hang on different main transformers, so that ties between them help when one is lost.
        feeder_unit += [f % n_unit for f in range(n_feeder)]
    return village_feeder, np.array(feeder_substation), np.array(feeder_unit)


def _sectors(offset_xy: FloatArray, weight: FloatArray, n_sector: int) -> IntArray:
    """Sectors of equal weight by direction; the turn with the most even and most compact sectors wins."""
    angle = np.arctan2(offset_xy[:, 1], offset_xy[:, 0])
    order = np.argsort(angle, kind="stable")
    best_cost, best = np.inf, np.zeros(len(weight), dtype=np.int64)
    for turn in range(len(order)):
        turned = np.roll(order, -turn)
        middle = np.cumsum(weight[turned]) - 0.5 * weight[turned]
        sector = np.zeros(len(weight), dtype=np.int64)
        sector[turned] = np.minimum((middle / weight.sum() * n_sector).astype(np.int64), n_sector - 1)
        mass = sum_by(sector, weight, n_sector)
        if (mass == 0.0).any():
            continue
        centre = np.column_stack([sum_by(sector, weight * offset_xy[:, a], n_sector) / mass for a in (0, 1)])
        compact = float((weight * np.hypot(*(offset_xy - centre[sector]).T)).sum() / weight.sum())
        cost = compact + 6.0 * float(mass.std() / mass.mean())
        if cost < best_cost - 1e-9:
            best_cost, best = cost, sector
    return best


def _assemble(
    substations: Substations,
    poles: _Poles,
    feeders: tuple[IntArray, IntArray, IntArray],
    assumptions: Assumptions,
    rng: np.random.Generator,
) -> Forest:
    village_feeder, feeder_substation, feeder_unit = feeders
    units = sorted(set(zip(feeder_substation.tolist(), feeder_unit.tolist(), strict=True)))
    n_main, detour = len(units), assumptions.value("line_detour")
    parent, feeder, length_km = [-1] * n_main, [-1] * n_main, [0.0] * n_main
    on_trunk, exits = [False] * n_main, []
    xy = [substations.xy[s] + np.array([0.05 * u, 0.0]) for s, u in units]
    node_of_pole = np.zeros(len(poles.xy), dtype=np.int64)
    feeder_main = np.array(
        [units.index(unit) for unit in zip(feeder_substation.tolist(), feeder_unit.tolist(), strict=True)]
    )
    for f, main in enumerate(feeder_main):
        members = np.flatnonzero(village_feeder[poles.village] == f)
        root = xy[main]
        order, up = _grow_tree(poles.xy[members], root)
        first = poles.xy[members[order[0]]]
        cable_km = rng.uniform(*_EXIT_CABLE_KM)
        exit_node = len(parent)
        exits.append(exit_node)
        towards = (first - root) / max(float(np.hypot(*(first - root))), 1e-6)
        xy.append(root + towards * min(cable_km, 0.5 * float(np.hypot(*(first - root)))))
        parent.append(int(main))
        length_km.append(cable_km)
        trunk = _trunk(poles.xy[members], poles.load_mw[members], order, up)
        on_trunk += [True, *trunk[order]]
        node_of_pole[members[order]] = exit_node + 1 + np.arange(len(order))
        for pole in order:
            upper = exit_node if up[pole] < 0 else int(node_of_pole[members[up[pole]]])
            parent.append(upper)
            xy.append(poles.xy[members[pole]])
            gap = float(np.hypot(*(xy[-1] - xy[upper])))
            length_km.append(max(gap, 0.05) * (detour + rng.uniform(-_DETOUR_SPREAD, _DETOUR_SPREAD)))
        feeder += [f] * (1 + len(order))
    return Forest(
        parent=np.array(parent),
        feeder=np.array(feeder),
        xy=np.array(xy),
        length_km=np.round(length_km, 4),
        on_trunk=np.array(on_trunk),
        busbar_main=np.arange(n_main),
        main_substation=np.array([s for s, _ in units]),
        feeder_main=feeder_main,
        feeder_exit=np.array(exits),
        area_node=node_of_pole[poles.area_pole],
    )


def _grow_tree(xy: FloatArray, root_xy: FloatArray) -> tuple[IntArray, IntArray]:
    """Join poles one by one where line plus a share of the way is shortest; returns order and upper pole (-1 first)."""
    n_pole = len(xy)
    gap = distances(xy, xy)
    to_root = np.hypot(*(xy - root_xy).T)
    way, up = np.zeros(n_pole), np.full(n_pole, -1, dtype=np.int64)
    first = int(np.argmin(to_root))
    way[first] = to_root[first]
    order = [first]
    is_free = np.ones(n_pole, dtype=bool)
    is_free[first] = False
    cost = gap[first] + _WAY_WEIGHT * way[first]
    up[is_free] = first
    while is_free.any():
        pole = int(np.argmin(np.where(is_free, cost, np.inf)))
        is_free[pole] = False
        way[pole] = way[up[pole]] + gap[up[pole], pole]
        order.append(pole)
        offer = gap[pole] + _WAY_WEIGHT * way[pole]
        is_better = is_free & (offer < cost - 1e-12)
        cost, up = np.where(is_better, offer, cost), np.where(is_better, pole, up)
    return np.array(order), up


def _trunk(xy: FloatArray, load_mw: FloatArray, order: IntArray, up: IntArray) -> BoolArray:
    """Mark the poles on the way to the heavy far end: at each branching the part with the largest load moment."""
    n_pole = len(order)
    rank = np.empty(n_pole, dtype=np.int64)
    rank[order] = np.arange(n_pole)
    parent = np.array([-1 if up[p] < 0 else rank[up[p]] for p in order])
    step = np.array([0.0 if up[p] < 0 else float(np.hypot(*(xy[p] - xy[up[p]]))) for p in order])
    far = path_from_root(parent, step)
    moment = sum_downstream(parent, load_mw[order] * far)
    beyond = sum_downstream(parent, load_mw[order])
    on_trunk = np.zeros(n_pole, dtype=bool)
    node = 0
    while True:
        on_trunk[order[node]] = True
        children = np.flatnonzero(parent == node)
        if len(children) == 0:
            return on_trunk
        pull = moment[children] - beyond[children] * far[node]
        node = int(children[np.argmax(pull)])
