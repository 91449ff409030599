"""Numbers, times and reasons as people read them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from gridcheck.reports import labels


def decision(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "verdict": "defer",
        "conditions": "limit_kw:1.2",
        "binding_level": "area",
        "binding_element": "140881-A0123",
        "binding_quantity": "area_loading_percent",
        "binding_value": 112.34,
        "binding_limit": 100.0,
        "limit_clause": None,
        "binding_time": pd.Timestamp("2026-01-15T11:45:00Z"),
        "blocked_by": "promised_load",
    }
    return row | changes


def plain(words: str) -> str:
    return words.replace(labels.NO_BREAK, " ")


def test_reason_of_a_deferral_names_place_value_limit_time_blocker_and_alternative() -> None:
    assert plain(labels.reason_text(decision(), "zh")) == (
        "台区 140881-A0123 负载率 112.3 %，高于限值 100 %（01-15 19:45）；"
        "余量已答复给前序报装；改为不超过 1.2 kW 时可接入"
    )
    assert plain(labels.reason_text(decision(), "en")) == (
        "area 140881-A0123: loading 112.3 %, above the limit of 100 % (01-15 19:45); "
        "the room is promised to earlier applications; a heater of up to 1.2 kW would fit"
    )


def test_low_voltage_is_below_its_limit() -> None:
    row = decision(binding_level="low_voltage", binding_quantity="voltage_v", binding_value=195.31, binding_limit=198.0)

    assert "末端电压 195.3 V，低于限值 198 V" in plain(labels.binding_text(row, "zh"))


@pytest.mark.parametrize(
    ("value", "limit", "quantity", "expected"),
    [
        (101.0, 100.0, "area_loading_percent", "above"),
        (99.0, 100.0, "area_loading_percent", "within"),
        (0.92, 0.93, "vm_pu", "below"),
        (0.94, 0.93, "mv_vm_min_pu", "within"),
        (240.0, 235.4, "lv_voltage_max_v", "above"),
        (230.0, 235.4, "lv_voltage_max_v", "within"),
        (131.0, 120.0, "hot_spot_c", "above"),
    ],
)
def test_relation_knows_which_limits_are_floors(value: float, limit: float, quantity: str, expected: str) -> None:
    assert labels.relation(value, limit, quantity) == expected


def test_condition_of_an_approval_is_not_read_as_an_offer() -> None:
    assert labels.conditions_text("limit_kw:2.0", "zh", "approve_with_conditions") == "用电功率不超过 2.0 kW"
    assert labels.conditions_text("heavy_area;new_code:7", "zh") == "台区重载，列入监测；new_code:7"


def test_decision_without_a_binding_check_says_so_and_shows_no_nan() -> None:
    nothing = dict.fromkeys(("binding_level", "binding_element", "binding_quantity", "blocked_by", "conditions"))
    row = decision(**nothing, binding_value=float("nan"), binding_limit=float("nan"), binding_time=pd.NaT)

    assert labels.reason_text(row, "zh") == "各级设备均在限值内"
    unsolved = decision(binding_level="network", binding_quantity="not_converged", binding_value=float("nan"))
    assert "nan" not in labels.reason_text(unsolved, "en")


def test_a_value_beside_its_limit_gets_the_decimals_it_takes() -> None:
    row = decision(binding_level="low_voltage", binding_quantity="voltage_v", binding_value=197.9996, binding_limit=198)

    assert "197.9996 V, below the limit of 198 V" in plain(labels.binding_text(row, "en"))


def test_a_hot_spot_outside_the_thermal_model_is_shown_as_more() -> None:
    row = decision(binding_quantity="hot_spot_c", binding_value=272.4, binding_limit=120.0)

    assert ">180 °C, above the limit of 120 °C" in plain(labels.binding_text(row, "en"))
    assert labels.number_to(179.96, 1, 180.0) == "180.0"


def test_what_a_project_does_is_said_in_the_language_of_the_reader() -> None:
    done = "S13-100-Dyn11 → S20-200-Dyn11; tap 1.050 → 1.000; k 1.37 → 1.10; + S20-200-Dyn11"

    assert labels.work_text(done, "zh") == (
        "S13-100-Dyn11 → S20-200-Dyn11；分接头 1.050 → 1.000；三相不平衡系数 1.37 → 1.10；新增 S20-200-Dyn11"
    )
    assert "unbalance factor 1.37 → 1.10" in labels.work_text(done, "en")


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (15503, 0, "15,503"),
        (float("nan"), 1, "—"),
        (None, 0, "—"),
        (pd.NA, 0, "—"),
        (-0.04, 1, "0.0"),
        (float("inf"), 1, "∞"),
        (-12.34, 1, "-12.3"),
        (10.25, 1, "10.3"),
        (7.75, 1, "7.8"),
    ],
)
def test_numbers(value: Any, decimals: int, expected: str) -> None:
    assert labels.number(value, decimals) == expected


def test_money_is_in_ten_thousands() -> None:
    assert labels.wan(18_000_000, 0) == "1,800"
    assert labels.wan(None) == "—"


def test_times_are_local() -> None:
    assert labels.local_time(pd.Timestamp("2026-01-15T16:00:00Z")) == "01-16 00:00"
    assert labels.local_time(pd.NaT) == "—"


def test_limit_has_no_idle_decimals() -> None:
    assert plain(labels.limit_value("vm_pu", 0.93)) == "0.93 pu"
    assert plain(labels.limit_value("area_loading_percent", 100.0)) == "100 %"


def test_names_of_places() -> None:
    assert labels.county_name("140881", "zh") == "永济市"
    assert labels.county_name("140881", "en") == "Yongji"
    assert labels.county_name("999999", "zh") == "999999"
    assert labels.village_name("no such code") == ""


def test_measure_of_the_catalogue_has_its_name_and_unknown_one_its_code() -> None:
    assert labels.measure_name("tie_switch", "zh") == "联络开关"
    assert labels.measure_name("magic_wand", "zh") == "magic_wand"


def test_clause_keeps_its_confidence_mark_in_words() -> None:
    clause = "GB/T 12325-2008 cl. 4.3: 220 V single-phase, +7 % / -10 % of nominal [S2]"

    assert labels.clause_text(clause, "zh") == "GB/T 12325-2008 第 4.3 条：220 V 单相 +7 %/−10 %（转引）"
    assert labels.clause_text("own rule", "zh") == "own rule"
