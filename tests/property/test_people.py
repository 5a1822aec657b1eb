"""Acknowledging, snoozing and closing at random, while the days go by and results come in."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.actions import ActionRefused, acknowledgement_until, closing, snoozing
from monitor.core.answer import Finding, Review
from monitor.core.changes import Alert, Change, ChangeWhat
from monitor.core.vocabulary import DIED, AlertState, Urgency
from tests.property.days_to_look import ticks
from tests.property.ledger import ENDING, Clinic, acknowledged, closed, snoozed
from tests.property.made_cases import UTC_ZONE, case, enrolment, held_row, instant
from tests.property.shipped import NAMES, catalogue, protocol
from tests.property.strategies import History, histories

BY_A_CORRECTION = (ChangeWhat.WITHDRAWN, ChangeWhat.MERGED)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data(), luck=st.randoms(use_true_random=False))
def test_whatever_people_do_nothing_is_lost(
    name: str, data: st.DataObject, luck: random.Random
) -> None:
    made = protocol(name)
    history = data.draw(histories(made, visits=6))
    clinic = Clinic(made, catalogue(), history.zone)
    acted = True
    for now in ticks(history):
        every, before, awaited = clinic.alerts, clinic.live, clinic.next_review_at
        found, decision = clinic.tick(history.known(now), now)
        news = is_news(history, now)
        if not news and not acted and (awaited is None or now < awaited):
            assert not decision.changes, f"awaited {awaited}, but at {now}: {decision.changes}"
        dead = has_died(history, now)
        ends_with_a_reason(before, clinic.live, decision.changes, news=news, dead=dead)
        if dead:
            assert not clinic.live, "nothing is left of the dead"
            assert not any(it.tell for it in decision.changes), "nobody is told of the dead"
        tells_what_is_more_urgent(before, decision.changes)
        tells_what_is_worse(every, found, decision.changes)
        everything_has_its_alert(found, clinic, now.astimezone(history.zone).date())
        acted = act(clinic, now, history, luck)


def is_news(history: History, now: datetime) -> bool:
    """Something arrived, or an event takes effect at the start of this day."""
    today = now.astimezone(history.zone).date()
    return now in history.arrivals() or any(it.on == today for it in history.case.events)


def has_died(history: History, now: datetime) -> bool:
    """Whether a death is known and has come."""
    today = now.astimezone(history.zone).date()
    return any(it.event == "died" and it.on <= today for it in history.known(now).events)


def ends_with_a_reason(
    before: Sequence[Alert],
    live: Sequence[Alert],
    changes: Sequence[Change],
    *,
    news: bool,
    dead: bool,
) -> None:
    """A live alert ends only by a change with a reason, a threshold alert never by time but for
    the death of the patient, and one that is merged leaves another that lives."""
    ended = {it.alert.id: it for it in changes if it.alert and it.what in ENDING}
    alive = {it.id: it for it in live}
    for alert in before:
        if alert.id in alive:
            continue
        change = ended[alert.id]
        assert change.reason
        assert dead or change.reason != DIED
        if alert.cause.startswith("rule:"):
            of_death = dead and change.reason == DIED  # its day may have come between two looks
            assert news or of_death, "a threshold alert never ends by the passing of time"
            assert change.what in BY_A_CORRECTION or of_death
        if change.what is ChangeWhat.MERGED:
            assert change.into is not None and change.into < alert.id
            assert set(alert.breaches) & set(alive[change.into].breaches)


def tells_what_is_more_urgent(before: Sequence[Alert], changes: Sequence[Change]) -> None:
    """`critical` and `urgent` go out at once, also where a routine alert became so."""
    known = {it.id: it for it in before}
    told = {it.alert.id for it in changes if it.alert and it.tell}
    for change in changes:
        if change.alert is None or change.what in ENDING or change.alert.id not in known:
            continue
        if change.urgency.rank > known[change.alert.id].urgency.rank:
            assert change.alert.id in told, f"{change.reason}: now {change.urgency}, told nobody"


def tells_what_is_worse(before: Sequence[Alert], found: Review, changes: Sequence[Change]) -> None:
    """A worse level, or a value 10 % worse than the worst that was told, is told at once,
    whatever a person did with the alert."""
    told = {it.alert.id for it in changes if it.alert and it.tell}
    for finding in found.findings:
        mine = [it for it in before if concerns(it, finding) and it.told_value is not None]
        live = [it for it in mine if it.state is not AlertState.CLOSED]
        answered = [it for it in mine if it.closed_by is not None]
        for alert in live[:1] or answered[-1:]:
            assert alert.told_level is not None and alert.told_value is not None
            if finding.level > alert.told_level or (
                finding.level == alert.told_level and tenth_worse(finding, alert.told_value)
            ):
                assert alert.id in told


def tenth_worse(finding: Finding, known: Decimal) -> bool:
    assert finding.worst is not None
    value = Fraction(finding.worst.value)
    if finding.downward:
        return value < known and value <= Fraction(known) * Fraction(9, 10)
    return value > known and value >= Fraction(known) * Fraction(11, 10)


def everything_has_its_alert(found: Review, clinic: Clinic, today: date) -> None:
    """Each finding has one live alert, or a person closed it until a day to come or until it
    gets worse."""
    for finding in found.findings:
        mine = [it for it in clinic.alerts if concerns(it, finding)]
        live = [it for it in mine if it.state is not AlertState.CLOSED]
        assert len(live) <= 1
        if live:
            continue
        answers = [it for it in mine if it.closed_by is not None]
        assert answers, f"{finding.cause} has no alert"
        if not finding.recovered:
            assert answers[-1].review_by is not None and answers[-1].review_by > today
            assert finding.level <= (answers[-1].told_level or 0)


def concerns(alert: Alert, finding: Finding) -> bool:
    if alert.cause != finding.cause:
        return False
    return not finding.breaches or bool(set(alert.breaches) & set(finding.breaches))


def act(clinic: Clinic, now: datetime, history: History, luck: random.Random) -> bool:
    """Sometimes a person does something with some alert, where it is allowed."""
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
        return False
    return True


def test_a_held_row_that_may_be_critical_is_told_also_beside_one_that_is_not() -> None:
    rules, day = protocol("azathioprine"), date(2026, 1, 5)
    clinic = Clinic(rules, catalogue(), UTC_ZONE)
    patient = case(enrolment(day, "azathioprine"), [])
    first = held_row(1, "alt", day)
    clinic.tick(replace(patient, held=(first,)), instant(day))
    second = held_row(2, "neutrophils", day, "0.3")
    _, decision = clinic.tick(replace(patient, held=(first, second)), instant(day))
    [change] = decision.changes
    assert (change.what, change.tell, change.urgency) == (ChangeWhat.WORSE, True, Urgency.CRITICAL)
