"""Decide applications in queue order, each against everything that was promised before it.

The plain algorithm: add the heater, solve every case, look at every check between the household and the
source. A limit counts against an application

* where it is broken on its way of supply, from its own area (which is looked at with everybody connected who asks
  elsewhere, so that no later approval breaks the promise) to the main transformer, unless it was broken before and is
  no worse with the application in any case in which it is broken: there its value stays or moves towards the limit, or
* where the application breaks it anywhere else on its own feeder: in a section, or in an area that kept its limits.

So nobody answers for a violation that was there already and is elsewhere, or is made no worse. Other feeders of the
main transformer share only its busbar; what they feel of an approval is not held against it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from gridcheck.catalogue import heaters
from gridcheck.checks.assessment import Assessment, Course
from gridcheck.checks.supply_tree import SupplyTree
from gridcheck.connection.applications import Application
from gridcheck.connection.area_desk import DeskInput, Joined, LowVoltageDesk
from gridcheck.connection.decision import Decision
from gridcheck.connection.few_cases import FewCases
from gridcheck.connection.judge import judge, no_solution
from gridcheck.connection.promises import Heater, Promises, no_promises, unguarded, with_heaters
from gridcheck.demand.profiles import ClassCounts
from gridcheck.errors import NotConvergedError
from gridcheck.limits import LimitSet


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
        transformer and lines are checked. Below a main transformer that cannot supply them all: before the queue.
    """

    decisions: tuple[Decision, ...]
    base: tuple[Assessment, ...]
    final: tuple[Assessment, ...]
    counts: ClassCounts
    crowd: ClassCounts


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
    setting = QueueSetting(trees=trees, course=course, counts=counts, limits=limits, area_ids=area_ids)
    return _decided(setting, applications, progress, _few_cases)


def decide_queue_by_draws(
    trees: Sequence[SupplyTree],
    course: Course,
    counts: ClassCounts,
    applications: Sequence[Application],
    limits: LimitSet,
    low_voltage: DeskInput,
    *,
    progress: Callable[[int], None] | None = None,
) -> QueueResult:
    """Decide like `decide_queue`, and by draws below the transformers instead of the estimate of the end voltage.

    Parameters
    ----------
    trees, course, counts, applications, limits, progress
        As in `decide_queue`.
    low_voltage : DeskInput
        Lines, meters and draws of the areas of the county in which somebody asks.
    """
    setting = QueueSetting(
        trees=trees, course=course, counts=counts, limits=limits, area_ids=low_voltage.area_ids,
        low_voltage=low_voltage,
    )  # fmt: skip
    return _decided(setting, applications, progress, _few_cases)


def decide_queue_in_all_cases(
    trees: Sequence[SupplyTree],
    course: Course,
    counts: ClassCounts,
    applications: Sequence[Application],
    limits: LimitSet,
    *,
    area_ids: Sequence[str],
    progress: Callable[[int], None] | None = None,
) -> QueueResult:
    """Decide by the plain algorithm: every application takes load flows of its whole tree in all cases of the course.

    It is what `decide_queue` is held against, and many times slower; parameters as there.
    """
    setting = QueueSetting(trees=trees, course=course, counts=counts, limits=limits, area_ids=area_ids)
    return _decided(setting, applications, progress, _all_cases)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QueueSetting:
    """What a queue is decided in.

    Attributes
    ----------
    trees, course, counts, limits, area_ids
        As the parameters of `decide_queue`.
    low_voltage : DeskInput or None
        As in `decide_queue_by_draws`; None to decide by the estimate of the end voltage.
    also_waiting : sequence of Application
        Who waits too and is not asked: they count among those who ask elsewhere.
    """

    trees: Sequence[SupplyTree]
    course: Course
    counts: ClassCounts
    limits: LimitSet
    area_ids: Sequence[str]
    low_voltage: DeskInput | None = None
    also_waiting: Sequence[Application] = ()

    def desk(self, pending: Sequence[Sequence[Heater]]) -> LowVoltageDesk | None:
        """Return the low-voltage side of the queue, None where there is none."""
        if self.low_voltage is None:
            return None
        base = [_of_tree(self.counts, tree) for tree in self.trees]
        crowd = [with_heaters(own, wishes) for own, wishes in zip(base, pending, strict=True)]
        return LowVoltageDesk(self.low_voltage, self.trees, self.course.profiles, self.limits, base=base, crowd=crowd)


def decide_in(setting: QueueSetting, applications: Sequence[Application]) -> QueueResult:
    """Decide like `decide_queue` or `decide_queue_by_draws`, in the order given, beside others who wait.

    Parameters
    ----------
    setting : QueueSetting
        Where.
    applications : sequence of Application
        Who is asked.
    """
    return _decided(setting, applications, None, _few_cases)


_Seer = Callable[[QueueSetting, SupplyTree, Sequence[Heater]], Promises | FewCases]


def _all_cases(setting: QueueSetting, tree: SupplyTree, pending: Sequence[Heater]) -> Promises:
    return no_promises(tree, setting.course, _of_tree(setting.counts, tree), setting.limits, pending)


def _few_cases(setting: QueueSetting, tree: SupplyTree, pending: Sequence[Heater]) -> FewCases:
    promises = unguarded(tree, setting.course, _of_tree(setting.counts, tree), setting.limits, pending)
    few = FewCases(promises, pending)
    promises.guard(sorted({row for row, _, _ in pending}), few.own_values)
    return few


def _decided(
    setting: QueueSetting, applications: Sequence[Application], progress: Callable[[int], None] | None, seer: _Seer
) -> QueueResult:
    place = {}
    for number, tree in enumerate(setting.trees):
        for row, area in enumerate(tree.area.tolist()):
            place[setting.area_ids[area]] = (number, row)
    column = {name: i for i, name in enumerate(setting.course.profiles.classes)}
    pending: list[list[Heater]] = [[] for _ in setting.trees]
    for application in (*applications, *setting.also_waiting):
        number, row = place[application.area_id]
        pending[number].append((row, column[application.device], application.rated_kw))
    seers = [seer(setting, tree, wishes) for tree, wishes in zip(setting.trees, pending, strict=True)]
    preferred = {str(device): bool(flag) for device, flag in heaters()["preferred"].items()}
    desk = setting.desk(pending)
    decisions = []
    for application in applications:
        number, row = place[application.area_id]
        heater = row, column[application.device], application.rated_kw
        ask = None if desk is None else partial(desk.answer, number, row)
        decisions.append(_decide(seers[number], heater, application, preferred, ask))
        if progress is not None:
            progress(1)
    promises = [one.settle() for one in seers]
    counts = setting.counts
    return QueueResult(
        decisions=tuple(decisions),
        base=tuple(place.base for place in promises),
        final=tuple(place.end() for place in promises),
        counts=_gather(counts, [(place.tree, place.counts) for place in promises]),
        crowd=_gather(counts, [(place.tree, place.crowd) for place in promises if place.crowd is not None]),
    )


def _of_tree(counts: ClassCounts, tree: SupplyTree) -> ClassCounts:
    return ClassCounts(rated_kw=counts.rated_kw[tree.area], count=counts.count[tree.area])


def _gather(counts: ClassCounts, parts: Sequence[tuple[SupplyTree, ClassCounts]]) -> ClassCounts:
    """Return the counts of the county with those of some trees put in their place."""
    rated_kw, count = counts.rated_kw.copy(), counts.count.copy()
    for tree, own in parts:
        rated_kw[tree.area], count[tree.area] = own.rated_kw, own.count
    return ClassCounts(rated_kw=rated_kw, count=count)


def _decide(
    seer: Promises | FewCases,
    heater: Heater,
    application: Application,
    preferred: Mapping[str, bool],
    ask: Callable[[Application], tuple[float, Joined]] | None,
) -> Decision:
    promises = seer.promises
    try:
        outlook = seer.with_heater(heater)
    except NotConvergedError:
        return no_solution(application, promises.approved)
    discouraged = application.is_discouraged
    is_preferred = preferred[application.device] if discouraged is None else not discouraged
    judged = partial(judge, promises, preferred=is_preferred, is_drawn=ask is not None)
    decision = judged(outlook, application)
    if decision.connected and ask is not None:
        # Asked last, because the area keeps what it grants.
        granted_kw, joined = ask(application)
        if granted_kw < application.rated_kw:
            # Figures and conditions are those of the power that it gets, not of what was asked.
            heater = (*heater[:2], granted_kw)
            outlook = seer.again(heater)
            decision = replace(judged(outlook, replace(application, rated_kw=granted_kw)), application=application)
        decision = joined(decision)
    if decision.connected:
        seer.promise(heater, outlook)
    return decision
