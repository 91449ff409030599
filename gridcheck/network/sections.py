"""Sections: the stretches between switches, found from the switches of any network.

A section is everything that stays connected when every switch is open: buses, and the bodies of branches. The body
of a branch is joined to the bus at its end unless a switch sits at that end::

    bus A --/ -- body of line 1 -- bus B -- body of line 2 --/ -- bus C
            ^ switch                                         ^ switch
    section of A | section of line 1, B, line 2              | section of C

So each switched end of a branch is an edge between two sections, closed or open. A bus-bus switch is an edge as well.
Breakers at both ends of a transformer are taken for granted where an outage of transformers is studied, whatever the
data say (`switched`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from gridcheck.arrays import BoolArray, IntArray, frozen
from gridcheck.network.records import BranchKind, Network

NONE = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sections:
    """Sections of a network and the switched branch ends between them.

    Attributes
    ----------
    n_section : int
        Number of sections; numbered by their first bus, sections without a bus last.
    bus_section : ndarray of int, shape (n_bus,)
        Section of each bus, -1 where the bus is out of service.
    branch_section : ndarray of int, shape (n_branch,)
        Section of the body of each branch, -1 where it is out of service.
    has_source : ndarray of bool, shape (n_section,)
        True where a slack bus lies in the section.
    edge_branch : ndarray of int, shape (n_edge,)
        Branch at whose end the edge sits.
    edge_at_to_end : ndarray of bool, shape (n_edge,)
        True at the `to` end, False at the `from` end.
    edge_bus_section, edge_body_section : ndarray of int, shape (n_edge,)
        The sections on both sides: that of the bus, and that of the body of the branch. For a bus-bus switch
        the sections of its `from` and of its `to` bus.
    edge_closed : ndarray of bool, shape (n_edge,)
        Normal state; several switches at one end are closed when all of them are.
    edge_breaker, edge_remote : ndarray of bool, shape (n_edge,)
        True where one of the switches is a circuit breaker; where all are operated from the control room.
    switch_edge : ndarray of int, shape (n_switch,)
        Edge of each switch, -1 where its branch or bus is out of service.
    by_line : bool
        True where every line counts as switched at both ends, because the network has no switch.
    """

    n_section: int
    bus_section: IntArray
    branch_section: IntArray
    has_source: BoolArray
    edge_branch: IntArray
    edge_at_to_end: BoolArray
    edge_bus_section: IntArray
    edge_body_section: IntArray
    edge_closed: BoolArray
    edge_breaker: BoolArray
    edge_remote: BoolArray
    switch_edge: IntArray
    by_line: bool

    def __post_init__(self) -> None:
        n_edge = len(self.edge_branch)
        for field in ("bus_section", "branch_section", "switch_edge"):
            object.__setattr__(self, field, frozen(getattr(self, field), np.int64, (None,), name=field))
        for field in ("edge_branch", "edge_bus_section", "edge_body_section"):
            object.__setattr__(self, field, frozen(getattr(self, field), np.int64, (n_edge,), name=field))
        for field in ("edge_at_to_end", "edge_closed", "edge_breaker", "edge_remote"):
            object.__setattr__(self, field, frozen(getattr(self, field), np.bool_, (n_edge,), name=field))
        object.__setattr__(self, "has_source", frozen(self.has_source, np.bool_, (self.n_section,), name="has_source"))

    @property
    def n_edge(self) -> int:
        """Number of switched branch ends."""
        return len(self.edge_branch)

    def edges_around(self, section: int) -> IntArray:
        """Return the edges that separate a section from others, in their order."""
        here = (self.edge_bus_section == section) ^ (self.edge_body_section == section)
        return np.flatnonzero(here)


def has_switches(network: Network) -> bool:
    """Say whether the network has any switch; without one, `sections_by_line` is the way to see it."""
    return len(network.switches.switch_id) > 0 or bool((network.branches.kind == BranchKind.SWITCH).any())


def sections_of(network: Network, *, switched: IntArray | None = None) -> Sections:
    """Find the sections between the switches that a network has.

    Parameters
    ----------
    network : Network
        Any network; it need not be radial.
    switched : ndarray of int, optional
        Positions of further branches that count as switched at both ends.

    Returns
    -------
    Sections
        A branch out of service belongs to no section, whatever its switches.
    """
    switches, branches = network.switches, network.branches
    end = 2 * switches.branch + switches.at_to_end
    usable = _ends_in_service(network)
    counts = usable[end]
    more = np.zeros(0, dtype=np.int64) if switched is None else np.stack([2 * switched, 2 * switched + 1]).reshape(-1)
    edge_end = np.unique(np.concatenate([end[counts], more[usable[more]]]))
    switch_edge = np.where(counts, np.searchsorted(edge_end, end), NONE)
    closed, breaker = np.ones(len(edge_end), dtype=bool), np.zeros(len(edge_end), dtype=bool)
    remote = np.ones(len(edge_end), dtype=bool)
    np.logical_and.at(closed, switch_edge[counts], switches.closed[counts])
    np.logical_or.at(breaker, switch_edge[counts], switches.breaker[counts])
    np.logical_and.at(remote, switch_edge[counts], switches.remote[counts])
    # A bus-bus switch is one edge: its `from` end is the switch, its `to` end is firmly joined.
    couplers = np.flatnonzero((branches.kind == BranchKind.SWITCH) & usable[0::2] & usable[1::2])
    n_coupler = len(couplers)
    edges = _Edges(
        end=np.concatenate([edge_end, 2 * couplers]),
        closed=np.concatenate([closed, branches.connected[couplers]]),
        breaker=np.concatenate([breaker, np.zeros(n_coupler, dtype=bool)]),
        remote=np.concatenate([remote, np.zeros(n_coupler, dtype=bool)]),
        of_switch=switch_edge,
    )
    return _build(network, edges, joined=usable, by_line=False)


def sections_by_line(network: Network, *, switched: IntArray | None = None) -> Sections:
    """See every line as switched at both ends, and lines out of service as open ties.

    For networks that hold no switch at all, such as published test feeders.

    Parameters
    ----------
    network : Network
        Any network; its switches, if any, are not looked at.
    switched : ndarray of int, optional
        Positions of further branches that are taken in and out of service like lines.

    Returns
    -------
    Sections
        Two edges per line, one after the other. Each line is a section of its own.
    """
    branches = network.branches
    alive = network.buses.in_service
    counts = branches.kind == BranchKind.LINE
    if switched is not None:
        counts[switched] = True
    lines = np.flatnonzero(counts & alive[branches.from_bus] & alive[branches.to_bus])
    edge_end = (2 * lines[:, None] + np.array([0, 1])[None, :]).reshape(-1)
    edges = _Edges(
        end=edge_end,
        closed=branches.in_service[edge_end // 2],
        breaker=np.zeros(len(edge_end), dtype=bool),
        remote=np.zeros(len(edge_end), dtype=bool),
        of_switch=np.full(len(network.switches.switch_id), NONE),
    )
    return _build(network, edges, joined=_ends_in_service(network), by_line=True)


def _ends_in_service(network: Network) -> BoolArray:
    """Say at which ends (from, to, from, to, ...) branch and bus are in service, shape (2 n_branch,)."""
    branches, alive = network.branches, network.buses.in_service
    ends = np.column_stack([alive[branches.from_bus], alive[branches.to_bus]]) & branches.in_service[:, None]
    return ends.reshape(-1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Edges:
    """Switched ends and their state; end 2 k is the `from`, 2 k + 1 the `to` end of branch k."""

    end: IntArray
    closed: BoolArray
    breaker: BoolArray
    remote: BoolArray
    of_switch: IntArray


def _build(network: Network, edges: _Edges, *, joined: BoolArray, by_line: bool) -> Sections:
    """Join bodies to buses at those of the `joined` ends that are not switched, and number what hangs together."""
    edge_end = edges.end
    branches, n_bus = network.branches, network.n_bus
    end_bus = np.column_stack([branches.from_bus, branches.to_bus]).reshape(-1)
    joined = joined.copy()
    joined[edge_end] = False
    ends = np.flatnonzero(joined)
    n_node = n_bus + network.n_branch  # buses, then bodies
    graph = sparse.coo_matrix((np.ones(len(ends)), (end_bus[ends], n_bus + ends // 2)), shape=(n_node, n_node))
    _, label = csgraph.connected_components(graph, directed=False)
    is_part = np.concatenate([network.buses.in_service, branches.in_service])
    is_part[n_bus + edge_end // 2] = True  # a line out of service is a section where it may serve as a tie
    part = np.flatnonzero(is_part)
    _, first, inverse = np.unique(label[part], return_index=True, return_inverse=True)
    number = np.argsort(np.argsort(first, kind="stable"), kind="stable")[inverse]
    section = np.full(n_node, NONE, dtype=np.int64)
    section[part] = number
    has_source = np.zeros(len(first), dtype=bool)
    source = section[network.slack_bus]
    has_source[source[source >= 0]] = True
    return Sections(
        n_section=len(first),
        bus_section=section[:n_bus],
        branch_section=section[n_bus:],
        has_source=has_source,
        edge_branch=edge_end // 2,
        edge_at_to_end=edge_end % 2 == 1,
        edge_bus_section=section[end_bus[edge_end]],
        edge_body_section=section[n_bus + edge_end // 2],
        edge_closed=edges.closed,
        edge_breaker=edges.breaker,
        edge_remote=edges.remote,
        switch_edge=edges.of_switch,
        by_line=by_line,
    )
