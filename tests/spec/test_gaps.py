"""Which days a test covered, which none did and why, and since when that was known: tables of
boundaries on the shipped schedule (weekly for eight weeks with two days of grace), and everything
day by day against a slow oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.adherence import adherence
from monitor.core.calendar import parse_duration
from monitor.core.case import Case, Event, Result
from monitor.core.gap_reasons import Ground, Reason, Tie
from monitor.core.gaps import Interval, State, panels
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
    result,
    reviewed,
)

LATE_AFTER = parse_duration("3 days")


def received(results: Iterable[Result], on: date) -> list[Result]:
    """The same, come in at noon of that day."""
    at = datetime.combine(on, time(12), tzinfo=UTC)
    return [it._replace(received_at=at) for it in results]


def january(day: int) -> date:
    return date(2026, 1, day)


def cbc(
    results: Iterable[Result],
    today: date,
    happened: tuple[Event, ...] = (),
    *,
    first: date = START,
    told: tuple[Ground, ...] = (),
    known: dict[tuple[str, date], date] | None = None,
) -> list[Interval]:
    """The intervals of the blood count up to a day."""
    case = Case(enrolment=enrolment(), results=tuple(results), events=happened)
    view = view_of(case, {"azathioprine": protocol()}, catalogue(), noon(today), ZONE)
    found = adherence(view, first, today)
    by_panel = {it.panel: it for it in panels(view, found, told, known or {}, LATE_AFTER)}
    return list(by_panel["cbc"].intervals)


def said(found: Iterable[Interval]) -> str:
    """`5-14 covered, 15-18 not_covered hold`: days of January."""
    words = []
    for it in found:
        last = it.days[1] - ONE_DAY
        since = f" known {it.known_since.day}" if it.known_since else ""
        reasons = "".join(f" {given.ground.reason.value}" for given in it.given)
        words.append(f"{it.days[0].day}-{last.day} {it.state.value}{since}{reasons}")
    return ", ".join(words)


@pytest.mark.parametrize(
    ("completions", "today", "expected"),
    [
        ([], 14, "5-14 covered"),
        ([], 15, "5-14 covered, 15-15 not_covered"),
        ([14], 20, "5-20 covered"),
        ([15], 20, "5-20 covered"),
        ([16], 20, "5-14 covered, 15-15 not_covered, 16-20 covered"),
        ([12], 21, "5-21 covered"),
        ([12], 22, "5-21 covered, 22-22 not_covered"),
        ([12, 24], 31, "5-21 covered, 22-23 not_covered, 24-31 covered"),
        ([12, 24], 30, "5-21 covered, 22-23 not_covered, 24-30 covered"),
    ],
)
def test_a_gap_is_from_the_day_after_the_grace_to_the_day_before_the_test(
    completions: list[int], today: int, expected: str
) -> None:
    results = [it for day in completions for it in panel("cbc", january(day))]
    assert said(cbc(results, january(today))) == expected


@pytest.mark.parametrize(
    ("happened", "expected"),
    [
        ("2026-01-16 stop", "5-14 covered, 15-15 not_covered"),
        ("2026-01-13 monitored_elsewhere 2026-01-24",
         "5-12 covered, 13-23 elsewhere monitored_elsewhere, 24-26 not_covered"),
        ("2026-01-20 monitored_elsewhere 2026-01-22; 2026-01-22 monitored_elsewhere 2026-01-25",
         "5-14 covered, 15-19 not_covered, 20-24 elsewhere monitored_elsewhere monitored_elsewhere, 25-26 not_covered"),
        ("2026-01-20 monitored_elsewhere 2026-02-20; 2026-01-22 back",
         "5-14 covered, 15-19 not_covered, 20-21 elsewhere monitored_elsewhere, 22-26 not_covered"),
        ("2026-01-10 hold", "5-14 covered, 15-26 not_covered hold"),
        ("2026-01-10 hold; 2026-01-15 resume", "5-14 covered, 15-26 not_covered"),
        ("2026-01-10 hold; 2026-01-16 resume", "5-14 covered, 15-26 not_covered hold"),
        ("2026-01-26 hold", "5-14 covered, 15-26 not_covered hold"),
        ("2026-01-12 away 2026-01-15", "5-14 covered, 15-26 not_covered"),
        ("2026-01-12 away 2026-01-16", "5-14 covered, 15-26 not_covered away"),
        ("2026-01-20 inpatient 2026-03-01", "5-14 covered, 15-26 not_covered inpatient"),
        ("2026-01-18 declined", "5-14 covered, 15-26 not_covered declined"),
        ("2026-01-05 supply 21", "5-14 covered, 15-26 not_covered supply_ran_out"),
        ("2026-01-05 supply 21; 2026-01-20 supply 28", "5-14 covered, 15-26 not_covered"),
        ("2026-01-19 transfer_out Dr Ash", "5-14 covered, 15-26 not_covered transfer_not_accepted"),
    ],
)  # fmt: skip
def test_what_happened_stands_beside_the_gap_and_moves_no_day_of_it(
    happened: str, expected: str
) -> None:
    assert said(cbc([], january(26), events(happened))) == expected


def test_a_refusal_before_the_last_test_explains_nothing_after_it() -> None:
    declined = events("2026-01-15 declined")
    results = panel("cbc", january(16))
    assert said(cbc(results, january(28), declined)) == (
        "5-14 covered, 15-15 not_covered declined, 16-25 covered, 26-28 not_covered"
    )


def test_a_refusal_on_the_day_of_the_test_is_answered_by_it() -> None:
    for day, reason in ((16, ""), (17, " declined")):
        found = cbc(panel("cbc", january(16)), january(28), events(f"2026-01-{day} declined"))
        assert said(found[-1:]) == f"26-28 not_covered{reason}"


def test_a_start_that_nobody_confirmed_is_said_until_it_is() -> None:
    for happened, reasons in (("", {"start_not_confirmed"}), ("2026-01-14 start", set())):
        who = enrolment(january(8), START)
        case = Case(enrolment=who, events=events(happened))
        view = view_of(case, {"azathioprine": protocol()}, catalogue(), noon(january(25)), ZONE)
        own = panels(view, adherence(view, START, january(25)), (), {}, LATE_AFTER)
        gap = next(it for it in own if it.panel == "cbc").intervals[-1]
        assert (gap.state, gap.days[0]) == (State.NOT_COVERED, january(18))
        assert {it.ground.reason.value for it in gap.given} == reasons


def test_a_reason_covers_its_own_days_of_a_gap_and_the_others_stay_without() -> None:
    (_, gap) = cbc([], january(26), events("2026-01-12 away 2026-01-18"))
    assert [(it.days[0].day, it.days[1].day) for it in gap.given] == [(15, 18)]
    assert [(first.day, end.day) for first, end in gap.unexplained] == [(18, 27)]
    ranks = gap.ranks()
    assert ranks[january(17)] == Reason.AWAY.rank
    assert ranks[january(18)] == Reason.NOTHING.rank


def test_a_sample_that_was_not_whole_is_a_reason_until_the_next() -> None:
    part = [it for it in panel("cbc", january(13)) if it.analyte != "lymphocytes"]
    clotted = [result("platelets", None, january(20), no_result="clotted")]
    (_, gap) = cbc([*part, *clotted], january(21))
    assert [(it.ground.said, it.days[0].day) for it in gap.given] == [
        ("no lymphocytes", 15),
        ("no value that counts", 20),
    ]


def test_a_sample_of_the_last_day_of_a_gap_counts_and_one_of_the_test_does_not() -> None:
    part = [it for it in panel("cbc", january(25)) if it.analyte != "lymphocytes"]
    whole = panel("cbc", january(26))
    (_, gap) = cbc(part, january(25))
    assert [(it.ground.first, it.days) for it in gap.given] == [
        (january(25), (january(25), january(26)))
    ]
    (_, gap, _) = cbc([*part, *whole], january(28))
    assert [it.ground.first for it in gap.given] == [january(25)]


def test_each_hold_has_its_own_note_and_each_attestation_its_own_days() -> None:
    notes = {2: "fever", 4: "surgery"}
    told = "2026-01-15 away 2026-01-16; 2026-01-16 hold; 2026-01-18 resume; 2026-01-20 hold"
    happened = tuple(replace(it, note=notes.get(it.id, "")) for it in events(told))
    (_, gap) = cbc([], january(26), happened)
    assert [(it.ground.said, it.days[0].day, it.days[1].day) for it in gap.given][1:] == [
        ("fever", 16, 18), ("surgery", 20, 27),
    ]  # fmt: skip
    elsewhere = (
        "2026-01-06 monitored_elsewhere 2026-02-01; 2026-01-20 monitored_elsewhere 2026-01-24; "
        "2026-01-26 monitored_elsewhere 2026-02-01"
    )
    spells = [it for it in cbc([], january(26), events(elsewhere)) if it.state is State.ELSEWHERE]
    assert [
        [(it.ground.said, it.days[0].day, it.days[1].day) for it in spell.given] for spell in spells
    ] == [
        [("until 1 Feb 2026", 6, 20), ("until 24 Jan 2026", 20, 24)],
        [("until 1 Feb 2026", 26, 27)],
    ]


@pytest.mark.parametrize(("recorded", "afterwards"), [(16, False), (19, False), (20, True)])
def test_what_was_recorded_later_than_results_come_says_so(recorded: int, afterwards: bool) -> None:
    at = datetime.combine(january(recorded), time(12), tzinfo=UTC)
    (hold,) = events("2026-01-16 hold")
    (_, gap) = cbc([], january(26), (replace(hold, received_at=at),))
    (given,) = gap.given
    assert (given.afterwards, given.ground.recorded_on) == (afterwards, january(recorded))


def test_one_of_several_analytes_is_enough_to_have_known_of_a_test() -> None:
    """The ALT came at once, the AST beside it weeks later; and the other way about."""
    done = date(2026, 4, 20)
    today = date(2026, 5, 25)
    for first, second in (("alt", "ast"), ("ast", "alt")):
        at_once = received([result("bilirubin", "10", done), result(first, "20", done)], done)
        late = received([result(second, "20", done)], date(2026, 5, 20))
        case = Case(enrolment=enrolment(), results=(*at_once, *late))
        view = view_of(case, {"azathioprine": protocol()}, catalogue(), noon(today), ZONE)
        own = panels(view, adherence(view, START, today), (), {}, LATE_AFTER)
        intervals = next(it for it in own if it.panel == "lft").intervals
        assert [it.state.value for it in intervals] == ["covered", "not_covered", "covered"]
        assert not any(it.known_since for it in intervals)


def test_the_longest_gap_is_the_first_of_the_longest() -> None:
    results = [it for day in (16, 28) for it in panel("cbc", january(day))]
    case = Case(enrolment=enrolment(), results=tuple(results))
    view = view_of(case, {"azathioprine": protocol()}, catalogue(), noon(january(29)), ZONE)
    own = panels(view, adherence(view, START, january(29)), (), {}, LATE_AFTER)
    longest = next(it for it in own if it.panel == "cbc").longest
    assert longest is not None and longest.days == (january(26), january(28))


def test_a_silent_feed_explains_only_who_became_overdue_while_it_was() -> None:
    def silent(since: int) -> Ground:
        return Ground(
            reason=Reason.FEED_SILENT, first=january(since), end=january(18), said="",
            record="", recorded_on=january(since), tie=Tie.BEGUN_IN_IT,
        )  # fmt: skip

    assert said(cbc([], january(20), told=(silent(15),))).endswith("15-20 not_covered feed_silent")
    assert said(cbc([], january(20), told=(silent(16),))).endswith("15-20 not_covered")


@pytest.mark.parametrize(
    ("lag", "expected"),
    [
        (0, "5-25 covered"),
        (3, "5-25 covered"),
        (4, "5-14 covered, 15-17 covered known 18, 18-25 covered"),
        (9, "5-14 covered, 15-20 covered known 23, 21-25 covered"),
        (30, "5-14 covered, 15-23 covered known 13, 24-25 not_covered"),
    ],
)
def test_what_came_late_covered_its_days_and_that_was_known_only_then(
    lag: int, expected: str
) -> None:
    """Tested on 14 January, and again on the 21st, except in the last case: known on 13 February."""
    results = received(panel("cbc", january(14)), january(14) + timedelta(days=lag))
    if lag < 30:
        results += panel("cbc", january(21))
    assert said(cbc(results, january(25))) == expected


def test_a_correction_that_came_late_does_not_make_the_test_late() -> None:
    results = [
        *received(panel("cbc", january(14)), january(15))[:-1],
        *received(panel("cbc", january(14))[-1:], january(22)),
        *panel("cbc", january(21)),
    ]
    key = (results[4].analyte, january(14))
    late = said(cbc(results, january(25)))
    assert late == "5-14 covered, 15-20 covered known 22, 21-25 covered"
    assert said(cbc(results, january(25), known={key: january(15)})) == "5-25 covered"


def test_a_covered_day_names_its_tests_and_which_of_them_is_only_declared() -> None:
    who = replace(enrolment(), last_tested_on=date(2025, 12, 29))
    results = [it for day in (12, 19) for it in panel("cbc", january(day))]
    case = Case(enrolment=who, results=tuple(results))
    view = view_of(case, {"azathioprine": protocol()}, catalogue(), noon(january(25)), ZONE)
    own = panels(view, adherence(view, START, january(25)), (), {}, LATE_AFTER)
    (interval,) = next(it for it in own if it.panel == "cbc").intervals
    assert interval.tests == (date(2025, 12, 29), january(12), january(19))
    assert interval.declared == date(2025, 12, 29)
    (later,) = cbc(results, january(25), first=january(20))
    assert (later.tests, later.declared) == ((january(19),), None)
    before, _, after = cbc(panel("cbc", january(15))[:0] + panel("cbc", january(16)), january(16))
    assert (before.tests, after.tests) == ((), (january(16),))


def test_a_gap_that_began_before_the_days_asked_for_says_since_when() -> None:
    (gap,) = cbc([], january(26), first=january(20))
    assert gap.lapse is not None
    assert (gap.days[0], gap.lapse.days[0], gap.lapse.due_on) == (
        january(20), january(15), january(12),
    )  # fmt: skip


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


def test_the_days_are_those_of_the_report_on_tests_done() -> None:
    """A patient's days covered are those on which every panel is."""
    results = [*panel("cbc", january(12)), *panel("lft", january(12))]
    case = Case(enrolment=enrolment(), results=tuple(results))
    view = view_of(case, {"azathioprine": protocol()}, catalogue(), noon(date(2026, 6, 1)), ZONE)
    found = adherence(view, START, date(2026, 6, 1))
    own = panels(view, found, (), {}, LATE_AFTER)
    missing = {day for it in own for gap in it.intervals for day in gap.ranks()}
    assert found.watched - missing == found.watched - found.uncovered


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
