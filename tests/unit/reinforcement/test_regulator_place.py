"""The place of a regulator against the load flow with one in every possible place."""

import dataclasses

import numpy as np
import pytest

from gridcheck.network.area_transformers import AreaTransformer
from gridcheck.network.line_regulators import LineRegulator
from gridcheck.network.low_voltage import four_wire_of, loads_by_phase
from gridcheck.powerflow import solve_unbalanced
from gridcheck.reinforcement.regulator_place import RegulatorKind, best_place
from tests.support.risk_areas import one_box, street

# So large that its busbar stands at the voltage of the source.
STIFF = AreaTransformer(
    type_name="stiff", kva=1e6, vector_group="Dyn11", p0_kw=0.0, pk_kw=0.0, i0_percent=0.0, uk_percent=0.1
)
KIND = RegulatorKind(range=0.15, step=0.025, setpoint_v=230.0, rated_ka=0.144)
BUSBAR_V = 224.0


def lowest_v(grid, home_kw, tan_phi):
    network = four_wire_of(grid, STIFF)
    source = dataclasses.replace(network.balanced, slack_vm_pu=np.array([BUSBAR_V / (400 / 3**0.5)]))
    loads = loads_by_phase(grid, home_kw[None], tan_phi * home_kw[None])
    solved = solve_unbalanced(dataclasses.replace(network, balanced=source), loads, tolerance_pu=1e-10)
    return solved.vm_pu[0, grid.home_node + 1, grid.home_phase].min() * 400 / 3**0.5


def test_no_other_place_on_the_street_is_better():
    grid, home_kw = street(24, poles=8, metres=40.0), np.random.default_rng(2).uniform(0.5, 2.0, 24)

    place = best_place(grid, home_kw, 0.2, BUSBAR_V, KIND)

    assert place.low_before_v == pytest.approx(lowest_v(grid, home_kw, 0.2), abs=0.02)
    found = {}
    for node in range(1, grid.n_node):
        for boost in np.arange(0.025, 0.16, 0.025).round(3).tolist():
            with_one = (LineRegulator(node=node, boost=boost, rated_ka=0.144),)
            found[node, boost] = lowest_v(dataclasses.replace(grid, regulators=with_one), home_kw, 0.2)
    after_v = found[place.node, place.boost]
    # Less current behind the regulator drops less: the estimate is on the safe side.
    assert place.low_before_v * 1.01 < place.low_after_v <= after_v + 0.02
    assert after_v == pytest.approx(place.low_after_v, abs=3.0)
    # A larger boost elsewhere would lift what is before the ends above the set point.
    allowed = [volts for (node, boost), volts in found.items() if boost <= place.boost]
    assert after_v > max(allowed) - 2.5


def test_the_boost_ends_at_the_set_point_and_the_range():
    # 230 / 215 is 7.0 %: two whole steps; 230 / 190 is more than the range; 230 / 229 is less than a step.
    assert [KIND.boost(volts) for volts in (215.0, 190.0, 229.0, 240.0)] == [0.05, 0.15, 0.0, 0.0]


def test_there_is_no_place_where_it_cannot_help():
    # Two boxes alike: one regulator leaves the other where it is.
    twice = street(12, n_line=2, poles=4, metres=60.0)
    kw = np.full(12, 3.0)
    assert best_place(street(12, n_line=1, poles=4, metres=60.0), kw, 0.2, BUSBAR_V, KIND) is not None
    assert best_place(twice, kw, 0.2, BUSBAR_V, KIND) is None
    # Meters at the set point already, a regulator that is too small, no load, no line.
    one = one_box((0, 1, 2), metres=400.0)
    three = np.full(3, 5.0)
    assert best_place(one, three, 0.2, 215.0, KIND) is not None
    assert best_place(one, 0.01 * three, 0.2, 230.0, KIND) is None
    assert best_place(one, three, 0.2, 215.0, dataclasses.replace(KIND, rated_ka=0.02)) is None
    assert best_place(one, 0.0 * three, 0.2, 230.0, KIND) is None
