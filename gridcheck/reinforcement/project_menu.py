"""The menu of a study: its projects with what they unlock together."""

from __future__ import annotations

from collections.abc import Sequence

from gridcheck.errors import InputError
from gridcheck.reinforcement.measures import Project
from gridcheck.reinforcement.menu import HOUSEHOLDS, Benefit, Menu, shared_households

_FEN_PER_YUAN = 100
_PARTS_PER_HOUR = 100
_KWH_PER_MWH = 1000


def menu_of_projects(projects: Sequence[Project]) -> Menu:
    """Return the menu of a study's projects.

    Parameters
    ----------
    projects : sequence of Project
        With finite numbers and different ids.

    Returns
    -------
    Menu
        A household that projects of several groups unlock is shared: it counts once.

    Raises
    ------
    InputError
        If requirements name projects that are not there.
    """
    ordered = sorted(projects, key=lambda project: project.project_id)
    groups: dict[str, list[int]] = {}
    for i, project in enumerate(ordered):
        groups.setdefault(project.candidate.group, []).append(i)
    shared = shared_households(
        [project.candidate.group for project in ordered], [project.application_ids for project in ordered]
    )
    own = [project.households_unlocked - len(set(project.application_ids) & shared.keys()) for project in ordered]
    none = (0,) * len(shared)
    where = {project.project_id: i for i, project in enumerate(ordered)}
    pairs = [(project.project_id, other) for project in ordered for other in project.candidate.requires]
    apart = [(project.project_id, other) for project in ordered for other in project.candidate.excludes]
    unknown = [f"project {one!r} requires {other!r}" for one, other in pairs if other not in where]
    if unknown:
        raise InputError("Requirements name projects that are not among the candidates.", unknown)
    hours = tuple(round(project.hours_removed * _PARTS_PER_HOUR) for project in ordered)
    energy = tuple(round(project.unsupplied_mwh_removed * _KWH_PER_MWH) for project in ordered)
    return Menu(
        ids=tuple(where),
        county_code=tuple(project.candidate.county_code for project in ordered),
        measure=tuple(project.candidate.measure for project in ordered),
        cost=tuple(round(project.cost_yuan * _FEN_PER_YUAN) for project in ordered),
        parts_per_yuan=_FEN_PER_YUAN,
        benefits=(
            Benefit(name=HOUSEHOLDS, values=(*own, *((1,) * len(shared)))),
            Benefit(name="risk_hours", values=hours + none, parts=_PARTS_PER_HOUR),
            Benefit(name="unsupplied_mwh", values=energy + none, parts=_KWH_PER_MWH),
        ),
        groups=tuple(tuple(members) for members in groups.values() if len(members) > 1),
        requires=tuple((where[one], where[other]) for one, other in pairs),
        # What is left out stands in nobody's way.
        conflicts=tuple((where[one], where[other]) for one, other in apart if other in where),
        shared=tuple(shared.values()),
    )
