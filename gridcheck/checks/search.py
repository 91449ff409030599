r"""Find the best restoration of an outage exactly: which ties to close, where to open, what to leave dark.

A way to restore is a forest that grows from supply into the dark sections: the links it uses are closed, every other
closed link that touches a supplied section is opened. Two ways are compared by, in this order,

1. households supplied, 2. load supplied, 3. operations, 4. operations by hand, 5. margin to the limits.

The search decides one link at the edge of the forest after the other: join what is behind it, or leave the link open.
A decision is never made twice in another order, so every way is met at most once. What is undecided might all be
supplied without any further operation: that bounds 1 to 4, and the decision with the best bound is followed first, so
that the first complete way within the limits is the best, but for the margin of its equals.

In a network that only consumes, load that is added to a tree lowers voltages and raises currents everywhere in it. A
forest beyond the limits is therefore given up with all that could still grow on it; charging of lines, which works the
other way, is allowed for by `CHARGING`.

A way to compare with is at hand from the start, and where the search is given up: one that takes every link that keeps
the limits, in the order in which the search meets them.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

from gridcheck.checks.islands import LIVE, DarkGraph, Link
from gridcheck.checks.outcomes import Outcome

EVALUATIONS = 4000
"""Load flows after which the search is given up."""

CHARGING = 0.01
"""A forest is given up when it lies beyond a limit by so much of its range: charging of lines may win that back. [1]"""

# Growing ways that are completed when the search is given up.
_COMPLETED = 40
# Loads in kilowatts are equal within this.
_SAME_KW = 1e-6

Rank = tuple[int, float, int, int]
"""Households and load left dark, operations, those by hand: less is better."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to restore, complete or growing.

    Attributes
    ----------
    joined : int
        Links that are used, as bits.
    opened : int
        Links that are not to be used, as bits; those of them that are normally closed and touch a supplied section
        are opened.
    served : int
        Dark sections that are supplied, as bits.
    roots : tuple of (int, int)
        Branch at the source of each tree that grows, ascending, and the links joined in it.
    at : tuple of int
        Root of each dark section, `LIVE` where it is not supplied.
    """

    joined: int
    opened: int
    served: int
    roots: tuple[tuple[int, int], ...]
    at: tuple[int, ...]


Judge = Callable[[Way, int], Outcome]
"""Holds the tree below one root of a way against the limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The best way that was found.

    Attributes
    ----------
    way : Way
        Within the limits.
    rank : tuple
        What it leaves dark and takes.
    margin : float
        Its distance to the nearest limit. [1]
    is_proved : bool
        True where every other way is worse.
    bound : tuple of (int, float)
        Households that no way can help leaving dark, and the load of those ways that leave no more of them. [kW]
    n_judged : int
        Load flows made.
    method : str
        How it was found: ``enumeration`` or ``programme``.
    """

    way: Way
    rank: Rank
    margin: float
    is_proved: bool
    bound: tuple[int, float]
    n_judged: int
    method: str = "enumeration"


def nothing(graph: DarkGraph) -> Way:
    """Return the way that restores nothing."""
    return Way(joined=0, opened=0, served=0, roots=(), at=(LIVE,) * graph.n_dark)


def search(graph: DarkGraph, judge: Judge, *, is_consuming: bool, evaluations: int = EVALUATIONS) -> Found:
    """Find the best way to restore.

    Parameters
    ----------
    graph : DarkGraph
        What is dark, and the links.
    judge : callable
        Judges one tree of a way; asked once for equal trees.
    is_consuming : bool
        True where no load feeds in and none follows the voltage, so that a forest beyond the limits can be given up.
    evaluations : int
        Load flows after which the best way so far is returned, not proved.

    Returns
    -------
    Found
        At worst the way that restores nothing.
    """
    return _Search(graph, judge, is_consuming=is_consuming, evaluations=evaluations).run()


def reachable(graph: DarkGraph, way: Way) -> int:
    """Return the dark sections that supply may still reach, by links that are not given up, as bits."""
    reached = way.served
    waiting = [place for place in range(graph.n_dark) if reached >> place & 1]
    for position in graph.live_links:
        place = graph.links[position].a
        if not way.opened >> position & 1 and not reached >> place & 1:
            reached |= 1 << place
            waiting.append(place)
    while waiting:
        here = waiting.pop()
        for position in graph.links_at[here]:
            far = graph.links[position].other(here)
            if far != LIVE and not way.opened >> position & 1 and not reached >> far & 1:
                reached |= 1 << far
                waiting.append(far)
    return reached


def frontier(graph: DarkGraph, way: Way) -> int | None:
    """Return the next link to be decided: one that costs nothing if there is any, then ties."""
    for position, link in enumerate(graph.links):
        if (way.opened | way.joined) >> position & 1:
            continue
        if behind(link, way) is not None:
            return position
    return None


def behind(link: Link, way: Way) -> int | None:
    """Return the dark section that a link would join to supply; none where both of its ends or neither have it."""
    a_on = bool(way.served >> link.a & 1)
    b_on = link.b == LIVE or bool(way.served >> link.b & 1)
    if a_on == b_on:
        return None
    return link.b if a_on else link.a


def with_link(graph: DarkGraph, way: Way, position: int) -> tuple[Way, int]:
    """Join what is behind a link of the frontier; return the way and the root whose tree has grown."""
    link, bit = graph.links[position], 1 << position
    new = link.a if link.b == LIVE or way.served >> link.b & 1 else link.b
    root = link.root if link.b == LIVE else way.at[link.other(new)]
    served = way.served | 1 << new
    # What would close a loop stays open.
    loops = 0
    for other in graph.links_at[new]:
        far = graph.links[other].other(new)
        if other != position and (far == LIVE or served >> far & 1):
            loops |= 1 << other
    trees = dict(way.roots)
    trees[root] = trees.get(root, 0) | bit
    at = (*way.at[:new], root, *way.at[new + 1 :])
    return Way(way.joined | bit, way.opened | loops & ~way.joined, served, tuple(sorted(trees.items())), at), root


def without_link(way: Way, position: int) -> Way:
    """Leave a link open."""
    return Way(way.joined, way.opened | 1 << position, way.served, way.roots, way.at)


def grown(graph: DarkGraph, way: Way, judge: Judge) -> Way:
    """Complete a way that is within the limits: take every link that keeps them, in the order of the frontier."""
    while (position := frontier(graph, way)) is not None:
        joined, root = with_link(graph, way, position)
        way = joined if judge(joined, root).margin >= 0.0 else without_link(way, position)
    return way


def rank_of(graph: DarkGraph, way: Way) -> Rank:
    """Return what a complete way leaves dark and takes."""
    return _ranked(graph, way, way.served)


def _ranked(graph: DarkGraph, way: Way, supplied: int) -> Rank:
    dark = [place for place in range(graph.n_dark) if not supplied >> place & 1]
    homes, load = sum(graph.worth[place][0] for place in dark), sum(graph.worth[place][1] for place in dark)
    return (homes, _rounded(load), *operations(graph, way))


def operations(graph: DarkGraph, way: Way) -> tuple[int, int]:
    """Return operations of a way, and those by hand: ties that are closed, links that are opened beside supply."""
    count = by_hand = 0
    for position, link in enumerate(graph.links):
        if link.is_tie:
            is_done = bool(way.joined >> position & 1)
        else:
            touches = way.served >> link.a & 1 or way.served >> link.b & 1
            is_done = bool(way.opened >> position & 1 and touches)
        if is_done:
            count += link.n_operation
            by_hand += link.n_manual
    return count, by_hand


class _Search:
    def __init__(self, graph: DarkGraph, judge: Judge, *, is_consuming: bool, evaluations: int) -> None:
        self.graph, self.judge, self.is_consuming, self.evaluations = graph, judge, is_consuming, evaluations
        self.known: dict[tuple[int, int], Outcome] = {}
        self.best, self.best_rank, self.margin = nothing(graph), rank_of(graph, nothing(graph)), float("inf")

    def run(self) -> Found:
        start = nothing(self.graph)
        self._complete(grown(self.graph, start, self._outcome))
        # The last entry breaks ties: deeper first, then in the order of finding.
        heap: list[tuple[Rank, int, int, Way]] = [(self._bound(start), 0, 0, start)]
        count = 0
        while heap:
            bound, _, _, way = heapq.heappop(heap)
            if self._is_worse(bound):
                break
            if len(self.known) >= self.evaluations:
                self._complete_some([way, *(entry[-1] for entry in heapq.nsmallest(_COMPLETED, heap))])
                return self._found(is_proved=False, bound=bound[:2])
            link = frontier(self.graph, way)
            if link is None:
                self._complete(way)
                continue
            for child in self._children(way, link):
                child_bound = self._bound(child)
                if not self._is_worse(child_bound):
                    count += 1
                    heapq.heappush(heap, (child_bound, -child.joined.bit_count(), count, child))
        return self._found(is_proved=True, bound=self.best_rank[:2])

    def _found(self, *, is_proved: bool, bound: tuple[int, float]) -> Found:
        return Found(
            way=self.best, rank=self.best_rank, margin=self.margin, is_proved=is_proved, bound=bound,
            n_judged=len(self.known),
        )  # fmt: skip

    def _is_worse(self, bound: Rank) -> bool:
        return bound > self.best_rank

    def _complete(self, way: Way) -> None:
        rank, margin = rank_of(self.graph, way), self.margin_of(way)
        if margin < 0.0:
            return
        # Of equal ways the one with the larger margin, then the one with the links that come first.
        if (rank, -margin, way.joined) < (self.best_rank, -self.margin, self.best.joined):
            self.best, self.best_rank, self.margin = way, rank, margin

    def margin_of(self, way: Way) -> float:
        """Return the smallest margin of the trees of a way, -inf where one has no solution."""
        return min((self._outcome(way, root).margin for root, _ in way.roots), default=float("inf"))

    def _outcome(self, way: Way, root: int) -> Outcome:
        key = root, dict(way.roots)[root]
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self.judge(way, root)
        return found

    def _complete_some(self, ways: list[Way]) -> None:
        for way in ways:
            if self.margin_of(way) >= 0.0:
                self._complete(grown(self.graph, way, self._outcome))

    def _children(self, way: Way, position: int) -> list[Way]:
        joined, root = with_link(self.graph, way, position)
        without = without_link(way, position)
        if self.is_consuming and self._outcome(joined, root).margin < -CHARGING:
            return [without]
        return [joined, without]

    def _bound(self, way: Way) -> Rank:
        """Return the least that can be left dark and be done: everything that a usable link reaches is supplied."""
        return _ranked(self.graph, way, reachable(self.graph, way))


def _rounded(load_kw: float) -> float:
    """Return a load in steps that rounding of sums does not reach, so that equal loads compare as equal. [kW]"""
    return round(load_kw / _SAME_KW) * _SAME_KW
