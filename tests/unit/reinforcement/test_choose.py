"""The choice under a budget: order of aims, rank, reasons, and what is refused."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from gridcheck.errors import InputError, PlanError, SchemaError
from gridcheck.reinforcement import Candidate, Project, choose_projects, plan_table, projects_of_table
from gridcheck.reinforcement.choose import fixed_plan
from gridcheck.reinforcement.menu import Conditions, choose
from gridcheck.reinforcement.packages import menu_of_packages, read_packages
from gridcheck.reinforcement.plan_table import candidate_table
from gridcheck.reports.candidates import CANDIDATES
from gridcheck.reports.tables import csv_bytes


def project(project_id, cost, households=0, hours=0.0, mwh=0.0, *, group="", ids=()):
    candidate = Candidate(
        project_id=project_id,
        county_code="140826",
        feeder_id="F",
        area_id="",
        group=group or f"only {project_id}",
        measures=("transformer_swap_200", "phase_balancing"),
        description="old → new",
        cost_yuan=cost,
    )
    return Project(
        candidate=candidate,
        households_unlocked=len(ids) or households,
        application_ids=tuple(ids),
        overload_hours_removed=hours,
        unsupplied_mwh_removed=mwh,
    )


def chosen_ids(plan):
    return [p.project_id for p in plan.chosen]


def test_households_come_before_hours_before_energy_before_cost():
    rivals = [
        project("hours", 100.0, 0, 500.0, group="g"),
        project("household", 100.0, 1, 0.0, group="g"),
    ]
    assert chosen_ids(choose_projects(rivals, 100.0)) == ["household"]

    rivals = [project("a", 100.0, 1, 1.0, 9.0, group="g"), project("b", 100.0, 1, 1.25, 0.0, group="g")]
    assert chosen_ids(choose_projects(rivals, 100.0)) == ["b"]

    rivals = [project("a", 100.0, 1, 1.0, 0.002, group="g"), project("b", 90.0, 1, 1.0, 0.001, group="g")]
    assert chosen_ids(choose_projects(rivals, 100.0)) == ["a"]

    rivals = [project("a", 100.0, 1, 1.0, 1.0, group="g"), project("b", 99.99, 1, 1.0, 1.0, group="g")]
    assert chosen_ids(choose_projects(rivals, 100.0)) == ["b"]


def test_better_than_greedy():
    # Greedy takes the best ratio first, and then neither of the others fits.
    projects = [project("a", 60.0, 7), project("b", 50.0, 5), project("c", 50.0, 5)]

    plan = choose_projects(projects, 100.0)

    assert chosen_ids(plan) == ["b", "c"]
    assert (plan.households_unlocked, plan.cost_yuan, plan.gap, plan.status) == (10, 100.0, 0.0, "optimal")


def test_an_application_that_two_projects_unlock_counts_once():
    projects = [
        project("a", 50.0, ids=("P1", "P2"), group="left"),
        project("b", 50.0, ids=("P1", "P2"), group="right"),
        project("c", 50.0, ids=("P3",), group="far"),
    ]

    plan = choose_projects(projects, 100.0)

    assert "c" in chosen_ids(plan)
    assert plan.households_unlocked == 3


def test_at_most_one_of_a_group():
    plan = choose_projects([project("a", 1.0, 5, group="g"), project("b", 1.0, 6, group="g")], 100.0)

    assert chosen_ids(plan) == ["b"]
    assert [(i.project.project_id, i.outcome) for i in plan.items] == [("b", "chosen"), ("a", "alternative_chosen")]


def test_what_brings_nothing_is_not_bought():
    plan = choose_projects([project("a", 1.0), project("b", 0.0, 0, -2.0)], 100.0)

    assert chosen_ids(plan) == []
    assert [i.outcome for i in plan.items] == ["no_benefit", "no_benefit"]


def test_rank_follows_benefit_per_money_then_hours_then_id():
    projects = [
        project("z", 10_000.0, 4),
        project("y", 20_000.0, 4, 3.0),
        project("x", 20_000.0, 4, 4.0),
        project("w", 20_000.0, 4, 4.0),
        project("dear", 900_000.0, 1),
    ]

    plan = choose_projects(projects, 100_000.0)

    assert [(i.rank, i.project.project_id) for i in plan.items] == [(1, "z"), (2, "w"), (3, "x"), (4, "y"), (5, "dear")]
    assert [i.benefit_per_wan for i in plan.items] == [4.0, 2.0, 2.0, 2.0, 1 / 90]
    assert [i.cumulative_cost_yuan for i in plan.items[:4]] == [10_000.0, 30_000.0, 50_000.0, 70_000.0]
    assert math.isnan(plan.items[4].cumulative_cost_yuan)
    assert plan.items[4].outcome == "over_budget"


def test_the_order_of_the_candidates_does_not_matter():
    projects = [project(f"p{i}", 10.0 + i % 3, i % 4, float(i % 2)) for i in range(12)]

    there, back = (plan_table(choose_projects(given, 50.0)) for given in (projects, projects[::-1]))

    pd.testing.assert_frame_equal(there, back)


def test_the_budget_is_kept_to_the_fen():
    projects = [project("a", 0.10, 1), project("b", 0.20, 1)]

    assert len(choose_projects(projects, 0.30).chosen) == 2
    assert len(choose_projects(projects, 0.29).chosen) == 1


def test_nothing_to_choose_from():
    plan = choose_projects([], 18e6)

    assert (plan.items, plan.households_unlocked, plan.cost_yuan) == ((), 0, 0.0)
    assert list(plan_table(plan))[:3] == ["rank", "project_id", "county_code"]


def test_no_money():
    projects = [project("a", 1.0, 5), project("free", 0.0, 1)]

    plan = choose_projects(projects, 0.0)

    assert chosen_ids(plan) == ["free"]
    assert plan.items[0].benefit_per_wan == math.inf


def test_every_fault_is_named_with_its_row():
    faulty = [
        project("a", -1.0, 1),
        project("a", float("nan"), 1),
        project("c", 1.0, -1),
        project("d", 1.0, 1, float("inf")),
        Project(candidate=project("e", 1.0).candidate, households_unlocked=2, application_ids=("P1",)),
    ]

    with pytest.raises(InputError) as caught:
        choose_projects(faulty, 1.0)

    text = "\n".join(caught.value.findings)
    for words in ("row 1 (a): cost_yuan", "row 2 (a): project_id", "row 2 (a): cost_yuan", "row 3 (c): households",
                  "row 4 (d): overload_hours_removed", "row 5 (e): households_unlocked is 2"):  # fmt: skip
        assert words in text


@pytest.mark.parametrize("budget", [-1.0, float("nan"), float("inf")])
def test_an_impossible_budget(budget):
    with pytest.raises(PlanError, match="budget_yuan"):
        choose_projects([], budget)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"households": 1, "hours": 9.0}, "new_load"),
        ({"mwh": 1.0, "hours": 9.0}, "stronger_grid"),
        ({"hours": 1.0}, "overload"),
    ],
)
def test_reasons(given, reason):
    assert project("a", 1.0, **given).reason == reason


def test_a_given_choice_is_ranked_but_not_sought():
    plan = fixed_plan([project("a", 10.0, 1), project("b", 10.0, 9)], {"a"}, 10.0)

    assert chosen_ids(plan) == ["a"]
    assert (plan.status, math.isnan(plan.gap)) == ("fixed", True)


def needing(projects, **requires):
    return [
        replace(one, candidate=replace(one.candidate, requires=tuple(requires.get(one.project_id, ()))))
        for one in projects
    ]


def test_forced_forbidden_and_required_projects():
    projects = [project("a", 60.0, 7), project("b", 50.0, 5), project("c", 40.0), project("d", 50.0, 5)]

    assert chosen_ids(choose_projects(projects, 100.0, Conditions(forced=("c",), forbidden=("d",)))) == ["a", "c"]
    assert chosen_ids(choose_projects(needing(projects, d=["c"], b=["a"]), 100.0)) == ["a"]
    assert chosen_ids(choose_projects(needing(projects, b=["a"]), 110.0)) == ["a", "b"]
    with pytest.raises(PlanError, match="smallest budget that could is 100 yuan"):
        choose_projects(projects, 99.0, Conditions(forced=("a", "c")))
    with pytest.raises(InputError, match="'b' requires 'x'"):
        choose_projects(needing(projects, b=["x"]), 99.0)


def test_the_table_of_a_plan_can_be_chosen_from_again():
    projects = [project("a", 60.0, 7, 1.5), project("b", 50.0, 5), project("c", 50.0, 5, mwh=0.5, group="g")]
    table = plan_table(choose_projects(projects, 100.0))

    again = projects_of_table(table, source="plan.csv")

    assert table["rank"].tolist() == [1, 2, 3]
    assert table["measure"].tolist() == ["transformer_swap_200"] * 3
    assert set(chosen_ids(choose_projects(again, 100.0))) == {"b", "c"}
    assert {p.project_id: p.unsupplied_mwh_removed for p in again} == {"a": 0.0, "b": 0.0, "c": 0.5}


def test_a_plain_table_needs_three_columns():
    with pytest.raises(SchemaError) as missing:
        projects_of_table(pd.DataFrame({"project_id": ["a"]}), source="own.csv")
    assert missing.value.findings == ("column cost_yuan", "column households_unlocked")

    table = pd.DataFrame({"project_id": ["a", None], "cost_yuan": ["1,5", 2], "households_unlocked": [1, 1.5]})
    with pytest.raises(SchemaError) as faults:
        projects_of_table(table, source="own.csv")
    text = "\n".join(faults.value.findings)
    for words in ("row 2: cost_yuan '1,5'", "row 3: project_id is empty", "row 3: households_unlocked 1.5"):
        assert words in text


def test_a_choice_that_a_tolerance_let_through_the_budget_is_cut_off(monkeypatch):
    from gridcheck.reinforcement import programme

    solve, answers = programme.maximise, []

    def sloppy(*args, **kwargs):
        result = solve(*args, **kwargs)
        if not answers:
            # As if constraints were kept to a tolerance only: everything is built.
            result = replace(result, x=np.ones_like(result.x))
        answers.append(result)
        return result

    monkeypatch.setattr(programme, "maximise", sloppy)

    plan = choose_projects([project("a", 60.0, 7), project("b", 50.0, 5)], 100.0)

    assert chosen_ids(plan) == ["a"]
    assert len(answers) > 1


def test_an_unsolved_programme_is_an_error(monkeypatch):
    from gridcheck.mixed_integer import Optimum
    from gridcheck.reinforcement import programme

    answer = Optimum(x=np.zeros(0), value=0.0, bound=np.inf, status="Time limit reached")
    monkeypatch.setattr(programme, "maximise", lambda *_, **__: answer)

    with pytest.raises(PlanError, match="Time limit"):
        choose_projects([project("a", 60.0, 7)], 100.0)


def test_a_gap_is_an_error(monkeypatch):
    from gridcheck.reinforcement import programme

    solve = programme.maximise

    def early(*args, **kwargs):
        found = solve(*args, **kwargs)
        return replace(found, bound=found.bound + 2.0)

    monkeypatch.setattr(programme, "maximise", early)

    with pytest.raises(PlanError, match="gap"):
        choose_projects([project("a", 60.0, 7)], 100.0)


def test_the_candidates_of_a_run_lead_to_the_same_choice_in_a_plain_table(tmp_path):
    projects = needing(
        [project("a", 60.0, 0, 1.5, ids=("P1", "P2")), project("b", 50.0, 0, 0.25, ids=("P2", "P3", "P4")),
         project("c", 45.0, 2, -1.0), project("d", 0.0, 0, ids=("P9", "P8")), project("e", 45.0, 1, group="only c")],
        d=["a"],
    )  # fmt: skip
    file = tmp_path / "candidates.csv"

    for budget in range(0, 210, 15):
        plan = choose_projects(projects, float(budget))
        file.write_bytes(csv_bytes(candidate_table(plan), CANDIDATES))
        again = choose(menu_of_packages(read_packages(file)), Fraction(budget))
        assert list(again.ids) == sorted(chosen_ids(plan))
        assert int(again.households) == plan.households_unlocked


def test_a_household_that_two_packages_unlock_counts_once(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text(
        "project_id,cost_yuan,households,risk_hours,unlocks\na,10,2,0,P1;P2\nb,10,2,0,P2;P3\nc,10,2,0,\n",
        encoding="utf-8",
    )
    menu = menu_of_packages(read_packages(file))

    assert [int(choose(menu, Fraction(budget)).households) for budget in (10, 20, 30)] == [2, 4, 5]
    assert choose(menu, Fraction(20)).ids in {("a", "c"), ("b", "c")}


def test_more_names_than_households_are_refused(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("project_id,cost_yuan,households,risk_hours,unlocks\na,10,1,0,P1;P2\n", encoding="utf-8")

    with pytest.raises(SchemaError, match=r"row 2 \(a\): unlocks names 2 households, but households is 1"):
        read_packages(file)
