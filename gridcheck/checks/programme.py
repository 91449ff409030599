r"""Find the best restoration as a mixed-integer programme, where the search has too many ways to go through.

The forest that grows from supply into the dark sections is written with whole numbers: the links that are used and
their directions, so that each supplied section has one parent, and one unit of a fictitious commodity for each supplied
section, which rules out rings apart from supply. Voltages and currents are those of `branch_flow`: every solution of
the load flow fulfils its rows, so that the best solution of the programme is never worse than the best switching.

One aim after the other is solved, the values of those before it held:

1. households supplied, 2. load supplied, 3. operations and among equals those by hand.

Each solution is held against the limits by the load flow of all cases. Where a tree breaks them, the currents get
tangents at that solution, the case that is broken joins the programme, and the links of a smallest part of the tree
that breaks the limits by itself are forbidden to be used together: in a network that only consumes, whatever contains
it breaks them as well. Margins to the limits are not compared, unlike in the search.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.checks.branch_flow import FlowRows, Switchable
from gridcheck.checks.islands import LIVE, DarkGraph
from gridcheck.checks.judgement import NormalState
from gridcheck.checks.outcomes import Outcome
from gridcheck.checks.reach import Reach
from gridcheck.checks.search import CHARGING, Found, Judge, Rank, Way, grown, nothing, rank_of, reachable, with_link
from gridcheck.checks.worst_cases import select_cases
from gridcheck.mixed_integer import Draft, Optimum, Programme, Term, maximise

EFFORT = 120_000
"""Simplex iterations after which the best way so far is taken: no clock, so that every machine finds the same way."""

# A node of the search tree takes so many iterations, from experience; one solution may take the effort that is left.
_PER_NODE = 200
# Cases that the programme holds at the same time; further ones are seen to by forbidden parts alone.
_MOST_CASES = 4
# Rounds in which the relaxed programme is given tangents before the first whole one.
_ROUNDS = 4
# Loads that differ by less than this share of the whole count as equal. [1]
_SAME_LOAD = 1e-6
_WHOLE = 1e-6


def programme(
    state: NormalState,
    graph: DarkGraph,
    reach: Reach,
    judge: Judge,
    found: Found,
    *,
    effort: int = EFFORT,
) -> Found:
    """Find the best way to restore, or the best that the effort allows and how much better another could be.

    Parameters
    ----------
    state : NormalState
        The network in normal operation; nothing feeds in, and no load follows the voltage.
    graph : DarkGraph
        What is dark, and the links.
    reach : Reach
        Buses and branches that can be touched.
    judge : callable
        Holds one tree of a way against the limits in all cases.
    found : Found
        What the search has found, to start from.
    effort : int
        Simplex iterations after which the best way so far is returned, not proved.

    Returns
    -------
    Found
        Never worse than the given one.
    """
    return _Programme(state, graph, reach, judge, found, effort).run()


class _Programme:
    def __init__(
        self, state: NormalState, graph: DarkGraph, reach: Reach, judge: Judge, found: Found, effort: int
    ) -> None:
        self.state, self.graph, self.reach, self.judge, self.left = state, graph, reach, judge, effort
        self.best, self.best_rank, self.margin, self.bound = found.way, found.rank, found.margin, found.bound
        self.n_judged, self.asked, self.seen = found.n_judged, set[tuple[int, int]](), set[int]()
        self.draft = Draft()
        self.forest, self.opened = write_forest(self.draft, graph)
        self.flows: dict[int, FlowRows] = {}
        self.forbidden: set[int] = set()

    def run(self) -> Found:
        homes, load = self.graph.households.astype(np.float64), self.graph.load_kw
        least = self._unreachable()
        self.bound = max(self.bound, least)
        self._start()
        is_proved = True
        if homes.any():
            is_proved, most = self._reach_best(self._supplied(homes), lambda rank: float(homes.sum()) - rank[0], 0.5)
            self._raise_bound(_at_least(homes.sum() - most), 0.0 if not is_proved else least[1])
        if is_proved and load.any():
            dark_homes = self.best_rank[0]
            is_proved, most = self._reach_best(
                self._supplied(load), lambda rank: float(load.sum()) - rank[1], _SAME_LOAD * float(load.sum())
            )
            least_kw = float(load.sum()) * (1.0 - _SAME_LOAD) - most
            # Less than the best way by no more than loads that count as equal is the best way itself.
            is_equal = self.best_rank[1] - least_kw <= 2.0 * _SAME_LOAD * float(load.sum())
            self._raise_bound(dark_homes, self.best_rank[1] if is_equal else least_kw)
        if is_proved:
            is_proved, _ = self._reach_best(self._operations(), lambda rank: -self._heavy() * rank[2] - rank[3], 0.5)
        return Found(
            way=self.best, rank=self.best_rank, margin=self.margin, is_proved=is_proved,
            bound=self.best_rank[:2] if is_proved else min(self.bound, self.best_rank[:2]),
            n_judged=self.n_judged + len(self.asked), method="programme",
        )  # fmt: skip

    def _unreachable(self) -> tuple[int, float]:
        reached = reachable(self.graph, nothing(self.graph))
        dark = [self.graph.worth[place] for place in range(self.graph.n_dark) if not reached >> place & 1]
        return sum(homes for homes, _ in dark), sum(load for _, load in dark)

    def _raise_bound(self, homes: int, load_kw: float) -> None:
        self.bound = max(self.bound, (homes, load_kw))

    def _supplied(self, worth: FloatArray) -> list[Term]:
        return [(column, float(value)) for column, value in zip(self.forest.served, worth, strict=True)]

    def _operations(self) -> list[Term]:
        """Return operations, negative; one outweighs all that is done by hand."""
        links, heavy = self.graph.links, self._heavy()
        terms: list[Term] = []
        for position, link in enumerate(links):
            cost = -(heavy * link.n_operation + link.n_manual)
            columns = [(self.opened[position], 1.0)] if not link.is_tie else self.forest.used(position)
            terms += [(column, cost) for column, _ in columns]
        return terms

    def _heavy(self) -> float:
        return 1.0 + sum(link.n_manual for link in self.graph.links)

    def _start(self) -> None:
        """Forbid ties that cannot take anything, take the case with most load in the dark, and bound its currents."""
        for position in self.graph.live_links:
            self._forbid(1 << position)
        dark = self.reach.bus[self.reach.place != LIVE]
        loads = self.state.loads if self.state.loads_after is None else self.state.loads_after
        self._add_case(int(np.argmax(_sum_mw(loads, dark))))
        for _ in range(_ROUNDS):
            if self.left <= 0:
                return
            relaxed = self.draft.programme(self._supplied(self.graph.load_kw + 1.0), is_relaxed=True)
            optimum = self._solved(relaxed, is_presolved=False)
            if not optimum.is_proved or not self._add_tangents(optimum.x):
                return

    def _solved(self, programme: Programme, *, is_presolved: bool) -> Optimum:
        """Maximise with what is left of the effort, and take what it took from it."""
        optimum = maximise(programme, most_nodes=max(self.left, 0) // _PER_NODE, is_presolved=is_presolved)
        self.left -= max(optimum.iterations, 1)
        return optimum

    def _add_case(self, case: int) -> bool:
        """Add the rows of one case, by its position among those of the state."""
        if case in self.flows or len(self.flows) >= _MOST_CASES:
            return False
        p_mw, q_mvar = _power(self.state.loads, case)
        if self.state.loads_after is not None:
            after = _power(self.state.loads_after, case)
            p_mw, q_mvar = (np.where(self.reach.is_after, a, b) for a, b in zip(after, (p_mw, q_mvar), strict=True))
        self.flows[case] = FlowRows(self.draft, self.reach, self.forest, p_mw, q_mvar)
        return True

    def _add_tangents(self, x: FloatArray) -> int:
        return sum(rows.add_tangents(x) for rows in self.flows.values())

    def _reach_best(self, aim: list[Term], reached_by: Callable[[Rank], float], allowance: float) -> tuple[bool, float]:
        """Raise an aim until the load flow agrees, and hold it; return whether it did, and what none can exceed."""
        bound = math.inf
        while self.left > 0:
            optimum = self._maximised(aim, reached_by(self.best_rank) - allowance)
            if math.isfinite(optimum.bound):
                bound = min(bound, optimum.bound)
            if len(optimum.x) == 0:
                break
            way = self._way(optimum.x)
            if self._is_within_limits(way):
                self._take(way)
                if not optimum.is_proved:
                    break
                value = reached_by(rank_of(self.graph, way))
                self.draft.row(aim, lower=value - allowance)
                return True, value
            if way.joined in self.seen:
                break  # rounding: what was forbidden comes again
            self.seen.add(way.joined)
            # The tangents belong to the rows that were solved; further cases come after them.
            self._add_tangents(optimum.x)
            self._learn(way)
        return False, bound

    def _maximised(self, aim: list[Term], least: float) -> Optimum:
        """Maximise, once more in another way where the solver overlooks what is known to be possible."""
        programme = self.draft.programme(aim)
        for is_presolved in (False, True):
            optimum = self._solved(programme, is_presolved=is_presolved)
            is_wrong = optimum.status == "Infeasible" or optimum.bound < least
            if not is_wrong:
                return optimum
        return Optimum(x=np.zeros(0), value=math.nan, bound=math.nan, status="Wrong")

    def _way(self, x: FloatArray) -> Way:
        used = [sum(x[column] for column, _ in self.forest.used(link)) > 0.5 for link in range(len(self.graph.links))]
        return way_of(self.graph, sum(1 << position for position, is_used in enumerate(used) if is_used))

    def _judged(self, way: Way, root: int) -> Outcome:
        self.asked.add((root, dict(way.roots)[root]))
        return self.judge(way, root)

    def _margin(self, way: Way, root: int) -> float:
        return self._judged(way, root).margin

    def _is_within_limits(self, way: Way) -> bool:
        return all(self._margin(way, root) >= 0.0 for root, _ in way.roots)

    def _take(self, way: Way) -> None:
        """Keep a way within the limits if it is the best so far."""
        rank = rank_of(self.graph, way)
        if rank < self.best_rank:
            self.best, self.best_rank = way, rank
            self.margin = min((self._margin(way, root) for root, _ in way.roots), default=math.inf)

    def _learn(self, way: Way) -> None:
        """Forbid what breaks the limits in a way, and complete what is left of it."""
        kept = 0
        for root, joined in way.roots:
            outcome = self._judged(way, root)
            if outcome.margin < 0.0:
                for case in {outcome.vm_case, outcome.loading_case} - {-1}:
                    self._add_case(int(np.searchsorted(self.state.case, case)))
                if not self._forbid(joined):
                    self._forbid_alone(joined)
            kept |= self._shed(root, joined)
        self._take(grown(self.graph, way_of(self.graph, kept, is_complete=False), self._judged))

    def _forbid(self, joined: int) -> bool:
        """Forbid the smallest parts of a tree that break the limits by themselves; False where there are none."""
        root = way_of(self.graph, joined).roots[0][0]
        if not self._breaks(root, joined):
            return False
        for order in (1, -1):
            part, is_smaller = joined, True
            while is_smaller:
                is_smaller = False
                for link in list(leaves(self.graph, part))[::order]:
                    if self._breaks(root, part & ~(1 << link)):
                        part, is_smaller = part & ~(1 << link), True
            if part not in self.forbidden:
                self.forbidden.add(part)
                self.draft.row(self._joined(part), upper=part.bit_count() - 1.0)
        return True

    def _breaks(self, root: int, joined: int) -> bool:
        return bool(joined) and self._margin(way_of(self.graph, joined), root) < -CHARGING

    def _joined(self, links: int) -> list[Term]:
        return [term for link in range(len(self.graph.links)) if links >> link & 1 for term in self.forest.used(link)]

    def _forbid_alone(self, joined: int) -> None:
        """Forbid a tree as it stands: with one link more or less it may be within the limits."""
        served, beside = way_of(self.graph, joined).served, 0
        for position, link in enumerate(self.graph.links):
            if served >> link.a & 1 or (link.b != LIVE and served >> link.b & 1):
                beside |= 1 << position
        others = [(column, -factor) for column, factor in self._joined(beside & ~joined)]
        self.draft.row([*self._joined(joined), *others], upper=joined.bit_count() - 1.0)

    def _shed(self, root: int, joined: int) -> int:
        """Take leaves off a tree, those of least worth first, until it keeps the limits."""
        while joined and self._margin(way_of(self.graph, joined), root) < 0.0:
            worth = {link: self.graph.worth[place] for link, place in leaves(self.graph, joined).items()}
            joined &= ~(1 << min(worth, key=lambda link: (worth[link], link)))
        return joined


def write_forest(draft: Draft, graph: DarkGraph) -> tuple[Switchable, list[int]]:
    r"""Write the forests that can grow from supply; return their columns, and those of opened links (-1 for ties).

    With :math:`y_{vu}` for a link used from v to u, s for supplied sections, and f for the commodity:

    .. math::

        s_u = \sum_v y_{vu}, \quad y_{uv} + y_{vu} \le s_u, \quad
        y_{vu} - n y_{uv} \le f_{vu} \le n y_{vu} - y_{uv}, \quad \sum_v f_{vu} = s_u, \quad
        o_{uv} \ge s_u - y_{uv} - y_{vu}
    """
    n = graph.n_dark
    served = [draft.column(0.0, 1.0, integral=True) for _ in range(n)]
    into: list[list[Term]] = [[] for _ in range(n)]
    commodity: list[list[Term]] = [[] for _ in range(n)]
    towards_a, towards_b, opened = [], [], []
    for link in graph.links:
        is_live = link.b == LIVE
        a, b = draft.column(0.0, 1.0, integral=True), -1 if is_live else draft.column(0.0, 1.0, integral=True)
        into[link.a].append((a, 1.0))
        flow = draft.column(0.0 if is_live else -float(n), float(n))
        commodity[link.a].append((flow, 1.0))
        used = [(a, 1.0)] if is_live else [(a, 1.0), (b, 1.0)]
        draft.row([(flow, 1.0), (a, -float(n)), *([] if is_live else [(b, 1.0)])], upper=0.0)
        draft.row([(flow, 1.0), (a, -1.0), *([] if is_live else [(b, float(n))])], lower=0.0)
        if not is_live:
            into[link.b].append((b, 1.0))
            commodity[link.b].append((flow, -1.0))
            for end in (link.a, link.b):
                draft.row([*used, (served[end], -1.0)], upper=0.0)
        open_column = -1 if link.is_tie else draft.column(0.0, 1.0)
        for end in () if link.is_tie else (link.a, link.b):
            draft.row([(open_column, 1.0), *used, (served[end], -1.0)], lower=0.0)
        towards_a.append(a)
        towards_b.append(b)
        opened.append(open_column)
    for place in range(n):
        draft.row([(served[place], -1.0), *into[place]], lower=0.0, upper=0.0)
        draft.row([(served[place], -1.0), *commodity[place]], lower=0.0, upper=0.0)
    return Switchable(served=served, towards_a=towards_a, towards_b=towards_b), opened


def way_of(graph: DarkGraph, joined: int, *, is_complete: bool = True) -> Way:
    """Return the way that uses given links, all others open or, where it is not complete, undecided."""
    way = nothing(graph)
    left = {position for position in range(len(graph.links)) if joined >> position & 1}
    while True:
        grows = [position for position in sorted(left) if _is_beside(graph, way, position)]
        if not grows:
            break
        way, _ = with_link(graph, way, grows[0])
        left.discard(grows[0])
    # What would close a loop is decided in any case.
    opened = ((1 << len(graph.links)) - 1) & ~way.joined if is_complete else way.opened
    return Way(way.joined, opened, way.served, way.roots, way.at)


def _is_beside(graph: DarkGraph, way: Way, position: int) -> bool:
    link = graph.links[position]
    b_on = link.b == LIVE or bool(way.served >> link.b & 1)
    return bool(way.served >> link.a & 1) != b_on


def leaves(graph: DarkGraph, joined: int) -> dict[int, int]:
    """Return the links of a forest behind which nothing hangs any more, and the section behind each."""
    at: dict[int, list[int]] = {}
    for position in _bits(joined):
        link = graph.links[position]
        for end in (link.a, link.b):
            if end != LIVE:
                at.setdefault(end, []).append(position)
    return {links[0]: place for place, links in sorted(at.items()) if len(links) == 1}


def _bits(number: int) -> Iterator[int]:
    return (position for position in range(number.bit_length()) if number >> position & 1)


def _sum_mw(loads: LoadCases | FactoredLoads, bus: IntArray) -> FloatArray:
    """Return the load of some buses in every case. [MW]"""
    if isinstance(loads, LoadCases):
        total: FloatArray = loads.p_mw[:, bus].sum(axis=1)
        return total
    weighted: FloatArray = loads.profile @ loads.p_weight_mw[bus].sum(axis=0)
    return weighted


def _power(loads: LoadCases | FactoredLoads, case: int) -> tuple[FloatArray, FloatArray]:
    """Return P and Q of all buses in one case. [MW], [Mvar]"""
    one = select_cases(loads, np.array([case]))
    written = one.cases() if isinstance(one, FactoredLoads) else one
    return written.p_mw[0], written.q_mvar[0]


def _at_least(value: float) -> int:
    return math.ceil(value - _WHOLE) if math.isfinite(value) else 0
