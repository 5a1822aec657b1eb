"""What a feed usually does, and when that counts as broken: tables of its boundaries."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.core.feed import (
    Expected,
    belongs_to_shift,
    due_next,
    learned,
    missed,
    shifted,
    vanished,
)

ZONE = ZoneInfo("Europe/Zurich")
LATE = timedelta(hours=3)
MONDAY = date(2026, 1, 5)


def at(day: date, clock: str = "10:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZONE)


def days(*weekdays: int, weeks: int = 12, leave_out: tuple[int, ...] = ()) -> list[datetime]:
    """Arrivals on these weekdays, but for some by number."""
    found = [
        at(MONDAY + timedelta(weeks=week, days=it)) for week in range(weeks) for it in weekdays
    ]
    return [it for number, it in enumerate(found) if number not in leave_out]


def usual(arrivals: list[datetime], share: float = 0.75) -> list[str]:
    return [it.text for it in learned(arrivals, MONDAY, share=share, late=LATE)]


def test_weekdays_and_hours_are_learned() -> None:
    assert usual(days(0, 3)) == ["mon 13:00", "thu 13:00"]
    assert usual(days(0, weeks=3)) == []  # too few weeks
    assert usual(days(0, weeks=4)) == ["mon 13:00"]
    assert usual(days(0, leave_out=(1, 4, 7))) == ["mon 13:00"]  # 9 of 12
    assert usual(days(0, leave_out=(1, 4, 6, 7))) == []  # 8 of 12
    evening = [*days(0, weeks=11), at(MONDAY + timedelta(weeks=11), "23:30")]
    assert usual(evening) == ["mon 13:00"]  # one late file in twelve does not count
    assert usual([at(it.date(), "22:00") for it in days(0)]) == ["mon 23:59"]
    assert usual([]) == []


DAILY = days(0, 1, 2, 3, 4)
LAST = DAILY[-1]  # a Friday


MISSED = [
    # arrivals, hours after the last one, closed days: how many were missed
    ("a weekend is no silence", DAILY, 2 * 24, (), 0),
    ("Monday before it is late", DAILY, 3 * 24 + 3, (), 0),
    ("Monday once it is late", DAILY, 3 * 24 + 4, (), 1),
    ("a holiday is no silence", DAILY, 3 * 24 + 4, (LAST.date() + timedelta(3),), 0),
    ("a feed that often misses a day is told at the second",
     days(0, 1, 2, 3, 4, leave_out=(3, 9, 14, 22, 31, 40, 44, 50)), 3 * 24 + 4, (), 0),
    ("a feed that often misses a day is told at the second",
     days(0, 1, 2, 3, 4, leave_out=(3, 9, 14, 22, 31, 40, 44, 50)), 4 * 24 + 4, (), 2),
    ("once a week", days(2), 7 * 24 + 4, (), 1),
    ("nothing is usual", days(2, weeks=3), 40 * 24, (), 0),
]  # fmt: skip


@pytest.mark.parametrize(("arrivals", "hours", "closed", "count"), [it[1:] for it in MISSED],
                         ids=[it[0] for it in MISSED])  # fmt: skip
def test_silence(
    arrivals: list[datetime], hours: int, closed: tuple[date, ...], count: int
) -> None:
    last = arrivals[-1]
    expected = learned(arrivals, MONDAY, share=0.75, late=LATE)
    now = last + timedelta(hours=hours)
    assert len(missed(expected, last, now, closed, chance=0.05)) == count


def test_what_is_configured_is_missed_at_once() -> None:
    expected = (Expected(0, at(MONDAY, "12:00").time()),)
    last, next_monday = at(MONDAY), MONDAY + timedelta(weeks=1)
    assert not missed(expected, last, at(next_monday, "12:00"), (), chance=0.05)
    assert missed(expected, last, at(next_monday, "12:01"), (), chance=0.05)
    assert due_next(expected, last, at(MONDAY, "11:00"), ()) == at(next_monday, "12:00")
    assert due_next(expected, None, at(MONDAY, "11:00"), ()) == at(MONDAY, "12:00")
    assert due_next((), None, at(MONDAY), ()) is None


CBC = frozenset({"neutrophils", "lymphocytes"})
GONE = frozenset({"neutrophils"})
VANISHED = [
    # days in order: what vanished, from which day on
    ([CBC] * 12 + [GONE] * 3, (("lymphocytes", 12),)),
    ([CBC] * 12 + [GONE] * 2, ()),
    ([CBC] * 9 + [GONE] * 9, ()),  # not there long enough
    ([CBC, GONE] * 10 + [GONE] * 5, ()),  # on every second day only
    ([CBC, GONE] * 10 + [GONE] * 10, (("lymphocytes", 19),)),
    ([CBC] * 12 + [GONE] * 3 + [CBC], ()),  # back
    ([], ()),
]


@pytest.mark.parametrize(("history", "gone"), VANISHED)
def test_what_vanished(history: list[frozenset[str]], gone: tuple[tuple[str, int], ...]) -> None:
    assert vanished(history, least=10, chance=0.001) == gone


def values(count: int, middle: float, spread: float, seed: int = 1) -> list[float]:
    luck = random.Random(seed)
    return [middle * 10 ** luck.gauss(0, spread) for _ in range(count)]


SHIFTS = [
    # spread in log10, factor of the latest eight: power
    (0.15, 1000, 3), (0.15, 100, 2), (0.15, 10, 1), (0.15, 0.1, -1), (0.15, 0.001, -3),
    (0.15, 1, 0), (0.15, 2, 0), (0.15, 4, 0), (0.15, 30, 0), (0.6, 10, 0), (0.6, 1000, 3),
]  # fmt: skip


@pytest.mark.parametrize(("spread", "factor", "power"), SHIFTS)
def test_a_shift_by_a_power_of_ten(spread: float, factor: float, power: int) -> None:
    before = values(120, 4.0, spread)
    after = [it * factor for it in values(8, 4.0, spread / 3, seed=2)]
    assert shifted(before, after, least=40, tolerance=0.15) == power
    if power:
        assert all(belongs_to_shift(it, before, power) for it in after)


def test_few_values_and_zeros_say_nothing() -> None:
    before = values(39, 4.0, 0.1)
    after = [it * 10 for it in before[:8]]
    assert shifted(before, after, least=40, tolerance=0.15) == 0
    assert shifted(before + before, [0.0, *after[1:]], least=40, tolerance=0.15) == 0


def test_a_feed_in_good_health_is_left_alone() -> None:
    """Two hundred feeds of a year whose counts vary as counts do: no shift is ever seen."""
    luck = random.Random(7)
    for spread in (0.15, 0.3, 0.6):
        for _ in range(60):
            history = [4 * 10 ** luck.gauss(0, spread) for _ in range(300)]
            for end in range(60, 300, 5):
                assert not shifted(
                    history[: end - 8], history[end - 8 : end], least=40, tolerance=0.15
                )
