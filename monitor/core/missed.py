"""Too many scheduled tests missed in a row: the review that going on is unsafe.

A test is missed when its grace has run out without a completion; the next one is then reckoned
as if it had been done on its due day. Only tests that came due since the enrolment count, and not
while another clinic monitored: of what was missed then nobody here knows why.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from monitor.core import due
from monitor.core.answer import Considered, Finding
from monitor.core.calendar import start_of_day
from monitor.core.findings import day_text, protocol_says
from monitor.core.life import is_within, spells_elsewhere
from monitor.core.protocol import Panel
from monitor.core.protocol_care import Missed
from monitor.core.vocabulary import EnrolmentState, Kind

if TYPE_CHECKING:
    from monitor.core.judges import View


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gap:
    """A stretch without a completion; `end` is the completion that ended it."""

    after: date
    end: date | None
    missed: tuple[date, ...]


def findings(view: View) -> Iterator[Finding]:
    """One finding a panel and a stretch in which too many tests were missed."""
    rule = view.protocol.missed
    if rule is None:
        return
    for panel in scheduled_panels(view):
        for after, end in _long_enough(panel, rule.more_than + 1, view):
            gap = _gap(panel, after, end, rule.more_than + 1, view)
            if len(gap.missed) > rule.more_than:
                yield _finding(panel, gap, rule, view)


def wakes(view: View) -> Iterator[date]:
    """The day on which one more test has been missed."""
    if view.protocol.missed is None:
        return
    for panel in scheduled_panels(view):
        yield from _next_miss(panel, view)


def considered(view: View) -> Iterator[Considered]:
    """How many tests of each panel are missed now, where they are not too many."""
    rule = view.protocol.missed
    if rule is None:
        return
    for panel in scheduled_panels(view):
        after, end = _stretches(panel, view)[-1]
        count = len(_gap(panel, after, end, rule.more_than + 1, view).missed)
        if count <= rule.more_than:
            why = f"{count} missed in a row; it speaks at more than {rule.more_than}"
            yield Considered(room="missed tests", subject=panel.id, why=(why,), source=rule.source)


def scheduled_panels(view: View) -> list[Panel]:
    """The panels that a phase asks for; what is due on demand alone is missed otherwise."""
    phases, panels = view.protocol.phases, view.protocol.panels
    return view.once(
        "scheduled panels",
        lambda: [it for it in panels if any(phase.schedule(it.id) for phase in phases)],
    )


def _finding(panel: Panel, gap: _Gap, rule: Missed, view: View) -> Finding:
    life = view.life
    over = gap.end is not None or life.state in (EnrolmentState.STOPPED, EnrolmentState.ELSEWHERE)
    first = gap.missed[0]
    how_many = len(gap.missed)
    until = f"; done on {day_text(gap.end)}" if gap.end is not None else ""
    return Finding(
        enrolment_id=view.case.enrolment.id,
        cause=f"missed:{panel.id}",
        kind=Kind.REVIEW,
        urgency=rule.urgency,
        summary=f"{panel.title}: more than {rule.more_than} tests missed in a row, the first due "
        f"{day_text(first)}{until}",
        source=rule.source,
        recovered=over,
        breaches=(start_of_day(first, view.zone),),
        action=protocol_says(rule.say),
        arithmetic=(
            f"{how_many} or more missed: due " + ", ".join(day_text(day) for day in gap.missed),
        ),
    )


def _stretches(panel: Panel, view: View) -> list[tuple[date | None, date | None]]:
    """What lies between completions since the enrolment, the present stretch last."""
    known = view.done[panel.id]
    days = [*known.days, *([known.declared] if known.declared is not None else [])]
    done = sorted(set(days))
    enrolled_on = view.case.enrolment.enrolled_on
    ends: list[date | None] = [*done, None]
    starts: list[date | None] = [None, *done]
    return [
        (after, end)
        for after, end in zip(starts, ends, strict=True)
        if end is None or end > enrolled_on
    ]


def _until(end: date | None, view: View) -> date:
    """The day up to which a stretch can have missed tests."""
    return min(day for day in (end, view.life.stopped_on, view.today) if day is not None)


def _long_enough(panel: Panel, most: int, view: View) -> list[tuple[date | None, date | None]]:
    """The stretches in which so many tests may have come due. Most are shorter: those between
    weekly tests, and those in the last phase, after whatever restarted the schedule."""
    *before, last = view.protocol.phases
    schedule = last.schedule(panel.id)
    known = [
        it.every.least_days for phase in view.protocol.phases if (it := phase.schedule(panel.id))
    ]
    shortest = at_last = timedelta(days=most * (min(known) // 2 + 1))
    settled = date.max
    if schedule is not None and last.until is None:
        anchor, ends = max(view.life.anchors), before[-1].until if before else None
        settled = anchor if ends is None else ends.after(anchor)
        at_last = max(shortest, timedelta(days=most * schedule.every.least_days))
    return [
        (after, end)
        for after, end in _stretches(panel, view)
        if after is None or (end or view.today) - after > (shortest if after < settled else at_last)
    ]


def _gap(panel: Panel, after: date | None, end: date | None, most: int, view: View) -> _Gap:
    """A stretch with at most so many of its missed tests."""
    missed = tuple(_missed(panel, after, _until(end, view), most, view))
    return _Gap(after=after or view.life.anchors[0], end=end, missed=missed)


def _missed(panel: Panel, after: date | None, until: date, most: int, view: View) -> Iterator[date]:
    """The due days of a stretch whose grace ran out in it, at most so many."""
    enrolled_on = view.case.enrolment.enrolled_on
    away = view.once("spells elsewhere", lambda: spells_elsewhere(view.case.events, view.today))
    count = 0
    for duty in obligations(panel, after, until, view):
        if duty.last_day_in_grace >= until:
            return
        if duty.due_on >= enrolled_on and not is_within(duty.due_on, away):
            yield duty.due_on
            count += 1
        if count >= most:
            return


def obligations(
    panel: Panel, after: date | None, until: date, view: View
) -> Iterator[due.Obligation]:
    """What the schedule asks for after a completion, each as if the one before had been done on
    its day; the last one may be due later than `until`."""
    anchors = [anchor for anchor in view.life.anchors if anchor <= until] or view.life.anchors[:1]
    last = after
    while last is None or last <= until:
        duty = due.scheduled(view.protocol, panel.id, last, anchors, until)
        if duty is None or (last is not None and duty.due_on <= last):
            return
        yield duty
        last = duty.due_on


def _next_miss(panel: Panel, view: View) -> Iterator[date]:
    if view.life.stopped_on is not None:
        return
    last = view.done[panel.id].last
    for duty in obligations(panel, last, view.today, view):
        if duty.last_day_in_grace >= view.today:
            yield date.fromordinal(duty.last_day_in_grace.toordinal() + 1)
            return
