"""Projects of a reinforcement plan: where each stands, which steps lead on, and that no yuan is bound twice.

Money is kept in whole fen, so that sums are exact and the same on every database. A funded project binds its estimated
cost; once it is built, what it has cost counts instead, more or less.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from gridcheck.errors import IllegalStepError, InputError, LedgerError, NoRoomError
from gridcheck.ledger.records import Entry
from gridcheck.ledger.tables import ID_LENGTH, NAME_LENGTH, money_plan, project
from gridcheck.ledger.told import project_name

_FEN = 100
_MOST_YUAN = 10**10
_NAME = re.compile(r"[\w.\-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

Key = tuple[str, str]
"""Plan and project."""


class ProjectState(StrEnum):
    """Where a project stands."""

    PROPOSED = "proposed"
    REVIEWED = "reviewed"
    FUNDED = "funded"
    BUILT = "built"
    REJECTED = "rejected"


class ProjectStep(StrEnum):
    """What can be decided about a project, as the journal names it."""

    REVIEW = "review_project"
    FUND = "fund_project"
    BUILD = "build_project"
    REJECT = "reject_project"


_LEADS: Mapping[ProjectStep, tuple[tuple[ProjectState, ...], ProjectState]] = MappingProxyType(
    {
        ProjectStep.REVIEW: ((ProjectState.PROPOSED,), ProjectState.REVIEWED),
        ProjectStep.FUND: ((ProjectState.REVIEWED,), ProjectState.FUNDED),
        ProjectStep.BUILD: ((ProjectState.FUNDED,), ProjectState.BUILT),
        ProjectStep.REJECT: (
            (ProjectState.PROPOSED, ProjectState.REVIEWED, ProjectState.FUNDED),
            ProjectState.REJECTED,
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedProject:
    """A project as a plan proposes it.

    Attributes
    ----------
    project_id, county_code, feeder_id, area_id : str
        Its id and place; the area is empty for one on a feeder.
    place : str
        Group of alternatives: at most one of them is funded.
    measures, description : str
        What is built.
    cost_yuan : float
        Estimated cost. [yuan]
    households : int
        Applications that it unlocks.
    """

    project_id: str
    county_code: str
    feeder_id: str
    area_id: str
    place: str
    measures: str
    description: str
    cost_yuan: float
    households: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlan:
    """A plan: its name, money and the checksum of the table that it was read from."""

    plan_id: str
    budget_yuan: float
    source_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptProject:
    """A project as it stands.

    Attributes
    ----------
    plan_id : str
        Its plan.
    proposed : ProposedProject
        What was proposed.
    state : str
        A `ProjectState`.
    spent_yuan : float or None
        What it has cost; None until it is built. [yuan]
    version : int
        Counts its steps.
    state_at : datetime
        Since when it stands there. [UTC]
    """

    plan_id: str
    proposed: ProposedProject
    state: str
    spent_yuan: float | None
    version: int
    state_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMoney:
    """Money of a plan.

    Attributes
    ----------
    plan_id : str
        The plan.
    budget_yuan, funded_yuan, spent_yuan : float
        What there is; estimated cost of what is funded and not built; what the built ones have cost. [yuan]
    """

    plan_id: str
    budget_yuan: float
    funded_yuan: float
    spent_yuan: float

    @property
    def left_yuan(self) -> float:
        """What neither is funded nor spent; negative where more was spent than there is. [yuan]"""
        return round(self.budget_yuan - self.funded_yuan - self.spent_yuan, 2)


def propose(
    connection: Connection, plan: NewPlan, proposed: Sequence[ProposedProject], *, at: datetime, who: str, reason: str
) -> list[Entry]:
    """Record a plan and those of its projects that are not there yet; return the lines of the journal."""
    _require_plan(plan)
    _require_projects(proposed)
    entries = _keep_plan(connection, plan, at=at, who=who, reason=reason)
    there = {one.proposed.project_id: one for one in listed(connection, plan.plan_id)}
    changed = [
        one.project_id
        for one in proposed
        if one.project_id in there and _columns(there[one.project_id].proposed) != _columns(one)
    ]
    if changed:
        raise LedgerError(
            f"Plan {plan.plan_id} holds {', '.join(changed[:5])} with another content. Propose the new plan by "
            "another name."
        )
    for one in proposed:
        if one.project_id not in there:
            row = {**_columns(one), "plan_id": plan.plan_id, "state": ProjectState.PROPOSED.value, "version": 1}
            connection.execute(insert(project).values(**row, state_at=at))
            after = {**asdict(one), "state": ProjectState.PROPOSED.value, "version": 1}
            name = project_name(plan.plan_id, one.project_id)
            entries.append(
                Entry(action="propose_project", object=name, who=who, reason=reason, before=None, after=after)
            )
    return entries


def move(
    connection: Connection, key: Key, step: ProjectStep, *, spent_yuan: float | None, at: datetime
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Take one step and return what the journal says, before and after."""
    # The money of the plan is locked first, so that two who fund at once wait for each other.
    _lock_plan(connection, key[0])
    kept = found(connection, key)
    sources, target = _LEADS[step]
    if kept.state not in sources:
        allowed = ", ".join(one for one, (states, _) in _LEADS.items() if kept.state in states) or "nothing more"
        raise IllegalStepError(
            f"Project {key[1]} of plan {key[0]} is {kept.state}: {step} is not allowed from there. Allowed: {allowed}."
        )
    values: dict[str, Any] = {"state": target.value, "version": kept.version + 1, "state_at": at}
    told: dict[str, Any] = {"state": target.value, "version": kept.version + 1}
    if step == ProjectStep.FUND:
        _require_money(connection, kept)
    if step == ProjectStep.BUILD:
        spent = _required_fen("spent", spent_yuan)
        values["spent_fen"], told["spent_yuan"] = spent, spent / _FEN
    elif spent_yuan is not None:
        raise InputError("What was spent is recorded when a project is built, and at no other step.")
    done = connection.execute(
        update(project)
        .where(project.c.plan_id == key[0], project.c.id == key[1], project.c.version == kept.version)
        .values(**values)
    )
    if done.rowcount != 1:
        raise LedgerError(f"Project {key[1]} was changed by others meanwhile. Look at it again before you decide.")
    return {"state": kept.state, "version": kept.version}, told


def entry_of(
    step: ProjectStep, key: Key, change: tuple[Mapping[str, Any], Mapping[str, Any]], *, who: str, reason: str
) -> Entry:
    """Return the line of the journal for a step."""
    name = project_name(*key)
    return Entry(action=step.value, object=name, who=who, reason=reason, before=change[0], after=change[1])


def found(connection: Connection, key: Key) -> KeptProject:
    """Return a project as it stands."""
    wanted = select(project).where(project.c.plan_id == key[0], project.c.id == key[1])
    row = connection.execute(wanted).mappings().one_or_none()
    if row is None:
        raise LedgerError(f"The ledger holds no project {key[1]!r} of plan {key[0]!r}.")
    return _kept(row)


def listed(
    connection: Connection,
    plan_id: str,
    *,
    states: Sequence[ProjectState] = (),
    county_codes: Sequence[str] = (),
) -> tuple[KeptProject, ...]:
    """Return the projects of a plan by id: all, or those of some states and counties."""
    wanted = select(project).where(project.c.plan_id == plan_id).order_by(project.c.id)
    if states:
        wanted = wanted.where(project.c.state.in_([state.value for state in states]))
    if county_codes:
        wanted = wanted.where(project.c.county_code.in_(county_codes))
    return tuple(_kept(row) for row in connection.execute(wanted).mappings())


def money(connection: Connection, plan_id: str) -> PlanMoney:
    """Return the money of a plan."""
    budget = connection.execute(select(money_plan.c.budget_fen).where(money_plan.c.id == plan_id)).scalar_one_or_none()
    if budget is None:
        known = ", ".join(plan_ids(connection)) or "none"
        raise LedgerError(f"The ledger holds no plan {plan_id!r}. Plans: {known}.")
    own = listed(connection, plan_id)
    funded = sum(_fen(one.proposed.cost_yuan) for one in own if one.state == ProjectState.FUNDED)
    spent = sum(_fen(one.spent_yuan or 0.0) for one in own if one.state == ProjectState.BUILT)
    return PlanMoney(plan_id=plan_id, budget_yuan=budget / _FEN, funded_yuan=funded / _FEN, spent_yuan=spent / _FEN)


def plan_ids(connection: Connection) -> tuple[str, ...]:
    """Return the names of all plans."""
    return tuple(connection.execute(select(money_plan.c.id).order_by(money_plan.c.id)).scalars())


def _require_money(connection: Connection, kept: KeptProject) -> None:
    own = listed(connection, kept.plan_id, states=(ProjectState.FUNDED, ProjectState.BUILT))
    rivals = [one.proposed.project_id for one in own if one.proposed.place == kept.proposed.place]
    if rivals:
        raise LedgerError(
            f"Project {kept.proposed.project_id} is an alternative of {rivals[0]}, which is funded already. Reject "
            "that one first."
        )
    left = money(connection, kept.plan_id).left_yuan
    if _fen(left) < _fen(kept.proposed.cost_yuan):
        raise NoRoomError(
            f"Plan {kept.plan_id} has {left:.2f} yuan left; project {kept.proposed.project_id} costs "
            f"{kept.proposed.cost_yuan:.2f} yuan. Reject or build others for less first."
        )


def _lock_plan(connection: Connection, plan_id: str) -> None:
    connection.execute(select(money_plan).where(money_plan.c.id == plan_id).with_for_update())


def _keep_plan(connection: Connection, plan: NewPlan, *, at: datetime, who: str, reason: str) -> list[Entry]:
    budget = _fen(plan.budget_yuan)
    row = (
        connection.execute(select(money_plan).where(money_plan.c.id == plan.plan_id).with_for_update())
        .mappings()
        .one_or_none()
    )
    if row is not None:
        if row["budget_fen"] != budget:
            raise LedgerError(
                f"Plan {plan.plan_id} is there with {row['budget_fen'] / _FEN:.2f} yuan, not {plan.budget_yuan:.2f}. "
                "Propose the new plan by another name."
            )
        return []
    connection.execute(
        insert(money_plan).values(id=plan.plan_id, budget_fen=budget, source_sha256=plan.source_sha256, at=at)
    )
    after = {"budget_yuan": budget / _FEN, "source_sha256": plan.source_sha256}
    return [Entry(action="plan", object=f"plan {plan.plan_id}", who=who, reason=reason, before=None, after=after)]


def _require_plan(plan: NewPlan) -> None:
    findings = []
    if not (_NAME.fullmatch(plan.plan_id) and len(plan.plan_id) <= ID_LENGTH):
        findings.append(f"plan {plan.plan_id[:ID_LENGTH]!r}: letters, digits, dot, dash, up to {ID_LENGTH}")
    if not (math.isfinite(plan.budget_yuan) and 0.0 <= plan.budget_yuan <= _MOST_YUAN):
        findings.append(f"budget {plan.budget_yuan}: a finite number of yuan of at least 0")
    if findings:
        raise InputError("This is no plan.", findings)


def _require_projects(proposed: Sequence[ProposedProject]) -> None:
    findings, seen = [], set[str]()
    for one in proposed:
        where = f"project {one.project_id[:ID_LENGTH]!r}"
        short = (one.project_id, one.feeder_id, one.area_id)
        if not one.project_id or any(len(text) > ID_LENGTH for text in short) or len(one.place) > NAME_LENGTH:
            findings.append(f"{where}: an id is missing or too long")
        if any(_CONTROL.search(text) for text in (*short, one.place, one.county_code, one.measures, one.description)):
            findings.append(f"{where}: texts must be one line of printable text")
        if not (math.isfinite(one.cost_yuan) and 0.0 <= one.cost_yuan <= _MOST_YUAN):
            findings.append(f"{where}: cost_yuan {one.cost_yuan} must be a finite number of at least 0")
        if one.households < 0:
            findings.append(f"{where}: households {one.households} must be at least 0")
        if one.project_id in seen:
            findings.append(f"{where}: stands twice")
        seen.add(one.project_id)
    if findings:
        raise InputError("These projects cannot be proposed.", findings)


def _required_fen(name: str, yuan: float | None) -> int:
    if yuan is None or not (math.isfinite(yuan) and 0.0 <= yuan <= _MOST_YUAN):
        raise InputError(f"What was {name} must be a finite number of yuan of at least 0. Got {yuan}.")
    return _fen(yuan)


def _fen(yuan: float) -> int:
    return round(yuan * _FEN)


def _columns(one: ProposedProject) -> dict[str, Any]:
    fields = asdict(one)
    return {
        "id": fields.pop("project_id"),
        "cost_fen": _fen(fields.pop("cost_yuan")),
        **fields,
    }


def _kept(row: RowMapping) -> KeptProject:
    proposed = ProposedProject(
        project_id=row["id"],
        cost_yuan=row["cost_fen"] / _FEN,
        **{name: row[name] for name in ("county_code", "feeder_id", "area_id", "place", "measures", "description",
                                        "households")},
    )  # fmt: skip
    return KeptProject(
        plan_id=row["plan_id"],
        proposed=proposed,
        state=row["state"],
        spent_yuan=None if row["spent_fen"] is None else row["spent_fen"] / _FEN,
        version=row["version"],
        state_at=row["state_at"],
    )
