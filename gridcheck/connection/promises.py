"""What is promised below one main transformer so far, and what one more heater would do to it.

Each application is seen in three lights:

* The transformer and the low-voltage lines of its own area, with the promises of this area so far, and with every
  pending application of *other* areas connected. Others act on an area only by lowering the common 10 kV voltage, so
  no later approval elsewhere can break what this check has shown.
* Guarded areas, with what is promised so far: those that keep their limits before the queue and would lose them to
  the applications of others.
* The 10 kV level, with what is promised so far.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.checks.assessment import Assessment, Course, LevelAssessment, assess, assess_areas, assess_upper
from gridcheck.checks.moments import Moments, moments_of
from gridcheck.checks.supply_tree import AREA_KINDS, CheckKind, CheckList, SupplyTree
from gridcheck.demand.profiles import ClassCounts
from gridcheck.errors import NotConvergedError
from gridcheck.limits import LimitSet
from gridcheck.powerflow.sweep import SweepState

Heater = tuple[int, int, float]
"""Row of its area in the tree, column of its class, rated power in kW."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """The checks that applications of one area are held against: its own, those of guarded areas, those of 10 kV.

    Attributes
    ----------
    row : int
        Row of the area in the tree.
    check : ndarray of int, shape (n_seen,)
        Their positions in the tree's check list.
    checks : CheckList
        The same checks.
    path : ndarray of bool, shape (n_seen,)
        True on the way of supply of the area.
    guarded : ndarray of bool, shape (n_seen,)
        True for what else an approval must not break: the own feeder with its guarded areas.
    with_crowd : ndarray of bool, shape (n_seen,)
        True where every pending application of other areas is connected.
    """

    row: int
    check: IntArray
    checks: CheckList
    path: BoolArray
    guarded: BoolArray
    with_crowd: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlook:
    """A tree with one more heater.

    Attributes
    ----------
    view : View
        The checks that were looked at.
    before, after : ndarray, shape (n_seen,)
        Their worst values without and with the heater.
    case : ndarray of int, shape (n_seen,)
        The cases of the values with it.
    counts, own, elsewhere, upper
        Homes and heaters with it, and the three lights; None where few cases were seen only.
    """

    view: View
    before: FloatArray
    after: FloatArray
    case: IntArray
    counts: ClassCounts | None
    own: LevelAssessment | None
    elsewhere: LevelAssessment | None
    upper: LevelAssessment | None


@dataclass(slots=True, kw_only=True, eq=False)
class Promises:
    """What is promised below one main transformer so far.

    Attributes
    ----------
    tree, course, limits
        The tree, its cases and limits.
    base : Assessment
        The tree before the queue.
    base_counts, counts : ClassCounts
        Homes and heaters of the tree's areas before the queue and with all promises kept.
    crowd : ClassCounts or None
        The same with every pending application; None where so many cannot be supplied at once. Then an area sees
        of the others what is promised so far, and all areas that keep their limits are guarded.
    crowd_level : LevelAssessment
        Areas with the crowd; without one, those of `base`.
    guarded_row : ndarray of int, shape (n_guarded,)
        Rows of guarded areas.
    elsewhere, upper : LevelAssessment
        Guarded areas, and the 10 kV level, with all promises kept.
    own : dict of int to ndarray
        The last values of each area's own checks, with the crowd.
    approved : int
        Number of promises.
    """

    tree: SupplyTree
    course: Course
    limits: LimitSet
    base: Assessment
    base_counts: ClassCounts
    counts: ClassCounts
    crowd: ClassCounts | None
    crowd_level: LevelAssessment
    guarded_row: IntArray
    elsewhere: LevelAssessment
    upper: LevelAssessment
    own: dict[int, FloatArray] = field(default_factory=dict)
    views: dict[int, View] = field(default_factory=dict)
    approved: int = 0

    @property
    def promises(self) -> Promises:
        """These promises themselves, as from whatever sees them."""
        return self

    def settle(self) -> Promises:
        """Return the promises at the end of the queue."""
        return self

    def with_heater(self, heater: Heater) -> Outlook:
        """See what one more heater does.

        Raises
        ------
        NotConvergedError
            If it cannot be supplied at all.
        """
        row = heater[0]
        counts = with_heaters(self.counts, [heater])
        # Without a crowd the promises to others move the own checks too.
        own_before = self.own[row] if self.crowd is not None else self._own_checks(row, self.counts).value
        own = self._own_checks(row, counts)
        elsewhere = self._areas(self.guarded_row, counts, self.base.area_state)
        upper = assess_upper(self.tree, self.course, counts, start=self.base.feeder_state)
        return Outlook(
            view=self.view(row),
            before=np.concatenate([own_before, self.elsewhere.value, self.upper.value]),
            after=np.concatenate([own.value, elsewhere.value, upper.value]),
            case=np.concatenate([own.case, elsewhere.case, upper.case]),
            counts=counts,
            own=own,
            elsewhere=elsewhere,
            upper=upper,
        )

    def again(self, heater: Heater) -> Outlook:
        """See the heater that was asked for last once more, with no more power than it had then."""
        return self.with_heater(heater)

    def promise(self, heater: Heater, outlook: Outlook) -> None:
        """Approve the heater of an outlook."""
        assert outlook.counts is not None
        assert outlook.own is not None
        assert outlook.elsewhere is not None
        assert outlook.upper is not None
        self.counts, self.elsewhere, self.upper = outlook.counts, outlook.elsewhere, outlook.upper
        self.own[heater[0]] = outlook.own.value
        self.approved += 1

    def moments(self, seen: Outlook, place: int) -> tuple[Moments, Moments, Moments]:
        """Return the values at every moment before the queue, without and with the heater of an outlook.

        `place` is the position of a check of the way of supply among those that were looked at.
        """
        view = seen.view
        check = int(view.check[place])
        assert seen.counts is not None
        assert seen.own is not None
        assert seen.upper is not None
        if CheckKind(int(view.checks.kind[place])) in AREA_KINDS:
            without = self._among_others(view.row, self.counts)
            states = (
                (self.base_counts, self.base.area_state),
                # Values alone are kept of the state before: it is solved again.
                (without, self._own_checks(view.row, self.counts).state),
                (self._among_others(view.row, seen.counts), seen.own.state),
            )
        else:
            states = (
                (self.base_counts, self.base.feeder_state),
                (self.counts, self.upper.state),
                (seen.counts, seen.upper.state),
            )
        base, before, after = (
            moments_of(self.tree, self.course, self.limits, check, counts, state) for counts, state in states
        )
        return base, before, after

    def end(self) -> Assessment:
        """Assess the tree with all promises kept."""
        return assess(self.tree, self.course, self.counts, self.limits, start=self.base)

    def catch_up(self, counts: ClassCounts) -> None:
        """Take counts that were promised elsewhere, and solve what `with_heater` compares with."""
        self.counts = counts
        self.elsewhere = self._areas(self.guarded_row, counts, self.base.area_state)
        self.upper = assess_upper(self.tree, self.course, counts, start=self.base.feeder_state)

    def guard(self, rows: Sequence[int], see: Callable[[int], FloatArray | None] | None = None) -> None:
        """See the areas in which somebody asks as they are before the queue, and find the areas that need a guard.

        `see` may give the values of an area's own checks at less cost; None where it cannot.
        """
        n_area, broken = len(self.tree.area), self.tree.checks.beyond_limit
        of_area = slice(0, len(AREA_KINDS) * n_area)
        value = self.base.value.copy()
        value[of_area] = self.crowd_level.value
        for row in rows:
            seen = None if see is None else see(row)
            self.own[row] = self._own_checks(row, self.counts).value if seen is None else seen
            value[_checks_of(np.array([row]), n_area)] = self.own[row]
        kept = ~broken(self.base.value)[of_area]
        lost = broken(value)[of_area] if self.crowd is not None else np.ones_like(kept)
        self.guarded_row = np.flatnonzero((kept & lost).reshape(len(AREA_KINDS), n_area).any(axis=0))
        self.elsewhere = self._areas(self.guarded_row, self.counts, self.base.area_state)

    def _own_checks(self, row: int, counts: ClassCounts) -> LevelAssessment:
        """Check one area's transformer and lines with its own counts, and the crowd in all other areas."""
        return self._areas(np.array([row]), self._among_others(row, counts), self.crowd_level.state)

    def _among_others(self, row: int, counts: ClassCounts) -> ClassCounts:
        """Return the counts with the crowd in all areas but one."""
        if self.crowd is None:
            return counts
        rated_kw, count = self.crowd.rated_kw.copy(), self.crowd.count.copy()
        rated_kw[row], count[row] = counts.rated_kw[row], counts.count[row]
        return ClassCounts(rated_kw=rated_kw, count=count)

    def _areas(self, rows: IntArray, counts: ClassCounts, start: SweepState) -> LevelAssessment:
        # Always from the same start, so that a state has one answer, whatever was seen before it.
        if not len(rows):
            return LevelAssessment(value=np.zeros(0), case=np.zeros(0, dtype=np.int64), state=start)
        return assess_areas(self.tree, self.course, counts, self.limits, rows=rows, start=start)

    def view(self, row: int) -> View:
        """Return what applications of an area are held against."""
        if row not in self.views:
            self.views[row] = self._new_view(row)
        return self.views[row]

    def _new_view(self, row: int) -> View:
        tree, n_area = self.tree, len(self.tree.area)
        own, elsewhere = _checks_of(np.array([row]), n_area), _checks_of(self.guarded_row, n_area)
        upper = np.arange(len(AREA_KINDS) * n_area, len(tree.checks.element))
        check = np.concatenate([own, elsewhere, upper])
        is_own = np.arange(len(check)) < len(own)
        is_upper = np.arange(len(check)) >= len(own) + len(elsewhere)
        # The own area is seen with the crowd, which is the stricter of the two.
        twice = ~is_own & np.isin(check, own)
        return View(
            row=row,
            check=check,
            checks=tree.checks.at(check),
            path=tree.on_path(row)[check] & (is_own | is_upper),
            guarded=tree.on_feeder_of(row)[check] & ~twice,
            with_crowd=is_own & (self.crowd is not None),
        )


def no_promises(
    tree: SupplyTree, course: Course, counts: ClassCounts, limits: LimitSet, pending: Sequence[Heater]
) -> Promises:
    """Return a tree before its queue, with its guards."""
    promises = unguarded(tree, course, counts, limits, pending)
    promises.guard(sorted({row for row, _, _ in pending}))
    return promises


def unguarded(
    tree: SupplyTree, course: Course, counts: ClassCounts, limits: LimitSet, pending: Sequence[Heater]
) -> Promises:
    """Return a tree before its queue; `Promises.guard` has to follow.

    Parameters
    ----------
    tree : SupplyTree
        The tree.
    course : Course
        Profiles of the county.
    counts : ClassCounts
        Homes and heaters of the tree's areas before the queue.
    limits : LimitSet
        Limits.
    pending : sequence of Heater
        All applications.

    Returns
    -------
    Promises

    Raises
    ------
    NotConvergedError
        If the tree cannot be supplied even without the applications.
    """
    base = assess(tree, course, counts, limits)
    n_own = len(AREA_KINDS) * len(tree.area)
    crowd: ClassCounts | None = with_heaters(counts, pending)
    level = LevelAssessment(value=base.value[:n_own], case=base.case[:n_own], state=base.area_state)
    try:
        assert crowd is not None
        level = assess_areas(tree, course, crowd, limits, start=base.area_state)
    except NotConvergedError:
        crowd = None
    return Promises(
        tree=tree,
        course=course,
        limits=limits,
        base=base,
        base_counts=counts,
        counts=counts,
        crowd=crowd,
        crowd_level=level,
        guarded_row=np.zeros(0, dtype=np.int64),
        elsewhere=level,
        upper=assess_upper(tree, course, counts, start=base.feeder_state),
    )


def with_heaters(counts: ClassCounts, heaters: Sequence[Heater]) -> ClassCounts:
    """Return homes and heaters with some heaters connected."""
    rated_kw, count = counts.rated_kw.copy(), counts.count.copy()
    for row, column, kw in heaters:
        rated_kw[row, column] += kw
        count[row, column] += 1.0
    return ClassCounts(rated_kw=rated_kw, count=count)


def _checks_of(rows: IntArray, n_area: int) -> IntArray:
    """Return the positions of some areas' checks, kind by kind."""
    return np.concatenate([rows + n_area * place for place in range(len(AREA_KINDS))])
