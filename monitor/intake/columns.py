"""Header names to our columns: a source's mapping first, then our own names, then the words of
`headers.toml`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.core.faults import nearest
from monitor.intake.survey import UnreadableFile
from monitor.intake.vocabulary import Words, key_of, vocabulary, without_brackets

PERSON_COLUMNS = ("mrn", "family_name", "given_name", "birth_date")
_FIRST_OF_SEVERAL = frozenset(
    (
        "comment",
        "range",
        "flag",
        "condition",
        "method",
        "material",
        "reported_at",
        "value_text",
        "void",
    )
)
"""Columns of ours that stand beside a value: of several that may be one, the first is."""
_FOUND_SHOWN = 30
_NAME_SHOWN = 60
_DATUM = re.compile(r"[<>=]*\s*\d[\d.,:/T+-]*\s*")
"""A number, a day or an instant: what a row holds, and no name of a column."""


def fold(name: str) -> str:
    """A name or code as it is compared: without case, space, hyphen, underscore, dot."""
    return "".join(sign for sign in name.casefold() if sign not in " -_.\t\ufeff")


@dataclass(frozen=True)
class Columns:
    """Where each of our columns stands in a file's header."""

    positions: Mapping[str, int]
    ignored: tuple[str, ...]
    """Header names that mean nothing to us."""
    second_best: tuple[str, ...] = ()
    """Our columns that only a word of a later list gave: worth a remark."""
    header: tuple[str, ...] = ()


def match(
    header: Sequence[str], ours: Sequence[str], mapped: Mapping[str, str] | None = None
) -> Columns:
    """Find our columns in a header. Raises UnreadableFile where a column stands there twice or
    two may be meant."""
    finder = _Finder(header, mapped or {})
    # What the source names first: its column is no other's, whatever it is called.
    for name in sorted(ours, key=lambda it: it not in finder.mapped):
        finder.find(name)
    finder.drop_lonely()
    used = set(finder.positions.values())
    ignored = tuple(name for index, name in enumerate(header) if index not in used and name)
    return Columns(finder.positions, ignored, tuple(finder.second_best), tuple(header))


class _Finder:
    def __init__(self, header: Sequence[str], mapped: Mapping[str, str]) -> None:
        self._header = header
        self.mapped = mapped
        self._keys = [key_of(name) for name in header]
        self._bare = [key_of(without_brackets(name)) for name in header]
        self._by_key, self._by_bare = _places(self._keys), _places(self._bare)
        self.positions: dict[str, int] = {}
        self.second_best: list[str] = []
        self._lonely: dict[str, str] = {}

    def find(self, name: str) -> None:
        if self.mapped.get(name) == "":
            return
        if name in self.mapped:
            key = key_of(self.mapped[name])
            if (found := self._place(name, frozenset((key,)), self._keys)) is not None:
                self.positions[name] = found
            return
        words = _words(name)
        for number, tier in enumerate(words.tiers):
            found = self._place(name, tier, self._keys)
            if found is None:
                found = self._place(name, tier, self._bare)
            if found is None:
                continue
            self.positions[name] = found
            if number > 1 and not words.is_quiet:
                self.second_best.append(name)
                if words.beside and number == len(words.tiers) - 1:
                    self._lonely[name] = words.beside
            return
        self._find_lesser(name)

    def _find_lesser(self, name: str) -> None:
        """The column whose word would be another one's, were that not better named already."""
        for other in self.positions:
            words = _words(other).lesser.get(name)
            if words and (found := self._place(name, words, self._keys)) is not None:
                self.positions[name] = found
                return

    def drop_lonely(self) -> None:
        """Forget columns whose name counts only beside another that is not there."""
        for name, needed in self._lonely.items():
            if needed not in self.positions:
                position = self.positions.pop(name)
                self.second_best.remove(name)
                if name == "family_name" and self._is_of_a_person():
                    self.positions["patient_name"] = position

    def _is_of_a_person(self) -> bool:
        """Whether a mere `Name` is a patient's: beside a birth date, where it cannot be what a code
        is called."""
        has_other_name = "analyte" in self.positions or "code" not in self.positions
        is_named = "patient_name" in self.positions
        return "birth_date" in self.positions and has_other_name and not is_named

    def _has_its_companion(self, name: str, key: str) -> bool:
        """Whether a word that counts only with another column is of the one that was found: no
        `Analysis Time` is that of a `Collection Date`, and no `LBSTRESU` the unit of `LBORRES`."""
        words = _words(name)
        wanted = words.only_with.get(key)
        if wanted is None:
            return True
        other = self.positions.get(words.companion)
        return other is not None and not wanted.isdisjoint((self._keys[other], self._bare[other]))

    def _place(self, name: str, wanted: frozenset[str], keys: Sequence[str]) -> int | None:
        taken = set(self.positions.values())
        places = self._by_key if keys is self._keys else self._by_bare
        found = sorted(i for key in wanted for i in places.get(key, ()) if key and i not in taken)
        found = [i for i in found if self._has_its_companion(name, keys[i])]
        for lesser in _words(name).lesser.values() if len(found) > 1 else ():
            found = [i for i in found if keys[i] not in lesser] or found
        if len(found) < 2:
            return found[0] if found else None
        names = ", ".join(f"{self._header[index]} (column {index + 1})" for index in found)
        if name == "comment":  # each of them counts
            return found[0]
        if len({keys[index] for index in found}) == 1:
            raise UnreadableFile(f"the header names a column twice: {names}; rename or remove one")
        texts = _words(name).lesser.get("value_text", frozenset())
        if name in _FIRST_OF_SEVERAL or all(keys[index] in texts for index in found):
            return found[0]  # of values, the other is the text beside it
        raise UnreadableFile(
            f"the header has several columns that may be {name}: {names}; say which one in the "
            f'config: [sources.NAME.columns] {name} = "..."'
        )


def _places(keys: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, key in enumerate(keys):
        found.setdefault(key, []).append(place)
    return found


def _words(name: str) -> Words:
    return vocabulary().columns.get(name, Words((frozenset((key_of(name),)),)))


def reads_as_row(header: Sequence[str]) -> bool:
    """Whether it is a row of somebody rather than the names of columns: errors and the logs they
    end in must not repeat it."""
    return any(_DATUM.fullmatch(name) for name in header)


def require(
    columns: Columns, wanted: Sequence[str], present: Sequence[str], *, advice: str = ""
) -> None:
    """Raises UnreadableFile that names the missing columns and what was found instead, with some
    advice."""
    missing = [name for name in wanted if name not in present]
    if not missing:
        return
    if reads_as_row(columns.header):
        raise UnreadableFile(
            f"the header lacks {', '.join(missing)}; what stands in its place reads like a row, "
            f"with {len(columns.header)} fields. A line above the rows must name the columns"
        )
    guesses = [_guess(name, columns) for name in missing]
    names = [*columns.positions, *columns.ignored][:_FOUND_SHOWN]
    found = ", ".join(name[:_NAME_SHOWN] for name in names) or "nothing"
    text = (
        f"the header lacks {', '.join(missing)}; found: {found}. "
        "A line above the rows must name the columns"
    )
    raise UnreadableFile(" ".join([text + ".", *filter(None, [*guesses, advice])]))


def _guess(name: str, columns: Columns) -> str:
    if name == "collected_at" and "reported_at" in columns.positions:
        reported = columns.header[columns.positions["reported_at"]][:_NAME_SHOWN]
        clocks = _words("reported_at").lesser.get("reported_time", ())
        clock = next((it for it in columns.ignored if key_of(it) in clocks), "")
        return (
            f'"{reported}" is when it was reported, which may be days later; if this laboratory '
            f'means the day of the blood, say so: [sources.NAME.columns] {name} = "{reported}"'
            + (f', collected_time = "{clock[:_NAME_SHOWN]}"' if clock else "")
        )
    guess = nearest(name, [it for it in columns.ignored if len(it) <= _NAME_SHOWN])
    return f"For {name}: {guess}" if guess.startswith("did you mean") else ""
