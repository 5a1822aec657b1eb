"""Cells of a workbook of which a person sees more than the library that reads the sheets gives: a
patient's number with the noughts of its format (00451 is kept as 451), a sign or a unit of the
format (`<0.2`, `13.1 g/dL`), and formulas that ended in an error, for which the library gives
nothing, or a 0.
"""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation

from monitor.intake.packed_sheets import (
    cells_of_excel,
    cells_of_open_document,
    looked_into,
    mentions,
    paths_of_sheets,
    styles_of_excel,
)
from monitor.intake.survey import Survey

Shown = Mapping[int, Mapping[int, Mapping[int, str]]]
"""By the number of the sheet, of the row and of the column, counted from 0: the text."""
_Show = Callable[[str], str]
_NUMBERS = (b"", b"n")
_OUT_OF_SIGHT = re.compile(r"_.|\*.|\[[^\]<>=]*\]")
"""In a format: room for a sign, a sign that fills, a colour."""
_FORMAT = re.compile(
    r"""(?P<sign>[<>]=?|\u2264|\u2265)?\s*(?P<digits>[0#?][0#?,.]*)\s*(?P<unit>[^\W\d][^\d;]*|/\S*)?"""
)
_PADDED = re.compile(r"0{2,}")
_ERROR_OF_EXCEL = re.compile(rb"""\st\s*=\s*["']e["']""")
_ERROR_OF_OPEN_DOCUMENT = b"error"
_PADDED_TEXT = re.compile(r"0\d+")
_WITH_SIGN = re.compile(r"([<>]=?|\u2264|\u2265)\s*\d[\d.,'\s]*")
_WITH_UNIT = re.compile(r"\d[\d.,'\s]*?\s*(/?[^\W\d_][^\d]*)")
_EXPONENT = re.compile(r"[\d.,]+[eE]")


def shown_cells(survey: Survey) -> Shown:
    """What is shown in such cells; nothing where the workbook cannot be read."""
    return looked_into(survey, _LOOKS, {})


def _of_excel(archive: zipfile.ZipFile) -> Shown:
    shows = {
        style: show for style, _, code in styles_of_excel(archive) if (show := _shown_by(code))
    }
    found: dict[int, dict[int, dict[int, str]]] = {}
    for number, path in enumerate(paths_of_sheets(archive)):
        if path not in archive.namelist():
            continue
        if shows or mentions(archive, path, _ERROR_OF_EXCEL):
            for row, column, text in _of_sheet(archive, path, shows):
                found.setdefault(number, {}).setdefault(row, {})[column] = text
    return found


def _of_sheet(
    archive: zipfile.ZipFile, path: str, shows: Mapping[bytes, _Show]
) -> Iterator[tuple[int, int, str]]:
    for cell in cells_of_excel(archive, path):
        kind, value = cell.about.get(b"t", b""), cell.value.decode("utf-8", "replace")
        show = shows.get(cell.about.get(b"s", b""))
        if kind == b"e":
            yield cell.row, cell.column, value
        elif show is not None and kind in _NUMBERS and value:
            yield cell.row, cell.column, show(value)


def _shown_by(code: str) -> _Show | None:
    """How a format shows a number, if that is more than its digits."""
    positive = _OUT_OF_SIGHT.sub("", code.split(";")[0])
    found = _FORMAT.fullmatch(positive.replace('"', "").replace("\\", "").strip())
    if found is None:
        return None
    sign, digits, unit = (found[it] or "" for it in ("sign", "digits", "unit"))
    if digits.endswith(","):
        return lambda value: f"{value} (shown in thousands)"
    width = len(digits) if _PADDED.fullmatch(digits) else 0
    if not (sign or unit or width):
        return None
    return lambda value: f"{sign}{_plain(value).rjust(width, '0')} {unit}".strip()


def _plain(value: str) -> str:
    """A number without an exponent, a whole one without a point."""
    try:
        return f"{Decimal(value).normalize():f}"
    except InvalidOperation:
        return value


def _of_open_document(archive: zipfile.ZipFile) -> Shown:
    found: dict[int, dict[int, dict[int, str]]] = {}
    for cells in cells_of_open_document(archive):
        text = _beside(cells.about, html.unescape(cells.text.decode("utf-8", "replace")).strip())
        for row in cells.rows if text else ():
            for column in cells.columns:
                found.setdefault(cells.sheet, {}).setdefault(row, {})[column] = text
    return found


def _beside(about: Mapping[bytes, bytes], text: str) -> str:
    """What such a cell shows besides its number; empty where that is nothing."""
    if about.get(b"calcext:value-type") == _ERROR_OF_OPEN_DOCUMENT:
        return text
    if about.get(b"office:value-type") != b"float":
        return ""
    value = _plain(about.get(b"office:value", b"").decode("ascii", "replace"))
    if _PADDED_TEXT.fullmatch(text) and text.lstrip("0") == value.lstrip("0"):
        return text
    if sign := _WITH_SIGN.fullmatch(text):
        return f"{sign[1]}{value}"
    unit = None if _EXPONENT.match(text) else _WITH_UNIT.fullmatch(text)
    return f"{value} {unit[1]}" if unit else ""


_LOOKS = {"xlsx": _of_excel, "ods": _of_open_document}
