"""The monitor in figures, for whatever watches it: counts and instants, no patient data.

Each is cheap at any size of the database: nothing is judged anew for it. Another figure is one
more function of `FIGURES`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import product

from sqlalchemy import Connection, func, select

from monitor.config import Settings
from monitor.core.vocabulary import AlertState, Urgency
from monitor.operations.health import examine
from monitor.operations.job_runs import JOB_RUNS
from monitor.store import backups, daemons, tables
from monitor.store.claims import count_due
from monitor.store.database import Store
from monitor.store.facts import brought_to
from monitor.store.outbox import DELIVERIES
from monitor.store.tables import table_of

_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_HELD = table_of(tables.HeldRowTable)
_FILES = table_of(tables.File)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its name, what it means, and what tells it from others of its name.
    Instants are seconds since 1970."""

    name: str
    says: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


def figures(store: Store, settings: Settings, now: datetime) -> list[Figure]:
    """All of them, at an instant."""
    health = examine(store, settings, now)
    found = [
        Figure("part_well", "1 where a part of the monitor is well.", it.well, (("part", it.name),))
        for it in health.parts
    ]
    with store.read() as connection:
        for figure in FIGURES:
            found += figure(connection, now)
    file = settings.database.sqlite_file
    if file is not None:
        free = shutil.disk_usage(file.parent).free
        found.append(Figure("free_bytes", "Room left where the database file is.", free))
    return found


def _jobs(connection: Connection, _now: datetime) -> Iterator[Figure]:
    for row in connection.execute(select(JOB_RUNS).order_by(JOB_RUNS.c.name)):
        job = (("job", row.name),)
        if row.finished_at is not None:
            at = row.finished_at.timestamp()
            yield Figure("job_last_run_seconds", "When a job of the daemon last ended.", at, job)
        failed = float(bool(row.error))
        yield Figure("job_failed", "1 where the last run of a job failed.", failed, job)


def _daemons(connection: Connection, now: datetime) -> Iterator[Figure]:
    for works, rows in ((1.0, daemons.running(connection, now)),
                        (0.0, daemons.vanished(connection, now))):  # fmt: skip
        for row in rows:
            daemon = (("daemon", row.id), ("host", row.host), ("version", row.version))
            yield Figure("daemon_works", "1 while a daemon says that it works.", works, daemon)
            at = row.last_tick_at.timestamp()
            yield Figure("daemon_last_tick_seconds", "When a daemon last said so.", at, daemon)


def _alerts(connection: Connection, _now: datetime) -> Iterator[Figure]:
    columns = (_ALERTS.c.state, _ALERTS.c.urgency)
    live = [it for it in AlertState if it is not AlertState.CLOSED]
    query = select(*columns, func.count()).where(_ALERTS.c.state != "closed").group_by(*columns)
    counted = {(state, urgency): number for state, urgency, number in connection.execute(query)}
    for state, urgency in product(live, Urgency):  # of none, too: a series that ends looks unread
        labels = (("state", state.value), ("urgency", urgency.value))
        number = counted.get((state, urgency), 0)
        yield Figure("alerts_live", "Alerts that are not closed.", number, labels)


def _messages(connection: Connection, now: datetime) -> Iterator[Figure]:
    state = DELIVERIES.c.state
    numbers = {"waiting": 0, "failed": 0}
    query = select(state, func.count()).where(state.in_(list(numbers))).group_by(state)
    numbers |= {row[0]: row[1] for row in connection.execute(query)}
    for name, number in numbers.items():
        labels = (("state", name),)
        yield Figure("messages", "Messages that wait, or were refused for good.", number, labels)
    oldest = connection.scalar(select(func.min(DELIVERIES.c.created_at)).where(state == "waiting"))
    waits = 0.0 if oldest is None else max((now - oldest).total_seconds(), 0)
    yield Figure("messages_longest_wait", "Seconds that the oldest message has waited.", waits)


def _reviews(connection: Connection, now: datetime) -> Iterator[Figure]:
    number = select(func.count()).select_from(_ENROLMENTS)
    everyone = connection.scalar(number.where(_ENROLMENTS.c.stands)) or 0
    owed = count_due(connection, now)
    yield Figure("enrolments", "Enrolments, the stopped ones too.", everyone)
    yield Figure("reviews_owed", "Enrolments whose review is owed now.", owed)


def _intake(connection: Connection, _now: datetime) -> Iterator[Figure]:
    held = select(func.count()).select_from(_HELD).where(_HELD.c.state == "held")
    yield Figure("rows_held", "Rows in quarantine.", connection.scalar(held) or 0)
    last = func.max(_FILES.c.received_at).label("last")
    came = (_FILES.c.kind == "results") & _FILES.c.reverted_at.is_(None)
    query = select(_FILES.c.source, last).where(came)
    for row in connection.execute(query.group_by(_FILES.c.source).order_by(_FILES.c.source)):
        labels = (("source", row.source),)
        says = "When results of a source last came."
        yield Figure("results_last_seconds", says, row.last.timestamp(), labels)


def _database(connection: Connection, _now: datetime) -> Iterator[Figure]:
    latest = brought_to(connection)
    if latest is not None:
        says = "The latest instant that the database has been brought to."
        yield Figure("brought_to_seconds", says, latest.timestamp())
    backup = backups.last_backup(connection)
    if backup is not None:
        yield Figure("backup_last_seconds", "When the latest backup was made.", backup.timestamp())


FIGURES: tuple[Callable[[Connection, datetime], Iterator[Figure]], ...] = (
    _jobs, _daemons, _alerts, _messages, _reviews, _intake, _database,
)  # fmt: skip
"""Where they come from."""
