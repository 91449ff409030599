"""Tables of the ledger, for SQLite and PostgreSQL alike. What a database really holds is made by the migrations.

Power is kept in whole watts, so that sums of promises are exact and the same on every database.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from gridcheck.ledger.canonical import UtcMoment

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

APPEND_ONLY = ("journal", "batch", "assessment", "blob", "inspection")
"""Tables of which no row is ever changed or removed; triggers refuse it."""

ID_LENGTH, NAME_LENGTH, SHA256_LENGTH = 64, 200, 64
_LIVE = text("state in ('held', 'used')")
_LASTING = text("last_season is null")

application = Table(
    "application",
    METADATA,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("county_code", String(6), nullable=False, index=True),
    Column("village_code", String(ID_LENGTH), nullable=False),
    Column("area_id", String(ID_LENGTH), nullable=False, index=True),
    Column("feeder_id", String(ID_LENGTH), nullable=False),
    Column("main_transformer_id", String(ID_LENGTH), nullable=False),
    Column("device", String(NAME_LENGTH), nullable=False),
    Column("rated_kw", Double, nullable=False),
    Column("phase", String(3), nullable=False),
    Column("household_group", String(16), nullable=False),
    Column("homes", Integer, nullable=False),
    Column("applied_on", Date, nullable=False),
    Column("received_at", UtcMoment, nullable=False),
    Column("state", String(32), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("assessment_id", Integer, nullable=True),
)

blob = Table(
    "blob",
    METADATA,
    Column("sha256", String(SHA256_LENGTH), primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("zlib", LargeBinary, nullable=False),
)

batch = Table(
    "batch",
    METADATA,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("as_of", UtcMoment, nullable=False),
    Column("code_version", String(NAME_LENGTH), nullable=False),
    Column("catalogue_sha256", String(SHA256_LENGTH), nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("limits_json", Text, nullable=False),
    Column("inputs_json", Text, nullable=False),
    Column("inputs_sha256", String(SHA256_LENGTH), nullable=False),
)

assessment = Table(
    "assessment",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("application_id", String(ID_LENGTH), ForeignKey("application.id"), nullable=False, index=True),
    Column("batch_id", String(ID_LENGTH), ForeignKey("batch.id"), nullable=False, index=True),
    Column("at", UtcMoment, nullable=False),
    Column("verdict", String(32), nullable=False),
    Column("conditions_json", Text, nullable=False),
    Column("binding_level", String(32), nullable=True),
    Column("binding_element", String(NAME_LENGTH), nullable=True),
    Column("binding_quantity", String(NAME_LENGTH), nullable=True),
    Column("binding_value", Double, nullable=True),
    Column("binding_limit", Double, nullable=True),
    Column("limit_clause", Text, nullable=True),
    Column("probability", Double, nullable=True),
    Column("probability_low", Double, nullable=True),
    Column("probability_high", Double, nullable=True),
    Column("draws", Integer, nullable=True),
    Column("row_bytes", LargeBinary, nullable=False),
    Column("row_sha256", String(SHA256_LENGTH), nullable=False),
    Column("broken_before_json", Text, nullable=True),
)

capacity = Table(
    "capacity",
    METADATA,
    Column("level", String(32), primary_key=True),
    Column("element_id", String(ID_LENGTH), primary_key=True),
    Column("room_w", BigInteger, nullable=True),
    Column("batch_id", String(ID_LENGTH), ForeignKey("batch.id"), nullable=False),
    Column("as_of", UtcMoment, nullable=False),
)

reservation = Table(
    "reservation",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("application_id", String(ID_LENGTH), ForeignKey("application.id"), nullable=False),
    Column("level", String(32), nullable=False),
    Column("element_id", String(ID_LENGTH), nullable=False),
    Column("reserved_w", BigInteger, nullable=False),
    Column("held_at", UtcMoment, nullable=False),
    Column("expires_at", UtcMoment, nullable=False),
    Column("state", String(16), nullable=False),
    Column("state_at", UtcMoment, nullable=False),
    CheckConstraint("state in ('held', 'released', 'used', 'expired')", name="state"),
    CheckConstraint("reserved_w > 0", name="reserved_w"),
    Index("ix_reservation_level", "level", "element_id"),
    # A promise counts once: no application holds two of the same level, whatever a program does.
    Index("ix_reservation_live", "application_id", "level", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
)

inspection = Table(
    "inspection",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("application_id", String(ID_LENGTH), ForeignKey("application.id"), nullable=False, index=True),
    Column("at", UtcMoment, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("items_json", Text, nullable=False),
)

entitlement = Table(
    "entitlement",
    METADATA,
    Column("application_id", String(ID_LENGTH), ForeignKey("application.id"), primary_key=True),
    Column("first_season", Integer, nullable=False),
    Column("last_season", Integer, nullable=True),
    Column("has_tariff", Boolean, nullable=False),
    Column("has_subsidy", Boolean, nullable=False),
    Column("reasons_json", Text, nullable=False),
    Column("at", UtcMoment, nullable=False),
    Column("household_id", String(ID_LENGTH), nullable=True),
    Column("tariff", String(32), nullable=True),
    # A household is entitled once, whatever a program does; older entitlements name none.
    Index("ix_entitlement_household_id", "household_id", unique=True, sqlite_where=_LASTING,
          postgresql_where=_LASTING),
)  # fmt: skip

heating_energy = Table(
    "heating_energy",
    METADATA,
    Column("application_id", String(ID_LENGTH), ForeignKey("application.id"), primary_key=True),
    Column("season", Integer, primary_key=True, autoincrement=False),
    Column("heating_kwh", Double, nullable=False),
    Column("source", String(NAME_LENGTH), nullable=False),
    Column("confidence", String(2), nullable=False),
    Column("at", UtcMoment, nullable=False),
)

money_plan = Table(
    "money_plan",
    METADATA,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("budget_fen", BigInteger, nullable=False),
    Column("source_sha256", String(SHA256_LENGTH), nullable=False),
    Column("at", UtcMoment, nullable=False),
    CheckConstraint("budget_fen >= 0", name="budget_fen"),
)

project = Table(
    "project",
    METADATA,
    Column("plan_id", String(ID_LENGTH), ForeignKey("money_plan.id"), primary_key=True),
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("county_code", String(6), nullable=False),
    Column("feeder_id", String(ID_LENGTH), nullable=False),
    Column("area_id", String(ID_LENGTH), nullable=False),
    Column("place", String(NAME_LENGTH), nullable=False),
    Column("measures", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("cost_fen", BigInteger, nullable=False),
    Column("households", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("spent_fen", BigInteger, nullable=True),
    Column("version", Integer, nullable=False),
    Column("state_at", UtcMoment, nullable=False),
    CheckConstraint("state in ('proposed', 'reviewed', 'funded', 'built', 'rejected')", name="state"),
    CheckConstraint("cost_fen >= 0", name="cost_fen"),
)

journal = Table(
    "journal",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcMoment, nullable=False),
    Column("who", String(NAME_LENGTH), nullable=False),
    Column("action", String(32), nullable=False),
    Column("object", String(NAME_LENGTH), nullable=False, index=True),
    Column("before_json", Text, nullable=True),
    Column("after_json", Text, nullable=True),
    Column("reason", Text, nullable=False),
    Column("previous_hash", String(SHA256_LENGTH), nullable=False),
    Column("hash", String(SHA256_LENGTH), nullable=False, unique=True),
)

journal_head = Table(
    "journal_head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(SHA256_LENGTH), nullable=False),
    CheckConstraint("id = 1", name="single"),
)
