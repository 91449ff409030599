"""What Alembic runs for each migration: inside the transaction that it is given, whole or not at all."""

from __future__ import annotations

from alembic import context

from gridcheck.ledger.tables import METADATA

VERSION_TABLE = "ledger_version"


def migrate() -> None:
    """Run the steps that are asked for on the connection of the caller."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=METADATA, version_table=VERSION_TABLE)
    with context.begin_transaction():
        context.run_migrations()


# The name under which Alembic loads this file; imported under its own name it does nothing.
if __name__ == "env_py":
    migrate()
