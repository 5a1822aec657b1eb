"""Stretches of days: each from its first day to the first day after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

Span = tuple[date, date]
ONE_DAY = timedelta(days=1)


def length(span: Span) -> int:
    """How many days it has."""
    return (span[1] - span[0]).days


def days_of(spans: Iterable[Span]) -> Iterator[date]:
    """Every day of them."""
    for span in spans:
        for number in range(length(span)):
            yield span[0] + timedelta(days=number)


def within(span: Span, spans: Iterable[Span]) -> list[Span]:
    """What of these lies in that one, in their order."""
    cut = ((max(span[0], first), min(span[1], end)) for first, end in spans)
    return [(first, end) for first, end in cut if first < end]


def without(span: Span, spans: Iterable[Span]) -> list[Span]:
    """What of that one lies in none of these, ascending."""
    left: list[Span] = []
    begin = span[0]
    for first, end in sorted(within(span, spans)):
        if begin < first:
            left.append((begin, first))
        begin = max(begin, end)
    return [*left, (begin, span[1])] if begin < span[1] else left


def united(spans: Iterable[Span]) -> list[Span]:
    """The same days in as few stretches as there can be, ascending."""
    found: list[Span] = []
    for first, end in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((first, end))
    return found
