"""Which days a test covered, which none did and why, and since when that was known: tables of
boundaries on the shipped schedule (weekly for eight weeks with two days of grace)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from monitor.core.adherence import adherence
from monitor.core.case import Case
from monitor.core.gap_reasons import Ground, Reason, Tie
from monitor.core.gaps import Interval, State, panels
from monitor.core.review import view_of
from monitor.core.spans import ONE_DAY
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
)
from tests.spec.gap_cases import LATE_AFTER, cbc, january, received


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


def test_the_days_are_those_of_the_report_on_tests_done() -> None:
    """A patient's days covered are those on which every panel is."""
    results = [*panel("cbc", january(12)), *panel("lft", january(12))]
    case = Case(enrolment=enrolment(), results=tuple(results))
    view = view_of(case, {"azathioprine": protocol()}, catalogue(), noon(date(2026, 6, 1)), ZONE)
    found = adherence(view, START, date(2026, 6, 1))
    own = panels(view, found, (), {}, LATE_AFTER)
    missing = {day for it in own for gap in it.intervals for day in gap.ranks()}
    assert found.watched - missing == found.watched - found.uncovered
