"""Restore what an outage leaves dark: the best way, what stands in the way of more, and the switch states of both."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gridcheck.arrays import IntArray
from gridcheck.checks.full_ways import hung, islands, one_more
from gridcheck.checks.islands import DarkGraph
from gridcheck.checks.judgement import NormalState
from gridcheck.checks.outages import CutOff
from gridcheck.checks.outcomes import Outcome, worst_of
from gridcheck.checks.programme import EFFORT, programme
from gridcheck.checks.records import NMinus1Status
from gridcheck.checks.search import EVALUATIONS, Found, Way, nothing, reachable, search
from gridcheck.checks.shedding import BusCensus, Shedding, least_shedding
from gridcheck.checks.stages import between_stages, staged
from gridcheck.checks.trees import Switching, Trees
from gridcheck.network.sections import NONE

_GRAVITY = tuple(NMinus1Status)


def gravest(statuses: list[NMinus1Status]) -> NMinus1Status:
    """Return the gravest of some statuses, SECURE of none."""
    return max(statuses, key=_GRAVITY.index, default=NMinus1Status.SECURE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Restoration:
    """How an outage is restored.

    Attributes
    ----------
    done, tried : Switching
        The state after restoration; and, where a part stays dark, the state in which the largest of them hangs as a
        whole on the tie with most margin, although that breaks a limit. Where that has no load flow, `tried` supplies
        one section more than `done` instead.
    rejected : tuple of int
        The tie with most margin of every part that stays dark.
    restored : ndarray of int
        Sections that are supplied again.
    status : NMinus1Status
        Outcome.
    worst, tried_worst : Outcome
        Worst values of `done` and of `tried`.
    found : Found
        What the search says of itself.
    shedding : Shedding or None
        What could be supplied beside that when single areas are switched off by hand.
    """

    done: Switching
    tried: Switching
    rejected: tuple[int, ...]
    restored: IntArray
    status: NMinus1Status
    worst: Outcome
    tried_worst: Outcome
    found: Found
    shedding: Shedding | None


def restore(
    state: NormalState,
    cut: CutOff,
    graph: DarkGraph,
    *,
    buses: BusCensus | None = None,
    evaluations: int = EVALUATIONS,
    effort: int = EFFORT,
) -> Restoration:
    """Find the best way to restore an outage.

    Parameters
    ----------
    state : NormalState
        The network in normal operation.
    cut : CutOff
        What is lost and isolated.
    graph : DarkGraph
        What it leaves dark.
    buses : BusCensus, optional
        What hangs on each bus; without it nothing is said of single areas.
    evaluations : int
        Load flows after which the search is given up for the mixed-integer programme.
    effort : int
        Simplex iterations after which the programme is given up.
    """
    trees = Trees(state, cut, graph, is_after=np.isin(state.sections.bus_section, cut.interrupted))
    found = _best(state, graph, trees, evaluations, effort)
    stages: tuple[tuple[int, ...], ...] = ()
    if state.has_after and found.rank[:2] > (0, 0.0):
        # What is too much at once may be closed one after the other, each part when the one before has calmed down.
        calm = Trees(state, cut, graph, is_after=None)
        later = _best(state, graph, calm, evaluations, effort)
        stages = staged(graph, later.way, trees.judge_stage) if later.rank[:2] < found.rank[:2] else ()
        if stages:
            trees, found = calm, later
    tried, rejected, statuses = _refused(graph, found.way, trees)
    own = trees.own_roots
    worst, tried_worst = (
        worst_of([trees.judge(way, root) for root in sorted({*own, *(root for root, _ in way.roots)})])
        for way in (found.way, tried)
    )
    if not worst.is_solved:
        statuses.append(NMinus1Status.NOT_CONVERGED)
    elif not worst.is_within_limits:
        statuses.append(NMinus1Status.VIOLATED)
    rejected_part = NMinus1Status.VIOLATED in statuses or NMinus1Status.NOT_CONVERGED in statuses
    served = [place for place in range(graph.n_dark) if found.way.served >> place & 1]
    return Restoration(
        done=_in_stages(graph, found.way, stages, trees),
        tried=trees.switching(tried),
        rejected=rejected,
        restored=graph.section[served],
        status=gravest(statuses),
        worst=worst,
        tried_worst=tried_worst,
        found=found,
        shedding=least_shedding(state, graph, trees, found.way, buses) if rejected_part and buses else None,
    )


def _in_stages(graph: DarkGraph, way: Way, stages: tuple[tuple[int, ...], ...], trees: Trees) -> Switching:
    """Return the switch state of a way, and how it is reached in stages."""
    by_line = trees.state.sections.by_line
    links = [graph.links[k].edges for k in between_stages(graph, way, stages)] if stages else []
    return replace(
        trees.switching(way),
        stages=tuple(tuple(int(s) for s in graph.section[list(stage)]) for stage in stages),
        parted=tuple(edge for edges in links for edge in (edges if by_line else edges[:1])),
    )


def _best(state: NormalState, graph: DarkGraph, trees: Trees, evaluations: int, effort: int) -> Found:
    found = search(graph, trees.judge, is_consuming=state.is_consuming, evaluations=evaluations)
    if not found.is_proved and state.is_consuming:
        found = programme(state, graph, trees.reach(), trees.judge, found, effort=effort)
    return found


def _refused(graph: DarkGraph, way: Way, trees: Trees) -> tuple[Way, tuple[int, ...], list[NMinus1Status]]:
    """Say what stands in the way of each part that is not wholly supplied.

    It is hung alone on the tie with most margin; where that has no solution, one section more is supplied than the way
    does. Returns the first such attempt (the given way where there is none), the ties of all, and a status for each.
    """
    tried, rejected, statuses, within_reach = way, [], [], reachable(graph, nothing(graph))
    for part in _parts(graph):
        if all(way.served >> place & 1 or graph.worth[place] == (0, 0.0) for place in part):
            continue
        if not within_reach >> part[0] & 1:
            statuses.append(NMinus1Status.UNSUPPLIED)
            continue
        attempts = [_whole(graph, part, position) for position in _live_ties(graph, part)]
        best = _best_attempt(attempts, trees)
        if best is None or not best[2].is_solved:
            best = _best_attempt(one_more(graph, way, part), trees) or best
        if best is None:  # only by way of another part, which is refused itself
            statuses.append(NMinus1Status.VIOLATED)
            continue
        attempt, position, outcome = best
        tie = graph.links[position].tie
        rejected += [tie] if tie != NONE else []
        tried = attempt if tried is way else tried
        statuses.append(NMinus1Status.VIOLATED if outcome.is_solved else NMinus1Status.NOT_CONVERGED)
    return tried, tuple(tie for tie in rejected if not _uses(graph, way, tie)), statuses


def _best_attempt(attempts: list[tuple[Way, int, int]], trees: Trees) -> tuple[Way, int, Outcome] | None:
    """Return the attempt with most margin, the first of equals, its link and how it ends."""
    judged = [(way, position, trees.judge(way, root)) for way, position, root in attempts]
    return max(judged, key=lambda one: one[2].margin, default=None)


def _uses(graph: DarkGraph, way: Way, tie: int) -> bool:
    return any(link.tie == tie and way.joined >> position & 1 for position, link in enumerate(graph.links))


def _parts(graph: DarkGraph) -> list[list[int]]:
    """Return the dark sections that hang together without ties, the part with the most load first."""
    return sorted(islands(graph), key=lambda part: (-sum(graph.worth[place][1] for place in part), part[0]))


def _live_ties(graph: DarkGraph, part: list[int]) -> list[int]:
    """Return the links between a part and supply, by position."""
    return [position for position in graph.live_links if graph.links[position].a in part]


def _whole(graph: DarkGraph, part: list[int], position: int) -> tuple[Way, int, int]:
    """Hang a whole part on one tie; return the way, the link and the root."""
    return hung(graph, ((part, position),)), position, graph.links[position].root
