"""Evaluate candidates by load flow at the end of the queue: what they unlock and what they take away.

A candidate is built, the supply tree it stands in is made anew, and the areas of those who wait for this place are
decided once more by the rules of the queue: who is connected there first, then who waits. Only what is decided so
counts as unlocked, and nothing does where somebody would lose a connection. The rules look at an area with everything
connected that others ask for. Ties act only after outages and are evaluated by repeating those.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

import numpy as np

from gridcheck.arrays import IntArray
from gridcheck.checks.assessment import Course, assess
from gridcheck.checks.supply_tree import SupplyTree
from gridcheck.connection.applications import Application
from gridcheck.connection.decide import QueueSetting
from gridcheck.demand.profiles import ClassCounts
from gridcheck.errors import NotConvergedError
from gridcheck.network.county import CountyGrid
from gridcheck.reinforcement.candidates import propose
from gridcheck.reinforcement.changes import area_row, build, relocate, share_counts
from gridcheck.reinforcement.feeder_options import FEEDER_KINDS
from gridcheck.reinforcement.joint import joint_projects
from gridcheck.reinforcement.low_voltage_changes import decide_again, desk_with
from gridcheck.reinforcement.measures import Candidate, NewArea, Project
from gridcheck.reinforcement.situation import (
    DecidedCounty,
    HoursBeyond,
    Situation,
    counts_of_tree,
    hours_beyond,
    situation_of,
    tree_below,
    with_applications,
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
        What brings something, alone or with another, and is not beaten by an alternative in every respect, in the
        order of the ids.
    """
    situation = situation_of(county)
    groups: dict[str, list[Candidate]] = {}
    for candidate in propose(situation):
        groups.setdefault(candidate.group, []).append(candidate)
    projects = [project for group in groups.values() for project in _evaluate_group(situation, group)]
    joint = joint_projects(situation, projects, partial(_decided_with, situation))
    needed = {i for project in joint for i in project.candidate.requires}
    alone = {project.project_id for project in undominated(projects)}
    kept = [project for project in projects if project.project_id in alone | needed]
    return tuple(sorted([*kept, *joint], key=lambda project: project.project_id))


def _evaluate_group(situation: Situation, candidates: Sequence[Candidate]) -> list[Project]:
    """Evaluate alternatives from the cheapest on; once one leaves nothing to wish, a dearer one cannot beat it."""
    result = []
    for candidate in sorted(candidates, key=lambda candidate: (candidate.cost_yuan, candidate.project_id)):
        project, is_complete = _evaluate(situation, candidate)
        result.append(project)
        if is_complete:
            break
    return result


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
    return _evaluate(situation, candidate)[0]


def _evaluate(situation: Situation, candidate: Candidate) -> tuple[Project, bool]:
    """Return the project, and whether it connects all who wait for the place and leaves no limit broken there."""
    if is_tie(candidate):
        return evaluate_tie(situation.county, situation.counts, candidate), False
    county = situation.county
    place = situation.trees[_tree_number(situation, candidate)]
    grid = build(county.grid, candidate.changes)
    tree = tree_below(grid, place.tree.main_branch, county.limits)
    area_ids = tuple(grid.areas["area_id"])
    waiting = _waiting(situation, candidate)
    try:
        connected = _connected(situation, candidate, tree, waiting, grid) if waiting else ()
        counts = share_counts(county.grid, situation.counts, candidate.changes)
        after = _hours_after(situation, candidate, tree, with_applications(county, counts, connected, areas=area_ids))
    except NotConvergedError:
        return Project(candidate=candidate, households_unlocked=0), False
    unlocked = tuple(application.application_id for application in connected)
    before = _hours_at(place.hours, place.tree, situation, candidate)
    project = Project(
        candidate=candidate,
        households_unlocked=len(unlocked),
        application_ids=unlocked,
        overload_hours_removed=before[0] - after[0],
        undervoltage_hours_removed=before[1] - after[1],
    )
    return project, len(unlocked) == len(waiting) and not any(after)


def _decided_with(
    situation: Situation, candidate: Candidate, waiting: Sequence[Application]
) -> tuple[Application, ...]:
    """Decide some applications with a candidate built; return the connected."""
    place = situation.trees[_tree_number(situation, candidate)]
    grid = build(situation.county.grid, candidate.changes)
    tree = tree_below(grid, place.tree.main_branch, situation.county.limits)
    return _connected(situation, candidate, tree, waiting, grid)


def _connected(
    situation: Situation,
    candidate: Candidate,
    tree: SupplyTree,
    waiting: Sequence[Application],
    grid: CountyGrid,
) -> tuple[Application, ...]:
    """Decide the areas of those who wait for this place again, in the tree with the candidate built; return who gains.

    All other areas stay as the queue has left them, and who waits there counts among those who ask. Nobody gains where
    somebody would lose a connection.
    """
    county = situation.county
    areas = {application.area_id for application in waiting}
    here = [decision for decision in county.decisions if decision.application.area_id in areas]
    elsewhere = [d.granted for d in county.decisions if d.connected and d.application.area_id not in areas]
    counts = with_applications(county, county.counts, elsewhere)
    setting = QueueSetting(
        trees=(tree,),
        course=situation.course,
        counts=share_counts(county.grid, counts, candidate.changes),
        limits=county.limits,
        area_ids=tuple(grid.areas["area_id"]),
        low_voltage=desk_with(county.desk, grid, candidate.changes),
        also_waiting=_who_waits_elsewhere(situation, areas, tree),
    )
    asked = relocate([decision.application for decision in here], candidate.changes)
    queue = decide_again(setting, [(one, before.connected) for one, before in zip(asked, here, strict=True)])
    after = {decision.application.application_id: decision.connected for decision in queue.decisions}
    if not all(after[before.application.application_id] for before in here if before.connected):
        return ()
    return tuple(
        one for one, before in zip(asked, here, strict=True) if after[one.application_id] and not before.connected
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
    return tuple(project for i, project in enumerate(projects) if i in chosen)


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
    """Return the applications that wait for this place: in it, blocked by it, or waiting for its feeder.

    Lines of a feeder are relieved a little by every project below them, so who waits for those is tried too.
    """
    areas = situation.county.grid.areas
    here = set(areas["area_id"][areas["feeder_id"] == candidate.feeder_id])
    return tuple(
        d.application
        for d in situation.deferred
        if (candidate.area_id and candidate.area_id in (d.application.area_id, d.element))
        or (d.kind in FEEDER_KINDS and d.application.area_id in here)
    )


def _who_waits_elsewhere(situation: Situation, areas: Collection[str], tree: SupplyTree) -> tuple[Application, ...]:
    """Return what is deferred below the same main transformer in other areas."""
    ids = situation.county.grid.areas["area_id"].to_numpy()
    below = set(ids[tree.area[tree.area < len(ids)]].tolist()) - set(areas)
    return tuple(d.application for d in situation.deferred if d.application.area_id in below)


def _hours_after(
    situation: Situation, candidate: Candidate, tree: SupplyTree, counts: ClassCounts
) -> tuple[float, float]:
    """Count hours of overload and of low voltage with the unlocked applications connected."""
    own, limits = counts_of_tree(tree, counts), situation.county.limits

    def count(course: Course) -> tuple[float, float]:
        hours = hours_beyond(tree, course, own, assess(tree, course, own, limits))
        return _hours_at(hours, tree, situation, candidate)

    # The cases that can be the worst tell whether there is anything to count at all.
    return count(situation.full) if any(count(situation.course)) else (0.0, 0.0)


def _hours_at(hours: HoursBeyond, tree: SupplyTree, situation: Situation, candidate: Candidate) -> tuple[float, float]:
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
