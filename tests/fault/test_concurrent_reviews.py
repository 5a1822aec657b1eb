"""Loads and reviews at the same time: nothing that was asked for is ever forgotten."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import select

from monitor.review import review_batch, review_due
from monitor.store import tables
from monitor.store.database import Store, open_store
from monitor.store.frames import wake
from monitor.store.tables import table_of
from tests.clinic import CBC, Clinic, at

NOW = at("2026-01-12")


def _other(ward: Clinic) -> Store:
    return open_store(ward.store.engine.url.render_as_string(hide_password=False))


def test_a_load_during_a_review_is_reviewed_afterwards(ward: Clinic) -> None:
    """The review has read; the load writes and wakes; the review sets a later day; whoever
    ends last, the enrolment must still be owed its review of the new results."""
    enrolment = ward.enrol("A1", now=at("2026-01-05"))
    enrolments = table_of(tables.EnrolmentRow)
    patient = ward.rows(tables.Patient)[0].id
    other = _other(ward)
    loaded = threading.Event()

    def load() -> None:
        with other.write() as connection:
            wake(connection, [patient], NOW)
        loaded.set()

    with ward.store.write() as connection:
        mine = select(enrolments.c.id).where(enrolments.c.id == enrolment)
        connection.execute(mine.with_for_update()).all()
        thread = threading.Thread(target=load)
        thread.start()
        assert not loaded.wait(0.3), "the load did not wait for the review"
        review_batch(connection, ward.settings, [enrolment], NOW)
    thread.join(10)
    assert ward.next_review(enrolment) == NOW
    other.dispose()


def test_an_enrolment_that_a_load_holds_is_reviewed_once_the_load_is_done(ward: Clinic) -> None:
    """On PostgreSQL a review passes over it, on SQLite it waits; either way it is owed."""
    enrolment = ward.enrol("A1", now=at("2026-01-05"))
    ward.review(at("2026-01-05"))
    patient = ward.rows(tables.Patient)[0].id
    other = _other(ward)
    held, release = threading.Event(), threading.Event()

    def load() -> None:
        with other.write() as connection:
            wake(connection, [patient], NOW)
            held.set()
            release.wait(10)

    thread = threading.Thread(target=load)
    thread.start()
    held.wait(10)
    if not ward.store.is_sqlite:
        assert ward.review(NOW).reviewed == 0
    release.set()
    thread.join(10)
    assert ward.next_review(enrolment) == NOW
    assert ward.review(NOW).reviewed == 1
    other.dispose()


def test_several_reviewers_open_each_alert_once(ward: Clinic) -> None:
    enrolments = [ward.enrol(f"P{number}", now=at("2026-01-05")) for number in range(12)]
    for number in range(12):
        ward.results(f"P{number}", "2026-01-12", CBC | {"neutrophils": "0.9"})
    stores = [_other(ward) for _ in range(3)]
    with ThreadPoolExecutor() as pool:
        later = NOW + timedelta(minutes=1)
        tallies = list(pool.map(lambda it: review_due(it, ward.settings, later), stores))
    assert sum(tally.failed for tally in tallies) == 0
    rows = ward.rows(tables.AlertRow, rule="neutropenia")
    assert sorted(row.enrolment_id for row in rows) == enrolments
    for store in stores:
        store.dispose()
