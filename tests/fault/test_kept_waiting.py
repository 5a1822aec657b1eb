"""A table that somebody else keeps: a report forgotten in an open transaction, a repair."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from freezegun import freeze_time
from sqlalchemy import select, text

from monitor.daemon.keeper import Job, Keeper
from monitor.operations.fleet import Member
from monitor.review import review_due
from monitor.store import engines
from monitor.store.database import Store, open_store
from monitor.store.outbox import DELIVERIES
from tests.clinic import Clinic, at

BEGIN = at("2026-01-13", 9)


@pytest.fixture
def impatient(ward: Clinic, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The same store, which waits for a lock only for a moment."""
    monkeypatch.setitem(engines._SESSION, "lock_timeout", "100ms")
    store = open_store(ward.store.engine.url.render_as_string(hide_password=False))
    yield store
    store.dispose()


@pytest.mark.postgresql_only
def test_the_operator_hears_of_a_lock_that_is_not_let_go(ward: Clinic, impatient: Store) -> None:
    """No file was taken in and no critical count told for as long as it lasted, and nobody was
    told of that but the log."""
    ward.enrol("A1", now=BEGIN)
    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.add_job(lambda: None, "interval", hours=1, id="review")
    keeper = Keeper(
        impatient, ward.settings, Member(impatient), scheduler, threading.Event(), lambda: None
    )

    def work(now: datetime) -> bool:
        return review_due(impatient, ward.settings, now).messages > 0

    def told() -> list[str]:
        with impatient.read() as connection:
            return [
                row.payload["text"]
                for row in connection.execute(select(DELIVERIES).order_by(DELIVERIES.c.id))
                if row.recipient == "operator@clinic.example"
            ]

    review = Job("review", work, every=2)
    with freeze_time(BEGIN) as time:
        with ward.store.write() as theirs:
            theirs.execute(text("LOCK TABLE enrolments IN ACCESS EXCLUSIVE MODE"))
            for minutes in (0, 3, 1):
                time.tick(timedelta(minutes=minutes))
                keeper.run(review)
            assert (told(), keeper.failing) == ([], set())
            time.tick(timedelta(minutes=2))
            for _ in range(3):
                keeper.run(review)
            (says,) = told()
            assert "The job review failed (database" in says
            assert "others have been writing" in says
            assert keeper.failing == {"review"}
        keeper.run(review)
        assert keeper.failing == set()
        with ward.store.write() as theirs:
            theirs.execute(text("LOCK TABLE enrolments IN ACCESS EXCLUSIVE MODE"))
            keeper.run(review)
        assert keeper.failing == set(), "it is another one, and has just begun"
