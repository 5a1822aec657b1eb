"""Limits that depend on how a value has gone since the start of treatment: raised ALT is the
disease in autoimmune hepatitis, so that only a rise from the lowest, or a fall that did not
come, asks for a person (founding brief).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from monitor.core.case import Result
from monitor.core.protocol import Level

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Further:
    """A second limit that a value must pass too, and what it is made of; `value` None: it could
    not be reckoned."""

    value: Decimal | None
    text: str


def further(
    level: Level,
    result: Result,
    trusted: Sequence[Result],
    baseline: tuple[Decimal, Result] | None,
    start: date,
) -> Further | None:
    """The further limit of a level that looks at the course; None where the level does not
    apply to the result at all. `trusted` are exact final values, one an instant, ascending."""
    if level.rise_from_lowest is not None:
        return _rise_from_lowest(level.rise_from_lowest, result, trusted, start)
    assert level.not_fallen_by is not None
    begins = start if level.after is None else level.after.after(start)
    if result.collected_on < begins:
        return None
    if level.until is not None and result.collected_on >= level.until.after(start):
        return None
    if baseline is None or baseline[1].collected_on >= begins:
        return Further(value=None, text="no baseline value from before that time is known")
    value = baseline[0] * (_HUNDRED - level.not_fallen_by) / _HUNDRED
    text = f"baseline {baseline[0]:f} - {level.not_fallen_by:f} % = {value:f}"
    return Further(value=value, text=text)


def _rise_from_lowest(
    rise: Decimal, result: Result, trusted: Sequence[Result], start: date
) -> Further | None:
    """The lowest since the start, before this result; the first value is its own lowest."""
    if result.collected_on < start:
        return None
    known = [
        it.value
        for it in trusted
        if it.value is not None
        and it.collected_on >= start
        and it.collected_at < result.collected_at
    ]
    own = result.value
    lowest = min([*known, *([own] if own is not None else [])])
    value = lowest * (_HUNDRED + rise) / _HUNDRED
    return Further(value=value, text=f"lowest since the start {lowest:f} + {rise:f} % = {value:f}")
