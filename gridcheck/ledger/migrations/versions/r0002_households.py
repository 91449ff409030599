"""Entitlements name the household, which is entitled once, and the price that it has chosen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both columns, empty for entitlements that were recorded before."""
    op.add_column("entitlement", sa.Column("household_id", sa.String(64), nullable=True))
    op.add_column("entitlement", sa.Column("tariff", sa.String(32), nullable=True))
    lasting = sa.text("last_season is null")
    op.create_index(
        "ix_entitlement_household_id",
        "entitlement",
        ["household_id"],
        unique=True,
        sqlite_where=lasting,
        postgresql_where=lasting,
    )
