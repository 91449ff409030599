"""A hand-drawn pair of 10 kV feeders with sections and a tie, and its replay in plain pandapower."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import pandapower as pp

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.cases import LoadCases
from gridcheck.checks.records import NMinus1Row
from gridcheck.network import Network, from_pandapower, loads_from_pandapower
from tests.support.radial_nets import add_line, add_trafo

COURSE = (0.5, 1.0, 0.8)
HOUSEHOLDS = {2: 60, 10: 40, 4: 50, 7: 70, 8: 80, 9: 40}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example:
    """A net and what the check needs of it."""

    net: pp.pandapowerNet
    network: Network
    loads: LoadCases
    households: IntArray


def two_feeders_net(
    *, tie_max_i_ka: float = 0.3, tie_r_ohm_per_km: float = 0.306, has_tie: bool = True
) -> pp.pandapowerNet:
    """Two substations, two feeders of three sections each, one tie (switch ids in brackets, * circuit breaker)::

        110 kV    10 kV        K1          K2          K3
        bus 0 -T0- bus 1 -[0*]-L0- bus 2 -[1]-L1- bus 3 -[2]-L2- bus 4
                                                   |              |
                                                  T2              L6 tie
                                                   |              |
                                                 bus 10          [6] open
                                                                  |
        bus 5 -T1- bus 6 -[3*]-L3- bus 7 -[4]-L4- bus 8 -[5]-L5- bus 9

    Load in MW: bus 2 0.6, bus 10 (0.4 kV) 0.9, bus 4 0.5; bus 7 0.7, bus 8 0.8, bus 9 0.4. T2 is a distribution
    transformer far beyond its rating, and not part of N-1.
    """
    net = pp.create_empty_network(name="two feeders")
    for vn_kv in (110.0, *[10.0] * 4, 110.0, *[10.0] * 4, 0.4):
        pp.create_bus(net, vn_kv)
    main = {
        "sn_mva": 10.0, "vn_hv_kv": 110.0, "vn_lv_kv": 10.5, "vkr_percent": 0.5, "vk_percent": 10.5, "pfe_kw": 12.0,
        "i0_percent": 0.3, "shift_degree": 330.0, "tap_min": -8, "tap_max": 8, "tap_step_percent": 1.25,
    }  # fmt: skip
    for hv_bus, lv_bus in ((0, 1), (5, 6)):
        pp.create_ext_grid(net, hv_bus, vm_pu=1.03)
        add_trafo(net, hv_bus, lv_bus, **main)
    for from_bus, to_bus in ((1, 2), (2, 3), (3, 4), (6, 7), (7, 8), (8, 9)):
        add_line(net, from_bus, to_bus, 2.0)
    add_line(net, 4, 9, 1.5, max_i_ka=tie_max_i_ka, r_ohm_per_km=tie_r_ohm_per_km)
    add_trafo(net, 3, 10)
    for line, bus, kind in ((0, 1, "CB"), (1, 2, "LBS"), (2, 3, "LBS"), (3, 6, "CB"), (4, 7, "LBS"), (5, 8, "LBS")):
        pp.create_switch(net, bus, line, "l", closed=True, type=kind, name=f"Q{line}")
    pp.create_switch(net, 9, 6, "l", closed=False, type="LBS", name="tie A-B")
    net.switch["remote"] = net.switch["type"] == "CB"
    net.line.loc[6, "in_service"] = has_tie
    for bus, p_mw in ((2, 0.6), (10, 0.9), (4, 0.5), (7, 0.7), (8, 0.8), (9, 0.4)):
        pp.create_load(net, bus, p_mw, 0.25 * p_mw)
    return net


def example_of(net: pp.pandapowerNet, course: tuple[float, ...] = COURSE) -> Example:
    """Scale the net's own loads by each value of a course."""
    network = from_pandapower(net)
    own = loads_from_pandapower(net, network)
    scale = np.array(course)[:, None]
    households = np.zeros(network.n_bus, dtype=np.int64)
    for bus, number in HOUSEHOLDS.items():
        if bus < network.n_bus:
            households[bus] = number
    return Example(
        net=net,
        network=network,
        loads=LoadCases(p_mw=scale * own.p_mw, q_mvar=scale * own.q_mvar),
        households=households,
    )


def replay(net: pp.pandapowerNet, row: NMinus1Row, scale: float, *, tried: bool = True) -> pp.pandapowerNet:
    """Set the switches of a row in a copy of the net, scale its loads and run pandapower."""
    copied = copy.deepcopy(net)
    for switch, closed in row.tried_switch_states if tried else row.switch_states:
        copied.switch.loc[switch, "closed"] = closed
    for line, in_service in row.tried_line_states if tried else row.line_states:
        copied.line.loc[line, "in_service"] = in_service
    copied.load["scaling"] = scale
    pp.runpp(copied, tolerance_mva=1e-10, calculate_voltage_angles=True, numba=False, max_iteration=40)
    return copied


def medium_voltage_extremes(net: pp.pandapowerNet) -> tuple[float, float]:
    """Return the highest loading of 10 kV lines and main transformers and the lowest 10 kV voltage of a solved net."""
    main = net.trafo["vn_lv_kv"] > 1.0
    lines = net.line["in_service"]
    loading: FloatArray = np.concatenate(
        [net.res_line.loc[lines, "loading_percent"].to_numpy(), net.res_trafo.loc[main, "loading_percent"].to_numpy()]
    )
    vm = net.res_bus.loc[net.bus["vn_kv"] == 10.0, "vm_pu"]
    return float(np.nanmax(loading)), float(vm.min())
