"""The language of a reader: sentences through gettext catalogues, days and numbers by locale.

The core and the views speak English. Their sentences are the message ids of the catalogues in
`locale/`, with `{name}` where a sentence holds something of its own: `Last dose on record:
{dose}.` A sentence that no catalogue knows stays as it is: what a site writes into its
protocol file is in the site's language already.

What a placeholder may hold is told by its name: `{day...}` a day, `{n...}` a number,
`{unit}` a unit, `{known...}` what the catalogue knows, anything else some text; each is
translated in turn. A message with `{site}` (a name) or `{site_text}` stands for what a site's own
files call otherwise than those that come with the program: tried last, and never taken for known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.messages.pofile import read_po

from monitor.resources import locale_folder

ENGLISH = "en"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?"
_DAY = rf"{_WEEKDAY}\d{{1,2}} (?:{'|'.join(_MONTHS)}) \d{{4}}"
_NUMBER = r"[<>]?=?-?\d+(?:\.\d+)?"
_A_DAY = re.compile(rf"\b({_WEEKDAY})(\d{{1,2}}) ({'|'.join(_MONTHS)}) (\d{{4}})\b")
_A_DECIMAL = re.compile(r"(?<![\d.*/])(\d+)\.(\d+)(?![\d.]|\*)")
_PLACE = re.compile(r"\{(\w+)\}")
_WORD = re.compile(r"[A-Za-z]{3}")
_SITE = "{site"
_DEPTH = 4
_REMEMBERED = 2048
_JOINS = (
    re.compile(r"( · )"),
    re.compile(r"(; )"),
    re.compile(r"((?<=[.?!]) )"),
    re.compile(r"((?<=:) )"),
)
"""Where several sentences are one text: tried in this order."""
_IN_A_ROW = (
    (re.compile(r"((?<=[.?!]) )"), 0),
    (re.compile(r"(; )"), 0),
    (re.compile(rf"((?<= \d{{4}}), (?=[^,]* on {_DAY}))"), 0),
    (re.compile(r"(: )"), 1),
)
"""What may stand between whole messages, and how often at most (0: ever so often)."""
_MOST_IN_ONE = 3
"""Sentences that may be one message of the catalogue together."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    expression: re.Pattern[str]
    literal: str
    """The longest of its own words in a row: a text without them is another."""
    names: tuple[str, ...]
    translation: str


class Language:
    """One language; `ENGLISH` leaves everything as it is."""

    def __init__(self, code: str) -> None:
        self.code = code
        self._locale = Locale.parse(code, sep="-") if code != ENGLISH else None
        self._exact: dict[str, str] = {}
        self._patterns: dict[str, list[_Pattern]] = {}
        self._of_sites: list[_Pattern] = []
        self._known = lru_cache(_REMEMBERED)(self._said)
        """Most sentences of a mail stand in others too."""
        if code != ENGLISH:
            self._read(code)

    def say(self, text: str) -> str:
        """A sentence of ours, or several, in this language."""
        if self._locale is None or not text:
            return text
        return self._known(text, _DEPTH)

    def word_for_word(self, text: str) -> str:
        """A text that the catalogue has as it is; any other stays."""
        return self._exact.get(text, text)

    def count(self, number: int, one: str, many: str) -> str:
        """`1 patient`, `3 patients`."""
        return f"{number} {self.say(one if number == 1 else many)}"

    def knows(self, text: str) -> bool:
        """Whether a catalogue has every sentence of a text; English knows all."""
        if self._locale is None or not _WORD.search(_A_DAY.sub("", text)):
            return True
        if self._message(text, _DEPTH) is not None:
            return True
        pieces = _apart(text)
        return len(pieces) > 1 and all(self.knows(piece) for piece in pieces)

    def _said(self, text: str, depth: int) -> str:
        whole = self._message(text, depth) or self._matching(text, self._of_sites, depth)
        if whole is not None:
            return whole
        pieces = _apart(text)
        if len(pieces) > 1:
            return "".join(self._said(piece, depth) for piece in pieces)
        return self._localised(text)

    def _several(self, text: str, depth: int) -> str | None:
        """Several messages of the catalogue in a row, or one under the heading of another. As
        one, the placeholder of the first would swallow all the others: `Blood count overdue (last
        2 Feb 2026); liver tests overdue ...`."""
        if text in self._exact:
            return None
        for between, most in _IN_A_ROW:
            first, *rest = between.split(text, most)
            if not rest:
                continue
            pieces, join = [first, *rest[1::2]], rest[0]
            said = self._in_turn(pieces, join, depth)
            if said is not None:
                return join.join(said)
        return None

    def _in_turn(self, pieces: Sequence[str], join: str, depth: int) -> list[str] | None:
        """Each piece as a message, or with the next ones as one: `Was it started? If so, test
        today.` None where one is none."""
        said: list[str] = []
        at = 0
        while at < len(pieces):
            most = min(_MOST_IN_ONE, len(pieces) - at, len(pieces) - 1)
            alone = self._message(pieces[at], depth)
            runs = (
                (number, self._whole(join.join(pieces[at : at + number]), depth))
                for number in range(2, most + 1)
            )
            found = (1, alone) if alone else next((run for run in runs if run[1]), None)
            if found is None or not found[1]:
                return None
            said.append(found[1])
            at += found[0]
        return said

    def _message(self, text: str, depth: int) -> str | None:
        return self._several(text, depth) or self._whole(text, depth) or self._listed(text, depth)

    def _listed(self, text: str, depth: int) -> str | None:
        """Names in a list, each of which the catalogue has."""
        names = text.split(", ")
        if len(names) == 1:
            return None
        said = [self._matched(name, depth) for name in names]
        return ", ".join(it for it in said if it) if all(said) else None

    def _whole(self, text: str, depth: int) -> str | None:
        """The translation of a text that the catalogue has as one message; one of several
        sentences has a full stop that by itself it has not, or the other way round."""
        found = self._matched(text, depth)
        if found is not None or depth == 0:
            return found
        if text.endswith("."):
            alone = self._matched(text[:-1], depth)
            return None if alone is None else f"{alone}."
        ended = self._matched(f"{text}.", depth)
        return None if ended is None else ended.removesuffix(".")

    def _matched(self, text: str, depth: int) -> str | None:
        found = self._exact.get(text)
        if found is not None:
            return found
        return self._matching(text, self._likely(text), depth)

    def _matching(self, text: str, patterns: Iterable[_Pattern], depth: int) -> str | None:
        for pattern in patterns if depth else ():
            match = pattern.expression.fullmatch(text)
            if match is not None and self._holds_what_it_may(pattern, match):
                parts = {name: self._said(match[name], depth - 1) for name in pattern.names}
                return pattern.translation.format(**parts)
        return None

    def _holds_what_it_may(self, pattern: _Pattern, match: re.Match[str]) -> bool:
        return all(self.knows(match[name]) for name in pattern.names if name.startswith("known"))

    def _likely(self, text: str) -> Iterator[_Pattern]:
        """Patterns that begin as the text does, then those that begin with a placeholder; of
        both those whose words it has."""
        for first in (text.split(" ", 1)[0], ""):
            for pattern in self._patterns.get(first, ()):
                if pattern.literal in text:
                    yield pattern

    def _localised(self, text: str) -> str:
        """Days and decimal numbers as this locale writes them, never ambiguous."""
        assert self._locale is not None
        return _A_DECIMAL.sub(self._decimal, _A_DAY.sub(self._day, text))

    def _decimal(self, match: re.Match[str]) -> str:
        return f"{match[1]}{_decimal_mark(self.code)}{match[2]}"

    def _day(self, match: re.Match[str]) -> str:
        day = date(int(match[4]), _MONTHS.index(match[3]) + 1, int(match[2]))
        words = format_date(day, "d. MMM y" if self.code.startswith("de") else "d MMM y", self.code)
        weekday = format_date(day, "EEE", self.code).rstrip(".") if match[1] else ""
        return f"{weekday} {words}".strip()

    def _read(self, code: str) -> None:
        path = locale_folder() / code.replace("-", "_") / "LC_MESSAGES" / "monitor.po"
        with path.open("rb") as stream:
            catalogue = read_po(stream, locale=code.replace("-", "_"))
        for message in catalogue:
            if not isinstance(message.id, str) or not message.id or not message.string:
                continue
            if _SITE in message.id:
                self._of_sites.append(_compiled(message.id, str(message.string)))
            elif _PLACE.search(message.id):
                pattern = _compiled(message.id, str(message.string))
                self._patterns.setdefault(_first_word(message.id), []).append(pattern)
            else:
                self._exact[message.id] = str(message.string)
        for patterns in (self._of_sites, *self._patterns.values()):
            patterns.sort(key=_looseness)


def _apart(text: str) -> list[str]:
    """A text in pieces at the first kind of join it has, the joins among them."""
    for join in _JOINS:
        pieces = [piece for piece in join.split(text) if piece]
        if len(pieces) > 1:
            return pieces
    return [text]


def _compiled(message: str, translation: str) -> _Pattern:
    names: list[str] = []
    expression = ""
    pieces = list(_pieces(message))
    for literal, name in pieces:
        expression += re.escape(literal)
        if name:
            expression += f"(?P<{name}>{_holds(name)})"
            names.append(name)
    longest = max((literal for literal, _ in pieces), key=len)
    return _Pattern(re.compile(expression, re.DOTALL), longest, tuple(names), translation)


def _pieces(message: str) -> Iterator[tuple[str, str]]:
    at = 0
    for place in _PLACE.finditer(message):
        yield message[at : place.start()], place[1]
        at = place.end()
    yield message[at:], ""


def _holds(name: str) -> str:
    if name.startswith("day"):
        return _DAY
    if name == "unit":
        return r"\S+"
    if name == "site":
        return "[^:;]+?"
    return _NUMBER if re.fullmatch(r"n\d*", name) else ".+?"


def _first_word(message: str) -> str:
    word = message.split(" ", 1)[0]
    return "" if "{" in word else word


def _looseness(pattern: _Pattern) -> tuple[int, int]:
    """Patterns that say most are tried first."""
    literal = len(_PLACE.sub("", pattern.expression.pattern))
    return (sum(".+?" in piece for piece in pattern.expression.pattern.split("(?P")), -literal)


@cache
def _decimal_mark(code: str) -> str:
    return str(Locale.parse(code, sep="-").number_symbols["latn"]["decimal"])


@cache
def language(code: str) -> Language:
    """The language of a code such as `en`, `de` or `de-CH`: its own catalogue, else that of
    the language without the region, else English."""
    for candidate in (code, code.partition("-")[0]):
        if candidate in languages():
            return Language(candidate)
    return Language(ENGLISH)


@cache
def languages() -> Sequence[str]:
    """The languages there are catalogues for, English first."""
    folders = sorted(
        path.name.replace("_", "-") for path in locale_folder().iterdir() if path.is_dir()
    )
    return (ENGLISH, *folders)


class AsWritten(str):
    """What others wrote, such as a source of a protocol file: it stays as it is, down to its
    decimal points, unless a catalogue has it word for word."""

    __slots__ = ()


def translated(value: Any, speak: Language, untouched: frozenset[str]) -> Any:
    """A view (dataclass, tuple, text) with its sentences in a language; fields named in
    `untouched` (names, numbers, commands, links) stay, and so does what is `AsWritten`."""
    if isinstance(value, AsWritten):
        return speak.word_for_word(value)
    if isinstance(value, str):
        return speak.say(value)
    if isinstance(value, tuple):
        return tuple(translated(item, speak, untouched) for item in value)
    fields = getattr(value, "__dataclass_fields__", None)
    if fields is None:
        return value
    from dataclasses import replace

    changed = {
        name: translated(getattr(value, name), speak, untouched)
        for name, field in fields.items()
        if name not in untouched and field.init
    }
    return replace(value, **changed)
