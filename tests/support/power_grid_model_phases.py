"""A low-voltage feeder for power-grid-model, calculated by phase."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from power_grid_model import (
    CalculationMethod,
    ComponentType,
    DatasetType,
    LoadGenType,
    PowerGridModel,
    WindingType,
    initialize_array,
)

from tests.support.four_wire_nets import LvFeeder
from tests.support.power_grid_model_net import STIFF_VA

Array = npt.NDArray[np.float64]


def phase_model_input(feeder: LvFeeder) -> tuple[dict[ComponentType, npt.NDArray[Any]], npt.NDArray[np.int64]]:
    """Return the input and the buses of its loads; the transformer is Dyn without tap and magnetising."""
    bus, line, trafo, given = (feeder.tables[name] for name in ("bus", "line", "trafo", "ext_grid"))
    node = initialize_array(DatasetType.input, ComponentType.node, len(bus))
    node["id"], node["u_rated"] = bus.index, bus["vn_kv"] * 1e3
    lines = initialize_array(DatasetType.input, ComponentType.line, len(line))
    lines["id"], lines["from_node"], lines["to_node"] = 10_000 + line.index, line["from_bus"], line["to_bus"]
    lines["from_status"] = lines["to_status"] = 1
    for name, column, factor in (
        ("r1", "r_ohm_per_km", 1.0), ("x1", "x_ohm_per_km", 1.0), ("c1", "c_nf_per_km", 1e-9),
        ("r0", "r0_ohm_per_km", 1.0), ("x0", "x0_ohm_per_km", 1.0), ("c0", "c0_nf_per_km", 1e-9),
    ):  # fmt: skip
        lines[name] = line[column] * line["length_km"] * factor
    lines["tan1"] = lines["tan0"] = 0.0
    lines["i_n"] = line["max_i_ka"] * 1e3
    trafos = initialize_array(DatasetType.input, ComponentType.transformer, len(trafo))
    trafos["id"], trafos["from_node"], trafos["to_node"] = 20_000, trafo["hv_bus"], trafo["lv_bus"]
    trafos["from_status"] = trafos["to_status"] = 1
    trafos["u1"], trafos["u2"], trafos["sn"] = trafo["vn_hv_kv"] * 1e3, trafo["vn_lv_kv"] * 1e3, trafo["sn_mva"] * 1e6
    trafos["uk"], trafos["pk"] = trafo["vk_percent"] / 100, trafo["vkr_percent"] / 100 * trafo["sn_mva"] * 1e6
    trafos["i0"] = trafos["p0"] = 0.0
    trafos["winding_from"], trafos["winding_to"], trafos["clock"] = WindingType.delta, WindingType.wye_n, 11
    trafos["tap_side"], trafos["tap_pos"], trafos["tap_nom"] = 0, 0, 0
    trafos["tap_min"], trafos["tap_max"], trafos["tap_size"] = -1, 1, 0.0
    source = initialize_array(DatasetType.input, ComponentType.source, 1)
    source["id"], source["node"], source["status"] = 30_000, 0, 1
    source["u_ref"], source["u_ref_angle"] = given["vm_pu"], np.deg2rad(given["va_degree"])
    source["sk"], source["rx_ratio"] = STIFF_VA, 0.1
    place = np.flatnonzero(feeder.p_mw.any(axis=(0, 2)))
    load = initialize_array(DatasetType.input, ComponentType.asym_load, len(place))
    load["id"], load["node"], load["status"] = 40_000 + np.arange(len(place)), place, 1
    load["type"] = LoadGenType.const_power
    load["p_specified"], load["q_specified"] = feeder.p_mw[0, place] * 1e6, feeder.q_mvar[0, place] * 1e6
    return {
        ComponentType.node: node,
        ComponentType.line: lines,
        ComponentType.transformer: trafos,
        ComponentType.source: source,
        ComponentType.asym_load: load,
    }, place


def phase_batch(feeder: LvFeeder, *, tolerance_pu: float, threads: int = 1, components: tuple[str, ...] = ("node",)):
    """Return a function that solves all cases of the feeder by phase."""
    given, place = phase_model_input(feeder)
    model = PowerGridModel(given)
    update = initialize_array(DatasetType.update, ComponentType.asym_load, (len(feeder.p_mw), len(place)))
    update["id"] = given[ComponentType.asym_load]["id"]
    update["p_specified"], update["q_specified"] = feeder.p_mw[:, place] * 1e6, feeder.q_mvar[:, place] * 1e6

    def run():
        return model.calculate_power_flow(
            symmetric=False,
            update_data={ComponentType.asym_load: update},
            calculation_method=CalculationMethod.iterative_current,
            error_tolerance=tolerance_pu,
            max_iterations=100,
            threading=threads if threads > 1 else -1,
            output_component_types=list(components),
        )

    return run


def without_core(feeder: LvFeeder) -> LvFeeder:
    """Give the feeder what power-grid-model knows: an ideal source, a Dyn transformer without core, tap 0."""
    feeder.tables["ext_grid"]["s_sc_max_mva"] = 1e12
    trafo = feeder.tables["trafo"]
    trafo["vk0_percent"], trafo["vkr0_percent"] = trafo["vk_percent"], trafo["vkr_percent"]
    trafo["mag0_percent"], trafo["tap_pos"] = 1e12, 0.0
    return feeder
