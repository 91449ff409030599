"""See what one more heater does from the few cases that can be the worst: the answers of `Promises`, at less cost.

Nothing here is an estimate. A case is left out of a check where a bound shows that another one is worse:

* Loads that are nowhere lower give currents that are nowhere lower and voltages that are nowhere higher. So the next
  applications are enclosed between two solutions in all cases: the state as promised, with the coincidence of all of
  them, and all of them connected, with the coincidence of before. Between these two a case can be the worst of a check
  only where its upper bound reaches the highest lower bound of any case.
* An area is seen with the crowd in all others, and no solution of it has lower voltages than the one with the crowd in
  it as well. So its load over that voltage is a bound of its current, and a case is left out whose bound stays below
  what was found.

Where neither holds - roofs that feed in, no crowd that can be supplied, a load above that of the crowd, a hot spot that
has to be followed, a guarded area near its limit, a limit that was broken before and is made no worse - the answer is
left to `Promises` itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.checks.assessment import assess_loads, load_weights
from gridcheck.checks.supply_tree import AREA_KINDS, CheckKind, SupplyTree
from gridcheck.connection.judge import hidden_moments
from gridcheck.connection.own_cases import OwnCases
from gridcheck.connection.promises import Heater, Outlook, Promises, View
from gridcheck.demand.profiles import ClassCounts, diversity
from gridcheck.errors import NotConvergedError
from gridcheck.powerflow.narrow import NarrowSolver, in_lanes, lanes_of_state, start_of
from gridcheck.powerflow.readings import node_loading_percent, node_voltages
from gridcheck.powerflow.reductions import highest, lowest
from gridcheck.powerflow.sweep import NodeLoads, SweepState, solve_nodes
from gridcheck.units import KW_PER_MW

# Applications that are enclosed together: the more, the wider the bounds, the fewer, the more often they are solved.
_ENCLOSED = 20
# States of an area that are seen at once.
_TOGETHER = 7
# Voltages are solved to 1e-8 pu; bounds leave room for that.
_SLACK = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sight:
    """What an application of one area is held against at 10 kV: its own feeder and what supplies it.

    Attributes
    ----------
    view : View
        Three checks of the area, then those of 10 kV.
    upper : ndarray of int
        Positions of the latter among the 10 kV checks of the tree.
    node : ndarray of int, shape (n_node,)
        Place of each node that is read, -1 for others.
    place : ndarray of int
        Place of each 10 kV check's node.
    factor : ndarray
        Of the loading of each 10 kV check. [1]
    """

    view: View
    upper: IntArray
    node: IntArray
    place: IntArray
    factor: FloatArray


class FewCases:
    """The promises of one tree, seen through few cases.

    Parameters
    ----------
    promises : Promises
        Before the queue, its areas not guarded yet; kept up to date where they are asked.
    pending : sequence of Heater
        All applications of the tree in queue order.
    """

    def __init__(self, promises: Promises, pending: Sequence[Heater]) -> None:
        tree, course = promises.tree, promises.course
        self.promises = promises
        self._pending = list(pending)
        self._asked = 0
        self._rated_kw, self._count = promises.counts.rated_kw.copy(), promises.counts.count.copy()
        feeds_in = bool((course.profiles.mean < 0.0).any())
        self._can = promises.crowd is not None and not feeds_in
        self.own = OwnCases(promises) if self._can else None
        row = np.full(tree.model.n_node, -1, dtype=np.int64)
        row[tree.area_node] = np.arange(len(tree.area_node))
        self._row, self._solver = row, NarrowSolver(tree.model, row)
        self._lanes = lanes_of_state(promises.base.feeder_state)
        self._weights = self._weights_of(tree.area_feeder, self._rated_kw, self._count)
        self._is_stale = False
        self._sights: dict[int, Sight] = {}
        self._known: dict[tuple[int, bytes, bytes], tuple[FloatArray, IntArray] | None] = {}
        self._waiting: dict[int, list[Heater]] = {row: [] for row, _, _ in pending}
        for heater in pending:
            self._waiting[heater[0]].append(heater)
        self._version = 0
        self._before: dict[int, tuple[int, FloatArray]] = {}
        self._enclosed_until = -1
        self._active: BoolArray | None = None
        self._critical: BoolArray = np.ones(len(tree.area), dtype=bool)
        self._cases: dict[int, tuple[IntArray, FloatArray, FloatArray]] = {}

    def with_heater(self, heater: Heater) -> Outlook:
        """See what one more heater does.

        Raises
        ------
        NotConvergedError
            If it cannot be supplied at all.
        """
        if self._can:
            self._asked += 1
            self._waiting[heater[0]].pop(0)
        return self.again(heater)

    def again(self, heater: Heater) -> Outlook:
        """See the heater that was asked for last once more, with no more power than it had then."""
        seen = self._from_few(heater) if self._can else None
        if seen is not None and not hidden_moments(seen).any():
            return seen
        self._catch_up()
        return self.promises.with_heater(heater)

    def own_values(self, row: int) -> FloatArray | None:
        """Return the values of an area's own checks before the queue; None where that takes all cases."""
        found = self._own(row, self._rated_kw[row], self._count[row], self._waiting[row])
        return None if found is None else found[0]

    def _own(
        self, row: int, rated_kw: FloatArray, count: FloatArray, waiting: Sequence[Heater]
    ) -> tuple[FloatArray, IntArray] | None:
        """Return an area's own checks; what it will be like with those who wait is seen at once and kept."""
        if self.own is None:
            return None
        key = row, rated_kw.tobytes(), count.tobytes()
        if key not in self._known:
            states = [(rated_kw, count)]
            for _, column, kw in waiting[:_TOGETHER]:
                rated_kw, count = rated_kw.copy(), count.copy()
                rated_kw[column] += kw
                count[column] += 1.0
                states.append((rated_kw, count))
            rated, counts = (np.stack(part) for part in zip(*states, strict=True))
            found = self.own.values(row, rated, counts)
            self._known |= {(row, r.tobytes(), c.tobytes()): one for (r, c), one in zip(states, found, strict=True)}
        return self._known[key]

    def settle(self) -> Promises:
        """Return the promises at the end of the queue."""
        self.promises.counts = self._counts()
        return self.promises

    def _counts(self) -> ClassCounts:
        return ClassCounts(rated_kw=self._rated_kw.copy(), count=self._count.copy())

    def _from_few(self, heater: Heater) -> Outlook | None:
        """See what one more heater does; None where that takes all cases."""
        if self._asked > self._enclosed_until:
            self._enclose()
        row, column, kw = heater
        feeder = int(self.promises.tree.area_feeder[row])
        if self._active is None or self._critical[self.promises.tree.area_feeder == feeder].any():
            return None
        assert self.own is not None
        rated_kw, count = self._rated_kw.copy(), self._count.copy()
        rated_kw[row, column] += kw
        count[row, column] += 1.0
        own = self._own(row, rated_kw[row], count[row], self._waiting[row])
        sight = self._sight(row)
        before = self._upper_before(feeder, sight)
        after = self._upper(feeder, sight, rated_kw, count)
        if own is None or before is None or after is None:
            return None
        return Outlook(
            view=sight.view,
            before=np.concatenate([self.promises.own[row], before]),
            after=np.concatenate([own[0], after[0]]),
            case=np.concatenate([own[1], after[1]]),
            counts=None,
            own=None,
            elsewhere=None,
            upper=None,
        )

    def promise(self, heater: Heater, outlook: Outlook) -> None:
        """Approve the heater of an outlook, whoever has seen it."""
        row, column, kw = heater
        feeder = int(self.promises.tree.area_feeder[row])
        self._rated_kw[row, column] += kw
        self._count[row, column] += 1.0
        self._version += 1
        if outlook.upper is not None:
            self.promises.promise(heater, outlook)
        rows = np.flatnonzero(self.promises.tree.area_feeder == feeder)
        changed = self._weights_of(np.zeros(len(rows), dtype=np.int64), self._rated_kw[rows], self._count[rows])
        for held, new in zip(self._weights, changed, strict=True):
            held[rows] = new
        if outlook.upper is None:
            n_own = len(AREA_KINDS)
            self.promises.own[row] = outlook.after[:n_own]
            self.promises.approved += 1
            self._before[feeder] = self._version, outlook.after[n_own:]
            self._is_stale = True

    def _catch_up(self) -> None:
        """Bring the promises up to date, so that they can be asked themselves."""
        if self._is_stale:
            self.promises.catch_up(self._counts())
            self._is_stale = False

    def _upper_before(self, feeder: int, sight: Sight) -> FloatArray | None:
        known = self._before.get(feeder)
        if known is None or known[0] != self._version:
            found = self._upper(feeder, sight, self._rated_kw, self._count)
            if found is None:
                return None
            known = self._before[feeder] = self._version, found[0]
        return known[1]

    def _upper(
        self, feeder: int, sight: Sight, rated_kw: FloatArray, count: FloatArray
    ) -> tuple[FloatArray, IntArray] | None:
        """Return the worst values of the 10 kV checks in sight and their cases."""
        tree, course = self.promises.tree, self.promises.course
        case, profile, start = self._cases_of(feeder, sight)
        rows = np.flatnonzero(tree.area_feeder == feeder)
        weights = self._weights[0].copy(), self._weights[1].copy()
        weights[0][rows], weights[1][rows] = self._weights_of(
            np.zeros(len(rows), dtype=np.int64), rated_kw[rows], count[rows]
        )
        state = self._solver.solve(weights, profile, start)
        if state is None:
            return None
        shape = int(sight.node.max()) + 1, len(case)
        is_voltage = sight.view.checks.kind[len(AREA_KINDS) :] == CheckKind.SECTION_VOLTAGE
        value, place = highest(self._solver.loading_percent(state, sight.node, shape))
        low, low_place = lowest(self._solver.voltage_pu(state, sight.node, shape))
        worst = np.where(is_voltage, low[sight.place], value[sight.place] * sight.factor)
        return worst, course.case[case[np.where(is_voltage, low_place[sight.place], place[sight.place])]]

    def _weights_of(self, group: IntArray, rated_kw: FloatArray, count: FloatArray) -> tuple[FloatArray, FloatArray]:
        return load_weights(self.promises.tree, self.promises.course, rated_kw, count, group=group)

    def _cases_of(self, feeder: int, sight: Sight) -> tuple[IntArray, FloatArray, FloatArray]:
        """Return the cases that can be the worst of what is in sight, their profiles, and where sweeps start."""
        if feeder not in self._cases:
            assert self._active is not None
            case = np.flatnonzero(self._active[sight.upper].any(axis=0))
            lanes = in_lanes(case)
            profile = np.ascontiguousarray(self.promises.course.columns[lanes].T)
            self._cases[feeder] = case, profile, start_of(self._lanes, lanes)
        return self._cases[feeder]

    def _sight(self, row: int) -> Sight:
        if row not in self._sights:
            self._sights[row] = _sight_of(self.promises, row)
        return self._sights[row]

    def _enclose(self) -> None:
        """Solve all cases at both ends of the next applications, and see which can be the worst of which check."""
        tree, course = self.promises.tree, self.promises.course
        coming = self._pending[self._asked - 1 : self._asked - 1 + _ENCLOSED]
        self._enclosed_until = self._asked - 1 + len(coming)
        self._active, self._cases = None, {}
        rated_kw, count = self._rated_kw.copy(), self._count.copy()
        for row, column, kw in coming:
            rated_kw[row, column] += kw
            count[row, column] += 1.0
        ends = (self._rated_kw, self._count), (rated_kw, count)
        upper = [self._loads_at_end(ends, end, group=tree.area_feeder) for end in (0, 1)]
        try:
            low, high = (_upper_courses(tree, loads, self.promises.base.feeder_state) for loads in upper)
            guarded = self.promises.guarded_row
            self._critical[:] = False
            if len(guarded):
                loads = self._loads_at_end(ends, 1, group=None)
                start = self.promises.base.area_state
                found = assess_loads(tree, course, loads, self.promises.limits, guarded, start)
                check = np.concatenate([guarded + len(tree.area) * place for place in range(len(AREA_KINDS))])
                # A margin for the tolerance of both solutions.
                at = tree.checks.at(check)
                near = at.sign * (found.value - at.limit) > -1e-5 * at.limit
                self._critical[guarded[near.reshape(len(AREA_KINDS), -1).any(axis=0)]] = True
        except NotConvergedError:
            return
        reach = np.fmax.reduce(low, axis=1)[:, None]
        self._active = ~(high < reach - _SLACK * np.abs(reach))

    def _loads_at_end(
        self,
        ends: tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]],
        end: int,
        *,
        group: IntArray | None,
    ) -> NodeLoads:
        """Return loads that no state between falls below, or exceeds: heaters of one end, coincidence of the other."""
        course, tree = self.promises.course, self.promises.tree
        rated_kw, count = ends[end][0], ends[1 - end][1]
        if end == 1:
            # Who has no home of a class yet has its coincidence as soon as one comes.
            count = np.where(ends[1][1] > 0.0, np.maximum(count, 1e-9), count)
        spread = rated_kw * diversity(count, course.profiles, group=group)
        weight = np.concatenate([rated_kw, spread], axis=1) / (KW_PER_MW * tree.model.sn_mva)
        return NodeLoads(
            n_case=len(course.case),
            row=self._row,
            p_weight=weight,
            q_weight=weight * np.tile(course.profiles.tan_phi, 2),
            profile=course.blocks,
        )


def _sight_of(promises: Promises, row: int) -> Sight:
    tree, full = promises.tree, promises.view(row)
    n_own, first = len(AREA_KINDS), len(AREA_KINDS) * len(tree.area)
    in_sight = (full.path | full.guarded) & (full.check >= first)
    in_sight[:n_own] = True
    kept = np.flatnonzero(in_sight)
    check = full.check[kept]
    nodes = tree.checks.node[check[n_own:]]
    unique, place = np.unique(nodes, return_inverse=True)
    node = np.full(tree.model.n_node, -1, dtype=np.int64)
    node[unique] = np.arange(len(unique))
    factor = np.ones(len(tree.checks.element))
    factor[tree.checks.kind == CheckKind.FEEDER_LOADING] = tree.outlet_factor
    view = View(
        row=row,
        check=check,
        checks=full.checks.at(kept),
        path=full.path[kept],
        guarded=full.guarded[kept],
        with_crowd=full.with_crowd[kept],
    )
    return Sight(view=view, upper=check[n_own:] - first, node=node, place=place, factor=factor[check[n_own:]])


def _upper_courses(tree: SupplyTree, loads: NodeLoads, start: SweepState) -> FloatArray:
    """Return the 10 kV checks in all cases, larger is worse, shape (n_upper, n_kept)."""
    state = solve_nodes(tree.model, loads, start=start)
    if state.status.any():
        raise NotConvergedError(f"Below main transformer {tree.name} a bound of the loads has no load flow solution.")
    loading = node_loading_percent(tree.model, state)
    return np.concatenate(
        [
            -node_voltages(state)[tree.section_node],
            loading[tree.line_node],
            loading[tree.outlet_node] * tree.outlet_factor[:, None],
            loading[tree.main_node : tree.main_node + 1],
        ]
    )
