"""When the latest backup was made, as the database itself remembers it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, select, text

from monitor.store import tables
from monitor.store.tables import table_of

_FACTS = table_of(tables.Fact)
_NAME = "last_backup"


def last_backup(connection: Connection) -> datetime | None:
    """None where there was none."""
    value = connection.scalar(select(_FACTS.c.value).where(_FACTS.c.name == _NAME))
    return None if value is None else datetime.fromisoformat(value)


def note_backup(connection: Connection, at: datetime) -> None:
    """Remember it."""
    connection.execute(
        text(
            "INSERT INTO facts (name, value) VALUES (:name, :value) ON CONFLICT (name) "
            "DO UPDATE SET value = excluded.value"
        ),
        {"name": _NAME, "value": at.astimezone(UTC).isoformat(timespec="seconds")},
    )
