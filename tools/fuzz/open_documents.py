"""OpenDocument spreadsheets: spoilt in the XML of their content, which is packed again, and as
bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from functools import cache
from random import Random
from xml.sax.saxutils import escape

from tools.fuzz.mutation import mutator

_NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text")
)
_KIND = "application/vnd.oasis.opendocument.spreadsheet"
_MANIFEST = (
    '<?xml version="1.0"?><manifest:manifest '
    'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_KIND}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
    "</manifest:manifest>"
)
_HEADER = ("MRN", "Datum", "Test", "Wert", "Einheit")
_ROWS = (
    ("F1", "date=2026-02-13", "WBC", "float=3.9", "K/uL"),
    ("F2", "date=2026-02-13T08:30:00", "PLT", "<20", "K/uL"),
    ("F3", "date=2026-02-13", "Lymphocytes", "percentage=0.31", "%"),
    ("float=3", "float=46066.5", "ALT", "", "U/L"),
)
_TOKENS = (
    b"", b"0", b"1e309", b"-1", b"46066.5", b"9" * 40, b"1048576", b"16384", b"999999999", b"float",
    b"percentage", b"currency", b"date", b"time", b"boolean", b"string", b"PT8H30M", b"2026-02-30",
    b"0001-01-01", b"2026-02-13T25:00:00", b"table:covered-table-cell",
    b"table:number-rows-repeated", b"table:number-columns-repeated", b"office:value",
    b"&amp;", b"&#0;", b"&lol;", b"]]>", b"\xff",
    b"<table:table-row>", b"</table:table>", b"x" * 5000,
)  # fmt: skip
_SPOIL = mutator(_TOKENS, b"<>\"' =/")
_SHARE_OF_BYTES = 0.2
_SHARE_OF_CONTENT = 0.9


@cache
def corpus() -> tuple[bytes, ...]:
    """A spreadsheet of one sheet and one of two, with rows and cells that are repeated."""
    one = _sheet("Labor", ("Labor Nord",), _HEADER, *_ROWS)
    repeated = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/>'
    blank = f'{repeated}<table:table-cell table:number-columns-repeated="1000"/></table:table-row>'
    return _book(one), _book(_sheet("Mo", _HEADER, *_ROWS[:2], end=blank) + _sheet("Info", ("x",)))


def _book(sheets: str) -> bytes:
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_NAMES} '
        f'office:version="1.3"><office:body><office:spreadsheet>{sheets}</office:spreadsheet>'
        "</office:body></office:document-content>"
    )
    parts = {"mimetype": _KIND, "META-INF/manifest.xml": _MANIFEST, "content.xml": content}
    return _packed({name: text.encode() for name, text in parts.items()})


def _sheet(name: str, *rows: tuple[str, ...], end: str = "") -> str:
    lines = ("".join(map(_cell, row)) for row in rows)
    table = "".join(f"<table:table-row>{line}</table:table-row>" for line in lines)
    return f'<table:table table:name="{name}">{table}{end}</table:table>'


def _cell(text: str) -> str:
    kind, _, value = text.partition("=")
    if not text:
        return "<table:table-cell/>"
    if not value:
        kind, value = "string", text
    attribute = {"string": "", "date": f' office:date-value="{value}"'}.get(
        kind, f' office:value="{value}"'
    )
    shown = f"<text:p>{escape(value)}</text:p>"
    about = f'office:value-type="{kind}"{attribute}'
    return f"<table:table-cell {about}>{shown}</table:table-cell>"


def mutate(luck: Random, data: bytes) -> bytes:
    """One part of the spreadsheet spoilt, or its packed bytes."""
    if luck.random() < _SHARE_OF_BYTES:
        return _SPOIL(luck, data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "content.xml" if luck.random() < _SHARE_OF_CONTENT else luck.choice(list(parts))
    parts[name] = _SPOIL(luck, parts[name])
    return _packed(parts)


def _packed(parts: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()
