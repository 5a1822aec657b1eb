"""Many plain lines of a CSV file at once: split in one go, each column as its distinct texts.

A block is lines that need no judgement of their own: no quotes, none blank, each with as many
cells as the header. Whatever is not so plain is read line by line (`csv`), and means the same.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.unsignedinteger[Any]]

_NO_TEXT = ("\0", '"')
_BLANKS = " \t\r\x1a\x0c\ufeff"
_TEXT_OVERHEAD = 60
"""Bytes that a short text costs beside its characters."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A column as its distinct texts, in the order in which they first appear, and for each row
    which of them it has."""

    codes: Codes
    texts: Sequence[str]

    def mapped(self, change: Callable[[str], str]) -> Coded:
        """The column with each text changed; equal ones may come of different ones."""
        return Coded(self.codes, [change(text) for text in self.texts])

    def counts(self) -> list[int]:
        """How many rows have each text."""
        import numpy as np

        found: list[int] = np.bincount(self.codes, minlength=len(self.texts)).tolist()
        return found

    def first_rows(self, which: Sequence[int]) -> list[tuple[int, int]]:
        """Of these texts, by their numbers, which row is the first to have it."""
        import numpy as np

        if not which:
            return []
        first = np.zeros(len(self.texts), np.int64)
        first[self.codes[::-1]] = np.arange(len(self.codes) - 1, -1, -1)
        return [(number, int(first[number])) for number in which]


class Block:
    """Consecutive lines with as many cells as the header."""

    def __init__(self, first_line: int, rows: int, columns: Sequence[Sequence[str]]) -> None:
        self.first_line = first_line
        self.rows = rows
        self._columns: list[Sequence[str] | None] = list(columns)
        self._coded: dict[int, Coded] = {}

    def coded(self, position: int) -> Coded:
        """One column."""
        found = self._coded.get(position)
        if found is None:
            column = self._columns[position]
            assert column is not None
            found = self._coded[position] = coded(column)
            self._columns[position] = None
        return found

    def cells(self, row: int) -> list[str]:
        """The cells of one row, by its number within the block."""
        return [self._cell(position, row) for position in range(len(self._columns))]

    def compact(self) -> int:
        """Keep every column as its distinct texts alone; returns the bytes that takes."""
        found = [self.coded(position) for position in range(len(self._columns))]
        return sum(
            column.codes.nbytes + sum(map(len, column.texts)) + _TEXT_OVERHEAD * len(column.texts)
            for column in found
        )

    def _cell(self, position: int, row: int) -> str:
        column = self._columns[position]
        if column is not None:
            return column[row]
        known = self._coded[position]
        return known.texts[int(known.codes[row])]


def coded(column: Sequence[str]) -> Coded:
    """A column as its distinct texts."""
    import numpy as np  # slow to import, and small files do without

    texts = list(dict.fromkeys(column))
    if len(texts) == 1:
        return constant(texts[0], len(column))
    number = dict(zip(texts, range(len(texts)), strict=True))
    size = next(it for it in (np.uint8, np.uint16, np.uint32) if len(texts) <= np.iinfo(it).max)
    return Coded(np.fromiter(map(number.__getitem__, column), size, len(column)), texts)


def constant(text: str, rows: int) -> Coded:
    """A column that says the same in every row."""
    import numpy as np

    return Coded(np.zeros(rows, np.uint8), [text])


def split(
    text: str, first_line: int, delimiter: str, header: Sequence[str], line_limit: int
) -> Block | None:
    """The block of these whole lines; None where they have to be read one by one."""
    if any(sign in text for sign in _NO_TEXT) or _has_longer(text, line_limit):
        return None
    if not text.endswith("\n"):
        text += "\n"
    width = len(header)
    rows = text.count("\n")
    # The end of the line becomes a cell of its own: it is in its place in every line, or the
    # lines do not all have that many cells.
    cells = text.replace("\n", f"{delimiter}\n{delimiter}").split(delimiter)
    if len(cells) != rows * (width + 1) + 1 or set(cells[width :: width + 1]) != {"\n"}:
        return None
    cells.pop()
    block = Block(first_line, rows, [cells[place :: width + 1] for place in range(width)])
    first = block.coded(0).texts
    blank_or_header = any(not it.strip(_BLANKS) or it.strip() == header[0] for it in first)
    return None if blank_or_header else block


def _has_longer(text: str, limit: int) -> bool:
    """Whether some line has more characters than that."""
    place = 0
    while len(text) - place > limit:
        end = text.rfind("\n", place, place + limit + 1)
        if end < 0:
            return True
        place = end + 1
    return False


class Ahead:
    """Text already taken from a stream, then the stream itself, line by line."""

    def __init__(self, text: str, stream: TextIO) -> None:
        self._text = io.StringIO(text)
        self._size = len(text)
        self._stream = stream

    def is_over(self) -> bool:
        """Whether all the text has been read."""
        return self._text.tell() >= self._size

    def readline(self, limit: int) -> str:
        """The next line with its end, or as much of it as the limit allows."""
        line = self._text.readline(limit)
        if line.endswith("\n") or len(line) >= limit:
            return line
        return line + self._stream.readline(limit - len(line))


def whole_lines(stream: TextIO, size: int, line_limit: int) -> Iterator[str]:
    """The text of a stream in pieces of about that size that end where a line does, but for a
    line that is too long and the end of the file."""
    while text := stream.read(size):
        yield text if text.endswith("\n") else text + stream.readline(line_limit + 1)
