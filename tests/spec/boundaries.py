"""The boundary table of every threshold rule: just below, at, just above, in each unit.

What is expected is worked out here in its own way: a reported value stands for the set of
numbers it may be (`<0.5` is everything below 0.5), a level is met for certain when the whole
set lies beyond the limit, and may be met when a part of it does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from monitor.core.protocol import Level, Rule
from tests.spec import cases

UNITS = {
    "10*9/L": ("10*9/L", "K/uL", "cells/uL", "10*4/uL"),
    "g/L": ("g/L", "g/dL"),
    "U/L": ("U/L", "ukat/L"),
    "umol/L": ("umol/L", "mg/dL"),
    "fL": ("fL",),
    "pmol/(8.10*8{RBC})": ("pmol/8x10^8 RBC", "pmol/10*8{RBC}"),
}
STEP = Decimal("0.001")
RANGES = (("", ""), ("", "40"), ("5", "40"), ("", "0"), ("40", "40"))


@dataclass(frozen=True)
class Row:
    """One reported value and what must be said of it."""

    rule: str
    given: str
    unit: str
    ref_low: str
    ref_high: str
    speaks: str

    @property
    def cells(self) -> tuple[str, ...]:
        limits = f"{self.ref_low} - {self.ref_high}" if self.ref_low or self.ref_high else ""
        return (self.rule, f"{self.given} {self.unit}", limits, self.speaks)


def rows() -> list[Row]:
    return [row for rule in cases.protocol().rules if _is_threshold(rule) for row in _of(rule)]


def _is_threshold(rule: Rule) -> bool:
    """Judged by one value alone; a level that looks at the course has its cases in
    docs/manual/other-drugs-and-life.md."""
    return all(
        level.below is not None or level.above is not None or level.above_times_uln is not None
        for level in rule.levels
    ) and not any(level.looks_at_course for level in rule.levels)


def _of(rule: Rule) -> Iterator[Row]:
    analyte = cases.catalogue().analytes[rule.analyte]
    uses_uln = any(level.above_times_uln is not None for level in rule.levels)
    for low, high in RANGES if uses_uln else RANGES[:1]:
        limits = [_limit(level, low, high) for level in rule.levels]
        for limit in dict.fromkeys(limits):
            for unit in UNITS[analyte.unit]:
                factor = analyte.factor(unit)
                assert factor is not None, (rule.id, unit)
                for given in _around(limit, factor):
                    yield Row(
                        rule.id, given, unit, low, high, _expected(rule, given, factor, limits)
                    )


def _limit(level: Level, low: str, high: str) -> Decimal:
    if level.below is not None:
        return level.below
    if level.above is not None:
        return level.above
    assert level.above_times_uln is not None and level.default_uln is not None
    usable = high and Decimal(high) > 0 and (not low or Decimal(high) > Decimal(low))
    return level.above_times_uln * (Decimal(high) if usable else level.default_uln)


def _around(limit: Decimal, factor: Decimal) -> Iterator[str]:
    """Just below, at and just above the limit in a unit, and censored at it."""
    exact = limit / factor
    nearest = exact.quantize(STEP)
    for value in (nearest - STEP, nearest, nearest + STEP):
        yield _text(value)
    if nearest * factor == limit:
        yield from (f"{sign}{_text(nearest)}" for sign in ("<", "<=", ">", ">="))
        yield f"<{_text(nearest + STEP)}"
        yield f">{_text(nearest - STEP)}"


def _text(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _expected(rule: Rule, given: str, factor: Decimal, limits: list[Decimal]) -> str:
    certain = may = None
    for level, limit in zip(rule.levels, limits, strict=True):
        whole, part = _beyond(given, factor, limit, downward=rule.downward)
        certain = level if whole else certain
        may = level if part and not whole else may
    if certain is not None:
        return f"{certain.action}, {certain.urgency}"
    if may is not None:
        urgency = "urgent" if may.urgency == "critical" else may.urgency
        return f"review, {urgency}: ask the laboratory for the number"
    return "quiet"


def _beyond(given: str, factor: Decimal, limit: Decimal, *, downward: bool) -> tuple[bool, bool]:
    """(all of, some of) the numbers a reported value may be lie strictly beyond the limit."""
    sign = given.rstrip("0123456789.-")
    value = Fraction(given.removeprefix(sign)) * Fraction(factor)
    bound = Fraction(limit)
    if not downward:
        value, bound = -value, -bound
        sign = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(sign, sign)
    if sign == "<":
        return value <= bound, True
    if sign == "<=":
        return value < bound, True
    if sign:
        return False, value < bound
    return value < bound, value < bound


def page(found: list[Row]) -> str:
    lines = [
        "# Every limit, just below, at and just above",
        "",
        "The shipped azathioprine protocol, each threshold rule in the units laboratories use.",
        "Written by `tests/spec/test_boundaries.py` (`UPDATE_GOLDEN=1 make test`) from the protocol",
        "file, and every row is run as a test through the whole core. `quiet` means: no alert of",
        "this rule. Comparison is strict and exact: 0.5 is not below 0.5, nor is 500 /uL.",
        "",
        "| rule | reported | reference range | what is said |",
        "| --- | --- | --- | --- |",
    ]
    lines.extend(f"| {' | '.join(row.cells)} |".replace("|  |", "| |") for row in found)
    return "\n".join(lines) + "\n"
