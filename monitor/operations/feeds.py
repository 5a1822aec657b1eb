"""Whether results still come: a feed that died looks like a quiet week."""

from __future__ import annotations

import os
from datetime import datetime

from sqlalchemy import func, select

from monitor.config import Settings
from monitor.core.calendar import clinic_day
from monitor.core.findings import day_text
from monitor.intake.inbox import (
    STUCK,
    UNREADABLE,
    cannot_be_emptied,
    cannot_be_read,
    folders,
)
from monitor.intake.outcomes import UNKNOWN_PATIENT
from monitor.intake.passed_over import passed_over
from monitor.operations import feed_watch
from monitor.operations.ignored import IGNORED, still_ignored
from monitor.store import silent_feeds
from monitor.store.database import Store
from monitor.store.outbox import operator_alarm
from monitor.store.tables import EnrolmentRow, File, HeldRowTable, table_of

FILES = table_of(File)
HELD = table_of(HeldRowTable)
ENROLMENTS = table_of(EnrolmentRow)
_SHOWN = 5


def last_results(store: Store, now: datetime) -> datetime | None:
    """When a results file was last taken in, seen from `now`; what was taken back never came."""
    query = select(func.max(FILES.c.received_at)).where(
        FILES.c.kind == "results", FILES.c.received_at <= now, FILES.c.reverted_at.is_(None)
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
        f"No results file has been taken in since {day_text(day)}, longer than the {allowed} "
        "that [intake] feed_silence_alarm allows. Is the laboratory's feed still running? Until "
        "it does, nobody's counts are watched."
    )


def held_too_long(store: Store, settings: Settings, now: datetime) -> str:
    """What to tell the operator of rows that wait in quarantine for too long; empty where none
    does. Rows of patients who are not enrolled wait for an enrolment, and only count beside."""
    allowed = settings.intake.held_alarm
    if allowed is None:
        return ""
    zone, columns = settings.clinic.zone, HELD.c
    today = clinic_day(now, zone)
    query = select(columns.reason_code, func.count(), func.min(columns.held_at)).where(
        columns.state == "held", columns.held_at <= now
    )
    with store.read() as connection:
        groups = connection.execute(query.group_by(columns.reason_code)).all()
    waiting = [row for row in groups if row[0] != UNKNOWN_PATIENT]
    oldest = min((row[2] for row in waiting), default=None)
    if oldest is None or today <= allowed.after(clinic_day(oldest, zone)):
        return ""
    reasons = ", ".join(
        f"{count} {code}" for code, count, _ in sorted(groups, key=lambda it: it[0])
    )
    count = sum(row[1] for row in waiting)
    wait = "1 row of lab files waits" if count == 1 else f"{count} rows of lab files wait"
    return (
        f"{wait} in quarantine, the oldest since "
        f"{day_text(clinic_day(oldest, zone))}, longer than the {allowed} that [intake] "
        f"held_alarm allows ({reasons}). What is held is judged by nobody; see: monitor quarantine "
        "list"
    )


def inbox_gone(settings: Settings) -> str:
    """What to tell the operator where nobody can look into the inbox, as when a network folder
    is not there, or into the folder of a source in it; empty where all can be read."""
    for _, folder in folders(settings):
        try:
            with os.scandir(folder) as entries:
                next((entry.stat() for entry in entries if not entry.is_symlink()), None)
        except OSError as error:
            return cannot_be_read(folder, error)
    return ""


def lies_unseen(settings: Settings, now: datetime) -> str:
    """What to tell the operator of files in the inbox that are never looked at; empty where there
    are none."""
    found = passed_over(settings, now)
    if not found:
        return ""
    names = ", ".join(found[:_SHOWN]) + (" ..." if len(found) > _SHOWN else "")
    return (
        f"In the inbox lies what is never taken in: {names}. A folder has to bear the name of a "
        "source of the config ([sources.NAME]), what lies deeper is not looked for, links are not "
        "followed, and a copy that broke off has to come again: move the files, or take them away"
    )


def alarm_if_held(store: Store, settings: Settings, now: datetime) -> bool:
    """Tell the operator (once a day) where rows wait in quarantine for too long."""
    return _alarm(
        store, settings, "rows wait in quarantine", held_too_long(store, settings, now), now
    )


def watch(store: Store, settings: Settings, now: datetime) -> bool:
    """Tell the operator (once a topic and day) what the feeds do no longer, and keep which are
    silent, so that messages about patients who look overdue say so."""
    alarms = [("no lab results arrive", text)] if (text := silence(store, settings, now)) else []
    found = feed_watch.feeds(store, settings, now)
    for feed in found:
        alarms += feed.alarms()
    if text := inbox_gone(settings):
        alarms.append((UNREADABLE, text))
    elif text := cannot_be_emptied(settings):
        alarms.append((STUCK, text))
    elif text := lies_unseen(settings, now):
        alarms.append(("files in the inbox are passed over", text))
    if text := still_ignored(store, settings):
        alarms.append((IGNORED, text))
    silent = {it.source: it.last for it in found if it.missed and it.last is not None}
    with store.read() as connection:
        is_news = bool(alarms) or silent_feeds.is_news(connection, silent)
    if not is_news:
        return False
    clinic = settings.clinic
    with store.write() as connection:
        silent_feeds.note_silent(connection, silent, now)
        told = [
            operator_alarm(connection, topic, text, clinic.email, now, clinic.zone)
            for topic, text in alarms
        ]
    return any(told)


def _alarm(store: Store, settings: Settings, topic: str, text: str, now: datetime) -> bool:
    if not text:
        return False
    clinic = settings.clinic
    with store.write() as connection:
        return operator_alarm(connection, topic, text, clinic.email, now, clinic.zone)
