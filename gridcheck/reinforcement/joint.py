"""What only two projects together bring: one in an area and one on its feeder.

A household that both its area and its feeder refuse is unlocked by neither of the two alone. So every pair that could
help it is built and decided at once. What comes of it is a project of its own that costs nothing, builds nothing and
requires the two: the choice then knows that the pair is worth more than its parts. Households that either of two
projects unlocks are no matter of pairs: they are claimed by both and count once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gridcheck.connection.applications import Application
from gridcheck.errors import NotConvergedError
from gridcheck.reinforcement.measures import Candidate, Project
from gridcheck.reinforcement.situation import Situation
from gridcheck.reinforcement.ties import is_tie

Connected = Callable[[Candidate, Sequence[Application]], tuple[Application, ...]]
"""Decides some applications with a candidate built; returns those that connect."""


def joint_projects(situation: Situation, projects: Sequence[Project], connected: Connected) -> tuple[Project, ...]:
    """Return what pairs of projects unlock that none of them unlocks alone.

    Parameters
    ----------
    situation : Situation
        The county at the end of its queue.
    projects : sequence of Project
        Everything that was evaluated by itself, also what brings nothing so.
    connected : callable
        Decides applications with a candidate built.

    Returns
    -------
    tuple of Project
        One for each pair that unlocks somebody; ``requires`` names the two.
    """
    claimed = {i for project in projects for i in project.application_ids}
    left: dict[str, list[Application]] = {}
    for decision in situation.deferred:
        if decision.application.application_id not in claimed:
            left.setdefault(decision.application.area_id, []).append(decision.application)
    in_area: dict[str, list[Candidate]] = {}
    on_feeder: dict[str, list[Candidate]] = {}
    for project in projects:
        candidate = project.candidate
        if candidate.area_id in left:
            in_area.setdefault(candidate.area_id, []).append(candidate)
        elif not candidate.area_id and not is_tie(candidate):
            on_feeder.setdefault(candidate.feeder_id, []).append(candidate)
    found = []
    for area_id in sorted(in_area):
        for own in in_area[area_id]:
            for above in on_feeder.get(own.feeder_id, ()):
                try:
                    unlocked = connected(_both(own, above, changes=True), left[area_id])
                except NotConvergedError:
                    continue
                if unlocked:
                    ids = tuple(application.application_id for application in unlocked)
                    pair = _both(own, above, changes=False)
                    found.append(Project(candidate=pair, households_unlocked=len(ids), application_ids=ids))
    return tuple(found)


def _both(own: Candidate, above: Candidate, *, changes: bool) -> Candidate:
    """Return the two as one: to be built, or to be chosen beside them for nothing."""
    project_id = f"{own.project_id}+{above.project_id.rpartition('-')[2]}"
    return Candidate(
        project_id=project_id,
        county_code=own.county_code,
        feeder_id=own.feeder_id,
        area_id=own.area_id,
        group=f"joint:{project_id}",
        measures=(*own.measures, *above.measures),
        description=f"{own.project_id} + {above.project_id}",
        cost_yuan=0.0,
        changes=(*above.changes, *own.changes) if changes else (),
        requires=(own.project_id, above.project_id),
    )
