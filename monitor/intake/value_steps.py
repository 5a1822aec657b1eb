"""Steps of a row whose value stands in more than one column: as a text and as a number, or as
reported and in a standard unit (`LBORRES` and `LBSTRESC`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from monitor.intake.raw import RawRow

_Step = Callable[[RawRow, Sequence[str]], RawRow]
_SIGN = r"\s*[<>\u2264\u2265]\s*=?\s*"
_COMPARED = re.compile(rf"{_SIGN}\d")
_NUMBER = re.compile(rf"(?:{_SIGN})?(\d+)(?:[.,](\d+))?")
_ABSENT = frozenset(("", "na", "n/a", "nan", "null", "(null)", "none", ".", "-", "\\n"))
_GROUP = 3
"""Digits between two marks of thousands."""


def is_absent(text: str) -> bool:
    """Whether a cell of a value or unit holds nothing, or what a program writes for it."""
    return text.strip().casefold() in _ABSENT


def with_text(position: int) -> _Step:
    """The text of a result counts where it says more than the number: `<5` beside 5. Of two
    numbers that differ nobody knows which is meant, and both together are no number."""

    def step(row: RawRow, cells: Sequence[str]) -> RawRow:
        text, number = cells[position].strip(), row.value.strip()
        if is_absent(text):
            return row
        if is_absent(number):
            return row._replace(value=text)
        if _differ(number, text):
            return row._replace(value=f"{number} or {text}")
        return row._replace(value=text) if is_compared(text) else row

    return step


def with_number(position: int) -> _Step:
    """The number in a column of its own counts where the result itself is empty or masked."""

    def step(row: RawRow, cells: Sequence[str]) -> RawRow:
        number = cells[position].strip()
        if number[:1].isdigit() and (is_absent(row.value) or not row.value.strip("_ ")):
            return row._replace(value=number)
        return row

    return step


def _differ(one: str, other: str) -> bool:
    """Whether two cells hold numbers that are not the same, as far as both are written out and
    whatever a mark before three digits means."""
    found = [_NUMBER.fullmatch(text) for text in (one, other)]
    if not all(found):
        return False
    digits = min(len(it[2] or "") for it in found if it)
    first, second = (_readings(it[1], it[2] or "") for it in found if it)
    return all(abs(a - b) >= Decimal(1).scaleb(-digits) for a in first for b in second)


def _readings(whole: str, rest: str) -> list[Decimal]:
    found = [Decimal(f"{whole}.{rest or 0}")]
    return [*found, Decimal(whole + rest)] if len(rest) == _GROUP else found


@dataclass(frozen=True, slots=True)
class WithConverted:
    """The standard result counts where the reported one is empty, has no unit and this one has, or
    lacks the comparator that this one has: with its own unit and limits, never with those of the
    other: a step."""

    values: tuple[int, ...]
    """Its columns, as text and as a number."""
    unit: int | None
    low: int | None
    high: int | None

    def __call__(self, row: RawRow, cells: Sequence[str]) -> RawRow:
        told = (cells[position].strip() for position in self.values)
        value = next((text for text in told if not is_absent(text)), "")
        unit, low, high = (
            "" if at is None else cells[at].strip() for at in (self.unit, self.low, self.high)
        )
        if not value or not counts_instead(row.value, row.unit, value, unit):
            return row
        return row._replace(value=value, unit=unit, ref_low=low, ref_high=high)


def counts_instead(value: str, unit: str, converted: str, unit_converted: str) -> bool:
    """Whether a standard result counts in place of what was reported with this unit."""
    if is_absent(value):
        return True
    if is_absent(unit_converted):
        return False
    if is_absent(unit):  # a number that has its unit glued to it ends in none
        return value.strip()[-1:].isdigit()
    return is_compared(converted) and not is_compared(value)


def is_compared(text: str) -> bool:
    """Whether a number has its comparator before it."""
    return _COMPARED.match(text) is not None


def with_converted(positions: Mapping[str, int]) -> tuple[WithConverted, ...]:
    """The step, if a file has such columns."""
    names = ("value_converted", "number_converted")
    values = tuple(positions[name] for name in names if name in positions)
    beside = map(positions.get, ("unit_converted", "low_converted", "high_converted"))
    return (WithConverted(values, *beside),) if values else ()
