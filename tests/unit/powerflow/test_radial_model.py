"""Models of parts and of other switch states, warm starts, and what is read from a state."""

import numpy as np
import pandapower as pp
import pytest

from gridcheck.cases import LoadCases
from gridcheck.errors import TopologyError
from gridcheck.network import from_pandapower, loads_from_pandapower
from gridcheck.network.topology import spanning_tree
from gridcheck.powerflow import solve
from gridcheck.powerflow.radial import model_of_tree, radial_model
from gridcheck.powerflow.readings import node_loading_percent, node_voltages
from gridcheck.powerflow.sweep import loads_of_nodes, node_power_mw, solve_nodes
from tests.support.newton import newton
from tests.support.radial_nets import village_net

SCALE = np.linspace(0.2, 1.3, 40)[:, None]


def village():
    net = village_net()
    network = from_pandapower(net)
    own = loads_from_pandapower(net, network)
    return net, network, LoadCases(p_mw=SCALE * own.p_mw, q_mvar=SCALE * own.q_mvar)


def solved(model, loads, **settings):
    return solve_nodes(model, loads_of_nodes(model, loads), **settings)


def test_nodes_stand_in_tree_order():
    _, network, _ = village()
    model = radial_model(network)

    below = model.parent >= 0
    assert (model.parent[below] < np.flatnonzero(below)).all()
    np.testing.assert_array_equal(spanning_tree(network).parent[model.bus[below]], model.bus[model.parent[below]])


def test_the_state_holds_what_solve_returns():
    _, network, loads = village()
    model = radial_model(network)

    state, result = solved(model, loads), solve(network, loads)

    np.testing.assert_array_equal(node_voltages(state).T, result.vm_pu[:, model.bus])
    has = model.branch >= 0
    np.testing.assert_array_equal(
        node_loading_percent(model, state)[has].T, result.loading_percent[:, model.branch[has]]
    )


def test_a_model_of_a_part_gives_the_same_voltages_as_the_whole():
    net = village_net()
    pp.create_bus(net, 110.0)  # a second source with a line of its own
    pp.create_bus(net, 110.0)
    pp.create_ext_grid(net, 7, vm_pu=0.98)
    pp.create_line_from_parameters(net, 7, 8, 3.0, 0.1, 0.4, 9.0, 0.5)
    pp.create_load(net, 8, 20.0, 5.0)
    network = from_pandapower(net)
    loads = loads_from_pandapower(net, network)
    within = np.arange(9) >= 7

    whole = radial_model(network)
    part = radial_model(network, within=within)

    assert sorted(part.bus.tolist()) == [7, 8]
    of_whole, of_part = (node_voltages(solved(model, loads, tolerance_pu=1e-12))[:, 0] for model in (whole, part))
    place = [whole.bus.tolist().index(bus) for bus in part.bus.tolist()]
    np.testing.assert_allclose(of_part, of_whole[place], rtol=0, atol=1e-12)


def test_other_switch_states_equal_newton_with_the_tie_closed():
    net, network, _ = village()
    net.line["c_nf_per_km"] = 0.0  # the charging of open ends stays with the network's own state
    network = from_pandapower(net)
    loads = loads_from_pandapower(net, network)
    connected = network.branches.connected.copy()
    connected[[1, 2]] = [False, True]

    model = radial_model(network, connected=connected)
    state = solved(model, loads, tolerance_pu=1e-11)

    net.switch.loc[0, "closed"] = True
    net.line.loc[1, "in_service"] = False
    np.testing.assert_allclose(node_voltages(state)[:, 0], newton(net).res_bus["vm_pu"][model.bus], rtol=0, atol=1e-8)


def test_closing_the_tie_as_well_is_a_loop():
    _, network, _ = village()
    connected = np.ones(network.n_branch, dtype=bool)

    with pytest.raises(TopologyError, match="villages is not radial: 1 branches") as caught:
        radial_model(network, connected=connected)

    assert len(caught.value.findings) == 1


def test_a_warm_start_arrives_at_the_same_voltages_sooner():
    _, network, loads = village()
    model = radial_model(network)
    cold = solved(model, loads, tolerance_pu=1e-10)
    near = LoadCases(p_mw=1.01 * loads.p_mw, q_mvar=1.01 * loads.q_mvar)

    warm = solved(model, near, tolerance_pu=1e-10, start=cold)

    anew = solved(model, near, tolerance_pu=1e-10)
    np.testing.assert_allclose(node_voltages(warm), node_voltages(anew), rtol=0, atol=2e-10)
    assert warm.iterations.sum() < anew.iterations.sum()
    # The state that was started from is not changed.
    np.testing.assert_array_equal(node_voltages(cold), node_voltages(solved(model, loads, tolerance_pu=1e-10)))


def test_the_power_into_a_branch_equals_newton():
    net, network, loads = village()
    model = model_of_tree(network, spanning_tree(network))
    state = solve_nodes(model, loads_of_nodes(model, loads), tolerance_pu=1e-11)

    node = np.flatnonzero(model.branch >= 0)
    power = node_power_mw(model, state, node)

    # At the lower end, behind the branch's own shunt there: compare transformers without it, lines without charging.
    assert power.shape == (len(node), len(SCALE))
    net.line["c_nf_per_km"] = 0.0
    net.trafo[["pfe_kw", "i0_percent"]] = 0.0
    network = from_pandapower(net)
    model = radial_model(network)
    case = solved(model, loads_from_pandapower(net, network), tolerance_pu=1e-11)
    reference = newton(net)
    for i, value in zip(node, node_power_mw(model, case, node)[:, 0], strict=True):
        k, kind = model.branch[i], network.branches.kind[model.branch[i]]
        if kind == 1:
            expected = -reference.res_trafo["p_lv_mw"][network.branches.branch_id[k]]
        else:
            row = reference.res_line.loc[network.branches.branch_id[k]]
            is_to = network.branches.to_bus[k] == model.bus[i]
            expected = -(row["p_to_mw"] if is_to else row["p_from_mw"])
        assert value == pytest.approx(expected, abs=1e-8)
