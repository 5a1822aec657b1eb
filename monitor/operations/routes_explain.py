"""`monitor routes explain`, `routes test`: who is told of an alert when and why; a test mail."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from monitor.config import Settings, route_book
from monitor.core.actions import ActionRefused
from monitor.core.contacts import Contact
from monitor.core.escalation import Rung, escalate, outcome_due_at
from monitor.core.routing import unique
from monitor.delivery.ladders import ladder_of_alert
from monitor.operations.alert_story import alert_then, delivery_state, quiet_because
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.outbox import BEARS, DELIVERIES, put
from monitor.store.tables import table_of

_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_AHEAD = 6


def explain_routes(
    store: Store, settings: Settings, alert_id: int, now: datetime
) -> dict[str, Any]:
    """Which routes an alert meets, who was told of it, and who will be while nobody answers.

    Raises ActionRefused where there is no such alert.
    """
    zone, book = settings.clinic.zone, route_book(settings)
    columns = (_ALERTS, _ENROLMENTS.c.clinic, _ENROLMENTS.c.drug)
    joined = _ALERTS.join(_ENROLMENTS, _ENROLMENTS.c.id == _ALERTS.c.enrolment_id)
    with store.read() as connection:
        query = select(*columns).select_from(joined)
        row = connection.execute(query.where(_ALERTS.c.id == alert_id)).one_or_none()
        if row is None or row.opened_at > now:
            raise ActionRefused(f"there is no alert {alert_id}; see: monitor alerts --state all")
        alert = alert_then(connection, settings, row.id, now).alert
        ladder = ladder_of_alert(connection, settings, alert)
        told = _told(connection, alert_id, now, zone)
    asked = {
        "clinic": row.clinic,
        "drug": row.drug,
        "kind": alert.kind.value,
        "urgency": alert.urgency.value,
    }
    due_at = None if ladder is None else outcome_due_at(alert, ladder)
    step = None if ladder is None else escalate(alert, ladder, now, ahead=_AHEAD)
    coming = () if step is None or due_at is not None else (*step.due, *step.upcoming)
    return {
        "alert": alert_id,
        **asked,
        "state": alert.state.value,
        "routes": [
            {
                "route": way.name or book.ways.index(way) + 1,
                "hours": way.hours,
                "tiers": [[_how(contact, now) for contact in tier] for tier in way.tiers],
            }
            for way in book.matching(**asked)
        ],
        "last_resort": book.last_resort,
        "asked_at": _local(alert.asked_at, zone),
        "told": told,
        "outcome_due_at": _local(due_at, zone),
        "next": [_next(rung, zone) for rung in coming],
        "quiet_because": quiet_because(alert) or None,
    }


def _told(
    connection: Connection, alert_id: int, now: datetime, zone: ZoneInfo
) -> list[dict[str, Any]]:
    """Every message that bore the alert by `now`, the oldest first."""
    query = (
        select(
            DELIVERIES.c.created_at,
            DELIVERIES.c.recipient,
            DELIVERIES.c.state,
            DELIVERIES.c.sent_at,
            BEARS.c.what,
            BEARS.c.reason,
        )
        .join(BEARS, BEARS.c.delivery_id == DELIVERIES.c.id)
        .where(BEARS.c.alert_id == alert_id, DELIVERIES.c.created_at <= now)
        .order_by(DELIVERIES.c.id)
    )
    return [
        {
            "at": _local(it.created_at, zone),
            "to": it.recipient,
            "what": it.what,
            "why": it.reason or None,
            "delivery": delivery_state(it.state, it.sent_at, now),
        }
        for it in connection.execute(query)
    ]


def _next(rung: Rung, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "at": _local(rung.at, zone),
        "tier": rung.tier or "last resort",
        "to": list(rung.addresses),
        "why": rung.why,
    }


def _local(at: datetime | None, zone: ZoneInfo) -> str | None:
    return None if at is None else at.astimezone(zone).isoformat()


def _how(contact: Contact, now: datetime) -> dict[str, Any]:
    reach = contact.reach(now)
    return {
        "who": reach.who,
        "addresses": list(reach.addresses),
        "telephone": reach.telephone or None,
        "on_duty": reach.there,
    }


def queue_tests(store: Store, settings: Settings, now: datetime, only: str = "") -> list[str]:
    """Put a marked test message to every address of the routes, roles and rotas as of `now`
    into the outbox; the addresses. `only` is one role or address. Raises ActionRefused."""
    book = route_book(settings)
    contacts = [*book.contacts, *(it for way in book.ways for tier in way.tiers for it in tier)]
    found: dict[str, str] = {}
    for contact in contacts:
        for address in contact.reach(now).addresses:
            if only in {"", contact.role, address}:
                found.setdefault(address, contact.role)
    if not only and not contacts:
        found[book.last_resort] = "last resort"
    if not found:
        roles = ", ".join(settings.recipients) or "none"
        raise ActionRefused(f"{only or 'the routes'}: no address; the roles are: {roles}")
    zone = settings.clinic.zone
    with store.write() as connection:
        for address in unique(found):
            role = found[address]
            put(
                connection,
                once_key=f"test:{address.lower()}:{now.isoformat()}",
                kind="operator",
                recipient=address,
                urgency="routine",
                payload={
                    "test": True,
                    "topic": "TEST of the routes, nothing to do for a patient",
                    "text": (
                        f"This is a test. Alerts for {role} come to this address. If you read "
                        "this and are the right one, tell whoever runs the monitor, who then "
                        "writes the day into confirmed_on of the role."
                    ),
                },
                lines=[],
                now=now,
                zone=zone,
                sender=settings.mail.sender,
            )
    return unique(found)
