"""Circuit breakers: what just failed as a whole is left alone for a while.

A way out that fails is tried again after a pause that doubles from half a minute to a quarter
of an hour; meanwhile another one is used, where there is one. Kept in the database, so that
every process knows, and `monitor health` can say it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor.delivery.channels.letter import NotSent
from monitor.store import breakers
from monitor.store.database import Store

_FIRST = timedelta(seconds=30)
_LONGEST = timedelta(minutes=15)


class Breaker:
    """The breaker of one way out, as the database knows it at an instant."""

    def __init__(self, store: Store, way: str, now: datetime) -> None:
        self._store = store
        self._way = way
        self._now = now
        with store.read() as connection:
            self._state = breakers.state_of(connection, way)

    @property
    def is_open(self) -> bool:
        """Whether it had better not be tried now."""
        return self._state is not None and self._now < self._state.open_until

    @property
    def says(self) -> str:
        """Why it is open."""
        return "" if self._state is None else self._state.last_error

    def failed(self, error: NotSent) -> None:
        """Note that the way as a whole did not work."""
        failures = 1 if self._state is None else self._state.failures + 1
        pause = error.wait or min(_FIRST * (1 << min(failures - 1, 10)), _LONGEST)
        with self._store.write() as connection:
            self._state = breakers.note_failure(
                connection, self._way, failures, self._now, self._now + pause, str(error)
            )

    def worked(self) -> None:
        """Note that it works; writes only where it did not before."""
        if self._state is None:
            return
        with self._store.write() as connection:
            breakers.forget(connection, self._way)
        self._state = None
