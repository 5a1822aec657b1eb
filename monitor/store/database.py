"""The database: its transactions, its migrations, the daemon's lock.

This file and `engines` know SQLite from PostgreSQL. Both give the same promises: `read()` is one
consistent snapshot, `write()` one transaction that ends whole or not at all; `look()` and `note()`
are the same for a single statement, without the ways that begin and end it. SQLite has one
writer at a time, so `write()` takes the write lock at once and waits for it; on PostgreSQL
writers meet at row locks (`SELECT ... FOR UPDATE`, which SQLAlchemy leaves out for SQLite):
always enrolments first, in the order of their ids, then what hangs on them.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, text, update

from monitor.store import engines, revisions, tables
from monitor.store.daemon_lock import hold_lock, holder
from monitor.store.errors import BUSY_SECONDS, StoreBusy, StoreError, readable_errors
from monitor.store.facts import brought_to
from monitor.store.turns import Turns

_MIGRATION_LOCK = 0x617A61  # any number, as long as every process asks for the same one
_TURNS: defaultdict[str, Turns] = defaultdict(Turns)
"""By database: the daemon and the pages beside it each open it, and write in turns."""


class Store:
    """One database. Opening costs nothing; its revision is checked at the first use."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._file = Path(engine.url.database or "") if self.is_sqlite else None
        self._checked = False
        self._is_held = False
        """Whether the daemon's lock is ours."""
        self._turns = _TURNS[str(engine.url)]

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent snapshot; nothing is written."""
        with self._connection("BEGIN", readonly=True) as connection:
            yield connection

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """For one statement that reads: a snapshot by itself, and one way to the server and back
        where `read` has three."""
        with self._connection("", readonly=True) as connection:
            yield connection

    @contextmanager
    def note(self) -> Iterator[Connection]:
        """For one statement that writes: a transaction by itself, as durable as any."""
        with self._turn(), self._connection("", readonly=False) as connection:
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

        if self._file is not None:
            _create_file(self._file)
        with self._begun("BEGIN IMMEDIATE", readonly=False, rebuilding=True) as connection:
            if not self.is_sqlite:
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK}
                )
            before = revisions.revision_of(connection)
            revisions.refuse_newer(connection)
            config = revisions.alembic_config()
            config.attributes["connection"] = connection
            with self._without_daemons(connection):
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
        with hold_lock(self._lock_file, str(self._file)):
            self._is_held = True
            try:
                yield
            finally:
                self._is_held = False

    @property
    def _lock_file(self) -> Path:
        return Path(f"{self._file}.lock")

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _without_daemons(self, connection: Connection) -> Iterator[None]:
        """For as long as tables are changed that daemons work on. Raises StoreError where they
        run; of those that are started meanwhile a SQLite file refuses the old ones, too."""
        if not revisions.changes_tables(connection):
            yield
        elif not self.is_sqlite:
            revisions.refuse_in_use(connection)
            yield
        elif self._is_held or revisions.revision_of(connection) is None:
            yield
        else:
            with ExitStack() as alone:
                try:
                    alone.enter_context(self.hold_daemon_lock())
                except StoreBusy as busy:
                    by = f"process {holder(self._lock_file)} on {self._file}"
                    raise revisions.in_use(by) from busy
                yield

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
        """A transaction; with an empty `begin` none, and each statement is one. `rebuilding`
        lets SQLite copy tables that others refer to: there a changed table is a new one with the
        rows of the old."""
        with readable_errors(self.engine), self.engine.connect() as connection:
            if rebuilding and self.is_sqlite:
                engines.switch_foreign_keys(connection, "OFF")
            if self.is_sqlite:
                connection = connection.execution_options(**{engines.BEGIN: begin})
            elif not begin:
                connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            elif readonly:
                connection = connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            try:
                with connection.begin():
                    yield connection
            finally:
                if rebuilding and self.is_sqlite:
                    engines.switch_foreign_keys(connection, "ON")

    def _refuse_missing(self) -> None:
        if self._file is not None and not self._file.is_file():
            raise StoreError(
                f"there is no database {self.engine.url.database}: `monitor init` creates it"
            )


def open_store(url: str) -> Store:
    """The store behind a URL such as `sqlite:///monitor.db` or
    `postgresql+psycopg://user@host/name`; nothing is connected yet. Raises StoreError."""
    return Store(engines.open_engine(url))


def _create_file(path: Path) -> None:
    if not path.parent.is_dir():
        raise StoreError(f"the database's folder {path.parent} does not exist")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(f"the database {path} cannot be created: {error.strerror}") from error


def _owe_reviews(connection: Connection) -> None:
    latest = brought_to(connection)
    if latest is not None:
        connection.execute(
            update(tables.table_of(tables.EnrolmentRow)).values(next_review_at=latest, kept_by=None)
        )
