"""The clock of the machine, which somebody may set while the daemon runs, and which goes on while
the machine is suspended."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from monitor import clock, logs
from monitor.config import Settings
from monitor.core.calendar import instant_text
from monitor.daemon.rest import Rest
from monitor.operations.downtime import alarm_after_sleep
from monitor.operations.fleet import Member
from monitor.store import breakers, leases
from monitor.store.database import Store
from monitor.store.errors import StoreError

_SET_BACK = timedelta(seconds=5)
"""A clock that was set back by more is no matter of a second that is corrected."""
_BELIEVED = timedelta(days=1)
"""What was judged by a clock that was wrong by no more is still told; of more, monitor health says
that it waits."""

_STOOD_STILL = timedelta(minutes=1)
"""A machine that is only busy looks sooner than that."""

Alarm = Callable[[str, str, datetime], None]
"""Told (topic, text, now)."""


class MachineClock:
    """Looked at again and again. Where it was set back, what waited for the wrong clock is freed,
    `begin_again` is called with the instant that it shows now, and the operator is told; so it is
    where nothing was looked at for long."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        member: Member,
        begin_again: Callable[[datetime], None],
        alarm: Alarm,
    ) -> None:
        self._store = store
        self._settings = settings
        self._zone = settings.clinic.zone
        self._member = member
        self._begin_again = begin_again
        self._alarm = alarm
        self._log = logs.logger("daemon")
        self._seen_at = clock.now()
        self._slept: tuple[datetime, datetime] | None = None
        """From when to when this process stood still, as long as it is not told."""
        self._telling = Rest()

    def look(self) -> None:
        """See whether it was set back since the last look, or has gone far ahead."""
        before, now = self._seen_at, clock.now()
        self._seen_at = now
        if now - before > _STOOD_STILL:
            self._slept = self._slept[0] if self._slept else before, now
        if self._slept and not self._telling.lasts:
            self._tell_sleep(*self._slept)
        if before - now < _SET_BACK:
            return
        self._log.warning("the clock was set back", seconds=round((before - now).total_seconds()))
        if before - now <= _BELIEVED:
            self._catch_up(now)
        self._begin_again(now)
        text = (
            f"The clock of this machine was set back from {instant_text(before, self._zone)} to "
            f"{instant_text(now, self._zone)}. Was it right before, or is it now? See: monitor "
            "health"
        )
        with suppress(StoreError):  # it stands in the log, too
            self._alarm("clock", text, now)

    def _tell_sleep(self, since: datetime, until: datetime) -> None:
        """Tried again where the database is not there yet: it may have slept, too."""
        try:
            alarm_after_sleep(self._store, self._settings, self._member.me, since, until)
        except StoreError as error:
            self._log.warning("stood still", why=type(error).__name__)
            self._telling.begin()
        else:
            self._slept = None
            self._telling.end()

    def _catch_up(self, now: datetime) -> None:
        """What was queued by the wrong clock must not wait until the right one has come there."""
        try:
            with self._store.write() as connection:
                freed = leases.catch_up(connection, now)
                breakers.catch_up(connection, now)
        except StoreError as error:
            self._log.warning("messages wait for the wrong clock", why=type(error).__name__)
        else:
            self._log.info("messages that waited for the wrong clock", freed=freed)
