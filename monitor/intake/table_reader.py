"""Tables of results, from CSV and workbooks alike: header, layout, one look at every row, then
the raw rows."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain, islice
from typing import NamedTuple

from monitor.config import Source
from monitor.core.catalogue import Catalogue
from monitor.core.result_columns import ALL_COLUMNS
from monitor.intake.blocks import Block
from monitor.intake.codepages import by_words
from monitor.intake.columns import match
from monitor.intake.csv import Score, Table, open_table, records_of
from monitor.intake.known_names import known_of
from monitor.intake.layout import Layout, Notation, layout_of, require_unit, with_reading
from monitor.intake.layout_change import layout_changes, notation_changes, refuse
from monitor.intake.profile import Profile, together
from monitor.intake.raw import BadLine, RawRow
from monitor.intake.raw_blocks import RawBlock, raw_block
from monitor.intake.recognised import Recognised, recognised
from monitor.intake.records import Kept, Part, Record
from monitor.intake.sections import names_columns
from monitor.intake.shapes import NO_HEADER, and_held, shaped
from monitor.intake.stated import stated_above
from monitor.intake.survey import Survey, UnreadableFile
from monitor.intake.table_look import IsHeader, looked_at, profile_of
from monitor.intake.under_headings import UnderHeadings, material_above, material_of
from monitor.intake.vocabulary import key_of, vocabulary
from monitor.intake.wide import Known, split_unit, wide_columns
from monitor.intake.workbook import open_sheets

_SMALL = 4 << 20
"""Bytes of a CSV file up to which it is looked at as a whole, whatever its header; of a larger
one only where a line among its rows is another header."""
AT_ONCE_FROM = 4 << 20
"""Bytes of a CSV file from which on it is read while it is looked at."""
_BEGINNING = 1000
"""Lines that are looked at first, where they are not plain enough for a block."""
_LONGEST_TITLE = 200
_LEARNED = 1000
"""Points of the very header that the source was learned from."""


@dataclass(frozen=True, slots=True)
class Read:
    """One table ready to be read once more."""

    table: Table
    layout: Layout
    profile: Profile
    seen: Recognised

    def rows(self) -> Iterator[RawRow | BadLine | RawBlock]:
        """The raw rows of the table, where they are plain in blocks."""
        of_sheet = material_of(self.table.sheet) or ""
        above = material_above(self.table.preamble) or of_sheet
        under = UnderHeadings(self.profile.headings, above)
        with closing(self.table.parts()) as parts:
            for part in parts:
                yield from rows_of(part, self.layout, self.profile.footers, under)


def rows_of(
    part: Part, layout: Layout, footers: Collection[int], under: UnderHeadings
) -> Iterator[RawRow | BadLine | RawBlock]:
    """The raw rows of a part of a table, without these lines, which are no rows."""
    if isinstance(part, Block) and under.is_idle:
        lines = range(part.first_line, part.first_line + part.rows)
        block = raw_block(layout, part)
        if block is not None and not any(line in lines for line in footers):
            yield block
            return
    for item in records_of(part) if isinstance(part, Block) else [part]:
        if item.line in footers and not _is_headless(item):
            continue
        if isinstance(item, BadLine):
            yield item
        else:
            yield from map(under.of, layout.raw_rows(item))


def _is_headless(item: Record | BadLine) -> bool:
    """Whether a line stands under another header, and is no end of this table."""
    return isinstance(item, BadLine) and item.code == NO_HEADER


def read_tables(
    survey: Survey, mapping: Source, catalogue: Catalogue
) -> tuple[list[Read], list[str]]:
    """The tables of a file, and notes on what was passed over. Raises UnreadableFile where there
    is none, or where the layout is no longer the learned one."""
    known = known_of(mapping, catalogue)
    score = score_of(mapping, known)
    if survey.format == "csv":
        return _agreed(_read_csv(survey, mapping, known, score), mapping), []
    sheets, notes = open_sheets(survey, score)
    tables = [it for one in sheets for it in shaped(one, mapping, known, score, all_of_it=True)]
    if not tables:
        raise UnreadableFile(
            "no sheet of the workbook has a line that names the columns mrn, collected_at, "
            "analyte, value and unit, or names we know for them"
        )
    found, refused, refusals = [], [], []
    for table in tables:
        try:
            found.append(_read(survey, table, mapping, known))
        except UnreadableFile as refusal:
            refused.append(table)
            refusals.append(f'sheet "{table.sheet}": {refusal}')
    if not found or (mapping.header and refusals):
        raise UnreadableFile("; ".join(refusals))
    for table in refused:
        if _brings_values(table, mapping, known):
            found[-1] = _and_held(found[-1], table)
    agreed = _agreed(found, mapping)
    return agreed, [*notes, *(f"not read: {refusal}" for refusal in refusals)]


def _brings_values(table: Table, mapping: Source, known: Known) -> bool:
    """Whether a sheet that cannot be read has a column of values, and is no legend."""
    try:
        columns = match(table.header, ALL_COLUMNS, mapping.columns)
    except UnreadableFile:
        return True
    return "value" in columns.positions or bool(wide_columns(columns, table.header, known))


def _and_held(read: Read, refused: Table) -> Read:
    """A table with the rows of a sheet that cannot be read below its own: they are held."""
    with closing(refused.read()) as rows:
        table = and_held(read.table, list(rows), refused.header_line, refused.sheet)
    return replace(read, table=table)


def _read_csv(survey: Survey, mapping: Source, known: Known, score: Score) -> list[Read]:
    """The tables of a CSV file. A large one is taken for a list, until a line among its rows names
    other columns: the rows below it are never read under the first header."""
    is_header = partial(names_columns, score=score)

    def reads(*, all_of_it: bool) -> list[Read]:
        found, tables = _tables_of_csv(survey, mapping, known, score, all_of_it=all_of_it)
        return [_read(found, it, mapping, known, is_header) for it in tables]

    if survey.size > _SMALL:
        as_a_list = reads(all_of_it=False)
        if not any(read.profile.other_header for read in as_a_list):
            return as_a_list
    return reads(all_of_it=True)


def _tables_of_csv(
    survey: Survey, mapping: Source, known: Known, score: Score, *, all_of_it: bool
) -> tuple[Survey, list[Table]]:
    if not mapping.encoding:
        survey = by_words(survey, partial(_is_spelt, known=known, score=score))
    # The delimiter of a learned source may have changed, and is to be told.
    delimiter = "" if mapping.header else mapping.delimiter
    table = open_table(survey, score, delimiter)
    return survey, shaped(table, mapping, known, score, all_of_it=all_of_it)


def _is_spelt(cell: str, known: Known, score: Score) -> bool:
    """Whether a cell is a word of a header, the name of an analyte or a unit, as it stands: of a
    name with its unit both."""
    if score([cell]) == 0:
        return known.any_unit(cell)
    name, unit = split_unit(cell, known)
    return not unit or not known.analyte(name) or known.unit(name, unit)


def _agreed(reads: list[Read], mapping: Source) -> list[Read]:
    """The tables of one file, each with what all of them together show of their notation."""
    if len(reads) < 2:
        return reads
    of_sheets = any(read.table.sheet for read in reads)
    profile = together([read.profile for read in reads])
    notations = [
        _notation(mapping, profile, of_sheets=of_sheets, point=_point_of(it.table, it.layout))
        for it in reads
    ]
    return [
        replace(read, layout=with_reading(read.layout, notation.of(read.profile.materials)))
        for read, notation in zip(reads, notations, strict=True)
    ]


def score_of(mapping: Source, known: Known) -> Score:
    """How much a line looks like the header of a results table."""
    mapped = {key_of(name) for name in mapping.columns.values()}

    @cache
    def meaning(cell: str) -> str:
        key = key_of(cell)
        name = f"mapped:{key}" if key in mapped else vocabulary().column_of(cell)
        if not name and known.analyte(split_unit(cell, known)[0]):
            name = f"analyte:{key}"
        return name

    def score(cells: Sequence[str], beyond: int = 0, /) -> int:
        if mapping.header and list(cells) == mapping.header:
            return _LEARNED
        if len(cells) <= beyond:
            return 0
        ours = {meaning(cell) for cell in cells if cell and len(cell) <= _LONGEST_TITLE}
        return len(ours - {""})

    return score


def _read(
    survey: Survey,
    table: Table,
    mapping: Source,
    known: Known,
    is_header: IsHeader | None = None,
) -> Read:
    changes = layout_changes(table, mapping)
    try:
        layout = _layout(table, mapping, known)
    except UnreadableFile:
        if not changes:
            raise
        refuse([*changes, *_changed_notation(table, mapping, known)])
    kept = Kept(table.parts)
    with closing(kept.first()) as parts:
        profile = profile_of(
            parts, layout, is_header, came_in=survey.came_in, of_sheet=bool(table.sheet)
        )
    return _understood(survey, replace(table, parts=kept.again), mapping, layout, profile, changes)


def _understood(
    survey: Survey,
    table: Table,
    mapping: Source,
    layout: Layout,
    profile: Profile,
    changes: Sequence[str] = (),
) -> Read:
    """The table, by what was seen of its rows. Raises UnreadableFile."""
    if not profile.glued:
        require_unit(layout, mapping)
    changes = [*changes, *notation_changes(profile, mapping)]
    if changes:
        refuse(changes)
    place = f'sheet "{table.sheet}"' if table.sheet else ""
    point = _point_of(table, layout)
    notation = _notation(mapping, profile, point, of_sheets=bool(table.sheet))
    layout = replace(with_reading(layout, notation), place=place)
    seen = recognised(table, layout, profile, mapping, survey.encoding_title)
    return Read(table, layout, profile, seen)


class ReadAtOnce:
    """A large table that is read while it is looked at: by what its beginning shows, until the
    rest has shown the same."""

    def __init__(
        self, survey: Survey, table: Table, mapping: Source, layout: Layout, is_header: IsHeader
    ) -> None:
        self._understood = partial(_understood, survey, table, mapping, layout)
        self._is_header = is_header
        self._notation = partial(_notation, mapping, point=_point_of(table, layout))
        self._came_in = survey.came_in
        self._table = table
        self._layout = layout

    def rows(self) -> Generator[RawRow | BadLine | RawBlock, None, Read]:
        """The raw rows, where they are plain in blocks; then the table as all of it is understood.
        Raises SaysOtherwise as soon as more rows leave another reading than the first ones, or
        one of them is a header of its own."""
        found = Profile(came_in=self._came_in)
        under = UnderHeadings(found.headings, material_above(self._table.preamble))
        with closing(self._table.parts()) as parts:
            looked = looked_at(parts, self._layout, found, self._is_header)
            first = list(_up_to_a_block(looked))
            try:
                layout = self._understood(found).layout
            except UnreadableFile as refusal:
                raise SaysOtherwise from refusal
            for part in chain(first, looked):
                if found.other_header or self._notation(found) != layout.notation:
                    raise SaysOtherwise
                yield from rows_of(part, layout, found.footers, under)
        return self._understood(found)


class SaysOtherwise(Exception):
    """A table has to be looked at from end to end before any row of it is read."""


def read_at_once(survey: Survey, mapping: Source, catalogue: Catalogue) -> ReadAtOnce | None:
    """The one table of a large CSV file, where nothing but its rows is left to be looked at."""
    if survey.format != "csv" or survey.size < AT_ONCE_FROM:
        return None
    known = known_of(mapping, catalogue)
    score = score_of(mapping, known)
    all_of_it = survey.size <= _SMALL
    survey, tables = _tables_of_csv(survey, mapping, known, score, all_of_it=all_of_it)
    if len(tables) > 1 or layout_changes(tables[0], mapping):
        return None
    try:
        layout = _layout(tables[0], mapping, known)
    except UnreadableFile:
        return None
    return ReadAtOnce(survey, tables[0], mapping, layout, partial(names_columns, score=score))


def _up_to_a_block(parts: Iterator[Part]) -> Iterator[Part]:
    for part in islice(parts, _BEGINNING):
        yield part
        if isinstance(part, Block):
            return


def _layout(table: Table, mapping: Source, known: Known) -> Layout:
    return layout_of(
        table.header,
        mapping,
        known,
        stated=stated_above(table.preamble) if table.stated is None else table.stated,
        serial_dates=bool(table.sheet) and not mapping.date_format,
    )


def _changed_notation(table: Table, mapping: Source, known: Known) -> list[str]:
    """What else changed in a file whose columns are no longer those of the mapping."""
    try:
        layout = _layout(table, mapping.model_copy(update={"columns": {}}), known)
    except UnreadableFile:
        return []
    with closing(table.read()) as items:
        return notation_changes(profile_of(items, layout), mapping)


class _Point(NamedTuple):
    """What a point before three digits may be, where no value shows the mark of decimals."""

    may_group: bool
    """Where cells are parted by semicolons a comma marks decimals, and may do so behind a tab, a
    bar or in a text of a workbook, as far as that is not our own form."""
    is_ours: bool


def _point_of(table: Table, layout: Layout) -> _Point:
    is_ours = layout.is_ours and not table.is_turned
    may_group = bool(table.sheet) or table.delimiter in (";", "\t", "|")
    return _Point(may_group and not is_ours, is_ours)


def _notation(
    mapping: Source, profile: Profile, point: _Point, *, of_sheets: bool = False
) -> Notation:
    """The order of dates, and the decimal marks that are certain; "" leaves that of values to the
    mapping and its doubts."""
    decimal = used = profile.decimal
    if mapping.decimal_comma is not None:
        used = "comma" if mapping.decimal_comma else "point"
        decimal = decimal.replace("point", "") if mapping.decimal_comma else "point"
    limits = profile.limits_decimal
    dates = mapping.date_format or profile.dates
    other_limits = bool(limits and used) and limits != used
    typed = of_sheets and profile.has_both_marks and mapping.decimal_comma is None
    may_group = point.may_group or profile.has_both_marks
    is_open = not decimal and mapping.decimal_comma is None
    flags = profile.has_flags_for_statuses
    return Notation(
        dates,
        decimal,
        other_limits=other_limits,
        typed=typed,
        flags=flags,
        open_point=is_open and may_group,
        point_by_limits=is_open and not may_group and not point.is_ours,
        open_shapes=() if mapping.date_format else tuple(sorted(profile.unsettled)),
    ).of(profile.materials)
