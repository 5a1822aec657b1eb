"""Whether two spellings of a name are one person's: case, accents, umlauts spelt out, titles,
second given names, initials, double names and the order do not matter; anything else does.

A name only ever confirms a number or makes it suspicious; nobody is found by it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae"})
_TITLES = frozenset({
    "dr", "prof", "med", "mr", "mrs", "ms", "miss", "sir", "herr", "frau", "mme", "mlle", "dipl",
    "ing", "phd", "md", "jr", "sr", "ii", "iii",
})  # fmt: skip
_REMEMBERED = 50_000

Token = frozenset[str]
"""One word of a name in the spellings under which it counts as the same."""
Parts = tuple[tuple[Token, ...], tuple[Token, ...]]
"""Family and given name."""


def same_name(family: str, given: str, other_family: str, other_given: str) -> str:
    """Which part contradicts the other spelling, `family name` or `given name`; "" if none
    does. A part that one of them lacks contradicts nothing."""
    mine, others = _parts(family, given), _parts(other_family, other_given)
    if _is_whole(mine) or _is_whole(others):
        return "" if _same_whole(mine, others) else "family name"
    if not _family(mine[0], others[0]):
        return "" if _swapped(mine, others) else "family name"
    if not (_given(mine[1], others[1]) or _swapped(mine, others)):
        return "given name"
    return ""


def _parts(family: str, given: str) -> Parts:
    """Family and given name, also where both stand in one field with a comma."""
    if not given.strip() and "," in family:
        family, _, given = family.partition(",")
    return _words(family), _words(given)


@lru_cache(_REMEMBERED)
def _words(name: str) -> tuple[Token, ...]:
    """The words of a name, without titles."""
    name = unicodedata.normalize("NFC", name.casefold()).replace("'", "").replace("\u2019", "")
    found = []
    for word in "".join(sign if sign.isalpha() or _is_mark(sign) else " " for sign in name).split():
        plain, spelt = _letters(word), _letters(word.translate(_UMLAUTS))
        if plain and plain not in _TITLES:
            found.append(frozenset({plain, spelt}))
    return tuple(found)


def _is_mark(sign: str) -> bool:
    return bool(unicodedata.combining(sign))


def _letters(word: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKD", word) if sign.isalpha())


def _family(mine: Iterable[Token], others: Iterable[Token]) -> bool:
    """Equal, or one is a part of the other's double name."""
    mine, others = list(mine), list(others)
    if not mine or not others or _joined(mine) & _joined(others):
        return True
    short, long = sorted((mine, others), key=len)
    return all(any(word & other for other in long) for word in short)


def _given(mine: Iterable[Token], others: Iterable[Token]) -> bool:
    """Equal but for further given names; an initial stands for each name it begins."""
    mine, others = list(mine), list(others)
    if not mine or not others or _joined(mine) & _joined(others):
        return True
    short, long = sorted((mine, others), key=len)
    return all(any(_begins(word, other) for other in long) for word in short)


def _begins(one: Token, other: Token) -> bool:
    return bool(one & other) or _initial(one, other) or _initial(other, one)


def _initial(one: Token, other: Token) -> bool:
    return any(len(letter) == 1 and word.startswith(letter) for letter in one for word in other)


def _joined(words: list[Token]) -> set[str]:
    """The name written as one word, in either spelling: `Van den Berg`, `Vandenberg`."""
    return {"".join(min(it) for it in words), "".join(max(it, key=len) for it in words)}


def _swapped(mine: Parts, others: Parts) -> bool:
    """Family and given name in each other's place."""
    if not (all(mine) and all(others)):
        return False
    return _family(mine[0], others[1]) and _given(mine[1], others[0])


def _is_whole(parts: Parts) -> bool:
    """Several words and no given name: the whole name may stand there (`Anna Muster`)."""
    return len(parts[0]) > 1 and not parts[1]


def _same_whole(mine: Parts, others: Parts) -> bool:
    whole, parts = (mine[0], others) if _is_whole(mine) else (others[0], mine)
    if not parts[0] or _joined(list(whole)) & _joined(list(parts[0])):
        return True
    if not parts[1]:
        return _family(whole, parts[0])
    family = all(any(word & other for other in whole) for word in parts[0])
    return family and any(_begins(word, other) for word in parts[1] for other in whole)
