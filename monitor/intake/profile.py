"""What a whole table shows of its notation: the order of day and month, the decimal mark, and
where the rows end. One pass, before any row is taken, in bounded memory.

Nothing is decided by a majority: a date that can only be read day first and one that can only be
read month first leave the order open, and what could be read either way is held.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from monitor.core.calendar import LAST_YEAR
from monitor.intake.dates import (
    DOTS,
    EITHER,
    LAST_DAY,
    OPEN_YEARS,
    SWAPPED,
    ends_of_short,
    full_year,
    shape_of,
)
from monitor.intake.notation import look_at_limit, look_at_number

ABOVE = 0
"""The line of what is stated above the header."""


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
    dotted: Evidence = field(default_factory=Evidence)
    """Dates with dots (03.04.2026) whose day and month could be exchanged."""
    short_day_first: Evidence = field(default_factory=Evidence)
    """Day first (26/03/14), unless the year stands first."""
    short_shapes: dict[str, Evidence] = field(default_factory=dict)
    """Dates with a year of two digits that may stand first or last, by how they are written."""
    years_last: set[str] = field(default_factory=set)
    """How those are written whose year of two digits cannot stand first."""
    ends: set[tuple[str, int, int]] = field(default_factory=set)
    """How the ones of `short_shapes` are written, and their first and last number."""
    first_of_days: set[int] = field(default_factory=set)
    """The first number of those among them that are no birth dates."""
    open_shapes: dict[str, Evidence] = field(default_factory=dict)
    """Dates of collection whose day and month could be exchanged, by how they are written."""
    told_shapes: set[str] = field(default_factory=set)
    """How those are written that can only be read one way."""
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
    materials: set[int] = field(default_factory=set)
    """Unknown columns, by their places, in which some cell is the name of urine and the like."""
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
        if name == "told_shape":
            self.told_shapes.add(shape_of(text))
            return
        if name == "open_shape":
            self.open_shapes.setdefault(shape_of(text), Evidence()).add(line, text)
            return
        if name == "year_last":
            self.years_last.add(shape_of(text))
            return
        if name == "short":
            shape = shape_of(text)
            self.short_shapes.setdefault(shape, Evidence()).add(line, text)
            self.ends |= {(shape, *ends) for ends in (ends_of_short(text),) if ends}
            return
        getattr(self, name).add(line, text)

    @property
    def short(self) -> Evidence:
        """Dates with a year of two digits that may stand first or last, where none that is written
        alike says which."""
        open_ = (it for shape, it in self.short_shapes.items() if shape not in self.years_last)
        return min(open_, key=lambda it: it.line, default=Evidence())

    @property
    def has_open_years(self) -> bool:
        """Whether the year of two digits may stand first: where none that stands there is still
        to come, and fewer numbers stand first than last, or as many and one that would be a later
        year. Days are many, years are few."""
        if not self.short.count:
            return False
        ends = {(one, other) for shape, one, other in self.ends if shape not in self.years_last}
        first, last = {end for end, _ in ends}, {end for _, end in ends}
        if any(one <= LAST_DAY and full_year(one) > self.came_in for one in self.first_of_days):
            return False
        if len(first) == len(last):
            return any(one > other for one, other in ends)
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
        return "day_first" if self.are_told_by_dots else EITHER

    @property
    def unsettled(self) -> dict[str, Evidence]:
        """Dates of collection, by how they are written, whose order those do not settle that are
        written otherwise in the same column: one types 13/04/2026, another 03-04-2026. With dots
        the day comes first."""
        if not self.told_shapes:
            return {}
        settled = self.told_shapes | ({DOTS} if self.dates == "day_first" else set())
        return {shape: it for shape, it in self.open_shapes.items() if shape not in settled}

    @property
    def are_told_by_dots(self) -> bool:
        """Whether every date that could be read either way has dots, which stand where the day
        comes first, and none shows another order."""
        shown = self.shows_day_first.count or self.month_first.count or self.either_way.count
        return bool(self.dotted.count and not shown)

    @property
    def open_dates(self) -> Evidence:
        """The dates whose day and month could be exchanged."""
        return self.either_way if self.either_way.count else self.dotted

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
    def has_both_marks(self) -> bool:
        """Whether some values show a decimal comma and others a decimal point."""
        return bool(self.comma.count and self.point.count)

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


def marks_of(values: Iterable[str], limits: Iterable[str]) -> Profile:
    """What values and limits show of the decimal mark."""
    found = Profile()
    for texts, look in ((values, look_at_number), (limits, look_at_limit)):
        for text in texts:
            for name, shown in look(text):
                found.note(name, 0, shown)
    return found


def together(profiles: Sequence[Profile]) -> Profile:
    """What several tables of one file show between them of dates and decimals."""
    names = (
        "day_first", "month_first", "either_way", "dotted", "short_day_first", "swappable",
        "unswappable", "left", "comma", "point", "limits_comma", "limits_point", "flags",
        "statuses",
    )  # fmt: skip
    found = Profile(
        ends=set().union(*(profile.ends for profile in profiles)),
        first_of_days=set().union(*(profile.first_of_days for profile in profiles)),
        told_shapes=set().union(*(profile.told_shapes for profile in profiles)),
        years_last=set().union(*(profile.years_last for profile in profiles)),
        came_in=min(profile.came_in for profile in profiles),
    )
    for profile in reversed(profiles):
        found.open_shapes.update(profile.open_shapes)
        found.short_shapes.update(profile.short_shapes)
    for name in names:
        seen = [it for profile in profiles if (it := getattr(profile, name)).count]
        setattr(found, name, seen[0] if seen else Evidence())
    return found
