"""Room and promises: a kilowatt is sold once, however many planners sell at the same moment.

An approval reserves power on the area, the feeder and the main transformer of the application in one transaction. The
rows of the three elements are locked in a fixed order before anything is counted, so that nobody counts meanwhile.
What stands against the room that a run has found: promises that hold and have not expired, and heaters that were built
after the moment up to which the run has seen them. A heater that a newer run has seen is part of the load there and
counts no longer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, func, insert, or_, select, update

from gridcheck.errors import InputError, LedgerError, NoRoomError
from gridcheck.ledger.canonical import canonical_json, sha256_of
from gridcheck.ledger.records import Batch, Capacity, Entry, KeptApplication, Level, Reservation, Room
from gridcheck.ledger.tables import capacity, reservation

RESERVED_DAYS = 90
"""Days for which a promise holds unless the planner says otherwise; a rule of this ledger, not of a law. [E]"""

MOST_DAYS = 3660

_WATTS = 1000.0
# Far below what a meter resolves: it only takes back what binary numbers add to a decimal.
_SLACK_W = 1e-6


def set_capacity(connection: Connection, run: Batch, rows: Sequence[Capacity], *, who: str, reason: str) -> list[Entry]:
    """Put the room that a run has found in place of what an earlier one has.

    Returns
    -------
    list of Entry
        One line for the journal, with the rooms and their checksum.

    Raises
    ------
    InputError
        If an element stands there twice, or a room is no number.
    LedgerError
        If a newer run has been there already.
    """
    ordered = sorted(rows, key=_place)
    findings = [f"{one.level} {one.element_id}: room_kw {one.room_kw} is no number; leave it empty where not known"
                for one in ordered if one.room_kw is not None and not math.isfinite(one.room_kw)]  # fmt: skip
    findings += [
        f"{one.level} {one.element_id} stands more than once"
        for one, after in pairwise(ordered)
        if _place(one) == _place(after)
    ]
    if findings:
        raise InputError(f"The room that run {run.batch_id} has found cannot be recorded.", findings)
    room_w = {f"{one.level} {one.element_id}": _set_one(connection, run, one) for one in ordered}
    content = canonical_json([[one.level, one.element_id, one.room_kw] for one in ordered])
    after = {"batch_id": run.batch_id, "as_of": run.as_of, "rows": len(ordered), "rows_sha256": sha256_of(content),
             "room_w": room_w}  # fmt: skip
    return [Entry(action="set_capacity", object=f"batch {run.batch_id}", who=who, reason=reason, after=after)]


def _set_one(connection: Connection, run: Batch, one: Capacity) -> int | None:
    """Record the room of one element and return it. [W]"""
    room_w = None if one.room_kw is None else math.floor(one.room_kw * _WATTS + _SLACK_W)
    row = {
        "room_w": room_w,
        "batch_id": run.batch_id,
        "as_of": run.as_of,
    }
    here = and_(capacity.c.level == one.level.value, capacity.c.element_id == one.element_id)
    kept = connection.execute(select(capacity).where(here).with_for_update()).mappings().one_or_none()
    if kept is None:
        connection.execute(insert(capacity).values(level=one.level.value, element_id=one.element_id, **row))
    elif kept["as_of"] > run.as_of:
        raise LedgerError(
            f"The room of {one.level} {one.element_id} was found by the newer run {kept['batch_id']}; run "
            f"{run.batch_id} is older and changes nothing."
        )
    else:
        connection.execute(update(capacity).where(here).values(**row))
    return room_w


def _place(one: Capacity) -> tuple[int, str]:
    return list(Level).index(one.level), one.element_id


def room(connection: Connection, level: Level, element_id: str, *, now: datetime) -> Room:
    """Return the room of an element and what stands against it at a moment."""
    kept = _capacity(connection, level, element_id, lock=False)
    as_of = None if kept is None else kept["as_of"]
    held = _sum_w(connection, level, element_id, _held(now))
    used = _sum_w(connection, level, element_id, _used(as_of))
    return Room(
        level=level,
        element_id=element_id,
        room_kw=None if kept is None or kept["room_w"] is None else kept["room_w"] / _WATTS,
        held_kw=held / _WATTS,
        used_kw=used / _WATTS,
        batch_id=None if kept is None else kept["batch_id"],
        as_of=as_of,
    )


def _capacity(connection: Connection, level: Level, element_id: str, *, lock: bool) -> RowMapping | None:
    wanted = select(capacity).where(capacity.c.level == level.value, capacity.c.element_id == element_id)
    return connection.execute(wanted.with_for_update() if lock else wanted).mappings().one_or_none()


def _held(now: datetime) -> ColumnElement[bool]:
    return and_(reservation.c.state == "held", reservation.c.expires_at > now)


def _used(as_of: datetime | None) -> ColumnElement[bool]:
    used = reservation.c.state == "used"
    return used if as_of is None else and_(used, reservation.c.state_at > as_of)


def _sum_w(connection: Connection, level: Level, element_id: str, which: ColumnElement[bool]) -> int:
    wanted = select(func.coalesce(func.sum(reservation.c.reserved_w), 0)).where(
        reservation.c.level == level.value, reservation.c.element_id == element_id, which
    )
    return int(connection.execute(wanted).scalar_one())


def hold(
    connection: Connection,
    kept: KeptApplication,
    *,
    now: datetime,
    days: float = RESERVED_DAYS,
    reserve_kw: Mapping[Level, float] | None = None,
) -> dict[str, object]:
    """Reserve power for an application on all three levels, or on none.

    Parameters
    ----------
    connection : Connection
        The transaction in which `kept` was locked.
    kept : KeptApplication
        The application.
    now : datetime
        Present moment. [UTC]
    days : float
        How long the promise holds.
    reserve_kw : mapping of Level to float, optional
        Power by level where it is less than the rating, because heaters do not run all at once; the rating where a
        level is left out. [kW]

    Returns
    -------
    dict
        What the journal says of it.

    Raises
    ------
    NoRoomError
        If an element has not enough room left, or none that is known.
    InputError
        If days or powers are out of range.
    """
    watts = _watts(kept, reserve_kw or {})
    expires_at = expiry(now, days)
    for level in Level:
        _require_room(connection, kept, level, watts[level], now)
    rows = [
        {
            "application_id": kept.asked.application_id,
            "level": level.value,
            "element_id": kept.asked.element(level),
            "reserved_w": watts[level],
            "held_at": now,
            "expires_at": expires_at,
            "state": "held",
            "state_at": now,
        }
        for level in Level
    ]
    connection.execute(insert(reservation), rows)
    promised = {level.value: [kept.asked.element(level), watts[level] / _WATTS] for level in Level}
    return {"reserved_kw": promised, "expires_at": expires_at}


def _watts(kept: KeptApplication, reserve_kw: Mapping[Level, float]) -> dict[Level, int]:
    asked = {level: reserve_kw.get(level, kept.asked.rated_kw) for level in Level}
    findings = [f"{level}: {kw} kW, allowed is more than 0 and up to the rating, {kept.asked.rated_kw:g} kW"
                for level, kw in asked.items() if not 0.0 < kw <= kept.asked.rated_kw]  # fmt: skip
    findings += [f"{name}: no such level, there are {', '.join(Level)}" for name in reserve_kw if name not in asked]
    if findings:
        raise InputError(f"The power to be reserved for {kept.asked.application_id} is out of range.", findings)
    return {level: max(1, math.ceil(kw * _WATTS - _SLACK_W)) for level, kw in asked.items()}


def expiry(now: datetime, days: float) -> datetime:
    """Return when a promise of today expires.

    Raises
    ------
    InputError
        If the number of days is out of range.
    """
    if not 0.0 < days <= MOST_DAYS:
        raise InputError(f"A promise holds for more than 0 and up to {MOST_DAYS} days; {days:g} is neither.")
    return now + timedelta(days=days)


def _require_room(connection: Connection, kept: KeptApplication, level: Level, wanted_w: int, now: datetime) -> None:
    """Lock an element and refuse what does not fit beside the promises to others."""
    element_id, name = kept.asked.element(level), kept.asked.application_id
    row = _capacity(connection, level, element_id, lock=True)
    if row is None or row["room_w"] is None:
        why = "no run has been recorded for it" if row is None else f"run {row['batch_id']} could not tell"
        raise NoRoomError(
            f"Application {name} cannot be approved: the room of {level} {element_id} is not known, {why}. Record a "
            "run that covers it."
        )
    of_others = reservation.c.application_id != name
    taken_w = _sum_w(connection, level, element_id, and_(or_(_held(now), _used(row["as_of"])), of_others))
    free_w = int(row["room_w"]) - taken_w
    if wanted_w > free_w:
        raise NoRoomError(
            f"Application {name} cannot be approved: {level} {element_id} has {free_w / _WATTS:g} kW left "
            f"({row['room_w'] / _WATTS:g} kW found by run {row['batch_id']}, {taken_w / _WATTS:g} kW promised), wanted "
            f"are {wanted_w / _WATTS:g} kW. Defer it, or wait until promises are given back."
        )


def renew(connection: Connection, kept: KeptApplication, *, now: datetime, days: float) -> dict[str, object]:
    """Let the promise of an application hold longer, if there is room for it beside the promises to others.

    Raises
    ------
    NoRoomError
        If there is not enough: others have been promised it since, or a newer run has found less.
    """
    expires_at = expiry(now, days)
    for one in live(connection, kept.asked.application_id):
        watts = round(one.reserved_kw * _WATTS)
        _require_room(connection, kept, one.level, watts, now)
    _set_live(connection, kept.asked.application_id, ("held",), {"expires_at": expires_at})
    return {"expires_at": expires_at}


def use(connection: Connection, kept: KeptApplication, *, now: datetime) -> dict[str, object]:
    """Count the promise of an application as built.

    Raises
    ------
    LedgerError
        If it has expired: the room may be somebody else's.
    """
    name = kept.asked.application_id
    promised = live(connection, name)
    expired = [one for one in promised if one.expires_at <= now]
    if expired or not promised:
        day = f" on {expired[0].expires_at:%Y-%m-%d} UTC" if expired else ""
        raise LedgerError(f"The promise to application {name} has expired{day}. Renew it, then record what was built.")
    _set_live(connection, name, ("held",), {"state": "used", "state_at": now})
    return {"used_kw": {one.level.value: one.reserved_kw for one in promised}}


def give_back(
    connection: Connection, application_id: str, *, now: datetime, expired: bool = False
) -> dict[str, object]:
    """Give back what is reserved for an application; return what the journal says of it."""
    promised = live(connection, application_id)
    state = "expired" if expired else "released"
    _set_live(connection, application_id, ("held", "used"), {"state": state, "state_at": now})
    return {f"{state}_kw": {one.level.value: one.reserved_kw for one in promised}} if promised else {}


def _set_live(
    connection: Connection, application_id: str, states: tuple[str, ...], values: Mapping[str, object]
) -> None:
    connection.execute(
        update(reservation)
        .where(reservation.c.application_id == application_id, reservation.c.state.in_(states))
        .values(**values)
    )


def live(connection: Connection, application_id: str) -> list[Reservation]:
    """Return the promises to an application that stand, by level in the order of locks."""
    return [one for one in promises(connection, application_id) if one.state in ("held", "used")]


def promises(connection: Connection, application_id: str) -> list[Reservation]:
    """Return all promises to an application, past ones too, by level and time."""
    wanted = select(reservation).where(reservation.c.application_id == application_id).order_by(reservation.c.id)
    found = [
        Reservation(
            application_id=application_id,
            level=Level(row["level"]),
            element_id=row["element_id"],
            reserved_kw=row["reserved_w"] / _WATTS,
            held_at=row["held_at"],
            expires_at=row["expires_at"],
            state=row["state"],
        )
        for row in connection.execute(wanted).mappings()
    ]
    order = list(Level)
    return sorted(found, key=lambda one: order.index(one.level))


def due(connection: Connection, *, now: datetime) -> list[str]:
    """Return the applications whose promise has expired and was not yet marked so, by id."""
    wanted = (
        select(reservation.c.application_id)
        .where(reservation.c.state == "held", reservation.c.expires_at <= now)
        .distinct()
        .order_by(reservation.c.application_id)
    )
    return [str(name) for name in connection.execute(wanted).scalars()]
