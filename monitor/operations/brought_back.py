"""A database that was brought to an instant which has not come yet, brought back to the clock.

A command with an `--at` that lies ahead, or a machine whose clock was years ahead, does it: what
writes is refused from then on until that instant. Whatever happened did happen, and not later than
now: so each instant of a deed that lies ahead becomes now, and nothing is taken away. What was
derived for then is owed a review, which ends what has no cause today and opens what was missing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, func, literal, select, update
from sqlmodel import SQLModel

from monitor.config import Settings
from monitor.core.calendar import clinic_day, instant_text
from monitor.operations.fleet import at_work
from monitor.store import audit, backups, breakers, daemons, tables
from monitor.store.audit import ON_THE_COMMAND_LINE
from monitor.store.database import Store
from monitor.store.errors import StoreBusy
from monitor.store.facts import AHEAD, CANARY, brought_to, fact, put_fact
from monitor.store.outbox import operator_alarm
from monitor.store.tables import table_of
from monitor.store.types import CountedInstant, UtcInstant

_ALERTS = table_of(tables.AlertRow)
_HISTORY = table_of(tables.AlertHistory)
_DELIVERIES = table_of(tables.Delivery)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_FACTS = table_of(tables.Fact)
_TO_COME = frozenset({"expires_at", "next_review_at", "kept_until", "open_until", "until"})
"""Instants that are no deeds: they may lie ahead, or are set by themselves."""
_UNTIL = (_ALERTS.c.acknowledged_until, _ALERTS.c.snoozed_until, _ALERTS.c.review_by)
_OF_A_DAY = ("digest", "operator")
"""Kinds of messages of which there is one a day, by their keys."""


class NotBroughtBack(Exception):
    """It cannot be, as asked; the text says what would work."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """How far ahead of the clock a database is, and what was done there."""

    brought_to: datetime
    changes: int
    """Of alerts."""
    messages: int
    sent: int
    """Of these."""
    files: int


def ahead(store: Store, now: datetime) -> Ahead | None:
    """What lies ahead of `now`; None where the database does not."""
    with store.read() as connection:
        latest = brought_to(connection)
        if latest is None or latest <= now + AHEAD:
            return None
        files = table_of(tables.File)
        later = _DELIVERIES.c.created_at > now
        return Ahead(
            latest,
            _count(connection, _HISTORY, _HISTORY.c.at > now),
            _count(connection, _DELIVERIES, later),
            _count(connection, _DELIVERIES, later, _DELIVERIES.c.state == "sent"),
            _count(connection, files, files.c.received_at > now),
        )


def bring_back(store: Store, settings: Settings, now: datetime, *, by: str, reason: str) -> None:
    """Bring the database back to `now`, which its caller knows to be right: everyone is owed a
    review. Daemons have to be ended before. Raises StoreBusy, NotBroughtBack."""
    if not by.strip() or not reason.strip():
        raise NotBroughtBack("say who does this, and why: --by WHO --reason TEXT")
    with store.hold_daemon_lock(), store.write() as connection:
        latest = brought_to(connection)
        if latest is None or latest <= now + AHEAD:
            raise NotBroughtBack("the database does not lie ahead of the clock")
        _refuse_working(connection, store, now)
        zone = settings.clinic.zone
        today = clinic_day(now, zone)
        _come_back_today(connection, now, today)
        _free_days(connection, now, today)
        for table in SQLModel.metadata.sorted_tables:
            for column in table.c:
                if _is_deed(column):
                    late = update(table).where(column > now)
                    connection.execute(late.values({column.name: now}))
        enrolled = _ENROLMENTS.c.enrolled_on
        connection.execute(update(_ENROLMENTS).where(enrolled > today).values(enrolled_on=today))
        connection.execute(update(_ENROLMENTS).values(next_review_at=now, kept_by=None))
        breakers.catch_up(connection, now)
        turns = table_of(tables.JobTurn)
        connection.execute(update(turns).values(holder=None, until=None))
        _facts(connection, now)
        from_then = instant_text(latest, zone)
        audit.note(
            connection, ON_THE_COMMAND_LINE, "database brought back to the clock", now,
            detail=f"from {from_then}, by {by.strip()}: {reason.strip()}",
        )  # fmt: skip
        text = (
            f"The database had been brought to {from_then}, which had not come yet, and was "
            f"brought back to {instant_text(now, zone)}. Everyone is reviewed anew: what was told "
            "for then and has no cause today is closed, and whoever was told hears of it"
        )
        operator_alarm(connection, "clock", text, settings.clinic.email, now, zone)


def _refuse_working(connection: Connection, store: Store, now: datetime) -> None:
    """Of a file the lock has told already. A sign of life that lies ahead may be of one that died
    by the wrong clock."""
    found = [] if store.is_sqlite else at_work(connection, now)
    found = [it for it in found if it.last_tick_at <= now + daemons.CLOCKS_APART]
    if found:
        raise StoreBusy(
            f"daemon {found[0].id} works on {found[0].host}: end all daemons before, and start "
            "them again afterwards"
        )


def _is_deed(column: Column[Any]) -> bool:
    kind = column.type
    counted = isinstance(kind, CountedInstant)  # what laboratories say
    return isinstance(kind, UtcInstant) and not counted and column.name not in _TO_COME


def _come_back_today(connection: Connection, now: datetime, today: Any) -> None:
    """What was answered by the wrong clock rests until a day of that one: it comes back today."""
    answered = select(_HISTORY.c.alert_id).where(_HISTORY.c.at > now)
    for until in _UNTIL:
        late = update(_ALERTS).where(until > today, _ALERTS.c.id.in_(answered))
        connection.execute(late.values({until.name: today}))


def _free_days(connection: Connection, now: datetime, today: Any) -> None:
    """A digest or an alarm of a day to come does not stand in the way of that day's own."""
    columns = _DELIVERIES.c
    late = columns.created_at > now
    mark = literal(f":before {now.isoformat()}")
    kinds = columns.kind.in_(_OF_A_DAY)
    connection.execute(
        update(_DELIVERIES).where(late, kinds).values(once_key=columns.once_key + mark)
    )
    connection.execute(update(_DELIVERIES).where(columns.for_day > today).values(for_day=today))


def _facts(connection: Connection, now: datetime) -> None:
    put_fact(connection, "brought_to", now.isoformat(timespec="microseconds"))
    flight = fact(connection, CANARY)
    if flight is not None and datetime.fromisoformat(json.loads(flight)["at"]) > now:
        connection.execute(_FACTS.delete().where(_FACTS.c.name == CANARY))
    made = backups.last_backup(connection)
    if made is not None and made > now:
        backups.note_backup(connection, now)


def _count(connection: Connection, table: Table, *where: Any) -> int:
    return int(connection.scalar(select(func.count()).select_from(table).where(*where)) or 0)
