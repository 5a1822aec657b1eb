"""Lines beside and among the rows of a report that say what the rows below them were measured in:
under `Urin` stand leukocytes too, and none of the blood."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from monitor.intake.csv import Record
from monitor.intake.raw import RawRow
from monitor.intake.vocabulary import key_of, vocabulary

_MOST_WORDS = 4
_LONGEST = 60


def heading_in(cells: Sequence[str]) -> str:
    """The text of a line of few words and nothing else; empty for any other line."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    if len(filled) != 1 or len(filled[0]) > _LONGEST or any(map(str.isdigit, filled[0])):
        return ""
    return filled[0].strip(" *#=-_:") if len(filled[0].split()) <= _MOST_WORDS else ""


def material_of(heading: str) -> str | None:
    """What a heading says that the rows below were measured in: itself where that is no blood,
    empty where it is; None where it says nothing of it."""
    if not heading:
        return None
    known = vocabulary()
    if known.is_of_no_blood(heading):
        return heading
    words = [key_of(word) for word in heading.split()]
    names_blood = known.is_of_blood(heading) or not known.blood_orders.isdisjoint(words)
    of_blood = names_blood or any(word.startswith(known.blood_headings) for word in words)
    return "" if of_blood else None


def material_above(preamble: Iterable[Record]) -> str:
    """What the lines above a table say of its rows: `Urinstatus`, or `Material;Urin`; empty where
    that is blood, or nothing."""
    material = ""
    words = vocabulary().columns["material"].tiers
    for record in preamble:
        filled = [cell.strip() for cell in record.cells if cell.strip()]
        parted = (it.partition(":") for it in filled)
        pairs = [*pairwise(filled), *((key, text) for key, colon, text in parted if colon)]
        named = [text.strip() for key, text in pairs if text.strip() and _is_one_of(key, words)]
        said = named[0] if named else heading_in(record.cells)
        found = material_of(said)
        material = material if found is None else found
    return material


def _is_one_of(text: str, tiers: Sequence[frozenset[str]]) -> bool:
    return any(key_of(text.rstrip(": ")) in tier for tier in tiers)


class UnderHeadings:
    """Marks the rows of a table that stand under a heading of no blood, in their order: up to the
    next heading that says what is measured, or the next patient."""

    def __init__(self, headings: Sequence[tuple[int, str]], above: str = "") -> None:
        """`headings`: the lines that say something, with what; more may come while the table is
        read. `above`: what the lines above the table say."""
        self._headings = headings
        self._passed = 0
        self._material = self._above = above
        self._mrn = ""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is said of any row so far."""
        return not self._headings and not self._above

    def of(self, row: RawRow) -> RawRow:
        """The row, with the material beside the name of its analyte where it is no blood."""
        if self._headings:
            self._look(row)
        if not self._material or not row.analyte.strip():
            return row
        if any(map(vocabulary().is_of_blood, (row.analyte, *row.also))):
            return row
        return row._replace(analyte=marked(row.analyte, self._material), also=())

    def _look(self, row: RawRow) -> None:
        passed = self._passed
        while passed < len(self._headings) and self._headings[passed][0] < row.line:
            passed += 1
        if passed > self._passed:
            self._passed, self._mrn = passed, row.mrn
            self._material = self._headings[passed - 1][1]
        elif passed and row.mrn != self._mrn:
            self._material = self._above


def marked(name: str, material: str) -> str:
    """A name that nobody knows: of this material."""
    return f"{name.strip()} ({material})"
