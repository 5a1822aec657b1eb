"""When the latest backup was made, as the database itself remembers it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection

from monitor.store.facts import fact, put_fact

_NAME = "last_backup"


def last_backup(connection: Connection) -> datetime | None:
    """None where there was none."""
    value = fact(connection, _NAME)
    return None if value is None else datetime.fromisoformat(value)


def note_backup(connection: Connection, at: datetime) -> None:
    """Remember it."""
    put_fact(connection, _NAME, at.astimezone(UTC).isoformat(timespec="seconds"))
