"""The only door to pandapower: nets are built here from plain tables and written as JSON text.

Reading goes the other way without pandapower: `tables.py` parses the JSON by itself, because
pandapower's own reader builds objects of classes that a file names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd

from gridcheck.errors import UnsupportedElementError
from gridcheck.network.convert import add_open_ends
from gridcheck.network.records import BranchKind, Network
from gridcheck.units import SQRT3

# What a column holds where the given table leaves it out.
_DEFAULTS: dict[str, Any] = {
    "in_service": True, "closed": True, "parallel": 1, "df": 1.0, "scaling": 1.0, "slack_weight": 1.0,
    "const_z_p_percent": 0.0, "const_i_p_percent": 0.0, "const_z_q_percent": 0.0, "const_i_q_percent": 0.0,
    "g_us_per_km": 0.0, "z_ohm": 0.0,
}  # fmt: skip


def net_from_tables(
    tables: Mapping[str, pd.DataFrame], *, name: str, f_hz: float = 50.0, sn_mva: float = 1.0
) -> pp.pandapowerNet:
    """Build a pandapower net from element tables.

    Columns that pandapower knows get pandapower's own types; further columns are kept as they are.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Element tables by pandapower name (bus, line, trafo, switch, load, sgen, shunt, ext_grid).
    name : str
        Name of the net.
    f_hz, sn_mva : float
        Frequency and power base. [Hz], [MVA]

    Returns
    -------
    pandapowerNet
        A new net.
    """
    net = pp.create_empty_network(name=name, f_hz=f_hz, sn_mva=sn_mva, add_stdtypes=False)
    for table, frame in tables.items():
        empty = net[table]
        known = [column for column in empty.columns if column in frame.columns]
        missing = [column for column in empty.columns if column not in frame.columns]
        extra = [column for column in frame.columns if column not in empty.columns]
        result = frame[known + extra].copy()
        for column in missing:
            result[column] = _missing_column(column, empty[column].dtype, len(result))
        result = result[list(empty.columns) + extra]
        for column in known:
            result[column] = result[column].astype(empty[column].dtype)
        net[table] = result
    return net


def _missing_column(column: str, dtype: object, n_row: int) -> Any:
    """Fill a column that the given table leaves out: its default, else empty."""
    if column in _DEFAULTS:
        return np.full(n_row, _DEFAULTS[column])
    kind = np.dtype(dtype).kind if isinstance(dtype, np.dtype) else "O"  # pandas extension types hold pd.NA
    if kind == "b":
        return np.zeros(n_row, dtype=bool)
    if kind == "f":
        return np.full(n_row, np.nan)
    if kind in "iu":
        return np.zeros(n_row, dtype=np.int64)
    return pd.Series([None] * n_row, dtype=object)


def net_to_json_text(net: pp.pandapowerNet) -> str:
    """Return the net as pandapower JSON text that ``pp.from_json`` opens."""
    text: str = pp.to_json(net, None)
    return text


def to_pandapower(network: Network) -> pp.pandapowerNet:
    """Build a new pandapower net with the same electrical behaviour as `network`.

    Ids are kept. Transformer nameplates are chosen so that impedances, ratios and ratings come back
    unchanged through ``from_pandapower``; they need not be the original ones.

    Parameters
    ----------
    network : Network
        The network; it carries no loads.

    Returns
    -------
    pandapowerNet
        A new net without loads.
    """
    buses = network.buses
    tables = {
        "bus": pd.DataFrame(
            {"name": buses.name, "vn_kv": buses.vn_kv, "type": "b", "in_service": buses.in_service}, index=buses.bus_id
        ),
        "line": _line_table(network),
        "trafo": _trafo_table(network),
        "impedance": _impedance_table(network),
        "switch": _switch_table(network),
        "shunt": _shunt_table(network),
        "ext_grid": pd.DataFrame(
            {
                "bus": network.bus_id[network.slack_bus],
                "vm_pu": network.slack_vm_pu,
                "va_degree": network.slack_va_degree,
                "controllable": True,
            }
        ),
    }
    return net_from_tables(tables, name=network.name, f_hz=network.f_hz, sn_mva=network.sn_mva)


@np.errstate(all="ignore")  # elements out of service may hold anything
def _line_table(network: Network) -> pd.DataFrame:
    branches = network.branches
    k = np.flatnonzero(branches.kind == BranchKind.LINE)
    regulated = k[branches.tap_ratio[k] != 1.0]
    if len(regulated):
        raise UnsupportedElementError(
            f"{network.name}: pandapower has no line with a regulator; set tap_ratio of these lines to 1 first.",
            [f"line {branches.branch_id[i]}: tap_ratio {branches.tap_ratio[i]:.4f}" for i in regulated[:20]],
        )
    z_base = network.buses.vn_kv[branches.from_bus[k]] ** 2 / network.sn_mva
    per_km = z_base / branches.length_km[k]
    charging = 1.0 / (z_base * branches.length_km[k])
    return pd.DataFrame(
        {
            "name": [branches.name[i] for i in k],
            "std_type": [branches.type_name[i] or None for i in k],
            "from_bus": network.bus_id[branches.from_bus[k]],
            "to_bus": network.bus_id[branches.to_bus[k]],
            "length_km": branches.length_km[k],
            "r_ohm_per_km": branches.r_pu[k] * per_km,
            "x_ohm_per_km": branches.x_pu[k] * per_km,
            "c_nf_per_km": 2.0 * branches.b_from_pu[k] * charging / (2.0 * np.pi * network.f_hz) * 1e9,
            "g_us_per_km": 2.0 * branches.g_from_pu[k] * charging * 1e6,
            "max_i_ka": branches.rating_from_ka[k],
            "in_service": branches.in_service[k],
        },
        index=branches.branch_id[k],
    )


@np.errstate(all="ignore")
def _trafo_table(network: Network) -> pd.DataFrame:
    branches = network.branches
    k = np.flatnonzero(branches.kind == BranchKind.TRAFO)
    vn_lv, vn_hv_bus = network.buses.vn_kv[branches.to_bus[k]], network.buses.vn_kv[branches.from_bus[k]]
    sn_mva = branches.rating_to_ka[k] * SQRT3 * vn_lv
    vn_hv = sn_mva / SQRT3 / branches.rating_from_ka[k]
    # Triangle back to star: the T circuit whose halves surround the magnetising branch.
    series = branches.r_pu[k] + 1j * branches.x_pu[k]
    shunt = branches.g_from_pu[k] + 1j * branches.b_from_pu[k]
    z_pu = 2.0 * series / (series * shunt + 2.0)
    y_mag = shunt * (series * shunt + 2.0)
    own_base = sn_mva / network.sn_mva
    # A no-load current below the iron losses means no magnetising part; computed back from the circuit it would be
    # the root of a rounding error instead of zero.
    y_no_load = np.where(np.abs(y_mag.imag) > 1e-7 * np.abs(y_mag.real), np.abs(y_mag), 0.0)
    return pd.DataFrame(
        {
            "name": [branches.name[i] for i in k],
            "std_type": [branches.type_name[i] or None for i in k],
            "hv_bus": network.bus_id[branches.from_bus[k]],
            "lv_bus": network.bus_id[branches.to_bus[k]],
            "sn_mva": sn_mva,
            "vn_hv_kv": vn_hv,
            "vn_lv_kv": vn_lv,
            "vk_percent": 100.0 * np.abs(z_pu) * own_base,
            "vkr_percent": 100.0 * z_pu.real * own_base,
            "pfe_kw": 1000.0 * np.maximum(y_mag.real, 0.0) * network.sn_mva,
            "i0_percent": 100.0 * y_no_load * network.sn_mva / sn_mva,
            "shift_degree": branches.shift_degree[k],
            "tap_side": "hv",
            "tap_neutral": 0.0,
            "tap_min": 0.0,
            "tap_max": 1.0,
            "tap_pos": 1.0,
            "tap_step_percent": 100.0 * (branches.tap_ratio[k] * vn_hv_bus / vn_hv - 1.0),
            "tap_step_degree": 0.0,
            "tap_changer_type": "Ratio",
            "in_service": branches.in_service[k],
        },
        index=branches.branch_id[k],
    )


def _impedance_table(network: Network) -> pd.DataFrame:
    branches = network.branches
    k = np.flatnonzero(branches.kind == BranchKind.IMPEDANCE)
    series = {f"{part}{way}_pu": getattr(branches, f"{part}_pu")[k] for part in "rx" for way in ("ft", "tf")}
    shunts = {
        f"{part}{end}_pu": getattr(branches, f"{part}_{name}_pu")[k]
        for part in "gb"
        for end, name in (("f", "from"), ("t", "to"))
    }
    return pd.DataFrame(
        {
            "name": [branches.name[i] for i in k],
            "from_bus": network.bus_id[branches.from_bus[k]],
            "to_bus": network.bus_id[branches.to_bus[k]],
            "sn_mva": network.sn_mva,
            **series,
            **shunts,
            "in_service": branches.in_service[k],
        },
        index=branches.branch_id[k],
    )


def _switch_table(network: Network) -> pd.DataFrame:
    branches, switches = network.branches, network.switches
    ends = np.where(switches.at_to_end, branches.to_bus[switches.branch], branches.from_bus[switches.branch])
    at_ends = pd.DataFrame(
        {
            "bus": network.bus_id[ends],
            "element": branches.branch_id[switches.branch],
            "et": np.where(branches.kind[switches.branch] == BranchKind.LINE, "l", "t"),
            "type": np.where(switches.breaker, "CB", "LBS"),
            "closed": switches.closed,
            "name": list(switches.name),
            "remote": switches.remote,
        },
        index=switches.switch_id,
    )
    k = np.flatnonzero(branches.kind == BranchKind.SWITCH)
    z_base = network.buses.vn_kv[branches.from_bus[k]] ** 2 / network.sn_mva
    couplers = pd.DataFrame(
        {
            "bus": network.bus_id[branches.from_bus[k]],
            "element": network.bus_id[branches.to_bus[k]],
            "et": "b",
            "closed": branches.connected[k],
            "z_ohm": np.hypot(branches.r_pu[k], branches.x_pu[k]) * z_base,
            "name": [branches.name[i] for i in k],
            "remote": False,
        },
        index=branches.branch_id[k],
    )
    return pd.concat([frame for frame in (at_ends, couplers) if len(frame)] or [at_ends]).sort_index()


def _shunt_table(network: Network) -> pd.DataFrame:
    buses = network.buses
    open_ends = _open_end_admittance(network)
    g_pu, b_pu = buses.g_pu - open_ends.real, buses.b_pu - open_ends.imag
    k = np.flatnonzero((np.abs(g_pu) > 1e-15) | (np.abs(b_pu) > 1e-15))
    return pd.DataFrame(
        {
            "bus": network.bus_id[k],
            "p_mw": g_pu[k] * network.sn_mva,
            "q_mvar": -b_pu[k] * network.sn_mva,
            "vn_kv": buses.vn_kv[k],
            "step": 1,
            "max_step": 1,
        }
    )


def _open_end_admittance(network: Network) -> Any:
    g_pu, b_pu = np.zeros(network.n_bus), np.zeros(network.n_bus)
    add_open_ends(network.branches, g_pu, b_pu, alive=network.buses.in_service)
    return g_pu + 1j * b_pu
