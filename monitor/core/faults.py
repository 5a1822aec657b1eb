"""What is wrong with a file that people write: schedules, analytes and config alike.

A reader collects every fault of a file before it complains, so that an admin mends all of
them in one sitting.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

_LISTED = 12
_ALMOST = 0.85
_VALUE_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: where it stands, what stands there, and what would be right.

    `key` is the path inside the file (`rules.lymphopenia.levels[0].below`), empty for the
    file as a whole; `value` is the text as written; `line` counts from 1.
    """

    file: str
    key: str
    value: str
    problem: str
    valid: str = ""
    line: int | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        parts = [place]
        if self.key:
            shown = " ".join(self.value.split())
            if len(shown) > _VALUE_SHOWN:
                shown = shown[: _VALUE_SHOWN - 3] + "..."
            parts.append(f"{self.key} = {shown}" if shown else self.key)
        parts.append(self.problem)
        line = ": ".join(parts)
        return f"{line}; valid: {self.valid}" if self.valid else line


class Faults(Exception):
    """All faults of a file at once; as text, one line each."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean "lymphocytes"?` for the most alike known word, else a short list of them.

    Empty where nothing is known.
    """
    names = sorted(set(known))
    folded = {name.casefold(): name for name in names}
    close = get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
    if close:
        return f'did you mean "{folded[close[0]]}"?'
    if not names:
        return ""
    if len(names) <= _LISTED:
        return "one of " + ", ".join(names)
    return "one of " + ", ".join(names[:_LISTED]) + f" ... ({len(names)} in all)"


def almost(word: str, known: Iterable[str]) -> str:
    """The known word that this one is but for a slip of the pen; empty where it is itself
    known, or merely resembles one: a site may have words of its own."""
    names = set(known)
    if word in names:
        return ""
    return next(iter(get_close_matches(word, sorted(names), n=1, cutoff=_ALMOST)), "")
