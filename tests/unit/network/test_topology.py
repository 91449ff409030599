"""The tree below the sources."""

import numpy as np
import pandapower as pp
import pytest

from gridcheck.errors import TopologyError
from gridcheck.network import from_pandapower
from gridcheck.network.topology import require_radial, spanning_tree
from tests.support.radial_nets import add_line, feeder_net, two_bus_net, village_net


def test_parents_of_the_village_by_hand():
    tree = spanning_tree(from_pandapower(village_net()))

    assert tree.parent.tolist() == [-1, 0, 1, 2, 2, 3, 5]
    # Lines 0 to 3 are branches 0 to 3, transformers 0 to 2 are branches 4 to 6.
    assert tree.parent_branch.tolist() == [-1, 4, 0, 1, 5, 6, 3]
    assert tree.supplied.all()
    assert tree.loop_branch.tolist() == []


def test_a_parent_stands_before_its_children():
    tree = spanning_tree(from_pandapower(village_net()))

    place = np.argsort(tree.order)
    below = tree.parent >= 0
    assert (place[tree.parent[below]] < place[below]).all()


def test_other_switch_states_give_another_tree():
    network = from_pandapower(village_net())
    connected = network.branches.connected.copy()
    connected[[1, 2]] = [False, True]  # line 1 open, tie closed

    tree = spanning_tree(network, connected=connected)

    assert tree.parent[3] == 1
    assert tree.parent_branch[3] == 2
    assert tree.supplied.all()


def test_what_no_source_reaches_is_not_supplied():
    net = village_net()
    net.line.loc[1, "in_service"] = False

    tree = spanning_tree(from_pandapower(net))

    assert tree.supplied.tolist() == [True, True, True, False, True, False, False]
    assert tree.parent[3] == tree.parent_branch[3] == -1


@pytest.mark.parametrize("closing", [(1, 0), (0, 1)])
def test_of_parallel_lines_the_first_is_in_the_tree(closing):
    net = two_bus_net()
    add_line(net, *closing)

    tree = spanning_tree(from_pandapower(net))

    assert tree.parent_branch[1] == 0
    assert tree.loop_branch.tolist() == [1]


def test_joined_sources_are_a_loop_and_stay_sources():
    net = feeder_net(4)
    pp.create_ext_grid(net, 3)

    tree = spanning_tree(from_pandapower(net))

    assert len(tree.loop_branch) == 1
    assert tree.parent[0] == tree.parent[3] == -1
    assert tree.supplied.all()


def test_number_of_loops_is_that_of_a_spanning_tree():
    net = feeder_net(5)
    pp.create_ext_grid(net, 4)
    add_line(net, 0, 2)
    add_line(net, 1, 3)

    tree = spanning_tree(from_pandapower(net))

    # 6 lines, 5 buses and 2 sources: 6 - (5 - 2) close loops.
    assert len(tree.loop_branch) == 3


def test_require_radial_names_loops_and_dark_buses():
    net = village_net()
    add_line(net, 1, 2)
    net.trafo.loc[2, "in_service"] = False
    net.bus["name"] = [f"b{i}" for i in net.bus.index]

    with pytest.raises(TopologyError, match="1 loops, 2 unsupplied") as caught:
        require_radial(from_pandapower(net), source="the file")

    assert [line for line in caught.value.findings if "b5" in line or "b6" in line] == list(caught.value.findings[1:])


def test_a_bus_out_of_service_need_not_be_supplied():
    net = village_net()
    net.line.loc[3, "in_service"] = False
    net.bus.loc[6, "in_service"] = False

    require_radial(from_pandapower(net), source="the file")


def test_a_source_at_a_bus_out_of_service_supplies_nothing():
    net = two_bus_net()
    pp.create_ext_grid(net, pp.create_bus(net, 10.0))
    net.bus.loc[0, "in_service"] = False

    assert spanning_tree(from_pandapower(net)).supplied.tolist() == [False, False, True]
