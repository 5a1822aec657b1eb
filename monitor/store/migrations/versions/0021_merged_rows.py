"""Rows that went in only because numbers were merged are kept whole: they wait in quarantine once
the numbers come apart (see decision 0070)."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
additive = True  # a table that older programs neither write nor read


def upgrade() -> None:
    op.create_table(
        "merged_rows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("home_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("analyte", sa.String(), nullable=False),
        sa.Column("raw", sa.JSON(), nullable=False),
        sa.Column("raw_digest", sa.String(), nullable=False),
        sa.Column("mrn_key", sa.String(), nullable=False),
        sa.Column("came_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["home_id"], ["patients.id"]),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_merged_rows_home_id", "merged_rows", ["home_id"])
    op.create_index("ix_merged_rows_file_id", "merged_rows", ["file_id"])
