"""Looks at every row of a table once, before any is taken, in bounded memory: what it shows of its
notation goes into a Profile."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter

from monitor.core.calendar import LAST_YEAR
from monitor.intake.blocks import Block
from monitor.intake.csv import Record
from monitor.intake.footers import without_footers
from monitor.intake.layout import Layout
from monitor.intake.notation import (
    DATE_COLUMNS,
    LookAt,
    look_at_limit,
    look_at_number,
    look_at_status,
    looks_at,
)
from monitor.intake.profile import ABOVE, Profile
from monitor.intake.raw import BadLine
from monitor.intake.records import Part
from monitor.intake.under_headings import heading_in, material_of
from monitor.intake.vocabulary import vocabulary

_PLAIN_FLOAT = re.compile(r"\d+\.0+")
_DIGIT = re.compile(r"\d")
_SEEN_LIMIT = 50_000
_MOST_MATERIALS = 200
"""A column with more texts than that does not say what the specimen is."""

IsHeader = Callable[[Sequence[str]], bool]
"""Whether cells are those of a header."""


def profile_of(
    parts: Iterable[Part],
    layout: Layout,
    is_header: IsHeader | None = None,
    *,
    came_in: int = LAST_YEAR,
    of_sheet: bool = False,
) -> Profile:
    """Look at every row of a table, which came in a year."""
    found = Profile(came_in=came_in)
    for _ in looked_at(parts, layout, found, is_header, of_sheet=of_sheet):
        pass
    return found


def looked_at(
    parts: Iterable[Part],
    layout: Layout,
    found: Profile,
    is_header: IsHeader | None = None,
    *,
    of_sheet: bool = False,
) -> Iterator[Part]:
    """The same parts, once they have been looked at; one that may hold the end of the rows comes
    when it is known whether it does."""
    look = _Look(found, layout, is_header, of_sheet=of_sheet)
    behind: deque[Part] = deque()

    def passing() -> Iterator[Part]:
        for part in parts:
            behind.append(part)
            yield part

    for item in without_footers(passing(), layout, found.footers):
        look.at(item)
        while behind and last_line_of(behind[0]) <= last_line_of(item):
            yield behind.popleft()
    yield from behind


def last_line_of(part: Part) -> int:
    """The line where its last row begins."""
    return part.first_line + part.rows - 1 if isinstance(part, Block) else part.line


class _Look:
    """Looks at each text once, as long as there are not too many."""

    def __init__(
        self, found: Profile, layout: Layout, is_header: IsHeader | None, *, of_sheet: bool
    ) -> None:
        positions = layout.columns.positions
        self._found = found
        dates = [name for name in DATE_COLUMNS if name in positions]
        self._looks: list[tuple[LookAt, int]] = [
            *((looks_at(name, of_sheet=of_sheet), positions[name]) for name in dates),
            *((look_at_number, it) for it in _value_positions(layout)),
            *((look_at_limit, it) for it in _limit_positions(layout)),
            *((look_at_status, positions[it]) for it in ("status",) if it in positions),
        ]
        self._mrn = positions.get("mrn")
        self._is_header = is_header
        self._key = key_column(layout)
        self._named = positions.get("analyte") if layout.unit_in_name else None
        self._unit_in_name = layout.unit_in_name
        unknown = () if "material" in positions else layout.unknown
        self._specimens: dict[int, set[str]] = {position: set() for position in unknown}
        """The texts of the columns that may say what the specimen is."""
        self._seen: defaultdict[LookAt, set[str]] = defaultdict(set)
        for name in DATE_COLUMNS:
            if name not in positions and name in layout.constants:
                self._at_text(looks_at(name), ABOVE, layout.constants[name])

    def at(self, part: Part) -> None:
        if isinstance(part, Block):
            self._at_block(part)
            return
        self._found.rows += 1
        if not isinstance(part, BadLine):
            self._at_record(part)
        elif part.code == "field_count":
            self._at_line(part.line, part.text.split(" | "))

    def _at_record(self, record: Record) -> None:
        line, cells = record
        if self._key is None or _has_no_digit(cells[self._key]):
            self._at_line(line, cells)
        for look_at, position in self._looks:
            self._at_text(look_at, line, cells[position])
        if self._mrn is not None:
            self._at_number(cells[self._mrn], 1)
        if self._named is not None:
            self._at_name(cells[self._named])
        for position in tuple(self._specimens):
            self._at_specimens(position, (cells[position],))

    def _at_block(self, block: Block) -> None:
        self._found.rows += block.rows
        self._at_lines(block)
        new: list[tuple[int, int, LookAt, str]] = []
        for order, (look_at, position) in enumerate(self._looks):
            column = block.coded(position)
            first = column.first_rows(self._telling(look_at, column.texts))
            new += [(row, order, look_at, column.texts[n]) for n, row in first]
        for row, _, look_at, text in sorted(new, key=itemgetter(0, 1)):
            self._at_text(look_at, block.first_line + row, text)
        if self._named is not None:
            for text in block.coded(self._named).texts:
                self._at_name(text)
        if self._mrn is not None:
            numbers = block.coded(self._mrn)
            for text, count in zip(numbers.texts, numbers.counts(), strict=True):
                self._at_number(text, count)
        for position in tuple(self._specimens):
            self._at_specimens(position, block.coded(position).texts)

    def _at_lines(self, block: Block) -> None:
        """The lines of a block that may be another header: their key has no digit."""
        if self._key is None:
            rows: Sequence[int] = range(block.rows)
        else:
            column = block.coded(self._key)
            rows = column.rows_of([n for n, it in enumerate(column.texts) if _has_no_digit(it)])
        for row in rows:
            self._at_line(block.first_line + row, block.cells(row))

    def _at_line(self, line: int, cells: Sequence[str]) -> None:
        material = material_of(heading_in(cells))
        if material or (material is not None and self._found.headings):
            self._found.headings.append((line, material))
        if self._is_header and not self._found.other_header and self._is_header(cells):
            self._found.other_header = line

    def _telling(self, look_at: LookAt, texts: Sequence[str]) -> list[int]:
        """Which texts show something, and were not met before. One that shows nothing need not
        be looked at again."""
        seen = self._seen[look_at]
        telling = [n for n, text in enumerate(texts) if text not in seen and look_at(text)]
        if len(seen) < _SEEN_LIMIT:
            seen.update(set(texts).difference(texts[n] for n in telling))
        return telling

    def _at_text(self, look_at: LookAt, line: int, text: str) -> None:
        seen = self._seen[look_at]
        if text in seen:
            return
        for name, shown in look_at(text):
            self._found.note(name, line, shown)
        if len(seen) < _SEEN_LIMIT:
            seen.add(text)

    def _at_name(self, text: str) -> None:
        if self._unit_in_name is not None:
            self._found.glued += bool(self._unit_in_name(text)[1])

    def _at_specimens(self, position: int, texts: Iterable[str]) -> None:
        seen = self._specimens[position]
        new = set(texts) - seen
        if any(map(vocabulary().names_no_blood, new)):
            self._found.materials.add(position)
        seen |= new
        if position in self._found.materials or len(seen) > _MOST_MATERIALS:
            del self._specimens[position]

    def _at_number(self, text: str, count: int) -> None:
        if text.strip():
            self._found.numbers += count
            self._found.plain_floats += count * (_PLAIN_FLOAT.fullmatch(text.strip()) is not None)


def key_column(layout: Layout) -> int | None:
    """A column in which every row has a digit."""
    positions = layout.columns.positions
    names = ("collected_at", "mrn", "value")
    return next((positions[name] for name in names if name in positions), None)


def _has_no_digit(text: str) -> bool:
    return _DIGIT.search(text) is None


def _value_positions(layout: Layout) -> list[int]:
    positions = layout.columns.positions
    if layout.wide:
        return [column.position for column in layout.wide]
    return [positions[name] for name in ("value", "value_text") if name in positions]


def _limit_positions(layout: Layout) -> list[int]:
    if layout.wide:
        return []
    positions = layout.columns.positions
    return [positions[name] for name in ("ref_low", "ref_high", "range") if name in positions]
