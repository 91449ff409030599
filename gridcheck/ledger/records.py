"""What goes into the ledger and comes out of it: plain records, no rows of a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """Level of the grid at which power is promised, in the order in which rows are locked."""

    AREA = "area"
    FEEDER = "feeder"
    MAIN_TRANSFORMER = "main_transformer"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApplication:
    """A wish to connect, as it is received.

    Attributes
    ----------
    application_id, county_code, village_code, area_id, feeder_id, main_transformer_id : str
        Ids; the last three say on which elements of the grid power will be promised.
    device : str
        Class of heater, or a model of the planner's own.
    rated_kw : float
        Rated electric input. [kW]
    phase : str
        A, B, C or ABC.
    household_group : str
        ordinary or hardship.
    applied_on : date
        Day of the application, in Asia/Shanghai.
    homes : int
        Homes behind the connection: 1, more for a central station.
    """

    application_id: str
    county_code: str
    village_code: str
    area_id: str
    feeder_id: str
    main_transformer_id: str
    device: str
    rated_kw: float
    phase: str
    household_group: str
    applied_on: date
    homes: int = 1

    def element(self, level: Level) -> str:
        """Return the element of a level on which this application draws."""
        return {
            Level.AREA: self.area_id,
            Level.FEEDER: self.feeder_id,
            Level.MAIN_TRANSFORMER: self.main_transformer_id,
        }[level]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptApplication:
    """An application as it stands in the ledger.

    Attributes
    ----------
    asked : NewApplication
        What was asked.
    state : str
        Where it stands, see `gridcheck.ledger.life.State`.
    version : int
        Number of changes; hand it back with a step to be sure that nobody changed the application meanwhile.
    received_at : datetime
        When it was received. [UTC]
    assessment_id : int or None
        The last answer.
    """

    asked: NewApplication
    state: str
    version: int
    received_at: datetime
    assessment_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What the answers of one run were made from, frozen with them.

    Attributes
    ----------
    batch_id : str
        Name of the run.
    as_of : datetime
        Moment up to which heaters that are built belong to the load that the run has seen. [UTC]
    code_version, catalogue_sha256 : str
        Version of gridcheck, and checksum of its catalogues (`gridcheck.ledger.catalogue_sha256`).
    seed : int
        Seed of the run.
    limits : object
        Limits with clause and mark, as JSON can hold them.
    inputs : mapping of str to str
        SHA-256 of each input by name: application table, scenario, county files.
    """

    batch_id: str
    as_of: datetime
    code_version: str
    catalogue_sha256: str
    seed: int
    limits: Any
    inputs: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer of a run to one application.

    Attributes
    ----------
    application_id : str
        The application.
    verdict : str
        approve, approve_with_conditions, defer or insufficient_data.
    row : bytes
        The row of the table of answers exactly as it was written.
    conditions : tuple of str
        Codes.
    binding_level, binding_element, binding_quantity, limit_clause : str or None
        The limit that leaves the least room.
    binding_value, binding_limit : float or None
        In the limit's unit.
    probability, probability_low, probability_high : float or None
        Share of draws in which the limit is broken, with its interval. [1]
    draws : int or None
        Number of draws.
    broken_before : tuple of str or None
        Quantities that the area breaks without the heater; None where nobody has told, as in answers of older ledgers.
    """

    application_id: str
    verdict: str
    row: bytes
    conditions: tuple[str, ...] = ()
    binding_level: str | None = None
    binding_element: str | None = None
    binding_quantity: str | None = None
    binding_value: float | None = None
    binding_limit: float | None = None
    limit_clause: str | None = None
    probability: float | None = None
    probability_low: float | None = None
    probability_high: float | None = None
    draws: int | None = None
    broken_before: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAssessment:
    """An answer as it was recorded, with what it was made from.

    Attributes
    ----------
    assessment_id : int
        Its number.
    answer : Answer
        The answer.
    batch : Batch
        The run.
    at : datetime
        When it was recorded. [UTC]
    inputs_sha256, row_sha256 : str
        Checksums of the list of inputs and of the row.
    """

    assessment_id: int
    answer: Answer
    batch: Batch
    at: datetime
    inputs_sha256: str
    row_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """What an approval grants, against which a heater is inspected.

    Attributes
    ----------
    application_id : str
        The application.
    rated_kw : float
        Rated input that was asked for, or the cap of its conditions. [kW]
    phase : str
        Phase that its conditions name, or that was asked for.
    """

    application_id: str
    rated_kw: float
    phase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Room of one element as a run has found it.

    Attributes
    ----------
    level : Level
        Level of the grid.
    element_id : str
        The element.
    room_kw : float or None
        Rated power that fits beyond what is built, *before* promises of this ledger; negative where the element is
        overloaded, None where the run could not tell. [kW]
    """

    level: Level
    element_id: str
    room_kw: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Room of an element and what stands against it now.

    Attributes
    ----------
    level, element_id
        The element.
    room_kw : float or None
        As the run found it; None where it is not known. [kW]
    held_kw : float
        Promised and not built, where the promise has not expired. [kW]
    used_kw : float
        Built since the run, so not part of the load it has seen. [kW]
    batch_id, as_of : str, datetime or None
        The run; None where there was none.
    """

    level: Level
    element_id: str
    room_kw: float | None
    held_kw: float
    used_kw: float
    batch_id: str | None
    as_of: datetime | None

    @property
    def is_known(self) -> bool:
        """Whether a run has found the room of this element."""
        return self.room_kw is not None

    @property
    def free_kw(self) -> float | None:
        """What can still be promised; None where the room is not known. [kW]"""
        return None if self.room_kw is None else round(self.room_kw - self.held_kw - self.used_kw, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A promise of power on one element.

    Attributes
    ----------
    application_id, level, element_id
        For whom, and where.
    reserved_kw : float
        Power. [kW]
    held_at, expires_at : datetime
        Since when, and until when it holds unless the heater is built. [UTC]
    state : str
        held, released, used or expired.
    """

    application_id: str
    level: Level
    element_id: str
    reserved_kw: float
    held_at: datetime
    expires_at: datetime
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the journal is to hold of one change.

    Attributes
    ----------
    action, object : str
        What was done, to what.
    who, reason : str
        Whose decision, and why.
    before, after : mapping or None
        What changed.
    """

    action: str
    object: str
    who: str
    reason: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One line of the journal.

    Attributes
    ----------
    seq : int
        Its number, from 1 without gaps.
    at : datetime
        When. [UTC]
    entry : Entry
        Who did what and why.
    previous_hash, hash : str
        The chain.
    """

    seq: int
    at: datetime
    entry: Entry
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of the journal: whoever has noted it down elsewhere notices when lines are missing later.

    Attributes
    ----------
    seq : int
        Number of the last line, 0 where there is none.
    hash : str
        Its hash.
    """

    seq: int
    hash: str

    def __str__(self) -> str:
        """Return it as it is printed and read."""
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalCheck:
    """What the verification of the journal has found.

    Attributes
    ----------
    entries : int
        Lines that were read.
    head : Head
        The end of the chain as far as it holds.
    broken_at : int or None
        Number of the first line that does not hold.
    fault : str
        Code of what is wrong there: gap, previous, hash, tail, exported_head; empty where the chain holds.
    changed : sequence of str
        Applications and answers that are not what the journal says.
    """

    entries: int
    head: Head
    broken_at: int | None = None
    fault: str = ""
    changed: Sequence[str] = field(default=())

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found."""
        return not self.fault and not self.changed
