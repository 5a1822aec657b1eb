"""What a rule makes of one instant of its analyte: a judgement with its limits, or why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from monitor.core.answer import Measured
from monitor.core.case import Result
from monitor.core.threshold import BOUNDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The number a value was compared with, and what it is made of."""

    value: Decimal
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One instant of one analyte as a rule sees it. Levels count from 1; 0 is none."""

    result: Result
    certain: int
    """The worst level met for certain."""
    may: int
    """The worst level met for certain or perhaps."""
    limits: tuple[Limit | None, ...]
    """Of each level, mildest first; None where the level's limit is not known."""

    @property
    def measured(self) -> Measured:
        """The value with its instant, as findings carry it."""
        return measured(self.result)

    @property
    def collected_at(self) -> datetime:
        return self.result.collected_at

    @property
    def collected_on(self) -> date:
        return self.result.collected_on

    @property
    def breaches(self) -> bool:
        return self.certain > 0 or self.may > 0

    @property
    def level(self) -> int:
        """The level that speaks: the worst met for certain, else the worst that may be."""
        return self.certain or self.may

    @property
    def limit(self) -> Limit:
        """The limit of the level that speaks; only of a judgement that breaches."""
        limit = self.limits[self.level - 1]
        assert limit is not None
        return limit

    @property
    def known_limits(self) -> tuple[Decimal, ...]:
        return tuple(it.value for it in self.limits if it is not None)

    def severity(self, *, downward: bool) -> tuple[int, int, Decimal, int]:
        """Orders judgements from mild to severe. What a bound may hide stands behind the number: a
        worse value after `<100` is worse, though below 100 it may have been worse still."""
        value, sign = self.result.value, BOUNDS.index(self.result.comparator)
        assert value is not None
        possible = 0 if self.certain else self.may
        if downward:
            return self.certain, possible, -value, -sign
        return self.certain, possible, value, sign


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A result that a rule could not judge, because a limit or baseline is missing."""

    collected_at: datetime
    collected_on: date
    why: str


def measured(result: Result) -> Measured:
    """The value of a result, as findings carry it."""
    assert result.value is not None
    return Measured(
        value=result.value,
        comparator=result.comparator,
        collected_at=result.collected_at,
        collected_on=result.collected_on,
        result_id=result.id,
        derived=bool(result.derived),
    )
