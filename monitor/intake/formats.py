"""Which reader takes which file: bytes of any format to raw rows, with their place.

A reader knows its format and nothing else. Whose row it is, what it measures and whether it
counts is decided once, in `normalise`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from monitor.config import Source
from monitor.core.analytes import Catalogue
from monitor.intake.columns import Layout, knows_results, layout_of
from monitor.intake.csv import Table, open_table
from monitor.intake.hl7 import hl7_items
from monitor.intake.raw import Item
from monitor.intake.survey import Survey, UnreadableFile

_NAMES_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that can be read: what was recognised, in sentences, and its items, once."""

    notes: tuple[str, ...]
    items: Iterator[Item]


Reader = Callable[[Survey, Source, Catalogue], AbstractContextManager[Opened]]
"""Raises UnreadableFile where no row can be read."""


def open_rows(
    survey: Survey, mapping: Source, catalogue: Catalogue
) -> AbstractContextManager[Opened]:
    """Open a surveyed file with the reader of its format."""
    reader = READERS.get(survey.format)
    if reader is None:
        raise UnreadableFile(f"this is {survey.format_title}, which no reader takes")
    return reader(survey, mapping, catalogue)


@contextmanager
def _open_csv(survey: Survey, mapping: Source, catalogue: Catalogue) -> Iterator[Opened]:
    def knows(name: str) -> bool:
        return catalogue.find(name) is not None

    with open_table(survey, knows_results(mapping, knows), mapping.delimiter) as table:
        layout = layout_of(table.header, mapping, knows)
        yield Opened(_introduction(survey, table, layout), _csv_items(table, layout))


def _introduction(survey: Survey, table: Table, layout: Layout) -> tuple[str, ...]:
    form = "wide form" if layout.is_wide else "long form"
    read = f"read as {survey.encoding_title}, separated by {table.delimiter_title}, {form}"
    if not layout.ignored:
        return (read,)
    names = ", ".join(name[:40] for name in layout.ignored[:_NAMES_SHOWN])
    more = len(layout.ignored) - _NAMES_SHOWN
    return (read, f"columns not used: {names}" + (f" and {more} more" if more > 0 else ""))


def _csv_items(table: Table, layout: Layout) -> Iterator[Item]:
    for record in table.rows:
        if isinstance(record, tuple):
            yield from layout.raw_rows(record)
        else:
            yield record


@contextmanager
def _open_hl7(survey: Survey, mapping: Source, catalogue: Catalogue) -> Iterator[Opened]:
    yield Opened(("read as HL7 v2 messages",), hl7_items(survey, mapping, catalogue))


READERS: Mapping[str, Reader] = {"csv": _open_csv, "hl7": _open_hl7}
