"""The days of history lived through once more: what would have been sent.

A copy of the database is told everything again in its order (`replay_past`), and the functions
of the daemon do with it what they do every day, with a now that moves to each instant at which
there is something to do. Only the last step differs: a message is laid out as it would be, and
kept instead of sent. The live database is read once and never written (`docs/adr/0039`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from monitor.config import Settings, route_book
from monitor.core.calendar import clinic_day, from_clinic_local, start_of_day
from monitor.delivery.channels.letter import Channel, Letter, Turn
from monitor.delivery.channels.ways import Ways
from monitor.delivery.send import deliver_due
from monitor.operations.alert_list import alert_rows
from monitor.operations.digests import compose_digests
from monitor.operations.replay_acts import Act, acts_of, do_again
from monitor.operations.replay_past import Past, past_of
from monitor.review import review_due
from monitor.store import outbox, tables
from monitor.store.claims import firsts
from monitor.store.database import Store
from monitor.store.errors import StoreError
from monitor.store.outbox import DELIVERIES
from monitor.store.tables import table_of

RUN_IN = timedelta(days=92)
"""What is lived through, unseen, before the first day: longer than anything people agree on
lasts (a closing's review-by, at most 90 days)."""
MOST_DAYS = 3660
_ONE_DAY = timedelta(days=1)
_SWEEP = time(3)
_USUAL_DIGEST = time(7, 30)
_SOON = timedelta(minutes=1)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_STATES = ("open", "acknowledged", "closed")

Progress = Callable[[int, int], None]


class NoReplay(StoreError):
    """These days cannot be lived through; the text says why."""


@dataclass(slots=True)
class Replay:
    """What came of the days from `first` to `last`."""

    first: date
    last: date
    zone: Any
    messages: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    acts: int = 0
    """What people did, done again."""
    acts_left_out: int = 0

    def document(self) -> dict[str, Any]:
        """As `monitor replay --json` prints it."""
        return {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "days": self.days(),
            "alerts": self.alerts,
            "messages": self.messages,
            "acts": {"done": self.acts, "left_out": self.acts_left_out},
        }

    def days(self) -> list[dict[str, Any]]:
        """Each day, with how many alerts opened and messages went out."""
        count = (self.last - self.first).days + 1
        days = {
            self.first + timedelta(days=number): {"opened": 0, "messages": 0, "digests": 0}
            for number in range(count)
        }
        for alert in self.alerts:
            opened = clinic_day(datetime.fromisoformat(alert["opened_at"]), self.zone)
            if opened in days:
                days[opened]["opened"] += 1
        for message in self.messages:
            day = clinic_day(datetime.fromisoformat(message["at"]), self.zone)
            days[day]["digests" if message["kind"] == "digest" else "messages"] += 1
        return [{"day": day.isoformat(), **found} for day, found in days.items()]


class _Kept(Ways):
    """Channels that keep what they are given."""

    def __init__(self, store: Store, settings: Settings, now: datetime, keep: Any) -> None:
        super().__init__(store, settings, now)
        self._keep = keep

    def _opened(self, _name: str) -> Channel:
        return _Keeper(self._keep)


@dataclass(frozen=True, slots=True)
class _Keeper:
    keep: Callable[[Letter], None]

    async def send(self, letter: Letter, turn: Turn) -> str:
        await turn()
        self.keep(letter)
        return "kept"

    async def close(self) -> None:
        return None


def replay(
    store: Store,
    settings: Settings,
    first: date,
    last: date,
    *,
    as_it_came: bool = False,
    progress: Progress | None = None,
) -> Replay:
    """Live through the clinic's days from `first` to `last`, both included, in a copy.

    `as_it_came`: everything is known from when it was taken in, however late that was.
    Raises NoReplay, StoreError.
    """
    if first > last:
        raise NoReplay(f"--from {first} lies after --to {last}")
    if (last - first).days > MOST_DAYS:
        raise NoReplay(f"at most {MOST_DAYS} days at a time; {first} to {last} is more")
    with tempfile.TemporaryDirectory(prefix="monitor-replay-") as folder:
        since = start_of_day(first, settings.clinic.zone) - RUN_IN
        past = past_of(store, settings, Path(folder), first, since, as_it_came=as_it_came)
        try:
            return _Run(past, settings, first, last).live(progress)
        finally:
            past.whole.dispose()
            past.copy.dispose()


class _Run:
    """One replay under way."""

    def __init__(self, past: Past, settings: Settings, first: date, last: date) -> None:
        self._past, self._store, self._settings = past, past.copy, settings
        zone = settings.clinic.zone
        self._begin = start_of_day(first, zone)
        self._end = start_of_day(last + _ONE_DAY, zone)
        self._found = Replay(first, last, zone)
        with past.whole.read() as connection:
            self._acts: list[Act] = acts_of(connection)
        self._act = 0
        self._digests = self._digest_times()

    def live(self, progress: Progress | None) -> Replay:
        """From the run-in to the end of the last day."""
        now = self._begin - RUN_IN
        while self._act < len(self._acts) and self._acts[self._act].at < now:
            self._act += 1
        self._past.tell_all(now)
        review_due(self._store, self._settings, now)
        while (at := self._next(now)) < self._end:
            now = at
            self._look(now)
            if progress is not None:
                progress(int((now - self._begin + RUN_IN).total_seconds()),
                         int((self._end - self._begin + RUN_IN).total_seconds()))  # fmt: skip
        rows = alert_rows(self._store, self._settings, _STATES, self._end - timedelta.resolution)
        told = {alert_id for message in self._found.messages for alert_id in message["alerts"]}
        self._found.alerts = [
            row
            for row in rows
            if row["id"] in told or datetime.fromisoformat(row["opened_at"]) >= self._begin
        ]
        return self._found

    def _look(self, now: datetime) -> None:
        """What the daemon does when something came or is due."""
        for touched in self._past.tell(now):
            review_due(self._store, self._settings, now, only=touched)
        while self._act < len(self._acts) and self._acts[self._act].at <= now:
            done = do_again(self._store, self._settings, self._acts[self._act], now)
            self._act += 1
            if now >= self._begin:
                self._found.acts += done
                self._found.acts_left_out += not done
        review_due(self._store, self._settings, now)
        if now >= self._begin - _ONE_DAY:
            compose_digests(self._store, self._settings, now)
        with self._store.read() as connection:
            waits = outbox.waiting(connection)
        if waits:
            deliver_due(self._store, self._settings, now, who="replay", ways=self._ways)

    def _ways(self, store: Store, settings: Settings, now: datetime) -> Ways:
        return _Kept(store, settings, now, self._keep)

    def _keep(self, letter: Letter) -> None:
        if letter.now < self._begin:
            return
        message = letter.message
        self._found.messages.append(
            {
                "at": letter.now.astimezone(self._found.zone).isoformat(),
                "to": message.recipient,
                "subject": letter.rendered.subject,
                "alerts": [alert_id for alert_id, _, _ in message.lines],
                "kind": message.kind,
                "urgency": message.urgency,
            }
        )

    def _next(self, now: datetime) -> datetime:
        """The next instant at which there is something to do."""
        waits = select(func.min(DELIVERIES.c.next_attempt_at)).where(
            DELIVERIES.c.state == "waiting"
        )
        query = select(*firsts(_ENROLMENTS.c.stands), waits.scalar_subquery())
        with self._store.read() as connection:
            instants = connection.execute(query).one()
        owed = [it if it > now else now + _SOON for it in instants if it is not None]
        known = [self._past.next_at, *(it.at for it in self._acts[self._act : self._act + 1])]
        daily = next(self._digests_after(max(now, self._begin - _ONE_DAY)))
        return min(it for it in (*owed, *known, daily) if it is not None)

    def _digests_after(self, now: datetime) -> Iterator[datetime]:
        """The instants, from now on, at which a digest may be owed; and that of the sweep."""
        zone = self._settings.clinic.zone
        day = clinic_day(now, zone)
        while True:
            for at in self._digests:
                instant = from_clinic_local(datetime.combine(day, at), zone)
                if instant > now:
                    yield instant
            day += _ONE_DAY

    def _digest_times(self) -> list[time]:
        stated = [it.digest_at for it in self._settings.recipients.values() if it.digest_at]
        times = {it.digest_at for it in route_book(self._settings).ways if it.digest}
        times |= {time.fromisoformat(it) for it in stated}
        return sorted({*times, _SWEEP} if times else {_USUAL_DIGEST, _SWEEP})
