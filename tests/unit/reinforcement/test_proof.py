"""The proof: true claims hold, planted false ones are found and taken back, nobody loses a connection."""

from dataclasses import replace

import numpy as np
import pytest

from gridcheck.cases import LoadCases
from gridcheck.errors import PlanError
from gridcheck.powerflow import solve
from gridcheck.reinforcement import (
    Candidate,
    Project,
    choose_projects,
    find_projects,
    plan_until_proved,
    prove_plan,
)
from gridcheck.reinforcement import proof as proof_module
from gridcheck.reinforcement.measures import NewArea, TransformerSwap
from gridcheck.reinforcement.menu import Conditions
from gridcheck.reinforcement.proof import ProofTask, prove
from tests.support import planned_county as county
from tests.support.county_folder import CODE
from tests.support.planned_county import A1, A2, A4, F1


def swap_of(area_id, project_id, ids, *, cost=10_000.0, hours=0.0, type_name="S20-400-Dyn11"):
    candidate = Candidate(
        project_id=project_id,
        county_code=CODE,
        feeder_id=F1,
        area_id=area_id,
        group=f"area:{area_id}",
        measures=("transformer_swap_400",),
        description="",
        cost_yuan=cost,
        changes=(TransformerSwap(area_id=area_id, type_name=type_name),),
    )
    return Project(
        candidate=candidate,
        households_unlocked=len(ids),
        application_ids=tuple(ids),
        overload_hours_removed=hours,
    )


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """Area 1 is full after some of six households; area 4 has room for the one that asks there."""
    grid = county.grid(tmp_path_factory.mktemp("grid"))
    return county.decided(grid, [(A1, 8.0)] * 6 + [(A4, 5.0)])


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    """The first line carries one more household of 8 kW, not two; the first one in the queue waits for area 1."""
    elements = county.tables()
    homes = (86, 40, 40, 40)
    grid = county.grid(tmp_path_factory.mktemp("wide"), homes=homes, elements=elements)
    one, two = (outlet_ka(grid, extra_kw) for extra_kw in (8.0, 16.0))
    elements["line"].loc[0, "max_i_ka"] = (one + two) / 2.0
    grid = county.grid(tmp_path_factory.mktemp("narrow"), homes=homes, elements=elements)
    return county.decided(grid, [(A1, 8.0), (A2, 8.0)])


def outlet_ka(grid, extra_kw):
    p_mw = np.zeros((1, grid.network.n_bus))
    p_mw[0, [6, 7, 8, 9]] = np.array([96.0, 40.0 + extra_kw, 40.0, 40.0]) / 1000.0
    return float(solve(grid.network, LoadCases(p_mw=p_mw, q_mvar=0.0 * p_mw)).i_ka[0, 0])


def waiting_ids(decided):
    return tuple(d.application.application_id for d in decided.decisions if not d.connected)


def test_what_was_found_holds(crowded):
    (swap,) = find_projects(crowded)

    proof = prove(ProofTask(county=crowded, projects=(swap,)))

    assert proof.holds
    assert proof.gained == swap.application_ids == waiting_ids(crowded)
    assert proof.proved == ((swap.project_id, swap.application_ids),)
    assert [d.application.application_id for d in proof.decisions] == [f"P{i}" for i in range(1, 8)]


def test_a_new_area_holds_with_the_applications_that_moved(crowded):
    change = NewArea(
        area_id=A1,
        new_area_id=f"{A1}N",
        type_name="S20-200-Dyn11",
        spur_type_name="JKLYJ-10-120",
        spur_km=0.3,
        radius_factor=0.7,
        split_line_km=0.2,
        takes=waiting_ids(crowded),
    )
    project = swap_of(A1, "R1", waiting_ids(crowded))
    project = replace(project, candidate=replace(project.candidate, changes=(change,)))

    proof = prove(ProofTask(county=crowded, projects=(project,)))

    assert proof.holds
    moved = [d for d in proof.decisions if d.application.application_id in waiting_ids(crowded)]
    assert {d.application.area_id for d in moved} == {f"{A1}N"}


def test_a_planted_false_claim_is_found(crowded):
    waiting = waiting_ids(crowded)
    planted = swap_of(A2, "R9", waiting)

    proof = prove(ProofTask(county=crowded, projects=(planted,)))

    assert not proof.holds
    assert [(f.project_id, f.application_id, f.lost) for f in proof.failures] == [("R9", i, False) for i in waiting]
    assert {(f.element, f.quantity) for f in proof.failures} == {(A1, "area_loading_percent")}
    assert proof.proved == (("R9", ()),)


def test_a_claim_on_somebody_who_is_connected_already_is_false(crowded):
    proof = prove(ProofTask(county=crowded, projects=(swap_of(A4, "R9", ["P7"]),)))

    assert [(f.application_id, f.lost) for f in proof.failures] == [("P7", False)]


def test_a_claim_on_nobody_is_an_error(crowded):
    with pytest.raises(PlanError, match="P99"):
        prove(ProofTask(county=crowded, projects=(swap_of(A1, "R9", ["P99"]),)))


def test_a_plan_takes_false_claims_back_and_chooses_again(crowded):
    (honest,) = find_projects(crowded)
    planted = swap_of(A2, "R9", waiting_ids(crowded), cost=100.0)
    # The money is enough for both, and the false promise is the cheaper way to the same households.
    assert [p.project_id for p in choose_projects([honest, planted], 1e6).chosen] == ["R9"]

    proved = prove_plan([crowded], [honest, planted], 1e6)

    assert [p.project_id for p in proved.plan.chosen] == [honest.project_id]
    assert (proved.rounds, proved.is_best) == (2, True)
    assert {f.project_id for f in proved.withdrawn} == {"R9"}
    assert proved.plan.households_unlocked == len(proved.proofs[0].gained) == len(waiting_ids(crowded))
    assert [i.project.application_ids for i in proved.plan.items if i.project.project_id == "R9"] == [()]


def test_the_stage_for_a_lost_connection(narrow):
    assert waiting_ids(narrow) == ("P1",)
    # At the end of the queue there is no room on the line for the one that waits.
    assert not any("P1" in p.application_ids for p in find_projects(narrow) if not p.candidate.requires)


def test_who_is_connected_is_not_displaced_by_who_had_to_wait(narrow):
    # The line has room for one of the two, and the one that waits stands first in the queue.
    greedy = swap_of(A1, "R9", ["P1"])

    proof = prove(ProofTask(county=narrow, projects=(greedy,)))

    assert [(f.project_id, f.application_id, f.lost) for f in proof.failures] == [("R9", "P1", False)]
    assert proof.gained == ()


def small_unit(project_id, **values):
    """A project that takes a connection away: 30 kVA for the area of P2."""
    return swap_of(A2, project_id, [], type_name="S11-30-Dyn11", **values)


def test_a_lost_connection_is_found_and_its_project_left_out(narrow):
    harmful = small_unit("R9", hours=1.0)
    proof = prove(ProofTask(county=narrow, projects=(harmful,)))
    assert [(f.project_id, f.application_id, f.lost) for f in proof.failures] == [("R9", "P2", True)]
    assert proof.gained == ()

    proved = prove_plan([narrow], [harmful], 1e6)

    assert proved.plan.chosen == ()
    assert [f.application_id for f in proved.withdrawn] == ["P2"]


def test_a_project_of_the_own_area_is_left_out_before_weaker_ones_elsewhere(narrow):
    weak, own = swap_of(A1, "R8", [], cost=90_000.0), small_unit("R9", cost=1_000.0, hours=9.0)

    proof = prove(ProofTask(county=narrow, projects=(weak, own)))

    assert [f.project_id for f in proof.failures if f.lost] == ["R9"]


@pytest.mark.parametrize(("cause", "left_out"), [("R8", "R8"), ("R9", "R9"), (None, "R9")])
def test_elsewhere_it_is_the_project_without_which_the_connection_stays(narrow, monkeypatch, cause, left_out):
    monkeypatch.setattr(proof_module, "_stays_without", lambda _, project, *__: project.project_id == cause)
    strong, weak = swap_of(A1, "R8", ["P1"], cost=1_000.0), swap_of(A1, "R9", [], cost=90_000.0, hours=1.0)
    lost = [decision for decision in narrow.decisions if decision.application.application_id == "P2"]

    blamed = proof_module._blamed(ProofTask(county=narrow, projects=(strong, weak)), lost, {})

    assert blamed == [(left_out, lost[0])]


def test_whether_a_connection_stays_without_a_project_is_decided_anew(narrow):
    harmful, harmless = small_unit("R9"), swap_of(A1, "R8", [])
    task = ProofTask(county=narrow, projects=(harmless, harmful))
    (lost,) = [decision for decision in narrow.decisions if decision.application.application_id == "P2"]

    assert proof_module._stays_without(task, harmful, lost, {})
    assert not proof_module._stays_without(task, harmless, lost, {})


def test_when_rounds_run_out_the_plan_is_cut_down_to_what_is_true(crowded, monkeypatch):
    monkeypatch.setattr("gridcheck.reinforcement.proof._MAX_ROUNDS", 1)
    (honest,) = find_projects(crowded)
    planted = swap_of(A2, "R9", waiting_ids(crowded), cost=100.0)

    proved = prove_plan([crowded], [honest, planted], 1e6)

    assert (proved.is_best, proved.plan.status) == (False, "fixed")
    assert [p.project_id for p in proved.plan.chosen] == ["R9"]
    assert proved.plan.households_unlocked == 0
    assert all(proof.holds for proof in proved.proofs)


def test_trees_without_a_project_are_not_decided_again(crowded):
    nothing = prove(ProofTask(county=crowded, projects=()))

    assert nothing.decisions == crowded.decisions
    assert nothing.holds


def test_the_whole_way_with_another_map(crowded):
    calls = []

    def run(function, items):
        calls.append((function.__name__, len(items)))
        return [function(item) for item in items]

    proved = plan_until_proved([crowded], 100_000.0, run=run)

    assert proved.plan.households_unlocked == len(waiting_ids(crowded))
    assert proved.plan.cost_yuan == 80_000.0
    assert calls == [("find_projects", 1), ("decide_tree", 1)]


def test_no_money_no_project(crowded):
    proved = plan_until_proved([crowded], 0.0)

    assert (proved.plan.chosen, proved.proofs, proved.rounds) == ((), (), 1)


def test_a_county_is_planned_for_once(crowded):
    with pytest.raises(PlanError, match="twice"):
        prove_plan([crowded, crowded], [], 1.0)


def test_a_forced_project_that_costs_a_connection_is_refused_by_name(narrow):
    with pytest.raises(PlanError, match="'R9': P2 would lose its connection"):
        prove_plan([narrow], [small_unit("R9")], 1e6, Conditions(forced=("R9",)))


def test_of_several_projects_a_forced_one_stays(narrow):
    strong, weak = small_unit("R8", cost=1_000.0, hours=9.0), small_unit("R9", cost=90_000.0, hours=1.0)

    for forced, left_out in (((), "R9"), (("R9",), "R8")):
        proof = prove(ProofTask(county=narrow, projects=(strong, weak), forced=forced))
        assert [f.project_id for f in proof.failures if f.lost] == [left_out]


def test_a_forbidden_project_may_be_withdrawn_before(crowded):
    (honest,) = find_projects(crowded)

    proved = prove_plan([crowded], [honest], 1e6, Conditions(forbidden=(honest.project_id,)))

    assert proved.plan.chosen == ()
