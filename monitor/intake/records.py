"""Lines of a CSV file to records: one by one, or in blocks where they are plain.

A line that cannot be split becomes one `BadLine`, and reading goes on with the next line:
an unclosed quote costs its own row, never the rest of the file.
"""

from __future__ import annotations

import csv
import io
import os
import pickle
import re
import weakref
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from tempfile import SpooledTemporaryFile
from typing import IO, NamedTuple, Protocol, TextIO

from monitor.intake.blocks import Ahead, Block, split, whole_lines
from monitor.intake.raw import BadLine
from monitor.intake.storable import storable

LINE_LIMIT = 1 << 20
"""Characters of one line; a longer one is a bad line."""
FIELD_LINES = 200
"""Lines that one quoted row may span."""
_FIELD_CHARACTERS = 1 << 18
_KEPT = 2000
"""Characters of a bad line that go into quarantine."""
BLOCK_CHARACTERS = 1 << 21
"""Characters that are split at once."""
BLOCKS_FROM = 1 << 16
"""Bytes of a file from which on it is read in blocks; a smaller one is read line by line."""
_KEPT_IN_MEMORY = 32 << 20
"""Bytes of a table that are kept in memory between two looks at it; more go to the disk."""
_KEPT_AT_MOST = 512 << 20
"""A table that takes more is read from its file once more."""
_RECORDS_TOGETHER = 1000
_RULER = re.compile(r":?[-=_+]{2,}:?")
_UNCLOSED = "unexpected end of data"


class Readable(Protocol):
    """Where lines come from."""

    def readline(self, limit: int, /) -> str:
        """The next line with its end, or as much of it as the limit allows."""


class Record(NamedTuple):
    """One row as it stands in the file, at the line where it begins."""

    line: int
    cells: list[str]


Part = Record | BadLine | Block
Parts = Generator[Part, None, None]
"""To be closed, so that the file is."""


def names_of(cells: Sequence[str]) -> list[str]:
    """Header cells without the space around and within them."""
    return [" ".join(name.lstrip("\ufeff").split()) for name in cells]


def fitting(records: Iterator[Record | BadLine], header: list[str]) -> Iterator[Record | BadLine]:
    """Records with as many cells as the header; all others as bad lines. The header line itself,
    once more among them, is none. Cells below an end of the header that names nothing may be
    missing: `MRN;Test;Result;`. Rulers between them are none either.
    """
    width = len(header)
    named = max((index for index, name in enumerate(header, 1) if name), default=width)
    for record in records:
        if isinstance(record, BadLine):
            yield record
            continue
        line, cells = record
        if _is_ruler(cells):
            continue
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            del cells[width:]
        elif named <= len(cells) < width:
            cells += [""] * (width - len(cells))
        if len(cells) != width:
            yield BadLine(line, "field_count", _count_reason(len(cells), width), _shown(cells))
        elif cells[0].strip() != header[0] or names_of(cells) != header:
            yield record


def _is_ruler(cells: Sequence[str]) -> bool:
    """Whether a line only parts others, as below the header of `|-----|:---:|`."""
    filled = [text for cell in cells if (text := cell.strip())]
    return len(filled) > 1 and all(_RULER.fullmatch(text) for text in filled)


def _count_reason(found: int, wanted: int) -> str:
    fields = "field" if found == 1 else "fields"
    return f"{found} {fields} where the header names {wanted}"


def _shown(cells: list[str]) -> str:
    return " | ".join(cells)[:_KEPT]


class Lines:
    """Lines with their numbers, each of bounded length, with some put back to be read again."""

    def __init__(self, stream: Readable, before: int = 0) -> None:
        self._stream = stream
        self._number = before
        self._waiting: deque[tuple[int, str]] = deque()

    @property
    def number(self) -> int:
        """Of the line that was read last, where none waits."""
        return self._number

    def are_waiting(self) -> bool:
        """Whether lines were put back."""
        return bool(self._waiting)

    def skip(self, count: int) -> None:
        """Pass over so many lines."""
        for _ in range(count):
            self.next()

    def next(self) -> tuple[int, str] | None:
        """The next line without its end; one too long comes cut, longer than LINE_LIMIT."""
        if self._waiting:
            return self._waiting.popleft()
        text = self._stream.readline(LINE_LIMIT + 1)
        if not text:
            return None
        self._number += 1
        if text.endswith("\n"):
            return self._number, text[:-1]
        if len(text) > LINE_LIMIT:
            while (rest := self._stream.readline(LINE_LIMIT)) and not rest.endswith("\n"):
                pass
        return self._number, text

    def put_back(self, lines: list[tuple[int, str]]) -> None:
        self._waiting.extendleft(reversed(lines))


class Kept:
    """The parts of a table, read twice: the second time from what was kept of the first, in memory
    or, where that is much, in a file that has no name and goes with this."""

    def __init__(self, parts: Callable[[], Parts]) -> None:
        self._parts = parts
        self._kept: IO[bytes] | None = SpooledTemporaryFile(_KEPT_IN_MEMORY)  # noqa: SIM115  # closed with this
        weakref.finalize(self, self._kept.close)

    def first(self) -> Parts:
        """The parts, to be read to their end."""
        waiting: list[Part] = []
        with closing(self._parts()) as parts:
            for part in parts:
                yield part
                waiting.append(part)
                if isinstance(part, Block):
                    part.compact()
                if isinstance(part, Block) or len(waiting) == _RECORDS_TOGETHER:
                    self._keep(waiting)
                    waiting = []
        self._keep(waiting)

    def again(self) -> Parts:
        """The same parts once more."""
        if self._kept is None:
            yield from self._parts()
            return
        size, place = self._kept.seek(0, os.SEEK_END), 0
        while place < size:
            self._kept.seek(place)
            parts = pickle.load(self._kept)  # noqa: S301  # what this very process wrote
            place = self._kept.tell()
            yield from parts

    def _keep(self, parts: Sequence[Part]) -> None:
        if self._kept is None:
            return
        try:
            pickle.dump(parts, self._kept, pickle.HIGHEST_PROTOCOL)
            has_room = self._kept.tell() < _KEPT_AT_MOST
        except OSError:
            has_room = False
        if not has_room:
            self._kept.close()
            self._kept = None


def parts_of(stream: TextIO, lines: Lines, delimiter: str, header: list[str], size: int) -> Parts:
    """What stands below the header that was just read from the lines of a stream. `size` is that
    of the file: in a small one every line is read by itself."""
    if size < BLOCKS_FROM or lines.are_waiting():
        yield from fitting(records(lines, delimiter), header)
        return
    number = lines.number
    for text in whole_lines(stream, BLOCK_CHARACTERS, LINE_LIMIT):
        block = split(text, number + 1, delimiter, header, LINE_LIMIT)
        if block is not None:
            number += block.rows
            yield block
            continue
        ahead = Ahead(text, stream)
        lines = Lines(ahead, number)
        yield from fitting(_until_over(ahead, lines, delimiter), header)
        number = lines.number


def _until_over(ahead: Ahead, lines: Lines, delimiter: str) -> Iterator[Record | BadLine]:
    """The records of a text, the last of which may go on behind it."""
    for record in records(lines, delimiter):
        yield record
        if ahead.is_over() and not lines.are_waiting():
            return


def records(lines: Lines, delimiter: str, *, wrapped: bool = False) -> Iterator[Record | BadLine]:
    """The records of lines, blank ones passed over. `wrapped`: a line that is one quoted field is
    a row of its own, as programs write it that take whole rows for text."""
    for record in _records(lines, delimiter):
        if wrapped and isinstance(record, Record) and len(record.cells) == 1:
            inner = Lines(io.StringIO(record.cells[0]), record.line - 1)
            yield next(_records(inner, delimiter), record)
        else:
            yield record


def _records(lines: Lines, delimiter: str) -> Iterator[Record | BadLine]:
    blanks = f'{delimiter} \t\r\x1a\x0c\ufeff"'
    while (numbered := lines.next()) is not None:
        number, text = numbered
        if not text.strip(blanks):
            continue
        if len(text) > LINE_LIMIT:
            reason = f"a line of more than {LINE_LIMIT:,} characters"
            yield BadLine(number, "line_too_long", reason, storable(text[:_KEPT]))
        elif "\0" in text:
            reason = "bytes that are no text (NUL)"
            yield BadLine(number, "no_text", reason, storable(text[:_KEPT]))
        elif '"' in text:
            row = _quoted(lines, number, text, delimiter)
            if isinstance(row, BadLine) or any(cell.strip() for cell in row.cells):
                yield row
        else:
            yield Record(number, text.split(delimiter))


def _quoted(lines: Lines, number: int, text: str, delimiter: str) -> Record | BadLine:
    """A row with quotes, which may go on over further lines."""
    taken: list[tuple[int, str]] = []
    cells, problem = _split([text], delimiter)
    if _UNCLOSED in problem and _closed_later(lines, taken, delimiter):
        cells, problem = _split([text, *(line for _, line in taken)], delimiter)
    if not problem:
        return Record(number, [_unguarded(cell) for cell in cells])
    lines.put_back(taken)
    return BadLine(number, "quotes", _quote_reason(problem), storable(text[:_KEPT]))


def _split(lines: list[str], delimiter: str) -> tuple[list[str], str]:
    """The cells of a row, or what is wrong with it."""
    whole = [line + "\n" for line in lines]
    reader = csv.reader(whole, delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        return next(reader), ""
    except csv.Error as error:
        closer = [re.sub(rf'"[ \t]+(?={re.escape(delimiter)}|$)', '"', line) for line in lines]
        return ([], str(error)) if closer == lines else _split(closer, delimiter)


def _unguarded(cell: str) -> str:
    """`="0012"`, which keeps a spreadsheet from taking the zeros away, as what is meant."""
    return cell[2:-1] if len(cell) > 2 and cell.startswith('="') and cell.endswith('"') else cell


def _closed_later(lines: Lines, taken: list[tuple[int, str]], delimiter: str) -> bool:
    """Take further lines up to the one that ends the row; False where none does."""
    size = 0
    while (numbered := lines.next()) is not None:
        taken.append(numbered)
        size += len(numbered[1])
        if len(taken) > FIELD_LINES or size > _FIELD_CHARACTERS or "\0" in numbered[1]:
            return False
        if not _is_open_after(numbered[1], delimiter):
            return True
    return False


def _is_open_after(line: str, delimiter: str) -> bool:
    """Whether a quoted field that was open before a line is (or another one) open after it.
    False also where the quotes break off: splitting says what is wrong."""
    place = 0
    while (quote := line.find('"', place)) >= 0:
        place = quote + 1
        if line.startswith('"', place):
            place += 1
            continue
        while line.startswith(delimiter, place):
            place += 1
            while line.startswith(" ", place):
                place += 1
            if line.startswith('"', place):
                break
            ending = line.find(delimiter, place)
            place = len(line) if ending < 0 else ending
        if not line.startswith('"', place):
            return False
        place += 1
    return True


def _quote_reason(problem: str) -> str:
    if _UNCLOSED in problem:
        return "a quote that is never closed: the line is cut short or broken"
    if "field larger" in problem:
        return "a field that is too long"
    return "quotes that do not fit: one stands in the middle of a quoted field"
