"""Evaluate candidates by load flow at the end of the queue: what they unlock and what they take away.

A candidate is built, the supply tree it stands in is made anew, and the applications that wait for this place are
decided once more, in queue order and by the rules of the queue. Only what is decided so counts as unlocked. Ties act
only after outages and are evaluated by repeating those.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gridcheck.arrays import IntArray
from gridcheck.checks.assessment import Assessment, assess
from gridcheck.checks.supply_tree import SupplyTree
from gridcheck.connection.applications import Application
from gridcheck.connection.decide import QueueResult, decide_queue
from gridcheck.demand.profiles import ClassCounts
from gridcheck.errors import NotConvergedError
from gridcheck.reinforcement.candidates import propose
from gridcheck.reinforcement.changes import area_row, build, relocate, share_counts
from gridcheck.reinforcement.measures import Candidate, NewArea, Project
from gridcheck.reinforcement.situation import (
    DecidedCounty,
    HoursBeyond,
    Situation,
    counts_of_tree,
    hours_beyond,
    situation_of,
    tree_below,
)
from gridcheck.reinforcement.ties import evaluate_tie, is_tie


def find_projects(county: DecidedCounty) -> tuple[Project, ...]:
    """Propose and evaluate everything that could be built in one county.

    Parameters
    ----------
    county : DecidedCounty
        The county after its queue.

    Returns
    -------
    tuple of Project
        What brings something and is not beaten by an alternative in every respect, in the order of the ids.
    """
    situation = situation_of(county)
    projects = [evaluate(situation, candidate) for candidate in propose(situation)]
    return undominated(projects)


def evaluate(situation: Situation, candidate: Candidate) -> Project:
    """Evaluate one candidate.

    Parameters
    ----------
    situation : Situation
        The county at the end of its queue.
    candidate : Candidate
        What is built.

    Returns
    -------
    Project
        Hours are those of the candidate's place: its area and the one split from it, or all areas and lines of its
        feeder; the unlocked applications are connected when they are counted.
    """
    if is_tie(candidate):
        return evaluate_tie(situation.county, situation.counts, candidate)
    nothing = Project(candidate=candidate, households_unlocked=0)
    county = situation.county
    place = situation.trees[_tree_number(situation, candidate)]
    grid = build(county.grid, candidate.changes)
    tree = tree_below(grid, place.tree.main_branch, county.limits)
    counts = share_counts(county.grid, situation.counts, candidate.changes)
    waiting = relocate(_waiting(situation, candidate), candidate.changes)
    try:
        queue = decide_queue(
            (tree,), situation.course, counts, waiting, county.limits, area_ids=tuple(grid.areas["area_id"])
        )
    except NotConvergedError:
        return nothing
    unlocked = tuple(decision.application.application_id for decision in queue.decisions if decision.connected)
    before = _hours_at(place.hours, place.tree, situation, candidate)
    after = _hours_after(situation, candidate, tree, queue)
    return Project(
        candidate=candidate,
        households_unlocked=len(unlocked),
        application_ids=unlocked,
        overload_hours_removed=before[0] - after[0],
        undervoltage_hours_removed=before[1] - after[1],
    )


def undominated(projects: Sequence[Project]) -> tuple[Project, ...]:
    """Leave out what brings nothing, and what costs as much as an alternative of its group and brings no more.

    Parameters
    ----------
    projects : sequence of Project
        Any number of groups.

    Returns
    -------
    tuple of Project
        In the given order; of equals the first stays.
    """
    kept: list[Project] = []
    order = sorted(range(len(projects)), key=lambda i: (projects[i].cost_yuan, [-b for b in _benefits(projects[i])], i))
    by_group: dict[str, list[int]] = {}
    for i in order:
        benefits = _benefits(projects[i])
        rivals = by_group.setdefault(projects[i].candidate.group, [])
        beaten = any(
            all(other >= own for other, own in zip(_benefits(projects[r]), benefits, strict=True)) for r in rivals
        )
        if max(benefits) > 0.0 and not beaten:
            rivals.append(i)
    chosen = {i for rivals in by_group.values() for i in rivals}
    kept = [project for i, project in enumerate(projects) if i in chosen]
    return tuple(kept)


def _benefits(project: Project) -> tuple[float, float, float, float]:
    return (
        float(project.households_unlocked),
        project.overload_hours_removed,
        project.undervoltage_hours_removed,
        project.unsupplied_mwh_removed,
    )


def _tree_number(situation: Situation, candidate: Candidate) -> int:
    grid = situation.county.grid
    if candidate.area_id:
        return int(situation.tree_of_area[area_row(grid, candidate.area_id)])
    of_feeder = np.flatnonzero((grid.areas["feeder_id"] == candidate.feeder_id).to_numpy())
    return int(situation.tree_of_area[of_feeder[0]])


def _waiting(situation: Situation, candidate: Candidate) -> tuple[Application, ...]:
    """Return the applications that wait for this place: those in it, and those that it blocks elsewhere."""
    areas = situation.county.grid.areas
    if candidate.area_id:
        here = {candidate.area_id}
    else:
        here = set(areas["area_id"][areas["feeder_id"] == candidate.feeder_id])
    return tuple(
        decision.application
        for decision in situation.deferred
        if decision.application.area_id in here or decision.element == candidate.area_id
    )


def _hours_after(
    situation: Situation, candidate: Candidate, tree: SupplyTree, queue: QueueResult
) -> tuple[float, float]:
    """Count hours of overload and of low voltage with the unlocked applications connected."""
    counts = counts_of_tree(tree, queue.counts)
    # The cases that can be the worst tell whether there is anything to count at all.
    quick = hours_beyond(tree, situation.course, counts, queue.final[0])
    if not any(_hours_at(quick, tree, situation, candidate)):
        return 0.0, 0.0
    solved: Assessment = assess(tree, situation.full, counts, situation.county.limits)
    return _hours_at(hours_beyond(tree, situation.full, counts, solved), tree, situation, candidate)


def _hours_at(
    hours: HoursBeyond, tree: SupplyTree, situation: Situation, candidate: Candidate
) -> tuple[float, float]:
    """Return hours of overload and of low voltage at the candidate's place, summed over its areas."""
    rows, feeder = _place(tree, situation, candidate)
    overload_h = float(hours.area_overload_h[rows].sum())
    undervoltage_h = float(hours.area_undervoltage_h[rows].sum())
    if feeder >= 0:
        overload_h += float(hours.feeder_overload_h[feeder])
        undervoltage_h += float(hours.feeder_undervoltage_h[feeder])
    return overload_h, undervoltage_h


def _place(tree: SupplyTree, situation: Situation, candidate: Candidate) -> tuple[IntArray, int]:
    """Return the rows of the tree's areas that are the candidate's place, and its feeder in the tree or -1."""
    grid = situation.county.grid
    if not candidate.area_id:
        feeder_row = int(np.flatnonzero((grid.feeders["feeder_id"] == candidate.feeder_id).to_numpy())[0])
        feeder = int(np.searchsorted(tree.feeder, feeder_row))
        return np.flatnonzero(tree.area_feeder == feeder), feeder
    wanted = [area_row(grid, candidate.area_id)]
    if any(isinstance(change, NewArea) for change in candidate.changes):
        # New areas stand behind all others; before the change the tree does not have it.
        wanted.append(len(grid.areas))
    return np.flatnonzero(np.isin(tree.area, wanted)), -1
