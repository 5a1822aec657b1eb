"""Messages that wait longer than their urgency allows: said by another channel.

A mail server that takes nothing cannot be told of by mail. Where the config names another way,
the alarm goes there, and the critical messages themselves too; where it names none, `monitor
health` is not well and the heartbeat stops, so that whatever watches this machine says it. Of what
is not mail the clinic's address is the other way, where no other is named; and where the server
takes mails, but not those of one reader (a full mailbox), it hears of that by mail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, case, exists, func, or_, select

from monitor.config import Settings
from monitor.core.calendar import clinic_day, instant_text
from monitor.core.vocabulary import Urgency
from monitor.delivery.words import counted
from monitor.store import leases, outbox
from monitor.store.database import Store
from monitor.store.made import INSTEAD
from monitor.store.outbox import DELIVERIES, channel_of

_AT_ONCE = 100
_TRIED_AGAIN = timedelta(minutes=20)
"""Within this time whatever waits has been tried once more."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """Messages of one channel, or to one address of it, that wait too long."""

    channel: str
    count: int
    critical: int
    since: datetime
    error: str

    def says(self, settings: Settings) -> str:
        """What is stuck, since when, and why."""
        since = instant_text(self.since, settings.clinic.zone)
        critical = f", {self.critical} of them critical" if self.critical else ""
        waits = "waits" if self.count == 1 else "wait"
        why = f" The last error: {self.error}." if self.error else ""
        return (
            f"{counted(self.count, 'message')} to {self.channel} {waits} longer than "
            f"{'its' if self.count == 1 else 'their'} urgency allows"
            f"{critical}, the oldest since {since}.{why}"
        )


def allowed(settings: Settings, urgency: str) -> timedelta:
    """How long a message of an urgency may wait to be taken."""
    alarm = settings.alarm
    minutes = {
        Urgency.CRITICAL.value: alarm.critical_minutes,
        Urgency.URGENT.value: alarm.urgent_minutes,
        Urgency.ROUTINE.value: alarm.routine_minutes,
    }
    return timedelta(minutes=minutes[urgency])


def stuck(connection: Connection, settings: Settings, now: datetime) -> list[Stuck]:
    """Each channel that has messages waiting too long."""
    critical = DELIVERIES.c.urgency == Urgency.CRITICAL.value
    query = (
        select(
            DELIVERIES.c.channel,
            func.count(),
            func.sum(case((critical, 1), else_=0)),
            func.min(DELIVERIES.c.created_at),
            func.max(DELIVERIES.c.last_error),
        )
        .where(_waits_too_long(settings, now))
        .group_by(DELIVERIES.c.channel)
        .order_by(DELIVERIES.c.channel)
    )
    return [Stuck(row[0], row[1], int(row[2]), row[3], row[4]) for row in connection.execute(query)]


def alarm_if_stuck(store: Store, settings: Settings, now: datetime) -> bool:
    """Tell every other way of the config, once a channel and day; True where that was new."""
    with store.read() as connection:
        found = stuck(connection, settings, now)
        kept_back = _kept_back(connection, settings, now)
    told = False
    for trouble in found:
        ways = _ways(settings, trouble.channel)
        with store.write() as connection:
            for way in ways:
                told |= _tell(connection, settings, trouble, way, now)
                told |= _send_instead(connection, settings, trouble, way, now)
    for reader in kept_back:
        told |= _tell_of_reader(store, settings, reader, now)
    return told


def _ways(settings: Settings, channel: str) -> list[str]:
    """Where else what does not go out by a channel is said."""
    ways = [it for it in settings.alarm.to if channel_of(it) != channel]
    return ways or ([settings.clinic.email] if channel != outbox.MAIL else [])


def _kept_back(connection: Connection, settings: Settings, now: datetime) -> list[Stuck]:
    """Readers whose mails wait too long while the server takes those of others, since long enough
    for theirs to have been tried again: the server works, and it lies with them."""
    others = DELIVERIES.alias()
    oldest = func.min(DELIVERIES.c.created_at)
    query = (
        select(
            DELIVERIES.c.recipient,
            func.count(),
            oldest.label("since"),
            func.max(DELIVERIES.c.last_error),
        )
        .where(
            _waits_too_long(settings, now),
            DELIVERIES.c.channel == outbox.MAIL,
            DELIVERIES.c.attempts > 0,
            func.lower(DELIVERIES.c.recipient) != settings.clinic.email.lower(),
        )
        .group_by(DELIVERIES.c.recipient)
        .order_by(DELIVERIES.c.recipient)
    )
    rows = connection.execute(query).all()
    if not rows:
        return []
    sent = select(func.max(others.c.sent_at)).where(
        others.c.channel == outbox.MAIL, others.c.sent_at < now - _TRIED_AGAIN
    )
    last = connection.scalar(sent)
    return [Stuck(row[0], row[1], 0, row[2], row[3]) for row in rows if last and last > row[2]]


def _tell_of_reader(store: Store, settings: Settings, reader: Stuck, now: datetime) -> bool:
    clinic = settings.clinic
    topic = f"messages to {reader.channel} do not go out"
    text = f"{reader.says(settings)} Mails to others go out: ask whoever reads these."
    with store.write() as connection:
        return outbox.operator_alarm(connection, topic, text, clinic.email, now, clinic.zone)


def _waits_too_long(settings: Settings, now: datetime) -> Any:
    late = [
        and_(
            DELIVERIES.c.urgency == urgency.value,
            DELIVERIES.c.created_at < now - allowed(settings, urgency.value),
        )
        for urgency in Urgency
    ]
    return and_(DELIVERIES.c.state == "waiting", or_(*late))


def _tell(
    connection: Connection, settings: Settings, trouble: Stuck, way: str, now: datetime
) -> bool:
    day = clinic_day(now, settings.clinic.zone)
    return outbox.put(
        connection,
        once_key=f"stuck:{trouble.channel}:{way}:{day.isoformat()}",
        kind="operator",
        recipient=way,
        urgency=Urgency.CRITICAL.value if trouble.critical else Urgency.URGENT.value,
        payload={
            "topic": f"messages to {trouble.channel} do not go out",
            "text": trouble.says(settings),
        },
        lines=[],
        now=now,
        zone=settings.clinic.zone,
        sender=settings.mail.sender,
    )


def _send_instead(
    connection: Connection, settings: Settings, trouble: Stuck, way: str, now: datetime
) -> bool:
    """The critical messages by the other way too; the first stays owed all the same. Those that
    went there before do not stand in the way of the others."""
    if not trouble.critical:
        return False
    late = DELIVERIES.c.created_at < now - allowed(settings, Urgency.CRITICAL.value)
    copies = DELIVERIES.alias()
    instead = _instead(DELIVERIES.c.once_key, way)
    query = (
        select(DELIVERIES.c.id)
        .where(
            DELIVERIES.c.state == "waiting",
            DELIVERIES.c.channel == trouble.channel,
            DELIVERIES.c.urgency == Urgency.CRITICAL.value,
            DELIVERIES.c.kind != "operator",
            late,
            ~exists().where(copies.c.once_key == instead),
        )
        .order_by(DELIVERIES.c.id)
        .limit(_AT_ONCE)
    )
    rows: Sequence[Row[Any]] = connection.execute(query).all()
    copied = [_copy(connection, settings, row.id, way, now) for row in rows]
    return True in copied


def _instead(once_key: Any, way: str) -> Any:
    """The key of a message by another way: of a row, or of all of them in a statement."""
    return once_key + f"{INSTEAD}{way}"


def _copy(
    connection: Connection, settings: Settings, delivery_id: int, way: str, now: datetime
) -> bool:
    message = leases.load_message(connection, delivery_id)
    return outbox.put(
        connection,
        once_key=_instead(message.once_key, way),
        kind=message.kind,
        recipient=way,
        urgency=message.urgency,
        payload=message.payload,
        lines=message.lines,
        now=now,
        zone=settings.clinic.zone,
        sender=settings.mail.sender,
    )
