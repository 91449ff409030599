"""A ledger with some applications of one area, and the programs that work with it at the same time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import event

from gridcheck.errors import NoRoomError
from gridcheck.ledger import (
    Answer,
    Batch,
    Capacity,
    Finding,
    Ledger,
    Level,
    NewApplication,
    checklist_items,
    open_ledger,
)

AREA, FEEDER, TRANSFORMER = "140827-A0001", "140827-F003", "140827-S02-T1"
ELEMENTS: Mapping[Level, str] = {Level.AREA: AREA, Level.FEEDER: FEEDER, Level.MAIN_TRANSFORMER: TRANSFORMER}
BEFORE_ALL = datetime(2025, 9, 30, 16, 0, tzinfo=UTC)
BY = {"who": "李工", "reason": "测试 test"}


class Clock:
    """A clock that goes only when it is told to."""

    def __init__(self, now: datetime = datetime(2025, 10, 1, 2, 0, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the time that it shows."""
        return self.now

    def pass_days(self, days: float) -> None:
        """Let days go by."""
        self.now += timedelta(days=days)


def asked(number: int, **changes: Any) -> NewApplication:
    """Return the wish of a home in the area."""
    one = NewApplication(
        application_id=f"R{number:03d}",
        county_code="140827",
        village_code="140827100200",
        area_id=AREA,
        feeder_id=FEEDER,
        main_transformer_id=TRANSFORMER,
        device="air_air_heat_pump",
        rated_kw=3.0,
        phase="A",
        household_group="ordinary",
        applied_on=date(2025, 9, 1),
    )
    return replace(one, **changes)


def batch(name: str = "run-1", *, as_of: datetime = BEFORE_ALL, **changes: Any) -> Batch:
    """Return what a run was made from."""
    one = Batch(
        batch_id=name,
        as_of=as_of,
        code_version="1.2.3",
        catalogue_sha256=sha256(b"catalogue").hexdigest(),
        seed=2025,
        limits=[{"name": "min_voltage_v", "value": 198.0, "clause": "GB/T 12325", "confidence": "S2"}],
        inputs={"applications.csv": sha256(b"a,b\n1,2\n").hexdigest()},
    )
    return replace(one, **changes)


def answer(number: int, verdict: str = "approve", **changes: Any) -> Answer:
    """Return the answer to the wish of a home."""
    return replace(
        Answer(application_id=f"R{number:03d}", verdict=verdict, row=f"R{number:03d},{verdict}\n".encode()), **changes
    )


def room_for(kw: float, *, elsewhere_kw: float = 1000.0) -> list[Capacity]:
    """Return room of the area, and more than enough above it."""
    return [
        Capacity(level=level, element_id=name, room_kw=kw if level is Level.AREA else elsewhere_kw)
        for level, name in ELEMENTS.items()
    ]


def filled(ledger: Ledger, homes: int, *, room_kw: float = 1000.0) -> Ledger:
    """Take in homes that were all answered with an approval, in an area with so much room."""
    numbers = range(1, homes + 1)
    ledger.receive([asked(number) for number in numbers], **BY)
    ledger.assess(batch(), [answer(number) for number in numbers], **BY)
    ledger.set_capacity(batch(), room_for(room_kw), **BY)
    return ledger


def all_pass() -> tuple[Finding, ...]:
    """Return an inspection in which nothing has failed."""
    return tuple(Finding(item=one.item, result="pass", value=None, note="") for one in checklist_items() if one.needed)


def approve_all(address: str, names: list[str], meeting: Path, programs: int) -> dict[str, str]:
    """Approve applications one by one, as a program of its own; return what became of each.

    The programs wait for each other in a folder, so that they all begin at the same moment.
    """
    ledger = open_ledger(address)
    (meeting / str(os.getpid())).touch()
    deadline = time.monotonic() + 300.0
    while len(list(meeting.iterdir())) < programs and time.monotonic() < deadline:
        time.sleep(0.002)
    done = {}
    for name in names:
        try:
            done[name] = ledger.approve(name, who=f"planner {os.getpid()}", reason="race").state
        except NoRoomError:
            done[name] = "no room"
    ledger.close()
    return done


def die_in_an_approval(address: str, name: str, statement: str) -> None:
    """Approve one application, and be killed just before a statement that begins with some words, or before commit."""
    ledger = open_ledger(address)
    engine = ledger._database.engine

    def before_statement(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        if text.lower().startswith(statement):
            os.kill(os.getpid(), signal.SIGKILL)

    if statement == "commit":
        event.listen(engine, "commit", lambda _connection: os.kill(os.getpid(), signal.SIGKILL))
    else:
        event.listen(engine, "before_cursor_execute", before_statement)
    ledger.approve(name, **BY)
