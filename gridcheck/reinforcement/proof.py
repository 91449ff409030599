"""Prove a plan: build all of it, decide the queue again, and keep only claims that come true.

Candidates are evaluated one by one; together they may do more or less than their sum. So the chosen projects of a
county are built at once and everybody below their main transformers is asked anew: first who is connected, in the order
of the queue, then who waits, in the same order. A claimed application that is still deferred is taken off its project,
a project that costs somebody a connection is left out, and the choice is made again until every claim is true.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gridcheck.connection.decision import Decision
from gridcheck.errors import PlanError
from gridcheck.reinforcement.changes import area_row
from gridcheck.reinforcement.choose import Plan, choose_projects, fixed_plan
from gridcheck.reinforcement.claims import Failure, conditioned, corrected, require_harmless
from gridcheck.reinforcement.evaluate import find_projects
from gridcheck.reinforcement.measures import Project
from gridcheck.reinforcement.menu import NO_CONDITIONS, Conditions
from gridcheck.reinforcement.queue_again import decide_tree, main_branch_of, tree_task
from gridcheck.reinforcement.situation import DecidedCounty

# Rounds in which a false claim is taken back for the surroundings it was false in; after them it is for good.
_EXACT_ROUNDS = 6
# Rounds after which the choice is kept and only cut down to what is true: one round takes as long as the queues.
_MAX_ROUNDS = 12
# Projects of which one may be the only cause of a lost connection; each is a queue decided again, mostly from memory.
_MOST_TRIED = 12

Run = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
"""Applies a function to every item and keeps their order: ``map``, or the ``map`` of a pool of processes."""

Progress = Callable[[int, int], None]
"""Told how many supply trees of a round are decided, and how many there are."""

_TreeKey = tuple[str, int, tuple[str, ...]]
"""A county, the position of a main transformer in it, and the ids of the projects that are built below it."""

_KnownTrees = dict[_TreeKey, tuple[Decision, ...]]
"""Decisions below main transformers with what was built there."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProofTask:
    """What is proved in one county.

    Attributes
    ----------
    county : DecidedCounty
        The county after its queue.
    projects : tuple of Project
        Chosen projects of this county.
    forced : tuple of str
        Ids of projects that are not to be left out, as long as another one can be.
    """

    county: DecidedCounty
    projects: tuple[Project, ...]
    forced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The queue of one county with all its chosen projects built.

    Attributes
    ----------
    county_code : str
        The county.
    proved : tuple of (str, tuple of str)
        By project: the claimed applications that are connected.
    failures : tuple of Failure
        Claims that are not true, and connections that are lost.
    gained : tuple of str
        All applications that are connected now and were not before, claimed or not.
    decisions : tuple of Decision
        Of the whole queue, in its order.
    """

    county_code: str
    proved: tuple[tuple[str, tuple[str, ...]], ...]
    failures: tuple[Failure, ...]
    gained: tuple[str, ...]
    decisions: tuple[Decision, ...]

    @property
    def holds(self) -> bool:
        """True where every claim came true and nobody lost a connection."""
        return not self.failures


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedPlan:
    """A plan all of whose claims were found true by deciding the queues again.

    Attributes
    ----------
    plan : Plan
        The plan; its projects claim what is proved.
    proofs : tuple of Proof
        One for each county with chosen projects, in the order of the counties.
    withdrawn : tuple of Failure
        Claims and projects that earlier rounds had to give up.
    rounds : int
        How often was chosen.
    is_best : bool
        True where the plan is the best one for the claims left; False where the rounds ran out and the claims of the
        last choice were only cut down to what is true.
    """

    plan: Plan
    proofs: tuple[Proof, ...]
    withdrawn: tuple[Failure, ...]
    rounds: int
    is_best: bool


def prove(task: ProofTask) -> Proof:
    """Build all chosen projects of a county, decide its queue again and compare.

    Parameters
    ----------
    task : ProofTask
        County and projects.

    Returns
    -------
    Proof

    Raises
    ------
    PlanError
        If the county cannot be supplied with the projects built, or an application is claimed that it does not have.
    """
    return _compared(task, _decide_trees([task], {}, map))


def _compared(task: ProofTask, known: _KnownTrees) -> Proof:
    """Compare what is decided with the projects with what was decided before; `known` holds the trees of the task."""
    decisions = _decisions(task, known)
    before = {decision.application.application_id: decision for decision in task.county.decisions}
    after = {decision.application.application_id: decision for decision in decisions}
    unknown = [i for project in task.projects for i in project.application_ids if i not in after]
    if unknown:
        raise PlanError(
            f"county {task.county.grid.county_code}: projects claim applications that its queue does not have: "
            f"{', '.join(unknown[:20])}."
        )
    gained = tuple(i for i, decision in after.items() if decision.connected and not before[i].connected)
    true = set(gained)
    failures = [
        _failure(project.project_id, after[i], lost=False)
        for project in task.projects
        for i in project.application_ids
        if i not in true
    ]
    lost = [decision for i, decision in after.items() if before[i].connected and not decision.connected]
    failures += [_failure(project_id, decision, lost=True) for project_id, decision in _blamed(task, lost, known)]
    return Proof(
        county_code=task.county.grid.county_code,
        proved=tuple(
            (project.project_id, tuple(i for i in project.application_ids if i in true)) for project in task.projects
        ),
        failures=tuple(failures),
        gained=gained,
        decisions=decisions,
    )


def _blamed(task: ProofTask, lost: Sequence[Decision], known: _KnownTrees) -> list[tuple[str, Decision]]:
    """Return a project to be left out for each lost connection.

    What is built in an area decides about its lines and its transformer, so there the weakest of the area's own
    projects is left out. Where nothing is built in the area itself, it is the first project without which the
    connection stays, tried from the feeder's weakest on; the weakest where no single one is the cause.
    """
    result = []
    for decision in lost:
        own, others = _near(task, _area_before(task, decision))
        if own:
            result.append((own[0].project_id, decision))
            continue
        cause = (one for one in others[:_MOST_TRIED] if _stays_without(task, one, decision, known))
        result.append((next(cause, others[0]).project_id, decision))
    return result


def _near(task: ProofTask, area_id: str) -> tuple[list[Project], list[Project]]:
    """Return what is built in an area, and below its main transformer, first on its feeder; the weakest first."""
    grid = task.county.grid
    row = area_row(grid, area_id)
    feeder_id, main = str(grid.areas["feeder_id"].iloc[row]), int(grid.bus_main[grid.area_bus[row]])
    built = sorted(
        (p for p in task.projects if p.candidate.changes and main_branch_of(task.county, p) == main),
        key=lambda p: (
            p.project_id in task.forced,
            p.candidate.feeder_id != feeder_id,
            p.households_unlocked / max(p.cost_yuan, 1.0),
            p.hours_removed,
            p.project_id,
        ),
    )
    return [p for p in built if p.candidate.area_id == area_id], built


def _stays_without(task: ProofTask, project: Project, decision: Decision, known: _KnownTrees) -> bool:
    """Tell whether a connection is kept with everything built but one project."""
    rest = replace(task, projects=tuple(p for p in task.projects if p.project_id != project.project_id))
    after = _decisions(rest, _decide_trees([rest], known, map))
    wanted = decision.application.application_id
    return next(one.connected for one in after if one.application.application_id == wanted)


def _area_before(task: ProofTask, decision: Decision) -> str:
    wanted = decision.application.application_id
    return next(a.area_id for a in task.county.applications if a.application_id == wanted)


def _failure(project_id: str, decision: Decision, *, lost: bool) -> Failure:
    return Failure(
        project_id=project_id,
        application_id=decision.application.application_id,
        lost=lost,
        element=decision.element,
        quantity=decision.quantity,
    )


def plan_until_proved(counties: Sequence[DecidedCounty], budget_yuan: float, *, run: Run = map) -> ProvedPlan:
    """Find projects in every county, choose under one budget, prove, correct, and choose again until all is true.

    Parameters
    ----------
    counties : sequence of DecidedCounty
        Counties after their queues.
    budget_yuan : float
        Money for all of them. [yuan]
    run : callable
        ``map``, or the ``map`` of a pool of processes: counties are worked on one by one and can be sent to any.

    Returns
    -------
    ProvedPlan

    Raises
    ------
    PlanError
        If the budget is negative, or a county cannot be supplied with its projects.
    InputError
        If counties stand twice.
    """
    projects = [project for found in run(find_projects, counties) for project in found]
    return prove_plan(counties, projects, budget_yuan, run=run)


def prove_plan(
    counties: Sequence[DecidedCounty],
    projects: Sequence[Project],
    budget_yuan: float,
    conditions: Conditions = NO_CONDITIONS,
    *,
    fair_share: float = 0.0,
    run: Run = map,
    progress: Progress | None = None,
) -> ProvedPlan:
    """Choose among given projects and correct them until every claim is true.

    Parameters and errors as those of `plan_until_proved` and `choose_projects`; a forced project that costs somebody a
    connection is a PlanError.
    """
    by_code = {county.grid.county_code: county for county in counties}
    if len(by_code) != len(counties):
        raise PlanError("A county stands twice among those that are planned for.")
    known: _KnownTrees = {}
    withdrawn: list[Failure] = []
    kept: set[str] = set()
    is_best = True
    for rounds in itertools.count(1):
        if is_best:
            plan = choose_projects(projects, budget_yuan, conditions, fair_share=fair_share)
        else:
            plan = fixed_plan(projects, kept, budget_yuan)
        tasks = _tasks(by_code, plan, conditions.forced)
        proofs = _proofs(tasks, known, run, progress)
        failures = [failure for proof in proofs for failure in proof.failures]
        if not failures:
            break
        withdrawn += failures
        require_harmless(conditions.forced, failures)
        if rounds <= _EXACT_ROUNDS:
            projects = _conditioned(projects, failures, by_code, plan)
        projects = corrected(projects, failures)
        left = {project.project_id for project in projects}
        conditions = replace(conditions, forbidden=tuple(i for i in conditions.forbidden if i in left))
        is_best = rounds < _MAX_ROUNDS
        kept = {project.project_id for project in plan.chosen}
    return ProvedPlan(plan=plan, proofs=proofs, withdrawn=tuple(withdrawn), rounds=rounds, is_best=is_best)


def _proofs(tasks: Sequence[ProofTask], known: _KnownTrees, run: Run, progress: Progress | None) -> tuple[Proof, ...]:
    """Prove every county; trees that were decided with the same built in them before are taken from `known`."""
    _decide_trees(tasks, known, run, progress)
    return tuple(_compared(task, known) for task in tasks)


def _decide_trees(
    tasks: Sequence[ProofTask], known: _KnownTrees, run: Run, progress: Progress | None = None
) -> _KnownTrees:
    """Decide the trees in which something is built and add them to `known`, which is returned."""
    new = {
        key: tree_task(task.county, key[1], projects)
        for task in tasks
        for key, projects in _built(task)
        if key not in known
    }
    desks = {task.county.grid.county_code: task.county.desk for task in tasks}
    # The longest queues first, so that no process waits for one that began last.
    order = sorted(new, key=lambda key: (-len(new[key].county.decisions), key))
    for number, queue in enumerate(run(decide_tree, [new[key] for key in order])):
        key = order[number]
        known[key] = queue.decisions
        desk = desks[key[0]]
        if desk is not None:
            desk.known.update(queue.answers)
        if progress is not None:
            progress(number + 1, len(order))
    return known


def _built(task: ProofTask) -> list[tuple[_TreeKey, tuple[Project, ...]]]:
    """Return the trees in which something is built, each with it."""
    by_main: dict[int, list[Project]] = {}
    for project in task.projects:
        if project.candidate.changes:
            by_main.setdefault(main_branch_of(task.county, project), []).append(project)
    code = task.county.grid.county_code
    return [
        ((code, main, tuple(project.project_id for project in projects)), tuple(projects))
        for main, projects in sorted(by_main.items())
    ]


def _decisions(task: ProofTask, decided: _KnownTrees) -> tuple[Decision, ...]:
    """Return all decisions of a county in queue order; trees in which nothing is built keep theirs."""
    new = {one.application.application_id: one for key, _ in _built(task) for one in decided[key]}
    return tuple(new.get(one.application.application_id, one) for one in task.county.decisions)


def _tasks(by_code: dict[str, DecidedCounty], plan: Plan, forced: tuple[str, ...]) -> list[ProofTask]:
    chosen: dict[str, list[Project]] = {}
    for project in sorted(plan.chosen, key=lambda project: project.project_id):
        chosen.setdefault(project.candidate.county_code, []).append(project)
    return [
        ProofTask(county=county, projects=tuple(chosen[code]), forced=forced)
        for code, county in by_code.items()
        if code in chosen
    ]


def _conditioned(
    projects: Sequence[Project], failures: Sequence[Failure], by_code: dict[str, DecidedCounty], plan: Plan
) -> list[Project]:
    """Take false claims back for what was built around them; a claim on a main transformer looks at all below it."""
    false: dict[str, set[str]] = {}
    wide: set[str] = set()
    for failure in failures:
        if not failure.lost:
            false.setdefault(failure.project_id, set()).add(failure.application_id)
            wide |= {failure.project_id} if failure.quantity.startswith("main_transformer") else set()

    def near(project: Project, other: Project) -> bool:
        one, two = project.candidate, other.candidate
        if one.county_code != two.county_code:
            return False
        if one.feeder_id == two.feeder_id:
            return True
        county = by_code[one.county_code]
        return project.project_id in wide and main_branch_of(county, project) == main_branch_of(county, other)

    return conditioned(projects, false, {project.project_id for project in plan.chosen}, near)
