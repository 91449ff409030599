"""Sections, ties and switching of the hand-drawn feeders and of awkward arrangements of switches."""

from __future__ import annotations

import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pytest

from gridcheck.network import from_pandapower, loads_from_pandapower
from gridcheck.network.section_tree import find_ties, reached, section_tree, switched_network
from gridcheck.network.sections import has_switches, sections_by_line, sections_of
from gridcheck.powerflow import solve
from tests.support.newton import newton
from tests.support.radial_nets import add_line, feeder_net
from tests.support.two_feeders import two_feeders_net


def _add_switch(net: pp.pandapowerNet, bus: int, line: int, *, closed: bool, kind: str = "LBS") -> None:
    pp.create_switch(net, bus, line, "l", closed=closed, type=kind)
    net.switch["remote"] = net.switch["type"] == "CB"


def test_sections_of_the_drawn_feeders() -> None:
    sections = sections_of(from_pandapower(two_feeders_net()))

    assert sections.n_section == 8
    #                                     0  1  2  3  4  5  6  7  8  9 10
    assert sections.bus_section.tolist() == [0, 0, 1, 2, 3, 4, 4, 5, 6, 7, 2]
    # Lines 0 to 6, then transformers 0, 1 (main) and 2 (distribution).
    assert sections.branch_section.tolist() == [1, 2, 3, 5, 6, 7, 3, 0, 4, 2]
    assert sections.has_source.tolist() == [True, False, False, False, True, False, False, False]


def test_edges_of_the_drawn_feeders() -> None:
    sections = sections_of(from_pandapower(two_feeders_net()))

    pairs = list(zip(sections.edge_bus_section.tolist(), sections.edge_body_section.tolist(), strict=True))
    assert pairs == [(0, 1), (1, 2), (2, 3), (4, 5), (5, 6), (6, 7), (7, 3)]
    assert sections.edge_closed.tolist() == [True] * 6 + [False]
    assert sections.edge_breaker.tolist() == [True, False, False, True, False, False, False]
    assert sections.edge_at_to_end.tolist() == [False] * 6 + [True]
    assert sections.switch_edge.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert sections.edges_around(3).tolist() == [2, 6]


def test_tree_and_tie_of_the_drawn_feeders() -> None:
    sections = sections_of(from_pandapower(two_feeders_net()))

    tree = section_tree(sections)
    ties = find_ties(sections, tree)

    assert tree.parent.tolist() == [-1, 0, 1, 2, -1, 4, 5, 6]
    assert tree.outlet_edge.tolist() == [-1, 0, 0, 0, -1, 3, 3, 3]
    assert tree.breaker_edge.tolist() == [-1, 0, 0, 0, -1, 3, 3, 3]
    assert tree.subtree(1).tolist() == [1, 2, 3]
    assert (ties.edge.tolist(), ties.second_edge.tolist()) == ([6], [-1])
    assert (ties.section_a.tolist(), ties.section_b.tolist()) == ([7], [3])
    assert ties.other_side(0, 3) == 7


def test_reached_stops_at_open_edges_and_at_the_fault() -> None:
    sections = sections_of(from_pandapower(two_feeders_net()))

    closed = sections.edge_closed.copy()
    assert reached(sections, closed).all()
    assert reached(sections, closed, faulted=2).tolist() == [True, True, False, False, True, True, True, True]
    closed[[1, 6]] = False, True
    assert reached(sections, closed).all()
    closed[6] = False
    assert reached(sections, closed).tolist() == [True, True, False, False, True, True, True, True]


def test_switches_at_both_ends_make_the_line_a_section_of_its_own() -> None:
    net = feeder_net(3)
    pp.create_switch(net, 1, 1, "l", closed=True, type="LBS")
    pp.create_switch(net, 2, 1, "l", closed=True, type="LBS")

    sections = sections_of(from_pandapower(net))

    assert sections.bus_section.tolist() == [0, 0, 1]
    assert sections.branch_section.tolist() == [0, 2]
    assert section_tree(sections).parent.tolist() == [-1, 2, 0]


def test_a_line_open_at_both_ends_is_one_tie_of_two_edges() -> None:
    net = two_feeders_net()
    _add_switch(net, 4, 6, closed=False)
    sections = sections_of(from_pandapower(net))

    ties = find_ties(sections, section_tree(sections))

    assert ties.n_tie == 1
    assert sorted(ties.edges(0)) == [6, 7]
    assert sorted([int(ties.section_a[0]), int(ties.section_b[0])]) == [3, 7]


def test_two_switches_at_one_end_count_as_one_edge_that_is_closed_when_both_are() -> None:
    net = two_feeders_net()
    _add_switch(net, 2, 1, closed=False, kind="CB")
    sections = sections_of(from_pandapower(net))

    assert sections.n_edge == 7
    assert sections.switch_edge[7] == sections.switch_edge[1] == 1
    assert not sections.edge_closed[1]
    assert sections.edge_breaker[1]


def test_a_bus_bus_switch_separates_sections() -> None:
    net = feeder_net(3)
    net.line = net.line.drop(index=1)
    pp.create_switch(net, 1, 2, "b", closed=True)

    sections = sections_of(from_pandapower(net))

    assert sections.bus_section.tolist() == [0, 0, 1]
    assert sections.edge_closed.tolist() == [True]
    assert not reached(sections, np.array([False]))[1]


def test_what_is_out_of_service_belongs_to_no_section_and_is_no_tie() -> None:
    net = two_feeders_net(has_tie=False)
    net.bus.loc[10, "in_service"] = False
    sections = sections_of(from_pandapower(net))

    assert sections.bus_section[10] == -1
    assert sections.branch_section[6] == -1
    assert sections.switch_edge[6] == -1
    assert find_ties(sections, section_tree(sections)).n_tie == 0


def test_an_open_link_to_a_dead_stretch_is_no_tie() -> None:
    net = two_feeders_net()
    net.switch.loc[3, "closed"] = False  # feeder B has no supply
    sections = sections_of(from_pandapower(net))

    assert find_ties(sections, section_tree(sections)).n_tie == 0


def test_without_switches_every_line_is_a_section_and_idle_lines_are_ties() -> None:
    # The IEEE feeder of 33 buses: 32 lines in service, 5 tie lines out of service, no switch.
    network = from_pandapower(pn.case33bw())
    assert not has_switches(network)

    sections = sections_by_line(network)
    tree = section_tree(sections)
    ties = find_ties(sections, tree)

    assert sections.n_section == 33 + 37
    assert int(tree.supplied.sum()) == 33 + 32
    assert ties.n_tie == 5
    buses = [{int(sections.bus_section[b]) for b in pair} for pair in ((20, 7), (8, 14), (11, 21), (17, 32), (24, 28))]
    assert [{int(a), int(b)} for a, b in zip(ties.section_a, ties.section_b, strict=True)] == buses


@pytest.mark.parametrize(("opened", "closed_tie"), [(2, True), (1, True), (2, False), (5, True)])
def test_switched_network_solves_as_pandapower_does_after_switching(opened: int, closed_tie: bool) -> None:  # noqa: FBT001
    # Line charging is made large, so that a line left hanging at one end shows.
    net = two_feeders_net()
    net.line["c_nf_per_km"], net.line["g_us_per_km"] = 300.0, 2.0
    network = from_pandapower(net)
    sections = sections_of(network)
    state = sections.edge_closed.copy()
    state[opened], state[6] = False, closed_tie

    result = solve(switched_network(network, sections, state), loads_from_pandapower(net, network), tolerance_pu=1e-10)

    net.switch.loc[opened, "closed"], net.switch.loc[6, "closed"] = False, closed_tie
    np.testing.assert_allclose(result.vm_pu[0], newton(net).res_bus["vm_pu"], atol=1e-8)


def test_switched_network_by_line_takes_the_tie_into_service() -> None:
    net = pn.case33bw()
    network = from_pandapower(net)
    sections = sections_by_line(network)
    state = sections.edge_closed.copy()
    state[[2 * 7, 2 * 7 + 1, 2 * 33, 2 * 33 + 1]] = False, False, True, True

    result = solve(switched_network(network, sections, state), loads_from_pandapower(net, network), tolerance_pu=1e-10)

    net.line.loc[7, "in_service"], net.line.loc[33, "in_service"] = False, True
    np.testing.assert_allclose(result.vm_pu[0], newton(net).res_bus["vm_pu"], atol=1e-8)


def test_switching_back_gives_the_same_network() -> None:
    net = two_feeders_net()
    add_line(net, 2, 9, 3.0)
    _add_switch(net, 9, 7, closed=False)
    network = from_pandapower(net)
    sections = sections_of(network)

    assert switched_network(network, sections, sections.edge_closed) is network
