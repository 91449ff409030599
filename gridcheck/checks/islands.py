"""What an outage leaves without supply, as a small graph: dark sections, and the links that could join them to supply.

A link is a normally closed switch between two dark sections, which may be opened so that they are shared out between
ties, or a normally open tie, which may be closed. In a network that is seen by lines a link is a whole line.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.checks.judgement import NormalState
from gridcheck.checks.outages import CutOff
from gridcheck.network.sections import NONE

LIVE = -1
"""Stands for everything that is still supplied, on the far side of a link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link; equal positions in `DarkGraph.links` are the same link everywhere.

    Attributes
    ----------
    a, b : int
        Dark sections at its ends, as places in `DarkGraph.section`; `b` is `LIVE` where it leads to supply.
    edges : tuple of int
        Switch edges that are operated.
    tie : int
        Tie, `NONE` for a link that is normally closed.
    root : int
        Branch by which the supply on the live side leaves its source; `NONE` where both ends are dark.
    n_operation, n_manual : int
        Operations that use it (a tie) or give it up (a closed link), and those that somebody has to drive out for.
    """

    a: int
    b: int
    edges: tuple[int, ...]
    tie: int
    root: int
    n_operation: int
    n_manual: int

    @property
    def is_tie(self) -> bool:
        """Whether it is normally open."""
        return self.tie != NONE

    def other(self, place: int) -> int:
        """Return the far end."""
        return self.b if place == self.a else self.a


@dataclass(frozen=True, kw_only=True, eq=False)
class DarkGraph:
    """Healthy sections without supply and the links between them and to supply.

    Attributes
    ----------
    section : ndarray of int, shape (n_dark,)
        Dark sections.
    households : ndarray of int, shape (n_dark,)
        Households of each.
    load_kw : ndarray, shape (n_dark,)
        Load of each at the peak of the feeder. [kW]
    links : tuple of Link
        First the normally closed links, then ties, both in the order of their edges.
    """

    section: IntArray
    households: IntArray
    load_kw: FloatArray
    links: tuple[Link, ...]

    @property
    def n_dark(self) -> int:
        """Number of dark sections."""
        return len(self.section)

    @cached_property
    def links_at(self) -> tuple[tuple[int, ...], ...]:
        """Links of each dark section, by position."""
        at: list[list[int]] = [[] for _ in range(self.n_dark)]
        for position, link in enumerate(self.links):
            at[link.a].append(position)
            if link.b != LIVE:
                at[link.b].append(position)
        return tuple(tuple(some) for some in at)

    @cached_property
    def live_links(self) -> tuple[int, ...]:
        """Links that lead to supply, by position."""
        return tuple(position for position, link in enumerate(self.links) if link.b == LIVE)

    @cached_property
    def worth(self) -> tuple[tuple[int, float], ...]:
        """Households and load of each dark section."""
        return tuple(zip(self.households.tolist(), self.load_kw.tolist(), strict=True))


def dark_graph(state: NormalState, cut: CutOff, households: IntArray, load_kw: FloatArray) -> DarkGraph:
    """Draw the graph of what an outage leaves dark.

    Parameters
    ----------
    state : NormalState
        The network in normal operation.
    cut : CutOff
        What is lost and isolated.
    households : ndarray of int, shape (n_section,)
        Households of each section.
    load_kw : ndarray, shape (n_section,)
        Load of each section. [kW]
    """
    sections = state.sections
    dark = np.concatenate([np.zeros(0, dtype=np.int64), *cut.islands])
    if sections.by_line:
        # Bodies of lines are no places of their own: a line is opened at both ends.
        dark = dark[np.isin(dark, sections.bus_section)]
    place = np.full(sections.n_section, NONE, dtype=np.int64)
    place[dark] = np.arange(len(dark))
    is_off = np.zeros(sections.n_section, dtype=bool)
    is_off[np.concatenate([dark, *cut.islands])] = True
    if cut.faulted != NONE:
        is_off[cut.faulted] = True
    return DarkGraph(
        section=dark,
        households=households[dark],
        load_kw=load_kw[dark],
        links=(*_closed_links(state, cut, place), *_ties(state, place, is_off)),
    )


def _closed_links(state: NormalState, cut: CutOff, place: IntArray) -> list[Link]:
    sections = state.sections
    is_closed = sections.edge_closed.copy()
    is_closed[cut.opened] = False
    ends: list[tuple[int, int, tuple[int, ...]]]
    if sections.by_line:
        pairs = np.arange(0, sections.n_edge, 2)
        both = pairs[is_closed[pairs] & is_closed[pairs + 1]]
        ends = [(sections.edge_bus_section[e], sections.edge_bus_section[e + 1], (e, e + 1)) for e in both.tolist()]
    else:
        closed = np.flatnonzero(is_closed)
        ends = [(sections.edge_bus_section[e], sections.edge_body_section[e], (e,)) for e in closed.tolist()]
    found = [(int(place[a]), int(place[b]), edges) for a, b, edges in ends]
    return [_link(state, a, b, edges, tie=NONE, root=NONE) for a, b, edges in found if a != NONE and b not in (NONE, a)]


def _ties(state: NormalState, place: IntArray, is_off: BoolArray) -> list[Link]:
    ties, branches, bus_section = state.ties, state.network.branches, state.sections.bus_section
    found = []
    for tie in range(ties.n_tie):
        a, b = int(ties.section_a[tie]), int(ties.section_b[tie])
        ends = int(place[a]), int(place[b])
        edges = tuple(ties.edges(tie))
        if ends[0] != NONE and ends[1] != NONE:
            if a != b:
                found.append(_link(state, *ends, edges, tie=tie, root=NONE))
            continue
        dark, live = (a, b) if ends[0] != NONE else (b, a)
        if place[dark] == NONE or is_off[live]:
            continue
        k = int(state.sections.edge_branch[edges[0]])
        # The body of the line may be a section of its own on either side, so its buses are looked at.
        receiving = branches.to_bus[k] if is_off[bus_section[branches.from_bus[k]]] else branches.from_bus[k]
        source = int(state.source_branch[receiving])
        root = k if source == NONE else source  # the tie may start at the source itself
        found.append(_link(state, int(place[dark]), LIVE, edges, tie=tie, root=root))
    return found


def _link(state: NormalState, a: int, b: int, edges: tuple[int, ...], *, tie: int, root: int) -> Link:
    by_hand = int((~state.sections.edge_remote[list(edges)]).sum())
    # A line without switches is taken in or out of service as a whole.
    is_one = state.sections.by_line or tie == NONE
    return Link(
        a=a, b=b, edges=edges, tie=tie, root=root, n_operation=1 if is_one else len(edges),
        n_manual=min(by_hand, 1) if is_one else by_hand,
    )  # fmt: skip
