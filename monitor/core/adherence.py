"""What became of every test that the schedule asked for: done in time, in its grace, late, or
missed; and on which days all tests were in date.

A stretch between two completions of a panel may hold several due days, each reckoned as if the
one before had been done on its day. The completion that ends the stretch answers the last of
them that had come (the first, where none had); those before it are missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from monitor.core.due import Obligation
from monitor.core.judges import View
from monitor.core.life import is_within
from monitor.core.missed import obligations

_ONE_DAY = timedelta(days=1)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Adherence:
    """One enrolment over some days: `watched` are those on treatment and monitored here,
    `uncovered` those of them on which a test was past its grace."""

    tests: tuple[DueTest, ...]
    watched: frozenset[date]
    uncovered: frozenset[date]

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
    end = min(day for day in (life.stopped_on, last + _ONE_DAY, view.today + _ONE_DAY) if day)
    begin = max(first, enrolment.enrolled_on, min(life.first_dose_on, life.anchors[0]))
    away = view.basis.away
    mine = {
        begin + timedelta(days=number)
        for number in range(max((end - begin).days, 0))
        if not is_within(begin + timedelta(days=number), away)
    }
    tests: list[DueTest] = []
    late: set[date] = set()
    for panel in view.protocol.scheduled:
        stretches = [(_of_gap(panel, gap, view), gap[1] or end) for gap in _gaps(panel, view)]
        for found, done in stretches:
            late |= _uncovered(found, done)
        for found in _without_extra([found for found, _ in stretches]):
            tests += [it for it in found if it.due_on in mine]
    return Adherence(tests=tuple(tests), watched=frozenset(mine), uncovered=frozenset(mine & late))


def _gaps(panel: str, view: View) -> Iterator[tuple[date | None, date | None]]:
    """The stretches between completions, the last of them open."""
    known = view.done[panel]
    days = sorted({*known.days, *([known.declared] if known.declared is not None else [])})
    yield from zip([None, *days], [*days, None], strict=True)


def _of_gap(panel: str, gap: tuple[date | None, date | None], view: View) -> list[DueTest]:
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


def _uncovered(tests: list[DueTest], end: date) -> set[date]:
    """The days from the end of the first grace of a stretch until it was done, or `end`."""
    if not tests:
        return set()
    first = tests[0].grace_until + _ONE_DAY
    return {first + timedelta(days=number) for number in range(max((end - first).days, 0))}
