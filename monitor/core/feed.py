"""What a laboratory's feed usually does, and whether it still does it.

All of it is reckoned from the feed's own history: on which weekdays and by when files come,
which analytes they bring, how large the values are. Chances are of the rule of succession
with half a case (Jeffreys), so that a short history proves little.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LAST_MINUTE = time(23, 59)
_MAD_TO_SD = 1.4826
_MEDIAN_ERROR = 1.2533
"""Standard error of a median against that of a mean, for normal values."""
_SURELY = 5.0
"""Standard errors that a shift has to exceed."""
_POWERS = (1, 2, 3)
LEAST_WEEKS = 4
"""Fewer days of a weekday say nothing about it."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Something comes on this weekday (0 is Monday) by this time; `misses` is the chance that
    a feed in good health does not."""

    weekday: int
    by: time
    misses: float = 0.0

    @property
    def text(self) -> str:
        return f"{WEEKDAYS[self.weekday]} {self.by:%H:%M}"


def learned(
    arrivals: Sequence[datetime], since: date, *, share: float, late: timedelta
) -> tuple[Expected, ...]:
    """The weekdays on which something came in at least `share` of the weeks from `since` on,
    and by when: the latest of nine in ten first arrivals, and `late` more.

    Arrivals are of the clinic's clock. The weeks end with the last arrival, so that a silence
    does not unlearn what was usual before it.
    """
    firsts: dict[date, time] = {}
    for at in arrivals:
        if at.date() >= since:
            day = firsts.setdefault(at.date(), at.time())
            firsts[at.date()] = min(day, at.time())
    if not firsts:
        return ()
    begin, end = min(firsts), max(firsts)
    counts = [_counts(weekday, begin, end, firsts) for weekday in range(7)]
    usual = [
        weekday
        for weekday, (there, weeks) in enumerate(counts)
        if weeks >= LEAST_WEEKS and there >= share * weeks
    ]
    there = sum(counts[weekday][0] for weekday in usual)
    weeks = sum(counts[weekday][1] for weekday in usual)
    misses = 1 - (there + 0.5) / (weeks + 1)
    return tuple(Expected(weekday, _by(weekday, firsts, late), misses) for weekday in usual)


def _counts(weekday: int, begin: date, end: date, firsts: dict[date, time]) -> tuple[int, int]:
    days = (begin + timedelta(days=n) for n in range((end - begin).days + 1))
    of_it = [day for day in days if day.weekday() == weekday]
    return sum(day in firsts for day in of_it), len(of_it)


def _by(weekday: int, firsts: dict[date, time], late: timedelta) -> time:
    times = sorted(at for day, at in firsts.items() if day.weekday() == weekday)
    usual = times[math.ceil(0.9 * len(times)) - 1]
    by = datetime.combine(date.min, usual) + late
    return by.time() if by.date() == date.min else _LAST_MINUTE


def missed(
    expected: Sequence[Expected],
    last: datetime,
    now: datetime,
    closed: Collection[date],
    *,
    chance: float,
) -> tuple[datetime, ...]:
    """The times that passed since the day of the last arrival without one, once a feed in good
    health would miss them all with no more than this chance; else none.

    `last` and `now` are of the clinic's clock; nothing is expected on closed days.
    """
    by_weekday = {it.weekday: it for it in expected}
    passed: list[datetime] = []
    left = 1.0
    day = last.date() + timedelta(days=1)
    while day <= now.date():
        it = by_weekday.get(day.weekday())
        if it is not None and day not in closed:
            until = datetime.combine(day, it.by, now.tzinfo)
            if until < now:
                passed.append(until)
                left *= it.misses
        day += timedelta(days=1)
    return tuple(passed) if passed and left <= chance else ()


def due_next(
    expected: Sequence[Expected], last: datetime | None, now: datetime, closed: Collection[date]
) -> datetime | None:
    """When something is expected next; None where nothing is known to be."""
    by_weekday = {it.weekday: it for it in expected}
    for ahead in range(15):
        day = now.date() + timedelta(days=ahead)
        it = by_weekday.get(day.weekday())
        came_today = last is not None and last.date() == day
        if it is not None and day not in closed and not came_today:
            until = datetime.combine(day, it.by, now.tzinfo)
            if until >= now:
                return until
    return None


def vanished(
    days: Sequence[Collection[str]], *, least: int, chance: float
) -> tuple[tuple[str, int], ...]:
    """Analytes that a feed brought and brings no longer, with the index of the first day
    without; `days` are the analytes of its days in order.

    Tested is the run of days without, against the share of the days before, of which there have
    to be `least`.
    """
    found = []
    for analyte in sorted(set().union(*days)) if days else ():
        there = [index for index, day in enumerate(days) if analyte in day]
        before = there[-1] - there[0] + 1
        absent = len(days) - 1 - there[-1]
        usual = (len(there) + 0.5) / (before + 1)
        if absent and before >= least and (1 - usual) ** absent <= chance:
            found.append((analyte, there[-1] + 1))
    return tuple(found)


def shifted(
    history: Sequence[float], recent: Sequence[float], *, least: int, tolerance: float
) -> int:
    """The power of ten (-3 to 3) by which recent values lie above those before; 0 for none.

    Medians of logarithms are compared, so neither a few odd values nor the spread of an enzyme
    is a shift: it has to lie within `tolerance` (of log10) of a whole power and far beyond what
    chance does to a median of so few. Values that are not positive say nothing.
    """
    before = [math.log10(value) for value in history if value > 0]
    after = [math.log10(value) for value in recent if value > 0]
    if len(before) < least or len(after) < len(recent) or not after:
        return 0
    middle = median(before)
    by = median(after) - middle
    power = round(by)
    spread = _MAD_TO_SD * median(abs(value - middle) for value in before)
    error = _MEDIAN_ERROR * spread / math.sqrt(len(after))
    is_whole = abs(power) in _POWERS and abs(by - power) <= tolerance
    return power if is_whole and abs(by) > _SURELY * error else 0


def belongs_to_shift(value: float, history: Sequence[float], power: int) -> bool:
    """Whether a value lies nearer to the shifted values than to those before."""
    before = [math.log10(it) for it in history if it > 0]
    if value <= 0 or not before:
        return False
    away = math.log10(value) - median(before)
    return abs(away - power) < abs(away)
