"""The fast path: how much of small efficient heaters certainly fits in an area, whoever asks for them and wherever.

The published limit of an area is a number of heaters of the largest size that counts as small. It is shown with all of
them at once, in every draw, where they do most harm: for each meter box and each phase, all on that phase, at the free
homes that share most of the way with the box; each draws in every step what the hungriest simulated home of its class
draws in that step. A draw counts as broken if it is in any of these places. Whatever applicants come later, fewer,
smaller, elsewhere, on other phases or with better habits, do less in every draw. So an application within what is left
of the limit is approved at once, without draws of its own, and the full way would have approved it too.

At the 10 kV level the limits of all areas are connected at once, beside everybody who has asked.

Where a limit is broken before anybody comes and the heaters would make it worse, the published limit is nothing: the
full way may still find a condition, such as a step of the tap.

The limit stands on the area as it was when it was published. The first approval there by the full way closes the fast
path until the next list: what was shown beside it is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.checks.assessment import Course, assess
from gridcheck.checks.draw_extremes import DrawWorst, worst_of_draws
from gridcheck.checks.low_voltage_risk import AreaRisk
from gridcheck.checks.risk_outlook import Draws, LvHeater, judged
from gridcheck.checks.supply_tree import CheckKind, SupplyTree
from gridcheck.connection.applications import Application
from gridcheck.connection.promises import Heater, with_heaters
from gridcheck.demand.parameters import BASE, ROOFTOP_PV
from gridcheck.demand.profiles import ClassCounts
from gridcheck.errors import InputError, NotConvergedError
from gridcheck.limits import LimitSet
from gridcheck.network.low_voltage import LowVoltageGrid, line_ohm_per_km

_PHASES = 3
# Slips of binary fractions in sums of ratings. [kW]
_ROUNDING_KW = 1e-9
# Draws after which what is still open counts as not fitting: a limit may be lower than it could be, never higher.
_MOST_DRAWS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PreApprovalRules:
    """What counts as a small efficient heater, and how many are looked for.

    Attributes
    ----------
    device : str
        Class.
    largest_kw : float
        Largest rated input. [kW] (E, range 1 to 3)
    most : int
        Heaters of an area at most: a list is for a month, and the full way takes the others. (E, range 3 to 20)
    """

    device: str = "air_air_heat_pump"
    largest_kw: float = 2.0
    most: int = 6

    def __post_init__(self) -> None:
        if not (np.isfinite(self.largest_kw) and self.largest_kw > 0.0) or self.most < 1:
            raise InputError(
                f"largest_kw must be above 0 and most at least 1. Got {self.largest_kw:g} kW, {self.most}."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PreApproval:
    """The published limit of an area, or what is left of it.

    Attributes
    ----------
    area_id, device : str
        The area, and the class of heaters.
    largest_kw : float
        Largest rated input that it is for. [kW]
    devices : int
        Heaters that may be approved at once.
    kw : float
        Rated input of all of them together. [kW]
    """

    area_id: str
    device: str
    largest_kw: float
    devices: int
    kw: float

    def allows(self, device: str, rated_kw: float) -> bool:
        """Tell whether a heater is small and within what is left."""
        is_small = device == self.device and rated_kw <= self.largest_kw + _ROUNDING_KW
        return is_small and self.devices >= 1 and rated_kw <= self.kw + _ROUNDING_KW

    def less(self, device: str, rated_kw: float) -> PreApproval:
        """Return what is left after an approval: nothing where it was no small one within the limit."""
        if not self.allows(device, rated_kw):
            return replace(self, devices=0, kw=0.0)
        return replace(self, devices=self.devices - 1, kw=max(self.kw - rated_kw, 0.0))


class FastPath:
    """What is left of published limits while a queue is decided.

    Parameters
    ----------
    published : mapping of str to PreApproval
        By area; areas without one have no fast path.
    """

    def __init__(self, published: Mapping[str, PreApproval]) -> None:
        self.left = dict(published)

    def takes(self, application: Application) -> bool:
        """Approve an application at once, if it is within what is left of its area's limit."""
        left = self.left.get(application.area_id)
        if left is None or not left.allows(application.device, application.rated_kw):
            return False
        self.left[application.area_id] = left.less(application.device, application.rated_kw)
        return True

    def close(self, area_id: str) -> None:
        """Close the fast path of an area, because something else was approved there."""
        self.left.pop(area_id, None)


def remaining(
    published: Mapping[str, PreApproval], granted: Iterable[tuple[str, str, float]]
) -> dict[str, PreApproval]:
    """Return what is left of a list after what was approved since, given as area, class and rated input. [kW]"""
    left = dict(published)
    for area_id, device, rated_kw in granted:
        if area_id in left:
            left[area_id] = left[area_id].less(device, rated_kw)
    return left


def pre_approval_table(published: Mapping[str, PreApproval]) -> pd.DataFrame:
    """Return the columns of the monthly list: ``area_id``, ``pre_approval_kw`` [kW], ``pre_approval_devices``."""
    rows = [(one.area_id, one.kw, one.devices) for one in published.values()]
    return pd.DataFrame(rows, columns=["area_id", "pre_approval_kw", "pre_approval_devices"])


# ------------------------------------------------------------------------------------------------ below a transformer


def certain_heaters(risk: AreaRisk, free: Sequence[int], rules: PreApprovalRules, most: int | None = None) -> int:
    """Return how many small heaters fit in an area wherever they are put.

    Parameters
    ----------
    risk : AreaRisk
        The area with its promises, as it is when the limit is published.
    free : sequence of int
        Homes at which somebody may ask, positions in the area's grid; those that heat already are left out.
    rules : PreApprovalRules
        Size, class and bound.
    most : int, optional
        What is allowed above the area, no more than ``rules.most``.
    """
    without = _without_heater(risk, free)
    bound = min(rules.most, rules.most if most is None else most, len(without))
    if bound < 1:
        return 0
    worst = _WorstPlaces(risk, without, rules)
    targets = worst.targets()
    # The weakest box first, on each phase alone: most of what does not fit is seen there.
    for target in targets[:_PHASES]:
        bound = worst.most_at([target], bound)
    return worst.most_at(targets, bound)


def _without_heater(risk: AreaRisk, homes: Sequence[int]) -> IntArray:
    is_heater = np.array([name not in (BASE, ROOFTOP_PV) for name in risk.net.pool.classes])
    heated = {*risk.loads.home[is_heater[risk.loads.column]].tolist(), *(heater.home for heater in risk.promised)}
    return np.array([home for home in homes if home not in heated], dtype=np.int64)


class _WorstPlaces:
    """An area with heaters where they do most harm."""

    def __init__(self, risk: AreaRisk, free: IntArray, rules: PreApprovalRules) -> None:
        net, pool = risk.net, risk.net.pool
        self.risk, self.rules, self.free = risk, rules, free
        self.column = pool.classes.index(rules.device)
        # The hungriest home of each step, which is nobody's course.
        self.course = pool.share[self.column].max(axis=0).astype(np.float64) / net.vm_pu**2
        self.shared_ohm = _shared_ohm(net.grid, net.node)
        self.free_place = net.home_place[free]
        # Whatever phase an applicant states, a meter hangs there from then on.
        self.rows = tuple(int(_PHASES * place + k) for place in np.unique(self.free_place) for k in range(_PHASES))
        self._before: list[DrawWorst] = []

    def targets(self) -> list[tuple[int, int]]:
        """Return places and phases at which heaters are put, those first that are likely to allow least."""
        own_ohm = np.diag(self.shared_ohm)
        places = np.argsort(-own_ohm, kind="stable").tolist()
        return [(place, phase) for place in places for phase in range(_PHASES)]

    def most_at(self, targets: Sequence[tuple[int, int]], bound: int) -> int:
        """Return how many fit around each of some targets, by halving: more heaters are never better."""
        if bound == 0 or self._fits(targets, bound):
            return bound
        low, high = 0, bound
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._fits(targets, middle) else (low, middle)
        return low

    def _fits(self, targets: Sequence[tuple[int, int]], number: int) -> bool:
        """Tell whether so many fit, by the rule of every answer by draws, the worst of all targets in every draw."""
        risk = self.risk
        rows: dict[tuple[int, ...], None] = {}
        for place, phase in targets:
            near = np.argsort(-self.shared_ohm[place, self.free_place], kind="stable")[:number]
            rows[tuple(sorted((_PHASES * self.free_place[near] + phase).tolist()))] = None
        kw = number * self.rules.largest_kw
        all_at_once = LvHeater(home=int(self.free[0]), column=self.column, rated_kw=kw)
        before: list[DrawWorst] = []
        after: list[Draws] = []
        while True:
            k = len(before)
            before.append(risk.batch(k).worst)
            after.append(replace(risk.batch(k), worst=self._worst(k, list(rows))))
            begun = [risk.first(done).worst for done in range(len(before))]
            outlook = judged(risk.net, risk.rules, all_at_once, before, after, begun=begun)
            if outlook is not None:
                return outlook.fits
            if sum(len(worst.unsolved) for worst in before) >= _MOST_DRAWS:
                return False

    def _worst(self, k: int, targets: Iterable[Sequence[int]]) -> DrawWorst:
        """Return the worst of a batch over heaters at some sets of rows, and without them."""
        worst = self._without(k)
        for rows in targets:
            worst = worst.worse_of(self._with(k, np.array(rows)))
        return worst

    def _with(self, k: int, rows: IntArray) -> DrawWorst:
        """Return the worst of a batch with heaters at some rows."""
        batch, net = self.risk.batch(k), self.risk.net
        heaters = np.bincount(rows, minlength=len(batch.p_kw))
        more_kw = (self.rules.largest_kw * heaters)[:, None, None] * self.course
        p, q = batch.p_kw + more_kw, batch.q_kvar + float(net.pool.tan_phi[self.column]) * more_kw
        return worst_of_draws(net, p, q, self.risk.meters(batch.phase, (*batch.more_meters, *self.rows)))

    def _without(self, k: int) -> DrawWorst:
        """Return the worst without heaters, at every phase on which somebody may ask."""
        if k == len(self._before):
            batch = self.risk.batch(k)
            meters = self.risk.meters(batch.phase, (*batch.more_meters, *self.rows))
            self._before.append(batch.worst.worse_of(worst_of_draws(self.risk.net, batch.p_kw, batch.q_kvar, meters)))
        return self._before[k]


def _shared_ohm(grid: LowVoltageGrid, nodes: IntArray) -> FloatArray:
    """Return the resistance that the ways of two nodes to the busbar have in common, shape (n, n). [ohm]"""
    ohm = np.array([0.0, *(line_ohm_per_km(name).real for name in grid.type_name[1:])]) * grid.length_m / 1000.0
    on_way = np.zeros((grid.n_node, grid.n_node), dtype=bool)
    for node in range(1, grid.n_node):  # parents stand before their children
        on_way[node] = on_way[grid.parent[node]]
        on_way[node, node] = True
    own = on_way[nodes].astype(np.float64)
    shared: FloatArray = (own * ohm) @ own.T
    return shared


# -------------------------------------------------------------------------------------------------------- above it


def allowed_above(
    tree: SupplyTree,
    course: Course,
    counts: ClassCounts,
    limits: LimitSet,
    pending: Sequence[Heater],
    *,
    wanted: IntArray,
    rules: PreApprovalRules,
) -> IntArray:
    """Return how many small heaters of each area the 10 kV level carries with those of all other areas.

    Parameters
    ----------
    tree : SupplyTree
        The tree.
    course : Course
        Its profiles.
    counts : ClassCounts
        Homes and heaters of its areas with all promises kept.
    limits : LimitSet
        Limits.
    pending : sequence of Heater
        Everybody who has asked and was not answered yet.
    wanted : ndarray of int, shape (n_area,)
        What is looked for.
    rules : PreApprovalRules
        Size and class.

    Returns
    -------
    ndarray of int, shape (n_area,)
        At most `wanted`. Areas are halved while anything is beyond its limit on their way of supply, or on their feeder
        where it was kept without anybody.
    """
    number = np.asarray(wanted, dtype=np.int64).copy()
    column = course.profiles.classes.index(rules.device)
    crowd, checks = with_heaters(counts, pending), tree.checks
    try:
        kept = ~checks.beyond_limit(assess(tree, course, counts, limits).value)
    except NotConvergedError:
        return np.zeros_like(number)
    ways = [(tree.on_path(row), tree.on_feeder_of(row)) for row in range(len(tree.area))]
    # The draws of the area itself decide on its own end voltage.
    counts_on_way = checks.kind != CheckKind.END_VOLTAGE
    while number.any():
        try:
            beyond = checks.beyond_limit(assess(tree, course, with_all(crowd, column, number, rules), limits).value)
        except NotConvergedError:
            number //= 2
            continue
        blocked = np.array([bool((beyond & ((way & counts_on_way) | (feeder & kept))).any()) for way, feeder in ways])
        if not (blocked & (number > 0)).any():
            break
        number[blocked] //= 2
    return number


def with_all(counts: ClassCounts, column: int, number: IntArray, rules: PreApprovalRules) -> ClassCounts:
    """Return homes and heaters of a tree with so many small heaters of one class in each area."""
    rated_kw, count = counts.rated_kw.copy(), counts.count.copy()
    rated_kw[:, column] += number * rules.largest_kw
    count[:, column] += number
    return ClassCounts(rated_kw=rated_kw, count=count)
