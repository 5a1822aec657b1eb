"""A sign of life, given only while all is well: its absence is the alarm."""

from __future__ import annotations

import urllib.request
from datetime import datetime

from monitor.config import Settings
from monitor.operations.health import examine
from monitor.store.database import Store

_TIMEOUT = 10.0
HEARTBEAT = "heartbeat"
"""The name of the daemon's job; its own last failure does not silence it."""


def beat_if_well(store: Store, settings: Settings, now: datetime) -> bool:
    """Write the file and ask for the address of `[heartbeat]` where `health` is well.

    Raises OSError where the file cannot be written or the address does not answer.
    """
    wanted = settings.heartbeat
    if wanted.file is None and not wanted.url:
        return False
    if not examine(store, settings, now, but_job=HEARTBEAT).well:
        return False
    if wanted.file is not None:
        wanted.file.write_text(f"{now.isoformat(timespec='seconds')}\n", encoding="utf-8")
    if wanted.url:
        with urllib.request.urlopen(wanted.url, timeout=_TIMEOUT) as answer:  # noqa: S310  # http(s) only, by the config
            answer.read(1)
    return True
