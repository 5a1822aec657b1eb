"""What the lines above a header say of every row: `Patient ID: 4711`, `Abnahmedatum;02.03.2026`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from monitor.intake.csv import Record
from monitor.intake.vocabulary import key_of, vocabulary

_NAMES = ("mrn", "collected_at", "birth_date", "family_name", "given_name")
_SURE_TIERS = 2
"""Our own name and the first list: a mere `Date` above a table is that of its printing."""
_PAIR = re.compile(r"([^:=]{2,60})\s*[:=]\s*(\S.*)")
_LONGEST = 200


def stated_above(preamble: Sequence[Record]) -> Mapping[str, str]:
    """Our columns that the lines name once, or several times alike, with the text beside."""
    found: dict[str, set[str]] = {}
    for record in preamble:
        for key, text in _pairs(record.cells):
            name = _meaning(key, text)
            if name:
                found.setdefault(name, set()).add(text[:_LONGEST])
    return {name: texts.pop() for name, texts in found.items() if len(texts) == 1}


def _pairs(cells: Sequence[str]) -> list[tuple[str, str]]:
    filled = [cell.strip() for cell in cells if cell.strip()]
    pairs = []
    for index, cell in enumerate(filled):
        if pair := _PAIR.fullmatch(cell):
            pairs.append((pair[1], pair[2].strip()))
        elif index + 1 < len(filled):
            pairs.append((cell.rstrip(":= "), filled[index + 1]))
    return pairs


def _meaning(key: str, text: str) -> str:
    wanted = key_of(key)
    for name in _NAMES:
        tiers = vocabulary().columns[name].tiers
        if any(wanted in tier for tier in tiers[:_SURE_TIERS]):
            return name
    is_number = any(sign.isdigit() for sign in text)
    return "mrn" if is_number and wanted in vocabulary().columns["mrn"].tiers[-1] else ""
