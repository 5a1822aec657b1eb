"""Ways to spoil a text file: bytes, cells, lines, encodings. Everything comes from one `Random`,
so an input is found again by its seed and number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

Mutate = Callable[[Random, bytes], bytes]

LARGEST = 1 << 16
"""Bytes an input may grow to: what is slow is found by size alone, and elsewhere."""
_ENCODINGS = (
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-32",
    "cp1252",
    "latin-1",
    "cp037",
    "cp1251",
    "cp932",
    "gb18030",
)
_ODD = (b"\0", b"\xff", b"\xfe\xff", b"\x1a", b"\x0b", b"\r", b"\n", b"\x85", b"\xe2\x80\xa8", b'"')


def mutator(tokens: Sequence[bytes], separators: bytes, newline: bytes = b"\n") -> Mutate:
    """A mutation for a text format: a few random changes, each of bytes, of one token between
    two separators (replaced by one of `tokens` or by another place's), or of whole lines."""

    def mutate(luck: Random, data: bytes) -> bytes:
        for _ in range(luck.choice((1, 1, 1, 2, 3, 5, 8))):
            kind = luck.random()
            if kind < 0.55:
                data = _token(luck, data, tokens, separators + newline)
            elif kind < 0.75:
                data = _lines(luck, data, newline)
            elif kind < 0.95:
                data = _bytes(luck, data)
            else:
                data = _encoding(luck, data)
        return data[:LARGEST]

    return mutate


def _token(luck: Random, data: bytes, tokens: Sequence[bytes], separators: bytes) -> bytes:
    places = _places(data, separators)
    start, end = luck.choice(places)
    kind = luck.random()
    if kind < 0.6:
        new = luck.choice(tokens)
    elif kind < 0.8:
        first, last = luck.choice(places)
        new = data[first:last]
    elif kind < 0.9:
        new = b""
    else:
        new = data[start:end] * luck.choice((2, 2, 3, 50))
    return data[:start] + new + data[end:]


def _places(data: bytes, separators: bytes) -> list[tuple[int, int]]:
    """Where the tokens between separators lie."""
    places, start = [], 0
    for index, byte in enumerate(data):
        if byte in separators:
            places.append((start, index))
            start = index + 1
    return [*places, (start, len(data))]


def _lines(luck: Random, data: bytes, newline: bytes) -> bytes:
    lines = data.split(newline)
    here, there = luck.randrange(len(lines)), luck.randrange(len(lines))
    kind = luck.randrange(5)
    if kind == 0:
        del lines[here]
    elif kind == 1:
        lines.insert(there, lines[here])
    elif kind == 2:
        lines[here], lines[there] = lines[there], lines[here]
    elif kind == 3:
        lines[here:here] = lines[there : there + 3] * luck.choice((1, 5, 30))
    else:
        lines[here] = lines[here][: luck.randrange(len(lines[here]) + 1)]
    return newline.join(lines)


def _bytes(luck: Random, data: bytes) -> bytes:
    here = luck.randrange(len(data) + 1)
    there = min(len(data), here + luck.choice((0, 1, 1, 2, 7, 40)))
    kind = luck.randrange(4)
    if kind == 0:
        return data[:here] + data[there:]
    if kind == 1:
        return data[:here] + luck.choice(_ODD) * luck.choice((1, 1, 2, 40)) + data[here:]
    if kind == 2:
        return data[:here] + luck.randbytes(luck.choice((1, 1, 3))) + data[there:]
    return data[:here]


def _encoding(luck: Random, data: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(luck.choice(_ENCODINGS), "replace")
