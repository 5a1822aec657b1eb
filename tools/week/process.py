"""`python -m tools.week.process CLOCK SLOT COMMAND ...`: `monitor COMMAND` by the shared clock.

The program is the real one. What `monitor.clock` answers stands still until the clock is moved
on, so that a week that is disturbed and one that is not act at the same instants. Only the
scheduler's clock goes on meanwhile, second by second: it says when to look again.
"""

from __future__ import annotations

import sys
import threading
import time
from contextlib import ExitStack
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from unittest.mock import patch

from apscheduler.schedulers import base
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers import interval

from monitor import clock
from monitor.__main__ import main
from tools.week.clock import SharedClock

_GLANCE = 0.02
"""Seconds between two looks at the shared clock."""


class Time:
    """The shared clock as one process lives by it."""

    def __init__(self, shared: SharedClock, slot: int) -> None:
        self._shared, self._slot = shared, slot
        self._lock = threading.Lock()
        self._seen, self._since = shared.now(), time.monotonic()
        self._jobs: dict[int, datetime] = {}

    def now(self) -> datetime:
        """The instant at which everything happens until the clock is moved on."""
        return self._shared.now()

    @property
    def passed(self) -> timedelta:
        """How long this process has known the instant."""
        with self._lock:
            if (now := self._shared.now()) != self._seen:
                self._seen, self._since = now, time.monotonic()
            return timedelta(seconds=time.monotonic() - self._since)

    def going_on(self) -> datetime:
        """The scheduler's clock: the instant, and what has passed since."""
        passed = self.passed
        return self._seen + passed

    def begin(self) -> None:
        """A job of this thread begins; from the first one on this daemon is waited for."""
        with self._lock:
            self._jobs[threading.get_ident()] = self._shared.now()
            self._shared.reach(self._slot, min(self._jobs.values()))

    def end(self) -> None:
        """It has ended; say at which instant the oldest that still works does so."""
        with self._lock:
            last = self._jobs.pop(threading.get_ident())
            self._shared.reach(self._slot, min([last, *self._jobs.values()]))


def live(shared: SharedClock, slot: int) -> None:
    """Run `monitor` by the shared clock."""
    from monitor.daemon import daemon, keeper

    own = Time(shared, slot)
    look, run = keeper.Keeper.look, keeper.Keeper.run

    class Scheduler(BackgroundScheduler):  # type: ignore[misc]  # it has no types
        """Looks at once when the clock is moved on."""

        def start(self, *arguments: Any, **named: Any) -> None:
            super().start(*arguments, **named)
            threading.Thread(target=self._glance, daemon=True).start()

        def _glance(self) -> None:
            seen = own.now()
            while self.running:
                time.sleep(_GLANCE)
                if (now := own.now()) != seen:
                    seen = now
                    self.wakeup()

    class Instant(datetime):
        """What APScheduler asks for the time."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return own.going_on().astimezone(tz)

    def look_later(self: keeper.Keeper, name: str, at: datetime) -> None:
        look(self, name, at + own.passed)

    def run_noted(self: keeper.Keeper, job: keeper.Job) -> None:
        own.begin()
        try:
            run(self, job)
        finally:
            own.end()

    with ExitStack() as patches:
        for where, name, what in (
            (clock, "now", own.now),
            (base, "datetime", Instant),
            (interval, "datetime", Instant),
            (daemon, "BackgroundScheduler", Scheduler),
            (keeper.Keeper, "look", look_later),
            (keeper.Keeper, "run", run_noted),
        ):
            patches.enter_context(patch.object(where, name, what))
        main()


if __name__ == "__main__":
    path, slot, *rest = sys.argv[1:]
    sys.argv = ["monitor", *rest]
    live(SharedClock(Path(path)), int(slot))
