"""The queue of those who are due: who goes first, and what an edit of the rules may not do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from monitor.review import review_due
from monitor.store import claims, tables
from monitor.store.database import open_store
from monitor.store.errors import StoreError, StoreLost
from monitor.store.frames import wake
from tests.clinic import CBC, Clinic, at

NOW = at("2026-01-12")


def _everybody_woken(ward: Clinic, ids: Sequence[int]) -> None:
    """As an edit of the rules wakes them."""
    for enrolment in ids:
        ward.set(tables.EnrolmentRow, enrolment, next_review_at=NOW, wake_rank=claims.WITH_ALL)


def test_a_critical_count_goes_before_a_queue_that_began_earlier(ward: Clinic) -> None:
    ids = [ward.enrol(f"P{number}", now=at("2026-01-05")) for number in range(5)]
    _everybody_woken(ward, ids)
    later = NOW + timedelta(minutes=10)
    ward.results("P4", "2026-01-12", CBC | {"neutrophils": "0.4"}, received_at=later)
    with ward.store.write() as connection:
        assert list(claims.claim_due(connection, later, 2)) == [ids[4], ids[0]]


def test_who_is_reviewed_waits_in_no_queue_any_more(ward: Clinic) -> None:
    ids = [ward.enrol(f"P{number}", now=at("2026-01-05")) for number in range(3)]
    _everybody_woken(ward, ids)
    assert ward.review(NOW).reviewed == 3
    assert {row.wake_rank for row in ward.rows(tables.EnrolmentRow)} == {claims.FIRST}
    assert ward.review(NOW).reviewed == 0


def test_time_that_is_up_leaves_the_rest_owed(
    ward: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.review.due.BATCH", 1)
    for number in range(3):
        ward.enrol(f"P{number}", now=at("2026-01-05"))
    tally = review_due(ward.store, ward.settings, at("2026-01-05"), within=0)
    assert tally.left
    assert tally.reviewed < 3
    rest = ward.review(at("2026-01-05"))
    assert (rest.reviewed + tally.reviewed, rest.left) == (3, False)


@pytest.mark.postgresql_only
def test_two_who_drain_one_queue_share_it(ward: Clinic) -> None:
    ids = [ward.enrol(f"P{number}", now=at("2026-01-05")) for number in range(4)]
    other = open_store(ward.store.engine.url.render_as_string(hide_password=False))
    with ward.store.write() as first, other.write() as second:
        mine = claims.claim_due(first, NOW, 2)
        theirs = claims.claim_due(second, NOW, 4)
    assert sorted([*mine, *theirs]) == ids
    other.dispose()


@pytest.mark.postgresql_only
def test_a_connection_that_is_cut_undoes_its_work_and_the_next_one_works(ward: Clinic) -> None:
    enrolment = ward.enrol("P1", now=at("2026-01-05"))
    patient = ward.rows(tables.Patient)[0].id
    other = open_store(ward.store.engine.url.render_as_string(hide_password=False))
    with pytest.raises(StoreLost), ward.store.write() as connection:
        wake(connection, [patient], NOW)
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        with other.write() as killer:
            killer.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        connection.execute(text("SELECT 1"))
    assert ward.next_review(enrolment) == at("2026-01-05")
    assert ward.review(NOW).reviewed == 1
    other.dispose()


@pytest.mark.postgresql_only
def test_a_statement_that_the_driver_refuses_is_no_server_that_does_not_answer(
    ward: Clinic,
) -> None:
    """Whoever waits for the server to come back would wait for ever, and nobody would be told."""
    patients = tables.table_of(tables.Patient)
    too_many = select(patients).where(patients.c.id.in_(range(70_000)))
    with pytest.raises(StoreError) as told, ward.store.read() as connection:
        connection.execute(too_many)
    assert not isinstance(told.value, StoreLost)
