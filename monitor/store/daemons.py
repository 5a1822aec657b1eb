"""The daemons that work on a database: who runs, who has gone, and whose turn a job is.

Nobody leads. A daemon says every few seconds that it works; a job that is to be done once for
all is done by whoever takes its turn, and taken over from one that died at it. Clocks may
differ by seconds: every span here is longer than that.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from monitor.store import tables
from monitor.store.facts import AHEAD, put_fact
from monitor.store.tables import table_of

DAEMONS = table_of(tables.DaemonRow)
TURNS = table_of(tables.JobTurn)
_FACTS = table_of(tables.Fact)
_LACKS, _JUDGES_AS = "lacks ", "judges as "
"""What the facts of a daemon begin with, before its id."""

TICK = timedelta(seconds=15)
"""How often a daemon says that it works."""
SILENT_AFTER = timedelta(minutes=2)
"""A daemon that has said nothing for so long is taken for dead."""
CLOCKS_APART = timedelta(minutes=1)
"""So far may the clocks of two daemons be apart: half of what takes one for dead."""
_SHOWN_FOR = timedelta(days=1)
_KEPT_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One start of the daemon."""

    id: str
    host: str
    pid: int
    version: str
    revision: str
    program: str = ""
    """What tells its judgement from that of another version."""


class Turn(Enum):
    """What came of asking for a job's turn."""

    OURS = "ours"
    TAKEN = "taken"
    """Another daemon is at it."""
    DONE = "done"
    """It was done already."""


def started(connection: Connection, me: Identity, now: datetime) -> None:
    """Note a start, and forget those of long ago; the same start twice is noted once."""
    old = or_(DAEMONS.c.last_tick_at < now - _KEPT_FOR, DAEMONS.c.id == me.id)
    connection.execute(delete(DAEMONS).where(old))
    known = set(connection.scalars(select(DAEMONS.c.id)))
    for of_a_daemon in (_LACKS, _JUDGES_AS):
        own = {of_a_daemon + it for it in known}
        query = select(_FACTS.c.name).where(_FACTS.c.name.startswith(of_a_daemon))
        noted = set(connection.scalars(query))
        connection.execute(delete(_FACTS).where(_FACTS.c.name.in_(noted - own)))
    put_fact(connection, _JUDGES_AS + me.id, me.program)
    connection.execute(
        insert(DAEMONS).values(
            id=me.id,
            host=me.host,
            pid=me.pid,
            version=me.version,
            revision=me.revision,
            started_at=now,
            last_tick_at=now,
            failing="",
        )
    )


def ticked(connection: Connection, me: Identity, now: datetime, failing: Collection[str]) -> None:
    """Note that it works, and which of its jobs failed the last time."""
    values: dict[str, Any] = {"last_tick_at": now, "failing": " ".join(sorted(failing))}
    changed = connection.execute(update(DAEMONS).where(DAEMONS.c.id == me.id).values(values))
    if changed.rowcount == 0:  # it slept for more than a week
        started(connection, me, now)


def lacks(connection: Connection, me: Identity, what: str) -> None:
    """Note which passwords and tokens that the config names this daemon runs without, and what
    the config says that it does not go by; "": nothing. Whoever asks from elsewhere has another
    environment, and another text of the config."""
    put_fact(connection, _LACKS + me.id, what)


def lacking(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    """What these daemons noted so; those that noted nothing are missing."""
    return _noted(connection, _LACKS, ids)


def judging_as(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    """By which program these daemons judge; those of a version that did not note it are missing."""
    return _noted(connection, _JUDGES_AS, ids)


def _noted(connection: Connection, of_a_daemon: str, ids: Collection[str]) -> dict[str, str]:
    names = {of_a_daemon + it: it for it in ids}
    rows = connection.execute(select(_FACTS).where(_FACTS.c.name.in_(list(names))))
    return {names[row.name]: row.value for row in rows}


def stopped(connection: Connection, me: Identity, now: datetime) -> None:
    """Note that it ended in good order; its turns are anybody's."""
    connection.execute(update(DAEMONS).where(DAEMONS.c.id == me.id).values(stopped_at=now))
    connection.execute(update(TURNS).where(TURNS.c.holder == me.id).values(holder=None, until=None))


def last_sign_of_life(
    connection: Connection, *, but: Identity | None = None, until: datetime | None = None
) -> datetime | None:
    """When any daemon, or any other, last said that it works, by an instant where one is given;
    None where none ever did."""
    query = select(func.max(DAEMONS.c.last_tick_at))
    if but is not None:
        query = query.where(DAEMONS.c.id != but.id)
    if until is not None:
        query = query.where(DAEMONS.c.last_tick_at <= until)
    last: datetime | None = connection.scalar(query)
    return last


def running(connection: Connection, now: datetime) -> list[Row[Any]]:
    """Those that work, in the order of their starts."""
    return _listed(connection, _works(now))


def vanished(connection: Connection, now: datetime) -> list[Row[Any]]:
    """Those that fell silent within the last day without having ended."""
    ticked_at = DAEMONS.c.last_tick_at
    gone = and_(ticked_at < now - SILENT_AFTER, ticked_at >= now - _SHOWN_FOR)
    return _listed(connection, and_(DAEMONS.c.stopped_at.is_(None), gone))


def ahead(connection: Connection, me: Identity, now: datetime) -> Row[Any] | None:
    """The daemon whose sign of life lies furthest in what is still to come by our clock, where
    that is too far."""
    far = and_(DAEMONS.c.id != me.id, DAEMONS.c.last_tick_at > now + CLOCKS_APART)
    furthest = DAEMONS.c.last_tick_at.desc()
    query = select(DAEMONS).where(DAEMONS.c.stopped_at.is_(None), far).order_by(furthest).limit(1)
    return connection.execute(query).one_or_none()


def gone(connection: Connection, ids: Collection[str], now: datetime) -> set[str]:
    """Of these daemons those that are known, and work no more."""
    query = select(DAEMONS.c.id).where(DAEMONS.c.id.in_(list(ids)), ~_works(now))
    return set(connection.scalars(query))


def take_turn(
    connection: Connection,
    name: str,
    me: Identity,
    now: datetime,
    *,
    since: datetime,
    hold: timedelta,
) -> Turn:
    """Ask for the turn of a job that is owed once since an instant; it is ours for `hold`.

    What is noted as done far in the future was done by a clock that was wrong, and counts for
    nothing; nor does a turn that would last longer than one taken now.
    """
    _make_sure(connection, name)
    columns = TURNS.c
    owed = or_(columns.done_at.is_(None), columns.done_at < since, columns.done_at > now + AHEAD)
    works = select(DAEMONS.c.id).where(_works(now))
    free = or_(
        columns.holder.is_(None),
        columns.holder == me.id,
        columns.until <= now,
        columns.until > now + hold + AHEAD,
        columns.holder.not_in(works),
    )
    mine = columns.name == name
    taken = connection.execute(
        update(TURNS).where(mine, owed, free).values(holder=me.id, until=now + hold)
    )
    if taken.rowcount:
        return Turn.OURS
    is_owed = connection.scalar(select(columns.name).where(mine, owed)) is not None
    return Turn.TAKEN if is_owed else Turn.DONE


def keep_turn(
    connection: Connection, name: str, me: Identity, now: datetime, hold: timedelta
) -> bool:
    """Say that it goes on; False where another daemon has taken over."""
    mine = and_(TURNS.c.name == name, TURNS.c.holder == me.id)
    return connection.execute(update(TURNS).where(mine).values(until=now + hold)).rowcount > 0


def end_turn(connection: Connection, name: str, me: Identity, done_at: datetime | None) -> None:
    """Give the turn back; `done_at` is None where the work is still owed."""
    values: dict[str, Any] = {"holder": None, "until": None}
    if done_at is not None:
        values["done_at"] = done_at
    mine = and_(TURNS.c.name == name, TURNS.c.holder == me.id)
    connection.execute(update(TURNS).where(mine).values(values))


def _works(now: datetime) -> ColumnElement[bool]:
    return and_(DAEMONS.c.stopped_at.is_(None), DAEMONS.c.last_tick_at >= now - SILENT_AFTER)


def _listed(connection: Connection, which: ColumnElement[bool]) -> list[Row[Any]]:
    query = select(DAEMONS).where(which).order_by(DAEMONS.c.started_at, DAEMONS.c.id)
    return list(connection.execute(query))


def _make_sure(connection: Connection, name: str) -> None:
    if connection.scalar(select(TURNS.c.name).where(TURNS.c.name == name)) is not None:
        return
    values = {"name": name}
    if connection.dialect.name == "sqlite":
        connection.execute(sqlite.insert(TURNS).values(values).on_conflict_do_nothing())
    else:
        connection.execute(postgresql.insert(TURNS).values(values).on_conflict_do_nothing())
