"""`python -m tools.burden`: live through a clinic and count what it was told.

    python -m tools.burden simulated --out DIR [--patients 500] [--years 3] [--seed 1]
    python -m tools.burden nhanes FOLDER --out DIR [--patients 500] [--years 3] [--seed 1]
    python -m tools.burden cdisc FOLDER --out DIR
    python -m tools.burden cv FOLDER

DIR keeps the clinic (`monitor report burden --config DIR/config.toml`, `monitor schedule
backtest`) and `burden.json`. With `--protocol FILE` the clinic lives by an edited protocol; with
`--in-time` everybody comes before the grace of a test is over: what is left is what the rules say.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tools.burden.count import Counted, count, lines
from tools.burden.days import Life, found_clinic
from tools.burden.papers import People
from tools.burden.real import Trial, cdisc_sources, survey, variation
from tools.burden.simulated import Simulated

_FIRST = date(2023, 1, 2)
_YEAR_DAYS = 365.25


def run(given: argparse.Namespace) -> Counted:
    """Live through the clinic that was asked for, and count."""
    people, first, last = _people(given)
    sources = cdisc_sources() if given.what == "cdisc" else ""
    store, settings = found_clinic(given.out, sources, first, given.protocol)
    began = time.monotonic()

    def progress(day: date) -> None:
        if day.day == 1:
            sys.stderr.write(f"{day}  {time.monotonic() - began:.0f} s\n")

    last = min(last, given.until or last)
    Life(store, settings, given.out, people).live(first, last, progress)
    found = count(
        store, settings, first, last, datetime(last.year, last.month, last.day, 23, tzinfo=UTC)
    )
    store.dispose()
    (given.out / "burden.json").write_text(json.dumps(found.document(), indent=1), encoding="utf-8")
    return found


def _people(given: argparse.Namespace) -> tuple[People, date, date]:
    if given.what == "cdisc":
        trial = Trial(given.folder)
        return trial, trial.first, trial.last
    last = _FIRST + timedelta(days=round(given.years * _YEAR_DAYS) - 1)
    if given.what == "simulated":
        people = Simulated(given.patients, _FIRST, last, given.seed, in_time=given.in_time)
        return people, _FIRST, last
    usual = survey(given.folder, given.patients, given.seed)
    people = Simulated(
        len(usual), _FIRST, last, given.seed, usual, established=1, in_time=given.in_time
    )
    return people, _FIRST, last


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.burden",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=("simulated", "nhanes", "cdisc", "cv"))
    parser.add_argument("folder", type=Path, nargs="?", help="where the set's own files lie")
    parser.add_argument("--out", type=Path, help="a folder to be made afresh")
    parser.add_argument("--patients", type=int, default=500)
    parser.add_argument("--years", type=float, default=3)
    parser.add_argument("--until", type=date.fromisoformat, help="leave off after this day")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--in-time", action="store_true", help="nobody comes late to a test")
    parser.add_argument("--protocol", type=Path, help="a file in place of azathioprine.toml")
    given = parser.parse_args(arguments)
    if given.what != "simulated" and given.folder is None:
        parser.error(f"{given.what} needs the FOLDER of its files")
    if given.what == "cv":
        told = variation(given.folder)
    elif given.out is None:
        parser.error("--out DIR: where the clinic is made")
    else:
        told = lines(run(given))
    sys.stdout.writelines(f"{line}\n" for line in told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
