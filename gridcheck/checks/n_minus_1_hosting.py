"""N-1 hosting capacity: load that a feeder can take on so that each of its outages is still restored at all times."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.catalogue import heater_ratings, heaters
from gridcheck.checks.outage_trees import OutageTrees
from gridcheck.checks.worst_cases import select_cases
from gridcheck.units import KW_PER_MW

_DEVICE = "air_air_heat_pump"
# First load that is tried, and where the search upwards ends. [kW]
_FIRST_KW, _LAST_KW = 64.0, 1e7
# How near to the capacity the result is, of its value and at least. [1], [kW]
_NEAR, _NEAR_KW = 2e-3, 0.01
_AT_A_TIME = 512


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hosting:
    """Hosting capacities of feeders.

    Attributes
    ----------
    kw : ndarray, shape (n_feeder,)
        Largest load that was seen to hold, within 0.2 % of one that does not; 0 where N-1 fails already. [kW]
    outage : ndarray of int, shape (n_feeder,)
        Outage with the smallest margin at the least load that was seen to fail; -1 where none was looked for.
    """

    kw: FloatArray
    outage: IntArray


def usual_heat_pump_kw() -> float:
    """Return the rated input of the most frequent air-to-air heat pump of the catalogue. [kW]"""
    ratings = heater_ratings()
    ratings = ratings[ratings["device"] == _DEVICE]
    return float(ratings.sort_values("share", kind="stable")["rated_kw"].iloc[-1])


def heating_tan_phi() -> float:
    """Return reactive over active power of an air-to-air heat pump. [1]"""
    cos_phi = float(heaters()["cos_phi"].loc[_DEVICE])
    return float(np.sqrt(1.0 - cos_phi**2) / cos_phi)


def n_minus_1_hosting(
    trees: OutageTrees,
    outage_feeder: IntArray,
    bus_feeder: IntArray,
    households: IntArray,
    *,
    counts: BoolArray | None = None,
    threads: int | None = 1,
) -> Hosting:
    """Find the hosting capacity of every feeder by bisection, all feeders side by side.

    Parameters
    ----------
    trees : OutageTrees
        The outages and what they touch.
    outage_feeder : ndarray of int, shape (n_outage,)
        Feeder of each outage.
    bus_feeder : ndarray of int, shape (n_bus,)
        Feeder of each bus, -1 at busbars and above.
    households : ndarray of int, shape (n_bus,)
        Households at each bus; the load is spread in proportion to them.
    counts : ndarray of bool, shape (n_outage,), optional
        Outages that have to hold, all where not given. A feeder none of whose outages counts has 0 and no outage.
    threads : int, optional
        Threads of the solver.

    Returns
    -------
    Hosting

    Notes
    -----
    Load is added to one feeder at a time, the same in all cases, so that the worst cases of a network that only
    consumes stay the worst. Elements of feeders that do not take part count as in `judge`, where "before" is the
    normal state without the added load.
    """
    n_feeder = int(outage_feeder.max(initial=-1)) + 1
    share = _shares(bus_feeder, households, n_feeder)
    counts = np.ones(len(outage_feeder), dtype=bool) if counts is None else counts
    search = _Search(trees, outage_feeder, bus_feeder, share, counts, threads)
    holds, fails = np.zeros(n_feeder), np.full(n_feeder, np.inf)
    is_open = np.zeros(n_feeder, dtype=bool)
    is_open[bus_feeder[share > 0]] = True
    is_open &= np.bincount(outage_feeder[counts], minlength=n_feeder) > 0
    outage = np.full(n_feeder, -1, dtype=np.int64)
    add_kw = np.zeros(n_feeder)
    while is_open.any():
        margin, worst = search.margins(add_kw, is_open)
        is_held = is_open & (margin >= 0.0)
        is_broken = is_open & ~is_held
        holds[is_held] = add_kw[is_held]
        fails[is_broken], outage[is_broken] = add_kw[is_broken], worst[is_broken]
        is_open &= (fails - holds > np.maximum(_NEAR * holds, _NEAR_KW)) & (holds < _LAST_KW)
        middle = 0.5 * (holds + np.where(np.isinf(fails), holds, fails))
        add_kw = np.where(np.isinf(fails), np.maximum(_FIRST_KW, 2.0 * holds), middle)
    return Hosting(kw=holds, outage=outage)


def hosting_with_way(
    trees: OutageTrees,
    outage_feeder: IntArray,
    bus_feeder: IntArray,
    households: IntArray,
    *,
    of_all: Hosting,
    threads: int | None = 1,
) -> Hosting:
    """Find the hosting capacity over those outages alone that have a way to supply everything again.

    Parameters
    ----------
    trees, outage_feeder, bus_feeder, households, threads
        As in `n_minus_1_hosting`.
    of_all : Hosting
        What that found, which is the answer for feeders all of whose outages have a way.

    Returns
    -------
    Hosting
        0 where no outage of the feeder has a way.
    """
    has_way = trees.n_way > 0
    lacks = np.bincount(outage_feeder[~has_way], minlength=len(of_all.kw)) > 0
    counts = has_way & lacks[outage_feeder]
    found = n_minus_1_hosting(trees, outage_feeder, bus_feeder, households, counts=counts, threads=threads)
    return Hosting(kw=np.where(lacks, found.kw, of_all.kw), outage=np.where(lacks, found.outage, of_all.outage))


def _shares(bus_feeder: IntArray, households: IntArray, n_feeder: int) -> FloatArray:
    """Return the share of each bus in the load that is added to its feeder, shape (n_bus,)."""
    homes = np.where(bus_feeder >= 0, households, 0).astype(float)
    total = np.bincount(np.maximum(bus_feeder, 0), weights=homes, minlength=max(n_feeder, 1))
    of_feeder = total[np.maximum(bus_feeder, 0)]
    result: FloatArray = np.divide(homes, of_feeder, out=np.zeros_like(homes), where=of_feeder > 0)
    return result


@dataclass(frozen=True, slots=True)
class _Search:
    trees: OutageTrees
    outage_feeder: IntArray
    bus_feeder: IntArray
    share: FloatArray
    counts: BoolArray
    threads: int | None

    def margins(self, add_kw: FloatArray, is_open: BoolArray) -> tuple[FloatArray, IntArray]:
        """Return the smallest margin of each open feeder with its added load, and the outage that has it."""
        tree_feeder = self.outage_feeder[self.trees.tree_outage]
        chosen = np.flatnonzero(is_open[tree_feeder] & self.counts[self.trees.tree_outage])
        is_after = self.bus_feeder[None] == tree_feeder[chosen, None]
        add_mw = self.share * np.where(self.bus_feeder >= 0, add_kw[np.maximum(self.bus_feeder, 0)], 0.0) / KW_PER_MW
        loads = self.trees.state.loads
        by_outage = np.full(len(self.outage_feeder), np.inf)
        for first in range(0, loads.n_case, _AT_A_TIME):
            some = select_cases(loads, np.arange(first, min(first + _AT_A_TIME, loads.n_case)))
            after = (with_added(some, add_mw, heating_tan_phi()), is_after)
            margin = self.trees.margins(some, chosen=chosen, after=after, threads=self.threads)
            by_outage = np.fmin(by_outage, self.trees.outage_margins(margin).min(axis=1))
        lowest, worst = np.full(len(add_kw), np.inf), np.full(len(add_kw), -1, dtype=np.int64)
        for outage in np.flatnonzero(self.counts).tolist():
            feeder, margin_of = int(self.outage_feeder[outage]), by_outage[outage]
            if worst[feeder] < 0 or margin_of < lowest[feeder]:
                lowest[feeder], worst[feeder] = margin_of, outage
        return lowest, worst


def with_added(loads: LoadCases | FactoredLoads, add_mw: FloatArray, tan_phi: float) -> LoadCases | FactoredLoads:
    """Return loads with the same load added in every case.

    Parameters
    ----------
    loads : LoadCases or FactoredLoads
        What is drawn already.
    add_mw : ndarray, shape (n_bus,)
        Load that is added at each bus. [MW]
    tan_phi : float
        Its reactive over its active power. [1]
    """
    if isinstance(loads, LoadCases):
        return replace(loads, p_mw=loads.p_mw + add_mw, q_mvar=loads.q_mvar + tan_phi * add_mw)
    return replace(
        loads,
        p_weight_mw=np.column_stack([loads.p_weight_mw, add_mw]),
        q_weight_mvar=np.column_stack([loads.q_weight_mvar, tan_phi * add_mw]),
        profile=np.column_stack([loads.profile, np.ones(loads.n_case)]),
    )
