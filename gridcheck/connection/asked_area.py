"""One area while its queue is decided: what was asked in it, what is known of the answers, and its draws.

An answer follows from the area, its terminals, what stood there before and all that was asked so far. Answers that were
given once are taken again, so the draws of an area are made only where something new is asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gridcheck.checks.area_loads import AS_HOME, AreaLoads
from gridcheck.checks.risk_outlook import LvHeater
from gridcheck.connection.low_voltage_verdict import REPHASE, TAP_DOWN, TAP_UP, AreaQueue, LvVerdict
from gridcheck.network.low_voltage import PHASE_UNKNOWN, THREE_PHASE, LowVoltageGrid

_AREA_MEASURES = frozenset((TAP_UP, TAP_DOWN, REPHASE))
_PHASE_CODE = "phase:"
Answers = dict[bytes, LvVerdict]
"""Answers of areas by what they follow from: area, terminals, what stood there, and all that was asked so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """A heater that was promised or built before this queue.

    Attributes
    ----------
    area_id, device : str
        Where, and which class or model.
    rated_kw : float
        Rated input that was granted. [kW]
    phase : str
        Phase that was asked for: A, B, C, ABC; empty where nobody has said.
    conditions : tuple of str
        Codes of its approval.
    """

    area_id: str
    device: str
    rated_kw: float
    phase: str = ""
    conditions: tuple[str, ...] = ()

    @property
    def granted_phase(self) -> str:
        """The phase of its condition, empty where it has none."""
        named = [code.removeprefix(_PHASE_CODE) for code in self.conditions if code.startswith(_PHASE_CODE)]
        return named[-1] if named else ""

    @property
    def measures(self) -> tuple[str, ...]:
        """What had to be done in the area until then."""
        return tuple(code for code in self.conditions if code in _AREA_MEASURES)


@dataclass(slots=True, kw_only=True, eq=False)
class AskedArea:
    """One area: what was asked in it so far, and the homes for applicants whose meter is not known, next one first.

    Attributes
    ----------
    grid : LowVoltageGrid
        Lines and meters.
    make : callable
        Makes the queue as it is before anybody asks.
    key : bytes
        What answers follow from, so far.
    free : list of int
        Homes.
    homes : dict of str to int
        Homes that are kept for applications, by their ids.
    asked : list of (LvHeater, LvVerdict or None)
        Heaters with their answers; None for one that was promised at once.
    queue : AreaQueue or None
        The queue with the first `decided` of `asked`; None where nobody needed it, or its draws were let go.
    """

    grid: LowVoltageGrid
    make: Callable[[], AreaQueue]
    key: bytes
    free: list[int]
    homes: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[LvHeater, LvVerdict | None]] = field(default_factory=list)
    queue: AreaQueue | None = None
    decided: int = 0

    def home_for(self, phase: int) -> int:
        """Return the next home that may be the applicant's: on the phase that was named, if there is one."""
        for home in self.free:
            if phase in (AS_HOME, THREE_PHASE) or self.grid.home_phase[home] in (phase, PHASE_UNKNOWN):
                break
        else:
            home = self.free[0]
        return home

    def home_of(self, application_id: str, phase: int) -> int:
        """Return the home that is kept for an application, else the next one that may be the applicant's."""
        kept = self.homes.get(application_id)
        return self.home_for(phase) if kept is None else kept

    def keep(self, application_id: str, phase: int) -> None:
        """Keep the next home for an application, whenever it is asked for."""
        self.homes[application_id] = self.home_for(phase)
        self.take(self.homes[application_id])

    def take(self, home: int) -> None:
        """Keep a home from whoever comes next; the last one stays."""
        if len(self.free) > 1 and home in self.free:
            self.free.remove(home)

    def ask(self, heater: LvHeater, known: Answers) -> LvVerdict:
        """Answer a heater after all that were asked before; answers are kept without their draws."""
        self.key = digest_of(self.key, heater)
        found = known.get(self.key)
        if found is not None:
            self.asked.append((heater, found))
            return found
        self.decide(heater)
        found = self.asked[-1][1]
        assert found is not None  # it was decided just now
        known[self.key] = found
        return found

    def decide(self, heater: LvHeater) -> LvVerdict:
        """Answer a heater with the draws that the answer rests on."""
        answer = self.now().decide(heater)
        plain, outlook = (replace(one, batches=()) for one in (answer.plain, answer.outlook))
        self.asked.append((heater, replace(answer, plain=plain, outlook=outlook)))
        self.decided += 1
        return answer

    def promise(self, heater: LvHeater) -> None:
        """Keep a heater that is approved without draws of its own; they catch up when somebody needs them."""
        self.key = digest_of(self.key, "promised", heater)
        self.asked.append((heater, None))

    def now(self) -> AreaQueue:
        """Return the queue with all that was asked.

        Who was granted what is known, so only promises are kept again; steps of a tap and homes on other phases are
        found again by asking again.
        """
        if self.queue is None:
            self.queue, self.decided = self.make(), 0
        risk, pending = self.queue.risk, self.asked[self.decided :]
        if any(answer is not None and not _AREA_MEASURES.isdisjoint(answer.conditions) for _, answer in pending):
            for heater, answer in pending:
                if answer is None:
                    self.queue.risk.promised = (*self.queue.risk.promised, heater)
                else:
                    self.queue.decide(heater)
        else:
            granted = [h if answer is None else answer.outlook.heater for h, answer in pending if _granted(answer)]
            risk.promised = (*risk.promised, *granted)
        self.decided = len(self.asked)
        return self.queue


def _granted(answer: LvVerdict | None) -> bool:
    return answer is None or answer.fits


def digest_of(*parts: object) -> bytes:
    """Return what tells some parts from others: bytes as they are, the rest by its representation."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(part if isinstance(part, bytes) else repr(part).encode())
    return digest.digest()


def lines_digest(grid: LowVoltageGrid) -> bytes:
    """Return what tells the lines and meters of an area from others."""
    arrays = (grid.parent, grid.length_m, grid.home_node, grid.home_phase)
    # Without regulators as before they were known, so that answers of then are found again.
    parts = (*grid.regulators, *(array.tobytes() for array in arrays))
    return digest_of(grid.area_id, grid.type_name, grid.home_id, *parts)


def loads_digest(loads: AreaLoads) -> bytes:
    """Return what tells the loads of an area from others."""
    return digest_of(*(getattr(loads, name).tobytes() for name in ("home", "column", "rated_kw", "phase", "held")))
