"""Files as they came, and taken back: listed, shown, reverted with the review that follows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Table, case, func, select, union

from monitor.config import Settings
from monitor.core.calendar import clinic_day
from monitor.core.life import ENDING
from monitor.core.vocabulary import Urgency
from monitor.intake import batches
from monitor.intake.batches import Reverted
from monitor.intake.cut_short import whole_in
from monitor.intake.dependence import BatchRefused
from monitor.intake.report import OUTCOMES
from monitor.intake.roster import Roster
from monitor.review import BATCH, Tally, review_batch, review_due
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.rulebook import load_rulebook
from monitor.store.tables import table_of

_FILES = table_of(tables.File)
_RESULTS = table_of(tables.ResultRow)
_HELD = table_of(tables.HeldRowTable)
_EVENTS = table_of(tables.EventRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_MERGES = table_of(tables.MergeRow)
_ALERTS = table_of(tables.AlertRow)
_PATIENTS = table_of(tables.Patient)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One file, or what came at once, with the account of its rows."""

    id: int
    kind: str
    file: str
    source: str
    received_at: datetime
    rows: int
    outcomes: dict[str, int]
    reverted_at: datetime | None
    reverted_by: str | None
    reverted_because: str | None

    def called(self, outcome: str) -> str:
        """An outcome of its rows in words: only results wait in quarantine; a row of patients or
        events that could not be taken was refused, and waits nowhere."""
        refused = outcome == "quarantined" and self.kind != "results"
        return "refused" if refused else outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What there is of a batch today."""

    patients: int
    results: int
    standing: int
    held: int
    events: int
    enrolments: int
    merges: int
    last_row_whole_in: int | None
    """The batch that brought the whole of a row within which this one had broken off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An alert that opened when a batch was taken."""

    id: int
    mrn: str
    urgency: str
    state: str
    summary: str


def batch_list(store: Store, *, limit: int | None = None, before: int | None = None) -> list[Batch]:
    """The batches, the latest first; those before one, where it is named."""
    query = select(_FILES).order_by(_FILES.c.id.desc())
    if before is not None:
        query = query.where(_FILES.c.id < before)
    with store.read() as connection:
        return [_batch(row) for row in connection.execute(query.limit(limit))]


def batch(store: Store, batch_id: int) -> tuple[Batch, Brought]:
    """One batch, and what there is of it. Raises BatchRefused where there is none."""
    with store.read() as connection:
        row = connection.execute(select(_FILES).where(_FILES.c.id == batch_id)).one_or_none()
        if row is None:
            raise BatchRefused(f"there is no batch {batch_id}; see: monitor batch list")
        return _batch(row), _brought(connection, batch_id)


def batch_of(store: Store, sha256: str, received_at: datetime) -> int | None:
    """The batch that this content became when it was taken at this instant; the last one, where
    the same was taken twice."""
    query = select(func.max(_FILES.c.id)).where(
        _FILES.c.sha256 == sha256, _FILES.c.received_at == received_at
    )
    with store.read() as connection:
        found: int | None = connection.scalar(query)
    return found


def opened_by(store: Store, batch_id: int, *, most: int) -> tuple[int, list[Opened]]:
    """How many alerts of its patients its review opened, and the `most` urgent of them: taking a
    batch and reviewing whom it touched bear the same instant."""
    owners = union(
        *(
            select(table.c.patient_id).where(table.c.file_id == batch_id)
            for table in (_RESULTS, _HELD, _EVENTS, _ENROLMENTS)
        )
    )
    names = ("id", "urgency", "state", "summary")
    query = (
        select(*(_ALERTS.c[name] for name in names), _PATIENTS.c.mrn)
        .join(_ENROLMENTS, _ENROLMENTS.c.id == _ALERTS.c.enrolment_id)
        .join(_PATIENTS, _PATIENTS.c.id == _ENROLMENTS.c.patient_id)
        .join(_FILES, _FILES.c.received_at == _ALERTS.c.opened_at)
        .where(_FILES.c.id == batch_id, _ENROLMENTS.c.patient_id.in_(owners))
    )
    ranks = {it.value: it.rank for it in Urgency}
    worst = query.order_by(case(ranks, value=_ALERTS.c.urgency).desc(), _ALERTS.c.id).limit(most)
    with store.read() as connection:
        count = connection.scalar(select(func.count()).select_from(query.subquery())) or 0
        return count, [Opened(**row._mapping) for row in connection.execute(worst)]


def revert(
    store: Store,
    settings: Settings,
    batch_id: int,
    *,
    by: str,
    reason: str,
    now: datetime,
    preview: bool = False,
) -> tuple[Reverted, Tally]:
    """Take a batch back, then review whom it touched; a preview does both and undoes them.
    Raises BatchRefused."""
    today = clinic_day(now, settings.clinic.zone)
    if not preview:
        done = batches.revert(store, settings, batch_id, by=by, reason=reason, now=now)
        with store.read() as connection:
            notes = _enrolled_twice(connection, batch_id, today)
        return replace(done, notes=notes), review_due(store, settings, now, only=done.touched)
    tally = Tally()
    notes = ()

    def review(connection: Connection, touched: Sequence[int]) -> None:
        nonlocal notes
        notes = _enrolled_twice(connection, batch_id, today)
        for start in range(0, len(touched), BATCH):
            tally.add(review_batch(connection, settings, touched[start : start + BATCH], now))

    done = batches.revert(store, settings, batch_id, by=by, reason=reason, now=now, preview=review)
    return replace(done, notes=notes), tally


def _enrolled_twice(connection: Connection, batch_id: int, today: date) -> tuple[str, ...]:
    """Of a batch whose ends of treatments are taken back: who had begun the drug anew, and is
    enrolled on it twice now."""
    ends = select(_EVENTS.c.patient_id).where(
        _EVENTS.c.file_id == batch_id, _EVENTS.c.event.in_(ENDING)
    )
    query = select(_PATIENTS.c.id, _PATIENTS.c.mrn).where(_PATIENTS.c.id.in_(ends))
    numbers = {row.id: row.mrn for row in connection.execute(query.order_by(_PATIENTS.c.id))}
    if not numbers:
        return ()
    roster = Roster(connection, load_rulebook(connection), today)
    roster.prepare(numbers)
    notes = []
    for patient, mrn in numbers.items():
        since: dict[str, list[str]] = defaultdict(list)
        for entry in roster.of(patient):
            if entry.ended_on is None and entry.merged_into is None:
                since[entry.drug].append(entry.started_on.isoformat())
        notes += [
            f"{mrn} is enrolled on {drug} more than once now, from {' and from '.join(days)}: both "
            "are watched; if the first did end, record its stop anew"
            for drug, days in sorted(since.items())
            if len(days) > 1
        ]
    return tuple(notes)


def _batch(row: Any) -> Batch:
    return Batch(
        id=row.id,
        kind=row.kind,
        file=row.name,
        source=row.source,
        received_at=row.received_at,
        rows=row.rows,
        outcomes={name: getattr(row, name) for name in OUTCOMES},
        reverted_at=row.reverted_at,
        reverted_by=row.reverted_by,
        reverted_because=row.reverted_because,
    )


def _brought(connection: Connection, batch_id: int) -> Brought:
    def count(table: Table, *which: Any) -> int:
        query = select(func.count()).select_from(table).where(table.c.file_id == batch_id, *which)
        return connection.scalar(query) or 0

    owners: set[int] = set()
    for table in (_RESULTS, _EVENTS, _ENROLMENTS):
        query = select(table.c.patient_id).where(table.c.file_id == batch_id).distinct()
        owners |= set(connection.scalars(query))
    return Brought(
        patients=len(owners),
        results=count(_RESULTS, ~_RESULTS.c.taken_back),
        standing=count(_RESULTS, _RESULTS.c.stands),
        held=count(_HELD, _HELD.c.state == "held"),
        events=count(_EVENTS, ~_EVENTS.c.taken_back),
        enrolments=count(_ENROLMENTS, _ENROLMENTS.c.stands),
        merges=count(_MERGES, ~_MERGES.c.taken_back),
        last_row_whole_in=whole_in(connection, batch_id),
    )
