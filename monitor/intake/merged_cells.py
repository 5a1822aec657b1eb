"""Which cells of an OpenDocument spreadsheet reach over those below: of an Excel workbook the
library that reads the sheets says it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence

from monitor.intake.packed_sheets import cells_of_open_document, looked_into, mentions
from monitor.intake.survey import Survey

_SPANNED = re.compile(rb"table:number-rows-spanned\s*=")
Range = tuple[tuple[int, int], tuple[int, int]]
"""The first and the last cell, each by row and column, counted from 0."""


def merged_cells(survey: Survey) -> Mapping[int, Sequence[Range]]:
    """By the number of the sheet, what reaches over several rows; nothing for other workbooks."""
    return looked_into(survey, {"ods": _of_open_document}, {})


def _of_open_document(archive: zipfile.ZipFile) -> Mapping[int, Sequence[Range]]:
    found: dict[int, list[Range]] = {}
    if not mentions(archive, "content.xml", _SPANNED):
        return found
    for cells in cells_of_open_document(archive):
        rows = int(cells.about.get(b"table:number-rows-spanned", b"1"))
        if rows == 1:
            continue
        columns = int(cells.about.get(b"table:number-columns-spanned", b"1"))
        top, left = cells.rows.start, cells.columns.start
        last = top + rows - 1, left + columns - 1
        found.setdefault(cells.sheet, []).append(((top, left), last))
    return found
