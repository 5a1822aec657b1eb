"""Days and instants of results are counted on SQLite instead of written out: the narrower the rows
and their index, the sooner a large file is in (see decision 0061)."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

_INSTANTS = ("collected_at", "reported_at")
_DAYS = ("collected_on",)


def upgrade() -> None:
    """PostgreSQL counts both by itself."""
    if op.get_bind().dialect.name != "sqlite":
        return
    before = sa.Table("results", sa.MetaData(), autoload_with=op.get_bind(), resolve_fks=False)
    after = op.create_table("results_new", *map(_counted, before.columns))
    rows = sa.select(*map(_count, before.columns)).order_by(before.c.id)
    op.execute(after.insert().from_select([it.name for it in before.columns], rows))
    op.drop_table("results")
    op.rename_table("results_new", "results")
    op.create_index("ix_results_key", "results", ["patient_id", "analyte", "collected_on"])
    op.create_index("ix_results_file_id", "results", ["file_id"])
    merged = sa.text("home_id IS NOT NULL")
    op.create_index("ix_results_home_id", "results", ["home_id"], sqlite_where=merged)


def _counted(column: sa.Column[Any]) -> sa.Column[Any]:
    is_counted = column.name in (*_INSTANTS, *_DAYS)
    return sa.Column(
        column.name,
        sa.Integer() if is_counted else column.type,
        primary_key=column.primary_key,
        nullable=column.nullable,
        server_default=column.server_default,
    )


def _count(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Seconds since 1970, whole ones as whole numbers; days since the last one before year 1."""
    text = sa.type_coerce(column, sa.String())
    if column.name in _INSTANTS:
        whole = sa.cast(sa.func.strftime("%s", text), sa.Integer())
        fraction = sa.cast("0." + sa.func.substr(text, 21), sa.Float())
        return sa.case((fraction > 0, whole + fraction), else_=whole)
    if column.name in _DAYS:
        return sa.cast(sa.func.julianday(text) - 1721424.5, sa.Integer())
    return column
