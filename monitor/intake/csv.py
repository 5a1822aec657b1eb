"""CSV bytes to records with line numbers: streaming, in bounded memory, losing nothing.

A line that cannot be split becomes one `BadLine`, and reading goes on with the next line:
an unclosed quote costs its own row, never the rest of the file. The header is the line among
the first ones whose cells name the most columns: a laboratory's address may stand above it.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TextIO

from monitor.intake.raw import BadLine
from monitor.intake.survey import Survey, UnreadableFile, decoder_of

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
LINE_LIMIT = 1 << 20
"""Characters of one line; a longer one is a bad line."""
FIELD_LINES = 200
"""Lines that one quoted row may span."""
HEADER_WITHIN = 60
"""Lines among which the header is looked for."""
_HEADER_CHARACTERS = 1 << 17
_FIELD_CHARACTERS = 1 << 18
_KEPT = 2000
"""Characters of a bad line that go into quarantine."""
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_UNCLOSED = "unexpected end of data"

Rows = Generator["Record | BadLine", None, None]
"""To be closed, so that the file is."""
Score = Callable[[Sequence[str]], int]
"""How many columns the cells of a line name: the header is the line with the most."""


class Record(NamedTuple):
    """One row as it stands in the file, at the line where it begins."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a file: its header, what stands above it, and its rows, to be read as often
    as needed."""

    header: list[str]
    header_line: int
    read: Callable[[], Rows] = field(repr=False)
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
        lambda: _rows(survey, found),
        whole=lambda: _whole(survey, found),
    )


def table_at(
    records: Sequence[Record],
    header: int,
    delimiter: str,
    read: Callable[[], Rows],
    sheet: str = "",
    whole: Callable[[], Rows] | None = None,
) -> Table:
    """The table whose header is that record; those before it are its preamble."""
    line, cells = records[header]
    return Table(names_of(cells), line, read, tuple(records[:header]), delimiter, sheet, whole)


def names_of(cells: Sequence[str]) -> list[str]:
    """Header cells without the space around and within them."""
    return [" ".join(name.lstrip("\ufeff").split()) for name in cells]


def best_record(records: Sequence[Record], score: Score) -> tuple[int, int]:
    """The highest score and which record, the first of several, has it."""
    scores = [score(names_of(record.cells)) for record in records]
    best = max(scores, default=0)
    return best, scores.index(best) if scores else 0


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


def _opened(survey: Survey) -> TextIO:
    codec, errors = decoder_of(survey.encoding)
    return io.TextIOWrapper(survey.open(), encoding=codec, errors=errors, newline=None)


def _start_of(stream: TextIO) -> _Start:
    lines = _Lines(stream)
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
    best: tuple[tuple[int, int], _Header] | None = None
    for delimiter in delimiters:
        lines = _Lines(io.StringIO(start.text), start.first_line - 1)
        records = [it for it in _records(lines, delimiter) if isinstance(it, Record)]
        if not records:
            continue
        points, index = best_record(records, score)
        found = _Header(records, index, delimiter, start.first_line)
        rank = (points, len(records[index].cells))
        if best is None or rank > best[0]:
            best = rank, found
    if best is None:
        raise UnreadableFile(_why_no_header(start, delimiters[0]))
    return best[1]


def _why_no_header(start: _Start, delimiter: str) -> str:
    lines = _Lines(io.StringIO(start.text), start.first_line - 1)
    first = next(_records(lines, delimiter), None)
    reason = first.reason if isinstance(first, BadLine) else "cannot be split"
    return f"line {start.first_line}: the header {reason}"


def _rows(survey: Survey, found: _Header) -> Rows:
    """The rows below the header, from the file."""
    header = found.records[found.header]
    with _opened(survey) as stream:
        lines = _Lines(stream)
        lines.skip(header.line - 1)
        records = _records(lines, found.delimiter)
        next(records, None)
        yield from fitting(records, names_of(header.cells))


def _whole(survey: Survey, found: _Header) -> Rows:
    """All records of the file."""
    with _opened(survey) as stream:
        lines = _Lines(stream)
        lines.skip(found.first_line - 1)
        yield from _records(lines, found.delimiter)


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


def fitting(records: Iterator[Record | BadLine], header: list[str]) -> Iterator[Record | BadLine]:
    """Records with as many cells as the header; all others as bad lines."""
    width = len(header)
    for record in records:
        if isinstance(record, BadLine):
            yield record
            continue
        line, cells = record
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            del cells[width:]
        if len(cells) != width:
            yield BadLine(line, "field_count", _count_reason(len(cells), width), _shown(cells))
        elif cells[0].strip() == header[0] and names_of(cells) == header:
            yield BadLine(line, "header_again", "the header line again", _shown(cells))
        else:
            yield record


def _count_reason(found: int, wanted: int) -> str:
    fields = "field" if found == 1 else "fields"
    return f"{found} {fields} where the header names {wanted}"


def _shown(cells: list[str]) -> str:
    return " | ".join(cells)[:_KEPT]


class _Lines:
    """Lines with their numbers, each of bounded length, with some put back to be read again."""

    def __init__(self, stream: TextIO, before: int = 0) -> None:
        self._stream = stream
        self._number = before
        self._waiting: deque[tuple[int, str]] = deque()

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


def _records(lines: _Lines, delimiter: str) -> Iterator[Record | BadLine]:
    blanks = f'{delimiter} \t\r\x1a\x0c\ufeff"'
    while (numbered := lines.next()) is not None:
        number, text = numbered
        if not text.strip(blanks):
            continue
        if len(text) > LINE_LIMIT:
            reason = f"a line of more than {LINE_LIMIT:,} characters"
            yield BadLine(number, "line_too_long", reason, _cleaned(text[:_KEPT]))
        elif "\0" in text:
            reason = "bytes that are no text (NUL)"
            yield BadLine(number, "no_text", reason, _cleaned(text[:_KEPT]))
        elif '"' in text:
            row = _quoted(lines, number, text, delimiter)
            if isinstance(row, BadLine) or any(cell.strip() for cell in row.cells):
                yield row
        else:
            yield Record(number, text.split(delimiter))


def _quoted(lines: _Lines, number: int, text: str, delimiter: str) -> Record | BadLine:
    """A row with quotes, which may go on over further lines."""
    taken: list[tuple[int, str]] = []
    cells, problem = _split([text], delimiter)
    if _UNCLOSED in problem and _closed_later(lines, taken, delimiter):
        cells, problem = _split([text, *(line for _, line in taken)], delimiter)
    if not problem:
        return Record(number, cells)
    lines.put_back(taken)
    return BadLine(number, "quotes", _quote_reason(problem), _cleaned(text[:_KEPT]))


def _split(lines: list[str], delimiter: str) -> tuple[list[str], str]:
    """The cells of a row, or what is wrong with it."""
    whole = [line + "\n" for line in lines]
    reader = csv.reader(whole, delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        return next(reader), ""
    except csv.Error as error:
        return [], str(error)


def _closed_later(lines: _Lines, taken: list[tuple[int, str]], delimiter: str) -> bool:
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


def _cleaned(text: str) -> str:
    """Text as a database takes it."""
    return text.replace("\0", "\u2400")
