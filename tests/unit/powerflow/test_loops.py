"""Loops and several sources: equal to pandapower's Newton-Raphson, and what cannot be solved is refused."""

from functools import partial

import numpy as np
import pandapower as pp
import pandapower.networks as nw
import pytest

from gridcheck.errors import TopologyError
from gridcheck.network import from_pandapower, loads_from_pandapower
from gridcheck.network.topology import spanning_tree
from gridcheck.powerflow import CONVERGED, solve, solve_extremes
from tests.support.newton import assert_solve_equals_newton
from tests.support.radial_nets import add_line, add_trafo, feeder_net, two_bus_net, village_net


def with_tie_closed():
    net = village_net()
    net.switch.loc[0, "closed"] = True
    return net


def with_parallel_line():
    net = feeder_net()
    add_line(net, 2, 1, 1.0)
    return net


def with_two_sources():
    net = feeder_net()
    pp.create_ext_grid(net, 5, vm_pu=1.01, va_degree=0.3)
    return net


def with_two_sources_at_neighbours():
    net = two_bus_net()
    pp.create_ext_grid(net, 1)
    return net


def with_parallel_trafos(**other):
    net = village_net()
    hv, lv = (int(net.trafo.loc[1, side]) for side in ("hv_bus", "lv_bus"))
    add_trafo(net, hv, lv, **other)
    return net


def with_a_loop_over_two_levels():
    """The 0.4 kV sides of two transformers are joined by a line."""
    net = village_net()
    first, second = (int(bus) for bus in net.trafo["lv_bus"].iloc[-2:])
    add_line(net, first, second, 0.3)
    return net


def all_ties_closed(build):
    net = build()
    net.line["in_service"] = True
    net.switch["closed"] = True
    return net


LOOPS = {
    "tie_closed": with_tie_closed,
    "parallel_line": with_parallel_line,
    "two_sources": with_two_sources,
    "two_sources_at_neighbours": with_two_sources_at_neighbours,
    "parallel_trafos": with_parallel_trafos,
    "parallel_trafos_of_different_taps": partial(
        with_parallel_trafos, tap_side="hv", tap_pos=1, tap_neutral=0, tap_step_percent=2.5, tap_changer_type="Ratio"
    ),
    "parallel_trafos_turned_against_each_other": partial(with_parallel_trafos, shift_degree=332.0),
    "two_levels": with_a_loop_over_two_levels,
    "case33bw": partial(all_ties_closed, nw.case33bw),
    "cigre_mv": partial(all_ties_closed, nw.create_cigre_network_mv),
    "cigre_mv_pv_wind": partial(all_ties_closed, partial(nw.create_cigre_network_mv, with_der="pv_wind")),
    "simple_mv_open_ring": partial(all_ties_closed, nw.simple_mv_open_ring_net),
    "oberrhein": partial(all_ties_closed, nw.mv_oberrhein),
}


@pytest.mark.parametrize("build", LOOPS.values(), ids=LOOPS)
def test_loops_equal_newton(build):
    net = build()
    assert len(spanning_tree(from_pandapower(net)).loop_branch) > 0

    assert_solve_equals_newton(net)


@pytest.mark.parametrize("build", [with_tie_closed, with_parallel_trafos, LOOPS["case33bw"]])
def test_extremes_of_loops_equal_the_reduced_result(build):
    net = build()
    network = from_pandapower(net)
    loads = loads_from_pandapower(net, network)
    scale = np.linspace(0.2, 1.2, 70)[:, None]
    cases = type(loads)(p_mw=scale * loads.p_mw, q_mvar=scale * loads.q_mvar)

    result, extremes = solve(network, cases), solve_extremes(network, cases)

    assert (result.status == CONVERGED).all()
    np.testing.assert_array_equal(extremes.vm_min_pu, result.vm_pu.min(axis=0))
    np.testing.assert_allclose(extremes.loading_max_percent, result.loading_percent.max(axis=0), rtol=1e-14)
    assert extremes.loss_mwh == pytest.approx(result.loss_mw.sum(), rel=1e-12)


def test_cases_do_not_touch_each_other_in_a_mesh():
    net = LOOPS["case33bw"]()
    network = from_pandapower(net)
    loads = loads_from_pandapower(net, network)
    # Some of these are far beyond collapse.
    scale = np.random.default_rng(1).permutation(np.linspace(0.0, 30.0, 90))
    order = np.random.default_rng(2).permutation(90)

    one, other = (
        solve(network, type(loads)(p_mw=s[:, None] * loads.p_mw, q_mvar=s[:, None] * loads.q_mvar))
        for s in (scale, scale[order])
    )

    assert 0 < (one.status != CONVERGED).sum() < 90
    for field in ("vm_pu", "va_degree", "i_ka", "loading_percent", "loss_mw", "iterations", "status"):
        np.testing.assert_array_equal(getattr(one, field)[order], getattr(other, field), err_msg=field)
    assert np.isnan(one.vm_pu[one.status != CONVERGED]).all()
    assert np.isnan(one.i_ka[one.status != CONVERGED]).all()
    assert np.isnan(one.loss_mw[one.status != CONVERGED]).all()


def test_the_current_between_buses_that_are_one_is_not_determined():
    net = two_bus_net()
    behind = pp.create_bus(net, 10.0)
    switches = [pp.create_switch(net, 1, behind, "b"), pp.create_switch(net, behind, 1, "b")]
    pp.create_load(net, behind, 0.3, 0.1)
    network = from_pandapower(net)

    result = solve(network, loads_from_pandapower(net, network))

    pp.runpp(net, tolerance_mva=1e-10)
    np.testing.assert_allclose(result.vm_pu[0], net.res_bus["vm_pu"], rtol=0, atol=1e-8)
    assert len(switches) == 2
    assert np.isnan(result.i_ka[0, -2:]).sum() == 1


def test_a_line_to_itself_draws_nothing_but_its_charging():
    net = two_bus_net()
    add_line(net, 1, 1)

    assert_solve_equals_newton(net)


def test_sources_of_different_voltage_without_impedance_between_them_are_refused():
    net = two_bus_net()
    behind = pp.create_bus(net, 10.0)
    pp.create_switch(net, 0, behind, "b")
    pp.create_ext_grid(net, behind, vm_pu=1.02)
    network = from_pandapower(net)

    with pytest.raises(TopologyError, match="different voltages and are joined without impedance"):
        solve(network, loads_from_pandapower(net, network))
