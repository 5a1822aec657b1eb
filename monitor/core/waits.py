"""How long somebody is given before the next is told: `"30 minutes"`, `"4 working hours"`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.worktime import WorkTime

_WAIT = re.compile(r"(\d+) (working )?(minute|hour|day|week)s?")
_SPAN = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_LONGEST = timedelta(days=36_525)
"""Some day is still to come after it."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A span of time, or of working time where `working`; days and weeks are of 24 hours."""

    span: timedelta
    working: bool = False
    text: str = ""

    def __str__(self) -> str:
        return self.text

    def after(self, instant: datetime, hours: WorkTime) -> datetime:
        """The instant at which this wait, begun at `instant`, is over."""
        return hours.after(instant, self.span) if self.working else instant + self.span


def parse_wait(text: str) -> Wait:
    """Read `"30 minutes"`, `"4 hours"`, `"4 working hours"` or `"14 days"`.

    Raises ValueError, saying what would be valid.
    """
    match = _WAIT.fullmatch(text.strip())
    if match is None or int(match[1]) == 0 or (match[2] and match[3] in {"day", "week"}):
        raise ValueError(
            'not a time to wait; one is written like "30 minutes", "4 working hours" or "14 days"'
        )
    unit = _SPAN[match[3]]
    if int(match[1]) > _LONGEST // unit:
        raise ValueError(f"longer than anybody waits: at most {_LONGEST.days} days")
    return Wait(int(match[1]) * unit, bool(match[2]), text.strip())
