"""The list of applications: where each stands, its last answer, what is promised, and what was done with it last."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, and_, func, select

from gridcheck.ledger.granted import approved_by
from gridcheck.ledger.life import State, kept_of
from gridcheck.ledger.records import Approved, KeptApplication, Level
from gridcheck.ledger.tables import application, assessment, journal, reservation


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedApplication:
    """One line of the list.

    Attributes
    ----------
    kept : KeptApplication
        The application as it stands.
    verdict : str or None
        Its last answer; None where it was not assessed yet.
    conditions : tuple of str
        Codes of that answer.
    approved : Approved or None
        What that answer grants; None where it is no approval.
    held_until : datetime or None
        Until when power is reserved for it; None where none is, or it is built. [UTC]
    changed_at : datetime
        When something was done with it last. [UTC]
    action, who : str
        What, and whose decision it was.
    """

    kept: KeptApplication
    verdict: str | None
    conditions: tuple[str, ...]
    approved: Approved | None
    held_until: datetime | None
    changed_at: datetime
    action: str
    who: str


def listed(
    connection: Connection,
    *,
    states: Sequence[State] = (),
    county_codes: Sequence[str] = (),
    area_id: str | None = None,
) -> tuple[ListedApplication, ...]:
    """Return the applications of some states, counties or an area by id; all where nothing is named."""
    last = select(journal.c.object, func.max(journal.c.seq).label("seq")).group_by(journal.c.object).subquery()
    held = and_(
        reservation.c.application_id == application.c.id,
        reservation.c.level == Level.AREA.value,
        reservation.c.state == "held",
    )
    more = (
        assessment.c.verdict, assessment.c.conditions_json, reservation.c.expires_at.label("held_until"),
        journal.c.at.label("changed_at"), journal.c.action, journal.c.who,
    )  # fmt: skip
    wanted = (
        select(application, *more)
        .join(last, last.c.object == application.c.id)
        .join(journal, journal.c.seq == last.c.seq)
        .outerjoin(assessment, assessment.c.id == application.c.assessment_id)
        .outerjoin(reservation, held)
        .order_by(application.c.id)
    )
    if states:
        wanted = wanted.where(application.c.state.in_([state.value for state in states]))
    if county_codes:
        wanted = wanted.where(application.c.county_code.in_(county_codes))
    if area_id is not None:
        wanted = wanted.where(application.c.area_id == area_id)
    return tuple(_line(row) for row in connection.execute(wanted).mappings())


def _line(row: RowMapping) -> ListedApplication:
    kept = kept_of(row)
    conditions = () if row["conditions_json"] is None else tuple(json.loads(row["conditions_json"]))
    return ListedApplication(
        kept=kept,
        verdict=row["verdict"],
        conditions=conditions,
        approved=approved_by(kept.asked, row["verdict"], conditions),
        held_until=row["held_until"],
        changed_at=row["changed_at"],
        action=row["action"],
        who=row["who"],
    )
