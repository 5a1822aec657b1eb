"""Status rows and the ledger, derived live at any instant."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from monitor.operations.explain import explain_patient, in_words
from monitor.operations.status import ledger, status_rows
from tests.clinic import CBC, LFT, Clinic, at


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
