"""Outages: which sections and outlets can be lost, and what is cut off by it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import IntArray
from gridcheck.network.records import BranchKind, Network
from gridcheck.network.section_tree import SectionTree
from gridcheck.network.sections import NONE, Sections

SECTION = "section"
OUTLET = "outlet"
TIE = "tie"
TRAFO = "trafo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contingency:
    """One thing that is lost.

    Attributes
    ----------
    outage_id, outage_kind : str
        Id for reports; ``section`` (a fault in it), ``outlet`` (its breaker does not close: all behind is healthy),
        ``tie`` (a normally open line, which nobody is supplied by) or ``trafo`` (a transformer, which breakers at
        both ends take out).
    section : int
        The faulted section, or the section behind the outlet.
    county_code, feeder_id, supply_class : str
        Copied into the result.
    """

    outage_id: str
    outage_kind: str
    section: int
    county_code: str = ""
    feeder_id: str = ""
    supply_class: str = ""


def contingencies_of(network: Network, sections: Sections, tree: SectionTree) -> tuple[Contingency, ...]:
    """List every supplied section that holds a line, and every switched outlet of a source.

    Parameters
    ----------
    network : Network
        The network.
    sections, tree
        Its sections as normally switched.

    Returns
    -------
    tuple of Contingency
        In the order of the tree. Sections are called ``line:`` and the id of their first line, feeders ``feeder:`` and
        the id of the line at their outlet. Where every line counts as switched, losing an outlet is losing its line.
    """
    branches = network.branches
    first_line = first_lines(network, sections)
    result = []
    for s in tree.order.tolist():
        feeder = _feeder_name(network, sections, int(tree.outlet_edge[s]))
        edge = int(tree.parent_edge[s])
        if edge != NONE and tree.outlet_edge[s] == edge and not sections.by_line:
            result.append(Contingency(outage_id=f"{feeder}-outlet", outage_kind=OUTLET, section=s, feeder_id=feeder))
        if first_line[s] != NONE:
            outage_id = f"line:{branches.branch_id[first_line[s]]}"
            result.append(Contingency(outage_id=outage_id, outage_kind=SECTION, section=s, feeder_id=feeder))
    return tuple(result)


def line_contingencies(network: Network, sections: Sections, tree: SectionTree) -> tuple[Contingency, ...]:
    """List every line in service by its own id; lines of one section are lost together.

    Returns
    -------
    tuple of Contingency
        In the order of the lines: ``line:<id>``.
    """
    branches = network.branches
    result = []
    for k in np.flatnonzero(branches.kind == BranchKind.LINE).tolist():
        s = int(sections.branch_section[k])
        if s == NONE or not branches.in_service[k]:
            continue
        if tree.supplied[s]:
            feeder = _feeder_name(network, sections, int(tree.outlet_edge[s]))
            result.append(
                Contingency(outage_id=f"line:{branches.branch_id[k]}", outage_kind=SECTION, section=s, feeder_id=feeder)
            )
    return tuple(result)


def trafo_contingencies(network: Network, sections: Sections, tree: SectionTree) -> tuple[Contingency, ...]:
    """List every supplied transformer that counts as switched at both ends: ``trafo:<id>``."""
    branches = network.branches
    switched = set(sections.edge_branch.tolist())
    return tuple(
        Contingency(
            outage_id=f"trafo:{branches.branch_id[k]}", outage_kind=TRAFO, section=int(sections.branch_section[k])
        )
        for k in np.flatnonzero(branches.kind == BranchKind.TRAFO).tolist()
        if k in switched and sections.branch_section[k] != NONE and tree.supplied[sections.branch_section[k]]
    )


def first_lines(network: Network, sections: Sections) -> IntArray:
    """Return the first line in service of each section, -1 where it holds none, shape (n_section,)."""
    branches = network.branches
    result = np.full(sections.n_section, NONE, dtype=np.int64)
    lines = np.flatnonzero((branches.kind == BranchKind.LINE) & branches.in_service & (sections.branch_section >= 0))
    result[sections.branch_section[lines[::-1]]] = lines[::-1]
    return result


def _feeder_name(network: Network, sections: Sections, outlet_edge: int) -> str:
    return "" if outlet_edge == NONE else f"feeder:{network.branches.branch_id[sections.edge_branch[outlet_edge]]}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CutOff:
    """What a contingency switches off.

    Attributes
    ----------
    faulted : int
        Faulted section, -1 where none is.
    opened : ndarray of int
        Edges that are opened to isolate.
    islands : tuple of ndarray of int
        Healthy sections cut off from their source, by connected part.
    feeder, interrupted : ndarray of int
        Sections of the feeder; sections behind the breaker that trips.
    breaker_edge : int
        That breaker, -1 where there is none.
    tripped : ndarray of int
        Edges that open by themselves: the breaker, or both ends of a transformer.
    """

    faulted: int
    opened: IntArray
    islands: tuple[IntArray, ...]
    feeder: IntArray
    interrupted: IntArray
    breaker_edge: int
    tripped: IntArray


def cut_off(contingency: Contingency, sections: Sections, tree: SectionTree) -> CutOff:
    """Isolate: open the switches around a faulted section, or the outlet, and see what is cut off."""
    s = contingency.section
    head = _top(s, tree)
    around = sections.edges_around(s)
    around = around[sections.edge_closed[around]]
    if contingency.outage_kind == TRAFO:
        # Its own breakers, whatever the data say of them.
        breaker, tripped, first = int(tree.parent_edge[s]), around, s
    else:
        breaker = int(tree.breaker_edge[s])
        tripped = np.array([breaker] if breaker != NONE else [], dtype=np.int64)
        first = _child(breaker, tree) if breaker != NONE else _root(s, tree)
    common = {
        "feeder": tree.subtree(head), "interrupted": tree.subtree(first), "breaker_edge": breaker, "tripped": tripped,
    }  # fmt: skip
    if contingency.outage_kind == OUTLET:
        return CutOff(faulted=NONE, opened=tree.parent_edge[[s]], islands=(tree.subtree(s),), **common)  # type: ignore[arg-type]
    children = np.flatnonzero(tree.parent == s)
    return CutOff(
        faulted=s,
        opened=around,
        islands=tuple(tree.subtree(int(c)) for c in children),
        **common,  # type: ignore[arg-type]
    )


def _top(section: int, tree: SectionTree) -> int:
    """Return the first section of the feeder, or the section of the source itself."""
    edge = int(tree.outlet_edge[section])
    return section if edge == NONE else _child(edge, tree)


def _child(edge: int, tree: SectionTree) -> int:
    return int(np.flatnonzero(tree.parent_edge == edge)[0])


def _root(section: int, tree: SectionTree) -> int:
    while tree.parent[section] != NONE:
        section = int(tree.parent[section])
    return section
