"""Files that are there and may not be read: said by us, and no reason to leave the others out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import CommandLine

_ROWS = "mrn,collected_at,analyte,value,unit\nU1,2026-01-12T08:00,neutrophils,2.9,10*9/L\n"
_NAME = "locked.csv"


@pytest.fixture
def locked(monitor: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A clinic with a file that may not be read; by root neither, to whom nothing is denied."""
    assert monitor("init").code == 0
    (monitor.folder / monitor.write(_NAME, _ROWS)).chmod(0)
    may, plain = os.access, Path.open

    def access(path: Any, *args: Any, **more: Any) -> bool:
        return Path(path).name != _NAME and may(path, *args, **more)

    def opened(path: Path, *args: Any, **more: Any) -> Any:
        if path.name == _NAME:
            raise PermissionError(13, "Permission denied", str(path))
        return plain(path, *args, **more)

    monkeypatch.setattr("os.access", access)
    monkeypatch.setattr(Path, "open", opened)
    return monitor


def test_the_other_files_are_taken_and_the_unreadable_one_is_listed(locked: CommandLine) -> None:
    """The library that reads the command line would end the command with its own words."""
    good = locked.write("good.csv", _ROWS)
    ended = locked("load", _NAME, good, "--json", "--at", "2026-01-13")
    assert ended.code == 2
    first, second = ended.json["files"]
    assert "Permission denied" in first["error"]
    assert second["quarantined"] == 1
    assert "locked.csv: it cannot be read: Permission denied" in ended.err


@pytest.mark.parametrize(
    "command",
    [
        ("enrol", _NAME),
        ("events", _NAME),
        ("schedule", "check", _NAME),
        ("schedule", "preview", _NAME),
        ("schedule", "backtest", _NAME),
        ("schedule", "apply", _NAME, "--by", "W", "--reason", "R"),
        ("source", "learn", _NAME, "--name", "lab"),
        ("status", "--config", _NAME),
    ],
)
def test_what_may_not_be_read_is_said_in_our_words(
    locked: CommandLine, command: tuple[str, ...]
) -> None:
    ended = locked(*command)
    assert ended.code == 2
    assert "locked.csv: " in ended.err
    assert "Usage" not in ended.err
    assert "Permission denied" in ended.err or "this account may not read" in ended.err


@pytest.fixture
def closed(monitor: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A clinic whose folder of protocols may not be looked into; by root neither."""
    assert monitor("init").code == 0
    folder, listed, looked_at = str(monitor.folder / "schedules"), os.listdir, os.stat

    def listing(path: Any = ".") -> Any:
        if str(path) == folder:
            raise PermissionError(13, "Permission denied", folder)
        return listed(path)

    def look(path: Any, *args: Any, **more: Any) -> Any:
        if str(path).startswith(folder + os.sep):
            raise PermissionError(13, "Permission denied", str(path))
        return looked_at(path, *args, **more)

    monkeypatch.setattr("os.listdir", listing)
    monkeypatch.setattr("os.stat", look)
    return monitor


def test_what_is_in_force_stays_where_the_folder_of_protocols_may_not_be_read(
    closed: CommandLine,
) -> None:
    """Every command that writes had ended as a fault of ours, and nobody was watched."""
    for command in ("sweep", "init"):
        ended = closed(command)
        assert ended.code == 0, ended
        assert "schedules cannot be read (Permission denied): what is in force stays" in ended.err
        assert "missing" not in ended.err
    listed = closed("schedule", "list", "--json").json
    assert "azathioprine" in [it["id"] for it in listed["protocols"]]
    assert [it for it in listed["notices"] if "cannot be read" in it]


def test_what_programs_put_beside_protocols_is_no_protocol(monitor: CommandLine) -> None:
    """An editor's lock, which points nowhere, and the shadow that a Mac leaves of a file."""
    assert monitor("init").code == 0
    folder = monitor.folder / "schedules"
    (folder / ".#azathioprine.toml").symlink_to("ann@laptop.1234")
    (folder / "._azathioprine.toml").write_bytes(b"\0\5\x16\7")
    assert monitor("sweep").err == ""


@pytest.mark.parametrize("command", [("init",), ("demo", "--once", "--dir", "new/demo")])
def test_where_nothing_can_be_made_is_said(
    monitor: CommandLine, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    ended = monitor(*command)
    assert ended.code == 2
    assert "cannot be made: Permission denied" in ended.err
    assert list(monitor.folder.iterdir()) == []


def test_an_init_that_a_full_disk_ended_is_made_good_by_the_next(
    monitor: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a folder of protocols would be taken for the clinic's own choice."""
    copied: list[str] = []

    def full(source: Path, target: Path) -> None:
        if len(copied) == 3:
            raise OSError(28, "No space left on device")
        copied.append(source.name)
        target.write_bytes(source.read_bytes())

    with monkeypatch.context() as disk:
        disk.setattr("shutil.copyfile", full)
        ended = monitor("init")
    assert (ended.code, len(copied)) == (2, 3)
    assert "schedules cannot be made: No space left on device" in ended.err
    assert monitor("init").code == 0
    assert (monitor.folder / "schedules" / "azathioprine.toml").exists()
    assert not list(monitor.folder.glob(".*.part"))


@pytest.mark.parametrize(
    "command",
    [
        ("backup",),
        ("restore",),
        ("load",),
        ("schedule", "check"),
        ("init", "--config"),
        ("demo", "--once", "--dir"),
    ],
)
def test_a_name_that_no_file_system_takes_is_no_fault_of_ours(
    locked: CommandLine, command: tuple[str, ...]
) -> None:
    ended = locked(*command, "x" * 300)
    assert ended.code == 2
    assert "File name too long" in ended.err
    assert "fault of ours" not in ended.err
