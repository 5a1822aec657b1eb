"""The product's core against the slow, obvious oracle, on random patients."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core import due
from monitor.core.protocol import Protocol
from monitor.core.review import review
from tests.property.comparing import differences
from tests.property.drawn_schedules import courses, schedules
from tests.property.oracle import answer, due_day
from tests.property.shipped import NAMES, catalogue, protocol
from tests.property.strategies import DAYS_TO_THE_LAST_NEWS, histories


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=2 * settings().max_examples)
@given(data=st.data())
def test_core_and_oracle_agree_on_every_patient(name: str, data: st.DataObject) -> None:
    rules = protocol(name)
    history = data.draw(histories(rules))
    early = data.draw(st.sampled_from(DAYS_TO_THE_LAST_NEWS) | st.integers(0, 250))
    now = history.noon(history.last_day - timedelta(days=early))
    known = history.known(now)
    [found] = review([known], {rules.id: rules}, catalogue(), now, history.zone)
    said = answer(known, rules, catalogue(), now, history.zone)
    lines = differences(found, said, history.zone)
    assert not lines, f"now {now} in {history.zone}\n" + "\n".join(lines)


@settings(max_examples=10 * settings().max_examples)
@given(data=st.data(), made=schedules())
def test_core_and_oracle_agree_on_the_due_day_of_any_schedule(
    data: st.DataObject, made: Protocol
) -> None:
    """Phases, intervals and restarts of every odd length, month ends and a leap day."""
    last, anchors = data.draw(courses(made))
    today = max([day for day in (last, anchors[-1]) if day is not None])
    for panel in made.panels:
        found = due.scheduled(made, panel.id, last, anchors, today)
        day, entries, phases = due_day(made, panel.id, last, anchors)
        assert (found.due_on if found else None) == day
        if found is not None:
            assert found.schedule.grace in [entry.grace for entry in entries]
            assert found.phase.name in phases
