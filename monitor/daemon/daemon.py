"""The daemon: wires jobs to the scheduler. It decides nothing; the database says what is owed.

The scheduler only says when to look. A job that fails is recorded, told to the operator, and
looks again at its next time; the daemon never dies of one, nor of a database that goes away
for a while. Intake and review run one after the other in one thread; what waits for other
machines runs in two others, so that a slow mail server holds up no lab file, and no mail that came
back; and what goes through everybody or through weeks of results, the digests and the watch over
the feeds, in one more, so that it holds up none of these. The nightly sweep, which takes longest,
has a thread of its own, or these would look dead meanwhile. So have the signs of life, for other
daemons and for whatever watches this machine: a morning's mails take minutes.

Several daemons may share one PostgreSQL. Reviews and messages are claimed row by row; what is
to be done once for all is done by whoever takes its turn (`fleet`).
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from monitor import clock, logs
from monitor.config import Settings, missing_secrets
from monitor.daemon.every import Every
from monitor.daemon.first_look import FirstLook
from monitor.daemon.in_force import InForce
from monitor.daemon.keeper import AT_HOME, Ending, Job, Keeper, period
from monitor.daemon.machine_clock import MachineClock
from monitor.daemon.own_config import OwnConfig
from monitor.daemon.rest import Rest
from monitor.daemon.signals import asked_to_end
from monitor.delivery.send import deliver_due
from monitor.intake.inbox import UNREADABLE, InboxGone
from monitor.intake.listener import Listener
from monitor.intake.watch import Watch
from monitor.intake.written_on import WrittenOn
from monitor.operations import arrivals, canary, downtime, feeds, fleet, heartbeat, job_runs
from monitor.operations.backup import alarm_if_stale
from monitor.operations.bounces import empty_boxes
from monitor.operations.digests import compose_digests
from monitor.operations.room import alarm_if_little
from monitor.operations.sessions import prune
from monitor.operations.stuck import alarm_if_stuck
from monitor.review import review_due
from monitor.store.daemons import TICK
from monitor.store.database import Store, open_store
from monitor.store.errors import StoreError, StoreLost
from monitor.store.facts import CANARY
from monitor.store.seal import seal

NIGHTLY = "nightly"
SWEEP_HOUR = 3
"""The clinic's hour at which everyone is reviewed."""
_LAST_WORDS = 5.0
"""Seconds that a running job has to end after SIGTERM; then its transaction is let fall."""
_OUTSIDE, _BOX, _THROUGH_ALL, _SWEEP = "outside", "box", "through all", "sweep"
_PULSE, _BEAT = "pulse", "beat"
_THREADS = (AT_HOME, _OUTSIDE, _BOX, _THROUGH_ALL, _SWEEP, _PULSE, _BEAT)
_ROUNDS = 5
"""Reviews or deliveries one after the other, while messages keep coming."""
_REVIEWING = 2.0
"""Seconds of reviews in a row, before files that wait in the inbox have a turn."""
_SENDING = 60.0
"""Seconds of one run over the outbox: what failed in it is tried again in the next."""
_SOON = timedelta(seconds=0.2)
_KEPT_EVERY = timedelta(minutes=1)
_CANARY_EVERY = 900.0
"""Seconds between two looks whether this night's canaries have flown."""
_LOOK = 0.2
"""Seconds between two looks whether somebody asked for the end."""
_PATIENCE, _PAUSE = 30.0, 0.5
"""Seconds for which a start waits for a database that answered and went away, and between two
tries."""


class Daemon:
    """One running monitor. `run` returns after SIGTERM, SIGINT or `stop`. `config` is the file of
    its settings."""

    def __init__(self, settings: Settings, config: Path | None = None) -> None:
        self._settings = settings
        self._config = OwnConfig(settings, config)
        self._store: Store = open_store(settings.database.url)
        self._stopping = threading.Event()
        self._asked: list[int] = []
        """Signals that ask for the end."""
        self._came = threading.Event()
        """Messages touched somebody since the last review began."""
        self._owed = threading.Event()
        """Messages may have been queued since the last delivery began."""
        self._watch = Watch(settings, self._dropped)
        self._stuck_files = Rest()
        self._written_on = WrittenOn(settings)
        self._listener = (
            Listener(self._store, settings, clock.now, arrived=self._arrived)
            if settings.mllp.is_on
            else None
        )
        self._log = logs.logger("daemon")
        self._member = fleet.Member(self._store)
        self._kept_at = clock.now()
        self._scheduler = BackgroundScheduler(
            timezone=settings.clinic.zone,
            executors={name: ThreadPoolExecutor(1) for name in _THREADS},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )
        self._first_look = FirstLook()
        self._keeper = Keeper(
            self._store, settings, self._member, self._scheduler, self._stopping, self._send_soon,
            self._first_look,
        )  # fmt: skip
        self._in_force = InForce(
            self._store, settings, self._config, self._keeper.alarm, self._member
        )
        self._clock = MachineClock(
            self._store, settings, self._member, self._begin_again, self._keeper.alarm
        )

    def run(self, ready: Callable[[], None] | None = None) -> None:
        """Work until told to stop; `ready` is called once everything is wired.

        Raises StoreError, at once, where the database cannot be used or has a daemon already;
        StoreOutdated also later, where the database was brought to a revision that this program
        does not get along with.
        """
        with self._store.hold_daemon_lock(), asked_to_end(self._asked):
            with self._store.read():
                pass  # a database that cannot be used is an error now, not an alarm each second
            last_night = self._join()
            with suppress(OSError):  # patients are watched all the same, and the operator is told
                self._settings.intake.inbox.mkdir(parents=True, exist_ok=True)
            self._schedule(last_night)
            if self._listener is not None:
                self._listener.start()
            self._scheduler.start()
            self._watch.start()
            self._log.info("started", inbox=str(self._settings.intake.inbox))
            if ready is not None:
                ready()
            while not (self._asked or self._stopping.wait(_LOOK)):
                self._clock.look()
            self._stopping.set()
            self._end()
        if self._keeper.outdated is not None:
            raise self._keeper.outdated

    def stop(self) -> None:
        """Ask a running daemon to end; safe from any thread."""
        self._stopping.set()

    def _jobs(self) -> tuple[Job, ...]:
        listening = () if self._listener is None else (Job("mllp", self._listen, every=15),)
        return (
            *listening,
            Job("schedules", self._in_force.look, every=30),
            Job("inbox", self._inbox, every=1),
            Job("review", self._review, every=2),
            Job("feeds", self._feeds, 300, _THROUGH_ALL, period(300), after_inbox=True),
            Job("digests", self._digests, 30, _THROUGH_ALL, period(30), after_inbox=True),
            Job("delivery", self._deliver, every=5, thread=_OUTSIDE),
            Job("bounces", self._bounces, every=60, thread=_BOX),
            Job("sessions", self._sessions, every=3600, once_since=period(3600)),
            Job(CANARY, self._canary, _CANARY_EVERY, _THROUGH_ALL, self._last_night),
            Job("stuck", self._stuck, every=60, once_since=period(60)),
            Job("pulse", self._pulse, every=TICK.total_seconds(), thread=_PULSE),
            Job("heartbeat", self._heartbeat, every=60, thread=_BEAT),
        )

    def _join(self) -> datetime | None:
        """Say that it has started; when the nightly sweep was last done. A connection that is cut
        in this very moment is no reason to end."""
        until = time.monotonic() + _PATIENCE
        while True:
            now = clock.now()
            try:
                downtime.alarm_after_downtime(self._store, self._settings, now)
                self._member.join(now)
                self._in_force.begin(now)
                with self._store.read() as connection:
                    return job_runs.last_success(connection, NIGHTLY)
            except StoreLost:
                if time.monotonic() > until or self._stopping.wait(_PAUSE) or self._asked:
                    raise

    def _begin_again(self, now: datetime) -> None:
        """The scheduler waits for instants: where the clock of the machine is set back, every job
        would rest until it had caught up."""
        for job in self._jobs():
            self._keeper.look(job.name, now)
        self._scheduler.reschedule_job(NIGHTLY, trigger=self._each_night())

    def _each_night(self) -> CronTrigger:
        return CronTrigger(hour=SWEEP_HOUR, timezone=self._settings.clinic.zone)

    def _schedule(self, last_night: datetime | None) -> None:
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # our jobs report themselves
        soon = clock.now()
        for job in self._jobs():
            first = None if job.name == CANARY else soon  # a start has enough to do
            self._add(job, Every(seconds=job.every), first)
        nightly = Job(NIGHTLY, self._sweep_everyone, 0, _SWEEP, self._last_night, after_inbox=True)
        missed = last_night is None or last_night < self._last_night(soon)
        self._add(nightly, self._each_night(), soon if missed else None)

    def _add(self, job: Job, trigger: object, first: datetime | None) -> None:
        self._scheduler.add_job(
            self._keeper.run,
            trigger,
            args=[job],
            id=job.name,
            executor=job.thread,
            **({} if first is None else {"next_run_time": first}),
        )

    def _send_soon(self) -> None:
        """Deliver now, or once more at the end of the delivery that is under way."""
        self._owed.set()
        self._keeper.look("delivery", clock.now())

    def _inbox(self, now: datetime) -> bool:
        self._watch.looked()
        told = self._written_on.look(self._store, now)
        if self._stuck_files.lasts:
            return told
        try:
            with self._first_look.taken():
                outcomes = arrivals.inbox(self._store, self._settings, now)
        except InboxGone as gone:
            pause = self._stuck_files.begin()
            self._log.warning("the inbox cannot be read", seconds=pause)
            self._keeper.alarm(UNREADABLE, str(gone), now)
            return True
        self._written_on.note(outcomes, now)
        for outcome in outcomes:
            self._log.info("file", kind=outcome.kind, taken=not outcome.error)
        if outcomes and not any(outcome.moved_to for outcome in outcomes):
            pause = self._stuck_files.begin()
            self._log.warning("no file can be moved out of the inbox", seconds=pause)
        else:
            self._stuck_files.end()
        return told or bool(outcomes)

    def _dropped(self) -> None:
        """Something was put into the inbox: it is looked at whatever else is stuck there."""
        self._stuck_files.interrupt()
        self._keeper.look("inbox", clock.now())

    def _listen(self, _now: datetime) -> bool:
        if self._listener is not None:
            self._listener.look()
        return False

    def _arrived(self) -> None:
        """Messages touched somebody: a critical count must not wait for the next look."""
        self._came.set()
        self._keeper.look("review", clock.now())

    def _review(self, now: datetime) -> bool:
        """Review whoever is due; whom messages touch meanwhile at once, as long as it takes no
        more than a few rounds, for the inbox waits. A long queue is emptied piece by piece."""
        messages = 0
        for _ in range(_ROUNDS):
            self._came.clear()
            tally = review_due(
                self._store,
                self._settings,
                now,
                within=_REVIEWING,
                progress=self._between_batches,
            )
            messages += tally.messages
            if tally.messages:
                self._send_soon()
            if tally.left:
                self._keeper.look("review", clock.now() + _SOON)
                break
            if not self._came.is_set():
                break
            now = clock.now()
        return messages > 0

    def _sweep_everyone(self, now: datetime) -> bool:
        self._kept_at = now
        tally = review_due(self._store, self._settings, now, everyone=True, progress=self._going_on)
        self._log.info("everyone reviewed", reviewed=tally.reviewed, opened=tally.opened)
        with self._store.read() as connection:
            self._log.info("who did what is sealed", seal=str(seal(connection, now)))
        return tally.messages > 0

    def _going_on(self, done: int, total: int) -> None:
        """Of the nightly sweep: whoever waits for it learns that it is at work."""
        self._between_batches(done, total)
        now = clock.now()
        if now - self._kept_at > _KEPT_EVERY:
            self._kept_at = now
            if not self._member.keep_turn(NIGHTLY, now):
                raise Ending  # this process slept, and another daemon has taken over

    def _last_night(self, now: datetime) -> datetime:
        """The latest hour of the sweep."""
        local = now.astimezone(self._settings.clinic.zone)
        hour = local.replace(hour=SWEEP_HOUR, minute=0, second=0, microsecond=0)
        return hour if hour <= local else hour - timedelta(days=1)

    def _between_batches(self, _done: int, _total: int) -> None:
        if self._stopping.is_set():
            raise Ending

    def _feeds(self, now: datetime) -> bool:
        told = feeds.watch(self._store, self._settings, now)
        return feeds.alarm_if_held(self._store, self._settings, now) or told

    def _digests(self, now: datetime) -> bool:
        return bool(compose_digests(self._store, self._settings, now))

    def _deliver(self, now: datetime) -> bool:
        for _ in range(_ROUNDS):
            self._owed.clear()
            sent = deliver_due(
                self._store,
                self._settings,
                now,
                who=self._member.holder,
                stop=self._between_mails,
                within=_SENDING,
            )
            if sent.sent or sent.failed:
                self._log.info("mail", sent=sent.sent, failed=sent.failed, waiting=sent.waiting)
            if not (sent.left or self._owed.is_set()):
                break
            now = clock.now()
        return False

    def _between_mails(self) -> bool:
        self._keeper.goes_on("delivery")
        return self._stopping.is_set()

    def _bounces(self, now: datetime) -> bool:
        emptied = empty_boxes(self._store, self._settings, now)
        if emptied.mails:
            self._log.info("bounces", mails=emptied.mails, bounced=emptied.bounced)
        return emptied.mails > 0

    def _canary(self, now: datetime) -> bool:
        if canary.flew_between(self._store, self._last_night(now), now):
            return False
        flight = canary.fly_apart(self._store, self._settings, now)
        canary.tell(self._store, self._settings, flight)
        return not flight.well

    def _stuck(self, now: datetime) -> bool:
        told = alarm_if_little(self._store, self._settings, now)
        told = alarm_if_stale(self._store, self._settings, now) or told
        return alarm_if_stuck(self._store, self._settings, now) or told

    def _sessions(self, now: datetime) -> bool:
        prune(self._store, self._settings, now)
        return False

    def _pulse(self, now: datetime) -> bool:
        lacks = [*missing_secrets(self._settings, os.environ), self._config.forgotten(now)]
        self._member.tick(now, self._keeper.failing, "; ".join(filter(None, lacks)))
        return False

    def _heartbeat(self, now: datetime) -> bool:
        heartbeat.beat_if_well(self._store, self._settings, now)
        return False

    def _end(self) -> None:
        """Let running jobs finish for a moment; what does not is rolled back with us."""
        self._log.info("stopping")
        ender = threading.Thread(target=self._let_go, daemon=True)
        ender.start()
        ender.join(_LAST_WORDS)
        if ender.is_alive():
            self._log.warning("a job was let fall; its transaction rolls back")
            os._exit(0)  # its threads would keep the process alive; nothing is half done
        with suppress(StoreError):
            self._member.leave(clock.now())
        self._store.dispose()
        self._log.info("stopped")

    def _let_go(self) -> None:
        self._watch.stop()
        if self._listener is not None:
            self._listener.stop()
        self._scheduler.shutdown()
