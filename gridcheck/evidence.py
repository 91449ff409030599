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

from gridcheck.checks.assessment import assess_areas, full_course
from gridcheck.checks.supply_tree import AREA_KINDS, CheckKind, SupplyTree
from gridcheck.checks.thermal import hot_spot_c
from gridcheck.connection.applications import Application
from gridcheck.connection.decide import QueueResult
from gridcheck.connection.decision import Decision, clause_of
from gridcheck.county_study import CountyCase
from gridcheck.demand.profiles import ClassCounts, factored_loads
from gridcheck.desk import granted_kw
from gridcheck.errors import InputError
from gridcheck.network.switched_tables import restored_tables
from gridcheck.network.tables import Tables, read_tables
from gridcheck.powerflow.readings import node_loading_percent
from gridcheck.reports.tables import write_bytes
from gridcheck.units import SQRT3

PANDAPOWER = "pp.runpp(net, tolerance_mva=1e-8)"
LIMIT_CURRENT = "rating of the line over the limit current of the feeder"
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
    promised = [_granted(d) for d in queue.decisions[:place] if d.connected]
    counts = _with(case, case.counts, [*promised, _granted(decision)])
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
        loads=loads_at(case, counts, at, own_diversity=decision.kind in AREA_KINDS),
        switch_closed={},
    )


def _granted(decision: Decision) -> Application:
    """Return an application with the power that its approval grants, which is what the queue went on with."""
    asked = decision.application
    return replace(asked, rated_kw=granted_kw(asked, decision.conditions)) if decision.connected else asked


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


def loads_at(case: CountyCase, counts: ClassCounts, at: int, *, own_diversity: bool) -> pd.DataFrame:
    """Return the loads of one case as `Evidence` holds them."""
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
        "solve_with": PANDAPOWER,
        "read": read,
        **common_statement(case, at),
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
        return {**line, "times": factor, "because": LIMIT_CURRENT}
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


def common_statement(case: CountyCase, at: int) -> dict[str, Any]:
    """Return what every statement says of its case."""
    moment = pd.Timestamp(case.profiles.time_utc[at], tz="UTC").tz_convert("Asia/Shanghai")
    return {
        "county_code": case.grid.county_code,
        "case": at,
        "time": moment.isoformat(),
        "outdoor_temperature_c": float(case.profiles.temperature_c[at]),
        "synthetic": case.grid.synthetic,
    }


def switched(
    tables: Tables, switch_closed: dict[int, bool], off_trafos: tuple[int, ...] = ()
) -> dict[str, pd.DataFrame]:
    """Return the tables of a county's network with some switches as given and some transformers lost."""
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
        switched(tables, evidence.switch_closed, evidence.off_trafos) | {"load": load},
        name=str(header["name"]),
        f_hz=float(header["f_hz"]),
        sn_mva=float(header["sn_mva"]),
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / "network.json", net_to_json_text(net).encode())
    text = json.dumps(evidence.statement, ensure_ascii=False, indent=2, allow_nan=False)
    write_bytes(folder / "evidence.json", f"{text}\n".encode())
