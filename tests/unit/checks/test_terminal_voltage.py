"""Voltage above the transformers of areas: the check of 10 kV sections sees the same, and so does pandapower."""

import numpy as np
import pandapower as pp
import pytest

from gridcheck.checks.assessment import assess_upper, full_course
from gridcheck.checks.supply_tree import CheckKind, supply_trees
from gridcheck.checks.terminal_voltage import terminal_voltage_pu, voltage_of_steps
from gridcheck.limits import DEFAULT_LIMITS
from gridcheck.network.records import BranchKind
from gridcheck.powerflow.readings import node_voltages
from gridcheck.reinforcement.changes import build
from gridcheck.reinforcement.measures import FeederRegulator
from tests.support.hand_drawn_county import POLES, base_counts, hand_drawn_county, hand_drawn_net, profiles

R_OHM = {0: 3.0, 1: 5.0, 2: 2.0, 3: 4.0}


@pytest.fixture
def tree(tmp_path):
    grid = hand_drawn_county(tmp_path, hand_drawn_net(r_ohm=R_OHM))
    return supply_trees(grid, DEFAULT_LIMITS)[0]


def test_the_sections_of_the_county_see_the_same(tree):
    course = profiles(np.array([0.2, 1.0, 0.6]), n_case=3)
    counts = base_counts([80.0, 60.0, 90.0, 70.0, 50.0])
    found = terminal_voltage_pu(tree, course, counts, np.arange(3))
    upper = assess_upper(tree, full_course(course, DEFAULT_LIMITS), counts)
    n_area_check = 3 * len(tree.area)
    section = upper.value[tree.checks.kind[n_area_check:] == CheckKind.SECTION_VOLTAGE]
    of_node = dict(zip(tree.section_node.tolist(), section.tolist(), strict=True))
    above = tree.model.parent[tree.area_node]
    np.testing.assert_allclose(found.min(axis=1), [of_node[node] for node in above.tolist()], rtol=1e-12)
    np.testing.assert_array_equal(found[:, [2, 0]], terminal_voltage_pu(tree, course, counts, np.array([2, 0])))


def test_like_pandapower(tmp_path):
    net = hand_drawn_net(r_ohm=R_OHM, ideal=False)
    grid = hand_drawn_county(tmp_path, net)
    tree = supply_trees(grid, DEFAULT_LIMITS)[0]
    kw = [80.0, 60.0, 90.0, 70.0, 50.0]
    demand = profiles(np.ones(1), n_case=1)
    found = terminal_voltage_pu(tree, demand, base_counts(kw), np.arange(1))[:, 0]
    for bus, p_kw in zip(grid.areas["lv_bus"], kw, strict=True):
        pp.create_load(net, bus, p_mw=p_kw / 1e3, q_mvar=p_kw / 1e3 * float(demand.tan_phi[0]))
    pp.runpp(net, tolerance_mva=1e-10, calculate_voltage_angles=False)
    np.testing.assert_allclose(found, net.res_bus["vm_pu"].to_numpy()[list(POLES)], atol=1e-8)


def test_heavy_steps_take_the_lower_and_light_ones_the_higher_voltage():
    crowded, quiet = np.array([[0.95, 1.0]]), np.array([[0.97, 1.01]])
    assert voltage_of_steps(crowded, quiet, np.array([False, True])).tolist() == [[0.95, 1.01]]


def test_a_regulator_falls_back_in_light_hours(tmp_path):
    net = hand_drawn_net(r_ohm=R_OHM)
    grid = hand_drawn_county(tmp_path, net)
    counts = base_counts([80.0, 60.0, 90.0, 70.0, 50.0])
    course = profiles(np.array([0.1, 1.0, 0.6]), n_case=3)
    light, cases = np.array([True, False, False]), np.arange(3)
    line = int(grid.network.branches.branch_id[grid.network.branches.kind == BranchKind.LINE][1])
    feeder_id = str(grid.feeders["feeder_id"].iloc[0])

    def terminals(boost, **given):
        change = FeederRegulator(feeder_id=feeder_id, line_id=line, boost=boost, rated_mva=4.0)
        built = supply_trees(build(grid, (change,)), DEFAULT_LIMITS)[0]
        return built, terminal_voltage_pu(built, course, counts, cases, **given)

    tree = supply_trees(grid, DEFAULT_LIMITS)[0]
    plain = terminal_voltage_pu(tree, course, counts, cases, light=light)
    built, full = terminals(0.05)
    _, found = terminals(0.05, light=light)
    behind = full[:, 1] / plain[:, 1] > 1.02
    assert 0 < behind.sum() < len(behind)
    # In heavy cases nothing changes, and nothing before the regulator.
    np.testing.assert_array_equal(found[:, ~light], full[:, ~light])
    np.testing.assert_array_equal(found[~behind], full[~behind])
    # In the light one it is as high as in the others at most, but no lower than without the regulator.
    node = int(built.regulator_node[0])
    upper = node_voltages(assess_upper(built, full_course(course, DEFAULT_LIMITS), counts).state)[node]
    boost = 1.05 * max(upper[1:].max() / upper[0], 1.0 / 1.05) - 1.0
    _, exact = terminals(max(boost, 1e-9))
    assert (found[behind, 0] >= exact[behind, 0] - 1e-12).all()
    np.testing.assert_allclose(found[behind, 0], exact[behind, 0], atol=2e-4)
    assert (found[behind, 0] < full[behind, 0] - 0.005).all()
