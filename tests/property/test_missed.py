"""No stretch between tests is passed over in which too many were missed, whatever the schedule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise, takewhile

from hypothesis import event, given, settings
from hypothesis import strategies as st

from monitor.core.basis import Basis
from monitor.core.missed import obligations, too_long
from monitor.core.protocol import Protocol
from monitor.core.protocol_care import Missed
from monitor.core.vocabulary import Urgency
from tests.property.drawn_schedules import STARTS, schedules

Stretch = tuple[date | None, date | None]


@st.composite
def bases(draw: st.DrawFn, made: Protocol) -> Basis:
    """Tests at odd distances, often just so long apart that some were missed; a few restarts."""
    start = draw(st.sampled_from(STARTS))
    restarts = draw(st.lists(st.integers(1, 400), max_size=2))
    anchors = sorted({start, *(start + timedelta(days=days) for days in restarts)})
    edges = [it.until for it in made.phases if it.until is not None]
    spans = [row.every for phase in made.phases for row in phase.panels]
    lengths = st.sampled_from([it.least_days for it in (*edges, *spans)])
    done = {}
    for panel in made.scheduled:
        day = start + timedelta(days=draw(st.integers(-30, 30)))
        days = []
        for _ in range(draw(st.integers(0, 6))):
            days.append(day.toordinal())
            apart = draw(lengths) * draw(st.integers(1, 4)) + draw(st.integers(-3, 8))
            day += timedelta(days=max(1, apart))
        done[panel] = [*days[:1], *(after - before for before, after in pairwise(days))]
    return Basis(
        enrolled_on=start + timedelta(days=draw(st.sampled_from([0, 0, -20, 40]))),
        anchors=tuple(anchors),
        stopped_on=draw(st.none() | st.just(anchors[-1] + timedelta(days=200))),
        elsewhere=False,
        away=(),
        done=done,
    )


def stretches(made: Protocol, panel: str, basis: Basis) -> list[Stretch]:
    """All since the enrolment, however short."""
    steps = basis.done[panel]
    days = [date.fromordinal(sum(steps[: place + 1])) for place in range(len(steps))]
    both: list[Stretch] = list(zip([None, *days], [*days, None], strict=True))
    return [(after, end) for after, end in both if end is None or end > basis.enrolled_on]


def missed(
    made: Protocol, panel: str, stretch: Stretch, basis: Basis, today: date
) -> tuple[date, ...]:
    """Every due day of a stretch that was missed."""
    after, end = stretch
    until = min(day for day in (end, basis.stopped_on, today) if day is not None)
    duties = obligations(made, panel, after, until, basis.anchors)
    late = takewhile(lambda it: it.last_day_in_grace < until, duties)
    return tuple(it.due_on for it in late if it.due_on >= basis.enrolled_on)


@settings(max_examples=20 * settings().max_examples)
@given(data=st.data())
def test_every_stretch_with_too_many_missed_tests_is_found(data: st.DataObject) -> None:
    rule = Missed(more_than=data.draw(st.integers(1, 3)), urgency=Urgency.URGENT, say="", source="")
    made = replace(data.draw(schedules()), missed=rule)
    basis = data.draw(bases(made))
    last = max(
        [basis.anchors[-1], *(date.fromordinal(sum(it)) for it in basis.done.values() if it)]
    )
    today = last + timedelta(days=data.draw(st.integers(0, 400)))
    most = rule.more_than + 1
    expected = [
        (panel, end, found[:most])
        for panel in basis.done
        for after, end in stretches(made, panel, basis)
        if len(found := missed(made, panel, (after, end), basis, today)) >= most
    ]
    event(f"found: {min(len(expected), 3)}")
    assert [(it.panel, it.end, it.missed) for it, _ in too_long(made, basis, today)] == expected
