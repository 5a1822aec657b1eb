"""A daemon that stands still for a while, as a suspended machine does, while others go on."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from freezegun import freeze_time
from sqlalchemy import func, select

from monitor.daemon.keeper import Job, Keeper
from monitor.operations.fleet import Member
from monitor.review import review_due
from monitor.store.facts import bring_to
from monitor.store.outbox import DELIVERIES
from tests.clinic import Clinic

BEGIN = datetime(2026, 1, 6, 9, tzinfo=UTC)


def told_to_operator(ward: Clinic) -> int:
    with ward.store.read() as connection:
        return int(connection.scalar(select(func.count()).select_from(DELIVERIES)) or 0)


@pytest.mark.parametrize(
    ("stood_still", "alarms"),
    [
        pytest.param(timedelta(minutes=40), 0, id="it stood still, and looks again"),
        pytest.param(timedelta(0), 1, id="its clock is behind, which somebody must hear"),
    ],
)
def test_a_look_that_others_overtook_is_taken_again(
    ward: Clinic, stood_still: timedelta, alarms: int
) -> None:
    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.add_job(lambda: None, id="review", next_run_time=BEGIN + timedelta(hours=1))
    keeper = Keeper(
        ward.store, ward.settings, Member(ward.store), scheduler, threading.Event(), lambda: None
    )
    with freeze_time(BEGIN) as time:

        def work(now: datetime) -> bool:
            time.tick(stood_still)
            with ward.store.write() as connection:
                bring_to(connection, BEGIN + timedelta(minutes=40))
            return review_due(ward.store, ward.settings, now).messages > 0

        keeper.run(Job("review", work, every=2))
        assert told_to_operator(ward) == alarms
        assert keeper.failing == ({"review"} if alarms else set())
        again = scheduler.get_job("review").next_run_time
        assert again == BEGIN + (timedelta(hours=1) if alarms else stood_still)
