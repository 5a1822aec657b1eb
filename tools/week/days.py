"""The instants of a week, the same for both runs: at each the clock stands until all is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/London")
"""The clinics' zone, where it is UTC in March."""
DIGEST_AT = "07:30"
LABS, LATER_LABS, PEOPLE, CORRECTIONS = "labs", "later labs", "people", "corrections"
DEEDS = "deeds"
_DAY = (
    ("00:05", "", ""), ("00:20", "", ""),
    ("03:00", "", "night"), ("03:20", "", "night"), ("03:40", "", "night"), ("04:00", "", "calm"),
    ("06:00", "", ""), ("07:20", "", ""),
    (DIGEST_AT, "", "digest"), ("07:45", "", "digest"), ("08:00", "", "digest"),
    ("08:15", "", "calm"), ("09:00", "", ""), ("09:58", "", ""),
    ("10:00", DEEDS, ""), ("10:40", "", ""),
    ("11:12", "", ""), ("11:13", LABS, "busy"), ("11:45", "", ""), ("12:15", "", ""),
    ("12:31", "", ""), ("12:32", PEOPLE, "busy"), ("13:05", "", ""),
    ("14:16", "", ""), ("14:17", LATER_LABS, "busy"), ("14:50", "", ""), ("15:20", "", ""),
    ("15:29", "", ""), ("15:30", DEEDS, ""),
    ("16:20", "", ""), ("16:21", CORRECTIONS, "busy"), ("16:55", "", ""), ("17:30", "", ""),
    ("18:30", "", ""), ("20:30", "", ""), ("22:30", "", "calm"),
)  # fmt: skip
"""Clock time, what happens, and how it is to be disturbed. What comes from outside comes at a
minute at which nobody is due by time alone, and after an instant that leaves nothing owed: in
which order the two are dealt with is left to the daemons, and would differ by itself. What takes
minutes has minutes until the next instant: the schedulers' clocks never go back."""
_WEIGHT = {"busy": 12, "night": 4, "digest": 4, "calm": 0, "": 1}


@dataclass(frozen=True, slots=True)
class Step:
    """One instant."""

    at: datetime
    name: str
    """Its time of day: the same step of another day is as long."""
    what: str
    weight: int
    """How many of the disturbances it draws; 0: none, and everything that is to be done once
    for all has been done when it ends, by whomever."""

    @property
    def is_calm(self) -> bool:
        return self.weight == 0


def steps(first: date, days: int) -> Iterator[Step]:
    """Every instant of so many days, in order."""
    for number in range(days):
        day = first + timedelta(days=number)
        for clock, what, how in _DAY:
            at = datetime.combine(day, time.fromisoformat(clock), ZONE)
            yield Step(at, clock, what, _WEIGHT[how])
