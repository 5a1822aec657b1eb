"""What drugs and vaccines are called: brand names and synonyms, from `[drugs.NAME]` in
`schedules/analytes.toml`.

People write "Zyloric 300 mg" where a protocol says allopurinol. A text means every drug whose
name stands in it as whole words; of overlapping names the longest counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from monitor.core.faults import almost, nearest
from monitor.core.plain_words import plain_words

_LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Drug:
    """One active substance (or kind of vaccine), by the name protocols use."""

    name: str
    names: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DrugNames:
    """All drugs of one text of the catalogue."""

    drugs: Mapping[str, Drug] = field(default_factory=dict)
    by_words: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    """Every name as its plain words, to the name protocols use."""
    longest: int = 0
    """Words of the longest name."""

    def find(self, text: str) -> tuple[str, ...]:
        """The drugs a text means, in its order; of a text that names none, the text itself
        without case and needless space, so that the same words mean the same."""
        words = plain_words(text[:_LONGEST_TEXT])
        found: dict[str, None] = {}
        start = 0
        while start < len(words):
            size, name = self._at(words, start)
            if name:
                found[name] = None
            start += size
        return tuple(found) or (" ".join(text.casefold().split()),)

    def _at(self, words: list[str], start: int) -> tuple[int, str]:
        """The longest name that begins at a word: its words, and whose it is."""
        for size in range(min(self.longest, len(words) - start), 0, -1):
            name = self.by_words.get(tuple(words[start : start + size]))
            if name is not None:
                return size, name
        return 1, ""

    def named(self, text: str) -> str:
        """The drug whose name or brand a text is, as a whole; else the text, in small letters."""
        return self.by_words.get(tuple(plain_words(text)), text.casefold())

    def is_known(self, text: str) -> bool:
        return self.find(text)[0] in self.drugs

    def classes_of(self, name: str) -> tuple[str, ...]:
        drug = self.drugs.get(name)
        return drug.classes if drug is not None else ()

    @property
    def classes(self) -> frozenset[str]:
        return frozenset(name for drug in self.drugs.values() for name in drug.classes)

    def suggest(self, name: str) -> str:
        """`did you mean "allopurinol"?` for a name that is not known."""
        return nearest(" ".join(plain_words(name)), self._spoken())

    def almost(self, text: str) -> str:
        """The name that a text is but for a slip of the pen; empty where it is one."""
        return almost(" ".join(plain_words(text)), self._spoken())

    def _spoken(self) -> list[str]:
        return [*self.drugs, *(" ".join(words) for words in self.by_words)]


def drug_names(drugs: Iterable[Drug]) -> DrugNames:
    """The dictionary of these drugs; a name given to two belongs to the first."""
    known = {drug.name: drug for drug in drugs}
    by_words: dict[tuple[str, ...], str] = {}
    for drug in known.values():
        for text in (drug.name, *drug.names):
            words = tuple(plain_words(text))
            if words:
                by_words.setdefault(words, drug.name)
    longest = max((len(words) for words in by_words), default=0)
    return DrugNames(drugs=known, by_words=by_words, longest=longest)
