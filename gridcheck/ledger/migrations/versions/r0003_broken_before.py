"""Answers say what the area breaks without the heater, as letters from a folder of answers do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, empty for answers that were recorded before: nobody has kept it for them."""
    op.add_column("assessment", sa.Column("broken_before_json", sa.Text, nullable=True))
