"""The tree of sections below the sources, the ties between its branches, and switching by edges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gridcheck.arrays import BoolArray, IntArray, frozen
from gridcheck.network.convert import add_open_ends
from gridcheck.network.records import Branches, Network, Switches
from gridcheck.network.sections import NONE, Sections


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SectionTree:
    """Which section is supplied through which.

    Attributes
    ----------
    order : ndarray of int, shape (n_supplied,)
        Supplied sections, depth first from the sources, so that what hangs below a section follows it directly.
    first, last : ndarray of int, shape (n_section,)
        ``order[first[s]:last[s]]`` is section s and all that it supplies; both 0 where it is not supplied.
    parent, parent_edge : ndarray of int, shape (n_section,)
        Section and edge towards the source, -1 at sources and where not supplied.
    outlet_edge : ndarray of int, shape (n_section,)
        Edge by which the section's feeder leaves the section of the source; -1 at sources and where not supplied.
    breaker_edge : ndarray of int, shape (n_section,)
        Edge of the nearest circuit breaker towards the source, -1 where there is none.
    """

    order: IntArray
    first: IntArray
    last: IntArray
    parent: IntArray
    parent_edge: IntArray
    outlet_edge: IntArray
    breaker_edge: IntArray

    def __post_init__(self) -> None:
        for field in self.__slots__:
            object.__setattr__(self, field, frozen(getattr(self, field), np.int64, (None,), name=field))

    @property
    def supplied(self) -> BoolArray:
        """True for sections that a source reaches, shape (n_section,)."""
        result: BoolArray = self.last > self.first
        return result

    def subtree(self, section: int) -> IntArray:
        """Return a section and all that it supplies, in the order of the tree."""
        return self.order[self.first[section] : self.last[section]]


def section_tree(sections: Sections) -> SectionTree:
    """Find the tree of sections below the sources, as normally switched.

    Where closed edges make a loop, the edge found later is not in the tree; a load flow refuses such a network.
    """
    n = sections.n_section
    neighbours = _closed_neighbours(sections)
    first, last = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    parent, parent_edge, outlet, breaker = (np.full(n, NONE, dtype=np.int64) for _ in range(4))
    order: list[int] = []
    is_seen = sections.has_source.copy()
    for root in np.flatnonzero(sections.has_source).tolist():
        stack = [(root, False)]
        while stack:
            here, is_done = stack.pop()
            if is_done:
                last[here] = len(order)
                continue
            first[here] = len(order)
            order.append(here)
            stack.append((here, True))
            for edge, there in reversed(neighbours[here]):
                if is_seen[there]:
                    continue
                is_seen[there] = True
                parent[there], parent_edge[there] = here, edge
                outlet[there] = edge if here == root else outlet[here]
                breaker[there] = edge if sections.edge_breaker[edge] else breaker[here]
                stack.append((there, False))
    return SectionTree(
        order=np.array(order, dtype=np.int64), first=first, last=last, parent=parent, parent_edge=parent_edge,
        outlet_edge=outlet, breaker_edge=breaker,
    )  # fmt: skip


def _closed_neighbours(sections: Sections) -> list[list[tuple[int, int]]]:
    result: list[list[tuple[int, int]]] = [[] for _ in range(sections.n_section)]
    for edge in np.flatnonzero(sections.edge_closed).tolist():
        a, b = int(sections.edge_bus_section[edge]), int(sections.edge_body_section[edge])
        result[a].append((edge, b))
        result[b].append((edge, a))
    return result


def reached(sections: Sections, closed: BoolArray, *, faulted: int = NONE) -> BoolArray:
    """Return which sections a source reaches in a given switch state.

    Parameters
    ----------
    sections : Sections
        The sections.
    closed : ndarray of bool, shape (n_edge,)
        State of every edge.
    faulted : int
        Section with a fault: it is dead, and nothing is supplied through it.

    Returns
    -------
    ndarray of bool, shape (n_section,)
    """
    edges = np.flatnonzero(closed & (sections.edge_bus_section != faulted) & (sections.edge_body_section != faulted))
    a, b = sections.edge_bus_section[edges], sections.edge_body_section[edges]
    result = sections.has_source.copy()
    if faulted != NONE:
        result[faulted] = False
    while True:
        before = int(result.sum())
        result[b[result[a]]] = True
        result[a[result[b]]] = True
        if int(result.sum()) == before:
            return result


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ties:
    """Normally open links between supplied sections.

    Attributes
    ----------
    edge, second_edge : ndarray of int, shape (n_tie,)
        Edges that have to be closed; the second is -1 where the line of the tie hangs on one side already.
    section_a, section_b : ndarray of int, shape (n_tie,)
        The sections that the tie connects.
    """

    edge: IntArray
    second_edge: IntArray
    section_a: IntArray
    section_b: IntArray

    def __post_init__(self) -> None:
        for field in self.__slots__:
            object.__setattr__(self, field, frozen(getattr(self, field), np.int64, (len(self.edge),), name=field))

    @property
    def n_tie(self) -> int:
        """Number of ties."""
        return len(self.edge)

    def edges(self, tie: int) -> list[int]:
        """Return the edges that close a tie."""
        return [int(e) for e in (self.edge[tie], self.second_edge[tie]) if e != NONE]

    def other_side(self, tie: int, section: int) -> int:
        """Return the section on the far side of a tie."""
        a, b = int(self.section_a[tie]), int(self.section_b[tie])
        return b if section == a else a


def find_ties(sections: Sections, tree: SectionTree) -> Ties:
    """Find the normally open links: one open edge, or a line that is open at both ends.

    Parameters
    ----------
    sections : Sections
        The sections.
    tree : SectionTree
        Says which of them are supplied; a link to a dead stretch of network is not a tie.

    Returns
    -------
    Ties
        In the order of their first edge.
    """
    supplied = tree.supplied
    found: list[tuple[int, int, int, int]] = []
    waiting: dict[int, int] = {}
    for edge in np.flatnonzero(~sections.edge_closed).tolist():
        a, b = int(sections.edge_bus_section[edge]), int(sections.edge_body_section[edge])
        if not supplied[a] or a == b:
            continue
        if supplied[b]:
            found.append((edge, NONE, a, b))
        elif b in waiting:
            other = waiting.pop(b)
            if sections.edge_branch[other] == sections.edge_branch[edge] and sections.edge_bus_section[other] != a:
                found.append((other, edge, int(sections.edge_bus_section[other]), a))
        elif not (sections.bus_section == b).any():
            waiting[b] = edge
    found.sort()
    columns = np.array(found, dtype=np.int64).reshape(-1, 4)
    return Ties(edge=columns[:, 0], second_edge=columns[:, 1], section_a=columns[:, 2], section_b=columns[:, 3])


def some_ties(ties: Ties, chosen: BoolArray) -> Ties:
    """Return some of the ties, `chosen` of shape (n_tie,)."""
    return Ties(**{field: getattr(ties, field)[chosen] for field in Ties.__slots__})


def switched_network(network: Network, sections: Sections, closed: BoolArray) -> Network:
    """Return the network with other switch states.

    Parameters
    ----------
    network : Network
        The network as normally switched.
    sections : Sections
        Its sections.
    closed : ndarray of bool, shape (n_edge,)
        State of every edge.

    Returns
    -------
    Network
        With the charging of lines that are now open at one end moved to the bus at their other end. In a network
        that is seen by lines, lines are taken into and out of service instead.
    """
    moved = np.flatnonzero(closed != sections.edge_closed)
    if len(moved) == 0:
        return network
    old = network.branches
    from_closed, to_closed, in_service = old.from_closed.copy(), old.to_closed.copy(), old.in_service.copy()
    k, at_to = sections.edge_branch[moved], sections.edge_at_to_end[moved]
    if sections.by_line:
        in_service[sections.edge_branch[0::2]] = closed[0::2] & closed[1::2]
    else:
        from_closed[k[~at_to]] = closed[moved[~at_to]]
        to_closed[k[at_to]] = closed[moved[at_to]]
    new = replace(old, from_closed=from_closed, to_closed=to_closed, in_service=in_service)
    lines = np.unique(k)
    g_pu, b_pu = network.buses.g_pu.copy(), network.buses.b_pu.copy()
    for branches, sign in ((old, -1.0), (new, 1.0)):
        g, b = np.zeros(network.n_bus), np.zeros(network.n_bus)
        add_open_ends(_take(branches, lines), g, b, alive=network.buses.in_service)
        g_pu += sign * g
        b_pu += sign * b
    return replace(
        network,
        branches=new,
        buses=replace(network.buses, g_pu=g_pu, b_pu=b_pu),
        switches=_set_switches(network.switches, sections.switch_edge, moved, closed),
    )


def switched_ends(network: Network, sections: Sections, closed: BoolArray) -> npt.NDArray[np.uint8]:
    """Return which ends of each branch are connected in many switch states; what `switched_network` would have.

    Parameters
    ----------
    network, sections
        As in `switched_network`.
    closed : ndarray of bool, shape (n_topology, n_edge)
        State of every edge.

    Returns
    -------
    ndarray of uint8, shape (n_topology, n_branch)
        Bit 0: the `from` end; bit 1: the `to` end; 0 out of service.
    """
    b = network.branches
    k, at_to = sections.edge_branch, sections.edge_at_to_end
    from_closed, to_closed, in_service = (
        np.tile(state, (len(closed), 1)) for state in (b.from_closed, b.to_closed, b.in_service)
    )
    if sections.by_line:
        in_service[:, k[0::2]] = closed[:, 0::2] & closed[:, 1::2]
    else:
        from_closed[:, k[~at_to]] = closed[:, ~at_to]
        to_closed[:, k[at_to]] = closed[:, at_to]
    ends: npt.NDArray[np.uint8] = (in_service * (from_closed + 2 * to_closed.astype(np.uint8))).astype(np.uint8)
    return ends


def _set_switches(switches: Switches, switch_edge: IntArray, moved: IntArray, closed: BoolArray) -> Switches:
    """Return the switches with those of the moved edges set; all switches of one end move together."""
    at = np.isin(switch_edge, moved)
    state = switches.closed.copy()
    state[at] = closed[switch_edge[at]]
    return replace(switches, closed=state)


def _take(branches: Branches, k: IntArray) -> Branches:
    """Return the branches at positions `k`."""
    columns: dict[str, Any] = {}
    for field in Branches.__slots__:
        column = getattr(branches, field)
        columns[field] = tuple(column[i] for i in k) if isinstance(column, tuple) else column[k]
    return Branches(**columns)
