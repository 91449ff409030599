"""The facts of one project of a plan, gathered from the tables of a run: what its sheet says, before any words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gridcheck.errors import InputError
from gridcheck.reports.folder import Results
from gridcheck.reports.labels import Row, is_missing, village_name
from gridcheck.reports.letters_words import printable
from gridcheck.reports.plan_items import read_plan_items

# Levels at which a limit binds that a project on a feeder can lift.
_OF_FEEDER = ("section", "feeder")
_MOST_CLAUSES, _MOST_BROKEN = 6, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class BillRow:
    """One row of a bill of quantities; the columns of plan_items.csv.

    Attributes
    ----------
    item, unit, source, confidence, type_name : str
        Measure, what is counted, where its price comes from, how firm it is, and what is bought.
    quantity : float
        How much. [km], [1]
    unit_yuan, cost_yuan, cost_min_yuan, cost_max_yuan : float
        Price of one unit, cost, and between what it lies. [yuan]
    elements : tuple of str
        What is changed or joined, as ``line:6`` or ``bus:4``.
    """

    item: str
    unit: str
    quantity: float
    unit_yuan: float
    cost_yuan: float
    cost_min_yuan: float
    cost_max_yuan: float
    source: str
    confidence: str
    type_name: str
    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenLimit:
    """A limit that is broken at the place of a project and stays so without it.

    Attributes
    ----------
    element, quantity, clause : str
        Where, what, and by which limit.
    value, limit : float or None
        In the unit of the quantity.
    hours : float or None
        Time beyond it. [h]
    """

    element: str
    quantity: str
    clause: str
    value: float | None
    limit: float | None
    hours: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFacts:
    """What is known of one project.

    Attributes
    ----------
    project_id, county_code, feeder_id, feeder_name, substation_id, area_id, village : str
        Where; empty where a table does not say, the last two for projects on a feeder.
    lon, lat : float or None
        Place of the area. [degree]
    description, reason, outcome : str
        What is replaced by what, the problem it solves first, and why it is chosen or not.
    bill : tuple of BillRow
        What it consists of.
    rank, households_unlocked : int
        Place in the plan; applications that can be connected with it.
    cost_yuan, cumulative_cost_yuan, budget_yuan : float
        Money; the second is NaN where it is not chosen. [yuan]
    overload_hours_removed, undervoltage_hours_removed : float
        Hours beyond limits that go away. [h]
    unsupplied_mwh_removed, benefit_per_wan : float
        Energy that is not left off any more, and households per ten thousand yuan. [MWh], [1]
    deferred : int
        Applications that are deferred at the place: in the area, or on the feeder for a limit of the feeder.
    grade, n_minus_1 : str
        Grade of the area or feeder; N-1 status of the feeder.
    insecure_outages : int or None
        Outages after which somebody on the feeder stays off.
    worst_unsupplied_kw : float or None
        Load that the worst of them leaves off. [kW]
    broken : tuple of BrokenLimit
        Limits that are broken there, the longest first.
    clauses : tuple of str
        Limits that the decisions and the broken limits at the place name, with confidence marks.
    synthetic : bool
        Whether anything behind it is made up.
    """

    project_id: str
    county_code: str
    feeder_id: str
    feeder_name: str
    substation_id: str
    area_id: str
    village: str
    lon: float | None
    lat: float | None
    description: str
    reason: str
    outcome: str
    bill: tuple[BillRow, ...]
    rank: int
    households_unlocked: int
    cost_yuan: float
    cumulative_cost_yuan: float
    budget_yuan: float
    overload_hours_removed: float
    undervoltage_hours_removed: float
    unsupplied_mwh_removed: float
    benefit_per_wan: float
    deferred: int
    grade: str
    n_minus_1: str
    insecure_outages: int | None
    worst_unsupplied_kw: float | None
    broken: tuple[BrokenLimit, ...]
    clauses: tuple[str, ...]
    synthetic: bool

    @property
    def cost_range_yuan(self) -> tuple[float, float]:
        """Between what the cost lies with the least and the largest prices of the catalogue. [yuan]"""
        return math.fsum(row.cost_min_yuan for row in self.bill), math.fsum(row.cost_max_yuan for row in self.bill)


def project_facts(results: Results, project_ids: Sequence[str] = ()) -> tuple[ProjectFacts, ...]:
    """Gather the facts of projects of a run.

    Parameters
    ----------
    results : Results
        The run.
    project_ids : sequence of str
        Which projects; all that are chosen where none is named.

    Returns
    -------
    tuple of ProjectFacts
        By rank.

    Raises
    ------
    InputError
        If a project is not in the plan, or no project is chosen and none is named.
    LedgerError
        If the run has no bills, or they do not add up to its plan.
    """
    items, plan = read_plan_items(results), results.plan
    unknown = sorted(set(project_ids) - set(plan["project_id"]))
    if unknown:
        raise InputError(
            f"{results.folder} has no such projects; write their ids as they stand in plan.csv.",
            [f"project {i!r} is unknown" for i in unknown],
        )
    wanted = plan[plan["project_id"].isin(list(project_ids)) if project_ids else plan["chosen"]]
    if not len(wanted):
        raise InputError(f"The plan of {results.folder} has no chosen project. Name projects of plan.csv to see them.")
    bills = dict(list(items.groupby("project_id", sort=False)))
    without = [str(i) for i in wanted["project_id"] if i not in bills]
    if without:
        raise InputError(
            f"{results.folder}: these projects have no rows in plan_items.csv.", [f"project {i}" for i in without]
        )
    tables = _Tables(results)
    ordered = wanted.sort_values(["rank", "project_id"], kind="stable").to_dict("records")
    return tuple(tables.facts(row, _bill(bills[row["project_id"]])) for row in ordered)


def _bill(items: pd.DataFrame) -> tuple[BillRow, ...]:
    return tuple(
        BillRow(
            item=_text(row["item"]),
            unit=_text(row["unit"]),
            quantity=float(row["quantity"]),
            unit_yuan=float(row["unit_yuan"]),
            cost_yuan=float(row["cost_yuan"]),
            cost_min_yuan=float(row["cost_min_yuan"]),
            cost_max_yuan=float(row["cost_max_yuan"]),
            source=_text(row["source"]),
            confidence=_text(row["confidence"]),
            type_name=_text(row.get("type_name")),
            elements=tuple(filter(None, _text(row.get("elements")).split(";"))),
        )
        for row in items.to_dict("records")
    )


class _Tables:
    """The tables of a run, looked up once for many projects."""

    def __init__(self, results: Results) -> None:
        self.synthetic, self.budget_yuan = results.synthetic, results.budget_yuan
        self.areas = {str(row["area_id"]): row for row in results.areas.to_dict("records")}
        self.feeders = {str(row["feeder_id"]): row for row in results.feeders.to_dict("records")}
        self.deferred = results.decisions[results.decisions["verdict"] == "defer"]
        self.violations = results.violations
        self.outages = results.n_minus_1

    def facts(self, row: Row, bill: tuple[BillRow, ...]) -> ProjectFacts:
        area, feeder = self.areas.get(_raw(row["area_id"]), {}), self.feeders.get(_raw(row["feeder_id"]), {})
        deferred, broken = self._deferred(row), self._broken(row)
        return ProjectFacts(
            project_id=_text(row["project_id"]),
            county_code=_text(row["county_code"]),
            feeder_id=_text(row["feeder_id"]),
            feeder_name=_text(feeder.get("name")),
            substation_id=_text(area.get("substation_id")) or _text(feeder.get("substation_id")),
            area_id=_text(row["area_id"]),
            village=_text(village_name(area.get("village_code")))
            or f"{_text(area.get('town'))}{_text(area.get('village'))}",
            lon=_number(area.get("lon")),
            lat=_number(area.get("lat")),
            description=_text(row["description"]),
            reason=_text(row["reason"]),
            outcome="chosen" if row["chosen"] else _text(row.get("outcome")),
            bill=bill,
            budget_yuan=self.budget_yuan,
            rank=int(row["rank"]),
            households_unlocked=int(row["households_unlocked"]),
            cost_yuan=float(row["cost_yuan"]),
            cumulative_cost_yuan=float(row["cumulative_cost_yuan"]),
            overload_hours_removed=float(row["overload_hours_removed"]),
            undervoltage_hours_removed=float(row["undervoltage_hours_removed"]),
            unsupplied_mwh_removed=float(row["unsupplied_mwh_removed"]),
            benefit_per_wan=float(row["benefit_per_wan"]),
            deferred=len(deferred),
            grade=_text((area or feeder).get("grade")),
            n_minus_1=_text(feeder.get("n_minus_1")),
            insecure_outages=None if (found := _number(feeder.get("insecure_outages"))) is None else int(found),
            worst_unsupplied_kw=_number(feeder.get("worst_unsupplied_kw")),
            broken=broken,
            clauses=self._clauses(row, deferred, broken),
            synthetic=self.synthetic or bool(row.get("synthetic", False)),
        )

    def _deferred(self, row: Row) -> pd.DataFrame:
        table = self.deferred
        if is_missing(row["area_id"]):
            here = (table["feeder_id"] == row["feeder_id"]) & table["binding_level"].isin(_OF_FEEDER)
        else:
            here = table["area_id"] == row["area_id"]
        found: pd.DataFrame = table[here]
        return found

    def _broken(self, row: Row) -> tuple[BrokenLimit, ...]:
        table = self.violations
        if is_missing(row["area_id"]):
            here = table[(table["feeder_id"] == row["feeder_id"]) & table["area_id"].isna()]
        else:
            here = table[table["area_id"] == row["area_id"]]
        here = here.sort_values(["hours_above", "element_id"], ascending=[False, True], kind="stable")
        return tuple(
            BrokenLimit(
                **{name: _text(one[column]) for name, column in _BROKEN_TEXTS.items()},
                value=_number(one["value"]),
                limit=_number(one["limit"]),
                hours=_number(one["hours_above"]),
            )
            for one in here.head(_MOST_BROKEN).to_dict("records")
        )

    def _clauses(self, row: Row, deferred: pd.DataFrame, broken: Sequence[BrokenLimit]) -> tuple[str, ...]:
        """Return the limits that are named at the place; for a stronger grid those of its outages too."""
        named = [_text(clause) for clause in deferred["limit_clause"]] + [one.clause for one in broken]
        if row["reason"] == "stronger_grid" and "security_clause" in self.outages:
            own = self.outages[self.outages["feeder_id"] == row["feeder_id"]]
            named += [_text(clause) for clause in own["security_clause"]]
        return tuple(dict.fromkeys(filter(None, named)))[:_MOST_CLAUSES]


_BROKEN_TEXTS = {"element": "element_id", "quantity": "quantity", "clause": "clause"}


def _raw(cell: Any) -> str:
    return "" if is_missing(cell) else str(cell)


def _text(cell: Any) -> str:
    """Return a cell as it may be printed: without what a terminal, a printer or XML would stumble over."""
    return printable(_raw(cell))


def _number(cell: Any) -> float | None:
    return None if is_missing(cell) else float(cell)
