"""Order, batch, repetition and lateness of what arrives and of who looks change nothing."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.actions import ActionRefused, acknowledgement_until, closing, snoozing
from monitor.core.model import AlertState, ChangeWhat, Kind, Review, Urgency
from monitor.core.review import review
from tests.property.ledger import ENDING, Clinic, acknowledged, closed, snoozed, standing
from tests.property.shipped import NAMES, catalogue, protocol
from tests.property.strategies import History, histories

DEEP = settings.get_current_profile_name() == "deep"
TAIL = 45
"""Days that are still looked at after the last thing came."""
LOOKS = 50
PROTOCOLS = pytest.mark.parametrize("name", NAMES)


def midnights(history: History) -> list[datetime]:
    """Starts of clinic days from the first arrival to some weeks after the last: each day in
    a deep run, else not more than some, unevenly spread."""
    first = min([history.case.enrolment.enrolled_on, *(at.date() for at in history.arrivals())])
    span = (history.last_day - first).days + TAIL
    stride = 1 if DEEP else max(1, span // LOOKS)
    starts = (
        datetime.combine(first + timedelta(days=day), time(0), history.zone)
        for day in range(0, span, stride)
    )
    return [start.astimezone(UTC) for start in starts]


def ticks(history: History) -> list[datetime]:
    return sorted({*midnights(history), *history.arrivals()})


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
    milder = {it.cause: it.urgency for it in late.live if not it.first_seen_recovered}
    for alert in often.live:
        if not alert.first_seen_recovered and alert.cause in milder and not alert.breaches:
            assert alert.urgency is milder[alert.cause]


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
    later = now + timedelta(minutes=1)
    assert (
        seen(clinic.tick(history.known(now), now)[0])
        == seen(clinic.tick(history.known(now), later)[0])
        or clinic.next_review_at is not None
    )


@PROTOCOLS
@given(data=st.data(), luck=st.randoms(use_true_random=False))
def test_order_and_batch_of_arrival_change_nothing(
    name: str, data: st.DataObject, luck: random.Random
) -> None:
    made = protocol(name)
    history = data.draw(histories(made))
    now = history.noon(history.last_day)
    case = history.known(now)
    numbers = list(range(1, len(case.results) + 1))
    luck.shuffle(numbers)
    renumbered = [replace(it, id=new) for it, new in zip(case.results, numbers, strict=True)]
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
        bare.append(
            replace(it, worst=worst, latest=latest, subjects=subjects, arithmetic=(), say=())
        )
    return panels, bare, unjudged, state


@PROTOCOLS
@given(data=st.data(), luck=st.randoms(use_true_random=False))
def test_whatever_people_do_nothing_critical_is_lost(
    name: str, data: st.DataObject, luck: random.Random
) -> None:
    """Acknowledging, snoozing and closing at random: a live alert ends only with a reason, a
    critical one never by time; what goes on is live, or closed by a person until a day to come."""
    made = protocol(name)
    history = data.draw(histories(made, visits=6))
    clinic = Clinic(made, catalogue(), history.zone)
    arrivals = set(history.arrivals())
    acted = True
    for now in ticks(history):
        before = {it.id: it for it in clinic.live}
        awaited = clinic.next_review_at
        found, decision = clinic.tick(history.known(now), now)
        today = now.astimezone(history.zone).date()
        if now not in arrivals and not acted and (awaited is None or now < awaited):
            assert not decision.changes, (now, awaited, decision.changes)
        ended = {it.alert.id: it for it in decision.changes if it.alert and it.what in ENDING}
        for number, alert in before.items():
            if number not in {it.id for it in clinic.live}:
                assert ended[number].reason
                if alert.cause.startswith("rule:"):
                    assert now in arrivals, "a threshold alert never ends by the passing of time"
                    assert ended[number].what in (ChangeWhat.WITHDRAWN, ChangeWhat.MERGED)
        for finding in found.findings:
            mine = [it for it in clinic.alerts if it.cause == finding.cause]
            if finding.breaches:
                mine = [it for it in mine if set(it.breaches) & set(finding.breaches)]
            live = [it for it in mine if it.state is not AlertState.CLOSED]
            assert len(live) <= 1
            if live:
                continue
            answers = [it for it in mine if it.closed_by is not None]
            assert answers, f"{finding.cause} has no alert"
            answer = answers[-1]
            if not finding.recovered:
                assert answer.review_by is not None and answer.review_by > today
                worst = answer.told_level if answer.told_level is not None else 0
                assert finding.level <= worst
        acted = act(clinic, now, history, luck)


def act(clinic: Clinic, now: datetime, history: History, luck: random.Random) -> bool:
    """Sometimes a person does something with some alert."""
    if not clinic.live or luck.random() > 0.1:
        return False
    today = now.astimezone(history.zone).date()
    alert = luck.choice(clinic.live)
    until = today + timedelta(days=luck.choice([1, 3, 7, 28]))
    what = luck.choice(["acknowledge", "snooze", "close", "close"])
    try:
        if what == "acknowledge":
            clinic.put(acknowledged(alert, acknowledgement_until(alert, today, until)))
        elif what == "snooze":
            clinic.put(snoozed(alert, snoozing(alert, today, until, "asked for")))
        else:
            day = closing(alert, today, "seen", until)
            clinic.put(closed(alert, now, by="dr", recovered=alert.recovered, review_by=day))
    except ActionRefused:
        assert what != "snooze" or alert.urgency is Urgency.CRITICAL or until > today
        return False
    return True
