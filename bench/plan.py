"""What a bench is asked to do, running it alone, and measuring a step apart from the others."""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from bench.machine import facts
from bench.record import Record, Sheet

CACHE = Path(__file__).parents[1] / "build" / "bench"
"""Where generated files and filled databases are kept between runs; may be removed."""
SQLITE, POSTGRESQL = "sqlite", "postgresql"
BOTH = (SQLITE, POSTGRESQL)


class Scale(NamedTuple):
    """How large and how often `python -m bench` measures."""

    sizes: tuple[int, ...]
    """Enrolled, or messages, or whatever the bench counts."""
    repeats: int


SCALES = {
    "quick": Scale((1_000,), 1),
    "usual": Scale((1_000, 20_000), 3),
    "full": Scale((1_000, 20_000, 100_000), 5),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run of one bench."""

    size: int
    repeats: int
    database: str = ""


class Apart(NamedTuple):
    """What a step did in a process of its own."""

    value: Any
    seconds: float
    cpu_seconds: float
    peak_mib: float


class Spent(NamedTuple):
    """Seconds by the clock, and those of this process' CPU, which others cannot blur."""

    clock: float
    cpu: float

    @classmethod
    def now(cls) -> Spent:
        return cls(time.perf_counter(), time.process_time())

    @classmethod
    def since(cls, began: Spent) -> Spent:
        now = cls.now()
        return cls(now.clock - began.clock, now.cpu - began.cpu)


def apart(step: Callable[..., Any], *given: Any) -> Apart:
    """Run a function of a module in a fresh process: its time without the start of that process,
    and the most memory it had. What it takes and returns has to be picklable."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_do, args=(theirs, step, given))
    process.start()
    theirs.close()
    try:
        answer: Apart | str = ours.recv()
    except EOFError:
        answer = "it ended without an answer"
    process.join()
    if isinstance(answer, str):
        raise RuntimeError(f"{step.__module__}.{step.__name__}: {answer}")
    return answer


def _do(answers: Any, step: Callable[..., Any], given: tuple[Any, ...]) -> None:
    try:
        cpu, began = time.process_time(), time.perf_counter()
        value = step(*given)
        took, busy = time.perf_counter() - began, time.process_time() - cpu
        answers.send(Apart(value, took, busy, peak_mib()))
    except Exception as error:
        answers.send(f"{type(error).__name__}: {error}")
        raise


def peak_mib(pid: int | str = "self") -> float:
    """The most memory a process has had, in MiB. Linux says it of a process since its program
    began; elsewhere it is asked of this one."""
    return _memory(pid, "VmHWM:")


def rss_mib(pid: int | str = "self") -> float:
    """The memory of a process now, in MiB."""
    return _memory(pid, "VmRSS:")


def _memory(pid: int | str, line: str) -> float:
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        words = next(text for text in status.read_text().splitlines() if text.startswith(line))
        return int(words.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


def timed(step: Callable[[], Any]) -> float:
    """Seconds a step takes, with no garbage of others to collect within."""
    gc.collect()
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def alone(bench: ModuleType, given: Sequence[str] | None = None) -> None:
    """The command line of a bench: measure, keep the sheet, print it."""
    parser = argparse.ArgumentParser(prog=f"python -m {bench.__name__}", description=bench.__doc__)
    parser.add_argument("--size", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--database", choices=bench.DATABASES, default=bench.DATABASES[0])
    parser.add_argument("--json", type=Path, help="write the sheet there, and do not keep it")
    asked = parser.parse_args(given)
    sheet = measure(bench, Plan(size=asked.size, repeats=asked.repeats, database=asked.database))
    if asked.json:
        asked.json.write_text(sheet.as_json() + "\n", encoding="utf-8")
    else:
        sheet.save()
    print(sheet.as_json())


def measure(bench: ModuleType, plan: Plan) -> Sheet:
    """The sheet of one bench. Raises whatever the bench raises."""
    at = datetime.now(UTC).isoformat(timespec="minutes")
    before = facts(plan.database)
    records: Sequence[Record] = bench.run(plan)
    return Sheet(
        bench=bench.__name__.rpartition(".")[2],
        title=bench.TITLE,
        database=plan.database,
        size=plan.size,
        repeats=plan.repeats,
        at=at,
        machine=before,
        records=tuple(records),
    )


def this(name: str) -> ModuleType:
    """The module that was started as `__main__`, under its own name, so that its functions can
    be found by other processes."""
    import importlib

    spec = sys.modules["__main__"].__spec__
    assert spec is not None and name == "__main__"
    return importlib.import_module(spec.name)


def environment() -> dict[str, str]:
    """The environment for processes of the monitor: they find this clone, and keep compiled
    modules as an installed one would."""
    inherited = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    if inherited.pop("PYTHONDONTWRITEBYTECODE", ""):
        inherited["PYTHONPYCACHEPREFIX"] = str(CACHE / "bytecode")
    return inherited
