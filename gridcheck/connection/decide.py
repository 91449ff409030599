"""Decide applications in queue order, each against everything that was promised before it.

The plain algorithm: add the heater, solve every case, look at every check between the household and the
source. Two rules keep each answer true for good:

* The 10 kV level (sections, feeder, main transformer) carries what was promised so far. A limit counts there
  where it is broken on the way of supply, or anywhere on the own feeder where it was kept before. So nobody
  answers for a violation elsewhere that was there already.
* An area's own transformer and low-voltage lines are checked with its promises so far, and with every pending
  application of *other* areas connected. Others act on an area only by lowering the common 10 kV voltage, so no
  later approval elsewhere can break what this check has shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.catalogue import heaters
from gridcheck.checks.assessment import Assessment, Course, LevelAssessment, assess, assess_areas, assess_upper
from gridcheck.checks.supply_tree import CheckKind, CheckList, SupplyTree
from gridcheck.connection.applications import Application
from gridcheck.connection.decision import Blocker, Decision, Verdict
from gridcheck.demand.profiles import ClassCounts
from gridcheck.errors import NotConvergedError
from gridcheck.limits import LimitSet
from gridcheck.powerflow.sweep import SweepState

# A check that a heater moves by less than this share of its limit has no bearing on it.
_NEGLIGIBLE = 1e-6


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
    crowd : ClassCounts
        The same with every pending application connected, which is what other areas count as while an area's own
        transformer and lines are checked.
    """

    decisions: tuple[Decision, ...]
    base: tuple[Assessment, ...]
    final: tuple[Assessment, ...]
    counts: ClassCounts
    crowd: ClassCounts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _View:
    """The checks that applications of one area are held against.

    `check` are positions in the tree's check list, `path` those on the way of supply, `feeder` those of the own feeder.
    """

    check: IntArray
    checks: CheckList
    path: BoolArray
    feeder: BoolArray


def _view(tree: SupplyTree, row: int) -> _View:
    n_area = len(tree.area)
    check = np.concatenate([row + n_area * np.arange(3), np.arange(3 * n_area, len(tree.checks.element))])
    return _View(
        check=check, checks=tree.checks.at(check), path=tree.on_path(row)[check], feeder=tree.on_feeder_of(row)[check]
    )


@dataclass(slots=True)
class _TreeState:
    """What is promised below one main transformer so far.

    `crowd_*` hold every pending application as if connected; `own` keeps the last values of each area's own checks.
    """

    tree: SupplyTree
    rated_kw: FloatArray
    count: FloatArray
    crowd_kw: FloatArray
    crowd_count: FloatArray
    base: Assessment
    crowd: SweepState
    upper: LevelAssessment
    own: dict[int, FloatArray] = field(default_factory=dict)
    views: dict[int, _View] = field(default_factory=dict)
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
    place = {}
    for number, tree in enumerate(trees):
        for row, area in enumerate(tree.area.tolist()):
            place[area_ids[area]] = (number, row)
    column = {name: i for i, name in enumerate(course.profiles.classes)}
    pending: list[list[tuple[int, int, float]]] = [[] for _ in trees]
    for application in applications:
        number, row = place[application.area_id]
        pending[number].append((row, column[application.device], application.rated_kw))
    states = [_start(tree, course, counts, limits, own) for tree, own in zip(trees, pending, strict=True)]
    preferred = {str(device): bool(flag) for device, flag in heaters()["preferred"].items()}
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
        final=tuple(_end(state, course, limits) for state in states),
        counts=_gather(counts, [(state.tree.area, state.rated_kw, state.count) for state in states]),
        crowd=_gather(counts, [(state.tree.area, state.crowd_kw, state.crowd_count) for state in states]),
    )


def _start(
    tree: SupplyTree, course: Course, counts: ClassCounts, limits: LimitSet, pending: Sequence[tuple[int, int, float]]
) -> _TreeState:
    own = ClassCounts(rated_kw=counts.rated_kw[tree.area], count=counts.count[tree.area])
    base = assess(tree, course, own, limits)
    crowd_kw, crowd_count = own.rated_kw.copy(), own.count.copy()
    for row, column, rated_kw in pending:
        crowd_kw[row, column] += rated_kw
        crowd_count[row, column] += 1.0
    try:
        crowd = assess_areas(
            tree, course, ClassCounts(rated_kw=crowd_kw, count=crowd_count), limits, start=base.area_state
        ).state
    except NotConvergedError:
        # So many applications that they cannot all be supplied at once: then the promises so far stand for the others.
        crowd_kw, crowd_count, crowd = own.rated_kw.copy(), own.count.copy(), base.area_state
    return _TreeState(
        tree=tree,
        rated_kw=own.rated_kw.copy(),
        count=own.count.copy(),
        crowd_kw=crowd_kw,
        crowd_count=crowd_count,
        base=base,
        crowd=crowd,
        upper=assess_upper(tree, course, own, start=base.feeder_state),
    )


def _end(state: _TreeState, course: Course, limits: LimitSet) -> Assessment:
    return assess(state.tree, course, ClassCounts(rated_kw=state.rated_kw, count=state.count), limits, start=state.base)


def _gather(counts: ClassCounts, parts: Sequence[tuple[IntArray, FloatArray, FloatArray]]) -> ClassCounts:
    """Return the counts of the county with those of some areas (position, rated kW, count) put in their place."""
    rated_kw, count = counts.rated_kw.copy(), counts.count.copy()
    for area, own_kw, own_count in parts:
        rated_kw[area], count[area] = own_kw, own_count
    return ClassCounts(rated_kw=rated_kw, count=count)


def _decide(
    state: _TreeState,
    row: int,
    column: int,
    application: Application,
    course: Course,
    limits: LimitSet,
    *,
    preferred: Mapping[str, bool],
) -> Decision:
    tree = state.tree
    if row not in state.own:
        state.own[row] = _own_checks(state, row, state.rated_kw[row], state.count[row], course, limits).value
    rated_kw, count = state.rated_kw.copy(), state.count.copy()
    rated_kw[row, column] += application.rated_kw
    count[row, column] += 1.0
    try:
        own = _own_checks(state, row, rated_kw[row], count[row], course, limits)
        upper = assess_upper(tree, course, ClassCounts(rated_kw=rated_kw, count=count), start=state.upper.state)
    except NotConvergedError:
        return _no_solution(application, state.promised)
    if row not in state.views:
        state.views[row] = _view(tree, row)
    seen = _Seen(
        before=np.concatenate([state.own[row], state.upper.value]),
        after=np.concatenate([own.value, upper.value]),
        case=np.concatenate([own.case, upper.case]),
    )
    decision = _judge(state, state.views[row], seen, application, preferred=preferred[application.device])
    if decision.connected:
        state.rated_kw, state.count, state.upper = rated_kw, count, upper
        state.own[row] = own.value
        state.promised += 1
    return decision


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Seen:
    """Values of the checks that one application is held against, without and with it, and the cases of the latter."""

    before: FloatArray
    after: FloatArray
    case: IntArray


def _own_checks(
    state: _TreeState, row: int, rated_kw: FloatArray, count: FloatArray, course: Course, limits: LimitSet
) -> LevelAssessment:
    """Check one area's transformer and lines: its own load as given, every pending application elsewhere connected."""
    crowd_kw, crowd_count = state.crowd_kw.copy(), state.crowd_count.copy()
    crowd_kw[row], crowd_count[row] = rated_kw, count
    counts = ClassCounts(rated_kw=crowd_kw, count=crowd_count)
    return assess_areas(state.tree, course, counts, limits, rows=np.array([row]), start=state.crowd)


def _judge(state: _TreeState, view: _View, seen: _Seen, application: Application, *, preferred: bool) -> Decision:
    checks, path = view.checks, view.path
    newly = view.feeder & ~checks.beyond_limit(seen.before)
    charged = checks.beyond_limit(seen.after) & (path | newly)
    margin = _margins(checks, seen, application.rated_kw)
    relevant = charged if charged.any() else path
    binding = int(np.flatnonzero(relevant)[np.argmin(margin[relevant])])
    blocked_by = None
    if charged.any():
        verdict = Verdict.DEFER
        conditions = _what_fits(margin[charged], application.rated_kw)
        blocked_by = _blocker(state, view, seen, binding)
    else:
        conditions = _conditions(checks, seen.after, path, preferred=preferred)
        verdict = Verdict.APPROVE_WITH_CONDITIONS if conditions else Verdict.APPROVE
    return Decision(
        application=application,
        verdict=verdict,
        conditions=conditions,
        kind=CheckKind(int(checks.kind[binding])),
        check=int(view.check[binding]),
        element=checks.element[binding],
        value=float(seen.after[binding]),
        value_before=float(seen.before[binding]),
        limit=float(checks.limit[binding]),
        case=int(seen.case[binding]),
        margin_kw=float(margin[binding]),
        blocked_by=blocked_by,
        promised_before=state.promised,
    )


def _margins(checks: CheckList, seen: _Seen, rated_kw: float) -> FloatArray:
    """Estimate how many more rated kW of this heater each check allows after it; inf where it has no bearing. [kW]"""
    per_kw = checks.sign * (seen.after - seen.before) / rated_kw
    room = checks.sign * (checks.limit - seen.after)
    felt = per_kw * rated_kw > _NEGLIGIBLE * checks.limit
    margin = np.where(felt, room / np.where(felt, per_kw, 1.0), np.where(room < 0.0, -rated_kw, np.inf))
    return np.where(np.isnan(seen.after), np.inf, margin)


def _what_fits(margin_kw: FloatArray, rated_kw: float) -> tuple[str, ...]:
    fits_kw = rated_kw + float(margin_kw.min())
    # Heaters below this size do not exist in the catalogue; above the rating the linear estimate contradicts itself.
    fits = _SMALLEST_KW <= fits_kw < rated_kw
    return (f"limit_kw:{np.floor(fits_kw * 10.0) / 10.0:g}",) if fits else ()


_SMALLEST_KW = 0.9
_WATCH = {
    CheckKind.AREA_LOADING: "heavy_area",
    CheckKind.END_VOLTAGE: "low_voltage_watch",
    CheckKind.SECTION_LOADING: "heavy_section",
    CheckKind.FEEDER_LOADING: "heavy_feeder",
    CheckKind.MAIN_LOADING: "heavy_main_transformer",
}


def _conditions(checks: CheckList, value: FloatArray, path: BoolArray, *, preferred: bool) -> tuple[str, ...]:
    beyond = path & checks.beyond_design(value)
    codes = [code for kind, code in _WATCH.items() if (beyond & (checks.kind == kind)).any()]
    if beyond.any():
        codes.append("staggered_start")
    if not preferred:
        codes.append("discouraged_device")
    return tuple(codes)


def _blocker(state: _TreeState, view: _View, seen: _Seen, binding: int) -> Blocker:
    base = state.base.value[view.check[binding]]
    sign, limit = view.checks.sign[binding], view.checks.limit[binding]
    if sign * (base - limit) > 0.0:
        return Blocker.EXISTING_LOAD
    alone = base + (seen.after[binding] - seen.before[binding])
    return Blocker.OWN_LOAD if sign * (alone - limit) > 0.0 else Blocker.PROMISED_LOAD


def _no_solution(application: Application, promised: int) -> Decision:
    nan = float("nan")
    return Decision(
        application=application,
        verdict=Verdict.DEFER,
        conditions=(),
        kind=None,
        check=-1,
        element=application.area_id,
        value=nan,
        value_before=nan,
        limit=nan,
        case=-1,
        margin_kw=-application.rated_kw,
        blocked_by=Blocker.OWN_LOAD,
        promised_before=promised,
    )
