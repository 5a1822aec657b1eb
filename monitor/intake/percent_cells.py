"""Which cells of a workbook are shown in percent: 23.5 % is kept there as 0.235, and the library
that reads the sheets gives the number alone. Old workbooks (`.xls`) are not looked into.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

from monitor.intake.survey import DAMAGED_ARCHIVE, Survey

Places = Mapping[int, Mapping[int, frozenset[int]]]
"""By the number of the sheet and that of the row: the columns of such cells, counted from 0."""

_BLOCK = 1 << 20
_LONGEST_TAG = 4096
_ATTRIBUTE = re.compile(rb"""([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_BUILT_IN = (b"9", b"10")
"""Numbers of the formats 0% and 0.00%."""
_QUOTED = re.compile(rb'&quot;.*?&quot;|"[^"]*"|\\.')
"""Signs of a format that are shown as they are."""
_REFERENCE = re.compile(rb"([A-Z]{1,3})(\d{1,7})")
_NUMBERS = (b"", b"n")


def percent_cells(survey: Survey) -> Places:
    """Those of a workbook that is a packed archive; none where it cannot be read."""
    look = _LOOKS.get(survey.encoding)
    if look is None:
        return {}
    with (
        suppress(*DAMAGED_ARCHIVE, KeyError),
        survey.open() as stream,
        zipfile.ZipFile(stream) as archive,
    ):
        return look(archive)
    return {}


def _of_excel(archive: zipfile.ZipFile) -> Places:
    styles = _styles_in_percent(archive.read("xl/styles.xml"))
    if not styles:
        return {}
    found = _Found()
    for number, path in enumerate(_paths_of_sheets(archive)):
        if path in archive.namelist():
            for row, columns in _rows_styled(archive, path, styles):
                found.add(number, row, columns)
    return found.places


class _Found:
    """Places as they are found. Rows that are alike share their columns."""

    def __init__(self) -> None:
        self.places: dict[int, dict[int, frozenset[int]]] = {}
        self._kept: dict[frozenset[int], frozenset[int]] = {}

    def add(self, sheet: int, row: int, columns: Collection[int]) -> None:
        """More columns of a row, if there are any."""
        if not columns:
            return
        rows = self.places.setdefault(sheet, {})
        together = rows.get(row, frozenset()).union(columns)
        rows[row] = self._kept.setdefault(together, together)


def _styles_in_percent(styles: bytes) -> set[bytes]:
    """The numbers of the cell styles whose format is one of percent."""
    formats = {
        about.get(b"numFmtId", b"")
        for about in _tags(styles, b"numFmt")
        if b"%" in _QUOTED.sub(b"", about.get(b"formatCode", b""))
    }
    formats.update(_BUILT_IN)
    of_cells = re.search(rb"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", styles, re.DOTALL)
    listed = _tags(of_cells[0], b"xf") if of_cells else []
    return {
        str(number).encode()
        for number, about in enumerate(listed)
        if about.get(b"numFmtId") in formats
    }


def _paths_of_sheets(archive: zipfile.ZipFile) -> list[str]:
    """The part that holds each sheet, in the order of the workbook."""
    targets = {
        about.get(b"Id", b""): about.get(b"Target", b"").decode()
        for about in _tags(archive.read("xl/_rels/workbook.xml.rels"), b"Relationship")
    }
    ids = [
        next((text for name, text in about.items() if name.endswith(b":id")), b"")
        for about in _tags(archive.read("xl/workbook.xml"), b"sheet")
    ]
    return [_within(targets.get(it, "")) for it in ids]


def _within(target: str) -> str:
    return target[1:] if target.startswith("/") else f"xl/{target}"


def _rows_styled(
    archive: zipfile.ZipFile, path: str, styles: set[bytes]
) -> Iterator[tuple[int, set[int]]]:
    """Rows with the columns of their numbers in one of these styles."""
    row = column = -1
    columns: set[int] = set()
    for name, about in _streamed(archive, path, b"row|c"):
        if name == b"row":
            yield row, columns
            row = int(about[b"r"]) - 1 if b"r" in about else row + 1
            column, columns = -1, set()
            continue
        place = _REFERENCE.fullmatch(about.get(b"r", b""))
        column = _number_of(place[1]) if place else column + 1
        if about.get(b"s") in styles and about.get(b"t", b"") in _NUMBERS:
            columns.add(column)
    yield row, columns


def _number_of(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _of_open_document(archive: zipfile.ZipFile) -> Places:
    found = _Found()
    sheet = row = column = -1
    more_rows = 1
    names = rb"table:(?:table|table-row|table-cell|covered-table-cell)"
    for name, about in _streamed(archive, "content.xml", names):
        if name == b"table:table":
            sheet, row, more_rows = sheet + 1, -1, 1
        elif name == b"table:table-row":
            row, column = row + more_rows, -1
            more_rows = int(about.get(b"table:number-rows-repeated", b"1"))
        else:
            more = int(about.get(b"table:number-columns-repeated", b"1"))
            if about.get(b"office:value-type") == b"percentage":
                for each in range(row, row + more_rows):
                    found.add(sheet, each, range(column + 1, column + 1 + more))
            column += more
    return found.places


def _streamed(
    archive: zipfile.ZipFile, path: str, names: bytes
) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
    """The tags of these names, each with its attributes, in a part of any size."""
    tag = re.compile(rb"<(?:\w+:)??(" + names + rb")(?=[\s/>])([^>]{0,%d})>" % _LONGEST_TAG)
    rest = b""
    with archive.open(path) as stream:
        while block := stream.read(_BLOCK):
            text = rest + block
            end = 0
            for found in tag.finditer(text):
                yield found[1], _attributes(found[2])
                end = found.end()
            rest = text[max(end, len(text) - 2 * _LONGEST_TAG) :]


def _tags(text: bytes, name: bytes) -> list[dict[bytes, bytes]]:
    tag = re.compile(rb"<(?:\w+:)?" + name + rb"(?=[\s/>])([^>]*)>")
    return [_attributes(found[1]) for found in tag.finditer(text)]


def _attributes(text: bytes) -> dict[bytes, bytes]:
    return {name: quoted or single for name, quoted, single in _ATTRIBUTE.findall(text)}


_LOOKS = {"xlsx": _of_excel, "ods": _of_open_document}
