"""A PostgreSQL server of one's own, to be crashed and restarted: never that of anybody else."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

_SYSTEM = Path("/usr/lib/postgresql")
_OWNER = "postgres"
_SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
shared_buffers = '256MB'
max_wal_size = '4GB'
# It is the server that crashes, not the machine: what the system was given, it keeps.
fsync = off
"""


def programs() -> Path | None:
    """Where initdb and pg_ctl are; None where PostgreSQL is not installed on this machine."""
    if sys.platform == "win32":
        return None
    import pwd

    if os.geteuid() == 0 and _OWNER not in {user.pw_name for user in pwd.getpwall()}:
        return None
    found = shutil.which("initdb")
    versions = sorted(_SYSTEM.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    folders = [*([Path(found).resolve().parent] if found else ()), *versions]
    return next((it for it in folders if (it / "initdb").exists()), None)


class Server:
    """A cluster in a folder."""

    def __init__(self, folder: Path) -> None:
        at = programs()
        if at is None:
            raise RuntimeError("PostgreSQL's initdb and pg_ctl are not installed here")
        self._programs = at
        self._data = folder / "data"
        self._log = folder / "log"
        self.port = _free_port()
        folder.mkdir(parents=True)
        _hand_over(folder)

    def create(self) -> None:
        """A new, empty cluster."""
        self._run("initdb", "-D", self._data, "-U", _OWNER, "-A", "trust", "-E", "UTF8", "-N")
        self._configure()

    def copy_of(self, other: Server) -> None:
        """A cluster as another one was when it was stopped."""
        shutil.copytree(other._data, self._data)
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        _hand_over(self._data)
        self._configure()

    def start(self) -> None:
        self._control("start", "-l", self._log)

    def stop(self) -> None:
        """With a checkpoint, so that it can be copied; nothing where it does not run."""
        if (self._data / "postmaster.pid").exists():
            self._control("stop", "-m", "fast")

    def restart(self, mode: str) -> None:
        """`immediate` is a crash with recovery, `fast` what an operator does."""
        self._control("restart", "-m", mode, "-l", self._log)

    def processes(self) -> list[int]:
        """Of the server, its own first."""
        first = int((self._data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text()
        return [first, *map(int, children.split())]

    def url(self, database: str = _OWNER) -> str:
        return f"postgresql+psycopg://{_OWNER}@127.0.0.1:{self.port}/{database}"

    def _configure(self) -> None:
        (self._data / "postgresql.auto.conf").write_text(_SETTINGS.format(port=self.port))

    def _control(self, what: str, *more: str | Path) -> None:
        self._run("pg_ctl", what, "-D", self._data, "-w", "-t", "600", *more)

    def _run(self, program: str, *arguments: str | Path) -> None:
        """Output goes nowhere: a server that is started keeps what it inherits."""
        done = subprocess.run(
            [self._programs / program, *arguments],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=_OWNER if os.geteuid() == 0 else None,
            group=_OWNER if os.geteuid() == 0 else None,
            extra_groups=() if os.geteuid() == 0 else None,
        )
        if done.returncode:
            log = self._log.read_text()[-2000:] if self._log.exists() else ""
            raise RuntimeError(f"{program} {arguments[0]} ended with {done.returncode}\n{log}")


def _hand_over(folder: Path) -> None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, _OWNER, _OWNER)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
