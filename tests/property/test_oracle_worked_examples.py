"""The oracle itself against the worked examples of section 4: a wrong judge judges nobody."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest

from monitor.core import due
from monitor.core.case import Event, Result
from monitor.core.review import review
from tests.property.made_cases import (
    CBC_OF_A_HEALTHY_DAY,
    LFT_OF_A_HEALTHY_DAY,
    UTC_ZONE,
    case,
    enrolment,
    event,
    instant,
    panel_results,
    result,
)
from tests.property.made_protocols import WORKED
from tests.property.oracle import answer, due_day
from tests.property.oracle_values import above, below
from tests.property.shipped import catalogue

START = date(2026, 1, 5)
INCREASE_IN_APRIL = [event(1, START, "dose", "50"), event(2, date(2026, 4, 20), "dose", "100")]
INCREASE_IN_JUNE = [event(1, START, "dose", "50"), event(2, date(2026, 6, 15), "dose", "100")]


def cbc(*days: date, **other: str) -> list[Result]:
    return panel_results(list(days), CBC_OF_A_HEALTHY_DAY | other)


def lft(*days: date) -> list[Result]:
    return panel_results(list(days), LFT_OF_A_HEALTHY_DAY)


def weekly_to(last: date) -> list[Result]:
    days = [START + timedelta(days=7 * week) for week in range(1, 8)]
    return cbc(*[day for day in days if day < last], last)


def low_counts() -> list[Result]:
    return cbc(date(2026, 6, 2), neutrophils="0.9")


@pytest.mark.parametrize(
    ("panel", "results", "events", "today", "due", "state", "because"),
    [
        (
            "cbc",
            cbc(date(2025, 12, 29)),
            [],
            date(2026, 1, 5),
            date(2026, 1, 12),
            "up_to_date",
            "schedule",
        ),
        (
            "cbc",
            cbc(date(2026, 1, 12)),
            [],
            date(2026, 1, 13),
            date(2026, 1, 19),
            "up_to_date",
            "schedule",
        ),
        (
            "cbc",
            cbc(date(2026, 1, 12)),
            [],
            date(2026, 4, 20),
            date(2026, 1, 19),
            "seriously_overdue",
            "schedule",
        ),
        (
            "cbc",
            weekly_to(date(2026, 2, 23)),
            [],
            date(2026, 2, 24),
            date(2026, 3, 2),
            "up_to_date",
            "schedule",
        ),
        (
            "cbc",
            weekly_to(date(2026, 2, 24)),
            [],
            date(2026, 2, 25),
            date(2026, 3, 2),
            "up_to_date",
            "schedule",
        ),
        (
            "cbc",
            weekly_to(date(2026, 2, 27)),
            [],
            date(2026, 2, 28),
            date(2026, 5, 27),
            "up_to_date",
            "schedule",
        ),
        (
            "cbc",
            weekly_to(date(2026, 3, 2)),
            [],
            date(2026, 3, 3),
            date(2026, 6, 2),
            "up_to_date",
            "schedule",
        ),
        (
            "lft",
            lft(date(2025, 12, 29)),
            [],
            date(2026, 1, 6),
            date(2026, 4, 5),
            "up_to_date",
            "schedule",
        ),
        (
            "lft",
            lft(date(2026, 11, 30)),
            [],
            date(2026, 12, 1),
            date(2027, 2, 28),
            "up_to_date",
            "schedule",
        ),
        (
            "cbc",
            weekly_to(date(2026, 3, 2)),
            INCREASE_IN_APRIL,
            date(2026, 4, 21),
            date(2026, 4, 27),
            "up_to_date",
            "schedule",
        ),
        (
            "cbc",
            weekly_to(date(2026, 3, 2)),
            INCREASE_IN_JUNE,
            date(2026, 6, 16),
            date(2026, 6, 2),
            "overdue",
            "schedule",
        ),
        ("cbc", low_counts(), [], date(2026, 6, 3), date(2026, 6, 4), "due", "recheck"),
    ],
)
def test_the_oracle_gives_the_worked_examples(
    panel: str,
    results: list[Result],
    events: list[Event],
    today: date,
    due: date,
    state: str,
    because: str,
) -> None:
    patient = case(enrolment(START), results, events)
    said = answer(patient, WORKED, catalogue(), instant(today), UTC_ZONE).panels[panel]
    assert (said.due_on, said.state, said.because) == (due, state, because)


@pytest.mark.parametrize(
    ("value", "comparator", "limit", "word"),
    [
        ("0.5", "", "0.5", "no"),
        ("0.499", "", "0.5", "certain"),
        ("0.5", "<", "0.5", "certain"),
        ("0.6", "<", "0.5", "may"),
        ("0.5", "<=", "0.5", "may"),
        ("0.4", "<=", "0.5", "certain"),
        ("0.5", ">", "0.5", "no"),
        ("0.4", ">", "0.5", "may"),
        ("0.5", ">=", "0.5", "no"),
        ("0.4", ">=", "0.5", "may"),
    ],
)
def test_the_oracle_reads_comparators_below_a_limit_and_their_mirror_above_it(
    value: str, comparator: str, limit: str, word: str
) -> None:
    mirror = {"": "", "<": ">", "<=": ">=", ">": "<", ">=": "<="}[comparator]
    assert below(Fraction(value), comparator, Fraction(limit)) == word
    assert above(-Fraction(value), mirror, -Fraction(limit)) == word


def test_of_two_anchors_that_give_the_same_day_the_shorter_grace_counts() -> None:
    """2 Mar + 3 months and the restart of 26 May + 1 week both give 2 Jun: 2 days of grace."""
    last, anchors = date(2026, 3, 2), [START, date(2026, 5, 26)]
    day, entries, _ = due_day(WORKED, "cbc", last, anchors)
    found = due.scheduled(WORKED, "cbc", last, anchors, date(2026, 5, 26))
    assert found is not None
    assert day == found.due_on == date(2026, 6, 2)
    assert [entry.grace.days for entry in entries] == [2] == [found.schedule.grace.days]


def test_a_recheck_takes_the_grace_of_an_earlier_due_day() -> None:
    """Due on 2 Jun with grace to 9 Jun; neutrophils 1.2 on 30 May ask for a count by 6 Jun."""
    low = result(99, "neutrophils", "1.2", instant(date(2026, 5, 30)))
    patient = case(enrolment(START), [*cbc(date(2026, 3, 2)), low])
    for day, state in [(date(2026, 6, 6), "due"), (date(2026, 6, 7), "overdue")]:
        said = answer(patient, WORKED, catalogue(), instant(day), UTC_ZONE).panels["cbc"]
        [found] = review([patient], {"worked": WORKED}, catalogue(), instant(day), UTC_ZONE)
        assert (said.due_on, said.state) == (date(2026, 6, 2), state)
        assert (found.panels[0].due_on, found.panels[0].state) == (date(2026, 6, 2), state)
