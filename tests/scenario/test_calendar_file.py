"""The calendar file of a patient, taken each week into a calendar that never forgets an entry."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from icalendar import Calendar

from monitor.operations.calendar_file import calendar_file
from monitor.operations.patient_file import patient_file
from monitor.store.database import Store
from tests.clinic import CBC, LFT, at
from tests.desk import Desk

MONDAY = date(2026, 1, 5)
DAYS_EARLY = (0, 1, 0, 2, 0, 0, 1, 3)
"""How much earlier than a week later each weekly count is done."""


def entries(desk: Desk, day: date) -> dict[str, tuple[date, str]]:
    now = at(day.isoformat(), 18)
    text = calendar_file(patient_file(desk.store, desk.settings, 1, now), "Hill clinic", now)
    found = Calendar.from_ical(text.decode()).walk("VEVENT")
    told = {str(it["uid"]): (it.decoded("dtstart"), str(it["summary"])) for it in found}
    assert len(told) == len(found), "an entry a UID"
    return told


def test_a_calendar_that_is_taken_each_week_has_no_test_that_nobody_asks_for(
    store: Store, tmp_path: Path
) -> None:
    """It kept the days of each earlier file: after half a year 129 tests ahead instead of ten."""
    desk = Desk(store, tmp_path)
    desk.clinic.enrol("A100")
    done = [MONDAY + timedelta(days=7 * n - early) for n, early in enumerate(DAYS_EARLY, start=1)]
    done += [done[-1] + timedelta(days=80), done[-1] + timedelta(days=83)]
    client: dict[str, tuple[date, str]] = {}
    for week in range(26):
        today = MONDAY + timedelta(weeks=week)
        for day in done:
            if today - timedelta(days=7) < day <= today:
                desk.clinic.results("A100", day.isoformat(), CBC | LFT)
        file = entries(desk, today)
        client |= file
        ahead = {uid for uid, (day, _) in client.items() if day > today}
        assert ahead <= file.keys(), today


def test_a_test_that_was_not_done_stands_on_today(store: Store, tmp_path: Path) -> None:
    desk = Desk(store, tmp_path)
    desk.clinic.enrol("A100")
    words = "Complete blood count with differential was due 12 Jan 2026 (Hill clinic)"
    found = {}
    for today in (date(2026, 1, 20), date(2026, 2, 3)):
        file = entries(desk, today)
        (uid,) = [it for it, told in file.items() if told == (today, words)]
        found[today] = uid
        assert all(day >= today for day, _ in file.values())
    assert len(set(found.values())) == 1
