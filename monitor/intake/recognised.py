"""What was recognised of a table, for notes, for `load --preview` and for `source learn`.

Nothing here holds a cell of a row: evidence is named by its line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from monitor.config import Source
from monitor.intake.csv import Table
from monitor.intake.dates import is_open
from monitor.intake.layout import Layout
from monitor.intake.profile import ABOVE, Evidence, Profile

_NAMES_SHOWN = 12
_NAME_SHOWN = 40


@dataclass(frozen=True, slots=True)
class ColumnSeen:
    """A column of the file and what it is to us: one of our columns, an analyte, or nothing."""

    title: str
    ours: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Recognised:
    """One table as it was understood."""

    sheet: str
    encoding: str
    delimiter: str
    header_line: int
    is_wide: bool
    columns: tuple[ColumnSeen, ...]
    header: tuple[str, ...]
    dates: str
    dates_why: str
    decimal: str
    decimal_why: str
    above: tuple[int, ...]
    """Lines above the header."""
    below: tuple[int, ...]
    """Lines below the rows that are no rows."""
    stated: tuple[str, ...]
    """Columns of ours that the lines above the header give for every row."""
    remarks: tuple[str, ...]

    @property
    def form(self) -> str:
        return "wide form" if self.is_wide else "long form"

    def document(self) -> dict[str, Any]:
        """The table's part of `load --preview --json`."""
        return {
            "sheet": self.sheet or None,
            "encoding": self.encoding,
            "delimiter": self.delimiter or None,
            "header_line": self.header_line,
            "form": self.form,
            "columns": [
                {"name": it.title, "read_as": it.ours or None, "unit": it.unit or None}
                for it in self.columns
            ],
            "date_order": self.dates or None,
            "date_order_because": self.dates_why,
            "decimal_mark": self.decimal or None,
            "decimal_mark_because": self.decimal_why,
            "lines_above_header": list(self.above),
            "lines_below_rows": list(self.below),
            "stated_above_header": list(self.stated),
        }

    def notes(self) -> tuple[str, ...]:
        """The same in sentences, without what is as expected."""
        where = f'sheet "{self.sheet}"' if self.sheet else f"separated by {self.delimiter}"
        said = [f"read as {self.encoding}, {where}, {self.form}"]
        unused = [it.title[:_NAME_SHOWN] for it in self.columns if not it.ours]
        if unused:
            said.append(f"columns not used: {_listed(unused)}")
        if self.above:
            said.append(
                f"the header is line {self.header_line}; {_lines(self.above)} above it: no rows"
            )
        if self.stated:
            said.append(f"stated above the header for every row: {', '.join(self.stated)}")
        if self.below:
            said.append(f"{_lines(self.below)} below the rows: no rows")
        said += [why for why in (self.dates_why, self.decimal_why) if why]
        return (*said, *self.remarks)


def recognised(
    table: Table, layout: Layout, profile: Profile, mapping: Source, encoding: str
) -> Recognised:
    """What the header, the layout, the whole column and the config say together."""
    return Recognised(
        sheet=table.sheet,
        encoding=encoding,
        delimiter="" if table.sheet else table.delimiter_title,
        header_line=table.header_line,
        is_wide=layout.is_wide,
        columns=columns_seen(layout),
        header=tuple(table.header),
        dates="" if is_open(layout.dates) or layout.notation.open_shapes else layout.dates,
        dates_why=_why_dates(profile) if not mapping.date_format else "",
        decimal=layout.decimal,
        decimal_why=(
            _why_decimal(profile, is_typed=layout.notation.typed)
            if mapping.decimal_comma is None
            else ""
        ),
        above=tuple(record.line for record in table.preamble),
        below=tuple(profile.footers),
        stated=layout.stated,
        remarks=_remarks(layout, profile),
    )


def columns_seen(layout: Layout) -> tuple[ColumnSeen, ...]:
    """Every named column of the file with what it is to us."""
    ours = {position: name for name, position in layout.columns.positions.items()}
    ours.update(dict.fromkeys(layout.comments, "comment"))
    units: dict[int, str] = {}
    for column in layout.wide:
        ours[column.position] = f"value of {column.name}"
        units[column.position] = column.unit
        ours.update({position: f"{name} of {column.name}" for name, position in column.beside})
    return tuple(
        ColumnSeen(title, ours.get(index, ""), units.get(index, ""))
        for index, title in enumerate(layout.header)
        if title
    )


def _why_dates(profile: Profile) -> str:
    if profile.has_swapped_dates:
        return (
            f"{_line_of(profile.left)} has its date as text, and no other date is of a day above "
            "12: a spreadsheet program may have taken days for months. Dates that this would "
            "change are held: mend them in the workbook, or, where they are right, say date_format "
            "in the source's table of the config"
        )
    if profile.has_open_years:
        return (
            f"the year of two digits may stand first or last ({_line_of(profile.short)}): rows "
            'with such dates are held; say it with date_format = "day_first", "month_first" or '
            '"year_first" in the source\'s table of the config'
        )
    day, month, open_ = profile.shows_day_first, profile.month_first, profile.open_dates
    if day.count and month.count:
        held = "; dates that can be read both ways are held" if open_.count else ""
        return f"{_line_of(day)} is day first and {_line_of(month)} is month first{held}"
    for evidence, order in ((day, "day first"), (month, "month first")):
        if evidence.count:
            why = f"dates are read {order}: {_line_of(evidence)} can be read no other way"
            return why + _but_unsettled(profile)
    if profile.are_told_by_dots:
        return f"dates are read day first: with dots, as in {_line_of(open_)}, the day comes first"
    if open_.count:
        return (
            f"no date settles the order of day and month (see {_line_of(open_)}): rows with such "
            'dates are held; say it with date_format = "day_first" or "month_first" in the '
            "source's table of the config"
        )
    return ""


def _but_unsettled(profile: Profile) -> str:
    """What is said of dates that are written otherwise than those that settle the order."""
    if not (others := profile.unsettled):
        return ""
    first = min(others.values(), key=lambda it: it.line)
    return (
        f". That says nothing of dates that are written otherwise, as in {_line_of(first)}: those "
        "that can be read both ways are held; say the order of all with date_format in the "
        "source's table of the config"
    )


def _line_of(evidence: Evidence) -> str:
    return "a line above the header" if evidence.line == ABOVE else f"line {evidence.line}"


def _why_decimal(profile: Profile, *, is_typed: bool) -> str:
    comma, point = profile.marks
    if comma.count and point.count and is_typed:
        return f"a comma marks decimals in texts (line {comma.line}), a point in numbers"
    if comma.count and point.count:
        return (
            f"line {comma.line} has a decimal comma and line {point.line} a decimal point: "
            "numbers with a comma are held"
        )
    if comma.count:
        return f"a comma marks decimals: line {comma.line} can be read no other way"
    return ""


def _remarks(layout: Layout, profile: Profile) -> tuple[str, ...]:
    said = [
        f'{name} is read from "{layout.header[layout.columns.positions[name]][:_NAME_SHOWN]}", '
        "the nearest there is"
        for name in layout.columns.second_best
        if name in ("collected_at", "mrn", "analyte", "unit") and name in layout.columns.positions
    ]
    positions = layout.columns.positions
    if "range" in positions and "unit" not in positions and profile.glued and not layout.is_wide:
        said.append("a unit behind the limits is that of the value where the value has none")
    if layout.notation.flags:
        named = layout.header[layout.columns.positions["status"]][:_NAME_SHOWN]
        said.append(
            f'"{named}" holds flags such as {profile.flags.text} (line {profile.flags.line}), '
            "and says nothing of what is final"
        )
    said += [
        f'"{layout.header[position][:_NAME_SHOWN]}" says what the specimen is, by its cells: what '
        "is of urine and the like is none of the blood"
        for position in layout.notation.materials
    ]
    if profile.floats_for_numbers and not layout.whole_numbers:
        said.append(
            "every patient number ends in .0, as a spreadsheet writes amounts: if yours do not, "
            "say whole_numbers = true in the source's table of the config"
        )
    return tuple(said)


def _lines(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    if list(numbers) == list(range(numbers[0], numbers[-1] + 1)):
        return f"lines {numbers[0]} to {numbers[-1]}"
    return f"lines {_listed([str(number) for number in numbers])}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
