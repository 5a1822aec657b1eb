"""What one text shows of how a table is written: the order of its dates, its decimal mark, whether
its statuses are flags."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from monitor.core.status_words import read_status
from monitor.core.units import glued_unit
from monitor.intake.dates import (
    begins_with_year,
    ends_of_short,
    is_short,
    may_be_swapped,
    orders_of,
    shape_of,
    understood,
)

_COLLECTED = ("collected_at", "collected_day")
_BIRTH = "birth_date"
DATE_COLUMNS = (*_COLLECTED, "reported_at", _BIRTH)
_COMMA_DECIMALS = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d+,\d{1,2}|\d+,\d{4,}|0,\d+|\d{4,},\d+")
_POINT_DECIMALS = re.compile(r"\d{1,3}(?:,\d{3})+\.\d+|\d+\.\d{1,2}|\d+\.\d{4,}|0\.\d+|\d{4,}\.\d+")
_NUMBER = re.compile(r"[^\d]{0,4}(\d[\d.,]*\d)(?![\d.,])")
_DOTTED = re.compile(r"(?:[^\W\d_]{2,12}\.?,?\s+)?\d{1,2}\.\d{1,2}\.(?:\d{4}|\d{2})(?!\d)")
"""No language writes the month first with dots (CLDR)."""
_FLAG = re.compile(r"[HL]{1,2}\*?|[\u2191\u2193]+", re.IGNORECASE)
_FLAG_OR_STATUS = frozenset(("n", "a", "normal", "abnormal", "high", "low", "critical"))
"""What is a status somewhere, and a flag elsewhere."""
_MONTHS = 12
_DAY_WRITTEN = 10

Shown = Sequence[tuple[str, str]]
"""What a text shows: names of a profile's evidence, each with the part that shows it."""
LookAt = Callable[[str], Shown]


def _look_at_date(text: str) -> Shown:
    if begins_with_year(text):
        return []
    orders = orders_of(text)
    open_ = "dotted" if _DOTTED.match(text.strip()) else "either_way"
    shown = [open_] if len(orders) == 2 else [*orders]
    if ends_of_short(text):
        shown = ["short_day_first" if order == "day_first" else order for order in shown]
        shown.append("short")
    elif is_short(text):
        shown.append("year_last")
    return [(name, text) for name in shown]


def _look_at_day(text: str) -> Shown:
    """A date that is not to come, as a birth date in two digits may seem to be."""
    shown = _look_at_date(text)
    ends = ends_of_short(text) if shown else None
    return [*shown, ("short_day", f"{ends[0]:02}")] if ends else shown


def _look_at_collected(text: str) -> Shown:
    """How the date is written, too: in one column several people may write it."""
    orders = orders_of(text) if shape_of(text) else ()
    shape = ["open_shape" if len(orders) == 2 else "told_shape"] if orders else []
    return [*_look_at_day(text), *((name, text) for name in shape)]


def looks_at(name: str, *, of_sheet: bool = False) -> LookAt:
    """What looks at the dates of a column of ours."""
    if name == _BIRTH:
        return _look_at_date
    if name not in _COLLECTED:
        return _look_at_day
    return _look_at_date_of_sheet if of_sheet else _look_at_collected


def _look_at_date_of_sheet(text: str) -> Shown:
    found = understood(text)
    if found is None:
        return [*_look_at_collected(text), *_look_at_what_was_left(text)]
    _, day = found
    if day > _MONTHS:
        return [("unswappable", text)]
    return [("swappable", text)] if may_be_swapped(text) else []


def _look_at_what_was_left(text: str) -> Shown:
    """A date with dots is left as text by every program that reads months first."""
    orders = orders_of(text)
    if not orders or "." in text[:_DAY_WRITTEN]:
        return []
    return [("left" if len(orders) == 1 else "unswappable", text)]


def look_at_number(text: str) -> Shown:
    shown = [("glued", text)] if glued_unit(text)[1] else []
    for match in _NUMBER.finditer(text[:80]):
        number = match[1]
        if _COMMA_DECIMALS.fullmatch(number):
            shown.append(("comma", number))
        elif _POINT_DECIMALS.fullmatch(number):
            shown.append(("point", number))
    return shown


def look_at_limit(text: str) -> Shown:
    shown = look_at_number(text)
    return [(it if it == "glued" else f"limits_{it}", number) for it, number in shown]


def look_at_status(text: str) -> Shown:
    """`H` is a flag and no status; what surely is one says that the column holds no flags."""
    word = text.strip()
    if _FLAG.fullmatch(word):
        return [("flags", text)]
    is_status = word and word.casefold() not in _FLAG_OR_STATUS and read_status(word) is not None
    return [("statuses", text)] if is_status else []
