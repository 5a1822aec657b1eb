"""From a file in the inbox to its critical mail accepted by the server: the daemon as a process,
one file after the other, no time to settle."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.databases import empty, opened
from bench.filling import fill
from bench.plan import BOTH, Plan, alone, environment, peak_mib, this
from bench.population import Population
from bench.postbox import CONFIG, mail_server
from bench.record import Record

TITLE = "From a file to a critical mail"
DATABASES = BOTH
_PATIENTS = 1_000
_LONGEST = 30.0


def sizes(scale: str) -> Sequence[int]:
    """Files."""
    return {"quick": (20,), "usual": (60,), "full": (200,)}[scale]


def run(plan: Plan) -> list[Record]:
    """The median and the worst of a hundred files, of each run."""
    middle, worst, memory = [], [], []
    for _ in range(plan.repeats):
        seconds, peak = _one_run(plan)
        cuts = quantiles(seconds, n=100)
        middle.append(cuts[49])
        worst.append(cuts[98])
        memory.append(peak)
    return [
        Record(what="half of the files within", unit="s", values=middle, more_is_better=False,
               reach=0.5, peak_mib=memory, goal="file to critical mail, half of them"),
        Record(what="99 of 100 files within", unit="s", values=worst, more_is_better=False,
               reach=2.0, goal="file to critical mail, 99 of 100"),
    ]  # fmt: skip


def _one_run(plan: Plan) -> tuple[list[float], float]:
    mails: Any = multiprocessing.get_context("spawn").Queue()
    with (
        tempfile.TemporaryDirectory() as name,
        empty(plan.database) as url,
        mail_server(mails) as port,
    ):
        folder = Path(name)
        config = CONFIG.format(port=port).replace("[mail]", '[mail]\nsecurity = "none"')
        (folder / "config.toml").write_text(
            f'{config}\n[intake]\nsettle_seconds = 0\n[database]\nurl = "{url}"\n'
        )
        people = Population(_PATIENTS, 2)
        store = opened(url)
        fill(store, people)
        store.dispose()
        with (folder / "daemon.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "monitor", "run"], cwd=folder, env=environment(), stderr=log
            )
        try:
            _quiet(folder, mails)
            taken = [_file(folder, mails, people, number) for number in range(plan.size)]
            return taken, peak_mib(process.pid)
        finally:
            process.terminate()
            process.wait(20)


def _quiet(folder: Path, mails: Any) -> None:
    """Wait until the daemon has begun, swept everybody once, and has nothing left to send."""
    end = time.monotonic() + 600
    while "everyone reviewed" not in (folder / "daemon.log").read_text():
        if time.monotonic() > end:
            raise TimeoutError("the daemon did not begin")
        time.sleep(0.2)
    time.sleep(5)
    while not mails.empty():
        mails.get()


def _file(folder: Path, mails: Any, people: Population, number: int) -> float:
    """Seconds from the file's name in the inbox to the acceptance of the mail about it."""
    mrn = people.mrn(number)
    at = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    half = folder / "half.csv"
    half.write_text(
        f"mrn,collected_at,analyte,value,unit\n{mrn},{at},neutrophils,0.3,10*9/L\n"
        f"{mrn},{at},white_cells,2.1,10*9/L\n"
    )
    half.rename(folder / "inbox" / f"file{number}.csv")
    dropped = time.time()
    while True:
        accepted, mail = mails.get(timeout=_LONGEST)
        if mrn.encode() in mail:
            time.sleep(0.1 + (number % 10) / 20)  # not in step with whatever looks regularly
            return float(accepted - dropped)


if __name__ == "__main__":
    alone(this(__name__))
