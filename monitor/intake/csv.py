"""CSV bytes to records with line numbers: streaming, in bounded memory, losing nothing.

The header is the line among the first ones whose cells name the most columns: a laboratory's
address may stand above it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from monitor.intake.blocks import Block
from monitor.intake.raw import BadLine
from monitor.intake.records import Lines, Parts, Record, fitting, names_of, parts_of, records
from monitor.intake.survey import Survey, UnreadableFile, decoder_of

__all__ = [
    "DELIMITERS", "HEADER_WITHIN", "Record", "Rows", "Score", "Table", "best_record", "fitting",
    "names_of", "one_by_one", "open_table", "records_of", "table_at",
]  # fmt: skip

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
HEADER_WITHIN = 60
"""Lines among which the header is looked for."""
_HEADER_CHARACTERS = 1 << 17
_SURELY_A_HEADER = 3
"""Columns that a line names to be a header for certain."""
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)

Rows = Generator[Record | BadLine, None, None]
"""To be closed, so that the file is."""


class Score(Protocol):
    """How many columns the cells of a line name: the header is the line with the most. No more
    than `beyond` cells need to be gone into, where each names one column at most."""

    def __call__(self, cells: Sequence[str], beyond: int = 0, /) -> int: ...


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a file: its header, what stands above it, and its rows, to be read as often
    as needed."""

    header: list[str]
    header_line: int
    parts: Callable[[], Parts] = field(repr=False)
    """The rows, where they are plain in blocks."""
    preamble: tuple[Record, ...] = ()
    """The lines above the header that are not blank."""
    delimiter: str = ""
    """Empty in a workbook."""
    sheet: str = ""
    """Name of the sheet in a workbook."""
    whole: Callable[[], Rows] | None = field(default=None, repr=False)
    """All lines of the file or sheet, the header and what stands above it among them, as they
    are: what it looks like as a whole is judged by these."""
    stated: Mapping[str, str] | None = None
    """What is stated of every row, where that is not simply what stands above the header."""
    is_turned: bool = False
    """Its header is ours: it stood on its side."""

    def read(self) -> Rows:
        """The rows one by one."""
        return one_by_one(self.parts())

    @property
    def delimiter_title(self) -> str:
        return DELIMITERS.get(self.delimiter, self.delimiter)


def open_table(survey: Survey, score: Score, delimiter: str = "") -> Table:
    """Find the header of a surveyed file. The delimiter that yields the best one is taken,
    unless the source names its own.

    Raises UnreadableFile where there is no header.
    """
    with _opened(survey) as stream:
        start = _start_of(stream)
    delimiter = _delimiter_named(delimiter) or start.marked
    found = _best_header(start, score, [delimiter] if delimiter else list(DELIMITERS))
    return table_at(
        found.records,
        found.header,
        found.delimiter,
        lambda: _parts(survey, found),
        whole=lambda: _whole(survey, found),
    )


def table_at(
    records: Sequence[Record],
    header: int,
    delimiter: str,
    read: Callable[[], Parts],
    sheet: str = "",
    whole: Callable[[], Rows] | None = None,
) -> Table:
    """The table whose header is that record; those before it are its preamble."""
    line, cells = records[header]
    return Table(names_of(cells), line, read, tuple(records[:header]), delimiter, sheet, whole)


def best_record(records: Sequence[Record], score: Score, beyond: int = 0) -> tuple[int, int]:
    """The highest score and which record, the first of several, has it; what cannot score more
    than `beyond`, or than one before it, is not gone into."""
    best = place = 0
    for index, record in enumerate(records):
        points = score(names_of(record.cells), max(best, beyond))
        if points > best:
            best, place = points, index
    return best, place


@dataclass(frozen=True, slots=True)
class _Start:
    """The first lines of a file as text, with the delimiter that a `sep=` line names."""

    text: str
    first_line: int
    marked: str


@dataclass(frozen=True, slots=True)
class _Header:
    records: list[Record]
    header: int
    delimiter: str
    first_line: int
    """Line of the file that the records were read from."""
    wrapped: bool = False
    """Each row is one quoted field."""


def _opened(survey: Survey) -> TextIO:
    codec, errors = decoder_of(survey.encoding)
    return io.TextIOWrapper(survey.open(), encoding=codec, errors=errors, newline=None)


def _start_of(stream: TextIO) -> _Start:
    lines = Lines(stream)
    kept: list[str] = []
    first_line, marked, size = 1, "", 0
    while len(kept) < HEADER_WITHIN and size < _HEADER_CHARACTERS:
        numbered = lines.next()
        if numbered is None:
            break
        text = numbered[1].lstrip("\ufeff") if numbered[0] == 1 else numbered[1]
        separator = _SEPARATOR_LINE.fullmatch(text) if not kept else None
        if separator:
            marked = separator[1]
        if separator or not (kept or text.strip()):
            first_line = numbered[0] + 1
            continue
        kept.append(text)
        size += len(text)
    if not kept:
        raise UnreadableFile("the file has no text in it, only blank lines")
    return _Start("\n".join(kept), first_line, marked)


def _best_header(start: _Start, score: Score, delimiters: Sequence[str]) -> _Header:
    points, found = _best_of(start, score, delimiters, wrapped=False)
    if found is None:
        raise UnreadableFile(_why_no_header(start, delimiters[0]))
    if points < _SURELY_A_HEADER and start.text.lstrip().startswith('"'):
        inner_points, inner = _best_of(start, score, delimiters, wrapped=True)
        if inner is not None and inner_points >= _SURELY_A_HEADER:
            return inner
    return found


def _best_of(
    start: _Start, score: Score, delimiters: Sequence[str], *, wrapped: bool
) -> tuple[int, _Header | None]:
    """The best header of all delimiters, with its score."""
    best: tuple[tuple[int, int], _Header] | None = None
    for delimiter in delimiters:
        lines = Lines(io.StringIO(start.text), start.first_line - 1)
        read = records(lines, delimiter, wrapped=wrapped)
        first = [it for it in read if isinstance(it, Record)]
        if not first:
            continue
        reached = best[0][0] if best else 0
        cannot_win = all(len(it.cells) <= reached for it in first)
        points, index = best_record(first, score, reached if cannot_win else 0)
        found = _Header(first, index, delimiter, start.first_line, wrapped)
        rank = (points, len(first[index].cells))
        if best is None or rank > best[0]:
            best = rank, found
    return (best[0][0], best[1]) if best else (0, None)


def _why_no_header(start: _Start, delimiter: str) -> str:
    lines = Lines(io.StringIO(start.text), start.first_line - 1)
    first = next(records(lines, delimiter), None)
    reason = first.reason if isinstance(first, BadLine) else "cannot be split"
    return f"line {start.first_line}: the header {reason}"


def _parts(survey: Survey, found: _Header) -> Parts:
    """The rows below the header, from the file, plain ones in blocks."""
    header = found.records[found.header]
    with _opened(survey) as stream:
        lines = Lines(stream)
        lines.skip(header.line - 1)
        if found.wrapped:
            rows = records(lines, found.delimiter, wrapped=True)
            next(rows, None)
            yield from fitting(rows, names_of(header.cells))
            return
        next(records(lines, found.delimiter), None)
        yield from parts_of(stream, lines, found.delimiter, names_of(header.cells), survey.size)


def one_by_one(parts: Parts) -> Rows:
    """The rows of the parts."""
    with closing(parts):
        for part in parts:
            if isinstance(part, Block):
                yield from records_of(part)
            else:
                yield part


def records_of(block: Block) -> Iterator[Record]:
    """The rows of a block one by one."""
    for row in range(block.rows):
        yield Record(block.first_line + row, block.cells(row))


def _whole(survey: Survey, found: _Header) -> Rows:
    """All records of the file."""
    with _opened(survey) as stream:
        lines = Lines(stream)
        lines.skip(found.first_line - 1)
        yield from records(lines, found.delimiter, wrapped=found.wrapped)


def _delimiter_named(word: str) -> str:
    if not word:
        return ""
    for sign, title in DELIMITERS.items():
        if word in (sign, title, "\\t" if sign == "\t" else sign):
            return sign
    if len(word) == 1:
        return word
    raise UnreadableFile(
        f'the source\'s delimiter "{word}" is not known; valid: comma, semicolon, tab, pipe or '
        "one character"
    )
