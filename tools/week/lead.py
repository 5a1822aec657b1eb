"""Leads one run through the week: moves the clock on, lets things happen, and waits until the
daemons have done all that is owed by that instant."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from monitor.config import load_settings
from monitor.core.actions import ActionRefused
from monitor.daemon.daemon import NIGHTLY, SWEEP_HOUR
from monitor.operations import people
from monitor.store import claims, tables
from monitor.store.daemons import DAEMONS, TURNS
from monitor.store.database import Store, open_store
from monitor.store.errors import StoreError
from monitor.store.leases import lease_holders
from monitor.store.outbox import DELIVERIES
from monitor.store.tables import table_of
from tests.fault.kill_mail import Postbox
from tests.processes import ClinicFolder, DaemonProcess
from tools.week.clock import SharedClock
from tools.week.days import DEEDS, ZONE, Step
from tools.week.server import Server
from tools.week.story import Story
from tools.week.trouble import KILL, RESTART, Blow, Trouble

DAEMONS_AT_WORK = 3
_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_PATIENTS = table_of(tables.Patient)
_LOOK, _LONGER_LOOK, _SHORT = 0.05, 0.25, 3.0
"""Seconds between two looks; of an instant that takes longer nobody needs to know so soon."""
_LONGEST = 3600.0
"""Seconds in which an instant has to be over."""
_TURNS = {"digests": 30, "feeds": 300, "stuck": 60}
"""Jobs that one daemon does for all, and their period in seconds."""
_DEEDS_A_DAY = 40


class WeekFailed(Exception):
    """The run cannot go on; says why."""


@dataclass
class Hits:
    """What the disturbances met."""

    kills: int = 0
    restarts: int = 0
    amid_mail: int = 0
    """Kills while a connection to the mail server was open."""
    unanswered: int = 0
    """Kills while the mail server had taken a message and not yet said so."""
    starts_without_server: int = 0
    """Daemons that began while the server was away, and were started again."""


@dataclass
class Run:
    """Three daemons on one server, from the first instant to the last."""

    name: str
    folder: ClinicFolder
    server: Server
    url: str
    clock: SharedClock
    postbox: Postbox
    trouble: Trouble
    story: Story
    luck: random.Random
    hits: Hits = field(default_factory=Hits)
    running: list[DaemonProcess] = field(default_factory=list)
    killed: set[int] = field(default_factory=set)
    seconds: float = 0.0
    deeds: int = 0
    _server_back_at: float = 0.0
    _spawned_at: dict[int, float] = field(default_factory=dict)

    def live(self, steps: Sequence[Step]) -> None:
        """The whole week. Raises WeekFailed."""
        began = time.monotonic()
        self.store: Store = open_store(self.url)
        self.settings = load_settings(self.folder.folder / "config.toml")
        self.clock.put(steps[0].at - timedelta(minutes=1))
        self.running = [self._spawn(slot) for slot in range(DAEMONS_AT_WORK)]
        day = None
        for step in steps:
            self._live_through(step)
            if step.at.date() != day:
                day = step.at.date()
                self._say(f"{day:%a %d %b}, {time.monotonic() - began:,.0f} s")
        for daemon in self.running:
            self._wait(partial(_has_started, daemon), "a daemon does not start")
            if daemon.end(60) != 0:
                raise WeekFailed(f"a daemon did not end well: {daemon.log.read_text()[-2000:]}")
        self.seconds = time.monotonic() - began
        self.store.dispose()

    def _live_through(self, step: Step) -> None:
        self._are_alive(step.at)
        self.clock.put(step.at)
        self._wait(lambda: self._all_have_reached(step.at), f"{step.name}: nobody looks")
        self._let_happen(step)
        self.trouble.begin(step)
        self._wait(lambda: self._is_over(step), f"{step.at} is not over")
        self.trouble.end(step)

    def _are_alive(self, at: datetime) -> None:
        """Whoever works has given signs of life while the clock went on: otherwise each would
        take the others for dead, and do once more what one does for all."""
        working = [it.process.pid for it in self.running]
        alive = update(DAEMONS).where(DAEMONS.c.pid.in_(working), DAEMONS.c.stopped_at.is_(None))
        with self.store.write() as connection:
            connection.execute(alive.values(last_tick_at=at))

    def _let_happen(self, step: Step) -> None:
        if step.what == DEEDS:
            self._act(step.at)
            return
        for made in self.story.get((step.at.date(), step.what), ()):
            self.folder.drop(made.name, made.text)

    def _is_over(self, step: Step) -> bool:
        self._keep_alive()
        settled = self._is_settled(step)
        blow = self.trouble.next(mail_on_its_way=self.postbox.unanswered > 0, settled=settled)
        if blow is not None:
            self._strike(blow)
            return False
        return settled and self.trouble.is_over

    def _all_have_reached(self, at: datetime) -> bool:
        """Nobody is still at work at an earlier instant."""
        self._keep_alive()
        slots = [self.clock.reached(slot) for slot in range(DAEMONS_AT_WORK)]
        known = [it for it in slots if it is not None]
        return bool(known) and all(it >= at for it in known)

    def _is_settled(self, step: Step) -> bool:
        """Nothing is owed by this instant."""
        if any(path.is_file() for path in self.folder.inbox.iterdir()):
            return False
        try:
            with self.store.read() as connection:
                return (
                    claims.count_due(connection, step.at) == 0
                    and _messages_due(connection, step.at) == 0
                    and self._turns_are_done(connection, step)
                )
        except StoreError:
            return False

    def _turns_are_done(self, connection: Connection, step: Step) -> bool:
        """What is done once for all. Of one that died at it nobody takes over before its time:
        an instant later, and by the next calm one at the latest."""
        owed = {name: step.at - timedelta(seconds=0.8 * it) for name, it in _TURNS.items()}
        night = step.at.astimezone(ZONE).replace(hour=SWEEP_HOUR, minute=0)
        if night <= step.at:
            owed[NIGHTLY] = night
        rows = {row.name: row for row in connection.execute(select(TURNS))}
        for name, since in owed.items():
            row = rows.get(name)
            if row is None or row.done_at is None or row.done_at < since:
                died_at_it = row is not None and row.holder and self._is_dead(connection, row)
                if step.is_calm or not died_at_it:
                    return False
        return True

    def _is_dead(self, connection: Connection, turn: Row[Any]) -> bool:
        query = select(DAEMONS.c.pid).where(DAEMONS.c.id == turn.holder)
        return connection.scalar(query) in self.killed

    def _strike(self, blow: Blow) -> None:
        if blow.what == KILL:
            self._kill(blow)
            return
        self._say(f"the server: {blow.what}")
        self.server.restart("fast" if blow.what == RESTART else "immediate")
        self.hits.restarts += 1
        self._server_back_at = time.monotonic()
        self.postbox.kills += DAEMONS_AT_WORK  # one mail each may have been on its way

    def _kill(self, blow: Blow) -> None:
        slot = self._who_sends() if blow.amid_mail else None
        if slot is None:
            slot = self.luck.randrange(DAEMONS_AT_WORK)
        daemon = self.running[slot]
        if daemon.process.poll() is not None:
            self._keep_alive()
            daemon = self.running[slot]
        daemon.process.kill()
        self.hits.kills += 1
        self.hits.amid_mail += self.postbox.connected
        self.hits.unanswered += self.postbox.unanswered > 0
        daemon.process.wait()
        self.postbox.kills += 1
        self.killed.add(daemon.process.pid)
        self.running[slot] = self._spawn(slot)

    def _who_sends(self) -> int | None:
        """The daemon that holds messages."""
        try:
            with self.store.read() as connection:
                holders = lease_holders(connection)
        except StoreError:
            return None
        pids = {int(holder.split("|")[2]) for holder in holders}
        slots = [n for n, daemon in enumerate(self.running) if daemon.process.pid in pids]
        return self.luck.choice(slots) if slots else None

    def _spawn(self, slot: int) -> DaemonProcess:
        self.clock.reach(slot, None)
        self._spawned_at[slot] = time.monotonic()
        return self.folder.spawn("-m", "tools.week.process", str(self.clock.path), str(slot))

    def _keep_alive(self) -> None:
        """What supervises a service: one that began while the server was away is started again.
        Raises WeekFailed for any other that ended."""
        for slot, daemon in enumerate(self.running):
            code = daemon.process.poll()
            if code is None:
                continue
            if code != 2 or daemon.has_started or self._spawned_at[slot] > self._server_back_at:
                raise WeekFailed(f"a daemon ended with {code}: {daemon.log.read_text()[-3000:]}")
            self.hits.starts_without_server += 1
            self.killed.add(daemon.process.pid)
            self.running[slot] = self._spawn(slot)

    def _act(self, at: datetime) -> None:
        """Clinicians close what has recovered and take in hand what is open and loud."""
        for alert, recovered in self._chosen():
            try:
                if recovered:
                    people.close(
                        self.store, self.settings, alert, by="Dr Gray",
                        outcome="reviewed_no_change", now=at,
                    )  # fmt: skip
                else:
                    people.acknowledge(self.store, self.settings, alert, by="Dr Gray", now=at)
            except ActionRefused:
                continue  # of a kind that closes by itself
            self.deeds += 1

    def _chosen(self) -> list[tuple[int, bool]]:
        """The alerts that people deal with today: the same in every run."""
        query = (
            select(_ALERTS.c.id, _ALERTS.c.recovered, _ALERTS.c.urgency)
            .join(_ENROLMENTS, _ENROLMENTS.c.id == _ALERTS.c.enrolment_id)
            .join(_PATIENTS, _PATIENTS.c.id == _ENROLMENTS.c.patient_id)
            .where(_ALERTS.c.state == "open", _ALERTS.c.kind != "overdue_test")
            .order_by(_ALERTS.c.opened_at.desc(), _PATIENTS.c.mrn, _ALERTS.c.cause)
        )
        with self.store.read() as connection:
            rows = connection.execute(query).all()
        loud = [row for row in rows if row.recovered or row.urgency != "routine"]
        return [(row.id, row.recovered) for row in loud[:_DEEDS_A_DAY]]

    def _wait(self, condition: Callable[[], bool], otherwise: str) -> None:
        began = time.monotonic()
        while not condition():
            waited = time.monotonic() - began
            if waited > _LONGEST:
                raise WeekFailed(otherwise)
            time.sleep(_LOOK if waited < _SHORT or not self.trouble.is_over else _LONGER_LOOK)

    def _say(self, text: str) -> None:
        sys.stderr.write(f"{self.name}: {text}\n")


def _has_started(daemon: DaemonProcess) -> bool:
    return daemon.has_started


def _messages_due(connection: Connection, at: datetime) -> int:
    query = select(func.count()).where(
        DELIVERIES.c.state == "waiting", DELIVERIES.c.next_attempt_at <= at
    )
    return int(connection.scalar(query) or 0)
