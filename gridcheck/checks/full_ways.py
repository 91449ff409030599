"""List the ways that supply all healthy loaded sections of an outage again, and those that take whole islands only."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations, islice, product

from gridcheck.checks.islands import LIVE, DarkGraph
from gridcheck.checks.search import Way, behind, frontier, nothing, operations, reachable, with_link, without_link

MOST_WAYS = 12
"""Ways to supply everything again that are looked at for one outage; those with the fewest operations."""

# Growing ways that are looked at before an outage is left with what was found.
_STEPS = 4000
# Ways that take some islands as a whole.
_MOST_PARTIAL = 64


@dataclass(frozen=True, slots=True)
class FullWays:
    """The ways that supply everything again.

    Attributes
    ----------
    ways : tuple of Way
        Complete, by operations, then by those by hand.
    has_more : bool
        True where there are or may be more.
    """

    ways: tuple[Way, ...]
    has_more: bool


def full_ways(graph: DarkGraph, needed: int, *, most: int = MOST_WAYS) -> FullWays:
    """List complete ways that supply all sections that need it, in the order of their operations.

    Parameters
    ----------
    graph : DarkGraph
        What is dark, and the links.
    needed : int
        Dark sections that must be supplied, as bits.
    most : int
        Ways that are returned at most.

    Returns
    -------
    FullWays
        A single tie for a whole island costs least and comes first, then islands that are split between ties.
    """
    start, count = nothing(graph), 0
    found: list[Way] = []
    # Operations only grow; of equals the one that has joined most is followed, then the one that was found first.
    heap: list[tuple[tuple[int, int], int, int, Way]] = [((0, 0), 0, 0, start)]
    for _ in range(_STEPS):
        if not heap:
            return FullWays(tuple(found), has_more=False)
        _, _, _, way = heapq.heappop(heap)
        if needed & ~reachable(graph, way):
            continue
        link = frontier(graph, way)
        if link is None:
            if len(found) == most:
                return FullWays(tuple(found), has_more=True)
            found.append(way)
            continue
        for child in (with_link(graph, way, link)[0], without_link(way, link)):
            count += 1
            heapq.heappush(heap, (operations(graph, child), -child.joined.bit_count(), count, child))
    return FullWays(tuple(found), has_more=True)


def whole_island_ways(graph: DarkGraph) -> tuple[Way, ...]:
    """List the ways that hang some of the islands, each as a whole, on one tie to supply, and leave the others dark.

    Single islands come first; of more of them together at most 64 are listed.
    """
    options = [
        [(part, position) for position in graph.live_links if graph.links[position].a in part]
        for part in islands(graph)
    ]
    options = [some for some in options if some]
    together = (
        choice
        for size in range(1, len(options) + 1)
        for chosen in combinations(options, size)
        for choice in product(*chosen)
    )
    n_single = sum(len(some) for some in options)
    return tuple(hung(graph, choice) for choice in islice(together, n_single + _MOST_PARTIAL))


def hung(graph: DarkGraph, choice: tuple[tuple[list[int], int], ...]) -> Way:
    """Hang whole islands on links to supply; `choice` has the sections of each and the position of its link."""
    trees: dict[int, int] = {}
    at, served, all_joined = [LIVE] * graph.n_dark, 0, 0
    for part, position in choice:
        inside = set(part)
        joined = 1 << position
        for inner, link in enumerate(graph.links):
            if not link.is_tie and link.a in inside:
                joined |= 1 << inner
        root = graph.links[position].root
        trees[root] = trees.get(root, 0) | joined
        all_joined |= joined
        for place in part:
            at[place] = root
            served |= 1 << place
    return Way(all_joined, 0, served, tuple(sorted(trees.items())), tuple(at))


def one_more(graph: DarkGraph, way: Way, part: list[int]) -> list[tuple[Way, int, int]]:
    """List what a complete way becomes when it supplies one section of a part more, with link and root of each.

    Sections that nobody needs are passed through, each once.
    """
    inside, seen = set(part), set[int]()
    found: list[tuple[Way, int, int]] = []
    waiting: list[tuple[Way, Iterable[int]]] = [(way, range(len(graph.links)))]
    while waiting:
        here, positions = waiting.pop()
        for position in positions:
            new = behind(graph.links[position], here)
            if new is None or new not in inside or new in seen:
                continue
            more, root = with_link(graph, replace(here, opened=here.opened & ~(1 << position)), position)
            onward = [other for other in graph.links_at[new] if other != position]
            for other in onward:
                if not graph.links[other].is_tie:
                    more = without_link(more, other)
            if graph.worth[new] == (0, 0.0):
                seen.add(new)
                waiting.append((more, onward))
            else:
                found.append((more, position, root))
    return found


def islands(graph: DarkGraph) -> list[list[int]]:
    """Return the dark sections that hang together without ties, in the order of their first section."""
    parts, seen = [], 0
    for first in range(graph.n_dark):
        if seen >> first & 1:
            continue
        part, waiting = [], [first]
        seen |= 1 << first
        while waiting:
            here = waiting.pop()
            part.append(here)
            for position in graph.links_at[here]:
                link = graph.links[position]
                far = link.other(here)
                if not link.is_tie and not seen >> far & 1:
                    seen |= 1 << far
                    waiting.append(far)
        parts.append(sorted(part))
    return parts
