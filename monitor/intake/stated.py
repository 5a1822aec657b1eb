"""What the lines above a header say of every row: `Patient ID: 4711`, `Abnahmedatum;02.03.2026`,
`PRELIMINARY REPORT`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar

from monitor.core.status_words import read_status
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
_COLON = re.compile(r"(?<!\d)[:=]|[:=](?!\d\d(?!\d))")
"""One behind a name, and none within the time of a day."""
_WORD = re.compile(r"[^\s:=]+")
_LONGEST_NAME = 4
"""Words of a name that another one stands before."""
_LONGEST_LINE = 500
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
            name, is_sure = _told(key, text)
            if name and text and is_sure:
                found.setdefault(name, set()).add(text[:_LONGEST])
            elif name and text and _is_national(key) and _is_one_number(text):
                national.add(text[:_LONGEST])
            here |= {name} if name else set()
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


def _told(key: str, text: str) -> tuple[str, bool]:
    """The column of ours that a name gives, and whether the text beside it surely is of it."""
    if not text:
        return next(iter(_named_without_a_text(key)), ""), False
    name = _meaning(key, text)
    if name:
        return name, name != "mrn" or _is_one_number(text)
    is_of_a_patient = _is_a_patients(key) or _may_be_a_name(key, text)
    is_national = _is_national(key) and _has_digit(text)
    return ("mrn" if is_of_a_patient or is_national else ""), False


def _pairs(cells: Sequence[str]) -> list[tuple[str, str]]:
    filled = [cell.strip() for cell in cells if cell.strip()]
    pairs = []
    for index, cell in enumerate(filled):
        if several := _several_in(cell):
            pairs += several
        elif pair := _PAIR.fullmatch(cell):
            pairs.append((pair[1], pair[2].strip()))
        elif index + 1 < len(filled) and not _label(filled[index + 1]):
            pairs.append((cell.rstrip(":= "), filled[index + 1]))
    return pairs


def _several_in(cell: str) -> list[tuple[str, str]]:
    """Of `MRN: 1001   Date of birth: 01.05.1970   Sex: F`, each name with what stands behind it;
    nothing where there is but one."""
    ends = [found.start() for found in _COLON.finditer(cell[:_LONGEST_LINE])]
    if len(ends) < 2:
        return []
    starts = [0]
    for before, end in pairwise(ends):
        words = list(_WORD.finditer(cell, before + 1, end))
        named = (it for it in reversed(words[-_LONGEST_NAME:]) if _is_name(cell[it.start() : end]))
        first = max(named, key=lambda it: -it.start(), default=words[-1] if words else None)
        starts.append(end if first is None else first.start())
    names = [cell[start:end].strip() for start, end in zip(starts, ends, strict=True)]
    texts = [cell[end + 1 : start] for end, start in zip(ends, [*starts[1:], None], strict=True)]
    return [(name, _cut(text.strip())) for name, text in zip(names, texts, strict=True)]


def _is_name(text: str) -> bool:
    return bool(vocabulary().column_of(text)) or _is_national(text)


def _cut(text: str) -> str:
    """What stands behind a name, without the words of the next one that nobody knows: `1001
    Referring` before `Doctor:`."""
    first, *others = text.split() or [""]
    is_number = _has_digit(first) and not any(map(_has_digit, others))
    return first if is_number else text


def _is_one_number(text: str) -> bool:
    """Whether a text is the number of a patient and nothing else: `1001 (verified)` and `1001
    Keller` are none, `RXH 12345` is one."""
    first, *others = text.split()
    if "(" in text or "," in text:
        return False
    if not _has_digit(first):
        return len(others) < 2
    return all(map(_has_digit, others)) or all(len(it) == 1 for it in others)


def _has_digit(text: str) -> bool:
    return any(sign.isdigit() for sign in text)


def _named_alone(cells: Sequence[str]) -> set[str]:
    """The columns of ours that a line names though nothing stands beside them: `Patient ID:`, and
    `Patient ID` before an empty cell or another such name."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    alone = [cell for cell in filled if cell.endswith((":", "="))]
    for cell, beside in pairwise([*filled, ""]):
        if _label(cell) and (not beside or _label(beside)):
            alone.append(cell)
    return {name for cell in alone for name in _named_without_a_text(cell.rstrip(":= "))}


def _named_without_a_text(key: str) -> set[str]:
    """The column of ours that a name would give, were there a text beside it."""
    name = "mrn" if _is_national(key) else _meaning(key, "0")
    return {name} if name else set()


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
