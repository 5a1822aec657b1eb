"""Small facts that the database keeps of itself: how far it was brought, and which one it is."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, select, text

from monitor.store import tables
from monitor.store.errors import TooEarly

AHEAD = timedelta(minutes=5)
"""How much earlier than the database a writing command may be (clocks differ a little)."""


CANARY = "canary"
"""What became of the last canary, as JSON."""


def brought_to(connection: Connection) -> datetime | None:
    """The latest instant that the database has been brought to."""
    value = connection.scalar(brought_to_query())
    return None if value is None else datetime.fromisoformat(value)


def is_past(connection: Connection, now: datetime) -> bool:
    """Whether the database has been brought beyond an instant: what reviews left behind since
    says nothing of it."""
    latest = brought_to(connection)
    return latest is not None and now < latest


def brought_to_query() -> Select[Any]:
    """What it says of that, as it is written down."""
    facts = tables.table_of(tables.Fact)
    return select(facts.c.value).where(facts.c.name == "brought_to")


def bring_to(connection: Connection, now: datetime) -> None:
    """Note that the database has been brought to `now`. To be the last statement of its
    transaction, for on PostgreSQL everybody who writes waits here for each other."""
    value = now.astimezone(UTC).isoformat(timespec="microseconds")
    connection.execute(
        text(
            "INSERT INTO facts (name, value) VALUES ('brought_to', :value) ON CONFLICT (name) "
            "DO UPDATE SET value = excluded.value WHERE facts.value < excluded.value"
        ),
        {"value": value},
    )


def check_not_earlier(connection: Connection, now: datetime) -> datetime | None:
    """Refuse to write at an instant that lies before what was already done: TooEarly. Returns
    the latest instant that the database has been brought to."""
    latest = brought_to(connection)
    refuse_earlier(latest, now)
    return latest


def refuse_earlier(latest: datetime | None, now: datetime) -> None:
    """Raises TooEarly where the database has been brought to an instant that is too far ahead."""
    if latest is not None and now < latest - AHEAD:
        raise TooEarly(latest, now)


def fact(connection: Connection, name: str) -> str | None:
    """What is noted under a name; None: nothing."""
    facts = tables.table_of(tables.Fact)
    value = connection.scalar(select(facts.c.value).where(facts.c.name == name))
    return None if value is None else str(value)


def put_fact(connection: Connection, name: str, value: str) -> None:
    """Note it, in place of what was."""
    connection.execute(
        text(
            "INSERT INTO facts (name, value) VALUES (:name, :value) ON CONFLICT (name) "
            "DO UPDATE SET value = excluded.value"
        ),
        {"name": name, "value": value},
    )


def installation(connection: Connection) -> str:
    """What tells this database from every other, drawn when it is first asked for.

    Two clinics on one mail domain, or one that began anew, count their alerts and messages from
    1 alike; mail servers drop a message whose Message-ID they have seen. To be asked in a
    transaction that writes."""
    known = fact(connection, "installation")
    if known is not None:
        return known
    connection.execute(
        text(
            "INSERT INTO facts (name, value) VALUES ('installation', :value) "
            "ON CONFLICT (name) DO NOTHING"
        ),
        {"value": secrets.token_hex(6)},
    )
    return str(fact(connection, "installation"))
