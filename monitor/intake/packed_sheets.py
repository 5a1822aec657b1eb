"""The parts of a workbook that is a packed archive (`.xlsx`, `.ods`), and the tags of its cells:
for what the library that reads the sheets does not say of them."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple, TypeVar

from monitor.intake.survey import DAMAGED_ARCHIVE, Survey

T = TypeVar("T")
Places = Mapping[int, Mapping[int, frozenset[int]]]
"""By the number of the sheet and that of the row: the columns of such cells, counted from 0."""

BLOCK = 1 << 20
LONGEST_TAG = 4096
REFERENCE = re.compile(rb"([A-Z]{1,3})(\d{1,7})")
_ATTRIBUTE = re.compile(rb"""([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_CELL = re.compile(
    rb"<(?:\w+:)??(table:(?:table|table-row|table-cell|covered-table-cell))(?=[\s/>])([^>]{0,%d})>"
    rb"(?:\s*<text:p(?:\s[^<>]{0,200})?>([^<]{0,200})</text:p>)?" % LONGEST_TAG
)
"""A tag of an OpenDocument sheet, and what is shown of a cell right behind its tag."""
_PARTS = re.compile(
    rb"<(?:\w+:)??(?:(row|c|f)(?=[\s/>])([^>]{0,%d})>|(v)(?:\s[^>]{0,100})?>([^<]{1,40}))"
    % LONGEST_TAG
)


def looked_into(
    survey: Survey, looks: Mapping[str, Callable[[zipfile.ZipFile], T]], nothing: T
) -> T:
    """What the look for this kind of workbook finds; nothing where there is none, or where the
    archive cannot be read."""
    look = looks.get(survey.encoding)
    if look is None:
        return nothing
    with (
        suppress(*DAMAGED_ARCHIVE, KeyError),
        survey.open() as stream,
        zipfile.ZipFile(stream) as archive,
    ):
        return look(archive)
    return nothing


class FoundPlaces:
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


def paths_of_sheets(archive: zipfile.ZipFile) -> list[str]:
    """The part of an Excel workbook that holds each sheet, in the order of the workbook."""
    targets = {
        about.get(b"Id", b""): about.get(b"Target", b"").decode()
        for about in tags_of(archive.read("xl/_rels/workbook.xml.rels"), b"Relationship")
    }
    ids = [
        next((text for name, text in about.items() if name.endswith(b":id")), b"")
        for about in tags_of(archive.read("xl/workbook.xml"), b"sheet")
    ]
    return [_within(targets.get(it, "")) for it in ids]


def _within(target: str) -> str:
    return target[1:] if target.startswith("/") else f"xl/{target}"


def column_number(letters: bytes) -> int:
    """The number of a column, counted from 0."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


class ExcelCell(NamedTuple):
    """One cell of an Excel sheet. Rows and columns are counted from 0."""

    row: int
    column: int
    about: Mapping[bytes, bytes]
    value: bytes
    """As it is kept, up to 40 letters."""
    has_formula: bool


def cells_of_excel(archive: zipfile.ZipFile, path: str) -> Iterator[ExcelCell]:
    """The cells of a sheet."""
    row = column = -1
    cell: ExcelCell | None = None
    for found in matches(archive, path, _PARTS):
        if found[3]:
            cell = cell and cell._replace(value=found[4].strip())
        elif found[1] == b"f":
            cell = cell and cell._replace(has_formula=True)
        else:
            if cell is not None:
                yield cell
            about = attributes_of(found[2])
            if found[1] == b"row":
                row = int(about[b"r"]) - 1 if b"r" in about else row + 1
                column, cell = -1, None
            else:
                place = REFERENCE.fullmatch(about.get(b"r", b""))
                column = column_number(place[1]) if place else column + 1
                cell = ExcelCell(row, column, about, b"", has_formula=False)
    if cell is not None:
        yield cell


def styles_of_excel(archive: zipfile.ZipFile) -> Iterator[tuple[bytes, bytes, str]]:
    """The cell styles of an Excel workbook: their number as cells name it, the number of their
    format, and that format where the workbook wrote one."""
    styles = archive.read("xl/styles.xml")
    formats = {
        about.get(b"numFmtId", b""): html.unescape(about.get(b"formatCode", b"").decode())
        for about in tags_of(styles, b"numFmt")
    }
    of_cells = re.search(rb"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", styles, re.DOTALL)
    for number, about in enumerate(tags_of(of_cells[0], b"xf") if of_cells else []):
        named = about.get(b"numFmtId", b"")
        yield str(number).encode(), named, formats.get(named, "")


class Cells(NamedTuple):
    """One or more cells of an OpenDocument sheet that are alike."""

    sheet: int
    rows: range
    columns: range
    about: dict[bytes, bytes]
    text: bytes
    """What is shown, where that is one line of at most 200 letters."""


def cells_of_open_document(archive: zipfile.ZipFile) -> Iterator[Cells]:
    """Its cells, with their attributes."""
    sheet = row = column = -1
    more_rows = 1
    for found in matches(archive, "content.xml", _CELL):
        name, about = found[1], attributes_of(found[2])
        if name == b"table:table":
            sheet, row, more_rows = sheet + 1, -1, 1
        elif name == b"table:table-row":
            row, column = row + more_rows, -1
            more_rows = int(about.get(b"table:number-rows-repeated", b"1"))
        else:
            more = int(about.get(b"table:number-columns-repeated", b"1"))
            columns = range(column + 1, column + 1 + more)
            yield Cells(sheet, range(row, row + more_rows), columns, about, found[3] or b"")
            column += more


def mentions(archive: zipfile.ZipFile, path: str, pattern: re.Pattern[bytes]) -> bool:
    """Whether something short is found in a part at all: to look at its cells one by one only
    where that is worth it."""
    return next(matches(archive, path, pattern), None) is not None


def matches(
    archive: zipfile.ZipFile, path: str, pattern: re.Pattern[bytes]
) -> Iterator[re.Match[bytes]]:
    """Where a pattern of at most a tag and as much again behind it is found in a part."""
    rest = b""
    with archive.open(path) as stream:
        while True:
            block = stream.read(BLOCK)
            text = rest + block
            # What this block may cut is looked at with the next one.
            safe = len(text) - 2 * LONGEST_TAG if block else len(text)
            end = 0
            for found in pattern.finditer(text):
                if found.start() >= safe:
                    break
                yield found
                end = found.end()
            if not block:
                return
            rest = text[max(end, safe, 0) :]


def tags_of(text: bytes, name: bytes) -> list[dict[bytes, bytes]]:
    """The attributes of each tag of a name in a small part."""
    tag = re.compile(rb"<(?:\w+:)?" + name + rb"(?=[\s/>])([^>]*)>")
    return [attributes_of(found[1]) for found in tag.finditer(text)]


def attributes_of(text: bytes) -> dict[bytes, bytes]:
    """The attributes within a tag."""
    return {name: quoted or single for name, quoted, single in _ATTRIBUTE.findall(text)}
