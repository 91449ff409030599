"""Questions to the ledger: reading only, each on one consistent state of the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Self

from sqlalchemy import Connection

from gridcheck.errors import InputError
from gridcheck.ledger import acceptance, frozen, journal, life, listing, reservations, subsidy
from gridcheck.ledger import season as season_money
from gridcheck.ledger.canonical import in_utc, now_utc
from gridcheck.ledger.database import Database
from gridcheck.ledger.life import State
from gridcheck.ledger.records import (
    Head,
    JournalCheck,
    JournalEntry,
    KeptApplication,
    KeptAssessment,
    Level,
    Reservation,
    Room,
)


class LedgerReader:
    """What the ledger can be asked; ``with open_ledger(...) as ledger`` closes its connections at the end.

    Parameters
    ----------
    database : Database
        Its database.
    clock : callable
        Says what time it is.
    """

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = now_utc) -> None:
        self._database = database
        self._clock = clock

    @property
    def shown(self) -> str:
        """Its address, without password."""
        return self._database.shown

    def close(self) -> None:
        """Close its connections."""
        self._database.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _now(self) -> datetime:
        return in_utc(self._clock())

    def application(self, application_id: str) -> KeptApplication:
        """Return an application as it stands."""
        return self._database.read(lambda connection: life.found(connection, application_id))

    def applications(
        self, *, state: State | None = None, county_code: str | None = None, area_id: str | None = None
    ) -> Sequence[KeptApplication]:
        """Return applications by id: all, or those of a state, a county, an area."""
        return self._database.read(
            lambda connection: life.standing(connection, state=state, county_code=county_code, area_id=area_id)
        )

    def listed(
        self, *, states: Sequence[State] = (), county_codes: Sequence[str] = (), area_id: str | None = None
    ) -> tuple[listing.ListedApplication, ...]:
        """Return applications by id with their last answer and change; all, or those of states, counties, an area."""
        return self._database.read(
            lambda connection: listing.listed(connection, states=states, county_codes=county_codes, area_id=area_id)
        )

    def room(self, level: Level | str, element_id: str) -> Room:
        """Return the room of an element and what stands against it now.

        Raises
        ------
        InputError
            If there is no such level.
        """
        if level not in tuple(Level):
            raise InputError(f"Room is kept by level {', '.join(Level)}; {level!r} is none.")
        wanted = Level(level)
        return self._database.read(
            lambda connection: reservations.room(connection, wanted, element_id, now=self._now())
        )

    def promises(self, application_id: str) -> Sequence[Reservation]:
        """Return what is and was reserved for an application."""
        return self._database.read(lambda connection: reservations.promises(connection, application_id))

    def assessment(self, assessment_id: int) -> KeptAssessment:
        """Return an answer with what it was made from."""
        return self._database.read(lambda connection: frozen.read_assessment(connection, assessment_id))

    def answer(self, application_id: str) -> KeptAssessment | None:
        """Return the last answer to an application; None where it was not assessed yet."""

        def work(connection: Connection) -> KeptAssessment | None:
            number = life.found(connection, application_id).assessment_id
            return None if number is None else frozen.read_assessment(connection, number)

        return self._database.read(work)

    def file(self, sha256: str) -> bytes:
        """Return an input that was kept, by its checksum."""
        return self._database.read(lambda connection: frozen.read_blob(connection, sha256))

    def inspections(self, application_id: str) -> Sequence[Mapping[str, object]]:
        """Return the inspections of an application, oldest first."""
        return self._database.read(lambda connection: acceptance.inspections(connection, application_id))

    def entitlement(self, application_id: str) -> subsidy.Entitlement | None:
        """Return what an application is entitled to; None where it was not recorded yet."""
        return self._database.read(
            lambda connection: subsidy.kept_entitlement(connection, life.found(connection, application_id))
        )

    def season_sum(self, county_code: str, season: int) -> season_money.SeasonSum:
        """Add up the running subsidy of a county for a season."""
        return self._database.read(lambda connection: season_money.season_sum(connection, county_code, season))

    def season_claims(self, season: int) -> tuple[tuple[season_money.Claim, ...], Mapping[str, int], Head]:
        """Return what is entitled in a season, applications that wait for it by county, and the end of the journal."""

        def work(connection: Connection) -> tuple[tuple[season_money.Claim, ...], Mapping[str, int], Head]:
            found = season_money.claims(connection, season)
            return found, season_money.accepted_waiting(connection), journal.head(connection)

        return self._database.read(work)

    def history(self, application_id: str) -> Sequence[JournalEntry]:
        """Return the lines of the journal about an application, oldest first."""
        return self._database.read(lambda connection: journal.entries(connection, application_id))

    def journal(self, *, last: int | None = None) -> Sequence[JournalEntry]:
        """Return the journal, oldest first: all of it, or its last lines."""
        return self._database.read(lambda connection: journal.entries(connection, last=last))

    def head(self) -> Head:
        """Return the end of the journal, to be noted down outside the ledger."""
        return self._database.read(journal.head)

    def verify_journal(self, exported: Head | None = None) -> JournalCheck:
        """Walk the chain of the journal; `exported` is an end that was noted down outside."""
        return self._database.read(lambda connection: journal.verify(connection, exported))
