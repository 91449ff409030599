"""Restore what an outage leaves dark: the best way, what stands in the way of more, and the switch states of both."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gridcheck.arrays import BoolArray, IntArray
from gridcheck.checks.full_ways import hung, islands, one_more
from gridcheck.checks.islands import DarkGraph
from gridcheck.checks.judgement import NormalState, judge_tree
from gridcheck.checks.outages import CutOff
from gridcheck.checks.outcomes import Outcome, worst_of
from gridcheck.checks.programme import TIME_LIMIT_S, programme, way_of
from gridcheck.checks.reach import Reach, reach_of
from gridcheck.checks.records import NMinus1Status
from gridcheck.checks.search import CHARGING, EVALUATIONS, Found, Way, nothing, reachable, search
from gridcheck.checks.stages import between_stages, staged
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
    ties : tuple of int
        Ties that were closed.
    opened : tuple of int
        Edges that were opened to share out or to leave dark, isolation not among them.
    stages : tuple of tuple of int
        Sections that are closed together, one stage when the load of the one before has fallen back; empty where all
        may be closed at once. The healthy sections before the fault come back in the first stage, which is empty where
        they must calm down first.
    parted : tuple of int
        Edges between sections of different stages, which are opened at first and closed again in the later stage.
    """

    closed: BoolArray
    source_branch: IntArray
    ties: tuple[int, ...] = ()
    opened: tuple[int, ...] = ()
    stages: tuple[tuple[int, ...], ...] = ()
    parted: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Restoration:
    """How an outage is restored.

    Attributes
    ----------
    done, tried : Switching
        The state after restoration; and, where a part stays dark, the state in which the largest of them hangs as a
        whole on the tie with most margin, although that breaks a limit.
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
    """

    done: Switching
    tried: Switching
    rejected: tuple[int, ...]
    restored: IntArray
    status: NMinus1Status
    worst: Outcome
    tried_worst: Outcome
    found: Found


def restore(
    state: NormalState,
    cut: CutOff,
    graph: DarkGraph,
    *,
    evaluations: int = EVALUATIONS,
    time_limit_s: float = TIME_LIMIT_S,
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
    evaluations : int
        Load flows after which the search is given up for the mixed-integer programme.
    time_limit_s : float
        Time for the programme. Where it ends, the answer may depend on the machine. [s]
    """
    trees = _Trees(state, cut, graph, is_after=np.isin(state.sections.bus_section, cut.interrupted))
    found = _best(state, graph, trees, evaluations, time_limit_s)
    stages: tuple[tuple[int, ...], ...] = ()
    if state.has_after and found.rank[:2] > (0, 0.0):
        # What is too much at once may be closed one after the other, each part when the one before has calmed down.
        calm = _Trees(state, cut, graph, is_after=None)
        later = _best(state, graph, calm, evaluations, time_limit_s)
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
    )


def _in_stages(graph: DarkGraph, way: Way, stages: tuple[tuple[int, ...], ...], trees: _Trees) -> Switching:
    """Return the switch state of a way, and how it is reached in stages."""
    by_line = trees.state.sections.by_line
    links = [graph.links[k].edges for k in between_stages(graph, way, stages)] if stages else []
    return replace(
        trees.switching(way),
        stages=tuple(tuple(int(s) for s in graph.section[list(stage)]) for stage in stages),
        parted=tuple(edge for edges in links for edge in (edges if by_line else edges[:1])),
    )


def _best(state: NormalState, graph: DarkGraph, trees: _Trees, evaluations: int, time_limit_s: float) -> Found:
    found = search(graph, trees.judge, is_consuming=state.is_consuming, evaluations=evaluations)
    if not found.is_proved and state.is_consuming:
        found = programme(state, graph, trees.reach(), trees.judge, found, time_limit_s=time_limit_s)
    return found


class _Trees:
    """Turns ways into switch states, and judges the tree below each root once."""

    def __init__(self, state: NormalState, cut: CutOff, graph: DarkGraph, *, is_after: BoolArray | None) -> None:
        self.state, self.graph, self.is_after = state, graph, is_after
        self.isolated = state.sections.edge_closed.copy()
        self.isolated[cut.opened] = False
        bus_section = state.sections.bus_section
        self.is_off = np.isin(bus_section, _dark(cut))
        self.is_upstream = np.isin(bus_section, cut.interrupted) & ~self.is_off
        self.own_roots = own_source(state, cut)
        outlets = state.tree.outlet_edge
        heads = [*cut.feeder[:1], *(island[0] for island in cut.islands)]
        self.own_feeders = np.array([outlets[s] for s in heads], dtype=np.int64)
        self.closed_links = [link for link in graph.links if not link.is_tie]
        self.known: dict[tuple[int, int], Outcome] = {}

    def reach(self) -> Reach:
        """Return what a restoration may touch."""
        graph = self.graph
        alone = [(way_of(graph, 1 << position), graph.links[position].root) for position in graph.live_links]
        roots = sorted({root for way, root in alone if self.judge(way, root).margin >= -CHARGING})
        is_after = self.is_after if self.state.has_after and self.is_after is not None else np.zeros_like(self.is_off)
        return reach_of(self.state, graph, self.isolated, self.is_off, self.own_feeders, roots, is_after)

    def switching(self, way: Way) -> Switching:
        """Return the switch state of a complete way."""
        closed = self.isolated.copy()
        ties: list[int] = []
        opened: list[int] = []
        for position, link in enumerate(self.graph.links):
            if link.is_tie and way.joined >> position & 1:
                closed[list(link.edges)] = True
                ties.append(link.tie)
            elif not link.is_tie and way.opened >> position & 1 and self._touches(way, position):
                # One of the two ends of a line is enough; a line without switches goes as a whole.
                edges = link.edges if self.state.sections.by_line else link.edges[:1]
                closed[list(edges)] = False
                opened += edges
        return Switching(closed=closed, source_branch=self._source_branch(way), ties=tuple(ties), opened=tuple(opened))

    def _touches(self, way: Way, position: int) -> bool:
        link = self.graph.links[position]
        return bool(way.served >> link.a & 1 or way.served >> link.b & 1)

    def _source_branch(self, way: Way) -> IntArray:
        root_of = np.full(self.state.sections.n_section, NONE, dtype=np.int64)
        root_of[self.graph.section] = way.at
        bus_section = self.state.sections.bus_section
        dark = np.where(bus_section >= 0, root_of[np.maximum(bus_section, 0)], NONE)
        result: IntArray = np.where(self.is_off, dark, self.state.source_branch)
        return result

    def judge(self, way: Way, root: int) -> Outcome:
        """Hold the tree below one root of a way, complete or growing, against the limits."""
        joined = dict(way.roots).get(root, 0)
        found = self.known.get((root, joined))
        if found is None:
            found = self.known[root, joined] = self._judged(way, root, joined, self.is_after)
        return found

    def judge_stage(self, way: Way, new: tuple[int, ...], /, *, is_first: bool) -> bool:
        """Whether a growing way keeps the limits when only some of its sections have just got their supply back.

        In the first stage the healthy sections before the fault have got it back too.
        """
        is_new = np.isin(self.state.sections.bus_section, self.graph.section[list(new)])
        roots = dict(way.roots)
        if is_first:
            is_new |= self.is_upstream
            roots |= {root: roots.get(root, 0) for root in self.own_roots}
        return all(self._judged(way, root, joined, is_new).is_within_limits for root, joined in roots.items())

    def _judged(self, way: Way, root: int, joined: int, is_after: BoolArray | None) -> Outcome:
        closed, feeders = self.isolated.copy(), [self.own_feeders]
        for link in self.closed_links:
            closed[list(link.edges)] = False
        ties, outlets = self.state.ties, self.state.tree.outlet_edge
        for position, link in enumerate(self.graph.links):
            if joined >> position & 1:
                closed[list(link.edges)] = True
                if link.is_tie:
                    feeders.append(outlets[[ties.section_a[link.tie], ties.section_b[link.tie]]])
        own = np.unique(np.concatenate(feeders))
        source_branch = self._source_branch(way)
        return judge_tree(self.state, closed, root, own, source_branch=source_branch, is_after=is_after)


def _dark(cut: CutOff) -> IntArray:
    faulted = np.array([cut.faulted] if cut.faulted != NONE else [], dtype=np.int64)
    return np.concatenate([faulted, *cut.islands])


def own_source(state: NormalState, cut: CutOff) -> list[int]:
    """Return the source branch of the feeder; none where the source itself is faulted."""
    if cut.faulted != NONE and state.sections.has_source[cut.faulted]:
        return []
    sources = state.source_branch[np.isin(state.sections.bus_section, cut.feeder)]
    return [int(s) for s in np.unique(sources[sources >= 0])]


def _refused(graph: DarkGraph, way: Way, trees: _Trees) -> tuple[Way, tuple[int, ...], list[NMinus1Status]]:
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


def _best_attempt(attempts: list[tuple[Way, int, int]], trees: _Trees) -> tuple[Way, int, Outcome] | None:
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
