"""The evidence of one outage: the case with the switches as they stand after restoration, or as they were tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray
from gridcheck.cases import LoadCases
from gridcheck.checks.records import NMinus1Row, NMinus1Status
from gridcheck.county_study import CountyCase, feeder_loads
from gridcheck.demand.profiles import ClassCounts
from gridcheck.errors import InputError
from gridcheck.evidence import LIMIT_CURRENT, PANDAPOWER, Evidence, common_statement, loads_at, switched
from gridcheck.network.convert import network_from_tables
from gridcheck.network.records import Network
from gridcheck.network.tables import read_tables
from gridcheck.network.topology import spanning_tree
from gridcheck.powerflow.results import CONVERGED
from gridcheck.powerflow.solve import solve


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
        Of an outage without a load flow solution: a case that has none. Of one that leaves nothing supplied: a bus
        without voltage.

    Raises
    ------
    InputError
        If there is no such outage.
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
        if at >= 0:
            binding = _worst_value(case, row, by_voltage=by_voltage)
        else:
            at, binding = row.peak_case, _no_supply(case, _switched_network(case, row, switch_closed))
    return Evidence(
        statement=_outage_statement(row) | binding | {"solve_with": PANDAPOWER} | common_statement(case, at),
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
            read |= {"times": max(factor, 1.0), "because": LIMIT_CURRENT}
    return read


def _no_solution() -> dict[str, Any]:
    return {
        "binding_quantity": "not_converged",
        "binding_value": None,
        "binding_limit": None,
        "limit_clause": "",
        "read": {"expect": "pandapower.LoadflowNotConverged"},
    }


def _no_supply(case: CountyCase, network: Network) -> dict[str, Any]:
    """Point at the first area without supply."""
    bus = case.grid.area_bus[~spanning_tree(network).supplied[case.grid.area_bus]]
    return {
        "binding_quantity": "no_supply",
        "binding_value": None,
        "binding_limit": None,
        "limit_clause": "",
        "read": {
            "table": "res_bus", "index": int(network.bus_id[bus[0]]), "column": "vm_pu", "expect": "nan",
        },
    }  # fmt: skip


def _switched_network(case: CountyCase, row: NMinus1Row, switch_closed: dict[int, bool]) -> Network:
    tables, header = read_tables(case.grid.folder / "network.json")
    tables = switched(tables, switch_closed, row.faulted_trafos)
    name, f_hz, sn_mva = str(header["name"]), float(header["f_hz"]), float(header["sn_mva"])
    return network_from_tables(tables, name=name, f_hz=f_hz, sn_mva=sn_mva)


def _unsolved_case(case: CountyCase, counts: ClassCounts, row: NMinus1Row, switch_closed: dict[int, bool]) -> int:
    """Return the first case that has no solution with these switches; that of the feeder's peak where all have one."""
    network = _switched_network(case, row, switch_closed)
    p_mw, q_mvar = (value.copy() for value in _power_of(case, counts))
    if row.after_buses and case.outage_demand is not None:
        is_after = np.isin(case.grid.network.bus_id, row.after_buses)
        later = _power_of(replace(case, profiles=case.outage_demand.after), counts)
        p_mw[:, is_after], q_mvar[:, is_after] = (value[:, is_after] for value in later)
    failed = np.flatnonzero(solve(network, LoadCases(p_mw=p_mw, q_mvar=q_mvar)).status != CONVERGED)
    return row.peak_case if row.peak_case in failed or not len(failed) else int(failed[0])


def _power_of(case: CountyCase, counts: ClassCounts) -> tuple[FloatArray, FloatArray]:
    """Return active and reactive power of all buses in all cases, shape (n_case, n_bus). [MW], [Mvar]"""
    loads = feeder_loads(case, counts)
    written = loads.cases(0, loads.n_case)
    return written.p_mw, written.q_mvar


def _loads_after(case: CountyCase, counts: ClassCounts, at: int, after_buses: tuple[int, ...]) -> pd.DataFrame:
    """Return the loads of a case in which some buses have just got their supply back."""
    loads = loads_at(case, counts, at, own_diversity=False)
    if after_buses and case.outage_demand is not None:
        later = replace(case, profiles=case.outage_demand.after)
        is_after = loads["bus"].isin(after_buses)
        columns = ["p_mw", "q_mvar"]
        loads.loc[is_after, columns] = loads_at(later, counts, at, own_diversity=False).loc[is_after, columns]
    return loads
