"""What is kept for an edit of the schedule answers one as judging everybody anew would."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from monitor.core import judges
from monitor.core.alerts import content_of
from monitor.core.answer import Review
from monitor.core.calendar import clinic_day, earliest, parse_duration, start_of_day
from monitor.core.case import Case
from monitor.core.enrolment_status import status_of
from monitor.core.kept import KeptSchedule, edit_between, kept_schedule, kept_status
from monitor.core.kept_text import (
    Counted,
    as_text,
    from_text,
    memory_from,
    of_results,
    schedule_from,
    with_schedule,
)
from monitor.core.protocol import PanelSchedule, Phase, Protocol
from monitor.core.protocol_care import Missed
from monitor.core.review import review_one, view_of
from monitor.core.vocabulary import Urgency
from tests.property.shipped import NAMES, catalogue, protocol
from tests.property.strategies import histories
from tests.property.test_kept import before_it_changes, edited, reviewed

SPANS = tuple(
    parse_duration(text)
    for text in ("1 day", "3 days", "8 days", "2 weeks", "5 weeks", "2 months", "4 months")
)
FEW = Missed(more_than=1, urgency=Urgency.URGENT, say="too many", source="made up")
WORDS = {"urgency": Urgency.URGENT, "ask": "otherwise"}
LENGTHS = ("every", "grace", "repeat", "escalate_after", "lead")


@st.composite
def rescheduled(draw: st.DrawFn, made: Protocol) -> Protocol:
    """The protocol with a few lengths of its phases otherwise, or what it says of missed tests."""

    def row(it: PanelSchedule) -> PanelSchedule:
        names = draw(st.lists(st.sampled_from((*LENGTHS, *LENGTHS, *WORDS)), max_size=2))
        otherwise: dict[str, Any] = {name: draw(st.sampled_from(SPANS)) for name in names}
        return replace(it, **otherwise | {name: WORDS[name] for name in names if name in WORDS})

    def phase(it: Phase) -> Phase:
        until = it.until
        if until is not None and draw(st.integers(0, 5)) == 0:
            until = draw(st.sampled_from(SPANS))
        return replace(it, until=until, panels=tuple(map(row, it.panels)))

    phases = tuple(map(phase, made.phases))
    missed = made.missed
    if draw(st.integers(0, 5)) == 0:
        missed = draw(st.sampled_from((None, FEW)))
    return replace(made, phases=phases, missed=missed, digest="edited", version="2")


@st.composite
def stories(draw: st.DrawFn, made: Protocol) -> tuple[Any, datetime, Case, Review]:
    """A history, and its review at an instant with what is known then."""
    history = draw(histories(made))
    return history, *draw(reviewed(made, history))


def written(found: Review, kept: KeptSchedule) -> tuple[str, KeptSchedule]:
    """What is kept, as it comes back from the database; the other lines are as without it."""
    assert found.reaches is not None and found.memory is not None
    alone = as_text(found.reaches, found.memory, Counted(7, 9))
    text = with_schedule(alone, kept)
    assert of_results(text) == alone
    assert memory_from(text) == (found.memory, Counted(7, 9))
    again = schedule_from(text)
    assert schedule_from(alone) is None and again == kept
    return text, again


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=6 * settings().max_examples)
@given(data=st.data())
def test_whom_a_new_schedule_leaves_alone_is_answered_as_if_judged_by_it(
    name: str, data: st.DataObject
) -> None:
    made = protocol(name)
    history, now, known, before = data.draw(stories(made))
    kept = kept_schedule(before, None)
    if kept is None:
        event("nothing is kept")
        return
    text, kept = written(before, kept)
    changed = data.draw(rescheduled(made))
    if data.draw(st.booleans()):
        changed = data.draw(edited(changed))
    edit = edit_between(made, changed)
    if edit is None or edit.schedules is None:
        return
    if not edit.leaves_alone(from_text(text, edit.analytes), known.enrolment.indication):
        return
    later = data.draw(before_it_changes(now, before))
    today = clinic_day(later, history.zone)
    found = edit.rescheduled(kept, today)
    after = review_one(known, {made.id: changed}, catalogue(), later, history.zone)
    if found is None:
        event("alerts may tell something else")
        return
    event(f"speaks: {kept.speaks}, stopped: {kept.basis.stopped_on is not None}")
    assert shown(after) == shown(before)
    assert [
        (it.panel, it.due_on, it.state) for it in after.panels if it.due_on is not None
    ] == list(found.panels)
    view = view_of(known, {made.id: changed}, catalogue(), later, history.zone)
    days = [it.next_change_on for it in view.panels if it.next_change_on is not None]
    day = found.next_change_on
    assert day == min([*days, *judges.wakes(view, by_schedule=True)], default=None)
    by_schedule = None if day is None else start_of_day(day, history.zone)
    assert after.next_change_at == earliest(by_schedule, kept.rest_until)
    assert after.rest_changes_at == before.rest_changes_at
    status = kept_status(kept, changed, today)
    assert status is None or status == status_of(after)
    again = kept_schedule(after, None)
    assert again is not None and again._replace(rest_until=None) == kept._replace(rest_until=None)
    if edit.moves_nothing(kept, today):
        same = review_one(known, {made.id: made}, catalogue(), later, history.zone)
        assert [(it.due_on, it.state) for it in same.panels] == [
            (it.due_on, it.state) for it in after.panels
        ]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=3 * settings().max_examples)
@given(data=st.data())
def test_where_somebody_stands_by_what_is_kept_is_where_a_review_puts_them(
    name: str, data: st.DataObject
) -> None:
    made = protocol(name)
    history, now, known, before = data.draw(stories(made))
    kept = kept_schedule(before, None)
    if kept is None:
        event("nothing is kept")
        return
    _, kept = written(before, kept)
    later = data.draw(before_it_changes(now, before))
    today = clinic_day(later, history.zone)
    found = kept_status(kept, made, today)
    event("it takes a review" if found is None else f"{found.state}, {found.ledger_state}")
    if found is not None:
        assert found == status_of(
            review_one(known, {made.id: made}, catalogue(), later, history.zone)
        )
        assert all(it.collected_on < today for it in known.results)


def shown(found: Review) -> Any:
    """What alerts show, and what the rest of the answer is."""
    contents = [(it.cause, it.urgency, content_of(it)) for it in found.findings]
    return contents, found.unjudged, found.life, found.reaches, found.memory
