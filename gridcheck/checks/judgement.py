"""Hold a switch state against the limits: the trees below the main transformers that it touches, in all cases."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.checks.emergency import with_raised_ratings
from gridcheck.checks.extremes import TOLERANCE_PU, extremes
from gridcheck.checks.normal_rules import require_radial, ties_of
from gridcheck.checks.outcomes import Outcome
from gridcheck.checks.worst_cases import beside, only_consumes, select_cases, total_load, undominated_cases
from gridcheck.errors import InputError
from gridcheck.limits import LimitSet
from gridcheck.network.records import BranchKind, Network
from gridcheck.network.section_tree import (
    SectionTree,
    Ties,
    section_tree,
    switched_ends,
    switched_network,
)
from gridcheck.network.sections import NONE, Sections, has_switches, sections_by_line, sections_of
from gridcheck.network.topology import Tree, spanning_tree
from gridcheck.powerflow import (
    Judged,
    Own,
    SwitchStates,
    TopologyExtremes,
    TopologySolver,
    TopologyStatus,
    switchable,
)

_LOW_VOLTAGE_KV = 1.0
# Voltage that a margin is measured from: no drop at all. [pu]
_NOMINAL_PU = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NormalState:
    """What is the same in every outage of a network.

    Attributes
    ----------
    network, sections, tree, ties
        The network as normally switched, its sections and its ties.
    unused_ties : Ties
        Open links that are never closed, because they join voltages of other vector groups.
    loads : LoadCases or FactoredLoads
        The cases among which the worst must be.
    case : ndarray of int
        Their positions among all cases.
    source_branch : ndarray of int, shape (n_bus,)
        The branch by which the supply of each bus leaves its source, such as its main transformer; -1 at sources
        and where there is no supply. Buses with different ones do not influence each other.
    judged_bus, judged_branch : ndarray of bool
        Medium-voltage buses; medium-voltage lines and main transformers.
    bus_feeder, branch_feeder : ndarray of int
        Outlet edge of the feeder, -1 at busbars and above.
    bus_kept, branch_kept : ndarray of bool
        True where the limit is kept in normal operation.
    max_loading_percent, min_vm_pu : float
        Limits. [%], [pu]
    is_consuming : bool
        True where no load feeds in and none follows the voltage.
    solver : TopologySolver, optional
        Solves switch states in compiled code; not where loads follow the voltage.
    heaviest : TopologySolver, optional
        The same for the case with the largest load alone: what has no solution there is not solved in the others.
    loads_after : LoadCases or FactoredLoads, optional
        What buses draw after an outage in the cases of `loads`, where it is known to differ.
    allowed_ratio : ndarray, shape (n_branch,)
        Loading that each branch may carry after an outage over ``max_loading_percent``; ratings of `network` are
        raised by it. [1]
    """

    network: Network
    sections: Sections
    tree: SectionTree
    ties: Ties
    unused_ties: Ties
    loads: LoadCases | FactoredLoads
    case: IntArray
    source_branch: IntArray
    judged_bus: BoolArray
    judged_branch: BoolArray
    bus_feeder: IntArray
    branch_feeder: IntArray
    bus_kept: BoolArray
    branch_kept: BoolArray
    max_loading_percent: float
    min_vm_pu: float
    is_consuming: bool
    solver: TopologySolver | None
    heaviest: TopologySolver | None
    loads_after: LoadCases | FactoredLoads | None
    allowed_ratio: FloatArray

    @property
    def has_after(self) -> bool:
        """Whether it is known what buses draw after an outage."""
        return self.loads_after is not None


def normal_state(
    network: Network,
    loads: LoadCases | FactoredLoads,
    limits: LimitSet,
    *,
    switched: IntArray | None = None,
    loads_after: LoadCases | FactoredLoads | None = None,
    allowed_ratio: FloatArray | None = None,
    like: NormalState | None = None,
) -> NormalState:
    """Prepare a network for its outages.

    Parameters
    ----------
    network : Network
        Radial as normally switched.
    loads : LoadCases or FactoredLoads
        All cases.
    limits : LimitSet
        ``n_minus_1_loading_percent`` and ``n_minus_1_vm_min_pu`` are used.
    switched : ndarray of int, optional
        Branches that count as switched at both ends, such as transformers whose outage is studied.
    loads_after : LoadCases or FactoredLoads, optional
        What buses draw in the same cases when their supply has just come back; as before where not given.
    allowed_ratio : ndarray, shape (n_branch,), optional
        What each branch may carry after an outage over the limit for all, for example in winter; 1 where not given.
        [1]
    like : NormalState, optional
        The state of another network with the same buses and loads, from which what only loads decide is taken.

    Raises
    ------
    TopologyError
        If the network is not radial as normally switched.
    NetworkError
        If it has no switch, and a line out of service that would serve as a tie holds values that no line has.
    InputError
        If the lowest voltage allowed leaves no band below nominal.
    """
    if not limits.n_minus_1_vm_min_pu.value < _NOMINAL_PU:
        raise InputError(f"n_minus_1_vm_min_pu must be below 1. Got {limits.n_minus_1_vm_min_pu.value}.")
    bus_tree = spanning_tree(network)
    require_radial(network, bus_tree)
    see = sections_of if has_switches(network) else sections_by_line
    sections = see(network, switched=switched)
    tree = section_tree(sections)
    ties, unused_ties = ties_of(network, bus_tree, sections, tree)
    if like is None:
        case = undominated_cases(loads if loads_after is None else beside(loads, loads_after))
        chosen, after = select_cases(loads, case), None if loads_after is None else select_cases(loads_after, case)
        is_consuming = only_consumes(loads) and (loads_after is None or only_consumes(loads_after))
    else:
        case, chosen, after, is_consuming = like.case, like.loads, like.loads_after, like.is_consuming
    ratio = np.ones(network.n_branch) if allowed_ratio is None else allowed_ratio
    network = with_raised_ratings(network, ratio)
    judged_bus, judged_branch = _judged(network)
    state = NormalState(
        network=network,
        sections=sections,
        tree=tree,
        ties=ties,
        unused_ties=unused_ties,
        loads=chosen,
        case=case,
        source_branch=_source_branches(network, bus_tree),
        judged_bus=judged_bus,
        judged_branch=judged_branch,
        bus_feeder=_of_section(tree.outlet_edge, sections.bus_section),
        branch_feeder=_of_section(tree.outlet_edge, sections.branch_section),
        bus_kept=np.zeros(network.n_bus, dtype=bool),
        branch_kept=np.zeros(network.n_branch, dtype=bool),
        max_loading_percent=limits.n_minus_1_loading_percent.value,
        min_vm_pu=limits.n_minus_1_vm_min_pu.value,
        is_consuming=is_consuming,
        solver=_solver(network, chosen, after),
        heaviest=_solver(network, *_heaviest(chosen, after)),
        loads_after=after,
        allowed_ratio=ratio,
    )
    return _with_kept_limits(state, bus_tree)


def _solver(
    network: Network, loads: LoadCases | FactoredLoads, after: LoadCases | FactoredLoads | None
) -> TopologySolver | None:
    if loads.depends_on_voltage:
        if after is not None:
            raise InputError("Loads after an outage need loads of constant power.")
        return None
    return TopologySolver(switchable(network), loads, loads_after=after, tolerance_pu=TOLERANCE_PU)


def _heaviest(
    loads: LoadCases | FactoredLoads, after: LoadCases | FactoredLoads | None
) -> tuple[LoadCases | FactoredLoads, LoadCases | FactoredLoads | None]:
    """Return the loads of the case with the largest load."""
    case = np.array([np.argmax(total_load(loads if after is None else after))])
    return select_cases(loads, case), None if after is None else select_cases(after, case)


def _judged(network: Network) -> tuple[BoolArray, BoolArray]:
    """Medium voltage is the level of the lines above 1 kV; of all lines where there are none."""
    branches, vn_kv = network.branches, network.buses.vn_kv
    is_line = branches.kind == BranchKind.LINE
    levels = np.unique(vn_kv[branches.from_bus[is_line]])
    levels = levels[levels > _LOW_VOLTAGE_KV] if (levels > _LOW_VOLTAGE_KV).any() else levels
    bus = np.isin(vn_kv, levels)
    is_main = (branches.kind == BranchKind.TRAFO) & (vn_kv[branches.to_bus] >= levels.min(initial=np.inf))
    return bus, (is_line & bus[branches.from_bus]) | is_main


def _source_branches(network: Network, tree: Tree) -> IntArray:
    result = np.full(network.n_bus, NONE, dtype=np.int64)
    is_slack = np.zeros(network.n_bus, dtype=bool)
    is_slack[network.slack_bus] = True
    for bus in tree.order.tolist():
        up = int(tree.parent[bus])
        if up >= 0:
            result[bus] = tree.parent_branch[bus] if is_slack[up] else result[up]
    return result


def _of_section(values: IntArray, section: IntArray) -> IntArray:
    return np.where(section >= 0, values[np.maximum(section, 0)], NONE)


def _with_kept_limits(state: NormalState, bus_tree: Tree) -> NormalState:
    network = state.network
    bus_kept, branch_kept = np.ones(network.n_bus, dtype=bool), np.ones(network.n_branch, dtype=bool)
    for source in np.unique(state.source_branch[state.source_branch >= 0]).tolist():
        found = extremes(network, state.loads, state.source_branch == source, tree=bus_tree)
        if found is None:
            bus_kept[state.source_branch == source] = False
            branch_kept[np.isin(network.branches.to_bus, np.flatnonzero(state.source_branch == source))] = False
            continue
        bus_kept[found.bus] = found.vm_pu >= state.min_vm_pu
        branch_kept[found.branch] = found.loading_percent <= state.max_loading_percent
    return replace(state, bus_kept=bus_kept, branch_kept=branch_kept)


def judge(state: NormalState, closed: BoolArray, within: BoolArray, feeders: IntArray) -> Outcome:
    """Hold one switch state against the limits.

    Judged are the medium-voltage lines and buses of the feeders that take part, and the busbars and main transformers
    that supply them. Other feeders on the same busbar feel the transfer only through the busbar's voltage: an
    element of theirs counts where it kept its limit before and does not keep it now.

    Parameters
    ----------
    state : NormalState
        The network in normal operation.
    closed : ndarray of bool, shape (n_edge,)
        State of every switch edge.
    within : ndarray of bool, shape (n_bus,)
        The buses to look at: whole trees below main transformers, as switched now.
    feeders : ndarray of int
        Feeders that take part, by outlet edge.

    Returns
    -------
    Outcome
    """
    network = switched_network(state.network, state.sections, closed)
    found = extremes(network, state.loads, within)
    if found is None:
        return Outcome(is_solved=False)
    own = np.append(feeders, NONE)
    counts = state.judged_bus[found.bus] & (found.vm_case >= 0)
    counts &= np.isin(state.bus_feeder[found.bus], own) | (state.bus_kept[found.bus] & (found.vm_pu < state.min_vm_pu))
    lowest = _worst(counts, found.vm_pu, -1.0, found.bus, found.vm_case)
    over = found.loading_percent > state.max_loading_percent
    counts = state.judged_branch[found.branch] & (found.loading_case >= 0)
    counts &= np.isin(state.branch_feeder[found.branch], own) | (state.branch_kept[found.branch] & over)
    return _outcome(state, _worst(counts, found.loading_percent, 1.0, found.branch, found.loading_case), lowest)


def judge_tree(
    state: NormalState,
    closed: BoolArray,
    root: int,
    feeders: IntArray,
    *,
    source_branch: IntArray,
    is_after: BoolArray | None = None,
) -> Outcome:
    """Hold the tree below one root against the limits, as `judge` does.

    Parameters
    ----------
    state, closed, feeders
        As in `judge`.
    root : int
        Branch by which the tree leaves its source.
    source_branch : ndarray of int, shape (n_bus,)
        That branch for every bus, as switched now.
    is_after : ndarray of bool, shape (n_bus,), optional
        Buses that draw what they do after an outage; none where not given, or where nothing is known of it.
    """
    if state.solver is None:
        return judge(state, closed, source_branch == root, feeders)
    states = SwitchStates(
        ends=switched_ends(state.network, state.sections, closed[None]),
        root=np.array([root]),
        is_after=is_after[None] if state.has_after and is_after is not None else None,
    )
    judged = judged_elements(state, feeders, 1)
    # What cannot be solved takes by far the most sweeps, so it is looked for in one case first.
    if state.heaviest is not None and state.heaviest.solve(states, judged).status[0] != TopologyStatus.CONVERGED:
        return Outcome(is_solved=False)
    return outcomes_of(state, state.solver.solve(states, judged))[0]


def judged_elements(state: NormalState, feeders: IntArray, n_topology: int) -> Judged:
    """Say which elements count, as in `judge`, in some switch states in which the same feeders take part."""
    mine = np.zeros((n_topology, state.sections.n_edge), dtype=bool)
    mine[:, feeders[feeders >= 0]] = True
    own = Own(
        group_bus=state.bus_feeder, group_branch=state.branch_feeder, mine=mine, bus_kept=state.bus_kept,
        branch_kept=state.branch_kept, vm_min_pu=state.min_vm_pu, loading_max_percent=state.max_loading_percent,
    )  # fmt: skip
    return Judged(bus=state.judged_bus, branch=state.judged_branch, own=own)


def outcomes_of(state: NormalState, found: TopologyExtremes) -> list[Outcome]:
    """Return how each of some switch states ends that were solved in the cases of `state`."""
    result = []
    for s, status in enumerate(found.status):
        highest = float(found.loading_percent[s]), int(found.loading_branch[s]), int(found.loading_case[s])
        lowest = float(found.vm_pu[s]), int(found.vm_bus[s]), int(found.vm_case[s])
        is_solved = status == TopologyStatus.CONVERGED
        result.append(_outcome(state, highest, lowest) if is_solved else Outcome(is_solved=False))
    return result


def _worst(
    counts: BoolArray, value: FloatArray, sign: float, element: IntArray, case: IntArray
) -> tuple[float, int, int]:
    """Return the worst of the values that count, the element with the lowest position among equals, and its case."""
    k = np.flatnonzero(counts)
    if len(k) == 0:
        return np.nan, NONE, NONE
    i = k[np.lexsort((element[k], -sign * value[k]))[0]]
    return float(value[i]), int(element[i]), int(case[i])


def _outcome(state: NormalState, highest: tuple[float, int, int], lowest: tuple[float, int, int]) -> Outcome:
    """Join the highest loading and the lowest voltage, each with its element and its case among those of the state."""
    (loading, branch, loading_case), (vm, bus, vm_case) = highest, lowest
    return Outcome(
        is_solved=True,
        loading_percent=loading,
        loading_branch=branch,
        loading_case=int(state.case[loading_case]) if loading_case >= 0 else NONE,
        vm_pu=vm,
        vm_bus=bus,
        vm_case=int(state.case[vm_case]) if vm_case >= 0 else NONE,
        margin=_margin(state, loading, vm),
    )


def _margin(state: NormalState, loading_percent: float, vm_pu: float) -> float:
    loading = 1.0 - loading_percent / state.max_loading_percent
    voltage = (vm_pu - state.min_vm_pu) / (_NOMINAL_PU - state.min_vm_pu)
    # An element without a rating, or no bus at all, cannot break a limit.
    return float(np.nanmin([loading, voltage, np.inf]))
