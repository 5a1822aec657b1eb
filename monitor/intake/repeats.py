"""Rows that said nothing new, and the rows that had said it (`docs/adr/0018`).

When a file is taken back, what another file has said too is not lost: the row passes on to
that file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from monitor.store import brought, tables
from monitor.store.tables import table_of

REPEATS = table_of(tables.Repeat)


def note_repeats(connection: Connection, what: str, rows: Sequence[tuple[int, int, int]]) -> None:
    """Note (the id of the row that had said it, file, line) for each."""
    if rows:
        values = [
            {"what": what, "row_id": row_id, "file_id": file_id, "line": line}
            for row_id, file_id, line in rows
        ]
        connection.execute(insert(REPEATS), values)
        brought.left_more(connection, REPEATS, Counter(file_id for _, file_id, _ in rows))


def was_repeated(connection: Connection, what: str, row_id: int, file_id: int) -> bool:
    """Whether a row of this file had said what that row says."""
    columns = REPEATS.c
    asked = (columns.what == what) & (columns.row_id == row_id) & (columns.file_id == file_id)
    return connection.execute(select(columns.line).where(asked).limit(1)).first() is not None
