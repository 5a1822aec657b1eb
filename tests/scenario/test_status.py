"""Status rows and the ledger, derived live at any instant."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from monitor.core.enrolment_status import LEDGER_STATES
from monitor.operations.desk import desk
from monitor.operations.explain import explain_patient, in_words
from monitor.operations.report_compliance import compliance
from monitor.operations.report_overdue import Which, overdue
from monitor.operations.status import Everybody, ledger, status_rows
from monitor.operations.worklist import Wanted, worklist
from tests.clinic import CBC, LFT, Clinic, at
from tests.statements import asked


def _panel(rows: list[dict[str, object]], mrn: str, panel: str) -> dict[str, object]:
    return next(row for row in rows if row["mrn"] == mrn and row["panel"] == panel)


def test_each_panel_has_a_row_with_exactly_the_agreed_keys(ward: Clinic) -> None:
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-05", CBC | LFT)
    ward.results("A1", "2026-01-12", CBC)
    rows = status_rows(ward.store, ward.settings, at("2026-04-20"))
    assert _panel(rows, "A1", "cbc") == {
        "mrn": "A1",
        "drug": "azathioprine",
        "protocol": "azathioprine",
        "enrolment_state": "active",
        "panel": "cbc",
        "phase": "weekly",
        "last_completed_on": "2026-01-12",
        "due_on": "2026-01-19",
        "because": "schedule",
        "state": "seriously_overdue",
        "days_overdue": 91,
    }
    assert {row["panel"] for row in rows} == {"cbc", "lft"}


def test_the_past_sees_nothing_that_came_later(ward: Clinic) -> None:
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-05", CBC | LFT)
    ward.results("A1", "2026-01-12", CBC)
    ward.event("A1", "2026-01-13", "hold")
    ward.review(at("2026-01-20"))
    row = _panel(status_rows(ward.store, ward.settings, at("2026-01-11")), "A1", "cbc")
    assert (row["last_completed_on"], row["due_on"]) == ("2026-01-05", "2026-01-12")
    assert row["enrolment_state"] == "active"
    row = _panel(status_rows(ward.store, ward.settings, at("2026-01-14")), "A1", "cbc")
    assert (row["last_completed_on"], row["enrolment_state"]) == ("2026-01-12", "held")


def test_a_result_collected_later_today_is_not_seen_although_a_review_has_counted_it(
    ward: Clinic,
) -> None:
    """A laboratory's clock goes ahead: what the review before remembered was shown as done."""
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-05", CBC | LFT)
    ward.review(at("2026-01-05") + timedelta(hours=1))
    ward.results("A1", "2026-01-12", CBC, hour=23, received_at=at("2026-01-12"))
    now = at("2026-01-12") + timedelta(hours=1)
    ward.review(now)
    later = now + timedelta(hours=1)
    row = _panel(status_rows(ward.store, ward.settings, later), "A1", "cbc")
    assert (row["last_completed_on"], row["due_on"]) == ("2026-01-05", "2026-01-12")
    assert ledger(ward.store, ward.settings, later)["due"] == 1
    row = _panel(status_rows(ward.store, ward.settings, later + timedelta(hours=12)), "A1", "cbc")
    assert (row["last_completed_on"], row["due_on"]) == ("2026-01-12", "2026-01-19")


TODAY = at("2026-02-16")


def _enrol_of_every_state(ward: Clinic) -> None:
    """Of whom the schedule alone asks for tests, one in each state (nobody is that before the
    first dose)."""
    for mrn in ("UP", "DUE", "LATE", "LONG", "HELD", "STOPPED", "AWAY"):
        ward.enrol(mrn, now=at("2026-01-05"))
    last = {"UP": "2026-02-15", "DUE": "2026-02-09", "LATE": "2026-02-05", "LONG": "2026-01-12"}
    for mrn in ("UP", "DUE", "LATE", "LONG", "HELD", "STOPPED", "AWAY"):
        ward.results(mrn, "2026-01-05", CBC | LFT)
        ward.results(mrn, last.get(mrn, "2026-02-15"), CBC | LFT)
    ward.event("HELD", "2026-02-02", "hold")
    ward.event("STOPPED", "2026-02-02", "stop")
    ward.event("AWAY", "2026-02-02", "monitored_elsewhere", value="2026-04-01")


def _all_that_is_told(ward: Clinic, now: datetime) -> Any:
    store, settings = ward.store, ward.settings
    everybody = Everybody(store, settings, now)
    return (
        (list(everybody), everybody.ledger()),
        overdue(store, settings, Which(), now),
    )


def test_where_everybody_stands_is_told_by_what_their_reviews_left_and_is_what_judging_them_says(
    ward: Clinic,
) -> None:
    _enrol_of_every_state(ward)
    ward.review(TODAY)
    now = TODAY + timedelta(hours=1)
    with asked(ward.store) as statements:
        told = _all_that_is_told(ward, now)
    assert not [it for it in statements if "FROM results" in it or "JOIN results" in it]
    counts = told[0][1]
    expected = dict.fromkeys(LEDGER_STATES, 1) | {"up_to_date": 2, "planned": 0}
    assert {state: counts[state] for state in LEDGER_STATES} == expected
    assert counts["of_whom_held"] == 1
    with ward.store.write() as connection:
        connection.exec_driver_sql("UPDATE enrolments SET kept_by = NULL")
    with asked(ward.store) as statements:
        assert _all_that_is_told(ward, now) == told
    assert [it for it in statements if "results" in it]


def test_who_has_more_to_say_than_a_schedule_is_judged_when_all_are_asked_for(
    ward: Clinic,
) -> None:
    ward.enrol("UP", now=at("2026-01-05"))
    ward.enrol("LOW", now=at("2026-01-05"))
    ward.results("UP", "2026-02-13", CBC | LFT)
    ward.results("LOW", "2026-02-13", CBC | LFT | {"neutrophils": "0.9"})
    ward.enrol("NEW", now=TODAY)
    ward.review(TODAY)
    ward.results("UP", "2026-02-15", LFT, received_at=TODAY)  # nobody has looked at it yet
    rows = status_rows(ward.store, ward.settings, TODAY + timedelta(hours=1))
    low, up = _panel(rows, "LOW", "cbc"), _panel(rows, "UP", "lft")
    assert (low["because"], low["due_on"]) == ("recheck", "2026-02-15")
    assert up["last_completed_on"] == "2026-02-15"
    tomorrow = status_rows(ward.store, ward.settings, at("2026-02-25"))
    assert _panel(tomorrow, "UP", "cbc")["state"] == "overdue"


def test_a_recheck_is_told_as_the_reason(ward: Clinic) -> None:
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-06-02", CBC | LFT | {"neutrophils": "0.9"})
    row = _panel(status_rows(ward.store, ward.settings, at("2026-06-03")), "A1", "cbc")
    assert (row["due_on"], row["because"]) == ("2026-06-04", "recheck")


def test_one_patient_is_found_whatever_the_case_and_spaces(ward: Clinic) -> None:
    ward.enrol("A1")
    ward.enrol("B2")
    rows = status_rows(ward.store, ward.settings, at("2026-01-06"), " a1 ")
    assert {row["mrn"] for row in rows} == {"A1"}
    assert status_rows(ward.store, ward.settings, at("2026-01-06"), "C3") == []


def test_everyone_is_in_exactly_one_state_of_the_ledger(ward: Clinic) -> None:
    for mrn in ("late", "held", "stopped", "elsewhere", "new"):
        ward.enrol(mrn, now=at("2026-01-05"))
        ward.results(mrn, "2026-01-05", CBC | LFT)
    ward.enrol("planned", "2026-03-01", now=at("2026-01-05"))
    ward.event("held", "2026-01-06", "hold")
    ward.event("stopped", "2026-01-06", "stop")
    ward.event("elsewhere", "2026-01-06", "monitored_elsewhere", "2026-06-01")
    ward.results("new", "2026-01-15", CBC)
    counts = ledger(ward.store, ward.settings, at("2026-01-16"))
    assert counts == {
        "enrolled": 6,
        "seriously_overdue": 0,
        "overdue": 2,
        "due": 0,
        "up_to_date": 1,
        "planned": 1,
        "elsewhere": 1,
        "stopped": 1,
        "of_whom_held": 1,
    }


def test_one_that_cannot_be_judged_is_shown_and_not_counted_as_well(ward: Clinic) -> None:
    ward.enrol("A1", protocol_id="no such protocol", dose_mg_per_day=Decimal(50))
    (row,) = status_rows(ward.store, ward.settings, at("2026-01-06"))
    assert (row["mrn"], row["state"]) == ("A1", None)
    assert ledger(ward.store, ward.settings, at("2026-01-06"))["not_judged"] == 1


def test_an_empty_clinic_has_an_empty_status(ward: Clinic) -> None:
    assert status_rows(ward.store, ward.settings, at("2026-01-06")) == []
    assert ledger(ward.store, ward.settings, at("2026-01-06"))["enrolled"] == 0


def test_a_treatment_entered_and_begun_later_is_not_of_the_past(ward: Clinic) -> None:
    """One that was entered late is there from its start day, a planned one from its entry."""
    ward.enrol("entered late", "2026-01-05", now=at("2026-03-01"))
    ward.enrol("planned", "2026-03-15", now=at("2026-02-01"))
    ward.enrol("later", "2026-03-01", now=at("2026-03-01"))
    for day, known in (
        ("2026-01-04", set()),
        ("2026-01-05", {"entered late"}),
        ("2026-02-01", {"entered late", "planned"}),
        ("2026-02-28", {"entered late", "planned"}),
        ("2026-03-01", {"entered late", "planned", "later"}),
    ):
        assert {it["mrn"] for it in status_rows(ward.store, ward.settings, at(day))} == known
        assert ledger(ward.store, ward.settings, at(day))["enrolled"] == len(known)
    told = explain_patient(ward.store, ward.settings, "later", date(2026, 2, 28), at("2026-03-02"))
    assert (told["mrn"], told["enrolments"]) == ("later", [])
    assert in_words(told) == ["later was not enrolled yet; as of 28 Feb 2026, 23:59"]


def test_who_is_monitored_here_and_who_has_a_review_ahead_are_one_number_everywhere(
    ward: Clinic,
) -> None:
    """ "Watched" was three of these five on the worklist, one in the reports, and the operator's
    page told of five. Two things, each with its word and its number."""
    now = at("2026-01-20")
    for mrn in ("active", "elsewhere", "stopped", "dead"):
        ward.enrol(mrn, now=at("2026-01-05"))
    ward.enrol("planned", "2026-03-01", now=at("2026-01-05"))
    ward.event("elsewhere", "2026-01-06", "monitored_elsewhere", "2026-06-01")
    ward.event("stopped", "2026-01-06", "stop")
    ward.event("dead", "2026-01-06", "died")
    ward.review(now)
    seen = desk(ward.store, ward.settings, now)
    assert (seen.patients["enrolled"], seen.with_review_ahead, seen.monitored_here) == (5, 3, 1)
    assert worklist(ward.store, ward.settings, Wanted(), now).with_review_ahead == 3
    assert overdue(ward.store, ward.settings, Which(), now).monitored_here == 1
    tested = compliance(ward.store, ward.settings, Which(), (None, None), now).document()
    assert tested["overdue_at_month_end"][-1]["monitored_here"] == 1
