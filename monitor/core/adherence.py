"""What became of every test that the schedule asked for: done in time, in its grace, late, or
missed; and on which days all tests were in date.

A stretch between two completions of a panel may hold several due days, each reckoned as if the
one before had been done on its day. The completion that ends the stretch answers the last of
them that had come (the first, where none had); those before it are missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from monitor.core.due import Obligation
from monitor.core.judges import View
from monitor.core.missed import obligations
from monitor.core.spans import ONE_DAY, Span, days_of, united, within, without

_Gap = tuple[date | None, date | None]
"""The completions between which it lies."""


class Became(StrEnum):
    """What became of one due test."""

    IN_TIME = "in_time"
    IN_GRACE = "in_grace"
    LATE = "late"
    MISSED = "missed"
    """Its grace is over, and it was not done before the next one came due, or not yet."""
    WAITING = "waiting"
    """Its grace still runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTest:
    """One test that the schedule asked for; `delay_days` is from the due day to when it was
    done, 0 where that was earlier, and None where it was not done."""

    panel: str
    phase: str
    due_on: date
    grace_until: date
    became: Became
    done_on: date | None = None

    @property
    def delay_days(self) -> int | None:
        return None if self.done_on is None else max((self.done_on - self.due_on).days, 0)


class Lapse(NamedTuple):
    """The days on which a panel was past its grace: from the first of them to the one on which it
    was done, or on which nobody had to ask any longer."""

    panel: str
    due_on: date
    """Of the first test that was not done in its grace."""
    last_done: date | None
    """The completion before it."""
    days: Span
    done_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Adherence:
    """One enrolment over some days: `watched` are those on treatment and monitored here,
    `uncovered` those of them on which a test was past its grace."""

    panels: tuple[str, ...]
    """Those that the schedule asks for."""
    tests: tuple[DueTest, ...]
    watched: frozenset[date]
    uncovered: frozenset[date]
    here: tuple[Span, ...]
    """The stretches of `watched`."""
    elsewhere: tuple[Span, ...]
    """The stretches on treatment in which another clinic monitored."""
    lapses: tuple[Lapse, ...]
    """What is uncovered, panel by panel; one may have begun before the days asked for."""

    @property
    def days(self) -> int:
        return len(self.watched)

    @property
    def covered(self) -> int:
        return len(self.watched - self.uncovered)


def adherence(view: View, first: date, last: date) -> Adherence:
    """The tests that came due from `first` to `last`, as known on the day of the view, and how
    many days were covered. What came due before the enrolment does not count, nor what another
    clinic had taken over."""
    life, enrolment = view.life, view.case.enrolment
    end = min(day for day in (life.stopped_on, last + ONE_DAY, view.today + ONE_DAY) if day)
    begin = max(first, enrolment.enrolled_on, min(life.first_dose_on, life.anchors[0]))
    asked = (begin, max(begin, end))
    here = without(asked, view.basis.away)
    mine = frozenset(days_of(here))
    tests: list[DueTest] = []
    lapses: list[Lapse] = []
    for panel in view.protocol.scheduled:
        stretches = [(_of_gap(panel, gap, view), gap) for gap in _gaps(panel, view)]
        lapses += (it for found, gap in stretches for it in _lapse(found, gap, end))
        for found in _without_extra([found for found, _ in stretches]):
            tests += [it for it in found if it.due_on in mine]
    late = days_of(it for lapse in lapses for it in within(asked, [lapse.days]))
    return Adherence(
        panels=tuple(view.protocol.scheduled),
        tests=tuple(tests),
        watched=mine,
        uncovered=mine.intersection(late),
        here=tuple(here),
        elsewhere=tuple(united(within(asked, view.basis.away))),
        lapses=tuple(lapses),
    )


def _gaps(panel: str, view: View) -> Iterator[_Gap]:
    """The stretches between completions, the last of them open."""
    known = view.done[panel]
    days = sorted({*known.days, *([known.declared] if known.declared is not None else [])})
    yield from zip([None, *days], [*days, None], strict=True)


def _of_gap(panel: str, gap: _Gap, view: View) -> list[DueTest]:
    after, done = gap
    until = min(day for day in (done, view.life.stopped_on, view.today) if day is not None)
    duties = list(obligations(view.protocol, panel, after, until, view.life.anchors))
    come = [it for it in duties if it.due_on <= until] or duties[:1]
    if not come:
        return []
    *overtaken, last = come
    tests = [_test(panel, it, Became.MISSED, None) for it in overtaken]
    tests.append(_test(panel, last, _became(last, done, until), done))
    return tests


def _without_extra(stretches: list[list[DueTest]]) -> Iterator[list[DueTest]]:
    """A completion that left the due day where it was (one before the start, one just before
    the end of a phase) answered nothing: its test is that of the next stretch."""
    following = [*stretches[1:], []]
    for found, after in zip(stretches, following, strict=True):
        if found and after and after[0].due_on <= found[-1].due_on:
            yield found[:-1]
        else:
            yield found


def _test(panel: str, duty: Obligation, became: Became, done_on: date | None) -> DueTest:
    return DueTest(
        panel=panel,
        phase=duty.phase.name,
        due_on=duty.due_on,
        grace_until=duty.last_day_in_grace,
        became=became,
        done_on=done_on,
    )


def _became(duty: Obligation, done_on: date | None, until: date) -> Became:
    if done_on is None:
        return Became.MISSED if duty.last_day_in_grace < until else Became.WAITING
    if done_on <= duty.due_on:
        return Became.IN_TIME
    return Became.IN_GRACE if done_on <= duty.last_day_in_grace else Became.LATE


def _lapse(tests: list[DueTest], gap: _Gap, end: date) -> Iterator[Lapse]:
    """From the end of the first grace of a stretch until it was done, or `end`."""
    if tests:
        after, done = gap
        days = (tests[0].grace_until + ONE_DAY, done or end)
        if days[0] < days[1]:
            yield Lapse(tests[0].panel, tests[0].due_on, after, days, done)
