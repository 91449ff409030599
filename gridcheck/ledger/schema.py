"""Which shape the tables of a database have, and bringing them to the shape that this version knows."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from gridcheck.errors import LedgerError
from gridcheck.ledger import journal
from gridcheck.ledger.canonical import now_utc
from gridcheck.ledger.database import Database
from gridcheck.ledger.migrations.env import VERSION_TABLE
from gridcheck.ledger.records import Entry

# Any number: two programs that make the same ledger at once wait for each other.
_LOCK_OF_MIGRATIONS = 8_140_827


def newest_revision() -> str:
    """Return the revision that this version of gridcheck works with."""
    return _scripts().get_current_head() or ""


def revision_of(connection: Connection) -> str | None:
    """Return the revision of a database; None where it holds no ledger."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    revision: str | None = connection.execute(text(f"select version_num from {VERSION_TABLE}")).scalar()
    return revision


def init_ledger(address: str | Path, *, who: str) -> tuple[str | None, str]:
    """Make a ledger, or bring an older one to the shape that this version works with.

    Parameters
    ----------
    address : str or Path
        URL such as ``postgresql://planner@server/gridcheck``, or the path of an SQLite file.
    who : str
        Whom the journal names.

    Returns
    -------
    before : str or None
        Revision that was found; None for a new ledger.
    after : str
        Revision that stands now.

    Raises
    ------
    LedgerError
        If the database cannot be used.
    """
    journal.require_signed(who, "gridcheck init")
    database = Database(address)
    try:
        return upgrade(database, who=who)
    finally:
        database.dispose()


def upgrade(database: Database, *, who: str) -> tuple[str | None, str]:
    """Make the tables of the ledger, or bring them to the newest shape; all in one transaction.

    Parameters
    ----------
    database : Database
        Where. The file of SQLite and its folder are made where they are missing.
    who : str
        Whom the journal names.

    Returns
    -------
    before : str or None
        Revision that was found; None for a new ledger.
    after : str
        Revision that stands now.

    Raises
    ------
    LedgerError
        If the database is that of a newer version, holds tables of something else, or cannot be written.
    """
    if database.file is not None:
        try:
            database.file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LedgerError(f"{database.file.parent} cannot be made: {error.strerror or error}.") from None
        database.use_write_ahead_log()

    def work(connection: Connection) -> tuple[str | None, str]:
        if not database.is_sqlite:
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK_OF_MIGRATIONS})
        before = revision_of(connection)
        if before is not None:
            _require_known(before, database)
        newest = newest_revision()
        if before == newest:
            return before, newest
        if before is None and "application" in inspect(connection).get_table_names():
            raise LedgerError(
                f"{database.shown} holds tables of another program. Give the ledger a database of its own."
            )
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        step = Entry(
            action="schema", object="ledger", before={"revision": before}, after={"revision": newest},
            who=who, reason="gridcheck init",
        )  # fmt: skip
        journal.append(connection, [step], at=now_utc())
        return before, newest

    return database.write(work)


def require_current(database: Database) -> None:
    """Refuse a database that is missing, older or newer than what this version works with.

    Raises
    ------
    LedgerError
        Saying which it is and what to do.
    """
    make = f"Make one with: gridcheck init --database {database.shown}"
    if database.file is not None and not database.file.is_file():
        raise LedgerError(f"There is no ledger {database.file}. {make}")
    revision = database.read(revision_of)
    if revision is None:
        raise LedgerError(f"{database.shown} holds no ledger. {make}")
    _require_known(revision, database)
    if revision != newest_revision():
        raise LedgerError(
            f"The ledger {database.shown} has the older shape {revision}, this version works with {newest_revision()}. "
            f"Make a copy of it, then run: gridcheck init --database {database.shown}"
        )


def _require_known(revision: str, database: Database) -> None:
    if revision not in {script.revision for script in _scripts().walk_revisions()}:
        raise LedgerError(
            f"The ledger {database.shown} has the shape {revision} of a newer gridcheck; this version knows up to "
            f"{newest_revision()} and leaves it alone. Use the newer version."
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "gridcheck.ledger:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
