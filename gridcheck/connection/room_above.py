"""How many more heaters of one kind in one area the equipment above its low-voltage lines carries.

That is the area's transformer as a whole, the sections, feeder and main transformer above it, and the 10 kV voltage,
held against the limits like one application after another: a limit counts where it is broken on the way of supply and
made worse, or anywhere else on the feeder where it was kept before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.checks.assessment import Assessment, Course, assess
from gridcheck.checks.supply_tree import AREA_KINDS, CheckKind, SupplyTree
from gridcheck.connection.promises import Heater, with_heaters
from gridcheck.connection.room_by_draws import largest_that_fits
from gridcheck.demand.profiles import ClassCounts
from gridcheck.errors import NotConvergedError
from gridcheck.limits import LimitSet

# A check that heaters move by less than this share of its limit has no bearing on them.
_NEGLIGIBLE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class AboveOutlook:
    """What so many heaters do above the low-voltage lines.

    Attributes
    ----------
    fits : bool
        Whether no limit counts against them.
    kind : CheckKind or None
        The check that leaves them the least room; None where so many have no load flow solution.
    element : str
        Its element.
    value, value_before, limit : float
        Worst value with and without them, and limit; NaN without a solution.
    room_for : float
        How many fit by the line through both values; infinite where nothing is moved. [1]
    room_at_10kv : float
        The same for sections, feeder, main transformer and 10 kV voltage alone. [1]
    element_at_10kv : str
        Which of them leaves so much.
    """

    fits: bool
    kind: CheckKind | None
    element: str
    value: float
    value_before: float
    limit: float
    room_for: float
    room_at_10kv: float
    element_at_10kv: str


class HeatersAbove:
    """A supply tree in one area of which equal heaters are connected.

    Parameters
    ----------
    tree : SupplyTree
        The tree.
    course : Course
        Profiles of the county.
    counts : ClassCounts
        Homes and heaters of the tree's areas before.
    limits : LimitSet
        Limits.
    base : Assessment
        Of `counts`.
    heater : Heater
        Row of the area, class, rated input of each.
    """

    def __init__(
        self,
        tree: SupplyTree,
        course: Course,
        counts: ClassCounts,
        limits: LimitSet,
        *,
        base: Assessment,
        heater: Heater,
    ) -> None:
        self.tree, self.course, self.counts, self.limits = tree, course, counts, limits
        self.base, self.heater = base, heater
        kind, row = tree.checks.kind, heater[0]
        path, is_area = tree.on_path(row), np.isin(kind, AREA_KINDS)
        # The end of the low-voltage lines is seen in draws, see `HeatersInArea`.
        self._path: BoolArray = path & (kind != CheckKind.END_VOLTAGE)
        self._elsewhere: BoolArray = tree.on_feeder_of(row) & ~(path & is_area)
        self._seen: dict[int, AboveOutlook] = {}

    def outlook(self, number: int) -> AboveOutlook:
        """See what so many heaters do, at least one."""
        if number not in self._seen:
            self._seen[number] = self._looked_at(number)
        return self._seen[number]

    def largest(self, most: int, first: int) -> int:
        """Return how many fit, `most` at most; the search begins where the line through `first` leads."""
        if most < 1:
            return 0
        room_for = self.outlook(min(max(first, 1), most)).room_for
        guess = int(min(max(room_for, 1.0), float(most)))
        return largest_that_fits(lambda n: self.outlook(n).fits, most, guess)

    def _looked_at(self, number: int) -> AboveOutlook:
        try:
            counts = with_heaters(self.counts, [self.heater] * number)
            now = assess(self.tree, self.course, counts, self.limits, start=self.base)
        except NotConvergedError:
            nan = float("nan")
            name = self.tree.name
            return AboveOutlook(
                fits=False, kind=None, element=name, value=nan, value_before=nan, limit=nan, room_for=0.0,
                room_at_10kv=0.0, element_at_10kv=name,
            )  # fmt: skip
        checks, before, after = self.tree.checks, self.base.value, now.value
        change = checks.sign * (after - before)
        worse = ~(change <= _NEGLIGIBLE * checks.limit)
        kept = ~checks.beyond_limit(before)
        charged = checks.beyond_limit(after) & ((self._elsewhere & kept) | (self._path & (kept | worse)))
        room_for = self._room_for(before, change, number)
        among = charged if charged.any() else self._path
        place = int(np.flatnonzero(among)[np.argmin(room_for[among])])
        is_upper = self._path & ~np.isin(checks.kind, AREA_KINDS)
        upper = int(np.flatnonzero(is_upper)[np.argmin(room_for[is_upper])])
        return AboveOutlook(
            fits=not charged.any(),
            kind=CheckKind(int(checks.kind[place])),
            element=checks.element[place],
            value=float(after[place]),
            value_before=float(before[place]),
            limit=float(checks.limit[place]),
            room_for=max(float(room_for[place]), 0.0),
            room_at_10kv=max(float(room_for[upper]), 0.0),
            element_at_10kv=checks.element[upper],
        )

    def _room_for(self, before: FloatArray, change: FloatArray, number: int) -> FloatArray:
        """Return by the line through both states how many heaters each check allows; inf where it is not moved."""
        checks = self.tree.checks
        felt = change > _NEGLIGIBLE * checks.limit
        room: FloatArray = checks.sign * (checks.limit - before)
        # A hot spot that is not followed is NaN: its loading keeps it, see `assess`.
        return np.where(felt, room / np.where(felt, change / number, 1.0), np.inf)
