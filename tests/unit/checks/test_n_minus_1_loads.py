"""Outages with loads that follow the voltage and with loads that feed in, replayed by plain pandapower."""

import copy

import numpy as np
import pandapower as pp
import pytest

from gridcheck.checks.element_outages import lose_each_element
from gridcheck.errors import UnsupportedElementError
from gridcheck.network import from_pandapower, loads_from_pandapower
from gridcheck.network.topology import spanning_tree
from gridcheck.powerflow.radial import model_of_tree
from gridcheck.powerflow.sweep import loads_of_nodes, solve_nodes
from tests.support.two_feeders import medium_voltage_extremes, replay, two_feeders_net


def lost(net):
    network = from_pandapower(net)
    return {row.outage_id: row for row in lose_each_element(network, loads_from_pandapower(net, network))}


def test_loads_that_follow_the_voltage_do_so_after_an_outage_too():
    plain, net = two_feeders_net(), two_feeders_net()
    net.load[["const_z_p_percent", "const_z_q_percent"]] = 60.0
    net.load[["const_i_p_percent", "const_i_q_percent"]] = 40.0
    # Hanging on one tie all of the other feeder: far enough from nominal voltage for the shares to show.
    net.line["r_ohm_per_km"] = plain.line["r_ohm_per_km"] = 1.0

    rows, constant = lost(net), lost(plain)

    row = rows["line:3"]
    assert row.restored_by
    loading, vm = medium_voltage_extremes(replay(net, row, 1.0, tried=False))
    assert row.worst.loading_percent == pytest.approx(loading, abs=1e-6)
    assert row.worst.vm_pu == pytest.approx(vm, abs=1e-7)
    assert abs(row.worst.vm_pu - constant["line:3"].worst.vm_pu) > 1e-3


def test_what_feeds_in_is_restored_like_what_draws():
    net = two_feeders_net()
    net.load["p_mw"] *= -1.0
    net.load["q_mvar"] *= -1.0

    rows = lost(net)

    for line in (3, 4):
        row = rows[f"line:{line}"]
        assert (str(row.status), row.restored_by) == ("SECURE", ("tie A-B",)), row
        assert row.served_kw + row.unsupplied_kw == pytest.approx(row.demand_kw)
        loading, _ = medium_voltage_extremes(replay(net, row, 1.0, tried=False))
        assert row.worst.loading_percent == pytest.approx(loading, abs=1e-6)


def test_a_section_whose_load_is_made_up_for_by_generation_is_not_left_in_the_dark():
    net = two_feeders_net()
    # Behind line 1 stand 0.9 MW at bus 10, in the section of bus 3, and at bus 3 as much is fed in.
    pp.create_sgen(net, 3, 0.9, q_mvar=float(net.load.loc[net.load["bus"] == 10, "q_mvar"].iloc[0]))

    row, cut = lost(net)["line:0"], copy.deepcopy(net)
    assert (str(row.status), row.closed_branches) == ("SECURE", ("line:6",))
    assert row.restored_kw == pytest.approx(500.0)

    # The tie can carry nothing now: what is left dark is told, although no power is missing on balance.
    cut.line.loc[6, "max_i_ka"] = 1e-4
    cut.load.loc[cut.load["bus"] == 4, ["p_mw", "q_mvar"]] = 0.0
    row = lost(cut)["line:0"]
    assert row.lost_kw == pytest.approx(0.0)
    assert str(row.status) == "VIOLATED"


def test_the_kernel_of_constant_power_refuses_other_loads():
    net = two_feeders_net()
    net.load["const_z_p_percent"] = net.load["const_z_q_percent"] = 100.0
    network = from_pandapower(net)
    model = model_of_tree(network, spanning_tree(network))
    with pytest.raises(UnsupportedElementError, match="constant power"):
        solve_nodes(model, loads_of_nodes(model, loads_from_pandapower(net, network)))


def test_areas_do_not_hide_the_sections_that_switches_part():
    """A main transformer is lost in the network's own sections: a hundred areas add no ways to switch."""
    net = two_feeders_net()
    for _ in range(100):
        bus = pp.create_bus(net, 0.4)
        pp.create_transformer(net, 9, bus, "0.25 MVA 10/0.4 kV")
        pp.create_load(net, bus, 0.001)

    rows = lost(net)

    assert rows["trafo:1"].method == "enumeration"
    assert rows["trafo:1"].is_proved
    assert rows["trafo:50"].unsupplied_kw == pytest.approx(1.0)
    assert np.isfinite(rows["trafo:50"].worst.vm_pu)
