"""A daemon among the daemons of one database: its sign of life, and the jobs one does for all."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Collection
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sqlalchemy import Connection, Row

from monitor.review.program import program
from monitor.store import daemons, revisions
from monitor.store.daemons import Identity, Turn
from monitor.store.database import Store
from monitor.store.errors import StoreError
from monitor.store.processes import is_alive

HOLD = timedelta(minutes=10)
"""How long a turn lasts without a word; by then most work is done, or its daemon is dead."""


class Member:
    """One daemon. On SQLite it is alone, and every turn is its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lacks: str | None = None
        """What was noted of it; None: nothing yet."""
        self._ahead: tuple[str, datetime] | None = None
        """The daemon that was ahead at the last tick, and its sign of life."""
        self._beside: set[str] = set()
        """The daemons that ran when it was asked last who has gone."""
        self.me = Identity(
            id=secrets.token_hex(4),
            host=socket.gethostname(),
            pid=os.getpid(),
            version=_version(),
            revision=revisions.newest(),
            program=program(),
        )

    @property
    def holder(self) -> str:
        """How it signs the messages it sends."""
        return f"daemon {self.me.id}"

    def join(self, now: datetime) -> None:
        """Say that it has started."""
        with self._store.write() as connection:
            daemons.started(connection, self.me, now)

    def tick(self, now: datetime, failing: Collection[str], lacks: str) -> None:
        """Say that it works, which of its jobs failed, and what it has to do without. Raises
        StoreOutdated where the database has been brought to a revision that this program does not
        get along with: it must end. Raises StoreError where another daemon works by a clock that
        is too far ahead of ours."""
        self._store.check_again()
        with self._store.write() as connection:
            daemons.ticked(connection, self.me, now, failing)
            if lacks != self._lacks:
                daemons.lacks(connection, self.me, lacks)
            other = daemons.ahead(connection, self.me, now)
        self._lacks = lacks
        before, self._ahead = self._ahead, None if other is None else (other.id, other.last_tick_at)
        if other is None or before is None or before[0] != other.id or before == self._ahead:
            return  # one that died before the clock was set back says nothing more
        apart = round((other.last_tick_at - now).total_seconds())
        raise StoreError(
            f"the clocks of {self.me.host} and of {other.host}, where daemon {other.id} works, are "
            f"{apart} s apart or more: the one behind is taken for dead, and what it is sending is "
            "sent again. Set both by the same time server"
        )

    def outlived(self, now: datetime) -> bool:
        """Whether a daemon of another version has gone since this was asked last, and of those that
        are left none was started after this one."""
        if not self._store.is_shared:
            return False
        with self._store.read() as connection:
            running = [it.id for it in daemons.running(connection, now)]
            before, self._beside = self._beside, set(running)
            gone = before - {*running, self.me.id}
            judged = daemons.judging_as(connection, gone)
        others = [it for it in gone if judged.get(it) != self.me.program]
        return bool(others) and running[-1:] == [self.me.id]

    def leave(self, now: datetime) -> None:
        """Say that it ends."""
        with self._store.write() as connection:
            daemons.stopped(connection, self.me, now)

    def take_turn(self, job: str, now: datetime, since: datetime) -> Turn:
        """Ask for a job that one daemon does for all, owed once since an instant."""
        if not self._store.is_shared:
            return Turn.OURS
        with self._store.write() as connection:
            return daemons.take_turn(connection, job, self.me, now, since=since, hold=HOLD)

    def keep_turn(self, job: str, now: datetime) -> bool:
        """Say that it goes on; False where another daemon has taken over."""
        if not self._store.is_shared:
            return True
        with self._store.write() as connection:
            return daemons.keep_turn(connection, job, self.me, now, HOLD)

    def end_turn(self, job: str, done_at: datetime | None) -> None:
        """Give the turn back; `done_at` is None where the work is still owed."""
        if self._store.is_shared:
            with self._store.write() as connection:
                daemons.end_turn(connection, job, self.me, done_at)


def at_work(connection: Connection, now: datetime) -> list[Row[Any]]:
    """The daemons that work by the clock. One of this machine that was killed a moment ago, and
    whose last sign of life is as fresh, is none."""
    here = socket.gethostname()
    running = daemons.running(connection, now)
    return [it for it in running if it.host != here or is_alive(it.pid)]


def _version() -> str:
    try:
        return version("azathioprine-monitor")
    except PackageNotFoundError:
        return "unknown"
