"""Ties: new normally open links for feeders that stay dark after an outage.

A tie carries nothing in normal operation, so it unlocks nobody; what it brings is load that comes back after a fault.
That is found by repeating the N-1 check of both feeders with the tie built.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

import numpy as np

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.demand.profiles import ClassCounts
from gridcheck.network.county import CountyGrid
from gridcheck.network.records import BranchKind
from gridcheck.reinforcement.changes import build
from gridcheck.reinforcement.measures import Candidate, Project, TieLine
from gridcheck.reinforcement.options import Option, item_of
from gridcheck.reinforcement.situation import DecidedCounty, OutageRow, Situation
from gridcheck.reinforcement.terms import Terms
from gridcheck.units import KW_PER_MW

_LINE = ("mv_line_150", "JKLYJ-10-150")
_SWITCH = "tie_switch"
# Ties are proposed for this many feeders, those that leave the most load off first: each costs a study of outages.
_FEEDERS = 10
_KM_PER_DEGREE = 111.32


def is_tie(candidate: Candidate) -> bool:
    """Tell whether a candidate is a tie."""
    return any(isinstance(change, TieLine) for change in candidate.changes)


def unsupplied_kw(rows: Iterable[OutageRow]) -> float:
    """Sum the healthy load that stays off over single outages; what could not be solved counts as off. [kW]"""
    return math.fsum(row.lost_kw - (0.0 if math.isnan(row.restored_kw) else row.restored_kw) for row in rows)


def tie_options(situation: Situation) -> list[Option]:
    """Return what lets the feeders that leave most healthy load off after outages pass N-1.

    That is the least measure where one is known, and a tie to the nearest neighbour elsewhere.

    Parameters
    ----------
    situation : Situation
        The county.

    Returns
    -------
    list of Option
        By feeder; empty where outages were not studied. Ends are at the poles of areas, whose positions are known.
    """
    county = situation.county
    if county.outage_study is None:
        return []
    dark_kw = {str(feeder_id): 0.0 for feeder_id in county.grid.feeders["feeder_id"]}
    for row in county.outages:
        if row.feeder_id in dark_kw:
            dark_kw[row.feeder_id] += unsupplied_kw((row,))
    ids = list(dark_kw)
    worst = sorted((i for i in range(len(ids)) if dark_kw[ids[i]] > 0.0), key=lambda i: (-dark_kw[ids[i]], i))
    result: list[Option] = []
    joined = _joined_feeders(county.grid)
    for feeder in sorted(worst[:_FEEDERS]):
        known = county.least_measures.get(ids[feeder], ())
        pairs = [_pair(ids, change) for one in known for change in one.changes if isinstance(change, TieLine)]
        if pairs:
            joined.update(pairs)
            result.append(_package(ids[feeder], known))
            continue
        for km, ends in nearest_links(county.grid, feeder, _outer_areas(county.grid, feeder), joined)[:1]:
            option = tie_option(county.grid, county.terms, ends, km)
            if option is not None:
                joined.add(frozenset((feeder, int(county.grid.area_feeder[ends[1]]))))
                result.append(option)
    return result


def _pair(ids: list[str], tie: TieLine) -> frozenset[int]:
    return frozenset((ids.index(tie.feeder_id), ids.index(tie.other_feeder_id)))


def _package(feeder_id: str, options: tuple[Option, ...]) -> Option:
    """Join measures into one option; the tie gives it its name."""
    first = sorted(options, key=lambda one: not any(isinstance(change, TieLine) for change in one.changes))
    return Option(
        feeder_id=feeder_id,
        area_id="",
        group=f"tie:{feeder_id}",
        measures=tuple(dict.fromkeys(code for one in first for code in one.measures)),
        description="; ".join(one.description for one in first),
        items=tuple(item for one in first for item in one.items),
        changes=tuple(change for one in options for change in one.changes),
    )


def evaluate_tie(county: DecidedCounty, counts: ClassCounts, candidate: Candidate) -> Project:
    """Evaluate ties, and what is built with them, by repeating the outages of the feeders they join.

    Parameters
    ----------
    county : DecidedCounty
        The county, with its outages and the function that repeats them.
    counts : ClassCounts
        Homes and heaters per area at the end of the queue.
    candidate : Candidate
        The tie.

    Returns
    -------
    Project
        ``unsupplied_mwh_removed`` is the healthy load that comes back, summed over single outages, times the time of
        repair; it is not weighed by how often lines fail.
    """
    ties = [change for change in candidate.changes if isinstance(change, TieLine)]
    assert county.outage_study is not None
    grid = build(county.grid, candidate.changes)
    feeders = sorted({feeder_id for tie in ties for feeder_id in (tie.feeder_id, tie.other_feeder_id)})
    before_kw = unsupplied_kw(row for row in county.outages if row.feeder_id in feeders)
    after_kw = unsupplied_kw(row for feeder_id in feeders for row in county.outage_study(grid, counts, feeder_id))
    removed_mwh = (before_kw - after_kw) / KW_PER_MW * county.terms.repair_h
    return Project(candidate=candidate, households_unlocked=0, unsupplied_mwh_removed=removed_mwh)


def _joined_feeders(grid: CountyGrid) -> set[frozenset[int]]:
    """Return the pairs of feeders that have a tie already."""
    branches = grid.network.branches
    ends = [
        frozenset((int(grid.bus_feeder[branches.from_bus[k]]), int(grid.bus_feeder[branches.to_bus[k]])))
        for k, role in enumerate(grid.branch_role)
        if role == "tie"
    ]
    return set(ends)


def _outer_areas(grid: CountyGrid, feeder: int) -> IntArray:
    """Return the areas of a feeder behind its first section, with which a tie would be lost; all where none are."""
    own = np.flatnonzero(grid.area_feeder == feeder)
    outer = own[grid.areas["section_id"].to_numpy()[own] != _first_section(grid, feeder)]
    return outer if len(outer) else own


def nearest_links(
    grid: CountyGrid, feeder: int, own: IntArray, joined: Collection[frozenset[int]] = ()
) -> list[tuple[float, tuple[int, int]]]:
    """Return distance and both areas of the shortest link to every other feeder, nearest first.

    Parameters
    ----------
    grid : CountyGrid
        The county.
    feeder : int
        Row of the feeder.
    own : ndarray of int
        Its areas at which the link may begin.
    joined : collection of frozenset of int
        Pairs of feeders that need none.

    Returns
    -------
    list of (float, (int, int))
        Straight distance in km, area of the feeder, area of the other.
    """
    xy = _plane_km(grid)
    found = []
    for other in range(len(grid.feeders)):
        theirs = np.flatnonzero(grid.area_feeder == other)
        if other == feeder or frozenset((feeder, other)) in joined or not len(theirs) or not len(own):
            continue
        km = np.hypot(*(xy[own][:, None, :] - xy[theirs][None, :, :]).transpose(2, 0, 1))
        a, b = np.unravel_index(int(km.argmin()), km.shape)
        found.append((float(km[a, b]), (int(own[a]), int(theirs[b]))))
    return sorted(found)


def _first_section(grid: CountyGrid, feeder: int) -> str:
    """Return the section at the outlet of a feeder: a tie there is lost with it."""
    branches = grid.network.branches
    outlet = (branches.kind == BranchKind.LINE) & (branches.branch_id == int(grid.feeders["outlet_line"].iloc[feeder]))
    return grid.branch_section[int(np.flatnonzero(outlet)[0])]


def _plane_km(grid: CountyGrid) -> FloatArray:
    """Return the places of the areas on a plane, shape (n_area, 2). [km]"""
    lon, lat = (grid.areas[column].to_numpy(dtype=np.float64) for column in ("lon", "lat"))
    east = lon * _KM_PER_DEGREE * np.cos(np.deg2rad(lat.mean()))
    return np.stack([east, lat * _KM_PER_DEGREE], axis=1)


def tie_option(
    grid: CountyGrid, terms: Terms, ends: tuple[int, int], distance_km: float, *, number: int = 1
) -> Option | None:
    """Return a tie between two areas, None where it would be too long.

    Parameters
    ----------
    grid, terms
        The county, prices and estimates.
    ends : (int, int)
        Areas, the first of the feeder that is helped.
    distance_km : float
        Straight distance. [km]
    number : int
        Which new tie between the two feeders it is.
    """
    length_km = round(max(terms.tie_min_km, distance_km * terms.tie_detour_factor), 3)
    if length_km > terms.tie_max_km:
        return None
    feeder_id, other_id = (str(grid.feeders["feeder_id"].iloc[i]) for i in grid.area_feeder[list(ends)])
    poles = [int(grid.network.bus_id[grid.network.branches.from_bus[grid.area_branch[area]]]) for area in ends]
    measure, type_name = _LINE
    change = TieLine(
        tie_id=f"{feeder_id}-{other_id.rsplit('-', 1)[-1]}N{number if number > 1 else ''}",
        feeder_id=feeder_id,
        other_feeder_id=other_id,
        from_bus_id=poles[0],
        to_bus_id=poles[1],
        type_name=type_name,
        length_km=length_km,
    )
    return Option(
        feeder_id=feeder_id,
        area_id="",
        group=f"tie:{feeder_id}",
        measures=(_SWITCH, measure),
        description=f"{feeder_id} – {other_id}: {type_name} {length_km:.2f} km",
        items=(
            item_of(terms, _SWITCH, elements=(f"bus:{poles[1]}",)),
            item_of(
                terms, measure, length_km, type_name=type_name, elements=tuple(f"bus:{bus_id}" for bus_id in poles)
            ),
        ),
        changes=(change,),
    )
