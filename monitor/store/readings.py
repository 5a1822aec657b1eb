"""What results read. Most results of a laboratory say what thousands of others said already:
each such reading is kept once, and results name it by its number (`docs/adr/0059`)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Subquery, func, select

from monitor.store import tables
from monitor.store.bulk import BulkInsert
from monitor.store.tables import table_of
from monitor.store.types import UtcInstant

_RESULTS = table_of(tables.ResultRow)
_READINGS = table_of(tables.ReadingRow)
_FILES = table_of(tables.File)
_CHUNK = 500
_REMEMBERED = 200_000


class Reading(NamedTuple):
    """What a result says, apart from whose it is, of what and of when. Quantities are exact, in
    the analyte's canonical unit."""

    value: Decimal | None = None
    comparator: str = ""
    no_result: str = ""
    status: str = "final"
    received_value: str = ""
    received_unit: str = ""
    ref_low: Decimal | None = None
    ref_high: Decimal | None = None
    below_plausible: bool = False
    method: str = ""


READING_COLUMNS = tuple(_READINGS.c[name] for name in Reading._fields)


class Readings:
    """Numbers of readings, for one transaction; those that nobody has had yet are written down."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, int] = {}
        self._new = BulkInsert(connection, _READINGS, ("digest", *Reading._fields))

    def numbers(self, readings: Iterable[Reading]) -> list[int]:
        """The number of each, in their order."""
        wanted = [(digest_of(reading), reading) for reading in readings]
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        unknown = {digest: it for digest, it in wanted if digest not in self._known}
        self._look_up(list(unknown))
        missing = sorted(digest for digest in unknown if digest not in self._known)
        self._new.insert((digest, *unknown[digest]) for digest in missing)
        self._look_up(missing)
        return [self._known[digest] for digest, _ in wanted]

    def _look_up(self, digests: Sequence[str]) -> None:
        for start in range(0, len(digests), _CHUNK):
            some = _READINGS.c.digest.in_(digests[start : start + _CHUNK])
            for row in self._connection.execute(
                select(_READINGS.c.digest, _READINGS.c.id).where(some)
            ):
                self._known[row.digest] = row.id


def digest_of(reading: Reading) -> str:
    """The same for the same reading, digit for digit: 4.2 and 4.20 are two."""
    said = [format(it, "f") if isinstance(it, Decimal) else it for it in reading]
    return hashlib.blake2b(repr(said).encode("utf-8", "replace"), digest_size=16).hexdigest()


def readings_of(connection: Connection, numbers: Iterable[int]) -> Mapping[int, Reading]:
    """What is read by these numbers."""
    found: dict[int, Reading] = {}
    wanted = sorted(set(numbers))
    for start in range(0, len(wanted), _CHUNK):
        some = _READINGS.c.id.in_(wanted[start : start + _CHUNK])
        for row in connection.execute(select(_READINGS.c.id, *READING_COLUMNS).where(some)):
            found[row[0]] = Reading._make(row[1:])
    return found


def came_with(connection: Connection, file_ids: Iterable[int]) -> Mapping[int, datetime]:
    """When these files came in."""
    found: dict[int, datetime] = {}
    wanted = sorted(set(file_ids))
    for start in range(0, len(wanted), _CHUNK):
        some = _FILES.c.id.in_(wanted[start : start + _CHUNK])
        query = select(_FILES.c.id, _FILES.c.received_at).where(some)
        found.update((row.id, row.received_at) for row in connection.execute(query))
    return found


def came_at() -> ColumnElement[Any]:
    """When a result came in, for queries that join its file: with the file, unless it says
    otherwise."""
    return func.coalesce(_RESULTS.c.received_at, _FILES.c.received_at, type_=UtcInstant)


@cache
def whole_results() -> Subquery:
    """The results with all that they say, each as one row."""
    own = [it for it in _RESULTS.c if it.name not in ("reading_id", "received_at")]
    return (
        select(*own, *READING_COLUMNS, came_at().label("received_at"))
        .join(_READINGS, _READINGS.c.id == _RESULTS.c.reading_id)
        .join(_FILES, _FILES.c.id == _RESULTS.c.file_id)
        .subquery("whole_results")
    )
