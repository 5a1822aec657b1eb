"""Dates and instants as laboratories write them (specification, section 2).

ISO 8601 is always read. Any other order of day, month and year is what the source's
`date_format` names, or what all dates of the file together allow (`profile`): 03/04 alone is
never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.core.calendar import from_clinic_local, start_of_day
from monitor.intake.vocabulary import key_of, vocabulary

EITHER = "either"
"""The order of dates that are read only where they can be read one way."""
OPEN_YEARS = "open_years"
"""The same, where a year of two digits may stand first or last: such dates are not read."""
SWAPPED = "perhaps_swapped"
"""The same in a workbook whose program may have taken days for months: a date of it is read only
where that cannot be."""
_CLOCK = (
    r"(?:(?:,?\s+(?:(?:à|um|at|kl\.?|ore|alle|a las|às)\s+)?|\s*T|,\s*|\s-\s|[-:](?=\d\d:))"
    r"(?P<hour>\d{1,2})(?:[:.h]|[時时시]\s*)?(?P<minute>\d{2})[分분]?"
    r"(?:[:.]?(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"\s*(?:uhr|hrs?|hs|h)?\s*(?P<half>[ap]\.?\s?m\.?)?\s*(?P<offset>Z|[+-]\d{2}(?::?\d{2})?|[A-Z]{3,4})?(?:\[[\w/+-]+\])?)?"
)
_MONTH_WORDS = r"(?P<word>[^\W\d_]{3,12})\.?"
_OF = r"(?:\s+de\s+|\s+del\s+|\s+of\s+|[ .,/-]+)"
_NTH = r"(?:\.|st|nd|rd|th|er|º|°)?"
_WEEKDAY = r"(?:[^\W\d_]{2,12}\.?,?\s+)?"
_ISO = (
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})",
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
)
_WORDED = (
    rf"{_WEEKDAY}(?P<day>\d{{1,2}}){_NTH}{_OF}{_MONTH_WORDS}{_OF}(?P<year>\d{{4}}|\d{{2}})",
    rf"{_WEEKDAY}{_MONTH_WORDS}[ .-]+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?[ -]+(?P<year>\d{{4}})",
    rf"(?P<day>\d{{1,2}}){_MONTH_WORDS}(?P<year>\d{{4}}|\d{{2}})",
    rf"(?P<year>\d{{4}})[ ./-]+{_MONTH_WORDS}[ ./-]+(?P<day>\d{{1,2}})",
)
_DAY_FIRST = rf"{_WEEKDAY}(?P<day>\d{{1,2}})[/.-](?P<month>\d{{1,2}})[/.-](?P<year>\d{{4}}|\d{{2}})"
_MONTH_FIRST = (
    rf"{_WEEKDAY}(?P<month>\d{{1,2}})[/.-](?P<day>\d{{1,2}})[/.-](?P<year>\d{{4}}|\d{{2}})"
)
_YEAR_FIRST = r"(?P<year>\d{4})(?:[/.]|\.\s)(?P<month>\d{1,2})(?:[/.]|\.\s)(?P<day>\d{1,2})\.?"
_SHORT_YEAR_FIRST = (
    r"(?P<year>\d{2})[/.-](?P<month>\d{1,2})[/.-](?P<day>\d{1,2})\.?",
    r"(?P<year>\d{2})(?P<month>\d{2})(?P<day>\d{2})",
)
_YEAR_NAMED = r"(?P<year>\d{4})[年년]\s*(?P<month>\d{1,2})[月월]\s*(?P<day>\d{1,2})[日일]"
_FORMS = {
    "iso": _ISO,
    "day_first": (*_ISO, _DAY_FIRST, _YEAR_FIRST, _YEAR_NAMED, *_WORDED),
    "month_first": (*_ISO, _MONTH_FIRST, _YEAR_FIRST, _YEAR_NAMED, *_WORDED),
    "year_first": (*_ISO, _YEAR_FIRST, *_SHORT_YEAR_FIRST, _YEAR_NAMED, *_WORDED),
    EITHER: (*_ISO, _DAY_FIRST, _YEAR_FIRST, _YEAR_NAMED, *_WORDED),
}
_PATTERNS = {
    name: tuple(re.compile(form + _CLOCK, re.IGNORECASE) for form in forms)
    for name, forms in _FORMS.items()
}
_RUN_TOGETHER = re.compile(
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?P<hour>\d{2})(?P<minute>\d{2})"
    r"(?P<second>\d{2})?(?:\.\d+)?(?P<half>(?!))?(?P<offset>Z|[+-]\d{4})?"
)
"""The digits of HL7 v2, also where a laboratory writes them into a CSV."""
_TWO_NUMBERS = re.compile(
    rf"{_WEEKDAY}(\d{{1,2}})[/.-](\d{{1,2}})[/.-](?:\d{{4}}|\d{{2}})(?!\d)", re.IGNORECASE
)
_SHAPE = re.compile(
    rf"{_WEEKDAY}\d{{1,2}}([/.-])\d{{1,2}}[/.-](\d{{4}}|\d{{2}})(?!\d)", re.IGNORECASE
)
_SHORT_YEAR = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{2})(?!\d)")
_UNDERSTOOD = re.compile(r"\d{4}-(\d\d)-(\d\d)(?!\d)")
_NO_YEAR = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]?|\d{1,2}\.?\s*[^\W\d_]{3,12}\.?")
_TIME_ALONE = re.compile(
    r"\d{1,2}[:h]\d{2}(?::\d{2})?\s*(?:uhr|hrs?|h|[ap]\.?m\.?)?", re.IGNORECASE
)
_CLOCK_IN_DIGITS = re.compile(r"(?:[01]\d|2[0-3])[0-5]\d")
_PLAIN = re.compile(
    r"[12]\d{3}-\d\d-\d\d[T ](?!24)\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:[0-5]\d)?", re.ASCII
)
"""ISO 8601 as most programs write it: the same whatever the order, and read at once."""
_HOUR_ALONE = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d)(Z|[+-]\d\d(?::?\d\d)?)?$")
"""ISO 8601 without minutes, as SDTM writes an instant of which no more is known."""
_CENTURY = 2000
_PIVOT = 69
"""Two digits from here on are of the century before, as POSIX has it."""
FIRST_YEAR = 1900
"""Earlier years are the way other systems write that they know no date."""
LAST_DAY = 31
_HOURS = 24
DOTS = "."
"""The shape of dates with dots, which are written day first in every language (CLDR)."""
NO_DAYS = frozenset((date(1900, 1, 1), date(1970, 1, 1)))
"""The first days that programs count: what they write where they know none."""
_LONGEST = 60
_SERIAL = re.compile(r"([1-9]\d{4})(?:\.(\d+))?")
_PART_OF_DAY = re.compile(r"0?\.\d{1,20}")
_SERIAL_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001  # a clinic's clock, made an instant later
_STEPS = {"days": 86400, "hours": 3600, "minutes": 60}


class Moment(NamedTuple):
    """An instant in UTC, the clinic's day of it, and whether a time of day was given."""

    at: datetime
    on: date
    timed: bool


def read_moment(text: str, order: str, zone: ZoneInfo) -> Moment | None:
    """Read a date with or without a time; None where it cannot be read.

    Without an offset it is clinic-local; a bare date is the start of that day.
    """
    # A spreadsheet writes this before what is to stay a text.
    text = text.strip().removeprefix("'")
    try:
        if _PLAIN.fullmatch(text) and order != SWAPPED:
            return _timed(_plain_instant(text, zone), zone)
        match = _match(_HOUR_ALONE.sub(r"\1:00\2", text), order)
        if match is None:
            return None
        day = _day(match)
        if match["hour"] is None:
            return Moment(start_of_day(day, zone), day, timed=False)
        return _timed(_instant(_local(day, match), match["offset"], zone), zone)
    except (ValueError, OverflowError):
        return None


def read_day(text: str, order: str = "iso") -> date | None:
    """Read a date without a time; None where it cannot be read."""
    match = _match(text.strip(), order)
    if match is None or match["hour"] is not None:
        return None
    try:
        return _day(match)
    except ValueError:
        return None


def day_in_any_order(text: str) -> date | None:
    """A day that a text may be, whatever its order, with or without a time."""
    text = text.strip()
    for order in ("day_first", "month_first"):
        match = _match(text, order)
        if match is not None:
            try:
                return _day(match)
            except ValueError:
                continue
    return None


def begins_with_year(text: str) -> bool:
    """Whether a text is written year first: nothing else of a date has more than two digits."""
    return text[:3].isdecimal()


def orders_of(text: str) -> frozenset[str]:
    """Which orders of day and month a numeric date allows: one, both, or none where it is no
    such date (ISO, year first, a month in letters)."""
    text = text.strip().removeprefix("'")
    if begins_with_year(text):
        return frozenset()
    found = _TWO_NUMBERS.match(text[:_LONGEST])
    if found is None:
        return frozenset()
    first, second = int(found[1]), int(found[2])
    if first == second:
        return frozenset()
    allowed = {
        "day_first": first <= 31 and second <= 12,
        "month_first": first <= 12 and second <= 31,
    }
    return frozenset(order for order, holds in allowed.items() if holds)


def shape_of(text: str) -> str:
    """How a date in numbers is written: its separator and the digits of its year (`/4`), with dots
    whatever its year (`.`); empty for any other text."""
    found = _SHAPE.match(text.strip().removeprefix("'")[:_LONGEST])
    if found is None or begins_with_year(text.strip()):
        return ""
    return DOTS if found[1] == DOTS else f"{found[1]}{len(found[2])}"


def ends_of_short(text: str) -> tuple[int, int] | None:
    """The first and the last number of a date with a year of two digits (26/03/14) where either
    may be that year; None for any other text."""
    found = _SHORT_YEAR.match(text.strip()[:_LONGEST])
    if found is None or len(found[1]) < 2:
        return None
    first, month, last = (int(part) for part in found.groups())
    return (first, last) if 1 <= month <= 12 and 1 <= last <= LAST_DAY else None


def full_year(short: int) -> int:
    """The year that two digits mean."""
    return short + (_CENTURY if short < _PIVOT else _CENTURY - 100)


def is_short(text: str) -> bool:
    """Whether a text is a date in numbers with a year of two digits."""
    return _SHORT_YEAR.match(text.strip()[:_LONGEST]) is not None


def is_open(order: str) -> bool:
    """Whether an order leaves it open how some dates are read."""
    return order in (EITHER, OPEN_YEARS, SWAPPED)


def understood(text: str) -> tuple[int, int] | None:
    """Month and day of a date that a spreadsheet program understood; None for any other text."""
    found = _UNDERSTOOD.match(text.strip()[:_LONGEST])
    return (int(found[1]), int(found[2])) if found else None


def may_be_swapped(text: str) -> bool:
    """Whether such a date would be another one with day and month exchanged."""
    month, day = understood(text) or (0, 0)
    return day <= 12 and day != month


def is_time(text: str) -> bool:
    """Whether a text is a time of day alone: `7:30`, `19:05 Uhr`, `08h30`."""
    return _TIME_ALONE.fullmatch(text.strip()[:_LONGEST]) is not None


def are_clocks_in_digits(texts: Collection[str]) -> bool:
    """Whether all are times of a day as hospitals write them (`0830`, `1915`), one of them surely:
    no number begins with a nought."""
    return all(_CLOCK_IN_DIGITS.fullmatch(text) for text in texts) and any(
        text.startswith("0") for text in texts
    )


def has_no_year(text: str) -> bool:
    """Whether a text is a day and a month alone."""
    return _NO_YEAR.fullmatch(text.strip()[:_LONGEST]) is not None


def from_serial(text: str) -> str:
    """A spreadsheet's number of days (46083.5) as ISO text; "" for any other text."""
    found = _SERIAL.fullmatch(text.strip())
    if found is None or not 20_000 <= int(found[1]) < 80_000:
        return ""
    seconds = round(float(f"0.{found[2] or 0}") * 86400)
    moment = _SERIAL_ZERO + timedelta(days=int(found[1]), seconds=seconds)
    return moment.isoformat() if found[2] and seconds else moment.date().isoformat()


def clock_of_serial(text: str) -> str:
    """A spreadsheet's part of a day (0.34) as a time; "" for any other text."""
    if _PART_OF_DAY.fullmatch(text.strip()) is None:
        return ""
    seconds = round(float(text) * 86400)
    return (_SERIAL_ZERO + timedelta(seconds=seconds)).time().isoformat()


def since(text: str, step: str, day_zero: date) -> str:
    """A number of days, hours or minutes after a day as ISO text, to the minute; the text
    itself where it is no such number."""
    try:
        seconds = float(text) * _STEPS[step]
        moment = datetime.combine(day_zero, time()) + timedelta(minutes=round(seconds / 60))
    except (ValueError, OverflowError):
        return text
    if step == "days" and seconds % 86400 == 0:
        return moment.date().isoformat()
    return moment.isoformat(timespec="minutes")


def _match(text: str, order: str) -> re.Match[str] | None:
    if len(text) > _LONGEST:
        return None
    if order in (OPEN_YEARS, SWAPPED):
        if ends_of_short(text) if order == OPEN_YEARS else may_be_swapped(text):
            return None
        order = EITHER
    if order == EITHER and len(orders_of(text)) == 2:
        return None
    if order == EITHER and orders_of(text) == {"month_first"}:
        order = "month_first"
    for pattern in _PATTERNS.get(order, _PATTERNS["iso"]):
        if match := pattern.fullmatch(text):
            return match
    return _RUN_TOGETHER.fullmatch(text)


def _day(match: re.Match[str]) -> date:
    year = int(match["year"])
    if len(match["year"]) == 2:
        year = full_year(year)
    if year < FIRST_YEAR:
        raise ValueError("no plausible year")
    in_numbers = "month" in match.re.groupindex
    month = int(match["month"]) if in_numbers else _month(match["word"])
    return date(year, month, int(match["day"]))


def _month(word: str) -> int:
    try:
        return vocabulary().months[key_of(word)]
    except KeyError:
        raise ValueError("no month") from None


def _local(day: date, match: re.Match[str]) -> datetime:
    """A day and its time; 24:00 is the end of the day, as ISO 8601 and hospitals have it."""
    if match["half"] or int(match["hour"]) != _HOURS:
        return datetime.combine(day, _time(match))
    if int(match["minute"]) or int(match["second"] or 0):
        raise ValueError("no time after the end of the day")
    return datetime.combine(day + timedelta(days=1), time())


def _time(match: re.Match[str]) -> time:
    hour, minute = int(match["hour"]), int(match["minute"])
    if half := match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("no hour of a half day")
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    return time(hour, minute, int(match["second"] or 0))


def _timed(at: datetime, zone: ZoneInfo) -> Moment:
    return Moment(at, at.astimezone(zone).date(), timed=True)


def _plain_instant(text: str, zone: ZoneInfo) -> datetime:
    read = datetime.fromisoformat(text)
    if read.year < FIRST_YEAR:
        raise ValueError("no plausible year")
    if read.tzinfo is None:
        return from_clinic_local(read, zone)
    return read if read.tzinfo is UTC else read.astimezone(UTC)


def _instant(local: datetime, offset: str | None, zone: ZoneInfo) -> datetime:
    if not offset:
        return from_clinic_local(local, zone)
    if offset.upper() in ("Z", "UTC", "GMT"):
        return local.replace(tzinfo=UTC)
    named = offset.isalpha()
    shift = _shift_of_zone(offset.upper(), local.year, zone) if named else _shift(offset)
    return local.replace(tzinfo=timezone(shift)).astimezone(UTC)


def _shift(offset: str) -> timedelta:
    digits = offset[1:].replace(":", "").ljust(4, "0")
    shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -shift if offset[0] == "-" else shift


def _shift_of_zone(name: str, year: int, zone: ZoneInfo) -> timedelta:
    """How far the zone of that name is from UTC: as the clinic's own zone is called in winter or
    summer (CST of Chicago), else as it is called everywhere. Raises ValueError."""
    for month in (1, 7):
        local = datetime(year, month, 1, tzinfo=zone)
        if local.tzname() == name and (shift := local.utcoffset()) is not None:
            return shift
    if name not in vocabulary().zones:
        raise ValueError("no known zone")
    return _shift(vocabulary().zones[name])
