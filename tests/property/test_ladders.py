"""Whatever the routes and hours: a critical alert that nobody acknowledges always reaches
somebody on duty or the last resort, and who is told does not depend on how often one looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.changes import Alert
from monitor.core.contacts import Contact, Rota, Shift
from monitor.core.escalation import Ladder, Pace, Rung, escalate
from monitor.core.routebook import RouteBook, Way
from monitor.core.vocabulary import AlertState, Kind, Urgency
from monitor.core.waits import Wait
from monitor.core.worktime import WorkTime

CLINIC = "clinic@hill.example"
ZONES = [ZoneInfo(name) for name in ("Europe/London", "America/New_York", "Asia/Kolkata", "UTC")]


@st.composite
def work_times(draw: st.DrawFn) -> WorkTime:
    hour = st.integers(0, 23)
    return WorkTime(
        draw(st.sampled_from(ZONES)),
        frozenset(draw(st.sets(st.integers(0, 6)))),
        time(draw(hour), draw(st.sampled_from([0, 30]))),
        time(draw(hour)),
        frozenset(draw(st.sets(st.dates(date(2026, 3, 18), date(2026, 4, 12)), max_size=6))),
    )


@st.composite
def contacts(draw: st.DrawFn) -> Contact:
    name = draw(st.sampled_from("abcdef"))
    addresses = tuple(f"{name}{number}@hill.example" for number in range(draw(st.integers(0, 2))))
    rota = None
    if draw(st.booleans()):
        weeks = draw(st.sets(st.integers(11, 16)))
        zone = draw(st.sampled_from(ZONES))
        shifts = (
            Shift(date.fromisocalendar(2026, week, 1), "x", (f"w{week}@hill.example",))
            for week in sorted(weeks)
        )
        rota = Rota(tuple(shifts), zone, draw(st.integers(0, 6)), time(draw(st.integers(0, 23))))
    hours = draw(st.none() | work_times())
    return Contact(name, addresses, hours=hours, rota=rota)


@st.composite
def books(draw: st.DrawFn) -> RouteBook:
    tiers = st.lists(st.lists(contacts(), min_size=1, max_size=2).map(tuple), max_size=3)
    ways = st.builds(
        Way,
        tiers=st.tuples(st.lists(contacts(), min_size=1, max_size=2).map(tuple)).flatmap(
            lambda first: tiers.map(lambda more: (*first, *more))
        ),
        clinics=st.sampled_from([(), ("hill",), ("other",)]),
        urgencies=st.sampled_from([(), ("critical",), ("routine",)]),
        hours=st.sampled_from(["any", "open", "closed"]),
    )
    waits = draw(st.lists(st.integers(1, 300), min_size=1, max_size=3, unique=True).map(sorted))
    pace = Pace(
        next_tier=tuple(Wait(timedelta(minutes=it)) for it in waits),
        outcome=Wait(timedelta(hours=4)),
        repeat=draw(st.none() | st.just(Wait(timedelta(hours=4)))),
        last_resort=True,
    )
    return RouteBook(
        ways=tuple(draw(st.lists(ways, max_size=3))),
        paces={Urgency.CRITICAL: pace},
        hours=draw(work_times()),
        last_resort=CLINIC,
    )


instants = st.datetimes(datetime(2026, 3, 20), datetime(2026, 4, 5)).map(
    lambda naive: naive.replace(tzinfo=UTC, second=0, microsecond=0)
)


def critical(asked_at: datetime) -> Alert:
    return Alert(
        id=1,
        enrolment_id=1,
        cause="rule:x",
        kind=Kind.DISCONTINUE,
        urgency=Urgency.CRITICAL,
        state=AlertState.OPEN,
        recovered=False,
        opened_at=asked_at,
        summary="",
        asked_at=asked_at,
    )


def ladder_of(book: RouteBook, asked_at: datetime) -> Ladder:
    return book.ladder(
        asked_at, clinic="hill", drug="azathioprine", kind="discontinue", urgency=Urgency.CRITICAL
    )


@settings(max_examples=50)
@given(books(), instants)
def test_a_critical_alert_reaches_somebody(book: RouteBook, asked_at: datetime) -> None:
    ladder = ladder_of(book, asked_at)
    at_once = escalate(critical(asked_at), ladder, asked_at)
    assert [rung.at for rung in at_once.due] == [asked_at] * len(at_once.due)
    assert at_once.due
    assert at_once.due[0].addresses
    in_the_end = escalate(critical(asked_at), ladder, asked_at + timedelta(hours=24))
    told = {address for rung in in_the_end.due for address in rung.addresses}
    assert CLINIC in told
    for rung in in_the_end.due:
        assert rung.addresses


@settings(max_examples=50)
@given(books(), instants, st.lists(st.integers(0, 30 * 60), max_size=12))
def test_who_is_told_does_not_depend_on_how_often_one_looks(
    book: RouteBook, asked_at: datetime, minutes: list[int]
) -> None:
    ladder, end = ladder_of(book, asked_at), asked_at + timedelta(hours=30)
    once = escalate(critical(asked_at), ladder, end)
    alert = critical(asked_at)
    told: list[Rung] = []
    for look in [*(asked_at + timedelta(minutes=it) for it in sorted(minutes)), end]:
        step = escalate(alert, ladder, look)
        assert all(rung.at <= look for rung in step.due)
        assert step.next_at is None or step.next_at > look
        told += step.due
        alert = replace(alert, rungs_told=step.climbed)
    assert tuple(told) == once.due
    assert [rung.at for rung in told] == sorted(rung.at for rung in told)


@settings(max_examples=50)
@given(work_times(), instants, st.integers(0, 72 * 60))
def test_working_time_is_monotone_and_never_ends_before_it_began(
    hours: WorkTime, instant: datetime, minutes: int
) -> None:
    span = timedelta(minutes=minutes)
    end = hours.after(instant, span)
    assert end >= instant + span
    assert hours.after(instant, span + timedelta(minutes=1)) > end
    assert hours.after(instant + timedelta(minutes=7), span) >= end
