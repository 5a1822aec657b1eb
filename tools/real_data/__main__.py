"""`python -m tools.real_data SET FOLDER --out DIR`: one set, from its files to the figures.

Ends with 0 where nothing differs, 3 where something does, 1 where a command failed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from tools.real_data.arrivals import arrivals
from tools.real_data.clinic import Clinic, Command, CommandFailed, in_a_process
from tools.real_data.compare import Comparison, compare, silent
from tools.real_data.facts import compare_facts
from tools.real_data.report import lines_of
from tools.real_data.sets import SETS

_SAME, _FAILED, _DIFFERS = 0, 1, 3


def run_set(
    name: str, folder: Path, out: Path, command: Command = in_a_process, pieces: int = 1
) -> Comparison:
    """Take a set into a fresh clinic under `out`, at once or in pieces as it happened, and
    compare; who died is told last, so that the alerts of the dead are compared too, and then
    nothing may be left of them. Raises CommandFailed."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    prepared, deaths = SETS[name](folder, out).alive()
    clinic = Clinic(out, command)
    coming = arrivals(prepared, out, pieces)
    clinic.take(coming, prepared.now)
    found = compare(name, prepared, clinic, at_once=pieces == 1)
    found.facts, found.apart = compare_facts(folder, clinic)
    again = clinic.again(coming, prepared.now)
    if any(file["stored"] or file["superseded"] or file["quarantined"] for file in again):
        found.differences.append(f"the same files again changed something: {again}")
    if not deaths.empty:
        clinic.bury(deaths, prepared.now)
        silent(found, deaths, clinic)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.real_data", description=__doc__)
    parser.add_argument("set", choices=sorted(SETS))
    parser.add_argument("folder", type=Path, help="where the set's own files lie")
    parser.add_argument("--out", type=Path, required=True, help="a folder to be made afresh")
    parser.add_argument(
        "--pieces", type=int, default=1, help="cut the results by time into as many files"
    )
    given = parser.parse_args()
    try:
        found = run_set(given.set, given.folder, given.out, pieces=given.pieces)
    except CommandFailed as failure:
        sys.stderr.write(f"{failure}\n")
        return _FAILED
    sys.stdout.writelines(f"{line}\n" for line in lines_of(found))
    return _DIFFERS if found.differences else _SAME


if __name__ == "__main__":
    sys.exit(main())
