"""What is left of a published limit, and the 10 kV level beside everybody else, by hand."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from gridcheck.checks.area_loads import loads_of
from gridcheck.checks.assessment import binding_course
from gridcheck.checks.low_voltage_risk import AreaRisk
from gridcheck.checks.risk_outlook import LvHeater, RiskRules
from gridcheck.checks.supply_tree import supply_trees
from gridcheck.connection.applications import Application
from gridcheck.connection.pre_approval import (
    FastPath,
    PreApproval,
    PreApprovalRules,
    allowed_above,
    certain_heaters,
    pre_approval_table,
    remaining,
)
from gridcheck.errors import InputError
from gridcheck.limits import DEFAULT_LIMITS
from tests.support.hand_drawn_county import base_counts, hand_drawn_county, hand_drawn_net, profiles
from tests.support.risk_areas import BASE, HEAT_PUMP, area, one_box, steady_pool

SMALL = PreApprovalRules(largest_kw=2.0, most=6)
LIMIT = PreApproval(area_id="A1", device="air_air_heat_pump", largest_kw=2.0, devices=3, kw=5.0)
ASKED = Application(
    application_id="1", county_code="140827", village_code="", area_id="A1", applied_on=date(2025, 9, 1),
    device="air_air_heat_pump", rated_kw=2.0, phase="A", household_group="ordinary", queue_position=1,
)  # fmt: skip


def test_what_is_left_of_a_limit():
    path = FastPath({"A1": LIMIT})
    assert path.takes(ASKED)
    assert path.takes(replace(ASKED, rated_kw=1.5))
    assert not path.takes(ASKED)  # 1.5 kW are left
    assert path.takes(replace(ASKED, rated_kw=1.5))
    assert not path.takes(replace(ASKED, rated_kw=0.1))  # the third was the last
    assert not path.takes(replace(ASKED, area_id="A2"))


@pytest.mark.parametrize("change", [{"device": "resistive_heater"}, {"rated_kw": 2.1}])
def test_what_is_not_small_takes_the_full_way_and_leaves_the_limit(change):
    path = FastPath({"A1": LIMIT})
    assert not path.takes(replace(ASKED, **change))
    assert path.left == {"A1": LIMIT}
    path.close("A1")
    assert not path.takes(ASKED)


def test_what_was_approved_since_the_list():
    granted = [("A1", "air_air_heat_pump", 2.0), ("A2", "air_air_heat_pump", 1.0), ("B", "resistive_heater", 6.0)]
    left = remaining({"A1": LIMIT, "A2": replace(LIMIT, area_id="A2", devices=1)}, granted)
    assert [(one.devices, one.kw) for one in left.values()] == [(2, 3.0), (0, 4.0)]
    # Something larger: nothing is known of what fits beside it.
    assert remaining({"A1": LIMIT}, [("A1", "air_air_heat_pump", 2.7)])["A1"].kw == 0.0
    table = pre_approval_table(left)
    assert table.to_dict("list") == {
        "area_id": ["A1", "A2"], "pre_approval_kw": [3.0, 4.0], "pre_approval_devices": [2, 0],
    }  # fmt: skip
    assert pre_approval_table({}).empty


@pytest.mark.parametrize("wrong", [{"largest_kw": 0.0}, {"largest_kw": float("nan")}, {"most": 0}])
def test_rules_that_cannot_be(wrong):
    with pytest.raises(InputError, match="largest_kw"):
        PreApprovalRules(**wrong)


def test_all_on_one_phase_at_the_transformer_by_hand():
    # 100 kVA are 33.3 kVA a phase; homes of 1 kW on each phase; heaters of 7 kW on one: 1 + 4 x 7 = 29 kW keep it, five
    # do not. The box hangs at the transformer, so that no voltage is in the way.
    net = area(one_box((0, 1, 2, 0, 1, 2, 0), metres=0.5), steady_pool(), type_name="S13-100-Dyn11")
    loads = loads_of(np.arange(3), np.full(3, BASE), np.ones(3))
    risk = AreaRisk(net, loads, RiskRules(refusal_draws=0, draws=(100,)), seed=1)
    rules = PreApprovalRules(device="heat_pump", largest_kw=7.0, most=6)
    assert certain_heaters(risk, range(7), rules) == 4
    assert certain_heaters(risk, range(3), rules) == 3  # no more homes
    assert certain_heaters(risk, range(7), rules, most=2) == 2
    assert certain_heaters(risk, (), rules) == 0
    risk.promise(risk.with_heater(LvHeater(home=6, column=HEAT_PUMP, rated_kw=7.0)))
    assert certain_heaters(risk, range(7), rules) == 3  # what is promised counts


@pytest.fixture
def county(tmp_path):
    grid = hand_drawn_county(tmp_path, hand_drawn_net())
    return supply_trees(grid, DEFAULT_LIMITS), binding_course(profiles(), DEFAULT_LIMITS)


def above(county, base_kw, pending=(), wanted=6, largest_kw=2.0):
    trees, course = county
    counts = base_counts(base_kw)
    own = type(counts)(rated_kw=counts.rated_kw[trees[0].area], count=counts.count[trees[0].area])
    rules = PreApprovalRules(largest_kw=largest_kw)
    number = np.full(len(trees[0].area), wanted)
    return allowed_above(trees[0], course, own, DEFAULT_LIMITS, pending, wanted=number, rules=rules).tolist()


def test_an_area_with_room_has_what_is_wanted(county):
    assert above(county, (50.0,) * 5)[0] == 6


def test_a_full_transformer_has_nothing(county):
    # 100 kVA: 97 kW of homes and one heater of 2 kW stand at 99 kW; six, three would not, one does.
    assert above(county, (97.0, 50.0, 50.0, 50.0, 50.0))[0] == 1
    assert above(county, (99.5, 50.0, 50.0, 50.0, 50.0))[0] == 0


def test_whoever_has_asked_counts_as_connected(county):
    _, course = county
    column = course.profiles.classes.index("air_air_heat_pump")
    pending = [(0, column, 7.0)] * 6  # 50 + 42 = 92 kW: three of 2 kW fit, six do not
    assert above(county, (50.0,) * 5, pending)[0] == 3


@pytest.mark.parametrize("base_kw", [3000.0, 1500.0])
def test_where_nothing_can_be_supplied_nothing_is_published(tmp_path, base_kw):
    # 10 ohm at 10 kV carry 2.5 MW at most: neither 9 MW nor 4.5 MW of the first feeder.
    trees = supply_trees(hand_drawn_county(tmp_path, hand_drawn_net(r_ohm={0: 10.0})), DEFAULT_LIMITS)
    assert above((trees, binding_course(profiles(), DEFAULT_LIMITS)), (base_kw,) * 5) == [0] * 5
