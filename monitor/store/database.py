"""The database: opening it, its transactions, its migrations, the daemon's lock.

The one file that knows SQLite from PostgreSQL. Both give the same promises: `read()` is one
consistent snapshot, `write()` one transaction that ends whole or not at all. SQLite has one
writer at a time, so `write()` takes the write lock at once and waits for it; on PostgreSQL
writers meet at row locks (`SELECT ... FOR UPDATE`, which SQLAlchemy leaves out for SQLite):
always enrolments first, in the order of their ids, then what hangs on them.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from monitor.store import revisions, tables
from monitor.store.errors import (
    BUSY_SECONDS,
    StoreBusy,
    StoreError,
    StoreLost,
    StoreOutdated,
    TooEarly,
    readable_errors,
)
from monitor.store.turns import Turns

__all__ = [
    "AHEAD",
    "BUSY_SECONDS",
    "Store",
    "StoreBusy",
    "StoreError",
    "StoreLost",
    "StoreOutdated",
    "TooEarly",
    "bring_to",
    "brought_to",
    "check_not_earlier",
    "installation",
    "open_store",
]

AHEAD = timedelta(minutes=5)
"""How much earlier than the database a writing command may be (clocks differ a little)."""
_CACHE_KIB = 65536
_LARGE_CACHE_KIB = 131072
_MIGRATION_LOCK = 0x617A61  # any number, as long as every process asks for the same one
_BEGIN = "sqlite_begin"
_TURNS: defaultdict[str, Turns] = defaultdict(Turns)
"""By database: the daemon and the pages beside it each open it, and write in turns."""
_POOL, _MORE = 5, 10
"""Connections a process keeps, and how many more it may open while it is busy: three threads of
the daemon, and a handful of listeners and requests."""
_POOL_SECONDS = 30
_SESSION = {
    "statement_timeout": "600s",  # the longest statement is the bulk of a file of a country
    "lock_timeout": "120s",
    "idle_in_transaction_session_timeout": "900s",
    "tcp_keepalives_idle": "30s",  # of a machine that is gone, locks are let go within 2 minutes
    "tcp_keepalives_interval": "15s",
    "tcp_keepalives_count": "4",
}
_CLIENT = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 15,
    "keepalives_count": 4,
}


class Store:
    """One database. Opening costs nothing; its revision is checked at the first use."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._checked = False
        self._turns = _TURNS[str(engine.url)]

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent snapshot; nothing is written."""
        with self._connection("BEGIN", readonly=True) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: all of it, or (after any exception) nothing of it."""
        with self._turn(), self._connection("BEGIN IMMEDIATE", readonly=False) as connection:
            yield connection

    def migrate(self) -> None:
        """Create the database (SQLite: readable by its owner alone) or bring it up to date; then
        everyone is owed a review, for a newer program may say more of the same."""
        from alembic import command  # slow to import, and only needed here

        if self.is_sqlite:
            _create_file(Path(self.engine.url.database or ""))
        with self._begun("BEGIN IMMEDIATE", readonly=False, rebuilding=True) as connection:
            if not self.is_sqlite:
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK}
                )
            before = revisions.revision_of(connection)
            revisions.refuse_newer(connection)
            if not self.is_sqlite:
                revisions.refuse_in_use(connection)
            config = revisions.alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            revisions.note_compatible(connection)
            if before not in (None, revisions.newest()):
                _owe_reviews(connection)
        self._checked = True

    def check_again(self) -> None:
        """Whether this program still gets along with the database, which a newer one may have
        brought up to date since it was opened. Raises StoreOutdated where it does not."""
        self._checked = False
        with self.read():
            pass

    @property
    def is_shared(self) -> bool:
        """Whether several daemons may work on it."""
        return not self.is_sqlite

    @contextmanager
    def hold_daemon_lock(self) -> Iterator[None]:
        """Held by the one daemon of a SQLite file, and let go by its death.

        Raises StoreBusy where another daemon holds it. Several daemons may share one
        PostgreSQL: there it is no lock at all.
        """
        if not self.is_sqlite:
            yield
            return
        path = Path(f"{self.engine.url.database}.lock")
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(
                f"the daemon's lock {path} cannot be opened: {error.strerror}"
            ) from error
        try:
            if not _try_lock(descriptor):
                raise StoreBusy(
                    f"another daemon (process {_read_pid(descriptor)}) already works on "
                    f"{self.engine.url.database}: end that one first, or leave it running"
                )
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Where there is one writer at a time anyway, the threads of this process follow one
        another. SQLite's own waiters sleep and look again, and one that writes batch after
        batch would hardly ever let another in."""
        if not self.is_sqlite:
            yield
            return
        if not self._turns.take(BUSY_SECONDS):
            where = self.engine.url.render_as_string(hide_password=True)
            raise StoreBusy(
                f"database {where}: this process has been writing for more than {BUSY_SECONDS} s; "
                "nothing was changed, try again"
            )
        try:
            yield
        finally:
            self._turns.give()

    @contextmanager
    def _connection(self, begin: str, *, readonly: bool) -> Iterator[Connection]:
        self._refuse_missing()
        with self._begun(begin, readonly=readonly) as connection:
            if not self._checked:
                revisions.refuse_other(connection)
                self._checked = True
            yield connection

    @contextmanager
    def _begun(
        self, begin: str, *, readonly: bool, rebuilding: bool = False
    ) -> Iterator[Connection]:
        """A transaction. `rebuilding` lets SQLite copy tables that others refer to: there a
        changed table is a new one with the rows of the old."""
        with readable_errors(self.engine), self.engine.connect() as connection:
            if rebuilding and self.is_sqlite:
                _foreign_keys(connection, "OFF")
            if self.is_sqlite:
                connection = connection.execution_options(**{_BEGIN: begin})
            elif readonly:
                connection = connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            try:
                with connection.begin():
                    yield connection
            finally:
                if rebuilding and self.is_sqlite:
                    _foreign_keys(connection, "ON")

    def _refuse_missing(self) -> None:
        if self.is_sqlite and not Path(self.engine.url.database or "").is_file():
            raise StoreError(
                f"there is no database {self.engine.url.database}: `monitor init` creates it"
            )


def open_store(url: str) -> Store:
    """The store behind a URL such as `sqlite:///monitor.db` or
    `postgresql+psycopg://user@host/name`; nothing is connected yet. Raises StoreError."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(
            "[database] url is no database URL; valid: sqlite:///FILE or "
            "postgresql+psycopg://USER@HOST:PORT/NAME"
        ) from error
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise StoreError(
            f"[database] url names {parsed.get_backend_name()}; valid: sqlite or postgresql"
        )
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise StoreError("[database] url names no file: a monitor must not forget")
    try:
        engine = _create_engine(parsed)
    except (NoSuchModuleError, ImportError) as error:
        raise StoreError(f"[database] url: no driver {parsed.drivername}") from error
    return Store(engine)


@contextmanager
def many_rows(connection: Connection) -> Iterator[None]:
    """Room for a transaction that adds very many rows: pages of an index that are met again and
    again are not written each time."""
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.exec_driver_sql(f"PRAGMA cache_size=-{_LARGE_CACHE_KIB}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA cache_size=-{_CACHE_KIB}")


def brought_to(connection: Connection) -> datetime | None:
    """The latest instant that the database has been brought to."""
    facts = tables.table_of(tables.Fact)
    value = connection.scalar(select(facts.c.value).where(facts.c.name == "brought_to"))
    return None if value is None else datetime.fromisoformat(value)


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


def installation(connection: Connection) -> str:
    """What tells this database from every other, drawn when it is first asked for.

    Two clinics on one mail domain, or one that began anew, count their alerts and messages from
    1 alike; mail servers drop a message whose Message-ID they have seen. To be asked in a
    transaction that writes."""
    facts = tables.table_of(tables.Fact)
    query = select(facts.c.value).where(facts.c.name == "installation")
    known = connection.scalar(query)
    if known is not None:
        return str(known)
    connection.execute(
        text(
            "INSERT INTO facts (name, value) VALUES ('installation', :value) "
            "ON CONFLICT (name) DO NOTHING"
        ),
        {"value": secrets.token_hex(6)},
    )
    return str(connection.scalar(query))


def check_not_earlier(connection: Connection, now: datetime) -> datetime | None:
    """Refuse to write at an instant that lies before what was already done: TooEarly. Returns
    the latest instant that the database has been brought to."""
    latest = brought_to(connection)
    if latest is not None and now < latest - AHEAD:
        raise TooEarly(
            f"the database has already been brought to {latest.isoformat(timespec='seconds')}, "
            f"which is more than five minutes after {now.isoformat(timespec='seconds')}: "
            "a command that writes cannot go back in time"
        )
    return latest


def _create_engine(url: Any) -> Engine:
    if url.get_backend_name() != "sqlite":
        return _postgresql(url)
    engine = create_engine(
        url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS, "isolation_level": None}
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        # The driver would begin transactions by itself, late, and never IMMEDIATE.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={BUSY_SECONDS * 1000}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"cache_size=-{_CACHE_KIB}",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))

    return engine


def _postgresql(url: Any) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,  # the server may have been restarted since
        pool_size=_POOL,
        max_overflow=_MORE,
        pool_timeout=_POOL_SECONDS,
        connect_args={name: it for name, it in _CLIENT.items() if name not in url.query},
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            for name, value in _SESSION.items():
                cursor.execute("SELECT set_config(%s, %s, false)", (name, value))
        connection.commit()

    return engine


def _create_file(path: Path) -> None:
    if not path.parent.is_dir():
        raise StoreError(f"the database's folder {path.parent} does not exist")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(f"the database {path} cannot be created: {error.strerror}") from error


def _foreign_keys(connection: Connection, switch: str) -> None:
    """SQLite heeds this outside a transaction only."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(f"PRAGMA foreign_keys={switch}")


def _owe_reviews(connection: Connection) -> None:
    latest = brought_to(connection)
    if latest is not None:
        connection.execute(
            update(tables.table_of(tables.EnrolmentRow)).values(next_review_at=latest)
        )


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _read_pid(descriptor: int) -> str:
    return os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
