"""Baselines: which results a rise or a fall is measured against (specification, section 6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from monitor.core.calendar import Duration
from monitor.core.case import Result
from monitor.core.personal_terms import Personal
from monitor.core.threshold import worse


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineTerms:
    """What a rise or a fall is measured against, and the limits that were set for the patient."""

    start: date
    within: Duration
    personal: Sequence[Personal] = ()
    """Limits of this rule alone."""
    as_of: date | None = None
    """By the personal limits of this day; None: of each result's own day."""


def baseline_of(results: Sequence[Result], terms: BaselineTerms, *, like: Result) -> Decimal | None:
    """The baseline of an analyte among its results, measured as `like` was and before it; None:
    not known."""
    members = [it for it in results if is_member(it) and same_method(it, like)]
    baseline, at = find_baseline(one_an_instant(members, downward=False), terms)
    return None if at is None or at.collected_at >= like.collected_at else baseline


def common_baseline(
    results: Sequence[Result], terms: BaselineTerms, *, downward: bool
) -> tuple[Decimal, str] | None:
    """The baseline that all results with a value are compared with, and the method they were
    measured by; None: there are several, or it is not known."""
    own = [it for it in results if it.value is not None]
    if len({it.method for it in own}) != 1:
        return None
    found, _ = find_baseline(one_an_instant(filter(is_member, own), downward=downward), terms)
    return None if found is None else (found, own[0].method)


def same_method(one: Result, other: Result) -> bool:
    """Whether two results may be compared: a method that is not known is taken for the same."""
    return not one.method or not other.method or one.method == other.method


def earliest_within(trusted: Sequence[Result], result: Result, within: Duration) -> Decimal | None:
    since = within.before(result.collected_on)
    for candidate in trusted:
        if candidate.collected_at >= result.collected_at:
            return None
        if candidate.collected_on >= since:
            return candidate.value
    return None


def one_an_instant(trusted: Iterable[Result], *, downward: bool) -> list[Result]:
    """The worst value of each instant (the highest where a rise is judged), ascending: results
    of one instant are judged as one, whichever of them arrived first."""
    instants: dict[datetime, Result] = {}
    for result in trusted:
        kept = instants.get(result.collected_at)
        if kept is None or _is_worse(result, kept, downward=downward):
            instants[result.collected_at] = result
    return [instants[at] for at in sorted(instants)]


def is_member(result: Result) -> bool:
    """May serve as a baseline or a member of a trend: final, exact and not doubted."""
    return (
        result.is_valid
        and not result.comparator
        and not result.below_plausible
        and not result.doubtful_comment
    )


def find_baseline(
    trusted: Sequence[Result], terms: BaselineTerms
) -> tuple[Decimal, Result] | tuple[None, None]:
    """The median of the last two values at or before the start, else the first after it."""
    since = terms.within.before(terms.start)
    before = [it for it in trusted if since <= it.collected_on <= terms.start][-2:]
    if before:
        values = [it.value for it in before if it.value is not None]
        return sum(values, Decimal(0)) / len(values), before[-1]
    for result in trusted:
        if result.collected_on > terms.start and result.value is not None:
            return result.value, result
    return None, None


def _is_worse(result: Result, than: Result, *, downward: bool) -> bool:
    assert result.value is not None and than.value is not None
    return worse(result.value, than.value, downward=downward)
