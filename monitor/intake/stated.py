"""What the lines above a header say of every row: `Patient ID: 4711`, `Abnahmedatum;02.03.2026`,
`PRELIMINARY REPORT`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar

from monitor.core.standing import read_status
from monitor.intake.banners import banner_in
from monitor.intake.csv import Record
from monitor.intake.row_steps import is_whole_name
from monitor.intake.vocabulary import key_of, vocabulary

_NAMES = ("mrn", "collected_at", "birth_date", "family_name", "given_name", "status")
_SURE_TIERS = 2
"""Our own name and the first list: a mere `Date` above a table is that of its printing."""
_NATIONAL = 2
"""The list of numbers of a whole country, which are a patient's where nothing better is said."""
_PAIR = re.compile(r"([^:=]{2,60})\s*[:=]\s*(\S.*)")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Stated:
    """What some lines state."""

    found: Mapping[str, str] = field(default_factory=dict)
    """Our columns that they name once, or several times alike, with the text beside."""
    named: frozenset[str] = frozenset()
    """All that they name, also without a text or with several."""
    theirs: frozenset[str] = frozenset()
    """Those said on the line of a patient or below it, so of that patient alone."""
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
    return said_by(preamble, above=True).found


def said_by(lines: Sequence[Record], *, above: bool = False) -> Stated:
    """What the lines state of the rows below them. `above`: they stand above the first header."""
    found: dict[str, set[str]] = {}
    national: set[str] = set()
    named: set[str] = set()
    theirs: set[str] = set()
    for record in lines:
        here = set[str]()
        for key, text in _pairs(record.cells):
            name = _meaning(key, text)
            if name:
                found.setdefault(name, set()).add(text[:_LONGEST])
                here.add(name)
            elif _is_national(key) and any(sign.isdigit() for sign in text):
                national.add(text[:_LONGEST])
                here.add("mrn")
            elif _is_a_patients(key) or _may_be_a_name(key, text):
                here.add("mrn")
        if "status" not in here and (banner := banner_in(record.cells, above=above)):
            found.setdefault("status", set()).add(banner)
            here.add("status")
        here |= _named_alone(record.cells)
        named |= here
        if named & Stated.PERSON:
            theirs |= here
    if national:
        found.setdefault("mrn", national)
    once = {name: texts.pop() for name, texts in found.items() if len(texts) == 1}
    return Stated(once, frozenset(named), frozenset(theirs))


def _pairs(cells: Sequence[str]) -> list[tuple[str, str]]:
    filled = [cell.strip() for cell in cells if cell.strip()]
    pairs = []
    for index, cell in enumerate(filled):
        if pair := _PAIR.fullmatch(cell):
            pairs.append((pair[1], pair[2].strip()))
        elif index + 1 < len(filled) and not _label(filled[index + 1]):
            pairs.append((cell.rstrip(":= "), filled[index + 1]))
    return pairs


def _named_alone(cells: Sequence[str]) -> set[str]:
    """The columns of ours that a line names though nothing stands beside them: `Patient ID:`, and
    `Patient ID` before an empty cell or another such name."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    alone = [cell for cell in filled if cell.endswith((":", "="))]
    for cell, beside in pairwise([*filled, ""]):
        if _label(cell) and (not beside or _label(beside)):
            alone.append(cell)
    keys = [cell.rstrip(":= ") for cell in alone]
    national = {"mrn"} if any(map(_is_national, keys)) else set[str]()
    return national | {name for key in keys if (name := _meaning(key, "0"))}


def _label(cell: str) -> str:
    """The column of ours that a cell surely names, and nothing else."""
    wanted = key_of(cell.rstrip(":= "))
    columns = vocabulary().columns
    sure = ((name, columns[name].tiers[:_SURE_TIERS]) for name in _NAMES)
    found = next((name for name, tiers in sure if any(wanted in tier for tier in tiers)), "")
    return found or ("mrn" if _is_national(cell.rstrip(":= ")) else "")


def _meaning(key: str, text: str) -> str:
    wanted = key_of(key)
    for name in _NAMES:
        tiers = vocabulary().columns[name].tiers
        if any(wanted in tier for tier in tiers[:_SURE_TIERS]):
            return name if name != "status" or read_status(text) else ""
    is_of_a_name = vocabulary().column_of(key) == "patient_name" or _is_a_patients(key)
    if is_whole_name(text) and is_of_a_name:
        return "family_name"
    is_number = any(sign.isdigit() for sign in text)
    return "mrn" if is_number and wanted in vocabulary().columns["mrn"].tiers[-1] else ""


def _is_national(key: str) -> bool:
    return key_of(key) in vocabulary().columns["mrn"].tiers[_NATIONAL]


def _is_a_patients(key: str) -> bool:
    """Whether the number or the name of a patient may stand beside a word: `Patient`."""
    return key_of(key) in vocabulary().columns["mrn"].lesser["patient_name"]


def _may_be_a_name(key: str, text: str) -> bool:
    """Whether a mere `Name` may be a patient's: too little to compare, and enough to say that the
    rows below may be of somebody else."""
    return vocabulary().column_of(key) == "family_name" and is_whole_name(text)
