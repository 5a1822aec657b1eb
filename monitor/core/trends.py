"""Trends: falls in a row among the daily values of an analyte (specification, section 6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from monitor.core.baselines import is_member
from monitor.core.case import Result
from monitor.core.judged import Judged, Limit
from monitor.core.protocol import Rule
from monitor.core.threshold import BOUNDS

_HUNDRED = Decimal(100)


def judge_trend(rule: Rule, results: Sequence[Result], unit: str) -> Iterable[Judged]:
    """Falls in a row among final values, one a day; what is not exact breaks the row."""
    level = rule.levels[0]
    assert level.falls_in_a_row is not None and level.each is not None
    keep = (_HUNDRED - level.each) / _HUNDRED
    text = f"{level.falls_in_a_row} falls in a row, each of more than {level.each:f} %"
    if level.only_below is not None:
        text += f", to below {level.only_below:f} {unit}"
    falls, before, row = 0, None, ""
    for result in _daily_worst(results):
        if not is_member(result) or result.value is None:
            falls, before, row = 0, None, ""
            continue
        if before is not None and row and result.method and row != result.method:
            falls, before, row = 0, None, ""
        fell = before is not None and result.value < before * keep
        falls = falls + 1 if fell else 0
        before, row = result.value, result.method or row
        low = level.only_below is None or result.value < level.only_below
        met = int(falls >= level.falls_in_a_row and low)
        ceiling = result.value if level.only_below is None else level.only_below
        yield Judged(
            result=result,
            certain=met,
            may=met,
            limits=(Limit(value=ceiling, text=text),),
        )


def _daily_worst(results: Sequence[Result]) -> list[Result]:
    """The lowest valid result of each day, ascending."""
    days: dict[date, Result] = {}
    for result in results:
        if not result.is_valid:
            continue
        kept = days.get(result.collected_on)
        if kept is None or _fall_order(result) < _fall_order(kept):
            days[result.collected_on] = result
    return [days[day] for day in sorted(days)]


def _fall_order(result: Result) -> tuple[Decimal, int, bool, datetime, str]:
    """Lowest first; of equal values the one that may hide a lower, then the one trusted, then
    the earlier."""
    assert result.value is not None
    bound, doubted = BOUNDS.index(result.comparator), not is_member(result)
    return result.value, bound, doubted, result.collected_at, result.method
