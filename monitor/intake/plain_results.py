"""Writing plain rows: results of keys that nobody has reported on before, column by column.

Each of them stands, as the only report of its key does; whatever may meet another report is
left to `results`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from monitor.core.standing import key_of
from monitor.intake.context import chunks
from monitor.intake.outcomes import Taken
from monitor.intake.plain import Answers, PlainRows, distinct
from monitor.intake.results import RESULT_VALUES, Bucket, ResultWriter, values_of
from monitor.store import tables
from monitor.store.bulk import ColumnInsert, Values
from monitor.store.tables import table_of

if TYPE_CHECKING:
    from monitor.intake.plain import Which, Whole

_RESULTS = table_of(tables.ResultRow)
_PATIENTS = table_of(tables.Patient)
_CHUNK = 500
_ANALYTE_BITS, _DAY_BITS = 10, 21
_HASHES = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)
_BITS_A_ROW = 48
_OF_PERSON = ("patient_id", "home_id")
_OF_MOMENT = ("collected_at", "collected_on", "timed")
_OF_ROW = (*_OF_PERSON, *_OF_MOMENT, "specimen_id", "reported_at", "line", "stands")
_OF_MEANING = tuple(
    name for name in RESULT_VALUES if name not in (*_OF_ROW, "received_at", "file_id")
)


class PlainResults:
    """Writes plain rows of one file. `rows` is about how many the file has."""

    def __init__(
        self, connection: Connection, writer: ResultWriter, file_id: int, now: datetime, rows: int
    ) -> None:
        self._connection = connection
        self._writer = writer
        self._file_id = file_id
        self._now = now
        self._written = _Sieve(rows)
        self._analytes: dict[str, int] = {}
        self._first_seen: set[int] = set()
        self._earlier: set[int] = set()
        self._insert = ColumnInsert(connection, _RESULTS)

    def buckets(self, plain: PlainRows) -> Whole:
        """A number for patient, analyte and day of each row."""
        persons = _numbers(plain.persons, lambda it: it.id)
        analytes = _numbers(plain.meant, lambda it: self._analyte(it.taken.analyte))
        days = _numbers(plain.moments, lambda it: it.on.toordinal())
        return (persons << _ANALYTE_BITS | analytes) << _DAY_BITS | days

    def bucket(self, taken: Taken) -> int:
        """The same number, of one row."""
        analyte = self._analyte(taken.analyte)
        return (
            taken.patient_id << _ANALYTE_BITS | analyte
        ) << _DAY_BITS | taken.collected.on.toordinal()

    def fresh(self, plain: PlainRows, others: Iterable[Taken]) -> Which:
        """Which rows are the only ones of their keys, in the database and among these and
        others of the same block."""
        import numpy as np

        buckets = self.buckets(plain)
        fresh = _alone(plain)
        fresh &= ~np.isin(buckets, np.array([self.bucket(it) for it in others], np.int64))
        doubted = self._written.may_hold(buckets) | self._of_earlier_files(plain)
        doubted &= fresh
        if doubted.any():
            asked, codes = np.unique(buckets[doubted], return_inverse=True)
            names = list(self._analytes)
            of_asked = [_bucket(int(it), names) for it in asked]
            filled = self._writer.filled(of_asked)
            fresh[np.flatnonzero(doubted)] = ~np.array([it in filled for it in of_asked])[codes]
        return fresh

    def write(self, plain: PlainRows, first_line: int) -> None:
        """Write rows, all of them fresh, in the order of their key: that of the index."""
        if not len(plain):
            return
        buckets = self.buckets(plain)
        self._written.add(buckets)
        plain = plain.only(buckets.argsort(kind="stable"))
        constants = {"received_at": self._now, "file_id": self._file_id, "stands": True}
        columns: dict[str, Values] = {
            "line": Values.given((plain.rows + first_line).tolist()),
            "specimen_id": _values(plain.specimens, lambda it: it),
            "reported_at": _values(plain.reported, lambda it: it),
            "patient_id": _values(plain.persons, lambda it: it.id),
            "home_id": _values(plain.persons, lambda it: it.moved_from),
            "collected_at": _values(plain.moments, lambda it: it.at),
            "collected_on": _values(plain.moments, lambda it: it.on),
            "timed": _values(plain.moments, lambda it: it.timed),
        }
        meant = [
            dict(zip(RESULT_VALUES, values_of(it.taken, 0, self._now), strict=False))
            for it in plain.meant.distinct
        ]
        for name in _OF_MEANING:
            columns[name] = Values([it[name] for it in meant], plain.meant.codes)
        self._insert.insert(columns, constants)

    def _analyte(self, name: str) -> int:
        number = self._analytes.setdefault(name, len(self._analytes))
        assert number < 1 << _ANALYTE_BITS, "more analytes than a catalogue has"
        return number

    def _of_earlier_files(self, plain: PlainRows) -> Which:
        """Which rows are of patients who had results before this file."""
        import numpy as np

        ids = [it.id for it in plain.persons.distinct]
        new = set(ids) - self._first_seen
        self._first_seen |= new
        for part in chunks(sorted(new), _CHUNK):
            known = select(_RESULTS.c.id).where(_RESULTS.c.patient_id == _PATIENTS.c.id)
            query = select(_PATIENTS.c.id).where(_PATIENTS.c.id.in_(part), known.exists())
            self._earlier.update(self._connection.scalars(query))
        earlier: Which = np.array([it in self._earlier for it in ids], bool)[plain.persons.codes]
        return earlier


class _Sieve:
    """Remembers numbers in little memory: what it does not hold was never added, what it seems
    to hold may have been (a Bloom filter)."""

    def __init__(self, expected: int) -> None:
        import numpy as np

        self._shift = 64 - max(16, (max(expected, 1) * _BITS_A_ROW - 1).bit_length())
        self._bits = np.zeros(1 << (64 - self._shift - 3), np.uint8)

    def add(self, numbers: Whole) -> None:
        import numpy as np

        for places, bits in self._places(numbers):
            np.bitwise_or.at(self._bits, places, bits)

    def may_hold(self, numbers: Whole) -> Which:
        import numpy as np

        found = np.ones(len(numbers), bool)
        for places, bits in self._places(numbers):
            found &= self._bits[places] & bits != 0
        return found

    def _places(self, numbers: Whole) -> Iterator[tuple[Any, Any]]:
        import numpy as np

        for factor in _HASHES:
            mixed = (numbers.astype(np.uint64) * np.uint64(factor)) >> np.uint64(self._shift)
            yield (
                (mixed >> np.uint64(3)).astype(np.int64),
                (np.uint8(1) << (mixed & np.uint64(7)).astype(np.uint8)),
            )


def _alone(plain: PlainRows) -> Which:
    """Which rows have a key that no other of these has."""
    import numpy as np

    pairs = (plain.moments, plain.specimens)
    first, codes = distinct([it.codes for it in pairs], [len(it.distinct) for it in pairs])
    numbers: dict[Any, int] = {}
    tubes = []
    for row in first.tolist():
        moment = plain.moments.distinct[plain.moments.codes[row]]
        specimen = plain.specimens.distinct[plain.specimens.codes[row]]
        key = key_of(0, "", specimen, moment.on, moment.at, moment.timed)
        tubes.append(numbers.setdefault(key, len(numbers)))
    analytes: dict[str, int] = {}
    meant = _numbers(plain.meant, lambda it: analytes.setdefault(it.taken.analyte, len(analytes)))
    persons = _numbers(plain.persons, lambda it: it.id)
    of_tubes = np.array(tubes, np.int64)[codes] if tubes else codes
    bound = int(persons.max(initial=0)) + 1
    _, which = distinct((of_tubes, meant, persons), (len(numbers) or 1, len(analytes) or 1, bound))
    return np.bincount(which)[which] == 1 if len(which) else np.zeros(0, bool)


def _bucket(number: int, analytes: list[str]) -> Bucket:
    day, rest = number & ((1 << _DAY_BITS) - 1), number >> _DAY_BITS
    analyte = analytes[rest & ((1 << _ANALYTE_BITS) - 1)]
    return Bucket(rest >> _ANALYTE_BITS, analyte, date.fromordinal(day))


def _numbers(answers: Answers[Any], number: Any) -> Whole:
    """A number for each row."""
    import numpy as np

    found = np.array([number(it) for it in answers.distinct], np.int64)
    of_rows: Whole = found[answers.codes]
    return of_rows


def _values(answers: Answers[Any], value: Any) -> Values:
    return Values([value(it) for it in answers.distinct], answers.codes)
