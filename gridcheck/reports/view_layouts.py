"""Which columns of each table people see, in which order, with how many decimals and in which unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from gridcheck.reports.labels import HOTTEST_C

Shown = Literal["text", "integer", "real", "long"]
Layout = tuple[tuple[str, Shown, int, str], ...]
"""Name, kind, decimals and unit of each column."""

CAPS: Mapping[str, float] = {"hot_spot_c": HOTTEST_C}
"""Values above which a column says no more than that they are higher."""

DECISIONS: Layout = (
    ("application_id", "text", 0, ""),
    ("county", "text", 0, ""),
    ("verdict", "text", 0, ""),
    ("margin_kw", "real", 1, "kW"),
    ("reason", "long", 0, ""),
    ("device", "text", 0, ""),
    ("rated_kw", "real", 2, "kW"),
    ("queue_position", "integer", 0, ""),
    ("probability_percent", "real", 0, "%"),
    ("area_id", "text", 0, ""),
    ("feeder_id", "text", 0, ""),
    ("phase", "text", 0, ""),
    ("conditions", "long", 0, ""),
    ("binding_level", "text", 0, ""),
    ("binding_element", "text", 0, ""),
    ("binding_quantity", "text", 0, ""),
    ("binding_value", "real", 2, ""),
    ("binding_limit", "real", 2, ""),
    ("limit_clause", "long", 0, ""),
    ("binding_time", "text", 0, ""),
    ("blocked_by", "text", 0, ""),
)
PLAN: Layout = (
    ("rank", "integer", 0, ""),
    ("chosen", "text", 0, ""),
    ("county", "text", 0, ""),
    ("measure", "text", 0, ""),
    ("cost_wan", "real", 2, "wan"),
    ("households_unlocked", "integer", 0, "household"),
    ("benefit_per_wan", "real", 2, ""),
    ("overload_hours_removed", "real", 1, "h"),
    ("undervoltage_hours_removed", "real", 1, "h"),
    ("cumulative_cost_wan", "real", 2, "wan"),
    ("reason", "text", 0, ""),
    ("unsupplied_mwh_removed", "real", 2, "MWh"),
    ("outcome", "text", 0, ""),
    ("in_best_percent", "real", 0, "%"),
    ("chosen_robust", "text", 0, ""),
    ("description", "long", 0, ""),
    ("area_id", "text", 0, ""),
    ("feeder_id", "text", 0, ""),
    ("project_id", "text", 0, ""),
)
N_MINUS_1: Layout = (
    ("county", "text", 0, ""),
    ("outage_id", "text", 0, ""),
    ("outage_kind", "text", 0, ""),
    ("feeder_id", "text", 0, ""),
    ("supply_class", "text", 0, ""),
    ("status", "text", 0, ""),
    ("faulted_households", "integer", 0, "household"),
    ("untransferred_households", "integer", 0, "household"),
    ("unsupplied_households", "integer", 0, "household"),
    ("unsupplied_kw", "real", 1, "kW"),
    ("transfer_percent", "real", 1, "%"),
    ("worst_loading_percent", "real", 1, "%"),
    ("worst_vm_pu", "real", 3, "pu"),
    ("restored_by", "text", 0, ""),
    ("tried", "text", 0, ""),
    ("restore_minutes", "real", 0, "min"),
    ("unsupplied_household_hours", "real", 0, "h"),
    ("stages", "integer", 0, ""),
    ("security_level", "integer", 0, ""),
    ("security_met", "text", 0, ""),
)
AREAS: Layout = (
    ("area_id", "text", 0, ""),
    ("county", "text", 0, ""),
    ("village", "text", 0, ""),
    ("state", "text", 0, ""),
    ("grade", "text", 0, ""),
    ("sustained_loading_percent", "real", 1, "%"),
    ("peak_loading_percent", "real", 1, "%"),
    ("peak_kw", "real", 1, "kW"),
    ("kva", "real", 0, "kVA"),
    ("min_voltage_v", "real", 1, "V"),
    ("hot_spot_c", "real", 1, "°C"),
    ("c1_kw", "real", 1, "kW"),
    ("c2_kw", "real", 1, "kW"),
    ("more_heat_pumps", "integer", 0, ""),
    ("households", "integer", 0, "household"),
    ("electric_households", "integer", 0, "household"),
    ("neutral_percent", "real", 1, "%"),
    ("unbalance_percent", "real", 1, "%"),
    ("feeder_id", "text", 0, ""),
)
FEEDERS: Layout = (
    ("feeder_id", "text", 0, ""),
    ("name", "text", 0, ""),
    ("county", "text", 0, ""),
    ("state", "text", 0, ""),
    ("grade", "text", 0, ""),
    ("n_minus_1", "text", 0, ""),
    ("peak_loading_percent", "real", 1, "%"),
    ("peak_mw", "real", 2, "MW"),
    ("min_vm_pu", "real", 3, "pu"),
    ("transfer_percent", "real", 1, "%"),
    ("length_km", "real", 1, "km"),
    ("areas", "integer", 0, ""),
    ("households", "integer", 0, "household"),
    ("n_minus_1_reason", "text", 0, ""),
    ("n_minus_1_obstacle", "text", 0, ""),
    ("n_minus_1_measure", "long", 0, ""),
    ("n_minus_1_measure_wan", "real", 1, "wan"),
    ("n_minus_1_failing_hours", "real", 1, "h"),
    ("n_minus_1_room_households", "integer", 0, "household"),
)
COUNTIES: Layout = (
    ("county", "text", 0, ""),
    ("target_self_retrofit", "integer", 0, "household"),
    ("applications", "integer", 0, "household"),
    ("approved", "integer", 0, "household"),
    ("conditional", "integer", 0, "household"),
    ("deferred", "integer", 0, "household"),
    ("connectable_percent", "real", 1, "%"),
    ("gap_to_target", "integer", 0, "household"),
    ("households_unlocked", "integer", 0, "household"),
    ("budget_wan", "real", 1, "wan"),
    ("subsidy_wan", "real", 1, "wan"),
)
VIOLATIONS: Layout = (
    ("county", "text", 0, ""),
    ("element_kind", "text", 0, ""),
    ("element_id", "text", 0, ""),
    ("quantity", "text", 0, ""),
    ("value", "real", 2, ""),
    ("value_before", "real", 2, ""),
    ("newly", "text", 0, ""),
    ("limit", "real", 2, ""),
    ("unit", "text", 0, ""),
    ("hours_above", "real", 2, "h"),
    ("time", "text", 0, ""),
    ("clause", "long", 0, ""),
    ("feeder_id", "text", 0, ""),
    ("area_id", "text", 0, ""),
)
