"""What a restoration may touch: the trees that its ties could load and the dark sections, with their limits."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.checks.islands import LIVE, DarkGraph
from gridcheck.checks.judgement import NormalState
from gridcheck.checks.search import CHARGING
from gridcheck.mixed_integer import INFINITY
from gridcheck.network.records import Network
from gridcheck.network.section_tree import switched_network
from gridcheck.network.sections import NONE, Sections
from gridcheck.units import SQRT3

# Charging may lift a voltage above that without load by so much at most. [1]
_LIFT = 0.03
# The charging of a line that is open at one end exceeds its own by less than this. [1]
_OPEN_END = 1.01
# Rounding of the solvers. [1]
_ROUNDING = 1e-6
_NOMINAL_PU = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A branch that may carry power.

    Attributes
    ----------
    branch : int
        Its position in the network.
    from_bus, to_bus : int
        Places in `Reach.bus`.
    r, x : float
        Series impedance behind the ratio, for powers in MW. [1/MW]
    ratio : float
        Ratio at its `from` end. [1]
    most_current : float
        Square of the highest current behind the ratio as power at 1 pu, infinite where no limit counts. [MW^2]
    links : tuple of (int, bool)
        Links that must be used for it to carry power, by position, and whether a link that is used from its end a
        towards its end b sends power from `from` to `to`; none where it is closed.
    charging_mvar : float
        Charging of a branch with links at 1 pu, also where it is open at one end; that of the others stands at the
        buses. [Mvar]
    """

    branch: int
    from_bus: int
    to_bus: int
    r: float
    x: float
    ratio: float
    most_current: float
    links: tuple[tuple[int, bool], ...]
    charging_mvar: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reach:
    """Buses and branches that a restoration may touch.

    Attributes
    ----------
    bus : ndarray of int, shape (n,)
        Positions of the buses.
    place : ndarray of int, shape (n,)
        Dark section of each, `LIVE` where it has supply.
    is_source : ndarray of bool, shape (n,)
        Buses whose voltage is given.
    low, high : ndarray, shape (n,)
        Bounds of the squared voltage where there is supply. [pu^2]
    g_mw, b_mvar : ndarray, shape (n,)
        Shunts at 1 pu; b is generation. [MW], [Mvar]
    spans : tuple of Span
        Branches.
    is_after : ndarray of bool, shape (n_bus,)
        Buses of the network that draw what they draw after an outage.
    """

    bus: IntArray
    place: IntArray
    is_source: BoolArray
    low: FloatArray
    high: FloatArray
    g_mw: FloatArray
    b_mvar: FloatArray
    spans: tuple[Span, ...]
    is_after: BoolArray


def reach_of(
    state: NormalState,
    graph: DarkGraph,
    isolated: BoolArray,
    is_off: BoolArray,
    feeders: IntArray,
    roots: Sequence[int],
    is_after: BoolArray,
) -> Reach:
    """Gather what a restoration may touch.

    Parameters
    ----------
    state : NormalState
        The network in normal operation.
    graph : DarkGraph
        What is dark, and the links.
    isolated : ndarray of bool, shape (n_edge,)
        Switch states after isolation.
    is_off : ndarray of bool, shape (n_bus,)
        True for buses that are faulted or dark.
    feeders : ndarray of int
        Feeders of what is lost, by outlet edge: their elements are always held against the limits, those of others
        where they kept them before.
    roots : sequence of int
        Branches at the sources of the trees that can take on anything.
    is_after : ndarray of bool, shape (n_bus,)
        True for buses that draw what they draw after an outage.

    Returns
    -------
    Reach
        Limits of elements with supply are relaxed by `CHARGING`.
    """
    network, own = state.network, np.append(feeders, NONE)
    closed = isolated.copy()
    closed[[edge for link in graph.links for edge in link.edges]] = True
    full = switched_network(network, state.sections, closed)
    place = _places(state.sections, graph)
    is_source = np.zeros(network.n_bus, dtype=bool)
    is_source[network.slack_bus] = network.buses.in_service[network.slack_bus]
    is_in = (place != LIVE) | ~is_off & (is_source | np.isin(state.source_branch, roots))
    ends = full.branches.from_bus, full.branches.to_bus
    carries = np.flatnonzero(full.branches.connected & is_in[ends[0]] & is_in[ends[1]])
    links = _links_on(state.sections, graph)
    closed_spans = [k for k in carries.tolist() if k not in links]
    bus = np.flatnonzero(is_in)
    high = _highest(full, carries.tolist(), closed_spans, _lift(full, carries, bus))
    counts = state.judged_bus & (np.isin(state.bus_feeder, own) | state.bus_kept)
    low = np.where(counts, _lowest(state, place), 0.0)
    g, b = _shunts(full, closed_spans)
    node = np.full(network.n_bus, NONE, dtype=np.int64)
    node[bus] = np.arange(len(bus))
    spans = [
        _span(full, k, node, links.get(k, ()), _most_current(state, full, k, high, is_live=k not in links, own=own))
        for k in carries.tolist()
    ]
    is_live = place == LIVE
    return Reach(
        bus=bus,
        place=place[bus],
        is_source=is_source[bus],
        # A source has its voltage, whatever the limit.
        low=np.where(is_source, high, low)[bus],
        high=np.where(is_live & ~is_source, np.maximum(high, low), high)[bus],
        g_mw=g[bus] * network.sn_mva,
        b_mvar=b[bus] * network.sn_mva,
        spans=tuple(spans),
        is_after=is_after,
    )


def _places(sections: Sections, graph: DarkGraph) -> IntArray:
    """Return the dark section of every bus, `LIVE` for all others."""
    place_of = np.full(sections.n_section, LIVE, dtype=np.int64)
    place_of[graph.section] = np.arange(graph.n_dark)
    result: IntArray = np.where(sections.bus_section >= 0, place_of[np.maximum(sections.bus_section, 0)], LIVE)
    return result


def _links_on(sections: Sections, graph: DarkGraph) -> dict[int, tuple[tuple[int, bool], ...]]:
    """Return the links on each branch, and whether from a to b is from `from` to `to` there."""
    found: dict[int, tuple[tuple[int, bool], ...]] = {}
    place_of = {int(section): place for place, section in enumerate(graph.section)}
    for position, link in enumerate(graph.links):
        edge = link.edges[0]
        at_bus = place_of.get(int(sections.edge_bus_section[edge]), LIVE)
        # The bus at the edge is the `from` end unless the edge sits at the `to` end.
        is_forward = (at_bus == link.a) != bool(sections.edge_at_to_end[edge])
        k = int(sections.edge_branch[edge])
        found[k] = (*found.get(k, ()), (position, is_forward))
    return found


def _lift(network: Network, carries: IntArray, bus: IntArray) -> float:
    """Return by how much charging may lift a voltage at most: all of it through all reactances. [1]"""
    branches = network.branches
    given = np.maximum(network.buses.b_pu[bus], 0.0).sum()
    given += np.maximum(branches.b_from_pu[carries], 0.0).sum() + np.maximum(branches.b_to_pu[carries], 0.0).sum()
    return min(_LIFT, float(given * np.abs(branches.x_pu[carries]).sum()))


def _highest(network: Network, carries: Sequence[int], closed: Sequence[int], lift: float) -> FloatArray:
    """Return the highest squared voltage of every bus: that without load on the best way from any source. [pu^2]"""
    branches = network.branches
    vm = np.zeros(network.n_bus)
    vm[network.slack_bus] = network.slack_vm_pu
    # First what has supply, from its own source only.
    for some in (closed, carries):
        beside: dict[int, list[tuple[int, float]]] = {}
        for k in some:
            a, b, ratio = int(branches.from_bus[k]), int(branches.to_bus[k]), float(branches.tap_ratio[k])
            beside.setdefault(a, []).append((b, 1.0 / ratio))
            beside.setdefault(b, []).append((a, ratio))
        is_done = vm > 0.0
        heap = [(-float(vm[bus]), int(bus)) for bus in np.flatnonzero(is_done)]
        heapq.heapify(heap)
        while heap:
            negative, bus = heapq.heappop(heap)
            if -negative < vm[bus]:
                continue
            for far, gain in beside.get(bus, []):
                if not is_done[far] and vm[bus] * gain > vm[far]:
                    vm[far] = vm[bus] * gain
                    heapq.heappush(heap, (-float(vm[far]), far))
            is_done[bus] = True
    lifted = vm * (1.0 + lift)
    lifted[network.slack_bus] = network.slack_vm_pu
    squares: FloatArray = lifted**2
    return squares


def _lowest(state: NormalState, place: IntArray) -> FloatArray:
    """Return the lowest squared voltage that is allowed. [pu^2]"""
    relaxed = state.min_vm_pu - CHARGING * (_NOMINAL_PU - state.min_vm_pu)
    vm = np.where(place == LIVE, relaxed, state.min_vm_pu)
    result: FloatArray = vm**2 * (1.0 - _ROUNDING)
    return result


def _shunts(network: Network, closed: Sequence[int]) -> tuple[FloatArray, FloatArray]:
    """Return the shunts of all buses with those of the closed branches. [pu]"""
    branches = network.branches
    g, b = network.buses.g_pu.copy(), network.buses.b_pu.copy()
    k = np.array(closed, dtype=np.int64)
    square = branches.tap_ratio[k] ** 2
    np.add.at(g, branches.from_bus[k], branches.g_from_pu[k] / square)
    np.add.at(g, branches.to_bus[k], branches.g_to_pu[k])
    np.add.at(b, branches.from_bus[k], branches.b_from_pu[k] / square)
    np.add.at(b, branches.to_bus[k], branches.b_to_pu[k])
    return g, b


def _most_current(
    state: NormalState, network: Network, k: int, high: FloatArray, *, is_live: bool, own: IntArray
) -> float:
    """Return the square of the highest current of a branch behind its ratio, as power at 1 pu. [MW^2]"""
    branches, sn_mva = network.branches, network.sn_mva
    counts = state.judged_branch[k] and (not is_live or state.branch_kept[k] or state.branch_feeder[k] in own)
    if not counts:
        return INFINITY
    share = state.max_loading_percent / 100.0 * (1.0 + (CHARGING if is_live else 0.0))
    ends = (
        (branches.from_bus[k], branches.rating_from_ka[k], branches.g_from_pu[k], branches.b_from_pu[k]),
        (branches.to_bus[k], branches.rating_to_ka[k], branches.g_to_pu[k], branches.b_to_pu[k]),
    )
    most = INFINITY
    for (bus, rating_ka, g, b), ratio in zip(ends, (float(branches.tap_ratio[k]), 1.0), strict=True):
        if rating_ka > 0:
            # The limit is one of the whole current: the part of it that charges the branch does not go through it.
            charging = abs(complex(g, b)) * sn_mva * float(high[bus]) ** 0.5 / ratio
            most = min(most, ratio * share * SQRT3 * float(network.buses.vn_kv[bus] * rating_ka) + charging)
    return most**2 * (1.0 + _ROUNDING)


def _span(network: Network, k: int, node: IntArray, links: tuple[tuple[int, bool], ...], most_current: float) -> Span:
    branches, sn_mva, ratio = network.branches, network.sn_mva, float(network.branches.tap_ratio[k])
    return Span(
        branch=k,
        from_bus=int(node[branches.from_bus[k]]),
        to_bus=int(node[branches.to_bus[k]]),
        r=float(branches.r_pu[k]) / sn_mva,
        x=float(branches.x_pu[k]) / sn_mva,
        ratio=ratio,
        most_current=most_current,
        links=links,
        charging_mvar=_OPEN_END * sn_mva * float(branches.b_from_pu[k] / ratio**2 + branches.b_to_pu[k])
        if links
        else 0.0,
    )
