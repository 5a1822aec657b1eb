"""Alerts join a storm's message while it waits, and never one that may have been taken."""

from __future__ import annotations

import random
import socket
from asyncio import Transport
from datetime import timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from monitor.config import Settings
from monitor.delivery.send import deliver_due
from monitor.store import leases, tables
from monitor.store.database import Store
from tests.clinic import CBC, Clinic, at, settings_in
from tests.fault.kill_mail import Postbox
from tests.mail_world import mail_server, settings_for

NOW = at("2026-03-02", 10)
WAITED = NOW + timedelta(minutes=10)


class _HangsUp(Postbox):
    """Takes the first message, and is gone before it says so."""

    async def handle_DATA(  # noqa: N802  # named by aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        if len(self.accepted) == 1:
            assert isinstance(server.transport, Transport)
            server.transport.abort()
        return answer


def _storms(clinic: Clinic) -> list[int]:
    """How many alerts each message of a storm lists."""
    rows = clinic.rows(tables.Delivery, kind="alert")
    return sorted(len(row.payload["order"]) for row in rows if row.payload.get("storm"))


@pytest.fixture
def clinic(store: Store, tmp_path: Path) -> Clinic:
    clinic = Clinic(store, settings_in(tmp_path))
    for number in range(60):
        clinic.enrol(f"A{number}", "2026-03-01", now=at("2026-03-01"), tpmt="normal")
        clinic.results(f"A{number}", "2026-03-02", CBC | {"lymphocytes": "0.4"})
    clinic.review(NOW, only=_ids(clinic)[:40])
    return clinic


def _ids(clinic: Clinic) -> list[int]:
    return [row.id for row in clinic.rows(tables.EnrolmentRow)]


def _then(clinic: Clinic) -> list[int]:
    clinic.review(WAITED, only=_ids(clinic)[40:])
    return _storms(clinic)


def _send(clinic: Clinic, settings: Settings) -> None:
    deliver_due(clinic.store, settings, WAITED, who="test")


def test_a_holder_that_died_may_have_sent_it(clinic: Clinic) -> None:
    with clinic.store.write() as connection:
        assert leases.lease(connection, WAITED, "gone", 9)
        leases.release(connection, ["gone"], WAITED)
    assert _then(clinic) == [20, 40]


def test_a_server_that_hung_up_may_have_taken_it(clinic: Clinic) -> None:
    postbox = _HangsUp(chance=random.Random(1), waits=(0.0,))
    with mail_server(postbox) as port:
        _send(clinic, settings_for(port))
    assert postbox.accepted
    assert _then(clinic) == [20, 40]


def test_a_server_that_does_not_answer_in_time_may_have_taken_it(clinic: Clinic) -> None:
    postbox = Postbox(chance=random.Random(1), waits=(2.0,))
    with mail_server(postbox) as port:
        settings = settings_for(port)
        impatient = settings.mail.model_copy(update={"timeout_seconds": 0.5})
        _send(clinic, settings.model_copy(update={"mail": impatient}))
    assert postbox.accepted
    assert _then(clinic) == [20, 40]


def test_what_may_have_gone_once_is_remembered(clinic: Clinic) -> None:
    with clinic.store.write() as connection:
        assert leases.lease(connection, WAITED, "gone", 9)
        leases.release(connection, ["gone"], WAITED)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        _send(clinic, settings_for(free.getsockname()[1]))
    assert _then(clinic) == [20, 40]


def test_a_server_that_is_away_has_taken_nothing(clinic: Clinic) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        _send(clinic, settings_for(free.getsockname()[1]))
    assert _then(clinic) == [60]
