"""What every way into the database shares: catalogue, sources, order among writers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, insert, select, update
from sqlalchemy.exc import IntegrityError

from monitor.config import Settings, Source
from monitor.core.catalogue import Catalogue
from monitor.core.faults import nearest
from monitor.intake.fixes import reading
from monitor.intake.normalise import Normaliser
from monitor.intake.people import People
from monitor.intake.raw import BadLine, RawRow
from monitor.intake.raw_blocks import RawBlock
from monitor.intake.survey import UnreadableFile
from monitor.store import tables
from monitor.store.readings import whole_results
from monitor.store.tables import table_of

_FACTS = table_of(tables.Fact)
_FILES = table_of(tables.File)
_RECENT_FILES = 5
_RECENT_ROWS = 20_000
_TURN = "intake"
ENROLLING = "enrolling"
"""The turn of whoever enrols, and of whoever puts a text in force: a statement that wakes
everybody wakes nobody who is enrolled before it has been committed."""

T = TypeVar("T")


class Preview(Exception):
    """Ends a transaction of which nothing is to remain."""


def take_turn(connection: Connection, now: datetime, of: str = _TURN) -> None:
    """Have all that comes in follow one after another, on PostgreSQL too: so that a row for a
    patient who is being enrolled at this moment is held and taken, and never held for ever."""
    mine = update(_FACTS).where(_FACTS.c.name == of).values(value=now.isoformat())
    if connection.execute(mine).rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(insert(_FACTS).values(name=of, value=now.isoformat()))
    except IntegrityError:
        connection.execute(mine)


def source_named(settings: Settings, name: str) -> Source:
    """The mapping of a source. Raises UnreadableFile for a name that the config lacks."""
    if not name:
        return Source()
    if name in settings.sources:
        return settings.sources[name]
    guess = nearest(name, settings.sources) or "the config names none"
    raise UnreadableFile(f'no source "{name}" in the config: {guess}')


def normaliser_of(
    connection: Connection,
    settings: Settings,
    catalogue: Catalogue,
    people: People,
    source: str,
    now: datetime,
) -> Normaliser:
    """A normaliser for a source, by the config and what people said once of its rows."""
    how = reading(connection, settings, source)
    normaliser = Normaliser(
        people,
        catalogue,
        how.mapping,
        zone=settings.clinic.zone,
        now=now,
        issuers=how.issuers,
        patients=how.patients,
        ignore_unknown_patients=settings.intake.unknown_patients == "ignore",
    )
    normaliser.measures.earlier_units = lambda: _units_of_recent_files(connection, source)
    return normaliser


def _units_of_recent_files(connection: Connection, source: str) -> set[tuple[str, str]]:
    """Analytes and units of the last rows of the last files."""
    recent = (
        select(_FILES.c.id)
        .where(
            _FILES.c.source == source,
            _FILES.c.kind == "results",
            _FILES.c.reverted_at.is_(None),
        )
        .order_by(_FILES.c.id.desc())
        .limit(_RECENT_FILES)
    )
    columns = whole_results().c
    found: set[tuple[str, str]] = set()
    for file_id in connection.scalars(recent).all():
        last = (
            select(columns.analyte, columns.received_unit)
            .where(columns.file_id == file_id, columns.value.is_not(None))
            .order_by(columns.id.desc())
            .limit(_RECENT_ROWS)
            .subquery()
        )
        found.update((row[0], row[1]) for row in connection.execute(select(last).distinct()))
    return found


def batches(rows: Iterator[T], size: int) -> Iterator[list[T]]:
    """Consecutive lists of at most `size` rows."""
    while batch := list(islice(rows, size)):
        yield batch


def batches_and_blocks(
    rows: Iterator[RawRow | BadLine | RawBlock], size: int
) -> Iterator[list[RawRow | BadLine] | RawBlock]:
    """Consecutive lists of at most `size` rows, and the blocks between them."""
    batch: list[RawRow | BadLine] = []
    for row in rows:
        if isinstance(row, RawBlock):
            if batch:
                yield batch
                batch = []
            yield row
            continue
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def chunks(ids: Collection[T], size: int) -> Iterator[list[T]]:
    """Consecutive slices of at most `size`."""
    ordered = list(ids)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def new_id(inserted: CursorResult[Any]) -> int:
    """The id that the database gave to an inserted row."""
    key = inserted.inserted_primary_key
    assert key is not None
    return int(key[0])
