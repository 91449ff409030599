"""In which order applications are decided, and what it changes."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridcheck.checks.assessment import assess, binding_course
from gridcheck.checks.supply_tree import supply_trees
from gridcheck.connection import Application, decide_queue, in_order
from gridcheck.limits import DEFAULT_LIMITS
from gridcheck.scenario import Scenario
from gridcheck.study_inputs import queue_order
from tests.support.hand_drawn_county import (
    AREAS,
    HEAT_PUMP,
    applications,
    base_counts,
    hand_drawn_county,
    hand_drawn_net,
    profiles,
)

RULES = ("first_come", "key_area_first", "hardship_first", "whole_village")


def queue(*rows: tuple[int, str, str]) -> tuple[Application, ...]:
    """Applications of (area position, village, group), in queue order."""
    plain = applications([(area, 1.0) for area, _, _ in rows])
    return tuple(
        replace(wish, village_code=village, household_group=group)
        for wish, (_, village, group) in zip(plain, rows, strict=True)
    )


WISHES = queue(
    (0, "v1", "ordinary"), (1, "v2", "hardship"), (0, "v1", "hardship"), (3, "v3", "ordinary"), (1, "v2", "ordinary"),
    (0, "v1", "ordinary"),
)  # fmt: skip


def numbers(found: tuple[Application, ...]) -> list[int]:
    """The numbers in the ids, which are the places in which they came."""
    return [int(wish.application_id[-5:]) for wish in found]


@pytest.mark.parametrize(
    ("rule", "order"),
    [
        ("first_come", [1, 2, 3, 4, 5, 6]),
        ("key_area_first", [4, 1, 2, 3, 5, 6]),
        ("hardship_first", [2, 3, 1, 4, 5, 6]),
        ("whole_village", [1, 3, 6, 2, 5, 4]),
    ],
)
def test_orders_by_hand(rule, order):
    found = in_order(WISHES, rule, key_areas={AREAS[3]})

    assert numbers(found) == order
    assert [wish.queue_position for wish in found] == [1, 2, 3, 4, 5, 6]


def test_first_come_keeps_the_places_that_were_given():
    wishes = tuple(replace(wish, queue_position=10 * wish.queue_position) for wish in WISHES)

    assert in_order(wishes[::-1], "first_come") == wishes
    assert [wish.queue_position for wish in in_order(wishes, "hardship_first")] == [1, 2, 3, 4, 5, 6]


def test_equal_places_are_told_apart_by_date_then_id():
    wishes = [replace(wish, queue_position=1) for wish in WISHES[:3]]
    wishes[2] = replace(wishes[2], applied_on=date(2025, 1, 1))

    assert numbers(in_order(wishes, "first_come")) == [3, 1, 2]


@given(rule=st.sampled_from(RULES), seed=st.integers(0, 10_000), shuffled=st.randoms(use_true_random=False))
def test_nobody_is_lost_and_the_given_sequence_does_not_matter(rule, seed, shuffled):
    rng = np.random.default_rng(seed)
    rows = zip(rng.integers(0, 5, 12).tolist(), rng.integers(0, 4, 12), rng.integers(0, 2, 12), strict=True)
    wishes = queue(*[(area, f"v{village}", ("ordinary", "hardship")[group]) for area, village, group in rows])
    mixed = list(wishes)
    shuffled.shuffle(mixed)

    found = in_order(mixed, rule, key_areas=AREAS[:2])

    assert found == in_order(wishes, rule, key_areas=AREAS[:2])
    assert sorted(numbers(found)) == list(range(1, 13))
    if rule != "whole_village":
        favoured = {
            "first_come": lambda wish: bool(wish.area_id),
            "key_area_first": lambda wish: wish.area_id in AREAS[:2],
            "hardship_first": lambda wish: wish.household_group == "hardship",
        }[rule]
        places = [i for i, wish in enumerate(found) if favoured(wish)]
        assert places == list(range(len(places)))
    for kept in (
        [n for n, w in zip(numbers(found), found, strict=True) if w.village_code == f"v{v}"] for v in range(4)
    ):
        if rule in ("first_come", "whole_village"):
            assert kept == sorted(kept)
    if rule == "whole_village":
        changes = sum(a.village_code != b.village_code for a, b in zip(found[1:], found[:-1], strict=True))
        assert changes == len({wish.village_code for wish in found}) - 1


def decided(folder, wishes, base_kw):
    grid = hand_drawn_county(folder, hand_drawn_net(r_ohm={0: 8.0, 1: 6.0}))
    course = binding_course(profiles(), DEFAULT_LIMITS)
    trees = supply_trees(grid, DEFAULT_LIMITS)
    return trees, course, decide_queue(trees, course, base_counts(base_kw), wishes, DEFAULT_LIMITS, area_ids=AREAS)


def test_who_is_asked_first_gets_the_last_room(tmp_path):
    # 50 of 100 kW are used; two heaters of 30 kW do not fit both.
    wishes = tuple(replace(wish, rated_kw=30.0) for wish in queue((0, "v1", "ordinary"), (0, "v1", "hardship")))

    for rule, winner in (("first_come", 1), ("hardship_first", 2)):
        *_, result = decided(tmp_path, in_order(wishes, rule), [50.0] * 5)
        connected = [d.application for d in result.decisions if d.connected]
        assert numbers(tuple(connected)) == [winner]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_village_that_fits_as_a_whole_is_approved_as_a_whole(tmp_path_factory, seed):
    rng = np.random.default_rng(seed)
    rows = list(zip(rng.integers(0, 5, 9).tolist(), rng.uniform(1.0, 14.0, 9).tolist(), strict=True))
    wishes = [
        replace(a, rated_kw=kw)
        for a, (_, kw) in zip(queue(*[(i, "v1", "ordinary") for i, _ in rows]), rows, strict=True)
    ]
    base_kw = rng.uniform(40.0, 90.0, 5).tolist()
    (tree,), course, result = decided(tmp_path_factory.mktemp("county"), in_order(wishes, "whole_village"), base_kw)
    together = base_counts(base_kw)
    rated_kw, count = together.rated_kw.copy(), together.count.copy()
    for area, kw in rows:
        rated_kw[area, HEAT_PUMP] += kw
        count[area, HEAT_PUMP] += 1.0
    everybody = assess(tree, course, replace(together, rated_kw=rated_kw, count=count), DEFAULT_LIMITS)

    fits = not tree.checks.beyond_limit(everybody.value).any()

    assert all(d.connected for d in result.decisions) == fits


def test_the_scenario_names_the_rule_and_the_areas_the_key_area():
    areas = pd.DataFrame({"area_id": AREAS, "key_area": [False, False, False, True, False]})
    default = Scenario()
    chosen = default.model_copy(update={"queue": default.queue.model_copy(update={"rule": "key_area_first"})})

    assert numbers(queue_order(WISHES, default, areas)) == [1, 2, 3, 4, 5, 6]
    assert numbers(queue_order(WISHES, chosen, areas)) == [4, 1, 2, 3, 5, 6]
