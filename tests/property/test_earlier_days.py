"""What is seen of earlier days with what was reckoned of all results is what is seen of each day by
itself; and it lasts as long as it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.case import Case
from monitor.core.judges import View
from monitor.core.ordered import Ordered
from monitor.core.protocol import Protocol
from monitor.core.review import lateness_changes_on, panels_of
from monitor.core.vocabulary import LATE
from tests.property.days_to_look import DEEP
from tests.property.shipped import NAMES, catalogue, protocol
from tests.property.strategies import History, histories

_LOOKS = 400 if DEEP else 30
_TAIL = 120


def days_of(history: History) -> Iterator[date]:
    """From before the start until long after the last news, ascending."""
    first = history.case.enrolment.started_on - timedelta(days=30)
    span = (history.last_day - first).days + _TAIL
    for day in range(0, span, max(1, span // _LOOKS)):
        yield first + timedelta(days=day)


def up_to(case: Case, day: date) -> Case:
    """What of it had happened by the end of a day."""
    results = case.results
    return replace(
        case,
        results=results.up_to(day)
        if isinstance(results, Ordered)
        else tuple(it for it in results if it.collected_on <= day),
        events=tuple(it for it in case.events if it.on <= day),
    )


def look(case: Case, made: Protocol, history: History, day: date) -> View:
    return panels_of(case, {made.id: made}, catalogue(), history.noon(day), history.zone)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=25)
def test_earlier_days_are_seen_as_by_themselves(name: str, data: st.DataObject) -> None:
    made = protocol(name)
    history = data.draw(histories(made))
    case = replace(history.case, siblings=(), personal=())
    *_, last = days_of(history)
    whole = replace(case, results=look(case, made, history, last).results)
    before: tuple[View, date | None, Case] | None = None
    for day in days_of(history):
        shared, alone = up_to(whole, day), look(up_to(case, day), made, history, day)
        view = look(shared, made, history, day)
        assert list(view.results) == list(alone.results)
        assert (view.life, view.panels, view.done) == (alone.life, alone.panels, alone.done)
        assert dict(view.series) == dict(alone.series)
        if before is not None and is_same(before[2], shared) and lasts(before[1], day):
            assert standing(before[0]) == standing(view)
        else:
            before = view, lateness_changes_on(view), shared


def is_same(before: Case, now: Case) -> bool:
    sizes = [(len(list(it.results)), len(it.events)) for it in (before, now)]
    return sizes[0] == sizes[1]


def lasts(changes_on: date | None, day: date) -> bool:
    return changes_on is None or day < changes_on


def standing(view: View) -> object:
    return view.life.state, [(it.panel, it.state in LATE) for it in view.panels]
