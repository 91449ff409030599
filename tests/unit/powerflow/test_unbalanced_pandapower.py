"""The load flow by phase beside pandapower's runpp_3ph.

pandapower has no neutral conductor: its return path is part of the zero sequence, and its voltages are phase to that
path. Phase to neutral here is the same, as long as the neutral is earthed at the transformer only.
"""

import numpy as np
import pandapower as pp
import pandapower.networks
import pandas as pd
import pytest

from gridcheck.cases import LoadCases, PhaseLoadCases
from gridcheck.network import four_wire_from_pandapower, phase_loads_from_pandapower
from gridcheck.powerflow import solve, solve_unbalanced
from tests.support.four_wire_nets import SMALL_BASE_MVA, lv_feeder

# pandapower stops at 3e-8 on its own base, so a small base makes it exact; see runpp_3ph, outer_tolerance_mva.
PU = 1e-9


def assert_equals_runpp_3ph(net, *, tolerance_pu=PU):
    network = four_wire_from_pandapower(net)
    result = solve_unbalanced(network, phase_loads_from_pandapower(net, network), tolerance_pu=1e-12)
    pp.runpp_3ph(net, tolerance_mva=1e-11)
    result.raise_for_status()
    bus, line, trafo = (net[f"res_{name}_3ph"].sort_index() for name in ("bus", "line", "trafo"))
    vm, va = (bus[[f"{kind}_{p}_{unit}" for p in "abc"]].to_numpy() for kind, unit in (("vm", "pu"), ("va", "degree")))
    expected = vm * np.exp(1j * np.deg2rad(va))
    found = result.vm_pu[0] * np.exp(1j * np.deg2rad(result.va_degree[0]))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance_pu)
    np.testing.assert_allclose(result.unbalance_percent[0], bus["unbalance_percent"], rtol=0, atol=200 * tolerance_pu)
    n_line = len(line)
    carries = network.balanced.branches.connected[:n_line]  # an open line charges in pandapower's table only
    i_ka = np.where(carries[:, None], line[[f"i_{p}_ka" for p in "abc"]], np.nan)
    np.testing.assert_allclose(result.i_ka[0, :n_line], i_ka, rtol=1e-6, atol=10 * tolerance_pu)
    has_neutral = ~np.isnan(result.neutral_i_ka[0, :n_line])
    np.testing.assert_allclose(
        result.neutral_i_ka[0, :n_line][has_neutral], line["i_n_ka"].to_numpy()[has_neutral], rtol=1e-6,
        atol=30 * tolerance_pu,
    )  # fmt: skip
    loading = np.where(carries[:, None], line[[f"loading_{p}_percent" for p in "abc"]], np.nan)
    np.testing.assert_allclose(result.loading_percent[0, :n_line], loading, rtol=1e-6, atol=1e4 * tolerance_pu)
    hv_ka = trafo[[f"i_{p}_hv_ka" for p in "abc"]].to_numpy()
    n_trafo = len(trafo)
    np.testing.assert_allclose(result.i_ka[0, n_line : n_line + n_trafo], hv_ka, rtol=1e-6, atol=10 * tolerance_pu)
    lost = sum(frame[f"pl_{p}_mw"].sum() for frame in (line, trafo) for p in "abc")
    return result, lost


@pytest.mark.parametrize("scenario", ["on_peak_566", "off_peak_1440"])
def test_ieee_european_low_voltage_feeder(scenario):
    net = pandapower.networks.ieee_european_lv_asymmetric(scenario)
    net.sn_mva = SMALL_BASE_MVA

    result, lost = assert_equals_runpp_3ph(net)

    np.testing.assert_allclose(result.loss_mw, lost, rtol=1e-6)


@pytest.mark.parametrize("group", ["Dyn", "YNyn"])
@pytest.mark.parametrize(("charging", "magnetising", "mv_line"), [(False, False, False), (True, True, True)])
def test_random_feeders_of_120_buses(group, charging, magnetising, mv_line):
    feeder = lv_feeder(120, group=group, charging=charging, magnetising=magnetising, mv_line=mv_line)

    result, lost = assert_equals_runpp_3ph(feeder.net())

    assert np.nanmin(result.vm_pu) < 0.97  # the feeder is loaded, or nothing would be compared
    np.testing.assert_allclose(result.loss_mw, lost, rtol=1e-6, atol=1e-10)


def test_zigzag_at_1_mva():
    # pandapower multiplies the admittance of the zigzag by sn_mva, so it is comparable at 1 MVA only, where the
    # loosest of its tolerances is 3e-8 MVA at a bus.
    feeder = lv_feeder(120, group="Yzn", mv_line=True)
    net = feeder.net()
    net.sn_mva = 1.0

    assert_equals_runpp_3ph(net, tolerance_pu=5e-7)


def test_zigzag_of_one_bus_at_1_mva():
    feeder = lv_feeder(4, group="Yzn", mv_line=True)
    feeder.p_mw[0, 3] = [0.02, 0.0, 0.01]
    feeder.q_mvar[0, 3] = [0.004, 0.003, 0.0]
    net = feeder.net()
    net.sn_mva = 1.0

    assert_equals_runpp_3ph(net, tolerance_pu=1e-7)


@pytest.mark.parametrize("shift", [30.0, 150.0, 210.0, -30.0])
def test_every_clock_number_of_dyn(shift):
    feeder = lv_feeder(10, mv_line=True)
    feeder.tables["trafo"]["shift_degree"] = shift

    assert_equals_runpp_3ph(feeder.net())


def test_taps_parallel_lines_and_reversed_lines():
    feeder = lv_feeder(20, charging=True, mv_line=True)
    trafo, line = feeder.tables["trafo"], feeder.tables["line"]
    trafo["tap_pos"], trafo["vn_lv_kv"], trafo["parallel"] = -2.0, 0.41, 2
    line.loc[3:6, "parallel"] = 2
    line.loc[4:9, ["from_bus", "to_bus"]] = line.loc[4:9, ["to_bus", "from_bus"]].to_numpy()

    assert_equals_runpp_3ph(feeder.net())


def test_loads_of_three_phases_generators_scaling_and_service():
    feeder = lv_feeder(20)
    net = feeder.net()
    pp.create_load(net, 5, p_mw=0.012, q_mvar=0.003, scaling=0.5, type="wye")
    pp.create_load(net, 6, p_mw=0.5, in_service=False, type="wye")
    pp.create_sgen(net, 7, p_mw=0.02, q_mvar=-0.001, type="wye")
    pp.create_asymmetric_sgen(net, 8, p_a_mw=0.004, q_b_mvar=0.001, scaling=0.7, type="wye")
    net.asymmetric_load.loc[0, "in_service"] = False

    assert_equals_runpp_3ph(net)


def test_shunts_and_lines_open_at_one_end():
    feeder = lv_feeder(20, charging=True, mv_line=True)
    open_end = {**feeder.tables["line"].iloc[5], "from_bus": 2, "to_bus": 19, "length_km": 0.3}
    feeder.tables["line"] = pd.concat([feeder.tables["line"], pd.DataFrame([open_end])], ignore_index=True)
    feeder.tables["line"] = feeder.tables["line"].astype(
        feeder.tables["line"].iloc[:5].convert_dtypes().dtypes.to_dict()
    )
    feeder.tables["switch"] = pd.DataFrame(
        {"bus": [19], "element": [len(feeder.tables["line"]) - 1], "et": ["l"], "closed": [False], "type": ["LBS"]}
    )
    feeder.tables["shunt"] = pd.DataFrame(
        {"bus": [7, 1], "p_mw": [0.001, 0.0], "q_mvar": [-0.01, -0.05], "vn_kv": [0.4, 10.0], "step": [1, 1]}
    )

    assert_equals_runpp_3ph(feeder.net())


def test_balanced_loads_give_the_balanced_load_flow():
    feeder = lv_feeder(60, charging=True, magnetising=True, mv_line=True)
    network = feeder.network
    p_mw, q_mvar = feeder.p_mw.sum(axis=2), feeder.q_mvar.sum(axis=2)
    third = np.repeat(p_mw[:, :, None], 3, axis=2) / 3, np.repeat(q_mvar[:, :, None], 3, axis=2) / 3

    single = solve(network.balanced, LoadCases(p_mw=p_mw, q_mvar=q_mvar), tolerance_pu=1e-13)
    phases = solve_unbalanced(network, PhaseLoadCases(p_mw=third[0], q_mvar=third[1]), tolerance_pu=1e-13)

    for k in range(3):
        np.testing.assert_allclose(phases.vm_pu[:, :, k], single.vm_pu, rtol=0, atol=1e-12)
        np.testing.assert_allclose(phases.i_ka[:, :, k], single.i_ka, rtol=1e-9, atol=1e-13)
        np.testing.assert_allclose(phases.loading_percent[:, :, k], single.loading_percent, rtol=1e-9, atol=1e-9)
        turned = (phases.va_degree[:, :, k] + 120.0 * k - single.va_degree + 180.0) % 360.0 - 180.0
        np.testing.assert_allclose(turned, 0.0, rtol=0, atol=1e-10)
    np.testing.assert_allclose(phases.loss_mw, single.loss_mw, rtol=1e-9)
    np.testing.assert_allclose(phases.unbalance_percent, 0.0, rtol=0, atol=1e-9)
