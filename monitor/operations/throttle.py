"""Guessing made slow: wrong sign-ins in a row close a name, and an address, for a while."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, text, update

from monitor.config import Settings
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.tables import table_of
from monitor.store.types import UtcInstant

_THROTTLES = table_of(tables.ThrottleRow)
_FREE = 3
"""Slips that cost nothing; each one after doubles the wait, from a second on."""
_FORGOTTEN = timedelta(days=1)
_ADDRESS_TIMES = 10
"""A whole ward may sit behind one address."""
_ADDRESS_FORGETS = timedelta(minutes=5)
"""One slip of an address is forgotten in this time: in a ward somebody mistypes every day, and no
right password of theirs excuses it."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """What is counted, and how many slips it is allowed."""

    key: str
    free: int
    lock_after: int
    forgets: timedelta | None = None
    """In which time one slip is forgotten; None: all of them, once there was none for a day."""


class Throttled(Exception):
    """Not before `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__("too many wrong sign-ins")
        self.until = until


def name_guard(settings: Settings, name_key: str) -> Guarded:
    """For a sign-in name, whether anybody has it or not."""
    return Guarded(_digest("name", name_key), _FREE, settings.web.lock_after)


def address_guard(settings: Settings, address: str) -> Guarded:
    """For where it comes from."""
    after = settings.web.lock_after * _ADDRESS_TIMES
    free = _FREE * _ADDRESS_TIMES
    return Guarded(_digest("address", address), free, after, _ADDRESS_FORGETS)


def count(store: Store, settings: Settings, guards: tuple[Guarded, ...], now: datetime) -> None:
    """Count an attempt as wrong before it is tried, so that many at once are no way round;
    `forgive` what turned out right. Raises Throttled, and then counts nothing."""
    with store.write() as connection:
        rows = [_held(connection, guard, now) for guard in guards]
        for row in rows:
            if row.until is not None and row.until > now:
                raise Throttled(row.until)
        for guard, row in zip(guards, rows, strict=True):
            _count(connection, settings, guard, row, now)


def forgive(connection: Connection, name_key: str) -> None:
    """A sign-in name begins anew: it was right, or an admin has seen to it."""
    connection.execute(delete(_THROTTLES).where(_THROTTLES.c.key == _digest("name", name_key)))


def take_back(connection: Connection, guard: Guarded) -> None:
    """It was right, which excuses no earlier ones: an address may be many people's."""
    counted = _THROTTLES.c.key == guard.key
    values = {"failures": _THROTTLES.c.failures - 1, "until": None}
    connection.execute(update(_THROTTLES).where(counted).values(values))


def forget(connection: Connection, now: datetime) -> None:
    """What nobody counts any more: the next slip would begin anew."""
    columns = _THROTTLES.c
    over = columns.until.is_(None) | (columns.until < now)
    connection.execute(delete(_THROTTLES).where(columns.last_at < now - _FORGOTTEN, over))


def _held(connection: Connection, guard: Guarded, now: datetime) -> Row[Any]:
    """The row of a guard, which waits for others who count at this moment."""
    connection.execute(
        text(
            "INSERT INTO throttles (key, failures, last_at) VALUES (:key, 0, :now) "
            "ON CONFLICT (key) DO NOTHING"
        ).bindparams(bindparam("now", type_=UtcInstant)),
        {"key": guard.key, "now": now},
    )
    own = _THROTTLES.c.key == guard.key
    return connection.execute(select(_THROTTLES).where(own).with_for_update()).one()


def _count(
    connection: Connection, settings: Settings, guard: Guarded, row: Row[Any], now: datetime
) -> None:
    before, since = _remembered(guard, row, now)
    failures = before + 1
    until = _until(settings, guard, failures, now)
    values = {"failures": failures, "last_at": since, "until": until}
    connection.execute(update(_THROTTLES).where(_THROTTLES.c.key == guard.key).values(values))


def _remembered(guard: Guarded, row: Row[Any], now: datetime) -> tuple[int, datetime]:
    """The slips that still count, and since when: what has passed of the time in which the next one
    is forgotten is not lost, however often somebody signs in."""
    passed = now - row.last_at
    if guard.forgets is None:
        return (row.failures if passed < _FORGOTTEN else 0), now
    forgotten = max(0, passed // guard.forgets)
    if forgotten >= row.failures:
        return 0, now
    return row.failures - forgotten, row.last_at + forgotten * guard.forgets


def _until(settings: Settings, guard: Guarded, failures: int, now: datetime) -> datetime | None:
    longest = settings.web.lock_for.span
    if failures >= guard.lock_after:
        return now + longest
    if failures > guard.free:
        return now + min(longest, timedelta(seconds=2 ** (failures - guard.free - 1)))
    return None


def _digest(what: str, whose: str) -> str:
    return hashlib.sha256(f"{what}:{whose}".encode()).hexdigest()
