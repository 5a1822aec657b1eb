"""Fixtures for scenarios: the command line in a folder of its own, and a mail server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.demo.catcher import Catcher
from tests.command_line import CommandLine


@pytest.fixture
def monitor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """The command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MONITOR_CONFIG", raising=False)
    return CommandLine(tmp_path, capsys)


@pytest.fixture
def clinic(monitor: CommandLine, store_url: str, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command line in a clinic made by `monitor init`, on each database in turn."""
    monkeypatch.setenv("MONITOR__DATABASE__URL", store_url)
    assert monitor("init").code == 0
    return monitor


@pytest.fixture
def mailbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catcher]:
    """A mail server that takes what `deliver` sends."""
    with Catcher(tmp_path / "mails") as catcher:
        monkeypatch.setenv("MONITOR__MAIL__HOST", "127.0.0.1")
        monkeypatch.setenv("MONITOR__MAIL__PORT", str(catcher.port))
        yield catcher
