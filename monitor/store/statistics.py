"""What PostgreSQL plans by: how large its tables are, and how their values are spread."""

from __future__ import annotations

from sqlalchemy import bindparam, text
from sqlmodel import SQLModel

from monitor.store.database import Store

_GROWN = text(
    # as many pages of as many bytes as the server knows of; twice as many are another table
    "SELECT relname FROM pg_class WHERE relname IN :tables AND relkind = 'r' "
    "AND pg_table_is_visible(oid) AND pg_relation_size(oid) > "
    "greatest(2 * relpages, 30) * current_setting('block_size')::int ORDER BY relname"
).bindparams(bindparam("tables", expanding=True))


def renew_statistics(store: Store) -> None:
    """Have the server look through tables that have grown much since it last did: a sample of
    each, some tenths of a second.

    It does so by itself within minutes, where it is let, but after a large file not soon enough:
    without statistics it takes a patient for one of two hundred, and reads the whole table of
    results for each batch of a review."""
    if store.is_sqlite:
        return
    with store.look() as connection:
        grown = list(connection.scalars(_GROWN, {"tables": list(SQLModel.metadata.tables)}))
    if grown:
        with store.note() as connection:
            # whoever else is at one of them sees to it
            connection.execute(text(f"ANALYZE (SKIP_LOCKED) {', '.join(grown)}"))
