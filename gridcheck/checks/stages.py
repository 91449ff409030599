"""Close what an outage left dark in stages: after hours without supply homes draw more at first than later."""

from __future__ import annotations

from typing import Protocol

from gridcheck.checks.islands import LIVE, DarkGraph
from gridcheck.checks.search import Way


class JudgeStage(Protocol):
    """Whether a growing way keeps the limits when some of its sections have just got their supply back.

    In the first stage so have the healthy sections before the fault.
    """

    def __call__(self, way: Way, new: tuple[int, ...], /, *, is_first: bool) -> bool:
        """Judge one stage."""


def staged(graph: DarkGraph, way: Way, judge: JudgeStage) -> tuple[tuple[int, ...], ...]:
    """Share the sections of a way out over stages, as few as the order from supply outwards allows.

    Parameters
    ----------
    graph : DarkGraph
        What was dark.
    way : Way
        A way that keeps the limits once all loads have calmed down.
    judge : callable
        Judges a stage: the sections of earlier stages have calmed down, those of this one have not.

    Returns
    -------
    tuple of tuple of int
        Places of the dark sections by stage. The healthy sections before the fault come back in the first one, which
        is empty where they have to calm down before anything else is closed. Empty where a section is too much even by
        itself, or where what stands before the fault is.
    """
    if not judge(_part_of(graph, way, []), (), is_first=True):
        return ()
    stages: list[tuple[int, ...]] = []
    now: tuple[int, ...] = ()
    done: list[int] = []
    is_first = True
    for place in _outwards(graph, way):
        grown = _part_of(graph, way, [*done, *now, place])
        if judge(grown, (*now, place), is_first=is_first):
            now = (*now, place)
            continue
        if not (now or is_first) or not judge(grown, (place,), is_first=False):
            return ()
        stages.append(now)
        done += now
        now, is_first = (place,), False
    return (*stages, now) if now else tuple(stages)


def between_stages(graph: DarkGraph, way: Way, stages: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    """Return the normally closed links of a way between sections of different stages, by position."""
    stage_of = {place: number for number, stage in enumerate(stages) for place in stage}
    return tuple(
        k
        for k, link in enumerate(graph.links)
        if way.joined >> k & 1 and not link.is_tie and stage_of[link.a] != stage_of[link.b]
    )


def _outwards(graph: DarkGraph, way: Way) -> list[int]:
    """Return the sections of a way, those next to supply first."""
    order: list[int] = []
    waiting = [graph.links[k].a for k in graph.live_links if way.joined >> k & 1]
    seen = set(waiting)
    while waiting:
        here = waiting.pop(0)
        order.append(here)
        for k in graph.links_at[here]:
            far = graph.links[k].other(here)
            if way.joined >> k & 1 and far != LIVE and far not in seen:
                seen.add(far)
                waiting.append(far)
    return order


def _part_of(graph: DarkGraph, way: Way, places: list[int]) -> Way:
    """Return a way restricted to some of its sections, which hang together with supply."""
    inside = set(places)
    joined = 0
    trees: dict[int, int] = {}
    for k, link in enumerate(graph.links):
        if way.joined >> k & 1 and link.a in inside and (link.b == LIVE or link.b in inside):
            root = way.at[link.a]
            joined |= 1 << k
            trees[root] = trees.get(root, 0) | 1 << k
    served = sum(1 << place for place in inside)
    at = tuple(root if place in inside else LIVE for place, root in enumerate(way.at))
    return Way(joined, 0, served, tuple(sorted(trees.items())), at)
