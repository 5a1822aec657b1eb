"""The durable outbox: what the monitor owes to whom. Who sends what of it, and what came of that,
is in `leases`. Nothing here renders or sends."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Connection,
    case,
    func,
    insert,
    select,
)
from sqlalchemy.exc import IntegrityError

from monitor.core.calendar import clinic_day
from monitor.core.routing import Planned
from monitor.core.vocabulary import Urgency
from monitor.store.facts import installation
from monitor.store.frames import chunks
from monitor.store.made import messages_made
from monitor.store.storm import Storm, join
from monitor.store.tables import Delivery, DeliveryAlert, table_of

DELIVERIES = table_of(Delivery)
BEARS = table_of(DeliveryAlert)

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
    made: Counter[int] = Counter()
    instant = now.astimezone(UTC).isoformat()
    for message in planned:
        first = message.lines[0].alert_id
        stormy = storm is not None and _stormy(connection, message, storm, now)
        joined = None
        if storm is not None and stormy:
            joined = join(connection, message.recipient, message.lines, storm, now)
        if joined is not None:
            made.update(joined)
            continue
        turn = _messages_about(connection, message.kind, first, message.recipient) + 1
        is_new = put(
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
        if is_new:
            queued += 1
            made.update(line.alert_id for line in message.lines)
    messages_made(connection, made.elements())
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
    *,
    state: str = "",
) -> bool:
    """Tell the operator, once a topic a clinic day; False where that was already said today.

    `text` names ids and counts, never patients. Of a topic that has several states in a day, each
    is told once."""
    key = f"operator:{topic}:{clinic_day(now, zone).isoformat()}"
    return put(
        connection,
        once_key=f"{key}:{state}" if state else key,
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
    connection: Connection, alert_ids: Collection[int], kinds: Sequence[str] = ("alert", "digest")
) -> Mapping[int, Sequence[str]]:
    """Everyone who was told of each of these alerts, by message or digest, or is about to be."""
    found: dict[int, list[str]] = {alert_id: [] for alert_id in alert_ids}
    for ids in chunks(sorted(found)):
        statement = (
            select(BEARS.c.alert_id, DELIVERIES.c.recipient)
            .join(DELIVERIES, BEARS.c.delivery_id == DELIVERIES.c.id)
            .where(
                BEARS.c.alert_id.in_(ids),
                DELIVERIES.c.kind.in_(kinds),
                DELIVERIES.c.state != "failed",
            )
            .group_by(BEARS.c.alert_id, DELIVERIES.c.recipient)
            .order_by(func.min(DELIVERIES.c.id))
        )
        for alert_id, recipient in connection.execute(statement):
            found[alert_id].append(recipient)
    return found


def waiting(connection: Connection) -> int:
    """How many messages are owed, due now or backing off."""
    statement = select(func.count()).where(DELIVERIES.c.state == "waiting")
    return int(connection.execute(statement).scalar_one())


def ahead(connection: Connection, now: datetime) -> tuple[int, int]:
    """How many messages wait that were queued later than `now`, and how many of them critical:
    they go once the clock has come there."""
    critical = case((DELIVERIES.c.urgency == Urgency.CRITICAL.value, 1), else_=0)
    query = select(func.count(), func.coalesce(func.sum(critical), 0)).where(
        DELIVERIES.c.state == "waiting",
        DELIVERIES.c.created_at > now,
        DELIVERIES.c.next_attempt_at > now,
    )
    count, grave = connection.execute(query).one()
    return int(count), int(grave)


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
