"""Choose the ties by which the healthy parts behind an outage are supplied again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, IntArray
from gridcheck.checks.judgement import NormalState, Outcome, judge, worst_of
from gridcheck.checks.outages import CutOff
from gridcheck.checks.records import NMinus1Status
from gridcheck.network.sections import NONE

_GRAVITY = tuple(NMinus1Status)


def gravest(statuses: list[NMinus1Status]) -> NMinus1Status:
    """Return the gravest of some statuses, SECURE of none."""
    return max(statuses, key=_GRAVITY.index, default=NMinus1Status.SECURE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Switching:
    """A switch state, and what it supplies from where.

    Attributes
    ----------
    closed : ndarray of bool, shape (n_edge,)
        State of every switch edge.
    source_branch : ndarray of int, shape (n_bus,)
        Branch by which the supply of each bus leaves its source; -1 at sources and without supply.
    supplied : ndarray of bool, shape (n_section,)
        Sections that a source reaches.
    ties : tuple of int
        Ties that were closed, in order.
    tie_source : tuple of int
        The source branch that each of them takes its supply from.
    """

    closed: BoolArray
    source_branch: IntArray
    supplied: BoolArray
    ties: tuple[int, ...] = ()
    tie_source: tuple[int, ...] = ()

    def with_tie(self, state: NormalState, tie: int, island: IntArray) -> Switching:
        """Close one more tie, so that it takes over an island."""
        branches = state.network.branches
        k = int(state.sections.edge_branch[state.ties.edge[tie]])
        in_island = np.isin(state.sections.bus_section, island)
        receiving = int(branches.to_bus[k] if in_island[branches.from_bus[k]] else branches.from_bus[k])
        source = int(self.source_branch[receiving])
        source = k if source == NONE else source  # the tie starts at the source itself
        closed, source_branch, supplied = self.closed.copy(), self.source_branch.copy(), self.supplied.copy()
        closed[state.ties.edges(tie)] = True
        source_branch[in_island] = source
        supplied[island] = True
        return Switching(
            closed=closed,
            source_branch=source_branch,
            supplied=supplied,
            ties=(*self.ties, tie),
            tie_source=(*self.tie_source, source),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Restoration:
    """How an outage is restored.

    Attributes
    ----------
    done : Switching
        The state after restoration.
    tried : Switching
        The same with the best tie of every island closed, also where that breaks a limit: the worst values are of
        this state.
    rejected : tuple of int
        Ties that are closed in `tried` only, and ties without a load flow solution.
    restored : tuple of ndarray of int
        Islands that are supplied again.
    status : NMinus1Status
        Outcome.
    worst : Outcome
        Worst values of `tried`.
    """

    done: Switching
    tried: Switching
    rejected: tuple[int, ...]
    restored: tuple[IntArray, ...]
    status: NMinus1Status
    worst: Outcome


def restore(state: NormalState, cut: CutOff, islands: list[IntArray]) -> Restoration:
    """Give every island the tie that keeps the limits with the largest margin.

    Parameters
    ----------
    state : NormalState
        The network in normal operation.
    cut : CutOff
        What is lost and isolated.
    islands : list of ndarray of int
        Healthy parts without supply, in the order in which they choose.

    Returns
    -------
    Restoration
    """
    start = _isolated(state, cut)
    judged = _judge_by_tree(state, cut)
    done = tried = start
    rejected: list[int] = []
    restored: list[IntArray] = []
    statuses: list[NMinus1Status] = []
    for island in islands:
        options = [done.with_tie(state, tie, island) for tie in _ties_of(state, done, island)]
        if not options:
            statuses.append(NMinus1Status.UNSUPPLIED)
            continue
        outcomes = [judged(option, option.tie_source[-1]) for option in options]
        # Of equal margins the first tie; a state without a solution has the margin -inf.
        best = max(range(len(options)), key=lambda i: (outcomes[i].margin, -i))
        tie = options[best].ties[-1]
        if not outcomes[best].is_solved:
            statuses.append(NMinus1Status.NOT_CONVERGED)
            rejected.append(tie)
            continue
        tried = tried.with_tie(state, tie, island)
        if outcomes[best].is_within_limits:
            done = options[best]
            restored.append(island)
        else:
            statuses.append(NMinus1Status.VIOLATED)
            rejected.append(tie)
    worst = worst_of([judged(tried, source) for source in sorted({*_own_source(state, cut), *tried.tie_source})])
    if not worst.is_solved:
        statuses.append(NMinus1Status.NOT_CONVERGED)
    elif not worst.is_within_limits:
        statuses.append(NMinus1Status.VIOLATED)
    status = gravest(statuses)
    return Restoration(
        done=done,
        tried=tried,
        rejected=tuple(rejected),
        restored=tuple(restored),
        status=status,
        worst=Outcome(is_solved=False) if status == NMinus1Status.NOT_CONVERGED else worst,
    )


def _isolated(state: NormalState, cut: CutOff) -> Switching:
    closed = state.sections.edge_closed.copy()
    closed[cut.opened] = False
    supplied = state.tree.supplied.copy()
    supplied[_dead(cut)] = False
    bus_section = state.sections.bus_section
    is_off = (bus_section >= 0) & ~supplied[bus_section]
    return Switching(closed=closed, source_branch=np.where(is_off, NONE, state.source_branch), supplied=supplied)


def _dead(cut: CutOff) -> IntArray:
    faulted = np.array([cut.faulted] if cut.faulted != NONE else [], dtype=np.int64)
    return np.concatenate([faulted, *cut.islands])


def _own_source(state: NormalState, cut: CutOff) -> list[int]:
    """Return the source branch of the feeder; none where the source itself is faulted."""
    if cut.faulted != NONE and state.sections.has_source[cut.faulted]:
        return []
    sources = state.source_branch[np.isin(state.sections.bus_section, cut.feeder)]
    return [int(s) for s in np.unique(sources[sources >= 0])]


def _ties_of(state: NormalState, switching: Switching, island: IntArray) -> list[int]:
    """Return the ties between an island and what is supplied, in their order."""
    ties = state.ties
    in_island = np.zeros(state.sections.n_section, dtype=bool)
    in_island[island] = True
    a, b = ties.section_a, ties.section_b
    usable = (in_island[a] & switching.supplied[b]) | (in_island[b] & switching.supplied[a])
    return [int(tie) for tie in np.flatnonzero(usable)]


def _judge_by_tree(state: NormalState, cut: CutOff) -> Callable[[Switching, int], Outcome]:
    """Return a function that judges one source branch's tree, and solves equal trees once.

    Within one outage a tree is given by the ties that hang islands on it.
    """
    known: dict[tuple[int, ...], Outcome] = {}
    outlets = state.tree.outlet_edge
    own = [int(outlets[s]) for s in (*cut.feeder[:1], *(island[0] for island in cut.islands))]

    def judged(switching: Switching, source: int) -> Outcome:
        ties = [tie for tie, at in zip(switching.ties, switching.tie_source, strict=True) if at == source]
        key = (source, *ties)
        if key not in known:
            sections = np.concatenate([state.ties.section_a[ties], state.ties.section_b[ties]])
            feeders = np.unique(np.concatenate([own, outlets[sections]]))
            known[key] = judge(state, switching.closed, switching.source_branch == source, feeders)
        return known[key]

    return judged
