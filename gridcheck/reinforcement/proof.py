"""Prove a plan: build all of it, decide the whole queue again, and keep only claims that come true.

Candidates are evaluated one by one at the end of the queue. Together, and with the queue decided from its beginning,
they may do more or less than their sum. So the chosen projects of a county are built at once and its queue is decided
anew; a claimed application that is still deferred is taken off its project, a project that costs somebody a connection
is left out, and the choice is made again until every claim is true.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gridcheck.checks.assessment import binding_course
from gridcheck.connection.asked_area import Answers
from gridcheck.connection.decision import Decision
from gridcheck.errors import NotConvergedError, PlanError
from gridcheck.reinforcement.changes import area_row, build, relocate, share_counts
from gridcheck.reinforcement.choose import Plan, choose_projects, fixed_plan
from gridcheck.reinforcement.claims import Failure, conditioned, corrected, require_harmless
from gridcheck.reinforcement.evaluate import find_projects
from gridcheck.reinforcement.low_voltage_changes import decide_again, desk_with
from gridcheck.reinforcement.measures import Project
from gridcheck.reinforcement.menu import NO_CONDITIONS, Conditions
from gridcheck.reinforcement.situation import DecidedCounty, tree_below

# Rounds in which a false claim is taken back for the surroundings it was false in; after them it is for good.
_EXACT_ROUNDS = 6
# Rounds after which the choice is kept and only cut down to what is true: one round takes as long as the queues.
_MAX_ROUNDS = 12

Run = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
"""Applies a function to every item and keeps their order: ``map``, or the ``map`` of a pool of processes."""


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
    return _compared(task, decide_with(task))


def _compared(task: ProofTask, decisions: tuple[Decision, ...]) -> Proof:
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
    failures += [_failure(project_id, decision, lost=True) for project_id, decision in _blamed(task, lost)]
    return Proof(
        county_code=task.county.grid.county_code,
        proved=tuple(
            (project.project_id, tuple(i for i in project.application_ids if i in true)) for project in task.projects
        ),
        failures=tuple(failures),
        gained=gained,
        decisions=decisions,
    )


def decide_with(task: ProofTask) -> tuple[Decision, ...]:
    """Return all decisions of a county, in queue order, with the projects of the task built.

    Supply trees are independent as long as no tie is closed, so those in which nothing is built keep their decisions.
    """
    return _decided_again(task)[0]


def _decided_again(task: ProofTask) -> tuple[tuple[Decision, ...], Answers]:
    """Return all decisions, and the answers of areas that were not known before; they may come from another process."""
    county = task.county
    changes = [change for project in task.projects for change in project.candidate.changes]
    grid = build(county.grid, changes)
    counts = share_counts(county.grid, county.counts, changes)
    trees = [
        tree_below(grid, main, county.limits)
        for main in sorted({_main_branch(county, project) for project in task.projects})
    ]
    desk = desk_with(county.desk, grid, changes)
    before = set() if desk is None else set(desk.known)
    area_ids = tuple(grid.areas["area_id"])
    here = {area_ids[area] for tree in trees for area in tree.area.tolist()}
    again = [a for a in relocate(county.applications, changes) if a.area_id in here]
    course = binding_course(county.profiles, county.limits)
    try:
        queue = decide_again(trees, course, counts, again, county.limits, grid, desk)
    except NotConvergedError as error:
        code = county.grid.county_code
        raise PlanError(f"county {code} cannot be supplied with the projects built: {error}") from error
    new = {decision.application.application_id: decision for decision in queue.decisions}
    decisions = tuple(new.get(decision.application.application_id, decision) for decision in county.decisions)
    answers = {} if desk is None else {key: answer for key, answer in desk.known.items() if key not in before}
    return decisions, answers


def _main_branch(county: DecidedCounty, project: Project) -> int:
    """Return the main transformer above a project."""
    grid, candidate = county.grid, project.candidate
    if candidate.area_id:
        return int(grid.bus_main[grid.area_bus[area_row(grid, candidate.area_id)]])
    of_feeder = np.flatnonzero((grid.areas["feeder_id"] == candidate.feeder_id).to_numpy())
    return int(grid.bus_main[grid.area_bus[of_feeder[0]]])


def _blamed(task: ProofTask, lost: Sequence[Decision]) -> list[tuple[str, Decision]]:
    """Return a project to be left out for each lost connection: of those below the same main transformer the weakest.

    As many are left out at once as connections were lost: one by one, every round would decide the queue again for a
    single household.
    """
    grid, result = task.county.grid, []
    by_main: dict[int, list[Decision]] = {}
    for decision in lost:
        main = int(grid.bus_main[grid.area_bus[area_row(grid, _area_before(task, decision))]])
        by_main.setdefault(main, []).append(decision)
    for main, decisions in by_main.items():
        near = sorted(
            (project for project in task.projects if _main_branch(task.county, project) == main),
            key=lambda p: (
                p.project_id in task.forced,
                p.households_unlocked / max(p.cost_yuan, 1.0),
                p.hours_removed,
                p.project_id,
            ),
        )
        result += [(near[n % len(near)].project_id, decision) for n, decision in enumerate(decisions)]
    return result


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
) -> ProvedPlan:
    """Choose among given projects and correct them until every claim is true.

    Parameters and errors as those of `plan_until_proved` and `choose_projects`; a forced project that costs somebody a
    connection is a PlanError.
    """
    by_code = {county.grid.county_code: county for county in counties}
    if len(by_code) != len(counties):
        raise PlanError("A county stands twice among those that are planned for.")
    known: dict[tuple[str, tuple[str, ...]], tuple[Decision, ...]] = {}
    withdrawn: list[Failure] = []
    kept: set[str] = set()
    is_best = True
    for rounds in itertools.count(1):
        if is_best:
            plan = choose_projects(projects, budget_yuan, conditions, fair_share=fair_share)
        else:
            plan = fixed_plan(projects, kept, budget_yuan)
        tasks = _tasks(by_code, plan, conditions.forced)
        proofs = _proofs(tasks, known, run)
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


def _proofs(
    tasks: Sequence[ProofTask], known: dict[tuple[str, tuple[str, ...]], tuple[Decision, ...]], run: Run
) -> tuple[Proof, ...]:
    """Prove every county; queues that were decided with the same projects before are taken from `known`."""
    keys = [
        (task.county.grid.county_code, tuple(one.project_id for one in task.projects if one.candidate.changes))
        for task in tasks
    ]
    new = [i for i, key in enumerate(keys) if key not in known]
    for i, (decisions, answers) in zip(new, run(_decided_again, [tasks[i] for i in new]), strict=True):
        known[keys[i]] = decisions
        desk = tasks[i].county.desk
        if desk is not None:
            desk.known.update(answers)
    return tuple(_compared(task, known[key]) for task, key in zip(tasks, keys, strict=True))


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
        return project.project_id in wide and _main_branch(county, project) == _main_branch(county, other)

    return conditioned(projects, false, {project.project_id for project in plan.chosen}, near)
