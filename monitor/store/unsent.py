"""Messages that still wait about a patient recorded as died: they are not sent any more.

Source: founding brief ("no mail about the dead but one closing line"). What a sender holds at
this moment is on its way; everything else loses its lines about these alerts, and a message
that has none left is taken out of the outbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, or_, select

from monitor.store import tables
from monitor.store.made import is_counted, messages_made
from monitor.store.tables import table_of

_BEARS = table_of(tables.DeliveryAlert)
_DELIVERIES = table_of(tables.Delivery)


def take_back(connection: Connection, alert_ids: Sequence[int], now: datetime) -> None:
    """Take these alerts out of every message that waits and that nobody is sending."""
    free = or_(_DELIVERIES.c.leased_until.is_(None), _DELIVERIES.c.leased_until <= now)
    about = (
        select(_DELIVERIES.c.id)
        .join(_BEARS, _BEARS.c.delivery_id == _DELIVERIES.c.id)
        .where(_BEARS.c.alert_id.in_(alert_ids), _DELIVERIES.c.kind.in_(("alert", "withdrawal")))
        .where(_DELIVERIES.c.state == "waiting", free)
        .distinct()
    )
    waiting = list(connection.scalars(about))
    if not waiting:
        return
    of_these = _BEARS.c.delivery_id.in_(waiting)
    gone = of_these, _BEARS.c.alert_id.in_(alert_ids)
    counted = select(_BEARS.c.alert_id).join(_DELIVERIES, _DELIVERIES.c.id == _BEARS.c.delivery_id)
    messages_made(connection, connection.scalars(counted.where(*gone, is_counted())), times=-1)
    connection.execute(delete(_BEARS).where(*gone))
    left = set(connection.scalars(select(_BEARS.c.delivery_id).where(of_these)))
    empty = [delivery_id for delivery_id in waiting if delivery_id not in left]
    connection.execute(delete(_DELIVERIES).where(_DELIVERIES.c.id.in_(empty)))
