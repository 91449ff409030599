"""Counts and sentences against a city of two counties that can be counted by hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gridcheck.reports.folder import Results
from gridcheck.reports.maps import map_values
from gridcheck.reports.summaries import answer_sentence, county_sentences
from gridcheck.reports.totals import (
    Thresholds,
    area_states,
    is_discouraged_only,
    reason_counts,
    reason_name,
    thresholds,
    totals,
    totals_by_county,
)
from gridcheck.reports.views import counties_view

LIMITS = Thresholds(heavy_percent=80.0, overload_percent=100.0, low_voltage_v=198.0)


def city() -> Results:
    decisions = pd.DataFrame(
        {
            "county_code": ["140881"] * 5,
            "verdict": ["approve", "approve_with_conditions", "defer", "defer", "insufficient_data"],
            "binding_level": ["area", "area", "low_voltage", "area", None],
            "binding_quantity": [
                "area_loading_percent",
                "area_loading_percent",
                "voltage_v",
                "area_loading_percent",
                None,
            ],
            "conditions": [None, "heavy_area;staggered_start", "limit_kw:1.2", None, None],
        }
    )
    areas = pd.DataFrame(
        {
            "area_id": [f"A{i}" for i in range(1, 7)],
            "county_code": ["140881"] * 4 + ["140821"] * 2,
            # The quarter-hour peak says nothing about the state: A1 is above its rating for less than two hours.
            "peak_loading_percent": [120.0, 110.1, 79.9, float("nan"), 95.0, 130.0],
            "sustained_loading_percent": [100.0, 100.1, 79.9, float("nan"), 85.0, 120.0],
            "min_voltage_v": [210.0, 190.0, 197.9, float("nan"), 197.0, 210.0],
        }
    )
    violations = pd.DataFrame(
        {
            "county_code": ["140881", "140821", "140881", "140881", "140821", "140821"],
            "area_id": ["A2", "A6", "A2", "A3", "A5", None],
            "quantity": ["area_loading_percent"] * 2 + ["voltage_v"] * 3 + ["section_loading_percent"],
        }
    )
    plan = pd.DataFrame(
        {
            "county_code": ["140881", "140881"],
            "chosen": [True, False],
            "cost_yuan": [80_000.0, 90_000.0],
            "reason": ["new_load", "overload"],
            "outcome": ["chosen", "over_budget"],
        }
    )
    outages = pd.DataFrame(
        {
            "county_code": ["140881"] * 4,
            "outage_kind": ["section", "outlet", "trafo", "tie"],
            "status": ["secure", "VIOLATED", "not_converged", "secure"],
            "unsupplied_households": [0, 3, None, 0],
        }
    )
    counties = pd.DataFrame(
        {
            "county_code": ["140881", "140821"],
            "county": ["永济市", "临猗县"],
            "target_self_retrofit": [5, 0],
            "applications": [5, 0],
            "approved": [1, 0],
            "conditional": [1, 0],
            "deferred": [2, 0],
            "gap_to_target": [3, 0],
            "budget_yuan": [80_000.0, 0.0],
            "households_unlocked": [2, 0],
            "subsidy_yuan": [1_000.0, 0.0],
        }
    )
    return Results(
        folder=Path(),
        decisions=decisions,
        plan=plan,
        n_minus_1=outages,
        areas=areas,
        feeders=pd.DataFrame(),
        counties=counties,
        violations=violations,
        summary={"synthetic": True, "budget_yuan": 100_000.0},
    )


def test_state_is_the_worst_that_holds_and_unsolved_is_a_state_of_its_own() -> None:
    states = area_states(city().areas, city().violations, LIMITS).tolist()

    assert states == ["heavy", "overload_low_voltage", "low_voltage", "no_data", "low_voltage_heavy", "overload"]


def test_totals_of_the_city() -> None:
    found = totals(city())

    assert (found.applications, found.connectable, found.deferred, found.insufficient) == (5, 2, 2, 1)
    assert found.connectable_percent == pytest.approx(40.0)
    # As many as violations.csv names, whatever else holds for the same area; A5 is heavy and low in voltage.
    assert (found.areas, found.overloaded, found.heavy, found.low_voltage) == (6, 2, 2, 3)
    assert (found.outages, found.secure) == (3, 1)
    assert (found.projects, found.chosen, found.spent_yuan, found.budget_yuan) == (2, 1, 80_000.0, 100_000.0)
    assert found.left_after_plan == 1
    assert (found.unfunded, found.unfunded_overload, found.unfunded_overload_yuan) == (1, 1, 90_000.0)


def test_counties_add_up_to_the_city() -> None:
    whole, parts = totals(city()), totals_by_county(city()).values()

    for name in ("applications", "connectable", "deferred", "areas", "overloaded", "outages", "secure", "spent_yuan"):
        assert sum(getattr(part, name) for part in parts) == getattr(whole, name), name


def test_limits_of_the_run_count_before_those_of_the_program() -> None:
    summary = {"limits": [{"name": "heavy_percent", "value": 70.0}]}

    assert thresholds(summary).heavy_percent == 70.0
    assert thresholds({}) == LIMITS


def test_reasons_count_each_waiting_household_once() -> None:
    counted = reason_counts(city().decisions)

    assert int(counted["households"].sum()) == 4
    assert counted["binding_quantity"].iloc[0] == "area_loading_percent"
    assert "data" in set(counted["binding_quantity"])


def test_reasons_of_conditional_households_are_their_conditions_and_a_remark_is_none() -> None:
    decisions = pd.DataFrame(
        {
            "verdict": ["approve_with_conditions"] * 4 + ["defer"],
            "conditions": [
                "discouraged_device",
                "discouraged_device",
                "heavy_main_transformer;staggered_start;discouraged_device",
                "low_voltage_watch;staggered_start",
                "limit_kw:0.9",
            ],
            # Far from any limit: what binds an approval does not stand in its way.
            "binding_level": ["section"] * 5,
            "binding_quantity": ["vm_pu"] * 5,
        }
    )

    counted = reason_counts(decisions)

    assert counted.to_dict("list") == {
        "binding_level": ["section", "condition", "condition", "condition"],
        "binding_quantity": ["vm_pu", "heavy_main_transformer", "low_voltage_watch", "discouraged_device"],
        "verdict": ["defer"] + ["approve_with_conditions"] * 3,
        "households": [1, 1, 1, 2],
    }
    assert is_discouraged_only(decisions).tolist() == [True, True, False, False, False]
    for level, quantity in zip(counted["binding_level"], counted["binding_quantity"], strict=True):
        assert "_" not in reason_name(level, quantity, "zh") + reason_name(level, quantity, "en")


def test_sentences_of_the_counties() -> None:
    sentences = {code: words.replace("\u00a0", " ") for code, words in county_sentences(city(), "zh").items()}

    assert sentences["140881"] == (
        "永济市：5 户报装中 2 户（40.0 %）可立即接入，2 户暂缓，主要受限于台区配变负载率；"
        "方案在此安排 1 个项目、8.0 万元，解锁 2 户，仍差 1 户。"
    )
    assert sentences["140821"] == "临猗县：方案中没有自行改造任务，无报装；重点区域用电计入后，1 个台区过载。"


def test_answer_in_english() -> None:
    assert "2 (40.0\u00a0%, 1 of them with conditions) can connect" in answer_sentence(city(), "en")


def test_answer_tells_a_gap_from_a_target_that_is_met() -> None:
    results = city()
    assert "距自行改造目标还差 1 户。" in answer_sentence(results, "zh")

    results.counties.loc[0, "households_unlocked"] = 3

    assert "可完成自行改造目标。" in answer_sentence(results, "zh")


def test_answer_names_the_overloads_that_the_money_does_not_reach() -> None:
    results = city()
    assert answer_sentence(results, "zh").endswith(
        "改造前有 2 个台区过载；资金之外另有治理过载的 1 个项目，造价 9.0 万元。"
    )
    assert "1 project against overload for 0.1 million yuan stay" in answer_sentence(results, "en")

    results.plan["outcome"] = "chosen"

    assert answer_sentence(results, "zh").endswith("还差 1 户。")


def test_a_county_without_applications_names_the_money_spent_there() -> None:
    results = city()
    results.plan["county_code"] = "140821"
    sentences = county_sentences(results, "en")

    assert sentences["140821"].endswith("puts 0.08 million yuan into 1 project here to remove broken limits.")
    assert "million" not in sentences["140881"]


def test_plan_without_projects_is_said_in_words() -> None:
    results = city()
    results.plan["chosen"] = False

    assert "没有选出改造项目" in answer_sentence(results, "zh")


def test_map_value_of_a_county_without_applications_is_unknown_not_zero() -> None:
    values = map_values(totals_by_county(city()), "deferred_percent")

    assert values["140881"] == pytest.approx(40.0)
    assert values["140821"] != values["140821"]
    assert map_values(totals_by_county(city()), "overloaded_percent")["140821"] == pytest.approx(50.0)


def test_last_row_of_the_county_table_is_the_city() -> None:
    last = counties_view(city(), "zh").table.iloc[-1]

    assert last["county"] == "合计"
    assert last["applications"] == 5
    assert last["connectable_percent"] == pytest.approx(40.0)
