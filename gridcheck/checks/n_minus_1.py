"""N-1 of medium-voltage feeders: lose a section or an outlet, restore what is healthy, and say what stays off.

A fault makes the nearest circuit breaker towards the source trip. The switches around the faulted section isolate it;
what lies before it gets its supply back from its own source; what lies behind it is shared out among normally open
ties so that the limits are kept in the worst case of the whole cold wave: see `search` for what counts as best.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.checks.islands import dark_graph
from gridcheck.checks.judgement import NormalState, normal_state
from gridcheck.checks.normal_rules import loaded_buses, require_load, require_outages
from gridcheck.checks.outages import TRAFO, Contingency, CutOff, contingencies_of, cut_off
from gridcheck.checks.outcomes import Outcome
from gridcheck.checks.records import NMinus1Row, NMinus1Status, PartialSupply, WorstValues
from gridcheck.checks.restoration import Restoration, gravest, restore
from gridcheck.checks.shedding import BusCensus, Shedding
from gridcheck.checks.switching_sheet import (
    SwitchingTimes,
    edge_name,
    restore_minutes,
    switching_steps,
    switching_times,
)
from gridcheck.checks.trees import Switching
from gridcheck.errors import InputError
from gridcheck.limits import DEFAULT_LIMITS, LimitSet
from gridcheck.network.records import BranchKind, Network
from gridcheck.network.section_tree import reached
from gridcheck.network.sections import NONE
from gridcheck.units import KW_PER_MW

# What a section is worth at least that draws something at any time. [kW]
_LEAST_KW = 1e-4


def run_n_minus_1(
    network: Network,
    loads: LoadCases | FactoredLoads,
    *,
    households: IntArray,
    limits: LimitSet = DEFAULT_LIMITS,
    contingencies: Sequence[Contingency] | None = None,
    threads: int = 1,
) -> tuple[NMinus1Row, ...]:
    """Study outages of a radial network.

    Parameters
    ----------
    network : Network
        Radial as normally switched. Without any switch, every line counts as switched at both ends and lines out of
        service as open ties. Ties between other vector groups are never closed; see `remarks`.
    loads : LoadCases or FactoredLoads
        All cases, buses in the order of ``network.bus_id``.
    households : ndarray of int, shape (n_bus,)
        Registered households at each bus.
    limits : LimitSet
        ``n_minus_1_loading_percent`` and ``n_minus_1_vm_min_pu`` are used.
    contingencies : sequence of Contingency, optional
        What is lost, by sections as `sections_of` numbers them; every section that holds a line and every outlet
        where not given.
    threads : int
        Outages studied at the same time; the result does not depend on it.

    Returns
    -------
    tuple of NMinus1Row
        In the order of the contingencies.

    Raises
    ------
    TopologyError
        If the network is not radial as normally switched.
    NetworkError
        If it has no switch, and a line out of service that would serve as a tie holds values that no line has.
    InputError
        If loads, households or contingencies do not fit the network, nothing is drawn, or nothing can be lost.
    """
    if loads.n_bus != network.n_bus or np.shape(households) != (network.n_bus,):
        raise InputError(
            f"loads and households must have one column per bus, {network.n_bus}. "
            f"Got {loads.n_bus} and the shape {np.shape(households)}."
        )
    if threads < 1:
        raise InputError(f"threads must be at least 1. Got {threads}.")
    require_load(network, loads)
    state = normal_state(network, loads, limits)
    sections, tree = state.sections, state.tree
    chosen = contingencies_of(network, sections, tree) if contingencies is None else tuple(contingencies)
    if contingencies is None:
        require_outages(network, len(chosen))
    unknown = [c.outage_id for c in chosen if not 0 <= c.section < sections.n_section or not tree.supplied[c.section]]
    if unknown:
        raise InputError("Outages of sections that do not exist or are not supplied.", unknown[:20])
    return lose_each(state, loads, households, chosen, threads=threads)


def lose_each(
    state: NormalState,
    loads: LoadCases | FactoredLoads,
    households: IntArray,
    contingencies: Sequence[Contingency],
    *,
    threads: int = 1,
    done: Callable[[], None] | None = None,
    times: SwitchingTimes | None = None,
) -> tuple[NMinus1Row, ...]:
    """Study outages of a network that is prepared; arguments as in `run_n_minus_1`.

    `done` is called after each; `times` say how long operations take, `switching_times` where not given.
    """
    times = switching_times() if times is None else times
    census = _census(state, loads, households)

    def study(contingency: Contingency) -> NMinus1Row:
        row = _study(state, census, contingency, times)
        if done is not None:
            done()
        return row

    if threads == 1:
        return tuple(study(contingency) for contingency in contingencies)
    with ThreadPoolExecutor(threads) as pool:
        return tuple(pool.map(study, contingencies))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Census:
    """What hangs on each section: load in all cases (n_section, n_case) in kW, and households (n_section,)."""

    load_kw: FloatArray
    households: IntArray
    loads: LoadCases | FactoredLoads
    bus_households: IntArray
    is_loaded: BoolArray

    def buses(self, case: int) -> BusCensus:
        """Return what hangs on each bus in a case."""
        loads = self.loads
        one = loads.p_mw[case] if isinstance(loads, LoadCases) else loads.p_weight_mw @ loads.profile[case]
        return BusCensus(load_kw=one * KW_PER_MW, households=self.bus_households)

    def drawn_kw(self, state: NormalState, buses: BusCensus) -> FloatArray:
        """Return what each section is worth supplying: what its buses draw, shape (n_section,). [kW]

        What feeds in does not make up for a neighbour who is off. A section that draws nothing in this case and
        something in another, or reactive power alone, counts too, if only for `_LEAST_KW`.
        """
        section = state.sections.bus_section
        drawn, is_loaded = np.zeros(len(self.households)), np.zeros(len(self.households), dtype=bool)
        here = np.flatnonzero((section >= 0) & self.is_loaded)
        np.add.at(drawn, section[here], np.maximum(buses.load_kw[here], 0.0))
        is_loaded[section[here]] = True
        result: FloatArray = np.where(is_loaded, np.maximum(drawn, _LEAST_KW), 0.0)
        return result


def _census(state: NormalState, loads: LoadCases | FactoredLoads, households: IntArray) -> _Census:
    """Sum over the buses of each section; what has no supply in normal operation does not count."""
    section = state.sections.bus_section
    counts = np.flatnonzero((section >= 0) & state.tree.supplied[section])
    n_section = state.sections.n_section
    homes = np.zeros(n_section, dtype=np.int64)
    np.add.at(homes, section[counts], np.asarray(households, dtype=np.int64)[counts])
    per_bus = loads.p_mw.T if isinstance(loads, LoadCases) else loads.p_weight_mw
    total_mw = np.zeros((n_section, per_bus.shape[1]))
    np.add.at(total_mw, section[counts], per_bus[counts])
    load_mw = total_mw if isinstance(loads, LoadCases) else total_mw @ loads.profile.T
    per_home = np.asarray(households, dtype=np.int64)
    return _Census(
        load_kw=load_mw * KW_PER_MW,
        households=homes,
        loads=loads,
        bus_households=per_home,
        is_loaded=loaded_buses(loads),
    )


def _study(state: NormalState, census: _Census, contingency: Contingency, times: SwitchingTimes) -> NMinus1Row:
    """Isolate, restore, and write down what is left."""
    cut = cut_off(contingency, state.sections, state.tree)
    peak_case = int(np.argmax(census.load_kw[cut.feeder].sum(axis=0)))
    load_kw, homes = census.load_kw[:, peak_case], census.households
    buses = census.buses(peak_case)
    drawn_kw = census.drawn_kw(state, buses)
    restoration = restore(state, cut, dark_graph(state, cut, homes, drawn_kw), buses=buses)
    is_on = reached(state.sections, restoration.done.closed, faulted=cut.faulted)[cut.feeder]
    dark = np.concatenate([np.zeros(0, dtype=np.int64), *cut.islands])
    lost_kw, restored_kw = float(load_kw[dark].sum()), float(load_kw[restoration.restored].sum())
    found = restoration.found
    served_kw, demand_kw = float(load_kw[cut.feeder][is_on].sum()), float(load_kw[cut.feeder].sum())
    status = restoration.status
    if served_kw == drawn_kw[dark].sum() == 0.0 < demand_kw:
        # Nothing but the faulted section: no switch parts the feeder, which waits for the repair as a whole.
        status = gravest([status, NMinus1Status.UNSUPPLIED])
    steps = switching_steps(state, cut, restoration.done, load_kw=load_kw, households=homes, times=times)
    return NMinus1Row(
        outage_id=contingency.outage_id,
        outage_kind=contingency.outage_kind,
        county_code=contingency.county_code,
        feeder_id=contingency.feeder_id,
        supply_class=contingency.supply_class,
        status=status,
        peak_case=peak_case,
        demand_kw=demand_kw,
        served_kw=served_kw,
        unsupplied_kw=float(load_kw[cut.feeder][~is_on].sum()),
        interrupted_kw=float(load_kw[cut.interrupted].sum()),
        lost_kw=lost_kw,
        restored_kw=restored_kw,
        unsupplied_households=int(homes[cut.feeder][~is_on].sum()),
        interrupted_households=int(homes[cut.interrupted].sum()),
        untransferred_households=int(homes[dark].sum() - homes[restoration.restored].sum()),
        transfer_ratio=restored_kw / lost_kw if lost_kw > 0 else 1.0,
        method=found.method,
        is_proved=found.is_proved,
        bound_households=found.bound[0],
        bound_kw=found.bound[1],
        stages=len(restoration.done.stages) or int(len(restoration.restored) > 0),
        after_buses=() if restoration.done.stages else _after_buses(state, cut),
        worst=worst_values(state, restoration.worst),
        tried=worst_values(state, restoration.tried_worst),
        steps=steps,
        restore_minutes=restore_minutes(steps),
        partial=_partial(state, restoration.shedding),
        **_operations(state, contingency, cut, restoration),
    )


def _partial(state: NormalState, shedding: Shedding | None) -> PartialSupply | None:
    if shedding is None:
        return None
    return PartialSupply(
        bus_id=tuple(state.network.bus_id[shedding.bus].tolist()),
        bus_name=tuple(state.network.buses.name[bus] for bus in shedding.bus.tolist()),
        households=shedding.households,
        load_kw=shedding.load_kw,
        switch_states=_switch_states(state, shedding.switching),
        line_states=_line_states(state, shedding.switching),
        worst=worst_values(state, shedding.worst),
    )


def _after_buses(state: NormalState, cut: CutOff) -> tuple[int, ...]:
    """Return the ids of the buses that draw more when their supply returns; none where nothing is known of it."""
    if not state.has_after:
        return ()
    return tuple(state.network.bus_id[np.isin(state.sections.bus_section, cut.interrupted)].tolist())


def worst_values(state: NormalState, worst: Outcome) -> WorstValues:
    """Name the elements of an outcome by the ids of the user, loadings by the nameplate."""
    network, k, bus = state.network, worst.loading_branch, worst.vm_bus
    branches = network.branches
    return WorstValues(
        loading_percent=np.nan if k == NONE else worst.loading_percent * float(state.allowed_ratio[k]),
        loading_limit_percent=np.nan if k == NONE else state.max_loading_percent * float(state.allowed_ratio[k]),
        loading_kind="" if k == NONE else BranchKind(branches.kind[k]).name.lower(),
        loading_id=NONE if k == NONE else int(branches.branch_id[k]),
        loading_name="" if k == NONE else branches.name[k],
        loading_case=worst.loading_case,
        vm_pu=worst.vm_pu,
        vm_bus_id=NONE if bus == NONE else int(network.bus_id[bus]),
        vm_bus_name="" if bus == NONE else network.buses.name[bus],
        vm_case=worst.vm_case,
    )


def _operations(state: NormalState, contingency: Contingency, cut: CutOff, restoration: Restoration) -> dict[str, Any]:
    """Say what is switched, in the ids of the user."""
    branches, sections = state.network.branches, state.sections
    operated = restoration.done.closed != sections.edge_closed
    operated[list(restoration.done.parted)] = True
    in_fault = (sections.branch_section == cut.faulted) & (branches.kind == BranchKind.LINE)
    lines = np.flatnonzero(in_fault & branches.in_service) if cut.faulted != NONE else np.zeros(0, dtype=np.int64)
    trafos = np.flatnonzero((sections.branch_section == cut.faulted) & (branches.kind == BranchKind.TRAFO))
    is_trafo = contingency.outage_kind == TRAFO
    return {
        "tripped_by": "" if cut.breaker_edge == NONE else edge_name(state, cut.breaker_edge),
        "restored_by": _tie_names(state, restoration.done.ties),
        "refused_by": _tie_names(state, restoration.rejected),
        "opened": tuple(dict.fromkeys(edge_name(state, edge) for edge in restoration.done.opened)),
        "closed_branches": _branches_of(state, [state.ties.edge[tie] for tie in restoration.done.ties]),
        "opened_branches": _branches_of(state, restoration.done.opened),
        "refused_branches": _branches_of(state, [state.ties.edge[tie] for tie in restoration.rejected]),
        "by_remote": bool(sections.edge_remote[operated].all()),
        "switch_states": _switch_states(state, restoration.done),
        "tried_switch_states": _switch_states(state, restoration.tried),
        "line_states": _line_states(state, restoration.done),
        "tried_line_states": _line_states(state, restoration.tried),
        "faulted_lines": tuple(int(i) for i in branches.branch_id[lines]),
        "faulted_trafos": tuple(int(i) for i in branches.branch_id[trafos]) if is_trafo else (),
    }


def _branches_of(state: NormalState, edges: Sequence[int]) -> tuple[str, ...]:
    branches = state.network.branches
    k = [int(state.sections.edge_branch[edge]) for edge in edges]
    names = [f"{BranchKind(branches.kind[i]).name.lower()}:{branches.branch_id[i]}" for i in k]
    return tuple(dict.fromkeys(names))


def _tie_names(state: NormalState, ties: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(edge_name(state, int(state.ties.edge[tie])) for tie in ties)


def _switch_states(state: NormalState, switching: Switching) -> tuple[tuple[int, bool], ...]:
    sections, switches, branches = state.sections, state.network.switches, state.network.branches
    moved = np.flatnonzero(_moved(state, switching))
    at = np.flatnonzero(np.isin(sections.switch_edge, moved))
    changes = [(int(switches.switch_id[i]), bool(switching.closed[sections.switch_edge[i]])) for i in at]
    couplers = moved[branches.kind[sections.edge_branch[moved]] == BranchKind.SWITCH]
    changes += [(int(branches.branch_id[sections.edge_branch[e]]), bool(switching.closed[e])) for e in couplers]
    return tuple(sorted(changes))


def _line_states(state: NormalState, switching: Switching) -> tuple[tuple[int, bool], ...]:
    if not state.sections.by_line:
        return ()
    branches, moved = state.network.branches, np.flatnonzero(_moved(state, switching))
    moved = moved[branches.kind[state.sections.edge_branch[moved]] == BranchKind.LINE]
    branch_id = branches.branch_id[state.sections.edge_branch[moved]]
    return tuple(sorted({(int(i), bool(switching.closed[e])) for i, e in zip(branch_id, moved, strict=True)}))


def _moved(state: NormalState, switching: Switching) -> BoolArray:
    moved: BoolArray = switching.closed != state.sections.edge_closed
    return moved
