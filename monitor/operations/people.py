"""What people do with an alert: take it in hand, let it rest, close it.

Every action is a line of the alert's history and wakes the enrolment, so that the review
reckons anew when the alert is to come back.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select, update

from monitor.config import Settings
from monitor.core import actions
from monitor.core.actions import ActionRefused
from monitor.core.calendar import clinic_day
from monitor.core.model import Alert, ChangeWhat
from monitor.store import tables
from monitor.store.alerts import ACKNOWLEDGED, SNOOZED, acknowledged, add_history, closed, snoozed
from monitor.store.database import Store, bring_to, check_not_earlier
from monitor.store.frames import to_alert, wake_enrolments
from monitor.store.tables import table_of

_ALERTS = table_of(tables.AlertRow)


def acknowledge(
    store: Store,
    settings: Settings,
    alert_id: int,
    *,
    by: str,
    until: date | None = None,
    note: str = "",
    now: datetime,
) -> date:
    """Somebody has it: the day on which it comes back (by default in 7 days, at most 28).

    Raises ActionRefused, saying what is possible.
    """
    today = clinic_day(now, settings.clinic.zone)
    with store.write() as connection:
        alert = _hold(connection, alert_id, by, now)
        agreed = actions.acknowledgement_until(alert, today, until)
        told = _sentence(f"until {agreed.isoformat()}", note)
        _record(connection, alert, acknowledged(now, agreed, by), ACKNOWLEDGED, by, told, now)
    return agreed


def snooze(
    store: Store,
    settings: Settings,
    alert_id: int,
    *,
    by: str,
    until: date,
    reason: str,
    now: datetime,
) -> date:
    """Let it rest until a day, with a reason. Raises ActionRefused (critical ones never do)."""
    today = clinic_day(now, settings.clinic.zone)
    with store.write() as connection:
        alert = _hold(connection, alert_id, by, now)
        agreed = actions.snoozing(alert, today, until, reason)
        told = _sentence(f"until {agreed.isoformat()}", reason)
        _record(connection, alert, snoozed(agreed, by, reason), SNOOZED, by, told, now)
    return agreed


def close(
    store: Store,
    settings: Settings,
    alert_id: int,
    *,
    by: str,
    outcome: str,
    review_by: date | None = None,
    now: datetime,
) -> date | None:
    """Close it with its outcome; the day on which it comes back if its episode still goes on,
    None where it is over. Raises ActionRefused for kinds that close by themselves."""
    today = clinic_day(now, settings.clinic.zone)
    with store.write() as connection:
        alert = _hold(connection, alert_id, by, now)
        agreed = actions.closing(alert, today, outcome, review_by)
        values = closed(now, by, outcome, recovered=alert.recovered, review_by=agreed)
        told = _sentence(outcome, f"review by {agreed.isoformat()}" if agreed else "")
        _record(connection, alert, values, ChangeWhat.CLOSED.value, by, told, now)
    return agreed


def _hold(connection: Connection, alert_id: int, by: str, now: datetime) -> Alert:
    """The alert, its enrolment woken (and so locked) first: a review of it is waited for."""
    check_not_earlier(connection, now)
    if not by.strip():
        raise ActionRefused("say who does this: --by WHO")
    query = select(_ALERTS.c.enrolment_id).where(_ALERTS.c.id == alert_id)
    enrolment_id = connection.scalar(query.where(_ALERTS.c.opened_at <= now))
    if enrolment_id is None:
        raise ActionRefused(f"there is no alert {alert_id}; see: monitor alerts --state all")
    wake_enrolments(connection, [enrolment_id], now)
    return to_alert(connection.execute(select(_ALERTS).where(_ALERTS.c.id == alert_id)).one())


def _record(
    connection: Connection,
    alert: Alert,
    values: dict[str, Any],
    what: str,
    by: str,
    note: str,
    now: datetime,
) -> None:
    connection.execute(update(_ALERTS).where(_ALERTS.c.id == alert.id).values(values))
    add_history(connection, [(alert.id, what, by, note)], now)
    bring_to(connection, now)


def _sentence(*parts: str) -> str:
    return "; ".join(part.strip() for part in parts if part.strip())
