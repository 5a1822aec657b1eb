"""The figures of the listeners for HL7 messages, as `health` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, insert, select, update

from monitor.store.tables import Listener, table_of

LISTENERS: Table = table_of(Listener)
COUNTS = ("messages", "repeated", "other_messages", "failed", "rejected")


def started(connection: Connection, address: str, now: datetime) -> None:
    """Note that a listener was started."""
    values = {"started_at": now, "connections": 0}
    changed = connection.execute(
        update(LISTENERS).where(LISTENERS.c.address == address).values(values)
    )
    if changed.rowcount == 0:
        counts = dict.fromkeys(COUNTS, 0)
        connection.execute(insert(LISTENERS).values(address=address, **values, **counts))


def add(
    connection: Connection,
    address: str,
    counts: Mapping[str, int],
    connections: int,
    last_message_at: datetime | None,
) -> None:
    """Add what came since the last time."""
    columns = LISTENERS.c
    values: dict[str, Any] = {name: columns[name] + counts.get(name, 0) for name in COUNTS}
    if last_message_at is not None:
        values["last_message_at"] = last_message_at
    mine = columns.address == address
    connection.execute(update(LISTENERS).where(mine).values({**values, "connections": connections}))


def figures(connection: Connection, address: str) -> Any:
    """The row of a listener; None where it never ran."""
    return connection.execute(select(LISTENERS).where(LISTENERS.c.address == address)).first()
