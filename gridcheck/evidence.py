"""The evidence of one verdict or one outage: a pandapower case that anyone can solve and compare.

The case holds the county's network as committed, the loads of the binding moment and, for an outage, the
switches as they stand after restoration. `evidence.json` beside it says which result to look at, what it
must be, and how it follows from pandapower's tables.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray
from gridcheck.checks.records import NMinus1Row
from gridcheck.checks.supply_tree import CheckKind, SupplyTree
from gridcheck.connection.applications import Application
from gridcheck.connection.decision import Decision, clause_of
from gridcheck.county_study import CountyCase, feeder_loads
from gridcheck.demand.profiles import ClassCounts, factored_loads
from gridcheck.errors import InputError
from gridcheck.network.tables import read_tables
from gridcheck.units import SQRT3

_PANDAPOWER = "pp.runpp(net, tolerance_mva=1e-8)"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """What proves one statement.

    Attributes
    ----------
    statement : dict
        Content of evidence.json.
    case : int
        The case of the loads.
    p_mw, q_mvar : ndarray, shape (n_bus,)
        Loads of that case. [MW], [Mvar]
    switch_closed : dict of int to bool
        Switches that stand differently from normal, by pandapower's index.
    """

    statement: dict[str, Any]
    case: int
    p_mw: FloatArray
    q_mvar: FloatArray
    switch_closed: dict[int, bool]


def explain_application(case: CountyCase, decisions: Sequence[Decision], application_id: str) -> Evidence:
    """Gather what one verdict rests on.

    Parameters
    ----------
    case : CountyCase
        The prepared county.
    decisions : sequence of Decision
        All decisions of its queue, in order.
    application_id : str
        The application.

    Raises
    ------
    InputError
        If there is no such application, or its load flow has no solution.
    """
    place = next((i for i, d in enumerate(decisions) if d.application.application_id == application_id), None)
    if place is None:
        raise InputError(f"There is no application {application_id} in county {case.grid.county_code}.")
    decision = decisions[place]
    if decision.kind is None:
        raise InputError(f"The load flow of application {application_id} has no solution: there is no case to show.")
    promised = [d.application for d in decisions[:place] if d.connected] + [decision.application]
    counts = _with(case, case.counts, promised)
    if decision.kind in _OWN_CHECKS:
        area = _area_position(case, decision)
        crowd = _with(case, case.counts, [d.application for d in decisions])
        rated_kw, count = crowd.rated_kw.copy(), crowd.count.copy()
        rated_kw[area], count[area] = counts.rated_kw[area], counts.count[area]
        counts = ClassCounts(rated_kw=rated_kw, count=count)
    return _evidence(case, decision, counts)


_OWN_CHECKS = (CheckKind.AREA_LOADING, CheckKind.HOT_SPOT, CheckKind.END_VOLTAGE)


def _area_position(case: CountyCase, decision: Decision) -> int:
    return list(case.grid.areas["area_id"]).index(decision.application.area_id)


def _with(case: CountyCase, counts: ClassCounts, applications: Sequence[Application]) -> ClassCounts:
    """Return the counts with some applications connected."""
    position = {area_id: i for i, area_id in enumerate(case.grid.areas["area_id"])}
    column = {name: i for i, name in enumerate(case.profiles.classes)}
    rated_kw, count = counts.rated_kw.copy(), counts.count.copy()
    for application in applications:
        at = position[application.area_id], column[application.device]
        rated_kw[at] += application.rated_kw
        count[at] += 1.0
    return ClassCounts(rated_kw=rated_kw, count=count)


def _evidence(case: CountyCase, decision: Decision, counts: ClassCounts) -> Evidence:
    grid, kind = case.grid, decision.kind
    assert kind is not None
    own_diversity = kind in _OWN_CHECKS
    loads = factored_loads(
        case.profiles,
        counts,
        area_bus=grid.area_bus,
        n_bus=grid.network.n_bus,
        group=None if own_diversity else grid.area_feeder,
    )
    one = loads.cases(decision.case, decision.case + 1)
    area = _area_position(case, decision)
    tree = next(t for t in case.trees if area in t.area)
    application = decision.application
    statement = {
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
            if own_diversity
            else "everything promised so far, with this heater"
        ),
        "solve_with": _PANDAPOWER,
        "read": _where_to_look(case, tree, decision.check, kind),
        **_common(case, decision.case),
    }
    return Evidence(statement=statement, case=decision.case, p_mw=one.p_mw[0], q_mvar=one.q_mvar[0], switch_closed={})


def _where_to_look(case: CountyCase, tree: SupplyTree, check: int, kind: CheckKind) -> dict[str, Any]:
    """Say which result of pandapower gives the binding value, and by which factor or formula."""
    network, model = case.grid.network, tree.model
    node = int(tree.checks.node[check])
    branch = int(model.branch[node])
    branch_id = int(network.branches.branch_id[branch])
    bus_id = int(network.bus_id[model.bus[node]])
    if kind in (CheckKind.AREA_LOADING, CheckKind.MAIN_LOADING):
        return {"table": "res_trafo", "index": branch_id, "column": "loading_percent"}
    if kind == CheckKind.SECTION_LOADING:
        return {"table": "res_line", "index": branch_id, "column": "loading_percent"}
    if kind == CheckKind.FEEDER_LOADING:
        factor = float(tree.outlet_factor[np.flatnonzero(tree.outlet_node == node)[0]])
        return {"table": "res_line", "index": branch_id, "column": "loading_percent", "times": factor,
                "because": "rating of the line over the limit current of the feeder"}  # fmt: skip
    if kind == CheckKind.SECTION_VOLTAGE:
        return {"table": "res_bus", "index": bus_id, "column": "vm_pu"}
    if kind == CheckKind.END_VOLTAGE:
        area = int(np.flatnonzero(tree.area_node == node)[0])
        return {
            "table": "res_bus", "index": bus_id, "column": "vm_pu", "formula": "v = vm_pu * volts_per_pu; v - (p_mw * p_drop + q_mvar * q_drop) / v",
            "volts_per_pu": 400.0 / SQRT3, "p_drop": float(tree.lines.p_drop[area]), "q_drop": float(tree.lines.q_drop[area]),
            "because": "approximation of the low-voltage lines, see gridcheck.checks.low_voltage",
        }  # fmt: skip
    return {"table": "res_trafo", "index": branch_id, "column": "loading_percent",
            "because": "the hot spot follows from the whole course of this loading; only its moment is shown"}  # fmt: skip


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

    Raises
    ------
    InputError
        If there is no such outage, or nothing is left supplied in it.
    """
    row = next((r for r in rows if r.outage_id == outage_id), None)
    if row is None:
        raise InputError(f"There is no outage {outage_id} in county {case.grid.county_code}.")
    by_voltage = row.worst_vm_pu < case.limits.n_minus_1_vm_min_pu.value
    at = row.worst_vm_case if by_voltage else row.worst_loading_case
    if at < 0:
        raise InputError(f"Outage {outage_id} leaves no supplied part to show: its status is {row.status}.")
    one = feeder_loads(case, counts).cases(at, at + 1)
    return Evidence(
        statement=_outage_statement(case, row, at, by_voltage=by_voltage),
        case=at,
        p_mw=one.p_mw[0],
        q_mvar=one.q_mvar[0],
        switch_closed=dict(row.tried_switch_states),
    )


def _outage_statement(case: CountyCase, row: NMinus1Row, at: int, *, by_voltage: bool) -> dict[str, Any]:
    limits = case.limits
    limit = limits.n_minus_1_vm_min_pu if by_voltage else limits.n_minus_1_loading_percent
    return {
        "outage_id": row.outage_id,
        "feeder_id": row.feeder_id,
        "status": str(row.status).lower(),
        "restored_by": list(row.restored_by),
        "tried": list(row.tried),
        "unsupplied_kw": row.unsupplied_kw,
        "unsupplied_households": row.unsupplied_households,
        "binding_quantity": "vm_pu" if by_voltage else "loading_percent",
        "binding_value": row.worst_vm_pu if by_voltage else row.worst_loading_percent,
        "binding_limit": limit.value,
        "limit_clause": f"{limit.clause} [{limit.confidence}]",
        "diversity": "all households of the feeder",
        "solve_with": _PANDAPOWER,
        "read": _where_the_worst_is(case, row, by_voltage=by_voltage),
        **_common(case, at),
    }


def _where_the_worst_is(case: CountyCase, row: NMinus1Row, *, by_voltage: bool) -> dict[str, Any]:
    if by_voltage:
        return {"table": "res_bus", "index": row.worst_vm_bus_id, "column": "vm_pu"}
    read: dict[str, Any] = {
        "table": f"res_{row.worst_loading_kind}",
        "index": row.worst_loading_id,
        "column": "loading_percent",
    }
    feeders = case.grid.feeders
    outlet = np.flatnonzero(feeders["outlet_line"].to_numpy() == row.worst_loading_id)
    if row.worst_loading_kind == "line" and len(outlet):
        lines = read_tables(case.grid.folder / "network.json")[0]["line"]
        rating_ka = float(lines.loc[row.worst_loading_id, "max_i_ka"])
        limit_ka = float(feeders["limit_ka"].iloc[outlet[0]])
        read |= {
            "times": rating_ka / min(rating_ka, limit_ka),
            "because": "rating of the line over the limit current of the feeder",
        }
    return read


def _common(case: CountyCase, at: int) -> dict[str, Any]:
    moment = pd.Timestamp(case.profiles.time_utc[at], tz="UTC").tz_convert("Asia/Shanghai")
    return {
        "county_code": case.grid.county_code,
        "case": at,
        "time": moment.isoformat(),
        "outdoor_temperature_c": float(case.profiles.temperature_c[at]),
        "synthetic": case.grid.synthetic,
    }


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
    buses = tables["bus"].sort_index().index
    position = pd.Series(np.arange(len(buses)), index=buses)
    load = tables["load"].copy()
    at = position.loc[load["bus"]].to_numpy()
    load["p_mw"], load["q_mvar"], load["scaling"] = evidence.p_mw[at], evidence.q_mvar[at], 1.0
    switch = tables["switch"].copy()
    for index, closed in evidence.switch_closed.items():
        switch.loc[index, "closed"] = closed
    net = net_from_tables(
        {**tables, "load": load, "switch": switch},
        name=str(header["name"]),
        f_hz=float(header["f_hz"]),
        sn_mva=float(header["sn_mva"]),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "network.json").write_text(net_to_json_text(net), encoding="utf-8")
    text = json.dumps(evidence.statement, ensure_ascii=False, indent=2, allow_nan=False)
    (folder / "evidence.json").write_text(f"{text}\n", encoding="utf-8")
