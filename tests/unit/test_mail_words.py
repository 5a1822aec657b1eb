"""How a mail says days, ages and distances."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.delivery.language import language, translated
from monitor.delivery.shown import view_of
from monitor.delivery.view import AlertView, Standing
from monitor.delivery.words import (
    age_words,
    discreet,
    distance,
    instant_words,
    old_sentence,
    pretty,
)
from tests.golden.mail_samples import BEN, overdue, point, raised_alt

ZONE = ZoneInfo("Europe/Zurich")
NOW = datetime(2026, 5, 12, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "comparator", "limit", "downward", "words"),
    [
        ("0.4", "", "0.5", True, "20 % below the limit"),
        ("0.499", "", "0.5", True, "less than 1 % below the limit"),
        ("0.5", "", "0.5", True, ""),
        ("0.1", "<", "0.5", True, "at least 80 % below the limit"),
        ("0.5", "<", "0.5", True, "below the limit"),
        ("0.4", ">", "0.5", True, "only a bound: may be beyond the limit"),
        ("0.6", "<", "0.5", True, "only a bound: may be beyond the limit"),
        ("0.5", "<=", "0.5", True, "only a bound: may be beyond the limit"),
        ("0.6", ">", "0.5", True, ""),
        ("90", "<", "100", False, ""),
        ("101", "", "100", False, "1 % above the limit"),
        ("262", "", "100", False, "2.6 times the limit"),
        ("700", ">", "250", False, "at least 2.8 times the limit"),
        ("3", "", "0", True, ""),
    ],
)
def test_a_distance_is_never_overstated(
    value: str, comparator: str, limit: str, downward: bool, words: str
) -> None:
    assert distance(Decimal(value), comparator, Decimal(limit), downward=downward) == words


def test_ages_are_counted_in_clinic_days() -> None:
    late = datetime(2026, 5, 11, 22, 30, tzinfo=UTC)  # already the 12th in Zurich
    assert age_words(late, NOW, ZONE) == "today"
    assert age_words(late - timedelta(hours=1), NOW, ZONE) == "yesterday"
    assert age_words(NOW - timedelta(days=5), NOW, ZONE) == "5 days ago"


def test_old_begins_after_three_days_and_not_before() -> None:
    assert old_sentence(NOW - timedelta(days=3), NOW, ZONE) == ""
    assert old_sentence(NOW - timedelta(days=3, seconds=1), NOW, ZONE).startswith("3 days old")


def test_a_day_without_a_time_is_shown_without_one() -> None:
    assert instant_words(datetime(2026, 5, 10, 22, 0, tzinfo=UTC), ZONE) == "Mon 11 May 2026"
    assert instant_words(NOW, ZONE) == "Tue 12 May 2026, 09:00"


@pytest.mark.parametrize(
    "text", ["Pregnancy test", "anti-HIV", "hepatitis B", "the patient died", "Death", "gravida 2"]
)
def test_what_is_unmentionable_is_replaced(text: str) -> None:
    assert discreet(text, "-") == "-"


def test_other_words_stay() -> None:
    assert discreet("archive, deadline, diedrich", "-") == "archive, deadline, diedrich"


def test_units_are_set_as_readers_know_them() -> None:
    assert pretty("42 mL/min/{1.73_m2}: below 60") == "42 mL/min/1.73 m²: below 60"
    assert pretty("bilirubin 52 umol/L") == "bilirubin 52 µmol/L"
    assert pretty("ferritin 12 ug/L, 400 /uL") == "ferritin 12 ug/L, 400 /uL"
    assert pretty("0.4 10*9/L and 4 10*12/L") == "0.4 ×10⁹/L and 4 ×10¹²/L"


def seen(
    number: int, shown: dict[str, Any], what: str = "opened", now: datetime = NOW, **standing: Any
) -> AlertView:
    """An alert of Ben's that stands since NOW, as it is told."""
    stands = Standing(state="open", opened_at=NOW, **standing)
    return view_of(number, shown, BEN, stands, what=what, reason="", now=now, zone=ZONE)


@pytest.mark.parametrize(
    ("state", "due_on", "late", "was"),
    [
        ("up_to_date", "2026-05-19", "due in 7 days", "is due"),
        ("due", "2026-05-13", "due in 1 day", "is due"),
        ("due", "2026-05-12", "due today", "is due"),
        ("due", "2026-05-11", "due", "was due"),
        ("overdue", "2026-05-08", "4 days overdue", "was due"),
    ],
)
def test_a_test_that_is_not_late_is_not_said_to_have_been_due(
    state: str, due_on: str, late: str, was: str
) -> None:
    """Of a sample that was clotted before its day an urgent mail said "up to date, was due" and a
    day to come."""
    shown = overdue("B-207", serious=False)
    shown["panels"][0] |= {"state": state, "due_on": due_on}
    told = seen(21, shown)
    assert [(panel.late, panel.was) for panel in told.panels] == [(late, was)]


@pytest.mark.parametrize(
    ("standing", "late"),
    [
        ({}, ["18 days overdue, seriously", "11 days overdue"]),
        ({"closed_at": NOW + timedelta(days=1)}, ["16 days overdue, seriously", "9 days overdue"]),
    ],
)
def test_days_overdue_are_those_of_the_day_it_is_told(
    standing: dict[str, Any], late: list[str]
) -> None:
    """The evidence is not written anew each day: a message that waited, or that goes to the next
    tier after a weekend, said the days of the day the alert opened."""
    later = NOW + timedelta(days=3)
    told = seen(21, overdue("B-207", serious=True), "escalated", later, **standing)
    assert [panel.late for panel in told.panels] == late


@pytest.mark.parametrize(
    ("status", "english", "german"),
    [("preliminary", "preliminary since", "seither vorläufig"), ("final", "since then", "seither")],
)
def test_a_newer_value_stands_beside_the_latest_that_counts(
    status: str, english: str, german: str
) -> None:
    """It said "Latest: 96 U/L (7 days ago)" above a table whose first line was of today: a
    preliminary value, or one of the treatment that came after."""
    shown = raised_alt()
    shown["series"] += [point("2026-05-12", "41", status=status, received="41 U/L")]
    told = seen(12, shown)
    assert told.latest == (
        "96 U/L on Tue 5 May 2026, 08:30 (7 days ago): back within the limit; "
        f"{english}: 41 U/L on Tue 12 May 2026, 08:30 (today)"
    )
    said = language("de").say(told.latest)
    assert said.endswith(f"; {german}: 41 U/L am Di 12. Mai 2026, 08:30 (heute)")


def test_what_a_protocol_gives_as_its_source_stays_as_it_is_written() -> None:
    """Half of it had become German, and its decimal points commas."""
    for source in ("2 of 3 lines low: 0.5 of 1 Jan 2026; ours", "founding brief; 0.5 and 0.2"):
        told = seen(12, raised_alt(source=source))
        german = dict(translated(told, language("de"), frozenset()).why)
        assert german["Quelle"] == source
