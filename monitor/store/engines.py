"""Connections to SQLite and to PostgreSQL: how each is opened and set up."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError, NoSuchModuleError

from monitor.store.errors import BUSY_SECONDS, StoreError
from monitor.store.pooler import REFUSED, keeps_sessions
from monitor.store.silence import watched

BEGIN = "sqlite_begin"
"""The execution option of a connection to SQLite that says how its transactions begin; empty:
not at all, each statement is one."""
_CACHE_KIB = 65536
_WAL_PAGES = 4000
"""So much is written beside the file (16 MiB) before it is written into it, by whoever commits
then. By default a day's delta would wait for that each time."""
_POOL, _MORE = 5, 10
"""Connections a process keeps, and how many more it may open while it is busy: the threads of
the daemon, and a handful of listeners and requests."""
_POOL_SECONDS = 30
_USED, _TRUSTED = "used", 30.0
"""When a connection to PostgreSQL was last used, and for how many seconds after that it is taken
for whole as long as nothing has come from its server."""
_ANOTHER = "another"
"""How another connection to where this one leads is opened."""
_SESSION = {
    # What this program relies on, whatever the server, the database or the role say: writers that
    # meet at a row wait and read it anew, and days, instants and texts come as its driver reads
    # them.
    "default_transaction_isolation": "read committed",
    "datestyle": "ISO",
    "timezone": "UTC",
    "standard_conforming_strings": "on",
    "statement_timeout": "600s",  # the longest statement is the bulk of a file of a country
    "lock_timeout": "120s",
    "idle_in_transaction_session_timeout": "900s",
    "tcp_keepalives_idle": "30s",  # of a machine that is gone, locks are let go within 2 minutes
    "tcp_keepalives_interval": "15s",
    "tcp_keepalives_count": "4",
    "tcp_user_timeout": "90s",
}
_ENCODING = "UTF8"
_CLIENT = {
    "client_encoding": _ENCODING,
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 15,
    "keepalives_count": 4,
    # These look only while nothing is on its way. A question that never arrives, for a firewall
    # has forgotten the connection, would be sent again for a quarter of an hour.
    "tcp_user_timeout": 90_000,  # milliseconds
}


def open_engine(url: str) -> Engine:
    """The engine behind a URL of a database; nothing is connected yet. Raises StoreError."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # the latter of a port that is no number
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
        return _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    except (NoSuchModuleError, ImportError) as error:
        raise StoreError(f"[database] url: no driver {parsed.drivername}") from error
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"[database] url: what stands behind its ? cannot be: {error}") from error


def switch_foreign_keys(connection: Connection, switch: str) -> None:
    """ON or OFF; of SQLite alone, which heeds it outside a transaction only."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(f"PRAGMA foreign_keys={switch}")


def _sqlite(url: URL) -> Engine:
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
            f"wal_autocheckpoint={_WAL_PAGES}",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.create_function("lower", 1, _lower, deterministic=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        begin = connection.get_execution_options().get(BEGIN, "BEGIN")
        if begin:
            connection.exec_driver_sql(begin)

    return engine


def _lower(value: Any) -> Any:
    """As PostgreSQL's: SQLite's own leaves every letter but A to Z as it is."""
    return value.lower() if isinstance(value, str) else value


def _postgresql(url: URL) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=_POOL,
        max_overflow=_MORE,
        pool_timeout=_POOL_SECONDS,
        connect_args={name: it for name, it in _CLIENT.items() if name not in url.query},
    )
    engine.dialect.create_connect_args(url)  # what it minds is told now
    sessions_are_kept = threading.Event()

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, record: Any, where: Any, how: Any) -> Any:
        driver = engine.dialect.loaded_dbapi
        record.info[_ANOTHER] = lambda: driver.connect(*where, **how)
        return _watched_connection(driver, record.info[_ANOTHER], where, how)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, record: Any) -> None:
        _refuse_encoding(connection.info.parameter_status("server_encoding"))
        with connection.cursor() as cursor:
            settings = ", ".join("set_config(%s, %s, false)" for _ in _SESSION)
            asks = f"SELECT pg_backend_pid(), {settings}"
            cursor.execute(asks, [it for pair in _SESSION.items() for it in pair])
            session, *_ = cursor.fetchone()
        connection.commit()
        if not sessions_are_kept.is_set():
            if not keeps_sessions(connection, session, record.info[_ANOTHER]):
                raise StoreError(f"database {url.render_as_string()}: {REFUSED}")
            sessions_are_kept.set()
        record.info[_USED] = time.monotonic()

    @event.listens_for(engine, "checkin")
    def _note_use(_connection: Any, record: Any) -> None:
        record.info[_USED] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _see_whether_it_is_there(connection: Any, record: Any, _proxy: Any) -> None:
        """The server may have been restarted since. It is asked where the connection has lain
        idle or something has come (the end, most likely): asking each time would be a way there
        and back before every transaction."""
        # SQLAlchemy leaves "READ WRITE" behind where it was read only. A standby refuses that in
        # words of its own, and it overrides an operator who has stopped all writing.
        connection.read_only = None
        if time.monotonic() - record.info[_USED] < _TRUSTED and not _has_news(connection):
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    return engine


def _refuse_encoding(encoding: str) -> None:
    """A name, a unit or a protocol holds letters that no other encoding has; and SQL_ASCII, which a
    server has that was made where no language was set, knows of no letters at all."""
    if encoding != _ENCODING:
        raise StoreError(
            f"the database has the encoding {encoding}, which has not all letters of names and "
            "units; make one that has: createdb --encoding UTF8 --template template0 --owner "
            "monitor NAME"
        )


def _watched_connection(driver: Any, another: Callable[[], Any], where: Any, how: Any) -> Any:
    def takes_another() -> bool:
        """Whether the server says anything to somebody new, be it that it has no room."""
        try:
            another().close()
        except driver.errors.ConnectionTimeout:
            return False
        except driver.Error:
            return True
        return True

    return watched(driver.Connection, driver, takes_another).connect(*where, **how)


def _has_news(connection: Any) -> bool:
    """Whether the server has sent or ended something that nobody asked for."""
    if connection.closed:
        return True
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([connection.fileno()], [], [], 0)[0])
    line = select.poll()
    line.register(connection.fileno(), select.POLLIN)
    return bool(line.poll(0))
