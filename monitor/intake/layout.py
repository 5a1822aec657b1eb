"""How the rows of a table become raw rows: the long form (a row is a value), or the wide form
(a filled cell of an analyte's column is a value).

Raw rows come out of here in one shape, whatever the file looked like: everything after is the
same for every format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

from monitor.config import Source
from monitor.core.result_columns import ALL_COLUMNS, RESULT_COLUMNS
from monitor.intake.cell_steps import WithOpenDate
from monitor.intake.columns import Columns, fold, match, require
from monitor.intake.csv import Record
from monitor.intake.mark_steps import (
    with_comma_decimals,
    with_open_point,
    with_point_by_limits,
    with_the_other_mark,
)
from monitor.intake.raw import RawRow
from monitor.intake.row_steps import OfOrders, Step, steps_of, without_status
from monitor.intake.survey import UnreadableFile
from monitor.intake.vocabulary import is_blank, key_of, told_beside, vocabulary
from monitor.intake.wide import Known, WideColumn, split_unit, told_apart, wide_columns

_BESIDE = (
    "collected_at", "collected_day", "collected_time", "reported_at", "ref_low", "ref_high",
    "range", "status", "comment", "method", "issuer", "birth_date", "material", "flag", "condition",
    "void",
)  # fmt: skip
"""Columns in which a program may write `NULL` or `NA`. `NA` is sodium among codes, Null a family
name, and a value is judged as it is; a specimen's number is looked at wherever it comes from."""
_REQUIRED = ("mrn", "collected_at", "analyte", "value")
_CONVERTED = frozenset(("value_converted", "number_converted"))
_BY_CELLS = "monitor source learn FILE --name LAB may find it by its cells"
_NUMBER_OF_FLOATS = re.compile(r"(\d+)\.0+")


class Notation(NamedTuple):
    """How a table writes dates and numbers, as all of it shows."""

    dates: str = ""
    decimal: str = ""
    other_limits: bool = False
    """Limits are written with the other decimal mark than values."""
    typed: bool = False
    """Numbers as a spreadsheet has them, beside texts with a decimal comma."""
    flags: bool = False
    """The column of statuses holds flags (`H`, `L`, `N`), and says nothing."""
    open_point: bool = False
    """A point before three digits may mark thousands: the file is written where a comma marks
    decimals, and no value of it shows one; or some values show a comma and some a point."""
    point_by_limits: bool = False
    """It may do so by the limits of its row: nothing else shows the mark."""
    open_shapes: tuple[str, ...] = ()
    """How dates of collection are written whose order no date settles that is written alike."""
    materials: tuple[int, ...] = ()
    """Columns of an unknown name whose cells say what the specimen is."""

    def of(self, materials: Iterable[int]) -> Notation:
        """The same of a table in which these columns say what the specimen is."""
        return self._replace(materials=tuple(sorted(materials)))


@dataclass(frozen=True)
class Layout:
    """The layout of one table."""

    header: tuple[str, ...]
    columns: Columns
    pick: Callable[[Sequence[str]], tuple[str, ...]]
    tail: tuple[str, ...]
    """Cells behind the row's own: an empty one, then the source's constants."""
    unknown: tuple[int, ...]
    """Where the columns stand that mean nothing to us."""
    of_materials: OfOrders
    """The step for those of them whose cells name a material, once that was seen."""
    beside: tuple[int, ...] = ()
    """Columns beside the value in which programs write a word where they have nothing to say."""
    fill: Mapping[int, str] = field(default_factory=dict)
    """Constants for columns that the file has too: they fill empty cells."""
    comments: tuple[int, ...] = ()
    """Where further columns of comments stand, after the first."""
    wide: tuple[WideColumn, ...] = ()
    steps: tuple[Step, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    """Those of the source, and what the lines above the header say of every row."""
    stated: tuple[str, ...] = ()
    """Our columns that the lines above the header give."""
    place: str = ""
    notation: Notation = field(default_factory=Notation)
    unit_in_name: Callable[[str], tuple[str, str]] | None = None
    """Name and unit of `WBC [10*9/L]`, in a long form that has no other place for units."""
    whole_numbers: bool = False
    """Patient numbers end in .0, as the source says: a spreadsheet took them for amounts."""

    @property
    def dates(self) -> str:
        """The order of its dates."""
        return self.notation.dates

    @property
    def decimal(self) -> str:
        """The decimal mark of its values."""
        return self.notation.decimal

    @property
    def is_ours(self) -> bool:
        """Whether its columns have our own names, for which a point marks decimals."""
        position = self.columns.positions.get("collected_at")
        return position is not None and fold(self.header[position]) == fold("collected_at")

    @property
    def ignored(self) -> tuple[str, ...]:
        """The names of the columns that mean nothing to us."""
        return tuple(self.header[index] for index in self.unknown)

    @property
    def is_wide(self) -> bool:
        return bool(self.wide)

    def raw_rows(self, record: Record) -> Iterator[RawRow]:
        """The values of one record."""
        line, cells = record
        told = self._told(cells)
        for position, constant in self.fill.items():
            told[position] = told[position].strip() or constant
        picked = self.pick([*told, *self.tail])
        beside = (self.place, (), "", "", self.dates, self.decimal, False, False)
        if not self.wide:
            row = RawRow._make((line, *picked, Given(self.header, cells), *beside))
            yield self._finished(row, told)
            return
        base = [(self.header[i], cells[i]) for i in self._base(len(cells))]
        for column in self.wide:
            if not is_blank(cells[column.position]):
                given = (*base, *((self.header[i], cells[i]) for i in column.positions))
                row = RawRow._make((line, *picked, given, *beside))
                yield self._finished(column.of(row, told), told)

    def _told(self, cells: list[str]) -> list[str]:
        """The cells without what stands for nothing."""
        told = list(cells)
        for position in self.beside:
            told[position] = told_beside(told[position])
        return told

    def _finished(self, row: RawRow, cells: Sequence[str]) -> RawRow:
        if self.whole_numbers:
            row = row._replace(mrn=self.number(row.mrn))
        for step in self.steps:
            row = step(row, cells)
        return row

    def number(self, mrn: str) -> str:
        """A patient number as it is meant."""
        return _NUMBER_OF_FLOATS.sub(r"\1", mrn) if self.whole_numbers else mrn

    def _base(self, width: int) -> list[int]:
        values = {position for column in self.wide for position in column.positions}
        return [index for index in range(width) if index not in values]


class Given(Sequence[tuple[str, str]]):
    """Header names with cells, paired only when somebody asks."""

    __slots__ = ("_cells", "_header")

    def __init__(self, header: Sequence[str], cells: Sequence[str]) -> None:
        self._header, self._cells = header, cells

    def __len__(self) -> int:
        return min(len(self._header), len(self._cells))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return zip(self._header, self._cells, strict=False)

    def __getitem__(self, index: Any) -> Any:
        return list(self)[index]


def layout_of(
    header: Sequence[str],
    source: Source,
    known: Known,
    *,
    stated: Mapping[str, str] | None = None,
    serial_dates: bool = False,
) -> Layout:
    """The layout of a results table. `stated` is what the lines above the header say of every
    row (a report of one patient).

    Raises UnreadableFile where the required columns are not there and the source names no
    constant for them.
    """
    _refuse_other_kinds(header)
    header = told_apart(header, known)
    columns = _with_fallbacks(match(header, ALL_COLUMNS, source.columns))
    # A status above the rows is that of those whose own is empty.
    above = {
        name: it
        for name, it in (stated or {}).items()
        if name not in columns.positions or name == "status"
    }
    constants = above | source.constants
    wide = () if _has_value(columns, constants) else wide_columns(columns, header, known)
    _require(columns, wide, constants)
    unit_apart = "unit" in columns.positions or "unit" in constants
    tail, places = [""], {}
    for name, text in constants.items():
        places[name] = len(header) + len(tail)
        tail.append(text)
    positions = [columns.positions.get(n, places.get(n, len(header))) for n in RESULT_COLUMNS]
    comments = _further(header, columns, "comment")
    taken = {position for column in wide for position in column.positions}.union(comments)
    return Layout(
        header=tuple(header),
        columns=columns,
        pick=itemgetter(*positions),
        tail=tuple(tail),
        unknown=tuple(
            index
            for index, name in enumerate(header)
            if name and index not in taken and index not in columns.positions.values()
        ),
        of_materials=OfOrders((), known, frozenset((*source.codes, *source.ignore)), by_name=False),
        beside=tuple(columns.positions[name] for name in _BESIDE if name in columns.positions),
        fill={
            columns.positions[name]: text
            for name, text in constants.items()
            if name in columns.positions
        },
        comments=comments,
        wide=wide,
        steps=steps_of(
            columns.positions,
            source,
            known,
            orders=_orders(header, columns),
            comments=comments,
            serial_dates=serial_dates,
            unit_apart=unit_apart,
            surely_compared=_is_surely_compared(header, columns, source),
            signs_at=_unknown_beside_value(columns),
        ),
        unit_in_name=None if wide or unit_apart else partial(split_unit, known=known),
        constants=constants,
        whole_numbers=source.whole_numbers,
        stated=tuple(name for name in above if name not in source.constants),
    )


def _orders(header: Sequence[str], columns: Columns) -> tuple[int, ...]:
    """Every column that names an order or its kind: `UA` in one may be `Urinalysis` in another;
    beside one that names the specimen, those that name its source and the like."""
    if "material" in columns.positions:
        return _further(header, columns, "material")
    if "order" not in columns.positions:
        return ()
    return tuple(sorted((columns.positions["order"], *_further(header, columns, "order"))))


def _further(header: Sequence[str], columns: Columns, ours: str) -> tuple[int, ...]:
    """The columns besides the one that was found that are called like one of ours."""
    taken = set(columns.positions.values())
    named = (i for i, name in enumerate(header) if vocabulary().column_of(name) == ours)
    return tuple(i for i in named if i not in taken) if ours in columns.positions else ()


def _is_surely_compared(header: Sequence[str], columns: Columns, source: Source) -> bool:
    """Whether the column of comparators is named by the source, or by no word of anything else."""
    if "comparator" in source.columns:
        return True
    sure = frozenset[str]().union(*vocabulary().columns["comparator"].tiers[:2])
    position = columns.positions.get("comparator")
    return position is not None and key_of(header[position]) in sure


def _unknown_beside_value(columns: Columns) -> tuple[int, ...]:
    """The columns beside that of the values that are none of ours: they may hold their signs. One
    between the value and its limits may hold those of the limits."""
    if "value" not in columns.positions or "comparator" in columns.positions:
        return ()
    value, known = columns.positions["value"], set(columns.positions.values())
    behind = value + 1 + (columns.positions.get("unit") == value + 1)
    if behind + 1 in map(columns.positions.get, ("ref_low", "ref_high", "range")):
        behind = len(columns.header)
    found = [it for it in (value - 1, behind) if 0 <= it < len(columns.header)]
    return tuple(it for it in found if it not in known)


def with_reading(layout: Layout, notation: Notation) -> Layout:
    """The layout with what the whole file says of its notation."""
    odd = (
        with_the_other_mark, with_comma_decimals, without_status, with_open_point,
        with_point_by_limits,
    )  # fmt: skip
    steps = tuple(step for step in layout.steps if step not in odd and not _is_of_all_rows(step))
    if notation.other_limits:
        steps = (*steps, with_the_other_mark)
    if notation.typed:
        steps = (*steps, with_comma_decimals)
    if notation.flags:
        steps = (*steps, without_status)
    if notation.open_point:
        steps = (*steps, with_open_point)
    if notation.point_by_limits:
        steps = (*steps, with_point_by_limits)
    if notation.open_shapes:
        steps = (*steps, WithOpenDate(notation.open_shapes))
    if notation.materials:
        steps = (*steps, replace(layout.of_materials, positions=notation.materials))
    return replace(layout, notation=notation, steps=steps)


def _is_of_all_rows(step: Step) -> bool:
    return isinstance(step, WithOpenDate) or (isinstance(step, OfOrders) and not step.by_name)


def _with_fallbacks(columns: Columns) -> Columns:
    """A column of days alone, or of times alone, is when the blood was taken; a result text alone
    the value; a standard result alone is no other one than its own number."""
    positions = dict(columns.positions)
    if _is_called(columns, "value", _CONVERTED):
        positions.pop("value_converted", None)
        if "number_converted" in positions:
            positions["value_number"] = positions.pop("number_converted")
    elif {"unit_converted", "value_text"} <= positions.keys() and not (_CONVERTED & set(positions)):
        # A raw result with the unit of its own beside one that was made of it.
        positions["value_converted"] = positions.pop("value_text")
    if _is_called(columns, "unit", ("unit_concept",)):
        positions["unit_concept"] = positions["unit"]
    alone = ("collected_at", "collected_day"), ("collected_at", "collected_time")
    for name, instead in (*alone, ("value", "value_text")):
        if name not in positions and instead in positions:
            positions[name] = positions.pop(instead)
    return replace(columns, positions=positions)


def _is_called(columns: Columns, ours: str, lesser: Iterable[str]) -> bool:
    """Whether one of our columns has a name that serves one of these others beside a better one."""
    position = columns.positions.get(ours)
    known = vocabulary().columns[ours].lesser
    return position is not None and any(
        key_of(columns.header[position]) in known[it] for it in lesser
    )


def _require(columns: Columns, wide: Sequence[WideColumn], constants: Mapping[str, str]) -> None:
    present = [*columns.positions, *constants]
    if "code" in present:
        present.append("analyte")
    wanted = ("mrn", "collected_at") if wide else _REQUIRED
    require(columns, wanted, present, advice=_BY_CELLS)


def _refuse_other_kinds(header: Sequence[str]) -> None:
    names = {fold(name) for name in header}
    if {"mrn", "drug", "startedon"} <= names:
        raise UnreadableFile("this is an enrolment file, no results: monitor enrol takes it")
    if {"mrn", "on", "event"} <= names:
        raise UnreadableFile("this is an events file, no results: monitor events takes it")


def require_unit(layout: Layout, source: Source) -> None:
    """Raises UnreadableFile where a long form has no unit anywhere: no column, no constant, no
    default of the source."""
    if not (layout.wide or source.units):
        present = [*layout.columns.positions, *layout.constants]
        require(layout.columns, ("unit",), present, advice=_BY_CELLS)


def _has_value(columns: Columns, constants: Mapping[str, str]) -> bool:
    return "value" in columns.positions or "value" in constants
