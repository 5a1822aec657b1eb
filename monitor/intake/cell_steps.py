"""Steps of a row for which one further cell is enough: a comparator, a sign, a flag, a comment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.intake.comparators import compared, is_sign, sign_of, signed
from monitor.intake.dates import EITHER, shape_of
from monitor.intake.flags import remark_in, with_remark
from monitor.intake.raw import MARKED, RawRow
from monitor.intake.vocabulary import key_of, vocabulary


@dataclass(frozen=True, slots=True)
class WithComparator:
    """`LT` in a column of its own beside 0.1 is `<0.1`: a step."""

    position: int
    surely: bool

    def __call__(self, row: RawRow, cells: Sequence[str]) -> RawRow:
        if not self.says(cells[self.position]):
            return row
        return row._replace(value=compared(row.value, cells[self.position], surely=self.surely))

    def says(self, cell: str) -> bool:
        """Whether a cell of that column says more than that the value is exact."""
        return bool(sign_of(cell, surely=self.surely))


@dataclass(frozen=True, slots=True)
class WithSign:
    """`<` in a column that nobody knows, beside that of the values: a step."""

    position: int

    def __call__(self, row: RawRow, cells: Sequence[str]) -> RawRow:
        sign = cells[self.position]
        return row._replace(value=signed(row.value, sign)) if is_sign(sign) else row


@dataclass(frozen=True, slots=True)
class WithRemark:
    """What a flag says of the specimen is a comment: a step."""

    position: int

    def __call__(self, row: RawRow, cells: Sequence[str]) -> RawRow:
        remark = remark_in(cells[self.position])
        return row._replace(comment=with_remark(row.comment, remark)) if remark else row


@dataclass(frozen=True, slots=True)
class WithComment:
    """A further column of comments: a step."""

    position: int

    def __call__(self, row: RawRow, cells: Sequence[str]) -> RawRow:
        text = cells[self.position].strip()
        return row._replace(comment=with_remark(row.comment, text)) if text else row


@dataclass(frozen=True, slots=True)
class WithDerivation:
    """A row that an analysis made of others (`LOCF`, `MAXIMUM`) is no result: a step. One that was
    calculated, such as a count of a percentage, may stand nowhere else."""

    position: int

    def __call__(self, row: RawRow, cells: Sequence[str]) -> RawRow:
        return row._replace(is_derived=True) if self.says(cells[self.position]) else row

    def says(self, cell: str) -> bool:
        """Whether a cell of that column says so."""
        return key_of(cell) in vocabulary().derived


@dataclass(frozen=True, slots=True)
class WithVoid:
    """A row that a column of deleted rows marks is held: a step. As a withdrawal it would take away
    the result that was put in its place."""

    position: int

    def __call__(self, row: RawRow, cells: Sequence[str]) -> RawRow:
        cell = cells[self.position].strip()
        return row._replace(status=f"{MARKED}: {cell}") if self.says(cell) else row

    def says(self, cell: str) -> bool:
        """Whether a cell of that column says that the row is deleted, or may be."""
        cell = cell.strip().casefold()
        return bool(cell) and cell not in vocabulary().not_void


@dataclass(frozen=True, slots=True)
class WithOpenDate:
    """A date of collection of one of these shapes is read only where its day and month cannot be
    exchanged: a step."""

    shapes: tuple[str, ...]

    def __call__(self, row: RawRow, _cells: Sequence[str]) -> RawRow:
        return row._replace(dates=EITHER) if self.says(row.collected_at) else row

    def says(self, text: str) -> bool:
        """Whether a date is of one of them."""
        return shape_of(text) in self.shapes
