"""Dates and instants as laboratories write them (specification, section 2).

ISO 8601 is always read; any other order of day, month and year only where the source's
`date_format` names it, for 03/04 is never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from monitor.core.calendar import from_clinic_local, start_of_day

_CLOCK = (
    r"(?:(?:\s+|\s*T)(?P<hour>\d{1,2}):?(?P<minute>\d{2})(?::?(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"\s*(?P<half>[ap]\.?m\.?)?\s*(?P<offset>Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?"
)
_MONTH_WORDS = r"(?P<word>[a-z]{3,9})\.?"
_ISO = (
    r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})",
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
)
_WORDED = (
    rf"(?P<day>\d{{1,2}})[ .-]+{_MONTH_WORDS}[ ,.-]+(?P<year>\d{{4}})",
    rf"{_MONTH_WORDS}[ .-]+(?P<day>\d{{1,2}}),?[ -]+(?P<year>\d{{4}})",
)
_FORMS = {
    "iso": _ISO,
    "day_first": (
        *_ISO, r"(?P<day>\d{1,2})[/.-](?P<month>\d{1,2})[/.-](?P<year>\d{4}|\d{2})", *_WORDED,
    ),
    "month_first": (
        *_ISO, r"(?P<month>\d{1,2})[/.-](?P<day>\d{1,2})[/.-](?P<year>\d{4}|\d{2})", *_WORDED,
    ),
    "year_first": (
        *_ISO, r"(?P<year>\d{4})[/.-](?P<month>\d{1,2})[/.-](?P<day>\d{1,2})", *_WORDED,
    ),
}  # fmt: skip
_PATTERNS = {
    name: tuple(re.compile(form + _CLOCK, re.IGNORECASE) for form in forms)
    for name, forms in _FORMS.items()
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_CENTURY = 2000
FIRST_YEAR = 1900
"""Earlier years are the way other systems write that they know no date."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant in UTC, the clinic's day of it, and whether a time of day was given."""

    at: datetime
    on: date
    timed: bool


def read_moment(text: str, date_format: str, zone: ZoneInfo) -> Moment | None:
    """Read a date with or without a time; None where it cannot be read.

    Without an offset it is clinic-local; a bare date is the start of that day.
    """
    match = _match(text.strip(), date_format)
    if match is None:
        return None
    try:
        day = _day(match)
        if match["hour"] is None:
            return Moment(start_of_day(day, zone), day, timed=False)
        at = _instant(datetime.combine(day, _time(match)), match["offset"], zone)
        return Moment(at, at.astimezone(zone).date(), timed=True)
    except (ValueError, OverflowError):
        return None


def read_day(text: str, date_format: str = "iso") -> date | None:
    """Read a date without a time; None where it cannot be read."""
    match = _match(text.strip(), date_format)
    if match is None or match["hour"] is not None:
        return None
    try:
        return _day(match)
    except ValueError:
        return None


def _match(text: str, date_format: str) -> re.Match[str] | None:
    for pattern in _PATTERNS[date_format]:
        if match := pattern.fullmatch(text):
            return match
    return None


def _day(match: re.Match[str]) -> date:
    groups = match.groupdict()
    year = int(groups["year"])
    year += _CENTURY if len(groups["year"]) == 2 else 0
    if year < FIRST_YEAR:
        raise ValueError("no plausible year")
    month = int(groups["month"]) if groups.get("month") else _month(groups["word"])
    return date(year, month, int(groups["day"]))


def _month(word: str) -> int:
    word = word.casefold()
    if word in _FULL_MONTHS:
        return _FULL_MONTHS.index(word) + 1
    return _MONTHS.index("sep" if word == "sept" else word) + 1


def _time(match: re.Match[str]) -> time:
    hour, minute = int(match["hour"]), int(match["minute"])
    if half := match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("no hour of a half day")
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    return time(hour, minute, int(match["second"] or 0))


def _instant(local: datetime, offset: str | None, zone: ZoneInfo) -> datetime:
    if not offset:
        return from_clinic_local(local, zone)
    if offset.upper() in ("Z", "UTC"):
        return local.replace(tzinfo=UTC)
    digits = offset[1:].replace(":", "").ljust(4, "0")
    shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    zone_of_text = timezone(-shift if offset[0] == "-" else shift)
    return local.replace(tzinfo=zone_of_text).astimezone(UTC)
