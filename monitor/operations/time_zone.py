"""The clinic's time zone, and what an edit of it leaves as it was: a result keeps the day that it
had in the zone under which it was taken in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from monitor.config import Settings
from monitor.core.calendar import instant_text
from monitor.operations.schedules import Notice
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.facts import fact, put_fact
from monitor.store.tables import table_of

_ZONE, _BEFORE = "time_zone", "time_zone_before"
_RESULTS = table_of(tables.ResultRow)


def notice_of_another_zone(store: Store, settings: Settings, now: datetime) -> list[Notice]:
    """Note the time zone, and say once where it is another than the one that results were taken
    in under."""
    zone = settings.clinic.zone.key
    with store.read() as connection:
        if fact(connection, _ZONE) == zone:
            return []
    with store.write() as connection:
        before = fact(connection, _ZONE)
        if before == zone:
            return []
        put_fact(connection, _ZONE, zone)
        if before is None or not _has_results(connection):
            return []
        put_fact(connection, _BEFORE, f"{now.isoformat()} {before}")
        says = keep_their_days(connection, settings)
    text = f"[clinic] timezone is {zone} now: {says}; what is due is counted by the days of {zone}"
    return [Notice("the clinic's time zone", text)]


def keep_their_days(connection: Connection, settings: Settings) -> str:
    """Which results have the days of another zone; "" where none have."""
    noted = fact(connection, _BEFORE)
    if noted is None:
        return ""
    since, _, before = noted.partition(" ")
    until = instant_text(datetime.fromisoformat(since), settings.clinic.zone)
    return f"results taken in before {until} keep the days they had in {before}"


def _has_results(connection: Connection) -> bool:
    return connection.scalar(select(_RESULTS.c.id).limit(1)) is not None
