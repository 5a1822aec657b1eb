"""What a row's code, unit and text amount to: a value or no result of an analyte, or the reason why
it cannot be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from monitor.core.catalogue import Analyte
from monitor.core.units import Refusal

MAP_OR_IGNORE = "map the code or ignore it in [sources.NAME]"
EMPTY = "empty value"
"""The words of no result where nothing stands in place of the value."""
_OF_VALUES = {
    "not_a_number": "neither a number nor a listed text for no result",
    "ambiguous_mark": "a comma or point that may mark thousands or decimals",
    "decimal_comma": "a decimal comma where a decimal point is expected",
    "negative": "a negative value",
    "implausible": "above the plausible range, likely a mistake of the unit",
}
"""Reasons without the value, for the reports that anybody may read; the hint has it."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A value in the analyte's canonical unit, or no result (`value` is None)."""

    analyte: Analyte
    value: Decimal | None
    comparator: str = ""
    no_result: str = ""
    below_plausible: bool = False
    unit: str = ""
    """The unit as it was read, in the source's or our spelling."""
    read_as_percent: bool = False
    """The code means a count; the unit made a percentage of it."""
    pending: bool = False
    """The text only announces a result."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be trusted. `reason` is the same for all rows of one kind; `hint` may
    name this row's value and is for the eyes of quarantine alone."""

    code: str
    reason: str
    hint: str = ""
    analyte: Analyte | None = None


def unknown_comparator(analyte: Analyte, word: str) -> Problem:
    """A word beside the number that says neither more nor less."""
    return Problem(
        "comparator",
        f"{analyte.name}: a word in the column of comparators that says none we know",
        f'"{word}": <, <=, >, >=, =, or LT, LE, GT, GE, EQ; where the column says something else, '
        'comparator = "" in [sources.NAME.columns]',
        analyte,
    )


def problem_of(refusal: Refusal, analyte: Analyte) -> Problem:
    """Why a value of an analyte was refused, without naming it where anybody may read."""
    general = _OF_VALUES.get(refusal.code)
    if general is None:
        return Problem(refusal.code, refusal.reason, refusal.hint, analyte)
    return Problem(refusal.code, f"{analyte.name}: {general}", str(refusal), analyte)
