"""Which old encoding a text is in: told by the words of laboratories that it spells.

Windows-1252 takes nearly every byte, so that it is what remains where nothing else can be told. A
file of another part of the world has words in it that we know (`Płytki krwi`, `Лейкоциты`), and
only in its own encoding are they there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from monitor.intake.survey import MIXED, Survey, decoder_of

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
_LOOKED_AT = 1 << 18
_BETWEEN_CELLS = re.compile(r"[,;\t|\r\n\"]+")


def by_words(survey: Survey, known: Callable[[str], bool]) -> Survey:
    """The survey in the encoding in which the most different cells with letters beyond ASCII are
    `known`; as it is where none knows more than its own."""
    if survey.encoding not in UNDECIDED:
        return survey
    with survey.open() as stream:
        sample = stream.read(_LOOKED_AT)
    best = _points(sample, survey.encoding, known)
    for codec, title in _OTHERS.items():
        points = _points(sample, codec, known)
        if points > best:
            best = points
            survey = replace(survey, encoding=codec, encoding_title=f"{title}, by its words")
    return survey


def _points(sample: bytes, codec: str, known: Callable[[str], bool]) -> int:
    text = sample.decode(*decoder_of(codec))
    cells = {cell.strip() for cell in _BETWEEN_CELLS.split(text)}
    return sum(not cell.isascii() and "\ufffd" not in cell and known(cell) for cell in cells)
