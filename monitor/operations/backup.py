"""A consistent copy of a live database in one file, and back (`docs/adr/0038`)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as replaced
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, inspect, select

from monitor.config import Settings
from monitor.core.calendar import clinic_day, instant_text
from monitor.operations.came_since import came_since
from monitor.store import backups, copying
from monitor.store.database import Store, open_store
from monitor.store.errors import StoreError
from monitor.store.facts import brought_to
from monitor.store.outbox import DELIVERIES, operator_alarm

Progress = Callable[[int, int], None]


class NotRestored(StoreError):
    """Nothing was restored; the text says why, and what would work."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a backup holds, or what was restored from it."""

    file: str
    bytes: int
    brought_to: datetime | None
    rows: dict[str, int]
    waiting: int
    """Messages that are owed, as of then."""
    came_since: tuple[str, ...] = ()
    """Of what was restored: the files in the inbox's done/ that are not in it."""
    not_noted: str = ""
    """Of a backup that is made: why the database could not note when that was."""

    def document(self) -> dict[str, Any]:
        """As `--json` prints it."""
        latest = self.brought_to.isoformat() if self.brought_to else None
        return {
            "file": self.file,
            "bytes": self.bytes,
            "brought_to": latest,
            "rows": self.rows,
            "messages_waiting": self.waiting,
        }


def backup(
    store: Store, path: Path, now: datetime, *, replace: bool, progress: Progress | None = None
) -> Copied:
    """Copy the live database into `path`, check the copy, and note when that was, as far as the
    database takes it: a standby, or one whose disk is full, is worth a copy as well.

    The file appears whole or not at all. Raises StoreError, also where `path` is there and not
    to be replaced.
    """
    if path.is_dir():
        raise StoreError(f"{path} is a folder: name a file in it")
    if path.exists() and not replace:
        raise StoreError(f"{path} is there already: choose another name, or say --replace")
    if not path.parent.is_dir():
        raise StoreError(f"the folder {path.parent} does not exist")
    if _is_the_database(path, store):
        raise StoreError(f"{path} is the database itself: choose another name")
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".backup-") as folder:
            part = Path(folder) / "backup.db"
            copying.snapshot(store, part, progress)
            made = _copied(part, path.name, now)
            copying.seal(part)
            copying.check_file(part)
            part.replace(path)
    except OSError as error:  # a disk that is full, or may not be written to
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    try:
        with store.write() as connection:
            backups.note_backup(connection, now)
    except StoreError as error:
        return replaced(made, not_noted=str(error))
    return made


def restore(
    settings: Settings, path: Path, *, replace: bool, progress: Progress | None = None
) -> Copied:
    """Put what a backup holds in the place of what the database of the config holds.

    The backup is checked first, and a copy of it brought up to date where it is older; the file
    itself is only read. Raises NotRestored or StoreError; then nothing was changed.
    """
    live = settings.database.sqlite_file
    if live is not None and path.exists() and live.exists() and path.samefile(live):
        raise NotRestored(f"{path} is the database itself: name a backup of it")
    copying.check_file(path)
    with tempfile.TemporaryDirectory(prefix="monitor-restore-") as folder:
        work = Path(folder) / "backup.db"
        try:
            copying.copy_file(path, work)
        except OSError as error:
            raise NotRestored(f"{path} cannot be copied to {folder}: {error.strerror}") from error
        _bring_up_to_date(work)
        found = _copied(work, path.name)
        store = open_store(settings.database.url)
        try:
            with store.hold_daemon_lock():  # before anything is moved from under a daemon
                if live is not None:
                    _set_aside_if_damaged(live, replace=replace)
                _prepare(store, replace=replace)
                copying.restore_into(work, store, progress)
            return replaced(found, came_since=tuple(came_since(settings, store)))
        finally:
            store.dispose()


def stale(store: Store, settings: Settings, now: datetime) -> str:
    """What is wrong with the age of the latest backup; empty where nothing is, or nobody
    asked."""
    allowed = settings.backup.alarm_after
    if allowed is None:
        return ""
    with store.read() as connection:
        last = backups.last_backup(connection)
    if last is None:
        return "there has never been a backup; make one: monitor backup FILE"
    zone = settings.clinic.zone
    if allowed.after(clinic_day(last, zone)) < clinic_day(now, zone):
        when = instant_text(last, zone)
        return f"the latest backup is of {when}; make one: monitor backup FILE"
    return ""


def alarm_if_stale(store: Store, settings: Settings, now: datetime) -> bool:
    """Tell the operator, once a day, that the latest backup is too old."""
    says = stale(store, settings, now)
    if not says:
        return False
    clinic = settings.clinic
    with store.write() as connection:
        return operator_alarm(connection, "backup", says, clinic.email, now, clinic.zone)


def _is_the_database(path: Path, store: Store) -> bool:
    """Whether a copy in this place would take the file away from whoever has it open, a daemon:
    what that wrote from then on would be lost. Of the files beside it, too, which come and go:
    what lies in their place SQLite takes for its own."""
    if not store.is_sqlite:
        return False
    live = Path(str(store.engine.url.database))
    if path.exists() and live.exists() and path.samefile(live):
        return True
    beside = [Path(f"{live}{ending}") for ending in ("-wal", "-shm", "-journal", ".lock")]
    return path.resolve() in {it.resolve() for it in (live, *beside)}


def _copied(path: Path, name: str, made_at: datetime | None = None) -> Copied:
    """What a file holds; a copy that was just made remembers when."""
    store = copying.file_store(path)
    try:
        if made_at is not None:
            with store.write() as connection:
                backups.note_backup(connection, made_at)
        with store.read() as connection:
            waits = select(func.count()).where(DELIVERIES.c.state == "waiting")
            return Copied(
                file=name,
                bytes=path.stat().st_size,
                brought_to=brought_to(connection),
                rows=copying.counts(connection),
                waiting=int(connection.scalar(waits) or 0),
            )
    finally:
        store.dispose()


def _bring_up_to_date(work: Path) -> None:
    store = copying.file_store(work)
    try:
        store.migrate()
    finally:
        store.dispose()


def _set_aside_if_damaged(file: Path, *, replace: bool) -> None:
    """A database that cannot be read is no place to copy into: it is kept under another name."""
    if not file.exists():
        return
    try:
        copying.check_file(file)
    except StoreError as error:
        if file.stat().st_size == 0:
            return
        if not replace:
            raise NotRestored(
                f"{error}. Nothing was changed; --replace keeps it under another name"
            ) from None
        aside = _free_name(file)
        for ending in ("", "-wal", "-shm"):
            part = Path(f"{file}{ending}")
            if part.exists():
                part.replace(Path(f"{aside}{ending}"))


def _free_name(file: Path) -> Path:
    """Where a damaged database is kept; what was kept before stays."""
    aside, number = Path(f"{file}.damaged"), 1
    while aside.exists():
        number += 1
        aside = Path(f"{file}.damaged-{number}")
    return aside


def _prepare(store: Store, *, replace: bool) -> None:
    """Create the database where it is not there, bring it up to date where nothing would be
    lost. Raises NotRestored where it holds something that nobody said to replace."""
    try:
        with store.read() as connection:
            empty = copying.is_empty(connection)
    except StoreError as error:
        if not replace and not _is_new(store):
            raise NotRestored(
                f"{error}. Nothing was changed; --replace restores all the same"
            ) from None
        empty = True
    if not empty and not replace:
        raise NotRestored(
            "the database of this config holds patients or files: nothing was changed. "
            "--replace lets the backup take its place; make a backup of it before"
        )
    store.migrate()


def _is_new(store: Store) -> bool:
    """Whether there is no database yet, or one without tables."""
    file = store.engine.url.database
    if store.is_sqlite and (not file or not Path(file).exists()):
        return True
    return not inspect(store.engine).get_table_names()
