"""What one result says against another: parts above their sum, a jump as of another unit.

Such a doubt is shown with the alert; it never quarantines and takes nothing from a trend
(specification, section 3). The numbers are those of `[checks]` in `schedules/analytes.toml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from monitor.core.case import Result
from monitor.core.ordered import Results

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What is compared, and how far it may differ (percentages as numbers)."""

    parts: tuple[str, ...] = ()
    """Counts that add up to no more than `whole`."""
    whole: str = ""
    parts_tolerance: Decimal = Decimal(0)
    percentages: tuple[str, ...] = ()
    percentages_low: Decimal = Decimal(0)
    """Below this, a differential with every percentage does not add up."""
    percentages_high: Decimal = Decimal(0)
    jumps: tuple[Decimal, ...] = ()
    """Ratios of two units of one quantity."""
    jump_tolerance: Decimal = Decimal(0)


def doubts(result: Result, results: Results, checks: Checks, unit: str) -> Iterator[str]:
    """What speaks against a result among those of the patient."""
    counts = (*checks.parts, checks.whole)
    if result.analyte in counts:
        yield from _parts(_of_specimen(result, results.of(*counts)), checks)
    if result.derived:
        yield from _percentages(_of_specimen(result, results.of(*checks.percentages)), checks)
    yield from _jump(result, results.of(result.analyte), checks, unit)


def _of_specimen(result: Result, others: Sequence[Result]) -> list[Result]:
    return [it for it in others if it.value is not None and _key(it) == _key(result)]


def _key(result: Result) -> tuple[str, date] | datetime:
    if result.specimen_id:
        return result.specimen_id, result.collected_on
    return result.collected_at


def _parts(specimen: Sequence[Result], checks: Checks) -> Iterator[str]:
    """Reported counts alone: those derived from percentages add up by themselves."""
    known = {
        it.analyte: it.value
        for it in specimen
        if it.value is not None and not it.comparator and not it.derived
    }
    whole = known.get(checks.whole)
    parts = [known[name] for name in checks.parts if name in known]
    if whole is None or len(parts) < 2:
        return
    total = sum(parts, Decimal(0))
    if total > whole * (_HUNDRED + checks.parts_tolerance) / _HUNDRED:
        yield (
            f"Doubt: the counts of its parts add up to {total:f}, more than the white cells "
            f"{whole:f}: check values and units with the laboratory."
        )


def _percentages(specimen: Sequence[Result], checks: Checks) -> Iterator[str]:
    known = {it.analyte: it.value for it in specimen if it.value is not None and not it.comparator}
    parts = [known[name] for name in checks.percentages if name in known]
    total = sum(parts, Decimal(0))
    complete = len(parts) == len(checks.percentages)
    if total > checks.percentages_high or (complete and total < checks.percentages_low):
        yield (
            f"Doubt: the percentages of the differential add up to {total:f} %: check them with "
            "the laboratory."
        )


def _jump(result: Result, own: Sequence[Result], checks: Checks, unit: str) -> Iterator[str]:
    """A value about 10, 17, 88, 100 or 1000 times the one before, or the other way round."""
    before = [
        it
        for it in own
        if it.value is not None
        and it.value > 0
        and not it.comparator
        and it.collected_at < result.collected_at
    ]
    if not before or not result.value or result.comparator:
        return
    last = before[-1].value
    assert last is not None
    high, low = max(result.value, last), min(result.value, last)
    for factor in checks.jumps:
        spread = factor * checks.jump_tolerance / _HUNDRED
        if (factor - spread) * low <= high <= (factor + spread) * low:
            way = "above" if result.value > last else "below"
            yield (
                f"Doubt: about {factor.to_integral_value():f} times {way} the value before, "
                f"{last:f} {unit}: check the unit with the laboratory."
            )
            return
