"""A real mail server in its moods: what is taken, refused, put off, dropped or too slow."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from sqlalchemy import select, update

from monitor.config import Settings
from monitor.core.routing import Line, Planned
from monitor.core.vocabulary import Urgency
from monitor.delivery.send import Sent, deliver_due
from monitor.store import leases
from monitor.store.database import Store
from monitor.store.outbox import BEARS, DELIVERIES, enqueue
from tests.mail_world import Mood, add_alert, mail_server, queue_alert, settings_for

NOW = datetime(2026, 5, 12, 7, 2, tzinfo=UTC)
NURSE, DOCTOR, CLINIC = "nurse@hill.example", "doctor@hill.example", "clinic@hill.example"


@pytest.fixture
def mood() -> Mood:
    return Mood()


@pytest.fixture
def settings(mood: Mood) -> Iterator[Settings]:
    with mail_server(mood) as port:
        yield settings_for(port)


def send(store: Store, settings: Settings, now: datetime = NOW, **more: Any) -> Sent:
    return deliver_due(store, settings, now, who="test", **more)


def states(store: Store) -> dict[str, tuple[str, str]]:
    with store.read() as connection:
        rows = connection.execute(select(DELIVERIES).order_by(DELIVERIES.c.id))
        return {f"{row.kind} to {row.recipient}": (row.state, row.last_error) for row in rows}


def test_a_mail_arrives_once_and_a_second_run_sends_nothing(
    store: Store, settings: Settings, mood: Mood
) -> None:
    queue_alert(store, settings, NURSE, NOW, "critical")
    assert send(store, settings) == Sent(1, 0, 0)
    assert send(store, settings) == Sent(0, 0, 0)
    (mail,) = mood.taken
    assert mood.recipients == [NURSE]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"] == "Tue, 12 May 2026 07:02:00 +0000"
    assert re.fullmatch(r"<alert-1\.[0-9a-f]{12}@hill\.example>", mail["References"])
    body = mail.get_body(("plain",))
    assert body is not None
    assert "MRN A1" in body.get_content()
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]


def test_one_connection_carries_a_whole_run(store: Store, settings: Settings, mood: Mood) -> None:
    for number in range(5):
        queue_alert(store, settings, f"{number}@hill.example", NOW)
    assert send(store, settings).sent == 5
    assert mood.connections == 1


def test_a_refused_address_is_an_alarm_and_the_alert_goes_to_the_last_resort(
    store: Store, settings: Settings, mood: Mood
) -> None:
    mood.to[NURSE] = "550 5.1.1 no such user"
    queue_alert(store, settings, NURSE, NOW, "critical")
    assert send(store, settings) == Sent(2, 1, 0)
    assert states(store) == {
        f"alert to {NURSE}": ("failed", "550 5.1.1 no such user"),
        f"operator to {CLINIC}": ("sent", ""),
        f"alert to {CLINIC}": ("sent", ""),
    }
    alert, alarm = mood.taken
    assert alert["Subject"] == "CRITICAL, MRN A1: prescriber to decide on discontinuation"
    body = alert.get_body(("plain",))
    assert body is not None
    assert body.get_content().startswith(f"This message was for {NURSE}")
    assert alarm["Subject"] == f"OPERATOR: address refused: {NURSE}"


def told_instead(store: Store, settings: Settings, *states: str) -> list[tuple[str, list[int]]]:
    """Whom a message to the nurse, who is refused, is sent to instead, about which of its alerts:
    each of a state."""
    with store.write() as connection:
        ids = [add_alert(connection, NOW, state=it, asked_at=NOW, rungs_told=1) for it in states]
        lines = [Line(alert_id=it, what="opened", reason="", urgency=Urgency.URGENT) for it in ids]
        planned = Planned(kind="alert", recipient=NURSE, urgency=Urgency.URGENT, lines=tuple(lines))
        zone, sender = settings.clinic.zone, settings.mail.sender
        enqueue(connection, [planned], NOW, zone=zone, sender=sender)
    send(store, settings)
    with store.read() as connection:
        query = select(DELIVERIES.c.recipient, BEARS.c.alert_id).join(BEARS)
        found: dict[str, list[int]] = {}
        for recipient, alert_id in connection.execute(query.where(DELIVERIES.c.state == "sent")):
            found.setdefault(recipient, []).append(ids.index(alert_id))
    return [(recipient, sorted(which)) for recipient, which in found.items()]


def test_of_a_refused_message_no_alert_is_lost_where_the_next_tier_is_the_last_resort(
    store: Store, mood: Mood
) -> None:
    """The same address in other letters is one reader, and one message."""
    mood.to[NURSE] = "550 5.1.1 no such user"
    routes = f'[[routes]]\nto = ["{NURSE}"]\nthen = [["Clinic@hill.example"]]'
    with mail_server(mood) as port:
        told = told_instead(store, settings_for(port, routes=routes), "open", "acknowledged")
    assert told == [("Clinic@hill.example", [0, 1])]


def test_a_refused_message_goes_on_to_two_roles_with_one_address(store: Store, mood: Mood) -> None:
    mood.to[NURSE] = "550 5.1.1 no such user"
    roles = "".join(f'[recipients.{it}]\naddresses = ["{DOCTOR}"]\n' for it in ("ward", "lead"))
    routes = f'[[routes]]\nto = ["{NURSE}"]\nthen = [["ward", "lead"]]\n{roles}'
    with mail_server(mood) as port:
        told = told_instead(store, settings_for(port, routes=routes), "open")
    assert told == [(DOCTOR, [0])]


def test_a_message_that_the_last_resort_refuses_is_never_given_up(
    store: Store, settings: Settings, mood: Mood
) -> None:
    mood.to[CLINIC] = "550 5.1.1 no such user"
    queue_alert(store, settings, CLINIC, NOW)
    assert send(store, settings) == Sent(0, 0, 1)
    del mood.to[CLINIC]
    assert send(store, settings, NOW + timedelta(minutes=15)) == Sent(1, 0, 0)


def test_a_message_refused_after_its_data_goes_to_the_last_resort(
    store: Store, settings: Settings, mood: Mood
) -> None:
    mood.data = ["554 5.7.1 not wanted"]
    queue_alert(store, settings, NURSE, NOW)
    assert send(store, settings) == Sent(2, 1, 0)


def test_a_deferred_recipient_waits_and_the_others_do_not(
    store: Store, settings: Settings, mood: Mood
) -> None:
    mood.to[NURSE] = "451 4.7.1 greylisted"
    queue_alert(store, settings, NURSE, NOW)
    queue_alert(store, settings, DOCTOR, NOW)
    assert send(store, settings) == Sent(1, 0, 1)
    del mood.to[NURSE]
    assert send(store, settings) == Sent(0, 0, 1)
    assert send(store, settings, despite_back_off=True) == Sent(1, 0, 0)
    assert mood.recipients == [DOCTOR, NURSE]


@pytest.mark.parametrize("reply", ["421 4.3.2 closing down", "drop"])
def test_a_connection_lost_on_the_way_is_opened_again_with_the_same_message_id(
    store: Store, settings: Settings, mood: Mood, reply: str
) -> None:
    mood.data = ["250 OK", reply]
    for to in (NURSE, DOCTOR):
        queue_alert(store, settings, to, NOW)
    assert send(store, settings) == Sent(2, 0, 0)
    assert mood.connections == 2
    ids = [mail["Message-ID"] for mail in mood.taken]
    assert len(set(ids)) == 2
    assert len(ids) == (3 if reply == "drop" else 2)


def test_a_server_that_only_hangs_up_ends_the_run_and_keeps_the_messages(
    store: Store, settings: Settings, mood: Mood
) -> None:
    mood.data = ["421 later"] * 9
    for number in range(6):
        queue_alert(store, settings, f"{number}@hill.example", NOW)
    assert send(store, settings) == Sent(0, 0, 6)
    assert len(mood.data) > 3


def test_a_slow_server_is_passing_and_nothing_else_is_tried_now(store: Store, mood: Mood) -> None:
    mood.slow = 1.0
    with mail_server(mood) as port:
        settings = settings_for(port).model_copy(
            update={"mail": settings_for(port).mail.model_copy(update={"timeout_seconds": 0.2})}
        )
        for to in (NURSE, DOCTOR):
            queue_alert(store, settings, to, NOW)
        assert send(store, settings) == Sent(0, 0, 2)
    assert [state for state, _ in states(store).values()] == ["waiting", "waiting"]
    assert states(store)[f"alert to {NURSE}"][1] == "no answer within 0.2 s"


def test_no_server_at_all_is_passing(store: Store) -> None:
    with mail_server(Mood()) as port:
        pass
    settings = settings_for(port)
    queue_alert(store, settings, NURSE, NOW)
    assert send(store, settings) == Sent(0, 0, 1)
    assert "127.0.0.1" in states(store)[f"alert to {NURSE}"][1]


def test_a_refused_sender_waits_and_the_operator_is_told_once(
    store: Store, settings: Settings, mood: Mood
) -> None:
    mood.sender = "553 5.1.8 sender not allowed"
    for to in (NURSE, DOCTOR):
        queue_alert(store, settings, to, NOW)
    assert send(store, settings) == Sent(0, 0, 3)
    assert send(store, settings, NOW + timedelta(minutes=20)) == Sent(0, 0, 3)
    mood.sender = ""
    assert send(store, settings, NOW + timedelta(minutes=40)) == Sent(3, 0, 0)
    assert "OPERATOR: mail" in [mail["Subject"] for mail in mood.taken]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


USER = 'security = "starttls"\nusername = "monitor"\npassword_env = "MAIL_PASSWORD"'


@pytest.mark.usefixtures("trusted")
def test_starttls_with_a_password_from_the_environment(
    store: Store, mood: Mood, server_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "s3cret")
    with mail_server(mood, tls=server_tls, starttls=True, users={"monitor": "s3cret"}) as port:
        settings = settings_for(port, USER)
        queue_alert(store, settings, NURSE, NOW)
        assert send(store, settings) == Sent(1, 0, 0)


@pytest.mark.usefixtures("trusted")
def test_tls_from_the_first_byte(store: Store, mood: Mood, server_tls: ssl.SSLContext) -> None:
    with mail_server(mood, tls=server_tls) as port:
        settings = settings_for(port, 'security = "tls"')
        queue_alert(store, settings, NURSE, NOW)
        assert send(store, settings) == Sent(1, 0, 0)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("password", ["wrong", None])
def test_a_wrong_or_missing_password_waits_and_is_an_alarm_that_does_not_tell_it(
    store: Store,
    mood: Mood,
    server_tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
    password: str | None,
) -> None:
    if password:
        monkeypatch.setenv("MAIL_PASSWORD", password)
    with mail_server(mood, tls=server_tls, starttls=True, users={"monitor": "s3cret"}) as port:
        settings = settings_for(port, USER)
        queue_alert(store, settings, NURSE, NOW)
        assert send(store, settings) == Sent(0, 0, 2)
    with store.read() as connection:
        query = select(DELIVERIES.c.payload).where(DELIVERIES.c.kind == "operator")
        alarm: Any = connection.scalar(query)
    assert "Mail is not going out" in alarm["text"]
    assert "wrong" not in alarm["text"]


def test_a_certificate_nobody_vouches_for_is_an_alarm_and_no_mail_goes_out_in_clear(
    store: Store, mood: Mood, server_tls: ssl.SSLContext
) -> None:
    with mail_server(mood, tls=server_tls, starttls=True) as port:
        settings = settings_for(port, 'security = "starttls"')
        queue_alert(store, settings, NURSE, NOW)
        assert send(store, settings) == Sent(0, 0, 2)
    assert mood.taken == []


def test_a_server_without_starttls_is_an_alarm_and_no_mail_goes_out_in_clear(
    store: Store, mood: Mood
) -> None:
    with mail_server(mood) as port:
        settings = settings_for(port, 'security = "starttls"')
        queue_alert(store, settings, NURSE, NOW)
        assert send(store, settings) == Sent(0, 0, 2)
    assert mood.taken == []


@pytest.mark.usefixtures("trusted")
def test_a_password_file_is_read(
    store: Store, mood: Mood, server_tls: ssl.SSLContext, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("s3cret\n")
    secret = f'username = "monitor"\npassword_file = "{tmp_path / "password"}"'
    with mail_server(mood, tls=server_tls, starttls=True, users={"monitor": "s3cret"}) as port:
        settings = settings_for(port, f'security = "starttls"\n{secret}')
        queue_alert(store, settings, NURSE, NOW)
        assert send(store, settings) == Sent(1, 0, 0)


def test_a_crash_between_the_answer_and_the_record_repeats_the_same_message_id(
    store: Store, settings: Settings, mood: Mood
) -> None:
    queue_alert(store, settings, NURSE, NOW)
    assert send(store, settings).sent == 1
    with store.write() as connection:  # as the row was before the record
        connection.execute(
            update(DELIVERIES).values(
                state="waiting", leased_until=NOW + leases.LEASE, leased_by="x|host|1|y"
            )
        )
    assert send(store, settings) == Sent(0, 0, 1)
    assert send(store, settings, NOW + leases.LEASE) == Sent(1, 0, 0)
    first, again = mood.taken
    assert first["Message-ID"] == again["Message-ID"]


def test_the_lease_of_a_process_that_is_gone_is_taken_over_at_once(
    store: Store, settings: Settings, mood: Mood
) -> None:
    queue_alert(store, settings, NURSE, NOW)
    gone = _holder_with(pid=2**22 + 1)
    with store.write() as connection:
        assert len(leases.lease(connection, NOW, gone, 1)) == 1
    assert send(store, settings) == Sent(1, 0, 0)


def test_a_mail_that_cannot_be_laid_out_goes_out_in_bare_words(
    store: Store, settings: Settings, mood: Mood
) -> None:
    alert_id = queue_alert(store, settings, NURSE, NOW, "critical")
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE alerts SET shown = '{}'")
    assert send(store, settings) == Sent(2, 0, 0)
    first = mood.taken[0]
    assert first["Subject"] == f"CRITICAL: alerts {alert_id}, layout failed, look now"
    assert mood.taken[1]["Subject"] == "OPERATOR: a mail could not be laid out"


def test_a_run_that_is_asked_to_stop_leaves_the_rest_owed(
    store: Store, settings: Settings, mood: Mood
) -> None:
    for number in range(3):
        queue_alert(store, settings, f"{number}@hill.example", NOW)
    assert send(store, settings, stop=lambda: len(mood.taken) >= 2) == Sent(2, 0, 1)


def _holder_with(pid: int) -> str:
    return f"daemon|{socket.gethostname()}|{pid}|0000"
