"""The durable outbox: what the monitor owes to whom, until the mail server took it.

At least once: a row is leased in a short transaction, sent outside any, recorded in
another. A lease that ran out is anybody's. Nothing here renders or sends.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Connection,
    Row,
    Update,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from monitor.core.calendar import clinic_day
from monitor.core.routing import Planned
from monitor.core.vocabulary import Urgency
from monitor.store.facts import installation
from monitor.store.storm import Storm, join, worst_first
from monitor.store.tables import Delivery, DeliveryAlert, table_of

DELIVERIES = table_of(Delivery)
BEARS = table_of(DeliveryAlert)

LEASE = timedelta(minutes=5)
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
    installation: str = ""
    """What tells our alert 1, and so our threads, from those of another clinic's monitor."""


MAIL = "mail"
_OTHERS = ("webhook:", "queue:", "syslog:")


def channel_of(recipient: str) -> str:
    """The channel an address belongs to: mail, or the address itself where it names another."""
    return recipient if recipient.startswith(_OTHERS) else MAIL


def message_id(once_key: str, sender: str, installation: str) -> str:
    """A Message-ID that every attempt at the same message shares and no other message has, at
    the sender's domain."""
    digest = hashlib.sha256(f"{installation}:{once_key}".encode()).hexdigest()[:32]
    return f"<{digest}@{domain_of(sender)}>"


def domain_of(address: str) -> str:
    """The domain of `Name <a@b>` or `a@b`; `localhost` where there is none."""
    return address.rpartition("@")[2].strip(" >").lower() or "localhost"


def enqueue(
    connection: Connection,
    planned: Sequence[Planned],
    now: datetime,
    *,
    zone: ZoneInfo,
    sender: str,
    storm: Storm | None = None,
) -> int:
    """Put planned messages into the outbox, in the caller's transaction; how many went in.

    In a `storm` what is not critical joins the one message that waits for the rest.

    The key holds recipient, worst alert, instant and a running number, so that no message is
    ever taken for another (several files can be loaded at one `--at`).
    """
    queued = 0
    instant = now.astimezone(UTC).isoformat()
    for message in planned:
        first = message.lines[0].alert_id
        stormy = storm is not None and _stormy(connection, message, storm, now)
        if (
            storm is not None
            and stormy
            and join(connection, message.recipient, message.lines, storm, now)
        ):
            continue
        turn = _messages_about(connection, message.kind, first, message.recipient) + 1
        queued += put(
            connection,
            once_key=f"{message.kind}:{message.recipient.lower()}:{first}:{instant}:{turn}",
            kind=message.kind,
            recipient=message.recipient,
            urgency=message.urgency.value,
            payload={"storm": True} if stormy else {},
            lines=[(line.alert_id, line.what, line.reason) for line in message.lines],
            now=now,
            zone=zone,
            sender=sender,
            wait=storm.wait if storm is not None and stormy else timedelta(),
        )
    return queued


def _stormy(connection: Connection, message: Planned, storm: Storm, now: datetime) -> bool:
    if message.kind != "alert" or message.urgency is Urgency.CRITICAL:
        return False
    return storm.breaks(connection, message.recipient, len(message.lines), now)


def put(
    connection: Connection,
    *,
    once_key: str,
    kind: str,
    recipient: str,
    urgency: str,
    payload: dict[str, Any],
    lines: Sequence[tuple[int, str, str]],
    now: datetime,
    zone: ZoneInfo,
    sender: str,
    wait: timedelta = timedelta(),
) -> bool:
    """One row of the outbox with the alerts it bears, to be sent after `wait`; False where the
    key is already there."""
    row = {
        "once_key": once_key,
        "kind": kind,
        "recipient": recipient,
        "channel": channel_of(recipient),
        "urgency": urgency,
        "created_at": now,
        "for_day": clinic_day(now, zone),
        "message_id": message_id(once_key, sender, installation(connection)),
        "payload": {**payload, "order": [alert_id for alert_id, _, _ in lines]},
        "state": "waiting",
        "attempts": 0,
        "next_attempt_at": now + wait,
        "last_error": "",
        "answer": "",
    }
    try:
        with connection.begin_nested():
            result = connection.execute(insert(DELIVERIES).values(row))
    except IntegrityError:
        return False
    key = result.inserted_primary_key
    assert key is not None
    bears = [
        {"delivery_id": key[0], "alert_id": alert_id, "what": what, "reason": reason}
        for alert_id, what, reason in lines
    ]
    if bears:
        connection.execute(insert(BEARS), bears)
    return True


def operator_alarm(
    connection: Connection,
    topic: str,
    text: str,
    settings_email: str,
    now: datetime,
    zone: ZoneInfo,
) -> bool:
    """Tell the operator, once a topic a clinic day; False where that was already said today.

    `text` names ids and counts, never patients."""
    return put(
        connection,
        once_key=f"operator:{topic}:{clinic_day(now, zone).isoformat()}",
        kind="operator",
        recipient=settings_email,
        urgency="urgent",
        payload={"topic": topic, "text": text},
        lines=[],
        now=now,
        zone=zone,
        sender=settings_email,
    )


def told_recipients(
    connection: Connection, alert_id: int, kinds: Sequence[str] = ("alert", "digest")
) -> list[str]:
    """Everyone who was told of an alert, by message or digest, or is about to be."""
    statement = (
        select(DELIVERIES.c.recipient)
        .join(BEARS, BEARS.c.delivery_id == DELIVERIES.c.id)
        .where(
            BEARS.c.alert_id == alert_id,
            DELIVERIES.c.kind.in_(kinds),
            DELIVERIES.c.state != "failed",
        )
        .group_by(DELIVERIES.c.recipient)
        .order_by(func.min(DELIVERIES.c.id))
    )
    return list(connection.execute(statement).scalars())


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
    worst = case({"critical": 0, "urgent": 1}, value=DELIVERIES.c.urgency, else_=2)
    chosen = (
        select(DELIVERIES.c.id)
        .where(*owed)
        .order_by(worst, DELIVERIES.c.created_at, DELIVERIES.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(connection.execute(chosen).scalars())
    if not ids:
        return []
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


def release(connection: Connection, holders: Sequence[str]) -> int:
    """Free the leases of holders known to be gone; how many."""
    statement = (
        update(DELIVERIES)
        .where(DELIVERIES.c.state == "waiting", DELIVERIES.c.leased_by.in_(list(holders)))
        .values(leased_until=None, leased_by=None)
    )
    return connection.execute(statement).rowcount


def give_back(connection: Connection, delivery_ids: Sequence[int]) -> None:
    """Free messages that were leased and, as their holder knows, not sent."""
    statement = (
        update(DELIVERIES)
        .where(DELIVERIES.c.state == "waiting", DELIVERIES.c.id.in_(list(delivery_ids)))
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
) -> None:
    """Try again later (passing; after `wait`, where the other side asked for a pause), or mark
    as failed (permanent: the caller tells somebody)."""
    attempts = leased.attempts + 1
    values: dict[str, Any] = {
        "attempts": attempts,
        "last_error": error[:500],
        "leased_until": None,
        "leased_by": None,
    }
    if permanent:
        values["state"] = "failed"
    else:
        values["next_attempt_at"] = now + (wait or delay(leased.once_key, attempts))
    connection.execute(
        update(DELIVERIES)
        .where(DELIVERIES.c.id == leased.id, DELIVERIES.c.state == "waiting")
        .values(values)
    )


def delay(once_key: str, attempts: int) -> timedelta:
    """Back-off after so many failed attempts: doubling to 15 minutes, shortened by up to a
    quarter by a jitter that depends on message and attempt only, so that it can be told."""
    doubled = _FIRST_DELAY * (1 << min(attempts - 1, 10))
    draw = hashlib.sha256(f"{once_key}#{attempts}".encode()).digest()[0]
    return min(doubled, _LONGEST_DELAY) * (1 - draw / 1020)


def waiting(connection: Connection) -> int:
    """How many messages are owed, due now or backing off."""
    statement = select(func.count()).where(DELIVERIES.c.state == "waiting")
    return int(connection.execute(statement).scalar_one())


def _messages_about(connection: Connection, kind: str, alert_id: int, recipient: str) -> int:
    statement = (
        select(func.count())
        .select_from(BEARS.join(DELIVERIES, BEARS.c.delivery_id == DELIVERIES.c.id))
        .where(
            BEARS.c.alert_id == alert_id,
            DELIVERIES.c.kind == kind,
            func.lower(DELIVERIES.c.recipient) == recipient.lower(),
        )
    )
    return int(connection.execute(statement).scalar_one())


def _free(now: datetime) -> Any:
    return or_(DELIVERIES.c.leased_until.is_(None), DELIVERIES.c.leased_until <= now)
