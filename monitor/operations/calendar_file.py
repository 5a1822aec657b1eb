"""The tests to come as a calendar file (RFC 5545): days and tests, nothing that names a patient."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from icalendar import Calendar, Event

from monitor.operations.patient_file import PatientFile


def calendar_file(file: PatientFile, clinic: str, now: datetime) -> bytes:
    """One whole-day entry a test, with the clinic's name and no patient's. The same test of the
    same day keeps its UID, so that a calendar that is taken again is brought up to date."""
    calendar = Calendar()
    calendar.add("prodid", "-//azathioprine-monitor//tests to come//EN")
    calendar.add("version", "2.0")
    for treatment in file.treatments:
        for test in treatment.coming:
            entry = Event()
            name = f"monitor:{treatment.case.enrolment.id}:{test.panel}:{test.due_on}"
            entry.add("uid", str(uuid5(NAMESPACE_URL, name)))
            entry.add("dtstamp", now)
            entry.add("dtstart", test.due_on)
            entry.add("dtend", test.due_on + timedelta(days=1))
            entry.add("summary", f"{test.title} due ({clinic})")
            entry.add("transp", "TRANSPARENT")
            calendar.add_component(entry)
    return bytes(calendar.to_ical())
