"""What can be wrong with a database, in words for people; never with patient data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from monitor.store import pooler

BUSY_SECONDS = 30
"""How long a SQLite writer waits for another one."""

_GONE = ("08", "57P", "53300")
"""How PostgreSQL's codes begin: connection failures, a server that stops or starts, and one that
takes no further connection. A full disk (53100) is none of these: it answers, and waits for a
person. Source: PostgreSQL manual, appendix A."""
_READ_ONLY = "25006"
"""A standby: the address has not followed the primary yet."""
_NO_RIGHT = "42501"
_NO_SCHEMA = "3F000"
_NO_ROOM_BESIDE = "SQLITE_IOERR_SHMSIZE"
"""Of SQLite: the memory that its processes share, a file of 32 KiB, could not be made."""
_TAKE_TURNS = {
    "40P01": "two writers waited for each other",
    "40001": "others changed meanwhile what was being read",
    "55P03": "others have been writing",
}


class StoreError(Exception):
    """The database cannot be used; the text says why and what to do, without patient data."""


class StoreBusy(StoreError):
    """Somebody else holds what was asked for."""


class StoreLost(StoreError):
    """The server does not answer, or ended the connection: it restarts, or another takes over.
    What was not committed is undone and still owed; it can be tried again by itself."""


class StoreOutdated(StoreError):
    """The database was brought to a revision that this program does not get along with."""


class TooEarly(StoreError):
    """A writing command was given an instant that lies before what was already done."""

    def __init__(self, latest: datetime, now: datetime) -> None:
        self._latest, self._now = latest, now
        super().__init__(self.says(UTC))

    def says(self, zone: tzinfo) -> str:
        """What is wrong, with both instants as clocks of a time zone show them."""
        now = self._now.astimezone(zone).isoformat(timespec="seconds")
        return (
            f"the database has already been brought to {self.latest(zone)}, which is more than "
            f"five minutes after {now}: a command that writes cannot go back in time"
        )

    def latest(self, zone: tzinfo) -> str:
        """The instant that it has been brought to."""
        return self._latest.astimezone(zone).isoformat(timespec="seconds")


@contextmanager
def readable_errors(engine: Engine) -> Iterator[None]:
    """Turns what this database's driver raises into the errors above."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreError(f"database {_where(engine)}: all connections are in use") from error
    except DBAPIError as error:
        if not isinstance(error.orig, engine.dialect.loaded_dbapi.Error):
            raise  # of another database, which is open around this one
        where = _where(engine)
        told = (
            _of_sqlite(error, where, Path(str(engine.url.database)))
            if engine.dialect.name == "sqlite"
            else _of_postgresql(error, where)
        )
        if told is not None:
            raise told from error
        if not isinstance(error, OperationalError):
            raise
        raise StoreError(f"database {where}: {first_line(error)}") from error


def _where(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)


def first_line(error: DBAPIError) -> str:
    """What the database said; later lines of PostgreSQL's answer may quote values."""
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__


def _of_sqlite(error: DBAPIError, where: str, file: Path) -> StoreError | None:
    problem = first_line(error)
    if "locked" in problem:
        return StoreBusy(
            f"database {where}: another process has been writing for more than "
            f"{BUSY_SECONDS} s; nothing was changed, try again"
        )
    if getattr(error.orig, "sqlite_errorname", "") == _NO_ROOM_BESIDE:
        return StoreError(
            f"database {where}: {problem}; nothing is wrong with the file: its disk has no room "
            "left, not even for what SQLite writes beside it to read it"
        )
    if "not a database" in problem:
        return StoreError(f"{where} is no database: {problem}")
    for said, fails in (("readonly", "written"), ("unable to open", "opened")):
        if said in problem:
            return StoreError(
                f"database {where} cannot be {fails}: {problem}; the file and its folder must "
                "belong to the account that runs the monitor, which also writes beside the file"
                f"{_not_ours(file)}"
            )
    return None


def _not_ours(file: Path) -> str:
    """Which of them may not be written; what lies beside the file has the rights that it had when
    it was made, and keeps them."""
    beside = [file.with_name(f"{file.name}{ending}") for ending in ("-wal", "-shm")]
    found = [
        it for it in (file.parent, file, *beside) if it.exists() and not os.access(it, os.W_OK)
    ]
    return f". This account may not write {', '.join(map(str, found))}" if found else ""


def _of_postgresql(error: DBAPIError, where: str) -> StoreError | None:
    code = getattr(error.orig, "sqlstate", None) or ""
    if code in _TAKE_TURNS:
        return StoreBusy(f"database {where}: {_TAKE_TURNS[code]}; nothing was changed, try again")
    if code == _READ_ONLY:
        return StoreLost(
            f"database {where} takes no writes: it is a standby. Name the primary in [database] "
            "url, or all servers with target_session_attrs=read-write"
        )
    if code == _NO_RIGHT:
        return StoreError(
            f"database {where}: {first_line(error)}. Its role has to own the tables, or to have "
            "been granted them; to make them it has to own the database (or its schema)"
        )
    if code == _NO_SCHEMA:
        return StoreError(
            f"database {where}: {first_line(error)}. Where its role keeps tables is its "
            "search_path, which names no schema that is there"
        )
    if code in pooler.MIXED_UP:
        return StoreError(f"database {where}: {pooler.REFUSED}")
    if isinstance(error, ProgrammingError) and not code and error.statement is None:
        return StoreError(f"[database] url cannot be used: {first_line(error)}")
    # With a statement the driver itself refused it: tried again, it would be refused again.
    never_came = isinstance(error, OperationalError) and not code and error.statement is None
    if code.startswith(_GONE) or never_came or error.connection_invalidated:
        return StoreLost(f"database {where} does not answer: {first_line(error)}")
    return None
