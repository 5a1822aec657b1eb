"""Cells of patients and enrolments that an enrolment file changed, and back again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, Connection, Date, Row, Table, insert, select, update

from monitor.store import brought, tables
from monitor.store.tables import table_of
from monitor.store.types import ExactDecimal

CHANGES = table_of(tables.PersonChange)
_TABLES = {"patient": table_of(tables.Patient), "enrolment": table_of(tables.EnrolmentRow)}


def as_text(value: Any) -> str | None:
    """A cell as it is kept: exact, and None where it was not known."""
    if value is None:
        return None
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def note_changes(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note changed cells, each with its file and what stood there before."""
    connection.execute(insert(CHANGES), [dict(row) for row in rows])
    brought.left_more(connection, CHANGES, Counter(row["file_id"] for row in rows))


def undo_changes(connection: Connection, file_id: int) -> None:
    """Put back what stood in the cells before a file changed them, the last change first."""
    query = select(CHANGES).where(CHANGES.c.file_id == file_id).order_by(CHANGES.c.id.desc())
    for row in connection.execute(query).all():
        table = _TABLES[row.what]
        value = _from_text(table, row.name, row.before)
        connection.execute(update(table).where(table.c.id == row.row_id).values({row.name: value}))


def change_back(connection: Connection, rows: Sequence[Row[Any]], file_id: int) -> None:
    """Put back what stood in these cells before their changes, the last one first, as a change of
    this file: should it be taken back, they stand as they do now."""
    for row in rows:
        table = _TABLES[row.what]
        cell = {"what": row.what, "row_id": row.row_id, "name": row.name}
        changed = {"file_id": file_id, **cell, "before": row.after, "after": row.before or ""}
        note_changes(connection, [changed])
        value = _from_text(table, row.name, row.before)
        connection.execute(update(table).where(table.c.id == row.row_id).values({row.name: value}))


def _from_text(table: Table, name: str, text: str | None) -> Any:
    column = table.c[name]
    if text is None:
        return None
    if isinstance(column.type, Date):
        return date.fromisoformat(text)
    if isinstance(column.type, Boolean):
        return text == str(True)
    return Decimal(text) if isinstance(column.type, ExactDecimal) else text
