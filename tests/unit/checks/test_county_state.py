"""The state of a county: hours beyond limits, room that is left, and what stands above an area, by hand."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from gridcheck.checks.assessment import full_course
from gridcheck.checks.county_state import CountyState, county_state
from gridcheck.checks.records import FeederNMinus1, NMinus1Status
from gridcheck.checks.supply_tree import CheckKind, limit_of, supply_trees
from gridcheck.limits import DEFAULT_LIMITS
from gridcheck.network import CountyGrid
from gridcheck.reports.rows import GREEN, RED, YELLOW, area_grades, area_rows, feeder_rows, violation_rows
from tests.support.hand_drawn_county import (
    AREAS,
    FEEDERS,
    MAINS,
    SECTIONS,
    base_counts,
    hand_drawn_county,
    hand_drawn_net,
    profiles,
    profiles_with_roofs,
    roofs,
)


def state_of(grid: CountyGrid, base_kw, mean=1.0, *, n_case: int = 16) -> CountyState:
    course = full_course(profiles(mean, n_case=n_case), DEFAULT_LIMITS)
    trees = supply_trees(grid, DEFAULT_LIMITS)
    return county_state(trees, course, base_counts(base_kw), DEFAULT_LIMITS, n_feeder=2)


def violations_of(state: CountyState) -> dict[tuple[CheckKind, str], float]:
    return {(v.kind, v.element): v.value for v in state.violations}


def test_curves_and_peaks(tmp_path):
    mean = np.concatenate([np.full(8, 0.5), np.full(8, 0.9)])

    state = state_of(hand_drawn_county(tmp_path), [100.0, 50.0, 20.0, 10.0, 0.0], mean)

    np.testing.assert_allclose(state.p_kw, np.outer([100.0, 50.0, 20.0, 10.0, 0.0], mean), atol=1e-9)
    np.testing.assert_allclose(state.loading_percent, np.outer([100.0, 50.0, 20.0, 10.0, 0.0], mean), atol=1e-3)
    assert state.peak_loading_percent == pytest.approx([90.0, 45.0, 18.0, 9.0, 0.0], abs=1e-3)
    assert state.feeder_peak_mw == pytest.approx([0.153, 0.009], rel=1e-6)
    assert state.feeder_loading_percent == pytest.approx([100.0 * 0.153 / 3**0.5 / 10.0 / 0.3, 0.1732], rel=1e-4)
    assert state.feeder_vm_min_pu == pytest.approx([1.0, 1.0], abs=1e-6)
    assert state.violations == ()


def test_the_peak_is_of_any_moment_and_the_violation_of_two_hours(tmp_path):
    mean = np.full(32, 0.6)
    mean[4:10] = 1.5  # an hour and a half
    state = state_of(hand_drawn_county(tmp_path), [100.0] + [10.0] * 4, mean, n_case=32)

    assert state.peak_loading_percent[0] == pytest.approx(150.0, rel=1e-6)
    assert state.sustained_loading_percent[0] == pytest.approx(60.0, rel=1e-6)
    assert (CheckKind.AREA_LOADING, AREAS[0]) not in violations_of(state)


def test_hours_beyond_a_limit(tmp_path):
    mean = np.full(48, 0.6)
    mean[4:14] = 1.2  # two and a half hours that make the violation
    mean[20:23] = 1.1  # and three quarters of an hour more
    state = state_of(hand_drawn_county(tmp_path), [100.0] + [10.0] * 4, mean, n_case=48)

    (found,) = [v for v in state.violations if v.kind == CheckKind.AREA_LOADING]
    assert (found.element, found.feeder, found.level, found.quantity) == (AREAS[0], 0, "area", "area_loading_percent")
    assert found.value == pytest.approx(120.0, rel=1e-6)
    assert found.limit == 100.0
    assert found.hours == pytest.approx(13 * 0.25)
    assert 4 <= found.case < 14


def test_a_hot_spot_beyond_its_limit_has_no_hours(tmp_path):
    state = state_of(hand_drawn_county(tmp_path), [200.0] + [10.0] * 4)

    (found,) = [v for v in state.violations if v.kind == CheckKind.HOT_SPOT]
    assert found.value > 120.0
    assert np.isnan(found.hours)
    assert state.hot_spot_c[0] == pytest.approx(found.value)
    assert np.isfinite(state.hot_spot_c).all()


def test_room_is_what_the_own_equipment_still_carries(tmp_path):
    grid = hand_drawn_county(tmp_path, hand_drawn_net(kva=(100.0, 200.0, 100.0, 400.0, 100.0)))

    state = state_of(grid, [60.0, 250.0, 100.0, 0.0, 99.0])

    # Demand has no diversity here, so each kW of heat pump takes one kVA.
    assert state.room_kw == pytest.approx([40.0, -50.0, 0.0, 400.0, 1.0], abs=0.01)


def test_room_ends_where_the_voltage_does(tmp_path):
    # 10 MVA transformers never limit; the line does: 400/sqrt(3) - 198 V at 13825.587 V^2/MW and 400/sqrt(3) V.
    grid = hand_drawn_county(tmp_path, hand_drawn_net(kva=(400.0,) * 5))
    grid.areas["lv_circuits"] = 1
    slack_v = 400.0 / 3**0.5
    fits_kw = 1000.0 * (slack_v - 198.0) * slack_v / (2 * 13_825.587)

    state = state_of(grid, [100.0] * 5)

    assert fits_kw < 400.0
    assert state.room_kw == pytest.approx([fits_kw - 100.0] * 5, rel=1e-4)
    assert state.end_voltage_v == pytest.approx([slack_v - 0.1 * 2 * 13_825.587 / slack_v] * 5, rel=1e-6)


def test_a_broken_section_is_above_the_areas_behind_it(tmp_path):
    # 60 kW behind the second section draw 3.46 A.
    grid = hand_drawn_county(tmp_path, hand_drawn_net(max_i_ka={1: 0.003}))

    state = state_of(grid, [30.0, 30.0, 30.0, 30.0, 30.0])

    assert state.upper_broken.tolist() == [False, True, True, False, False]
    assert (state.feeder_broken.tolist(), state.feeder_heavy.tolist()) == ([True, False], [True, False])
    (found,) = state.violations
    assert (found.kind, found.element, found.feeder) == (CheckKind.SECTION_LOADING, SECTIONS[1], 0)
    assert found.value == pytest.approx(100.0 * 0.06 / 3**0.5 / 10.0 / 0.003, rel=1e-6)
    assert found.hours == pytest.approx(4.0)


def test_a_broken_main_transformer_is_above_everything(tmp_path):
    grid = hand_drawn_county(tmp_path, hand_drawn_net(main_mva=0.1))

    state = state_of(grid, [30.0] * 5)

    assert state.upper_broken.all()
    assert state.feeder_broken.all()
    (found,) = state.violations
    assert (found.kind, found.element, found.feeder) == (CheckKind.MAIN_LOADING, MAINS[0], -1)


def test_a_broken_voltage_reaches_down_its_feeder(tmp_path):
    # 20 ohm on the second section: v = (1 + sqrt(1 - 4 * 0.2 * p)) / 2 falls below 0.93 from p = 0.3255 MW.
    grid = hand_drawn_county(tmp_path, hand_drawn_net(r_ohm={3: 20.0}, kva=(100.0,) * 4 + (400.0,)))

    kept, broken = (state_of(grid, [10.0, 10.0, 10.0, 10.0, kw]) for kw in (325.0, 326.0))

    assert CheckKind.SECTION_VOLTAGE not in {v.kind for v in kept.violations}
    (found,) = [v for v in broken.violations if v.kind == CheckKind.SECTION_VOLTAGE]
    assert (found.kind, found.element, found.feeder) == (CheckKind.SECTION_VOLTAGE, "bus 5", 1)
    assert broken.upper_broken.tolist() == [False, False, False, False, True]
    assert broken.feeder_vm_min_pu == pytest.approx([1.0, (1.0 + (1.0 - 0.8 * 0.326) ** 0.5) / 2.0], abs=1e-6)


def table_of(grid: CountyGrid, before: CountyState, after: CountyState) -> pd.DataFrame:
    heated = np.array([1, 2, 3, 4, 5])
    return area_rows(grid, before, after, heated, heat_pump_kw=3.0).set_index("area_id")


def test_grades_and_room_before_and_after_the_promises(tmp_path):
    grid = hand_drawn_county(tmp_path)
    before, after = state_of(grid, [60.0, 60.0, 100.1, 60.0, 60.0]), state_of(grid, [70.0, 110.0, 100.1, 60.0, 100.0])

    rows = table_of(grid, before, after)

    assert rows["c1_kw"].tolist() == pytest.approx([40.0, 40.0, -0.1, 40.0, 40.0], abs=0.01)
    assert rows["c2_kw"].tolist() == pytest.approx([30.0, -10.0, -0.1, 40.0, 0.0], abs=0.01)
    assert rows["grade"].tolist() == [GREEN, YELLOW, RED, GREEN, YELLOW]
    assert rows["more_heat_pumps"].tolist() == [9, 0, 0, 13, 0]
    assert rows["electric_households"].tolist() == [1, 2, 3, 4, 5]
    assert rows["neutral_percent"].isna().all()


def test_no_more_heat_pumps_than_homes_without_electric_heating(tmp_path):
    grid = hand_drawn_county(tmp_path)
    grid.areas["households"] = [5, 100, 2, 300, 3]
    state = state_of(grid, [60.0, 60.0, 100.1, 60.0, 60.0])

    # Room for thirteen each; 4, 98 and -2 homes are left in the first, the second and the last.
    assert table_of(grid, state, state)["more_heat_pumps"].tolist() == [4, 13, 0, 13, 0]


def test_a_violation_says_whether_it_was_there_before(tmp_path):
    grid = hand_drawn_county(tmp_path)
    course = full_course(profiles(1.0, n_case=16), DEFAULT_LIMITS)
    trees = supply_trees(grid, DEFAULT_LIMITS)
    before = state_of(grid, [90.0, 104.0, 60.0, 60.0, 60.0])

    after = county_state(
        trees, course, base_counts([102.0, 105.0, 60.0, 60.0, 60.0]), DEFAULT_LIMITS, n_feeder=2, before=before
    )

    limits = [limit_of(v.kind, DEFAULT_LIMITS) for v in after.violations]
    rows = violation_rows(grid, after, limits, profiles().time_utc).set_index("element_id")
    assert rows["newly"].to_dict() == {AREAS[0]: True, AREAS[1]: False}
    assert rows["value"].tolist() == pytest.approx([102.0, 105.0], abs=1e-3)
    assert rows["value_before"].tolist() == pytest.approx([90.0, 104.0], abs=1e-3)


def state_with_roofs(grid: CountyGrid, base_kw, roof_kw) -> CountyState:
    course = full_course(profiles_with_roofs(), DEFAULT_LIMITS)
    counts = roofs(base_counts(base_kw), roof_kw)
    return county_state(supply_trees(grid, DEFAULT_LIMITS), course, counts, DEFAULT_LIMITS, n_feeder=2)


def test_room_where_roofs_decide_the_worst_hour_is_empty_and_no_huge_number(tmp_path):
    grid = hand_drawn_county(tmp_path)
    # 120 % of feed-in: broken, and a heat pump relieves it. 60 %: kept. Without roofs 8 kW of load leave 92 kW of room.
    state = state_with_roofs(grid, [40.0] * 5, [120.0, 60.0, 60.0, 60.0, 60.0])
    plain = state_with_roofs(grid, [40.0] * 5, [1.0] * 5)

    rows = table_of(grid, state, state)
    assert np.isnan(state.room_kw[0])
    assert state.room_kw[1] == np.inf
    assert rows[["c1_kw", "c2_kw", "more_heat_pumps"]].isna().all(axis=None)
    assert rows["grade"].tolist() == [RED, GREEN, GREEN, GREEN, GREEN]
    assert plain.room_kw == pytest.approx([92.0] * 5, abs=0.01)
    # Promises that relieve the feed-in leave the room of the state with them.
    assert table_of(grid, state, plain)["c2_kw"].tolist() == pytest.approx([92.0] * 5, abs=0.01)


def test_promises_never_add_room(tmp_path):
    grid = hand_drawn_county(tmp_path)
    state = state_of(grid, [60.0] * 5)

    assert (table_of(grid, state, state_of(grid, [50.0] * 5))["c2_kw"] <= table_of(grid, state, state)["c1_kw"]).all()


def test_a_red_parent_makes_its_areas_red_and_takes_their_room(tmp_path):
    grid = hand_drawn_county(tmp_path, hand_drawn_net(max_i_ka={1: 0.003}))
    state = state_of(grid, [30.0] * 5)

    assert area_grades(state, state).tolist() == [GREEN, RED, RED, GREEN, GREEN]
    assert table_of(grid, state, state)["more_heat_pumps"].tolist() == [23, 0, 0, 23, 23]


@pytest.mark.parametrize(
    ("rating_ka", "grade"), [(0.0060, GREEN), (0.0040, YELLOW), (0.0030, RED)], ids=["58_percent", "87", "115"]
)
def test_a_feeder_is_graded_by_its_worst_section(tmp_path, rating_ka, grade):
    # The second section carries 3.464 A, its feeder's outlet nearly nothing of its 300 A.
    grid = hand_drawn_county(tmp_path, hand_drawn_net(max_i_ka={1: rating_ka}))

    summary = FeederNMinus1(
        county_code="", feeder_id=FEEDERS[0], supply_class="D", status=NMinus1Status.SECURE, is_required=False,
        transfer_ratio=1.0, outages=3, insecure_outages=0, worst_outage_id="K1", worst_unsupplied_kw=1.0,
    )  # fmt: skip
    rows = feeder_rows(grid, state_of(grid, [30.0] * 5), [summary]).set_index("feeder_id")

    assert rows["grade"].to_dict() == {FEEDERS[0]: grade, FEEDERS[1]: GREEN}
    assert rows["n_minus_1"].to_dict() == {FEEDERS[0]: "secure", FEEDERS[1]: "not_studied"}
    assert rows["areas"].tolist() == [3, 2]
    assert rows["households"].tolist() == [180, 120]


def test_broken_limits_name_their_feeder_at_every_level(tmp_path):
    net = hand_drawn_net(max_i_ka={1: 0.003}, r_ohm={3: 20.0}, kva=(100.0,) * 4 + (400.0,))
    grid = hand_drawn_county(tmp_path, net)
    state = state_of(grid, [110.0, 30.0, 30.0, 30.0, 330.0])
    limits = [limit_of(v.kind, DEFAULT_LIMITS) for v in state.violations]

    rows = violation_rows(grid, state, limits, profiles().time_utc).set_index("element_id")

    first, second = FEEDERS
    assert rows["feeder_id"].to_dict() == {AREAS[0]: first, SECTIONS[1]: first, AREAS[4]: second, "bus 5": second}
    assert rows.loc[AREAS[0], "area_id"] == AREAS[0]
    assert rows.loc[SECTIONS[1], "area_id"] is None
    assert rows["unit"].to_dict() == {AREAS[0]: "percent", SECTIONS[1]: "percent", AREAS[4]: "V", "bus 5": "pu"}
    assert rows["clause"].str.contains(r"\[").all()


def test_what_still_fits_of_each_class_is_counted_in_its_usual_rating_where_states_are_compared(tmp_path):
    grid = hand_drawn_county(tmp_path)
    grid.areas["households"] = [30, 12, 60, 60, 60]
    before = state_of(grid, [59.0, 59.0, 100.1, 59.0, 59.0])
    course = full_course(profiles(1.0, n_case=16), DEFAULT_LIMITS)
    trees = supply_trees(grid, DEFAULT_LIMITS)
    after = county_state(
        trees, course, base_counts([69.0, 59.0, 100.1, 59.0, 59.0]), DEFAULT_LIMITS, n_feeder=2, before=before
    )

    rows = table_of(grid, before, after)

    # All classes draw their rated input all the time: 31 kW of room and 41 kW, and homes 1 to 5 that heat already.
    assert rows["more_air_water_heat_pump"].tolist() == [9, 10, 0, 12, 12]  # of 3.3 kW
    assert rows["more_resistive_heater"].tolist() == [7, 10, 0, 10, 10]  # of 4.0 kW
    assert rows["more_storage_heater"].tolist() == [4, 6, 0, 6, 6]  # of 6.4 kW
    assert "more_air_water_heat_pump" not in table_of(grid, before, before)
    feeders = feeder_rows(grid, after, ())
    assert (feeders["peak_mw"] - feeders["peak_mw_before"]).tolist() == pytest.approx([0.010, 0.0], abs=1e-6)
    assert feeder_rows(grid, before, ())["peak_mw_before"].isna().all()


def test_a_class_that_runs_at_another_hour_has_its_own_room(tmp_path):
    grid = hand_drawn_county(tmp_path)
    plain = profiles(1.0, n_case=16)
    mean = plain.mean.copy()
    night = np.arange(16) < 8
    storage = plain.classes.index("storage_heater")
    mean[:, 0] = np.where(night, 0.2, 1.0)
    mean[:, storage] = np.where(night, 1.0, 0.0)
    apart = dataclasses.replace(plain, mean=mean, single=mean)
    course, trees = full_course(apart, DEFAULT_LIMITS), supply_trees(grid, DEFAULT_LIMITS)
    counts = base_counts([60.0] * 5)
    before = county_state(trees, course, counts, DEFAULT_LIMITS, n_feeder=2)
    after = county_state(trees, course, counts, DEFAULT_LIMITS, n_feeder=2, before=before)

    assert after.room_kw == pytest.approx([40.0] * 5, abs=0.01)
    # It charges at night, beside 12 kW of homes, and leaves the worst hour of the evening as it is.
    assert after.room_by_device_kw["storage_heater"] == pytest.approx([88.0] * 5, abs=0.05)
    assert after.room_by_device_kw["resistive_heater"] == pytest.approx([40.0] * 5, abs=0.01)
