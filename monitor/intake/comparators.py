"""A comparator in a column of its own: `LT` beside 0.1 is `<0.1`.

Where the column surely is one of comparators, a word that nobody knows is never passed over: the
value beside it is no exact one, and no other that anybody knows.
"""

from __future__ import annotations

import re

from monitor.intake.vocabulary import told_beside, vocabulary

_NUMBER_BEGINS = re.compile(r"[.,]?\d")
_SIGN = re.compile(r"[<>\u2264\u2265]=?|=[<>]")
_EXACT = "="
_UNKNOWN = "{value} (comparator {word})"
_WITH_UNKNOWN = re.compile(r".*\d.* \(comparator (?P<word>.+)\)", re.DOTALL)
_LONGEST = 40


def compared(value: str, cell: str, *, surely: bool) -> str:
    """A value with what the cell of its comparator says. `surely`: the column is one of
    comparators, and not called only so (`operator` of a device, `qualifier`). What is none of them
    beside no value is the result itself: i2b2 has texts where it has comparators of numbers."""
    value = value.strip()
    sign = sign_of(cell, surely=surely)
    if surely and sign and sign not in vocabulary().comparators.values() and not told_beside(value):
        return sign
    if not sign or not _NUMBER_BEGINS.match(value):
        return value
    if sign in vocabulary().comparators.values():
        return f"{sign}{value}"
    return _UNKNOWN.format(value=value, word=sign)


def signed(value: str, cell: str) -> str:
    """A value with the bare sign of a cell beside it, in a column that may be of anything."""
    return compared(value, cell, surely=False) if is_sign(cell) else value


def is_sign(cell: str) -> bool:
    """Whether a cell is the sign of a comparator and nothing else."""
    return _SIGN.fullmatch(cell.strip()) is not None


def sign_of(cell: str, *, surely: bool) -> str:
    """The comparator that a cell says, or the word itself where nobody knows it; empty where
    the value is exact."""
    word = cell.strip().casefold()
    sign = vocabulary().comparators.get(word, "")
    if not sign and surely:
        sign = vocabulary().sure_comparators.get(word, " ".join(cell.split())[:_LONGEST])
    return "" if sign == _EXACT else sign


def unknown_in(value: str) -> str:
    """The word of a comparator that nobody knows, which `compared` left beside a value."""
    found = _WITH_UNKNOWN.fullmatch(value)
    return found["word"] if found else ""
