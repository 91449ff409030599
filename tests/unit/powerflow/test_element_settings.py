"""Settings of single elements that are easily read wrongly: equal to pandapower's Newton-Raphson, or refused."""

import numpy as np
import pandapower as pp
import pytest

from gridcheck.errors import NetworkError, UnsupportedElementError
from gridcheck.network import BranchKind, from_pandapower, loads_from_pandapower, to_pandapower
from gridcheck.powerflow import solve
from tests.support.newton import assert_solve_equals_newton, newton
from tests.support.radial_nets import add_line, add_trafo, feeder_net, two_bus_net, village_net


def assert_survives_the_way_to_pandapower_and_back(net, result):
    network = from_pandapower(net)
    again = solve(from_pandapower(to_pandapower(network)), loads_from_pandapower(net, network), tolerance_pu=1e-10)
    np.testing.assert_allclose(again.vm_pu, result.vm_pu, rtol=0, atol=1e-12)
    np.testing.assert_allclose(again.va_degree, result.va_degree, rtol=0, atol=1e-10)
    np.testing.assert_allclose(again.i_ka, result.i_ka, rtol=1e-9)


def with_tap(**values):
    net = village_net()
    for column, value in values.items():
        if column not in net.trafo:
            net.trafo[column] = None if isinstance(value, str) else np.nan
        net.trafo.loc[1, column] = value
    return net


IDEAL = {"tap_changer_type": "Ideal", "tap_pos": 2}
SECOND = {"tap2_side": "lv", "tap2_neutral": 0.0, "tap2_pos": -2.0, "tap2_step_percent": 1.0, "tap2_step_degree": 0.0}
TAPS = {
    "ideal_by_degree": {**IDEAL, "tap_step_degree": 5.0, "tap_step_percent": 0.0},
    "ideal_by_degree_without_percent": {**IDEAL, "tap_step_degree": 5.0, "tap_step_percent": np.nan},
    "ideal_by_degree_on_the_low_side": {**IDEAL, "tap_side": "lv", "tap_step_degree": 5.0, "tap_step_percent": np.nan},
    "ideal_by_percent": {**IDEAL, "tap_step_degree": 0.0, "tap_step_percent": 4.0},
    "ideal_by_percent_on_the_low_side": {**IDEAL, "tap_side": "lv", "tap_step_degree": np.nan, "tap_step_percent": 4.0},
    "ideal_at_neutral": {**IDEAL, "tap_pos": 0, "tap_step_degree": 5.0, "tap_step_percent": np.nan},
    "asymmetrical": {"tap_pos": -2, "tap_step_degree": 60.0, "tap_step_percent": 3.0},
    "symmetrical": {"tap_pos": -2, "tap_step_degree": 90.0, "tap_changer_type": "Symmetrical"},
    "second_on_the_low_side": {**SECOND, "tap2_changer_type": "Ratio", "tap_pos": 1},
    "both_on_the_low_side": {**SECOND, "tap2_changer_type": "Ratio", "tap_side": "lv", "tap_pos": 1},
    "both_on_the_high_side": {**SECOND, "tap2_side": "hv", "tap2_changer_type": "Ratio", "tap_pos": 1},
    "second_symmetrical": {**SECOND, "tap2_changer_type": "Symmetrical", "tap2_step_degree": 90.0},
    "second_ideal": {**SECOND, "tap2_changer_type": "Ideal", "tap2_step_degree": 7.0, "tap2_step_percent": np.nan},
    "second_without_type": {**SECOND, "tap2_changer_type": None},
    "position_not_given": {"tap_pos": np.nan, "tap_neutral": 1},
    "neutral_not_given": {"tap_pos": 2, "tap_neutral": np.nan},
    "step_not_given": {"tap_pos": 2, "tap_step_percent": np.nan},
    "angle_not_given": {"tap_pos": 2, "tap_step_degree": np.nan},
}  # fmt: skip


@pytest.mark.parametrize("values", TAPS.values(), ids=TAPS)
def test_tap_changer(values):
    net = with_tap(**values)

    result = assert_solve_equals_newton(net)

    assert_survives_the_way_to_pandapower_and_back(net, result)


@pytest.mark.parametrize(
    "values",
    [
        {"tap_step_degree": 5.0, "tap_step_percent": 2.5},
        {"tap_step_degree": 0.0, "tap_step_percent": 20.0, "tap_pos": 11},
    ],
    ids=["degree_and_percent", "more_than_a_half_turn"],
)
def test_an_ideal_phase_shifter_that_does_not_say_how_far_it_turns_is_refused(values):
    net = with_tap(**{**IDEAL, **values})

    with pytest.raises(UnsupportedElementError, match="trafo 1: tap_changer_type Ideal needs"):
        from_pandapower(net)


def test_an_impedance_that_follows_the_position_of_pandapower_2_is_refused():
    net = village_net()
    net.trafo = net.trafo.drop(columns="tap_dependency_table").assign(tap_dependent_impedance=[False, True, False])

    with pytest.raises(UnsupportedElementError, match="trafo 1: tap_dependent_impedance"):
        from_pandapower(net)


# ------------------------------------------------------------------------------------------------- impedances


def impedance_net(**values):
    """The village with a load of 10 kV behind an impedance."""
    net = village_net()
    behind = pp.create_bus(net, 10.0)
    pp.create_impedance(
        net, *values.pop("ends", (3, behind)), **{"rft_pu": 0.02, "xft_pu": 0.1, "sn_mva": 0.4, **values}
    )
    pp.create_load(net, behind, 0.1, 0.03)
    return net


IMPEDANCES = {
    "series_only": {},
    "the_other_way_round": {"ends": (7, 3), "gf_pu": 0.01, "bf_pu": 0.02, "gt_pu": 0.03, "bt_pu": 0.04},
    "with_shunts": {"gf_pu": 0.01, "bf_pu": 0.02, "gt_pu": 0.03, "bt_pu": 0.04},
    "reactance_only": {"rft_pu": 0.0},
    "negative_reactance": {"xft_pu": -0.05},
    "out_of_service": {"in_service": False},
}


@pytest.mark.parametrize("values", IMPEDANCES.values(), ids=IMPEDANCES)
def test_impedance(values):
    net = impedance_net(**values)

    result = assert_solve_equals_newton(net)

    assert_survives_the_way_to_pandapower_and_back(net, result)


def test_impedance_between_voltage_levels_holds_in_per_unit():
    net = village_net()
    low = pp.create_bus(net, 0.4)
    pp.create_impedance(net, 3, low, rft_pu=0.02, xft_pu=0.1, sn_mva=0.4)
    pp.create_load(net, low, 0.05, 0.01)
    network = from_pandapower(net)
    solved = newton(net)

    result = solve(network, loads_from_pandapower(net, network), tolerance_pu=1e-10)

    np.testing.assert_allclose(result.vm_pu[0], solved.res_bus["vm_pu"], rtol=0, atol=1e-8)
    k = int(np.flatnonzero(network.branches.kind == BranchKind.IMPEDANCE)[0])
    assert result.i_ka[0, k] == pytest.approx(solved.res_impedance.loc[0, ["i_from_ka", "i_to_ka"]].max(), rel=1e-6)


def test_impedance_at_a_bus_out_of_service_carries_nothing():
    net = impedance_net(bf_pu=0.1, bt_pu=0.1)
    net.bus.loc[7, "in_service"] = False

    assert_solve_equals_newton(net)


def test_impedance_by_hand():
    # 0.5 MVA on a net of 2 MVA: series four times, shunts a quarter of the numbers in the table.
    net = impedance_net(rft_pu=0.01, xft_pu=0.03, sn_mva=0.5, gf_pu=0.04, bt_pu=0.08, gt_pu=0.0)
    net.sn_mva = 2.0

    branches = from_pandapower(net).branches

    k = int(np.flatnonzero(branches.kind == BranchKind.IMPEDANCE)[0])
    assert branches.r_pu[k] == pytest.approx(0.04)
    assert branches.x_pu[k] == pytest.approx(0.12)
    assert branches.g_from_pu[k] == pytest.approx(0.01)
    assert branches.b_to_pu[k] == pytest.approx(0.02)
    assert (branches.b_from_pu[k], branches.g_to_pu[k]) == (0.0, 0.0)
    assert np.isnan(branches.rating_from_ka[k])


@pytest.mark.parametrize("column", ["rtf_pu", "xtf_pu"])
def test_an_impedance_that_differs_by_direction_is_refused(column):
    net = impedance_net()
    net.impedance.loc[0, column] = 0.11

    with pytest.raises(UnsupportedElementError, match=f"impedance 0: {column[0]}ft_pu and {column} differ"):
        from_pandapower(net)


def test_an_impedance_of_zero_is_refused():
    net = impedance_net(rft_pu=0.0, xft_pu=0.0, rtf_pu=0.0, xtf_pu=0.0)

    with pytest.raises(NetworkError, match="impedance 0: zero impedance"):
        from_pandapower(net)


# --------------------------------------------------------------------------------------------- wards and motors


@pytest.mark.parametrize(
    "values",
    [{}, {"in_service": False}, {"pz_mw": -0.1}, {"ps_mw": 0.0, "qs_mvar": 0.0}, {"qz_mvar": -0.3}],
    ids=["as_built", "out_of_service", "negative", "impedance_only", "capacitive"],
)
def test_ward(values):
    net = village_net()
    net.sn_mva = 10.0
    pp.create_ward(net, 3, **{"ps_mw": 0.1, "qs_mvar": 0.02, "pz_mw": 0.2, "qz_mvar": 0.1, **values})
    pp.create_ward(net, 3, ps_mw=0.01, qs_mvar=0.0, pz_mw=0.02, qz_mvar=0.0)

    assert_solve_equals_newton(net)


def test_ward_by_hand():
    net = feeder_net()
    net.sn_mva = 5.0
    net.load = net.load.iloc[:0]
    pp.create_ward(net, 3, ps_mw=0.1, qs_mvar=0.02, pz_mw=0.2, qz_mvar=0.3)

    network = from_pandapower(net)
    loads = loads_from_pandapower(net, network)

    assert (loads.p_mw[0, 3], loads.q_mvar[0, 3]) == (0.1, 0.02)
    assert network.buses.g_pu[3] == pytest.approx(0.04)
    assert network.buses.b_pu[3] == pytest.approx(-0.06)  # it takes reactive power: inductive


def test_motor_by_hand():
    # 90 kW on the shaft at 90 % and half load draw 50 kW; cos phi 0.8 adds 37.5 kvar.
    net = two_bus_net(p_mw=0.0, q_mvar=0.0)
    pp.create_motor(net, 1, 0.09, 0.8, efficiency_percent=90.0, loading_percent=50.0)

    loads = loads_from_pandapower(net, from_pandapower(net))

    assert loads.p_mw[0, 1] == pytest.approx(0.05)
    assert loads.q_mvar[0, 1] == pytest.approx(0.0375)


@pytest.mark.parametrize(("p_mw", "cos_phi"), [(0.1, 1.0), (-0.1, 0.9), (0.0, 0.9)])
def test_motor(p_mw, cos_phi):
    net = village_net()
    pp.create_motor(net, 4, p_mw, cos_phi, scaling=0.7)

    assert_solve_equals_newton(net)


@pytest.mark.parametrize(("column", "value"), [("cos_phi", 0.0), ("cos_phi", 1.2), ("efficiency_percent", 0.0)])
def test_a_motor_that_cannot_be_is_named(column, value):
    net = village_net()
    pp.create_motor(net, 4, 0.1, 0.9)
    network = from_pandapower(net)
    net.motor[column] = value

    with pytest.raises(NetworkError, match=f"motor 0: {column}"):
        loads_from_pandapower(net, network)


# ----------------------------------------------------------------------------------------------------- sources


def with_gen_as_source():
    net = village_net()
    net.ext_grid["in_service"] = False
    pp.create_gen(net, 0, p_mw=0.3, vm_pu=1.02, slack=True)
    return net


def with_gen_beside_an_external_grid():
    net = feeder_net()
    net.line.loc[2, "in_service"] = False
    pp.create_gen(net, 5, p_mw=1.0, vm_pu=0.98, slack=True)
    return net


def with_equal_gen_at_the_external_grid():
    net = feeder_net()
    pp.create_gen(net, 0, p_mw=1.0, vm_pu=1.03, slack=True)
    return net


def with_external_grid_at_a_bus_out_of_service():
    net = feeder_net()
    net.line.loc[2, "in_service"] = False
    net.bus.loc[5, "in_service"] = False
    pp.create_ext_grid(net, 5)
    return net


SOURCES = {
    "gen": with_gen_as_source,
    "gen_and_external_grid": with_gen_beside_an_external_grid,
    "gen_at_the_external_grid": with_equal_gen_at_the_external_grid,
    "one_at_a_bus_out_of_service": with_external_grid_at_a_bus_out_of_service,
}


@pytest.mark.parametrize("build", SOURCES.values(), ids=SOURCES)
def test_sources(build):
    net = build()

    result = assert_solve_equals_newton(net)

    assert_survives_the_way_to_pandapower_and_back(net, result)


def test_a_gen_and_an_external_grid_of_one_bus_must_agree():
    net = feeder_net()
    pp.create_gen(net, 0, p_mw=1.0, vm_pu=1.0, slack=True)

    with pytest.raises(NetworkError, match="gen 0: another source of the same bus"):
        from_pandapower(net)


def test_only_gens_that_are_no_source_are_named():
    net = feeder_net()
    pp.create_gen(net, 0, p_mw=1.0, vm_pu=1.03, slack=True)
    pp.create_gen(net, 2, p_mw=1.0)

    with pytest.raises(UnsupportedElementError) as caught:
        from_pandapower(net)

    assert caught.value.findings == ("gen: ids 1",)


# ---------------------------------------------------------------------------------------------------- switches


@pytest.mark.parametrize("closed", [(True, True), (True, False), (False, True), (False, False)], ids=str)
@pytest.mark.parametrize("et", ["l", "t"])
def test_switches_at_both_ends(et, closed):
    net = village_net()
    net.line["c_nf_per_km"] = 4000.0
    table, ends, element = ("line", ("from_bus", "to_bus"), 1) if et == "l" else ("trafo", ("hv_bus", "lv_bus"), 2)
    for column, is_closed in zip(ends, closed, strict=True):
        pp.create_switch(net, net[table].loc[element, column], element, et, closed=is_closed)

    assert_solve_equals_newton(net)


@pytest.mark.parametrize("bus", [2, 3])
def test_two_switches_at_one_end_are_open_if_either_is(bus):
    net = village_net()
    net.line["c_nf_per_km"] = 4000.0
    pp.create_switch(net, bus, 1, "l", closed=True)
    pp.create_switch(net, bus, 1, "l", closed=False)

    assert_solve_equals_newton(net)


def test_a_line_open_at_one_end_and_at_a_bus_out_of_service_at_the_other_is_dead():
    net = village_net()
    net.line["c_nf_per_km"] = 4000.0
    pp.create_switch(net, 2, 1, "l", closed=False)
    net.bus.loc[3, "in_service"] = False

    assert_solve_equals_newton(net)


@pytest.mark.parametrize("z_ohm", [0.0, 0.7])
def test_bus_bus_switches_through_a_bus_out_of_service(z_ohm):
    net = two_bus_net()
    middle, end = pp.create_bus(net, 10.0, in_service=False), pp.create_bus(net, 10.0)
    pp.create_switch(net, 1, middle, "b", z_ohm=z_ohm)
    pp.create_switch(net, middle, end, "b")
    pp.create_load(net, end, 0.4)

    result = assert_solve_equals_newton(net)

    assert result.supplied.tolist() == [True, True, False, False]


def test_bus_bus_switches_with_and_without_impedance_in_a_row():
    net = two_bus_net()
    a, b, c = (pp.create_bus(net, 10.0) for _ in range(3))
    pp.create_switch(net, 1, a, "b", z_ohm=0.3)
    pp.create_switch(net, b, a, "b")
    pp.create_switch(net, b, c, "b", z_ohm=0.2, closed=False)
    pp.create_load(net, b, 0.4, 0.1)
    pp.create_load(net, c, 0.4, 0.1)

    assert_solve_equals_newton(net)


def test_an_impedance_of_a_bus_bus_switch_that_is_not_given_is_refused():
    # pandapower takes the switch for closed if it may use numba, and for open if not.
    net = two_bus_net()
    pp.create_switch(net, 1, pp.create_bus(net, 10.0), "b", z_ohm=np.nan)
    pp.create_switch(net, 1, 0, "b", z_ohm=np.nan, closed=False)

    with pytest.raises(NetworkError, match="z_ohm is empty") as caught:
        from_pandapower(net)

    assert caught.value.findings == ("switch 0: z_ohm is empty; 0 means no impedance",)


def test_switches_of_three_winding_transformers_out_of_service_do_no_harm():
    net = village_net()
    middle, low = pp.create_bus(net, 20.0), pp.create_bus(net, 10.0)
    trafo = pp.create_transformer3w(net, 0, middle, low, "63/25/38 MVA 110/20/10 kV", in_service=False)
    for bus in (0, middle, low):
        pp.create_switch(net, bus, trafo, "t3")

    assert_solve_equals_newton(net)


def test_a_load_behind_an_open_transformer_switch_is_not_supplied():
    net = village_net()
    trafo = add_trafo(net, 2, pp.create_bus(net, 0.4))
    add_line(net, 7, pp.create_bus(net, 0.4), 0.2)
    pp.create_load(net, 8, 0.03)
    pp.create_switch(net, 7, trafo, "t", closed=False)

    result = assert_solve_equals_newton(net)

    assert not result.supplied[[7, 8]].any()
