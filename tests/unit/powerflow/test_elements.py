"""Every kind of element and setting, alone in a small net: equal to pandapower's Newton-Raphson."""

import numpy as np
import pandapower as pp
import pytest

from gridcheck.network import from_pandapower, loads_from_pandapower, to_pandapower
from gridcheck.powerflow import solve
from tests.support.newton import assert_solve_equals_newton, newton
from tests.support.radial_nets import add_line, add_trafo, empty_net, feeder_net, two_bus_net, village_net


def trafo_at_bus_2(**values):
    net = village_net()
    for column, value in values.items():
        net.trafo.loc[1, column] = value
    return net


TRAFOS = {
    "as_built": {},
    "tap_on_the_high_side": {"tap_side": "hv", "tap_pos": 2},
    "tap_on_the_low_side": {"tap_side": "lv", "tap_pos": 2},
    "tap_below_neutral": {"tap_side": "lv", "tap_pos": -2},
    "neutral_that_is_not_zero": {"tap_neutral": 1, "tap_pos": 2},
    "phase_shift_of_a_tap": {"tap_pos": 2, "tap_step_degree": 30.0},
    "phase_shift_of_a_tap_on_the_low_side": {"tap_side": "lv", "tap_pos": 2, "tap_step_degree": 60.0},
    "symmetrical_tap": {"tap_pos": 2, "tap_step_degree": 90.0, "tap_changer_type": "Symmetrical"},
    "no_changer_type": {"tap_pos": 2, "tap_changer_type": None},
    "no_tap_side": {"tap_pos": 2, "tap_side": None},
    "yyn0": {"shift_degree": 0.0},
    "dyn5": {"shift_degree": 150.0},
    "three_in_parallel": {"parallel": 3},
    "derated": {"df": 0.8},
    "parallel_and_derated": {"parallel": 2, "df": 0.9},
    "no_iron_losses": {"pfe_kw": 0.0},
    "no_magnetising": {"pfe_kw": 0.0, "i0_percent": 0.0},
    "iron_losses_above_the_no_load_current": {"pfe_kw": 5.0, "i0_percent": 0.6},
    "all_resistance": {"vkr_percent": 4.0},
    "no_resistance": {"vkr_percent": 0.0},
    "nameplate_differs_from_the_bus": {"vn_hv_kv": 10.5, "vn_lv_kv": 0.42},
    "out_of_service": {"in_service": False},
}


@pytest.mark.parametrize("values", TRAFOS.values(), ids=TRAFOS)
def test_transformer(values):
    net = trafo_at_bus_2(**values)

    result = assert_solve_equals_newton(net)

    network = from_pandapower(net)
    again = solve(from_pandapower(to_pandapower(network)), loads_from_pandapower(net, network), tolerance_pu=1e-10)
    np.testing.assert_allclose(again.vm_pu, result.vm_pu, rtol=0, atol=1e-12)
    np.testing.assert_allclose(again.loading_percent, result.loading_percent, rtol=1e-9)


def test_transformer_with_a_second_tap_changer():
    net = village_net()
    for column, value in {
        "tap2_side": "lv", "tap2_neutral": 0, "tap2_pos": 2, "tap2_step_percent": 1.0, "tap2_step_degree": 0.0,
        "tap2_changer_type": "Ratio",
    }.items():  # fmt: skip
        net.trafo[column] = value

    assert_solve_equals_newton(net)


def test_the_low_voltage_side_may_be_the_source():
    net = empty_net()
    low, high, end = (pp.create_bus(net, vn_kv) for vn_kv in (0.4, 10.0, 10.0))
    pp.create_ext_grid(net, low, vm_pu=1.02, va_degree=-12.0)
    add_trafo(net, high, low, tap_pos=1)
    add_line(net, end, high, 2.0)
    pp.create_load(net, end, 0.15, 0.05)

    assert_solve_equals_newton(net)


@pytest.mark.parametrize(("element", "at_bus"), [("line_0", 1), ("line_0", 2), ("line_1", 3), ("line_1", 2)])
def test_line_open_at_one_end_still_draws_its_charging(element, at_bus):
    net = village_net()
    net.line["c_nf_per_km"] = 4000.0  # so that it matters
    pp.create_switch(net, at_bus, int(element[-1]), "l", closed=False)

    assert_solve_equals_newton(net)


def test_line_open_at_both_ends_is_dead():
    net = village_net()
    net.line["c_nf_per_km"] = 4000.0
    pp.create_switch(net, 1, 2, "l", closed=False)

    assert_solve_equals_newton(net)


@pytest.mark.parametrize("at_bus", [2, 4])
def test_transformer_with_an_open_switch(at_bus):
    # Closed on the high side it goes on magnetising; open there it is dead.
    net = village_net()
    pp.create_switch(net, at_bus, 1, "t", closed=False)

    assert_solve_equals_newton(net)


def test_losses_of_a_transformer_open_at_its_low_side_are_its_iron_losses():
    net = two_bus_net(p_mw=0.0, q_mvar=0.0)
    low = pp.create_bus(net, 0.4)
    trafo = add_trafo(net, 1, low, pfe_kw=0.41)
    pp.create_switch(net, low, trafo, "t", closed=False)
    network = from_pandapower(net)

    result = solve(network, loads_from_pandapower(net, network))

    assert result.loss_mw[0] == pytest.approx(0.41e-3, rel=1e-3)


@pytest.mark.parametrize(
    "values",
    [
        {"parallel": 2},
        {"df": 0.7},
        {"parallel": 3, "df": 0.5},
        {"g_us_per_km": 40.0},
        {"c_nf_per_km": 2000.0},
        {"r_ohm_per_km": 0.0},
        {"in_service": False},
    ],
    ids=str,
)
def test_line(values):
    net = village_net()
    for column, value in values.items():
        net.line.loc[1, column] = value

    assert_solve_equals_newton(net)


def test_chain_of_bus_bus_switches_is_one_point():
    net = two_bus_net()
    last = 1
    for _ in range(3):
        new = pp.create_bus(net, 10.0)
        pp.create_switch(net, last, new, "b")
        last = new
    pp.create_load(net, last, 1.0, 0.3)

    result = assert_solve_equals_newton(net)

    assert len(set(result.vm_pu[0, 1:])) == 1


@pytest.mark.parametrize("closed", [True, False])
def test_bus_bus_switch(closed):
    net = two_bus_net()
    behind = pp.create_bus(net, 10.0)
    pp.create_switch(net, behind, 1, "b", closed=closed)
    pp.create_load(net, behind, 1.0, 0.3)

    result = assert_solve_equals_newton(net)

    assert result.supplied[2] == closed


def test_bus_bus_switch_with_an_impedance():
    # pandapower gives it twice as much resistance as reactance; z_ohm is the magnitude.
    net = two_bus_net()
    behind = pp.create_bus(net, 10.0)
    pp.create_switch(net, 1, behind, "b", z_ohm=0.5)
    pp.create_load(net, behind, 1.0, 0.3)

    result = assert_solve_equals_newton(net)

    network = from_pandapower(net)
    again = solve(from_pandapower(to_pandapower(network)), loads_from_pandapower(net, network), tolerance_pu=1e-10)
    np.testing.assert_allclose(again.vm_pu, result.vm_pu, rtol=0, atol=1e-12)


def test_bus_bus_switch_at_a_bus_out_of_service():
    net = two_bus_net()
    behind = pp.create_bus(net, 10.0, in_service=False)
    pp.create_switch(net, 1, behind, "b")
    pp.create_load(net, behind, 1.0, 0.3)

    assert_solve_equals_newton(net)


@pytest.mark.parametrize("values", [{}, {"step": 3}, {"vn_kv": 10.5}, {"p_mw": 0.05}, {"in_service": False}], ids=str)
def test_shunt(values):
    net = feeder_net()
    pp.create_shunt(net, 3, q_mvar=-0.3, p_mw=0.01)
    for column, value in values.items():
        net.shunt.loc[0, column] = value

    assert_solve_equals_newton(net)


def test_generation_storage_and_scaling():
    net = village_net()
    pp.create_sgen(net, 6, 0.12, -0.03, scaling=0.7)
    pp.create_sgen(net, 4, 5.0, in_service=False)
    pp.create_storage(net, 5, 0.02, max_e_mwh=1.0, scaling=0.5)
    pp.create_storage(net, 6, -0.03, max_e_mwh=1.0)
    pp.create_load(net, 4, 7.0, in_service=False)
    net.load.loc[0, "scaling"] = 0.6

    assert_solve_equals_newton(net)


def test_asymmetric_loads_count_as_their_sum():
    net = village_net()
    pp.create_asymmetric_load(net, 6, p_a_mw=0.01, p_b_mw=0.02, p_c_mw=0.03, q_a_mvar=0.001, q_b_mvar=0, q_c_mvar=0.002)
    pp.create_asymmetric_sgen(net, 5, p_a_mw=0.004, p_b_mw=0.0, p_c_mw=0.001, scaling=2.0)

    assert_solve_equals_newton(net)


@pytest.mark.parametrize("bus", [3, 4, 6])
def test_bus_out_of_service(bus):
    net = village_net()
    net.bus.loc[bus, "in_service"] = False

    result = assert_solve_equals_newton(net)

    assert not result.supplied[bus]


def test_two_sources_of_two_parts():
    net = feeder_net()
    net.line.loc[2, "in_service"] = False
    pp.create_ext_grid(net, 5, vm_pu=0.99, va_degree=20.0)

    result = assert_solve_equals_newton(net)

    assert result.vm_pu[0, 5] == 0.99


def test_source_out_of_service_supplies_nothing():
    net = feeder_net()
    net.line.loc[2, "in_service"] = False
    pp.create_ext_grid(net, 5, in_service=False)

    result = assert_solve_equals_newton(net)

    assert result.supplied.tolist() == [True, True, True, False, False, False]


def test_power_base_does_not_matter():
    net = village_net()
    other = village_net()
    other.sn_mva = 100.0
    a, b = from_pandapower(net), from_pandapower(other)

    first, second = (solve(n, loads_from_pandapower(net, n), tolerance_pu=1e-12) for n in (a, b))

    np.testing.assert_allclose(second.vm_pu, first.vm_pu, rtol=0, atol=1e-12)
    np.testing.assert_allclose(second.i_ka, first.i_ka, rtol=1e-10)
    np.testing.assert_allclose(second.loss_mw, first.loss_mw, rtol=1e-9)


def test_frequency_scales_the_charging():
    net = feeder_net()
    net.line["c_nf_per_km"] = 3000.0
    net.f_hz = 60.0

    assert_solve_equals_newton(net)


def test_a_loop_without_supply_does_no_harm():
    net = two_bus_net()
    a, b = pp.create_bus(net, 10.0), pp.create_bus(net, 10.0)
    add_line(net, a, b)
    add_line(net, b, a)

    result = assert_solve_equals_newton(net)

    assert result.supplied.tolist() == [True, True, False, False]


def test_equal_source_at_the_same_bus_is_one_source():
    net = two_bus_net()
    pp.create_ext_grid(net, 0, vm_pu=1.0)

    assert_solve_equals_newton(net)


def test_the_oracle_itself_would_show_a_wrong_tap():
    right, wrong = newton(trafo_at_bus_2(tap_pos=1)), newton(trafo_at_bus_2(tap_pos=2))
    assert abs(right.res_bus["vm_pu"][4] - wrong.res_bus["vm_pu"][4]) > 0.01
