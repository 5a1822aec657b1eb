"""A role that lacks rights on PostgreSQL is for its operator to mend, and is told so; and a job of
the daemon that fails for the database says what the database said."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import create_engine, insert, make_url, select
from sqlalchemy.exc import OperationalError

from monitor.config import read_settings
from monitor.daemon.keeper import Job, Keeper
from monitor.operations.fleet import Member
from monitor.store.database import Store, open_store
from monitor.store.errors import StoreError, StoreLost, readable_errors
from monitor.store.outbox import DELIVERIES
from monitor.store.tables import Fact, table_of
from tests.command_line import CommandLine

FACTS = table_of(Fact)


def reading_only(url: str) -> str:
    """The same database as a role that may read all and write nothing."""
    parsed = make_url(url)
    options = f"{parsed.query['options']} -crole=pg_read_all_data"
    return parsed.update_query_dict({"options": options}).render_as_string(hide_password=False)


@pytest.mark.postgresql_only
def test_a_role_that_may_not_write_is_told_so(store_url: str) -> None:
    store = open_store(reading_only(store_url))
    with pytest.raises(StoreError) as told, store.write() as connection:
        connection.execute(insert(FACTS).values(name="x", value="1"))
    assert "permission denied for table facts" in str(told.value)
    assert not isinstance(told.value, StoreLost), "nobody would be told while it is waited for"
    store.dispose()


@pytest.mark.postgresql_only
def test_a_role_that_may_make_no_tables_is_no_fault_of_ours(
    empty_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONITOR__DATABASE__URL", reading_only(empty_url))
    ended = CommandLine(tmp_path, capsys)("init")
    assert ended.code == 2
    assert "permission denied for schema" in ended.err
    assert "own the database" in ended.err
    assert "fault of ours" not in ended.err


def ran(store: Store, folder: Path, work: Callable[[datetime], bool], times: int = 1) -> list[str]:
    """What the operator was told of a job that was run so often."""
    settings = read_settings("", folder / "config.toml", {})
    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.add_job(lambda: None, "interval", hours=1, id="inbox")
    ending = threading.Event()
    keeper = Keeper(store, settings, Member(store), scheduler, ending, lambda: None)
    for _ in range(times):
        keeper.run(Job("inbox", work, every=1))
    with store.read() as connection:
        return [row.payload["text"] for row in connection.execute(select(DELIVERIES))]


def test_a_job_that_failed_for_the_database_says_what_that_said(
    store: Store, tmp_path: Path
) -> None:
    def work(_now: datetime) -> bool:
        raise StoreError("database x: database or disk is full")

    (text,) = ran(store, tmp_path, work)
    assert "The job inbox failed (database x: database or disk is full)" in text


def test_any_other_fault_is_told_by_its_places_alone(store: Store, tmp_path: Path) -> None:
    def work(_now: datetime) -> bool:
        raise ValueError("P1,neutrophils,0.9")

    (text,) = ran(store, tmp_path, work)
    assert "ValueError at daemon/keeper.py" in text
    assert "P1" not in text


def test_a_job_that_fails_each_second_does_not_fill_the_log(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(_now: datetime) -> bool:
        raise ValueError("P1,neutrophils,0.9")

    ran(store, tmp_path, work, times=5)
    assert capsys.readouterr().err.count("job failed") == 1


def test_the_files_that_may_not_be_written_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies beside a database keeps the rights that this one had when it was made: whoever
    gave back those of the database alone was told the same again."""
    file, beside = tmp_path / "monitor.db", tmp_path / "monitor.db-shm"
    for path in (file, beside):
        path.touch()
    monkeypatch.setattr(os, "access", lambda path, _mode: path != beside)
    engine = create_engine(f"sqlite:///{file}")
    refused = sqlite3.OperationalError("attempt to write a readonly database")
    with pytest.raises(StoreError) as told, readable_errors(engine):
        raise OperationalError("UPDATE facts", None, refused)
    assert str(told.value).endswith(f"This account may not write {beside}")
    engine.dispose()


def test_a_full_disk_is_not_said_to_be_a_broken_one(tmp_path: Path, migrated_sqlite: Path) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "monitor.db")
    store = open_store(f"sqlite:///{tmp_path / 'monitor.db'}")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, before[1]))
    try:
        with pytest.raises(StoreError, match="no room left"), store.look():
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        store.dispose()
