"""Tables that stand one under another: a page's header again, a table of other columns, the next
patient's report. Rows are read under the lines that stand above them, and under no others.

Who a report is of is said anew in each, or goes on from the one before; where a line names a
patient and no number can be read there, the rows below it are nobody's until a person says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from monitor.intake.csv import Record, Score, names_of
from monitor.intake.profile import is_beside_a_table
from monitor.intake.raw import BadLine
from monitor.intake.stated import Stated, said_by

_SURE = 3
"""Columns that a line names to be a header for certain."""


@dataclass(slots=True)
class Section:
    """One table of several: what stands above it, its header, its rows."""

    preamble: list[Record]
    header: Record
    stated: Mapping[str, str]
    rows: list[Record | BadLine] = field(default_factory=list)


def sections_of(
    preamble: Sequence[Record],
    header: Record,
    below: Sequence[Record | BadLine],
    key_column: int | None,
    score: Score,
) -> list[Section]:
    """The tables from the first header on. `key_column` is one in which every row of the first
    table has a digit (a date, a number): other lines may begin a table."""
    said = said_by(preamble)
    current = Section(list(preamble), header, said.found)
    sections = [current]
    between: list[Record] = []
    for item in below:
        width = len(current.header.cells)
        if isinstance(item, BadLine) or not _may_begin(item, width, key_column):
            if said_by(between).names_somebody:
                current = _next(current, current.header, between)
                sections.append(current)
            else:
                current.rows += between
            between = []
            current.rows.append(item)
        elif _is_header(item, current.header, score):
            key_column = key_column if _same(item, current.header) else None
            current = _next(current, item, between)
            sections.append(current)
            between = []
        elif _stands_between(item):
            between.append(item)
        else:
            current.rows += [*between, item]
            between = []
    current.rows += between
    return sections


def _next(before: Section, header: Record, between: Sequence[Record]) -> Section:
    stated = following(before.stated, said_by(between))
    return Section(list(between), header, stated)


def following(before: Mapping[str, str], said: Stated) -> Mapping[str, str]:
    """What holds for a table below another one, after the lines between them."""
    kept = dict(before)
    if said.names_somebody:
        kept = {name: text for name, text in kept.items() if name not in said.PERSON}
        kept |= {"mrn": ""} if "mrn" in before else {}
    return kept | dict(said.found)


def _may_begin(record: Record, width: int, key_column: int | None) -> bool:
    cells = record.cells
    if key_column is None or key_column >= len(cells):
        return True
    fits = len(cells) == width or not any(cell.strip() for cell in cells[width:])
    return not fits or not any(sign.isdigit() for sign in cells[key_column])


def _same(record: Record, header: Record) -> bool:
    return _names(record) == _names(header)


def _names(record: Record) -> list[str]:
    names = names_of(record.cells)
    while names and not names[-1]:
        names.pop()
    return names


def _is_header(record: Record, header: Record, score: Score) -> bool:
    """The header again, or a line most of whose cells name a column."""
    return _same(record, header) or names_columns(record.cells, score)


def names_columns(cells: Sequence[str], score: Score) -> bool:
    """Whether these are the cells of a header for certain."""
    filled = [name for name in names_of(cells) if name]
    if len(filled) < _SURE or any(map(_is_number, filled)):
        return False
    known = score(filled)
    return known >= _SURE and known * 2 >= len(filled)


def _is_number(text: str) -> bool:
    return text[:1].isdigit() and not any(sign.isalpha() for sign in text)


def _stands_between(record: Record) -> bool:
    """A line as it stands above or below a table: the patient, a title, a ruler, a signature."""
    filled = [cell.strip() for cell in record.cells if cell.strip()]
    if not filled:
        return True
    if said_by([record]).says_something:
        return True
    is_title = len(filled) == 1 and not any(sign.isdigit() for sign in filled[0])
    return is_title or is_beside_a_table(filled)
