"""Measures in low-voltage lines: what is replaced, what is cut off, and that nothing is lost or made twice."""

from dataclasses import replace

import numpy as np
import pytest

from gridcheck.errors import PlanError
from gridcheck.network.line_regulators import LineRegulator
from gridcheck.network.low_voltage import LowVoltageGrid
from gridcheck.reinforcement.low_voltage_changes import (
    reconductored,
    regulated,
    replaced_km,
    split_lines,
)
from gridcheck.reinforcement.measures import LineRegulators
from gridcheck.synthesis.low_voltage import AreaLayout, synthetic_low_voltage


def village_street() -> LowVoltageGrid:
    """Three poles in a row, a box with two meters at each; the last box stands on a lane of its own."""
    return LowVoltageGrid(
        area_id="A1",
        is_synthetic=False,
        node_name=("lv", "P1", "P2", "P3", "B1", "B2", "B3"),
        parent=np.array([-1, 0, 1, 2, 1, 2, 3]),
        length_m=np.array([0.0, 50.0, 60.0, 70.0, 10.0, 10.0, 10.0]),
        type_name=("", "JKLYJ-1-70", "JKLYJ-1-70", "JKLYJ-1-35", *(["BS-JKLYJ-1-4x16"] * 3)),
        home_id=tuple(f"A1-H{k}" for k in range(6)),
        home_node=np.array([4, 4, 5, 5, 6, 6]),
        home_phase=np.array([0, 1, 2, 0, 1, -1]),
    )


def test_a_new_conductor_replaces_thinner_lines_and_no_drops():
    grid = village_street()

    assert reconductored(grid, "JKLYJ-1-50").type_name == (
        "", "JKLYJ-1-70", "JKLYJ-1-70", "JKLYJ-1-50", *(["BS-JKLYJ-1-4x16"] * 3),
    )  # fmt: skip
    assert replaced_km(grid, "JKLYJ-1-50") == pytest.approx(0.070)
    assert replaced_km(grid, "JKLYJ-1-120") == pytest.approx(0.180)
    assert replaced_km(grid, "JKLYJ-1-35") == 0.0


def test_the_far_half_goes_to_the_new_transformer():
    near, far = split_lines(village_street(), "A1N", 0.05)

    # Half of six homes is three; two of them stand beyond the second pole, and boxes stay with their poles.
    assert near.node_name == ("lv", "P1", "P2", "B1", "B2")
    assert near.home_id == ("A1-H0", "A1-H1", "A1-H2", "A1-H3")
    assert far.area_id == "A1N"
    assert far.node_name == ("lv", "P3", "B3")
    assert far.home_id == ("A1-H4", "A1-H5")
    assert far.home_phase.tolist() == [1, -1]
    # The span that was cut is replaced by a line to the new busbar; the rest is as it was.
    assert far.parent.tolist() == [-1, 0, 1]
    assert far.type_name[1] == "JKLYJ-1-120"
    assert far.length_m.tolist() == [0.0, 50.0, 10.0]
    assert near.length_m.tolist() == [0.0, 50.0, 60.0, 10.0, 10.0]


def test_a_regulator_stands_where_it_is_named_and_goes_with_its_line():
    change = LineRegulators(area_id="A1", nodes=("P3",), boost=0.05, rated_kva=100.0)
    grid = regulated(village_street(), change)

    # 100 kVA at 400 V are 144 A.
    assert grid.regulators == (LineRegulator(node=3, boost=0.05, rated_ka=pytest.approx(0.1 / 3**0.5 / 0.4)),)
    near, far = split_lines(grid, "A1N", 0.05)
    assert near.regulators == ()
    assert [far.node_name[one.node] for one in far.regulators] == ["P3"]
    with pytest.raises(PlanError, match="P9"):
        regulated(village_street(), replace(change, nodes=("P9",)))
    # None named: all lines out of the busbar.
    assert [one.node for one in regulated(village_street(), replace(change, nodes=())).regulators] == [1]


def test_homes_at_one_place_are_halved():
    grid = village_street()
    here = replace(grid, home_node=np.full(6, 6))

    near, far = split_lines(here, "A1N", 0.05)

    assert near.home_id == ("A1-H0", "A1-H1", "A1-H2")
    assert far.home_id == ("A1-H3", "A1-H4", "A1-H5")
    assert near.node_name == far.node_name == grid.node_name


@pytest.mark.parametrize("number", range(12))
def test_made_up_areas_are_halved_and_nothing_is_lost(number):
    layout = AreaLayout(
        area_id=f"A{number}", households=20 + 7 * number, circuits=1 + number % 5, radius_m=150.0 + 40.0 * number,
        type_name="JKLYJ-1-70", built_year=2015.0, unbalance_factor=1.2,
    )  # fmt: skip
    grid = synthetic_low_voltage(layout, 3)

    near, far = split_lines(grid, "new", 0.2)

    assert sorted((*near.home_id, *far.home_id)) == sorted(grid.home_id)
    assert 0 < far.n_home <= grid.n_home // 2
    assert far.n_home >= grid.n_home // 2 - 24  # two full boxes at one distance
    links = far.length_m[(far.parent == 0) & (np.arange(far.n_node) > 0)]
    assert links.sum() == pytest.approx(200.0)  # what is priced is what is built
    place = {name: k for k, name in enumerate(grid.node_name)}
    for part in (near, far):
        for k in range(1, part.n_node):
            old = place[part.node_name[k]]
            up = part.node_name[part.parent[k]]
            if up != "lv":  # every span that is left leads where it led
                assert grid.node_name[grid.parent[old]] == up
                assert part.length_m[k] == grid.length_m[old]
        old_node = {name: grid.node_name[node] for name, node in zip(grid.home_id, grid.home_node, strict=True)}
        for name, node in zip(part.home_id, part.home_node, strict=True):
            assert part.node_name[node] == old_node[name]
