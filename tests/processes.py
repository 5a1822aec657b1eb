"""A clinic in a folder, and real processes of `monitor` that work on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from copy import copy
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOON = 30.0


def met(condition: Callable[[], bool], seconds: float = SOON, *, pause: float = 0.05) -> bool:
    """Whether it came true in time, looked at every `pause` seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(pause)
    return condition()


class DaemonProcess:
    """One `monitor run`, and what it wrote to its log."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def has_started(self) -> bool:
        """Whether it has begun to look into the inbox."""
        return "event='started'" in self.log.read_text()

    def kill(self) -> None:
        """SIGKILL; returns once it is gone."""
        self.process.kill()
        self.process.wait()

    def end(self, seconds: float = 10) -> int:
        """SIGTERM; the exit code. Raises where it does not end in time."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


class ClinicFolder:
    """A folder with a clinic in it, made by `monitor init`. Its mails go to a port of this
    machine; `bytecode` is where its processes keep compiled modules, so that they start
    quickly where this process was told to keep none."""

    def __init__(
        self, folder: Path, port: int, *, database: str = "", bytecode: Path | None = None
    ) -> None:
        self.folder = folder
        self.inbox = folder / "inbox"
        self.started: list[DaemonProcess] = []
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "MONITOR__MAIL__HOST": "127.0.0.1",
            "MONITOR__MAIL__PORT": str(port),
            "MONITOR__INTAKE__SETTLE_SECONDS": "0",
        }
        if database:
            self._environment["MONITOR__DATABASE__URL"] = database
        if bytecode is not None and sys.dont_write_bytecode:
            self._environment["PYTHONPYCACHEPREFIX"] = str(bytecode)
            self._environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of `monitor`, run to its end."""
        return self.python("-m", "monitor", *arguments)

    def python(self, *arguments: str, seconds: float = 300) -> subprocess.CompletedProcess[str]:
        """The interpreter with the program to be imported, run to its end."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=seconds,
        )

    def with_program(self, program: Path) -> ClinicFolder:
        """The same clinic, worked on by the program of another folder."""
        other = copy(self)
        other._environment = {**self._environment, "PYTHONPATH": str(program)}
        return other

    def spawn(self, *program: str, log_to: Path | None = None) -> DaemonProcess:
        """A daemon that is starting; `program` in place of `-m monitor`."""
        path = log_to or self.folder / f"daemon-{len(self.started)}.log"
        with path.open("w") as log:
            process = subprocess.Popen(
                [sys.executable, *(program or ("-m", "monitor")), "run"],
                cwd=self.folder,
                env=self._environment,
                stderr=log,
                text=True,
            )
        daemon = DaemonProcess(process, path)
        self.started.append(daemon)
        return daemon

    def start(self) -> DaemonProcess:
        """A daemon that has begun to look into the inbox."""
        daemon = self.spawn()
        assert met(lambda: daemon.has_started), f"it did not start: {daemon.log.read_text()}"
        return daemon

    def drop(self, name: str, content: str | bytes) -> None:
        """A file into the inbox, whole at once."""
        half = self.folder / f"half-{name}"
        half.write_bytes(content if isinstance(content, bytes) else content.encode())
        half.rename(self.inbox / name)

    def done(self, name: str) -> bool:
        """Whether a file was taken and moved away."""
        return (self.inbox / "done" / name).exists()

    def kill_all(self) -> None:
        """End whatever still runs."""
        for daemon in self.started:
            daemon.kill()
