"""The results of patients as the core judges them, in a few queries for any number of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select

from monitor.core.case import Result
from monitor.core.vocabulary import Status
from monitor.store import tables
from monitor.store.bulk import BulkSelect
from monitor.store.readings import Reading, readings_of
from monitor.store.tables import table_of

_RESULTS = table_of(tables.ResultRow)
_FILES = table_of(tables.File)
_OWN = tuple(name for name in Result._fields if name in _RESULTS.c)
_WHOLE = BulkSelect([_RESULTS.c[name] for name in ("patient_id", "reading_id", "file_id", *_OWN)])


def load_results(
    connection: Connection, patients: Sequence[int], until: datetime | None
) -> Mapping[int, Sequence[Result]]:
    """The results of these patients that stand, by patient; `until` hides those collected later."""
    own: ColumnElement[bool] = _RESULTS.c.patient_id.in_(patients)
    if until is not None:
        own = and_(own, _RESULTS.c.collected_at <= until)
    return read_results(connection, own) if patients else {}


def read_results(
    connection: Connection, which: ColumnElement[bool]
) -> Mapping[int, Sequence[Result]]:
    """Those of these results that stand after corrections, by patient, in the order they came."""
    columns = _RESULTS.c
    query = _WHOLE.query.where(and_(which, columns.stands)).order_by(columns.id)
    files, readings = _Files(connection), _Readings(connection)
    found: dict[int, list[Result]] = defaultdict(list)
    for patients_of, reading_ids, file_ids, *own in _WHOLE.batches(connection, query):
        numbers, came_in = list(reading_ids), [files[it] for it in file_ids]
        fields: dict[str, Iterable[Any]] = dict(zip(_OWN, own, strict=True))
        fields |= zip(Reading._fields, readings.columns(numbers), strict=True)
        fields["received_at"] = [
            came_at if said is None else said
            for said, (came_at, _) in zip(fields["received_at"], came_in, strict=True)
        ]
        fields["source"] = (source for _, source in came_in)
        fields["derived"] = repeat("", len(numbers))
        rows = map(Result._make, zip(*map(fields.__getitem__, Result._fields), strict=True))
        for patient, result in zip(patients_of, rows, strict=True):
            if result.status is not Status.WITHDRAWN:
                found[patient].append(result)
    return found


class _Readings:
    """What is read by which numbers, each asked for once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[int, Reading] = {}

    def columns(self, numbers: Collection[int]) -> Iterable[Sequence[Any]]:
        """The readings of these numbers, of which there is at least one, field by field."""
        new = {it for it in numbers if it not in self._known}
        for number, reading in readings_of(self._connection, new).items():
            self._known[number] = reading._replace(status=Status(reading.status))
        return zip(*map(self._known.__getitem__, numbers), strict=True)


class _Files(dict[int, tuple[datetime, str]]):
    """When each file came in, and of which source, asked for once."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    def __missing__(self, file_id: int) -> tuple[datetime, str]:
        query = select(_FILES.c.received_at, _FILES.c.source).where(_FILES.c.id == file_id)
        came_at, source = self._connection.execute(query).one()
        self[file_id] = came_at, source
        return self[file_id]
