"""Who had a message about an alert since it was last put to people: so much of its ladder is told,
whatever the routes say by now. The outbox knows; nothing of it is kept anywhere else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, or_, select

from monitor.core.changes import Alert, Heard
from monitor.core.routing import CLIMBING, CORRECTING
from monitor.core.vocabulary import AlertState
from monitor.store import tables
from monitor.store.among import among
from monitor.store.frames import load_alerts
from monitor.store.tables import table_of

PASSED_ON = "passed-on:"
"""How the key begins of a message that another address did not take."""
_ALERTS = table_of(tables.AlertRow)
_BEARS = table_of(tables.DeliveryAlert)
_DELIVERIES = table_of(tables.Delivery)
_CORRECTED = frozenset(it.value for it in CORRECTING)
_CLIMBED = frozenset(it.value for it in CLIMBING)


def load_heard(connection: Connection, enrolment_ids: Collection[int]) -> dict[int, list[Alert]]:
    """`load_alerts` of these enrolments, with who heard of those that ask."""
    found = load_alerts(connection, enrolment_ids)
    heard = iter(with_heard(connection, [it for own in found.values() for it in own]))
    return {enrolment: [next(heard) for _ in own] for enrolment, own in found.items()}


def with_heard(connection: Connection, alerts: Sequence[Alert]) -> list[Alert]:
    """These alerts; those put to people, with who had a message about them since."""
    asking = {alert.id for alert in alerts if _may_climb(alert)}
    if not asking:
        return list(alerts)
    who: dict[int, dict[str, datetime]] = defaultdict(dict)
    climbed: dict[int, datetime] = {}
    for row in connection.execute(_messages_about(sorted(asking))):
        if row.what in _CORRECTED and row.created_at == row.asked_at:
            continue  # told beside those who were asked, and is not asked by it
        reader = row.recipient.lower()
        at = max(row.created_at, row.asked_at)  # a storm's message may have waited before
        who[row.alert_id][reader] = max(at, who[row.alert_id].get(reader, at))
        if row.what in _CLIMBED and not row.once_key.startswith(PASSED_ON):
            climbed[row.alert_id] = max(at, climbed.get(row.alert_id, at))
    return [
        replace(it, heard=Heard(tuple(who[it.id].items()), climbed.get(it.id)))
        if it.id in asking
        else it
        for it in alerts
    ]


def _may_climb(alert: Alert) -> bool:
    """Or may ask again: what was merged into another may come apart."""
    lives = alert.state is not AlertState.CLOSED or alert.merged_into is not None
    return lives and alert.asked_at is not None


def _messages_about(alert_ids: Sequence[int]) -> Select[Any]:
    """Also those that were refused, for they were passed on; of a storm also one that waited
    already, and took the alert along."""
    columns, since = _DELIVERIES.c, _ALERTS.c.asked_at
    took_along = and_(
        columns.payload["storm"].as_boolean(),
        or_(columns.state == "waiting", columns.sent_at >= since, columns.next_attempt_at >= since),
    )
    said = (_BEARS.c.alert_id, _BEARS.c.what, columns.recipient, columns.created_at)
    return (
        select(*said, columns.once_key, since)
        .join(_DELIVERIES, _BEARS.c.delivery_id == columns.id)
        .join(_ALERTS, _BEARS.c.alert_id == _ALERTS.c.id)
        .where(among(_BEARS.c.alert_id, alert_ids), columns.kind == "alert")
        .where(or_(columns.created_at >= since, took_along))
    )
