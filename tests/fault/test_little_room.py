"""A disk that gets full, and folders that lie on other disks."""

from __future__ import annotations

import errno
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Connection

from monitor.daemon.keeper import Job, Keeper
from monitor.intake.inbox import cannot_be_emptied, take_inbox
from monitor.operations.fleet import Member
from monitor.operations.room import alarm_if_little
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.errors import StoreError
from tests.desk import LONG, NOW, Desk


class Space(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path)


@contextmanager
def _no_room() -> Iterator[Connection]:
    raise StoreError("database or disk is full")
    yield


def test_the_log_of_a_full_disk_is_not_filled_each_second(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Two lines a second went into the log, on the very same disk perhaps."""
    keeper = Keeper(
        desk.store, desk.settings, Member(desk.store), BackgroundScheduler(), threading.Event(),
        lambda: None,
    )  # fmt: skip

    def fails(_now: object) -> bool:
        raise StoreError("database or disk is full")

    monkeypatch.setattr(desk.store, "write", _no_room)
    for _ in range(20):
        keeper.run(Job("inbox", fails, every=1))
    log = capfd.readouterr().err
    assert log.count("job failed") == 1
    assert log.count("cannot record a job") == 1


@pytest.mark.sqlite_only
def test_the_operator_is_told_while_there_is_room_for_a_message(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = {
        "database": desk.settings.database.model_copy(update={"url": str(desk.store.engine.url)})
    }
    settings = desk.settings.model_copy(update=url)
    free = [300]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Space(0, 0, free[0] * 2**20))
    assert not alarm_if_little(desk.store, settings, NOW)
    free[0] = 150
    assert alarm_if_little(desk.store, settings, NOW)
    assert not alarm_if_little(desk.store, settings, NOW + timedelta(minutes=1))
    (message,) = desk.clinic.rows(tables.Delivery)
    assert message.payload["text"].startswith("Only 150 MiB are free where the database is")


def test_a_full_disk_under_the_inbox_is_no_inbox_that_can_be_emptied(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.settings.intake.inbox.mkdir()
    assert cannot_be_emptied(desk.settings) == ""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Space(0, 0, 4096))
    assert "No space left on device" in cannot_be_emptied(desk.settings)


def _elsewhere(path: Path, target: Path) -> Path:
    if path.parent != Path(target).parent:
        raise OSError(errno.EXDEV, "Invalid cross-device link")
    return _within(path, target)


_within: Callable[[Path, Path], Path] = Path.replace


def test_what_was_taken_goes_to_an_archive_on_another_disk(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """done/ may be a share of its own. Each file was read again and again, for ever."""
    inbox = desk.settings.intake.inbox
    inbox.mkdir()
    monkeypatch.setattr(Path, "replace", _elsewhere)
    path = desk.file(LONG, "A1,2026-03-02T08:00,neutrophils,4.0,G/L,,,,")
    content = path.read_bytes()
    shutil.move(path, inbox / "labs.csv")
    (outcome,) = take_inbox(desk.store, desk.settings, NOW)
    assert outcome.moved_to == "done/labs.csv"
    assert (inbox / "done/labs.csv").read_bytes() == content
    assert [it.name for it in inbox.iterdir() if it.is_file()] == []
    assert take_inbox(desk.store, desk.settings, NOW) == []
    beside = sorted(it.name for it in (inbox / "done").iterdir())
    assert beside == ["labs.csv", "labs.csv.report.json", "labs.csv.report.txt"]


def test_an_archive_without_room_leaves_the_file_where_it_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = desk.settings.intake.inbox
    inbox.mkdir()
    monkeypatch.setattr(Path, "replace", _elsewhere)

    def full(_source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    shutil.move(desk.file(LONG, "A1,2026-03-02T08:00,alt,20,U/L,,,,"), inbox / "labs.csv")
    (outcome,) = take_inbox(desk.store, desk.settings, NOW)
    assert (outcome.moved_to, "No space left" in outcome.error) == ("", True)
    assert (inbox / "labs.csv").exists()
    assert [it.name for it in (inbox / "done").iterdir() if it.name.endswith(".part")] == []


def test_a_name_for_which_the_locale_has_no_bytes_is_put_away_all_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a name of another encoding is, whose marks an old locale cannot write."""
    inbox = desk.settings.intake.inbox
    inbox.mkdir()
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "ascii")
    shutil.move(desk.file(LONG, "A1,2026-03-02T08:00,alt,20,U/L,,,,"), inbox / "Müller.csv")
    (outcome,) = take_inbox(desk.store, desk.settings, NOW)
    assert (outcome.name, outcome.moved_to) == ("Müller.csv", "done/M_ller.csv")
