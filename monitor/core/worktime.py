"""Working time: open days, hours and holidays of a clinic or a person, in their time zone.

Hours are clock hours of the zone, so a day on which clocks change has a shorter or longer
night and never a shifted morning. All instants in and out are aware and in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.core.calendar import clinic_day, from_clinic_local, start_of_day

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONGEST_CLOSED = 400
"""Days in a row without an open hour; a calendar that has so many is treated as always open."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WorkTime:
    """When somebody works. `opens` = `closes` is the whole day (of open days)."""

    zone: ZoneInfo
    weekdays: frozenset[int] = frozenset(range(7))
    """0 is Monday."""
    opens: time = time.min
    closes: time = time.min
    holidays: frozenset[date] = frozenset()

    def spans(self, day: date) -> list[tuple[datetime, datetime]]:
        """The open span that begins on a day; hours over midnight end on the next."""
        if day.weekday() not in self.weekdays or day in self.holidays:
            return []
        if self.opens == self.closes:
            return [(start_of_day(day, self.zone), start_of_day(day + _DAY, self.zone))]
        last = day if self.opens < self.closes else day + _DAY
        start = from_clinic_local(datetime.combine(day, self.opens), self.zone)
        return [(start, from_clinic_local(datetime.combine(last, self.closes), self.zone))]

    def is_open(self, instant: datetime) -> bool:
        day = clinic_day(instant, self.zone)
        return any(
            start <= instant < end for each in (day - _DAY, day) for start, end in self.spans(each)
        )

    def next_open(self, instant: datetime) -> datetime:
        """The instant itself where open, else the next opening."""
        return self.after(instant, timedelta())

    def after(self, instant: datetime, working: timedelta) -> datetime:
        """The instant by which so much working time has passed since `instant`.

        Without any working time the next opening. At the end of a day's hours the answer is
        that end, not the next morning. A calendar that is never open counts every hour.
        """
        day, left, closed = clinic_day(instant, self.zone) - _DAY, working, 0
        while closed < _LONGEST_CLOSED:
            closed += 1
            for start, end in self.spans(day):
                begins = max(start, instant)
                if begins >= end:
                    continue
                if begins + left <= end:
                    return begins + left
                left -= end - begins
                closed = 0
            day += _DAY
        return instant + working


def parse_clock(text: str) -> time:
    """Read `"07:30"`, a time of the zone's own clock. Raises ValueError."""
    try:
        found = time.fromisoformat(text)
    except ValueError:
        raise ValueError('not a time of day; one is written like "07:30"') from None
    if found.tzinfo is not None:
        raise ValueError(f"a time of the clinic's own clock has no offset: {found:%H:%M}")
    return found


def parse_hours(text: str) -> tuple[time, time]:
    """Read `"08:00-18:00"`; "" and `"always"` are the whole day. Raises ValueError."""
    if text.strip() in {"", "always"}:
        return time.min, time.min
    opens, _, closes = text.partition("-")
    try:
        return parse_clock(opens.strip()), parse_clock(closes.strip())
    except ValueError as error:
        how = f'they are written like "08:00-18:00", or "always" ({error})'
        raise ValueError(f"not hours; {how}") from None
