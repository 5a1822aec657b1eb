"""`python -m tools.fuzz FORMAT --count N --seed S`: ends with 1 where an input was mistreated.

An input is made from the seed and its number alone: `--only NUMBER` makes that one again.
What fails is kept in the folder of `--keep`, with a note of what happened.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
import traceback
from collections import Counter
from multiprocessing import get_context
from pathlib import Path
from random import Random

from tools.fuzz.clinic import throw_away_clinic
from tools.fuzz.formats import FORMATS, Format

_MEMORY = 2 << 30
"""Bytes of address space a process may take."""
_TOLD_EVERY = 5000


def main() -> int:
    wanted = _arguments()
    jobs = [(wanted, number) for number in range(wanted.jobs)]
    began = time.monotonic()
    if wanted.jobs == 1:
        parts = [_run(wanted, 0)]
    else:
        with get_context("spawn").Pool(wanted.jobs) as pool:
            parts = pool.starmap(_run, jobs)
    found = sum(parts, Counter())
    seconds = time.monotonic() - began
    done, failed = found["inputs"], found["failed"]
    print(  # noqa: T201  # the report
        f"{wanted.format}, seed {wanted.seed}: {done:,} inputs in {seconds:,.0f} s "
        f"({done / max(seconds, 0.001):,.0f} a second), {found['rows']:,} rows, "
        f"{found['unreadable']:,} files unreadable, {failed} mistreated; slowest "
        f"{max(part['slowest_ms'] for part in parts):,} ms, memory at most "
        f"{max(part['memory_mb'] for part in parts):,} MB, grown by at most "
        f"{max(part['grown_mb'] for part in parts):,} MB"
    )
    return int(failed > 0)


def input_of(kind: Format, seed: int, number: int) -> bytes:
    """The input of this seed and number."""
    luck = Random(f"{seed}:{number}")  # noqa: S311  # to be repeated, not to be secret
    return kind.mutate(luck, luck.choice(kind.corpus()))


def run(kind: Format, seed: int, numbers: range, keep: Path | None = None) -> Counter[str]:
    """Take these inputs one by one; the failures are counted and kept."""
    found: Counter[str] = Counter()
    early = 0
    with throw_away_clinic() as clinic:
        for number in numbers:
            data = input_of(kind, seed, number)
            if found["inputs"] == min(1000, len(numbers) // 2):
                early = _memory_mb()
            found["inputs"] += 1
            try:
                taken = clinic.take(data, kind.suffix)
            except Exception:  # noqa: BLE001  # every one is what is looked for
                found["failed"] += 1
                _keep(keep, seed, number, kind, data, traceback.format_exc())
                continue
            found["rows"] += taken.rows
            found["unreadable"] += bool(taken.unreadable)
            found["slowest_ms"] = max(found["slowest_ms"], round(taken.seconds * 1000))
            if found["inputs"] % _TOLD_EVERY == 0:
                sys.stderr.write(f"{number}: {found['failed']} mistreated\n")
    found["memory_mb"] = _memory_mb()
    found["grown_mb"] = _memory_mb() - (early or _memory_mb())
    return found


def _run(wanted: argparse.Namespace, job: int) -> Counter[str]:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    numbers = range(wanted.first + job, wanted.first + wanted.count, wanted.jobs)
    if wanted.only is not None:
        numbers = range(wanted.only, wanted.only + 1)
    return run(FORMATS[wanted.format], wanted.seed, numbers, wanted.keep)


def _keep(
    folder: Path | None, seed: int, number: int, kind: Format, data: bytes, what: str
) -> None:
    sys.stderr.write(f"seed {seed}, number {number}: {what.strip().splitlines()[-1]}\n")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{seed}-{number}{kind.suffix}"
        path.write_bytes(data)
        path.with_suffix(".txt").write_text(what, encoding="utf-8")


def _memory_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("format", choices=sorted(FORMATS))
    parser.add_argument("--count", type=int, default=1000, help="how many inputs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--only", type=int, help="the one input of this number")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--keep", type=Path, help="folder for inputs that were mistreated")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
