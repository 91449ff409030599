"""What is proposed for a county that can be followed by hand, and what each candidate is found to bring."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from gridcheck.checks.assessment import assess_upper
from gridcheck.checks.supply_tree import supply_trees
from gridcheck.connection.decision import Verdict
from gridcheck.connection.phase_balance import evened_phases
from gridcheck.powerflow.readings import node_voltages
from gridcheck.reinforcement import Project, default_terms, find_projects
from gridcheck.reinforcement.area_options import _AreaParts
from gridcheck.reinforcement.candidates import propose
from gridcheck.reinforcement.changes import build
from gridcheck.reinforcement.evaluate import evaluate, undominated
from gridcheck.reinforcement.measures import Candidate, NewArea, TapChange, TransformerSwap
from gridcheck.reinforcement.options import Part, item_of
from gridcheck.reinforcement.regulator_place import RegulatorKind, best_place
from gridcheck.reinforcement.situation import counts_of_tree, situation_of
from tests.support import planned_county as county
from tests.support.planned_county import A1, A2, A3, A4, F1
from tests.support.risk_areas import street


def by_measures(candidates):
    return {candidate.measures: candidate for candidate in candidates}


def deferred_ids(decided):
    return tuple(d.application.application_id for d in decided.decisions if d.verdict == Verdict.DEFER)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """Area 1 stands at 70 kW of 100 kVA and six households ask for 8 kW each: some of them do not fit."""
    return county.decided(county.grid(tmp_path_factory.mktemp("grid")), [(A1, 8.0)] * 6)


@pytest.fixture(scope="module")
def overloaded(tmp_path_factory):
    """Area 1 carries 130 kW with 100 kVA for three hours of the profile, and nobody asks for anything."""
    return county.decided(county.grid(tmp_path_factory.mktemp("grid"), homes=(120, 40, 40, 40)), [])


@pytest.fixture(scope="module")
def weak(tmp_path_factory):
    """Area 2 has low-voltage lines so long that their ends are below 198 V at full load."""
    grid = county.grid(tmp_path_factory.mktemp("grid"), homes=(60, 90, 40, 40), radius_m=(300, 4000, 300, 300))
    return county.decided(grid, [(A2, 2.0)])


def test_the_stage_is_set(crowded):
    waiting = deferred_ids(crowded)

    assert 0 < len(waiting) < 6
    # First come, first served.
    assert waiting == tuple(f"P{i}" for i in range(7 - len(waiting), 7))


def test_a_full_transformer_gets_swaps_and_a_second_one(crowded):
    candidates = propose(situation_of(crowded))

    assert [c.measures for c in candidates] == [
        ("transformer_swap_200",),
        ("transformer_swap_400",),
        ("new_area_200",),
        ("new_area_400",),
    ]
    assert {(c.group, c.area_id, c.feeder_id) for c in candidates} == {(f"area:{A1}", A1, F1)}
    assert [c.project_id for c in candidates] == [f"140800-R000{i}" for i in (1, 2, 3, 4)]
    # 17 + 24 a km for 0.3 km of spur + 16 a km for 0.2 km of lines.
    assert [c.cost_yuan for c in candidates] == [80_000.0, 110_000.0, 274_000.0, 324_000.0]
    new_area = candidates[2].changes[0]
    assert isinstance(new_area, NewArea)
    assert new_area.takes == deferred_ids(crowded)


def test_a_swap_unlocks_all_who_wait(crowded):
    situation = situation_of(crowded)

    swap = evaluate(situation, propose(situation)[0])

    assert swap.application_ids == deferred_ids(crowded)
    assert swap.households_unlocked == len(deferred_ids(crowded))
    assert swap.reason == "new_load"


def test_a_new_area_unlocks_all_who_wait(crowded):
    situation = situation_of(crowded)

    project = evaluate(situation, propose(situation)[2])

    assert project.application_ids == deferred_ids(crowded)


def test_only_the_cheapest_of_equals_is_kept(crowded):
    projects = find_projects(crowded)

    assert [p.candidate.measures for p in projects] == [("transformer_swap_200",)]


def test_a_measure_that_is_too_small_claims_no_more_than_fits(tmp_path):
    # 160 kW of wishes on top of 70: 200 kVA carry some of it, 400 kVA all.
    decided = county.decided(county.grid(tmp_path), [(A1, 8.0)] * 20)

    small, large = (p for p in find_projects(decided) if p.candidate.measure.startswith("transformer_swap"))

    assert (small.candidate.measure, large.candidate.measure) == ("transformer_swap_200", "transformer_swap_400")
    assert 0 < small.households_unlocked < large.households_unlocked == len(deferred_ids(decided))
    assert small.application_ids == deferred_ids(decided)[: small.households_unlocked]


def test_hours_of_overload_are_counted_by_the_quarter(overloaded):
    (swap,) = find_projects(overloaded)

    assert swap.candidate.measures == ("transformer_swap_200",)
    # Twelve quarter hours at full load, none afterwards.
    assert swap.overload_hours_removed == 3.0
    assert (swap.households_unlocked, swap.undervoltage_hours_removed, swap.reason) == (0, 0.0, "overload")


def test_hours_that_remain_are_not_counted_as_removed(tmp_path):
    # 260 kW: 200 kVA are not enough, and the hours stay.
    decided = county.decided(county.grid(tmp_path, homes=(250, 40, 40, 40)), [])
    situation = situation_of(decided)
    candidates = by_measures(propose(situation))

    assert evaluate(situation, candidates[("transformer_swap_200",)]).overload_hours_removed == 0.0
    assert evaluate(situation, candidates[("transformer_swap_400",)]).overload_hours_removed == 3.0
    # Half of 260 kW stays on 100 kVA, the other half goes to 200 kVA.
    assert evaluate(situation, candidates[("new_area_200",)]).overload_hours_removed == 0.0


def test_low_voltage_gets_measures_of_the_lines(weak):
    candidates = by_measures(propose(situation_of(weak)))

    assert {
        ("phase_balancing",),
        ("lv_reconductor",),
        ("lv_reconductor", "phase_balancing"),
        ("new_area_200",),
        ("new_area_400",),
    } <= set(candidates)
    assert not any("transformer_swap" in measure for measures in candidates for measure in measures)
    # By hand first, then switches that follow: 0.5 and 6.
    assert candidates[("phase_switches", "phase_balancing")].cost_yuan == 65_000.0
    factors = [change.unbalance_factor for change in candidates[("phase_switches", "phase_balancing")].changes]
    assert factors == [1.1, 1.05]
    # Three circuits of 4 km at 9 a km, and 0.5 for the phases.
    assert candidates[("lv_reconductor",)].cost_yuan == 1_080_000.0
    assert candidates[("lv_reconductor", "phase_balancing")].cost_yuan == 1_085_000.0


def test_low_voltage_is_lifted_and_the_household_connected(weak):
    situation = situation_of(weak)
    candidates = by_measures(propose(situation))
    project = evaluate(situation, candidates[("lv_reconductor",)])

    assert project.application_ids == ("P1",)
    assert project.undervoltage_hours_removed == 3.0
    assert replace(project, households_unlocked=0).reason == "low_voltage"
    # By the estimate even phases do as much for less money: 3.55 times the drop of a balanced line become 3.05.
    assert [p.candidate.measures for p in find_projects(weak)][-1] == ("phase_switches", "phase_balancing")


@pytest.mark.parametrize(
    ("position", "light_load", "ratio"),
    [
        # 35 kV at 1.00 pu and 10.5/10 give 1.05 pu: 242 V at the nominal tap, above 235.4 V already.
        (0, 0.5, None),
        # At +5 % 229.9 V remain with 45 kW: one step would make 235.5 V of them.
        (2, 0.5, None),
        # With 63 kW 229.5 V: one step makes 235.1 V.
        (2, 0.7, 1.025),
    ],
)
def test_a_tap_is_offered_only_as_far_as_the_light_case_allows(tmp_path, position, light_load, ratio):
    elements = county.tables(tap_pos=(0, position, 0, 0))
    grid = county.grid(tmp_path, elements=elements, homes=(60, 90, 40, 40), radius_m=(300, 4000, 300, 300))
    cold = county.profiles((light_load,) * 4 + (1.0,) * 8)

    candidates = by_measures(propose(situation_of(county.decided(grid, [], cold))))

    if ratio is None:
        assert ("tap_change",) not in candidates
    else:
        tap = candidates[("tap_change",)]
        assert tap.changes == (TapChange(area_id=A2, tap_ratio=ratio),)
        assert tap.cost_yuan == 500.0
        assert ("phase_balancing", "tap_change") in candidates


def test_on_load_taps_are_offered_where_light_hours_forbid_to_set_them_by_hand(tmp_path):
    # 206 V at the busbar under full load and 238 V in light hours: no tap suits both.
    elements = county.tables()
    elements["line"].loc[[1, 2], "length_km"] = 60.0
    grid = county.grid(tmp_path, homes=(60, 180, 150, 40), radius_m=(300, 300, 1200, 300), elements=elements)
    decided = county.decided(grid, [])
    situation = situation_of(decided)

    measure = ("transformer_swap_400_oltc",)
    candidates = by_measures(c for c in propose(situation) if c.area_id == A3)
    assert ("tap_change",) not in candidates
    change = candidates[measure].changes[0]
    # 206.6 / 230.9 V would be a ratio of 0.895; four steps are the most.
    assert (change.tap_ratio, change.type_name) == (0.9, "S20-400-Dyn11")
    assert candidates[measure].cost_yuan == 170_000.0
    assert evaluate(situation, candidates[measure]).undervoltage_hours_removed == 3.0

    # A regulator in each of three circuits: 230.9 / 206.6 V are 11.8 %, four whole steps of 2.5 %.
    circuits = candidates[("lv_regulator",)]
    assert (circuits.changes[0].boost, circuits.changes[0].nodes, circuits.cost_yuan) == (0.1, (), 150_000.0)
    assert evaluate(situation, circuits).undervoltage_hours_removed == 3.0

    # Lines so long that 227 V at their beginning are not enough get none.
    long = county.grid(tmp_path, homes=(60, 180, 150, 40), radius_m=(300, 300, 1500, 300), elements=elements)
    more = by_measures(c for c in propose(situation_of(county.decided(long, []))) if c.area_id == A3)
    assert ("lv_regulator",) not in more

    def offered(**changed):
        other = situation_of(replace(decided, terms=replace(decided.terms, **changed)))
        return measure in by_measures(c for c in propose(other) if c.area_id == A3)

    assert offered()
    # A set point below what is there raises nothing.
    assert not offered(oltc_setpoint_pu=0.9)


def test_on_load_taps_are_not_offered_where_the_busbar_is_high_enough(weak):
    assert not any("oltc" in c.measure or "regulator" in c.measure for c in propose(situation_of(weak)))


def test_phases_are_evened_before_a_regulator_is_placed_in_drawn_lines():
    # A trunk of four poles with a box at the second and at the last; the near box leaves phase C high.
    lines = street(6, poles=4, metres=150.0, phases=(0, 1))
    parts = _AreaParts.__new__(_AreaParts)
    parts.terms, parts.area, parts.area_id = default_terms(), {"lv_circuits": 1, "kva": 100.0}, "A"
    parts.drawn, parts.heavy = lines, (np.full(6, 2.5), 0.2)
    parts.lowest_lv_v, parts.voltage_min_v = 222.0, 198.0
    balancing = (
        Part(measure="phase_balancing", change=None, description="", items=(item_of(parts.terms, "phase_balancing"),)),
    )

    ((first, regulator),) = parts.line_regulators(balancing)

    assert first is balancing[0]
    assert (regulator.measure, regulator.cost_yuan) == ("lv_regulator", 50_000.0)
    change = regulator.change
    even = replace(lines, home_phase=evened_phases(lines, parts.heavy[0]))
    assert sorted(np.bincount(even.home_phase)) == [2, 2, 2]
    kind = RegulatorKind(range=0.15, step=0.025, setpoint_v=400.0 / 3**0.5, rated_ka=0.1 / 3**0.5 / 0.4)
    place = best_place(even, parts.heavy[0], 0.2, 222.0, kind)
    assert (change.nodes, change.boost) == ((lines.node_name[place.node],), place.boost)
    # What would stay below the limit, or is at the set point, gets none.
    parts.voltage_min_v = 229.0
    assert parts.line_regulators(balancing) == ()


def test_an_overloaded_line_is_replaced(tmp_path):
    elements = county.tables()
    # 80 kW at 10.4 kV are 4.4 A.
    elements["line"].loc[1, "max_i_ka"] = 0.004
    decided = county.decided(county.grid(tmp_path, elements=elements), [(A4, 1.0), (f"{A1[:-1]}2", 1.0)])

    (project,) = find_projects(decided)

    assert project.candidate.measures == ("mv_reconductor",)
    assert project.candidate.group == f"feeder:{F1}"
    assert project.candidate.changes[0].line_types == ((1, "JKLYJ-10-240"),)
    assert project.cost_yuan == 18 * 3.0 * 10_000
    assert project.application_ids == ("P2",)
    assert project.overload_hours_removed == 3.0


def test_a_long_feeder_gets_half_of_the_way_and_all_of_it(tmp_path):
    elements = county.tables()
    # 360 kW through 27 ohm and 180 kW through another 27 ohm: 9 % and 5 % of 10.4 kV.
    elements["line"].loc[[1, 2], "length_km"] = 60.0
    grid = county.grid(tmp_path, homes=(60, 180, 180, 40), elements=elements)
    situation = situation_of(county.decided(grid, []))

    *candidates, regulator = [c for c in propose(situation) if c.group.startswith("feeder:")]

    # The first line is of the strongest type already.
    assert [[line for line, _ in c.changes[0].line_types] for c in candidates] == [[1], [1, 2]]
    half, whole = (evaluate(situation, c) for c in candidates)
    assert half.candidate.cost_yuan == 18 * 60 * 10_000
    # Low on the feeder itself for three hours, and at the ends of the low-voltage lines; the stronger line mends all.
    hours = situation.trees[0].hours
    assert hours.feeder_undervoltage_h.tolist() == [3.0, 0.0]
    low_h = 3.0 + hours.area_undervoltage_h.sum()
    assert whole.undervoltage_hours_removed == low_h
    assert 0.0 <= half.undervoltage_hours_removed <= low_h
    # Only the last pole is low; the regulator stands in the line to it and lifts what it finds to 1.03 pu at most.
    assert regulator.measures == ("mv_regulator",)
    assert regulator.cost_yuan == 380_000.0
    change = regulator.changes[0]
    assert (change.feeder_id, change.line_id) == (F1, 2)
    built = build(situation.county.grid, (change,))
    before, after = (section_voltages(g, situation) for g in (situation.county.grid, built))
    assert 1.03 - 1.5 * 0.0125 < before[3] * (1.0 + change.boost) <= 1.03
    assert before[4] < 0.93 < after[4]
    lifted = evaluate(situation, regulator)
    assert lifted.undervoltage_hours_removed >= 3.0
    assert regulator.project_id in [project.project_id for project in find_projects(situation.county)]


def section_voltages(grid, situation):
    """Lowest voltages of poles 2 to 5 with the load at the end of the queue. [pu]"""
    tree = supply_trees(grid, situation.county.limits)[0]
    upper = assess_upper(tree, situation.full, counts_of_tree(tree, situation.counts))
    vm_pu = node_voltages(upper.state).min(axis=1)
    return {bus: vm_pu[node] for node, bus in enumerate(tree.model.bus.tolist()) if 1 < bus < 6}


def test_a_regulator_that_is_too_small_or_cannot_help_is_not_offered(tmp_path):
    elements = county.tables()
    elements["line"].loc[[1, 2], "length_km"] = 60.0
    grid = county.grid(tmp_path, homes=(60, 180, 180, 40), elements=elements)
    decided = county.decided(grid, [])
    terms = decided.terms

    def offered(**changed):
        situation = situation_of(replace(decided, terms=replace(terms, **changed)))
        return any("mv_regulator" in c.measures for c in propose(situation))

    assert offered()
    # 180 kW and the losses of the line, not 0.1 MVA; 1 % is not enough; a set point below what is there leaves no step.
    assert not offered(mv_regulator_mva=0.1)
    assert not offered(mv_regulator_range=0.0125)
    assert not offered(mv_regulator_setpoint_pu=0.93)


def test_nothing_is_proposed_where_nothing_is_wrong(tmp_path):
    decided = county.decided(county.grid(tmp_path), [(A4, 2.0)])

    assert propose(situation_of(decided)) == ()
    assert find_projects(decided) == ()


def test_a_county_can_be_sent_to_another_process(crowded):
    again = pickle.loads(pickle.dumps(crowded))

    assert find_projects(again) == find_projects(crowded)


def made(project_id, cost, households=0, hours=0.0, group="g"):
    candidate = Candidate(
        project_id=project_id,
        county_code="1",
        feeder_id="",
        area_id="",
        group=group,
        measures=("x",),
        description="",
        cost_yuan=cost,
    )
    return Project(candidate=candidate, households_unlocked=households, overload_hours_removed=hours)


def test_dominated_alternatives_are_left_out():
    best = made("a", 10.0, 3, 1.0)
    same, dearer, worse = made("b", 10.0, 3, 1.0), made("c", 11.0, 3, 1.0), made("d", 10.0, 2, 1.0)
    other, longer = made("e", 11.0, 3, 1.0, group="h"), made("f", 12.0, 1, 9.0)
    nothing, harm = made("g", 0.0, group="i"), made("h", 0.0, 0, -1.0, group="i")

    kept = undominated([nothing, longer, dearer, same, best, worse, other, harm])

    assert [p.project_id for p in kept] == ["f", "b", "e"]


def test_swap_changes_name_the_new_type(crowded):
    changes = [c.changes[0] for c in propose(situation_of(crowded)) if c.measure.startswith("transformer")]

    assert changes == [
        TransformerSwap(area_id=A1, type_name="S20-200-Dyn11"),
        TransformerSwap(area_id=A1, type_name="S20-400-Dyn11"),
    ]
    assert np.isfinite([c.cost_yuan for c in propose(situation_of(crowded))]).all()


def test_more_wishes_than_a_county_can_carry(tmp_path):
    # 12 MW behind 100 kVA: all at once there is no solution, and every candidate still gets an honest answer.
    decided = county.decided(county.grid(tmp_path), [(A1, 40.0)] * 300)
    situation = situation_of(decided)
    assert not situation.trees[0].upper_holds_if_all

    swap = evaluate(situation, propose(situation)[0])

    # 200 kVA at 70 kW: three times 40 kW fit, or two beside what the losses take.
    assert 2 <= swap.households_unlocked <= 3
