"""power-grid-model as a second opinion, with a source as stiff as an ideal one."""

import numpy as np
import pandapower.networks as nw
import pytest
from power_grid_model import CalculationMethod, PowerGridModel

from gridcheck.cases import LoadCases
from gridcheck.network import BranchKind, from_pandapower, loads_from_pandapower
from gridcheck.powerflow import solve
from tests.support.power_grid_model_net import batch_update, model_input

NETS = {"case33bw": nw.case33bw, "cigre_mv": nw.create_cigre_network_mv}
METHODS = [CalculationMethod.newton_raphson, CalculationMethod.iterative_current]


def both(name, method):
    net = NETS[name]()
    network = from_pandapower(net)
    model = PowerGridModel(model_input(net))
    theirs = model.calculate_power_flow(calculation_method=method, error_tolerance=1e-12, max_iterations=200)
    ours = solve(network, loads_from_pandapower(net, network), tolerance_pu=1e-13)
    return network, ours, theirs


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
@pytest.mark.parametrize("name", NETS)
def test_voltages_agree(name, method):
    network, ours, theirs = both(name, method)

    np.testing.assert_array_equal(theirs["node"]["id"], network.bus_id)
    np.testing.assert_allclose(ours.vm_pu[0], theirs["node"]["u_pu"], rtol=0, atol=1e-9)
    turned = np.deg2rad(ours.va_degree[0]) - theirs["node"]["u_angle"]
    np.testing.assert_allclose((turned + np.pi) % (2 * np.pi) - np.pi, 0.0, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", NETS)
def test_currents_and_losses_agree(name):
    network, ours, theirs = both(name, METHODS[0])

    is_line = network.branches.kind == BranchKind.LINE
    flowing = is_line & ~np.isnan(ours.i_ka[0])
    line = theirs["line"][network.branches.branch_id[is_line].searchsorted(network.branches.branch_id[flowing])]
    np.testing.assert_allclose(
        ours.i_ka[0, flowing], np.maximum(line["i_from"], line["i_to"]) / 1e3, rtol=1e-8, atol=1e-12
    )
    branches = [theirs[kind] for kind in ("line", "transformer") if kind in theirs]
    lost_w = sum(float(branch[f"p_{end}"].sum()) for branch in branches for end in ("from", "to"))
    assert ours.loss_mw[0] == pytest.approx(lost_w / 1e6, rel=1e-8)


def test_a_batch_agrees_case_by_case():
    net = nw.case33bw()
    network = from_pandapower(net)
    own = loads_from_pandapower(net, network)
    scale = np.linspace(-0.5, 1.5, 45)[:, None]
    loads = LoadCases(p_mw=scale * own.p_mw, q_mvar=scale * own.q_mvar)
    given = model_input(net)
    load_bus = net.load["bus"].to_numpy()
    update = batch_update(load_bus, given["sym_load"]["id"], loads.p_mw, loads.q_mvar)

    theirs = PowerGridModel(given).calculate_power_flow(
        update_data=update,
        calculation_method=CalculationMethod.iterative_current,
        error_tolerance=1e-12,
        max_iterations=200,
    )
    ours = solve(network, loads, tolerance_pu=1e-13)

    np.testing.assert_allclose(ours.vm_pu, theirs["node"]["u_pu"], rtol=0, atol=1e-9)
