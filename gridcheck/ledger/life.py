"""The life of an application: where it can stand, and which steps lead on. The only place where that is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from gridcheck.errors import IllegalStepError, LedgerError
from gridcheck.ledger.records import Entry, KeptApplication, NewApplication
from gridcheck.ledger.tables import application


class State(StrEnum):
    """Where an application stands."""

    RECEIVED = "received"
    ASSESSED = "assessed"
    APPROVED = "approved"
    DEFERRED = "deferred"
    INSUFFICIENT_DATA = "insufficient_data"
    LAPSED = "lapsed"
    BUILT = "built"
    ACCEPTED = "accepted"
    ENTITLED = "entitled"
    WITHDRAWN = "withdrawn"


class Step(StrEnum):
    """What can be done with an application, as the journal names it."""

    ASSESS = "assess"
    APPROVE = "approve"
    DEFER = "defer"
    MARK_INSUFFICIENT_DATA = "mark_insufficient_data"
    RENEW = "renew"
    LAPSE = "lapse"
    BUILD = "build"
    FAIL_INSPECTION = "fail_inspection"
    ACCEPT = "accept"
    ENTITLE = "entitle"
    END_SUBSIDY = "end_subsidy"
    WITHDRAW = "withdraw"


_AT_ONCE = 500
_SHOWN = 5
_WAITING = (State.RECEIVED, State.ASSESSED, State.DEFERRED, State.INSUFFICIENT_DATA, State.LAPSED)
# Step: (from where, to where).
_LEADS: Mapping[Step, tuple[tuple[State, ...], State]] = MappingProxyType(
    {
        Step.ASSESS: (_WAITING, State.ASSESSED),
        Step.APPROVE: ((State.ASSESSED,), State.APPROVED),
        Step.DEFER: ((State.ASSESSED,), State.DEFERRED),
        Step.MARK_INSUFFICIENT_DATA: ((State.ASSESSED,), State.INSUFFICIENT_DATA),
        Step.RENEW: ((State.APPROVED,), State.APPROVED),
        Step.LAPSE: ((State.APPROVED,), State.LAPSED),
        Step.BUILD: ((State.APPROVED,), State.BUILT),
        Step.FAIL_INSPECTION: ((State.BUILT,), State.BUILT),
        Step.ACCEPT: ((State.BUILT,), State.ACCEPTED),
        Step.ENTITLE: ((State.ACCEPTED,), State.ENTITLED),
        Step.END_SUBSIDY: ((State.ENTITLED,), State.ENTITLED),
        Step.WITHDRAW: ((*_WAITING, State.APPROVED, State.BUILT), State.WITHDRAWN),
    }
)


def steps_from(state: State) -> tuple[Step, ...]:
    """Return the steps that are allowed from a state; none from the last ones.

    Examples
    --------
    >>> [step.value for step in steps_from(State.ACCEPTED)]
    ['entitle']
    """
    return tuple(step for step, (sources, _) in _LEADS.items() if state in sources)


def next_state(state: State, step: Step, *, application_id: str) -> State:
    """Return where a step leads.

    Raises
    ------
    IllegalStepError
        If it is not allowed from there; says what is.
    """
    sources, target = _LEADS[step]
    if state not in sources:
        allowed = ", ".join(steps_from(state)) or "nothing more"
        raise IllegalStepError(
            f"Application {application_id} is {state}: {step} is not allowed from there. Allowed: {allowed}."
        )
    return target


def locked(connection: Connection, application_id: str, expected_version: int | None = None) -> KeptApplication:
    """Return an application and keep it from being changed by others until the transaction is over.

    Raises
    ------
    LedgerError
        If there is none, or it was changed since the version that the caller has seen.
    """
    kept = found(connection, application_id, lock=True)
    if expected_version is not None and kept.version != expected_version:
        raise LedgerError(
            f"Application {application_id} was changed by others: it is {kept.state} in version {kept.version}, you "
            f"have seen version {expected_version}. Look at it again before you decide."
        )
    return kept


def locked_all(connection: Connection, names: Sequence[str]) -> dict[str, KeptApplication]:
    """Return many applications by id and keep them from being changed, locked in the order of their ids.

    Raises
    ------
    LedgerError
        If one is not there.
    """
    kept: dict[str, KeptApplication] = {}
    ordered = sorted(names)
    for start in range(0, len(ordered), _AT_ONCE):
        some = application.c.id.in_(ordered[start : start + _AT_ONCE])
        wanted = select(application).where(some).order_by(application.c.id).with_for_update()
        kept |= {row["id"]: kept_of(row) for row in connection.execute(wanted).mappings()}
    missing = [name for name in ordered if name not in kept]
    if missing:
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        raise LedgerError(f"The ledger holds no application {', '.join(map(repr, missing[:_SHOWN]))}{more}.")
    return kept


def found(connection: Connection, application_id: str, *, lock: bool = False) -> KeptApplication:
    """Return an application as it stands.

    Raises
    ------
    LedgerError
        If there is none.
    """
    wanted = select(application).where(application.c.id == application_id)
    row = connection.execute(wanted.with_for_update() if lock else wanted).mappings().one_or_none()
    if row is None:
        raise LedgerError(f"The ledger holds no application {application_id!r}.")
    return kept_of(row)


def kept_of(row: RowMapping) -> KeptApplication:
    """Return the record of a row."""
    fields = {name: row[name] for name in NewApplication.__dataclass_fields__ if name != "application_id"}
    return KeptApplication(
        asked=NewApplication(application_id=row["id"], **fields),
        state=row["state"],
        version=row["version"],
        received_at=row["received_at"],
        assessment_id=row["assessment_id"],
    )


def move_to_assessed(connection: Connection, kept: Sequence[KeptApplication], assessment_ids: Sequence[int]) -> None:
    """Take the step of an assessment with many applications that were locked and found able to."""
    rows = [
        {"_id": one.asked.application_id, "version": one.version + 1, "assessment_id": number}
        for one, number in zip(kept, assessment_ids, strict=True)
    ]
    if rows:
        target = update(application).where(application.c.id == bindparam("_id")).values(state=State.ASSESSED.value)
        connection.execute(target.values(version=bindparam("version"), assessment_id=bindparam("assessment_id")), rows)


def move(
    connection: Connection,
    kept: KeptApplication,
    step: Step,
    *,
    told: Mapping[str, Any],
    assessment_id: int | None = None,
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Take one step and return what the journal says of it, before and after.

    Parameters
    ----------
    connection : Connection
        The transaction in which `kept` was locked.
    kept : KeptApplication
        The application.
    step : Step
        What is done.
    told : mapping
        What the journal says beside the state.
    assessment_id : int, optional
        The answer that stands from now on.

    Raises
    ------
    IllegalStepError
        If the step is not allowed.
    LedgerError
        If the application was changed in spite of the lock.
    """
    name = kept.asked.application_id
    target = next_state(State(kept.state), step, application_id=name)
    done = connection.execute(
        update(application)
        .where(application.c.id == name, application.c.version == kept.version)
        .values(
            state=target.value,
            version=kept.version + 1,
            assessment_id=kept.assessment_id if assessment_id is None else assessment_id,
        )
    )
    if done.rowcount != 1:
        raise LedgerError(f"Application {name} was changed by others meanwhile. Look at it again before you decide.")
    before = {"state": kept.state, "version": kept.version}
    return before, {**told, "state": target.value, "version": kept.version + 1}


def entry_of(
    step: Step, application_id: str, change: tuple[Mapping[str, Any], Mapping[str, Any]], *, who: str, reason: str
) -> Entry:
    """Return the line of the journal for a step."""
    return Entry(action=step.value, object=application_id, who=who, reason=reason, before=change[0], after=change[1])


def require_due(connection: Connection, application_id: str, due: Sequence[str]) -> None:
    """Refuse to let a promise lapse that still holds.

    Parameters
    ----------
    connection : Connection
        Any transaction.
    application_id : str
        The application.
    due : sequence of str
        Those whose promise has expired.

    Raises
    ------
    LedgerError
        If it is not among them, or cannot lapse from where it stands.
    """
    next_state(State(found(connection, application_id).state), Step.LAPSE, application_id=application_id)
    if application_id not in due:
        raise LedgerError(
            f"The promise to application {application_id} still holds. Withdraw the application to give it back."
        )


def standing(
    connection: Connection, *, state: State | None = None, county_code: str | None = None, area_id: str | None = None
) -> Sequence[KeptApplication]:
    """Return applications by id: all, or those of a state, a county, an area."""
    wanted = select(application).order_by(application.c.id)
    for column, value in ((application.c.state, state), (application.c.county_code, county_code),
                          (application.c.area_id, area_id)):  # fmt: skip
        if value is not None:
            wanted = wanted.where(column == str(value))
    return [kept_of(row) for row in connection.execute(wanted).mappings()]
