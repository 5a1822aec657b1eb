"""The beginning that two runs have in common, both runs side by side, and what came of them."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.population import NOW, Population
from tests.fault.kill_mail import Postbox
from tests.mail_world import mail_server
from tests.processes import ClinicFolder
from tools.week import check, compare, trouble
from tools.week.clock import SharedClock
from tools.week.country import DATABASE, YEARS, clinics, config, populate
from tools.week.days import steps
from tools.week.lead import DAEMONS_AT_WORK, Hits, Run, WeekFailed
from tools.week.server import Server
from tools.week.story import FIRST_DAY, Story, story_of

_LONGEST = 3600
"""Seconds that a command may take: `verify` goes through everybody and everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for."""

    enrolled: int
    days: int
    kills: int
    restarts: int
    seed: int
    folder: Path | None = None


@dataclass
class Outcome:
    """What both runs came to."""

    wanted: Wanted
    beginning: str = ""
    instants: int = 0
    files: int = 0
    rows: int = 0
    hits: Hits = field(default_factory=Hits)
    blows: Counter[str] = field(default_factory=Counter)
    deeds: int = 0
    mails: int = 0
    repeats: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        return not self.differences


def whole_week(wanted: Wanted, folder: Path) -> Outcome:
    """Both runs and their comparison, in a folder of their own. Raises WeekFailed."""
    folder.chmod(0o755)  # the server works as another user
    people = Population(wanted.enrolled, YEARS, wanted.seed)
    story = story_of(people, clinics(wanted.enrolled), wanted.days)
    instants = list(steps(FIRST_DAY, wanted.days))
    files = [made for arriving in story.values() for made in arriving]
    outcome = Outcome(
        wanted, instants=len(instants), files=len(files), rows=sum(it.rows for it in files)
    )
    with ExitStack() as ending:
        servers = _beginning(people, folder, outcome, ending)
        troubles = (
            trouble.drawn(instants, wanted.kills, wanted.restarts, wanted.seed), trouble.none()
        )  # fmt: skip
        runs = [
            _run(name, folder / name, server, story, what, wanted, ending)
            for name, server, what in zip(("disturbed", "in peace"), servers, troubles, strict=True)
        ]
        _side_by_side([lambda run=run: run.live(instants) for run in runs])  # type: ignore[misc]
        began = time.monotonic()
        outcome.differences = _verified(runs)
        outcome.seconds["verify"] = time.monotonic() - began
        _conclude(outcome, *runs)
    return outcome


def _beginning(
    people: Population, folder: Path, outcome: Outcome, ending: ExitStack
) -> list[Server]:
    """Two servers that have lived alike until the evening before."""
    began = time.monotonic()
    servers = [Server(folder / f"server-{number}") for number in range(2)]
    for server in servers:
        ending.callback(server.stop)
    first, second = servers
    first.create()
    first.start()
    outcome.beginning = populate(first, people)
    first.stop()
    second.copy_of(first)
    for server in servers:
        server.start()
    outcome.seconds["the beginning"] = time.monotonic() - began
    sys.stderr.write(f"the beginning: {outcome.beginning}\n")
    return servers


def _run(
    name: str,
    folder: Path,
    server: Server,
    story: Story,
    what: trouble.Trouble,
    wanted: Wanted,
    ending: ExitStack,
) -> Run:
    folder.mkdir()
    own = random.Random(f"{wanted.seed} {name}")  # noqa: S311  # to be repeated
    postbox = Postbox(chance=own) if what.plan else Postbox(chance=own, waits=(0.0,))
    port = ending.enter_context(mail_server(postbox))
    (folder / "config.toml").write_text(config(wanted.enrolled, server.url(DATABASE), port))
    clock = SharedClock(folder / "clock")
    clock.put(NOW)
    processes = ClinicFolder(folder, port, database=server.url(DATABASE))
    ending.callback(processes.kill_all)
    run = Run(
        name, processes, server, server.url(DATABASE), clock, postbox, what, story, own
    )  # fmt: skip
    _command(run, "init")
    return run


def _command(run: Run, *arguments: str) -> str:
    """A command of `monitor` at the instant of the clock. Raises WeekFailed."""
    done = run.folder.python(
        "-m",
        "tools.week.process",
        str(run.clock.path),
        str(DAEMONS_AT_WORK),
        *arguments,
        seconds=_LONGEST,
    )
    if done.returncode:
        raise WeekFailed(f"{run.name}: {arguments[0]}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def _verified(runs: Sequence[Run]) -> list[str]:
    """What `monitor verify` finds in either."""
    found: list[str] = []

    def verify(run: Run) -> None:
        try:
            _command(run, "verify")
        except WeekFailed as differs:
            found.append(f"verify: {differs}")

    _side_by_side([lambda run=run: verify(run) for run in runs])  # type: ignore[misc]
    return found


def _side_by_side(works: Sequence[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work) for work in works]:
            done.result()


def _conclude(outcome: Outcome, disturbed: Run, in_peace: Run) -> None:
    since = NOW.replace(hour=23)  # the first review's own mails are of before
    found = [compare.standing(run.url, since) for run in (disturbed, in_peace)]
    outcome.differences += compare.differences(*found)
    outcome.counts = {
        name: counter.total() for name, counter in found[0].items() if name != "all_results"
    }
    for run in (disturbed, in_peace):
        outcome.differences += check.mails(run.postbox, compare.messages(run.url, since))
        outcome.differences += check.logs(run.folder)
        outcome.seconds[run.name] = run.seconds
    outcome.hits, outcome.deeds = disturbed.hits, disturbed.deeds
    outcome.blows = Counter(disturbed.trouble.done)
    outcome.mails = len(disturbed.postbox.by_message_id())
    outcome.repeats = disturbed.postbox.repeats_by_kill().total()
