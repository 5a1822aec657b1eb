"""What the documents say happens, happens: their commands are run, their answers looked for.

In a block marked `console`, a line after `$` is run in a folder of the document's own, and the
lines below must appear in its answer, in this order (a line `...` stands for any others; spaces
and lines drawn between are not compared). `# ends with 3` names an exit code other than 0. A
block marked `csv NAME` or `hl7 NAME` is written to that file.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor.config import read_settings
from monitor.demo.catcher import Catcher

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ENDS = re.compile(r"\s+# ends with (\d)$")


@dataclass(frozen=True)
class Step:
    """A command and what it must answer."""

    command: str
    code: int
    answer: tuple[str, ...]


def steps_of(block: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *answer = part.splitlines()
        ends = _ENDS.search(command)
        lines = (" ".join(line.split()) for line in answer)
        yield Step(
            _ENDS.sub("", command),
            int(ends[1]) if ends else 0,
            tuple(line for line in lines if line and line != "..."),
        )


def runs_something(document: Path) -> bool:
    return "```console" in document.read_text(encoding="utf-8")


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A folder with `monitor` as a command."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "monitor"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m monitor "$@"\n')
    script.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    "document",
    [document for document in DOCUMENTS if runs_something(document)],
    ids=lambda document: str(document.name),
)
def test_the_commands_of_a_document_do_what_it_says(
    document: Path, tmp_path: Path, commands: Path
) -> None:
    clinic = tmp_path / "clinic"
    clinic.mkdir()
    with Catcher(tmp_path / "mails") as mailbox:
        environment = {
            **os.environ,
            "PATH": f"{commands}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "MONITOR__MAIL__PORT": str(mailbox.port),
        }
        for kind, name, body in _BLOCK.findall(document.read_text(encoding="utf-8")):
            if kind in ("csv", "hl7") and name:
                (clinic / name).write_text(body, encoding="utf-8")
            for step in steps_of(body) if kind == "console" else ():
                _check(step, clinic, environment)


def _check(step: Step, clinic: Path, environment: dict[str, str]) -> None:
    ended = subprocess.run(
        ["sh", "-c", step.command],
        cwd=clinic,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    printed = ended.stdout + ended.stderr
    assert ended.returncode == step.code, f"{step.command}\n{printed}"
    lines = iter(" ".join(line.split()) for line in printed.splitlines())
    for wanted in step.answer:
        assert any(line.startswith(wanted) for line in lines), (
            f"{step.command}\nshould say: {wanted}\nsaid:\n{printed}"
        )


def test_links_between_documents_lead_somewhere() -> None:
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (document.parent / target).exists(), f"{document.name} -> {target}"


@pytest.mark.parametrize("name", ["README.md", "docs/guide.md", "docs/hl7.md"])
def test_what_it_says_of_the_config_is_a_config(name: str) -> None:
    for kind, _, body in _BLOCK.findall((ROOT / name).read_text(encoding="utf-8")):
        if kind == "toml":
            read_settings(body, Path("config.toml"), {})


def test_the_service_file_starts_the_daemon_again_however_long_the_database_is_away() -> None:
    """systemd gives a unit up that ended five times within ten seconds, unless told otherwise."""
    text = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    unit = ConfigParser()
    unit.read_string(text.partition("```ini\n")[2].partition("```")[0])
    assert unit["Service"]["Restart"] == "always"
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    assert float(unit["Service"]["RestartSec"]) >= 1
