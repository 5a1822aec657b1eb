"""Excel workbooks: spoilt in the XML of their sheets, which is packed again, and as bytes."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from functools import cache
from random import Random

from openpyxl import Workbook

from tools.fuzz.mutation import mutator

_HEADER = ("MRN", "Datum", "Test", "Wert", "Einheit", "Referenz")
_ROWS = (
    ("F1", date(2026, 2, 13), "WBC", 3.9, "K/uL", "4 - 10"),
    ("F2", datetime(2026, 2, 13, 8, 30), "PLT", "150", "K/uL", "<400"),  # noqa: DTZ001
    (3, 46066.5, "ALT", "<5,5", "U/L", None),
)
_TOKENS = (
    b"", b"0", b"1e309", b"-1", b"46066.5", b"9" * 40, b"s", b"n", b"d", b"e", b"b", b"str",
    b"inlineStr", b"A1", b"ZZZ1", b"XFD1048576", b"A0", b"B99999999", b"F1", b"2026-02-13",
    b"&amp;", b"&#0;", b"&lol;", b"]]>", b"\xff", b"<row>", b"</sheetData>", b"x" * 5000,
)  # fmt: skip
_SPOIL = mutator(_TOKENS, b"<>\"' =/")
_SHARE_OF_BYTES = 0.2


@cache
def corpus() -> tuple[bytes, ...]:
    """Workbooks of one sheet and of three."""
    return _book({"Labor": (("Labor Nord",), (), _HEADER, *_ROWS)}), _book(
        {"Mo": (_HEADER, *_ROWS[:1]), "Di": (_HEADER, *_ROWS), "Info": (("Legende",),)}
    )


def _book(sheets: dict[str, tuple[tuple[object, ...], ...]]) -> bytes:
    book = Workbook()
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.remove(book.worksheets[0])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def mutate(luck: Random, data: bytes) -> bytes:
    """One part of the workbook spoilt, or its packed bytes."""
    if luck.random() < _SHARE_OF_BYTES:
        return _SPOIL(luck, data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheets = [name for name in parts if "worksheets" in name]
    name = luck.choice(sheets if luck.random() < 0.7 else list(parts))
    parts[name] = _SPOIL(luck, parts[name])
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    return stream.getvalue()
