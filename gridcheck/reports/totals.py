"""The few numbers that a decision maker reads first, counted from the tables of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gridcheck.limits import DEFAULT_LIMITS
from gridcheck.reports.folder import Results, Summary
from gridcheck.reports.labels import is_missing
from gridcheck.reports.texts import Language, label, text

# A quantity whose name starts so says where it is; naming the feeder before it would say it twice.
_MEDIUM_VOLTAGE = "10 kV"

SECURE_CODES = ("secure", "pass", "yes", "true")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Where the state of an area or feeder changes.

    Attributes
    ----------
    heavy_percent, overload_percent : float
        Loading from which it is heavy, and above which it is overloaded. [%]
    low_voltage_v : float
        Phase-to-neutral voltage below which a household counts as low. [V]
    """

    heavy_percent: float
    overload_percent: float
    low_voltage_v: float


def thresholds(summary: Summary) -> Thresholds:
    """Return the thresholds that the run used: those of its summary, else the program's own."""
    used = {str(item["name"]): item["value"] for item in summary.get("limits", []) if isinstance(item, Mapping)}
    return Thresholds(
        heavy_percent=float(used.get("heavy_percent", DEFAULT_LIMITS.heavy_percent.value)),
        overload_percent=float(used.get("area_loading_percent", DEFAULT_LIMITS.area_loading_percent.value)),
        low_voltage_v=float(used.get("low_voltage_v", DEFAULT_LIMITS.low_voltage_v.value)),
    )


def area_states(areas: pd.DataFrame, limits: Thresholds) -> pd.Series:
    """Return the state code of each area: the worst that holds.

    Returns
    -------
    Series of str
        "no_data" where the loading is not known, "overload", "low_voltage", "heavy" or "normal".
    """
    loading = areas["peak_loading_percent"].to_numpy(dtype=np.float64)
    voltage = areas["min_voltage_v"].to_numpy(dtype=np.float64)
    state = np.full(len(areas), "normal", dtype=object)
    state[loading >= limits.heavy_percent] = "heavy"
    state[voltage < limits.low_voltage_v] = "low_voltage"
    state[loading > limits.overload_percent] = "overload"
    state[np.isnan(loading)] = "no_data"
    return pd.Series(state, index=areas.index, name="state")


def feeder_states(feeders: pd.DataFrame, limits: Thresholds) -> pd.Series:
    """Return the state code of each feeder by its peak loading."""
    loading = feeders["peak_loading_percent"].to_numpy(dtype=np.float64)
    state = np.full(len(feeders), "normal", dtype=object)
    state[loading >= limits.heavy_percent] = "heavy"
    state[loading > limits.overload_percent] = "overload"
    state[np.isnan(loading)] = "no_data"
    return pd.Series(state, index=feeders.index, name="state")


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Counts over a whole run or over one county.

    Attributes
    ----------
    target, applications, approved, conditional, deferred, insufficient : int
        Households: the plan's self-retrofit target, applications, and applications by verdict.
    gap_to_target, unlocked : int
        Households missing to the target on the grid as it stands; households that the chosen projects make possible.
    areas, overloaded, heavy, low_voltage : int
        Areas, and areas by state at the peak of the cold wave.
    outages, secure : int
        Outages studied, and those after which all customers are supplied within limits.
    projects, chosen : int
        Candidate projects, and those in the plan.
    spent_yuan, budget_yuan, subsidy_yuan : float
        Cost of the chosen projects, money of the plan, running subsidy of one season. [yuan]
    """

    target: int
    applications: int
    approved: int
    conditional: int
    deferred: int
    insufficient: int
    gap_to_target: int
    unlocked: int
    areas: int
    overloaded: int
    heavy: int
    low_voltage: int
    outages: int
    secure: int
    projects: int
    chosen: int
    spent_yuan: float
    budget_yuan: float
    subsidy_yuan: float

    @property
    def connectable(self) -> int:
        """Applications that can be connected now, with or without conditions."""
        return self.approved + self.conditional

    @property
    def left_after_plan(self) -> int:
        """Households still missing to the target once the chosen projects stand."""
        return max(self.target - self.connectable - self.unlocked, 0)

    @property
    def connectable_percent(self) -> float:
        """Share of the applications that can be connected now; NaN where there are none. [%]"""
        return 100.0 * self.connectable / self.applications if self.applications else float("nan")


def totals(results: Results) -> Totals:
    """Count the totals of a whole run."""
    tables = {name: results.table(name) for name in _COUNTED}
    return _count(tables, thresholds(results.summary), results.budget_yuan)


def totals_by_county(results: Results) -> dict[str, Totals]:
    """Count the totals of each county of a run; its budget is the money that the plan spends there."""
    limits = thresholds(results.summary)
    groups = {name: dict(iter(results.table(name).groupby("county_code", sort=False))) for name in _COUNTED}
    found: dict[str, Totals] = {}
    for code in results.counties["county_code"]:
        tables = {name: groups[name].get(code, results.table(name).iloc[:0]) for name in _COUNTED}
        found[str(code)] = _count(tables, limits, float(tables["counties"]["budget_yuan"].sum()))
    return found


_COUNTED = ("counties", "decisions", "plan", "n_minus_1", "areas")


def _count(tables: Mapping[str, pd.DataFrame], limits: Thresholds, budget_yuan: float) -> Totals:
    counties, plan, outages = tables["counties"], tables["plan"], tables["n_minus_1"]
    by_verdict = tables["decisions"]["verdict"].value_counts()
    state = area_states(tables["areas"], limits).value_counts()
    chosen = plan[plan["chosen"]]
    return Totals(
        target=int(counties["target_self_retrofit"].sum()),
        applications=int(counties["applications"].sum()),
        approved=int(counties["approved"].sum()),
        conditional=int(counties["conditional"].sum()),
        deferred=int(counties["deferred"].sum()),
        insufficient=int(by_verdict.get("insufficient_data", 0)),
        gap_to_target=int(counties["gap_to_target"].sum()),
        unlocked=int(counties["households_unlocked"].sum()),
        areas=len(tables["areas"]),
        overloaded=int(state.get("overload", 0)),
        heavy=int(state.get("heavy", 0)),
        low_voltage=int(state.get("low_voltage", 0)),
        outages=len(outages),
        secure=int(outages["status"].str.lower().isin(SECURE_CODES).sum()),
        projects=len(plan),
        chosen=len(chosen),
        spent_yuan=float(chosen["cost_yuan"].sum()),
        budget_yuan=budget_yuan,
        subsidy_yuan=float(counties["subsidy_yuan"].sum()),
    )


def reason_counts(decisions: pd.DataFrame) -> pd.DataFrame:
    """Count what stands in the way of the applications that cannot be connected as asked.

    Returns
    -------
    DataFrame
        ``binding_level``, ``binding_quantity``, ``verdict``, ``households``, most frequent reason first.
    """
    waiting = decisions[decisions["verdict"] != "approve"].copy()
    waiting["binding_level"] = waiting["binding_level"].fillna("data")
    waiting["binding_quantity"] = waiting["binding_quantity"].fillna("data")
    keys = ["binding_level", "binding_quantity", "verdict"]
    counted = waiting.groupby(keys, sort=True).size().rename("households").reset_index()
    whole = counted.groupby(keys[:2])["households"].transform("sum")
    order = counted.assign(whole=whole).sort_values(
        ["whole", *keys], ascending=[False, True, True, True], kind="stable"
    )
    return order.drop(columns="whole").reset_index(drop=True)


def reason_name(level: Any, quantity: Any, language: Language) -> str:
    """Return the short name of a reason: where, and which quantity."""
    if quantity == "data":
        return text("verdict.insufficient_data", language)
    where, what = label("level", level, language), label("quantity", quantity, language)
    if is_missing(level) or what.startswith((where, _MEDIUM_VOLTAGE)):
        return what
    return text("sentence.reason", language, place=where, quantity=what)
