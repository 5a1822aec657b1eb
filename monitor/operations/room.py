"""Room on the disk where the database is: once it is full, nobody can be told any more."""

from __future__ import annotations

import shutil
from datetime import datetime

from monitor.config import Settings
from monitor.store.database import Store
from monitor.store.outbox import operator_alarm

_LEAST = 200 * 1024 * 1024
TOPIC = "little room"


def free_mib(settings: Settings) -> int | None:
    """How many MiB are free, where that is too few; None where there are enough, or the database is
    on a server, which has a disk of its own."""
    file = settings.database.sqlite_file
    if file is None:
        return None
    free = shutil.disk_usage(file.parent).free
    return free // 2**20 if free < _LEAST else None


def alarm_if_little(store: Store, settings: Settings, now: datetime) -> bool:
    """Tell the operator, once a day, as long as there is room for a message."""
    free = free_mib(settings)
    if free is None:
        return False
    clinic = settings.clinic
    text = (
        f"Only {free} MiB are free where the database is: make room. Once there is none nothing is "
        "taken in, nobody is reviewed and nobody is told"
    )
    with store.write() as connection:
        return operator_alarm(connection, TOPIC, text, clinic.email, now, clinic.zone)
