"""`python -m tools.fuzz FORMAT --count N --seed S`: ends with 1 where an input was mistreated.

An input is made from the seed and its number alone: `--only NUMBER` makes that one again.
What fails is kept in the folder of `--keep`, with a note of what happened.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from multiprocessing import get_context
from pathlib import Path

from tools.fuzz.formats import FORMATS
from tools.fuzz.running import run_part


def main() -> int:
    wanted = _arguments()
    numbers = range(wanted.first, wanted.first + wanted.count)
    if wanted.only is not None:
        numbers = range(wanted.only, wanted.only + 1)
    jobs = [
        (wanted.format, wanted.seed, numbers[number :: wanted.jobs], wanted.keep)
        for number in range(wanted.jobs)
    ]
    began = time.monotonic()
    if wanted.jobs == 1:
        parts = [run_part(*jobs[0])]
    else:
        with get_context("spawn").Pool(wanted.jobs) as pool:
            parts = pool.starmap(run_part, jobs)
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
