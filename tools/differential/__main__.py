"""`python -m tools.differential --histories N --seed S`: ends with 1 where core and oracle differ.

A patient is made from the seed and its number alone: `--only NUMBER` makes that one again, as
Python to paste into a test, without what does not matter to the difference.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from functools import partial
from multiprocessing import get_context

from tools.differential.pasted import pasted
from tools.differential.patients import patient_of
from tools.differential.smallest import smallest

_TOLD_EVERY = 5000
_AT_ONCE = 100


def main() -> int:
    wanted = _arguments()
    if wanted.only is not None:
        sys.stdout.write(told(wanted.seed, wanted.only))
        return int(bool(lines_of(wanted.seed, wanted.only)))
    began = time.monotonic()
    protocols: Counter[str] = Counter()
    differing: list[int] = []
    numbers = range(wanted.first, wanted.first + wanted.histories)
    for number, name, lines in _all(wanted.seed, numbers, wanted.processes):
        protocols[name] += 1
        if lines:
            differing.append(number)
            sys.stderr.write(f"seed {wanted.seed}, number {number}, {name}: {lines[0]}\n")
            if len(differing) == 1:
                sys.stdout.write(told(wanted.seed, number))
                sys.stdout.flush()
        done = protocols.total()
        if done % _TOLD_EVERY == 0:
            sys.stderr.write(f"{done:,} of {wanted.histories:,}: {len(differing)} differ\n")
        if wanted.stop_after and len(differing) >= wanted.stop_after:
            break
    seconds = time.monotonic() - began
    rate = protocols.total() / max(seconds, 0.001)
    sys.stdout.write(
        f"seed {wanted.seed}: {protocols.total():,} histories in {seconds:,.0f} s ({rate:,.0f} a "
        f"second), {len(differing)} on which core and oracle differ\n"
    )
    parts = ", ".join(f"{name} {count:,}" for name, count in sorted(protocols.items()))
    sys.stdout.write(f"by protocol: {parts}\n")
    return int(bool(differing))


def lines_of(seed: int, number: int) -> list[str]:
    """The differences of one patient; a crash is one."""
    try:
        return patient_of(seed, number).differences()
    except Exception as error:  # noqa: BLE001  # every one is what is looked for
        return [f"{type(error).__name__}: {error}"]


def told(seed: int, number: int) -> str:
    """One patient, made as small as its difference allows, and the difference."""
    looked = patient_of(seed, number)
    if lines_of(seed, number):
        looked = smallest(looked)
    try:
        lines = looked.differences() or ["no difference"]
    except Exception:  # noqa: BLE001  # it is what is looked for
        lines = [traceback.format_exc()]
    return f"# seed {seed}, number {number}\n{pasted(looked)}\n" + "\n".join(lines) + "\n"


def _all(seed: int, numbers: range, processes: int) -> Iterator[tuple[int, str, list[str]]]:
    judge = partial(_judged, seed)
    if processes == 1:
        yield from map(judge, numbers)
        return
    with get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(judge, numbers, chunksize=_AT_ONCE)


def _judged(seed: int, number: int) -> tuple[int, str, list[str]]:
    return number, patient_of(seed, number).name, lines_of(seed, number)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.differential", description=__doc__)
    parser.add_argument("--histories", type=int, default=1000, help="how many patients")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first patient")
    parser.add_argument("--only", type=int, help="the one patient of this number")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--stop-after", type=int, default=20, help="differences; 0: never")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
