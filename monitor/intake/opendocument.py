"""What an OpenDocument spreadsheet is, before a library unpacks it: one element can stand for a
million rows of a thousand columns, and where a table is not ended the library looks for its end
for ever."""

from __future__ import annotations

import re
import zipfile
from typing import NoReturn
from xml.parsers import expat  # without a document type there are no entities

_BLOCK = 1 << 20
_TAG = re.compile(rb"<(/?)table:(table-row|table-cell|covered-table-cell)\b([^>]{0,2000})>")
_COLUMNS = re.compile(rb'number-columns-repeated="(\d{1,9})"')
_ROWS = re.compile(rb'number-rows-repeated="(\d{1,9})"')
_LONGEST_TAG = 2100


class NotWellFormed(ValueError):
    """XML that is none, or that names a document type."""


def check_xml(archive: zipfile.ZipFile) -> None:
    """Raises NotWellFormed where the content is no XML, KeyError where there is none, and what a
    damaged archive raises."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _no_document_type
    with archive.open("content.xml") as stream:
        try:
            parser.ParseFile(stream)
        except (expat.ExpatError, LookupError) as fault:
            raise NotWellFormed from fault


def _no_document_type(*_about: object) -> NoReturn:
    raise NotWellFormed


def cells_of(archive: zipfile.ZipFile) -> int:
    """The cells of all sheets, as far as each row is filled. Raises KeyError where the archive
    has no content, and what a damaged archive raises."""
    found, rest = 0, b""
    row = _Row()
    with archive.open("content.xml") as stream:
        while block := stream.read(_BLOCK):
            text = rest + block
            end = 0
            for tag in _TAG.finditer(text):
                found += row.take(bool(tag[1]), tag[2], tag[3])
                end = tag.end()
            rest = text[max(end, len(text) - _LONGEST_TAG) :]
    return found


class _Row:
    """One row while it is read."""

    def __init__(self) -> None:
        self._repeated = 1
        self._width = self._filled = 0

    def take(self, ends: bool, name: bytes, about: bytes) -> int:
        """The cells of a row that has ended with this tag."""
        if name == b"table-row":
            if ends:
                return self._repeated * self._filled
            self._repeated = _number(_ROWS, about)
            self._width = self._filled = 0
        elif not ends:
            self._width += _number(_COLUMNS, about)
            if not about.rstrip().endswith(b"/") or b"value" in about:
                self._filled = self._width
        return 0


def _number(pattern: re.Pattern[bytes], about: bytes) -> int:
    found = pattern.search(about)
    return int(found[1]) if found else 1
