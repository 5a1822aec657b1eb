"""Durations, clinic days and instants (specification, section 2). Pure: no clock is read."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

FIRST_YEAR, LAST_YEAR = 1900, 2299
"""Of days that somebody may mean: what lies outside is a slip, and would bring a database to a day
that never comes. Data without names (MIMIC) are moved to years beyond 2200."""
_DURATION = re.compile(r"(\d+) (day|week|month|year)s?")
_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}
_SHORTEST_MONTH = 28
_END_OF_TIME = date.max
_REMEMBERED = 65536
"""Days are few, and the same spans are asked for of each patient."""
_PROBES = tuple(
    date(year, month, day) for year in (2027, 2028) for month in range(1, 13) for day in (1, 14, 28)
)
"""Days over a common and a leap year: months are longer or shorter than weeks among them."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A span of whole days and calendar months: `"8 weeks"` is 56 days, `"3 months"` are
    calendar months with the day clipped to the month's end."""

    days: int = 0
    months: int = 0
    text: str = ""

    def __str__(self) -> str:
        return self.text

    @property
    def least_days(self) -> int:
        """It is never shorter, from whatever day on."""
        return self.days + _SHORTEST_MONTH * self.months

    def after(self, day: date) -> date:
        """The day this span later; the calendar's last day where there is none."""
        return _shift(day, self.months, self.days)

    def before(self, day: date) -> date:
        return _shift(day, -self.months, -self.days)


def parse_duration(text: str) -> Duration:
    """Read `"3 days"`, `"8 weeks"`, `"3 months"` or `"1 year"`.

    Raises ValueError, saying what would be valid.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError('a duration is text such as "3 days", "8 weeks" or "3 months"')
    count, unit = int(match[1]), match[2]
    return Duration(
        days=count * _DAYS.get(unit, 0), months=count * _MONTHS.get(unit, 0), text=text.strip()
    )


def shorter(span: Duration, than: Duration) -> bool:
    """Whether a duration is shorter from whatever day it is counted."""
    return all(span.after(day) < than.after(day) for day in _PROBES)


@lru_cache(_REMEMBERED)
def _shift(day: date, months: int, days: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if not date.min.year <= year <= date.max.year:
        return _END_OF_TIME if months > 0 else date.min
    last = day.day
    if last > _SHORTEST_MONTH:
        last = min(last, calendar.monthrange(year, month + 1)[1])
    try:
        return date(year, month + 1, last) + timedelta(days=days)
    except OverflowError:
        return _END_OF_TIME if days > 0 else date.min


def clinic_day(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar date of an aware instant in the clinic's time zone."""
    return instant.astimezone(zone).date()


@lru_cache(_REMEMBERED)
def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a clinic day, in UTC."""
    return from_clinic_local(datetime.combine(day, time.min), zone)


def earliest(*instants: datetime | None) -> datetime | None:
    """The first of those that are known."""
    return min(filter(None, instants), default=None)


def from_clinic_local(local: datetime, zone: ZoneInfo) -> datetime:
    """A clock reading without an offset as UTC: the first of a repeated hour; a skipped
    hour moves forward (02:30 in a gap of one hour is 03:30)."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def parse_instant(text: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    """Read ISO 8601; without an offset it is clinic-local, a bare date is its start.

    Returns the instant in UTC and whether a time of day was given. Raises ValueError.
    """
    text = text.strip()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        return start_of_day(day, zone), False
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        return from_clinic_local(instant, zone), True
    return instant.astimezone(UTC), True


def instant_text(instant: datetime, zone: tzinfo | None) -> str:
    """An instant as the clinic's people read it: `12 Jan 2026, 09:30`."""
    local = instant.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M}"
