"""When a job looks again: missed looks are one, whatever the clock does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.daemon.every import Every

ZONE = ZoneInfo("Europe/Zurich")
BEFORE = datetime(2026, 1, 5, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("away", "then"),
    [
        (timedelta(0), timedelta(seconds=2)),
        (timedelta(seconds=2), timedelta(seconds=4)),
        (timedelta(days=3), timedelta(days=3, seconds=2)),
        (timedelta(days=20 * 365), timedelta(days=20 * 365, seconds=2)),
    ],
)
def test_it_looks_next_after_now(away: timedelta, then: timedelta) -> None:
    trigger = Every(seconds=2)
    assert trigger.get_next_fire_time(BEFORE, BEFORE + away) == BEFORE + then


def test_in_the_hour_that_is_repeated_it_looks_on() -> None:
    last = datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC)
    before, now = last - timedelta(minutes=10), last.astimezone(ZONE)
    then = Every(seconds=2).get_next_fire_time(before, now)
    assert then.astimezone(UTC) == last + timedelta(seconds=2)
