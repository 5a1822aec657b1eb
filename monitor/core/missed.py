"""Too many scheduled tests missed in a row: the review that going on is unsafe.

A test is missed when its grace has run out without a completion; the next one is then reckoned
as if it had been done on its due day. Only tests that came due since the enrolment count, and not
while another clinic monitored: of what was missed then nobody here knows why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from monitor.core import due
from monitor.core.answer import Considered, Finding
from monitor.core.basis import Basis
from monitor.core.calendar import start_of_day
from monitor.core.findings import day_text, protocol_says
from monitor.core.life import is_within
from monitor.core.protocol import Course, Protocol
from monitor.core.protocol_care import Missed
from monitor.core.vocabulary import EnrolmentState, Kind

if TYPE_CHECKING:
    from monitor.core.judges import View

MISSED = "missed:"
"""What a cause begins with, before the panel."""
_ONE_DAY = timedelta(days=1)
_REMEMBERED = 16384
_END = date.max.toordinal()
_Stretch = tuple[date | None, date | None]
"""What lies between two completions since the enrolment; None: before the first, after the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch without a completion of a panel; `end` is the completion that ended it."""

    panel: str
    end: date | None
    missed: tuple[date, ...]
    """The due days of its first missed tests, as many as it takes to speak."""


def findings(view: View) -> Iterator[Finding]:
    """One finding a panel and a stretch in which too many tests were missed."""
    for gap, rule in too_long(view.protocol, view.basis, view.today):
        yield _finding(gap, rule, view)


def wakes(view: View) -> Iterator[date]:
    """The day on which one more test has been missed."""
    basis = view.basis
    for panel in basis.done:
        yield from next_miss(view.protocol, panel, basis, view.today)


def considered(view: View) -> Iterator[Considered]:
    """How many tests of each panel are missed now, where they are not too many."""
    rule = view.protocol.missed
    if rule is None:
        return
    for panel in view.basis.done:
        now, most = (view.basis.last_done(panel), None), rule.more_than + 1
        count = len(_missed(view.protocol, panel, now, view.basis, view.today, most))
        if count <= rule.more_than:
            why = f"{count} missed in a row; it speaks at more than {rule.more_than}"
            yield Considered(room="missed tests", subject=panel, why=(why,), source=rule.source)


def too_long(protocol: Protocol, basis: Basis, today: date) -> Iterator[tuple[Gap, Missed]]:
    """The stretches since the enrolment in which too many tests were missed, and what is said of
    them."""
    rule = protocol.missed
    if rule is None:
        return
    most = rule.more_than + 1
    for panel in basis.done:
        for stretch in _long_enough(protocol, panel, basis, today, most):
            missed = _missed(protocol, panel, stretch, basis, today, most)
            if len(missed) == most:
                yield Gap(panel=panel, end=stretch[1], missed=missed), rule


def next_miss(protocol: Protocol, panel: str, basis: Basis, today: date) -> Iterator[date]:
    """The day on which one more test of a panel has been missed."""
    if protocol.missed is None or basis.stopped_on is not None:
        return
    for duty in obligations(protocol, panel, basis.last_done(panel), today, basis.anchors):
        if duty.last_day_in_grace >= today:
            yield duty.last_day_in_grace + _ONE_DAY
            return


def _finding(gap: Gap, rule: Missed, view: View) -> Finding:
    life, title = view.life, view.protocol.panel(gap.panel).title
    over = gap.end is not None or life.state in (EnrolmentState.STOPPED, EnrolmentState.ELSEWHERE)
    first = gap.missed[0]
    how_many = len(gap.missed)
    until = f"; done on {day_text(gap.end)}" if gap.end is not None else ""
    return Finding(
        enrolment_id=view.case.enrolment.id,
        cause=f"{MISSED}{gap.panel}",
        kind=Kind.REVIEW,
        urgency=rule.urgency,
        summary=f"{title}: more than {rule.more_than} tests missed in a row, the first due "
        f"{day_text(first)}{until}",
        source=rule.source,
        recovered=over,
        breaches=(start_of_day(first, view.zone),),
        action=protocol_says(rule.say),
        arithmetic=(
            f"{how_many} or more missed: due " + ", ".join(day_text(day) for day in gap.missed),
        ),
    )


def _long_enough(
    protocol: Protocol, panel: str, basis: Basis, today: date, tests: int
) -> Sequence[_Stretch]:
    """The stretches in which so many tests may have come due. Most are shorter."""
    steps = basis.done[panel]
    if not steps:
        return ((None, None),)
    found: list[_Stretch] = []
    spacing = _spacing(protocol.scheduled[panel], basis.anchors[0], basis.anchors[-1])
    early, late, settled = tests * spacing.early, tests * spacing.late, spacing.settled
    done, later = steps[0], steps[1:]
    if done > basis.enrolled_on.toordinal():
        found.append((None, date.fromordinal(done)))
    until = settled if max(later, default=0) <= late else _END
    for days in later:
        if done >= until:  # none that follows is long enough, and they are many
            break
        if days > early and spacing.fits(tests, done, done + days):
            found.append((date.fromordinal(done), date.fromordinal(done + days)))
        done += days
    last, now = sum(steps), today.toordinal()
    if now - last > (early if last < settled else late) and spacing.fits(tests, last, now):
        found.append((date.fromordinal(last), None))
    return found


class _Spacing(NamedTuple):
    """How close due days of a panel can follow a completion and each other. Days as ordinals."""

    early: int
    """Days at least, before the last phase: half an interval, for a phase owes its last test."""
    late: int
    """Days at least, where the later one is due in the last phase."""
    begin: int
    """The first anchor: what was done before it is counted from there."""
    settled: int
    """The first day of the last phase, after whatever restarted the schedule."""

    def fits(self, tests: int, after: int, end: int) -> bool:
        """Whether so many can be due between a completion and the day that ends the stretch."""
        begin = max(self.begin, after)
        days = end - begin
        if begin >= self.settled:
            return days > tests * self.late
        before = min(tests, (self.settled - begin) // self.early)
        return days > before * self.early + (tests - before) * self.late


@lru_cache(_REMEMBERED)
def _spacing(course: Course, first: date, last: date) -> _Spacing:
    """Of a schedule that is counted from these anchors: of many enrolments the same."""
    settled = course.settled
    since = date.max if settled is None else settled.begins.after(last)
    return _Spacing(course.early, course.late, first.toordinal(), since.toordinal())


def _missed(
    protocol: Protocol, panel: str, stretch: _Stretch, basis: Basis, today: date, most: int
) -> tuple[date, ...]:
    """The due days of a stretch whose grace ran out in it, at most so many."""
    after, end = stretch
    until = min(day for day in (end, basis.stopped_on, today) if day is not None)
    found: list[date] = []
    for duty in obligations(protocol, panel, after, until, basis.anchors):
        if duty.last_day_in_grace >= until or len(found) == most:
            break
        if duty.due_on >= basis.enrolled_on and not is_within(duty.due_on, basis.away):
            found.append(duty.due_on)
    return tuple(found)


def obligations(
    protocol: Protocol, panel: str, after: date | None, until: date, anchors: Sequence[date]
) -> Iterator[due.Obligation]:
    """What the schedule asks for after a completion, each as if the one before had been done on
    its day; the last one may be due later than `until`."""
    known = [anchor for anchor in anchors if anchor <= until] or anchors[:1]
    last = after
    while last is None or last <= until:
        duty = due.scheduled(protocol, panel, last, known, until)
        if duty is None or (last is not None and duty.due_on <= last):
            return
        yield duty
        last = duty.due_on
