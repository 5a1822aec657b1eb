"""The clinic's time zone, and what an edit of it leaves as it was: a result keeps the day that it
had in the zone under which it was taken in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import Connection, select

from monitor.config import Settings
from monitor.core.calendar import instant_text
from monitor.operations.schedules import Notice
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.facts import fact, put_fact
from monitor.store.readings import came_at
from monitor.store.tables import table_of

_ZONE, _BEFORE = "time_zone", "time_zone_before"
_RESULTS, _FILES = table_of(tables.ResultRow), table_of(tables.File)


class _Stretch(NamedTuple):
    """Until an instant results were taken in under a zone; since the stretch before it."""

    until: datetime
    zone: str


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
        if before is not None:
            _note(connection, before, now)
        says = keep_their_days(connection, settings)
    if not says:
        return []
    text = f"[clinic] timezone is {zone} now: {says}; what is due is counted by the days of {zone}"
    return [Notice("the clinic's time zone", text)]


def keep_their_days(connection: Connection, settings: Settings) -> str:
    """Which results have the days of another zone; "" where none have."""
    return "; ".join(_said(_stretches(connection), settings))


def _said(stretches: Sequence[_Stretch], settings: Settings) -> Iterator[str]:
    here = settings.clinic.zone
    for before, it in pairwise([None, *stretches]):
        if it is None or it.zone == here.key:
            continue
        until = instant_text(it.until, here)
        which = f"from {instant_text(before.until, here)} to" if before else "before"
        yield f"results taken in {which} {until} keep the days they had in {it.zone}"


def _note(connection: Connection, zone: str, now: datetime) -> None:
    """That `zone` was in force until now, where any result was taken in under it."""
    stretches = _stretches(connection)
    since = stretches[-1].until if stretches else None
    if not _came(connection, since, now):
        return
    if stretches and stretches[-1].zone == zone:  # nothing came in under the one between
        del stretches[-1]
    stretches.append(_Stretch(now, zone))
    lines = (f"{it.until.isoformat()} {it.zone}" for it in stretches)
    put_fact(connection, _BEFORE, "\n".join(lines))


def _stretches(connection: Connection) -> list[_Stretch]:
    """All that are noted, in their order."""
    lines = (fact(connection, _BEFORE) or "").splitlines()
    parts = (line.partition(" ") for line in lines)
    return [_Stretch(datetime.fromisoformat(until), zone) for until, _, zone in parts]


def _came(connection: Connection, since: datetime | None, until: datetime) -> bool:
    """Whether a result was taken in from one instant to before another."""
    query = select(_RESULTS.c.id).join(_FILES, _FILES.c.id == _RESULTS.c.file_id)
    query = query.where(came_at() < until)
    if since is not None:
        query = query.where(came_at() >= since)
    return connection.scalar(query.limit(1)) is not None
