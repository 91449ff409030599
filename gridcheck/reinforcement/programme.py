r"""The choice of projects as a 0/1 programme, solved by HiGHS to a gap of zero.

With :math:`x_i` for building project i, groups G of alternatives, and :math:`y_a` for connecting an application a that
projects of several groups would unlock,

.. math::

    \sum_i c_i x_i \le B, \quad \sum_{i \in G} x_i \le 1, \quad x_i \le x_j \;(i \,\mathrm{requires}\, j), \quad
    x_i + x_k \le 1 \;(i \,\mathrm{excludes}\, k), \quad
    y_a \le \sum_{i \,\mathrm{unlocks}\, a} x_i, \qquad x_i, y_a \in \{0, 1\}

the aims are taken one after the other, each held while the next is sought. No weight mixes households with hours or
yuan. All numbers are whole; what a solver's tolerance lets through is found by exact arithmetic and cut off.

Of thousands of projects, most are settled by the multipliers of the relaxation: who would lower the bound below a plan
that is known already is out, or in, for good. Only the others are searched through.

No more projects than the cheapest ones that fit can ever be built. Where households rise with the cost, plus a constant
each, that row is what makes the bound tight: without it a search through hundreds of such projects does not end.

References
----------
.. [1] H. P. Williams, *Model Building in Mathematical Programming*, 5th ed., 2013, chapters 3.2 (goals in order of
   rank) and 9 (0/1 programmes).
.. [2] E. Balas, E. Zemel, "An algorithm for large zero-one knapsack problems", Operations Research 28(5), 1980: the
   core of a knapsack.
.. [3] S. Martello, P. Toth, "Upper bounds and algorithms for hard 0-1 knapsack problems", Operations Research 45(5),
   1997: at most so many items, for strongly correlated ones.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.errors import OutOfTimeError, PlanError
from gridcheck.mixed_integer import INFINITY, Draft, Optimum, Programme, Term, dual_bound, maximise
from gridcheck.reinforcement.aims import Aim, Level, levels
from gridcheck.reinforcement.patience import Patience, relative_gap, share
from gridcheck.reinforcement.problem import ChoiceProblem, Chosen, Limit, plain_start, twins

# A solution that a rounding tolerance let through the budget is cut off; more than a few never occur.
_MAX_CUTS = 200
# Projects that are searched through first, where there are many.
_CORE = 250
# A solver takes 1e-6 for nothing, also of a column: factors above this would let something through, or lose something.
_LARGEST_FACTOR = 1 << 24
# Longer costs are written in digits of this many bits, with carries.
_DIGIT_BITS = 16
# Undecided projects whose order of ids is settled at a time, and how often.
_BLOCK, _MAX_BLOCKS = 20, 10
# Nodes of the search tree, and open projects, beyond which choices that bring the same are not told apart any more.
_TIE_BREAK_NODES, _TIE_BREAK_OPEN = 2000, 600
_NOTHING_LEFT = ("Infeasible", "Primal infeasible or unbounded")
_OUT_OF_TIME = "Time limit reached"

Row = tuple[Sequence[Term], float, float]
"""Terms of a constraint, and the least and most that they may come to."""


def best_choice(problem: ChoiceProblem, patience: Patience | None = None) -> Chosen:
    """Choose among projects, aim after aim; of equal choices the one with the fewest projects, then the earliest ids.

    Parameters
    ----------
    problem : ChoiceProblem
        What is chosen from.
    patience : Patience, optional
        How long; without one the search ends with a proof only.

    Returns
    -------
    Chosen
        Where the time ran out, the best found, with the aim that is not proved and its bound.

    Raises
    ------
    PlanError
        If nothing meets the limits and floors, or HiGHS does not prove the optimum.
    OutOfTimeError
        If the time ran out before anything was found that meets them.
    """
    search = _Search(problem, patience)
    row = (*(-1,) * problem.n_project, *(0,) * len(problem.shared))
    count = Aim(name="projects", rows=(row,), is_tie_break=True)
    for aim in (*problem.aims, count):
        if aim.is_idle:
            continue
        for level in levels(aim, search.draft):
            search.climb(level)
            if search.is_only or not search.is_settled:
                return search.chosen()
    search.settle_by_id()
    return search.chosen()


@dataclass(frozen=True, slots=True)
class _Found:
    """The best that is left, or nothing: ``built`` is None then."""

    built: tuple[int, ...] | None
    value: int = 0
    bound: float | None = None  # of the solver's objective, where the time ran out before the proof


class _Search:
    """The programme while aim after aim is sought."""

    def __init__(self, problem: ChoiceProblem, patience: Patience | None = None) -> None:
        self.problem, self.patience = problem, patience
        self.draft = Draft()
        self.built: tuple[int, ...] = ()
        self.gap = 0.0
        self.is_only, self.is_settled = False, True
        self.unproved = ""
        self.bound: int | None = None
        self._core: tuple[int, ...] | None = None
        self._held: list[tuple[Level, int]] = []
        n = problem.n_project
        self._lower, self._upper = np.zeros(n), np.ones(n)
        self._lower[list(problem.forced)] = 1.0
        self._upper[list(problem.forbidden)] = 0.0
        for limit in problem.limits:
            self._upper[[i for i, cost in enumerate(limit.cost) if cost > limit.most]] = 0.0
        if np.any(self._lower > self._upper):
            raise PlanError("A forced project is forbidden, or costs more than the budget.")
        self._write()
        self._start = plain_start(problem)

    def _write(self) -> None:
        problem, n = self.problem, self.problem.n_project
        for _ in range(n + len(problem.shared)):
            self.draft.column(0.0, 1.0, integral=True)
        for limit in problem.limits:
            self._write_limit(limit)
        for floor in problem.floors:
            self.draft.row([(i, float(v)) for i, v in enumerate(floor.values)], lower=floor.least - 0.5)
        for members in problem.groups:
            self.draft.row([(i, 1.0) for i in members], upper=1.0)
        for i, needed in problem.requires:
            self.draft.row([(i, 1.0), (needed, -1.0)], upper=0.0)
        for i, other in problem.conflicts:
            self.draft.row([(i, 1.0), (other, 1.0)], upper=1.0)
        for a, unlocking in enumerate(problem.shared):
            self.draft.row([(n + a, 1.0), *((i, -1.0) for i in unlocking)], upper=0.0)

        # Of projects that are alike in everything the earlier id comes first; that also spares the search its mirrors.
        for first, second in twins(problem):
            self.draft.row([(second, 1.0), (first, -1.0)], upper=0.0)

    def _write_limit(self, limit: Limit) -> None:
        r"""Write a budget exactly: :math:`\sum_i c_{i,d} x_i + k_d \le b_d + 2^{16} k_{d+1}` for each digit d."""
        divisor = math.gcd(*limit.cost) or 1
        costs, most = [cost // divisor for cost in limit.cost], limit.most // divisor
        # However they are chosen, there are no more of them than of the cheapest that fit.
        most_built = bisect_right(list(accumulate(sorted(costs))), most)
        if most_built < len(costs):
            self.draft.row([(i, 1.0) for i in range(len(costs))], upper=float(most_built))
        carry: list[Term] = []
        # What is open costs no more than the budget, so a budget that is far above needs no more digits than costs do.
        while max(costs, default=0) >= _LARGEST_FACTOR:
            base = 1 << _DIGIT_BITS
            more = self.draft.column(0.0, float(len(costs) + 1), integral=True)
            terms = [(i, float(cost % base)) for i, cost in enumerate(costs)]
            self.draft.row([*terms, *carry, (more, -float(base))], upper=float(most % base))
            costs, most, carry = [cost // base for cost in costs], most // base, [(more, 1.0)]
        self.draft.row([*((i, float(cost)) for i, cost in enumerate(costs)), *carry], upper=float(most))

    def chosen(self) -> Chosen:
        """Return what is known to be best."""
        return Chosen(
            built=self.built, gap=self.gap, is_settled=self.is_settled, unproved=self.unproved, bound=self.bound
        )

    def climb(self, level: Level) -> None:
        """Seek the best of an objective, and hold it from then on."""
        is_first = not self._held
        is_done = self._narrow(level)
        if self._may_stop(level) and np.count_nonzero(self._lower < self._upper) > _TIE_BREAK_OPEN:
            self.is_settled = False
            return
        if not (is_first and is_done):
            found = self._solved(level, [] if is_first else self._others_as_good(level), self._lower, self._upper)
            if found.bound is not None:
                self._end_of_time(level, found, found.bound)
                if self.unproved:
                    return
            elif found.built is None and is_first:
                raise PlanError("No choice of projects meets the budget and the conditions.")
            elif found.built is None:
                self.is_only = self.is_settled
            elif is_first or found.value > self._value(level):
                self.built = found.built
        value = self._value(level)
        self._held.append((level, value))
        self.draft.row(level.terms, lower=level.local(value) - 0.5)

    def _end_of_time(self, level: Level, found: _Found, bound: float) -> None:
        """Keep the best that is known, and say how far from the bound it is; where it reaches that, nothing is open."""
        start = None if self._held else self._start
        known = [built for built in (found.built, self._core, start) if built is not None]
        known += [self.built] if self._held else []
        if not known:
            self._note(level)
            raise OutOfTimeError(
                "The time ran out before any choice was found that meets the budget and the conditions."
            )
        self.built = max(known, key=lambda built: level.value(self.problem.columns(built)))
        programme = self._programme(self.draft, level, self._lower, self._upper)
        ends = np.maximum(programme.objective * programme.lower, programme.objective * programme.upper)
        bound = min(bound, dual_bound(programme).bound, float(ends.sum()))
        value = self._value(level)
        # Whole numbers: a bound less than one away is met; the margin is what a solver takes for nothing.
        local = math.floor(bound + 1e-6 + 1e-9 * abs(bound))
        if local <= level.local(value):
            return
        own, most = (
            level.scale * one for one in (level.aim.value(self.problem.columns(self.built)), level.most(value, local))
        )
        self.gap = (most - own) / max(1, abs(own))
        self.unproved, self.bound, self.is_settled = level.aim.name, most, False
        self._note(level)

    def settle_by_id(self) -> None:
        """Of choices that are equal in all aims, take the one with the earliest ids."""
        n = self.problem.n_project
        for _ in range(_MAX_BLOCKS):
            block = np.flatnonzero(self._lower < self._upper)[:_BLOCK].tolist()
            if self.is_only or not self.is_settled or not block:
                return
            worth = dict(zip(block, [1 << place for place in range(len(block) - 1, -1, -1)], strict=True))
            row = tuple(worth.get(i, 0) for i in range(n + len(self.problem.shared)))
            for level in levels(Aim(name="ids", rows=(row,), is_tie_break=True), self.draft):
                self.climb(level)
            inside = set(self.built)
            self._lower[block] = self._upper[block] = [float(i in inside) for i in block]

    def _may_stop(self, level: Level) -> bool:
        """Return whether the best known may do: where it only decides between choices that bring the same."""
        return level.aim.is_tie_break and bool(self._held)

    def _value(self, level: Level) -> int:
        return level.value(self.problem.columns(self.built))

    def _others_as_good(self, level: Level) -> list[Row]:
        """Return the rows that leave choices other than the known one, at least as good as it is."""
        return [(level.terms, level.local(self._value(level)) - 0.5, INFINITY), self._other_than(self.built)]

    def _other_than(self, built: Sequence[int]) -> Row:
        inside = set(built)
        terms = [(i, 1.0 if i in inside else -1.0) for i in range(self.problem.n_project)]
        return terms, -INFINITY, len(inside) - 1.0

    def _narrow(self, level: Level) -> bool:
        """Settle projects by the multipliers of the relaxation; return whether the best is found with that already."""
        start = self.built if self._held else self._start
        is_open = self._lower < self._upper
        if np.count_nonzero(is_open) <= _CORE:
            return False
        dual = dual_bound(self._programme(self.draft, level, self._lower, self._upper))
        worth = dual.worth[: self.problem.n_project]
        better = np.where(worth > 0.0, 1.0, 0.0)
        may_shut = is_open
        if start is not None:
            # The known choice stays possible, so that the search through the core cannot fail.
            inside = np.zeros(self.problem.n_project)
            inside[list(start)] = 1.0
            may_shut = is_open & (better == inside)
        order = np.argsort(np.where(is_open, np.abs(worth), -1.0), kind="stable")
        shut = np.zeros(self.problem.n_project, dtype=bool)
        shut[order[np.count_nonzero(~is_open) + _CORE :]] = True
        shut &= may_shut
        # The whole has to be searched through as well: half of the time is for the core.
        found = self._solved(level, [], *self._shut(shut, better), patience=share(self.patience, 2))
        self._core = found.built
        if found.built is None:
            return False
        if not self._held or found.value > self._value(level):
            self.built = found.built
        # Who would lower the bound below a value that is reached is settled for good.
        margin = 1e-6 + 1e-9 * abs(dual.bound)
        settled = is_open & (dual.bound - np.abs(worth) < level.local(found.value) - margin)
        self._lower, self._upper = self._shut(settled, better)
        return found.bound is None and not np.any(shut & ~settled)

    def _shut(self, shut: BoolArray, better: FloatArray) -> tuple[FloatArray, FloatArray]:
        return np.where(shut, better, self._lower), np.where(shut, better, self._upper)

    def _programme(self, draft: Draft, level: Level, lower: FloatArray, upper: FloatArray) -> Programme:
        programme, n = draft.programme(level.terms), self.problem.n_project
        return replace(
            programme,
            lower=np.concatenate([lower, programme.lower[n:]]),
            upper=np.concatenate([upper, programme.upper[n:]]),
        )

    def _solved(
        self,
        level: Level,
        extra: Sequence[Row],
        lower: FloatArray,
        upper: FloatArray,
        *,
        patience: Patience | None = None,
    ) -> _Found:
        """Solve, and check in whole numbers what comes back."""
        draft = self.draft.copy()
        for terms, least, most in extra:
            draft.row(terms, lower=least, upper=most)
        best, bound = _Found(built=None), math.inf
        for _ in range(_MAX_CUTS):
            found = self._asked(level, self._programme(draft, level, lower, upper), patience or self.patience)
            bound = min(bound, found.bound)
            is_open = found.status == _OUT_OF_TIME and not self._may_stop(level)
            if found.status in _NOTHING_LEFT or not len(found.x):
                return replace(best, bound=bound) if is_open else best
            built = tuple(np.flatnonzero(found.x[: self.problem.n_project] > 0.5).tolist())
            columns = self.problem.columns(built)
            cover = self._cover(built)
            if cover is not None:
                # Solvers keep constraints to a tolerance; this cut holds for every choice.
                for one in (self.draft, draft):
                    one.row(cover[0], upper=cover[2])
                continue
            value = level.value(columns)
            is_allowed = self._is_allowed(columns)
            if is_allowed and (best.built is None or value > best.value):
                best = _Found(built=built, value=value)
            if is_allowed and not found.is_proved:
                return replace(best, bound=bound) if is_open else best
            if is_allowed and found.value <= level.local(value) + 0.5:
                self._require_no_gap(level, best.value, found.bound)
                return best
            terms, _, most = self._other_than(built)
            draft.row(terms, upper=most)
        raise PlanError(f"HiGHS did not keep the budget exactly in {_MAX_CUTS} trials.")

    def _asked(self, level: Level, programme: Programme, patience: Patience | None) -> Optimum:
        """Ask HiGHS; only between choices that bring the same, or when the time is out, may it stop early."""
        may_stop = self._may_stop(level)

        def tell(value: float, bound: float) -> None:
            if patience is not None:
                patience.tell(level.aim.name, relative_gap(value, bound) if level.is_top else math.nan)

        found = maximise(
            programme,
            most_nodes=_TIE_BREAK_NODES if may_stop else None,
            most_seconds=None if patience is None else patience.left_s,
            # Without somebody who hears, Ctrl-C would wait for the end of the search.
            tell=tell,
        )
        if found.is_proved or found.status in _NOTHING_LEFT:
            return found
        if may_stop:
            self.is_settled = False
            if found.status == _OUT_OF_TIME:
                self._note(level)
        elif patience is None or found.status != _OUT_OF_TIME:
            raise PlanError(f"HiGHS found no optimal choice of projects: {found.status}.")
        return found

    def _note(self, level: Level) -> None:
        if self.patience is not None:
            self.patience.cut_short.append(level.aim.name)

    def _require_no_gap(self, level: Level, value: int, bound: float) -> None:
        # Whole numbers again: a bound less than one away is met.
        gap = max(0, math.floor(bound + 1e-3) - level.local(value)) / max(1, abs(value))
        self.gap = max(self.gap, gap)
        if gap > 0.0:
            raise PlanError(f"HiGHS left a gap of {gap:.2e} between the best plan found and the proved bound.")

    def _cover(self, built: tuple[int, ...]) -> Row | None:
        """Return a cut for projects that together cost too much, and for all that cost no less; None where none do."""
        for limit in self.problem.limits:
            total = sum(limit.cost[i] for i in built)
            if total > limit.most:
                members = sorted(built, key=lambda i: limit.cost[i])
                while total - limit.cost[members[0]] > limit.most:
                    total -= limit.cost[members.pop(0)]
                dearest = limit.cost[members[-1]]
                others = [i for i, cost in enumerate(limit.cost) if cost >= dearest and i not in set(members)]
                return [(i, 1.0) for i in (*members, *others)], -INFINITY, len(members) - 1.0
        return None

    def _is_allowed(self, columns: tuple[int, ...]) -> bool:
        return all(sum(floor.values[i] for i in columns) >= floor.least for floor in self.problem.floors) and all(
            level.value(columns) >= value for level, value in self._held
        )
