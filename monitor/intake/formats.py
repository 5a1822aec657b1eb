"""Which reader takes which file: bytes of any format to raw rows, with their place.

A reader knows its format and nothing else. Whose row it is, what it measures and whether it
counts is decided once, in `normalise`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass

from monitor.config import Source
from monitor.core.catalogue import Catalogue
from monitor.intake.fhir import FhirFile
from monitor.intake.hl7 import hl7_items
from monitor.intake.raw import Item
from monitor.intake.raw_blocks import RawBlock, one_by_one
from monitor.intake.recognised import Recognised
from monitor.intake.survey import ASK_FOR_ANOTHER, Survey, UnreadableFile
from monitor.intake.table_reader import Read, ReadAtOnce, read_at_once, read_tables


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that can be read: what was recognised, in sentences, and its items, to
    be read once, in either way. Of a file that is read at once, notes and tables are there when
    its items have been read."""

    notes: Sequence[str]
    parts: Iterator[Item | RawBlock]
    """The same, plain rows in blocks."""
    tables: Sequence[Recognised] = ()
    """The tables among them, as they were understood."""

    @property
    def items(self) -> Iterator[Item]:
        """The items one by one."""
        return one_by_one(self.parts)


Reader = Callable[[Survey, Source, Catalogue], AbstractContextManager[Opened]]
"""Raises UnreadableFile where no row can be read."""


def open_rows(
    survey: Survey, mapping: Source, catalogue: Catalogue, *, at_once: bool = False
) -> AbstractContextManager[Opened]:
    """Open a surveyed file with the reader of its format. `at_once`: a large table is not looked
    at beforehand; reading its items may raise SaysOtherwise."""
    found = read_at_once(survey, mapping, catalogue) if at_once else None
    if found is not None:
        return _open_at_once(found)
    reader = READERS.get(survey.format)
    if reader is None:
        raise UnreadableFile(
            f"this is {survey.format_title}, which no reader takes: {ASK_FOR_ANOTHER}"
        )
    return reader(survey, mapping, catalogue)


@contextmanager
def _open_tables(survey: Survey, mapping: Source, catalogue: Catalogue) -> Iterator[Opened]:
    tables, notes = read_tables(survey, mapping, catalogue)
    said = [note for table in tables for note in table.seen.notes()]
    with closing(_items(tables)) as items:
        yield Opened((*said, *notes), items, tuple(table.seen for table in tables))


@contextmanager
def _open_at_once(table: ReadAtOnce) -> Iterator[Opened]:
    notes: list[str] = []
    tables: list[Recognised] = []

    def rows() -> Generator[Item | RawBlock, None, None]:
        read = yield from table.rows()
        notes.extend(read.seen.notes())
        tables.append(read.seen)

    with closing(rows()) as items:
        yield Opened(notes, items, tables)


def _items(tables: Sequence[Read]) -> Generator[Item | RawBlock, None, None]:
    for table in tables:
        yield from table.rows()


@contextmanager
def _open_hl7(survey: Survey, mapping: Source, catalogue: Catalogue) -> Iterator[Opened]:
    yield Opened(("read as HL7 v2 messages",), hl7_items(survey, mapping, catalogue))


@contextmanager
def _open_fhir(survey: Survey, mapping: Source, catalogue: Catalogue) -> Iterator[Opened]:
    file = FhirFile(survey, mapping, catalogue)
    yield Opened(file.introduction, file.items())


READERS: Mapping[str, Reader] = {
    "csv": _open_tables,
    "workbook": _open_tables,
    "hl7": _open_hl7,
    "json": _open_fhir,
    "xml": _open_fhir,
}
