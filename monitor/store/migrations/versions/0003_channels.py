"""Channels: what the other side said, bounces, and which ways out rest."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "breakers",
        sa.Column("way", sa.String(), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.String(), nullable=False),
    )
    with op.batch_alter_table("deliveries") as deliveries:
        deliveries.add_column(
            sa.Column("channel", sa.String(), nullable=False, server_default="mail")
        )
        deliveries.add_column(sa.Column("answer", sa.String(), nullable=False, server_default=""))
        deliveries.add_column(sa.Column("bounced_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_deliveries_message", "deliveries", ["message_id"])
