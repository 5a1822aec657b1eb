"""How soon a command answers and the daemon works, and how much memory it has when idle."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from bench.filling import CONFIG, fill
from bench.machine import EVERYTHING
from bench.plan import Plan, alone, environment, peak_mib, rss_mib, this
from bench.population import Population
from bench.record import Peer, Record
from monitor.store.database import open_store

T = TypeVar("T")
TITLE = "Start-up"
DATABASES = ("sqlite",)
ENROLLED = 60
_IDLE_AFTER = 4.0


def sizes(scale: str) -> Sequence[int]:
    """Starts a repeat: their median is one value."""
    return (5,)


def run(plan: Plan) -> list[Record]:
    """`monitor status`, `monitor run` to its first tick, and its memory when idle."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _clinic(folder)
        status, daemon, idle, peak, bare, model, everything = [], [], [], [], [], [], []
        for _ in range(plan.repeats * plan.size):
            bare.append(_ended(folder, "-c", "pass"))
            model.append(_ended(folder, "-c", "import sqlmodel"))
            everything.append(_ended(folder, "-c", EVERYTHING))
            status.append(_ended(folder, "-m", "monitor", "status"))
            daemon.append(_first_tick(folder))
        for _ in range(plan.repeats):
            now, most = _idle_memory(folder)
            idle.append(now)
            peak.append(most)
    peers = (
        Peer(name="SQLModel imported", values=model),
        Peer(name="everything imported", values=everything),
        Peer(name="bare Python", values=bare),
    )
    return [
        Record(what="`monitor status`, 60 enrolled", unit="s", values=status, more_is_better=False,
               peers=peers, reach=0.6, goal="`monitor status`"),
        Record(what="`monitor run` to its first tick", unit="s", values=daemon,
               more_is_better=False, peers=peers, reach=1.5,
               goal="`monitor run` to its first look"),
        Record(what="`monitor run`, idle", unit="MiB", values=idle, more_is_better=False,
               reach=150, peak_mib=peak, goal="`monitor run`, idle memory"),
    ]  # fmt: skip


def _clinic(folder: Path) -> None:
    (folder / "config.toml").write_text(CONFIG)
    store = open_store(f"sqlite:///{folder / 'monitor.db'}")
    store.migrate()
    fill(store, Population(ENROLLED, 2))
    store.dispose()
    (folder / "inbox").mkdir()
    _ended(folder, "-m", "monitor", "sweep")


def _ended(folder: Path, *arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment(), check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - began


def _first_tick(folder: Path) -> float:
    """Seconds until a file that lay in the inbox before the start has been taken: the first
    look at the inbox, which is later than the word that it watches."""
    file = folder / "inbox" / "first.csv"
    file.write_text("mrn,collected_at,analyte,value,unit\n")
    os.utime(file, (1, 1))
    return _with_daemon(folder, lambda pid, began: _until(lambda: not file.exists(), began))


def _idle_memory(folder: Path) -> tuple[float, float]:
    def measure(pid: int, _began: float) -> tuple[float, float]:
        time.sleep(_IDLE_AFTER)
        return rss_mib(pid), peak_mib(pid)

    return _with_daemon(folder, measure)


def _with_daemon(folder: Path, look: Callable[[int, float], T]) -> T:
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", "run"], cwd=folder, env=environment(),
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        return look(process.pid, began)
    finally:
        process.terminate()
        process.wait(20)


def _until(met: Callable[[], bool], began: float, seconds: float = 60) -> float:
    while not met():
        if time.perf_counter() - began > seconds:
            raise TimeoutError("the daemon did not do it in a minute")
        time.sleep(0.002)
    return time.perf_counter() - began


if __name__ == "__main__":
    alone(this(__name__))
