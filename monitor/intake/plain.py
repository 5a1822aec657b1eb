"""The rows of a block that need no judgement of their own, normalised as columns.

Every distinct text, and every distinct combination of texts that belong together, is read once
by the very functions that read single rows (`normalise`); the answers then go to all rows that
say the same. Rows that are not so plain (nobody's, withdrawn, to be held ...) are left to them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from monitor.core.vocabulary import Status
from monitor.intake.coded import Coded, smallest
from monitor.intake.dates import Moment
from monitor.intake.held import plain_number
from monitor.intake.normalise import Normaliser
from monitor.intake.outcomes import Taken
from monitor.intake.people import Person
from monitor.intake.raw_blocks import RawBlock
from monitor.intake.vocabulary import specimen_number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Which = NDArray[np.bool_]

T = TypeVar("T")
_WHO = ("mrn", "family_name", "given_name", "birth_date")
_WHAT = ("analyte", "value", "unit", "ref_low", "ref_high", "status", "comment", "method")
_PLAIN = (Status.FINAL, Status.CORRECTED, Status.PRELIMINARY)
_REMEMBERED = 200_000
_DENSE = 4
"""Possible combinations a row, up to which each has a place of its own while they are counted."""


@dataclass(slots=True)
class Meant:
    """What a combination of texts means, by the row that was read for all of them."""

    taken: Taken
    read_as_percent: tuple[str, ...]
    """The code under which it counts as read as a percentage, if it does."""
    reading_id: int = 0
    """The number of what it reads, once that was asked for."""


@dataclass(frozen=True, slots=True)
class Answers(Generic[T]):
    """The distinct answers, and for each row which of them is its own."""

    distinct: Sequence[T]
    codes: NDArray[Any]

    def rows(self) -> Iterator[T]:
        """The answer of each row."""
        return map(self.distinct.__getitem__, self.codes.tolist())

    def of(self, rows: Which | Whole) -> Answers[T]:
        """Those of these rows, without answers that none of them has."""
        import numpy as np

        codes = self.codes[rows]
        used = np.bincount(codes, minlength=len(self.distinct)) > 0
        if used.all():
            return Answers(self.distinct, codes)
        left = [it for it, is_used in zip(self.distinct, used.tolist(), strict=True) if is_used]
        return Answers(left, (np.cumsum(used) - 1).astype(smallest(len(left)))[codes])


@dataclass(frozen=True, slots=True)
class PlainRows:
    """Rows of a block that became results."""

    rows: NDArray[np.integer[Any]]
    """Their numbers within the block."""
    persons: Answers[Person]
    moments: Answers[Moment]
    meant: Answers[Meant]
    specimens: Answers[str]
    reported: Answers[datetime | None]

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, which: Which | Whole) -> PlainRows:
        """Those of them, or all of them in another order."""
        if which.dtype == bool and which.all():
            return self
        return PlainRows(
            self.rows[which],
            self.persons.of(which),
            self.moments.of(which),
            self.meant.of(which),
            self.specimens.of(which),
            self.reported.of(which),
        )


class PlainNormaliser:
    """Normalises blocks of one file."""

    def __init__(self, normaliser: Normaliser, held_numbers: Callable[[], Collection[str]]) -> None:
        self._normaliser = normaliser
        self._held_numbers = held_numbers
        self._prepared: set[str] = set()
        self._persons: dict[tuple[str, ...], Person | None] = {}
        self._meanings: dict[tuple[str, ...], Meant | None] = {}

    def plain(self, block: RawBlock) -> PlainRows:
        """Which rows of a block are plain, and what they say."""
        import numpy as np

        columns = block.columns
        plain = np.ones(block.rows, bool) if block.odd is None else ~block.odd
        if any(text.strip() for text in columns["issuer"].texts):
            plain[:] = False
        for name, is_plain in (
            ("analyte", lambda text: not self._normaliser.measures.is_ignored(text)),
            ("status", lambda text: self._normaliser.cells.status(text) in _PLAIN),
            ("mrn", self._is_free),
        ):
            _keep(plain, columns[name], is_plain)
        moments = self._moments(block, plain)
        reported = self._reported(block, plain)
        self.prepare(columns["mrn"].texts)
        persons = self._of_combinations(block, _WHO, plain, self._persons, self._person)
        meant = self._of_combinations(block, _WHAT, plain, self._meanings, self._meaning)
        specimens = Answers(
            [specimen_number(text) for text in columns["specimen_id"].texts],
            columns["specimen_id"].codes,
        )
        everything = np.arange(block.rows)
        return PlainRows(everything, persons, moments, meant, specimens, reported).only(plain)

    def prepare(self, numbers: Collection[str]) -> list[str]:
        """Look up the patients of these numbers, in a few queries for all of them. Those of them
        that were not looked up before."""
        new = [mrn for mrn in numbers if mrn not in self._prepared]
        if len(self._prepared) > _REMEMBERED:
            self._prepared.clear()
        self._prepared.update(new)
        self._normaliser.prepare(new)
        return new

    def _is_free(self, mrn: str) -> bool:
        """Whether no row of this number is held."""
        held = self._held_numbers()
        return not held or plain_number(mrn) not in held

    def _order(self, block: RawBlock) -> str:
        return block.raw_row(0).dates

    def _moments(self, block: RawBlock, plain: Which) -> Answers[Any]:
        column, order = block.columns["collected_at"], self._order(block)
        found = [self._normaliser.cells.collected(text, order) for text in column.texts]
        latest = self._normaliser.cells.latest
        _keep_where(plain, column, [it is not None and it.at <= latest for it in found])
        return Answers(found, column.codes)

    def _reported(self, block: RawBlock, plain: Which) -> Answers[datetime | None]:
        column, order = block.columns["reported_at"], self._order(block)
        found = [
            self._normaliser.cells.reported(text, order) if text.strip() else None
            for text in column.texts
        ]
        readable = [
            moment is not None or not text.strip()
            for moment, text in zip(found, column.texts, strict=True)
        ]
        _keep_where(plain, column, readable)
        return Answers([None if it is None else it.at for it in found], column.codes)

    def _of_combinations(
        self,
        block: RawBlock,
        names: Sequence[str],
        plain: Which,
        known: dict[tuple[str, ...], T | None],
        read: Callable[[RawBlock, int], T | None],
    ) -> Answers[Any]:
        """The answer for each distinct combination of these columns among the plain rows; rows
        that have none are plain no more."""
        import numpy as np

        columns = [block.columns[name] for name in names]
        rows = np.flatnonzero(plain)
        first, codes = distinct(
            [it.codes[rows] for it in columns], [len(it.texts) for it in columns]
        )
        firsts = rows[first]
        if len(known) > _REMEMBERED:
            known.clear()
        texts = [
            [column.texts[code] for code in column.codes[firsts].tolist()] for column in columns
        ]
        found: list[T | None] = []
        for row, key in zip(firsts.tolist(), zip(*texts, strict=True), strict=True):
            if key not in known:
                known[key] = read(block, row)
            found.append(known[key])
        whole = np.zeros(block.rows, smallest(len(found)))
        whole[rows] = codes
        plain[rows] = np.array([it is not None for it in found], bool)[codes]
        return Answers(found, whole)

    def _person(self, block: RawBlock, row: int) -> Person | None:
        with self._normaliser.measures.counting_apart():
            found = self._normaliser.whose.of(block.raw_row(row))
        return found if isinstance(found, Person) and found.is_enrolled else None

    def _meaning(self, block: RawBlock, row: int) -> Meant | None:
        raw = block.raw_row(row)
        status = self._normaliser.cells.status(raw.status)
        moment = self._normaliser.cells.collected(raw.collected_at, raw.dates)
        person = self._normaliser.whose.of(raw)
        assert isinstance(status, Status) and isinstance(person, Person) and moment is not None
        with self._normaliser.measures.counting_apart() as counted:
            found = self._normaliser.measured(raw, person, moment, status)
        return Meant(found, tuple(counted)) if isinstance(found, Taken) else None


def joined(parts: Sequence[Answers[T]]) -> Answers[T]:
    """The answers of the rows of several blocks, one block after the other."""
    import numpy as np

    distinct = [one for it in parts for one in it.distinct]
    codes = np.empty(sum(len(it.codes) for it in parts), smallest(len(distinct)))
    row = number = 0
    for it in parts:
        codes[row : row + len(it.codes)] = it.codes
        codes[row : row + len(it.codes)] += number
        row, number = row + len(it.codes), number + len(it.distinct)
    return Answers(distinct, codes)


def distinct(codes: Iterable[Any], sizes: Iterable[int]) -> tuple[Whole, Whole]:
    """The distinct combinations of codes, each below its size: the first row of each, in the
    order of the rows, and for each row which it has."""
    import numpy as np

    mixed: Any = None
    bound = 1
    for column, size in zip(codes, sizes, strict=True):
        if mixed is None:
            mixed, bound = column.astype(np.int64), size
        elif size > 1:
            if bound > (1 << 62) // size:
                _, mixed = np.unique(mixed, return_inverse=True)
                bound = len(mixed)
            mixed, bound = mixed * size + column, bound * size
    if bound > _DENSE * len(mixed):
        _, first, which = np.unique(mixed, return_index=True, return_inverse=True)
        order = np.argsort(first)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return first[order], place[which]
    # Few enough to have a place for each: the last write is that of the first row.
    place = np.full(bound, -1, np.int64)
    place[mixed[::-1]] = np.arange(len(mixed) - 1, -1, -1)
    first = np.sort(place[place >= 0])
    place[mixed[first]] = np.arange(len(first))
    return first, place[mixed]


def _keep(plain: Which, column: Coded, is_plain: Callable[[str], bool]) -> None:
    _keep_where(plain, column, [is_plain(text) for text in column.texts])


def _keep_where(plain: Which, column: Coded, of_texts: Sequence[bool]) -> None:
    import numpy as np

    if not all(of_texts):
        plain &= np.array(of_texts, bool)[column.codes]
