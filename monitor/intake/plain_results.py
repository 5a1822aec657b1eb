"""Writing plain rows: results of keys that nobody has reported on before, column by column.

Each of them stands, as the only report of its key does; whatever may meet another report is
left to `results`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from monitor.core.standing import key_of
from monitor.intake.context import chunks
from monitor.intake.outcomes import Taken
from monitor.intake.plain import Answers, Meant, PlainRows, joined
from monitor.intake.results import Bucket, ResultWriter, reading_of
from monitor.intake.sieve import Exact, Sieve, is_among
from monitor.store import tables
from monitor.store.beside import Beside
from monitor.store.bulk import ColumnInsert, Values
from monitor.store.tables import table_of

if TYPE_CHECKING:
    from monitor.intake.plain import Which, Whole

_RESULTS = table_of(tables.ResultRow)
_PATIENTS = table_of(tables.Patient)
_CHUNK = 500
ROWS_TOGETHER = 3 << 18
"""Rows that are written together at most: each time goes once through the index of all results."""
_TURNS = 32
"""Times that a file is written in at most: as soon as nothing is being written, so much of it is
written beside the reading of the rest."""
_ANALYTE_BITS, _DAY_BITS = 10, 21


class PlainResults:
    """Writes plain rows of one file, beside whatever reads the next ones. `rows` is about how
    many the file has."""

    def __init__(
        self,
        connection: Connection,
        writer: ResultWriter,
        beside: Beside,
        file_id: int,
        rows: int,
    ) -> None:
        self._connection = connection
        self._beside = beside
        self._writer = writer
        self._file_id = file_id
        self._enough = min(ROWS_TOGETHER, rows // _TURNS)
        self._may_be_written = Sieve(rows)
        self._written = Exact()
        """Of rows that were written as columns, and not of those that wait."""
        self._met_otherwise = Sieve(rows)
        self._waiting = Waiting()
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

    def fresh(self, plain: PlainRows, buckets: Whole, others: Iterable[Taken]) -> Which:
        """Which rows are the only ones of their keys, in the database and among these and
        others of the same block."""
        import numpy as np

        fresh = _alone(plain, buckets)
        fresh &= ~np.isin(buckets, np.array([self.bucket(it) for it in others], np.int64))
        met = np.flatnonzero(fresh & self._may_be_written.may_hold(buckets))
        fresh[met] = ~(self._waiting.hold(buckets[met]) | self._written.holds(buckets[met]))
        doubted = self._met_otherwise.may_hold(buckets) | self._of_earlier_files(plain)
        doubted &= fresh
        if doubted.any():
            asked, codes = np.unique(buckets[doubted], return_inverse=True)
            names = list(self._analytes)
            of_asked = [_bucket(int(it), names) for it in asked]
            filled = self._writer.filled(of_asked)
            fresh[np.flatnonzero(doubted)] = ~np.array([it in filled for it in of_asked])[codes]
        return fresh

    def add(self, plain: PlainRows, buckets: Whole, first_line: int) -> None:
        """Have rows written, all of them fresh, together with others."""
        if not len(plain):
            return
        self._may_be_written.add(buckets)
        self._waiting.add(plain, buckets, first_line)
        if self._waiting.count >= (self._enough if self._beside.is_idle else ROWS_TOGETHER):
            self.write()

    def meet(self, others: Iterable[Taken]) -> None:
        """Remember results that are written otherwise, and write what waits, if they may meet
        any of it."""
        import numpy as np

        buckets = np.array([self.bucket(it) for it in others], np.int64)
        self._met_otherwise.add(buckets)
        if self._waiting.hold(buckets).any():
            self.write()

    def write(self) -> None:
        """Have what waits written."""
        if self._waiting.count:
            new = [it for it in self._waiting.meant() if not it.reading_id]
            numbers = self._writer.readings.numbers(reading_of(it.taken) for it in new)
            for meant, number in zip(new, numbers, strict=True):
                meant.reading_id = number
            self._written.add(self._waiting.buckets())
            self._beside.do(partial(self._write, self._waiting))
            self._waiting = Waiting()

    def _write(self, waiting: Waiting) -> Iterator[None]:
        """Write rows in the order of their keys: that of the index."""
        plain = waiting.drained()
        meant = plain.meant
        columns = {
            "patient_id": _values(plain.persons, lambda it: it.id),
            "analyte": _values(meant, lambda it: it.taken.analyte),
            "collected_at": _values(plain.moments, lambda it: it.at),
            "collected_on": _days(plain.moments),
            "timed": _values(plain.moments, lambda it: it.timed),
            "specimen_id": _values(plain.specimens, lambda it: it),
            "reading_id": _values(meant, lambda it: it.reading_id),
            "reported_at": _values(plain.reported, lambda it: it),
            "comment": _values(meant, lambda it: it.taken.comment),
            "doubtful_comment": _values(meant, lambda it: it.taken.doubtful_comment),
            "line": Values.given(plain.rows),
            "home_id": _values(plain.persons, lambda it: it.moved_from),
        }
        constants = {"stands": True, "received_at": None, "file_id": self._file_id, "issuer": ""}
        yield from self._insert.insert(len(plain), columns, constants)

    def _analyte(self, name: str) -> int:
        number = self._analytes.setdefault(name, len(self._analytes))
        assert number < 1 << _ANALYTE_BITS, "more analytes than a catalogue has"
        return number

    def _of_earlier_files(self, plain: PlainRows) -> Which:
        """Which rows are of patients who had results before this file."""
        import numpy as np

        ids = [it.id for it in plain.persons.distinct]
        self.expect(ids)
        earlier: Which = np.array([it in self._earlier for it in ids], bool)[plain.persons.codes]
        return earlier

    def expect(self, patient_ids: Iterable[int]) -> None:
        """Find out which of these patients have results of earlier files, before the first of
        this one is written."""
        new = set(patient_ids) - self._first_seen
        self._first_seen |= new
        for part in chunks(sorted(new), _CHUNK):
            known = select(_RESULTS.c.id).where(_RESULTS.c.patient_id == _PATIENTS.c.id)
            query = select(_PATIENTS.c.id).where(_PATIENTS.c.id.in_(part), known.exists())
            self._earlier.update(self._connection.scalars(query))


def _alone(plain: PlainRows, buckets: Whole) -> Which:
    """Which rows have a key that no other of these has. Rows of one key are in one bucket."""
    import numpy as np

    order = buckets.argsort(kind="stable")
    ordered = buckets[order]
    beside = np.zeros(len(order) + 1, bool)
    beside[1:-1] = ordered[1:] == ordered[:-1]
    if not beside.any():
        return np.ones(len(order), bool)
    crowded = np.sort(order[beside[1:] | beside[:-1]])
    alone = np.ones(len(order), bool)
    if len(crowded):
        alone[crowded] = _only_of_its_key(plain.only(crowded), buckets[crowded])
    return alone


def _only_of_its_key(plain: PlainRows, buckets: Whole) -> Which:
    import numpy as np

    keys = Counter[tuple[int, Any]]()
    of_rows = []
    for bucket, moment, specimen in zip(
        buckets.tolist(), plain.moments.rows(), plain.specimens.rows(), strict=True
    ):
        key = bucket, key_of(0, "", specimen, moment.on, moment.at, moment.timed)
        keys[key] += 1
        of_rows.append(key)
    return np.array([keys[key] == 1 for key in of_rows], bool)


@dataclass(slots=True)
class Waiting:
    """Rows of several blocks that wait to be written together."""

    count: int = 0
    _rows: list[PlainRows] = field(default_factory=list)
    """Of each block, by the lines they came in."""
    _buckets: list[Whole] = field(default_factory=list)
    """Of each block, in order."""

    def add(self, plain: PlainRows, buckets: Whole, first_line: int) -> None:
        """Let the rows of a block wait."""
        import numpy as np

        order = buckets.argsort(kind="stable")
        plain = plain.only(order)
        lines = (plain.rows + first_line).astype(np.uint32)
        self._rows.append(replace(plain, rows=lines))
        self._buckets.append(buckets[order])
        self.count += len(plain)

    def hold(self, buckets: Whole) -> Which:
        """Which of these buckets have rows that wait."""
        import numpy as np

        found = np.zeros(len(buckets), bool)
        for known in self._buckets:
            found |= is_among(buckets, known)
        return found

    def meant(self) -> Iterable[Meant]:
        """What they mean, each at least once."""
        return chain.from_iterable(rows.meant.distinct for rows in self._rows)

    def buckets(self) -> Whole:
        """Those of all rows, in order."""
        import numpy as np

        return np.sort(np.concatenate(self._buckets))

    def drained(self) -> PlainRows:
        """All rows in the order of their buckets, by their lines; none waits here any more."""
        import numpy as np

        order = np.concatenate(self._buckets).argsort(kind="stable")
        plain = PlainRows(
            np.concatenate([it.rows for it in self._rows]),
            joined([it.persons for it in self._rows]),
            joined([it.moments for it in self._rows]),
            joined([it.meant for it in self._rows]),
            joined([it.specimens for it in self._rows]),
            joined([it.reported for it in self._rows]),
        )
        self._rows.clear()
        self._buckets.clear()
        return plain.only(order)


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


def _days(moments: Answers[Any]) -> Values:
    """Many instants lie on one day."""
    import numpy as np

    numbers = np.array([it.on.toordinal() for it in moments.distinct], np.int64)
    days, codes = np.unique(numbers, return_inverse=True)
    return Values([date.fromordinal(it) for it in days.tolist()], codes[moments.codes])


def _values(answers: Answers[Any], value: Any) -> Values:
    return Values([value(it) for it in answers.distinct], answers.codes)
