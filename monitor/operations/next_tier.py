"""Telling the next tier of an alert before its time: nobody can be reached, or it is declined."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from monitor.config import Settings
from monitor.core.changes import Alert, ChangeWhat
from monitor.core.routing import Line, Planned
from monitor.delivery.ladders import next_rung, tell_early
from monitor.store.outbox import enqueue


def tell_next_tier(
    connection: Connection, settings: Settings, alert: Alert, why: str, now: datetime
) -> tuple[str, ...]:
    """Queue a message to the next tier of the alert's ladder, whatever its time; the addresses,
    none where the ladder has ended."""
    rung = next_rung(connection, settings, alert)
    if rung is None:
        return ()
    what = ChangeWhat.ESCALATED.value
    line = Line(alert_id=alert.id, what=what, reason=why, urgency=alert.urgency)
    planned = [
        Planned(kind="alert", recipient=address, urgency=alert.urgency, lines=(line,))
        for address in rung.addresses
    ]
    tell_early(connection, alert, why, now)
    zone, sender = settings.clinic.zone, settings.mail.sender
    enqueue(connection, planned, now, zone=zone, sender=sender)
    return rung.addresses
