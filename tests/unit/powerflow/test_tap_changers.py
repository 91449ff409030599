"""Tap changers and line regulators in the batch: equal to pandapower's discrete tap control, case by case."""

import copy

import numpy as np
import pandapower as pp
import pytest
from pandapower import control

from gridcheck.cases import LoadCases
from gridcheck.errors import InputError, NetworkError, TopologyError
from gridcheck.network import from_pandapower, loads_from_pandapower, tap_changers_from_pandapower
from gridcheck.powerflow import CONVERGED, NOT_CONVERGED, solve, solve_extremes
from tests.support.radial_nets import add_line, add_trafo, empty_net

TAPS = {
    "tap_neutral": 0,
    "tap_min": -8,
    "tap_max": 8,
    "tap_pos": 0,
    "tap_step_percent": 1.25,
    "tap_changer_type": "Ratio",
}
SCALES = np.linspace(0.0, 3.0, 41)


def regulated_net(*, side: str = "hv", regulator: bool = False):
    """110 kV -- T0 with tap changer -- 10 kV -- line of 12 km (-- regulator 10/10 kV) -- line -- load; iron losses."""
    net = empty_net(name="regulated")
    hv, busbar, middle = pp.create_bus(net, 110.0), pp.create_bus(net, 10.0), pp.create_bus(net, 10.0)
    pp.create_ext_grid(net, hv, vm_pu=1.01)
    add_trafo(
        net, hv, busbar, sn_mva=10.0, vn_hv_kv=110.0, vn_lv_kv=10.5, vk_percent=10.5, vkr_percent=0.5, pfe_kw=12.0,
        i0_percent=0.4, tap_side=side, **TAPS,
    )  # fmt: skip
    add_line(net, busbar, middle, 12.0)
    start = middle
    if regulator:
        start = pp.create_bus(net, 10.0)
        add_trafo(
            net, middle, start, sn_mva=5.0, vn_hv_kv=10.0, vn_lv_kv=10.0, vk_percent=0.5, vkr_percent=0.1, pfe_kw=2.0,
            i0_percent=0.1, shift_degree=0.0, tap_side="lv", **TAPS,
        )  # fmt: skip
    end = pp.create_bus(net, 10.0)
    add_line(net, start, end, 8.0)
    pp.create_load(net, end, 0.6, 0.2)
    pp.create_load(net, busbar, 1.5, 0.6)
    return net


def prepared(net, bands):
    network = from_pandapower(net)
    own = loads_from_pandapower(net, network)
    loads = LoadCases(p_mw=SCALES[:, None] * own.p_mw, q_mvar=SCALES[:, None] * own.q_mvar)
    return network, loads, tap_changers_from_pandapower(net, network, bands)


def controlled(net, bands, scale):
    """Let pandapower step the taps of one case."""
    net = copy.deepcopy(net)
    net.load["scaling"] = scale
    for trafo, (low, high) in bands.items():
        control.DiscreteTapControl(net, trafo, low, high, side="lv")
    pp.runpp(net, run_control=True, tolerance_mva=1e-10, numba=False, max_iteration=60, calculate_voltage_angles=True)
    return net


@pytest.mark.parametrize("side", ["hv", "lv"])
def test_positions_and_voltages_equal_pandapowers(side):
    net, bands = regulated_net(side=side), {0: (1.01, 1.03)}
    network, loads, changers = prepared(net, bands)

    result = solve(network, loads, tap_changers=changers, tolerance_pu=1e-10)

    assert (result.status == CONVERGED).all()
    assert len(set(result.tap_position[:, 0].tolist())) >= 4
    for case in range(0, len(SCALES), 4):
        expected = controlled(net, bands, SCALES[case])
        assert result.tap_position[case, 0] == expected.trafo["tap_pos"].iloc[0]
        np.testing.assert_allclose(result.vm_pu[case], expected.res_bus["vm_pu"], rtol=0, atol=1e-8)
        trafo = list(network.branches.kind).index(1)
        np.testing.assert_allclose(result.i_ka[case, trafo], expected.res_trafo["i_hv_ka"][0], rtol=1e-6, atol=1e-10)
        np.testing.assert_allclose(
            result.loading_percent[case, trafo], expected.res_trafo["loading_percent"][0], rtol=1e-6, atol=1e-7
        )
        losses = expected.res_line["pl_mw"].sum() + expected.res_trafo["pl_mw"].sum()
        np.testing.assert_allclose(result.loss_mw[case], losses, rtol=1e-6, atol=1e-9)


def test_a_tap_changer_and_a_line_regulator_in_series():
    net, bands = regulated_net(regulator=True), {0: (0.99, 1.02), 1: (0.99, 1.02)}
    network, loads, changers = prepared(net, bands)

    result = solve(network, loads, tap_changers=changers, tolerance_pu=1e-10)

    solved = result.status == CONVERGED
    assert solved.sum() > 30
    for changer, (low, high) in enumerate(bands.values()):
        vm = result.vm_pu[solved, changers.bus[changer]]
        at_end = np.isin(result.tap_position[solved, changer], [-8, 8])
        assert ((low <= vm) & (vm <= high) | at_end).all()
    # At the positions that were found, a load flow without any control gives the same voltages.
    for case in np.flatnonzero(solved)[::5]:
        fixed = copy.deepcopy(net)
        fixed.trafo["tap_pos"] = result.tap_position[case].astype(float)
        fixed.load["scaling"] = SCALES[case]
        # Near the nose of the curve Newton's method finds nothing from a flat start.
        start = {"init_vm_pu": result.vm_pu[case], "init_va_degree": result.va_degree[case]}
        pp.runpp(fixed, tolerance_mva=1e-10, numba=False, calculate_voltage_angles=True, **start)
        np.testing.assert_allclose(result.vm_pu[case], fixed.res_bus["vm_pu"], rtol=0, atol=1e-8)


def test_without_a_reason_no_tap_moves():
    net = regulated_net()
    network, loads, changers = prepared(net, {0: (0.5, 1.5)})

    # Two methods, each as exact as was asked for.
    moved = solve(network, loads, tap_changers=changers, tolerance_pu=1e-11)
    still = solve(network, loads, tolerance_pu=1e-11)

    assert (moved.tap_position == 0).all()
    np.testing.assert_allclose(moved.vm_pu, still.vm_pu, rtol=0, atol=1e-9)
    np.testing.assert_allclose(moved.loss_mw, still.loss_mw, rtol=1e-8)
    np.testing.assert_allclose(moved.loading_percent, still.loading_percent, rtol=1e-8)


def test_the_end_of_the_range_is_the_end():
    net = regulated_net()
    net.trafo.loc[0, ["tap_min", "tap_max"]] = [-1.0, 1.0]
    network, loads, changers = prepared(net, {0: (1.07, 1.10)})

    result = solve(network, loads, tap_changers=changers)

    assert (result.status == CONVERGED).all()
    assert result.tap_position.min() == -1
    assert result.vm_pu[:, 1].min() < 1.07


def test_cases_with_tap_changers_do_not_touch_each_other():
    net = regulated_net(regulator=True)
    network, loads, changers = prepared(net, {0: (0.99, 1.02), 1: (0.99, 1.02)})
    scale = np.concatenate([np.linspace(0.0, 3.0, 60), [80.0, 90.0]])
    order = np.random.default_rng(5).permutation(len(scale))
    first = loads.p_mw[-1] / SCALES[-1], loads.q_mvar[-1] / SCALES[-1]

    one, other = (
        solve(network, LoadCases(p_mw=s[:, None] * first[0], q_mvar=s[:, None] * first[1]), tap_changers=changers)
        for s in (scale, scale[order])
    )

    assert (one.status[-2:] == NOT_CONVERGED).all()
    for name in ("vm_pu", "i_ka", "loss_mw", "iterations", "status", "tap_position"):
        np.testing.assert_array_equal(getattr(one, name)[order], getattr(other, name), err_msg=name)


def test_extremes_see_the_positions():
    net = regulated_net(regulator=True)
    network, loads, changers = prepared(net, {0: (0.99, 1.02), 1: (0.99, 1.02)})

    result, extremes = (
        solve(network, loads, tap_changers=changers),
        solve_extremes(network, loads, tap_changers=changers),
    )

    np.testing.assert_array_equal(extremes.vm_min_pu, np.nanmin(result.vm_pu, axis=0))
    np.testing.assert_allclose(extremes.loading_max_percent, np.nanmax(result.loading_percent, axis=0), rtol=1e-14)
    assert extremes.loss_mwh == pytest.approx(np.nansum(result.loss_mw), rel=1e-12)


def test_a_band_narrower_than_a_step_is_refused():
    net = regulated_net()

    with pytest.raises(InputError, match="wider than its step") as caught:
        prepared(net, {0: (1.000, 1.005)})

    assert "transformer 0: 1.0 to 1.005 pu" in caught.value.findings[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [({"tap_side": None}, "has no tap changer"), ({"tap_max": -9.0}, "has no tap changer"),
     ({"tap_step_degree": 90.0}, "not its angle"), ({"tap_pos": 9.0}, "has no tap changer")],
)  # fmt: skip
def test_a_transformer_that_cannot_follow_is_refused(change, message):
    net = regulated_net()
    for column, value in change.items():
        net.trafo[column] = net.trafo[column].astype(object) if value is None else net.trafo[column]
        net.trafo.loc[0, column] = value

    with pytest.raises(NetworkError, match=message):
        prepared(net, {0: (0.99, 1.02)})


def test_an_unknown_transformer_is_refused():
    with pytest.raises(NetworkError, match=r"no transformer \[7\]"):
        prepared(regulated_net(), {7: (0.99, 1.02)})


def test_two_tap_changers_in_one_loop_are_refused():
    net = regulated_net()
    add_trafo(
        net, 0, 1, sn_mva=10.0, vn_hv_kv=110.0, vn_lv_kv=10.5, vk_percent=10.5, vkr_percent=0.5, pfe_kw=12.0,
        i0_percent=0.4, tap_side="hv", **TAPS,
    )  # fmt: skip
    network, loads, changers = prepared(net, {0: (0.99, 1.02), 1: (0.99, 1.02)})

    with pytest.raises(TopologyError, match="closes a loop"):
        solve(network, loads, tap_changers=changers)
