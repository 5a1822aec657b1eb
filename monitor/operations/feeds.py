"""Whether results still come: a feed that died looks like a quiet week."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from monitor.config import Settings
from monitor.core.calendar import clinic_day
from monitor.store.database import Store
from monitor.store.outbox import operator_alarm
from monitor.store.tables import EnrolmentRow, File, table_of

FILES = table_of(File)
ENROLMENTS = table_of(EnrolmentRow)


def last_results(store: Store, now: datetime) -> datetime | None:
    """When a results file was last taken in, seen from `now`."""
    query = select(func.max(FILES.c.received_at)).where(
        FILES.c.kind == "results", FILES.c.received_at <= now
    )
    with store.read() as connection:
        found: datetime | None = connection.scalar(query)
    return found


def silence(store: Store, settings: Settings, now: datetime) -> str:
    """What to tell the operator where no results came for too long; empty where all is well.

    Counted from the last file, before the first one from the first enrolment: a clinic that
    watches nobody waits for nothing.
    """
    allowed = settings.intake.feed_silence_alarm
    if allowed is None:
        return ""
    since = last_results(store, now)
    if since is None:
        first = select(func.min(ENROLMENTS.c.enrolled_at)).where(ENROLMENTS.c.enrolled_at <= now)
        with store.read() as connection:
            since = connection.scalar(first)
    if since is None:
        return ""
    zone = settings.clinic.zone
    day = clinic_day(since, zone)
    if clinic_day(now, zone) <= allowed.after(day):
        return ""
    return (
        f"No results file has been taken in since {day.isoformat()}, longer than the {allowed} "
        "that [intake] feed_silence_alarm allows. Is the laboratory's feed still running? Until "
        "it does, nobody's counts are watched."
    )


def alarm_if_silent(store: Store, settings: Settings, now: datetime) -> bool:
    """Tell the operator (once a day) where no results came for too long."""
    text = silence(store, settings, now)
    if not text:
        return False
    clinic = settings.clinic
    with store.write() as connection:
        return operator_alarm(
            connection, "no lab results arrive", text, clinic.email, now, clinic.zone
        )
