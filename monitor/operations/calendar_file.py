"""The tests to come as a calendar file (RFC 5545): days and tests, nothing that names a patient."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

from icalendar import Calendar, Event

from monitor.core.findings import day_text
from monitor.operations.patient_file import AHEAD, PatientFile, Tests, Treatment


class _Entry(NamedTuple):
    panel: str
    place: int
    """The how manieth of the panel's tests it is: what it is known by, whatever its day is."""
    day: date
    says: str


def calendar_file(file: PatientFile, clinic: str, now: datetime) -> bytes:
    """One whole-day entry a test, with the clinic's name and no patient's. A calendar that is taken
    again is brought up to date, though it may never forget an entry: the fourth blood count of a
    treatment keeps its UID, whatever its day is by then, and those done since stand on the day
    on which they were done. One that was not done on its day stands on today."""
    calendar = Calendar()
    calendar.add("prodid", "-//azathioprine-monitor//tests to come//EN")
    calendar.add("version", "2.0")
    for treatment in file.treatments:
        for it in _entries(treatment):
            name = f"monitor:{treatment.case.enrolment.id}:{it.panel}:{it.place}"
            entry = Event()
            entry.add("uid", str(uuid5(NAMESPACE_URL, name)))
            entry.add("dtstamp", now)
            entry.add("dtstart", it.day)
            entry.add("dtend", it.day + timedelta(days=1))
            entry.add("summary", f"{it.says} ({clinic})")
            entry.add("transp", "TRANSPARENT")
            calendar.add_component(entry)
    return bytes(calendar.to_ical())


def _entries(treatment: Treatment) -> Iterator[_Entry]:
    """What was done, as long ago as the schedule is written out ahead, and what is to come."""
    today = treatment.today
    first = max(AHEAD.before(today), treatment.case.enrolment.enrolled_on)
    last = treatment.life.stopped_on or today
    places: dict[str, int] = {}
    for tests in treatment.tests:
        done, panel = _days_done(tests), tests.status.panel
        places[panel] = len(done)
        for place, day in enumerate(done, start=1):
            if first <= day <= last:
                yield _Entry(panel, place, day, f"{tests.title} done")
    for test in treatment.coming:
        places[test.panel] += 1
        is_late = test.due_on < today
        day = today if is_late else test.due_on
        when = f"was due {day_text(test.due_on)}" if is_late else "due"
        yield _Entry(test.panel, places[test.panel], day, f"{test.title} {when}")


def _days_done(tests: Tests) -> list[date]:
    answers = {it.done_on for it in tests.due if it.done_on is not None}
    return sorted(answers.union(tests.besides))
