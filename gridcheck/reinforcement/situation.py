"""Where a plan starts from: a county with its queue decided, and what holds and fails in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.checks.assessment import Assessment, Course, assess, binding_course, check_courses, full_course
from gridcheck.checks.supply_tree import AREA_KINDS, CheckKind, SupplyTree, supply_trees
from gridcheck.connection.applications import Application
from gridcheck.connection.area_desk import DeskInput
from gridcheck.connection.decision import Decision, Verdict
from gridcheck.demand.profiles import ClassCounts, ClassProfiles
from gridcheck.errors import NotConvergedError
from gridcheck.limits import LimitSet
from gridcheck.network.county import CountyGrid
from gridcheck.powerflow.readings import node_voltages
from gridcheck.reinforcement.options import Option
from gridcheck.reinforcement.terms import Terms, default_terms
from gridcheck.units import SQRT3

# Volts from phase to neutral of 1 pu on a 0.4 kV busbar.
LV_PHASE_V = 400.0 / SQRT3


class OutageRow(Protocol):
    """What a plan needs to know of the loss of one element; rows of the N-1 check have it."""

    @property
    def outage_id(self) -> str:
        """Id of what is lost."""
        ...

    @property
    def feeder_id(self) -> str:
        """Feeder on which it is lost."""
        ...

    @property
    def lost_kw(self) -> float:
        """Healthy load that is cut off. [kW]"""
        ...

    @property
    def restored_kw(self) -> float:
        """The part of it that ties take over. [kW]"""
        ...


OutageStudy = Callable[[CountyGrid, ClassCounts, str], Sequence[OutageRow]]
"""Studies the outages of one feeder: grid, homes and heaters per area, feeder id -> its rows."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecidedCounty:
    """One county after its queue was decided: everything that a plan for it needs, ready to be sent to a process.

    Attributes
    ----------
    grid : CountyGrid
        The county as it stands.
    profiles : ClassProfiles
        Its cold wave.
    counts : ClassCounts
        Homes and heaters per area before the queue.
    decisions : tuple of Decision
        Of its queue, in queue order.
    limits : LimitSet
        Limits.
    terms : Terms
        Prices and estimates.
    outages : tuple of OutageRow
        Rows of the N-1 check at the end of the queue; without them no tie is proposed.
    outage_study : callable, optional
        Repeats the N-1 check of one feeder in a changed grid; without it no tie is proposed.
    least_measures : mapping of str to tuple of Option
        What lets a feeder pass N-1, where that is known.
    desk : DeskInput or None
        Low-voltage side of the queue, where it was decided by draws.
    """

    grid: CountyGrid
    profiles: ClassProfiles
    counts: ClassCounts
    decisions: tuple[Decision, ...]
    limits: LimitSet
    terms: Terms = field(default_factory=default_terms)
    outages: tuple[OutageRow, ...] = ()
    outage_study: OutageStudy | None = None
    least_measures: Mapping[str, tuple[Option, ...]] = field(default_factory=dict)
    desk: DeskInput | None = None

    @property
    def applications(self) -> tuple[Application, ...]:
        """All applications, in queue order."""
        return tuple(decision.application for decision in self.decisions)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HoursBeyond:
    """Hours in which limits are broken below one main transformer.

    Attributes
    ----------
    area_overload_h, area_undervoltage_h : ndarray, shape (n_area,)
        Transformer beyond its rating; voltage at the end of the low-voltage lines below its limit. [h]
    feeder_overload_h, feeder_undervoltage_h : ndarray, shape (n_feeder,)
        Any 10 kV line of the feeder beyond its rating; any of its 10 kV buses below the limit. [h]
    """

    area_overload_h: FloatArray
    area_undervoltage_h: FloatArray
    feeder_overload_h: FloatArray
    feeder_undervoltage_h: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TreeSituation:
    """One supply tree at the end of the queue.

    Attributes
    ----------
    tree : SupplyTree
        The tree.
    broken, broken_if_all : ndarray of bool, shape (n_check,)
        Limits that are broken at the end of the queue, and if all deferred applications were connected.
    upper_holds_if_all : bool
        True where then no limit of a section, feeder or main transformer is broken.
    highest_lv_v : ndarray, shape (n_area,)
        Highest voltage of the low-voltage busbars before the queue, phase to neutral. [V]
    lowest_lv_v : ndarray, shape (n_area,)
        Lowest voltage of the same at the end of the queue. [V]
    lowest_end_v : ndarray, shape (n_area,)
        Lowest voltage at the end of the low-voltage lines then, by the estimate. [V]
    hours : HoursBeyond
        At the end of the queue.
    """

    tree: SupplyTree
    broken: BoolArray
    broken_if_all: BoolArray
    upper_holds_if_all: bool
    highest_lv_v: FloatArray
    lowest_lv_v: FloatArray
    lowest_end_v: FloatArray
    hours: HoursBeyond


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Situation:
    """A county at the end of its queue, ready for candidates to be proposed and evaluated.

    Attributes
    ----------
    county : DecidedCounty
        The county.
    course, full : Course
        Cases that can be the worst, and all cases.
    counts : ClassCounts
        Homes and heaters per area with all approved applications connected.
    deferred : tuple of Decision
        Deferrals in queue order.
    trees : tuple of TreeSituation
        One per main transformer.
    tree_of_area : ndarray of int, shape (n_area,)
        Position in `trees` of each area's tree.
    """

    county: DecidedCounty
    course: Course
    full: Course
    counts: ClassCounts
    deferred: tuple[Decision, ...]
    trees: tuple[TreeSituation, ...]
    tree_of_area: IntArray


def situation_of(county: DecidedCounty) -> Situation:
    """Assess a county at the end of its queue.

    Raises
    ------
    NotConvergedError
        If the end of the queue cannot be supplied; `decide_queue` never leaves a county so.
    """
    full = full_course(county.profiles, county.limits)
    course = binding_course(county.profiles, county.limits)
    deferred = tuple(decision for decision in county.decisions if decision.verdict == Verdict.DEFER)
    connected = [decision.granted for decision in county.decisions if decision.connected]
    counts = with_applications(county, county.counts, connected)
    wanted = with_applications(county, counts, [decision.application for decision in deferred])
    trees = supply_trees(county.grid, county.limits)
    tree_of_area = np.full(len(county.grid.areas), -1, dtype=np.int64)
    for i, tree in enumerate(trees):
        tree_of_area[tree.area] = i
    return Situation(
        county=county,
        course=course,
        full=full,
        counts=counts,
        deferred=deferred,
        trees=tuple(_tree_situation(county, tree, course, full, (counts, wanted)) for tree in trees),
        tree_of_area=tree_of_area,
    )


def with_applications(
    county: DecidedCounty,
    counts: ClassCounts,
    applications: Sequence[Application],
    *,
    areas: Sequence[str] | None = None,
) -> ClassCounts:
    """Return homes and heaters per area with some applications connected.

    Parameters
    ----------
    county : DecidedCounty
        The county.
    counts : ClassCounts
        Homes and heaters before.
    applications : sequence of Application
        What is connected.
    areas : sequence of str, optional
        Ids of the areas of `counts`; those of the county as it stands where not given.

    Returns
    -------
    ClassCounts
    """
    row = {area_id: i for i, area_id in enumerate(county.grid.areas["area_id"] if areas is None else areas)}
    column = {name: i for i, name in enumerate(county.profiles.classes)}
    rated_kw, count = counts.rated_kw.copy(), counts.count.copy()
    for application in applications:
        place = row[application.area_id], column[application.device]
        rated_kw[place] += application.rated_kw
        count[place] += 1.0
    return ClassCounts(rated_kw=rated_kw, count=count)


def counts_of_tree(tree: SupplyTree, counts: ClassCounts) -> ClassCounts:
    """Return the rows of a county's counts that belong to a tree."""
    return ClassCounts(rated_kw=counts.rated_kw[tree.area], count=counts.count[tree.area])


def tree_below(grid: CountyGrid, main_branch: int, limits: LimitSet) -> SupplyTree:
    """Return the supply tree below one main transformer, without making those of the others."""
    only = np.where(grid.bus_main == main_branch, grid.bus_main, -1)
    return supply_trees(replace(grid, bus_main=only), limits)[0]


def hours_beyond(tree: SupplyTree, course: Course, counts: ClassCounts, solved: Assessment) -> HoursBeyond:
    """Count the hours of a course in which limits are broken.

    Parameters
    ----------
    tree : SupplyTree
        The tree.
    course : Course
        Cases to count; only with all cases are the hours those of the cold wave.
    counts : ClassCounts
        Of the areas of the tree.
    solved : Assessment
        Of the same counts and course.

    Returns
    -------
    HoursBeyond
    """
    checks = tree.checks
    values = check_courses(tree, course, counts, solved)
    beyond = checks.sign[:, None] * (values - checks.limit[:, None]) > 0.0
    duration_h = course.profiles.duration_h
    of_feeder = tree.feeder_of_node[checks.node]
    n_feeder = len(tree.feeder)

    def by_check(kind: CheckKind) -> FloatArray:
        hours: FloatArray = beyond[checks.kind == kind].sum(axis=1) * duration_h
        return hours

    def by_feeder(*kinds: CheckKind) -> FloatArray:
        chosen = np.isin(checks.kind, kinds)
        either = [beyond[chosen & (of_feeder == feeder)].any(axis=0).sum() for feeder in range(n_feeder)]
        return np.array(either, dtype=np.float64) * duration_h

    return HoursBeyond(
        area_overload_h=by_check(CheckKind.AREA_LOADING),
        area_undervoltage_h=by_check(CheckKind.END_VOLTAGE),
        feeder_overload_h=by_feeder(CheckKind.SECTION_LOADING, CheckKind.FEEDER_LOADING),
        feeder_undervoltage_h=by_feeder(CheckKind.SECTION_VOLTAGE),
    )


def _tree_situation(
    county: DecidedCounty, tree: SupplyTree, course: Course, full: Course, counts: tuple[ClassCounts, ClassCounts]
) -> TreeSituation:
    """Assess one tree before the queue, at its end, and with everything that was deferred."""
    limits, checks = county.limits, tree.checks
    before, final, wanted = (counts_of_tree(tree, c) for c in (county.counts, *counts))
    lightest = assess(tree, full, before, limits)
    solved = assess(tree, full, final, limits)
    of_area = np.isin(checks.kind, AREA_KINDS)
    try:
        broken_if_all = checks.beyond_limit(assess(tree, course, wanted, limits).value)
        upper_holds = not broken_if_all[~of_area].any()
    except NotConvergedError:
        # More than the tree can carry at all: every area that has something deferred needs everything.
        broken_if_all, upper_holds = of_area, False
    return TreeSituation(
        tree=tree,
        broken=checks.beyond_limit(solved.value),
        broken_if_all=broken_if_all,
        upper_holds_if_all=upper_holds,
        highest_lv_v=node_voltages(lightest.area_state)[tree.area_node].max(axis=1) * LV_PHASE_V,
        lowest_lv_v=node_voltages(solved.area_state)[tree.area_node].min(axis=1) * LV_PHASE_V,
        lowest_end_v=solved.value[checks.kind == CheckKind.END_VOLTAGE],
        hours=hours_beyond(tree, full, final, solved),
    )
