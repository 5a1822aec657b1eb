"""Held rows tried again: once the patient is enrolled, or config and catalogue have changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection

from monitor.config import Settings, Source
from monitor.core.catalogue import Catalogue
from monitor.core.result_columns import RESULT_COLUMNS
from monitor.intake.context import normaliser_of
from monitor.intake.csv import Record
from monitor.intake.fixes import reading
from monitor.intake.held import change_held, held_in_order, reading_of
from monitor.intake.known_names import known_of
from monitor.intake.layout import Layout, layout_of
from monitor.intake.normalise import Normaliser
from monitor.intake.outcomes import Held, Ignored, Taken
from monitor.intake.people import People
from monitor.intake.raw import RECEIVED, RawRow, restored
from monitor.intake.results import ResultWriter
from monitor.intake.survey import UnreadableFile

_BATCH = 2000


@dataclass
class Retried:
    """What became of held rows that were tried again."""

    tried: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    """stored, duplicate, superseded, withdrawn, ignored, or held (still)."""
    patients: set[int] = field(default_factory=set)
    """Whose answers can have changed."""

    @property
    def taken(self) -> int:
        return self.tried - self.outcomes["held"]


def retry_held(
    connection: Connection,
    settings: Settings,
    catalogue: Catalogue,
    which: ColumnElement[bool],
    now: datetime,
    *,
    by: str,
    instead: Mapping[str, Any] | None = None,
) -> Retried:
    """Try the held rows that match, oldest first, as if they came now. They keep the time at
    which they were received, so that trying later gives what trying at once would have given.

    `instead` are cells (by our column names) that a person gives in place of theirs.
    """
    retrier = _Retrier(connection, settings, catalogue, now, by, instead or {})
    for rows in held_in_order(connection, which, _BATCH):
        for source in dict.fromkeys(row.source for row in rows):
            retrier.retry(source, [row for row in rows if row.source == source])
    return retrier.done


class _Retrier:
    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        catalogue: Catalogue,
        now: datetime,
        by: str,
        instead: Mapping[str, Any],
    ) -> None:
        self._instead = instead
        self._connection = connection
        self._settings = settings
        self._catalogue = catalogue
        self._now = now
        self._by = by
        self._people = People(connection)
        self._normalisers: dict[str, Normaliser] = {}
        self._layouts: dict[tuple[str, tuple[str, ...]], Layout | None] = {}
        self._writer = ResultWriter(connection, now)
        self.done = Retried()

    def retry(self, source: str, rows: Sequence[Any]) -> None:
        if source not in self._normalisers:
            self._normalisers[source] = normaliser_of(
                self._connection, self._settings, self._catalogue, self._people, source, self._now
            )
        normaliser = self._normalisers[source]
        raw_rows = [self._raw_row(source, row) for row in rows]
        readable = [raw._replace(**self._instead) for raw in raw_rows if raw is not None]
        outcomes = iter(list(normaliser.normalise(readable)))
        paired = [
            (row, next(outcomes) if raw is not None else None)
            for row, raw in zip(rows, raw_rows, strict=True)
        ]
        self.done.tried += len(rows)
        self._take([(row, it) for row, it in paired if isinstance(it, Taken)])
        self._ignore([row for row, it in paired if isinstance(it, Ignored)])
        self._keep([(row, it) for row, it in paired if isinstance(it, Held)], normaliser)
        self.done.outcomes["held"] += sum(it is None for _, it in paired)

    def _take(self, rows: Sequence[tuple[Any, Taken]]) -> None:
        for row, taken in rows:
            taken.received_at = row.held_at
        outcomes = self._writer.write(
            [taken for _, taken in rows], [row.file_id for row, _ in rows]
        )
        self.done.outcomes.update(outcomes)
        self.done.patients.update(taken.patient_id for _, taken in rows)
        self.done.patients.update(row.patient_id for row, _ in rows if row.patient_id is not None)
        self._resolve(
            (row.id, "taken", "; ".join(filter(None, (outcome, row.resolution))))
            for (row, _), outcome in zip(rows, outcomes, strict=True)
        )

    def _ignore(self, rows: Sequence[Any]) -> None:
        self.done.outcomes["ignored"] += len(rows)
        self.done.patients.update(row.patient_id for row in rows if row.patient_id is not None)
        self._resolve((row.id, "discarded", "ignored as the config says now") for row in rows)

    def _resolve(self, resolved: Any) -> None:
        change_held(
            self._connection,
            [
                {
                    "row_id": row_id,
                    "state": state,
                    "resolved_at": self._now,
                    "resolved_by": self._by,
                    "resolution": resolution,
                }
                for row_id, state, resolution in resolved
            ],
        )

    def _keep(self, rows: Sequence[tuple[Any, Held]], normaliser: Normaliser) -> None:
        self.done.outcomes["held"] += len(rows)
        changes = []
        for row, held in rows:
            reading = reading_of(held, normaliser)
            if any(getattr(row, name) != value for name, value in reading.items()):
                changes.append({"row_id": row.id, **reading})
                self.done.patients.update({row.patient_id, held.patient_id} - {None})
        change_held(self._connection, changes)

    def _raw_row(self, source: str, row: Any) -> RawRow | None:
        """The row as today's mapping reads it; None for a line that could not be split."""
        if "line" in row.raw:
            return None
        given: Mapping[str, str] = row.raw.get(RECEIVED, {})
        layout = self._layout(source, tuple(given))
        if layout is not None:
            raw_rows = list(layout.raw_rows(Record(row.line, list(given.values()))))
            if len(raw_rows) == 1:
                return _completed(raw_rows[0], restored(row.line, row.raw), self._mapping(source))
        return restored(row.line, row.raw)

    def _mapping(self, source: str) -> Source:
        return reading(self._connection, self._settings, source).mapping

    def _layout(self, source: str, header: tuple[str, ...]) -> Layout | None:
        key = (source, header)
        if key not in self._layouts:
            mapping = self._mapping(source)
            try:
                self._layouts[key] = layout_of(header, mapping, known_of(mapping, self._catalogue))
            except UnreadableFile:
                self._layouts[key] = None
        return self._layouts[key]


def _completed(row: RawRow, kept: RawRow, mapping: Source) -> RawRow:
    """The row as today's mapping reads its cells, with what only the whole file could tell: its
    notation, and what was put together from several cells or stands above the header."""
    cells = {text.strip() for _, text in kept.given}
    told = {
        name: text
        for name in RESULT_COLUMNS
        if (text := getattr(kept, name))
        and text.strip() not in cells
        and name not in mapping.columns
        and name not in mapping.constants
        and name not in ("analyte", "unit")
    }
    if not row.unit and "unit" not in mapping.columns:
        told["unit"] = kept.unit
    return row._replace(dates=kept.dates, decimal=kept.decimal, place=kept.place, **told)
