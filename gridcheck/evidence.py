"""The evidence of one verdict or one outage: a pandapower case that anyone can solve and compare.

The case holds the county's network as committed, the loads of the binding moment and, for an outage, the
switches as they stand after restoration. `evidence.json` beside it says which result to look at, what it
must be, and how it follows from pandapower's tables.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray
from gridcheck.cases import LoadCases
from gridcheck.checks.assessment import assess_areas, full_course
from gridcheck.checks.records import NMinus1Row, NMinus1Status
from gridcheck.checks.supply_tree import AREA_KINDS, CheckKind, SupplyTree
from gridcheck.checks.thermal import hot_spot_c
from gridcheck.connection.applications import Application
from gridcheck.connection.decide import QueueResult
from gridcheck.connection.decision import Decision, clause_of
from gridcheck.county_study import CountyCase, feeder_loads
from gridcheck.demand.profiles import ClassCounts, factored_loads
from gridcheck.errors import InputError
from gridcheck.network.convert import network_from_tables
from gridcheck.network.switched_tables import restored_tables
from gridcheck.network.tables import Tables, read_tables
from gridcheck.powerflow.readings import node_loading_percent
from gridcheck.powerflow.results import CONVERGED
from gridcheck.powerflow.solve import solve
from gridcheck.reports.tables import write_bytes
from gridcheck.units import SQRT3

_PANDAPOWER = "pp.runpp(net, tolerance_mva=1e-8)"
_LIMIT_CURRENT = "rating of the line over the limit current of the feeder"
# What a county's network is made of; loads are written anew, and nothing else draws or feeds in.
_GRID_TABLES = ("bus", "line", "trafo", "ext_grid", "switch", "shunt")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """What proves one statement.

    Attributes
    ----------
    statement : dict
        Content of evidence.json.
    loads : DataFrame
        Columns area_id, bus (pandapower's index), p_mw, q_mvar: all loads of the case. [MW], [Mvar]
    switch_closed : dict of int to bool
        Switches that stand differently from normal, by pandapower's index.
    off_trafos : tuple of int
        Transformers that are lost.
    """

    statement: dict[str, Any]
    loads: pd.DataFrame
    switch_closed: dict[int, bool]
    off_trafos: tuple[int, ...] = ()


def explain_application(case: CountyCase, queue: QueueResult, application_id: str) -> Evidence:
    """Gather what one verdict rests on.

    Parameters
    ----------
    case : CountyCase
        The prepared county.
    queue : QueueResult
        Its decided queue.
    application_id : str
        The application.

    Returns
    -------
    Evidence

    Raises
    ------
    InputError
        If there is no such application, or its load flow has no solution.
    """
    place = next((i for i, d in enumerate(queue.decisions) if d.application.application_id == application_id), None)
    if place is None:
        raise InputError(f"There is no application {application_id} in county {case.grid.county_code}.")
    decision = queue.decisions[place]
    if decision.kind is None:
        raise InputError(f"The load flow of application {application_id} has no solution: there is no case to show.")
    area_ids = list(case.grid.areas["area_id"])
    area = area_ids.index(decision.application.area_id)
    promised = [d.application for d in queue.decisions[:place] if d.connected]
    counts = _with(case, case.counts, [*promised, decision.application])
    if decision.with_crowd:
        rated_kw, count = queue.crowd.rated_kw.copy(), queue.crowd.count.copy()
        rated_kw[area], count[area] = counts.rated_kw[area], counts.count[area]
        counts = ClassCounts(rated_kw=rated_kw, count=count)
    tree = next(tree for tree in case.trees if area in tree.area)
    if decision.kind == CheckKind.HOT_SPOT:
        at, read = _hot_spot(case, tree, area_ids.index(decision.element), counts)
    else:
        at, read = decision.case, _where_to_look(case, tree, decision.check, decision.kind)
    return Evidence(
        statement=_verdict_statement(case, decision, at, read),
        loads=_loads_at(case, counts, at, own_diversity=decision.kind in AREA_KINDS),
        switch_closed={},
    )


def _with(case: CountyCase, counts: ClassCounts, applications: Sequence[Application]) -> ClassCounts:
    """Return the counts with some applications connected, added in their order as the queue does it."""
    position = {area_id: i for i, area_id in enumerate(case.grid.areas["area_id"])}
    column = {name: i for i, name in enumerate(case.profiles.classes)}
    rated_kw, count = counts.rated_kw.copy(), counts.count.copy()
    for application in applications:
        at = position[application.area_id], column[application.device]
        rated_kw[at] += application.rated_kw
        count[at] += 1.0
    return ClassCounts(rated_kw=rated_kw, count=count)


def _loads_at(case: CountyCase, counts: ClassCounts, at: int, *, own_diversity: bool) -> pd.DataFrame:
    grid = case.grid
    group = None if own_diversity else grid.area_feeder
    loads = factored_loads(case.profiles, counts, area_bus=grid.area_bus, n_bus=grid.network.n_bus, group=group)
    one = loads.cases(at, at + 1)
    return pd.DataFrame(
        {
            "area_id": grid.areas["area_id"].to_numpy(),
            "bus": grid.network.bus_id[grid.area_bus],
            "p_mw": one.p_mw[0, grid.area_bus],
            "q_mvar": one.q_mvar[0, grid.area_bus],
        }
    )


def _loads_after(case: CountyCase, counts: ClassCounts, at: int, after_buses: tuple[int, ...]) -> pd.DataFrame:
    """Return the loads of a case in which some buses have just got their supply back."""
    loads = _loads_at(case, counts, at, own_diversity=False)
    if after_buses and case.outage_demand is not None:
        later = replace(case, profiles=case.outage_demand.after)
        is_after = loads["bus"].isin(after_buses)
        columns = ["p_mw", "q_mvar"]
        loads.loc[is_after, columns] = _loads_at(later, counts, at, own_diversity=False).loc[is_after, columns]
    return loads


def _verdict_statement(case: CountyCase, decision: Decision, at: int, read: dict[str, Any]) -> dict[str, Any]:
    application, own_diversity = decision.application, decision.kind in AREA_KINDS
    return {
        "application_id": application.application_id,
        "area_id": application.area_id,
        "device": application.device,
        "rated_kw": application.rated_kw,
        "verdict": str(decision.verdict),
        "binding_level": decision.level,
        "binding_element": decision.element,
        "binding_quantity": decision.quantity,
        "binding_value": decision.value,
        "binding_limit": decision.limit,
        "limit_clause": clause_of(decision, case.limits),
        "diversity": "each area's own households" if own_diversity else "all households of the feeder",
        "loads": (
            "this area as promised so far with this heater; all pending applications of other areas connected"
            if decision.with_crowd
            else "everything promised so far, with this heater"
        ),
        "solve_with": _PANDAPOWER,
        "read": read,
        **_common(case, at),
    }


def _where_to_look(case: CountyCase, tree: SupplyTree, check: int, kind: CheckKind) -> dict[str, Any]:
    """Say which result of pandapower gives the binding value, and by which factor or formula."""
    network, model = case.grid.network, tree.model
    node = int(tree.checks.node[check])
    branch_id = int(network.branches.branch_id[model.branch[node]])
    bus = {"table": "res_bus", "index": int(network.bus_id[model.bus[node]]), "column": "vm_pu"}
    line = {"table": "res_line", "index": branch_id, "column": "loading_percent"}
    if kind == CheckKind.SECTION_LOADING:
        return line
    if kind == CheckKind.FEEDER_LOADING:
        factor = float(tree.outlet_factor[np.flatnonzero(tree.outlet_node == node)[0]])
        return {**line, "times": factor, "because": _LIMIT_CURRENT}
    if kind == CheckKind.SECTION_VOLTAGE:
        return bus
    if kind == CheckKind.END_VOLTAGE:
        area = int(np.flatnonzero(tree.area_node == node)[0])
        return {
            **bus,
            "formula": "v = vm_pu * volts_per_pu; v - (p_mw * p_drop + q_mvar * q_drop) / v",
            "volts_per_pu": 400.0 / SQRT3,
            "p_drop": float(tree.lines.p_drop[area]),
            "q_drop": float(tree.lines.q_drop[area]),
            "because": "approximation of the low-voltage lines, see gridcheck.checks.low_voltage",
        }
    return {"table": "res_trafo", "index": branch_id, "column": "loading_percent"}


def _hot_spot(case: CountyCase, tree: SupplyTree, area: int, counts: ClassCounts) -> tuple[int, dict[str, Any]]:
    """Follow the transformer of an area again; its hottest moment, and the course that leads there."""
    row = int(np.flatnonzero(tree.area == area)[0])
    own = ClassCounts(rated_kw=counts.rated_kw[tree.area], count=counts.count[tree.area])
    course = full_course(case.profiles, case.limits)
    state = assess_areas(tree, course, own, case.limits, rows=np.array([row])).state
    loading_percent = node_loading_percent(tree.model, state)[tree.area_node[row]]
    ratio = tree.loss_ratio[[row]]
    outdoors = case.profiles
    celsius = hot_spot_c(
        loading_percent[:, None] / 100.0, outdoors.temperature_c, ratio, case.limits, duration_h=outdoors.duration_h
    )
    at = int(celsius[:, 0].argmax())
    network = case.grid.network
    branch_id = int(network.branches.branch_id[tree.model.branch[tree.area_node[row]]])
    return at, {
        "table": "res_trafo",
        "index": branch_id,
        "column": "loading_percent",
        "value": float(loading_percent[at]),
        "because": "the hot spot follows from the whole course of this loading, see gridcheck.checks.thermal",
        "loss_ratio": float(ratio[0]),
        "loading_percent": [float(value) for value in loading_percent],
        "ambient_c": [float(value) for value in outdoors.temperature_c],
    }


def explain_outage(case: CountyCase, counts: ClassCounts, rows: Sequence[NMinus1Row], outage_id: str) -> Evidence:
    """Gather what one outage rests on.

    Parameters
    ----------
    case : CountyCase
        The prepared county.
    counts : ClassCounts
        Homes and heaters of every area with all approved applications connected.
    rows : sequence of NMinus1Row
        All outages of the county.
    outage_id : str
        The outage.

    Returns
    -------
    Evidence
        Of an outage without a load flow solution: a case that has none.

    Raises
    ------
    InputError
        If there is no such outage, or nothing is left supplied in it.
    """
    row = next((r for r in rows if r.outage_id == outage_id), None)
    if row is None:
        raise InputError(f"There is no outage {outage_id} in county {case.grid.county_code}.")
    switch_closed = dict(row.tried_switch_states)
    if row.status == NMinus1Status.NOT_CONVERGED:
        network = case.grid.network
        names = dict(zip(network.switches.name, network.switches.switch_id.tolist(), strict=True))
        switch_closed |= {names[tie]: True for tie in row.refused_by if tie in names}
        at, binding = _unsolved_case(case, counts, row, switch_closed), _no_solution()
    else:
        by_voltage = row.tried.vm_pu < case.limits.n_minus_1_vm_min_pu.value
        at = row.tried.vm_case if by_voltage else row.tried.loading_case
        if at < 0:
            raise InputError(f"Outage {outage_id} leaves no supplied part to show: its status is {row.status}.")
        binding = _worst_value(case, row, by_voltage=by_voltage)
    return Evidence(
        statement=_outage_statement(row) | binding | {"solve_with": _PANDAPOWER} | _common(case, at),
        loads=_loads_after(case, counts, at, row.after_buses),
        switch_closed=switch_closed,
        off_trafos=row.faulted_trafos,
    )


def _outage_statement(row: NMinus1Row) -> dict[str, Any]:
    return {
        "outage_id": row.outage_id,
        "feeder_id": row.feeder_id,
        "status": str(row.status).lower(),
        "restored_by": list(row.restored_by),
        "tried": list(row.refused_by),
        "unsupplied_kw": row.unsupplied_kw,
        "unsupplied_households": row.unsupplied_households,
        "diversity": "all households of the feeder",
    }


def _worst_value(case: CountyCase, row: NMinus1Row, *, by_voltage: bool) -> dict[str, Any]:
    limits = case.limits
    limit = limits.n_minus_1_vm_min_pu if by_voltage else limits.n_minus_1_loading_percent
    return {
        "binding_quantity": "vm_pu" if by_voltage else "loading_percent",
        "binding_value": row.tried.vm_pu if by_voltage else row.tried.loading_percent,
        "binding_limit": limit.value if by_voltage else row.tried.loading_limit_percent,
        "limit_clause": f"{limit.clause} [{limit.confidence}]",
        "read": _where_the_worst_is(case, row, by_voltage=by_voltage),
    }


def _where_the_worst_is(case: CountyCase, row: NMinus1Row, *, by_voltage: bool) -> dict[str, Any]:
    if by_voltage:
        return {"table": "res_bus", "index": row.tried.vm_bus_id, "column": "vm_pu"}
    kind, index = row.tried.loading_kind, row.tried.loading_id
    read: dict[str, Any] = {"table": f"res_{kind}", "index": index, "column": "loading_percent"}
    for tree in case.trees:
        branch_id = case.grid.network.branches.branch_id[tree.model.branch[tree.outlet_node]]
        for factor in tree.outlet_factor[branch_id == index].tolist() if kind == "line" else ():
            # A feeder without a limit of its own below the line's rating is judged by the rating.
            read |= {"times": max(factor, 1.0), "because": _LIMIT_CURRENT}
    return read


def _no_solution() -> dict[str, Any]:
    return {
        "binding_quantity": "not_converged",
        "binding_value": None,
        "binding_limit": None,
        "limit_clause": "",
        "read": {"expect": "pandapower.LoadflowNotConverged"},
    }


def _unsolved_case(case: CountyCase, counts: ClassCounts, row: NMinus1Row, switch_closed: dict[int, bool]) -> int:
    """Return the first case that has no solution with these switches; that of the feeder's peak where all have one."""
    tables, header = read_tables(case.grid.folder / "network.json")
    name, f_hz, sn_mva = str(header["name"]), float(header["f_hz"]), float(header["sn_mva"])
    switched = network_from_tables(
        _switched(tables, switch_closed, row.faulted_trafos), name=name, f_hz=f_hz, sn_mva=sn_mva
    )
    p_mw, q_mvar = (value.copy() for value in _power_of(case, counts))
    if row.after_buses and case.outage_demand is not None:
        is_after = np.isin(case.grid.network.bus_id, row.after_buses)
        later = _power_of(replace(case, profiles=case.outage_demand.after), counts)
        p_mw[:, is_after], q_mvar[:, is_after] = (value[:, is_after] for value in later)
    failed = np.flatnonzero(solve(switched, LoadCases(p_mw=p_mw, q_mvar=q_mvar)).status != CONVERGED)
    return row.peak_case if row.peak_case in failed or not len(failed) else int(failed[0])


def _power_of(case: CountyCase, counts: ClassCounts) -> tuple[FloatArray, FloatArray]:
    """Return active and reactive power of all buses in all cases, shape (n_case, n_bus). [MW], [Mvar]"""
    loads = feeder_loads(case, counts)
    written = loads.cases(0, loads.n_case)
    return written.p_mw, written.q_mvar


def _common(case: CountyCase, at: int) -> dict[str, Any]:
    moment = pd.Timestamp(case.profiles.time_utc[at], tz="UTC").tz_convert("Asia/Shanghai")
    return {
        "county_code": case.grid.county_code,
        "case": at,
        "time": moment.isoformat(),
        "outdoor_temperature_c": float(case.profiles.temperature_c[at]),
        "synthetic": case.grid.synthetic,
    }


def _switched(
    tables: Tables, switch_closed: dict[int, bool], off_trafos: tuple[int, ...] = ()
) -> dict[str, pd.DataFrame]:
    grid = {name: tables[name] for name in _GRID_TABLES if name in tables}
    return restored_tables(grid, list(switch_closed.items()), faulted_trafos=off_trafos)


def write_evidence(evidence: Evidence, grid_folder: Path, folder: Path) -> None:
    """Write ``network.json`` (pandapower) and ``evidence.json`` into a folder.

    Parameters
    ----------
    evidence : Evidence
        What to write.
    grid_folder : Path
        The county's folder, whose network.json is taken.
    folder : Path
        Made where it does not exist.
    """
    from gridcheck.network.pandapower_net import net_from_tables, net_to_json_text

    tables, header = read_tables(grid_folder / "network.json")
    load = evidence.loads.rename(columns={"area_id": "name"})
    net = net_from_tables(
        _switched(tables, evidence.switch_closed, evidence.off_trafos) | {"load": load},
        name=str(header["name"]),
        f_hz=float(header["f_hz"]),
        sn_mva=float(header["sn_mva"]),
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / "network.json", net_to_json_text(net).encode())
    text = json.dumps(evidence.statement, ensure_ascii=False, indent=2, allow_nan=False)
    write_bytes(folder / "evidence.json", f"{text}\n".encode())
