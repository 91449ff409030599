"""Projects of a reinforcement plan: proposed, reviewed, funded, built, and the money of the plan."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the two tables."""
    op.create_table(
        "money_plan",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("budget_fen", sa.BigInteger, nullable=False),
        sa.Column("source_sha256", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_money_plan")),
        sa.CheckConstraint("budget_fen >= 0", name=op.f("ck_money_plan_budget_fen")),
    )
    op.create_table(
        "project",
        sa.Column("plan_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("county_code", sa.String(6), nullable=False),
        sa.Column("feeder_id", sa.String(64), nullable=False),
        sa.Column("area_id", sa.String(64), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("measures", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("cost_fen", sa.BigInteger, nullable=False),
        sa.Column("households", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("spent_fen", sa.BigInteger, nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "id", name=op.f("pk_project")),
        sa.ForeignKeyConstraint(["plan_id"], ["money_plan.id"], name=op.f("fk_project_plan_id")),
        sa.CheckConstraint(
            "state in ('proposed', 'reviewed', 'funded', 'built', 'rejected')", name=op.f("ck_project_state")
        ),
        sa.CheckConstraint("cost_fen >= 0", name=op.f("ck_project_cost_fen")),
    )
