"""One whole database copied: into a SQLite file (the form of every backup), and out of one.

Between two SQLite files SQLite's own online backup copies page by page; whatever involves
PostgreSQL is read in one snapshot and written table by table in one transaction, through the
column types of the code. Neither keeps a live database waiting.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, bindparam, func, select, text, update
from sqlmodel import SQLModel

from monitor.store.bulk import BulkInsert
from monitor.store.database import Store, open_store
from monitor.store.errors import StoreBusy, StoreError

COUNTED = (
    "patients", "enrolments", "events", "results", "quarantine", "files", "alerts",
    "alert_history", "deliveries", "protocol_texts",
)  # fmt: skip
"""The tables whose rows are told after a backup and a restore."""
_OF_ITS_OWN = {
    "facts",
    "protocol_texts",
    "job_runs",
    "breakers",
    "listeners",
    "silent_feeds",
    "throttles",
}
"""What a database has of which nobody has put anything in yet."""
_ROWS = 5_000
_TRIES = 10
"""To have the tables alone, of which each takes a second where others write."""
_MAGIC = b"SQLite format 3\0"

Progress = Callable[[int, int], None]


def snapshot(source: Store, path: Path, progress: Progress | None = None) -> None:
    """Copy a live database into the new SQLite file `path`, readable by its owner alone.

    What is committed at one instant is there, and nothing later. Raises StoreError.
    """
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    if source.is_sqlite:
        with source.read():
            pass  # a file that is missing, or of another revision, is an error in words
        _pages(Path(str(source.engine.url.database)), path)
    else:
        target = file_store(path)
        try:
            target.migrate()
            with source.read() as rows, target.write() as connection:
                _forget_all(connection)
                copy_rows(rows, connection, progress)
        finally:
            target.dispose()
    seal(path)


def restore_into(source: Path, target: Store, progress: Progress | None = None) -> None:
    """Let a migrated `target` hold exactly what the SQLite file `source` of the same revision
    holds; whole or not at all. On PostgreSQL whoever else writes is waited for, and waits.
    Raises StoreError."""
    if target.is_sqlite:
        _pages(source, Path(str(target.engine.url.database)))
        target.dispose()
        return
    backup = file_store(source)
    try:
        for left in reversed(range(_TRIES)):
            try:
                _restore_rows(backup, target, progress)
                return
            except StoreBusy:  # it and a writer waited for each other
                if not left:
                    raise
    finally:
        backup.dispose()


def _restore_rows(backup: Store, target: Store, progress: Progress | None) -> None:
    with backup.read() as rows, target.write() as connection:
        _have_alone(connection)
        _forget_all(connection)
        copy_rows(rows, connection, progress)
        _continue_numbers(connection)
        if counts(connection) != counts(rows):
            raise StoreError("the database did not take all rows; nothing was changed")


def copy_rows(source: Connection, target: Connection, progress: Progress | None = None) -> None:
    """All rows of all tables into the same, empty, tables of another database."""
    known = SQLModel.metadata.sorted_tables
    total = sum(_count(source, table) for table in known)
    done = 0
    for table in known:
        names = [column.name for column in table.columns]
        later = _to_itself(table)
        bulk = BulkInsert(target, table, names)
        for rows in _pieces(source, table):
            first = [_without(row, names, later) for row in rows] if later else rows
            bulk.insert(first)
            done += len(rows)
            if progress is not None:
                progress(done, total)
        for name in later:
            _point(source, target, table, name)


def counts(connection: Connection) -> dict[str, int]:
    """Rows of the tables that people ask after."""
    known = SQLModel.metadata.tables
    return {name: _count(connection, known[name]) for name in COUNTED}


def is_empty(connection: Connection) -> bool:
    """Whether nobody has put anything into this database yet."""
    return not any(
        connection.execute(select(table.c[table.primary_key.columns.keys()[0]]).limit(1)).first()
        for table in SQLModel.metadata.sorted_tables
        if table.name not in _OF_ITS_OWN
    )


def check_file(path: Path) -> None:
    """Refuse what is no whole SQLite file: StoreError."""
    try:
        with path.open("rb") as stream:
            magic = stream.read(len(_MAGIC))
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None
    if magic != _MAGIC:
        raise StoreError(f"{path} is no backup: `monitor backup FILE` writes SQLite files")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as file:
            found = [row[0] for row in file.execute("PRAGMA integrity_check(3)")]
            loose = file.execute("PRAGMA foreign_key_check").fetchmany(1)
            tables = {row[0] for row in file.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error as error:
        raise StoreError(f"{path} is damaged: {error}") from None
    if found != ["ok"]:
        raise StoreError(f"{path} is damaged: {found[0].splitlines()[-1]}")
    if loose:
        raise StoreError(f"{path} is damaged: rows of {loose[0][0]} refer to rows that are gone")
    if "alembic_version" not in tables:
        raise StoreError(f"{path} is a SQLite file, but none of the monitor's")


def seal(path: Path) -> None:
    """One file without a log beside it, whole on the disk."""
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA journal_mode=DELETE").fetchall()
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy_file(source: Path, target: Path) -> None:
    """A private copy of a SQLite file, to be worked on."""
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    shutil.copyfile(source, target)


def file_store(path: Path) -> Store:
    """The store in a SQLite file."""
    return open_store(f"sqlite:///{path}")


def _pages(source: Path, target: Path) -> None:
    """SQLite's online backup: waits for no reader, and other writers wait for it."""
    try:
        with (
            closing(sqlite3.connect(source)) as here,
            closing(sqlite3.connect(target, timeout=30)) as there,
        ):
            here.backup(there)
    except sqlite3.Error as error:
        raise StoreError(f"{source} could not be copied to {target}: {error}") from error


def _pieces(connection: Connection, table: Table) -> Iterator[list[Any]]:
    order = list(table.primary_key.columns)
    query = select(table).order_by(*order).execution_options(stream_results=True, yield_per=_ROWS)
    found = connection.execute(query)
    for rows in found.partitions(_ROWS):
        yield [tuple(row) for row in rows]


def _to_itself(table: Table) -> list[str]:
    """Columns that refer to another row of the same table, which may come later."""
    return [key.parent.name for key in table.foreign_keys if key.column.table is table]


def _without(row: tuple[Any, ...], names: list[str], later: list[str]) -> tuple[Any, ...]:
    return tuple(None if name in later else value for name, value in zip(names, row, strict=True))


def _point(source: Connection, target: Connection, table: Table, name: str) -> None:
    column, key = table.c[name], next(iter(table.primary_key.columns))
    rows = source.execute(select(key, column).where(column.is_not(None))).all()
    if rows:
        statement = update(table).where(key == bindparam("own")).values({name: bindparam("to")})
        target.execute(statement, [{"own": row[0], "to": row[1]} for row in rows])


def _forget_all(connection: Connection) -> None:
    """A new database, too, knows a fact or two."""
    for table in reversed(SQLModel.metadata.sorted_tables):
        _forget(connection, table)


def _have_alone(connection: Connection) -> None:
    """Of PostgreSQL: whoever has begun to write ends first, and whoever begins now waits. What came
    in meanwhile would stand beside what is restored, of patients with other numbers. Readers go
    on: they see what was there."""
    names = ", ".join(f'"{it.name}"' for it in SQLModel.metadata.sorted_tables)
    connection.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))


def _forget(connection: Connection, table: Table) -> None:
    for name in _to_itself(table):
        column = table.c[name]
        connection.execute(update(table).where(column.is_not(None)).values({name: None}))
    connection.execute(table.delete())


def _continue_numbers(connection: Connection) -> None:
    """PostgreSQL counts on from the highest number that came in."""
    for table in SQLModel.metadata.sorted_tables:
        if "id" not in table.columns:
            continue
        highest = connection.scalar(select(func.max(table.c.id)))
        if isinstance(highest, int):
            connection.execute(
                text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :highest)"),
                {"name": table.name, "highest": highest},
            )


def _count(connection: Connection, table: Table) -> int:
    return int(connection.scalar(select(func.count()).select_from(table)) or 0)
