"""Open days around weekends, Easter and a clinic that is never open."""

from __future__ import annotations

from datetime import date

import pytest

from monitor.core.open_days import OpenDays

EASTER = (date(2026, 4, 3), date(2026, 4, 6))
WEEK = OpenDays(("mon", "tue", "wed", "thu", "fri"), EASTER)


@pytest.mark.parametrize(
    ("day", "last_until", "before"),
    [
        ("2026-04-01", "2026-04-01", "2026-03-31"),
        ("2026-04-03", "2026-04-02", "2026-04-02"),
        ("2026-04-05", "2026-04-02", "2026-04-02"),
        ("2026-04-06", "2026-04-02", "2026-04-02"),
        ("2026-04-07", "2026-04-07", "2026-04-02"),
        ("2026-05-17", "2026-05-15", "2026-05-15"),
    ],
)
def test_the_last_open_day(day: str, last_until: str, before: str) -> None:
    on = date.fromisoformat(day)
    assert WEEK.last_until(on) == date.fromisoformat(last_until)
    assert WEEK.before(on) == date.fromisoformat(before)


def test_a_clinic_that_is_never_open_counts_as_open() -> None:
    assert OpenDays((), ()).last_until(date(2026, 4, 5)) == date(2026, 4, 5)
