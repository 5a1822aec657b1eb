"""The days on which a clinic is open: weekdays of the config without its holidays."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ONE_DAY = timedelta(days=1)
_A_YEAR = 366


@dataclass(frozen=True, slots=True)
class OpenDays:
    """Which days are open; a clinic that is never open in a year is open every day."""

    weekdays: Collection[str]
    holidays: Collection[date]

    def is_open(self, day: date) -> bool:
        """Whether somebody is there on a day."""
        return _WEEKDAYS[day.weekday()] in self.weekdays and day not in self.holidays

    def last_until(self, day: date) -> date:
        """The last open day that is not later than a day."""
        return self._search(day, -_ONE_DAY)

    def before(self, day: date) -> date:
        """The last open day earlier than a day."""
        return self._search(day - _ONE_DAY, -_ONE_DAY)

    def _search(self, day: date, step: timedelta) -> date:
        found = day
        for _ in range(_A_YEAR):
            if self.is_open(found):
                return found
            found += step
        return day
