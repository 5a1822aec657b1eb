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
