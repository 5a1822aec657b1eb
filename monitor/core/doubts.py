"""Words of a comment that doubt a number: `clotted`, `haemolysed`, and not `no clots seen`.

Which words doubt which analytes stands in `schedules/analytes.toml`, as `[doubt]`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from monitor.core.plain_words import plain_words

ALL_ANALYTES = "all"
_CLAUSE_END = re.compile(r"([.;,:!?\n\r|]+|\bbut\b|\baber\b)")
_ASKED = ":"
_NOUGHT = ("0",)
_DENIAL_REACH = 4
"""Words between a denial and what it denies, at most."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Doubt:
    """Words of a comment that doubt the numbers of some analytes."""

    phrases: tuple[tuple[str, tuple[str, ...]], ...]
    """(as the file writes it, its plain words)."""
    analytes: frozenset[str]

    def is_of(self, analyte: str) -> bool:
        """Whether numbers of that analyte are doubted; empty: of any."""
        return not analyte or analyte in self.analytes or ALL_ANALYTES in self.analytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Doubts:
    """All of them, and the words that deny one."""

    each: tuple[Doubt, ...] = ()
    denied_before: frozenset[tuple[str, ...]] = frozenset()
    denied_after: frozenset[tuple[str, ...]] = frozenset()
    _begins: frozenset[str] = field(init=False, repr=False)
    """The words with which one begins: most comments have none of them."""

    def __post_init__(self) -> None:
        phrases = (phrase for doubt in self.each for _, phrase in doubt.phrases)
        begins = frozenset(phrase[0] for phrase in phrases if phrase)
        object.__setattr__(self, "_begins", begins)

    def of(self, comment: str, analyte: str = "", *, of_some: bool = False) -> str:
        """The words of a comment that doubt a number of an analyte, or of any; "" if none do.
        `of_some`: not those that may be said of whatever stands above (`interference`)."""
        if self._begins.isdisjoint(plain_words(comment)):
            return ""
        clauses = self._clauses(comment)
        for doubt in self.each:
            if of_some and ALL_ANALYTES in doubt.analytes:
                continue
            for written, phrase in doubt.phrases if doubt.is_of(analyte) else ():
                if any(self._stands_in(phrase, clause) for clause in clauses):
                    return written
        return ""

    def _clauses(self, comment: str) -> list[list[str]]:
        """The words of each clause; none of one that the next answers with a denial alone
        (`Platelet clumps: absent`)."""
        parts = _CLAUSE_END.split(comment.casefold())
        clauses = [plain_words(part) for part in parts[::2]]
        for index, mark in enumerate(parts[1::2]):
            answer = tuple(clauses[index + 1])
            is_denial = answer in self.denied_before or answer in self.denied_after
            if _ASKED in mark and (is_denial or answer == _NOUGHT):
                clauses[index] = []
        return clauses

    def _stands_in(self, phrase: tuple[str, ...], clause: list[str]) -> bool:
        """Whether a clause says it, and does not deny it."""
        size = len(phrase)
        for start in range(len(clause) - size + 1):
            if tuple(clause[start : start + size]) != phrase:
                continue
            before = clause[max(0, start - _DENIAL_REACH) : start]
            after = clause[start + size : start + size + _DENIAL_REACH]
            if not (_holds(before, self.denied_before) or _holds(after, self.denied_after)):
                return True
        return False


def _holds(words: list[str], phrases: Collection[tuple[str, ...]]) -> bool:
    return any(
        tuple(words[start : start + len(phrase)]) == phrase
        for phrase in phrases
        for start in range(len(words) - len(phrase) + 1)
    )
