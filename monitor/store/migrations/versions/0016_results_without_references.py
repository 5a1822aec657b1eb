"""Results refer to patients and files without the database checking each row: on PostgreSQL the
checks cost more than everything else of a large file (see decision 0055)."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
additive = True  # the same columns, with less asked of them

_REFERENCES = ("fk_results_home_id", "results_file_id_fkey", "results_patient_id_fkey")


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _copy_without_references()
        return
    for name in _REFERENCES:
        op.drop_constraint(name, "results", type_="foreignkey")


def _copy_without_references() -> None:
    """SQLite cannot drop a constraint: the rows go into a new table."""
    before = sa.Table("results", sa.MetaData(), autoload_with=op.get_bind(), resolve_fks=False)
    columns = [_without_references(it) for it in before.columns]
    after = op.create_table("results_new", *columns)
    op.execute(after.insert().from_select([it.name for it in columns], sa.select(before)))
    op.drop_table("results")
    op.rename_table("results_new", "results")
    op.create_index("ix_results_key", "results", ["patient_id", "analyte", "collected_on"])
    op.create_index("ix_results_file_id", "results", ["file_id"])
    merged = sa.text("home_id IS NOT NULL")
    op.create_index("ix_results_home_id", "results", ["home_id"], sqlite_where=merged)


def _without_references(column: sa.Column[Any]) -> sa.Column[Any]:
    return sa.Column(
        column.name,
        column.type,
        primary_key=column.primary_key,
        nullable=column.nullable,
        server_default=column.server_default,
    )
