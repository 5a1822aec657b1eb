"""Whose turn it is: the ladder an alert is on, and the rung that has not been told yet."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from monitor.config import Settings, route_book
from monitor.core.changes import Alert, ChangeWhat
from monitor.core.escalation import Ladder, Rung, still_owed
from monitor.store import tables
from monitor.store.alerts import MONITOR, add_history
from monitor.store.heard import with_heard
from monitor.store.tables import table_of

_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
NEXT_TIER_TOLD = "the next tier is told"
"""Ends the history's line about a rung that was told before its time."""


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


def next_rung(connection: Connection, settings: Settings, alert: Alert) -> Rung | None:
    """The first rung of the alert's ladder that was not told yet; None where it has ended."""
    ladder = ladder_of_alert(connection, settings, alert)
    asked_at = alert.asked_at
    if ladder is None or asked_at is None:
        return None
    (alert,) = with_heard(connection, [alert])
    rungs = enumerate(ladder.rungs(asked_at))
    owed = (still_owed(rung, place, alert, ladder, asked_at) for place, rung in rungs)
    return next((it for it in owed if it is not None), None)


def tell_early(connection: Connection, alert: Alert, why: str, now: datetime) -> None:
    """Note in the alert and its history that the next rung is told before its time, so that
    its time tells nobody twice."""
    told = update(_ALERTS).where(_ALERTS.c.id == alert.id)
    connection.execute(told.values(rungs_told=alert.rungs_told + 1))
    what = ChangeWhat.ESCALATED.value
    add_history(connection, [(alert.id, what, MONITOR, f"{why}: {NEXT_TIER_TOLD}")], now)
