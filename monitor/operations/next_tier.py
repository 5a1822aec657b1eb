"""Telling the next tier of an alert before its time: nobody can be reached, or it is declined."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from sqlalchemy import Connection, select, update

from monitor.config import Settings, route_book
from monitor.core.escalation import Ladder
from monitor.core.model import Alert, ChangeWhat
from monitor.core.routing import Line, Planned
from monitor.store import tables
from monitor.store.alerts import MONITOR, add_history
from monitor.store.outbox import enqueue
from monitor.store.tables import table_of

_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)


def ladder_of_alert(connection: Connection, settings: Settings, alert: Alert) -> Ladder | None:
    """The ladder an alert is on; None where nobody was told of it."""
    if alert.asked_at is None:
        return None
    columns = (_ENROLMENTS.c.clinic, _ENROLMENTS.c.drug)
    where = _ENROLMENTS.c.id == alert.enrolment_id
    place = connection.execute(select(*columns).where(where)).one()
    return route_book(settings).ladder(
        alert.asked_at,
        clinic=place.clinic,
        drug=place.drug,
        kind=alert.kind.value,
        urgency=alert.urgency,
    )


def tell_next_tier(
    connection: Connection, settings: Settings, alert: Alert, why: str, now: datetime
) -> tuple[str, ...]:
    """Queue a message to the next tier of the alert's ladder, whatever its time; the addresses,
    none where the ladder has ended."""
    ladder = ladder_of_alert(connection, settings, alert)
    if ladder is None or alert.asked_at is None:
        return ()
    place = alert.rungs_told
    rung = next(islice(ladder.rungs(alert.asked_at), place, place + 1), None)
    if rung is None:
        return ()
    what = ChangeWhat.ESCALATED.value
    line = Line(alert_id=alert.id, what=what, reason=why, urgency=alert.urgency)
    planned = [
        Planned(kind="alert", recipient=address, urgency=alert.urgency, lines=(line,))
        for address in rung.addresses
    ]
    counted = update(_ALERTS).where(_ALERTS.c.id == alert.id).values(rungs_told=place + 1)
    connection.execute(counted)
    zone, sender = settings.clinic.zone, settings.mail.sender
    enqueue(connection, planned, now, zone=zone, sender=sender)
    add_history(connection, [(alert.id, what, MONITOR, f"{why}: the next tier is told")], now)
    return rung.addresses
