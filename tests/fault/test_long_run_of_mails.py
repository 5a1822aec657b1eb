"""A run over the outbox with a slow server takes as long as there are mails: it is seen to go on,
and what came back of earlier ones is read meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from monitor import clock
from monitor.config import Settings
from monitor.daemon import daemon as daemon_module
from monitor.daemon import keeper as keeper_module
from monitor.daemon.daemon import Daemon
from monitor.delivery.send import Sent
from monitor.operations.bounces import Emptied
from monitor.operations.job_runs import JOB_RUNS
from monitor.store.database import Store
from monitor.store.outbox import DELIVERIES
from tests.clinic import Clinic
from tests.mail_world import Mood, mail_server, queue_alert
from tests.processes import met


@pytest.fixture
def sending(ward: Clinic, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A daemon that sends from its start on until it ends."""
    began, enough = threading.Event(), threading.Event()

    def deliver(*_: Any, stop: Callable[[], bool], **__: Any) -> Sent:
        began.set()
        while not stop() and not enough.wait(0.05):
            pass
        return Sent(0, 0, 0)

    monkeypatch.setattr(daemon_module, "deliver_due", deliver)
    monkeypatch.setattr(keeper_module, "_GOES_ON", 0.1)
    running = Daemon(ward.settings)
    thread = threading.Thread(target=running.run)
    thread.start()
    assert began.wait(30)
    yield running
    enough.set()
    running.stop()
    thread.join()


def noted(store: Store) -> datetime | None:
    with store.read() as connection:
        query = select(JOB_RUNS.c.finished_at).where(JOB_RUNS.c.name == "delivery")
        found: datetime | None = connection.scalar(query)
    return found


@pytest.mark.sqlite_only
def test_a_long_run_is_no_silent_job(ward: Clinic, sending: Daemon) -> None:
    assert met(lambda: noted(ward.store) is not None)
    first = noted(ward.store)
    assert met(lambda: noted(ward.store) != first), "health would take it for dead"


@pytest.mark.sqlite_only
def test_bounces_do_not_wait_for_it(sending: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    read = threading.Event()

    def empty(_store: Store, _settings: Settings, _now: datetime) -> Emptied:
        read.set()
        return Emptied()

    def looked() -> bool:  # while the look of the start still runs, another one is passed over
        sending._keeper.look("bounces", clock.now())
        return read.wait(0.5)

    monkeypatch.setattr(daemon_module, "empty_boxes", empty)
    assert met(looked, 30), "what was refused goes to nobody else meanwhile"


@pytest.mark.sqlite_only
def test_a_daemon_looks_at_the_clock_again_and_again(
    ward: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon_module, "_SENDING", 0.5)
    for number in range(8):
        queue_alert(ward.store, ward.settings, f"{number}@clinic.example", clock.now())
    with mail_server(Mood(slow=0.3)) as port:
        mail = ward.settings.mail.model_copy(update={"port": port})
        running = Daemon(ward.settings.model_copy(update={"mail": mail}))
        thread = threading.Thread(target=running.run)
        thread.start()
        assert met(lambda: len(sent_at(ward.store)) == 8, 60)
        running.stop()
        thread.join()
    assert len(set(sent_at(ward.store))) > 2, "each run sends as of its own instant"


def sent_at(store: Store) -> list[datetime]:
    query = select(DELIVERIES.c.sent_at).where(DELIVERIES.c.state == "sent")
    with store.read() as connection:
        return list(connection.scalars(query))
