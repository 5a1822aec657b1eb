"""What a whole table shows of its notation: the order of day and month, the decimal mark, and
where the rows end. One pass, before any row is taken, in bounded memory.

Nothing is decided by a majority: a date that can only be read day first and one that can only be
read month first leave the order open, and what could be read either way is held.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from monitor.core.calendar import LAST_YEAR
from monitor.intake.blocks import Block
from monitor.intake.csv import Record
from monitor.intake.dates import EITHER, LAST_DAY, OPEN_YEARS, SWAPPED, ends_of_short, full_year
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
from monitor.intake.raw import BadLine
from monitor.intake.records import Part
from monitor.intake.under_headings import heading_in, material_of

_PLAIN_FLOAT = re.compile(r"\d+\.0+")
ABOVE = 0
"""The line of what is stated above the header."""
_SEEN_LIMIT = 50_000


IsHeader = Callable[[Sequence[str]], bool]
"""Whether cells are those of a header."""


@dataclass(slots=True)
class Evidence:
    """How often something was seen, and where first."""

    count: int = 0
    line: int = 0
    text: str = ""

    def add(self, line: int, text: str) -> None:
        if not self.count:
            self.line, self.text = line, text.strip()
        self.count += 1


@dataclass(slots=True)
class Profile:
    """What was seen in all rows of one table."""

    rows: int = 0
    day_first: Evidence = field(default_factory=Evidence)
    month_first: Evidence = field(default_factory=Evidence)
    either_way: Evidence = field(default_factory=Evidence)
    short_day_first: Evidence = field(default_factory=Evidence)
    """Day first (26/03/14), unless the year stands first."""
    short: Evidence = field(default_factory=Evidence)
    """Dates with a year of two digits that may stand first or last."""
    year_last: Evidence = field(default_factory=Evidence)
    """Dates with a year of two digits that cannot stand first."""
    ends: set[tuple[int, int]] = field(default_factory=set)
    """The first and the last number of the `short` ones."""
    first_of_days: set[int] = field(default_factory=set)
    """The first number of those among them that are no birth dates."""
    came_in: int = LAST_YEAR
    """The year in which the file came: no day of its is of a later one."""
    swappable: Evidence = field(default_factory=Evidence)
    """Dates of a workbook that would be other ones with day and month exchanged."""
    unswappable: Evidence = field(default_factory=Evidence)
    """Those of a day that is no month, and texts that its program would have taken for dates."""
    left: Evidence = field(default_factory=Evidence)
    """Texts that it would not."""
    comma: Evidence = field(default_factory=Evidence)
    point: Evidence = field(default_factory=Evidence)
    limits_comma: Evidence = field(default_factory=Evidence)
    limits_point: Evidence = field(default_factory=Evidence)
    """The same in the columns of limits: a program may write them in another way."""
    flags: Evidence = field(default_factory=Evidence)
    """Cells of the column of statuses that only flag a value as high or low."""
    statuses: Evidence = field(default_factory=Evidence)
    """Those that are surely statuses."""
    glued: int = 0
    """Cells in which something follows the number, or the name: a unit, perhaps."""
    plain_floats: int = 0
    numbers: int = 0
    """Patient numbers that are not empty."""
    footers: dict[int, str] = field(default_factory=dict)
    """Lines below the rows that are no rows, with their text."""
    headings: list[tuple[int, str]] = field(default_factory=list)
    """Lines among the rows that say what those below them were measured in, with what: of some of
    them that is no blood."""
    other_header: int = 0
    """The first line among the rows that names columns, but others than the header does."""

    def note(self, name: str, line: int, text: str) -> None:
        """Count a piece of evidence."""
        if name == "glued":
            self.glued += 1
            return
        if name == "short_day":
            self.first_of_days.add(int(text))
            return
        getattr(self, name).add(line, text)
        if name == "short" and (ends := ends_of_short(text)):
            self.ends.add(ends)

    @property
    def has_open_years(self) -> bool:
        """Whether the year of two digits may stand first: where none that stands there is still
        to come, and fewer numbers stand first than last, or as many and one that would be a later
        year. Days are many, years are few."""
        if not self.short.count or self.year_last.count:
            return False
        first, last = {end for end, _ in self.ends}, {end for _, end in self.ends}
        if any(one <= LAST_DAY and full_year(one) > self.came_in for one in self.first_of_days):
            return False
        if len(first) == len(last):
            return any(one > other for one, other in self.ends)
        return len(first) < len(last)

    @property
    def has_swapped_dates(self) -> bool:
        """Whether a spreadsheet program may have taken days for months: what it understood has no
        day above 12, and below it stand such days as the texts that it did not."""
        return bool(self.left.count and self.swappable.count and not self.unswappable.count)

    @property
    def shows_day_first(self) -> Evidence:
        """The dates that can only be read day first."""
        if self.day_first.count or self.has_open_years:
            return self.day_first
        return self.short_day_first

    @property
    def dates(self) -> str:
        """The order that every date of the table allows."""
        if self.has_swapped_dates:
            return SWAPPED
        if self.has_open_years:
            return OPEN_YEARS
        if self.shows_day_first.count and not self.month_first.count:
            return "day_first"
        if self.month_first.count and not self.shows_day_first.count:
            return "month_first"
        return EITHER

    @property
    def marks(self) -> tuple[Evidence, Evidence]:
        """What shows a decimal comma and a decimal point: values, or where none of them shows
        either, limits."""
        if self.comma.count or self.point.count:
            return self.comma, self.point
        return self.limits_comma, self.limits_point

    @property
    def decimal(self) -> str:
        """The decimal mark that every value of the table allows; "" where none shows, or two."""
        return _mark_of(*self.marks)

    @property
    def limits_decimal(self) -> str:
        """The decimal mark that every limit of the table allows; "" where none shows, or two."""
        return _mark_of(self.limits_comma, self.limits_point)

    @property
    def has_flags_for_statuses(self) -> bool:
        """Whether the column that is called like one of statuses holds flags."""
        return bool(self.flags.count and not self.statuses.count)

    @property
    def floats_for_numbers(self) -> bool:
        """Whether every patient number ends in .0."""
        return bool(self.numbers) and self.plain_floats == self.numbers


def _mark_of(comma: Evidence, point: Evidence) -> str:
    if comma.count and not point.count:
        return "comma"
    return "point" if point.count and not comma.count else ""


def decimal_of(texts: Iterable[str]) -> str:
    """The decimal mark that all these numbers allow: comma, point, or "" where none shows it, or
    both do."""
    found = Profile()
    for text in texts:
        for name, shown in look_at_number(text):
            found.note(name, 0, shown)
    return found.decimal


def together(profiles: Sequence[Profile]) -> Profile:
    """What several tables of one file show between them of dates and decimals."""
    names = (
        "day_first", "month_first", "either_way", "short_day_first", "short", "year_last",
        "swappable", "unswappable", "left", "comma", "point", "limits_comma", "limits_point",
        "flags", "statuses",
    )  # fmt: skip
    found = Profile(
        ends=set().union(*(profile.ends for profile in profiles)),
        first_of_days=set().union(*(profile.first_of_days for profile in profiles)),
        came_in=min(profile.came_in for profile in profiles),
    )
    for name in names:
        seen = [it for profile in profiles if (it := getattr(profile, name)).count]
        setattr(found, name, seen[0] if seen else Evidence())
    return found


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

    def _at_block(self, block: Block) -> None:
        self._found.rows += block.rows
        self._at_lines(block)
        new: list[tuple[int, int, LookAt, str]] = []
        for order, (look_at, position) in enumerate(self._looks):
            column = block.coded(position)
            telling = [n for n, text in enumerate(column.texts) if self._tells(look_at, text)]
            first = column.first_rows(telling)
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

    def _tells(self, look_at: LookAt, text: str) -> bool:
        """Whether a text shows something, and was not met before. One that shows nothing need
        not be looked at again."""
        seen = self._seen[look_at]
        if text in seen:
            return False
        if look_at(text):
            return True
        if len(seen) < _SEEN_LIMIT:
            seen.add(text)
        return False

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
    return not any(sign.isdigit() for sign in text)


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
