"""Tables that stand one under another: a page's header again, a table of other columns, the next
patient's report. Rows are read under the lines that stand above them, and under no others.

Who a report is of is said anew in each, or goes on from the one before; where a line names a
patient and no number can be read there, the rows below it are nobody's until a person says so.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

from monitor.intake.csv import Record, Score, names_of
from monitor.intake.footers import is_beside_a_table
from monitor.intake.raw import BadLine
from monitor.intake.stated import Stated, said_by
from monitor.intake.vocabulary import key_of, vocabulary

_SURE = 3
"""Columns that a line names to be a header for certain, where most of its cells do."""
_LONGEST_LABEL = 200
_SURE_AMONG_MANY = 5
"""The same, however many of its cells name none."""
_SHORTEST_NAME = 3
_DATE = re.compile(r"(?<!\d)\d{1,4}([./-])\d{1,2}\1\d{2,4}(?!\d)")
_WORDS = re.compile(r"[^\W\d_]{2,}")
_NOTHING = Stated()
_SOMEBODY = Stated(named=frozenset({"mrn"}))
"""A patient is spoken of; which one could not be read."""


@dataclass(slots=True)
class Section:
    """One table of several: what stands above it, its header, its rows."""

    preamble: list[Record]
    header: Record
    said: Stated
    rows: list[Record | BadLine] = field(default_factory=list)

    @property
    def stated(self) -> Mapping[str, str]:
        """Our columns that hold for every row, with their text."""
        return self.said.found


def sections_of(
    preamble: Sequence[Record],
    header: Record,
    below: Sequence[Record | BadLine],
    key_column: int | None,
    score: Score,
    surely: int = 0,
) -> list[Section]:
    """The tables from the first header on. `key_column` is one in which every row of the first
    table has a digit (a date, a number): other lines may begin a table. The line `surely` is a
    header, whatever it looks like."""
    said = said_by(preamble, above=True)
    current = Section(list(preamble), header, said)
    sections = [current]
    titles = {_letters(it) for it in preamble}
    # The section of the last row, and the lines below that row: those that speak of the next one,
    # and those of which that is not known yet.
    anchor, block = current, list[Record]()
    between: list[Record] = []
    for item in below:
        width = len(current.header.cells)
        is_sure = item.line == surely
        is_row = isinstance(item, BadLine) or not (
            is_sure or _may_begin(item, width, key_column) or _states_anew(item, current.stated)
        )
        if not is_row and isinstance(item, Record):
            if is_sure or _is_header(item, current.header, score):
                key_column = key_column if _same(item, current.header) else None
                block += between
                between = []
                current = _below(anchor, item, block)
                sections.append(current)
                continue
            if _stands_between(item):
                between.append(item)
                continue
        # A row, or a line that was not understood: whatever it is, it stands under those before.
        said = said_by(between) if between else _NOTHING
        if said.names_somebody or said.named & (current.stated.keys() | {"status"}):
            block += between
            current = _below(anchor, current.header, block)
            sections.append(current)
        else:
            current.rows += between
            if any(_may_be_of_another(it, current) for it in between):
                anchor = current = _unclear(current, _SOMEBODY)
                block = []
                sections.append(current)
        between = []
        current.rows.append(item)
        if is_row or not block:
            anchor, block = current, []
        if not is_row and isinstance(item, Record) and (told := _hinted(item, current, titles)):
            anchor = current = _unclear(current, told)
            block = []
            sections.append(current)
    current.rows += between
    return sections


def _below(before: Section, header: Record, block: Sequence[Record]) -> Section:
    """The section below another one, after all lines between their rows."""
    return Section(list(block), header, following(before.said, said_by(block)))


def _unclear(before: Section, told: Stated) -> Section:
    """What follows a line that says something, nobody knows what: of whom or of when."""
    return Section([], before.header, following(before.said, told))


def following(before: Stated, said: Stated) -> Stated:
    """What holds for a table below another one, after the lines between them. A status is that of
    one report, a day that was said of one patient is not the next one's, and a day that is named
    without a text is none."""
    kept = dict(before.found)
    of_another = frozenset({"collected_at"} & before.theirs if said.names_somebody else ())
    if said.names_somebody:
        kept = {name: text for name, text in kept.items() if name not in said.PERSON}
        kept |= {"mrn": ""} if "mrn" in before.found else {}
    if "collected_at" in kept and "collected_at" in said.named | of_another:
        kept["collected_at"] = ""
    if said.names_somebody or "collected_at" in said.named:
        kept.pop("status", None)
    return Stated(kept | dict(said.found), said.named, _theirs(before, said))


def _theirs(before: Stated, said: Stated) -> frozenset[str]:
    """What is one patient's alone of all that holds now."""
    if said.names_somebody:
        return said.theirs
    is_below_somebody = not said.PERSON.isdisjoint(before.found)
    return before.theirs | (said.named if is_below_somebody else said.theirs)


def _may_begin(record: Record, width: int, key_column: int | None) -> bool:
    cells = record.cells
    if key_column is None or key_column >= len(cells):
        return True
    fits = len(cells) == width or not any(cell.strip() for cell in cells[width:])
    return not fits or not any(sign.isdigit() for sign in cells[key_column])


def _states_anew(record: Record, stated: Mapping[str, str]) -> bool:
    """Whether a line looks like one that says anew what was stated of the rows before: `Patient
    ID: P2` may stand where every row has a digit. No row begins like that, or is half of that."""
    if not stated:
        return False
    wanted = stated.keys() | (set() if Stated.PERSON.isdisjoint(stated) else Stated.PERSON)
    filled = [cell for cell in record.cells if cell.strip()]
    says = [_labelled(cell[:_LONGEST_LABEL]) in wanted for cell in filled]
    return any(says[:1]) or sum(says) * 2 >= len(says) > 0


def _may_be_of_another(record: Record, section: Section) -> bool:
    """Whether a line that is no row and was not understood names a patient, as `Report for
    patient P2` does: the rows below may be of another one than those above."""
    filled = [cell[:_LONGEST_LABEL] for cell in record.cells if cell.strip()]
    columns = sum(1 for name in section.header.cells if name.strip())
    if Stated.PERSON.isdisjoint(section.stated) or 2 * len(filled) > columns:
        return False
    words = [word for cell in filled for word in re.split(r"[\W_]+", cell) if word]
    numbers = [at for at, word in enumerate(words) if any(sign.isdigit() for sign in word)]
    labels = (words[at - many : at] for at in numbers for many in range(1, min(at, 4) + 1))
    return not _people_words().isdisjoint(key_of("".join(label)) for label in labels)


def _hinted(record: Record, section: Section, titles: Collection[str]) -> Stated | None:
    """What a line that is no row and was not understood seems to say of the rows below it. One
    with a date, such as `Bruno Frei, 11.02.1981` or `Blood count 01.05.2026`, may be of another
    patient or another day; none of the lines above the first header that stands there again is."""
    if _may_be_of_another(record, section):
        return _SOMEBODY
    filled = [cell.strip() for cell in record.cells if cell.strip()]
    columns = sum(1 for name in section.header.cells if name.strip())
    text = " ".join(filled)[:_LONGEST_LABEL]
    if 2 * len(filled) > columns or not _DATE.search(text) or _letters(record) in titles:
        return None
    capitals = [word for word in _WORDS.findall(text) if word[0].isupper()]
    hinted = {"collected_at"} & section.stated.keys()
    if len(capitals) > 1 and not Stated.PERSON.isdisjoint(section.stated):
        hinted.add("mrn")
    return Stated(named=frozenset(hinted)) if capitals and hinted else None


def _letters(record: Record) -> str:
    """A line without its numbers: that of each page."""
    return "".join(sign for cell in record.cells for sign in cell.casefold() if sign.isalpha())


@cache
def _people_words() -> frozenset[str]:
    """What a patient or the number of one is called."""
    names = (vocabulary().columns[name].tiers for name in ("mrn", "patient_name"))
    return frozenset(
        word for tiers in names for tier in tiers for word in tier if len(word) >= _SHORTEST_NAME
    )


@lru_cache(maxsize=10_000)
def _labelled(cell: str) -> str:
    """The column of ours that a cell names before its colon, or as a whole."""
    name = vocabulary().column_of(re.split("[:=]", cell, maxsplit=1)[0])
    return "family_name" if name == "patient_name" else name


def _same(record: Record, header: Record) -> bool:
    return _names(record) == _names(header)


def _names(record: Record) -> list[str]:
    names = names_of(record.cells)
    while names and not names[-1]:
        names.pop()
    return names


def _is_header(record: Record, header: Record, score: Score) -> bool:
    """The header again, or a line most of whose cells name a column."""
    return _same(record, header) or names_columns(record.cells, score)


def names_columns(cells: Sequence[str], score: Score) -> bool:
    """Whether these are the cells of a header for certain."""
    filled = [name for name in names_of(cells) if name]
    if len(filled) < _SURE or any(map(_is_number, filled)):
        return False
    known = score(filled)
    return known >= _SURE and (known * 2 >= len(filled) or known >= _SURE_AMONG_MANY)


def _is_number(text: str) -> bool:
    return text[:1].isdigit() and not any(sign.isalpha() for sign in text)


def _stands_between(record: Record) -> bool:
    """A line as it stands above or below a table: the patient, a title, a ruler, a signature."""
    filled = [cell.strip() for cell in record.cells if cell.strip()]
    if not filled:
        return True
    if said_by([record]).says_something:
        return True
    is_title = len(filled) == 1 and not any(sign.isdigit() for sign in filled[0])
    return is_title or is_beside_a_table(filled)
