"""Turns ways to restore an outage into switch states, and judges the tree below each root once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, IntArray
from gridcheck.checks.islands import DarkGraph
from gridcheck.checks.judgement import NormalState, judge_tree
from gridcheck.checks.outages import CutOff
from gridcheck.checks.outcomes import Outcome
from gridcheck.checks.programme import way_of
from gridcheck.checks.reach import Reach, reach_of
from gridcheck.checks.search import CHARGING, Way
from gridcheck.network.sections import NONE


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


class Trees:
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
        closed, own = self.below(joined)
        source_branch = self._source_branch(way)
        return judge_tree(self.state, closed, root, own, source_branch=source_branch, is_after=is_after)

    def below(self, joined: int) -> tuple[BoolArray, IntArray]:
        """Return the switch state in which a tree has some links joined, and the feeders that take part in it."""
        closed, feeders = self.isolated.copy(), [self.own_feeders]
        for link in self.closed_links:
            closed[list(link.edges)] = False
        ties, outlets = self.state.ties, self.state.tree.outlet_edge
        for position, link in enumerate(self.graph.links):
            if joined >> position & 1:
                closed[list(link.edges)] = True
                if link.is_tie:
                    feeders.append(outlets[[ties.section_a[link.tie], ties.section_b[link.tie]]])
        return closed, np.unique(np.concatenate(feeders))


def _dark(cut: CutOff) -> IntArray:
    faulted = np.array([cut.faulted] if cut.faulted != NONE else [], dtype=np.int64)
    return np.concatenate([faulted, *cut.islands])


def own_source(state: NormalState, cut: CutOff) -> list[int]:
    """Return the source branch of the feeder; none where the source itself is faulted."""
    if cut.faulted != NONE and state.sections.has_source[cut.faulted]:
        return []
    sources = state.source_branch[np.isin(state.sections.bus_section, cut.feeder)]
    return [int(s) for s in np.unique(sources[sources >= 0])]
