"""Which ways out failed of late, until when each is left alone, and what it said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from monitor.store.tables import BreakerRow, table_of

_BREAKERS = table_of(BreakerRow)
_ERROR = 300


@dataclass(frozen=True, slots=True)
class BreakerState:
    """A way out that failed: how often in a row, since when, and until when it rests."""

    way: str
    failures: int
    since: datetime
    open_until: datetime
    last_error: str


def state_of(connection: Connection, way: str) -> BreakerState | None:
    """The state of one way; None where it works or was never tried."""
    row = connection.execute(select(_BREAKERS).where(_BREAKERS.c.way == way)).one_or_none()
    return None if row is None else BreakerState(*row)


def states(connection: Connection) -> Sequence[BreakerState]:
    """Every way that failed and has not worked since."""
    rows = connection.execute(select(_BREAKERS).order_by(_BREAKERS.c.way))
    return [BreakerState(*row) for row in rows]


def note_failure(
    connection: Connection,
    way: str,
    failures: int,
    now: datetime,
    open_until: datetime,
    error: str,
) -> BreakerState:
    """Keep a failure; what several processes note of one way at once comes to the same."""
    news = {"failures": failures, "open_until": open_until, "last_error": error[:_ERROR]}
    mine = update(_BREAKERS).where(_BREAKERS.c.way == way).values(news)
    if not connection.execute(mine).rowcount:
        try:
            with connection.begin_nested():
                connection.execute(insert(_BREAKERS).values(way=way, since=now, **news))
        except IntegrityError:
            connection.execute(mine)
    known = state_of(connection, way)
    assert known is not None
    return known


def catch_up(connection: Connection, now: datetime) -> None:
    """The clock was set back to `now`: no way rests until an instant of the wrong one."""
    late = update(_BREAKERS).where(_BREAKERS.c.open_until > now)
    connection.execute(late.values(open_until=now))


def forget(connection: Connection, way: str) -> None:
    """It works again."""
    connection.execute(delete(_BREAKERS).where(_BREAKERS.c.way == way))
