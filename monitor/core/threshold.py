"""The threshold comparison, here and nowhere else: one value, possibly censored, against one
limit (specification, section 6).

What a rule compares with is found in `limits.py`; which of its levels a result meets, in
`levels.py`.
"""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum

BOUNDS = ("<", "<=", "", ">=", ">")
"""Comparators from the one that may hide the lowest value to the highest."""


class Breach(IntEnum):
    """Whether a value, possibly censored, is beyond a limit."""

    NO = 0
    MAY = 1
    CERTAIN = 2


def below(value: Decimal, comparator: str, limit: Decimal) -> Breach:
    """Is the value strictly below the limit? Exact: 0.5 is not below 0.5."""
    match comparator:
        case "<":
            return Breach.CERTAIN if value <= limit else Breach.MAY
        case "<=":
            return Breach.CERTAIN if value < limit else Breach.MAY
        case ">" | ">=":
            return Breach.NO if value >= limit else Breach.MAY
    return Breach.CERTAIN if value < limit else Breach.NO


def above(value: Decimal, comparator: str, limit: Decimal) -> Breach:
    """Is the value strictly above the limit? The mirror of `below`."""
    match comparator:
        case ">":
            return Breach.CERTAIN if value >= limit else Breach.MAY
        case ">=":
            return Breach.CERTAIN if value > limit else Breach.MAY
        case "<" | "<=":
            return Breach.NO if value <= limit else Breach.MAY
    return Breach.CERTAIN if value > limit else Breach.NO


def worse(value: Decimal, than: Decimal, *, downward: bool) -> bool:
    return value < than if downward else value > than
