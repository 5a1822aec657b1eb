"""Which cells of a workbook are shown in percent: 23.5 % is kept there as 0.235, and the library
that reads the sheets gives the number alone.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator

from monitor.intake.old_percent_cells import old_percent_cells
from monitor.intake.packed_sheets import (
    REFERENCE,
    FoundPlaces,
    Places,
    cells_of_open_document,
    column_number,
    looked_into,
    paths_of_sheets,
    streamed,
    tags_of,
)
from monitor.intake.survey import Survey

_BUILT_IN = (b"9", b"10")
"""Numbers of the formats 0% and 0.00%."""
_QUOTED = re.compile(rb'&quot;.*?&quot;|"[^"]*"|\\.')
"""Signs of a format that are shown as they are."""
_NUMBERS = (b"", b"n")


def percent_cells(survey: Survey) -> Places:
    """Those of a workbook; none where it cannot be read."""
    if survey.encoding in _LOOKS:
        return looked_into(survey, _LOOKS, {})
    with survey.open() as stream:
        return old_percent_cells(stream.read())


def _of_excel(archive: zipfile.ZipFile) -> Places:
    styles = _styles_in_percent(archive.read("xl/styles.xml"))
    if not styles:
        return {}
    found = FoundPlaces()
    for number, path in enumerate(paths_of_sheets(archive)):
        if path in archive.namelist():
            for row, columns in _rows_styled(archive, path, styles):
                found.add(number, row, columns)
    return found.places


def _styles_in_percent(styles: bytes) -> set[bytes]:
    """The numbers of the cell styles whose format is one of percent."""
    formats = {
        about.get(b"numFmtId", b"")
        for about in tags_of(styles, b"numFmt")
        if b"%" in _QUOTED.sub(b"", about.get(b"formatCode", b""))
    }
    formats.update(_BUILT_IN)
    of_cells = re.search(rb"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", styles, re.DOTALL)
    listed = tags_of(of_cells[0], b"xf") if of_cells else []
    return {
        str(number).encode()
        for number, about in enumerate(listed)
        if about.get(b"numFmtId") in formats
    }


def _rows_styled(
    archive: zipfile.ZipFile, path: str, styles: set[bytes]
) -> Iterator[tuple[int, set[int]]]:
    """Rows with the columns of their numbers in one of these styles."""
    row = column = -1
    columns: set[int] = set()
    for name, about in streamed(archive, path, b"row|c"):
        if name == b"row":
            yield row, columns
            row = int(about[b"r"]) - 1 if b"r" in about else row + 1
            column, columns = -1, set()
            continue
        place = REFERENCE.fullmatch(about.get(b"r", b""))
        column = column_number(place[1]) if place else column + 1
        if about.get(b"s") in styles and about.get(b"t", b"") in _NUMBERS:
            columns.add(column)
    yield row, columns


def _of_open_document(archive: zipfile.ZipFile) -> Places:
    found = FoundPlaces()
    for cells in cells_of_open_document(archive):
        if cells.about.get(b"office:value-type") == b"percentage":
            for row in cells.rows:
                found.add(cells.sheet, row, cells.columns)
    return found.places


_LOOKS = {"xlsx": _of_excel, "ods": _of_open_document}
