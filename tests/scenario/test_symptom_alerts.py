"""The life of a symptom alert: opened once, ended by a person alone, withdrawn by a correction."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from monitor.core.vocabulary import AlertState, Kind, Urgency
from monitor.operations.people import close
from monitor.operations.verify import verify
from monitor.store import tables
from tests.clinic import CBC, LFT, Clinic, at, whats
from tests.desk import sqlite_desk


def _fever(ward: Clinic) -> int:
    enrolment = ward.enrol("A1", now=at("2026-01-05"), tpmt="normal", nudt15="normal")
    ward.results("A1", "2026-01-05", CBC | LFT)
    ward.results("A1", "2026-01-12", CBC)
    ward.review(at("2026-01-12"))
    ward.event("A1", "2026-01-14", "symptom", "fever")
    ward.review(at("2026-01-14"))
    return enrolment


def _close(ward: Clinic, day: str, review_by: date | None = None) -> None:
    (row,) = ward.rows(tables.AlertRow, cause="symptom:infection")
    outcome = "seen, a cold"
    close(
        ward.store, ward.settings, row.id, by="Dr B", outcome=outcome, review_by=review_by,
        now=at(day),
    )  # fmt: skip


def _history(ward: Clinic) -> list[str]:
    (row,) = ward.rows(tables.AlertRow, cause="symptom:infection")
    return whats(ward.rows(tables.AlertHistory, alert_id=row.id))


def test_a_fever_opens_an_alert_and_makes_the_count_due(ward: Clinic) -> None:
    enrolment = _fever(ward)
    (alert,) = [it for it in ward.alerts(enrolment) if it.cause == "symptom:infection"]
    assert (alert.kind, alert.urgency) == (Kind.REVIEW, Urgency.URGENT)
    ward.review(at("2026-01-15"))
    (late,) = [it for it in ward.alerts(enrolment) if it.kind is Kind.OVERDUE_TEST]
    assert "was due 14 Jan 2026" in late.summary
    ward.results("A1", "2026-01-15", CBC)
    ward.review(at("2026-01-15", 14))
    states = {it.cause: it.state for it in ward.alerts(enrolment)}
    assert states["overdue"] is AlertState.CLOSED
    assert states["symptom:infection"] is AlertState.OPEN


def test_a_person_closes_it_without_a_review_day_and_for_good(ward: Clinic) -> None:
    _fever(ward)
    ward.results("A1", "2026-01-14", CBC, hour=15)
    _close(ward, "2026-01-16")
    for day in ("2026-01-17", "2026-02-20", "2026-12-01"):
        ward.review(at(day), everyone=True)
    assert _history(ward) == ["opened", "closed"]
    assert verify(ward.store, ward.settings, at("2026-12-01")) == []


def test_a_review_day_that_the_person_gave_brings_it_back(ward: Clinic) -> None:
    _fever(ward)
    _close(ward, "2026-01-16", date(2026, 1, 20))
    ward.review(at("2026-01-20"))
    assert _history(ward) == ["opened", "closed", "reopened"]


def test_a_late_result_that_makes_it_an_emergency_brings_it_back(ward: Clinic) -> None:
    _fever(ward)
    _close(ward, "2026-01-16")
    ward.results("A1", "2026-01-13", CBC | {"neutrophils": "0.9"}, received_at=at("2026-01-17"))
    ward.review(at("2026-01-17"))
    assert _history(ward) == ["opened", "closed", "reopened"]
    (row,) = ward.rows(tables.AlertRow, cause="symptom:infection")
    assert (row.urgency, row.state) == ("critical", "open")


def test_an_event_entered_in_error_withdraws_the_alert_and_tells(ward: Clinic) -> None:
    _fever(ward)
    (event,) = ward.rows(tables.EventRow)
    ward.set(tables.EventRow, event.id, withdrawn=True)
    ward.review(at("2026-01-14", 16), everyone=True)
    assert _history(ward) == ["opened", "withdrawn"]
    told = [row.what for row in ward.rows(tables.DeliveryAlert)]
    assert "withdrawn" in told


def test_a_second_fever_is_an_alert_of_its_own(ward: Clinic) -> None:
    enrolment = _fever(ward)
    _close(ward, "2026-01-16")
    ward.event("A1", "2026-01-18", "symptom", "fever")
    ward.review(at("2026-01-18"))
    states = [it.state for it in ward.alerts(enrolment) if it.cause == "symptom:infection"]
    assert states == [AlertState.CLOSED, AlertState.OPEN]


def _kidney(ward: Clinic) -> Row[Any]:
    (row,) = ward.rows(tables.AlertRow, cause="dose_check:renal")
    return row


def test_a_kidney_value_that_nothing_judges_answers_no_symptom_of_the_kidney(ward: Clinic) -> None:
    ward.enrol("A1", now=at("2026-01-05"))
    ward.event("A1", "2026-03-10", "symptom", "oliguria")
    ward.review(at("2026-03-10"))
    ward.results("A1", "2026-03-11", {"creatinine": "300"})
    ward.review(at("2026-03-11"))
    assert _kidney(ward).state == AlertState.OPEN
    assert _kidney(ward).summary.endswith(
        "Creatinine 300 umol/L on 11 Mar 2026 has nothing to be compared with"
    )
    ward.results("A1", "2026-03-11", {"egfr": "60"}, hour=10)
    ward.review(at("2026-03-11", 14))
    assert _kidney(ward).state == AlertState.CLOSED
    assert _kidney(ward).outcome == "what is on record now no longer asks for it"
    assert verify(ward.store, ward.settings, at("2026-03-11", 14)) == []


def test_a_dose_check_that_a_hold_ends_says_so(ward: Clinic) -> None:
    ward.enrol("A1", now=at("2026-01-05"))
    ward.event("A1", "2026-03-10", "symptom", "oliguria")
    ward.review(at("2026-03-10"))
    ward.event("A1", "2026-03-11", "hold")
    ward.review(at("2026-03-11"))
    assert _kidney(ward).outcome == "held: the dose is not taken"


def test_an_entry_that_was_made_in_error_is_said_to_stand_no_longer(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        header = "mrn,drug,started_on"
        desk.enrol("P1,azathioprine,2026-01-05", header=header, now=at("2026-01-05"))
        for on, status in (("2026-01-13", ""), ("2026-01-14", "entered-in-error")):
            desk.events(f"P1,2026-01-13,pregnancy,,,,{status}", now=at(on))
            desk.clinic.review(at(on))
        (told,) = desk.clinic.rows(tables.AlertHistory, what="withdrawn")
        assert told.note == "the entry no longer stands"
