"""Several mail servers, webhooks, queue folders and syslog, each in its moods, with real
servers: what was lost (nothing), what waits, what is repeated, and who is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from monitor.config import Settings
from monitor.delivery.send import Sent, deliver_due
from monitor.store import breakers
from monitor.store.database import Store
from monitor.store.outbox import DELIVERIES
from tests.mail_world import Mood, mail_server, queue_alert, settings_for

NOW = datetime(2026, 5, 12, 7, 2, tzinfo=UTC)
NURSE, CLINIC = "nurse@hill.example", "clinic@hill.example"
SECRET = "a secret both sides know"


def send(store: Store, settings: Settings, now: datetime = NOW) -> Sent:
    return deliver_due(store, settings, now, who="test")


def rows(store: Store) -> dict[str, Any]:
    with store.read() as connection:
        found = connection.execute(select(DELIVERIES).order_by(DELIVERIES.c.id))
        return {f"{row.kind} to {row.recipient}": row for row in found}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def relay(port: int) -> str:
    return f'[[relays]]\nhost = "127.0.0.1"\nport = {port}\n'


def test_the_second_server_has_the_mail_and_the_first_is_left_alone(store: Store) -> None:
    first, second = Mood(), Mood()
    port = free_port()
    with mail_server(second) as other:
        settings = settings_for(port, routes=relay(other))
        queue_alert(store, settings, NURSE, NOW, "critical")
        assert send(store, settings) == Sent(1, 0, 0)
        assert second.recipients == [NURSE]
        assert rows(store)[f"alert to {NURSE}"].answer.startswith(f"127.0.0.1:{other}: ")
        with store.read() as connection:
            (rests,) = breakers.states(connection)
        assert (rests.way, rests.failures) == (f"mail 127.0.0.1:{port}", 1)
        assert rests.open_until == NOW + timedelta(seconds=30)
        queue_alert(store, settings, NURSE, NOW)
        assert send(store, settings, NOW + timedelta(seconds=29)) == Sent(1, 0, 0)
        assert first.connections == 0


def test_the_preferred_server_is_used_again_once_it_works(store: Store) -> None:
    first, second = Mood(), Mood()
    with mail_server(first) as port, mail_server(second) as other:
        settings = settings_for(port, routes=relay(other))
        first.sender = "451 4.3.0 not now"
        queue_alert(store, settings, NURSE, NOW)
        assert send(store, settings) == Sent(1, 0, 0)
        first.sender = ""
        queue_alert(store, settings, NURSE, NOW)
        assert send(store, settings, NOW + timedelta(minutes=1)) == Sent(1, 0, 0)
    assert (len(second.taken), len(first.taken)) == (1, 1)
    with store.read() as connection:
        assert breakers.states(connection) == []


def test_what_a_server_says_of_a_recipient_is_its_answer(store: Store) -> None:
    first, second = Mood(), Mood()
    first.to[NURSE] = "550 5.1.1 no such user"
    with mail_server(first) as port, mail_server(second) as other:
        settings = settings_for(port, routes=relay(other))
        queue_alert(store, settings, NURSE, NOW)
        assert send(store, settings) == Sent(2, 1, 0)
    assert second.taken == []


def test_where_no_server_works_nothing_is_lost_and_each_is_named(store: Store) -> None:
    ports = free_port(), free_port()
    settings = settings_for(ports[0], routes=relay(ports[1]))
    queue_alert(store, settings, NURSE, NOW)
    assert send(store, settings) == Sent(0, 0, 1)
    said = rows(store)[f"alert to {NURSE}"].last_error
    assert all(f"127.0.0.1:{port}" in said for port in ports)
    with mail_server(Mood()) as back:
        settings = settings_for(ports[0], routes=relay(back))
        assert send(store, settings, NOW + timedelta(minutes=15)) == Sent(1, 0, 0)


@dataclass
class Pager:
    """A webhook's other side: its answers in order (then 200), and what it took."""

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    slow: threading.Event | None = None
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def pager_server(pager: Pager) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if pager.slow is not None:
                pager.slow.wait(5)
            code, headers = pager.answers.pop(0) if pager.answers else (200, {})
            if code < 300:
                own = {name.lower(): value for name, value in self.headers.items()}
                pager.taken.append((own, body))
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        if pager.slow is not None:
            pager.slow.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER_SECRET", SECRET)


def webhook(port: int, **more: Any) -> str:
    extra = "".join(f"{name} = {json.dumps(value)}\n" for name, value in more.items())
    url = f"http://127.0.0.1:{port}/alerts"
    return f'[webhooks.pager]\nurl = "{url}"\nsecret_env = "PAGER_SECRET"\n{extra}'


@pytest.mark.usefixtures("secret")
def test_a_webhook_gets_a_signed_document(store: Store) -> None:
    pager = Pager()
    with pager_server(pager) as port:
        settings = settings_for(1, routes=webhook(port))
        alert_id = queue_alert(store, settings, "webhook:pager", NOW, "critical")
        assert send(store, settings) == Sent(1, 0, 0)
    ((headers, body),) = pager.taken
    key, stamp = headers["webhook-id"], headers["webhook-timestamp"]
    signed = f"{key}.{stamp}.".encode() + body
    code = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{code}"
    assert 0 <= int(stamp) - NOW.timestamp() < 60
    document = json.loads(body)
    assert (document["urgency"], document["message_id"]) == ("critical", key)
    (alert,) = document["alerts"]
    assert (alert["id"], alert["patient"]) == (alert_id, {"mrn": "A1"})
    assert "Prescriber to decide" in alert["action"]


@pytest.mark.usefixtures("secret")
def test_a_webhook_is_told_when_each_message_was_sent(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who takes five minutes for a replay refused all that a long run sent at its end."""
    passed = count(step=5.0)
    slow = SimpleNamespace(monotonic=lambda: monotonic() + next(passed))
    monkeypatch.setattr("monitor.delivery.send.time", slow)
    pager = Pager()
    with pager_server(pager) as port:
        settings = settings_for(1, routes=webhook(port))
        for _ in range(3):
            queue_alert(store, settings, "webhook:pager", NOW)
        assert send(store, settings) == Sent(3, 0, 0)
    stamps = [int(headers["webhook-timestamp"]) for headers, _ in pager.taken]
    assert NOW.timestamp() < stamps[0] < stamps[1] < stamps[2]


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("code", [500, 503, 429, 408])
def test_a_webhook_that_is_down_is_asked_again_with_the_same_id(store: Store, code: int) -> None:
    pager = Pager(answers=[(code, {})])
    with pager_server(pager) as port:
        settings = settings_for(1, routes=webhook(port))
        queue_alert(store, settings, "webhook:pager", NOW)
        assert send(store, settings) == Sent(0, 0, 1)
        assert send(store, settings, NOW + timedelta(seconds=16)) == Sent(1, 0, 0)
    ((headers, body),) = pager.taken
    assert headers["webhook-id"] == json.loads(body)["message_id"]
    assert json.loads(body)["attempt"] == 2


@pytest.mark.usefixtures("secret")
def test_a_webhook_that_asks_for_a_pause_gets_it(store: Store) -> None:
    pager = Pager(answers=[(429, {"retry-after": "600"})])
    with pager_server(pager) as port:
        settings = settings_for(1, routes=webhook(port))
        queue_alert(store, settings, "webhook:pager", NOW)
        send(store, settings)
        assert send(store, settings, NOW + timedelta(seconds=599)) == Sent(0, 0, 1)
        assert send(store, settings, NOW + timedelta(seconds=600)) == Sent(1, 0, 0)


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("code", [410, 404, 401, 302])
def test_a_webhook_that_refuses_is_an_alarm_and_a_person_gets_the_message(
    store: Store, code: int
) -> None:
    mood = Mood()
    with pager_server(Pager(answers=[(code, {})])) as port, mail_server(mood) as mail:
        settings = settings_for(mail, routes=webhook(port))
        queue_alert(store, settings, "webhook:pager", NOW, "critical")
        assert send(store, settings) == Sent(2, 1, 0)
    subjects = [mail["Subject"] for mail in mood.taken]
    assert any(subject.startswith("CRITICAL") for subject in subjects)
    assert "OPERATOR: address refused: webhook:pager" in subjects


@pytest.mark.usefixtures("secret")
def test_a_slow_webhook_holds_up_no_mail(store: Store) -> None:
    mood, pager = Mood(), Pager(slow=threading.Event())
    with pager_server(pager) as port, mail_server(mood) as mail:
        settings = settings_for(mail, routes=webhook(port, timeout_seconds=0.2))
        queue_alert(store, settings, "webhook:pager", NOW, "critical")
        queue_alert(store, settings, "webhook:pager", NOW, "critical")
        queue_alert(store, settings, NURSE, NOW)
        assert send(store, settings) == Sent(1, 0, 2)
    assert mood.recipients == [NURSE]


@pytest.mark.parametrize("value", [None, "", " \n"])
def test_a_webhook_without_its_secret_sends_nothing_unsigned(
    store: Store, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is not None:
        monkeypatch.setenv("PAGER_SECRET", value)
    pager, mood = Pager(), Mood()
    with pager_server(pager) as port, mail_server(mood) as mail:
        settings = settings_for(mail, routes=webhook(port))
        queue_alert(store, settings, "webhook:pager", NOW)
        assert send(store, settings) == Sent(1, 0, 1)
    assert pager.taken == []
    assert [mail["Subject"] for mail in mood.taken] == ["OPERATOR: webhook:pager"]


def test_a_channel_that_breaks_in_a_way_nobody_foresaw_holds_up_no_mail(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its secret says that it is base64, and is not: no fault of the network, nor of HTTP."""
    monkeypatch.setenv("PAGER_SECRET", "whsec_not-base64")
    pager, mood = Pager(), Mood()
    with pager_server(pager) as port, mail_server(mood) as mail:
        settings = settings_for(mail, routes=webhook(port))
        queue_alert(store, settings, "webhook:pager", NOW, "critical")
        queue_alert(store, settings, NURSE, NOW)
        assert send(store, settings) == Sent(2, 0, 1)
    assert pager.taken == []
    assert sorted(mood.recipients) == [CLINIC, NURSE]
    assert "OPERATOR: webhook:pager" in [mail["Subject"] for mail in mood.taken]
    assert "Error" in rows(store)["alert to webhook:pager"].last_error


def queue(folder: Path) -> str:
    return f"[queues.ehr]\nfolder = {json.dumps(str(folder))}\n"


def test_a_queue_folder_gets_one_whole_file(store: Store, tmp_path: Path) -> None:
    settings = settings_for(1, routes=queue(tmp_path / "queue"))
    queue_alert(store, settings, "queue:ehr", NOW, "critical")
    assert send(store, settings) == Sent(1, 0, 0)
    (path,) = (tmp_path / "queue").iterdir()
    assert path.name.startswith("20260512T070200Z-critical-")
    assert path.name == rows(store)["alert to queue:ehr"].answer
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["alerts"][0]["patient"] == {"mrn": "A1"}
    assert "A1" not in path.name


def test_a_full_disk_while_queueing_loses_nothing_and_leaves_no_half_file(
    store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "queue"
    settings = settings_for(1, routes=queue(folder))
    queue_alert(store, settings, "queue:ehr", NOW)
    with _no_room_for(200):
        sent = send(store, settings)
    assert sent == Sent(0, 0, 1)
    assert list(folder.iterdir()) == []
    assert "queue ehr" in rows(store)["alert to queue:ehr"].last_error
    assert send(store, settings, NOW + timedelta(minutes=1)) == Sent(1, 0, 0)


@contextmanager
def _no_room_for(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size`, as on a full disk; the store has an open
    transaction log that is larger already, so the limit is put around the channel's own open."""
    import signal

    from monitor.delivery.channels import queue as channel

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    whole = channel._write_whole

    def limited(path: Path, text: str) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            whole(path, text)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    channel._write_whole = limited
    try:
        yield
    finally:
        channel._write_whole = whole
        signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("transport", ["udp", "tcp", "unix"])
def test_syslog_hears_of_ids_and_of_no_patient(
    store: Store, tmp_path: Path, transport: str
) -> None:
    with _syslog(transport, tmp_path) as (where, heard):
        settings = settings_for(1, routes=f'[syslogs.house]\ntransport = "{transport}"\n{where}')
        alert_id = queue_alert(store, settings, "syslog:house", NOW, "critical")
        assert send(store, settings) == Sent(1, 0, 0)
        line = heard()
    assert line.startswith("<26>1 2026-05-12T07:02:00Z ")
    assert line.endswith(f"alert - critical alert: alerts {alert_id} opened")
    assert "A1" not in line


def test_a_syslog_that_is_not_there_waits(store: Store, tmp_path: Path) -> None:
    where = f'[syslogs.house]\nsocket = "{tmp_path / "absent"}"\n'
    settings = settings_for(1, routes=where)
    queue_alert(store, settings, "syslog:house", NOW)
    assert send(store, settings) == Sent(0, 0, 1)


@contextmanager
def _syslog(transport: str, folder: Path) -> Iterator[tuple[str, Any]]:
    kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
    family = socket.AF_UNIX if transport == "unix" else socket.AF_INET
    with socket.socket(family, kind) as server:
        if transport == "unix":
            path = os.path.relpath(folder / "log")
            server.bind(path)
            where = f'socket = "{path}"'
        else:
            server.bind(("127.0.0.1", 0))
            where = f'host = "127.0.0.1"\nport = {server.getsockname()[1]}'
        server.settimeout(5)
        if transport == "tcp":
            server.listen()

        def heard() -> str:
            if transport != "tcp":
                return server.recv(4096).decode()
            way, _ = server.accept()
            with way:
                size, _, line = way.recv(4096).decode().partition(" ")
            assert int(size) == len(line)
            return line

        yield where, heard
