"""What lies in the inbox where nobody looks, and folders that cannot be read: told, and nobody
else is kept out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from monitor.intake.inbox import cannot_be_emptied, take_inbox
from monitor.intake.passed_over import passed_over
from monitor.operations import feeds
from monitor.store.database import Store
from tests.clinic import CONFIG
from tests.desk import NOW, Desk

SOURCES = "[sources.north]\nunits = {}\n[sources.south]\nunits = {}\n"
LABS = "mrn,collected_at,analyte,value,unit\nP1,2026-03-02T08:00,neutrophils,0.9,10*9/L\n"


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    desk = Desk(store, tmp_path, CONFIG + SOURCES)
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    (desk.settings.intake.inbox / "north").mkdir(parents=True)
    return desk


@pytest.fixture
def inbox(desk: Desk) -> Path:
    return desk.settings.intake.inbox


def put(path: Path, text: str = LABS, at: datetime | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if at is not None:
        os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def test_what_is_never_looked_at_is_told(desk: Desk, inbox: Path, tmp_path: Path) -> None:
    elsewhere = put(tmp_path / "elsewhere" / "labs.csv")
    (inbox / "empty" / "deeper").mkdir(parents=True)
    put(inbox / "norht" / "labs.csv")
    put(inbox / "2026" / "11" / "labs.csv")
    put(inbox / "north" / "2026" / "labs.csv")
    (inbox / "north" / "link.csv").symlink_to(elsewhere)
    (inbox / "link.csv").symlink_to(elsewhere)
    (inbox / "gone.csv").symlink_to(tmp_path / "gone.csv")
    os.mkfifo(inbox / "pipe.csv")
    (inbox / "south").symlink_to(elsewhere.parent)  # a source's folder: what is in it is taken
    assert passed_over(desk.settings, NOW) == [
        "2026", "gone.csv", "link.csv", "norht", "pipe.csv", "north/2026", "north/link.csv",
    ]  # fmt: skip
    assert "norht" in feeds.lies_unseen(desk.settings, NOW)
    (outcome,) = take_inbox(desk.store, desk.settings, NOW)
    assert outcome.source == "south"


def test_a_copy_that_broke_off_is_told_after_a_day(desk: Desk, inbox: Path) -> None:
    yesterday = datetime.fromtimestamp(NOW.timestamp() - 90_000, NOW.tzinfo)
    for name in ("labs.csv.part", ".labs.csv.swx", "~labs.csv"):
        put(inbox / "north" / name, at=yesterday)
    put(inbox / "labs.csv.part", at=NOW)
    assert passed_over(desk.settings, NOW) == ["north/labs.csv.part"]


@pytest.fixture
def closed(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a source into which nobody can look; for root, too, who runs some tests."""
    folder = inbox / "north"
    put(folder / "labs.csv")
    folder.chmod(0o000)
    if os.access(folder, os.R_OK):
        scandir, iterdir = os.scandir, Path.iterdir
        monkeypatch.setattr(os, "scandir", lambda path: scandir(_refused(path, folder)))
        monkeypatch.setattr(Path, "iterdir", lambda path: iterdir(_refused(path, folder)))
    yield folder
    folder.chmod(0o755)


def _refused(path: Path, closed: Path) -> Path:
    if path == closed:
        raise PermissionError(13, "Permission denied", str(path))
    return path


def test_a_folder_that_cannot_be_read_keeps_no_other_out(
    desk: Desk, inbox: Path, closed: Path
) -> None:
    put(inbox / "labs.csv")
    assert [it.moved_to for it in take_inbox(desk.store, desk.settings, NOW)] == ["done/labs.csv"]
    assert f"The inbox {closed} cannot be read (Permission denied)" in feeds.inbox_gone(
        desk.settings
    )


def test_the_folder_of_a_source_that_cannot_be_emptied_is_told(
    desk: Desk, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(inbox / "north" / "labs.csv")
    writable = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: path != inbox / "north" and writable(path, mode)
    )
    assert f"{inbox / 'north'} cannot be written" in cannot_be_emptied(desk.settings)
