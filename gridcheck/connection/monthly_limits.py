"""The pre-approval limits of all areas of a county, as the monthly list publishes them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from gridcheck.checks.assessment import Course
from gridcheck.checks.supply_tree import SupplyTree
from gridcheck.connection.applications import Application
from gridcheck.connection.area_desk import DeskInput, LowVoltageDesk
from gridcheck.connection.pre_approval import PreApproval, PreApprovalRules, allowed_above, with_all
from gridcheck.connection.promises import Heater, with_heaters
from gridcheck.demand.profiles import ClassCounts
from gridcheck.limits import LimitSet


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountyNow:
    """A county as it stands when its list is made.

    Attributes
    ----------
    trees, course, limits
        As in `decide_queue`.
    counts : ClassCounts
        Homes and heaters of all areas with everything that is promised.
    """

    trees: Sequence[SupplyTree]
    course: Course
    counts: ClassCounts
    limits: LimitSet


def monthly_limits(
    given: DeskInput,
    now: CountyNow,
    rules: PreApprovalRules,
    *,
    pending: Sequence[Application] = (),
    area_ids: Collection[str] = (),
    progress: Callable[[int], None] | None = None,
) -> dict[str, PreApproval]:
    """Return the limit of every area, in the order of the county's table.

    The 10 kV level is asked first, with all limits and everybody pending connected; what it allows is then looked at
    in each area with the 10 kV voltage of just that state. So all limits hold side by side.

    Parameters
    ----------
    given : DeskInput
        Lines, meters and draws of the areas that are wanted.
    now : CountyNow
        The county.
    rules : PreApprovalRules
        What is small.
    pending : sequence of Application
        Everybody who has asked and was not answered yet.
    area_ids : collection of str
        Areas that are wanted; all where empty. The others get none, and count with none.
    progress : callable, optional
        Called with the number of areas done since the last call.
    """
    names, trees, course = given.area_ids, now.trees, now.course
    wishes = _by_tree(trees, course, names, pending)
    base = [ClassCounts(rated_kw=now.counts.rated_kw[t.area], count=now.counts.count[t.area]) for t in trees]
    above, crowd = [], []
    for tree, own, asked in zip(trees, base, wishes, strict=True):
        wanted = np.array([not area_ids or names[area] in area_ids for area in tree.area.tolist()], dtype=np.int64)
        number = allowed_above(tree, course, own, now.limits, asked, wanted=wanted * rules.most, rules=rules)
        above.append(number)
        column = course.profiles.classes.index(rules.device)
        crowd.append(with_all(with_heaters(own, asked), column, number, rules))
    desk = LowVoltageDesk(given, trees, course.profiles, now.limits, base=base, crowd=crowd)
    found = {}
    for place, tree in enumerate(trees):
        for row, area in enumerate(tree.area.tolist()):
            if names[area] not in given.lines:
                continue
            devices = desk.small_heaters(place, row, names[area], rules, int(above[place][row]))
            found[names[area]] = PreApproval(
                area_id=names[area],
                device=rules.device,
                largest_kw=rules.largest_kw,
                devices=devices,
                kw=devices * rules.largest_kw,
            )
            if progress is not None:
                progress(1)
    return {name: found[name] for name in names if name in found}


def _by_tree(
    trees: Sequence[SupplyTree], course: Course, names: Sequence[str], pending: Sequence[Application]
) -> list[list[Heater]]:
    place = {names[a]: (k, row) for k, tree in enumerate(trees) for row, a in enumerate(tree.area.tolist())}
    column = {name: k for k, name in enumerate(course.profiles.classes)}
    wishes: list[list[Heater]] = [[] for _ in trees]
    for one in pending:
        tree, row = place[one.area_id]
        wishes[tree].append((row, column[one.device], one.rated_kw))
    return wishes
