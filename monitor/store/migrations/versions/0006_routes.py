"""Ladders of alerts: when each was put to people, who has it, and coded outcomes."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    with op.batch_alter_table("alerts") as alerts:
        alerts.add_column(sa.Column("asked_at", instant, nullable=True))
        alerts.add_column(sa.Column("rungs_told", sa.Integer(), nullable=False, server_default="0"))
        alerts.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
        alerts.add_column(sa.Column("assigned_to", sa.String(), nullable=False, server_default=""))
        alerts.add_column(sa.Column("acknowledged_at", instant, nullable=True))
        alerts.add_column(sa.Column("outcome_at", instant, nullable=True))
        alerts.add_column(
            sa.Column("outcome_missed", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        alerts.add_column(sa.Column("no_answers", sa.Integer(), nullable=False, server_default="0"))
        alerts.add_column(
            sa.Column("contact_outcome", sa.String(), nullable=False, server_default="")
        )
    with op.batch_alter_table("alert_history") as history:
        history.add_column(sa.Column("code", sa.String(), nullable=False, server_default=""))
        history.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
    # What was told before ladders were: its first tier has heard of it.
    op.execute("UPDATE alerts SET asked_at = last_told_at, rungs_told = 1")
