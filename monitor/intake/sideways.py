"""Tables that lie on their side: analytes as rows, and a column for each specimen, under its date
(a cumulative report) or under a patient and a date.

They are turned into the long form, a filled cell a row, with our own names as header: all that
follows is the same as for any other table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from monitor.intake.csv import HEADER_WITHIN, Record
from monitor.intake.dates import are_clocks_in_digits, day_in_any_order, is_time
from monitor.intake.ranges import limits_of
from monitor.intake.raw import BadLine
from monitor.intake.sections import following
from monitor.intake.stated import Stated, said_by
from monitor.intake.under_headings import heading_in, marked, material_of
from monitor.intake.vocabulary import is_blank, vocabulary
from monitor.intake.wide import Known, split_unit

_OF_SPECIMEN = ("mrn", "specimen_id", "collected_time", "reported_at", "issuer", "status")
_OF_ANALYTE = ("unit", "range", "ref_low", "ref_high", "code", "material", "mrn", "comment")
_MOST_COLUMNS = 2000


@dataclass(frozen=True, slots=True)
class Sideways:
    """One table that lay on its side, in the long form."""

    header: tuple[str, ...]
    header_line: int
    preamble: tuple[Record, ...]
    stated: Mapping[str, str]
    rows: tuple[Record | BadLine, ...]


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where in a table what stands."""

    label: int
    """The column that names the analytes."""
    dates: Mapping[int, str]
    """The date of each specimen's column."""
    beside: Mapping[str, Mapping[int, str]]
    """What else is said of each specimen, by our column."""
    fixed: Mapping[str, int]
    """What is said of each analyte, by our column."""
    first: int
    """Which record is the first of an analyte, among all."""
    begins: int
    """Which record is the first of the header."""


def turned(records: Sequence[Record | BadLine], known: Known) -> list[Sideways]:
    """The tables among the records, each in the long form; none where the first does not lie on
    its side."""
    found: list[Sideways] = []
    said = Stated()
    start = 0
    while (frame := _frame_of(records, start, known)) is not None:
        above = [it for it in records[start : frame.begins] if isinstance(it, Record)]
        said = following(said, said_by(above))
        end = _end_of(records, frame, known)
        found.append(_in_long_form(records, frame, end, above, said.found, known))
        start = end
    if found and start < len(records):
        rest = tuple(
            BadLine(it.line, "no_table", "below the tables, and no row of them", _text(it))
            for it in records[start:]
            if isinstance(it, Record) and any(sign.isdigit() for sign in _text(it))
        )
        last = found[-1]
        found[-1] = Sideways(
            last.header, last.header_line, last.preamble, last.stated, (*last.rows, *rest)
        )
    return found


def _text(record: Record) -> str:
    return " | ".join(record.cells)[:2000]


def _frame_of(records: Sequence[Record | BadLine], start: int, known: Known) -> _Frame | None:
    first, label = _first_analyte(records, start, known)
    if first < 0:
        return None
    top = [
        (index, it)
        for index, it in enumerate(records[start:first], start)
        if isinstance(it, Record)
    ]
    dated = [(index, found) for index, it in top if (found := _dates_of(it, label))]
    if not dated:
        return None
    # A patient's number such as 20260113 reads as a day too.
    index, dates = max(dated, key=lambda it: (not _are_numbers(records[it[0]]), len(it[1])))
    beside: dict[str, Mapping[int, str]] = {}
    begins = index
    for number, record in top:
        role, cells = _of_specimens(record, label, dates)
        if number != index and role and role not in beside:
            beside[role] = cells
            begins = min(begins, number)
    dates = _spread(dates, beside.get("collected_time", {}))
    fixed = _fixed(records, index, first, label, dates, known)
    dates |= _undated(records, index, first, dates, fixed)
    return _Frame(label, dates, beside, fixed, first, begins)


def _first_analyte(
    records: Sequence[Record | BadLine], start: int, known: Known
) -> tuple[int, int]:
    """Which record is the first that names an analyte to the left of a filled cell, and in which
    column; (-1, 0) where none does."""
    for index in range(start, min(len(records), start + HEADER_WITHIN)):
        record = records[index]
        if not isinstance(record, Record):
            continue
        for column, cell in enumerate(record.cells[:4]):
            if _is_analyte(cell, known) and any(it.strip() for it in record.cells[column + 1 :]):
                return index, column
            if vocabulary().column_of(cell) not in ("", "code"):
                break
    return -1, 0


def _is_analyte(cell: str, known: Known) -> bool:
    text = cell.strip()
    return bool(text) and known.analyte(split_unit(text, known)[0])


def _dates_of(record: Record, label: int) -> dict[int, str]:
    """The columns of a line that hold a date; none where its title says that they are dates of
    something else than of collection."""
    cells = record.cells
    found = {
        index: cell.strip()
        for index, cell in enumerate(cells[:_MOST_COLUMNS])
        if index > label and day_in_any_order(cell) is not None
    }
    title = _title_of(cells[: min(found, default=0)])
    meaning = vocabulary().column_of(title.rstrip(": "))
    if meaning in ("birth_date", "reported_at") or (title.strip() and not meaning):
        return found if len(found) > 1 and not meaning else {}
    return found


def _are_numbers(record: Record | BadLine) -> bool:
    """Whether a line gives the numbers of patients or specimens."""
    title = _title_of(record.cells) if isinstance(record, Record) else ""
    return vocabulary().column_of(title.rstrip(": ")) in ("mrn", "specimen_id")


def _title_of(cells: Sequence[str]) -> str:
    return next((cell for cell in cells if cell.strip()), "")


def _of_specimens(
    record: Record, label: int, dates: Mapping[int, str]
) -> tuple[str, dict[int, str]]:
    """What a line of the header says of each specimen, as our column and its cells."""
    first = min(dates)
    cells = {
        index: cell.strip()
        for index, cell in enumerate(record.cells)
        if index >= first and cell.strip()
    }
    if not cells:
        return "", {}
    if all(map(is_time, cells.values())):
        return "collected_time", cells
    title = _title_of(record.cells[: label + 1])
    if not title and set(cells) >= set(dates) and are_clocks_in_digits(cells.values()):
        return "collected_time", cells
    role = vocabulary().column_of(title.rstrip(": "))
    if _is_of_the_report(record, title, cells):
        return "", {}
    return (role, cells) if role in _OF_SPECIMEN and set(cells) >= set(dates) else ("", {})


def _is_of_the_report(record: Record, title: str, cells: Mapping[int, str]) -> bool:
    """Whether a line says one thing after another of the whole report (`Patient;C300;Keller,
    Anna;DOB;01.05.1970`), though some of it stands above the specimens."""
    between = record.cells[record.cells.index(title) + 1 : min(cells)] if title else []
    titled = any(vocabulary().column_of(cell.rstrip(": ")) for cell in cells.values())
    return titled or any(cell.strip() for cell in between)


def _spread(dates: Mapping[int, str], times: Mapping[int, str]) -> dict[int, str]:
    """A date over several columns of different times belongs to each of them."""
    found = dict(dates)
    for index in sorted(times):
        before = [column for column in dates if column < index]
        if index not in found and before:
            found[index] = dates[max(before)]
    return found


def _fixed(
    records: Sequence[Record | BadLine],
    begins: int,
    first: int,
    label: int,
    dates: Mapping[int, str],
    known: Known,
) -> dict[str, int]:
    found: dict[str, int] = {}
    top = [it for it in records[begins:first] if isinstance(it, Record)]
    rows = [it for it in records[first : first + HEADER_WITHIN] if isinstance(it, Record)]
    width = max(len(it.cells) for it in rows)
    named = [cell for it in top for cell in it.cells]
    for column in range(min(width, _MOST_COLUMNS)):
        if column == label or column in dates:
            continue
        titles = [it.cells[column] for it in top if column < len(it.cells)]
        title = next((it for it in reversed(titles) if it.strip()), "")
        role = vocabulary().column_among(title, named) if title else ""
        role = role or _by_content(rows, column, label, known)
        if role in _OF_ANALYTE and role not in found:
            found[role] = column
    return found


def _undated(
    records: Sequence[Record | BadLine],
    begins: int,
    first: int,
    dates: Mapping[int, str],
    fixed: Mapping[str, int],
) -> dict[int, str]:
    """Columns of numbers among the specimens whose date cannot be read, with what stands there
    instead: their values are held, and never passed over."""
    top = records[begins]
    titles = top.cells if isinstance(top, Record) else []
    found: dict[int, str] = {}
    for record in records[first : first + HEADER_WITHIN]:
        for column, cell in enumerate(record.cells if isinstance(record, Record) else ()):
            if column <= min(dates) or column in dates or column in fixed.values():
                continue
            title = titles[column].strip() if column < len(titles) else ""
            if cell.strip()[:1].isdigit() and not vocabulary().column_of(title):
                found[column] = title
    return found


def _by_content(rows: Sequence[Record], column: int, label: int, known: Known) -> str:
    """Whether a column without a name holds units or limits, and nothing else."""
    pairs = [
        (split_unit(it.cells[label], known)[0], it.cells[column].strip())
        for it in rows
        if column < len(it.cells)
        and label < len(it.cells)
        and it.cells[column].strip()
        and _is_analyte(it.cells[label], known)
    ]
    if pairs and all(known.unit(name, text) for name, text in pairs):
        return "unit"
    limits = [limits_of(text) for _, text in pairs]
    if limits and all(map(any, limits)) and any(all(it) for it in limits):
        return "range"
    return ""


def _end_of(records: Sequence[Record | BadLine], frame: _Frame, known: Known) -> int:
    """Where the next table begins: with a line of dates, or one that names a patient."""
    for index in range(frame.first, len(records)):
        record = records[index]
        if not isinstance(record, Record):
            continue
        label = record.cells[frame.label] if frame.label < len(record.cells) else ""
        if _is_analyte(label, known):
            continue
        dated = {column for column in _dates_of(record, frame.label) if column in frame.dates}
        if dated or said_by([record]).names_somebody:
            return index
    return len(records)


def _in_long_form(
    records: Sequence[Record | BadLine],
    frame: _Frame,
    end: int,
    above: Sequence[Record],
    stated: Mapping[str, str],
    known: Known,
) -> Sideways:
    fixed = {
        name: it for name, it in frame.fixed.items() if name not in frame.beside and name != "unit"
    }
    header = ("analyte", "unit", *fixed, "collected_at", *frame.beside, "value")
    rows: list[Record | BadLine] = []
    material = ""
    for index, it in enumerate(records[frame.begins : end], frame.begins):
        if isinstance(it, BadLine):
            rows += [it] if index >= frame.first else []
            continue
        found = material_of(heading_in(it.cells))
        material = material if found is None else found
        if index >= frame.first:
            rows += _values(it, frame, tuple(fixed.values()), known, material)
    return Sideways(header, records[frame.begins].line, tuple(above), stated, tuple(rows))


def _values(
    record: Record, frame: _Frame, fixed: Sequence[int], known: Known, material: str
) -> Iterator[Record]:
    """One record for each filled cell of a specimen. A unit may stand behind the name; the heading
    above may say that it is of another material than blood."""
    cells = record.cells

    def at(index: int) -> str:
        return cells[index].strip() if index < len(cells) else ""

    name, unit = split_unit(at(frame.label), known)
    if not known.unit(name, unit):
        name, unit = at(frame.label), ""
    if material and not vocabulary().is_of_blood(name):
        name = marked(name, material)
    of_analyte = [name, at(frame.fixed.get("unit", len(cells))) or unit]
    of_analyte += [at(index) for index in fixed]
    for column, day in sorted(frame.dates.items()):
        if not is_blank(at(column)):
            beside = [it.get(column, "") for it in frame.beside.values()]
            yield Record(record.line, [*of_analyte, day, *beside, at(column)])
