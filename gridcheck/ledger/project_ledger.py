"""Projects of reinforcement plans in the ledger: one method per step or question, each in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from gridcheck.ledger import journal, projects
from gridcheck.ledger.projects import KeptProject, PlanMoney, ProjectState, ProjectStep, ProposedProject
from gridcheck.ledger.questions import LedgerReader
from gridcheck.ledger.records import Entry


class ProjectLedger(LedgerReader):
    """What is proposed, reviewed, funded and built of a plan, and its money."""

    def propose(
        self,
        plan_id: str,
        proposed: Sequence[ProposedProject],
        *,
        budget_yuan: float,
        source_sha256: str,
        who: str,
        reason: str,
    ) -> int:
        """Take projects of a plan in; return how many are new. The same plan proposed twice is one.

        Parameters
        ----------
        plan_id : str
            Name of the plan, such as ``2025``.
        proposed : sequence of ProposedProject
            Its projects.
        budget_yuan : float
            Its money. [yuan]
        source_sha256 : str
            Checksum of the table that they come from.
        who, reason : str
            For the journal.

        Raises
        ------
        InputError
            With one finding per fault; nothing is recorded then.
        LedgerError
            If the plan is there with other money, or a project with another content.
        """

        def work(connection: Connection) -> list[Entry]:
            plan = projects.NewPlan(plan_id=plan_id, budget_yuan=budget_yuan, source_sha256=source_sha256)
            return projects.propose(connection, plan, proposed, at=self._now(), who=who, reason=reason)

        return self._record(work, who=who, reason=reason)

    def move_project(
        self,
        plan_id: str,
        project_id: str,
        step: ProjectStep,
        *,
        who: str,
        reason: str,
        spent_yuan: float | None = None,
    ) -> KeptProject:
        """Take one step with a project and return it as it stands then.

        Parameters
        ----------
        plan_id, project_id : str
            The project.
        step : ProjectStep
            What is decided.
        who, reason : str
            For the journal.
        spent_yuan : float, optional
            What it has cost; needed when it is built. [yuan]

        Raises
        ------
        IllegalStepError
            If the step is not allowed from where it stands.
        NoRoomError
            If the money of the plan is not enough for it.
        InputError, LedgerError
            If the sum is missing or not allowed, or there is no such project.
        """

        def work(connection: Connection) -> list[Entry]:
            told = projects.move(connection, (plan_id, project_id), step, spent_yuan=spent_yuan, at=self._now())
            return [projects.entry_of(step, (plan_id, project_id), told, who=who, reason=reason)]

        self._record(work, who=who, reason=reason)
        return self.project(plan_id, project_id)

    def project(self, plan_id: str, project_id: str) -> KeptProject:
        """Return a project as it stands."""
        return self._database.read(lambda connection: projects.found(connection, (plan_id, project_id)))

    def projects(
        self, plan_id: str, *, states: Sequence[ProjectState] = (), county_codes: Sequence[str] = ()
    ) -> tuple[KeptProject, ...]:
        """Return the projects of a plan by id: all, or those of some states and counties."""
        return self._database.read(
            lambda connection: projects.listed(connection, plan_id, states=states, county_codes=county_codes)
        )

    def plan_money(self, plan_id: str) -> PlanMoney:
        """Return the money of a plan: what there is, what is bound, what is spent."""
        return self._database.read(lambda connection: projects.money(connection, plan_id))

    def plan_ids(self) -> tuple[str, ...]:
        """Return the names of all plans."""
        return self._database.read(projects.plan_ids)

    def _record(self, work: Callable[[Connection], list[Entry]], *, who: str, reason: str) -> int:
        """Do some work and write its lines of the journal, in one transaction; return how many."""
        journal.require_signed(who, reason)

        def whole(connection: Connection) -> int:
            told = work(connection)
            journal.append(connection, told, at=self._now())
            return len(told)

        return self._database.write(whole)
