"""Loads and reviews at the same time: nothing that was asked for is ever forgotten."""

from __future__ import annotations

import threading
from datetime import timedelta

from sqlalchemy import select

from monitor.review import review_batch, review_due
from monitor.store import tables
from monitor.store.database import Store, open_store
from monitor.store.frames import wake
from monitor.store.tables import table_of
from tests.clinic import CBC, Clinic, at

NOW = at("2026-01-12")


def _other(clinic: Clinic) -> Store:
    return open_store(clinic.store.engine.url.render_as_string(hide_password=False))


def test_a_load_during_a_review_is_reviewed_afterwards(clinic: Clinic) -> None:
    """The review has read; the load writes and wakes; the review sets a later day; whoever
    ends last, the enrolment must still be owed its review of the new results."""
    enrolment = clinic.enrol("A1", now=at("2026-01-05"))
    enrolments = table_of(tables.EnrolmentRow)
    patient = clinic.rows(tables.Patient)[0].id
    other = _other(clinic)
    loaded = threading.Event()

    def load() -> None:
        with other.write() as connection:
            wake(connection, [patient], NOW)
        loaded.set()

    with clinic.store.write() as connection:
        mine = select(enrolments.c.id).where(enrolments.c.id == enrolment)
        connection.execute(mine.with_for_update()).all()
        thread = threading.Thread(target=load)
        thread.start()
        assert not loaded.wait(0.3), "the load did not wait for the review"
        review_batch(connection, clinic.settings, [enrolment], NOW)
    thread.join(10)
    assert clinic.next_review(enrolment) == NOW
    other.dispose()


def test_an_enrolment_that_a_load_holds_is_reviewed_once_the_load_is_done(clinic: Clinic) -> None:
    """On PostgreSQL a review passes over it, on SQLite it waits; either way it is owed."""
    enrolment = clinic.enrol("A1", now=at("2026-01-05"))
    clinic.review(at("2026-01-05"))
    patient = clinic.rows(tables.Patient)[0].id
    other = _other(clinic)
    held, release = threading.Event(), threading.Event()

    def load() -> None:
        with other.write() as connection:
            wake(connection, [patient], NOW)
            held.set()
            release.wait(10)

    thread = threading.Thread(target=load)
    thread.start()
    held.wait(10)
    if not clinic.store.is_sqlite:
        assert clinic.review(NOW).reviewed == 0
    release.set()
    thread.join(10)
    assert clinic.next_review(enrolment) == NOW
    assert clinic.review(NOW).reviewed == 1
    other.dispose()


def test_several_reviewers_open_each_alert_once(clinic: Clinic) -> None:
    enrolments = [clinic.enrol(f"P{number}", now=at("2026-01-05")) for number in range(12)]
    for number in range(12):
        clinic.results(f"P{number}", "2026-01-12", CBC | {"neutrophils": "0.9"})
    stores = [_other(clinic) for _ in range(3)]
    errors: list[BaseException] = []

    def work(store: Store) -> None:
        try:
            review_due(store, clinic.settings, NOW + timedelta(minutes=1))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    rows = clinic.rows(tables.AlertRow, rule="neutropenia")
    assert sorted(row.enrolment_id for row in rows) == enrolments
    for store in stores:
        store.dispose()
