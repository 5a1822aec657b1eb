"""Steps of a row by what its whole file shows of the marks of decimals and thousands."""

from __future__ import annotations

import re
from collections.abc import Sequence

from monitor.intake.raw import OPEN_POINT, RawRow

_COMMA_DECIMAL = re.compile(r"(\s*[<>]?=?\s*)(\d+),(\d{1,2})([^\d.,]*)")
_OTHER_MARK = str.maketrans(".,", ",.")
_POINT_THOUSANDS = re.compile(r"\s*[<>\u2264\u2265]?=?\s*[1-9]\d{0,2}\.\d{3}(?!\d).*")
_WHOLE = re.compile(r"\d+")


def with_the_other_mark(row: RawRow, _cells: Sequence[str]) -> RawRow:
    """Limits with a decimal point (comma) beside values with a comma (point), as those are
    written."""
    low, high = (text.translate(_OTHER_MARK) for text in (row.ref_low, row.ref_high))
    return row._replace(ref_low=low, ref_high=high)


def with_comma_decimals(row: RawRow, _cells: Sequence[str]) -> RawRow:
    """A text that can only be a number with a decimal comma (`5,1`), as a spreadsheet writes
    numbers; in limits too."""
    value, low, high = map(_with_point, (row.value, row.ref_low, row.ref_high))
    return row._replace(value=value, ref_low=low, ref_high=high)


def _with_point(text: str) -> str:
    found = _COMMA_DECIMAL.fullmatch(text)
    return f"{found[1]}{found[2]}.{found[3]}{found[4]}" if found else text


def with_open_point(row: RawRow, _cells: Sequence[str]) -> RawRow:
    """A value whose point may mark thousands (`1.250`)."""
    return row._replace(decimal=OPEN_POINT) if may_be_thousands(row.value) else row


def with_point_by_limits(row: RawRow, _cells: Sequence[str]) -> RawRow:
    """The same of a value beside limits that are whole numbers: who writes 10 and 40 may mean 1250
    by `1.250`."""
    limits = [text for it in (row.ref_low, row.ref_high) if (text := it.strip())]
    is_whole = bool(limits) and all(map(_WHOLE.fullmatch, limits))
    return with_open_point(row, ()) if is_whole else row


def may_be_thousands(value: str) -> bool:
    """Whether three digits stand behind the only point of a number."""
    return _POINT_THOUSANDS.fullmatch(value) is not None
