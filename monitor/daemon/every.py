"""When a job looks again that looks every few seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from apscheduler.triggers.interval import IntervalTrigger


class Every(IntervalTrigger):  # type: ignore[misc]  # of a library without types
    """Looks that were missed, while the machine was suspended or its clock was years behind, are
    one look. The scheduler would count them one by one first: hundreds of millions, for hours, in
    which nothing else happens."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> Any:
        then = super().get_next_fire_time(previous_fire_time, now)
        is_missed = previous_fire_time is not None and then <= now
        return now.astimezone(UTC) + self.interval if is_missed else then
