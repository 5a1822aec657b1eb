"""How many messages were made about each alert (`docs/adr/0071`): nothing refers to a message, so
that one which is gone would be missed by nobody."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, exists, func, or_, select, update

from monitor.core.vocabulary import DIED
from monitor.store import tables
from monitor.store.among import among
from monitor.store.tables import table_of

INSTEAD = ":instead:"
"""In the key of a copy that goes by another way."""
_ALERTS = table_of(tables.AlertRow)
_HISTORY = table_of(tables.AlertHistory)
_BEARS = table_of(tables.DeliveryAlert)
_DELIVERIES = table_of(tables.Delivery)
_COUNTED = ("alert", "withdrawal")


class Unmade(NamedTuple):
    """An alert with fewer messages than were made about it."""

    alert_id: int
    made: int
    found: int


class Lineless(NamedTuple):
    """A message without the lines of alerts that it lists."""

    delivery_id: int
    lists: int
    bears: int


def is_counted() -> ColumnElement[bool]:
    """Whether a message was made by a review, or to the next tier of a ladder: not a digest, a copy
    by another way, or one that was passed on. Those hold no lock on the alerts they bear."""
    columns = _DELIVERIES.c
    kinds = or_(*(columns.once_key.like(f"{kind}:%") for kind in _COUNTED))
    return kinds & columns.kind.in_(_COUNTED) & columns.once_key.not_like(f"%{INSTEAD}%")


def messages_made(connection: Connection, alert_ids: Iterable[int], times: int = 1) -> None:
    """Count a message more about each of these alerts (`times`: -1 where it is taken back). To be
    called by who holds their enrolments."""
    by_number: dict[int, list[int]] = defaultdict(list)
    for alert_id, number in Counter(alert_ids).items():
        by_number[number * times].append(alert_id)
    for number, ids in by_number.items():
        counted = update(_ALERTS).where(among(_ALERTS.c.id, ids))
        connection.execute(counted.values(messages_made=_ALERTS.c.messages_made + number))


def unmade(connection: Connection) -> Iterator[Unmade]:
    """Alerts of whose messages some are gone. More than were counted are no fault: a program that
    did not count them may have made them."""
    found = (
        select(_BEARS.c.alert_id, func.count().label("messages"))
        .join(_DELIVERIES, _DELIVERIES.c.id == _BEARS.c.delivery_id)
        .where(is_counted())
        .group_by(_BEARS.c.alert_id)
        .subquery()
    )
    there = func.coalesce(found.c.messages, 0)
    query = (
        select(_ALERTS.c.id, _ALERTS.c.messages_made, there)
        .outerjoin(found, found.c.alert_id == _ALERTS.c.id)
        .where(_ALERTS.c.messages_made > there)
        .order_by(_ALERTS.c.id)
    )
    yield from (Unmade(*row) for row in connection.execute(query))


def lineless(connection: Connection) -> Iterator[Lineless]:
    """Messages, digests too, that list alerts of which they have no line. What was taken back about
    somebody who died is still listed."""
    lines = (
        select(_BEARS.c.delivery_id, func.count().label("lines"))
        .group_by(_BEARS.c.delivery_id)
        .subquery()
    )
    columns = _DELIVERIES.c
    listed = func.json_array_length(columns.payload["order"])
    query = (
        select(columns.id)
        .outerjoin(lines, lines.c.delivery_id == columns.id)
        .where(listed > func.coalesce(lines.c.lines, 0))
        .order_by(columns.id)
    )
    for delivery_id in connection.scalars(query).all():
        mine = select(columns.payload).where(columns.id == delivery_id)
        payload = connection.execute(mine).scalar_one()
        own = select(_BEARS.c.alert_id).where(_BEARS.c.delivery_id == delivery_id)
        bears = set(connection.scalars(own))
        gone = set(payload["order"]) - bears
        gone -= _died(connection, gone)
        if gone:
            yield Lineless(delivery_id, len(gone) + len(bears), len(bears))


def _died(connection: Connection, alert_ids: Iterable[int]) -> set[int]:
    own = (_HISTORY.c.alert_id == _ALERTS.c.id) & (_HISTORY.c.note == DIED)
    asked = select(_ALERTS.c.id).where(among(_ALERTS.c.id, sorted(alert_ids)), exists().where(own))
    return set(connection.scalars(asked))
