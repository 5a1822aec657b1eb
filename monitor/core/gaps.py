"""On which days a panel was covered by its tests, on which not and why, and on which another clinic
monitored: the days of one enrolment, laid end to end.

A day is covered where the panel was not past its grace, as `adherence` has it. Every day on
treatment is in exactly one interval of each panel.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from monitor.core import gap_reasons
from monitor.core.adherence import Adherence, Lapse
from monitor.core.calendar import Duration
from monitor.core.gap_reasons import Ground, Reason
from monitor.core.judges import View
from monitor.core.known_since import KnownSince, Received, known_since
from monitor.core.spans import ONE_DAY, Span, days_of, length, united, within, without


class State(StrEnum):
    """What an interval is."""

    COVERED = "covered"
    NOT_COVERED = "not_covered"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Given:
    """Something on record, and the days of an interval that it explains."""

    ground: Ground
    days: Span
    afterwards: bool
    """It was recorded later than what is usual of results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Days of a panel of which the same is to be said."""

    state: State
    days: Span
    known_since: date | None = None
    """Covered days: when that was known, where the results came late and it had looked overdue."""
    lapse: Lapse | None = None
    """Days that are not covered: what they are part of."""
    given: tuple[Given, ...] = ()
    tests: tuple[date, ...] = ()
    """Covered days: when the panel was done, from the last time on or before them."""
    declared: date | None = None
    """That of these days of which the enrolment says so and no result."""

    @property
    def unexplained(self) -> list[Span]:
        """Those of its days of which nothing is on record."""
        if self.state is not State.NOT_COVERED:
            return []
        return without(self.days, united(it.days for it in self.given))

    def ranks(self) -> dict[date, int]:
        """Of each day that is not covered the first reason that holds on it, as its rank."""
        if self.state is not State.NOT_COVERED:
            return {}
        found = dict.fromkeys(days_of([self.days]), Reason.NOTHING.rank)
        for it in self.given:
            for day in days_of([it.days]):
                found[day] = min(found[day], it.ground.reason.rank)
        return found


@dataclass(frozen=True, slots=True)
class PanelDays:
    """The intervals of one panel, ascending."""

    panel: str
    intervals: tuple[Interval, ...]

    def count(self, state: State) -> int:
        return sum(length(it.days) for it in self.intervals if it.state is state)

    @property
    def longest(self) -> Interval | None:
        """The longest of those that are not covered, the first of several."""
        gaps = [it for it in self.intervals if it.state is State.NOT_COVERED]
        return max(gaps, key=lambda it: length(it.days), default=None)


def panels(
    view: View,
    found: Adherence,
    told: Sequence[Ground],
    received: Received,
    late_after: Duration | None,
) -> list[PanelDays]:
    """The intervals of each panel that the schedule asks for. `told` is what is on record outside
    of events and samples; `received`, when superseded results came."""
    grounds = (*gap_reasons.of_events(view), *told)
    return [
        PanelDays(panel, tuple(_of_panel(panel, view, found, grounds, received, late_after)))
        for panel in sorted(found.panels)
        if found.here or found.elsewhere
    ]


def _of_panel(
    panel: str,
    view: View,
    found: Adherence,
    grounds: Sequence[Ground],
    received: Received,
    late_after: Duration | None,
) -> list[Interval]:
    lapses = [it for it in found.lapses if it.panel == panel]
    late = [
        it for span in found.here for it in known_since(panel, view, span, received, late_after)
    ]
    made = intervals(found.here, found.elsewhere, lapses, late)
    return [_told(it, panel, view, grounds, late_after) for it in made]


def intervals(
    here: Sequence[Span],
    elsewhere: Sequence[Span],
    lapses: Sequence[Lapse],
    late: Sequence[KnownSince],
) -> list[Interval]:
    """The days monitored here, and those elsewhere, end to end and ascending."""
    made = [Interval(state=State.ELSEWHERE, days=span) for span in elsewhere]
    for span in here:
        for lapse in lapses:
            made += (
                Interval(state=State.NOT_COVERED, days=days, lapse=lapse)
                for days in within(span, [lapse.days])
            )
        for covered in without(span, (it.days for it in lapses)):
            made += _covered(covered, late)
    return sorted(made, key=lambda it: it.days)


def _covered(span: Span, late: Sequence[KnownSince]) -> list[Interval]:
    since: dict[date, list[Span]] = {}
    for it in late:
        since.setdefault(it.since, []).extend(within(span, [it.days]))
    found = [
        Interval(state=State.COVERED, days=days, known_since=day)
        for day, spans in since.items()
        for days in united(spans)
    ]
    at_once = without(span, [it.days for it in found])
    return [*found, *(Interval(state=State.COVERED, days=days) for days in at_once)]


def _told(
    interval: Interval,
    panel: str,
    view: View,
    grounds: Sequence[Ground],
    late_after: Duration | None,
) -> Interval:
    """The same with its reasons, or with its tests."""
    if interval.state is State.ELSEWHERE:
        given = [
            Given(it, days, _afterwards(it, late_after))
            for it in gap_reasons.attested(view, interval.days)
            for days in within(interval.days, [(it.first, it.end or interval.days[1])])
        ]
    elif interval.lapse is not None:
        lapse = interval.lapse
        given = [
            Given(it, days, _afterwards(it, late_after))
            for it in (*grounds, *gap_reasons.of_samples(view, lapse))
            for days in within(interval.days, it.explains(lapse))
        ]
    else:
        return _tested(interval, panel, view)
    given.sort(key=lambda it: (it.days, it.ground.reason.rank, it.ground.record, it.ground.said))
    return replace(interval, given=tuple(given))


def _afterwards(ground: Ground, late_after: Duration | None) -> bool:
    return late_after is not None and ground.recorded_on > late_after.after(ground.first)


def _tested(interval: Interval, panel: str, view: View) -> Interval:
    known, (first, end) = view.done[panel], interval.days
    done = sorted({*known.days, *([known.declared] if known.declared is not None else [])})
    begin = max(bisect_right(done, first) - 1, 0)
    tests = tuple(it for it in done[begin:] if it < end)
    is_declared = known.declared in tests and known.declared not in known.days
    return replace(interval, tests=tests, declared=known.declared if is_declared else None)


def document(found: PanelDays, view: View) -> Mapping[str, object]:
    """A panel as it is sealed: whole days and texts, nothing that another day would change."""
    longest = found.longest
    return {
        "panel": found.panel,
        "test": view.protocol.panel(found.panel).title,
        **{state.value: found.count(state) for state in State},
        "longest_gap_days": length(longest.days) if longest else 0,
        "intervals": [_interval(it) for it in found.intervals],
    }


def _interval(it: Interval) -> dict[str, object]:
    row: dict[str, object] = {"state": it.state.value, **_days(it.days)}
    if it.state is State.COVERED:
        row["tests"] = [day.isoformat() for day in it.tests]
    if it.declared is not None:
        row["declared_on"] = it.declared.isoformat()
    if it.known_since is not None:
        row["known_only_since"] = it.known_since.isoformat()
    if it.lapse is not None:
        row["due_on"] = it.lapse.due_on.isoformat()
        row["last_done_on"] = it.lapse.last_done.isoformat() if it.lapse.last_done else None
        row["done_on"] = it.lapse.done_on.isoformat() if it.lapse.done_on else None
        row["overdue_since"] = it.lapse.days[0].isoformat()
        row["nothing_on_record_days"] = sum(map(length, it.unexplained))
    if it.state is not State.COVERED:
        row["reasons"] = [
            {
                "reason": given.ground.reason.value,
                **_days(given.days),
                "since": given.ground.first.isoformat(),
                "said": given.ground.said,
                "record": given.ground.record,
                "recorded_on": given.ground.recorded_on.isoformat(),
                "afterwards": given.afterwards,
            }
            for given in it.given
        ]
    return row


def _days(span: Span) -> dict[str, object]:
    last = span[1] - ONE_DAY
    return {"from": span[0].isoformat(), "to": last.isoformat(), "days": length(span)}
