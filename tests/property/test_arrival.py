"""Order, batch, repetition and lateness of what arrives and of who looks change nothing."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.answer import Review
from monitor.core.review import review
from monitor.core.vocabulary import Kind, Urgency
from tests.property.days_to_look import midnights, ticks
from tests.property.ledger import Clinic, standing
from tests.property.shipped import NAMES, catalogue, protocol
from tests.property.strategies import histories

PROTOCOLS = pytest.mark.parametrize("name", NAMES)


def seen(found: Review) -> Any:
    """What a review says, but for the number of days that is reckoned anew each day."""
    panels = tuple(replace(panel, days_overdue=0, next_change_on=None) for panel in found.panels)
    findings = tuple(
        replace(
            finding,
            panels=tuple(
                replace(panel, days_overdue=0, next_change_on=None) for panel in finding.panels
            ),
        )
        for finding in found.findings
    )
    return panels, findings, found.unjudged, found.life.state


@PROTOCOLS
@given(data=st.data())
def test_one_late_tick_ends_with_the_live_alerts_of_many_early_ones(
    name: str, data: st.DataObject
) -> None:
    made = protocol(name)
    history = data.draw(histories(made, visits=6))
    often = Clinic(made, catalogue(), history.zone)
    for now in ticks(history):
        often.tick(history.known(now), now)
    late = Clinic(made, catalogue(), history.zone)
    late.tick(history.known(now), now)
    assert standing(often.live) == standing(late.live)
    of_late = {(it.cause, it.breaches): it for it in late.live}
    for alert in often.live:
        same = of_late[alert.cause, alert.breaches]
        if alert.first_seen_recovered == same.first_seen_recovered:
            assert alert.urgency is same.urgency
        else:
            assert same.first_seen_recovered and same.recovered
            assert same.urgency in (Urgency.ROUTINE, Urgency.CRITICAL)


@PROTOCOLS
@given(data=st.data())
def test_nothing_changes_before_the_instant_that_was_announced(
    name: str, data: st.DataObject
) -> None:
    """Day by day: where nothing arrived, neither findings nor alerts move before the next
    review; where they move, it was announced."""
    made = protocol(name)
    history = data.draw(histories(made, visits=6))
    clinic = Clinic(made, catalogue(), history.zone)
    arrivals = set(history.arrivals())
    before, announced = None, None
    for now in ticks(history):
        awaited = clinic.next_review_at
        found, decision = clinic.tick(history.known(now), now)
        if now not in arrivals and before is not None:
            if announced is None or now < announced:
                assert seen(found) == before, f"{now}: announced {announced}"
            if awaited is None or now < awaited:
                assert not decision.changes, f"{now}: awaited {awaited}"
        before, announced = seen(found), found.next_change_at
        assert announced is None or announced > now
        assert decision.next_review_at is None or decision.next_review_at > now


@PROTOCOLS
@given(data=st.data())
def test_running_it_again_changes_nothing(name: str, data: st.DataObject) -> None:
    made = protocol(name)
    history = data.draw(histories(made, visits=6))
    clinic = Clinic(made, catalogue(), history.zone)
    for now in history.arrivals() or midnights(history)[:1]:
        clinic.tick(history.known(now), now)
        _, again = clinic.tick(history.known(now), now)
        assert not again.changes


@PROTOCOLS
@given(data=st.data(), luck=st.randoms(use_true_random=False))
def test_order_and_batch_of_arrival_change_nothing(
    name: str, data: st.DataObject, luck: random.Random
) -> None:
    made = protocol(name)
    history = data.draw(histories(made))
    now = history.noon(history.last_day)
    case = history.known(now)
    numbers = list(range(1, len(list(case.results)) + 1))
    luck.shuffle(numbers)
    renumbered = [it._replace(id=new) for it, new in zip(case.results, numbers, strict=True)]
    other = {it.id: new for it, new in zip(case.results, numbers, strict=True)}
    luck.shuffle(renumbered)
    events = list(case.events)
    luck.shuffle(events)
    shuffled = replace(case, results=tuple(renumbered), events=tuple(events))
    book = {made.id: made}
    [alone] = review([case], book, catalogue(), now, history.zone)
    both = review([shuffled, case, shuffled], book, catalogue(), now, history.zone)
    assert seen(both[1]) == seen(alone)
    assert seen(both[2]) == seen(both[0])
    assert plain(both[0], {}) == plain(alone, other)


def plain(found: Review, names: dict[int, int]) -> Any:
    """Findings without the numbers that only say in which order results were received."""
    panels, findings, unjudged, state = seen(found)
    bare = []
    for it in findings:
        worst = it.worst and replace(it.worst, result_id=0)
        latest = it.latest and replace(it.latest, result_id=0)
        subjects = it.subjects
        if it.kind is Kind.SAMPLE_UNUSABLE:
            subjects = tuple(sorted(names.get(number, number) for number in subjects))
        bare.append(replace(it, worst=worst, latest=latest, subjects=subjects, arithmetic=()))
    return panels, bare, unjudged, state
