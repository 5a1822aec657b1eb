"""The results of patients as the core judges them, in a few queries for any number of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from monitor.core.case import Result
from monitor.core.vocabulary import Status
from monitor.store import tables
from monitor.store.among import among
from monitor.store.bulk import BulkSelect
from monitor.store.readings import Reading, readings_of
from monitor.store.tables import table_of

_RESULTS = table_of(tables.ResultRow)
_FILES = table_of(tables.File)
_OWN = tuple(name for name in Result._fields if name in _RESULTS.c)
_WHOLE = BulkSelect(
    [_RESULTS.c[name] for name in ("patient_id", "stands", "reading_id", "file_id", *_OWN)]
)


class Histories:
    """Reads results in one transaction. What thousands of them have in common, readings and
    files, is asked for once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._readings: dict[int, Reading] = {}
        self._files: dict[int, tuple[datetime, str]] = {}

    def of_patients(
        self, patients: Sequence[int], until: datetime | None
    ) -> Mapping[int, Sequence[Result]]:
        """The results of these patients that stand; `until` hides those collected later."""
        own: ColumnElement[bool] = among(_RESULTS.c.patient_id, patients)
        if until is not None:
            own &= _RESULTS.c.collected_at <= until
        return self.standing(own) if patients else {}

    def standing(self, which: ColumnElement[bool]) -> Mapping[int, Sequence[Result]]:
        """Those of these results that stand after corrections, by patient, in the order they
        came."""
        found: dict[int, list[Result]] = defaultdict(list)
        for patient, _, result in self.rows(which & _RESULTS.c.stands):
            if result.status is not Status.WITHDRAWN:
                found[patient].append(result)
        return found

    def rows(self, which: ColumnElement[bool]) -> Iterator[tuple[int, bool, Result]]:
        """These results with whose they are and whether they stand, in the order they came."""
        query = _WHOLE.query.where(which).order_by(_RESULTS.c.id)
        for patients_of, stands, *own in _WHOLE.batches(self._connection, query):
            yield from zip(patients_of, stands, self._results(*own), strict=True)

    def _results(
        self, reading_ids: Iterable[int], file_ids: Iterable[int], *own: Iterable[Any]
    ) -> Iterator[Result]:
        numbers, came_in = list(reading_ids), self._came_in(list(file_ids))
        fields: dict[str, Iterable[Any]] = dict(zip(_OWN, own, strict=True))
        fields |= zip(Reading._fields, self._columns(numbers), strict=True)
        fields["received_at"] = [
            came_at if said is None else said
            for said, (came_at, _) in zip(fields["received_at"], came_in, strict=True)
        ]
        fields["source"] = (source for _, source in came_in)
        fields["derived"] = repeat("", len(numbers))
        return map(Result._make, zip(*map(fields.__getitem__, Result._fields), strict=True))

    def _columns(self, numbers: Collection[int]) -> Iterable[Sequence[Any]]:
        """What is read by these numbers, of which there is at least one, field by field."""
        new = {it for it in numbers if it not in self._readings}
        for number, reading in readings_of(self._connection, new).items():
            self._readings[number] = reading._replace(status=Status(reading.status))
        return zip(*map(self._readings.__getitem__, numbers), strict=True)

    def _came_in(self, file_ids: Collection[int]) -> Sequence[tuple[datetime, str]]:
        """When each file came in, and of which source; each message of a laboratory is one."""
        if new := set(file_ids) - self._files.keys():
            query = select(_FILES.c.id, _FILES.c.received_at, _FILES.c.source)
            for row in self._connection.execute(query.where(among(_FILES.c.id, sorted(new)))):
                self._files[row.id] = row.received_at, row.source
        return [self._files[it] for it in file_ids]
