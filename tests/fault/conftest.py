"""A clinic whose mails are caught; and the two clinics of the kill tests: one that is disturbed,
and one that is left in peace."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.demo.catcher import Catcher
from tests.fault.kill_clinic import Clinic, made
from tests.processes import ClinicFolder


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Catcher]:
    """Takes every mail that this test's clinic sends."""
    with Catcher(tmp_path / "mails") as catcher:
        yield catcher


@pytest.fixture
def clinic(tmp_path: Path, migrated_sqlite: Path, mailbox: Catcher) -> Iterator[ClinicFolder]:
    """On a file of its own, with the shipped protocols in force; nothing runs yet."""
    folder = tmp_path / "clinic"
    folder.mkdir()
    shutil.copy(migrated_sqlite, folder / "monitor.db")
    clinic = ClinicFolder(folder, mailbox.port)
    assert clinic.run("init").returncode == 0
    yield clinic
    clinic.kill_all()


@pytest.fixture
def timezone(monkeypatch: pytest.MonkeyPatch) -> str:
    """A zone in which it is morning, so that no midnight falls into the run."""
    monkeypatch.delenv("MONITOR_CONFIG", raising=False)
    ahead = (10 - datetime.now(UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/UTC"


@pytest.fixture
def killed(
    tmp_path: Path, store_url: str, timezone: str, capsys: pytest.CaptureFixture[str]
) -> Iterator[Clinic]:
    """The clinic whose daemon is killed, on each database."""
    with made(tmp_path / "killed", store_url, timezone, capsys) as clinic:
        yield clinic


@pytest.fixture
def in_peace(
    tmp_path: Path, migrated_sqlite: Path, timezone: str, capsys: pytest.CaptureFixture[str]
) -> Iterator[Clinic]:
    """The clinic that nobody disturbs; it is given the same files by the commands."""
    database = tmp_path / "in-peace.db"
    shutil.copy(migrated_sqlite, database)
    with made(tmp_path / "in-peace", f"sqlite:///{database}", timezone, capsys) as clinic:
        yield clinic
