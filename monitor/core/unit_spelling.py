"""One normal form for the many ways in which laboratories write a unit.

`K/uL`, `x10^3/µL`, `10(3)mcL`, `THOU/CUMM` and `10E3 cells per microliter` all become
`10*3/ul`. This is spelling only: what a unit is worth stands in `schedules/analytes.toml`,
beside the words (`K`, `cumm`, `mcL`) that this grammar reads. The keys of that file go
through the same function, so the two sides always agree. No UCUM parser comes before this,
for it would read kelvin in `K/uL` and gauss in `G/L`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

LONGEST_UNIT = 60
_CACHE_SIZE = 10_000

_SUPERSCRIPT = {ord(sup): plain for sup, plain in zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+", strict=True)}
_SUPERSCRIPTS = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+")
_LOOKALIKES = str.maketrans(
    {
        "μ": "u",
        "×": "x",
        "∙": ".",
        "⋅": ".",
        "·": ".",
        "•": ".",
        "−": "-",
        "–": "-",
        "‐": "-",
        "∕": "/",
        "⁄": "/",
    }
)
_STEPS: tuple[tuple[re.Pattern[str], str], ...] = (
    # The escape of HL7 v2 for a caret.
    (re.compile(r"\\s\\"), "^"),
    (re.compile(r"(?<=\d),(?=\d{1,2}(?!\d))"), "."),
    # 1000 and 1,000,000 as powers of ten.
    (re.compile(r"(?<![\d.])1[ ,.']?000[ ,.']?000(?![\d.])"), "10*6"),
    (re.compile(r"(?<![\d.])1[ ,.']?000(?![\d.])"), "10*3"),
    # 1E9, 1.0e+09 and a leading E9.
    (re.compile(r"(?<![\d.])1(?:\.0*)?e\+?0*(\d{1,2})(?!\d)"), r"10*\1"),
    (re.compile(r"^x?\s*e\+?0*(\d{1,2})(?!\d)"), r"10*\1"),
    # 10^9, 10*9, 10**9, 10E+09, 10.e9, 10(9), 10 9, 10+9 and 10-9.
    (
        re.compile(
            r"(?<!\d)10\s*\.?\s*(?:\^|\*{1,2}|e(?:xp)?)\s*\(?\+?\s*(-?)0*(\d{1,2})\)?(?!\d)"
        ),
        r"10*\1\2 ",
    ),
    (re.compile(r"(?<!\d)10\s*[(\[{]\s*(\d{1,2})\s*[)\]}]"), r"10*\1 "),
    (re.compile(r"(?<!\d)10\s+(\d{1,2})(?!\d)"), r"10*\1 "),
    (re.compile(r"(?<!\d)10\s*\+\s*0*(\d{1,2})(?!\d)"), r"10*\1 "),
    (re.compile(r"(?<!\d)10\s*-\s*(\d{1,2})(?!\d)"), r"10*-\1 "),
    # The multiplication sign before a power of ten; the last of them is a Cyrillic letter.
    (re.compile(r"(\d)\s*[x*.]\s*(?=10(?:\*|\d))"), r"\1 "),
    (re.compile(r"(?<![^\W_])[x*\u0445]\s*\.?\s*(?=10)"), " "),
    # The multiplication sign between two units: nmol/(L*s).
    (re.compile(r"(?<=[a-z])\s*\*\s*(?=[a-z])"), "."),
    # l-1, min^-1 and m-2 are denominators.
    (re.compile(r"[.\s]*(?<![a-z])([a-z]+)\s*\^?\(?-1(?!\d)\)?"), r"/\1"),
    (re.compile(r"[.\s]*(?<![a-z])([a-z]+)\s*\^?\(?-([2-9])(?!\d)\)?"), r"/\1\2"),
    (re.compile(r"(?<=[a-z])\s*\^\s*(?=\d)"), ""),
)
_TOKEN = re.compile(r"10\*-?\d+|\d+(?:\.\d+)?|[^\W\d_]+\d*|[#%/]")
_IGNORED = re.compile(r"[\s_()\[\]{}.,:°]*")
_POWER_WITHOUT_SLASH = re.compile(r"(10\*-?\d+)(?=[^\W\d_])")


class UnitSpelling:
    """Reads the spelling of units with a file's words (`mcL` means `ul`).

    `words` maps what a unit part means to the ways it is written; what maps to the empty
    text (`cells`, `#`) is left out.
    """

    def __init__(self, words: Mapping[str, Iterable[str]]) -> None:
        self._words: dict[str, str] = {}
        self.clashes: list[tuple[str, str, str]] = []
        """Words that cannot be read, or mean two things: (meaning, word, what is wrong)."""
        for meaning, spellings in words.items():
            for spelling in spellings:
                self._learn(meaning, spelling)
        self._cache: dict[str, str | None] = {}

    def _learn(self, meaning: str, spelling: str) -> None:
        tokens = _tokens(spelling)
        if not tokens:
            self.clashes.append((meaning, spelling, "cannot be read as part of a unit"))
            return
        known = self._words.setdefault(" ".join(tokens), meaning.casefold())
        if known != meaning.casefold():
            self.clashes.append((meaning, spelling, f"already means {known}"))

    def normal(self, text: str) -> str | None:
        """The normal form, or None where the text holds what no unit holds."""
        try:
            return self._cache[text]
        except KeyError:
            form = self._normal(text)
            if len(self._cache) < _CACHE_SIZE:
                self._cache[text] = form
            return form

    def _normal(self, text: str) -> str | None:
        if len(text) > LONGEST_UNIT:
            return None
        tokens = _tokens(text)
        if tokens is None:
            return None
        form = "".join(self._meanings(tokens))
        return _POWER_WITHOUT_SLASH.sub(r"\1/", form)

    def _meanings(self, tokens: list[str]) -> Iterable[str]:
        index = 0
        while index < len(tokens):
            for length in (3, 2, 1):
                phrase = " ".join(tokens[index : index + length])
                if phrase in self._words or length == 1:
                    yield self._words.get(phrase, phrase)
                    index += length
                    break


def _tokens(text: str) -> list[str] | None:
    """The parts of a unit, or None where something is in it that no unit holds."""
    text = _SUPERSCRIPTS.sub(lambda match: "^" + match[0].translate(_SUPERSCRIPT), text)
    text = unicodedata.normalize("NFKC", text).casefold().translate(_LOOKALIKES).strip()
    for pattern, replacement in _STEPS:
        text = pattern.sub(replacement, text)
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is not None:
            tokens.append(match[0])
        else:
            match = _IGNORED.match(text, position)
            if match is None or match.end() == position:
                return None
        position = match.end()
    return tokens
