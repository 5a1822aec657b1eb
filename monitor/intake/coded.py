"""A column as its distinct texts. Cells are told apart by their bytes, in all rows at once; only
distinct ones become text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Codes = NDArray[np.unsignedinteger[Any]]

CODING = ("utf-8", "surrogatepass")
_LONGEST = 128
"""Bytes of a cell up to which a column is told apart by words of eight bytes."""
PADDING = bytes(_LONGEST + 8)
"""What stands behind the text whose cells are coded."""
_MIXER = 0x9E3779B97F4A7C15


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

    def rows_of(self, which: Sequence[int]) -> list[int]:
        """The rows that have one of these texts, by their numbers."""
        import numpy as np

        return np.flatnonzero(np.isin(self.codes, which)).tolist() if which else []

    def first_rows(self, which: Sequence[int]) -> list[tuple[int, int]]:
        """Of these texts, by their numbers, which row is the first to have it."""
        import numpy as np

        if not which:
            return []
        first = np.zeros(len(self.texts), np.int64)
        first[self.codes[::-1]] = np.arange(len(self.codes) - 1, -1, -1)
        return [(number, int(first[number])) for number in which]


def coded(text: bytes, begin: Whole, size: Whole) -> Coded:
    """The cells of a text, without NUL bytes and followed by `PADDING`: where each begins, and
    how many bytes it has."""
    import numpy as np  # slow to import, and small files do without

    longest = int(size.max())
    if longest > _LONGEST:
        return _coded(_texts(text, begin, size))
    words = _words(text, begin, size, longest)
    mixed = words[0]
    for word in words[1:]:
        mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(_MIXER) + word
    found, codes = _told_apart(mixed)
    first = np.empty(len(found), np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)  # the last write is the first row's
    if len(words) > 1 and not all((word == word[first][codes]).all() for word in words):
        return _coded(_texts(text, begin, size))
    order = first.argsort()
    place = np.empty(len(order), smallest(len(order)))
    place[order] = np.arange(len(order))
    return Coded(place[codes], _texts(text, begin[first[order]], size[first[order]]))


def _told_apart(mixed: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], Whole]:
    """The distinct numbers, and which of them each is. Many a column says the same in several
    rows, one below the other: only the first of each is put in order then."""
    import numpy as np

    begins = np.flatnonzero(mixed[1:] != mixed[:-1]) + 1
    if len(begins) > len(mixed) // 2:
        return np.unique(mixed, return_inverse=True)
    begins = np.concatenate(([0], begins))
    found, codes = np.unique(mixed[begins], return_inverse=True)
    return found, codes.repeat(np.diff(begins, append=len(mixed)))


def constant(text: str, rows: int) -> Coded:
    """A column that says the same in every row."""
    import numpy as np

    return Coded(np.zeros(rows, np.uint8), [text])


def _words(text: bytes, begin: Whole, size: Whole, longest: int) -> list[NDArray[np.uint64]]:
    """The cells, eight bytes at a time, nothing behind their end."""
    import numpy as np

    eights: Any = np.ndarray(len(text) - 7, "<u8", text, strides=(1,))
    return [
        eights[begin + at] & _masks()[np.clip(size - at, 0, 8)]
        for at in range(0, max(longest, 1), 8)
    ]


def _texts(text: bytes, begin: Whole, size: Whole) -> list[str]:
    spans = zip(begin.tolist(), (begin + size).tolist(), strict=True)
    return [text[start:end].decode(*CODING) for start, end in spans]


def _coded(column: Sequence[str]) -> Coded:
    """Of long texts, or such as a mixture of their bytes does not tell apart."""
    import numpy as np

    texts = list(dict.fromkeys(column))
    number = dict(zip(texts, range(len(texts)), strict=True))
    codes = np.fromiter(map(number.__getitem__, column), smallest(len(texts)), len(column))
    return Coded(codes, texts)


def smallest(count: int) -> type[np.unsignedinteger[Any]]:
    """The smallest kind of number for so many codes."""
    import numpy as np

    return next(it for it in (np.uint8, np.uint16, np.uint32) if count <= np.iinfo(it).max)


@cache
def _masks() -> NDArray[np.uint64]:
    """For each number of bytes, up to eight, those bytes of a word."""
    import numpy as np

    return np.array([(1 << 8 * size) - 1 for size in range(9)], np.uint64)
