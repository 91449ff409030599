"""Switches that cut feeders into sections, and ties between feeders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray, frozen
from gridcheck.synthesis.assumptions import Assumptions
from gridcheck.synthesis.grid import Forest, sum_downstream
from gridcheck.synthesis.plane import distances, sum_by

_LATERAL_SHARE = 0.18  # a lateral with more than this share of the feeder's load may have its own breaker
_LATERAL_BREAKERS = 0.6  # and this share of such laterals has one
_FOUR_SECTIONS_KM, _FIVE_SECTIONS_KM = 9.0, 14.0  # trunks longer than this have four or five sections
_REMOTE_SECTIONS = 0.55
_REMOTE_TIES = 0.4
_MAX_TIES = 3
_SAME_MAIN_KM = 1.2  # a tie to a feeder of the same main transformer must be shorter by this to be preferred
_SAME_SUBSTATION_KM = 0.4
_HILL_M = 650.0  # hill feeders: villages lie farther apart, and some feeders have no tie
_HILL_REACH = 1.5
_LONGEST_TIE_KM = 7.0
_REACH_OF_TRUNK = 0.45  # long trunks in thinly settled land are worth a longer tie
_HILL_WITHOUT_TIE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Switching:
    """Sections and ties of a forest.

    Attributes
    ----------
    has_switch : ndarray of bool, shape (n_node,)
        True where the edge starts a section (switch at its upstream end).
    is_breaker : ndarray of bool, shape (n_node,)
        True for circuit breakers: outlets and laterals.
    is_remote : ndarray of bool, shape (n_node,)
        True where the switch is operated from the control room.
    section : ndarray of int, shape (n_node,)
        Number of the section inside its feeder, from 1; 0 at busbars.
    n_trunk_section : ndarray of int, shape (n_feeder,)
        Sections along the trunk.
    tie_from, tie_to : ndarray of int, shape (n_tie,)
        Nodes a tie connects; it hangs on `tie_from` and is open at `tie_to`.
    tie_is_remote : ndarray of bool, shape (n_tie,)
        True where the tie switch is operated from the control room.
    """

    has_switch: BoolArray
    is_breaker: BoolArray
    is_remote: BoolArray
    section: IntArray
    n_trunk_section: IntArray
    tie_from: IntArray
    tie_to: IntArray
    tie_is_remote: BoolArray

    def __post_init__(self) -> None:
        for field in ("has_switch", "is_breaker", "is_remote", "tie_is_remote"):
            object.__setattr__(self, field, frozen(getattr(self, field), np.bool_, (None,), name=field))
        for field in ("section", "n_trunk_section", "tie_from", "tie_to"):
            object.__setattr__(self, field, frozen(getattr(self, field), np.int64, (None,), name=field))


def place_switches(
    forest: Forest,
    node_mw: FloatArray,
    node_elevation_m: FloatArray,
    assumptions: Assumptions,
    rng: np.random.Generator,
) -> Switching:
    """Cut every feeder into sections and connect feeders by ties.

    Parameters
    ----------
    forest : Forest
        The 10 kV forest.
    node_mw : ndarray, shape (n_node,)
        Winter peak at each node. [MW]
    node_elevation_m : ndarray, shape (n_node,)
        Height of the poles, NaN elsewhere. [m]
    assumptions : Assumptions
        Estimates.
    rng : Generator
        Random stream.

    Returns
    -------
    Switching
    """
    beyond_mw = sum_downstream(forest.parent, node_mw)
    has_switch, is_breaker = np.zeros(forest.n_node, dtype=bool), np.zeros(forest.n_node, dtype=bool)
    n_trunk_section = np.zeros(forest.n_feeder, dtype=np.int64)
    has_switch[forest.feeder_exit] = is_breaker[forest.feeder_exit] = True
    for f in range(forest.n_feeder):
        trunk = np.flatnonzero((forest.feeder == f) & forest.on_trunk)
        cuts = _cut_trunk(trunk, beyond_mw, forest)
        has_switch[cuts] = True
        n_trunk_section[f] = 1 + len(cuts)
        heads = np.flatnonzero((forest.feeder == f) & ~forest.on_trunk & forest.on_trunk[forest.parent])
        heavy = heads[beyond_mw[heads] >= _LATERAL_SHARE * beyond_mw[forest.feeder_exit[f]]]
        breakers = heavy[rng.random(len(heavy)) < _LATERAL_BREAKERS]
        has_switch[breakers] = is_breaker[breakers] = True
    section = _number_sections(forest, has_switch)
    is_remote = has_switch & (rng.random(forest.n_node) < _REMOTE_SECTIONS)
    is_remote[forest.feeder_exit] = True
    tie_from, tie_to = _choose_ties(forest, section, node_elevation_m, assumptions, rng)
    return Switching(
        has_switch=has_switch,
        is_breaker=is_breaker,
        is_remote=is_remote,
        section=section,
        n_trunk_section=n_trunk_section,
        tie_from=tie_from,
        tie_to=tie_to,
        tie_is_remote=rng.random(len(tie_from)) < _REMOTE_TIES,
    )


def _cut_trunk(trunk: IntArray, beyond_mw: FloatArray, forest: Forest) -> IntArray:
    """Choose the trunk edges that start sections 2, 3, ...: even parts of load and of length, half and half."""
    way_km = np.cumsum(forest.length_km[trunk]) - forest.length_km[trunk]
    length_km = float(forest.length_km[trunk].sum())
    wanted = 3 + int(length_km > _FOUR_SECTIONS_KM) + int(length_km > _FIVE_SECTIONS_KM)
    passed = 0.5 * (1.0 - beyond_mw[trunk] / beyond_mw[trunk[0]]) + 0.5 * way_km / length_km
    places, passed = trunk[2:], passed[2:]  # not the exit cable and not the first span
    n_section = min(wanted, len(places) + 1)
    cuts: list[int] = []
    start = 0
    for j in range(1, n_section):
        stop = len(places) - (n_section - 1 - j)  # leave a place for every later cut
        choice = start + int(np.argmin(np.abs(passed[start:stop] - j / n_section)))
        cuts.append(int(places[choice]))
        start = choice + 1
    return np.array(cuts, dtype=np.int64)


def _number_sections(forest: Forest, has_switch: BoolArray) -> IntArray:
    """Give sections numbers inside each feeder: trunk first from the outlet outwards, then laterals."""
    section = np.zeros(forest.n_node, dtype=np.int64)
    used = np.zeros(forest.n_feeder, dtype=np.int64)
    for on_trunk in (True, False):
        for start in np.flatnonzero(has_switch & (forest.on_trunk == on_trunk)):
            used[forest.feeder[start]] += 1
            section[start] = used[forest.feeder[start]]
    for node in range(forest.n_node):
        if section[node] == 0 and forest.parent[node] >= 0:
            section[node] = section[forest.parent[node]]
    return section


def _choose_ties(
    forest: Forest, section: IntArray, node_elevation_m: FloatArray, assumptions: Assumptions, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Give feeders their shortest useful ties, first one each, then a second one for some."""
    trunks = [_tie_places(forest, section, f) for f in range(forest.n_feeder)]
    height = [float(np.nanmedian(node_elevation_m[forest.feeder == f])) for f in range(forest.n_feeder)]
    is_hill = np.array(height) > _HILL_M
    is_alone = is_hill & (rng.random(forest.n_feeder) < _HILL_WITHOUT_TIE)
    wants_second = rng.random(forest.n_feeder) < 0.5
    trunk_km = sum_by(np.maximum(forest.feeder, 0), forest.length_km * forest.on_trunk, forest.n_feeder)
    reach = assumptions.value("tie_reach_km") * np.where(is_hill, _HILL_REACH, 1.0)
    reach = np.maximum(reach, np.minimum(_REACH_OF_TRUNK * trunk_km, _LONGEST_TIE_KM))
    offers = []
    for f in range(forest.n_feeder):
        for g in range(forest.n_feeder):
            if f != g and not is_alone[f] and not is_alone[g]:
                cost, gap, a, b = _best_pair(forest, trunks[f][1], trunks[g][0], (f, g))
                if gap <= reach[f]:
                    offers.append((cost, f, g, a, b))
    count = np.zeros(forest.n_feeder, dtype=np.int64)
    pairs: dict[tuple[int, int], tuple[int, int]] = {}
    for wanted in (1, 2):
        for _, f, g, a, b in sorted(offers):
            if wanted == 2 and not wants_second[f]:
                continue
            if count[f] < wanted and count[g] < _MAX_TIES and (min(f, g), max(f, g)) not in pairs:
                pairs[(min(f, g), max(f, g))] = (a, b)
                count[f] += 1
                count[g] += 1
    chosen = sorted(pairs.values())
    return np.array([a for a, _ in chosen], dtype=np.int64), np.array([b for _, b in chosen], dtype=np.int64)


def _tie_places(forest: Forest, section: IntArray, f: int) -> tuple[IntArray, IntArray]:
    """Trunk poles a tie may start from: all beyond the first section, and those of the last section."""
    trunk = np.flatnonzero((forest.feeder == f) & forest.on_trunk)
    beyond_first = trunk[section[trunk] >= 2]
    last = trunk[section[trunk] == section[trunk].max()]
    return (beyond_first if len(beyond_first) else trunk[1:]), last


def _best_pair(forest: Forest, own: IntArray, other: IntArray, pair: tuple[int, int]) -> tuple[float, float, int, int]:
    gap = distances(forest.xy[own], forest.xy[other])
    i, j = np.unravel_index(int(np.argmin(gap)), gap.shape)
    f, g = pair
    main_f, main_g = forest.feeder_main[f], forest.feeder_main[g]
    cost = float(gap[i, j])
    if main_f == main_g:
        cost += _SAME_MAIN_KM
    elif forest.main_substation[main_f] == forest.main_substation[main_g]:
        cost += _SAME_SUBSTATION_KM
    return cost, float(gap[i, j]), int(own[i]), int(other[j])
