"""All trees that the restorations of many outages touch, each solved once, and what their margins say of outages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.checks.full_ways import full_ways, whole_island_ways
from gridcheck.checks.islands import DarkGraph, dark_graph
from gridcheck.checks.judgement import NormalState
from gridcheck.checks.outages import Contingency, CutOff, cut_off
from gridcheck.checks.search import Way
from gridcheck.checks.trees import own_source
from gridcheck.network.section_tree import switched_ends
from gridcheck.network.sections import NONE
from gridcheck.powerflow import (
    Judged,
    Own,
    Switchable,
    SwitchStates,
    TopologyStatus,
    solve_topologies,
    switchable,
)
from gridcheck.powerflow.switchable import EndArray

# Rows after the margins of the trees: of a way that touches none, and of an outage that has no way.
_FREE, _NEVER = -2, -1
_NOMINAL_PU = 1.0
_TOLERANCE_PU = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Groups:
    """Members of groups one after the other; every group has at least one.

    Attributes
    ----------
    member : ndarray of int, shape (n_member,)
        What belongs to the groups.
    first : ndarray of int, shape (n_group,)
        Where each group begins in `member`.
    """

    member: IntArray
    first: IntArray

    def lowest(self, values: FloatArray) -> FloatArray:
        """Return the lowest value (n, n_case) of each group, shape (n_group, n_case)."""
        result: FloatArray = np.minimum.reduceat(values[self.member], self.first, axis=0)
        return result

    def highest(self, values: FloatArray) -> FloatArray:
        """Return the highest value (n, n_case) of each group, shape (n_group, n_case)."""
        result: FloatArray = np.maximum.reduceat(values[self.member], self.first, axis=0)
        return result


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutageTrees:
    """Outages, their ways and the trees that these touch.

    Attributes
    ----------
    state : NormalState
        The network in normal operation.
    prepared : Switchable
        The network as the solver takes it.
    ends : ndarray of uint8, shape (n_tree, n_branch)
        Which ends of each branch are connected, as in `SwitchStates`.
    root : ndarray of int, shape (n_tree,)
        Branch by which the tree leaves its source.
    mine : ndarray of bool, shape (n_tree, n_edge)
        Feeders that take part, by outlet edge.
    tree_outage : ndarray of int, shape (n_tree,)
        Outage whose tree it is.
    full_trees : Groups
        Trees of each way that supplies everything again, that of the outage's own source among them.
    full_ways : Groups
        Those ways of each outage.
    part_trees : Groups
        Trees of each way that counts for the transfer, without that of the outage's own source.
    part_ways : Groups
        Those ways of each outage: the ways above, and those that take some islands as a whole.
    part_outage : ndarray of int, shape (n_part,)
        Outage of each of them.
    part_sections : tuple of ndarray of int
        Sections that each of them supplies.
    lost_sections : tuple of ndarray of int
        Healthy sections that each outage cuts off.
    n_way : ndarray of int, shape (n_outage,)
        Ways that supply everything again, 0 where there is none.
    has_more : ndarray of bool, shape (n_outage,)
        True where there may be more ways than were looked at.
    """

    state: NormalState
    prepared: Switchable
    ends: EndArray
    root: IntArray
    mine: BoolArray
    tree_outage: IntArray
    full_trees: Groups
    full_ways: Groups
    part_trees: Groups
    part_ways: Groups
    part_outage: IntArray
    part_sections: tuple[IntArray, ...]
    lost_sections: tuple[IntArray, ...]
    n_way: IntArray
    has_more: BoolArray

    @property
    def n_tree(self) -> int:
        """Number of trees."""
        return len(self.root)

    def margins(
        self,
        loads: LoadCases | FactoredLoads,
        *,
        chosen: IntArray | None = None,
        after: tuple[LoadCases | FactoredLoads, BoolArray] | None = None,
        threads: int | None = 1,
    ) -> FloatArray:
        """Solve trees in all cases of some loads, all in one call.

        Parameters
        ----------
        loads : LoadCases or FactoredLoads
            The cases.
        chosen : ndarray of int, optional
            Trees that are solved, all where not given.
        after : tuple, optional
            Other loads in the same cases, and the buses of each chosen tree that draw them.
        threads : int, optional
            Threads of the solver.

        Returns
        -------
        ndarray, shape (n_tree + 2, n_case)
            Distance to the nearer limit over its range as in `Outcome`, -inf without a solution and in trees that are
            not chosen; then inf, the margin of no tree, and -inf, that of no way. [1]
        """
        state, result = self.state, np.full((self.n_tree + 2, loads.n_case), -np.inf)
        result[_FREE] = np.inf
        some = np.arange(self.n_tree) if chosen is None else chosen
        if len(some) == 0:
            return result
        bus = state.judged_bus.copy()
        # The voltage of a source is given; it would also stand where there is no solution.
        bus[state.network.slack_bus] = False
        own = Own(
            group_bus=state.bus_feeder, group_branch=state.branch_feeder, mine=self.mine[some],
            bus_kept=state.bus_kept, branch_kept=state.branch_kept, vm_min_pu=state.min_vm_pu,
            loading_max_percent=state.max_loading_percent,
        )  # fmt: skip
        found = solve_topologies(
            self.prepared,
            loads,
            SwitchStates(
                ends=self.ends[some], root=self.root[some],
                loads_after=None if after is None else after[0], is_after=None if after is None else after[1],
            ),
            judged=Judged(bus=bus, branch=state.judged_branch, own=own, by_case=True),
            tolerance_pu=_TOLERANCE_PU, threads=threads,
        )  # fmt: skip
        voltage = (found.vm_by_case - state.min_vm_pu) / (_NOMINAL_PU - state.min_vm_pu)
        loading = 1.0 - found.loading_by_case / state.max_loading_percent
        # An element without a rating, or no bus at all, cannot break a limit.
        margin = np.fmin(np.fmin(voltage, loading), _source_margin(state))
        failed = found.status != TopologyStatus.CONVERGED
        margin[failed] = np.where(np.isnan(found.vm_by_case[failed]), -np.inf, margin[failed])
        margin[found.status == TopologyStatus.LOOP] = -np.inf
        result[some] = margin
        return result

    def outage_margins(self, margin: FloatArray) -> FloatArray:
        """Return the margin of the best way of each outage that supplies everything again, shape (n_outage, n_case)."""
        return self.full_ways.highest(self.full_trees.lowest(margin))


def _source_margin(state: NormalState) -> float:
    network = state.network
    judged = state.judged_bus[network.slack_bus] & network.buses.in_service[network.slack_bus]
    vm = float(network.slack_vm_pu[judged].min(initial=np.inf))
    return (vm - state.min_vm_pu) / (_NOMINAL_PU - state.min_vm_pu)


def outage_trees(
    state: NormalState,
    contingencies: Sequence[Contingency],
    households: IntArray,
    load_kw: FloatArray,
    *,
    most_ways: int,
) -> OutageTrees:
    """List the ways of outages and the trees that they touch.

    Parameters
    ----------
    state : NormalState
        The network in normal operation.
    contingencies : sequence of Contingency
        The outages.
    households : ndarray of int, shape (n_section,)
        Households of each section.
    load_kw : ndarray, shape (n_section,)
        Highest load of each section in any case; sections without load and households need no supply. [kW]
    most_ways : int
        Ways that are looked at for each outage.
    """
    build = _Build(state, load_kw)
    for outage, contingency in enumerate(contingencies):
        cut = cut_off(contingency, state.sections, state.tree)
        build.outage(outage, cut, dark_graph(state, cut, households, load_kw), most_ways)
    return build.trees()


class _Build:
    """Gathers trees, each once for its outage, and who touches them."""

    def __init__(self, state: NormalState, load_kw: FloatArray) -> None:
        self.state, self.load_kw = state, load_kw
        self.closed: list[BoolArray] = []
        self.root: list[int] = []
        self.mine: list[BoolArray] = []
        self.tree_outage: list[int] = []
        self.full_trees: list[list[int]] = []
        self.full_ways: list[list[int]] = []
        self.part_trees: list[list[int]] = []
        self.part_ways: list[list[int]] = []
        self.part_sections: list[IntArray] = []
        self.part_outage: list[int] = []
        self.lost: list[IntArray] = []
        self.n_way: list[int] = []
        self.has_more: list[bool] = []

    def outage(self, outage: int, cut: CutOff, graph: DarkGraph, most_ways: int) -> None:
        """Add one outage."""
        known: dict[tuple[int, int], int] = {}
        needed = sum(1 << place for place, worth in enumerate(graph.worth) if worth != (0, 0.0))
        found = full_ways(graph, needed, most=most_ways)
        own = own_source(self.state, cut)
        is_parted = self._is_parted(cut)
        ways = found.ways if is_parted else ()
        self.full_ways.append([])
        for way in ways:
            bare = [(root, 0) for root in own if root not in dict(way.roots)]
            keys = (*way.roots, *bare)
            trees = [self._tree(outage, cut, graph, key, known) for key in keys]
            self.full_ways[-1].append(self._new(self.full_trees, trees or [_FREE]))
        if not ways:
            self.full_ways[-1].append(self._new(self.full_trees, [_NEVER]))
        self.part_ways.append([])
        nothing = Way(0, 0, 0, (), ())
        for way in dict.fromkeys((*found.ways, *whole_island_ways(graph), nothing)):
            trees = [self._tree(outage, cut, graph, key, known) for key in way.roots]
            self.part_ways[-1].append(self._new(self.part_trees, trees or [_FREE]))
            self.part_sections.append(graph.section[[p for p in range(graph.n_dark) if way.served >> p & 1]])
            self.part_outage.append(outage)
        self.lost.append(graph.section)
        self.n_way.append(len(ways))
        self.has_more.append(found.has_more and is_parted)

    def _is_parted(self, cut: CutOff) -> bool:
        """Whether any load of the feeder stands outside the faulted section; else all waits for the repair."""
        healthy = cut.feeder[cut.feeder != cut.faulted]
        return cut.faulted == NONE or self.load_kw[cut.faulted] == 0.0 or bool((self.load_kw[healthy] != 0.0).any())

    @staticmethod
    def _new(of: list[list[int]], trees: list[int]) -> int:
        of.append(trees)
        return len(of) - 1

    def _tree(
        self, outage: int, cut: CutOff, graph: DarkGraph, key: tuple[int, int], known: dict[tuple[int, int], int]
    ) -> int:
        """Return the tree of a root and the links joined in it, as `restore` judges it."""
        if key in known:
            return known[key]
        sections, ties, outlets = self.state.sections, self.state.ties, self.state.tree.outlet_edge
        closed = sections.edge_closed.copy()
        closed[cut.opened] = False
        for link in graph.links:
            if not link.is_tie:
                closed[list(link.edges)] = False
        feeders = [int(outlets[s]) for s in (*cut.feeder[:1], *(island[0] for island in cut.islands))]
        for position, link in enumerate(graph.links):
            if key[1] >> position & 1:
                closed[list(link.edges)] = True
                if link.is_tie:
                    feeders += [int(outlets[ties.section_a[link.tie]]), int(outlets[ties.section_b[link.tie]])]
        mine = np.zeros(sections.n_edge, dtype=bool)
        mine[[feeder for feeder in feeders if feeder >= 0]] = True
        self.closed.append(closed)
        self.root.append(key[0])
        self.mine.append(mine)
        self.tree_outage.append(outage)
        known[key] = len(self.root) - 1
        return known[key]

    def trees(self) -> OutageTrees:
        """Return all that was added."""
        n_edge = self.state.sections.n_edge
        closed = np.array(self.closed, dtype=bool).reshape(-1, n_edge)
        return OutageTrees(
            state=self.state,
            prepared=switchable(self.state.network),
            ends=switched_ends(self.state.network, self.state.sections, closed),
            root=np.array(self.root, dtype=np.int64),
            mine=np.array(self.mine, dtype=bool).reshape(-1, n_edge),
            tree_outage=np.array(self.tree_outage, dtype=np.int64),
            full_trees=_groups(self.full_trees),
            full_ways=_groups(self.full_ways),
            part_trees=_groups(self.part_trees),
            part_ways=_groups(self.part_ways),
            part_outage=np.array(self.part_outage, dtype=np.int64),
            part_sections=tuple(self.part_sections),
            lost_sections=tuple(self.lost),
            n_way=np.array(self.n_way, dtype=np.int64),
            has_more=np.array(self.has_more, dtype=bool),
        )


def _groups(lists: list[list[int]]) -> Groups:
    sizes = np.array([len(some) for some in lists], dtype=np.int64)
    member = np.array([i for some in lists for i in some], dtype=np.int64)
    return Groups(member=member, first=np.cumsum(sizes) - sizes)
