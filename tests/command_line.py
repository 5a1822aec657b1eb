"""The command line in a test's own folder, run in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from monitor.cli.app import command_line
from monitor.cli.common import guarded


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.out)


@dataclass(frozen=True)
class CommandLine:
    """`monitor ...` in this test's folder."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Ended:
        self.capture.readouterr()
        app = command_line(*arguments[:1])
        code = guarded(lambda: app(list(arguments), prog_name="monitor"))
        captured = self.capture.readouterr()
        return Ended(code, captured.out, captured.err)

    def write(self, name: str, text: str) -> str:
        """A file in the folder; its name."""
        (self.folder / name).write_text(text, encoding="utf-8")
        return name
