"""The few numbers that a decision maker reads first, counted from the tables of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gridcheck.limits import DEFAULT_LIMITS
from gridcheck.reports import labels
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
        Loading from which it is heavy, and above which it is overloaded; an area where it lasts. [%]
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


OVERLOADED = ("overload", "overload_low_voltage")
LOW_VOLTAGE = ("low_voltage", "overload_low_voltage", "low_voltage_heavy")
HEAVY = ("heavy", "low_voltage_heavy")
"""States of an area in which it is overloaded, low in voltage, and heavily loaded but not overloaded."""


def area_states(areas: pd.DataFrame, violations: pd.DataFrame, limits: Thresholds) -> pd.Series:
    """Return the state code of each area with all approved applications connected.

    Overloaded and low in voltage are the areas that the list of broken limits names, so both can never differ. Heavy
    are those that hold the loading of a heavy area as long as an overload has to last, and are not overloaded.

    Parameters
    ----------
    areas, violations : DataFrame
        Tables of one run.
    limits : Thresholds
        Limits of the run.

    Returns
    -------
    Series of str
        "no_data" where the loading is not known, "overload_low_voltage", "overload", "low_voltage_heavy",
        "low_voltage", "heavy" or "normal".
    """
    loading = areas["sustained_loading_percent"].to_numpy(dtype=np.float64)
    broken = {name: set(violations.loc[violations["quantity"] == name, "area_id"]) for name in _AREA_QUANTITIES}
    over = areas["area_id"].isin(broken["area_loading_percent"]).to_numpy()
    low = areas["area_id"].isin(broken["voltage_v"]).to_numpy()
    heavy = loading >= limits.heavy_percent
    state = np.select(
        [np.isnan(loading), over & low, over, low & heavy, low, heavy],
        ["no_data", "overload_low_voltage", "overload", "low_voltage_heavy", "low_voltage", "heavy"],
        "normal",
    )
    return pd.Series(state, index=areas.index, name="state", dtype=object)


_AREA_QUANTITIES = ("area_loading_percent", "voltage_v")


def feeder_states(feeders: pd.DataFrame, limits: Thresholds) -> pd.Series:
    """Return the state code of each feeder by the peak loading of its outlet, whose limit asks for no duration."""
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
    discouraged_only : int
        Conditional ones with nothing to keep: only their kind of heater is one that the plan does not encourage.
    gap_to_target, unlocked : int
        Households missing to the target on the grid as it stands; households that the chosen projects make possible.
    areas, overloaded, heavy, low_voltage : int
        Areas; those overloaded, those heavily loaded and not overloaded, and those low in voltage (overloaded or not).
    outages, secure : int
        Outages that take supply, and those after which all customers are supplied within limits.
    projects, chosen : int
        Candidate projects, and those in the plan.
    unfunded, unfunded_overload : int
        Candidates beyond the budget, and those of them that solve an overload first.
    unfunded_overload_yuan : float
        Cost of the latter. [yuan]
    spent_yuan, budget_yuan, subsidy_yuan : float
        Cost of the chosen projects, money of the plan, running subsidy of one season. [yuan]
    """

    target: int
    applications: int
    approved: int
    conditional: int
    discouraged_only: int
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
    unfunded: int
    unfunded_overload: int
    unfunded_overload_yuan: float
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


_COUNTED = ("counties", "decisions", "plan", "n_minus_1", "areas", "violations")


def _count(tables: Mapping[str, pd.DataFrame], limits: Thresholds, budget_yuan: float) -> Totals:
    counties, plan, outages = tables["counties"], tables["plan"], taking_supply(tables["n_minus_1"])
    by_verdict = tables["decisions"]["verdict"].value_counts()
    state = area_states(tables["areas"], tables["violations"], limits)
    chosen = plan[plan["chosen"]]
    unfunded = plan[plan["outcome"] == "over_budget"] if "outcome" in plan else plan.iloc[:0]
    against_overload = unfunded[unfunded["reason"] == "overload"]
    return Totals(
        target=int(counties["target_self_retrofit"].sum()),
        applications=int(counties["applications"].sum()),
        approved=int(counties["approved"].sum()),
        conditional=int(counties["conditional"].sum()),
        discouraged_only=int(is_discouraged_only(tables["decisions"]).sum()),
        deferred=int(counties["deferred"].sum()),
        insufficient=int(by_verdict.get("insufficient_data", 0)),
        gap_to_target=int(counties["gap_to_target"].sum()),
        unlocked=int(counties["households_unlocked"].sum()),
        areas=len(tables["areas"]),
        overloaded=int(state.isin(OVERLOADED).sum()),
        heavy=int(state.isin(HEAVY).sum()),
        low_voltage=int(state.isin(LOW_VOLTAGE).sum()),
        outages=len(outages),
        secure=int(outages["status"].str.lower().isin(SECURE_CODES).sum()),
        projects=len(plan),
        chosen=len(chosen),
        unfunded=len(unfunded),
        unfunded_overload=len(against_overload),
        unfunded_overload_yuan=float(against_overload["cost_yuan"].sum()),
        spent_yuan=float(chosen["cost_yuan"].sum()),
        budget_yuan=budget_yuan,
        subsidy_yuan=float(counties["subsidy_yuan"].sum()),
    )


def is_discouraged_only(decisions: pd.DataFrame) -> pd.Series:
    """Tell which approvals carry no condition that anybody could keep: only the remark on their kind of heater."""
    conditional = decisions["verdict"] == "approve_with_conditions"
    return conditional & (decisions["conditions"] == labels.DISCOURAGED)


def taking_supply(outages: pd.DataFrame) -> pd.DataFrame:
    """Return the outages that take somebody's supply, so that lost ties do not flatter the share of secure ones."""
    return outages[outages["outage_kind"] != "tie"]


def most_untransferred(outages: pd.DataFrame) -> int | None:
    """Return the most households of healthy sections that a single outage leaves off; None where nobody counted."""
    if "untransferred_households" not in outages or outages["untransferred_households"].isna().all():
        return None
    return int(outages["untransferred_households"].max())


def reason_counts(decisions: pd.DataFrame) -> pd.DataFrame:
    """Count what stands in the way of the applications that cannot be connected as asked, each once.

    A deferral counts under the limit that it would break. An approval with conditions counts under its first
    condition: no limit is broken there, so the limit that is nearest says nothing about it.

    Returns
    -------
    DataFrame
        ``binding_level``, ``binding_quantity``, ``verdict``, ``households``; deferrals first, then missing data, then
        conditions, most frequent reason first. The level of a condition is "condition", its code the quantity.
    """
    waiting = decisions[decisions["verdict"] != "approve"].copy()
    conditional = waiting["verdict"] == "approve_with_conditions"
    level = waiting["binding_level"].fillna("data").astype(object)
    quantity = waiting["binding_quantity"].fillna("data").astype(object)
    waiting["binding_level"] = level.where(~conditional, "condition")
    waiting["binding_quantity"] = quantity.where(~conditional, waiting["conditions"].map(labels.first_condition))
    keys = ["binding_level", "binding_quantity", "verdict"]
    counted = waiting.groupby(keys, sort=True).size().rename("households").reset_index()
    counted["order"] = counted["verdict"].map(_REASON_ORDER).fillna(len(_REASON_ORDER))
    remark = counted["binding_quantity"] == labels.DISCOURAGED
    counted.loc[remark & (counted["binding_level"] == "condition"), "order"] = len(_REASON_ORDER)
    order = counted.sort_values(
        ["order", "households", *keys], ascending=[True, False, True, True, True], kind="stable"
    )
    return order.drop(columns="order").reset_index(drop=True)


_REASON_ORDER = {"defer": 0, "insufficient_data": 1, "approve_with_conditions": 2}


def reason_name(level: Any, quantity: Any, language: Language) -> str:
    """Return the short name of a reason: where, and which quantity; or the condition."""
    if quantity == "data":
        return text("verdict.insufficient_data", language)
    if level == "condition":
        return label("reason_condition", quantity, language)
    where, what = label("level", level, language), label("quantity", quantity, language)
    if is_missing(level) or what.startswith((where, _MEDIUM_VOLTAGE)):
        return what
    return text("sentence.reason", language, place=where, quantity=what)
