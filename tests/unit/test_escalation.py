"""The ladder: who is told when, by urgency, hours and tiers; clocks that change included."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.core.changes import Alert
from monitor.core.contacts import Contact, Rota, Shift
from monitor.core.escalation import Ladder, Pace, escalate, reason_of
from monitor.core.routebook import RouteBook, Way
from monitor.core.vocabulary import AlertState, Kind, Urgency
from monitor.core.waits import Wait, parse_wait
from monitor.core.worktime import WorkTime, parse_hours

ZONE = ZoneInfo("Europe/London")
GOOD_FRIDAY, EASTER_MONDAY = date(2026, 4, 3), date(2026, 4, 6)
HOURS = WorkTime(
    ZONE, frozenset(range(5)), time(8), time(18), frozenset({GOOD_FRIDAY, EASTER_MONDAY})
)
NURSE = Contact("nurses", ("nurse@hill.example",), hours=HOURS)
ON_CALL = Contact("on_call", ("oncall@hill.example",), "+44 20 7946 0001")
LEAD = Contact("lead", ("lead@hill.example",), hours=HOURS)
CLINIC = "clinic@hill.example"
PACES = {
    Urgency.CRITICAL: Pace(
        next_tier=(parse_wait("30 minutes"), parse_wait("60 minutes")),
        outcome=parse_wait("4 hours"),
        repeat=parse_wait("4 hours"),
        last_resort=True,
    ),
    Urgency.URGENT: Pace(
        next_tier=(parse_wait("4 working hours"),), at_once_when_closed=timedelta(hours=24)
    ),
    Urgency.ROUTINE: Pace(next_tier=(parse_wait("14 days"),), by_message=False),
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def ladder(urgency: str, *tiers: tuple[Contact, ...]) -> Ladder:
    grade = Urgency(urgency)
    return Ladder(tiers=tiers, pace=PACES[grade], urgency=grade, hours=HOURS, last_resort=CLINIC)


def told(steps: Ladder, asked: str, count: int = 9) -> list[str]:
    return [
        f"{rung.at.astimezone(ZONE):%a %d %b %H:%M} "
        + " ".join(address.split("@")[0] for address in rung.addresses)
        for rung in islice(steps.rungs(at(asked)), count)
    ]


def alert(urgency: str = "critical", **more: Any) -> Alert:
    values: dict[str, Any] = {
        "id": 1,
        "enrolment_id": 1,
        "cause": "rule:x",
        "kind": Kind.REVIEW,
        "urgency": Urgency(urgency),
        "state": AlertState.OPEN,
        "recovered": False,
        "opened_at": at("2026-03-02T10:00"),
        "summary": "x",
        "asked_at": at("2026-03-02T10:00"),
        "rungs_told": 1,
    }
    return Alert(**(values | more))


def test_critical_climbs_in_30_and_60_minutes_at_any_hour_and_never_ends_in_silence() -> None:
    steps = ladder("critical", (NURSE,), (ON_CALL,), (LEAD,))
    assert told(steps, "2026-03-02T10:00", 6) == [
        "Mon 02 Mar 10:00 nurse",
        "Mon 02 Mar 10:30 oncall",
        "Mon 02 Mar 11:00 lead",
        "Mon 02 Mar 11:30 clinic",
        "Mon 02 Mar 15:30 nurse oncall lead clinic",
        "Mon 02 Mar 19:30 oncall clinic",
    ]


def test_good_friday_evening_finds_whoever_is_on_duty_at_once() -> None:
    tiers = ((NURSE,), (ON_CALL,), (LEAD,))
    assert told(ladder("critical", *tiers), "2026-04-03T18:30", 3) == [
        "Fri 03 Apr 18:30 nurse oncall",
        "Fri 03 Apr 19:30 lead",
        "Fri 03 Apr 20:00 clinic",
    ]
    assert told(ladder("urgent", *tiers), "2026-04-03T18:30") == [
        "Fri 03 Apr 18:30 nurse oncall",
        "Tue 07 Apr 16:00 lead",
    ]


def test_urgent_waits_working_hours_over_a_night_but_not_over_a_long_weekend() -> None:
    tiers = ((NURSE,), (ON_CALL,))
    assert told(ladder("urgent", *tiers), "2026-03-02T16:00") == [
        "Mon 02 Mar 16:00 nurse",
        "Tue 03 Mar 10:00 oncall",
    ]
    assert told(ladder("urgent", *tiers), "2026-03-02T19:00") == [
        "Mon 02 Mar 19:00 nurse",
        "Tue 03 Mar 12:00 oncall",
    ]


def test_routine_reaches_the_lead_after_14_days_in_working_hours() -> None:
    steps = ladder("routine", (NURSE,), (LEAD,))
    assert told(steps, "2026-03-20T19:00") == ["Fri 20 Mar 19:00 nurse", "Tue 07 Apr 08:00 lead"]


def test_without_a_route_or_an_address_the_last_resort_is_told_at_once() -> None:
    assert told(ladder("critical"), "2026-03-02T03:00", 2) == [
        "Mon 02 Mar 03:00 clinic",
        "Mon 02 Mar 07:00 clinic",
    ]
    nobody = Contact("empty", rota=Rota((), ZONE))
    assert told(ladder("urgent", (nobody,)), "2026-03-02T10:00") == ["Mon 02 Mar 10:00 clinic"]


def test_an_empty_rota_and_a_ward_that_is_closed_find_whoever_is_on_duty() -> None:
    empty = Contact("rota", rota=Rota((), ZONE))
    tiers = ((empty,), (NURSE,), (ON_CALL,))
    assert told(ladder("urgent", *tiers), "2026-04-04T10:00")[0] == "Sat 04 Apr 10:00 nurse oncall"
    assert told(ladder("critical", *tiers), "2026-04-04T10:00")[0] == (
        "Sat 04 Apr 10:00 nurse oncall"
    )
    assert told(ladder("urgent", *tiers), "2026-04-07T10:00")[0] == "Tue 07 Apr 10:00 nurse"


def test_an_address_of_two_roles_or_tiers_is_told_once() -> None:
    both = Contact("ward", ("Nurse@hill.example", "ward@hill.example"), hours=HOURS)
    assert told(ladder("urgent", (NURSE, both)), "2026-03-02T08:00") == [
        "Mon 02 Mar 08:00 nurse ward"
    ]
    assert told(ladder("urgent", (NURSE,), (NURSE,), (LEAD,)), "2026-03-02T08:00") == [
        "Mon 02 Mar 08:00 nurse",
        "Mon 02 Mar 16:00 lead",
    ]


@pytest.mark.parametrize("waits", [("4 working hours", "6 hours"), ("1 hour", "30 minutes")])
def test_a_tier_is_told_no_later_than_the_ones_after_it(waits: tuple[str, str]) -> None:
    """Of a Friday evening 4 working hours end on Monday: the second tier was never told, and the
    third again at each look."""
    pace = Pace(next_tier=tuple(map(parse_wait, waits)))
    steps = replace(ladder("urgent", (NURSE,), (ON_CALL,), (LEAD,)), pace=pace)
    asked, last = at("2026-03-06T18:00"), parse_wait(waits[1]).span
    waiting = alert("urgent", asked_at=asked)
    assert escalate(waiting, steps, asked + last - timedelta(minutes=1)).due == ()
    due = escalate(waiting, steps, asked + last)
    assert [rung.addresses for rung in due.due] == [ON_CALL.addresses, LEAD.addresses]
    climbed = replace(waiting, rungs_told=due.climbed)
    assert escalate(climbed, steps, at("2026-03-20T10:00")).due == ()


def test_a_tier_that_is_not_there_hurries_nobody() -> None:
    pace = Pace(next_tier=(parse_wait("4 working hours"), parse_wait("6 hours")))
    steps = replace(ladder("urgent", (NURSE,), (ON_CALL,)), pace=pace)
    assert told(steps, "2026-03-06T18:00") == ["Fri 06 Mar 18:00 nurse", "Mon 09 Mar 12:00 oncall"]


def test_a_critical_alert_waits_for_no_working_hours_whatever_its_routes_say() -> None:
    slow = Way(tiers=((ON_CALL,), (LEAD,)), next_tier=(parse_wait("4 working hours"),))
    quick = replace(slow, next_tier=(parse_wait("5 hours"),))

    def second(urgency: str, *ways: Way) -> str:
        book = RouteBook(ways=ways, paces=PACES, hours=HOURS, last_resort=CLINIC)
        asked = "2026-03-02T18:00"
        grade = Urgency(urgency)
        steps = book.ladder(at(asked), clinic="", drug="", kind="review", urgency=grade)
        return told(steps, asked)[1]

    assert second("urgent", slow) == "Tue 03 Mar 12:00 lead"
    assert second("critical", slow) == "Mon 02 Mar 18:30 lead"
    assert second("critical", slow, quick) == "Mon 02 Mar 23:00 lead"


def test_what_is_due_does_not_depend_on_how_often_one_looks() -> None:
    steps = ladder("critical", (NURSE,), (ON_CALL,), (LEAD,))
    late = escalate(alert(), steps, at("2026-03-02T12:00"))
    assert [rung.addresses[0] for rung in late.due] == [
        "oncall@hill.example", "lead@hill.example", CLINIC,
    ]  # fmt: skip
    assert late.climbed == 4
    assert late.next_at == at("2026-03-02T15:30")
    assert escalate(alert(rungs_told=4), steps, at("2026-03-02T12:00")).due == ()


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        (1, "2026-03-02T10:31", "told to tier 2"),
        (1, "2026-03-05T10:00", "told to the last resort"),
        (3, "2026-03-05T10:00", "told again"),
    ],
    ids=["in time", "after three days in which nobody looked", "its end only"],
)
def test_who_hears_of_it_for_the_first_time_does_not_hear_again(
    since: int, until: str, said: str
) -> None:
    steps = ladder("critical", (NURSE,), (LEAD,))
    assert reason_of(escalate(alert(rungs_told=since), steps, at(until)), steps) == said


@pytest.mark.parametrize(
    "resting",
    [
        {"state": AlertState.CLOSED},
        {"recovered": True},
        {"snoozed_until": date(2026, 3, 9)},
        {"asked_at": None},
        {"state": AlertState.ACKNOWLEDGED, "outcome_at": at("2026-03-02T11:00")},
    ],
)
def test_what_rests_asks_nobody(resting: dict[str, Any]) -> None:
    step = escalate(alert(**resting), ladder("critical", (NURSE,), (LEAD,)), at("2026-03-05T00:00"))
    assert (step.due, step.next_at) == ((), None)


def test_an_acknowledgement_of_a_critical_alert_lasts_4_hours_without_an_outcome() -> None:
    taken = alert(
        state=AlertState.ACKNOWLEDGED,
        acknowledged_at=at("2026-03-02T10:10"),
        acknowledged_until=date(2026, 3, 9),
    )
    steps = ladder("critical", (NURSE,), (ON_CALL,))
    assert escalate(taken, steps, at("2026-03-02T14:09")).next_at == at("2026-03-02T14:10")
    step = escalate(taken, steps, at("2026-03-02T14:41"))
    assert step.outcome_missed
    assert step.asked_at == at("2026-03-02T14:10")
    assert [rung.addresses for rung in step.due] == [NURSE.addresses, ON_CALL.addresses]


def test_working_time_on_nights_when_clocks_change() -> None:
    assert HOURS.after(at("2026-03-27T17:00"), timedelta(hours=2)) == at("2026-03-30T09:00")
    night = WorkTime(ZONE, opens=time(22), closes=time(6))
    spring, autumn = at("2026-03-28T22:00"), at("2026-10-24T22:00")
    assert night.after(spring, timedelta(hours=7)) == at("2026-03-29T06:00")  # 7 hours long
    assert night.after(autumn, timedelta(hours=9)) == at("2026-10-25T06:00")  # 9 hours long
    assert night.is_open(at("2026-10-25T05:59"))
    assert not night.is_open(at("2026-10-25T06:00"))


def test_a_calendar_that_is_never_open_counts_every_hour() -> None:
    never = WorkTime(ZONE, frozenset())
    assert never.after(at("2026-03-02T10:00"), timedelta(hours=4)) == at("2026-03-02T14:00")


def test_an_hour_a_week_is_counted_over_years() -> None:
    weekly = WorkTime(ZONE, frozenset({0}), time(9), time(10))
    assert weekly.after(at("2026-03-02T10:00"), timedelta(hours=100)) == at("2028-01-31T10:00")


def test_the_rota_hands_over_at_its_clock_time_when_clocks_change_too() -> None:
    shifts = tuple(
        Shift(date.fromisocalendar(2026, week, 1), f"week {week}", (f"w{week}@hill.example",))
        for week in (13, 14, 43, 44)
    )
    rota = Rota(shifts, ZONE, 6, time(2, 30))
    for text, name in [
        ("2026-03-29T00:59", "week 12"),
        ("2026-03-29T03:30", "week 13"),
        ("2026-10-25T02:29", "week 42"),
        ("2026-10-25T02:30", "week 43"),
    ]:
        people = [shift.name for shift in rota.on_call(at(text))]
        assert people == ([name] if name in {"week 13", "week 43"} else []), text


@pytest.mark.parametrize(
    ("text", "span", "working"),
    [("30 minutes", 30, False), ("4 working hours", 240, True), ("14 days", 20160, False)],
)
def test_waits_are_read(text: str, span: int, working: bool) -> None:
    wait = parse_wait(text)
    assert wait == Wait(timedelta(minutes=span), working, text)


@pytest.mark.parametrize("text", ["soon", "0 minutes", "2 working days", "-1 hour", "1.5 hours"])
def test_what_is_no_wait_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="30 minutes"):
        parse_wait(text)


def test_hours_are_read() -> None:
    assert parse_hours("08:00-18:00") == (time(8), time(18))
    assert parse_hours("always") == (time(0), time(0))
    with pytest.raises(ValueError, match="08:00-18:00"):
        parse_hours("9 to 5")
