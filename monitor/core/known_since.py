"""Days that are covered, of which that was known only later: the results had not come yet.

A completion is known on the day on which what the panel asks for had been received. Only one that
came later than the clinic finds usual (`[intake] late_after`) counts as known later than done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.core.calendar import Duration, clinic_day
from monitor.core.case import Result
from monitor.core.judges import View
from monitor.core.missed import obligations
from monitor.core.spans import ONE_DAY, Span

Received = Mapping[tuple[str, date], date]
"""By analyte and the day of collection, when a valid result of it was received first."""


class Done(NamedTuple):
    """A completion, and the day on which it was known."""

    on: date
    known_on: date


class KnownSince(NamedTuple):
    """Days that are covered, and the day since when that has been known."""

    days: Span
    since: date


def is_late(result: Result, after: Duration, zone: ZoneInfo) -> bool:
    """Whether a result came later after its collection than is usual."""
    if result.received_at - result.collected_at < timedelta(days=after.least_days):
        return False
    return clinic_day(result.received_at, zone) > after.after(result.collected_on)


def known_since(
    panel: str, view: View, span: Span, received: Received, late_after: Duration | None
) -> list[KnownSince]:
    """Those of these days, past and covered, on which the panel looked overdue. `received` is what
    is known besides the results that stand: when those that they superseded came."""
    if late_after is None:
        return []
    done = _completions(panel, view, span, received, late_after)

    def covered_until(last: date | None) -> date:
        anchors = view.life.anchors
        duty = next(obligations(view.protocol, panel, last, view.today, anchors), None)
        return date.max if duty is None else duty.last_day_in_grace

    return list(looked_overdue(done, span, covered_until))


def looked_overdue(
    done: Sequence[Done], span: Span, covered_until: Callable[[date | None], date]
) -> Iterator[KnownSince]:
    """The days of a stretch that are covered by these completions and were not by those that were
    known on the day itself; `covered_until` is the last day in grace after a completion (None:
    before any)."""
    if all(it.known_on <= it.on for it in done):
        return
    ends = {it.on: covered_until(it.on) for it in done}
    never = covered_until(None)
    turns = {day for it in done for day in (it.on, it.known_on, *_next(ends[it.on]))}
    inner = {day for day in (*turns, *_next(never)) if span[0] < day < span[1]}
    for first, end in pairwise(sorted({*span, *inner})):
        there = [it for it in done if it.on <= first]
        known = max((it.on for it in there if it.known_on <= first), default=None)
        if (never if known is None else ends[known]) >= first:
            continue
        for since in sorted({it.known_on for it in there if it.known_on > first}):
            latest = max(it.on for it in there if it.known_on <= since)
            if ends[latest] >= first:
                yield KnownSince((first, end), since)
                break


def _next(day: date) -> Iterator[date]:
    if day < date.max:
        yield day + ONE_DAY


def _completions(
    panel: str, view: View, span: Span, received: Received, late_after: Duration
) -> list[Done]:
    """The completions that matter to a stretch: in it, and the last one that was known before."""
    known = view.done[panel]
    found = [Done(known.declared, known.declared)] if known.declared is not None else []
    for day in reversed(known.days):
        if day >= span[1]:
            continue
        known_on = _known_on(panel, view, day, received)
        done = Done(day, known_on if known_on > late_after.after(day) else day)
        found.append(done)
        if done.known_on <= span[0] and done.on <= span[0]:
            break
    return found


def _known_on(panel: str, view: View, day: date, received: Received) -> date:
    """When everything that the panel asks for had been received."""

    def came(name: str) -> date | None:
        days = [
            clinic_day(it.received_at, view.zone)
            for it in view.results.rows(name)
            if it.collected_on == day and it.is_valid
        ]
        return min([*days, *filter(None, [received.get((name, day))])], default=None)

    asked = view.protocol.panel(panel)
    parts = [came(name) for name in asked.all_of]
    parts += [min(filter(None, map(came, group)), default=None) for group in asked.any_of]
    return max(filter(None, parts), default=day)
