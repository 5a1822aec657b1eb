"""When a job looks again that looks every few seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from apscheduler.triggers.base import BaseTrigger


class Every:
    """A trigger of the scheduler. Looks that were missed, while the machine was suspended or its
    clock was years behind, are one look: the scheduler's own would count them one by one first,
    hundreds of millions, for hours in which nothing else happens."""

    def __init__(self, *, seconds: float) -> None:
        self._pause = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The next instant, after `now`. In UTC: an hour that the clocks repeat is no pause."""
        present = now.astimezone(UTC)
        then = (previous_fire_time or present).astimezone(UTC) + self._pause
        return then if then > present else present + self._pause


BaseTrigger.register(Every)
