"""Turn the records of the stages into the tables of a results folder: one function per kind of record."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray, IntArray, TimeArray
from gridcheck.catalogue import usual_rating_kw
from gridcheck.checks.supply_security import supply_security
from gridcheck.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from gridcheck.checks.county_state import CountyState
    from gridcheck.checks.records import FeederHours, FeederNMinus1, NMinus1Row
    from gridcheck.connection.decision import Decision
    from gridcheck.limits import Limit, LimitSet
    from gridcheck.network.county import CountyGrid
    from gridcheck.reinforcement.least_measures import LeastMeasure

# Beyond this the linear estimate says no more than 'the heater hardly moves this check'. [kW]
_MAX_MARGIN_KW = 1000.0

GREEN, YELLOW, RED = "green", "yellow", "red"


def decision_rows(
    decisions: Sequence[Decision], time_utc: TimeArray, clauses: Sequence[str], feeder_of_area: dict[str, str]
) -> pd.DataFrame:
    """Return the table of decisions of one county, in queue order.

    Parameters
    ----------
    decisions : sequence of Decision
        Decisions.
    time_utc : ndarray of datetime64, shape (n_case,)
        Start of each case.
    clauses : sequence of str
        Clause of the binding limit of each decision.
    feeder_of_area : dict
        Feeder id by area id.
    """
    return pd.DataFrame(
        [
            {
                "application_id": d.application.application_id,
                "county_code": d.application.county_code,
                "area_id": d.application.area_id,
                "feeder_id": feeder_of_area[d.application.area_id],
                "queue_position": d.application.queue_position,
                "device": d.application.device,
                "rated_kw": d.application.rated_kw,
                "phase": d.application.phase,
                "verdict": str(d.verdict),
                "conditions": ";".join(d.conditions) or None,
                "binding_level": d.level,
                "binding_element": d.element,
                "binding_quantity": d.quantity,
                "binding_value": d.value,
                "binding_limit": d.limit,
                "limit_clause": clause or None,
                "binding_time": _moment(time_utc, d.case),
                "probability": d.probability,
                "margin_kw": d.margin_kw if abs(d.margin_kw) <= _MAX_MARGIN_KW else np.nan,
                "blocked_by": None if d.blocked_by is None else str(d.blocked_by),
                "value_before": d.value_before,
                "village_code": d.application.village_code,
            }
            for d, clause in zip(decisions, clauses, strict=True)
        ],
        columns=[*_DECISION_COLUMNS, "value_before", "village_code"],
    )


_DECISION_COLUMNS = (
    "application_id", "county_code", "area_id", "feeder_id", "queue_position", "device", "rated_kw", "phase", "verdict",
    "conditions", "binding_level", "binding_element", "binding_quantity", "binding_value", "binding_limit",
    "limit_clause", "binding_time", "probability", "margin_kw", "blocked_by",
)  # fmt: skip


def _moment(time_utc: TimeArray, case: int) -> Any:
    return pd.NaT if case < 0 else pd.Timestamp(time_utc[case], tz="UTC")


def area_grades(before: CountyState, after: CountyState) -> np.ndarray[Any, np.dtype[np.object_]]:
    """Grade each area: green where room is left, yellow where the promises use it up, red where there was none."""
    grade = np.where(after.room_kw > 0.0, GREEN, YELLOW)
    # Room that is not known, NaN, is none: a limit is broken or the area cannot be supplied.
    return np.where(~(before.room_kw > 0.0) | after.upper_broken, RED, grade)


def _finite(value: FloatArray) -> FloatArray:
    """Return NaN, an empty cell, for what has no number."""
    return np.where(np.isfinite(value), value, np.nan)


def area_rows(
    grid: CountyGrid, before: CountyState, after: CountyState, heated: IntArray, *, heat_pump_kw: float
) -> pd.DataFrame:
    """Return the table of areas of one county with all approved applications connected.

    Parameters
    ----------
    grid : CountyGrid
        The county.
    before, after : CountyState
        State without and with the approved applications.
    heated : ndarray of int, shape (n_area,)
        Homes with electric heating, approved ones included.
    heat_pump_kw : float
        Rated input of the heat pump that ``more_heat_pumps`` counts; the columns of other classes count their most
        frequent rating. [kW]
    """
    areas = grid.areas
    not_yet = areas["households"].to_numpy() - heated
    return pd.DataFrame(
        {
            "area_id": areas["area_id"],
            "county_code": areas["county_code"],
            "feeder_id": areas["feeder_id"],
            "village_code": areas["village_code"],
            "kva": areas["kva"].astype(float),
            "households": areas["households"],
            "electric_households": heated,
            "peak_kw": after.p_kw.max(axis=1),
            "peak_loading_percent": after.peak_loading_percent,
            "hot_spot_c": after.hot_spot_c,
            "min_voltage_v": after.end_voltage_v,
            # Not computed before the four-wire model exists; an empty cell is "not computed", never 0.
            "neutral_percent": np.nan,
            "unbalance_percent": np.nan,
            "grade": area_grades(before, after),
            "c1_kw": _finite(before.room_kw),
            # Promises never add room; the estimate of both states is linear, so the last digit is cut off here.
            "c2_kw": _finite(
                np.where(np.isnan(before.room_kw), after.room_kw, np.minimum(before.room_kw, after.room_kw))
            ),
            "more_heat_pumps": _how_many(after, after.room_kw, heat_pump_kw, not_yet),
            "sustained_loading_percent": after.sustained_loading_percent,
            "village": areas["village"],
            "town": areas["town"],
            "lon": areas["lon"],
            "lat": areas["lat"],
            "substation_id": areas["substation_id"],
            # None where the state was compared with none: not computed, and no column of empty cells.
            **{
                f"more_{device}": _how_many(after, room_kw, usual_rating_kw(device), not_yet)
                for device, room_kw in after.room_by_device_kw.items()
            },
        }
    )


def _how_many(after: CountyState, room_kw: FloatArray, rated_kw: float, not_yet: IntArray) -> FloatArray:
    """Count the heaters that still fit: none below a broken level, and no more than homes `not_yet` electric."""
    fit = np.where(after.upper_broken, 0.0, np.floor(_finite(room_kw) / rated_kw))
    result: FloatArray = np.clip(fit, 0.0, np.maximum(not_yet, 0))
    return result


def feeder_rows(
    grid: CountyGrid,
    state: CountyState,
    outages: Sequence[FeederNMinus1],
    hours: Sequence[FeederHours] = (),
    least: Sequence[LeastMeasure] = (),
) -> pd.DataFrame:
    """Return the table of feeders; `outages` sums up those of each feeder, `hours` says when they fail.

    `least` says what those lack that do not pass. A feeder is red where anything at 10 kV on it or above it is beyond
    its limit, yellow beyond a planning value.
    """
    feeders, areas = grid.feeders, grid.areas
    studied = {outage.feeder_id: outage for outage in outages}
    own = [studied.get(str(i)) for i in feeders["feeder_id"]]
    by_feeder = (
        areas.groupby("feeder_id")["households"].agg(["size", "sum"]).reindex(feeders["feeder_id"], fill_value=0)
    )
    return pd.DataFrame(
        {
            "feeder_id": feeders["feeder_id"],
            "county_code": feeders["county_code"].astype(str),
            "length_km": feeders["length_km"].astype(float),
            "areas": by_feeder["size"].to_numpy(),
            "households": by_feeder["sum"].to_numpy(),
            "peak_mw": state.feeder_peak_mw,
            "peak_loading_percent": state.feeder_loading_percent,
            "min_vm_pu": state.feeder_vm_min_pu,
            "n_minus_1": ["not_studied" if found is None else str(found.status).lower() for found in own],
            "transfer_ratio": [np.nan if found is None else found.transfer_ratio for found in own],
            "grade": np.where(state.feeder_broken, RED, np.where(state.feeder_heavy, YELLOW, GREEN)),
            "name": feeders["name"],
            "substation_id": feeders["substation_id"],
            "peak_mw_before": state.feeder_peak_mw_before,
            "outages": [0 if found is None else found.outages for found in own],
            "insecure_outages": [0 if found is None else found.insecure_outages for found in own],
            "worst_outage_id": [None if found is None else found.worst_outage_id for found in own],
            "worst_unsupplied_kw": [np.nan if found is None else found.worst_unsupplied_kw for found in own],
            **_hour_columns([str(i) for i in feeders["feeder_id"]], hours),
            **_least_columns([str(i) for i in feeders["feeder_id"]], least),
        }
    )


def _hour_columns(feeder_ids: list[str], hours: Sequence[FeederHours]) -> dict[str, list[Any]]:
    """Return what the study of every step says of each feeder; empty cells where it was not studied."""
    by_feeder = {found.feeder_id: found for found in hours}
    own = [by_feeder.get(i) for i in feeder_ids]
    columns = {
        "n_minus_1_failing_hours": "failing_hours", "n_minus_1_failing_outage": "binding_outage_id",
        "transfer_ratio_least": "transfer_ratio_min", "n_minus_1_room_kw": "hosting_kw",
        "n_minus_1_room_households": "hosting_households", "n_minus_1_room_outage": "hosting_outage_id",
        "outages_without_way": "outages_without_way", "n_minus_1_room_with_way_kw": "hosting_with_way_kw",
        "n_minus_1_room_with_way_households": "hosting_with_way_households",
        "n_minus_1_room_with_way_outage": "hosting_with_way_outage_id",
    }  # fmt: skip
    missing = dict.fromkeys(("failing_hours", "transfer_ratio_min", "hosting_kw", "hosting_with_way_kw"), np.nan)
    return {
        column: [missing.get(name) if found is None else getattr(found, name) or None for found in own]
        if name.endswith("_id")
        else [missing.get(name) if found is None else getattr(found, name) for found in own]
        for column, name in columns.items()
    }


def _least_columns(feeder_ids: list[str], least: Sequence[LeastMeasure]) -> dict[str, list[Any]]:
    """Return what each feeder lacks to pass N-1; empty cells where it passes."""
    by_feeder = {found.feeder_id: found for found in least}
    own = [by_feeder.get(i) for i in feeder_ids]
    return {
        "n_minus_1_reason": [None if found is None else found.reason for found in own],
        "n_minus_1_obstacle": [None if found is None else found.element or found.outage_id for found in own],
        "n_minus_1_measure": [None if found is None else found.description or None for found in own],
        "n_minus_1_measure_yuan": [np.nan if found is None else found.cost_yuan for found in own],
    }


def violation_rows(grid: CountyGrid, state: CountyState, limits: Sequence[Limit], time_utc: TimeArray) -> pd.DataFrame:
    """Return the table of broken limits by quantity and element; `limits` holds the limit of each violation."""
    areas, feeder_ids = set(grid.areas["area_id"]), list(grid.feeders["feeder_id"])
    rows = []
    for v, limit in zip(state.violations, limits, strict=True):
        rows.append(
            {
                "county_code": grid.county_code,
                "feeder_id": feeder_ids[v.feeder] if v.feeder >= 0 else None,
                "area_id": v.element if v.element in areas else None,
                "element_kind": v.level,
                "element_id": v.element,
                "quantity": v.quantity,
                "value": v.value,
                "limit": v.limit,
                "unit": limit.unit,
                "clause": f"{limit.clause} [{limit.confidence}]",
                "time": _moment(time_utc, v.case),
                "hours_above": v.hours,
                "value_before": v.value_before,
                "newly": v.newly,
            }
        )
    columns = (
        "county_code", "feeder_id", "area_id", "element_kind", "element_id", "quantity", "value", "limit", "unit",
        "clause", "time", "hours_above", "value_before", "newly",
    )  # fmt: skip
    return pd.DataFrame(rows, columns=list(columns)).sort_values(
        ["quantity", "element_id"], kind="stable", ignore_index=True
    )


def season_subsidy_yuan(
    rated_kw: FloatArray, kwh_per_kw: FloatArray, *, yuan_per_kwh: float, cap_yuan: float
) -> FloatArray:
    """Return the running subsidy of each household: by heating energy, up to the cap. [yuan]"""
    result: FloatArray = np.minimum(rated_kw * kwh_per_kw * yuan_per_kwh, cap_yuan)
    return result


def n_minus_1_rows(
    rows: Sequence[NMinus1Row],
    *,
    by_branch: bool = False,
    limits: LimitSet = DEFAULT_LIMITS,
    cold_h: FloatArray | None = None,
) -> pd.DataFrame:
    """Return the table of outages of one county.

    Parameters
    ----------
    rows : sequence of NMinus1Row
        Outages.
    by_branch : bool
        Name switches by their branches, as ``line:6``.
    limits : LimitSet
        ``repair_h``, hours until what stays off has its supply again, and ``security_*``.
    cold_h : ndarray, shape (n_row, 2), optional
        Hours until homes left off are colder than 12 and 5 degC, NaN where not known. Without it the table has no such
        columns: nothing is known of the homes. [h]
    """
    columns = (
        "county_code", "feeder_id", "outage_id", "outage_kind", "status", "restored_by", "unsupplied_kw",
        "unsupplied_households", "worst_loading_percent", "worst_vm_pu", "transfer_ratio", "supply_class", "demand_kw",
        "served_kw", "interrupted_kw", "lost_kw", "restored_kw", "tried", "tripped_by", "worst_loading_element",
        "worst_vm_bus", "faulted_households", "untransferred_households", "opened", "by_remote", "method", "is_proved",
        "tried_loading_percent", "tried_vm_pu", "stages", "worst_loading_limit_percent",
        "restore_minutes", "unsupplied_household_hours", "security_level", "security_must_serve_kw", "security_minutes",
        "security_met", "security_required", "security_clause", "shed_areas", "shed_gain_households", "shed_gain_kw",
        "bound_households", "bound_kw",
    )  # fmt: skip
    table = pd.DataFrame(
        [
            {
                **{name: getattr(row, name) for name in columns if hasattr(row, name)},
                "status": str(row.status).lower(),
                "restored_by": ";".join(row.closed_branches if by_branch else row.restored_by) or None,
                "tried": ";".join(row.refused_branches if by_branch else row.refused_by) or None,
                "opened": ";".join(row.opened_branches if by_branch else row.opened) or None,
                "worst_loading_percent": row.worst.loading_percent,
                "worst_loading_element": row.worst.loading_name,
                "worst_vm_pu": row.worst.vm_pu,
                "worst_vm_bus": row.worst.vm_bus_name,
                "tried_loading_percent": row.tried.loading_percent if _is_tried(row) else np.nan,
                "unsupplied_household_hours": _household_hours(row, limits.repair_h.value),
                "worst_loading_limit_percent": row.worst.loading_limit_percent,
                "tried_vm_pu": row.tried.vm_pu if _is_tried(row) else np.nan,
                "faulted_households": row.unsupplied_households - row.untransferred_households,
                **_security(row, limits),
                **_shed(row, by_branch=by_branch),
            }
            for row in rows
        ],
        columns=list(columns),
    )
    if cold_h is None:
        return table
    return table.assign(hours_until_12c=cold_h[:, 0], hours_until_5c=cold_h[:, 1])


def _security(row: NMinus1Row, limits: LimitSet) -> dict[str, Any]:
    """Return what the group load asks of an outage."""
    found = supply_security(row, limits)
    return {
        "security_level": found.level,
        "security_must_serve_kw": found.must_serve_kw,
        "security_minutes": found.within_minutes if math.isfinite(found.within_minutes) else np.nan,
        "security_met": found.is_met,
        "security_required": found.is_required,
        "security_clause": found.clause,
    }


def _shed(row: NMinus1Row, *, by_branch: bool) -> dict[str, Any]:
    """Return what could be supplied on top when single areas are switched off."""
    part = row.partial
    if part is None:
        return {"shed_areas": None, "shed_gain_households": 0, "shed_gain_kw": 0.0}
    names = [f"bus:{i}" if by_branch or not name else name for i, name in zip(part.bus_id, part.bus_name, strict=True)]
    return {"shed_areas": ";".join(names), "shed_gain_households": part.households, "shed_gain_kw": part.load_kw}


def _is_tried(row: NMinus1Row) -> bool:
    """Whether the values tried are of another state than that after restoration: a tie more, or a section more."""
    return bool(row.refused_by) or (row.tried_switch_states, row.tried_line_states) != (
        row.switch_states,
        row.line_states,
    )


def _household_hours(row: NMinus1Row, repair_h: float) -> float:
    """Return hours without supply of all households of an outage: during the switching, then until the repair. [h]"""
    homes = row.unsupplied_households + (row.steps[-1].served_households if row.steps else 0)
    total, off, elapsed_h = 0.0, row.interrupted_households, 0.0
    for step in row.steps:
        total += off * (step.elapsed_minutes / 60.0 - elapsed_h)
        off, elapsed_h = homes - step.served_households, step.elapsed_minutes / 60.0
    return total + row.unsupplied_households * max(repair_h - elapsed_h, 0.0)
