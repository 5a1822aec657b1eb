"""What a result reads is kept once, however many results read the same, and results become narrow
(see decision 0059)."""

from __future__ import annotations

import functools
import hashlib
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_READING = (
    "value", "comparator", "no_result", "status", "received_value", "received_unit", "ref_low",
    "ref_high", "below_plausible", "method",
)  # fmt: skip
_OWN = (
    "id", "patient_id", "analyte", "collected_at", "collected_on", "timed", "specimen_id",
    "stands", "reported_at", "comment", "doubtful_comment", "file_id", "line", "home_id", "issuer",
    "taken_back",
)  # fmt: skip
_MANY = 1000


def upgrade() -> None:
    connection = op.get_bind()
    before = sa.Table("results", sa.MetaData(), autoload_with=connection, resolve_fks=False)
    readings = _readings()
    op.create_index("ix_readings_digest", "readings", ["digest"], unique=True)
    _fill(connection, before, readings)
    _narrow(connection, before, readings)


def _readings() -> sa.Table:
    return op.create_table(
        "readings",
        sa.Column("id", sa.Integer(), nullable=False, primary_key=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("value", sa.String()),
        sa.Column("comparator", sa.String(), nullable=False),
        sa.Column("no_result", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("received_value", sa.String(), nullable=False),
        sa.Column("received_unit", sa.String(), nullable=False),
        sa.Column("ref_low", sa.String()),
        sa.Column("ref_high", sa.String()),
        sa.Column("below_plausible", sa.Boolean(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
    )


def _fill(connection: sa.Connection, before: sa.Table, readings: sa.Table) -> None:
    """Each reading of the results, with the digest that the program knows it by."""
    said = connection.execute(sa.select(*(before.c[name] for name in _READING)).distinct())
    for rows in said.partitions(_MANY):
        connection.execute(
            sa.insert(readings),
            [
                {"digest": _digest(row), **dict(zip(_READING, row, strict=True))}
                for row in map(_exact, rows)
            ],
        )


def _exact(row: Any) -> tuple[Any, ...]:
    return tuple(
        bool(it) if name == "below_plausible" else it
        for name, it in zip(_READING, row, strict=True)
    )


def _digest(row: tuple[Any, ...]) -> str:
    said = repr(list(row)).encode("utf-8", "replace")
    return hashlib.blake2b(said, digest_size=16).hexdigest()


def _narrow(connection: sa.Connection, before: sa.Table, readings: sa.Table) -> None:
    """The rows go into a new table, each with the number of its reading."""
    own = [before.c[name] for name in _OWN]
    after = op.create_table(
        "results_new",
        *(
            sa.Column(
                it.name,
                it.type,
                primary_key=it.primary_key,
                nullable=it.nullable,
                server_default=None if it.primary_key else it.server_default,
            )
            for it in own
        ),
        sa.Column("reading_id", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True)),
    )
    op.create_table("reading_keys", sa.Column("key", sa.String()), sa.Column("id", sa.Integer()))
    keys = sa.table("reading_keys", sa.column("key"), sa.column("id"))
    connection.execute(
        keys.insert().from_select(["key", "id"], sa.select(_key(readings), readings.c.id))
    )
    op.create_index("ix_reading_keys", "reading_keys", ["key"])
    files = sa.table("files", sa.column("id"), sa.column("received_at"))
    came_otherwise = sa.case((before.c.received_at != files.c.received_at, before.c.received_at))
    rows = (
        sa.select(*own, keys.c.id, came_otherwise)
        .join(keys, keys.c.key == _key(before))
        .join(files, files.c.id == before.c.file_id)
    )
    names = [*_OWN, "reading_id", "received_at"]
    connection.execute(after.insert().from_select(names, rows))
    op.drop_table("reading_keys")
    op.drop_table("results")
    op.rename_table("results_new", "results")
    op.create_index("ix_results_key", "results", ["patient_id", "analyte", "collected_on"])
    op.create_index("ix_results_file_id", "results", ["file_id"])
    merged = sa.text("home_id IS NOT NULL")
    op.create_index(
        "ix_results_home_id", "results", ["home_id"], sqlite_where=merged, postgresql_where=merged
    )
    if connection.dialect.name == "postgresql":
        _continue_numbers(connection)


def _key(table: sa.Table) -> Any:
    """All that a row reads as one text, that the database can look up."""
    parts: list[Any] = [
        sa.func.coalesce(sa.cast(table.c[name], sa.String()), "\x01") for name in _READING
    ]
    return functools.reduce(lambda whole, part: whole + "\x02" + part, parts)


def _continue_numbers(connection: sa.Connection) -> None:
    """Counting goes on where the old table was, and by a sequence of the usual name."""
    connection.execute(sa.text("ALTER SEQUENCE results_new_id_seq RENAME TO results_id_seq"))
    connection.execute(sa.text("ALTER INDEX results_new_pkey RENAME TO results_pkey"))
    connection.execute(
        sa.text("SELECT setval('results_id_seq', max(id)) FROM results HAVING max(id) IS NOT NULL")
    )
