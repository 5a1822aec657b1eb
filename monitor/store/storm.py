"""A storm: more alerts for one recipient within a while than anybody reads one by one.

A new protocol, a backlog or a feed that is restored opens hundreds. They become one message
that waits a little for those still to come, the worst first and all of them listed. Critical
alerts never come here: each is a message of its own, at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from monitor.core.routing import Line, severity
from monitor.store.tables import AlertRow, Delivery, DeliveryAlert, table_of

_DELIVERIES = table_of(Delivery)
_BEARS = table_of(DeliveryAlert)
_ALERTS = table_of(AlertRow)


@dataclass(frozen=True, slots=True)
class Storm:
    """More than `most` alerts for a recipient within `window` are a storm: its message waits
    `wait` for the rest."""

    most: int
    window: timedelta
    wait: timedelta

    def breaks(self, connection: Connection, recipient: str, lines: int, now: datetime) -> bool:
        """Whether so many more alerts for a recipient make a storm."""
        if lines > self.most:
            return True
        lately = (
            select(func.count())
            .select_from(_BEARS.join(_DELIVERIES, _BEARS.c.delivery_id == _DELIVERIES.c.id))
            .where(*_of(recipient), _DELIVERIES.c.created_at > now - self.window)
        )
        return int(connection.scalar(lately) or 0) + lines > self.most


def join(
    connection: Connection, recipient: str, lines: Sequence[Line], storm: Storm, now: datetime
) -> list[int] | None:
    """Put these alerts into the storm's message that still waits; None where there is none, else
    those that it did not bear before.

    Never into one that somebody may have handed over: it goes out again under its Message-ID,
    and a mail program shows only the first, in which these alerts are not.
    """
    free = _DELIVERIES.c.leased_until.is_(None)
    query = (
        select(_DELIVERIES.c.id, _DELIVERIES.c.payload, _DELIVERIES.c.urgency)
        .where(*_of(recipient), _DELIVERIES.c.state == "waiting", free)
        .where(_DELIVERIES.c.created_at > now - storm.window)
        .order_by(_DELIVERIES.c.id.desc())
        .with_for_update(skip_locked=True)
    )
    waiting = next((it for it in connection.execute(query) if _may_grow(it.payload)), None)
    if waiting is None:
        return None
    known = set(waiting.payload["order"])
    new = [_row(waiting.id, line) for line in lines if line.alert_id not in known]
    if new:
        connection.execute(insert(_BEARS), new)
    again = [_row(waiting.id, line) for line in lines if line.alert_id in known]
    if again:
        statement = (
            update(_BEARS)
            .where(_BEARS.c.delivery_id == bindparam("delivery"))
            .where(_BEARS.c.alert_id == bindparam("alert"))
            .values(what=bindparam("said"), reason=bindparam("why"))
        )
        rows = [
            {
                "delivery": row["delivery_id"],
                "alert": row["alert_id"],
                "said": row["what"],
                "why": row["reason"],
            }
            for row in again
        ]
        connection.execute(statement, rows)
    order = [*waiting.payload["order"], *(row["alert_id"] for row in new)]
    urgency = "urgent" if any(it.urgency.value == "urgent" for it in lines) else waiting.urgency
    connection.execute(
        update(_DELIVERIES)
        .where(_DELIVERIES.c.id == waiting.id)
        .values(payload={**waiting.payload, "order": order}, urgency=urgency)
    )
    return [row["alert_id"] for row in new]


def mark_as_gone(connection: Connection, delivery_ids: Sequence[int]) -> None:
    """These messages an earlier holder may have handed over, and nobody knows: whatever comes of
    the next attempt, none of them grows any more."""
    if not delivery_ids:
        return
    query = select(_DELIVERIES.c.id, _DELIVERIES.c.payload)
    for row in connection.execute(query.where(_DELIVERIES.c.id.in_(delivery_ids))).all():
        if _may_grow(row.payload):
            gone = update(_DELIVERIES).where(_DELIVERIES.c.id == row.id)
            connection.execute(gone.values(payload={**row.payload, "may_have_gone": True}))


def _may_grow(payload: Mapping[str, Any]) -> bool:
    return bool(payload.get("storm")) and not payload.get("may_have_gone")


def worst_first(connection: Connection, alert_ids: Sequence[int]) -> list[int]:
    """These alerts as a storm's message lists them: the worst first, then the oldest."""
    found: dict[int, tuple[int, int]] = {}
    for start in range(0, len(alert_ids), 500):
        some = alert_ids[start : start + 500]
        query = select(_ALERTS.c.id, _ALERTS.c.urgency, _ALERTS.c.kind)
        for row in connection.execute(query.where(_ALERTS.c.id.in_(some))):
            found[row.id] = severity(row.urgency, row.kind)
    return sorted(alert_ids, key=lambda key: (found[key], key))


def _of(recipient: str) -> tuple[Any, ...]:
    return (
        _DELIVERIES.c.kind == "alert",
        _DELIVERIES.c.urgency != "critical",
        func.lower(_DELIVERIES.c.recipient) == recipient.lower(),
    )


def _row(delivery_id: int, line: Line) -> dict[str, Any]:
    return {
        "delivery_id": delivery_id,
        "alert_id": line.alert_id,
        "what": line.what,
        "reason": line.reason,
    }
