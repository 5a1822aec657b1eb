"""The tests that a drug beside the monitored one asks for, and by which days they are owed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from monitor.core.answer import Taking
from monitor.core.case import in_turn
from monitor.core.findings import day_text
from monitor.core.intended import about, entries, over_on, together_from
from monitor.core.protocol_interactions import COMEDICATION, ExtraTest, Interaction
from monitor.core.vocabulary import EnrolmentState

if TYPE_CHECKING:
    from monitor.core.judges import View

ON_LIST = "on the list"


def extra_tests(view: View) -> Iterator[tuple[Interaction, Taking, ExtraTest]]:
    for it in entries(view):
        if it.event == COMEDICATION and it.tests:
            for taking in about(it, view):
                for test in it.tests:
                    yield it, taking, test


def due_days(
    it: Interaction, taking: Taking, test: ExtraTest, view: View
) -> Iterator[tuple[date, str]]:
    """Each day by which the panel is owed because of this drug, with the reason."""
    last = view.done[test.panel].last
    if test.every is not None:
        yield from _at_intervals(test, taking, last, view)
    enrolled_on, stop = view.case.enrolment.enrolled_on, taking.stop
    is_on = stop is None or stop > view.today
    for day, what in triggers(test, taking, view):
        assert test.within is not None
        due_on = test.within.after(day)
        if is_on and due_on >= enrolled_on and (last is None or last <= day):
            yield due_on, f"{taking.drug} {ON_LIST}: {what} on {day_text(day)}"
    if test.after_stop is not None and stop is not None and view.life.stopped_on is None:
        due_on = test.after_stop.after(stop)
        if due_on >= enrolled_on and (last is None or last < stop):
            yield due_on, f"{taking.drug} stopped on {day_text(stop)}"


def _at_intervals(
    test: ExtraTest, taking: Taking, last: date | None, view: View
) -> Iterator[tuple[date, str]]:
    """Due again so long after the latest completion, from the day both are taken until the time
    is over or one of them is stopped; what came due before that stays owed."""
    begun = together_from(taking, view.life)
    if begun > view.today or test.every is None:
        return
    due_on = test.every.after(begun if last is None else max(begun, last))
    ends = [over_on(taking, view.life)]
    ends.append(None if test.lasting is None else test.lasting.after(begun))
    end = min((day for day in ends if day is not None), default=None)
    if end is None or due_on <= end:
        lasting = f" for {test.lasting}" if test.lasting is not None else ""
        yield due_on, f"{taking.drug} {ON_LIST}: every {test.every}{lasting}"


def triggers(test: ExtraTest, taking: Taking, view: View) -> Iterator[tuple[date, str]]:
    """What happened to the monitored drug while the other was on the list."""
    if not test.after:
        return
    drug, stop = view.case.enrolment.drug, taking.stop
    begun = together_from(taking, view.life)
    for what, day in _happenings(view, begun):
        on_list = taking.start <= day and (stop is None or day < stop)
        if what in test.after and on_list and begun <= day <= view.today:
            yield day, f"{_WORDS[what]} {drug}" if what != "dose" else f"dose change of {drug}"


_WORDS = {
    "start": "both taken, beside",
    "hold": "hold of",
    "resume": "resumption of",
    "stop": "stop of",
}


def _happenings(view: View, begun: date) -> Iterator[tuple[str, date]]:
    life = view.life
    if life.state is not EnrolmentState.PLANNED:
        yield "start", begun
    for before, dose in zip(life.doses, life.doses[1:], strict=False):
        if dose.mg_per_day != before.mg_per_day:
            yield "dose", dose.on
    held = False
    for event in in_turn(view.case.events):
        if event.event == "hold" and event.on <= view.today:
            held = True
            yield "hold", event.on
        elif event.event == "resume" and event.on <= view.today and held:
            held = False
            yield "resume", event.on
    if life.stopped_on is not None and not life.ended_for_good:
        yield "stop", life.stopped_on
