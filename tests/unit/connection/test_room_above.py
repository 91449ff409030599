"""How many heaters fit above the low-voltage lines: by hand, and as many as the queue connects one by one."""

import math

import numpy as np
import pytest

from gridcheck.checks.assessment import assess, binding_course
from gridcheck.checks.supply_tree import CheckKind, supply_trees
from gridcheck.connection import decide_queue
from gridcheck.connection.room_above import HeatersAbove
from gridcheck.limits import DEFAULT_LIMITS
from tests.support.hand_drawn_county import (
    AREAS,
    HEAT_PUMP,
    MAINS,
    SECTIONS,
    applications,
    base_counts,
    hand_drawn_county,
    hand_drawn_net,
    profiles,
)

KA_PER_KW = 1.0 / (math.sqrt(3.0) * 10.0 * 1000.0)


def above(tmp_path, area: int, kw: float, base_kw=(50.0,) * 5, *, demand=None, **drawing):
    grid = hand_drawn_county(tmp_path, hand_drawn_net(**drawing))
    (tree,) = supply_trees(grid, DEFAULT_LIMITS)
    course, counts = binding_course(profiles() if demand is None else demand, DEFAULT_LIMITS), base_counts(base_kw)
    base = assess(tree, course, counts, DEFAULT_LIMITS)
    row = tree.area.tolist().index(area)
    found = HeatersAbove(tree, course, counts, DEFAULT_LIMITS, base=base, heater=(row, HEAT_PUMP, kw))
    wishes = applications([(area, kw)] * 30)
    queue = decide_queue((tree,), course, counts, wishes, DEFAULT_LIMITS, area_ids=AREAS)
    return found, [decision.connected for decision in queue.decisions]


CASES = {
    # 100 kVA, 50 kW of homes: 50 + 7 * 7 = 99 kW, the eighth makes 106 kW.
    "transformer": ((0, 7.0), {}, 7, CheckKind.AREA_LOADING, AREAS[0]),
    # The section behind area 1 carries 100 kW of homes and 13 more: three heaters of 4 kW.
    "section": ((1, 4.0), {"max_i_ka": {1: 113.0 * KA_PER_KW}}, 3, CheckKind.SECTION_LOADING, SECTIONS[1]),
    # 250 kW of homes below 0.27 MVA: two heaters of 8 kW. Planning value and limit are apart, the limit decides.
    "main": ((4, 8.0), {"main_mva": 0.27}, 2, CheckKind.MAIN_LOADING, MAINS[0]),
}


@pytest.mark.parametrize("name", CASES)
def test_as_many_fit_as_by_hand_and_as_the_queue_connects(tmp_path, name):
    (area, kw), drawing, number, kind, element = CASES[name]
    found, connected = above(tmp_path, area, kw, **drawing)

    assert connected[: number + 1] == [True] * number + [False]
    for first in (1, 10, 30):
        assert found.largest(30, first) == number
    assert found.largest(2, 1) == min(2, number)
    assert found.outlook(number).fits
    stopped = found.outlook(number + 1)
    assert (stopped.fits, stopped.kind, stopped.element) == (False, kind, element)
    assert stopped.value > stopped.limit > found.outlook(number).value


def test_the_10_kv_level_alone_by_the_line(tmp_path):
    # The feeder of areas 1 to 3 carries 0.3 kA: 5196 kW, of which 150 kW are taken; heaters of 4 kW.
    found, _ = above(tmp_path, 0, 4.0)

    seen = found.outlook(1)
    assert seen.room_for == pytest.approx(12.5, rel=1e-3)
    assert seen.kind == CheckKind.AREA_LOADING
    assert seen.room_at_10kv == pytest.approx((0.3 / KA_PER_KW - 150.0) / 4.0, rel=1e-3)


def test_diversity_is_that_of_all_of_them_together(tmp_path):
    demand = profiles(0.5, single=1.0)
    found, connected = above(tmp_path, 0, 7.0, (20.0,) * 5, demand=demand)

    assert found.largest(30, 1) == connected.index(False) if False in connected else 30
    # One heater plans for 7 kW, many for little more than 3.5: more than 80 kW over 7 fit.
    assert found.largest(30, 1) > 12


def test_what_is_broken_before_and_made_worse_refuses_the_first(tmp_path):
    found, connected = above(tmp_path, 0, 1.0, (101.0, 50.0, 50.0, 50.0, 50.0))

    assert not any(connected)
    assert found.largest(30, 5) == 0
    assert found.outlook(1).value_before == pytest.approx(101.0, rel=1e-6)


def test_what_is_broken_elsewhere_on_the_feeder_refuses_nobody(tmp_path):
    found, connected = above(tmp_path, 0, 9.0, (50.0, 101.0, 50.0, 50.0, 50.0))

    assert connected[:6] == [True] * 5 + [False]
    assert found.largest(30, 1) == 5


def test_no_load_flow_is_no_room(tmp_path):
    found, _ = above(tmp_path, 0, 30.0, (1.0,) * 5, r_ohm={0: 600.0}, kva=(400.0,) * 5)

    assert found.largest(30, 30) < 30
    without = found.outlook(30)
    assert (without.fits, without.kind, without.room_for) == (False, None, 0.0)
    assert np.isnan(without.value)
