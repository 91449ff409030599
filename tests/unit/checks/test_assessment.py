"""Every check of a supply tree: values worked out by hand, worst cases kept by the short course, hot spots followed."""

from datetime import date

import numpy as np
import pytest

from gridcheck.arrays import FloatArray
from gridcheck.checks.assessment import (
    Course,
    area_power_mw,
    assess,
    assess_areas,
    assess_upper,
    binding_course,
    check_courses,
    full_course,
)
from gridcheck.checks.supply_tree import CheckKind, SupplyTree, supply_trees
from gridcheck.demand.parameters import CLASSES
from gridcheck.demand.profiles import ClassCounts, ClassProfiles, class_profiles
from gridcheck.demand.weather import scenario_weather
from gridcheck.errors import NotConvergedError
from gridcheck.limits import DEFAULT_LIMITS
from tests.support.hand_drawn_county import (
    HEAT_PUMP,
    base_counts,
    hand_drawn_county,
    hand_drawn_net,
    profiles,
)

LINE_KA = 0.3


def tree_of(tmp_path, *, limit_ka=(0.3, 0.3), **drawing) -> SupplyTree:
    (tree,) = supply_trees(hand_drawn_county(tmp_path, hand_drawn_net(**drawing), limit_ka=limit_ka), DEFAULT_LIMITS)
    return tree


def values_of(tree: SupplyTree, value: FloatArray, kind: CheckKind) -> FloatArray:
    return value[tree.checks.kind == kind]


def line_percent(power_kw: float) -> float:
    return 100.0 * power_kw / 1000.0 / (3**0.5 * 10.0) / LINE_KA


def test_every_check_by_hand(tmp_path):
    tree = tree_of(tmp_path, kva=(100.0, 200.0, 100.0, 400.0, 100.0), main_mva=1.0, limit_ka=(0.2, 0.3))
    load_kw = np.array([80.0, 60.0, 50.0, 100.0, 20.0])

    now = assess(tree, full_course(profiles(), DEFAULT_LIMITS), base_counts(load_kw), DEFAULT_LIMITS)

    assert values_of(tree, now.value, CheckKind.AREA_LOADING) == pytest.approx([80, 30, 50, 25, 20], rel=1e-6)
    # Busbars stand at 400 V; P_DROP of 13825.587 V^2/MW as in test_low_voltage.
    end_v = 400.0 / 3**0.5 - load_kw / 1000.0 * 13_825.587 / (400.0 / 3**0.5)
    assert values_of(tree, now.value, CheckKind.END_VOLTAGE) == pytest.approx(end_v, rel=1e-6)
    sections = [line_percent(kw) for kw in (190.0, 110.0, 120.0, 20.0)]
    assert values_of(tree, now.value, CheckKind.SECTION_LOADING) == pytest.approx(sections, rel=1e-6)
    # The first feeder is limited to 0.2 kA, less than its line carries.
    feeders = [line_percent(190.0) * 0.3 / 0.2, line_percent(120.0)]
    assert values_of(tree, now.value, CheckKind.FEEDER_LOADING) == pytest.approx(feeders, rel=1e-6)
    assert values_of(tree, now.value, CheckKind.MAIN_LOADING) == pytest.approx([31.0], rel=1e-6)
    assert values_of(tree, now.value, CheckKind.SECTION_VOLTAGE) == pytest.approx([1.0] * 4, rel=1e-6)


def test_voltage_behind_a_resistance_by_hand(tmp_path):
    # 10 ohm on a base of 100 ohm, 0.4 MW of 1 MVA: v = (1 + sqrt(1 - 4 r p)) / 2.
    tree = tree_of(tmp_path, r_ohm={0: 10.0}, kva=(400.0,) * 5)

    counts = base_counts([400.0, 0.0, 0.0, 0.0, 0.0])
    now = assess(tree, full_course(profiles(), DEFAULT_LIMITS), counts, DEFAULT_LIMITS)

    vm_pu = (1.0 + (1.0 - 4.0 * 0.1 * 0.4) ** 0.5) / 2.0
    assert values_of(tree, now.value, CheckKind.SECTION_VOLTAGE) == pytest.approx([vm_pu, vm_pu, 1.0, 1.0], abs=1e-7)
    # At lower voltage the same power takes more current.
    assert values_of(tree, now.value, CheckKind.AREA_LOADING)[0] == pytest.approx(100.0 / vm_pu, rel=1e-6)


def test_areas_see_their_own_diversity_and_feeders_that_of_all(tmp_path):
    # One home's own peak is three times the mean; 4 homes in each area; alpha = 0.5.
    tree = tree_of(tmp_path)
    course = full_course(profiles(1.0, single=3.0, alpha=0.5), DEFAULT_LIMITS)

    now = assess(tree, course, base_counts([20.0] * 5, n_home=4), DEFAULT_LIMITS)

    own = 1.0 + 2.0 * 4**-0.5
    assert values_of(tree, now.value, CheckKind.AREA_LOADING) == pytest.approx([20.0 * own] * 5, rel=1e-6)
    first, second = (1.0 + 2.0 * homes**-0.5 for homes in (12, 8))
    feeders = [line_percent(60.0 * first), line_percent(40.0 * second)]
    assert values_of(tree, now.value, CheckKind.FEEDER_LOADING) == pytest.approx(feeders, rel=1e-6)
    # The main transformer carries what both feeders show it, each with its own diversity.
    main = 100.0 * (60.0 * first + 40.0 * second) / 10_000.0
    assert values_of(tree, now.value, CheckKind.MAIN_LOADING) == pytest.approx([main], rel=1e-6)


@pytest.mark.parametrize(
    ("high_steps", "expected"),
    [(7, 60.0), (8, 130.0), (9, 130.0)],
    ids=["1h45", "2h", "2h15"],
)
def test_an_overload_counts_from_two_hours_without_a_break(tmp_path, high_steps, expected):
    mean = np.full(32, 0.6)
    mean[10 : 10 + high_steps] = 1.3
    tree = tree_of(tmp_path)

    now = assess(tree, full_course(profiles(mean, n_case=32), DEFAULT_LIMITS), base_counts([100.0] * 5), DEFAULT_LIMITS)

    assert values_of(tree, now.value, CheckKind.AREA_LOADING) == pytest.approx([expected] * 5, rel=1e-6)
    # Voltages and 10 kV currents count at every moment.
    assert values_of(tree, now.value, CheckKind.MAIN_LOADING) == pytest.approx([100.0 * 0.65 / 10.0], rel=1e-6)
    assert set(now.case[tree.checks.kind == CheckKind.MAIN_LOADING]) == {10}


def test_a_break_ends_the_overload(tmp_path):
    mean = np.full(32, 0.6)
    mean[8:20] = 1.3
    mean[14] = 0.9
    tree = tree_of(tmp_path)

    now = assess(tree, full_course(profiles(mean, n_case=32), DEFAULT_LIMITS), base_counts([100.0] * 5), DEFAULT_LIMITS)

    # The best two hours hold the break, at which the load is 90 %.
    assert values_of(tree, now.value, CheckKind.AREA_LOADING) == pytest.approx([90.0] * 5, rel=1e-6)
    assert set(now.case[tree.checks.kind == CheckKind.AREA_LOADING]) == {14}


@pytest.fixture(scope="module")
def cold_wave() -> ClassProfiles:
    weather = scenario_weather("140827", start=date(2026, 1, 20), days=5, wave="W1", seed=2025)
    return class_profiles(weather, n_home=200)


def random_counts(rng: np.random.Generator, n_area: int) -> ClassCounts:
    count = rng.integers(0, 30, (n_area, len(CLASSES))).astype(float)
    count[:, 0] = rng.integers(5, 60, n_area)
    # Some classes are missing altogether, in some areas and in all.
    count[:, 1:] *= rng.random((n_area, len(CLASSES) - 1)) < 0.6
    return ClassCounts(rated_kw=count * rng.uniform(0.5, 2.5, count.shape), count=count)


@pytest.mark.parametrize("seed", range(6))
def test_the_short_course_keeps_every_worst_value(tmp_path, cold_wave, seed):
    tree = tree_of(tmp_path, r_ohm={0: 3.0, 1: 5.0, 2: 2.0, 3: 4.0}, kva=(100.0, 200.0, 400.0, 100.0, 200.0))
    counts = random_counts(np.random.default_rng(seed), 5)
    short, full = (make(cold_wave, DEFAULT_LIMITS) for make in (binding_course, full_course))
    assert len(short.case) < 0.4 * len(full.case)

    now, exact = (assess(tree, course, counts, DEFAULT_LIMITS) for course in (short, full))

    np.testing.assert_allclose(now.value, exact.value, rtol=1e-8)
    # The case that is named is one in which the element has that value.
    courses = check_courses(tree, full, counts, exact)
    followed = tree.checks.kind != CheckKind.HOT_SPOT
    at_case = courses[np.arange(len(now.case)), now.case]
    np.testing.assert_allclose(at_case[followed], now.value[followed], rtol=1e-8)


@pytest.mark.parametrize("kwp_per_home", [1.0, 60.0])
def test_the_short_course_keeps_every_worst_value_where_roofs_feed_in(tmp_path, kwp_per_home):
    """With many modules the worst hours of a transformer are those at noon, when its load is the lowest."""
    weather = scenario_weather("140827", start=date(2026, 1, 20), days=3, wave="none", seed=2025)
    sunny = class_profiles(weather, n_home=100, rooftop_pv=True)
    tree = tree_of(tmp_path, r_ohm={0: 3.0, 1: 5.0, 2: 2.0, 3: 4.0}, kva=(100.0, 200.0, 400.0, 100.0, 200.0))
    homes = random_counts(np.random.default_rng(1), 5)
    roofs = homes.count[:, :1]
    counts = ClassCounts(
        rated_kw=np.hstack([homes.rated_kw, kwp_per_home * roofs]), count=np.hstack([homes.count, roofs])
    )
    short, full = (make(sunny, DEFAULT_LIMITS) for make in (binding_course, full_course))

    now, exact = (assess(tree, course, counts, DEFAULT_LIMITS) for course in (short, full))

    np.testing.assert_allclose(now.value, exact.value, rtol=1e-8)
    assert len(short.case) < len(full.case)
    by_day = sunny.mean[now.case, -1] < 0.0
    assert kwp_per_home < 10.0 or by_day[tree.checks.kind == CheckKind.AREA_LOADING].all()


def test_a_short_course_of_equal_cases_keeps_one_window():
    course = binding_course(profiles(n_case=40), DEFAULT_LIMITS)

    assert course.case.tolist() == list(range(8))
    assert course.windows.tolist() == [list(range(8))]


def test_both_levels_together_are_the_whole(tmp_path):
    tree = tree_of(tmp_path, r_ohm={0: 3.0, 3: 4.0})
    course, counts = full_course(profiles(), DEFAULT_LIMITS), base_counts([30.0, 90.0, 20.0, 70.0, 10.0])

    whole = assess(tree, course, counts, DEFAULT_LIMITS)
    areas = assess_areas(tree, course, counts, DEFAULT_LIMITS)
    upper = assess_upper(tree, course, counts)
    some = assess_areas(tree, course, counts, DEFAULT_LIMITS, rows=np.array([3, 1]))

    np.testing.assert_array_equal(whole.value, np.concatenate([areas.value, upper.value]))
    np.testing.assert_array_equal(whole.case, np.concatenate([areas.case, upper.case]))
    np.testing.assert_array_equal(some.value, areas.value.reshape(3, 5)[:, [3, 1]].ravel())


def test_starting_from_a_nearby_state_changes_nothing(tmp_path):
    tree = tree_of(tmp_path, r_ohm={0: 8.0, 1: 5.0, 2: 2.0})
    course = full_course(profiles(), DEFAULT_LIMITS)
    near = assess(tree, course, base_counts([90.0] * 5), DEFAULT_LIMITS)

    cold = assess(tree, course, base_counts([60.0, 80.0, 10.0, 5.0, 90.0]), DEFAULT_LIMITS)
    warm = assess(tree, course, base_counts([60.0, 80.0, 10.0, 5.0, 90.0]), DEFAULT_LIMITS, start=near)

    np.testing.assert_allclose(warm.value, cold.value, rtol=1e-8)


def test_power_of_areas_over_time(tmp_path):
    mean = np.linspace(0.2, 1.0, 16)
    tree, course = tree_of(tmp_path), full_course(profiles(mean), DEFAULT_LIMITS)

    p_mw, q_mvar = area_power_mw(tree, course, base_counts([10.0, 20.0, 30.0, 40.0, 50.0]))

    np.testing.assert_allclose(p_mw, np.outer([0.01, 0.02, 0.03, 0.04, 0.05], mean))
    assert not q_mvar.any()


def test_a_state_without_solution_is_an_error(tmp_path):
    tree = tree_of(tmp_path, r_ohm={0: 100.0})

    with pytest.raises(NotConvergedError, match="16 of 16 cases"):
        assess(tree, full_course(profiles(), DEFAULT_LIMITS), base_counts([4_000.0] * 5), DEFAULT_LIMITS)


def hot(tmp_path, course_of, temperature_c, load_kw, **options) -> FloatArray:
    tree = tree_of(tmp_path)
    course = course_of(profiles(temperature_c=temperature_c), DEFAULT_LIMITS)
    now = assess(tree, course, base_counts(load_kw), DEFAULT_LIMITS, **options)
    return values_of(tree, now.value, CheckKind.HOT_SPOT)


def test_hot_spots_are_followed_where_they_may_reach_the_limit(tmp_path):
    # At 45 degC a transformer at its rating settles at 45 + 55 + 23 = 123 degC, one at half of it far below 120.
    found = hot(tmp_path, full_course, 45.0, [99.9999, 50.0, 99.99, 110.0, 10.0])

    assert found[0] == pytest.approx(123.0, abs=1e-3)
    assert found[2] == pytest.approx(123.0, abs=0.05)
    # Where the loading itself breaks its limit already, the hot spot decides nothing.
    assert np.isnan(found[[1, 3, 4]]).all()


def test_no_hot_spot_is_followed_where_none_can_reach_the_limit(tmp_path):
    # 41 + 55 + 23 = 119 degC
    assert np.isnan(hot(tmp_path, full_course, 41.0, [100.0] * 5)).all()


def test_all_hot_spots_are_followed_when_asked(tmp_path):
    found = hot(tmp_path, full_course, -10.0, [100.0, 50.0, 0.0, 110.0, 10.0], follow_hot_spots=True)

    assert found[0] == pytest.approx(68.0, abs=1e-4)
    # Unloaded: the no-load loss alone, R = 1.58 / 0.15 of the nameplate, exponent 0.8.
    assert found[2] == pytest.approx(-10.0 + 55.0 * (1.0 / (1.0 + 1.58 / 0.15)) ** 0.8, abs=1e-4)
    assert found[3] > 68.0


@pytest.mark.parametrize("course_of", [full_course, binding_course], ids=["full", "short"])
def test_the_case_of_a_hot_spot_is_its_hottest_moment(tmp_path, course_of):
    # Two equal loads, the second on the warmer day, and the oil follows hours later: neither the case of the
    # highest load nor one that the short course keeps.
    mean = np.full(192, 0.2)
    mean[20:60] = 1.0
    mean[116:156] = 1.0
    temperature_c = np.where(np.arange(192) < 96, 30.0, 46.0)
    tree = tree_of(tmp_path)
    course: Course = course_of(profiles(mean, n_case=192, temperature_c=temperature_c), DEFAULT_LIMITS)

    now = assess(tree, course, base_counts([99.9] * 5), DEFAULT_LIMITS)

    # The last quarter of an hour of the second load: oil and winding rise as long as it lasts.
    assert set(now.case[tree.checks.kind == CheckKind.HOT_SPOT]) == {155}
    assert values_of(tree, now.value, CheckKind.HOT_SPOT).min() > 120.0


def test_heaters_count_like_any_other_class(tmp_path):
    tree, course = tree_of(tmp_path), full_course(profiles(), DEFAULT_LIMITS)
    rated_kw, count = np.zeros((5, len(CLASSES))), np.zeros((5, len(CLASSES)))
    rated_kw[:, HEAT_PUMP], count[:, HEAT_PUMP] = 40.0, 20.0

    now = assess(tree, course, ClassCounts(rated_kw=rated_kw, count=count), DEFAULT_LIMITS)
    none = assess(tree, course, base_counts([0.0] * 5), DEFAULT_LIMITS)

    assert values_of(tree, now.value, CheckKind.AREA_LOADING) == pytest.approx([40.0] * 5, rel=1e-6)
    assert values_of(tree, none.value, CheckKind.AREA_LOADING) == pytest.approx([0.0] * 5, abs=1e-3)
