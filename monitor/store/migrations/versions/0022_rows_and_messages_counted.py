"""How many rows each file left, and how many messages were made about each alert: so that one that
is gone is missed (see decision 0071)."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
additive = True  # columns that older programs neither write nor read, and an index


def upgrade() -> None:
    op.add_column("files", sa.Column("left_rows", sa.JSON(), nullable=True))
    op.add_column("alerts", sa.Column("messages_made", sa.Integer(), nullable=True))
    op.create_index("ix_events_file_id", "events", ["file_id"])
