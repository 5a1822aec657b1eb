"""What is owed by now: repeats and digests composed, and the outbox sent once."""

from __future__ import annotations

from datetime import datetime

from monitor.config import Settings
from monitor.delivery.send import Sent, deliver_due
from monitor.operations.digests import compose_digests
from monitor.review import review_due
from monitor.store.database import Store


def send_what_is_owed(
    store: Store, settings: Settings, now: datetime, *, who: str, despite_back_off: bool = False
) -> Sent:
    """Review whose time has come (repeats are changes of alerts), compose the digests, and
    try every message that is due once.

    `who` names the sender in the leases; `despite_back_off` tries those too that wait for
    their next attempt, since a person asked.
    """
    review_due(store, settings, now)
    compose_digests(store, settings, now)
    return deliver_due(store, settings, now, who=who, despite_back_off=despite_back_off)
