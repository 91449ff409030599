"""Single areas that could be switched off so that one section more is supplied after an outage.

Where limits bind, a restoration leaves whole sections dark. Some of them could be supplied but for a few areas, which
somebody would have to switch off one by one at their transformers. That is offered as a further step: the section
beside supply that brings most households back when at most `MOST_AREAS` of its areas stay off. Those with the most
load per household go first, and each of them that the limits allow after all is left on: none of what stays off could
be switched on by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.checks.full_ways import islands, one_more
from gridcheck.checks.islands import DarkGraph
from gridcheck.checks.judgement import NormalState, judged_elements, outcomes_of
from gridcheck.checks.outcomes import Outcome
from gridcheck.checks.search import Way
from gridcheck.checks.trees import Switching, Trees
from gridcheck.network.section_tree import switched_ends
from gridcheck.powerflow import SwitchStates, TopologySolver, switchable

MOST_AREAS = 6
"""Areas that are switched off by hand at most: more would take longer than it helps."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shedding:
    """A section more, and what stays off in it.

    Attributes
    ----------
    bus : ndarray of int
        Loaded buses that stay off, ascending.
    households : int
        Households that come back beside those of the restoration.
    load_kw : float
        Their load. [kW]
    switching : Switching
        The switch state with the section more.
    worst : Outcome
        Worst values in the tree that has it, within limits.
    """

    bus: IntArray
    households: int
    load_kw: float
    switching: Switching
    worst: Outcome


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BusCensus:
    """Load of each bus at the peak of the feeder in kW, and households; both of shape (n_bus,)."""

    load_kw: FloatArray
    households: IntArray


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A way with one section more, the root of the tree that gets it, and the new sections."""

    way: Way
    root: int
    section: IntArray


def least_shedding(state: NormalState, graph: DarkGraph, trees: Trees, way: Way, census: BusCensus) -> Shedding | None:
    """Find the section more that helps most.

    Parameters
    ----------
    state : NormalState
        The network in normal operation; nothing is offered where loads feed in or follow the voltage.
    graph : DarkGraph
        What the outage leaves dark.
    trees : Trees
        Judges its ways.
    way : Way
        The restoration.
    census : BusCensus
        What hangs on each bus.

    Returns
    -------
    Shedding or None
        None where no section can be supplied in part.
    """
    if state.solver is None or not state.is_consuming:
        return None
    attempts = [
        _Attempt(more, root, graph.section[[p for p in range(graph.n_dark) if (more.served & ~way.served) >> p & 1]])
        for part in islands(graph)
        for more, _, root in one_more(graph, way, part)
    ]
    if not attempts:
        return None
    loads = _loads(state, trees.is_after)
    nothing = LoadCases(p_mw=np.zeros_like(loads.p_mw), q_mvar=np.zeros_like(loads.q_mvar))
    solver = TopologySolver(switchable(state.network), loads, loads_after=nothing)
    found = [one for attempt in attempts if (one := _partly(state, trees, census, solver, attempt)) is not None]
    return max(found, key=lambda one: (one.households, one.load_kw, -len(one.bus)), default=None)


def _loads(state: NormalState, is_after: BoolArray | None) -> LoadCases:
    """Return the loads of the cases in which some buses draw what they do after an outage."""
    loads = _cases(state.loads)
    if state.loads_after is None or is_after is None:
        return loads
    after = _cases(state.loads_after)
    return LoadCases(
        p_mw=np.where(is_after, after.p_mw, loads.p_mw), q_mvar=np.where(is_after, after.q_mvar, loads.q_mvar)
    )


def _cases(loads: LoadCases | FactoredLoads) -> LoadCases:
    return loads if isinstance(loads, LoadCases) else loads.cases()


def _partly(
    state: NormalState, trees: Trees, census: BusCensus, solver: TopologySolver, attempt: _Attempt
) -> Shedding | None:
    """Supply the new sections of an attempt but for the fewest areas, None where too many would stay off."""
    bus = np.flatnonzero(np.isin(state.sections.bus_section, attempt.section) & _is_loaded(census))
    per_home = census.load_kw[bus] / np.maximum(census.households[bus], 0.5)
    bus = bus[np.lexsort((bus, -per_home))]
    most = min(MOST_AREAS, len(bus) - 1)
    if most < 1:
        return None
    closed, feeders = trees.below(dict(attempt.way.roots)[attempt.root])
    ends = switched_ends(state.network, state.sections, closed[None])

    def judged(off: list[IntArray]) -> list[Outcome]:
        mask = np.zeros((len(off), state.network.n_bus), dtype=bool)
        for row, some in zip(mask, off, strict=True):
            row[some] = True
        states = SwitchStates(
            ends=np.repeat(ends, len(off), axis=0), root=np.full(len(off), attempt.root), is_after=mask
        )
        return outcomes_of(state, solver.solve(states, judged_elements(state, feeders, len(off))))

    prefixes = [bus[:k] for k in range(1, most + 1)]
    held = [i for i, outcome in enumerate(judged(prefixes)) if outcome.is_within_limits]
    if not held:
        return None
    off = _without_needless(prefixes[held[0]], census, judged)
    on = np.setdiff1d(bus, off)
    return Shedding(
        bus=np.sort(off),
        households=int(census.households[on].sum()),
        load_kw=float(census.load_kw[on].sum()),
        switching=trees.switching(attempt.way),
        worst=judged([off])[0],
    )


def _without_needless(off: IntArray, census: BusCensus, judged: Callable[[list[IntArray]], list[Outcome]]) -> IntArray:
    """Leave on what the limits allow after all, the most households first."""
    while len(off) > 1:
        fewer = [np.delete(off, i) for i in range(len(off))]
        fits = [i for i, outcome in enumerate(judged(fewer)) if outcome.is_within_limits]
        if not fits:
            break
        off = fewer[max(fits, key=lambda i: (census.households[off[i]], census.load_kw[off[i]], -i))]
    return off


def _is_loaded(census: BusCensus) -> BoolArray:
    loaded: BoolArray = (census.load_kw != 0.0) | (census.households > 0)
    return loaded
