"""Cells of a workbook with a formula that was never calculated: a program wrote them, and no
spreadsheet has opened them since. The library that reads the sheets gives nothing for them, or the
0 that the program put there, and neither is what a person will see.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator

from monitor.intake.packed_sheets import (
    FoundPlaces,
    Places,
    cells_of_excel,
    cells_of_open_document,
    looked_into,
    mentions,
    paths_of_sheets,
    tags_of,
)
from monitor.intake.survey import Survey

_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_FORMULA_OF_OPEN_DOCUMENT = re.compile(rb"table:formula\s*=")
_ON_OPENING = (b"1", b"true")
_TEXT = b"str"
"""The type of a formula that gave a text, an empty one too."""
_PLACED = b"0"
"""What programs write as the value of a formula that they cannot calculate."""


def uncalculated_cells(survey: Survey) -> Places:
    """Those of a workbook that is a packed archive; none where it cannot be read."""
    return looked_into(survey, _LOOKS, {})


def _of_excel(archive: zipfile.ZipFile) -> Places:
    found = FoundPlaces()
    calculation = tags_of(archive.read("xl/workbook.xml"), b"calcPr")
    on_opening = any(it.get(b"fullCalcOnLoad") in _ON_OPENING for it in calculation)
    for number, path in enumerate(paths_of_sheets(archive)):
        if path in archive.namelist() and mentions(archive, path, _FORMULA):
            for row, column in _of_sheet(archive, path, on_opening=on_opening):
                found.add(number, row, (column,))
    return found.places


def _of_sheet(
    archive: zipfile.ZipFile, path: str, *, on_opening: bool
) -> Iterator[tuple[int, int]]:
    """Row and column of each formula without a value; of one whose value is 0 too, where the
    workbook says that all are to be calculated when it is opened."""
    for cell in cells_of_excel(archive, path):
        if not cell.has_formula or cell.about.get(b"t", b"") == _TEXT:
            continue
        if not cell.value or (on_opening and cell.value == _PLACED):
            yield cell.row, cell.column


def _of_open_document(archive: zipfile.ZipFile) -> Places:
    found = FoundPlaces()
    if not mentions(archive, "content.xml", _FORMULA_OF_OPEN_DOCUMENT):
        return {}
    for cells in cells_of_open_document(archive):
        if b"table:formula" in cells.about and b"office:value-type" not in cells.about:
            for row in cells.rows:
                found.add(cells.sheet, row, cells.columns)
    return found.places


_LOOKS = {"xlsx": _of_excel, "ods": _of_open_document}
