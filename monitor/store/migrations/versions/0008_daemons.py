"""Several daemons on one database: who runs, whose turn a job is, who is reviewed first."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
additive = True


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "daemons",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("revision", sa.String(), nullable=False),
        sa.Column("started_at", instant, nullable=False),
        sa.Column("last_tick_at", instant, nullable=False),
        sa.Column("stopped_at", instant, nullable=True),
        sa.Column("failing", sa.String(), nullable=False),
    )
    op.create_table(
        "job_turns",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("holder", sa.String(), nullable=True),
        sa.Column("until", instant, nullable=True),
        sa.Column("done_at", instant, nullable=True),
    )
    op.add_column(
        "enrolments", sa.Column("wake_rank", sa.Integer(), nullable=False, server_default="0")
    )
    op.create_index("ix_enrolments_turn", "enrolments", ["wake_rank", "next_review_at", "id"])
