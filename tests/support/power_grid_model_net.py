"""The same net for power-grid-model: another program, written in C++, with a source made stiff enough to be ideal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from power_grid_model import ComponentType, DatasetType, WindingType, initialize_array

Array = npt.NDArray[np.float64]

# Short-circuit power of the source in VA; pandapower's and gridcheck's sources have no impedance at all.
STIFF_VA = 1e20


def model_input(net: Mapping[str, pd.DataFrame], *, f_hz: float = 50.0) -> dict[ComponentType, npt.NDArray[Any]]:
    """Return input arrays for lines, transformers without magnetising, sources and loads of pandapower tables.

    Ids: buses keep theirs, lines count from 10,000, transformers from 20,000, sources from 30,000, loads from 40,000.
    """
    bus, line, load, source = net["bus"], net["line"], net["load"], net["ext_grid"]
    nodes = initialize_array(DatasetType.input, ComponentType.node, len(bus))
    nodes["id"], nodes["u_rated"] = bus.index, bus["vn_kv"] * 1e3
    sources = initialize_array(DatasetType.input, ComponentType.source, len(source))
    sources["id"], sources["node"] = 30_000 + np.arange(len(source)), source["bus"]
    sources["status"], sources["u_ref"] = 1, source["vm_pu"]
    sources["u_ref_angle"] = np.deg2rad(source["va_degree"])
    sources["sk"], sources["rx_ratio"] = STIFF_VA, 0.1
    loads = initialize_array(DatasetType.input, ComponentType.sym_load, len(load))
    loads["id"], loads["node"], loads["status"], loads["type"] = 40_000 + np.arange(len(load)), load["bus"], 1, 0
    scaling = load.get("scaling", 1.0)
    loads["p_specified"], loads["q_specified"] = load["p_mw"] * scaling * 1e6, load["q_mvar"] * scaling * 1e6
    return {
        ComponentType.node: nodes,
        ComponentType.line: _lines(line, net.get("switch"), f_hz),
        ComponentType.transformer: _trafos(net.get("trafo", pd.DataFrame())),
        ComponentType.source: sources,
        ComponentType.sym_load: loads,
    }


def _lines(line: pd.DataFrame, switch: pd.DataFrame | None, f_hz: float) -> npt.NDArray[Any]:
    lines = initialize_array(DatasetType.input, ComponentType.line, len(line))
    parallel = line.get("parallel", 1)
    lines["id"], lines["from_node"], lines["to_node"] = 10_000 + line.index, line["from_bus"], line["to_bus"]
    for side, bus in (("from", "from_bus"), ("to", "to_bus")):
        closed = line["in_service"].to_numpy(dtype=bool)
        for i in range(len(switch) if switch is not None else 0):
            row = switch.iloc[i]
            if row["et"] == "l" and not row["closed"]:
                closed &= ~((line.index == row["element"]) & (line[bus] == row["bus"]))
        lines[f"{side}_status"] = closed
    lines["r1"] = line["r_ohm_per_km"] * line["length_km"] / parallel
    lines["x1"] = line["x_ohm_per_km"] * line["length_km"] / parallel
    lines["c1"] = line["c_nf_per_km"] * 1e-9 * line["length_km"] * parallel
    lines["tan1"], lines["i_n"] = 0.0, line["max_i_ka"] * 1e3
    assert f_hz == 50.0
    return lines


def _trafos(trafo: pd.DataFrame) -> npt.NDArray[Any]:
    trafos = initialize_array(DatasetType.input, ComponentType.transformer, len(trafo))
    if trafo.empty:
        return trafos
    # Its transformer is a pi circuit and pandapower's a T circuit; without magnetising both are the same.
    assert (trafo["pfe_kw"] == 0).all()
    assert (trafo["i0_percent"] == 0).all()
    trafos["id"], trafos["from_node"], trafos["to_node"] = 20_000 + trafo.index, trafo["hv_bus"], trafo["lv_bus"]
    trafos["from_status"] = trafos["to_status"] = 1
    trafos["u1"], trafos["u2"], trafos["sn"] = trafo["vn_hv_kv"] * 1e3, trafo["vn_lv_kv"] * 1e3, trafo["sn_mva"] * 1e6
    trafos["uk"], trafos["pk"] = trafo["vk_percent"] / 100, trafo["vkr_percent"] / 100 * trafo["sn_mva"] * 1e6
    trafos["i0"] = trafos["p0"] = 0.0
    clock = (trafo["shift_degree"] / 30).round().astype(int) % 12
    odd = clock % 2 == 1
    trafos["winding_from"] = np.where(odd, WindingType.delta, WindingType.wye)
    trafos["winding_to"], trafos["clock"] = WindingType.wye, clock
    trafos["tap_side"], trafos["tap_pos"], trafos["tap_nom"] = 0, 0, 0
    trafos["tap_min"], trafos["tap_max"], trafos["tap_size"] = -1, 1, 0.0
    return trafos


def batch_update(load_bus: Array, loads: Array, p_mw: Array, q_mvar: Array) -> dict[ComponentType, npt.NDArray[Any]]:
    """Return the update of all loads for many cases; `p_mw`, `q_mvar` (n_case, n_bus) by bus id."""
    update = initialize_array(DatasetType.update, ComponentType.sym_load, (len(p_mw), len(loads)))
    update["id"] = loads
    update["p_specified"], update["q_specified"] = p_mw[:, load_bus] * 1e6, q_mvar[:, load_bus] * 1e6
    return {ComponentType.sym_load: update}
