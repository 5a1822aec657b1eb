"""The days of a gap report one by one, against slow oracles: what the reviews of each day said."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.adherence import adherence
from monitor.core.case import Case, Event, Result
from monitor.core.gap_reasons import Reason
from monitor.core.gaps import State
from monitor.core.known_since import Done, looked_overdue
from monitor.core.review import view_of
from monitor.core.spans import ONE_DAY, days_of, united, within, without
from monitor.core.vocabulary import LATE
from tests.spec.cases import (
    START,
    ZONE,
    catalogue,
    enrolment,
    events,
    noon,
    panel,
    protocol,
    reviewed,
)
from tests.spec.gap_cases import LATE_AFTER, cbc, received

_SPANS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 12)).map(
        lambda it: (START + timedelta(days=it[0]), START + timedelta(days=it[0] + it[1]))
    ),
    max_size=6,
)


@given(span=_SPANS.filter(bool), others=_SPANS)
def test_stretches_are_the_days_in_them(
    span: list[tuple[date, date]], others: list[tuple[date, date]]
) -> None:
    whole, days = set(days_of(span[:1])), set(days_of(others))
    assert set(days_of(within(span[0], others))) == whole & days
    assert set(days_of(without(span[0], others))) == whole - days
    for found in (united(others), without(span[0], others)):
        assert all(one[1] < other[0] for one, other in pairwise(found))
    assert set(days_of(united(others))) == days


_NUMBERS = st.integers(0, 40)


@given(
    done=st.lists(st.tuples(_NUMBERS, st.integers(0, 25)), max_size=6, unique_by=lambda it: it[0]),
    reach=st.lists(st.integers(-2, 20), min_size=7, max_size=7),
    begin=st.integers(0, 10),
)
def test_when_a_day_was_known_to_be_covered_is_found_day_by_day(
    done: list[tuple[int, int]], reach: list[int], begin: int
) -> None:
    """Whatever the schedule makes of a completion, be it that a later one covers less."""
    made = [Done(START + timedelta(days=on), START + timedelta(days=on + lag)) for on, lag in done]
    reaches = {it.on: it.on + timedelta(days=days) for it, days in zip(made, reach, strict=False)}
    never = START + timedelta(days=reach[-1])

    def until(last: date | None) -> date:
        return never if last is None else reaches[last]

    span = (START + timedelta(days=begin), START + timedelta(days=45))
    found = {
        day: it.since for it in looked_overdue(made, span, until) for day in days_of([it.days])
    }
    assert found == dict(_known_by_days(made, span, until))


def _known_by_days(
    made: list[Done], span: tuple[date, date], until: Callable[[date | None], date]
) -> Iterable[tuple[date, date]]:
    for day in days_of([span]):
        for number in range(100):
            known = day + timedelta(days=number)
            there = [it.on for it in made if it.on <= day and it.known_on <= known]
            if until(max(there, default=None)) >= day:
                if number:
                    yield day, known
                break


_DAYS = st.integers(min_value=-9, max_value=120).map(lambda days: START + timedelta(days=days))
_TESTS = st.lists(
    st.tuples(_DAYS, st.sampled_from([0, 1, 3, 4, 6, 20])), max_size=10, unique_by=lambda it: it[0]
)


@st.composite
def _lives(draw: st.DrawFn) -> tuple[Event, ...]:
    """Holds, resumptions, absences, dose increases and times elsewhere, in any order."""
    texts = []
    for day in draw(st.lists(_DAYS.filter(lambda it: it >= START), max_size=5)):
        until = day + timedelta(days=draw(st.integers(0, 30)))
        texts.append(
            draw(
                st.sampled_from(
                    [f"{day} hold", f"{day} resume", f"{day} away {until}", f"{day} dose 75",
                     f"{day} monitored_elsewhere {until}", f"{day} back"]
                )
            )
        )  # fmt: skip
    return events("; ".join(texts))


@settings(max_examples=80, deadline=None)
@given(tests=_TESTS, happened=_lives(), length=st.integers(0, 130), begin=st.integers(0, 60))
def test_every_day_is_what_the_reviews_of_the_days_make_of_it(
    tests: list[tuple[date, int]], happened: tuple[Event, ...], length: int, begin: int
) -> None:
    """Day by day: what the review said of the blood count by all results, by those that had come
    by then, and by those that had come on each later day; which events held on it."""
    today, first = START + timedelta(days=length), START + timedelta(days=min(begin, length))
    results = [
        it
        for on, lag in tests
        if on <= today
        for it in received(panel("cbc", on), on + timedelta(days=lag))
    ]
    found = cbc(results, today, tuple(it for it in happened if it.on <= today), first=first)
    whole = [it.days for it in found]
    assert all(one[1] == other[0] for one, other in pairwise(whole))
    assert (whole[0][0], whole[-1][1]) == (first, today + ONE_DAY)
    assert all(
        (one.state, one.known_since) != (other.state, other.known_since)
        for one, other in pairwise(found)
    )
    for interval in found:
        for day in days_of([interval.days]):
            held = {it.ground.reason for it in interval.given if it.days[0] <= day < it.days[1]}
            expected = _day_of(results, happened, day)
            assert (interval.state, interval.known_since, held) == expected, day


def _day_of(
    results: list[Result], happened: tuple[Event, ...], day: date
) -> tuple[State, date | None, set[Reason]]:
    past = sorted((it for it in happened if it.on <= day), key=lambda it: (it.on, it.id))
    until, held, away = None, False, False
    for it in past:
        if it.event == "monitored_elsewhere":
            until = date.fromisoformat(it.value)
        if it.event == "back":
            until = None
        held = it.event == "hold" or (held and it.event != "resume")
        away |= it.event == "away" and day < date.fromisoformat(it.value)
    if until is not None and day < until:
        return State.ELSEWHERE, None, {Reason.ELSEWHERE}
    collected = [it for it in results if it.collected_on <= day]
    ours = tuple(it for it in past if it.event not in ("monitored_elsewhere", "back"))

    def covered(known_on: date) -> bool:
        there = [it for it in collected if _known_on(it) <= known_on]
        answer = reviewed(there, day, ours)
        return not any(it.state in LATE for it in answer.panels if it.panel == "cbc")

    if not covered(date.max):
        reasons = {Reason.HOLD} if held else set()
        return State.NOT_COVERED, None, reasons | ({Reason.AWAY} if away else set())
    turns = sorted({day, *(_known_on(it) for it in collected if _known_on(it) > day)})
    since = next(it for it in turns if covered(it))
    return State.COVERED, None if since == day else since, set()


def _known_on(it: Result) -> date:
    came = it.received_at.date()
    return came if came > LATE_AFTER.after(it.collected_on) else it.collected_on


_ENDS = ("stop", "died", "transfer_out Dr Ash", "accepted_by Dr Ash", "start", "resume", "hold")


@settings(max_examples=40, deadline=None)
@given(
    tests=_TESTS,
    happened=_lives(),
    more=st.lists(st.tuples(_DAYS, st.sampled_from(_ENDS)), max_size=4),
    length=st.integers(0, 100),
    later=st.integers(0, 200),
    late_start=st.integers(0, 20),
)
def test_days_that_are_past_are_the_same_on_any_later_day(
    tests: list[tuple[date, int]],
    happened: tuple[Event, ...],
    more: list[tuple[date, str]],
    length: int,
    later: int,
    late_start: int,
) -> None:
    """Whatever happens after them: seen as on the last of them, or by all that is known since."""
    last = START + timedelta(days=length)
    told = (*happened, *events("; ".join(f"{day} {what}" for day, what in more)))
    who = enrolment(START + timedelta(days=late_start), START)
    results = [it for on, _ in tests for name in ("cbc", "lft") for it in panel(name, on)]

    def seen(today: date) -> tuple[object, ...]:
        known = tuple(it for it in results if it.collected_on <= today)
        past = tuple(it for it in told if it.on <= today)
        case = Case(enrolment=who, results=known, events=past)
        view = view_of(case, {"azathioprine": protocol()}, catalogue(), noon(today), ZONE)
        found = adherence(view, START, last)
        return found.here, found.elsewhere, found.watched, found.uncovered

    assert seen(last) == seen(last + timedelta(days=later))
