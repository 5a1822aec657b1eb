"""What a file or sheet looks like as a whole: one table, several one under another, one that lies
on its side, one whose header has more than one line. Each becomes plain tables with one header."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import islice

from monitor.config import Source
from monitor.intake.csv import Record, Score, Table, fitting, names_of
from monitor.intake.headings import two_lines, with_units
from monitor.intake.layout import Layout, layout_of
from monitor.intake.raw import BadLine
from monitor.intake.records import Parts
from monitor.intake.sections import Section, names_columns, sections_of
from monitor.intake.sideways import turned
from monitor.intake.stated import said_by, stated_above
from monitor.intake.survey import UnreadableFile
from monitor.intake.table_look import key_column
from monitor.intake.wide import Known

_MOST_RECORDS = 1_000_000
_SHOWN = 2000
_HEADING = 2
"""Lines below a header that may belong to it."""
NO_HEADER = "no_header"
_OF_A_PAIR = 2
"""Cells of a line that states one thing."""
_VALUE = re.compile(
    r"\s*[<>\u2264\u2265]?=?\s*\d+(?:[.,]\d+)*\s*(?:[(\[]?(?:[HLN]{1,2}|\*)[)\]]?\s*$|$|[-\u2013]\s*\d)"
)
"""`3.1`, `3.1 L`, `<5`, `3.8-10.8 Thousand/uL`; a unit (`10*9/L`) is none."""
Item = Record | BadLine


def shaped(
    table: Table, mapping: Source, known: Known, score: Score, *, all_of_it: bool
) -> list[Table]:
    """The tables that a file or sheet holds; the one given where it is plain, or where nothing
    is found that can be read. Unless `all_of_it` is asked for, a file is looked at only where its
    rows hang on what stands above them, or where it could not be read as it is. Raises
    UnreadableFile where it is too long for that, but could be read wrongly as it is."""
    whole = table.whole
    if whole is None:
        return [table]
    best = table.header_line
    earlier = _of_an_earlier_header(table, mapping, known, score)
    table = earlier or table
    layout = _layout(table.header, mapping, known, stated_above(table.preamble))
    is_list = layout is not None and not layout.stated and earlier is None
    if is_list and not all_of_it and not _has_units_beside(table, known):
        return [table]
    records = list(islice(whole(), _MOST_RECORDS + 1))
    if len(records) > _MOST_RECORDS:
        if layout is None:
            return [table]
        raise UnreadableFile(
            "its rows hang on lines that stand above or among them (whose they are, or another "
            f"header), and there are more than {_MOST_RECORDS:,} of them: load it in parts, "
            "each with the lines that stand above its rows"
        )
    at = next((i for i, it in enumerate(records) if it.line == table.header_line), None)
    header = None if at is None else records[at]
    if at is None or not isinstance(header, Record):
        return [table]
    if layout is not None:
        above = [it for it in records[:at] if isinstance(it, Record)]
        sections = sections_of(above, header, records[at + 1 :], key_column(layout), score, best)
        return _tables(table, sections, mapping, known)
    lying = [
        replace(
            table,
            header=list(it.header),
            header_line=it.header_line,
            parts=partial(_rows, it.rows, it.header),
            preamble=it.preamble,
            stated=it.stated,
            is_turned=True,
        )
        for it in turned(records, known)
    ]
    if lying and all(_fits(it, mapping, known) for it in lying):
        return lying
    return _of_two_lines(table, records, at, mapping, known) or [table]


def _of_an_earlier_header(
    table: Table, mapping: Source, known: Known, score: Score
) -> Table | None:
    """The table whose header stands above the one that names the most columns, and can be read
    too: what stands between the two are its rows, and nothing that is said of others."""
    for place, record in enumerate(table.preamble):
        names, above = names_of(record.cells), table.preamble[:place]
        if not names_columns(names, score):
            continue
        if _layout(names, mapping, known, stated_above(above)) is not None:
            return replace(table, header=names, header_line=record.line, preamble=above)
    return None


def _has_units_beside(table: Table, known: Known) -> bool:
    """Whether the line above or below the header is one of units or limits."""
    assert table.whole is not None
    with closing(table.whole()) as records:
        below = list(islice((it for it in records if it.line > table.header_line), _HEADING))
    above = table.preamble[-1] if table.preamble else None
    return with_units(table.header, above, below, known) != (table.header, below)


def _tables(
    table: Table, sections: Sequence[Section], mapping: Source, known: Known
) -> list[Table]:
    """The sections as tables; the rows under a header that cannot be read are held."""
    found: list[Table] = []
    for section in sections:
        above = section.preamble[-1] if section.preamble else None
        names, rows = with_units(names_of(section.header.cells), above, section.rows, known)
        stated = section.stated
        if (
            len(sections) == 1
            and _is_whole(table, names, stated)
            and len(rows) == len(section.rows)
        ):
            return [table]
        if not rows and (found or section is not sections[-1]):
            continue  # a header that another one follows, and that may lack a unit
        layout = _layout(names, mapping, known, stated)
        if layout is None and found:
            found[-1] = and_held(found[-1], section.rows, section.header.line)
            continue
        found.append(
            replace(
                table,
                header=names,
                header_line=section.header.line,
                parts=partial(_rows, tuple(rows), tuple(names)),
                preamble=tuple(section.preamble),
                stated=stated,
            )
        )
    return found


def _is_whole(table: Table, names: Sequence[str], stated: Mapping[str, str]) -> bool:
    """Whether the only section of a table says no more than the table: it is read as it is."""
    return list(names) == table.header and stated == stated_above(table.preamble)


def _of_two_lines(
    table: Table, records: Sequence[Item], at: int, mapping: Source, known: Known
) -> list[Table]:
    """The table whose header is in two lines: the one found, and the one above or below it."""
    for upper, lower in ((at - 1, at), (at, at + 1)):
        if upper < 0 or lower >= len(records):
            continue
        first, second = records[upper], records[lower]
        if not isinstance(first, Record) or not isinstance(second, Record):
            continue
        if _only_states(first) or _has_values(first) or _has_values(second):
            continue
        joined = two_lines(names_of(first.cells), names_of(second.cells), known)
        names, rows = with_units(joined, None, list(records[lower + 1 :]), known)
        above = tuple(it for it in records[:upper] if isinstance(it, Record))
        made = replace(
            table,
            header=names,
            header_line=first.line,
            parts=partial(_rows, tuple(rows), tuple(names)),
            preamble=above,
        )
        if _fits(made, mapping, known):
            return [made]
    return []


def _only_states(record: Record) -> bool:
    """Whether a line says something of the rows, such as whose they are, and names no columns:
    what it says is not to be lost in a header."""
    filled = [cell for cell in record.cells if cell.strip()]
    return len(filled) <= _OF_A_PAIR and said_by([record]).says_something


def _has_values(record: Record) -> bool:
    """Whether a line has numbers or ranges as a row has them: it is not to be lost in a header."""
    return any(_VALUE.match(cell) for cell in record.cells)


def _fits(table: Table, mapping: Source, known: Known) -> bool:
    stated = stated_above(table.preamble) if table.stated is None else table.stated
    return _layout(table.header, mapping, known, stated) is not None


def _layout(
    header: Sequence[str], mapping: Source, known: Known, stated: Mapping[str, str]
) -> Layout | None:
    try:
        return layout_of(header, mapping, known, stated=stated)
    except UnreadableFile:
        return None


def _rows(rows: Sequence[Item], header: Sequence[str]) -> Parts:
    yield from fitting(_copies(rows), list(header))


def _copies(rows: Sequence[Item]) -> Iterator[Item]:
    """Rows to be read again: who reads them may change their cells."""
    for it in rows:
        yield it if isinstance(it, BadLine) else Record(it.line, list(it.cells))


def and_held(table: Table, rows: Sequence[Item], header_line: int, sheet: str = "") -> Table:
    """A table and, below its rows, those under a header that cannot be read: they are held."""
    place = f'sheet "{sheet}"' if sheet else ""
    held = tuple(_headless(header_line, row, place) for row in rows)
    return replace(table, parts=partial(_both, table.parts, held))


def _both(first: Callable[[], Parts], held: Sequence[BadLine]) -> Parts:
    yield from first()
    yield from held


def _headless(line: int, row: Item, place: str) -> BadLine:
    if isinstance(row, BadLine):
        return replace(row, place=place)
    text = " | ".join(row.cells)[:_SHOWN]
    reason = f"it stands under a header (line {line}) that cannot be read"
    return BadLine(row.line, NO_HEADER, reason, text, place)
