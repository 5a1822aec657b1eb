"""What the lines above a header say of every row: `Patient ID: 4711`, `Abnahmedatum;02.03.2026`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from monitor.core.standing import read_status
from monitor.intake.csv import Record
from monitor.intake.row_steps import is_whole_name
from monitor.intake.vocabulary import key_of, vocabulary

_NAMES = ("mrn", "collected_at", "birth_date", "family_name", "given_name", "status")
_SURE_TIERS = 2
"""Our own name and the first list: a mere `Date` above a table is that of its printing."""
_PAIR = re.compile(r"([^:=]{2,60})\s*[:=]\s*(\S.*)")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Stated:
    """What some lines state."""

    found: Mapping[str, str] = field(default_factory=dict)
    """Our columns that they name once, or several times alike, with the text beside."""
    named: frozenset[str] = frozenset()
    """All that they name, also without a text or with several."""
    PERSON: ClassVar[frozenset[str]] = frozenset({"mrn", "family_name", "given_name", "birth_date"})

    @property
    def names_somebody(self) -> bool:
        """Whether a patient is spoken of."""
        return bool(self.named & self.PERSON)

    @property
    def says_something(self) -> bool:
        return bool(self.named)


def stated_above(preamble: Sequence[Record]) -> Mapping[str, str]:
    """Our columns that the lines name once, or several times alike, with the text beside."""
    return said_by(preamble).found


def said_by(lines: Sequence[Record]) -> Stated:
    """What the lines state of the rows below them."""
    found: dict[str, set[str]] = {}
    named: set[str] = set()
    for record in lines:
        for key, text in _pairs(record.cells):
            name = _meaning(key, text)
            if name:
                found.setdefault(name, set()).add(text[:_LONGEST])
        named |= {name for cell in record.cells if (name := _named(cell))}
    once = {name: texts.pop() for name, texts in found.items() if len(texts) == 1}
    return Stated(once, frozenset(named | set(found)))


def _pairs(cells: Sequence[str]) -> list[tuple[str, str]]:
    filled = [cell.strip() for cell in cells if cell.strip()]
    pairs = []
    for index, cell in enumerate(filled):
        if pair := _PAIR.fullmatch(cell):
            pairs.append((pair[1], pair[2].strip()))
        elif index + 1 < len(filled):
            pairs.append((cell.rstrip(":= "), filled[index + 1]))
    return pairs


def _named(cell: str) -> str:
    """The column of ours that a cell names though nothing stands beside it: `Patient ID:`."""
    text = cell.strip()
    return _meaning(text.rstrip(":= "), "0") if text.endswith((":", "=")) else ""


def _meaning(key: str, text: str) -> str:
    wanted = key_of(key)
    for name in _NAMES:
        tiers = vocabulary().columns[name].tiers
        if any(wanted in tier for tier in tiers[:_SURE_TIERS]):
            return name if name != "status" or read_status(text) else ""
    if is_whole_name(text) and vocabulary().column_of(key) == "patient_name":
        return "family_name"
    is_number = any(sign.isdigit() for sign in text)
    return "mrn" if is_number and wanted in vocabulary().columns["mrn"].tiers[-1] else ""
