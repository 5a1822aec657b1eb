"""Which cells of a workbook are shown in percent: 23.5 % is kept there as 0.235, and the library
that reads the sheets gives the number alone.
"""

from __future__ import annotations

import re
import zipfile

from monitor.intake.old_percent_cells import old_percent_cells
from monitor.intake.packed_sheets import (
    FoundPlaces,
    Places,
    cells_of_excel,
    cells_of_open_document,
    looked_into,
    paths_of_sheets,
    styles_of_excel,
)
from monitor.intake.survey import Survey

_BUILT_IN = (b"9", b"10")
"""Numbers of the formats 0% and 0.00%."""
_QUOTED = re.compile(r'"[^"]*"|\\.')
"""Signs of a format that are shown as they are."""
_NUMBERS = (b"", b"n")


def percent_cells(survey: Survey) -> Places:
    """Those of a workbook; none where it cannot be read."""
    if survey.encoding in _LOOKS:
        return looked_into(survey, _LOOKS, {})
    with survey.open() as stream:
        return old_percent_cells(stream.read())


def _of_excel(archive: zipfile.ZipFile) -> Places:
    styles = {
        style for style, number, code in styles_of_excel(archive) if _is_of_percent(number, code)
    }
    if not styles:
        return {}
    found = FoundPlaces()
    for number, path in enumerate(paths_of_sheets(archive)):
        for cell in cells_of_excel(archive, path) if path in archive.namelist() else ():
            if cell.about.get(b"s") in styles and cell.about.get(b"t", b"") in _NUMBERS:
                found.add(number, cell.row, (cell.column,))
    return found.places


def _is_of_percent(number: bytes, code: str) -> bool:
    """Whether a format is one of percent."""
    return number in _BUILT_IN or "%" in _QUOTED.sub("", code)


def _of_open_document(archive: zipfile.ZipFile) -> Places:
    found = FoundPlaces()
    for cells in cells_of_open_document(archive):
        if cells.about.get(b"office:value-type") == b"percentage":
            for row in cells.rows:
                found.add(cells.sheet, row, cells.columns)
    return found.places


_LOOKS = {"xlsx": _of_excel, "ods": _of_open_document}
