"""Texts of schedules that wait for a second person."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
additive = True

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "schedule_proposals",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("protocol_id", sa.String(), nullable=False, index=True),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("based_on", sa.String(), nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
    )
