"""What happens to the alerts when results come late, are taken back, or get worse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from monitor.core.changes import Alert, ChangeWhat, Decision
from monitor.core.protocol import Protocol
from monitor.core.vocabulary import AlertState, Urgency
from tests.property.ledger import Clinic, acknowledged, closed, snoozed
from tests.property.made_cases import UTC_ZONE, case, enrolment, instant, result
from tests.property.made_protocols import STEPS
from tests.property.shipped import catalogue

START = date(2026, 1, 5)
FEB, MAR, APR = date(2026, 2, 2), date(2026, 3, 9), date(2026, 4, 13)
BETWEEN = date(2026, 2, 20)
RULE = "rule:low_neutrophils"
LADDER = STEPS.rules[0]
TWO_CRITICAL = replace(
    STEPS,
    rules=(
        replace(
            LADDER,
            levels=tuple(replace(level, urgency=Urgency.CRITICAL) for level in LADDER.levels),
        ),
    ),
)


class Ward:
    """A patient whose neutrophil counts are told by day; each `now` replaces what was known."""

    def __init__(self, protocol: Protocol = STEPS) -> None:
        self.clinic = Clinic(protocol, catalogue(), UTC_ZONE)

    def now(self, today: date, counts: dict[date, str]) -> Decision:
        results = [
            result(number, "neutrophils", value.lstrip("<"), instant(day),
                   comparator="<" if value.startswith("<") else "")
            for number, (day, value) in enumerate(counts.items(), start=1)
        ]  # fmt: skip
        known = case(enrolment(START, self.clinic.protocol.id), results)
        return self.clinic.tick(known, instant(today, 12))[1]

    @property
    def alerts(self) -> list[Alert]:
        return [alert for alert in self.clinic.alerts if alert.cause == RULE]

    @property
    def live(self) -> list[Alert]:
        return [alert for alert in self.alerts if alert.state is not AlertState.CLOSED]


def of_the_rule(decision: Decision) -> list[tuple[ChangeWhat, bool]]:
    return [
        (it.what, it.tell)
        for it in decision.changes
        if RULE in (it.finding.cause if it.finding else "", it.alert.cause if it.alert else "")
    ]


def test_a_late_result_that_joins_two_episodes_leaves_the_older_alert() -> None:
    ward = Ward()
    ward.now(FEB, {FEB: "0.9"})
    apart = {FEB: "0.9", BETWEEN: "4", date(2026, 3, 25): "0.8"}
    ward.now(date(2026, 3, 25), apart)
    assert [alert.id for alert in ward.live] == [ward.alerts[0].id, ward.alerts[1].id]
    decision = ward.now(date(2026, 3, 26), {**apart, date(2026, 2, 27): "0.9"})
    assert (ChangeWhat.MERGED, False) in of_the_rule(decision)
    [older] = ward.live
    assert older.id == ward.alerts[0].id
    assert len(older.breaches) == 3
    merged = next(it for it in decision.changes if it.what is ChangeWhat.MERGED)
    assert merged.into == older.id
    assert of_the_rule(ward.now(date(2026, 3, 26), {**apart, date(2026, 2, 27): "0.9"})) == []


def test_when_the_joining_result_is_taken_back_the_second_part_opens_an_alert() -> None:
    ward = Ward()
    ward.now(FEB, {FEB: "0.9"})
    joined = {FEB: "0.9", BETWEEN: "4", date(2026, 2, 27): "0.9", date(2026, 3, 25): "0.8"}
    ward.now(date(2026, 3, 25), joined)
    assert len(ward.live) == 1
    del joined[date(2026, 2, 27)]
    decision = ward.now(date(2026, 3, 26), joined)
    assert (ChangeWhat.OPENED, True) in of_the_rule(decision)
    assert [(it.recovered, len(it.breaches)) for it in ward.live] == [(True, 1), (False, 1)]


def test_a_withdrawn_cause_that_comes_back_opens_a_new_alert() -> None:
    ward = Ward()
    ward.now(FEB, {FEB: "0.9"})
    assert of_the_rule(ward.now(FEB, {FEB: "4"})) == [(ChangeWhat.WITHDRAWN, True)]
    assert ward.live == []
    assert of_the_rule(ward.now(FEB, {FEB: "0.9"})) == [(ChangeWhat.OPENED, True)]
    assert len(ward.live) == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.9", (ChangeWhat.UPDATED, False)),
        ("0.82", (ChangeWhat.UPDATED, False)),
        ("0.81", (ChangeWhat.WORSE, True)),
        ("0.499", (ChangeWhat.WORSE, True)),
        ("1.5", (ChangeWhat.UPDATED, False)),
        ("4", (ChangeWhat.RECOVERED, False)),
    ],
)
def test_people_are_told_again_at_a_tenth_worse_and_at_a_worse_level(
    value: str, expected: tuple[ChangeWhat, bool]
) -> None:
    ward = Ward()
    ward.now(FEB, {FEB: "0.9"})
    assert of_the_rule(ward.now(MAR, {FEB: "0.9", MAR: value})) == [expected]


def test_a_number_a_tenth_below_a_bound_that_was_told_is_told() -> None:
    ward = Ward()
    ward.now(FEB, {FEB: "<0.9"})
    ward.clinic.put(acknowledged(ward.live[0], APR))
    assert of_the_rule(ward.now(MAR, {FEB: "<0.9", MAR: "0.6"})) == [(ChangeWhat.WORSE, True)]
    assert ward.live[0].state is AlertState.OPEN
    ward.clinic.put(closed(ward.live[0], instant(MAR, 13), by="dr", recovered=False, review_by=APR))
    later = {FEB: "<0.9", MAR: "0.6", MAR + timedelta(days=7): "0.54"}
    changed = of_the_rule(ward.now(MAR + timedelta(days=7), later))
    assert changed == [(ChangeWhat.REOPENED, True)]


def test_a_worse_level_is_told_however_small_the_step() -> None:
    ward = Ward()
    ward.now(FEB, {FEB: "1.01"})
    assert ward.live[0].urgency == "routine"
    ward.clinic.put(acknowledged(ward.live[0], APR))
    assert of_the_rule(ward.now(MAR, {FEB: "1.01", MAR: "0.99"})) == [(ChangeWhat.WORSE, True)]
    assert ward.live[0].state is AlertState.OPEN


def test_a_worse_level_of_the_same_urgency_is_told_too() -> None:
    ward = Ward(TWO_CRITICAL)
    ward.now(FEB, {FEB: "1.01"})
    assert of_the_rule(ward.now(MAR, {FEB: "1.01", MAR: "0.99"})) == [(ChangeWhat.WORSE, True)]


def test_a_recovered_alert_stays_until_a_person_closes_it() -> None:
    ward = Ward()
    ward.now(FEB, {FEB: "0.9"})
    counts = {FEB: "0.9", MAR: "4"}
    ward.now(MAR, counts)
    assert [(it.state, it.recovered) for it in ward.live] == [(AlertState.OPEN, True)]
    ward.clinic.put(closed(ward.live[0], instant(MAR, 13), by="dr", recovered=True, review_by=None))
    assert of_the_rule(ward.now(APR, counts)) == []
    assert ward.live == []
    told = {**counts, date(2026, 3, 2): "1.5"}
    assert of_the_rule(ward.now(APR, told)) == [], "a late milder breach of a closed episode"


def test_a_closed_episode_that_goes_on_comes_back_under_its_id() -> None:
    ward = Ward()
    ward.now(FEB, {FEB: "0.9"})
    ward.now(date(2026, 2, 9), {FEB: "0.9", date(2026, 2, 9): "4"})
    ward.clinic.put(closed(ward.live[0], instant(FEB, 13), by="dr", recovered=True))
    counts = {FEB: "0.9", date(2026, 2, 9): "4", BETWEEN: "0.95"}
    assert of_the_rule(ward.now(BETWEEN, counts)) == [(ChangeWhat.REOPENED, True)]
    assert [it.id for it in ward.live] == [ward.alerts[0].id]


def test_a_correction_that_leaves_the_alert_recovered_is_told() -> None:
    ward = Ward()
    ward.now(FEB, {FEB: "0.9"})
    ward.now(MAR, {FEB: "0.9", MAR: "0.4"})
    after = MAR + timedelta(days=1)
    assert of_the_rule(ward.now(after, {FEB: "0.9", MAR: "4"})) == [(ChangeWhat.UPDATED, True)]
    [alert] = ward.live
    assert alert.recovered
    assert alert.worst_value == Decimal("0.9")


def test_a_correction_by_which_a_recovered_alert_breaches_again_is_told() -> None:
    ward = Ward()
    ward.now(FEB, {FEB: "0.4"})
    ward.now(MAR, {FEB: "0.4", MAR: "4"})
    after = MAR + timedelta(days=1)
    assert of_the_rule(ward.now(after, {FEB: "0.9", MAR: "0.9"})) == [(ChangeWhat.UPDATED, True)]
    assert not ward.live[0].recovered


@pytest.mark.parametrize("rests", [snoozed, acknowledged])
def test_a_correction_that_people_hear_of_ends_no_rest_and_forgets_its_end_not(
    rests: Callable[[Alert, date], Alert],
) -> None:
    ward, end = Ward(), FEB + timedelta(days=2)
    ward.now(FEB, {FEB: "0.90"})
    ward.clinic.put(rests(ward.live[0], end))
    decision = ward.now(FEB + timedelta(days=1), {FEB: "0.95"})
    assert (ChangeWhat.UPDATED, True) in of_the_rule(decision)
    assert decision.next_review_at is not None
    assert decision.next_review_at <= instant(end)
    [(lapsed, told)] = of_the_rule(ward.now(end, {FEB: "0.95"}))
    assert lapsed in (ChangeWhat.SNOOZE_EXPIRED, ChangeWhat.ACK_EXPIRED)
    assert told
