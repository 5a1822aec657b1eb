"""Whose turn it is to send a message of the outbox, and what came of it.

At least once: a row is leased in a short transaction, sent outside any, recorded in
another. A lease that ran out is anybody's.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Update,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)

from monitor.store.facts import AHEAD, installation
from monitor.store.outbox import BEARS, DELIVERIES
from monitor.store.storm import mark_as_gone, worst_first

LEASE = timedelta(minutes=5)
_MANY = 1000
"""Messages looked through at a time where those before them all have to wait."""
_FIRST_DELAY = timedelta(seconds=15)
_LONGEST_DELAY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased:
    """A message that is ours to send until the lease ends."""

    id: int
    once_key: str
    kind: str
    recipient: str
    urgency: str
    message_id: str
    payload: dict[str, Any]
    channel: str = "mail"
    attempts: int
    created_at: datetime
    lines: tuple[tuple[int, str, str], ...]
    """(alert id, what, reason), in the order of the message."""
    holder: str = ""
    """Who leased it."""
    installation: str = ""
    """What tells our alert 1, and so our threads, from those of another clinic's monitor."""


def lease(
    connection: Connection,
    now: datetime,
    by: str,
    limit: int,
    *,
    despite_back_off: bool = False,
    but_not: Iterable[int] = (),
    but_channels: Iterable[str] = (),
) -> list[Leased]:
    """Take up to `limit` messages that are owed by `now`, worst and oldest first.

    `despite_back_off` takes those that wait for their next attempt too (a person asked);
    `but_not` are rows already tried in this run, `but_channels` channels that do not work now.
    """
    owed = [DELIVERIES.c.state == "waiting", DELIVERIES.c.id.not_in(list(but_not)), _free(now)]
    owed.append(DELIVERIES.c.channel.not_in(list(but_channels)))
    if not despite_back_off:
        owed.append(DELIVERIES.c.next_attempt_at <= now)
    rows, held = _in_turn(connection, owed, limit)
    while held and not rows:
        _put_off(connection, held, now)
        still_owed = [it for it, at in held.items() if despite_back_off or at <= now]
        owed.append(DELIVERIES.c.id.not_in(still_owed))
        rows, held = _in_turn(connection, owed, max(limit, _MANY))
        rows = rows[:limit]
    _put_off(connection, held, now)
    ids = [row.id for row in rows]
    if not ids:
        return []
    mark_as_gone(connection, [row.id for row in rows if row.leased_until is not None])
    connection.execute(
        update(DELIVERIES)
        .where(DELIVERIES.c.id.in_(ids), DELIVERIES.c.state == "waiting", _free(now))
        .values(leased_until=now + LEASE, leased_by=by)
    )
    return load_messages(connection, ids)


def load_message(connection: Connection, delivery_id: int) -> Leased:
    """One row of the outbox with its lines, as it is sent."""
    (message,) = load_messages(connection, [delivery_id])
    return message


def load_messages(connection: Connection, ids: Sequence[int]) -> list[Leased]:
    """Rows of the outbox with their lines, as they are sent, in the order of `ids`."""
    found = connection.execute(select(DELIVERIES).where(DELIVERIES.c.id.in_(ids))).all()
    bears = connection.execute(select(BEARS).where(BEARS.c.delivery_id.in_(ids))).all()
    lines: dict[int, list[Row[Any]]] = defaultdict(list)
    for line in bears:
        lines[line.delivery_id].append(line)
    rows = {row.id: row for row in found}
    ours = installation(connection)
    return [_leased(connection, rows[key], lines[key], ours) for key in ids]


def _leased(
    connection: Connection, row: Row[Any], bears: Sequence[Row[Any]], installation: str
) -> Leased:
    listed = row.payload.get("order", ())
    listed = worst_first(connection, listed) if row.payload.get("storm") else listed
    order = {alert_id: place for place, alert_id in enumerate(listed)}
    lines = sorted(bears, key=lambda line: (order.get(line.alert_id, len(order)), line.alert_id))
    return Leased(
        id=row.id,
        once_key=row.once_key,
        kind=row.kind,
        recipient=row.recipient,
        urgency=row.urgency,
        message_id=row.message_id,
        payload=row.payload,
        channel=row.channel,
        attempts=row.attempts,
        created_at=row.created_at,
        lines=tuple((line.alert_id, line.what, line.reason) for line in lines),
        holder=row.leased_by or "",
        installation=installation,
    )


def lease_holders(connection: Connection) -> list[str]:
    """Who holds leases on messages that still wait."""
    statement = (
        select(DELIVERIES.c.leased_by)
        .where(DELIVERIES.c.state == "waiting", DELIVERIES.c.leased_by.is_not(None))
        .distinct()
    )
    return list(connection.execute(statement).scalars())


def release(connection: Connection, holders: Sequence[str], now: datetime) -> int:
    """End the leases of holders known to be gone; how many. What they may have handed over
    nobody knows."""
    statement = (
        update(DELIVERIES)
        .where(DELIVERIES.c.state == "waiting", DELIVERIES.c.leased_by.in_(list(holders)))
        .values(leased_until=now, leased_by=None)
    )
    return connection.execute(statement).rowcount


def catch_up(connection: Connection, now: datetime) -> int:
    """The clock was set back to `now`: what was to be tried at an instant of the wrong one is tried
    at once, and no lease lasts longer than one taken now. How many messages it frees."""
    columns = DELIVERIES.c
    waits = columns.state == "waiting"
    last = now + LEASE
    connection.execute(
        update(DELIVERIES).where(waits, columns.leased_until > last).values(leased_until=last)
    )
    late = update(DELIVERIES).where(waits, columns.next_attempt_at > now)
    return connection.execute(late.values(next_attempt_at=now)).rowcount


def give_back(connection: Connection, delivery_ids: Sequence[int], holder: str) -> None:
    """Free messages that a holder leased and, as it knows, did not send. Those that another has
    taken over since, for this one stood still, are in hand there."""
    mine = (DELIVERIES.c.state == "waiting") & (DELIVERIES.c.leased_by == holder)
    statement = (
        update(DELIVERIES)
        .where(mine, DELIVERIES.c.id.in_(list(delivery_ids)))
        .values(leased_until=None, leased_by=None)
    )
    connection.execute(statement)


def record_sent(connection: Connection, leased: Leased, now: datetime, answer: str = "") -> None:
    """The other side took it, and what it said to that. True whoever holds the lease by now. One
    statement, so that it can be a transaction by itself."""
    connection.execute(
        _sent(),
        {"message": leased.id, "at": now, "tried": leased.attempts + 1, "said": answer},
    )


@cache
def _sent() -> Update:
    """Made once: a storm records one message after the other."""
    return (
        update(DELIVERIES)
        .where(DELIVERIES.c.id == bindparam("message"))
        .values(
            state="sent",
            sent_at=bindparam("at"),
            attempts=bindparam("tried"),
            leased_until=None,
            leased_by=None,
            last_error="",
            answer=bindparam("said"),
        )
    )


def record_failure(
    connection: Connection,
    leased: Leased,
    now: datetime,
    error: str,
    *,
    permanent: bool,
    wait: timedelta | None = None,
    handed_over: bool = False,
) -> bool:
    """Try again later (passing; after `wait`, where the other side asked for a pause), or mark
    as failed (permanent: the caller tells somebody). `handed_over`: it may have been taken all
    the same. False where it is another's by now, or sent: what came of ours is of no matter."""
    attempts = leased.attempts + 1
    values: dict[str, Any] = {
        "attempts": attempts,
        "last_error": error[:500],
        "leased_until": now if handed_over else None,
        "leased_by": None,
    }
    if permanent:
        values["state"] = "failed"
    else:
        values["next_attempt_at"] = now + (wait or delay(leased.once_key, attempts))
    columns = DELIVERIES.c
    not_another_s = or_(columns.leased_by.is_(None), columns.leased_by == leased.holder)
    statement = (
        update(DELIVERIES)
        .where(columns.id == leased.id, columns.state == "waiting", not_another_s)
        .values(values)
    )
    return connection.execute(statement).rowcount > 0


def delay(once_key: str, attempts: int) -> timedelta:
    """Back-off after so many failed attempts: doubling to 15 minutes, shortened by up to a
    quarter by a jitter that depends on message and attempt only, so that it can be told."""
    doubled = _FIRST_DELAY * (1 << min(attempts - 1, 10))
    draw = hashlib.sha256(f"{once_key}#{attempts}".encode()).digest()[0]
    return min(doubled, _LONGEST_DELAY) * (1 - draw / 1020)


def _in_turn(
    connection: Connection, owed: Sequence[ColumnElement[bool]], limit: int
) -> tuple[list[Any], dict[int, datetime]]:
    """The next messages, worst and oldest first, without those that have to wait for another; these
    with the instant at which that one is tried. That an alert is void must not arrive before the
    alert, which may wait for its next attempt: whoever hears of it afterwards takes it for new.
    """
    worst = case({"critical": 0, "urgent": 1}, value=DELIVERIES.c.urgency, else_=2)
    chosen = (
        select(DELIVERIES.c.id, DELIVERIES.c.leased_until, DELIVERIES.c.kind)
        .where(*owed)
        .order_by(worst, DELIVERIES.c.created_at, DELIVERIES.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(chosen).all()
    held = _held_back(connection, [row.id for row in rows if row.kind == "withdrawal"])
    return [row for row in rows if row.id not in held], held


def _held_back(connection: Connection, withdrawals: Sequence[int]) -> dict[int, datetime]:
    """Those before which something was said of the same alert to the same reader that waits."""
    if not withdrawals:
        return {}
    later, earlier, told, bears = (it.alias() for it in (DELIVERIES, DELIVERIES, BEARS, BEARS))
    state = func.coalesce(earlier.c.state, "")  # through the alerts, not through all that waits
    query = (
        select(later.c.id, func.max(earlier.c.next_attempt_at))
        .join(bears, bears.c.delivery_id == later.c.id)
        .join(told, told.c.alert_id == bears.c.alert_id)
        .join(earlier, earlier.c.id == told.c.delivery_id)
        .where(
            later.c.id.in_(withdrawals),
            earlier.c.id < later.c.id,
            earlier.c.recipient == later.c.recipient,
            state == "waiting",
            earlier.c.kind == "alert",
        )
        .group_by(later.c.id)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _put_off(connection: Connection, held: Mapping[int, datetime], now: datetime) -> None:
    """They are owed again when those before them are."""
    put_off = [{"message": it, "at": at} for it, at in held.items() if at > now]
    if put_off:
        statement = update(DELIVERIES).where(DELIVERIES.c.id == bindparam("message"))
        connection.execute(statement.values(next_attempt_at=bindparam("at")), put_off)


def _free(now: datetime) -> Any:
    """One that would last longer than one taken now is of a clock that was ahead."""
    until = DELIVERIES.c.leased_until
    return or_(until.is_(None), until <= now, until > now + LEASE + AHEAD)
