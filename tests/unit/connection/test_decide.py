"""Verdicts on a county that is drawn by hand: who fits, who does not, why, and what each verdict depends on."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridcheck.checks.assessment import assess, binding_course
from gridcheck.checks.supply_tree import CheckKind, supply_trees
from gridcheck.connection import Application, Blocker, Decision, QueueResult, Verdict, clause_of, decide_queue
from gridcheck.connection.promises import no_promises
from gridcheck.demand.profiles import ClassCounts, ClassProfiles
from gridcheck.errors import NotConvergedError
from gridcheck.limits import DEFAULT_LIMITS, LimitSet, with_overrides
from tests.support.hand_drawn_county import (
    AREAS,
    FEEDERS,
    HEAT_PUMP,
    MAINS,
    SECTIONS,
    applications,
    base_counts,
    hand_drawn_county,
    hand_drawn_net,
    profiles,
    profiles_with_roofs,
    roofs,
)

APPROVE, CONDITIONAL, DEFER = Verdict.APPROVE, Verdict.APPROVE_WITH_CONDITIONS, Verdict.DEFER


def decide(
    tmp_path,
    wishes: tuple[Application, ...],
    base_kw=(50.0,) * 5,
    *,
    demand: ClassProfiles | None = None,
    limits: LimitSet = DEFAULT_LIMITS,
    n_home: int = 10,
    **drawing,
) -> QueueResult:
    grid = hand_drawn_county(tmp_path, hand_drawn_net(**drawing))
    course = binding_course(profiles() if demand is None else demand, limits)
    trees, counts = supply_trees(grid, limits), base_counts(base_kw, n_home=n_home)
    return decide_queue(trees, course, counts, wishes, limits, area_ids=AREAS)


def verdicts(result: QueueResult) -> list[Verdict]:
    return [decision.verdict for decision in result.decisions]


def answers(result: QueueResult) -> dict[str, tuple[Verdict, str, float]]:
    return {d.application.application_id: (d.verdict, d.element, round(d.value, 9)) for d in result.decisions}


# --------------------------------------------------------------------------------------------------- who fits, by hand


def test_exactly_as_many_heaters_fit_as_the_transformer_carries(tmp_path):
    # 100 kVA, 50 kW of homes, heaters of 7 kW: 50 + 7 * 7 = 99 kW fit, the eighth would make 106 kW.
    result = decide(tmp_path, applications([(0, 7.0)] * 10))

    connected = [decision.connected for decision in result.decisions]
    assert connected == [True] * 7 + [False] * 3
    assert [d.value for d in result.decisions[:8]] == pytest.approx([57, 64, 71, 78, 85, 92, 99, 106], rel=1e-6)
    assert [d.margin_kw for d in result.decisions[:8]] == pytest.approx([43, 36, 29, 22, 15, 8, 1, -6], abs=1e-4)
    assert result.counts.rated_kw[0, HEAT_PUMP] == pytest.approx(49.0)
    assert result.counts.count[0].tolist() == [10.0, 7.0, 0.0, 0.0, 0.0, 0.0]
    assert result.counts.rated_kw[1:, HEAT_PUMP].tolist() == [0.0] * 4


def test_diversity_lets_more_fit(tmp_path):
    # One home's own peak is twice the mean and alpha is 1, so that N homes draw (N + 1) / N of their mean: 20 homes
    # 20 kW * 1.05 = 21 kW, N heaters of 10 kW together 10 N + 10 kW. Six make 91 kW, seven would make 101 kW.
    demand = profiles(1.0, single=2.0, alpha=1.0)

    result = decide(tmp_path, applications([(0, 10.0)] * 8), [20.0] + [1.0] * 4, demand=demand, n_home=20)

    assert [d.connected for d in result.decisions] == [True] * 6 + [False] * 2
    assert [d.value for d in result.decisions[:7]] == pytest.approx([41, 51, 61, 71, 81, 91, 101], rel=1e-6)


def test_conditions_begin_at_the_planning_value(tmp_path):
    result = decide(tmp_path, applications([(0, 10.0)] * 5), [49.99] + [50.0] * 4)

    # 59.99, 69.99, 79.99, 89.99 and 99.99 %
    assert verdicts(result) == [APPROVE, APPROVE, APPROVE, CONDITIONAL, CONDITIONAL]
    assert result.decisions[3].conditions == ("heavy_area", "staggered_start")
    assert result.decisions[0].conditions == ()


@pytest.mark.parametrize(
    ("drawing", "code"),
    [
        ({"max_i_ka": {1: 0.0085}}, "heavy_section"),
        ({"max_i_ka": {0: 0.012}}, "heavy_feeder"),
        ({"main_mva": 0.3}, "heavy_main_transformer"),
    ],
)
def test_conditions_name_the_level_that_is_heavy(tmp_path, drawing, code):
    # 130 kW behind the second section draw 7.5 A, 180 kW behind the outlet 10.4 A; 260 kW stand on 0.3 MVA.
    grid_limit = (0.012, 0.3) if code == "heavy_feeder" else (0.3, 0.3)
    grid = hand_drawn_county(tmp_path, hand_drawn_net(**drawing), limit_ka=grid_limit)
    course = binding_course(profiles(), DEFAULT_LIMITS)
    trees = supply_trees(grid, DEFAULT_LIMITS)

    result = decide_queue(
        trees, course, base_counts([50.0] * 3 + [40.0] * 2), applications([(1, 30.0)]), DEFAULT_LIMITS, area_ids=AREAS
    )

    (decision,) = result.decisions
    assert decision.verdict == CONDITIONAL
    assert code in decision.conditions
    assert "staggered_start" in decision.conditions


def test_a_device_that_is_not_preferred_is_a_condition(tmp_path):
    result = decide(tmp_path, applications([(0, 2.0)], device="resistive_heater"))

    assert result.decisions[0].verdict == CONDITIONAL
    assert result.decisions[0].conditions == ("discouraged_device",)


@pytest.mark.parametrize(
    ("device", "is_discouraged", "conditions"),
    [
        ("resistive_heater", False, ()),
        ("air_air_heat_pump", True, ("discouraged_device",)),
        ("air_air_heat_pump", None, ()),
    ],
)
def test_the_flag_of_a_model_counts_before_its_class(tmp_path, device, is_discouraged, conditions):
    wishes = [replace(wish, is_discouraged=is_discouraged) for wish in applications([(0, 2.0)], device=device)]

    result = decide(tmp_path, wishes)

    assert result.decisions[0].conditions == conditions


def test_low_voltage_is_watched_before_it_is_a_limit(tmp_path):
    # 400 kVA transformers leave the line to decide: the end stands at 230.94 - P * 27.65 V / 230.94 V per kW.
    grid = hand_drawn_county(tmp_path, hand_drawn_net(kva=(400.0,) * 5))
    grid.areas["lv_circuits"] = 1
    course = binding_course(profiles(), DEFAULT_LIMITS)
    slack_v = 400.0 / 3**0.5
    base_kw = [1000.0 * (slack_v - 206.0) * slack_v / 27_651.174] + [10.0] * 4

    wishes = applications([(0, 2.0), (0, 20.0), (0, 39.0)])
    trees = supply_trees(grid, DEFAULT_LIMITS)

    result = decide_queue(trees, course, base_counts(base_kw), wishes, DEFAULT_LIMITS, area_ids=AREAS)

    assert verdicts(result) == [APPROVE, CONDITIONAL, CONDITIONAL]
    assert result.decisions[1].conditions == ("low_voltage_watch", "staggered_start")
    last = result.decisions[2]
    assert (last.kind, last.element, last.level, last.quantity) == (
        CheckKind.END_VOLTAGE, AREAS[0], "low_voltage", "voltage_v",
    )  # fmt: skip
    assert last.value == pytest.approx(206.0 - 0.061 * 27_651.174 / slack_v, abs=1e-3)
    assert last.limit == 198.0


# ---------------------------------------------------------------------------------------------- what stands in the way


def test_a_deferral_says_what_stands_in_the_way(tmp_path):
    *_, last = decide(tmp_path, applications([(0, 20.0), (0, 20.0), (0, 15.0)])).decisions

    assert last.verdict == DEFER
    assert (last.kind, last.level, last.element) == (CheckKind.AREA_LOADING, "area", AREAS[0])
    assert (last.quantity, last.limit) == ("area_loading_percent", 100.0)
    assert last.value == pytest.approx(105.0, rel=1e-6)
    assert last.value_before == pytest.approx(90.0, rel=1e-6)
    assert last.margin_kw == pytest.approx(-5.0, abs=1e-4)
    assert last.conditions == ("limit_kw:9.9",)  # 10 kW would fit to the last watt, rounded down
    assert last.blocked_by == Blocker.PROMISED_LOAD
    assert last.promised_before == 2
    assert clause_of(last, DEFAULT_LIMITS).endswith("for 2 h [G]")


@pytest.mark.parametrize(
    ("base_kw", "wishes", "blocker"),
    [
        (105.0, [(0, 2.0)], Blocker.EXISTING_LOAD),
        (80.0, [(0, 15.0), (0, 15.0)], Blocker.PROMISED_LOAD),
        (80.0, [(0, 39.0)], Blocker.OWN_LOAD),
    ],
)
def test_whose_load_is_in_the_way(tmp_path, base_kw, wishes, blocker):
    result = decide(tmp_path, applications(wishes), [base_kw] + [10.0] * 4)

    assert result.decisions[-1].verdict == DEFER
    assert result.decisions[-1].blocked_by == blocker


def test_nothing_smaller_is_offered_where_no_heater_fits(tmp_path):
    result = decide(tmp_path, applications([(0, 3.0)]), [99.5] + [10.0] * 4)

    # Half a kilowatt is left, less than the smallest heater.
    assert result.decisions[0].conditions == ()


@pytest.mark.parametrize(
    ("drawing", "limit_ka", "kind", "element"),
    [
        ({"max_i_ka": {1: 0.007}}, (0.3, 0.3), CheckKind.SECTION_LOADING, SECTIONS[1]),
        ({}, (0.0095, 0.3), CheckKind.FEEDER_LOADING, FEEDERS[0]),
        ({"main_mva": 0.26}, (0.3, 0.3), CheckKind.MAIN_LOADING, MAINS[0]),
        ({"r_ohm": {0: 45.0}}, (0.3, 0.3), CheckKind.SECTION_VOLTAGE, "bus 3"),
    ],
)
def test_every_level_can_be_in_the_way(tmp_path, drawing, limit_ka, kind, element):
    # 50 kW in each area, and 30 kW more in area 2: 5.8 and 7.5 A behind K2, 8.7 and 10.4 A at the outlet, 250 and
    # 280 kW on the main transformer. With 40 kW each, 45 ohm leave 0.943 and 0.927 pu.
    grid = hand_drawn_county(tmp_path, hand_drawn_net(**drawing), limit_ka=limit_ka)
    course = binding_course(profiles(), DEFAULT_LIMITS)
    base_kw = [40.0] * 5 if kind == CheckKind.SECTION_VOLTAGE else [50.0] * 5

    result = decide_queue(
        supply_trees(grid, DEFAULT_LIMITS), course, base_counts(base_kw), applications([(1, 30.0)]), DEFAULT_LIMITS,
        area_ids=AREAS,
    )  # fmt: skip

    (decision,) = result.decisions
    assert (decision.verdict, decision.kind) == (DEFER, kind)
    assert decision.element == element
    assert decision.blocked_by == Blocker.OWN_LOAD


def test_a_load_without_solution_is_deferred_and_the_queue_goes_on(tmp_path):
    # Behind 30 ohm there is a solution up to 10 kV ^ 2 / (4 * 30 ohm) = 833 kW.
    limits = with_overrides(
        DEFAULT_LIMITS,
        {name: (value, "test") for name, value in (
            ("mv_vm_min_pu", 0.3), ("lv_voltage_min_v", 60.0), ("area_loading_percent", 1e4),
            ("section_loading_percent", 1e4), ("hot_spot_c", 1e9),
        )},
    )  # fmt: skip
    base_kw = [150.0, 150.0, 150.0, 10.0, 10.0]
    wishes = applications([(0, 39.0)] * 12 + [(3, 5.0)])

    result = decide(tmp_path, wishes, base_kw, limits=limits, r_ohm={0: 30.0}, kva=(400.0,) * 5)

    # 450 kW and 9 heaters of 39 kW make 801 kW, 10 heaters would make 840 kW.
    unsolved = [d for d in result.decisions if d.kind is None]
    assert [d.application.queue_position for d in unsolved] == [10, 11, 12]
    assert {(d.verdict, d.level, d.quantity, d.case) for d in unsolved} == {(DEFER, "network", "not_converged", -1)}
    assert all(np.isnan(d.value) for d in unsolved)
    assert clause_of(unsolved[0], limits) == ""
    assert result.decisions[-1].connected


def test_a_county_that_cannot_be_supplied_is_an_error_that_names_the_transformer(tmp_path):
    with pytest.raises(NotConvergedError, match=f"main transformer {MAINS[0]}, .* no load flow solution"):
        decide(tmp_path, applications([(0, 1.0)]), [4_000.0] * 5, r_ohm={0: 100.0})


# ------------------------------------------------------------------------------------- who answers for which violation


def test_nobody_answers_for_a_violation_elsewhere(tmp_path):
    # Area 2 is overloaded already; area 1 on the same feeder and area 4 on the other one are not.
    result = decide(tmp_path, applications([(0, 5.0), (3, 5.0), (1, 5.0)]), [50.0, 120.0, 50.0, 50.0, 50.0])

    assert [d.connected for d in result.decisions] == [True, True, False]
    assert result.decisions[2].element == AREAS[1]
    assert result.decisions[2].blocked_by == Blocker.EXISTING_LOAD


def test_a_violation_on_the_own_way_counts_even_if_it_was_there_before(tmp_path):
    # The second section carries 100 kW, more than its rating; area 1 stands before it, areas 2 and 3 behind it.
    result = decide(tmp_path, applications([(0, 5.0), (1, 1.0), (2, 1.0)]), max_i_ka={1: 0.005})

    assert [d.connected for d in result.decisions] == [True, False, False]
    assert {(d.kind, d.element) for d in result.decisions[1:]} == {(CheckKind.SECTION_LOADING, SECTIONS[1])}


def decide_with_roofs(tmp_path, rated_kw: float, at_noon: float, in_the_evening: float) -> QueueResult:
    """An area of 100 kVA with 120 kW of roofs and 120 kW of homes, in which one heater is asked for."""
    grid, wishes = hand_drawn_county(tmp_path), applications([(0, rated_kw)])
    course = binding_course(profiles_with_roofs(at_noon, in_the_evening), DEFAULT_LIMITS)
    counts = roofs(base_counts([120.0] + [50.0] * 4), [120.0] + [1.0] * 4)
    return decide_queue(supply_trees(grid, DEFAULT_LIMITS), course, counts, wishes, DEFAULT_LIMITS, area_ids=AREAS)


@pytest.mark.parametrize(
    ("at_noon", "in_the_evening", "loading_percent"),
    [
        (1.0, 1.0, 115.0),  # 120 kW are fed in; 5 kW of heat at noon relieve the transformer
        (0.0, 1.0, 120.0),  # no heat at noon: as before
    ],
)
def test_a_violation_that_is_made_no_worse_is_not_charged(tmp_path, at_noon, in_the_evening, loading_percent):
    result = decide_with_roofs(tmp_path, 5.0, at_noon, in_the_evening)

    (decision,) = result.decisions
    assert decision.connected
    assert decision.blocked_by is None
    assert decision.margin_kw > 0.0
    assert result.base[0].value[0] == pytest.approx(120.0, rel=1e-6)
    assert result.final[0].value[0] == pytest.approx(loading_percent, rel=1e-6)


def test_a_violation_that_is_made_worse_is_charged_though_its_noon_is_relieved(tmp_path):
    # 24 kW of homes and 40 kW * 2.5 of heat in the evening are 124 kW, more than the 120 kW that were fed in.
    (decision,) = decide_with_roofs(tmp_path, 40.0, 1.0, 2.5).decisions

    assert (decision.verdict, decision.kind, decision.element) == (DEFER, CheckKind.AREA_LOADING, AREAS[0])
    assert (decision.value_before, decision.value) == pytest.approx((120.0, 124.0), rel=1e-6)
    assert decision.blocked_by == Blocker.EXISTING_LOAD


@pytest.mark.parametrize(
    ("rated_kw", "base_kw", "in_the_evening", "verdict", "evening_percent"),
    [
        (40.0, 120.0, 2.0, DEFER, 104.0),  # a fifth of 120 kW of homes, and 2 * 40 kW
        (37.0, 120.0, 2.0, CONDITIONAL, 98.0),
        (40.0, 550.0, 0.001, DEFER, 110.04),  # broken in the evening before as well, and made worse there alone
        (40.0, 550.0, 0.0, CONDITIONAL, 110.0),
    ],
)
def test_a_relieved_noon_hides_no_evening(tmp_path, rated_kw, base_kw, in_the_evening, verdict, evening_percent):
    # 120 kW of roofs break the limit at noon, and half a heater's rating relieves them. What it does to the evening
    # counts by itself.
    grid, wishes = hand_drawn_county(tmp_path), applications([(0, rated_kw)])
    course = binding_course(profiles_with_roofs(0.5, in_the_evening), DEFAULT_LIMITS)
    counts = roofs(base_counts([base_kw] + [50.0] * 4), [120.0] + [1.0] * 4)
    # Longer lines would have the voltage decide.
    grid.areas["lv_radius_m"] = 10

    result = decide_queue(supply_trees(grid, DEFAULT_LIMITS), course, counts, wishes, DEFAULT_LIMITS, area_ids=AREAS)

    (decision,) = result.decisions
    assert decision.verdict == verdict
    if verdict == DEFER:
        before = base_kw / 5.0
        assert (decision.kind, decision.element) == (CheckKind.AREA_LOADING, AREAS[0])
        assert (decision.value_before, decision.value) == pytest.approx((before, evening_percent), rel=1e-6)
        assert decision.case >= 16
        assert decision.blocked_by == (Blocker.EXISTING_LOAD if before > 100.0 else Blocker.OWN_LOAD)
        assert decision.margin_kw == pytest.approx((100.0 - evening_percent) / in_the_evening, rel=1e-3)
    else:
        assert result.final[0].value[0] == pytest.approx(max(120.0 - rated_kw / 2.0, evening_percent), rel=1e-6)


def test_promises_that_fill_an_evening_are_named_behind_a_broken_noon(tmp_path):
    # 24 kW of homes in the evening, 24 + 60 and 24 + 60 + 20 kW with the heaters; 120 kW are fed in at noon.
    grid = hand_drawn_county(tmp_path)
    course = binding_course(profiles_with_roofs(0.0, 2.0), DEFAULT_LIMITS)
    counts = roofs(base_counts([120.0] + [50.0] * 4), [120.0] + [1.0] * 4)
    wishes = applications([(0, 30.0), (0, 10.0), (0, 7.0)])

    result = decide_queue(supply_trees(grid, DEFAULT_LIMITS), course, counts, wishes, DEFAULT_LIMITS, area_ids=AREAS)

    assert [d.connected for d in result.decisions] == [True, False, True]
    refused = result.decisions[1]
    assert (refused.value_before, refused.value) == pytest.approx((84.0, 104.0), rel=1e-6)
    assert (refused.blocked_by, refused.conditions) == (Blocker.PROMISED_LOAD, ("limit_kw:7.9",))


@pytest.mark.parametrize(("evening_kw", "connected"), [(100.0, True), (160.0, False)])
def test_a_section_that_roofs_overload_at_noon_keeps_its_evening(tmp_path, evening_kw, connected):
    # 10 A are 173.2 kW at 10 kV. Roofs of 240 kW behind the section break it at noon; in the evening it carries a fifth
    # of 170 kW and the heater.
    net = hand_drawn_net(max_i_ka={1: 0.010}, kva=(400.0,) * 5)
    grid, wishes = hand_drawn_county(tmp_path, net), applications([(1, 40.0)])
    course = binding_course(profiles_with_roofs(0.0, evening_kw / 40.0), DEFAULT_LIMITS)
    counts = roofs(base_counts([50.0, 120.0, 50.0, 50.0, 50.0]), [1.0, 120.0, 120.0, 1.0, 1.0])

    result = decide_queue(supply_trees(grid, DEFAULT_LIMITS), course, counts, wishes, DEFAULT_LIMITS, area_ids=AREAS)

    (decision,) = result.decisions
    assert decision.connected is connected
    if not connected:
        assert (decision.kind, decision.element) == (CheckKind.SECTION_LOADING, SECTIONS[1])
        assert decision.value == pytest.approx(100.0 * (34.0 + 160.0) / (10.0 * 10.0 * 3**0.5), rel=1e-6)
        assert decision.value_before == pytest.approx(100.0 * 34.0 / (10.0 * 10.0 * 3**0.5), rel=1e-6)
        assert decision.case >= 16


def test_a_limit_of_the_own_feeder_that_is_newly_broken_counts(tmp_path):
    # Bus 3 is not on the way of supply of area 1, but the heater there takes the last of its voltage.
    base_kw, r_ohm = [40.0, 40.0, 40.0, 10.0, 10.0], {0: 40.0, 1: 20.0}

    result = decide(tmp_path, applications([(0, 2.0), (0, 30.0)]), base_kw, r_ohm=r_ohm)

    small, large = result.decisions
    assert small.connected
    assert (large.verdict, large.kind, large.element) == (DEFER, CheckKind.SECTION_VOLTAGE, "bus 3")


def test_an_area_in_which_nobody_asks_is_guarded_on_the_own_feeder(tmp_path):
    # 30 ohm in the second section. Area 3 draws 94 kW on 100 kVA and has no wish. With 60 kW in area 2 it stands at
    # 98.8 %, with 94 kW at (1 + sqrt(1 - 1.2 * 0.188)) / 2 = 0.940 pu: at 100.0 %. With 100 kW more than that.
    base_kw, drawing = [1.0, 60.0, 94.0, 1.0, 1.0], {"r_ohm": {1: 30.0}, "kva": (100.0, 400.0, 100.0, 400.0, 100.0)}

    def loading(area_2_kw: float) -> float:
        return 94.0 / ((1.0 + (1.0 - 1.2 * (94.0 + area_2_kw) / 1000.0) ** 0.5) / 2.0)

    result = decide(tmp_path, applications([(1, 20.0), (1, 39.0), (1, 5.0), (3, 39.0)]), base_kw, **drawing)

    assert loading(80.0) < 100.0 < loading(119.0)
    assert [d.connected for d in result.decisions] == [True, False, True, True]
    refused = result.decisions[1]
    assert (refused.kind, refused.element) == (CheckKind.AREA_LOADING, AREAS[2])
    assert refused.value == pytest.approx(loading(119.0), rel=1e-6)
    assert refused.value_before == pytest.approx(loading(80.0), rel=1e-6)
    assert not refused.with_crowd
    (final,) = result.final
    assert (final.value[:5] <= 100.0).all()


def test_areas_that_nobody_endangers_need_no_guard(tmp_path):
    # Area 3 keeps 60 % whatever happens, area 5 is beyond its limit before: neither is looked at again.
    counts = base_counts([1.0, 60.0, 60.0, 1.0, 120.0])
    grid = hand_drawn_county(tmp_path, hand_drawn_net(r_ohm={1: 5.0}))
    (tree,) = supply_trees(grid, DEFAULT_LIMITS)
    course = binding_course(profiles(), DEFAULT_LIMITS)

    promises = no_promises(tree, course, counts, DEFAULT_LIMITS, [(1, HEAT_PUMP, 30.0), (4, HEAT_PUMP, 5.0)])

    assert promises.crowd is not None
    assert promises.guarded_row.tolist() == []


def test_without_a_crowd_that_can_be_supplied_every_area_that_keeps_its_limits_is_guarded(tmp_path):
    # Behind 30 ohm there is a solution up to 833 kW; 320 kW are drawn and 20 * 39 kW asked for.
    wishes = applications([(1, 39.0)] * 20)
    base_kw, drawing = [1.0, 220.0, 94.0, 1.0, 1.0], {"r_ohm": {1: 30.0}, "kva": (100.0, 400.0, 100.0, 400.0, 100.0)}

    result = decide(tmp_path, wishes, base_kw, **drawing)
    bare = decide(tmp_path, (), base_kw, **drawing)

    # Who comes later is seen with what was promised before, and area 3 stands in the way before anything collapses.
    assert result.crowd.rated_kw[1, HEAT_PUMP] == 0.0
    assert not any(d.with_crowd for d in result.decisions)
    broken = [bare.final[0].value[:5] > 100.0, result.final[0].value[:5] > 100.0]
    np.testing.assert_array_equal(*broken)


@pytest.fixture(scope="module")
def long_lines(tmp_path_factory):
    """Areas 3 and 5 are small, the others have room for much more than the lines."""
    net = hand_drawn_net(r_ohm={0: 12.0, 1: 20.0, 3: 25.0}, kva=(400.0, 400.0, 100.0, 400.0, 100.0))
    return hand_drawn_county(tmp_path_factory.mktemp("county"), net)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_approvals_break_no_limit_of_their_feeder_that_was_kept(long_lines, seed):
    rng, grid = np.random.default_rng(seed), long_lines
    trees, course = supply_trees(grid, DEFAULT_LIMITS), binding_course(profiles(), DEFAULT_LIMITS)
    asked = zip(rng.choice([0, 1, 3], 12), rng.uniform(1.0, 30.0, 12), strict=True)
    wishes = applications([(int(area), float(kw)) for area, kw in asked])
    base_kw = np.where([0, 0, 1, 0, 1], rng.uniform(88.0, 98.0, 5), rng.uniform(20.0, 60.0, 5)).tolist()

    result = decide_queue(trees, course, base_counts(base_kw), wishes, DEFAULT_LIMITS, area_ids=AREAS)

    (tree,), (before,), (after,) = trees, result.base, result.final
    checks = tree.checks
    newly = checks.beyond_limit(after.value) & ~checks.beyond_limit(before.value)
    touched = {int(tree.area_feeder[AREAS.index(d.application.area_id)]) for d in result.decisions if d.connected}
    assert not newly[np.isin(tree.feeder_of_node[checks.node], sorted(touched))].any()


# ----------------------------------------------------------------------------------------------------------- the queue


def test_who_comes_first_is_served_first(tmp_path):
    large, small = applications([(0, 30.0), (0, 25.0)])

    first, second = decide(tmp_path, (large, small)), decide(tmp_path, (small, large))

    assert [d.connected for d in first.decisions] == [True, False]
    assert [d.connected for d in second.decisions] == [True, False]
    assert answers(first)[large.application_id][0] == CONDITIONAL
    assert answers(second)[large.application_id][0] == DEFER


def test_a_deferred_application_takes_no_room(tmp_path):
    result = decide(tmp_path, applications([(0, 39.0), (0, 39.0), (0, 5.0)]))

    assert [d.connected for d in result.decisions] == [True, False, True]
    assert [d.promised_before for d in result.decisions] == [0, 1, 1]


def test_a_promise_is_not_broken_by_what_is_promised_to_others_later(tmp_path):
    # 30 ohm in the second section. With its heater area 2 draws 94 kW at (1 + sqrt(1 - 1.2 * 0.154)) / 2 = 0.951 pu,
    # which are 98.8 %; the heater that area 3 asks for later would lower that to 0.938 pu, and make it 100.2 %.
    base_kw, drawing = [1.0, 60.0, 60.0, 1.0, 1.0], {"r_ohm": {1: 30.0}, "kva": (100.0, 100.0, 400.0, 100.0, 100.0)}
    alone = decide(tmp_path, applications([(1, 34.0)]), base_kw, **drawing)
    both = decide(tmp_path, applications([(1, 34.0), (2, 39.0)]), base_kw, **drawing)

    assert [d.connected for d in alone.decisions] == [True]
    assert [d.connected for d in both.decisions] == [False, True]
    assert alone.decisions[0].value == pytest.approx(94.0 / ((1.0 + (1.0 - 1.2 * 0.154) ** 0.5) / 2.0), rel=1e-6)
    assert both.decisions[0].value == pytest.approx(94.0 / ((1.0 + (1.0 - 1.2 * 0.193) ** 0.5) / 2.0), rel=1e-6)
    assert both.decisions[0].element == AREAS[1]
    # In the end no transformer is overloaded, in whatever order they came.
    for result in (alone, both):
        (final,) = result.final
        assert (final.value[:5] <= 100.0).all()


def test_connected_and_taken_away_again_is_as_before(tmp_path):
    limits, grid = DEFAULT_LIMITS, hand_drawn_county(tmp_path, hand_drawn_net(r_ohm={0: 5.0}))
    (tree,) = supply_trees(grid, limits)
    course, base = binding_course(profiles(), limits), base_counts([50.0] * 5)

    result = decide_queue((tree,), course, base, applications([(0, 7.0), (1, 9.0)]), limits, area_ids=AREAS)
    rated_kw, count = result.counts.rated_kw.copy(), result.counts.count.copy()
    for decision, area in zip(result.decisions, (0, 1), strict=True):
        rated_kw[area, HEAT_PUMP] -= decision.application.rated_kw
        count[area, HEAT_PUMP] -= 1.0
    again = assess(tree, course, ClassCounts(rated_kw=rated_kw, count=count), limits)

    np.testing.assert_allclose(again.value, result.base[0].value, rtol=1e-9)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(result.final[0].value, result.base[0].value, rtol=1e-9)


def test_deciding_changes_nothing_that_was_given(tmp_path):
    base = base_counts([50.0] * 5)
    rated_kw = base.rated_kw.copy()
    grid = hand_drawn_county(tmp_path)
    trees = supply_trees(grid, DEFAULT_LIMITS)
    course = binding_course(profiles(), DEFAULT_LIMITS)
    wishes = applications([(0, 7.0)] * 9)

    first = decide_queue(trees, course, base, wishes, DEFAULT_LIMITS, area_ids=AREAS)
    again = decide_queue(trees, course, base, wishes, DEFAULT_LIMITS, area_ids=AREAS)

    np.testing.assert_array_equal(base.rated_kw, rated_kw)
    assert first.decisions == again.decisions


def test_verdicts_do_not_depend_on_other_supply_trees(tmp_path):
    wishes = applications([(0, 30.0), (3, 30.0), (1, 25.0), (4, 39.0), (3, 25.0), (2, 7.0), (4, 15.0)])
    here = tuple(a for a in wishes if a.area_id in AREAS[:3])
    there = tuple(a for a in wishes if a.area_id in AREAS[3:])
    drawing = {"mains": 2, "r_ohm": {0: 8.0, 2: 12.0}}

    whole = decide(tmp_path, wishes, **drawing)
    parts = [decide(tmp_path, here, **drawing), decide(tmp_path, there, **drawing)]

    assert answers(whole) == answers(parts[0]) | answers(parts[1])
    assert {verdict for verdict, _, _ in answers(whole).values()} >= {APPROVE, DEFER}


def test_progress_is_told_once_for_each_decision(tmp_path):
    told: list[int] = []
    grid = hand_drawn_county(tmp_path)

    decide_queue(
        supply_trees(grid, DEFAULT_LIMITS), binding_course(profiles(), DEFAULT_LIMITS), base_counts([50.0] * 5),
        applications([(0, 1.0)] * 4), DEFAULT_LIMITS, area_ids=AREAS, progress=told.append,
    )  # fmt: skip

    assert told == [1, 1, 1, 1]


def test_the_crowd_is_everybody_who_asks(tmp_path):
    result = decide(tmp_path, applications([(0, 39.0), (0, 39.0), (2, 5.0)]))

    assert result.crowd.rated_kw[:, HEAT_PUMP].tolist() == [78.0, 0.0, 5.0, 0.0, 0.0]
    assert result.crowd.count[:, HEAT_PUMP].tolist() == [2.0, 0.0, 1.0, 0.0, 0.0]
    assert result.counts.rated_kw[:, HEAT_PUMP].tolist() == [39.0, 0.0, 5.0, 0.0, 0.0]


def test_a_decision_speaks_for_itself(tmp_path):
    (decision,) = decide(tmp_path, applications([(0, 5.0)])).decisions

    assert decision.connected
    assert not replace(decision, verdict=DEFER).connected
    assert isinstance(decision, Decision)
    assert 0 <= decision.case < 16
