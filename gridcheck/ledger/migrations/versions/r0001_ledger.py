"""The first ledger: applications, answers with their inputs, room and promises, acceptance, subsidy, journal."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_APPEND_ONLY = ("journal", "batch", "assessment", "blob", "inspection")
_ZERO_HASH = "0" * 64


def upgrade() -> None:
    """Make the tables, and what refuses to change those that are only added to."""
    _applications()
    _answers()
    _promises()
    _afterwards()
    _journal()
    if op.get_bind().dialect.name == "postgresql":
        _refuse_on_postgresql()
    else:
        _refuse_on_sqlite()


def _moment(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _of_application() -> sa.Column[str]:
    return sa.Column("application_id", sa.String(64), nullable=False)


def _fk(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}")


def _applications() -> None:
    op.create_table(
        "application",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("county_code", sa.String(6), nullable=False),
        sa.Column("village_code", sa.String(64), nullable=False),
        sa.Column("area_id", sa.String(64), nullable=False),
        sa.Column("feeder_id", sa.String(64), nullable=False),
        sa.Column("main_transformer_id", sa.String(64), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.Column("rated_kw", sa.Double, nullable=False),
        sa.Column("phase", sa.String(3), nullable=False),
        sa.Column("household_group", sa.String(16), nullable=False),
        sa.Column("homes", sa.Integer, nullable=False),
        sa.Column("applied_on", sa.Date, nullable=False),
        _moment("received_at"),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("assessment_id", sa.Integer, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_application"),
    )
    for column in ("county_code", "area_id", "state"):
        op.create_index(f"ix_application_{column}", "application", [column])


def _answers() -> None:
    op.create_table(
        "blob",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("zlib", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_blob"),
    )
    op.create_table(
        "batch",
        sa.Column("id", sa.String(64), nullable=False),
        _moment("as_of"),
        sa.Column("code_version", sa.String(200), nullable=False),
        sa.Column("catalogue_sha256", sa.String(64), nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("limits_json", sa.Text, nullable=False),
        sa.Column("inputs_json", sa.Text, nullable=False),
        sa.Column("inputs_sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_batch"),
    )
    op.create_table(
        "assessment",
        sa.Column("id", sa.Integer, nullable=False),
        _of_application(),
        sa.Column("batch_id", sa.String(64), nullable=False),
        _moment("at"),
        sa.Column("verdict", sa.String(32), nullable=False),
        sa.Column("conditions_json", sa.Text, nullable=False),
        sa.Column("binding_level", sa.String(32), nullable=True),
        *(sa.Column(f"binding_{name}", sa.String(200), nullable=True) for name in ("element", "quantity")),
        *(sa.Column(f"binding_{name}", sa.Double, nullable=True) for name in ("value", "limit")),
        sa.Column("limit_clause", sa.Text, nullable=True),
        *(sa.Column(f"probability{end}", sa.Double, nullable=True) for end in ("", "_low", "_high")),
        sa.Column("draws", sa.Integer, nullable=True),
        sa.Column("row_bytes", sa.LargeBinary, nullable=False),
        sa.Column("row_sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_assessment"),
        _fk("assessment", "application_id", "application.id"),
        _fk("assessment", "batch_id", "batch.id"),
    )
    for column in ("application_id", "batch_id"):
        op.create_index(f"ix_assessment_{column}", "assessment", [column])


def _promises() -> None:
    op.create_table(
        "capacity",
        sa.Column("level", sa.String(32), nullable=False),
        sa.Column("element_id", sa.String(64), nullable=False),
        sa.Column("room_w", sa.BigInteger, nullable=True),
        sa.Column("batch_id", sa.String(64), nullable=False),
        _moment("as_of"),
        sa.PrimaryKeyConstraint("level", "element_id", name="pk_capacity"),
        _fk("capacity", "batch_id", "batch.id"),
    )
    op.create_table(
        "reservation",
        sa.Column("id", sa.Integer, nullable=False),
        _of_application(),
        sa.Column("level", sa.String(32), nullable=False),
        sa.Column("element_id", sa.String(64), nullable=False),
        sa.Column("reserved_w", sa.BigInteger, nullable=False),
        _moment("held_at"),
        _moment("expires_at"),
        sa.Column("state", sa.String(16), nullable=False),
        _moment("state_at"),
        sa.PrimaryKeyConstraint("id", name="pk_reservation"),
        _fk("reservation", "application_id", "application.id"),
        sa.CheckConstraint("state in ('held', 'released', 'used', 'expired')", name="ck_reservation_state"),
        sa.CheckConstraint("reserved_w > 0", name="ck_reservation_reserved_w"),
    )
    op.create_index("ix_reservation_level", "reservation", ["level", "element_id"])
    live = sa.text("state in ('held', 'used')")
    op.create_index(
        "ix_reservation_live",
        "reservation",
        ["application_id", "level"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )


def _afterwards() -> None:
    op.create_table(
        "inspection",
        sa.Column("id", sa.Integer, nullable=False),
        _of_application(),
        _moment("at"),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("items_json", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_inspection"),
        _fk("inspection", "application_id", "application.id"),
    )
    op.create_index("ix_inspection_application_id", "inspection", ["application_id"])
    op.create_table(
        "entitlement",
        _of_application(),
        sa.Column("first_season", sa.Integer, nullable=False),
        sa.Column("last_season", sa.Integer, nullable=True),
        sa.Column("has_tariff", sa.Boolean, nullable=False),
        sa.Column("has_subsidy", sa.Boolean, nullable=False),
        sa.Column("reasons_json", sa.Text, nullable=False),
        _moment("at"),
        sa.PrimaryKeyConstraint("application_id", name="pk_entitlement"),
        _fk("entitlement", "application_id", "application.id"),
    )
    op.create_table(
        "heating_energy",
        _of_application(),
        sa.Column("season", sa.Integer, nullable=False),
        sa.Column("heating_kwh", sa.Double, nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("confidence", sa.String(2), nullable=False),
        _moment("at"),
        sa.PrimaryKeyConstraint("application_id", "season", name="pk_heating_energy"),
        _fk("heating_energy", "application_id", "application.id"),
    )


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("seq", sa.BigInteger, nullable=False),
        _moment("at"),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("object", sa.String(200), nullable=False),
        sa.Column("before_json", sa.Text, nullable=True),
        sa.Column("after_json", sa.Text, nullable=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_journal"),
        sa.UniqueConstraint("hash", name="uq_journal_hash"),
    )
    op.create_index("ix_journal_object", "journal", ["object"])
    head = op.create_table(
        "journal_head",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_journal_head"),
        sa.CheckConstraint("id = 1", name="ck_journal_head_single"),
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": _ZERO_HASH}])


def _refuse_on_sqlite() -> None:
    for table in _APPEND_ONLY:
        for deed in ("update", "delete"):
            op.execute(
                f"create trigger {table}_no_{deed} before {deed} on {table} "
                f"begin select raise(abort, 'the ledger only adds rows to {table}'); end"
            )
    # INSERT OR REPLACE removes a row without asking the trigger above.
    for table, key in (
        ("journal", "seq"),
        ("batch", "id"),
        ("assessment", "id"),
        ("blob", "sha256"),
        ("inspection", "id"),
    ):
        op.execute(
            f"create trigger {table}_no_replace before insert on {table} "
            f"when exists (select 1 from {table} where {key} = new.{key}) "
            f"begin select raise(abort, 'the ledger only adds rows to {table}'); end"
        )


def _refuse_on_postgresql() -> None:
    op.execute(
        "create function ledger_only_adds() returns trigger language plpgsql as $$ "
        "begin raise exception 'the ledger only adds rows to %', tg_table_name; end $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"create trigger {table}_no_change before update or delete on {table} "
            "for each row execute function ledger_only_adds()"
        )
        op.execute(
            f"create trigger {table}_no_truncate before truncate on {table} "
            "for each statement execute function ledger_only_adds()"
        )
