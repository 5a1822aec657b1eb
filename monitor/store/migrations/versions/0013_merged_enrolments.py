"""Enrolments merged into another are looked up by it: without an index each review of somebody
with an empty cell read all enrolments."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
additive = True


def upgrade() -> None:
    merged = sa.text("merged_into IS NOT NULL")
    op.create_index(
        "ix_enrolments_merged_into",
        "enrolments",
        ["merged_into"],
        sqlite_where=merged,
        postgresql_where=merged,
    )
