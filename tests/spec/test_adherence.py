"""What became of each test that was due: tables of boundaries on the shipped schedule (weekly for
eight weeks with two days of grace), and the days covered against a slow oracle."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.adherence import Adherence, Became, adherence
from monitor.core.case import Case, Event
from monitor.core.review import view_of
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

LAST = date(2026, 12, 31)


def outcome(
    cbc: list[date],
    today: date,
    happened: tuple[Event, ...] = (),
    first: date = START,
    lft: list[date] | None = None,
) -> Adherence:
    results = [it for day in cbc for it in panel("cbc", day)]
    results += [it for day in lft or [] for it in panel("lft", day)]
    case = Case(enrolment=enrolment(), results=tuple(results), events=happened)
    view = view_of(case, {"azathioprine": protocol()}, catalogue(), noon(today), ZONE)
    return adherence(view, first, LAST)


def said(found: Adherence) -> str:
    """`12 missed, 19 late 22`: the days of January, with the day it was done."""
    words = []
    for test in sorted(found.tests, key=lambda it: it.due_on):
        if test.panel == "cbc":
            done = f" {test.done_on.day}" if test.done_on else ""
            words.append(f"{test.due_on.day} {test.became.value}{done}")
    return ", ".join(words)


@pytest.mark.parametrize(
    ("completions", "today", "expected"),
    [
        ([], 11, ""),
        ([], 12, "12 waiting"),
        ([], 14, "12 waiting"),
        ([], 15, "12 missed"),
        ([], 19, "12 missed, 19 waiting"),
        ([], 29, "12 missed, 19 missed, 26 missed"),
        ([12], 12, "12 in_time 12"),
        ([9], 13, "12 in_time 9"),
        ([13], 13, "12 in_grace 13"),
        ([14], 14, "12 in_grace 14"),
        ([15], 15, "12 late 15"),
        ([18], 18, "12 late 18"),
        ([19], 19, "12 missed, 19 in_time 19"),
        ([20], 20, "12 missed, 19 in_grace 20"),
        ([22], 22, "12 missed, 19 late 22"),
        ([12, 19], 26, "12 in_time 12, 19 in_time 19, 26 waiting"),
        ([15, 22], 22, "12 late 15, 22 in_time 22"),
        ([1, 3, 12], 12, "12 in_time 12"),
    ],
)
def test_what_became_of_each_due_test(completions: list[int], today: int, expected: str) -> None:
    days = [date(2026, 1, day) for day in completions]
    assert said(outcome(days, date(2026, 1, today))) == expected


def test_nothing_is_due_after_a_stop_or_while_another_clinic_monitors() -> None:
    stopped = events("2026-01-16 stop")
    assert said(outcome([date(2026, 1, 12)], date(2026, 2, 20), stopped)) == "12 in_time 12"
    away = events("2026-01-13 monitored_elsewhere 2026-01-24")
    found = outcome([date(2026, 1, 12)], date(2026, 1, 27), away)
    assert said(found) == "12 in_time 12, 26 waiting"
    assert found.days == 8 + 4


def test_a_test_that_leaves_the_last_of_a_phase_owed_is_no_answer_to_it() -> None:
    """Day 50 and day 52 of the weekly phase: the test of day 56 is owed once."""
    weekly = [date(2026, 1, 12) + timedelta(days=7 * number) for number in range(6)]
    days = [*weekly, date(2026, 2, 24), date(2026, 2, 26), date(2026, 3, 3)]
    found = [it for it in outcome(days, date(2026, 3, 4)).tests if it.due_on.month == 3]
    assert [(it.due_on.day, it.became) for it in found] == [(2, Became.IN_GRACE)]


def test_a_delay_is_from_the_due_day() -> None:
    early, late = (
        outcome([date(2026, 1, 9)], date(2026, 1, 12)),
        outcome([date(2026, 1, 17)], date(2026, 1, 17)),
    )
    assert [it.delay_days for it in early.tests] == [0]
    assert [it.delay_days for it in late.tests] == [5]


def test_only_what_came_due_in_the_days_asked_for() -> None:
    found = outcome([], date(2026, 1, 27), first=date(2026, 1, 19))
    assert said(found) == "19 missed, 26 waiting"
    assert (found.days, found.covered) == (9, 0)


_DAYS = st.integers(min_value=-9, max_value=170).map(lambda days: START + timedelta(days=days))


@settings(max_examples=8, deadline=None)
@given(
    cbc=st.lists(_DAYS, max_size=14, unique=True).map(sorted),
    lft=st.lists(_DAYS, max_size=3, unique=True).map(sorted),
    increase=st.none() | _DAYS.filter(lambda day: day >= START),
    length=st.integers(min_value=0, max_value=170),
)
def test_the_days_covered_are_those_on_which_nothing_was_overdue(
    cbc: list[date], lft: list[date], increase: date | None, length: int
) -> None:
    """Day by day: what the review of that day said of the panels."""
    today = START + timedelta(days=length)
    cbc, lft = ([it for it in days if it <= today] for days in (cbc, lft))
    happened = events(f"{increase} dose 75") if increase is not None else ()
    found = outcome(cbc, today, happened, lft=lft)
    covered = 0
    for number in range(length + 1):
        day = START + timedelta(days=number)
        results = [it for done in cbc if done <= day for it in panel("cbc", done)]
        results += [it for done in lft if done <= day for it in panel("lft", done)]
        known = tuple(it for it in happened if it.on <= day)
        answer = reviewed(results, day, known)
        covered += not any(it.state in LATE for it in answer.panels)
    assert (found.days, found.covered) == (length + 1, covered)
    places = [(it.panel, it.due_on) for it in found.tests]
    assert len(places) == len(set(places))
    assert all(it.due_on <= today for it in found.tests)
