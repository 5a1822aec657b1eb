"""A review writes alerts, their history, messages and the next review, all or nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from monitor.core.model import AlertState, Kind, Urgency
from monitor.review import SET_ASIDE
from monitor.store import tables
from monitor.store.database import StoreError, TooEarly
from tests.clinic import CBC, LFT, Clinic, at, whats


def _low_neutrophils(clinic: Clinic, mrn: str = "A1") -> int:
    enrolment = clinic.enrol(mrn, now=at("2026-01-05"))
    clinic.results(mrn, "2026-01-05", CBC | LFT)
    clinic.review(at("2026-01-05"))
    clinic.results(mrn, "2026-01-12", CBC | {"neutrophils": "1.2"})
    return enrolment


def test_a_breach_opens_an_alert_with_its_evidence_and_a_message(clinic: Clinic) -> None:
    enrolment = _low_neutrophils(clinic)
    tally = clinic.review(at("2026-01-12"))
    assert (tally.reviewed, tally.opened, tally.messages) == (1, 1, 1)
    (alert,) = clinic.alerts(enrolment)
    assert alert.kind is Kind.WITHHOLD
    assert alert.urgency is Urgency.URGENT
    assert alert.state is AlertState.OPEN
    assert str(alert.worst_value) == "1.2"
    assert alert.opened_at == alert.last_told_at == at("2026-01-12")
    (row,) = clinic.rows(tables.AlertRow)
    assert (row.rule, row.shown["value"], row.shown["limit"]) == ("neutropenia", "1.2", "1.6")
    assert whats(clinic.rows(tables.AlertHistory)) == ["opened"]
    (message,) = clinic.rows(tables.Delivery)
    assert (message.recipient, message.urgency) == ("nurse@clinic.example", "urgent")
    next_review = clinic.next_review(enrolment)
    assert next_review is not None
    assert next_review > at("2026-01-12")


def test_reviewing_again_changes_nothing(clinic: Clinic) -> None:
    _low_neutrophils(clinic)
    clinic.review(at("2026-01-12"))
    before = {model: clinic.rows(model) for model in (tables.AlertRow, tables.AlertHistory)}
    again = clinic.review(at("2026-01-12", 13), everyone=True)
    assert (again.reviewed, again.opened, again.updated, again.messages) == (1, 0, 0, 0)
    assert again.unexpected == []
    assert before == {model: clinic.rows(model) for model in before}


def test_nobody_is_reviewed_before_their_time(clinic: Clinic) -> None:
    enrolment = _low_neutrophils(clinic)
    clinic.review(at("2026-01-12"))
    due = clinic.next_review(enrolment)
    assert due is not None
    assert clinic.review(due - timedelta(seconds=1)).reviewed == 0
    assert clinic.review(due).reviewed == 1


def test_an_alert_lives_through_its_episode(clinic: Clinic) -> None:
    enrolment = _low_neutrophils(clinic)
    clinic.review(at("2026-01-12"))
    clinic.results("A1", "2026-01-14", CBC | {"neutrophils": "0.8"})
    assert clinic.review(at("2026-01-14")).updated == 1
    (worse,) = clinic.alerts(enrolment)
    assert (worse.kind, worse.urgency) == (Kind.DISCONTINUE, Urgency.CRITICAL)
    clinic.results("A1", "2026-01-16", CBC)
    clinic.review(at("2026-01-16"))
    (better,) = clinic.alerts(enrolment)
    assert better.recovered
    assert (better.state, better.urgency) == (AlertState.OPEN, Urgency.CRITICAL)
    assert whats(clinic.rows(tables.AlertHistory)) == ["opened", "worse", "recovered"]


def test_a_correction_withdraws_the_alert_and_tells_who_was_told(clinic: Clinic) -> None:
    enrolment = _low_neutrophils(clinic)
    clinic.review(at("2026-01-12"))
    clinic.supersede("A1", "neutrophils", "2026-01-12")
    clinic.results("A1", "2026-01-12", {"neutrophils": "4.2"}, hour=9, status="corrected")
    tally = clinic.review(at("2026-01-13"))
    assert (tally.closed, tally.messages) == (1, 1)
    (alert,) = clinic.alerts(enrolment)
    assert alert.state is AlertState.CLOSED
    assert alert.closed_by is None
    assert [row.kind for row in clinic.rows(tables.Delivery)] == ["alert", "withdrawal"]


def test_missing_tests_open_one_alert_that_closes_itself(clinic: Clinic) -> None:
    enrolment = clinic.enrol("A1", now=at("2026-01-05"))
    clinic.results("A1", "2026-01-05", CBC | LFT)
    clinic.review(at("2026-01-05"))
    clinic.review(at("2026-01-15"))
    (late,) = clinic.alerts(enrolment)
    assert (late.kind, late.urgency) == (Kind.OVERDUE_TEST, Urgency.URGENT)
    assert [panel for panel, _ in late.panels] == ["cbc"]
    clinic.results("A1", "2026-01-15", CBC, hour=14)
    assert clinic.review(at("2026-01-15", 15)).closed == 1
    (done,) = clinic.alerts(enrolment)
    assert done.state is AlertState.CLOSED


def test_a_crash_in_the_middle_leaves_everything_owed(clinic: Clinic) -> None:
    enrolment = _low_neutrophils(clinic)
    owed = clinic.next_review(enrolment)
    with clinic.store.write() as connection:
        connection.execute(text("ALTER TABLE deliveries RENAME TO gone"))
    with pytest.raises(Exception, match="deliveries"):
        clinic.review(at("2026-01-12"))
    assert clinic.rows(tables.AlertRow) == []
    assert clinic.rows(tables.AlertHistory) == []
    assert clinic.next_review(enrolment) == owed
    with clinic.store.write() as connection:
        connection.execute(text("ALTER TABLE gone RENAME TO deliveries"))
    assert clinic.review(at("2026-01-12")).opened == 1


def test_one_that_cannot_be_judged_is_set_aside_loudly_and_stops_nobody(clinic: Clinic) -> None:
    bad = clinic.enrol("B2", now=at("2026-01-05"), protocol_id="no such protocol")
    good = _low_neutrophils(clinic)
    tally = clinic.review(at("2026-01-12"))
    assert (tally.opened, tally.failed) == (1, 1)
    assert clinic.alerts(good)
    assert clinic.next_review(bad) == at("2026-01-12") + SET_ASIDE
    alarms = clinic.rows(tables.Delivery, kind="operator")
    assert alarms[-1].recipient == "operator@clinic.example"
    assert str(bad) in alarms[-1].payload["text"]


def test_a_change_that_nothing_announced_is_an_alarm(clinic: Clinic) -> None:
    enrolment = _low_neutrophils(clinic)
    clinic.review(at("2026-01-12"))
    clinic.set(tables.AlertRow, clinic.alerts(enrolment)[0].id, content="tampered")
    tally = clinic.review(at("2026-01-12", 13), everyone=True)
    assert tally.unexpected == [enrolment]
    (alarm,) = clinic.rows(tables.Delivery, kind="operator")
    assert str(enrolment) in alarm.payload["text"]


def test_a_lost_wake_up_heals_at_the_review_of_everyone(clinic: Clinic) -> None:
    enrolment = _low_neutrophils(clinic)
    clinic.set(tables.EnrolmentRow, enrolment, next_review_at=None)
    assert clinic.review(at("2026-01-12")).reviewed == 0
    tally = clinic.review(at("2026-01-12", 13), everyone=True)
    assert (tally.opened, tally.unexpected) == (1, [enrolment])


def test_only_those_asked_for_are_reviewed_due_or_not(clinic: Clinic) -> None:
    first, second = clinic.enrol("A1"), clinic.enrol("B2")
    progress: list[tuple[int, int]] = []
    tally = clinic.review(
        at("2026-01-06"), only=[second], progress=lambda done, total: progress.append((done, total))
    )
    assert tally.reviewed == 1
    assert progress == [(1, 1)]
    assert clinic.next_review(first) == at("2026-01-05", 0)
    assert clinic.review(at("2026-01-06"), only=[]).reviewed == 0


def test_many_patients_are_reviewed_in_batches(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.review.BATCH", 2)
    enrolments = [clinic.enrol(f"P{number}") for number in range(5)]
    progress: list[tuple[int, int]] = []
    tally = clinic.review(
        at("2026-01-05"), progress=lambda done, total: progress.append((done, total))
    )
    assert tally.reviewed == 5
    assert progress == [(2, 5), (4, 5), (5, 5)]
    assert all(clinic.next_review(it) != at("2026-01-05", 0) for it in enrolments)


def test_a_review_never_goes_back_in_time(clinic: Clinic) -> None:
    clinic.enrol("A1")
    clinic.review(at("2026-01-12"))
    with pytest.raises(TooEarly):
        clinic.review(at("2026-01-11"), everyone=True)
    assert issubclass(TooEarly, StoreError)
