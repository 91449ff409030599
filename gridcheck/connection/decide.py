"""Decide applications in queue order, each against everything that was promised before it.

The plain algorithm: add the heater, solve every case, look at every check of the supply tree. A limit counts
against an application where it is broken with the heater connected and either the element supplies the
household, or the limit was kept before. So nobody answers for a violation elsewhere that was there already,
and nobody is connected behind an element that is already beyond its limit.

Elements beside the way of supply feel a heater only through the common voltage, often in the fifth digit.
They count once they are beyond their limit by more than `SIDE_TOLERANCE`; otherwise a neighbour's transformer
that stands at 99.999 % would close the whole feeder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.catalogue import heaters
from gridcheck.checks.assessment import Assessment, Course, assess
from gridcheck.checks.supply_tree import LEVEL, QUANTITY, CheckKind, SupplyTree, limit_of
from gridcheck.connection.applications import Application
from gridcheck.demand.profiles import ClassCounts
from gridcheck.errors import NotConvergedError
from gridcheck.limits import LimitSet

# How far an element beside the way of supply may be moved beyond its limit, as a share of it. (E)
SIDE_TOLERANCE = 0.005
# A check that a heater moves by less than this share of its limit has no bearing on it.
_NEGLIGIBLE = 1e-6


class Verdict(StrEnum):
    """Answer to an application."""

    APPROVE = "approve"
    APPROVE_WITH_CONDITIONS = "approve_with_conditions"
    DEFER = "defer"
    INSUFFICIENT_DATA = "insufficient_data"


class Blocker(StrEnum):
    """Whose load leaves no room for an application."""

    EXISTING_LOAD = "existing_load"
    PROMISED_LOAD = "promised_load"
    OWN_LOAD = "own_load"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer to one application, with the limit that leaves the least room.

    Attributes
    ----------
    application : Application
        What was asked.
    verdict : Verdict
        The answer.
    conditions : tuple of str
        Codes of what must be kept for an approval, or what would fit instead for a deferral.
    kind : CheckKind or None
        The binding check; None where the load flow has no solution.
    check : int
        Its position among the checks of the supply tree, -1 where there is none.
    element : str
        Id of the binding element.
    value, value_before, limit : float
        Worst value of the binding quantity with and without the heater, and its limit, in the limit's unit.
    case : int
        The case of `value`, -1 where there is none.
    margin_kw : float
        Rated power that still fits here after the heater; negative: what is missing. Linear estimate. [kW]
    blocked_by : Blocker or None
        For deferrals: whose load uses the room up.
    promised_before : int
        Applications of the same supply tree that were approved before this one.
    """

    application: Application
    verdict: Verdict
    conditions: tuple[str, ...]
    kind: CheckKind | None
    check: int
    element: str
    value: float
    value_before: float
    limit: float
    case: int
    margin_kw: float
    blocked_by: Blocker | None
    promised_before: int

    @property
    def level(self) -> str:
        """Level of the grid at which the binding check stands."""
        return "network" if self.kind is None else LEVEL[self.kind]

    @property
    def quantity(self) -> str:
        """Name of the binding quantity."""
        return "not_converged" if self.kind is None else QUANTITY[self.kind]

    @property
    def connected(self) -> bool:
        """True for approvals, with or without conditions."""
        return self.verdict in (Verdict.APPROVE, Verdict.APPROVE_WITH_CONDITIONS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QueueResult:
    """All decisions of one county, and the state it is left in.

    Attributes
    ----------
    decisions : tuple of Decision
        In queue order.
    base, final : tuple of Assessment
        Every supply tree before the first and after the last decision.
    counts : ClassCounts
        Homes and heaters of every area of the county with all approved applications connected.
    """

    decisions: tuple[Decision, ...]
    base: tuple[Assessment, ...]
    final: tuple[Assessment, ...]
    counts: ClassCounts


@dataclass(slots=True)
class _TreeState:
    """What is promised below one main transformer so far."""

    tree: SupplyTree
    rated_kw: FloatArray
    count: FloatArray
    base: Assessment
    now: Assessment
    promised: int = 0


def decide_queue(
    trees: Sequence[SupplyTree],
    course: Course,
    counts: ClassCounts,
    applications: Sequence[Application],
    limits: LimitSet,
    *,
    area_ids: Sequence[str],
    progress: Callable[[int], None] | None = None,
) -> QueueResult:
    """Decide the applications of one county in the order of its queue.

    Parameters
    ----------
    trees : sequence of SupplyTree
        The county's supply trees.
    course : Course
        Its profiles.
    counts : ClassCounts
        Homes and heaters that are connected or firmly planned already, per area of the county.
    applications : sequence of Application
        In queue order.
    limits : LimitSet
        Limits.
    area_ids : sequence of str
        Ids of the areas in the order of `counts`.
    progress : callable, optional
        Called with the number of decisions made since the last call.

    Returns
    -------
    QueueResult

    Raises
    ------
    NotConvergedError
        If the county cannot be supplied even without the applications.
    """
    states = [_start(tree, course, counts, limits) for tree in trees]
    place = {}
    for number, tree in enumerate(trees):
        for row, area in enumerate(tree.area.tolist()):
            place[area_ids[area]] = (number, row)
    column = {name: i for i, name in enumerate(course.profiles.classes)}
    preferred = heaters()["preferred"].to_dict()
    decisions = []
    for application in applications:
        number, row = place[application.area_id]
        decisions.append(
            _decide(states[number], row, column[application.device], application, course, limits, preferred=preferred)
        )
        if progress is not None:
            progress(1)
    return QueueResult(
        decisions=tuple(decisions),
        base=tuple(state.base for state in states),
        final=tuple(state.now for state in states),
        counts=_gather(states, counts),
    )


def _start(tree: SupplyTree, course: Course, counts: ClassCounts, limits: LimitSet) -> _TreeState:
    own = ClassCounts(rated_kw=counts.rated_kw[tree.area], count=counts.count[tree.area])
    base = assess(tree, course, own, limits)
    return _TreeState(tree=tree, rated_kw=own.rated_kw.copy(), count=own.count.copy(), base=base, now=base)


def _gather(states: Sequence[_TreeState], counts: ClassCounts) -> ClassCounts:
    rated_kw, count = counts.rated_kw.copy(), counts.count.copy()
    for state in states:
        rated_kw[state.tree.area] = state.rated_kw
        count[state.tree.area] = state.count
    return ClassCounts(rated_kw=rated_kw, count=count)


def _decide(
    state: _TreeState, row: int, column: int, application: Application, course: Course, limits: LimitSet, *, preferred: dict[str, bool]
) -> Decision:
    tree, before = state.tree, state.now.value
    rated_kw, count = state.rated_kw.copy(), state.count.copy()
    rated_kw[row, column] += application.rated_kw
    count[row, column] += 1.0
    try:
        after = assess(tree, course, ClassCounts(rated_kw=rated_kw, count=count), limits, start=state.now)
    except NotConvergedError:
        return _no_solution(application, state.promised)
    checks = tree.checks
    path = tree.on_path(row)
    beside = checks.beyond_limit(after.value, tolerance=SIDE_TOLERANCE) & ~checks.beyond_limit(before, tolerance=SIDE_TOLERANCE)
    charged = np.where(path, checks.beyond_limit(after.value), beside)
    margin = _margins(tree, before, after.value, application.rated_kw)
    relevant = charged if charged.any() else path
    binding = int(np.flatnonzero(relevant)[np.argmin(margin[relevant])])
    if charged.any():
        verdict = Verdict.DEFER
        conditions = _what_fits(margin, path, application.rated_kw)
        blocked_by = _blocker(state, binding, before, after.value)
    else:
        conditions = _conditions(tree, after.value, path, preferred=preferred[application.device])
        verdict = Verdict.APPROVE_WITH_CONDITIONS if conditions else Verdict.APPROVE
        blocked_by = None
    decision = Decision(
        application=application,
        verdict=verdict,
        conditions=conditions,
        kind=CheckKind(int(checks.kind[binding])),
        check=binding,
        element=checks.element[binding],
        value=float(after.value[binding]),
        value_before=float(before[binding]),
        limit=float(checks.limit[binding]),
        case=int(after.case[binding]),
        margin_kw=float(margin[binding]),
        blocked_by=blocked_by,
        promised_before=state.promised,
    )
    if decision.connected:
        state.rated_kw, state.count, state.now = rated_kw, count, after
        state.promised += 1
    return decision


def _margins(tree: SupplyTree, before: FloatArray, after: FloatArray, rated_kw: float) -> FloatArray:
    """Estimate how many more rated kW of the same heater each check allows after this one; inf where it has no bearing."""
    checks = tree.checks
    per_kw = checks.sign * (after - before) / rated_kw
    room = checks.sign * (checks.limit - after)
    felt = per_kw * rated_kw > _NEGLIGIBLE * checks.limit
    margin = np.where(felt, room / np.where(felt, per_kw, 1.0), np.where(room < 0.0, -rated_kw, np.inf))
    return np.where(np.isnan(after), np.inf, margin)


def _what_fits(margin: FloatArray, path: np.ndarray, rated_kw: float) -> tuple[str, ...]:  # type: ignore[type-arg]
    fits_kw = rated_kw + float(margin[path].min())
    # Heaters below this size do not exist in the catalogue.
    return (f"limit_kw:{np.floor(fits_kw * 10.0) / 10.0:g}",) if fits_kw >= _SMALLEST_KW else ()


_SMALLEST_KW = 0.9
_WATCH = {
    CheckKind.AREA_LOADING: "heavy_area",
    CheckKind.END_VOLTAGE: "low_voltage_watch",
    CheckKind.SECTION_LOADING: "heavy_section",
    CheckKind.FEEDER_LOADING: "heavy_feeder",
    CheckKind.MAIN_LOADING: "heavy_main_transformer",
}


def _conditions(tree: SupplyTree, value: FloatArray, path: np.ndarray, *, preferred: bool) -> tuple[str, ...]:  # type: ignore[type-arg]
    beyond = path & tree.checks.beyond_design(value)
    codes = [code for kind, code in _WATCH.items() if (beyond & (tree.checks.kind == kind)).any()]
    if beyond.any():
        codes.append("staggered_start")
    if not preferred:
        codes.append("discouraged_device")
    return tuple(codes)


def _blocker(state: _TreeState, binding: int, before: FloatArray, after: FloatArray) -> Blocker:
    checks, base = state.tree.checks, state.base.value
    sign, limit = checks.sign[binding], checks.limit[binding]
    if sign * (base[binding] - limit) > 0.0:
        return Blocker.EXISTING_LOAD
    alone = base[binding] + (after[binding] - before[binding])
    return Blocker.OWN_LOAD if sign * (alone - limit) > 0.0 else Blocker.PROMISED_LOAD


def _no_solution(application: Application, promised: int) -> Decision:
    nan = float("nan")
    return Decision(
        application=application, verdict=Verdict.DEFER, conditions=(), kind=None, check=-1, element=application.area_id, value=nan,
        value_before=nan, limit=nan, case=-1, margin_kw=-application.rated_kw, blocked_by=Blocker.OWN_LOAD, promised_before=promised,
    )  # fmt: skip


def clause_of(decision: Decision, limits: LimitSet) -> str:
    """Return the clause of the binding limit with its confidence mark."""
    if decision.kind is None:
        return ""
    limit = limit_of(decision.kind, limits)
    return f"{limit.clause} [{limit.confidence}]"
