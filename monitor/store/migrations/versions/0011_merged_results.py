"""Only results of merged numbers are looked up by the number they came under: all others cost
no place in that index, and a large file goes in sooner."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
additive = True  # the same index, with less in it


def upgrade() -> None:
    merged = sa.text("home_id IS NOT NULL")
    op.drop_index("ix_results_home_id", table_name="results")
    op.create_index(
        "ix_results_home_id",
        "results",
        ["home_id"],
        sqlite_where=merged,
        postgresql_where=merged,
    )
