"""The ledger as the rest of gridcheck sees it: one method per step or question, each in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from gridcheck.errors import LedgerError
from gridcheck.ledger import acceptance, frozen, intake, journal, life, reservations, schema, subsidy
from gridcheck.ledger import season as season_money
from gridcheck.ledger.canonical import now_utc
from gridcheck.ledger.database import Database
from gridcheck.ledger.granted import APPROVALS
from gridcheck.ledger.life import State, Step
from gridcheck.ledger.project_ledger import ProjectLedger
from gridcheck.ledger.records import (
    Answer,
    Batch,
    Capacity,
    Entry,
    KeptApplication,
    Level,
    NewApplication,
)

Told = Mapping[str, object]


def open_ledger(address: str | Path, *, clock: Callable[[], datetime] = now_utc) -> Ledger:
    """Open a ledger that `gridcheck init` has made; nothing is changed by opening it.

    Parameters
    ----------
    address : str or Path
        As for `init_ledger`.
    clock : callable
        Says what time it is, with its zone.

    Raises
    ------
    LedgerError
        If there is none, or it is older or newer than what this version works with.
    """
    database = Database(address)
    try:
        schema.require_current(database)
    except BaseException:
        database.dispose()
        raise
    return Ledger(database, clock=clock)


class Ledger(ProjectLedger):
    """What was asked, assessed, promised and built.

    Every step is one transaction with its lines of the journal: recorded whole, or not at all. Any number of programs
    may work with the same ledger at once. `expected_version` of a step is the version that the caller has looked at;
    where it is given, a step on something that others changed since is refused.

    Parameters
    ----------
    database : Database
        Its database.
    clock : callable
        Says what time it is.
    """

    def receive(self, asked: Sequence[NewApplication], *, who: str, reason: str) -> int:
        """Take applications in and return how many are new; the same one twice is one.

        Raises
        ------
        InputError
            With one finding per fault; none is received then.
        """

        def work(connection: Connection) -> list[Entry]:
            return intake.receive(connection, asked, at=self._now(), who=who, reason=reason)

        return self._record(work, who=who, reason=reason)

    def assess(
        self, run: Batch, answers: Sequence[Answer], *, who: str, reason: str, files: Mapping[str, bytes] | None = None
    ) -> int:
        """Record the answers of one run with what they were made from; return how many.

        Parameters
        ----------
        run : Batch
            What they were made from. A run may be recorded in several parts, all with the same `run`.
        answers : sequence of Answer
            One per application.
        who, reason : str
            For the journal.
        files : mapping of str to bytes, optional
            Contents of inputs that `run` names, to be kept.

        Raises
        ------
        InputError, LedgerError, IllegalStepError
            If an answer cannot be recorded; none is then.
        """

        def work(connection: Connection) -> list[Entry]:
            told = frozen.keep_batch(connection, run, files or {}, who=who, reason=reason)
            return told + frozen.assess(connection, run, answers, at=self._now(), who=who, reason=reason)

        self._record(work, who=who, reason=reason)
        return len(answers)

    def set_capacity(self, run: Batch, rows: Sequence[Capacity], *, who: str, reason: str) -> None:
        """Record the room that a run has found on elements of the grid, in place of an earlier run's.

        Raises
        ------
        InputError, LedgerError
            If a row is not allowed, or a newer run was there already; nothing is recorded then.
        """

        def work(connection: Connection) -> list[Entry]:
            told = frozen.keep_batch(connection, run, {}, who=who, reason=reason)
            return told + reservations.set_capacity(connection, run, rows, who=who, reason=reason)

        self._record(work, who=who, reason=reason)

    def approve(
        self,
        application_id: str,
        *,
        who: str,
        reason: str,
        days: float = reservations.RESERVED_DAYS,
        reserve_kw: Mapping[Level, float] | None = None,
        expected_version: int | None = None,
    ) -> KeptApplication:
        """Approve an application and reserve its power on area, feeder and main transformer, all or none.

        Parameters
        ----------
        application_id : str
            The application. Its last answer must be an approval.
        who, reason : str
            For the journal.
        days : float
            How long the promise holds.
        reserve_kw : mapping of Level to float, optional
            Power by level where it is less than the rating. [kW]
        expected_version : int, optional
            Version that the caller has looked at.

        Raises
        ------
        NoRoomError
            If an element has not enough room left, or none that is known.
        IllegalStepError, LedgerError, InputError
            If it cannot be approved.
        """

        def told(connection: Connection, kept: KeptApplication, now: datetime) -> Told:
            _require_approval(connection, kept)
            return reservations.hold(connection, kept, now=now, days=days, reserve_kw=reserve_kw)

        return self._step(Step.APPROVE, application_id, told, who=who, reason=reason, expected_version=expected_version)

    def defer(
        self, application_id: str, *, who: str, reason: str, expected_version: int | None = None
    ) -> KeptApplication:
        """Put an application off until it is assessed again."""
        return self._step(
            Step.DEFER, application_id, _nothing, who=who, reason=reason, expected_version=expected_version
        )

    def mark_insufficient_data(
        self, application_id: str, *, who: str, reason: str, expected_version: int | None = None
    ) -> KeptApplication:
        """Say that the data do not allow an answer."""
        return self._step(Step.MARK_INSUFFICIENT_DATA, application_id, _nothing, who=who, reason=reason,
                          expected_version=expected_version)  # fmt: skip

    def renew(
        self, application_id: str, *, who: str, reason: str, days: float, expected_version: int | None = None
    ) -> KeptApplication:
        """Let the promise of an approved application hold for so many days from now, if there is room for it.

        Raises
        ------
        NoRoomError
            If there is not.
        """

        def told(connection: Connection, kept: KeptApplication, now: datetime) -> Told:
            return reservations.renew(connection, kept, now=now, days=days)

        return self._step(Step.RENEW, application_id, told, who=who, reason=reason, expected_version=expected_version)

    def build(
        self, application_id: str, *, who: str, reason: str, expected_version: int | None = None
    ) -> KeptApplication:
        """Record that the heater is connected; its promise counts as built, once.

        Raises
        ------
        LedgerError
            If the promise has expired.
        """

        def told(connection: Connection, kept: KeptApplication, now: datetime) -> Told:
            return reservations.use(connection, kept, now=now)

        return self._step(Step.BUILD, application_id, told, who=who, reason=reason, expected_version=expected_version)

    def accept(
        self,
        application_id: str,
        findings: Sequence[acceptance.Finding],
        *,
        who: str,
        reason: str,
        expected_version: int | None = None,
    ) -> KeptApplication:
        """Record an inspection; the application is accepted if no item failed, and stays built otherwise.

        Parameters
        ----------
        application_id : str
            The application.
        findings : sequence of Finding
            As from `read_checklist`.
        who, reason : str
            For the journal.
        expected_version : int, optional
            Version that the caller has looked at.
        """
        step = Step.ACCEPT if acceptance.passed(findings) else Step.FAIL_INSPECTION

        def told(connection: Connection, kept: KeptApplication, now: datetime) -> Told:
            return acceptance.keep_inspection(connection, kept.asked.application_id, findings, at=now)

        return self._step(step, application_id, told, who=who, reason=reason, expected_version=expected_version)

    def entitle(
        self,
        application_id: str,
        facts: subsidy.HouseholdFacts,
        *,
        season: int,
        who: str,
        reason: str,
    ) -> subsidy.Entitlement:
        """Record what an accepted application is entitled to from a season on, and return it.

        Raises
        ------
        IllegalStepError
            If it is not accepted.
        LedgerError
            If it cannot be told, because nobody has asked the household, or the household is entitled already.
        """
        season_money.require_season(season)
        result: list[subsidy.Entitlement] = []

        def told(connection: Connection, kept: KeptApplication, now: datetime) -> Told:
            found = subsidy.entitled(
                kept,
                on_district_heating=facts.on_district_heating,
                gets_public_allowance=facts.gets_public_allowance,
            )
            result.append(found)
            return subsidy.keep_entitlement(connection, found, facts, season=season, at=now)

        self._step(Step.ENTITLE, application_id, told, who=who, reason=reason)
        return result[-1]

    def end_subsidy(self, application_id: str, *, last_season: int, who: str, reason: str) -> KeptApplication:
        """End the running subsidy of an application after a season, as for a home put on district heating later."""

        def told(connection: Connection, kept: KeptApplication, _now: datetime) -> Told:
            return subsidy.end_subsidy(connection, kept.asked.application_id, last_season=last_season)

        return self._step(Step.END_SUBSIDY, application_id, told, who=who, reason=reason)

    def withdraw(
        self, application_id: str, *, who: str, reason: str, expected_version: int | None = None
    ) -> KeptApplication:
        """Take an application back before it is accepted; what is reserved for it is given back."""

        def told(connection: Connection, kept: KeptApplication, now: datetime) -> Told:
            return reservations.give_back(connection, kept.asked.application_id, now=now)

        return self._step(
            Step.WITHDRAW, application_id, told, who=who, reason=reason, expected_version=expected_version
        )

    def lapse(self, application_id: str | None = None, *, who: str, reason: str) -> tuple[str, ...]:
        """Mark approvals whose promise has expired as lapsed, all or one; return their ids. They may be assessed again.

        Raises
        ------
        LedgerError
            If one is named whose promise still holds, or that cannot lapse.
        """
        done: list[str] = []

        def work(connection: Connection) -> list[Entry]:
            now, entries = self._now(), []
            due = reservations.due(connection, now=now)
            if application_id is not None:
                life.require_due(connection, application_id, due)
                due = [application_id]
            for name in due:
                kept = life.locked(connection, name)
                promised = reservations.live(connection, name)
                # Another program may have renewed or built it before it was locked here.
                if kept.state == State.APPROVED and any(one.expires_at <= now for one in promised):
                    told = reservations.give_back(connection, name, now=now, expired=True)
                    change = life.move(connection, kept, Step.LAPSE, told=told)
                    entries.append(life.entry_of(Step.LAPSE, name, change, who=who, reason=reason))
            done[:] = [entry.object for entry in entries]
            return entries

        self._record(work, who=who, reason=reason)
        return tuple(done)

    def record_energy(
        self, season: int, heating_kwh: Mapping[str, float], *, source: str, confidence: str, who: str, reason: str
    ) -> None:
        """Record the heating energy of applications in a season. [kWh]

        Raises
        ------
        InputError
            With one finding per value that is not allowed; none is recorded then.
        """

        def work(connection: Connection) -> list[Entry]:
            told = season_money.keep_energy(connection, season, heating_kwh, source=source, confidence=confidence,
                                            at=self._now())  # fmt: skip
            return [season_money.energy_entry(told, who=who, reason=reason)]

        self._record(work, who=who, reason=reason)

    def _step(
        self,
        step: Step,
        application_id: str,
        told: Callable[[Connection, KeptApplication, datetime], Told],
        *,
        who: str,
        reason: str,
        expected_version: int | None = None,
    ) -> KeptApplication:
        """Take one step with one application: lock it, do the work, move it, write it down."""
        journal.require_signed(who, reason)

        def work(connection: Connection) -> KeptApplication:
            now = self._now()
            kept = life.locked(connection, application_id, expected_version)
            # Before anything is done: a step that is not allowed says so, and not what else stands in its way.
            life.next_state(State(kept.state), step, application_id=application_id)
            change = life.move(connection, kept, step, told=told(connection, kept, now))
            journal.append(connection, [life.entry_of(step, application_id, change, who=who, reason=reason)], at=now)
            return life.found(connection, application_id)

        return self._database.write(work)


def _nothing(_connection: Connection, _kept: KeptApplication, _now: datetime) -> Told:
    return {}


def _require_approval(connection: Connection, kept: KeptApplication) -> None:
    """Refuse to approve what the last answer does not."""
    name = kept.asked.application_id
    if kept.assessment_id is None:
        raise LedgerError(f"Application {name} has no answer yet.")
    verdict = frozen.read_assessment(connection, kept.assessment_id).answer.verdict
    if verdict not in APPROVALS:
        raise LedgerError(
            f"Application {name} cannot be approved: its last answer is {verdict}. Defer it, or record a new answer."
        )
