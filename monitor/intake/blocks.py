"""Many plain lines of a CSV file at once: split in one go, each column as its distinct texts.

A block is lines that need no judgement of their own: no quotes, none blank, each with as many
cells as the header. Whatever is not so plain is read line by line (`csv`), and means the same.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from monitor.intake.coded import CODING, PADDING, Coded, coded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

_NO_TEXT = ("\0", '"')
_BLANKS = " \t\r\x1a\x0c\ufeff"
_NEWLINE = ord("\n")


class Block:
    """Consecutive lines with as many cells as the header."""

    def __init__(self, first_line: int, text: bytes, ends: Whole) -> None:
        """`ends` is where each cell ends in the text, by row and column."""
        self.first_line = first_line
        self.rows, self._width = ends.shape
        self._text: bytes | None = text
        self._ends: Whole | None = ends
        self._coded: dict[int, Coded] = {}

    def coded(self, position: int) -> Coded:
        """One column."""
        found = self._coded.get(position)
        if found is None:
            assert self._text is not None and self._ends is not None
            found = self._coded[position] = coded(self._text, *_span(self._ends, position))
        return found

    def cells(self, row: int) -> list[str]:
        """The cells of one row, by its number within the block."""
        columns = map(self.coded, range(self._width))
        return [column.texts[int(column.codes[row])] for column in columns]

    def compact(self) -> None:
        """Keep every column as its distinct texts alone."""
        for position in range(self._width):
            self.coded(position)
        self._text = self._ends = None


def _span(ends: Whole, position: int) -> tuple[Whole, Whole]:
    """Where each cell of a column begins, and how many bytes it has."""
    import numpy as np

    end = ends[:, position]
    before = ends[:, position - 1] if position else np.concatenate(([-1], ends[:-1, -1]))
    return before + 1, end - (before + 1)


def split(
    text: str, first_line: int, delimiter: str, header: Sequence[str], line_limit: int
) -> Block | None:
    """The block of these whole lines; None where they have to be read one by one."""
    if any(sign in text for sign in _NO_TEXT) or _has_longer(text, line_limit):
        return None
    if not delimiter.isascii():
        return None
    import numpy as np

    if not text.endswith("\n"):
        text += "\n"
    encoded = text.encode(*CODING)
    signs = np.frombuffer(encoded, np.uint8)
    places = np.flatnonzero((signs == ord(delimiter)) | (signs == _NEWLINE))
    if len(places) % len(header):
        return None
    ends = places.reshape(-1, len(header))
    newline = signs[ends] == _NEWLINE
    if newline[:, :-1].any() or not newline[:, -1].all():
        return None
    block = Block(first_line, encoded + PADDING, ends)
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
