"""`python -m tools.week`: a week of a country, disturbed and in peace, must end alike.

100,000 made-up patients are enrolled on a PostgreSQL server of the tool's own, and three real
daemons live through seven days by a clock that is moved on from instant to instant. Twice, from
the same beginning: once in peace, once with daemons killed (SIGKILL) and the server crashed and
restarted at random. Ends with 0 where nothing differs, nothing is lost, `monitor verify` finds
nothing, and mails were repeated at most once a kill; with 1 otherwise.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tools.week.report import lines_of
from tools.week.whole import Wanted, whole_week


def main() -> int:
    wanted = _arguments()
    with tempfile.TemporaryDirectory(prefix="week-", dir=wanted.folder) as folder:
        outcome = whole_week(wanted, Path(folder))
    sys.stdout.writelines(f"{line}\n" for line in lines_of(outcome))
    return int(not outcome.is_well)


def _arguments() -> Wanted:
    parser = argparse.ArgumentParser(prog="python -m tools.week", description=__doc__)
    parser.add_argument("--enrolled", type=int, default=100_000, help="patients at the beginning")
    parser.add_argument("--days", type=int, default=7, help="days of the week")
    parser.add_argument("--kills", type=int, default=48, help="daemons killed")
    parser.add_argument("--restarts", type=int, default=6, help="restarts of the server")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the databases may lie meanwhile")
    given = parser.parse_args()
    return Wanted(**vars(given))


if __name__ == "__main__":
    sys.exit(main())
