"""Runs the jobs of the daemon: whose turn each is, and what follows where one fails.

A job that fails is recorded and told to the operator; a database that went away is waited for;
one that was brought to a revision this program does not get along with ends the daemon.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from monitor import clock, logs
from monitor.config import Settings
from monitor.daemon.first_look import FirstLook
from monitor.operations import job_runs
from monitor.operations.fleet import Member
from monitor.store.daemons import Turn
from monitor.store.database import Store
from monitor.store.errors import StoreBusy, StoreError, StoreLost, StoreOutdated, TooEarly
from monitor.store.facts import AHEAD
from monitor.store.outbox import operator_alarm

AT_HOME = "at home"
"""The thread of whatever does not wait for other machines."""
_BUSY_PAUSE = timedelta(seconds=10)
_BUSY_TOLD = timedelta(minutes=5)
"""For so long somebody else may keep a job waiting without the operator hearing of it."""
_AGAIN = timedelta(minutes=10)
"""When a daemon looks whether the nightly sweep was done that another one is at."""
_GOES_ON = 60.0
"""Seconds between two notes that a long run goes on; `monitor health` waits for some minutes."""
_LEAST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=30)
"""Between two looks at a database that does not answer."""


class Ending(Exception):
    """A long review leaves off between two batches; the rest is still owed, or another's."""


@dataclass(frozen=True)
class Job:
    """Something to look at, how often, and in which thread."""

    name: str
    work: Callable[[datetime], bool]
    """Does it at an instant; True where messages may have come of it."""
    every: float
    """Seconds between two looks."""
    thread: str = AT_HOME
    once_since: Callable[[datetime], datetime] | None = None
    """Of a job that one daemon does for all: since when it is owed once, at an instant."""
    after_inbox: bool = False
    """Of a job that asks for what may lie in the inbox: it waits for the first look there."""


class Keeper:
    """The runs of all jobs of one daemon."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        member: Member,
        scheduler: BackgroundScheduler,
        stopping: threading.Event,
        messages: Callable[[], None],
        first_look: FirstLook | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._member = member
        self._scheduler = scheduler
        self._stopping = stopping
        self._messages = messages
        """Called where a job may have left messages to be sent."""
        self._first_look = first_look
        self._log = logs.logger("daemon")
        self._lost_since: datetime | None = None
        self._telling = threading.Lock()
        """Jobs run in several threads; of all of them one says that the database went or came."""
        self._noted: dict[str, job_runs.Noted] = {}
        """What was written down last of each job."""
        self._said: dict[str, job_runs.Noted] = {}
        """What the log was told last of each; a full disk takes no more of it than it has to."""
        self._went_on = time.monotonic()
        self._busy_since: dict[str, datetime] = {}
        """Since when a job found somebody else writing, each time it tried."""
        self.failing: set[str] = set()
        """Jobs whose last run failed."""
        self.outdated: StoreOutdated | None = None
        """Why the daemon has to end, where the database is not its own any more."""

    def run(self, job: Job) -> None:
        """Run a job at this tick's instant; whatever happens is recorded and told."""
        if self._stopping.is_set():
            return
        now, error = clock.now(), ""
        if job.after_inbox and self._first_look is not None and self._first_look.lasts:
            self.look(job.name, now + _LEAST_PAUSE)
            return
        try:
            with self._turn(job, now) as ours:
                if not ours:
                    return
                if job.work(now):
                    self._messages()
        except Exception as fault:  # noqa: BLE001  # the daemon never dies of a job
            if self._is_seen_to(job, now, fault):
                return
            error = _what(fault)
        else:
            self._busy_since.pop(job.name, None)
        self._record(job, now, error)

    def _is_seen_to(self, job: Job, now: datetime, fault: Exception) -> bool:
        """Whether this is no failure of the job, and what follows is done."""
        match fault:
            case Ending():
                pass
            case StoreOutdated():
                self._give_up(fault)
            case StoreLost():
                self._lost(job, fault)
            case StoreBusy() if not self._is_busy_for_long(job, now):
                self._log.info("somebody else is writing", job=job.name)
                self.look(job.name, clock.now() + _BUSY_PAUSE)
            case TooEarly() if clock.now() - now > AHEAD:  # this process stood still
                self.look(job.name, clock.now())
            case _:
                return self._stopping.is_set()
        return True

    def _is_busy_for_long(self, job: Job, now: datetime) -> bool:
        """A table that somebody has locked and forgotten keeps everything waiting: files are not
        taken in, and no critical count is told."""
        return clock.now() - self._busy_since.setdefault(job.name, now) > _BUSY_TOLD

    @contextmanager
    def _turn(self, job: Job, now: datetime) -> Iterator[bool]:
        """Whether the job is for this daemon to do now."""
        if job.once_since is None:
            yield True
            return
        turn = self._member.take_turn(job.name, now, job.once_since(now))
        if turn is not Turn.OURS:
            if turn is Turn.TAKEN and not job.every:
                self.look(job.name, clock.now() + _AGAIN)
            yield False
            return
        done_at = None
        try:
            yield True
            done_at = clock.now()
        finally:
            with suppress(StoreError):  # it ends by itself, too
                self._member.end_turn(job.name, done_at)

    def _lost(self, job: Job, fault: StoreLost) -> None:
        """The database went away: what a job should have done is still owed, and is looked for
        again the later the longer it is away."""
        now = clock.now()
        with self._telling:
            since, self._lost_since = self._lost_since, self._lost_since or now
        if since is None:
            self._log.warning("the database does not answer", job=job.name, why=str(fault))
        pause = min(max(now - (since or now), _LEAST_PAUSE), _LONGEST_PAUSE)
        self.look(job.name, now + pause)

    def _answered(self) -> None:
        with self._telling:
            since, self._lost_since = self._lost_since, None
        if since is not None:
            away = (clock.now() - since).total_seconds()
            self._log.warning("the database answers again", seconds=round(away, 1))

    def _give_up(self, fault: StoreOutdated) -> None:
        self._log.error("the database is of another version", what=str(fault))
        self.outdated = fault
        self._stopping.set()

    def _record(self, job: Job, started: datetime, error: str) -> None:
        (self.failing.add if error else self.failing.discard)(job.name)
        finished = clock.now()
        try:
            noted = self._noted.get(job.name)
            # A job may end well without a word with the database: that it is there again shows
            # only where it takes something down.
            is_lost = self._lost_since is not None
            if noted is None or is_lost or not noted.still_says(finished, error):
                if error and self._is_news(job.name, finished, error):
                    self._log.error("job failed", job=job.name, what=error)
                with self._store.write() as connection:
                    job_runs.record(connection, job.name, started, finished, error)
                self._noted[job.name] = job_runs.Noted(finished, error)
                self._answered()
            if error:
                self.alarm(
                    f"job {job.name}",
                    f"The job {job.name} failed ({error}). It is tried again; what it should "
                    "have done is still owed. See the log of the daemon.",
                    started,
                )
        except StoreLost as fault:
            self._lost(job, fault)
        except Exception as fault:  # noqa: BLE001  # with no database only the log is left
            if self._is_news(f"{job.name} recorded", finished, _what(fault)):
                self._log.error("cannot record a job", job=job.name, what=_what(fault))

    def _is_news(self, about: str, at: datetime, error: str) -> bool:
        """Whether the log was not told just now."""
        said = self._said.get(about)
        if said is not None and said.still_says(at, error):
            return False
        self._said[about] = job_runs.Noted(at, error)
        return True

    def goes_on(self, name: str) -> None:
        """Note that a job is at work, where it takes long: one that is silent is taken for dead."""
        if time.monotonic() - self._went_on < _GOES_ON:
            return
        self._went_on = time.monotonic()
        now = clock.now()
        with suppress(StoreError), self._store.write() as connection:
            job_runs.record(connection, name, now, now, "")

    def alarm(self, topic: str, text: str, now: datetime) -> None:
        """Tell the operator, once a topic a day."""
        clinic = self._settings.clinic
        with self._store.write() as connection:
            operator_alarm(connection, topic, text, clinic.email, now, clinic.zone)

    def look(self, name: str, at: datetime) -> None:
        """Have a job look at an instant, whenever its next time is."""
        if not self._stopping.is_set():
            self._scheduler.modify_job(name, next_run_time=at)


def _what(fault: Exception) -> str:
    """What a database says of itself, for that is what somebody has to mend; of anything else the
    places alone, for its text may quote a row."""
    return str(fault) if isinstance(fault, StoreError) else logs.places(fault)


def period(seconds: float) -> Callable[[datetime], datetime]:
    """Of a job that one daemon does for all, each `seconds`: since when it is owed once. A little
    less than the time between two looks, for those of others come in between."""
    return lambda now: now - timedelta(seconds=0.8 * seconds)
