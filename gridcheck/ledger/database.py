"""The database below the ledger: where it is, its transactions, and its faults in plain words.

Writing takes the lock of the whole file on SQLite (``BEGIN IMMEDIATE``) and of single rows on PostgreSQL. What another
writer stands in the way of is tried again; what fails is rolled back whole.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from gridcheck.errors import LedgerError

DEFAULT_FILE = Path("ledger.sqlite")
BUSY_TIMEOUT_S = 15.0
TRIES = 6

_FIRST_PAUSE_S = 0.05
# Serialisation failure, deadlock, lock not available: https://www.postgresql.org/docs/current/errcodes-appendix.html
_TRY_AGAIN_STATES = ("40001", "40P01", "55P03")
_FULL_STATES = ("53100", "53200")
_READ_ONLY = "gridcheck_read_only"

T = TypeVar("T")


class Database:
    """A database that is known by its address and not yet asked for anything.

    Parameters
    ----------
    address : str or Path
        URL such as ``postgresql://planner@server/gridcheck``, or the path of an SQLite file.
    busy_timeout_s : float
        How long to wait for another writer, each time. [s]

    Raises
    ------
    LedgerError
        If the address is none, names another kind of database, or its driver is not installed.
    """

    def __init__(self, address: str | Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._url = _url(address)
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        self.engine = self._sqlite_engine(busy_timeout_s) if self.is_sqlite else self._postgresql_engine(busy_timeout_s)

    @property
    def shown(self) -> str:
        """The address as people may see it: no password, and nothing of what stands behind a question mark."""
        return self._url.set(query={}).render_as_string(hide_password=True)

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database."""
        return Path(self._url.database or "") if self.is_sqlite else None

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one consistent state of the database.

        Raises
        ------
        LedgerError
            If the database cannot be read.
        """
        return self._run(work, read_only=True)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction: everything it writes is recorded, or nothing. It may be run again.

        Raises
        ------
        LedgerError
            If the database cannot be written; nothing is recorded then.
        """
        return self._run(work, read_only=False)

    def _run(self, work: Callable[[Connection], T], *, read_only: bool) -> T:
        options = {_READ_ONLY: read_only}
        for left in reversed(range(TRIES)):
            try:
                with self.engine.execution_options(**options).begin() as connection:
                    return work(connection)
            except (SQLAlchemyError, sqlite3.Error) as error:
                if left == 0 or not _may_try_again(error):
                    raise self.explained(error) from None
                time.sleep(_FIRST_PAUSE_S * 2 ** (TRIES - 1 - left))
        raise AssertionError("the last try returns or raises")

    def use_write_ahead_log(self) -> None:
        """Let readers of an SQLite file go on while somebody writes; the file remembers it.

        Raises
        ------
        LedgerError
            If the file cannot be written.
        """
        try:
            with sqlite3.connect(self.file or "", timeout=BUSY_TIMEOUT_S) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
            connection.close()
        except sqlite3.Error as error:
            raise self.explained(error) from None

    def explained(self, error: Exception) -> LedgerError:
        """Return the fault of a database as people can use it, without password, statement or data."""
        cause = _cause(error)
        said = " ".join(str(cause).split())
        if self._url.password:
            said = said.replace(str(self._url.password), "***")
        lost = isinstance(error, DBAPIError) and error.connection_invalidated
        return LedgerError(f"The ledger {self.shown} could not be used: {said}. {_remedy(cause, said, lost=lost)}")

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def _sqlite_engine(self, busy_timeout_s: float) -> Engine:
        # No pool: a connection that stays open would keep the file from being moved, and must not cross a fork.
        engine = create_engine(self._url, poolclass=NullPool, connect_args={"timeout": busy_timeout_s})

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # the driver would begin transactions of its own, and too late
            connection.execute(f"PRAGMA busy_timeout = {round(1000 * busy_timeout_s)}")
            connection.execute("PRAGMA synchronous = FULL")  # a promise is on the disk before it is told
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA recursive_triggers = ON")

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            read_only = connection.get_execution_options().get(_READ_ONLY, False)
            connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

        return engine

    def _postgresql_engine(self, busy_timeout_s: float) -> Engine:
        try:
            engine = create_engine(
                self._url,
                pool_pre_ping=True,
                isolation_level="READ COMMITTED",  # a row that was waited for is read as it is now
                hide_parameters=True,
            )
        except ImportError:
            raise LedgerError(
                f"{self.shown} needs the driver of PostgreSQL. Install it with: pip install 'gridcheck[postgres]'"
            ) from None

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            if connection.get_execution_options().get(_READ_ONLY, False):
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(1000 * busy_timeout_s)}")

        return engine


def _url(address: str | Path) -> URL:
    text = str(address)
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise LedgerError(
            f"The address of the ledger, {text.split('://', maxsplit=1)[0]}://…, cannot be read. Write "
            "postgresql://user@server:5432/database, or the path of a file for SQLite."
        ) from None
    name = url.drivername.split("+", maxsplit=1)[0]
    if name in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if name != "sqlite":
        raise LedgerError(f"The ledger stands on SQLite or PostgreSQL, not on {name}.")
    if not url.database or url.database == ":memory:":
        raise LedgerError(
            "The ledger needs a file: in memory it would be gone with the program. Write sqlite:///ledger.sqlite."
        )
    return url


def _cause(error: Exception) -> BaseException:
    """Return what the driver said; SQLAlchemy would add statement and data."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def _may_try_again(error: Exception) -> bool:
    cause = _cause(error)
    return getattr(cause, "sqlstate", None) in _TRY_AGAIN_STATES or "database is locked" in str(cause)


def _remedy(cause: BaseException, said: str, *, lost: bool) -> str:
    state = getattr(cause, "sqlstate", None)
    if "disk is full" in said or state in _FULL_STATES:
        return "Nothing of this step was recorded. Make room on its disk and try again."
    if "database is locked" in said or state in _TRY_AGAIN_STATES:
        return "Nothing of this step was recorded. Others are writing; try again in a moment."
    if "readonly" in said or "unable to open" in said:
        return "Check that the file and its folder may be written, and that the folder is on a disk of this computer."
    if "not a database" in said or "malformed" in said:
        return "The file is none of SQLite, or damaged: put back the last copy."
    if lost:
        return "The connection was lost; look at the history of the application to see whether the step was recorded."
    return "Nothing of this step was recorded. Check the address, the server and your rights there."
