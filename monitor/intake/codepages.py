"""Which old encoding a text is in: told by the words of laboratories that it spells.

Windows-1252 takes nearly every byte, so that it is what remains where nothing else can be told. A
file of another part of the world has words in it that we know (`Płytki krwi`, `Лейкоциты`), and
only in its own encoding are they there.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.intake.survey import MIXED, Survey, decoder_of

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

UNDECIDED = ("cp1252", "latin-1", MIXED)
"""Encodings that a survey gives where the bytes alone do not tell."""
_OTHERS = {
    "cp1250": "Windows-1250 (Central European)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "iso8859-2": "Latin-2",
    "iso8859-15": "Latin-9",
    "koi8-r": "KOI8-R (Cyrillic)",
    "cp850": "DOS code page 850",
    "cp852": "DOS code page 852",
    "mac-roman": "Mac Roman",
    "cp932": "Shift JIS",
    "gb18030": "GB 18030",
    "big5": "Big5",
}
TWICE = "utf-8-twice"
"""UTF-8 that somebody took for Windows-1252 and wrote as UTF-8 again: `RÃ©sultat`."""
_MARKS_OF_TWICE = (b"\xc3\x82", b"\xc3\x83", b"\xc3\x90", b"\xc3\x91", b"\xc3\x8e")
_LOOKED_AT = 1 << 18
_BETWEEN_CELLS = re.compile(r"[,;\t|\r\n\"]+")


def by_words(survey: Survey, known: Callable[[str], bool]) -> Survey:
    """The survey in the encoding in which the most different cells with letters beyond ASCII are
    `known`; as it is where none knows more than its own."""
    if survey.encoding not in (*UNDECIDED, "utf-8", "utf-8-sig"):
        return survey
    with survey.open() as stream:
        sample = stream.read(_LOOKED_AT)
    others = _OTHERS
    if survey.encoding not in UNDECIDED:
        if not any(mark in sample for mark in _MARKS_OF_TWICE):
            return survey
        others = {TWICE: "UTF-8 encoded twice"}
    best = _points(sample, survey.encoding, known)
    for codec, title in others.items():
        points = _points(sample, codec, known)
        if points > best:
            best = points
            survey = replace(survey, encoding=codec, encoding_title=f"{title}, by its words")
    return survey


def _points(sample: bytes, codec: str, known: Callable[[str], bool]) -> int:
    text = sample.decode(*decoder_of(codec))
    cells = {cell.strip() for cell in _BETWEEN_CELLS.split(text)}
    return sum(not cell.isascii() and "\ufffd" not in cell and known(cell) for cell in cells)


class _Twice(codecs.IncrementalDecoder):
    """UTF-8, whose signs are bytes of UTF-8 again."""

    def __init__(self, errors: str = "strict") -> None:
        super().__init__(errors)
        utf_8 = codecs.getincrementaldecoder("utf-8")
        self._outer, self._inner = utf_8("replace"), utf_8("replace")

    def decode(self, data: ReadableBuffer, final: bool = False) -> str:
        text = self._outer.decode(data, final)
        return self._inner.decode(b"".join(map(_bytes_of, text)), final)

    def reset(self) -> None:
        self._outer.reset()
        self._inner.reset()


def _bytes_of(sign: str) -> bytes:
    for codec in ("cp1252", "latin-1"):
        try:
            return sign.encode(codec)
        except UnicodeEncodeError:
            continue
    return sign.encode("utf-8")


def _find(name: str) -> codecs.CodecInfo | None:
    if name != TWICE.replace("-", "_"):
        return None

    def decode(data: ReadableBuffer, _errors: str = "strict") -> tuple[str, int]:
        return _Twice().decode(data, final=True), len(memoryview(data))

    return codecs.CodecInfo(codecs.utf_8_encode, decode, incrementaldecoder=_Twice, name=name)


codecs.register(_find)
