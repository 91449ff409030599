"""Radial networks that ship with pandapower: equal to its Newton-Raphson, and to the published base losses."""

import random
from functools import partial

import numpy as np
import pandapower.networks as nw
import pytest

from gridcheck.errors import UnsupportedElementError
from gridcheck.network import from_pandapower, loads_from_pandapower, to_pandapower
from gridcheck.network.topology import spanning_tree
from gridcheck.powerflow import solve
from tests.support.newton import assert_solve_equals_newton

RADIAL = {
    "case33bw": nw.case33bw,
    "cigre_mv": nw.create_cigre_network_mv,
    "cigre_mv_pv_wind": partial(nw.create_cigre_network_mv, with_der="pv_wind"),
    "cigre_mv_all": partial(nw.create_cigre_network_mv, with_der="all"),
    "cigre_lv": nw.create_cigre_network_lv,
    "oberrhein": nw.mv_oberrhein,
    "oberrhein_generation": partial(nw.mv_oberrhein, scenario="generation"),
    "simple_mv_open_ring": nw.simple_mv_open_ring_net,
    "panda_four_load_branch": nw.panda_four_load_branch,
    "four_loads_with_branches_out": nw.four_loads_with_branches_out,
    "simple_four_bus_system": nw.simple_four_bus_system,
    "dickert": nw.create_dickert_lv_network,
    "kerber_landnetz_freileitung_1": nw.create_kerber_landnetz_freileitung_1,
    "kerber_landnetz_freileitung_2": nw.create_kerber_landnetz_freileitung_2,
    "kerber_landnetz_kabel_1": nw.create_kerber_landnetz_kabel_1,
    "kerber_landnetz_kabel_2": nw.create_kerber_landnetz_kabel_2,
    "kerber_dorfnetz": nw.create_kerber_dorfnetz,
    "kerber_vorstadtnetz_kabel_1": nw.create_kerber_vorstadtnetz_kabel_1,
    "kerber_vorstadtnetz_kabel_2": nw.create_kerber_vorstadtnetz_kabel_2,
    "extrem_landnetz_freileitung": nw.kb_extrem_landnetz_freileitung,
    "extrem_landnetz_kabel": nw.kb_extrem_landnetz_kabel,
    "extrem_landnetz_freileitung_trafo": nw.kb_extrem_landnetz_freileitung_trafo,
    "extrem_landnetz_kabel_trafo": nw.kb_extrem_landnetz_kabel_trafo,
    "extrem_dorfnetz": nw.kb_extrem_dorfnetz,
    "extrem_dorfnetz_trafo": nw.kb_extrem_dorfnetz_trafo,
    "extrem_vorstadtnetz_1": nw.kb_extrem_vorstadtnetz_1,
    "extrem_vorstadtnetz_2": nw.kb_extrem_vorstadtnetz_2,
    "extrem_vorstadtnetz_trafo_1": nw.kb_extrem_vorstadtnetz_trafo_1,
    "extrem_vorstadtnetz_trafo_2": nw.kb_extrem_vorstadtnetz_trafo_2,
    **{
        f"voltage_control_{kind}": partial(nw.create_synthetic_voltage_control_lv_network, network_class=kind)
        for kind in ("rural_1", "rural_2", "village_1", "village_2", "suburb_1")
    },
}


# The fast set has every kind of element; the others differ in size only.
FAST = ("case33bw", "cigre_mv_all", "cigre_lv", "simple_mv_open_ring", "kerber_landnetz_kabel_1", "dickert")


def build(name):
    random.seed(1)  # some of them draw the types of the house connections
    return RADIAL[name]()


@pytest.mark.parametrize(
    "name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in RADIAL]
)
def test_solve_equals_newton_and_survives_the_way_to_pandapower_and_back(name):
    net = build(name)

    first = assert_solve_equals_newton(net)

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


def test_case33bw_has_the_published_losses_and_lowest_voltage():
    # M. E. Baran, F. F. Wu, IEEE Transactions on Power Delivery 4(2), 1989: 202.68 kW, 0.9131 pu at bus 18.
    net = nw.case33bw()
    network = from_pandapower(net)

    result = solve(network, loads_from_pandapower(net, network))

    assert result.loss_mw[0] == pytest.approx(0.20268, abs=5e-6)
    assert result.vm_pu[0].min() == pytest.approx(0.9131, abs=5e-5)
    assert network.bus_id[result.vm_pu[0].argmin()] == 17  # counted from 0


@pytest.mark.slow
def test_schutterwald_with_its_loop_equals_newton():
    net = nw.lv_schutterwald(include_heat_pumps=True)
    assert len(spanning_tree(from_pandapower(net)).loop_branch) == 1

    assert_solve_equals_newton(net)


@pytest.mark.parametrize("build_meshed", [nw.case9, nw.case4gs])
def test_networks_with_generators_are_refused(build_meshed):
    net = build_meshed()

    with pytest.raises(UnsupportedElementError, match="gen: ids"):
        from_pandapower(net)
