r"""Claims that were found false, taken back only for the surroundings in which they are.

Projects are evaluated one by one, and what one of them unlocks can depend on what else is built on its feeder. If the
rerun shows that project p does not unlock application a while S is built near it, this says nothing about other sets.
So the claim is taken off p and comes back as claims that hold elsewhere: "p without q" for every q of S, and "p with r"
for every r that is not in S. These cost and build nothing, require and exclude others, and so fit into the choice:

.. math::

    z \le x_p, \qquad z \le x_r \;(\mathrm{with}\; r), \qquad z + x_q \le 1 \;(\mathrm{without}\; q)

With claims that are too high rather than too low, a choice all of whose claims come true is then the best there is.

References
----------
.. [1] J. N. Hooker, G. Ottosson, "Logic-based Benders decomposition", Mathematical Programming 96, 2003, 33-60: a bound
   that is corrected where it was found wrong, until the choice and what it is worth agree.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gridcheck.errors import PlanError
from gridcheck.reinforcement.measures import Candidate, Project

Near = Callable[[Project, Project], bool]
"""Tells whether what is built for the second can matter to what the first unlocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A claim that did not come true, or a connection that was lost.

    Attributes
    ----------
    project_id : str
        Project that claimed the application, or that is left out because of it.
    application_id : str
        The application.
    lost : bool
        True where it was connected before and is not with the projects.
    element, quantity : str
        What stands in its way.
    """

    project_id: str
    application_id: str
    lost: bool
    element: str
    quantity: str


def conditioned(
    projects: Sequence[Project], false: Mapping[str, Collection[str]], built: Collection[str], near: Near
) -> list[Project]:
    """Take false claims back where their surroundings are as they were built, and nowhere else.

    Parameters
    ----------
    projects : sequence of Project
        All of them, with the claims of earlier corrections.
    false : mapping of str to collection of str
        By id of a project: applications that it claims and that the rerun does not connect.
    built : collection of str
        Ids of the projects that were built.
    near : callable
        Which projects can matter to each other.

    Returns
    -------
    list of Project
        Corrections that claim nothing any more are left out.
    """
    kept: dict[str, Project] = {}
    new: dict[str, Project] = {}
    for project in projects:
        wrong = tuple(i for i in project.application_ids if i in false.get(project.project_id, ()))
        rest = tuple(i for i in project.application_ids if i not in wrong)
        if rest or not is_condition(project):
            kept[project.project_id] = claiming(project, rest)
        if wrong:
            for way in _elsewhere(project, wrong, projects, built, near):
                new[way.project_id] = _joined(new.get(way.project_id), way)
    for project_id, way in new.items():
        kept[project_id] = _joined(kept.get(project_id), way)
    return list(kept.values())


def corrected(projects: Sequence[Project], failures: Sequence[Failure]) -> list[Project]:
    """Take false claims off their projects for good; leave out what costs somebody a connection, and what needs that.

    Parameters
    ----------
    projects : sequence of Project
        All of them.
    failures : sequence of Failure
        What the rerun found.

    Returns
    -------
    list of Project
    """
    out = {failure.project_id for failure in failures if failure.lost}
    false: dict[str, set[str]] = {}
    for failure in failures:
        false.setdefault(failure.project_id, set()).add(failure.application_id)
    return [
        claiming(project, tuple(i for i in project.application_ids if i not in false.get(project.project_id, ())))
        for project in projects
        if out.isdisjoint((project.project_id, *project.candidate.requires))
    ]


def require_harmless(forced: Collection[str], failures: Sequence[Failure]) -> None:
    """Refuse forced projects that cost somebody a connection: they would be left out otherwise.

    Raises
    ------
    PlanError
        Naming them and who would lose.
    """
    findings = [
        f"project {failure.project_id!r}: {failure.application_id} would lose its connection "
        f"({failure.element}: {failure.quantity})"
        for failure in failures
        if failure.lost and failure.project_id in forced
    ]
    if findings:
        raise PlanError(f"Forced projects cannot be built; do not force them: {'; '.join(findings)}.")


def claiming(project: Project, application_ids: tuple[str, ...]) -> Project:
    """Return a project that claims other applications."""
    if application_ids == project.application_ids:
        return project
    return replace(project, application_ids=application_ids, households_unlocked=len(application_ids))


def is_claim(project: Project) -> bool:
    """Tell whether a project builds nothing itself and only says what others bring together."""
    return bool(project.candidate.requires) and not project.candidate.changes and not project.candidate.cost_yuan


def is_condition(project: Project) -> bool:
    """Tell whether a project is the correction of a false claim."""
    return is_claim(project) and "~" in project.project_id


def _joined(one: Project | None, other: Project) -> Project:
    if one is None:
        return other
    return claiming(other, tuple(dict.fromkeys((*one.application_ids, *other.application_ids))))


def _elsewhere(
    project: Project, wrong: tuple[str, ...], projects: Sequence[Project], built: Collection[str], near: Near
) -> Iterable[Project]:
    """Yield the claims with one thing near the project built otherwise than it was."""
    candidate = project.candidate
    needed = (*candidate.requires, *(() if is_claim(project) else (project.project_id,)))
    groups = {other.candidate.group for other in projects if other.project_id in needed}
    for other in projects:
        i = other.project_id
        if is_claim(other) or i in needed or i in candidate.excludes or not near(project, other):
            continue
        if i in built:
            yield _way(project, wrong, requires=needed, excludes=(*candidate.excludes, i), name=f"-{_short(i)}")
        elif other.candidate.group not in groups:
            yield _way(project, wrong, requires=(*needed, i), excludes=candidate.excludes, name=f"+{_short(i)}")


def _short(project_id: str) -> str:
    return project_id.rpartition("-")[2]


def _way(
    project: Project, ids: tuple[str, ...], *, requires: tuple[str, ...], excludes: tuple[str, ...], name: str
) -> Project:
    old = project.candidate
    project_id = f"{old.project_id}~{name}"
    candidate = Candidate(
        project_id=project_id,
        county_code=old.county_code,
        feeder_id=old.feeder_id,
        area_id=old.area_id,
        group=f"claim:{project_id}",
        measures=old.measures,
        description=old.description,
        cost_yuan=0.0,
        requires=requires,
        excludes=excludes,
    )
    return Project(candidate=candidate, households_unlocked=len(ids), application_ids=ids)
