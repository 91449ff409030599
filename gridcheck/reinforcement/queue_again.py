"""Decide again the queue below one main transformer, with projects built there.

Supply trees are independent as long as no tie is closed: what is built below one main transformer changes no answer
below another. So a plan is proved tree by tree, in as many processes as there are, and a tree in which the same is
built as in an earlier round keeps its decisions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gridcheck.checks.assessment import binding_course
from gridcheck.connection.asked_area import Answers
from gridcheck.connection.decide import QueueSetting
from gridcheck.connection.decision import Decision
from gridcheck.errors import NotConvergedError, PlanError
from gridcheck.reinforcement.changes import area_row, build, relocate, share_counts
from gridcheck.reinforcement.low_voltage_changes import decide_again, desk_with
from gridcheck.reinforcement.measures import Change, Project
from gridcheck.reinforcement.situation import DecidedCounty, tree_below


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TreeTask:
    """What is decided again.

    Attributes
    ----------
    county : DecidedCounty
        The county, with no more of its queue than what is asked below the main transformer.
    main_branch : int
        Position of the main transformer.
    changes : tuple of Change
        What is built below it.
    """

    county: DecidedCounty
    main_branch: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TreeQueue:
    """The queue below one main transformer, decided again.

    Attributes
    ----------
    decisions : tuple of Decision
        In the order of asking: who is connected, then who waits.
    answers : dict of bytes to LvVerdict
        Answers of areas that were not known before.
    """

    decisions: tuple[Decision, ...]
    answers: Answers


def tree_task(county: DecidedCounty, main_branch: int, projects: tuple[Project, ...]) -> TreeTask:
    """Take from a county what the queue below one main transformer needs, to be sent to another process.

    Parameters
    ----------
    county : DecidedCounty
        The county after its queue.
    main_branch : int
        Position of the main transformer.
    projects : tuple of Project
        What is built below it.

    Returns
    -------
    TreeTask
    """
    grid = county.grid
    below = grid.bus_main[grid.area_bus] == main_branch
    here = {name for name, inside in zip(grid.areas["area_id"], below.tolist(), strict=True) if inside}
    desk = county.desk
    if desk is not None:
        desk = replace(
            desk,
            lines={name: lines for name, lines in desk.lines.items() if name in here},
            transformers={name: unit for name, unit in desk.transformers.items() if name in here},
            # A copy: new answers arrive while tasks are still on their way to other processes.
            known=dict(desk.known),
        )
    own = replace(
        county,
        decisions=tuple(d for d in county.decisions if d.application.area_id in here),
        outages=(),
        outage_study=None,
        least_measures={},
        desk=desk,
    )
    changes = tuple(change for project in projects for change in project.candidate.changes)
    return TreeTask(county=own, main_branch=main_branch, changes=changes)


def decide_tree(task: TreeTask) -> TreeQueue:
    """Build the changes and decide everything that is asked below the main transformer.

    Parameters
    ----------
    task : TreeTask
        From `tree_task`.

    Returns
    -------
    TreeQueue

    Raises
    ------
    PlanError
        If the tree cannot be supplied with the changes built.
    """
    county, changes = task.county, task.changes
    grid = build(county.grid, changes)
    counts = share_counts(county.grid, county.counts, changes)
    tree = tree_below(grid, task.main_branch, county.limits)
    desk = desk_with(county.desk, grid, changes)
    known = set() if desk is None else set(desk.known)
    setting = QueueSetting(
        trees=(tree,),
        course=binding_course(county.profiles, county.limits),
        counts=counts,
        limits=county.limits,
        area_ids=tuple(grid.areas["area_id"]),
        low_voltage=desk,
    )
    asked = relocate(county.applications, changes)
    decided = [(one, before.connected) for one, before in zip(asked, county.decisions, strict=True)]
    try:
        queue = decide_again(setting, decided)
    except NotConvergedError as error:
        code = county.grid.county_code
        raise PlanError(f"county {code} cannot be supplied with the projects built: {error}") from error
    answers = {} if desk is None else {key: answer for key, answer in desk.known.items() if key not in known}
    return TreeQueue(decisions=queue.decisions, answers=answers)


def main_branch_of(county: DecidedCounty, project: Project) -> int:
    """Return the position of the main transformer above a project."""
    grid, candidate = county.grid, project.candidate
    if candidate.area_id:
        return int(grid.bus_main[grid.area_bus[area_row(grid, candidate.area_id)]])
    of_feeder = np.flatnonzero((grid.areas["feeder_id"] == candidate.feeder_id).to_numpy())
    return int(grid.bus_main[grid.area_bus[of_feeder[0]]])
