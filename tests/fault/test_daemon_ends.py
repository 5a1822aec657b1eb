"""The daemon as a process: it works, ends when told, and is the only one on its file."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor.demo.catcher import Catcher

ROOT = Path(__file__).parents[2]
PATIENTS = "mrn,drug,started_on\nA1,azathioprine,{started_on}\n"
RESULTS = "mrn,collected_at,analyte,value,unit\nA1,{on},neutrophils,0.4,10*9/L\n"
SOON = 30.0


def met(condition: Callable[[], bool], seconds: float = SOON) -> bool:
    """Whether it came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


class Clinic:
    """A clinic in a folder, and the processes that work on it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[str]] = []
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "MONITOR__MAIL__PORT": str(port),
            "MONITOR__INTAKE__SETTLE_SECONDS": "0",
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "monitor", *arguments],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def start(self) -> subprocess.Popen[str]:
        """A daemon that has begun to look into the inbox."""
        log = (self.folder / f"daemon-{len(self.started)}.log").open("w")
        daemon = subprocess.Popen(
            [sys.executable, "-m", "monitor", "run"],
            cwd=self.folder,
            env=self._environment,
            stderr=log,
            text=True,
        )
        log.close()
        self.started.append(daemon)
        assert met(lambda: "event='started'" in Path(log.name).read_text()), "it did not start"
        return daemon

    def drop(self, name: str, text: str) -> None:
        """A file into the inbox, whole at once."""
        (self.folder / "half").write_text(text)
        (self.folder / "half").rename(self.folder / "inbox" / name)

    def done(self, name: str) -> bool:
        return (self.folder / "inbox" / "done" / name).exists()


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Catcher]:
    with Catcher(tmp_path / "mails") as catcher:
        yield catcher


@pytest.fixture
def clinic(tmp_path: Path, migrated_sqlite: Path, mailbox: Catcher) -> Iterator[Clinic]:
    folder = tmp_path / "clinic"
    folder.mkdir()
    shutil.copy(migrated_sqlite, folder / "monitor.db")
    made = Clinic(folder, mailbox.port)
    assert made.run("init").returncode == 0
    yield made
    for daemon in made.started:
        daemon.kill()
        daemon.wait()


def test_a_dropped_file_becomes_a_mail_and_sigterm_ends_it(
    clinic: Clinic, mailbox: Catcher
) -> None:
    daemon = clinic.start()
    clinic.drop("patients.csv", PATIENTS.format(started_on="2026-01-05"))
    clinic.drop("results.csv", RESULTS.format(on="2026-01-12T08:00"))
    assert met(lambda: clinic.done("results.csv"))
    assert met(lambda: any("CRITICAL" in mail.subject for mail in mailbox.caught))
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(10) == 0
    assert clinic.run("verify").returncode == 0


def test_a_second_daemon_on_the_same_file_is_refused(clinic: Clinic) -> None:
    clinic.start()
    second = clinic.run("run")
    assert second.returncode == 2
    assert "already" in second.stderr
    assert "Traceback" not in second.stderr


def test_killed_it_goes_on_at_the_next_start(clinic: Clinic, mailbox: Catcher) -> None:
    first = clinic.start()
    clinic.drop("patients.csv", PATIENTS.format(started_on="2026-01-05"))
    clinic.drop("results.csv", RESULTS.format(on="2026-01-12T08:00"))
    first.kill()
    first.wait()
    clinic.start()
    assert met(lambda: clinic.done("results.csv"))
    assert met(lambda: any("CRITICAL" in mail.subject for mail in mailbox.caught))


def test_an_invalid_config_is_an_error_at_the_start(clinic: Clinic) -> None:
    (clinic.folder / "config.toml").write_text("[clinik]\n")
    ended = clinic.run("run")
    assert ended.returncode == 2
    assert 'did you mean "clinic"?' in ended.stderr


def test_an_invalid_protocol_leaves_the_last_good_one_and_is_told(
    clinic: Clinic, mailbox: Catcher
) -> None:
    (clinic.folder / "schedules" / "azathioprine.toml").write_text("id = 3\n")
    clinic.start()
    assert met(lambda: any("azathioprine" in text_of(mail.page) for mail in mailbox.caught))
    clinic.drop("patients.csv", PATIENTS.format(started_on="2026-01-05"))
    assert met(lambda: clinic.done("patients.csv"))


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")
