"""Workbooks (Excel, OpenDocument): sheets as records of text, dates in ISO, numbers as typed.

The library reads a sheet into memory as a whole, so what a sheet may span is looked up before:
a workbook of a few bytes can claim a billion cells.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import MAXYEAR, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import NamedTuple, TypeVar

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from monitor.intake.columns import PERSON_COLUMNS
from monitor.intake.csv import (
    HEADER_WITHIN,
    Record,
    Rows,
    Score,
    Table,
    best_record,
    fitting,
    names_of,
    table_at,
)
from monitor.intake.merged_cells import Range, merged_cells
from monitor.intake.opendocument import cells_of, check_xml
from monitor.intake.percent_cells import percent_cells
from monitor.intake.shown_cells import shown_cells
from monitor.intake.storable import storable
from monitor.intake.survey import DAMAGED_ARCHIVE, Survey, UnreadableFile
from monitor.intake.uncalculated import uncalculated_cells
from monitor.intake.vocabulary import vocabulary
from monitor.intake.workbook_trial import survives

T = TypeVar("T")
MOST_CELLS = 5_000_000
MOST_BYTES = 200 << 20
"""Of a workbook, unpacked; of an old one, as it is."""
_REFERENCE = re.compile(
    rb"""<(?:[\w.-]+:)?(?:c|row)(?=\s)[^>]*?\sr\s*=\s*(?:"([^"]*)"|'([^']*)')"""
)
"""Where a cell or a row says that it stands, in whichever spelling the library takes."""
_PLACE = re.compile(rb"([A-Za-z]{1,3})?(\d{1,7})")
_BLOCK = 1 << 20
_CELL_CHARACTERS = 32_767
_MOST_IN_PERCENT = 1e15
_OF_ONE_ROW = ("value", "value_text", "comparator", "flag", "comment", "status")
"""What is never meant for several rows."""
_OF_PEOPLE = (*PERSON_COLUMNS, "issuer", "patient_name")
_ANY_DAY = date(2000, 1, 1)
NOT_CALCULATED = "(a formula that was not calculated)"
_SAVE_AS_CSV = "save the sheet as CSV (UTF-8)"


def open_sheets(survey: Survey, score: Score) -> tuple[list[Table], list[str]]:
    """The tables of all visible sheets whose header names a column, and what was passed over,
    in sentences. Raises UnreadableFile where the workbook cannot be read."""
    if survey.encoding == "xlsx":
        _refuse_too_large(survey)
    elif survey.encoding == "ods":
        _refuse_too_many(survey)
    elif survey.size > MOST_BYTES:
        raise UnreadableFile(f"a workbook of more than {MOST_BYTES >> 20} MB: {_SAVE_AS_CSV}")
    else:
        _refuse_deadly(survey)
    return _guarded(partial(_tables, survey, score))


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet with what the library does not say of its cells. Rows and columns are counted
    from 0."""

    read: CalamineSheet
    in_percent: Mapping[int, frozenset[int]]
    """Cells shown in percent: by their row, the columns."""
    uncalculated: Mapping[int, frozenset[int]]
    """Cells with a formula that was never calculated, in the same way."""
    ranges: Sequence[Range]
    """Cells that are merged."""
    shown: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    """Cells of which a person sees more, in the same way, with what that is."""
    merged: Mapping[int, Sequence[tuple[int, int]]] = field(default_factory=dict)
    """Cells that reach further below: by their row, the place among the cells and the last row."""


def _tables(survey: Survey, score: Score) -> tuple[list[Table], list[str]]:
    tables, notes = [], []
    shown_in_percent, never_calculated = percent_cells(survey), uncalculated_cells(survey)
    merged_below, shown = merged_cells(survey), shown_cells(survey)
    with survey.open() as stream, CalamineWorkbook.from_filelike(stream) as workbook:
        for index, about in enumerate(workbook.sheets_metadata):
            if about.typ is not SheetTypeEnum.WorkSheet:
                continue
            if about.visible is not SheetVisibleEnum.Visible:
                notes.append(f'sheet "{about.name}" is hidden and was not read')
                continue
            read = workbook.get_sheet_by_index(index)
            sheet = _Sheet(
                read,
                shown_in_percent.get(index, {}),
                never_calculated.get(index, {}),
                read.merged_cell_ranges or merged_below.get(index, ()),
                shown.get(index, {}),
            )
            last_row, last_column = sheet.read.end or (0, 0)
            _refuse_wide(last_row + 1, last_column + 1)
            records = list(_records(sheet, HEADER_WITHIN))
            points, header = best_record(records, score)
            if not points:
                if records:
                    notes.append(f'sheet "{about.name}" has no header we know and was not read')
                continue
            sheet = _with_merged(_without_people(sheet, records[header]), records[header])
            if cells := sum(map(len, sheet.uncalculated.values())):
                notes.append(
                    f'sheet "{about.name}" has {cells} formulas that were never calculated: open '
                    "the workbook in its program, save it, and load it again"
                )
            rows = partial(_rows, sheet, records[header])
            whole = partial(_all, sheet)
            tables.append(table_at(records, header, "", rows, about.name, whole))
    return tables, notes


def _guarded(read: Callable[[], T]) -> T:
    """Run the library; whatever it does not take is a file that cannot be read."""
    try:
        return read()
    except PasswordError:
        raise UnreadableFile("the workbook is protected by a password: save it without") from None
    except (CalamineError, OSError, ValueError, KeyError):
        raise UnreadableFile(f"the workbook is damaged: {_SAVE_AS_CSV}") from None
    except BaseException as fault:
        # A panic of the library, which is no Exception.
        if type(fault).__name__ != "PanicException":
            raise
        raise UnreadableFile(f"the workbook is damaged: {_SAVE_AS_CSV}") from None


def _rows(sheet: _Sheet, header: Record) -> Rows:
    names = names_of(header.cells)
    records = (record for record in _records(sheet) if record.line > header.line)
    yield from fitting(records, names)


def _all(sheet: _Sheet) -> Rows:
    yield from _records(sheet)


def _with_merged(sheet: _Sheet, header: Record) -> _Sheet:
    """The sheet with what is merged below its header: a number or a day written once for several
    rows is that of each. A value is one row's, however it is drawn."""
    start = sheet.read.start
    if start is None or not sheet.ranges:
        return sheet
    names = names_of(header.cells)
    said = {
        index + start[1]
        for index, name in enumerate(names)
        if name and vocabulary().column_of(name) not in ("", *_OF_ONE_ROW)
    }
    merged: dict[int, list[tuple[int, int]]] = {}
    for (top, left), (bottom, right) in sheet.ranges:
        if top >= header.line and bottom > top and left == right and left in said:
            merged.setdefault(top, []).append((left - start[1], bottom))
    return replace(sheet, merged=merged)


def _without_people(sheet: _Sheet, header: Record) -> _Sheet:
    """The sheet without formulas for who somebody is: no text stands for a number or a name."""
    start = sheet.read.start
    if start is None or not sheet.uncalculated:
        return sheet
    theirs = {
        index + start[1]
        for index, name in enumerate(names_of(header.cells))
        if name and vocabulary().column_of(name) in _OF_PEOPLE
    }
    left = {row: columns - theirs for row, columns in sheet.uncalculated.items()}
    return replace(sheet, uncalculated={row: columns for row, columns in left.items() if columns})


def _records(sheet: _Sheet, most: int | None = None) -> Iterator[Record]:
    """The rows of a sheet that are not blank, with their numbers, as wide as the sheet."""
    start = sheet.read.start
    if start is None:
        return
    found = 0
    carried: dict[int, tuple[int, str]] = {}
    # The rows are given from the first of the sheet on, the columns from the first that is filled.
    for number, row in enumerate(sheet.read.iter_rows()):
        cells = _cells_of(sheet, number, row, start[1])
        for column, bottom in sheet.merged.get(number, ()):
            carried[column] = bottom, cells[column]
        if not any(cells):
            continue
        for column in sheet.uncalculated.get(number, ()):
            _show(cells, column - start[1], NOT_CALCULATED)
        for column, (bottom, text) in carried.items():
            if number <= bottom:
                cells[column] = cells[column] or text
        yield Record(number + 1, cells)
        found += 1
        if found == most:
            return


def _cells_of(sheet: _Sheet, number: int, row: Sequence[object], first_column: int) -> list[str]:
    """The cells of a row as a person sees them."""
    cells = [text_of(value) for value in row]
    for column, text in sheet.shown.get(number, {}).items():
        _show(cells, column - first_column, text)
    for column in sheet.in_percent.get(number, ()):
        _show_in_percent(row, cells, column - first_column)
    return cells


def text_of(value: object) -> str:
    """A cell as text: dates in ISO, a number with the digits that were typed."""
    if isinstance(value, str):
        return storable(value).strip()[:_CELL_CHARACTERS]
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        value = _to_the_second(value)
        return value.isoformat(timespec="seconds" if value.second else "minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        value = _to_the_second(datetime.combine(_ANY_DAY, value)).time()
        return value.isoformat(timespec="seconds" if value.second else "minutes")
    if isinstance(value, timedelta):
        return str(value)
    return "" if value is None else str(value)


def _to_the_second(value: datetime) -> datetime:
    """The nearest second: a time is a fraction of a day there, and few programs write all of its
    digits."""
    if value.year == MAXYEAR:
        return value
    return (value + timedelta(microseconds=500_000)).replace(microsecond=0)


def _show_in_percent(row: Sequence[object], cells: list[str], column: int) -> None:
    """The text of such a cell as a person sees it: 23.5 % is kept as 0.235."""
    value = row[column] if 0 <= column < len(row) else None
    if isinstance(value, float) and abs(value) < _MOST_IN_PERCENT:
        cells[column] = f"{(Decimal(repr(value)) * 100).normalize():f}%"


def _show(cells: list[str], column: int, text: str) -> None:
    if 0 <= column < len(cells):
        cells[column] = text


def _number(value: float) -> str:
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return format(Decimal(repr(value)), "f") if abs(value) < 1e300 else repr(value)


def _refuse_deadly(survey: Survey) -> None:
    with survey.open() as stream:
        if not survives(stream):
            raise UnreadableFile(f"the workbook is damaged: {_SAVE_AS_CSV}")


def _refuse_too_large(survey: Survey) -> None:
    """Raises UnreadableFile where the sheets span more than can be held."""
    try:
        with survey.open() as stream, zipfile.ZipFile(stream) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
                raise UnreadableFile(
                    f"a workbook of more than {MOST_BYTES >> 20} MB, unpacked: {_SAVE_AS_CSV}"
                )
            for entry in archive.infolist():  # a sheet may have any name
                _refuse_too_wide(archive, entry)
    except DAMAGED_ARCHIVE:
        raise UnreadableFile(f"the workbook is damaged: {_SAVE_AS_CSV}") from None


def _refuse_too_many(survey: Survey) -> None:
    """The same for an OpenDocument spreadsheet."""
    try:
        with survey.open() as stream, zipfile.ZipFile(stream) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            cells = cells_of(archive) if unpacked <= MOST_BYTES else 0
            if unpacked <= MOST_BYTES and cells <= MOST_CELLS:
                check_xml(archive)
    except (*DAMAGED_ARCHIVE, KeyError):
        raise UnreadableFile(f"the workbook is damaged: {_SAVE_AS_CSV}") from None
    if unpacked > MOST_BYTES or cells > MOST_CELLS:
        raise UnreadableFile(f"a spreadsheet of more than can be held at once: {_SAVE_AS_CSV}")


def _refuse_too_wide(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    lowest, rightmost, rest = _Corner(1, ""), _Corner(1, ""), b""
    with archive.open(entry) as stream:
        while block := stream.read(_BLOCK):
            text = rest + block
            for quoted, single in _REFERENCE.findall(text):
                place = _PLACE.fullmatch(quoted or single)
                if place is None:
                    raise UnreadableFile(f"the workbook is damaged: {_SAVE_AS_CSV}")
                row = int(place[2])
                if row > lowest.number or (row == lowest.number and lowest.place.isdigit()):
                    lowest = _Corner(row, place[0].decode())
                if place[1] and (column := _column(place[1].upper())) > rightmost.number:
                    rightmost = _Corner(column, place[0].decode())
            begun = text.rfind(b"<")
            rest = text[begun:] if begun >= 0 else b""
    _refuse_wide(lowest.number, rightmost.number, (lowest.place, rightmost.place))


class _Corner(NamedTuple):
    """The last row or column that is filled, and what says so: a cell (`D7`) or a row (`7`)."""

    number: int
    place: str


def _refuse_wide(rows: int, columns: int, places: Sequence[str] = ()) -> None:
    """Raises UnreadableFile where a sheet of so many cells takes too long to be read."""
    if columns * rows <= MOST_CELLS:
        return
    named = " and ".join(f'"{it}"' for it in dict.fromkeys(it for it in places if it))
    reach = f", up to {named}" if named else ""
    raise UnreadableFile(
        f"a sheet that spans {rows:,} rows and {columns:,} columns{reach}: delete what stands far "
        f"from the table, or {_SAVE_AS_CSV}"
    )


def _column(letters: Sequence[int]) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
