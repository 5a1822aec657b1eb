"""What a digest says of the clinic as a whole: held rows, notices, what came in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from monitor.delivery.digest import CameIn
from monitor.store import tables
from monitor.store.frames import chunks
from monitor.store.outbox import DELIVERIES
from monitor.store.tables import table_of

_FILES = table_of(tables.File)
_QUARANTINE = table_of(tables.HeldRowTable)
_RESULTS = table_of(tables.ResultRow)


def held_by_reason(connection: Connection) -> tuple[tuple[str, int], ...]:
    """(reason, held rows) of quarantine, the most first."""
    query = (
        select(_QUARANTINE.c.reason_code, func.count())
        .where(_QUARANTINE.c.state == "held")
        .group_by(_QUARANTINE.c.reason_code)
        .order_by(func.count().desc(), _QUARANTINE.c.reason_code)
    )
    return tuple((code.replace("_", " "), count) for code, count in connection.execute(query))


def came_in_since(connection: Connection, since: datetime, now: datetime) -> CameIn:
    """What was loaded since the last digest, of all laboratories."""
    files, results = _FILES.c, _RESULTS.c
    recent = (files.kind == "results") & (files.received_at > since) & (files.received_at <= now)
    recent &= files.reverted_at.is_(None)
    sums = [
        func.coalesce(func.sum(files[name]), 0)
        for name in ("rows", "stored", "superseded", "quarantined")
    ]
    count, rows, stored, superseded, quarantined = connection.execute(
        select(func.count(), *sums).where(recent)
    ).one()
    patients: set[int] = set()
    # By their ids: planned without them, a statement goes through all results of all years where
    # most of those came in one file.
    for piece in chunks(connection.scalars(select(files.id).where(recent)).all()):
        query = select(results.patient_id).distinct().where(results.file_id.in_(piece))
        patients.update(connection.scalars(query))
    return CameIn(
        files=count,
        rows=int(rows),
        stored=int(stored) + int(superseded),
        quarantined=int(quarantined),
        patients=len(patients),
    )


def notices_since(connection: Connection, since: datetime, now: datetime) -> tuple[str, ...]:
    """What the operator was told in the meantime."""
    query = (
        select(DELIVERIES.c.payload)
        .where(DELIVERIES.c.kind == "operator", DELIVERIES.c.created_at > since)
        .where(DELIVERIES.c.created_at <= now)
        .order_by(DELIVERIES.c.id)
    )
    texts = (f"{it['topic']}: {it['text']}" for it in connection.scalars(query))
    return tuple(dict.fromkeys(texts))
