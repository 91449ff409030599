"""A queue below one main transformer, decided again: older rights, homes that are kept, who waits elsewhere."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from gridcheck.checks.assessment import binding_course
from gridcheck.checks.supply_tree import supply_trees
from gridcheck.connection.asked_area import AskedArea
from gridcheck.connection.decide import QueueSetting, decide_in, decide_queue
from gridcheck.connection.decision import Verdict
from gridcheck.network.low_voltage import THREE_PHASE
from gridcheck.reinforcement.low_voltage_changes import decide_again
from gridcheck.reinforcement.queue_again import decide_tree, tree_task
from tests.support import planned_county as county
from tests.support.planned_county import A1, A4


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """Area 1 is full after some of six households; area 4 has room for the one that asks there."""
    grid = county.grid(tmp_path_factory.mktemp("grid"))
    return county.decided(grid, [(A1, 8.0)] * 6 + [(A4, 5.0)])


def setting_of(decided, **given):
    return QueueSetting(
        trees=supply_trees(decided.grid, decided.limits),
        course=binding_course(decided.profiles, decided.limits),
        counts=decided.counts,
        limits=decided.limits,
        area_ids=tuple(decided.grid.areas["area_id"]),
        **given,
    )


def test_with_nothing_built_nothing_changes(crowded):
    grid = crowded.grid
    for main in sorted(set(grid.bus_main[grid.area_bus].tolist())):
        queue = decide_tree(tree_task(crowded, main, ()))
        before = {one.application.application_id: one.connected for one in crowded.decisions}

        assert {one.application.application_id: one.connected for one in queue.decisions}.items() <= before.items()
        assert queue.decisions


def test_who_is_connected_is_asked_before_who_waits(crowded):
    # As if the first six had been refused: they are asked last, and what is left goes to the first of them.
    asked = crowded.applications
    late = [(one, number == 5) for number, one in enumerate(asked)]

    decisions = decide_again(setting_of(crowded), late).decisions

    assert [one.application.application_id for one in decisions] == ["P6", "P1", "P2", "P3", "P4", "P5", "P7"]
    assert decisions[0].connected


def test_who_waits_elsewhere_counts_without_being_asked(crowded):
    first, rest = crowded.applications[:1], crowded.applications[1:]
    beside = decide_in(setting_of(crowded, also_waiting=rest), first)
    together = decide_queue(
        *(getattr(setting_of(crowded), name) for name in ("trees", "course", "counts")),
        crowded.applications,
        crowded.limits,
        area_ids=tuple(crowded.grid.areas["area_id"]),
    )

    assert beside.decisions == together.decisions[:1]
    np.testing.assert_array_equal(beside.crowd.rated_kw, together.crowd.rated_kw)
    assert beside.counts.count.sum() == crowded.counts.count.sum() + 1


def test_a_task_holds_no_more_than_its_tree(crowded):
    grid = crowded.grid
    main = int(grid.bus_main[grid.area_bus[0]])

    task = tree_task(crowded, main, ())

    below = set(grid.areas["area_id"][grid.bus_main[grid.area_bus] == main])
    assert {one.application.area_id for one in task.county.decisions} <= below
    assert (task.county.outages, task.county.outage_study, task.changes) == ((), None, ())


def test_a_home_is_kept_for_whoever_asks_later():
    area = AskedArea(grid=SimpleNamespace(home_phase=np.array([0, 1, 0, 2])), make=None, key=b"", free=[0, 1, 2, 3])
    area.keep("early", 0)
    area.keep("three phases", THREE_PHASE)

    assert area.home_of("anybody", 0) == 2
    assert (area.home_of("early", 0), area.home_of("three phases", THREE_PHASE)) == (0, 1)
    area.take(0)
    assert area.free == [2, 3]


@pytest.mark.parametrize(
    ("verdict", "conditions", "kw"),
    [
        (Verdict.APPROVE, (), 8.0),
        (Verdict.APPROVE_WITH_CONDITIONS, ("phase:B", "limit_kw:5.4"), 5.4),
        (Verdict.DEFER, ("limit_kw:5.4",), 8.0),
    ],
)
def test_what_is_granted(crowded, verdict, conditions, kw):
    decision = replace(crowded.decisions[0], verdict=verdict, conditions=conditions)

    assert decision.granted.rated_kw == kw
    assert decision.granted.application_id == "P1"
