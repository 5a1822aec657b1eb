"""Inputs made of a seed and a number, through the clinic; what is mistreated is counted and kept.

Most inputs share a transaction (`Clinic.take_together`); one of ALONE goes through the whole load
with its review, by itself.
"""

from __future__ import annotations

import resource
import sys
import traceback
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from random import Random

from tools.fuzz.clinic import Clinic, Taken, throw_away_clinic
from tools.fuzz.formats import FORMATS, Format

ALONE = 25
"""One input of so many is loaded alone."""
_TOGETHER = 100
_MEMORY = 2 << 30
"""Bytes of address space a process may take."""
_TOLD_EVERY = 5000
_EARLY = 1000
"""Inputs after which memory should grow no more."""


def input_of(kind: Format, seed: int, number: int) -> bytes:
    """The input of this seed and number."""
    luck = Random(f"{seed}:{number}")  # noqa: S311  # to be repeated, not to be secret
    return kind.mutate(luck, luck.choice(kind.corpus()))


def run_part(name: str, seed: int, numbers: range, keep: Path | None) -> Counter[str]:
    """These inputs in a process of their own, of bounded memory."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    return run(FORMATS[name], seed, numbers, keep)


def run(kind: Format, seed: int, numbers: range, keep: Path | None = None) -> Counter[str]:
    """Take these inputs; the failures are counted and kept."""
    found: Counter[str] = Counter()
    early = 0
    left = iter(numbers)
    with throw_away_clinic() as clinic:
        while group := list(islice(left, _TOGETHER)):
            if not early and found["inputs"] >= min(_EARLY, len(numbers) // 2):
                early = _memory_mb()
            told = found["inputs"] // _TOLD_EVERY
            inputs = [input_of(kind, seed, number) for number in group]
            for number, data, it in zip(group, inputs, _take(clinic, kind, inputs), strict=True):
                _count(found, it)
                if isinstance(it, Exception):
                    _keep(keep, seed, number, kind, data, it)
            if found["inputs"] // _TOLD_EVERY > told:
                sys.stderr.write(f"{group[-1]}: {found['failed']} mistreated\n")
    found["memory_mb"] = _memory_mb()
    found["grown_mb"] = _memory_mb() - (early or _memory_mb())
    return found


def _take(clinic: Clinic, kind: Format, inputs: Sequence[bytes]) -> list[Taken | Exception]:
    """What becomes of each input: all together, and some alone too."""
    found = clinic.take_together(inputs, kind.suffix)
    for index in range(0, len(inputs), ALONE):
        if not isinstance(found[index], Exception):
            found[index] = _alone(clinic, kind, inputs[index])
    return found


def _alone(clinic: Clinic, kind: Format, data: bytes) -> Taken | Exception:
    try:
        return clinic.take(data, kind.suffix)
    except Exception as fault:  # noqa: BLE001  # every one is what is looked for
        return fault


def _count(found: Counter[str], it: Taken | Exception) -> None:
    found["inputs"] += 1
    if isinstance(it, Exception):
        found["failed"] += 1
        return
    found["rows"] += it.rows
    found["unreadable"] += bool(it.unreadable)
    found["slowest_ms"] = max(found["slowest_ms"], round(it.seconds * 1000))


def _keep(
    folder: Path | None, seed: int, number: int, kind: Format, data: bytes, fault: Exception
) -> None:
    what = "".join(traceback.format_exception(fault))
    sys.stderr.write(f"seed {seed}, number {number}: {what.strip().splitlines()[-1]}\n")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{seed}-{number}{kind.suffix}"
        path.write_bytes(data)
        path.with_suffix(".txt").write_text(what, encoding="utf-8")


def _memory_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
