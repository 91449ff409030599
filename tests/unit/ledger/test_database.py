"""Shape of the tables, addresses, killed programs and full disks."""

import multiprocessing
import os
import signal
import sqlite3

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, text

from gridcheck.errors import LedgerError
from gridcheck.ledger import State, init_ledger, journal, open_ledger, schema, tables
from gridcheck.ledger.canonical import canonical_json, sha256_of
from gridcheck.ledger.database import Database
from gridcheck.ledger.records import Entry
from gridcheck.ledger.schema import newest_revision
from gridcheck.ledger.tables import APPEND_ONLY, METADATA
from tests.support.ledgers import AREA, BEFORE_ALL, BY, answer, asked, batch, die_in_an_approval, filled


def test_tables_and_migrations_agree(ledger):
    def difference(connection):
        options = {"version_table": "ledger_version", "compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)

    assert ledger._database.read(difference) == []


def test_a_difference_would_be_seen(ledger):
    ledger._database.write(lambda connection: connection.execute(text("alter table capacity add column x integer")))
    found = ledger._database.read(
        lambda connection: compare_metadata(
            MigrationContext.configure(connection, opts={"version_table": "ledger_version"}), METADATA
        )
    )
    assert [one[0] for one in found] == ["remove_column"]


def test_init_twice_changes_nothing(address):
    assert init_ledger(address, who="setup") == (None, newest_revision())
    assert init_ledger(address, who="setup") == (newest_revision(), newest_revision())
    ledger = open_ledger(address)
    assert [line.entry.action for line in ledger.journal()] == ["schema"]
    ledger.close()


def test_a_ledger_of_the_first_shape_keeps_its_entitlements(address):
    database = Database(address)

    def first_shape(connection):
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        columns = "id county_code village_code area_id feeder_id main_transformer_id device phase household_group state"
        places = ", ".join(f":{name}" for name in columns.split())
        row = dict.fromkeys(columns.split(), "x") | {"id": "R001", "county_code": "140827", "state": "entitled"}
        connection.execute(
            text(
                f"insert into application ({', '.join(columns.split())}, rated_kw, homes, applied_on, received_at, "
                f"version) values ({places}, 3.0, 1, '2025-09-01', '2025-09-01 00:00:00', 1)"
            ),
            row,
        )
        connection.execute(
            text(
                "insert into entitlement (application_id, first_season, has_tariff, has_subsidy, reasons_json, at) "
                "values ('R001', 2025, true, true, '[\"accepted\"]', '2025-11-01 00:00:00')"
            )
        )

    if database.file is not None:
        database.use_write_ahead_log()
    database.write(first_shape)
    database.dispose()
    assert init_ledger(address, who="setup") == ("0001", newest_revision())
    with open_ledger(address) as ledger:
        told = ledger.entitlement("R001")
        assert (told.has_subsidy, ledger.season_sum("140827", 2025).applications) == (True, 1)


def test_an_answer_of_the_second_shape_stays_whole_and_says_nothing_of_what_was_broken(address):
    database = Database(address)
    name_card = {"id": "run-1", "as_of": BEFORE_ALL, "code_version": "1", "catalogue_sha256": "c" * 64, "seed": 1}
    texts = {"limits_json": "[]", "inputs_json": "{}", "inputs_sha256": sha256_of("{}")}
    row = {
        "application_id": "R001", "batch_id": "run-1", "at": BEFORE_ALL, "verdict": "approve", "conditions_json": "[]",
        "binding_level": None, "binding_element": None, "binding_quantity": None, "binding_value": None,
        "binding_limit": None, "limit_clause": None, "probability": None, "probability_low": None,
        "probability_high": None, "draws": None, "row_sha256": sha256_of(b"R001,approve"),
    }  # fmt: skip
    # The digest as the versions before wrote it: over every column that the table had then.
    digest = sha256_of(canonical_json({**row, "row_bytes": sha256_of(b"R001,approve")}))

    def second_shape(connection):
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        wish = {name: getattr(asked(1), name) for name in asked(1).__dataclass_fields__ if name != "application_id"}
        stands = {"received_at": BEFORE_ALL, "state": "assessed", "version": 2, "assessment_id": 1}
        connection.execute(insert(tables.application).values(id="R001", **wish, **stands))
        connection.execute(insert(tables.batch).values(**name_card, **texts))
        connection.execute(insert(tables.assessment).values(id=1, row_bytes=b"R001,approve", **row))
        received = {**wish, "state": "received", "version": 1}
        frozen = {name: value for name, value in name_card.items() if name != "id"}
        after = {"state": "assessed", "version": 2, "assessment_id": 1, "answer_sha256": digest}
        told = [("receive", "R001", received), ("freeze", "batch run-1", frozen), ("assess", "R001", after)]
        entries = [Entry(action=action, object=name, after=content, **BY) for action, name, content in told]
        journal.append(connection, entries, at=BEFORE_ALL)

    if database.file is not None:
        database.use_write_ahead_log()
    database.write(second_shape)
    database.dispose()
    assert init_ledger(address, who="setup") == ("0002", newest_revision())
    with open_ledger(address) as ledger:
        assert ledger.verify_journal().is_whole
        kept = ledger.assessment(1).answer
        assert (kept.row, kept.broken_before) == (b"R001,approve", None)


def test_a_ledger_of_a_newer_version_is_left_alone(address):
    init_ledger(address, who="setup")
    database = Database(address)
    database.write(lambda connection: connection.execute(text("update ledger_version set version_num = '9999'")))
    database.dispose()
    for attempt in (lambda: open_ledger(address), lambda: init_ledger(address, who="setup")):
        with pytest.raises(LedgerError, match="has the shape 9999 of a newer gridcheck"):
            attempt()


def test_an_older_ledger_says_what_to_do(address, monkeypatch):
    init_ledger(address, who="setup")
    monkeypatch.setattr("gridcheck.ledger.schema.newest_revision", lambda: "0005")
    with pytest.raises(LedgerError, match=r"has the older shape 0004.* run: gridcheck init --database"):
        open_ledger(address)


def test_where_there_is_no_ledger(address):
    with pytest.raises(LedgerError, match=r"(There is no ledger|holds no ledger).*gridcheck init --database"):
        open_ledger(address)


def test_opening_makes_no_file(tmp_path):
    with pytest.raises(LedgerError, match="There is no ledger"):
        open_ledger(tmp_path / "none.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_tables_of_another_program_are_left_alone(address):
    database = Database(address)
    database.write(lambda connection: connection.execute(text("create table application (x integer)")))
    with pytest.raises(LedgerError, match="tables of another program"):
        init_ledger(address, who="setup")
    database.dispose()


def test_a_file_that_is_no_database(tmp_path):
    file = tmp_path / "ledger.sqlite"
    file.write_bytes(b"application_id,verdict\n" * 100)
    for attempt in (lambda: open_ledger(file), lambda: init_ledger(file, who="setup")):
        with pytest.raises(LedgerError, match=r"not a database.*none of SQLite, or damaged"):
            attempt()


@pytest.mark.parametrize(
    "wrong", ["mysql://u:secret@h/d", "postgresql://u:secret@h:port/d", "sqlite://", "sqlite:///:memory:"]
)
def test_addresses_that_cannot_be_used_are_refused_without_their_password(wrong):
    with pytest.raises(LedgerError) as caught:
        Database(wrong)
    assert "secret" not in str(caught.value)


def test_a_server_that_does_not_answer_is_told_without_password():
    address = "postgresql://planner:s3cret@127.0.0.1:1/grid?password=s3cret2&connect_timeout=2"
    with pytest.raises(LedgerError) as caught:
        open_ledger(address)
    assert "postgresql+psycopg://planner:***@127.0.0.1:1/grid could not be used" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_the_pragmas_of_sqlite(tmp_path):
    file = tmp_path / "ledger.sqlite"
    init_ledger(file, who="setup")
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    found = Database(file).read(
        lambda connection: [connection.execute(text(f"PRAGMA {name}")).scalar() for name in names]
    )
    assert found == ["wal", 2, 1, 15000]


def test_foreign_keys_hold(ledger):
    with pytest.raises(LedgerError, match=r"(?i)foreign key"):
        ledger._database.write(
            lambda connection: connection.execute(
                text("insert into heating_energy values ('nobody', 2025, 1.0, 'x', 'E', '2026-01-01 00:00:00')")
            )
        )


def test_readers_go_on_while_somebody_writes(ledger):
    filled(ledger, 1)

    def work(connection):
        connection.execute(text("update application set version = 77 where id = 'R001'"))
        # Seen from another connection: the state before this transaction.
        return ledger.application("R001").version

    assert ledger._database.write(work) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement", ["insert into reservation", "update application", "insert into journal", "commit"]
)
def test_a_program_killed_in_the_middle_loses_no_recorded_decision(address, statement):
    init_ledger(address, who="setup")
    with open_ledger(address) as ledger:
        kill(filled(ledger, 2, room_kw=6.0), address, statement)


def kill(ledger, address, statement):
    ledger.approve("R001", **BY)
    head = ledger.head()

    process = multiprocessing.get_context("spawn").Process(target=die_in_an_approval, args=(address, "R002", statement))
    process.start()
    process.join(120)

    assert process.exitcode == -signal.SIGKILL
    assert ledger.head() == head
    assert ledger.verify_journal(head).is_whole
    assert ledger.application("R001").state == State.APPROVED
    assert ledger.application("R002").state == State.ASSESSED
    assert ledger.promises("R002") == []
    assert ledger.room("area", AREA).free_kw == 3.0
    # Nothing that the dead program held stands in the way.
    assert ledger.approve("R002", **BY).state == State.APPROVED
    assert ledger.verify_journal(head).is_whole


def test_a_full_disk_is_told_and_nothing_is_half_recorded(tmp_path):
    file = tmp_path / "ledger.sqlite"
    init_ledger(file, who="setup")
    ledger = filled(open_ledger(file), 2)
    with sqlite3.connect(file) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.close()
    limit_pages(ledger, pages + 1)
    before = ledger.head()

    with pytest.raises(LedgerError, match=r"disk is full.*Nothing of this step was recorded\. Make room on its disk"):
        ledger.receive([asked(number) for number in range(10, 400)], **BY)
    assert len(ledger.applications()) == 2

    with pytest.raises(LedgerError, match="disk is full"):
        ledger.assess(batch(), [answer(1, row=os.urandom(40_000))], **BY)
    assert ledger.application("R001").version == 2
    assert ledger.head() == before
    assert ledger.verify_journal(before).is_whole

    limit_pages(ledger, 1_000_000)
    ledger.approve("R001", **BY)
    assert ledger.verify_journal(before).is_whole


def limit_pages(ledger, pages: int) -> None:
    """Let the file grow no larger, as a disk that is full."""
    from sqlalchemy import event

    @event.listens_for(ledger._database.engine, "connect")
    def limit(connection, _record):
        connection.execute(f"PRAGMA max_page_count = {pages}")


def test_another_writer_is_waited_for_and_then_named(tmp_path):
    file = tmp_path / "ledger.sqlite"
    init_ledger(file, who="setup")
    filled(open_ledger(file), 1)
    impatient = Database(file, busy_timeout_s=0.01)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(
        LedgerError, match=r"database is locked\. Nothing of this step was recorded\. Others are writing"
    ):
        impatient.write(lambda connection: connection.execute(text("select 1")))
    other.execute("ROLLBACK")
    other.close()
    assert impatient.write(lambda connection: connection.execute(text("select 1")).scalar()) == 1


def test_append_only_tables_have_their_triggers(ledger):
    names = "select name from sqlite_master where type = 'trigger'" if ledger._database.is_sqlite else (
        "select event_object_table || ' ' || event_manipulation from information_schema.triggers"
    )  # fmt: skip
    found = ledger._database.read(lambda connection: set(connection.execute(text(names)).scalars()))
    for table in APPEND_ONLY:
        if ledger._database.is_sqlite:
            assert {f"{table}_no_update", f"{table}_no_delete", f"{table}_no_replace"} <= found
        else:
            assert {f"{table} UPDATE", f"{table} DELETE"} <= found
