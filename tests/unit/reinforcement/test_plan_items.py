"""Bills of quantities: a project worked out by hand, and sums that are the cost of the project, to the fen."""

from dataclasses import replace

import pytest

from gridcheck.errors import PlanError
from gridcheck.reinforcement.candidates import propose
from gridcheck.reinforcement.choose import choose_projects
from gridcheck.reinforcement.measures import Candidate, Item, Project
from gridcheck.reinforcement.options import item_of
from gridcheck.reinforcement.plan_items import plan_items
from gridcheck.reinforcement.plan_table import plan_table
from gridcheck.reinforcement.situation import situation_of
from gridcheck.reinforcement.terms import default_terms
from tests.support import planned_county as county
from tests.support.planned_county import A1, A2
from tests.support.project_sheets import candidate_of, items_table

TERMS = default_terms()


@pytest.fixture(scope="module")
def proposed(tmp_path_factory):
    """All candidates of a county with a full transformer and of one with weak lines, each once."""
    crowded = county.decided(county.grid(tmp_path_factory.mktemp("a")), [(A1, 8.0)] * 6)
    weak_grid = county.grid(tmp_path_factory.mktemp("b"), homes=(60, 90, 40, 40), radius_m=(300, 4000, 300, 300))
    weak = county.decided(weak_grid, [(A2, 2.0)])
    renamed = [replace(one, project_id=f"W{one.project_id}") for one in propose(situation_of(weak))]
    return [*propose(situation_of(crowded)), *renamed]


def test_a_new_area_is_a_transformer_a_spur_and_a_line(proposed):
    candidate = next(one for one in proposed if one.measures == ("new_area_200",))

    rows = items_table(candidate).set_index("item")

    # By hand: 17 for the area, 0.3 km at 24, 0.2 km at 16; in ten thousand yuan.
    assert rows["cost_yuan"].to_dict() == {"new_area_200": 170_000.0, "mv_line_120": 72_000.0, "lv_line_120": 32_000.0}
    assert rows["quantity"].tolist() == [1.0, 0.3, 0.2]
    assert rows["unit"].tolist() == ["each", "km", "km"]
    assert rows["unit_yuan"].tolist() == [170_000.0, 240_000.0, 160_000.0]
    # 13 + 0.3 * 20 + 0.2 * 11, and 22 + 0.3 * 32 + 0.2 * 22.
    assert rows["cost_min_yuan"].sum() == 130_000.0 + 60_000.0 + 22_000.0
    assert rows["cost_max_yuan"].sum() == 220_000.0 + 96_000.0 + 44_000.0
    assert rows["type_name"].tolist() == ["S20-200-Dyn11", "JKLYJ-10-120", "JKLYJ-1-120"]
    assert set(rows["source"]) == {"unit_costs"}
    assert set(rows["confidence"]) == {"E"}


def test_every_bill_adds_up_to_the_cost_in_the_plan(proposed):
    plan = choose_projects([Project(candidate=one, households_unlocked=1) for one in proposed], 1e9)

    costs = plan_table(plan).set_index("project_id")["cost_yuan"]
    items = plan_items(plan)

    assert len(proposed) > 6
    assert {"lv_reconductor", "phase_balancing", "transformer_swap_200", "new_area_400"} <= set(items["item"])
    assert items.groupby("project_id")["cost_yuan"].sum().to_dict() == costs.to_dict()
    assert (items["quantity"] * items["unit_yuan"] - items["cost_yuan"]).abs().max() < 1e-6
    assert (items["cost_min_yuan"] <= items["cost_yuan"]).all()
    assert (items["cost_yuan"] <= items["cost_max_yuan"]).all()
    # The bill names the measures by which the plan files the project.
    for one in proposed:
        assert set(one.measures) <= set(items.loc[items["project_id"] == one.project_id, "item"])


def test_lengths_are_priced_by_the_tenth_of_a_metre_and_costs_in_whole_yuan():
    item = item_of(TERMS, "mv_line_150", 1.23456)

    assert (item.amount, item.cost_yuan) == (1.2346, 345_688.0)
    assert replace(item, unit_yuan=280_000.3).cost_yuan == 345_688.0


def test_one_measure_at_two_places_is_one_row_with_all_its_ends():
    first = item_of(TERMS, "mv_line_150", 1.0, type_name="JKLYJ-10-150", elements=("bus:1", "bus:2"))
    second = item_of(TERMS, "mv_line_150", 0.5, type_name="JKLYJ-10-150", elements=("bus:2", "bus:7"))
    switch = item_of(TERMS, "tie_switch")

    rows = items_table(candidate_of((switch, first, switch, second)))

    assert rows["item"].tolist() == ["tie_switch", "mv_line_150"]
    assert rows["quantity"].tolist() == [2.0, 1.5]
    assert rows["cost_yuan"].tolist() == [120_000.0, 420_000.0]
    assert rows["elements"].tolist() == [None, "bus:1;bus:2;bus:2;bus:7"]
    assert rows["type_name"].tolist() == [None, "JKLYJ-10-150"]


def test_a_bill_that_does_not_add_up_is_refused():
    wrong = replace(candidate_of((item_of(TERMS, "tie_switch"),)), cost_yuan=60_001.0)

    with pytest.raises(PlanError, match="project R1: its bill does not add up"):
        items_table(wrong)


def test_a_measure_without_a_price_is_refused():
    with pytest.raises(PlanError, match="no measure 'gold'"):
        items_table(candidate_of((Item(measure="gold", amount=1.0, unit_yuan=1.0),)))


def test_projects_of_a_plain_table_have_no_bill():
    plain = Candidate(
        project_id="a",
        county_code="",
        feeder_id="",
        area_id="",
        group="a",
        measures=("",),
        description="",
        cost_yuan=1.0,
    )

    assert len(items_table(plain)) == 0
