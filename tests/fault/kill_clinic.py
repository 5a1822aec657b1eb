"""A clinic of the kill tests: its folder, its database and the server that takes its mails."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import CommandLine, Ended
from tests.fault import kill_compare as compare
from tests.fault.kill_mail import Postbox
from tests.fault.kill_story import CONFIG, Made
from tests.mail_world import mail_server
from tests.processes import ClinicFolder

SEED = int(os.environ.get("MONITOR_KILL_SEED", "1"))


@dataclass(frozen=True)
class Clinic:
    """A clinic, the URL of its database and the server that takes its mails."""

    folder: ClinicFolder
    url: str
    postbox: Postbox
    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Ended:
        """A command of `monitor`, in this process."""
        with chdir(self.folder.folder):
            return CommandLine(self.folder.folder, self.capture)(*arguments)

    def json(self, *arguments: str) -> Any:
        """The JSON of a command that must end well."""
        ended = self(*arguments, "--json")
        assert ended.code == 0, ended.err
        return ended.json


@contextmanager
def made(
    folder: Path, url: str, timezone: str, capsys: pytest.CaptureFixture[str]
) -> Iterator[Clinic]:
    folder.mkdir()
    with mail_server(postbox := Postbox(chance=random.Random(SEED))) as port:
        config = CONFIG.format(timezone=timezone, url=url, port=port)
        (folder / "config.toml").write_text(config)
        processes = ClinicFolder(folder, port, database=url, bytecode=folder / "bytecode")
        clinic = Clinic(processes, url, postbox, capsys)
        assert clinic("init").code == 0
        yield clinic
        processes.kill_all()


def deliver_what_is_left(killed: Clinic, in_peace: Clinic) -> None:
    """Nothing waits, but for the day's digest where its turn was that of a daemon that was killed:
    it is owed until the turn has run out, or whoever asks for the delivery writes it."""
    left = compare.digests(in_peace.url) - compare.digests(killed.url)
    assert left in (0, 1)
    assert killed.json("deliver") == {"sent": left, "failed": 0, "waiting": 0}


def take_in_peace(clinic: Clinic, files: list[Made]) -> None:
    """The same files by the commands, all patients first."""
    folder = clinic.folder.folder
    for kind in ("enrol", "events"):
        header, *_ = next((made.lines for made in files if made.kind == kind), ("",))
        lines = [line for made in files if made.kind == kind for line in made.lines[1:]]
        if lines:
            (folder / f"{kind}.csv").write_text("\n".join((header, *lines)))
            clinic.json(kind, f"{kind}.csv")
    results = [made for made in files if made.kind == "results"]
    for made in results:
        (folder / made.name).write_text(made.text)
    loaded = clinic("load", *(made.name for made in results))
    assert loaded.code in {0, 3}, loaded.err  # 3: rows are in quarantine
    assert clinic.json("deliver")["waiting"] == 0
