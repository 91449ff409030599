"""A plausible results folder for tests of reports and dashboards, made from one seed; nothing in it is solved.

It has the shape of what `gridcheck run` writes: 12 counties, feeders, areas, decisions, projects, outages,
violations and curves. Two areas carry the states that must never be dropped: one without a solution (NaN)
and one whose name begins like a formula.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridcheck.limits import DEFAULT_LIMITS
from gridcheck.policy import plan_2025
from gridcheck.reports.curves import CURVES_FILE, CurveTime, CurveWriter
from gridcheck.reports.folder import Results, write_results
from gridcheck.reports.schemas import TABLES
from gridcheck.reports.tables import normalised

START_UTC = pd.Timestamp("2026-01-14T16:00:00Z")  # midnight of 15 January in Yuncheng
N_STEP = 480
FEEDERS_PER_COUNTY = 4
AREAS_PER_FEEDER = 8
HOSTILE_NAME = '=HYPERLINK("http://example.invalid","x")<b>'
BUDGET_YUAN = 18_000_000.0
DEVICES = ("air_air_heat_pump", "air_water_heat_pump", "ground_source_heat_pump", "resistive_heater", "storage_heater")
DEVICE_KW = {
    "air_air_heat_pump": 1.1,
    "air_water_heat_pump": 3.6,
    "ground_source_heat_pump": 3.0,
    "resistive_heater": 4.0,
    "storage_heater": 6.0,
}
MEASURES = (
    ("phase_balancing", 0.5, "人工调相"),
    ("transformer_swap_200", 8.0, "S13-100 更换为 S20-200"),
    ("transformer_swap_400", 11.0, "S13-200 更换为 S20-400"),
    ("new_area_200", 17.0, "新增 200 kVA 台区"),
    ("lv_reconductor", 9.0, "低压主干换线 1.0 km"),
    ("mv_reconductor", 54.0, "10 kV 主干换线 3.0 km"),
    ("tie_switch", 46.0, "新建联络 1.4 km"),
)
CONDITIONS = {"approve_with_conditions": "heavy_area;staggered_start", "defer": "limit_kw:1.2"}
BLOCKERS = ("existing_load", "promised_load", "own_load")
REASONS = (
    ("area", "area_loading_percent", DEFAULT_LIMITS.area_loading_percent),
    ("area", "hot_spot_c", DEFAULT_LIMITS.hot_spot_c),
    ("low_voltage", "voltage_v", DEFAULT_LIMITS.lv_voltage_min_v),
    ("section", "section_loading_percent", DEFAULT_LIMITS.section_loading_percent),
    ("main_transformer", "main_transformer_loading_percent", DEFAULT_LIMITS.main_transformer_loading_percent),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a sample folder is made of.

    Attributes
    ----------
    seed : int
        Seed of every draw.
    scale : float
        Share of the plan's applications that are written; 1 gives all 15,503.
    """

    seed: int = 20251031
    scale: float = 0.03


def _feeders(rng: np.random.Generator, counties: pd.DataFrame) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for code in counties["county_code"]:
        for k in range(FEEDERS_PER_COUNTY):
            peak = float(rng.uniform(30, 118))
            rows.append(
                {
                    "feeder_id": f"{code}-F{k + 1:03d}",
                    "county_code": code,
                    "length_km": rng.uniform(4, 21),
                    "areas": AREAS_PER_FEEDER,
                    "households": int(rng.integers(300, 900)),
                    "peak_mw": peak * 0.055,
                    "peak_loading_percent": peak,
                    "min_vm_pu": 1.02 - peak * 0.0008,
                    "n_minus_1": ("secure", "violated", "unsupplied")[int(rng.integers(0, 3))],
                    "transfer_ratio": rng.uniform(0.2, 1.0) if k else float("nan"),
                    "grade": "red" if peak > 100 else "yellow" if peak > 80 else "green",
                }
            )
    return pd.DataFrame(rows)


def _areas(rng: np.random.Generator, feeders: pd.DataFrame) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for f, (feeder_id, code) in enumerate(zip(feeders["feeder_id"], feeders["county_code"], strict=True)):
        for a in range(AREAS_PER_FEEDER):
            number = (f % FEEDERS_PER_COUNTY) * AREAS_PER_FEEDER + a + 1
            kva = float(rng.choice([100, 200, 400]))
            loading = float(np.clip(rng.normal(72, 24), 15, 148))
            c1 = kva * (1 - loading / 100)
            households = int(kva * rng.uniform(0.4, 0.8))
            rows.append(
                {
                    "area_id": f"{code}-A{number:04d}",
                    "county_code": code,
                    "feeder_id": feeder_id,
                    "village_code": None,
                    "kva": kva,
                    "households": households,
                    "electric_households": int(households * rng.uniform(0.1, 0.6)),
                    "peak_kw": kva * loading / 100 * 0.96,
                    "peak_loading_percent": loading,
                    "hot_spot_c": 15 + 0.0078 * loading**2,
                    "min_voltage_v": 226 - 0.22 * loading + rng.normal(0, 3),
                    "neutral_percent": rng.uniform(3, 40),
                    "unbalance_percent": rng.uniform(2, 35),
                    "grade": "red" if c1 <= 0 else "yellow" if c1 < 20 else "green",
                    "c1_kw": c1,
                    "c2_kw": c1 - rng.uniform(0, 20),
                    "more_heat_pumps": max(int(c1 / 1.4), 0),
                    "sustained_loading_percent": 0.94 * loading,
                }
            )
    areas = pd.DataFrame(rows)
    unsolved = ["peak_kw", "peak_loading_percent", "hot_spot_c", "min_voltage_v", "c1_kw", "c2_kw", "more_heat_pumps"]
    areas.loc[3, [*unsolved, "sustained_loading_percent"]] = float("nan")
    areas.loc[3, "grade"] = "grey"
    return areas


def _decisions(rng: np.random.Generator, counties: pd.DataFrame, areas: pd.DataFrame, scale: float) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for code, target in zip(counties["county_code"], counties["self_retrofit"], strict=True):
        own = areas[areas["county_code"] == code].reset_index(drop=True)
        for position in range(1, round(target * scale) + 1):
            area = own.iloc[int(rng.integers(0, len(own)))]
            rows.append(_decision(rng, code, position, area))
    return pd.DataFrame(rows)


def _decision(rng: np.random.Generator, code: str, position: int, area: pd.Series) -> dict[str, Any]:
    device = DEVICES[int(rng.choice(5, p=[0.55, 0.2, 0.05, 0.12, 0.08]))]
    loading = float(area["peak_loading_percent"])
    verdict = (
        "insufficient_data"
        if np.isnan(loading)
        else "defer"
        if loading > 92
        else "approve_with_conditions"
        if loading > 82
        else "approve"
    )
    level, quantity, rule = REASONS[int(rng.choice(5, p=[0.5, 0.1, 0.25, 0.1, 0.05]))]
    over = 1 + rng.uniform(0.01, 0.3) if verdict == "defer" else rng.uniform(0.6, 0.99)
    value = rule.value / over if quantity == "voltage_v" else rule.value * over
    if quantity == "voltage_v" and verdict != "defer":
        value = rule.value * (2 - over)
    missing = verdict == "insufficient_data"
    return {
        "application_id": f"{code}-P{position:05d}",
        "county_code": code,
        "area_id": area["area_id"],
        "feeder_id": area["feeder_id"],
        "queue_position": position,
        "device": device,
        "rated_kw": DEVICE_KW[device],
        "phase": ("A", "B", "C", "ABC")[int(rng.integers(0, 4))],
        "verdict": verdict,
        "conditions": CONDITIONS.get(verdict),
        "binding_level": None if missing else level,
        "binding_element": None
        if missing
        else str(area["area_id" if level in ("area", "low_voltage") else "feeder_id"]),
        "binding_quantity": None if missing else quantity,
        "binding_value": float("nan") if missing else value,
        "binding_limit": float("nan") if missing else rule.value,
        "limit_clause": None if missing else f"{rule.clause} [{rule.confidence}]",
        "binding_time": pd.NaT if missing else START_UTC + pd.Timedelta(minutes=15 * int(rng.integers(0, N_STEP))),
        "probability": float("nan") if missing else float(rng.uniform(0.5, 1.0)),
        "margin_kw": float("nan")
        if missing
        else float(rng.uniform(-20, 0) if verdict == "defer" else rng.uniform(0, 60)),
        "blocked_by": BLOCKERS[position % 3] if verdict == "defer" else None,
    }


def _plan(rng: np.random.Generator, areas: pd.DataFrame) -> pd.DataFrame:
    worst = areas.sort_values(["peak_loading_percent", "area_id"], ascending=[False, True], kind="stable").head(150)
    rows: list[dict[str, Any]] = []
    for k, (_, area) in enumerate(worst.iterrows()):
        measure, wan, description = MEASURES[int(rng.integers(0, len(MEASURES)))]
        rows.append(
            {
                "rank": k + 1,
                "project_id": f"{area['county_code']}-R{k + 1:04d}",
                "county_code": area["county_code"],
                "feeder_id": area["feeder_id"],
                "area_id": None if measure.startswith(("mv", "tie")) else area["area_id"],
                "measure": measure,
                "description": HOSTILE_NAME if k == 0 else description,
                "cost_yuan": wan * 10_000.0,
                "households_unlocked": int(rng.integers(0, 40) * (1 - k / 200)),
                "overload_hours_removed": rng.uniform(0, 40),
                "undervoltage_hours_removed": rng.uniform(0, 20),
                "unsupplied_mwh_removed": rng.uniform(0, 4),
                "benefit_per_wan": 3.0 / (1 + k / 30),
            }
        )
    plan = pd.DataFrame(rows)
    plan["cumulative_cost_yuan"] = plan["cost_yuan"].cumsum()
    plan["chosen"] = plan["cumulative_cost_yuan"] <= BUDGET_YUAN
    plan["reason"] = np.where(plan["measure"].isin(["tie_switch"]), "stronger_grid", "new_load")
    plan["outcome"] = np.where(plan["chosen"], "chosen", "over_budget")
    return plan


def _n_minus_1(rng: np.random.Generator, feeders: pd.DataFrame) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for feeder_id, code in zip(feeders["feeder_id"], feeders["county_code"], strict=True):
        for k in range(3):
            status = ("SECURE", "VIOLATED", "UNSUPPLIED", "NOT_CONVERGED")[int(rng.choice(4, p=[0.5, 0.2, 0.27, 0.03]))]
            unsolved = status == "NOT_CONVERGED"
            households = 0 if status == "SECURE" else int(rng.integers(20, 400))
            rows.append(
                {
                    "county_code": code,
                    "feeder_id": feeder_id,
                    "outage_id": f"{feeder_id}-K{k + 1}",
                    "outage_kind": "section",
                    "status": status,
                    "restored_by": None if status == "UNSUPPLIED" else f"close {code}-L{k + 1:03d}",
                    "unsupplied_kw": float("nan") if unsolved else households * 2.1,
                    "unsupplied_households": None if unsolved else households,
                    "faulted_households": None if unsolved else households // 3,
                    "untransferred_households": None if unsolved else households - households // 3,
                    "worst_loading_percent": float("nan") if unsolved else rng.uniform(50, 130),
                    "worst_vm_pu": float("nan") if unsolved else rng.uniform(0.9, 1.01),
                    "transfer_ratio": float("nan") if unsolved else rng.uniform(0.2, 1.0),
                }
            )
    return pd.DataFrame(rows)


def _violations(areas: pd.DataFrame) -> pd.DataFrame:
    over = areas[areas["sustained_loading_percent"] > 100]
    low = areas[areas["min_voltage_v"] < 198]
    columns = ["county_code", "feeder_id", "area_id"]
    hot = over[columns].assign(
        quantity="area_loading_percent", value=over["sustained_loading_percent"], limit=100.0, unit="%"
    )
    weak = low[columns].assign(quantity="voltage_v", value=low["min_voltage_v"], limit=198.0, unit="V")
    table = pd.concat([hot, weak], ignore_index=True)
    return table.assign(
        element_kind="area",
        element_id=table["area_id"],
        clause="DL/T 5729",
        time=START_UTC + pd.Timedelta(hours=12),
        hours_above=(table["value"] - table["limit"]).abs() / 4,
    )


def _counties(counties: pd.DataFrame, decisions: pd.DataFrame, plan: pd.DataFrame, scale: float) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    chosen = plan[plan["chosen"]]
    for code, name, target in zip(counties["county_code"], counties["county"], counties["self_retrofit"], strict=True):
        verdicts = decisions.loc[decisions["county_code"] == code, "verdict"]
        approved, conditional = int((verdicts == "approve").sum()), int((verdicts == "approve_with_conditions").sum())
        scaled = round(target * scale)
        own = chosen[chosen["county_code"] == code]
        rows.append(
            {
                "county_code": code,
                "county": name,
                "target_self_retrofit": scaled,
                "applications": len(verdicts),
                "approved": approved,
                "conditional": conditional,
                "deferred": int((verdicts == "defer").sum()),
                "gap_to_target": max(scaled - approved - conditional, 0),
                "budget_yuan": float(own["cost_yuan"].sum()),
                "households_unlocked": min(
                    int(own["households_unlocked"].sum()), max(scaled - approved - conditional, 0)
                ),
                "subsidy_yuan": 640.0 * (approved + conditional),
            }
        )
    return pd.DataFrame(rows)


def sample_tables(sample: Sample) -> dict[str, pd.DataFrame]:
    """Build the tables of a sample run."""
    rng = np.random.default_rng(sample.seed)
    counties = plan_2025().counties.reset_index(drop=True)
    feeders = _feeders(rng, counties)
    areas = _areas(rng, feeders)
    decisions = _decisions(rng, counties, areas, sample.scale)
    plan = _plan(rng, areas)
    return {
        "decisions": decisions,
        "plan": plan,
        "n_minus_1": _n_minus_1(rng, feeders),
        "areas": areas,
        "feeders": feeders,
        "counties": _counties(counties, decisions, plan, sample.scale),
        "violations": _violations(areas),
    }


def sample_summary(sample: Sample) -> dict[str, Any]:
    """Build the summary of a sample run."""
    limits = [
        getattr(DEFAULT_LIMITS, name)
        for name in ("area_loading_percent", "heavy_percent", "low_voltage_v", "hot_spot_c")
    ]
    return {
        "synthetic": True,
        "budget_yuan": BUDGET_YUAN,
        "scenario": {"name": "cold-wave-2025", "seed": sample.seed, "growth_percent": 0.0},
        "weather": {"label": "scripted cold wave", "start_utc": START_UTC.isoformat(), "min_temperature_c": -17.5},
        "provenance": {"version": "0.1.0", "input_sha256": {"networks": "0" * 64, "scenario": "1" * 64}},
        "limits": [
            {
                "name": limit.name,
                "value": limit.value,
                "unit": limit.unit,
                "clause": limit.clause,
                "confidence": limit.confidence,
            }
            for limit in limits
        ],
        "unsolved_cases": 3,
    }


def write_curves(areas: pd.DataFrame, folder: Path, seed: int) -> None:
    """Write a five-day curve for every area; the unsolved area is NaN throughout."""
    rng = np.random.default_rng(seed)
    hour = (np.arange(N_STEP) % 96) / 4
    shape = 0.55 + 0.25 * np.exp(-(((hour - 19) / 3) ** 2)) + 0.2 * np.exp(-(((hour - 7) / 2) ** 2))
    shape = shape * (1 + 0.12 * np.sin(np.arange(N_STEP) / 96))
    time = CurveTime(start_utc=START_UTC, n_step=N_STEP)
    with CurveWriter(folder / CURVES_FILE, time) as writer:
        for code, own in areas.groupby("county_code", sort=True):
            noise = shape + rng.normal(0, 0.02, (len(own), N_STEP))
            relative = noise / noise.max(axis=1, keepdims=True)
            peak_kw, peak = own["peak_kw"].to_numpy(float), own["peak_loading_percent"].to_numpy(float)
            writer.write(str(code), list(own["area_id"]), relative * peak_kw[:, None], relative * peak[:, None])


def write_sample_results(folder: Path, sample: Sample | None = None) -> Path:
    """Write a whole sample results folder and return it."""
    chosen = Sample() if sample is None else sample
    folder.mkdir(parents=True, exist_ok=True)
    tables = sample_tables(chosen)
    write_curves(tables["areas"], folder, chosen.seed)
    write_results(tables, sample_summary(chosen), folder)
    return folder


def sample_results(sample: Sample | None = None) -> Results:
    """Return a sample run as it would be read, without writing it; it has no curves."""
    chosen = Sample() if sample is None else sample
    tables = {name: normalised(table, TABLES[name], name) for name, table in sample_tables(chosen).items()}
    return Results(folder=Path("sample"), summary=sample_summary(chosen), **tables)
