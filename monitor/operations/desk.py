"""What an operator looks at in one place: health, ledgers, messages, jobs, files, daemons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, case, func, literal, select

from monitor.config import Settings
from monitor.core.enrolment_status import MONITORED_HERE
from monitor.intake.report import OUTCOMES
from monitor.operations import feed_watch, health
from monitor.operations.feed_watch import Feed
from monitor.operations.health import Health
from monitor.operations.job_runs import JOB_RUNS
from monitor.operations.status import ledger, with_review_ahead
from monitor.store import daemons, tables
from monitor.store.database import Store
from monitor.store.outbox import DELIVERIES
from monitor.store.tables import table_of

RECENTLY = timedelta(days=7)
_LATEST = 30
_AUDIT = table_of(tables.AuditRow)
_FILES = table_of(tables.File)
_PATIENTS = table_of(tables.Patient)


@dataclass(frozen=True, slots=True)
class RowLedger:
    """Every row that was ever loaded, by what became of it."""

    files: int
    rows: int
    accounted: int
    unequal: int
    """Files whose rows and outcomes differ: there must be none."""


@dataclass(frozen=True, slots=True)
class Messages:
    """The messages of the last days, by channel and state, and the latest of them."""

    counts: tuple[tuple[str, str, int], ...]
    waiting: tuple[Row[Any], ...]
    latest: tuple[Row[Any], ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything on the operator's page."""

    health: Health
    patients: dict[str, int]
    with_review_ahead: int
    """Enrolments, as the worklist counts them."""
    rows: RowLedger
    messages: Messages
    jobs: tuple[Row[Any], ...]
    running: tuple[Row[Any], ...]
    """Daemons that work."""
    vanished: tuple[Row[Any], ...]
    """Daemons that fell silent within a day without having ended."""
    feeds: tuple[Feed, ...]

    @property
    def monitored_here(self) -> int:
        """Enrolments whose tests are due here, as the reports count them."""
        return sum(self.patients[it] for it in MONITORED_HERE)


def desk(store: Store, settings: Settings, now: datetime) -> Desk:
    """The state of the monitor at an instant."""
    with store.read() as connection:
        rows = _row_ledger(connection)
        messages = _messages(connection, now)
        jobs = tuple(connection.execute(select(JOB_RUNS).order_by(JOB_RUNS.c.name)))
        ahead = with_review_ahead(connection)
        running = tuple(daemons.running(connection, now))
        vanished = tuple(daemons.vanished(connection, now))
    return Desk(
        health=health.examine(store, settings, now),
        patients=ledger(store, settings, now),
        with_review_ahead=ahead,
        rows=rows,
        messages=messages,
        jobs=jobs,
        running=running,
        vanished=vanished,
        feeds=tuple(feed_watch.feeds(store, settings, now)),
    )


@dataclass(frozen=True, slots=True)
class Trail:
    """Lines of the audit trail, latest first; `older` is where the next ones begin."""

    lines: tuple[Row[Any], ...]
    older: int | None


def trail(
    store: Store, *, who: str = "", patient_id: int | None = None, before: int | None = None,
    most: int = 200,
) -> Trail:  # fmt: skip
    """Who saw or did what, of everybody or of one person or patient."""
    columns = _AUDIT.c
    query = (
        select(_AUDIT, _PATIENTS.c.mrn)
        .outerjoin(_PATIENTS, _PATIENTS.c.id == columns.patient_id)
        .order_by(columns.id.desc())
        .limit(most + 1)
    )
    if who:
        query = query.where(columns.who == who)
    if patient_id is not None:
        query = query.where(columns.patient_id == patient_id)
    if before is not None:
        query = query.where(columns.id < before)
    with store.read() as connection:
        found = connection.execute(query).all()
    return Trail(tuple(found[:most]), found[most - 1].id if len(found) > most else None)


def _row_ledger(connection: Connection) -> RowLedger:
    """By what is noted of the files: with what is there of their rows it is compared by `monitor
    verify`, which reads all results."""
    accounted = sum((_FILES.c[name] for name in OUTCOMES), start=literal(0))
    query = select(
        func.count().label("files"),
        func.coalesce(func.sum(_FILES.c.rows), 0).label("rows"),
        func.coalesce(func.sum(accounted), 0).label("accounted"),
        func.coalesce(func.sum(case((_FILES.c.rows != accounted, 1), else_=0)), 0).label("unequal"),
    )
    return RowLedger(*map(int, connection.execute(query).one()))


def _messages(connection: Connection, now: datetime) -> Messages:
    columns = DELIVERIES.c
    recent = columns.created_at > now - RECENTLY
    counts = (
        select(columns.channel, columns.state, func.count())
        .where(recent)
        .group_by(columns.channel, columns.state)
        .order_by(columns.channel, columns.state)
    )
    shown = select(
        columns.id, columns.kind, columns.recipient, columns.urgency, columns.created_at,
        columns.sent_at, columns.state, columns.attempts, columns.next_attempt_at,
        columns.last_error, columns.channel,
    )  # fmt: skip
    waiting = shown.where(columns.state == "waiting").order_by(columns.id).limit(_LATEST)
    latest = shown.where(columns.state != "waiting").order_by(columns.id.desc()).limit(_LATEST)
    return Messages(
        counts=tuple((row[0], row[1], int(row[2])) for row in connection.execute(counts)),
        waiting=tuple(connection.execute(waiting)),
        latest=tuple(connection.execute(latest)),
    )
