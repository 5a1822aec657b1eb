"""What the operator reads where no daemon ran for hours: what was told late, and what may be
missing."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from monitor.config import Settings
from monitor.core.calendar import instant_text
from monitor.store import daemons
from monitor.store.daemons import Identity
from monitor.store.database import Store
from monitor.store.outbox import operator_alarm

_HOUR = timedelta(hours=1)


def alarm_after_downtime(store: Store, settings: Settings, now: datetime) -> bool:
    """Of a daemon that starts, before it says so: tell the operator how long none has run, where
    that is longer than `[alarm] downtime_minutes`."""
    with store.write() as connection:
        last = daemons.last_sign_of_life(connection)
        return last is not None and _told(connection, settings, last, now)


def alarm_after_sleep(
    store: Store, settings: Settings, me: Identity, since: datetime, until: datetime
) -> bool:
    """The same of a daemon that stood still, as a suspended machine does: where no other ran."""
    with store.write() as connection:
        others = daemons.last_sign_of_life(connection, but=me, until=until)
        return _told(connection, settings, max(since, others or since), until)


def _told(connection: Connection, settings: Settings, last: datetime, now: datetime) -> bool:
    clinic = settings.clinic
    if now - last <= timedelta(minutes=settings.alarm.downtime_minutes):
        return False
    text = (
        f"The monitor did not run from {instant_text(last, clinic.zone)} to "
        f"{instant_text(now, clinic.zone)} ({(now - last) // _HOUR} hours). What came due "
        "meanwhile is told now, late. Files wait in the inbox; ask the laboratory to send "
        "again messages that it no longer keeps. If the monitor did run, the clock of this "
        "machine is wrong."
    )
    return operator_alarm(connection, "downtime", text, clinic.email, now, clinic.zone)
