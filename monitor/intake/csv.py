"""CSV bytes to records with line numbers: streaming, in bounded memory, losing nothing.

A line that cannot be split becomes one `BadLine`, and reading goes on with the next line:
an unclosed quote costs its own row, never the rest of the file.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple, TextIO

from monitor.intake.raw import BadLine
from monitor.intake.survey import Survey, UnreadableFile, decoder_of

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
LINE_LIMIT = 1 << 20
"""Characters of one line; a longer one is a bad line."""
FIELD_LINES = 200
"""Lines that one quoted row may span."""
_FIELD_CHARACTERS = 1 << 18
_KEPT = 2000
"""Characters of a bad line that go into quarantine."""
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_UNCLOSED = "unexpected end of data"


class Record(NamedTuple):
    """One row as it stands in the file, at the line where it begins."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """An opened CSV file: its header, and its rows to be read once."""

    delimiter: str
    header: list[str]
    header_line: int
    rows: Iterator[Record | BadLine]

    @property
    def delimiter_title(self) -> str:
        return DELIMITERS.get(self.delimiter, self.delimiter)


@contextmanager
def open_table(
    survey: Survey, knows: Callable[[str], bool], delimiter: str = ""
) -> Iterator[Table]:
    """Open a surveyed file. `knows` says whether a header name means something to us; the
    delimiter that yields most such names is taken, unless the source names its own.

    Raises UnreadableFile where there is no header.
    """
    codec, errors = decoder_of(survey.encoding)
    with survey.path.open(encoding=codec, errors=errors, newline=None) as stream:
        lines = _Lines(stream)
        yield _table(lines, knows, _delimiter_named(delimiter))


def _table(lines: _Lines, knows: Callable[[str], bool], delimiter: str) -> Table:
    first = _first_line(lines)
    marked = _SEPARATOR_LINE.fullmatch(first[1])
    if marked:
        delimiter = delimiter or marked[1]
        first = _first_line(lines)
    delimiter = delimiter or _sniffed(first[1], knows)
    lines.put_back([first])
    header = next(_records(lines, delimiter), None)
    if not isinstance(header, Record):
        reason = "cannot be split" if header is None else header.reason
        raise UnreadableFile(f"line {first[0]}: the header {reason}")
    names = [name.strip().lstrip("\ufeff").strip() for name in header.cells]
    rows = _fitting(_records(lines, delimiter), names)
    return Table(delimiter, names, header.line, rows)


def _first_line(lines: _Lines) -> tuple[int, str]:
    while (line := lines.next()) is not None:
        if line[1].lstrip("\ufeff").strip():
            return line
    raise UnreadableFile("the file has no text in it, only blank lines")


def _sniffed(header: str, knows: Callable[[str], bool]) -> str:
    def score(delimiter: str) -> tuple[int, int]:
        names = header.replace('"', "").lstrip("\ufeff").split(delimiter)
        return sum(knows(name) for name in names), len(names)

    return max(DELIMITERS, key=score)


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


def _fitting(records: Iterator[Record | BadLine], header: list[str]) -> Iterator[Record | BadLine]:
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
        elif cells[0] == header[0] and cells == header:
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

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._number = 0
        self._waiting: deque[tuple[int, str]] = deque()

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
