"""Tables of results, from CSV and workbooks alike: header, layout, one look at every row, then
the raw rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache

from monitor.config import Source
from monitor.core.catalogue import Catalogue
from monitor.intake.blocks import Block
from monitor.intake.codepages import by_words
from monitor.intake.columns import fold
from monitor.intake.csv import Record, Score, Table, open_table, records_of
from monitor.intake.layout import Layout, layout_of, require_unit, with_reading
from monitor.intake.layout_change import layout_changes, notation_changes, refuse
from monitor.intake.profile import Profile, profile_of, together
from monitor.intake.raw import BadLine, RawRow
from monitor.intake.raw_blocks import RawBlock, raw_block
from monitor.intake.recognised import Recognised, recognised
from monitor.intake.records import Kept, Parts
from monitor.intake.shapes import shaped
from monitor.intake.stated import stated_above
from monitor.intake.survey import Survey, UnreadableFile
from monitor.intake.vocabulary import key_of, vocabulary
from monitor.intake.wide import Known, split_unit
from monitor.intake.workbook import open_sheets

_SMALL = 4 << 20
"""Bytes of a CSV file up to which it is looked at as a whole, whatever its header."""
_LONGEST_TITLE = 200
_LEARNED = 1000
"""Points of the very header that the source was learned from."""


@dataclass(frozen=True, slots=True)
class Read:
    """One table ready to be read once more."""

    table: Table
    parts: Callable[[], Parts]
    layout: Layout
    profile: Profile
    seen: Recognised

    @property
    def numbers(self) -> set[str]:
        """Patient numbers that are in the table, all of them unless they are very many."""
        return set(map(self.layout.number, self.profile.distinct_numbers))

    def rows(self) -> Iterator[RawRow | BadLine | RawBlock]:
        """The raw rows of the table, where they are plain in blocks."""
        with closing(self.parts()) as parts:
            for part in parts:
                if not isinstance(part, Block):
                    yield from self._rows([part])
                    continue
                block = raw_block(self.layout, part)
                if block is None or self._ends_within(part):
                    yield from self._rows(records_of(part))
                else:
                    yield block

    def _rows(self, items: Iterable[Record | BadLine]) -> Iterator[RawRow | BadLine]:
        for item in items:
            if item.line in self.profile.footers:
                continue
            if isinstance(item, BadLine):
                yield item
            else:
                yield from self.layout.raw_rows(item)

    def _ends_within(self, block: Block) -> bool:
        lines = range(block.first_line, block.first_line + block.rows)
        return any(line in lines for line in self.profile.footers)


def read_tables(
    survey: Survey, mapping: Source, catalogue: Catalogue
) -> tuple[list[Read], list[str]]:
    """The tables of a file, and notes on what was passed over. Raises UnreadableFile where there
    is none, or where the layout is no longer the learned one."""
    known = known_of(mapping, catalogue)
    score = score_of(mapping, known)
    if survey.format == "csv":
        if not mapping.encoding:
            survey = by_words(survey, lambda cell: score([cell]) > 0)
        # The delimiter of a learned source may have changed, and is to be told.
        delimiter = "" if mapping.header else mapping.delimiter
        table = open_table(survey, score, delimiter)
        parts = shaped(table, mapping, known, score, small=survey.size <= _SMALL)
        return _agreed([_read(survey, it, mapping, known) for it in parts], mapping), []
    sheets, notes = open_sheets(survey, score)
    tables = [it for one in sheets for it in shaped(one, mapping, known, score, small=True)]
    if not tables:
        raise UnreadableFile(
            "no sheet of the workbook has a line that names the columns mrn, collected_at, "
            "analyte, value and unit, or names we know for them"
        )
    found, refusals = [], []
    for table in tables:
        try:
            found.append(_read(survey, table, mapping, known))
        except UnreadableFile as refusal:
            refusals.append(f'sheet "{table.sheet}": {refusal}')
    if not found or (mapping.header and refusals):
        raise UnreadableFile("; ".join(refusals))
    agreed = _agreed(found, mapping)
    return agreed, [*notes, *(f"not read: {refusal}" for refusal in refusals)]


def _agreed(reads: list[Read], mapping: Source) -> list[Read]:
    """The tables of one file, each with what all of them together show of their notation."""
    if len(reads) < 2:
        return reads
    shown = together([read.profile for read in reads])
    dates, decimal = mapping.date_format or shown.dates, _decimal(mapping, shown)
    return [
        replace(read, layout=replace(read.layout, dates=dates, decimal=decimal)) for read in reads
    ]


def known_of(mapping: Source, catalogue: Catalogue) -> Known:
    """Names and units of the catalogue and of a source's mapping."""
    codes = {fold(code): name for code, name in mapping.codes.items()}
    ignored = {fold(code) for code in mapping.ignore}

    def analyte(name: str) -> bool:
        key = fold(name)
        return key in codes or key in ignored or catalogue.find(name) is not None

    def unit(name: str, text: str) -> bool:
        found = catalogue.find(codes.get(fold(name), name))
        twin = found and (found.percent_name or found.absolute_name)
        candidates = [found, catalogue.analytes.get(twin or "")]
        return any(it is not None and it.factor(text) is not None for it in candidates)

    return Known(analyte, unit)


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

    def score(cells: Sequence[str]) -> int:
        if mapping.header and list(cells) == mapping.header:
            return _LEARNED
        ours = {meaning(cell) for cell in cells if cell and len(cell) <= _LONGEST_TITLE}
        return len(ours - {""})

    return score


def _read(survey: Survey, table: Table, mapping: Source, known: Known) -> Read:
    changes = layout_changes(table, mapping)
    try:
        layout = _layout(table, mapping, known)
    except UnreadableFile:
        if not changes:
            raise
        refuse([*changes, *_changed_notation(table, mapping, known)])
    kept = Kept(table.parts)
    with closing(kept.first()) as parts:
        profile = profile_of(parts, layout)
    if not profile.glued:
        require_unit(layout, mapping)
    changes += notation_changes(profile, mapping)
    if changes:
        refuse(changes)
    layout = with_reading(
        layout,
        dates=mapping.date_format or profile.dates,
        decimal=_decimal(mapping, profile),
        place=f'sheet "{table.sheet}"' if table.sheet else "",
    )
    seen = recognised(table, layout, profile, mapping, survey.encoding_title)
    return Read(table, kept.again, layout, profile, seen)


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


def _decimal(mapping: Source, profile: Profile) -> str:
    """The mark that is certain; "" leaves it to the mapping and its doubts."""
    if mapping.decimal_comma is None:
        return profile.decimal
    return "point" if not mapping.decimal_comma else profile.decimal.replace("point", "")
