"""Old Excel workbooks (`.xls`): spoilt in the records of their stream, which keeps its length so
that the container around it stays whole, and as bytes."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random

from tools.fuzz.mutation import mutator

_TRUE_FILE = Path(__file__).parents[2] / "tests" / "data" / "workbooks" / "labor.xls"
_BEGIN = b"\x09\x08"
"""How the first record of the stream begins: BOF."""
_SPOIL = mutator((b"", b"\0" * 8, b"\xff" * 8, b"x" * 600), b"\0\x01\x02\xff")
_SHARE_OF_BYTES = 0.2
_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x3FFF, 0x4000, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)
_KINDS = (
    0x0006, 0x000A, 0x000C, 0x003C, 0x0042, 0x0085, 0x00BD, 0x00BE, 0x00E0, 0x00E5, 0x00FC, 0x00FD,
    0x0201, 0x0203, 0x0204, 0x0205, 0x0207, 0x0221, 0x027E, 0x041E, 0x0809,
)  # fmt: skip
"""Records that say something of cells, texts, formats or sheets."""

Parts = list[bytes]


@cache
def corpus() -> tuple[bytes, ...]:
    """A workbook that a spreadsheet program wrote."""
    return (_TRUE_FILE.read_bytes(),)


def mutate(luck: Random, data: bytes) -> bytes:
    """A few records spoilt, or bytes anywhere."""
    if luck.random() < _SHARE_OF_BYTES:
        return _SPOIL(luck, data)
    start, records = _records(data)
    length = sum(map(len, records))
    for _ in range(luck.choice((1, 1, 1, 2, 3, 5))):
        _spoil(luck, records)
    stream = b"".join(records)[:length].ljust(length, b"\0")
    return data[:start] + stream + data[start + length :]


def _records(data: bytes) -> tuple[int, Parts]:
    """Where the stream begins, and its records, each with its kind and length before it."""
    start = place = data.index(_BEGIN)
    found: Parts = []
    while place + 4 <= len(data):
        kind, size = struct.unpack_from("<HH", data, place)
        if not kind or place + 4 + size > len(data):
            break
        found.append(data[place : place + 4 + size])
        place += 4 + size
    return start, found


def _spoil(luck: Random, records: Parts) -> None:
    here, there = luck.randrange(len(records)), luck.randrange(len(records))
    record = records[here]
    kind = luck.random()
    if kind < 0.1 and len(records) > 1:
        del records[here]
    elif kind < 0.2:
        records.insert(there, record)
    elif kind < 0.3:
        records[here] = struct.pack("<H", luck.choice(_KINDS)) + record[2:]
    elif kind < 0.4:
        records[here] = record[:2] + struct.pack("<H", luck.choice(_NUMBERS)) + record[4:]
    else:
        records[here] = _with_a_number(luck, record)


def _with_a_number(luck: Random, record: bytes) -> bytes:
    """A number of two bytes in the body replaced: a row, a column, a format, a length."""
    if len(record) < 6:
        return record
    place = 4 + 2 * luck.randrange((len(record) - 4) // 2)
    numbers: Sequence[int] = (*_NUMBERS, luck.randrange(1 << 16))
    return record[:place] + struct.pack("<H", luck.choice(numbers)) + record[place + 2 :]
