"""What the operator reads where no daemon ran for hours: what was told late, and what may be
missing."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor.config import Settings
from monitor.core.calendar import instant_text
from monitor.store import daemons
from monitor.store.database import Store
from monitor.store.outbox import operator_alarm

_HOUR = timedelta(hours=1)


def alarm_after_downtime(store: Store, settings: Settings, now: datetime) -> bool:
    """Of a daemon that starts, before it says so: tell the operator how long none has run, where
    that is longer than `[alarm] downtime_minutes`."""
    clinic = settings.clinic
    with store.write() as connection:
        last = daemons.last_sign_of_life(connection)
        if last is None or now - last <= timedelta(minutes=settings.alarm.downtime_minutes):
            return False
        text = (
            f"The monitor did not run from {instant_text(last, clinic.zone)} to "
            f"{instant_text(now, clinic.zone)} ({(now - last) // _HOUR} hours). What came due "
            "meanwhile is told now, late. Files wait in the inbox; ask the laboratory to send "
            "again messages that it no longer keeps. If the monitor did run, the clock of this "
            "machine is wrong."
        )
        return operator_alarm(connection, "downtime", text, clinic.email, now, clinic.zone)
