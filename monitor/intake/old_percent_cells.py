"""Which cells of an old workbook (`.xls`) are shown in percent.

Source: [MS-XLS], Excel Binary File Format, 2.4 (records); BIFF5 and BIFF8 alike.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from io import BytesIO

from olefile import OleFileIO

from monitor.intake.packed_sheets import FoundPlaces, Places

_STREAMS = ("Workbook", "Book")
_BOF, _EOF, _FILE_PASS = 0x0809, 0x000A, 0x002F
_FORMAT, _XF, _BOUND_SHEET = 0x041E, 0x00E0, 0x0085
_NUMBER, _RK, _MUL_RK, _FORMULA = 0x0203, 0x027E, 0x00BD, 0x0006
_BIFF8 = 0x0600
_BUILT_IN = (9, 10)
"""Numbers of the formats 0% and 0.00%."""
_QUOTED = re.compile(r'"[^"]*"|\\.')
"""Signs of a format that are shown as they are."""
_NO_NUMBER = 0xFFFF
"""At the end of the result of a formula that gave no number."""
_WIDE = 1
"""Flag of a text of two bytes a sign."""

Record = tuple[int, bytes]


def old_percent_cells(content: bytes) -> Places:
    """Those of an old workbook; none where it cannot be read, or is protected."""
    try:
        return _places(_stream(content))
    except (OSError, ValueError, OverflowError, IndexError, struct.error):
        return {}


def _stream(content: bytes) -> bytes:
    """The stream of the records. Raises OSError where the container is damaged, or has none."""
    with OleFileIO(BytesIO(content)) as container:
        for name in _STREAMS:
            if container.exists(name):
                return bytes(container.openstream(name).read())
    raise FileNotFoundError


def _places(stream: bytes) -> Places:
    formats, styles, sheets = set(_BUILT_IN), [], []
    is_biff8 = False
    for kind, body in _records(stream, 0):
        if kind == _BOF:
            is_biff8 = struct.unpack_from("<H", body)[0] == _BIFF8
        elif kind == _FILE_PASS:
            return {}
        elif kind == _FORMAT and "%" in _QUOTED.sub("", _format(body, is_biff8=is_biff8)):
            formats.add(struct.unpack_from("<H", body)[0])
        elif kind == _XF:
            styles.append(struct.unpack_from("<H", body, 2)[0])
        elif kind == _BOUND_SHEET:
            sheets.append(struct.unpack_from("<I", body)[0])
    in_percent = {number for number, it in enumerate(styles) if it in formats}
    found = FoundPlaces()
    for index, start in enumerate(sheets if in_percent else ()):
        for row, column, style in _numbers(stream, start):
            if style in in_percent:
                found.add(index, row, (column,))
    return found.places


def _records(stream: bytes, start: int) -> Iterator[Record]:
    """The records from a place up to the end of what begins there."""
    depth = 0
    while start + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, start)
        body = stream[start + 4 : start + 4 + size]
        start += 4 + size
        depth += (kind == _BOF) - (kind == _EOF)
        if depth <= 1:
            yield kind, body
        if depth <= 0:
            return


def _format(body: bytes, *, is_biff8: bool) -> str:
    if not is_biff8:
        return body[3 : 3 + body[2]].decode("cp1252", "replace")
    length, flags = struct.unpack_from("<HB", body, 2)
    if flags & _WIDE:
        return body[5 : 5 + 2 * length].decode("utf-16-le", "replace")
    return body[5 : 5 + length].decode("latin-1")


def _numbers(stream: bytes, start: int) -> Iterator[tuple[int, int, int]]:
    """Row, column and style of each number of a sheet."""
    for kind, body in _records(stream, start):
        if kind in (_NUMBER, _RK) or (kind == _FORMULA and _gave_a_number(body)):
            yield struct.unpack_from("<HHH", body)
        elif kind == _MUL_RK:
            row, first = struct.unpack_from("<HH", body)
            for place in range((len(body) - 6) // 6):
                yield row, first + place, struct.unpack_from("<H", body, 4 + 6 * place)[0]


def _gave_a_number(formula: bytes) -> bool:
    return bool(struct.unpack_from("<H", formula, 12)[0] != _NO_NUMBER)
