"""Radial networks that ship with pandapower: equal to its Newton-Raphson, and to the published base losses."""

import inspect

import numpy as np
import pandapower.networks as nw
import pytest

from gridcheck.errors import NetworkError
from gridcheck.network import from_pandapower, loads_from_pandapower, to_pandapower
from gridcheck.network.topology import spanning_tree
from gridcheck.powerflow import solve
from tests.support import pandapower_networks
from tests.support.newton import assert_solve_equals_newton
from tests.support.pandapower_networks import meshed_networks, radial_networks, refused_networks

RADIAL, MESHED, NOT_MODELLED = radial_networks(), meshed_networks(), refused_networks()
# The fast set has every kind of element; the others differ in size only.
FAST = (
    "case33bw", "cigre_mv_all", "cigre_lv", "simple_mv_open_ring", "kerber_landnetz_kabel_1",
    "dickert_short_cable_single_good", "example_simple_without_generator", "voltage_control_rural_1",
)  # fmt: skip
# Helpers, and parts of networks that come under other names.
NO_NETWORKS = {"create_dickert_lv_feeders", "sorted_from_json"}


def marked(names, fast):
    return [name if name in fast else pytest.param(name, marks=pytest.mark.slow) for name in names]


def assert_same_network_through_pandapower(net, first):
    network = from_pandapower(net)
    again = from_pandapower(to_pandapower(network))
    second = solve(again, loads_from_pandapower(net, network), tolerance_pu=1e-10)
    np.testing.assert_array_equal(again.bus_id, network.bus_id)
    np.testing.assert_array_equal(second.supplied, first.supplied)
    # Where the no-load current is all iron losses, its magnetising part is the root of a rounding error.
    np.testing.assert_allclose(second.vm_pu, first.vm_pu, rtol=0, atol=1e-11)
    np.testing.assert_allclose(second.va_degree, first.va_degree, rtol=0, atol=1e-10)
    np.testing.assert_allclose(second.i_ka, first.i_ka, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(second.loading_percent, first.loading_percent, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", marked(RADIAL, FAST))
def test_solve_equals_newton_and_survives_the_way_to_pandapower_and_back(name):
    net = RADIAL[name]()
    assert len(spanning_tree(from_pandapower(net)).loop_branch) == 0

    first = assert_solve_equals_newton(net)

    assert_same_network_through_pandapower(net, first)


@pytest.mark.parametrize("name", marked(MESHED, ("case33bw_closed",)))
def test_networks_with_loops_equal_newton(name):
    net = MESHED[name]()
    assert len(spanning_tree(from_pandapower(net)).loop_branch) > 0

    assert_solve_equals_newton(net)


@pytest.mark.parametrize("name", marked(NOT_MODELLED, ("case4gs", "case9", "case11_iwamoto", "example_multivoltage")))
def test_networks_that_are_not_modelled_are_refused_by_name(name):
    build, finding = NOT_MODELLED[name]

    with pytest.raises(NetworkError) as caught:
        from_pandapower(build())

    assert caught.value.findings[0].startswith(finding)


def test_every_network_of_pandapower_is_named():
    """Every public function that builds a network is radial, meshed or refused."""
    functions = {
        name
        for name, function in inspect.getmembers(nw, inspect.isfunction)
        if function.__module__.startswith("pandapower.networks.") and not name.startswith("_")
    }
    source = inspect.getsource(pandapower_networks)
    built = {name for name in functions if f"nw.{name}" in source}
    built |= {f"create_kerber_{kind}" for kind in pandapower_networks._KERBER}
    built |= {f"kb_extrem_{kind}" for kind in pandapower_networks._EXTREME}

    assert functions - built - set(NOT_MODELLED) == NO_NETWORKS


def test_case33bw_has_the_published_losses_and_lowest_voltage():
    # M. E. Baran, F. F. Wu, IEEE Transactions on Power Delivery 4(2), 1989: 202.68 kW, 0.9131 pu at bus 18.
    net = nw.case33bw()
    network = from_pandapower(net)

    result = solve(network, loads_from_pandapower(net, network))

    assert result.loss_mw[0] == pytest.approx(0.20268, abs=5e-6)
    assert result.vm_pu[0].min() == pytest.approx(0.9131, abs=5e-5)
    assert network.bus_id[result.vm_pu[0].argmin()] == 17  # counted from 0
