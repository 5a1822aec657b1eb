"""Mails that came back: reports as mail systems write them, from a folder and over IMAP."""

from __future__ import annotations

import imaplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from monitor.config import Settings
from monitor.delivery.bounces import Report, reports_of
from monitor.delivery.send import Sent, deliver_due
from monitor.operations.bounces import Emptied, empty_boxes
from monitor.store.database import Store
from monitor.store.outbox import DELIVERIES, operator_alarm
from tests.mail_world import Mood, mail_server, queue_alert, settings_for

NOW = datetime(2026, 5, 12, 7, 2, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)
NURSE, CLINIC = "nurse@hill.example", "clinic@hill.example"
OURS = f"<{'0a' * 16}@hill.example>"


def bounce(
    message_id: str, action: str = "failed", to: str = NURSE, *, whole_mail: bool = False
) -> bytes:
    """A delivery report as Postfix writes it."""
    kind = "message/rfc822" if whole_mail else "text/rfc822-headers"
    body = "\r\n\r\nbody of ours" if whole_mail else ""
    lines = f"""\
From: MAILER-DAEMON@mx.hill.example (Mail Delivery System)
To: monitor@hill.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.
--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.hill.example
Arrival-Date: Tue, 12 May 2026 07:02:03 +0000 (UTC)

Final-Recipient: rfc822; {to}
Original-Recipient: rfc822;{to}
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <{to}>: Recipient address
    rejected: User unknown

--B
Content-Type: {kind}

Message-ID: {message_id}
To: {to}
Subject: CRITICAL{body}
--B--
"""
    return lines.replace("\n", "\r\n").replace("\r\r\n", "\r\n").encode()


@pytest.mark.parametrize("whole_mail", [False, True])
def test_a_report_names_recipient_action_reason_and_mail(whole_mail: bool) -> None:
    said = "5.1.1 550 5.1.1 <nurse@hill.example>: Recipient address rejected: User unknown"
    assert reports_of(bounce(OURS, whole_mail=whole_mail)) == [Report(NURSE, "failed", said, OURS)]


def test_a_report_that_returns_nothing_may_quote_our_id() -> None:
    raw = bounce(OURS).replace(b"text/rfc822-headers", b"text/plain")
    raw = raw.replace(b"I'm sorry", f"About {OURS}: I'm sorry".encode())
    assert reports_of(raw)[0].message_id == OURS


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe not a mail",
        b"Subject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nBack on Monday.",
        b"Content-Type: multipart/report; boundary=X\r\n\r\n--X\r\nbroken",
    ],
)
def test_what_is_no_report_is_none(raw: bytes) -> None:
    assert reports_of(raw) == []


@pytest.fixture
def mood() -> Mood:
    return Mood()


@pytest.fixture
def settings(mood: Mood, tmp_path: Path) -> Iterator[Settings]:
    (tmp_path / "bounces").mkdir()
    with mail_server(mood) as port:
        yield settings_for(port, routes=f'[bounces]\nfolder = "{tmp_path / "bounces"}"')


def sent_to_nurse(store: Store, settings: Settings, urgency: str = "critical") -> str:
    queue_alert(store, settings, NURSE, NOW, urgency)
    assert deliver_due(store, settings, NOW, who="test") == Sent(1, 0, 0)
    with store.read() as connection:
        newest = select(DELIVERIES.c.message_id).order_by(DELIVERIES.c.id.desc())
        return str(connection.scalar(newest.limit(1)))


def deliveries(store: Store) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(DELIVERIES).order_by(DELIVERIES.c.id)))


def test_an_alert_that_came_back_goes_to_the_last_resort_once(
    store: Store, settings: Settings, mood: Mood, tmp_path: Path
) -> None:
    box = tmp_path / "bounces"
    ours = sent_to_nurse(store, settings)
    for name in ("1.eml", "2.eml"):
        (box / name).write_bytes(bounce(ours))
    assert empty_boxes(store, settings, LATER) == Emptied(2, 1)
    assert sorted(path.name for path in (box / "done").iterdir()) == ["1.eml", "2.eml"]
    assert list(box.glob("*.eml")) == []
    assert deliver_due(store, settings, LATER, who="test") == Sent(2, 0, 0)
    first, alarm, passed_on = deliveries(store)
    assert (first.state, first.bounced_at) == ("failed", LATER)
    assert "came back: 5.1.1" in first.last_error
    assert "came back" in alarm.payload["text"]
    assert (passed_on.recipient, passed_on.state) == (CLINIC, "sent")
    body = mood.taken[1].get_body(("plain",))
    assert body is not None
    assert body.get_content().startswith(f"This message was for {NURSE}")


def test_an_address_that_bounced_is_used_again(
    store: Store, settings: Settings, mood: Mood, tmp_path: Path
) -> None:
    (tmp_path / "bounces" / "1.eml").write_bytes(bounce(sent_to_nurse(store, settings)))
    empty_boxes(store, settings, LATER)
    queue_alert(store, settings, NURSE, LATER)
    deliver_due(store, settings, LATER, who="test")
    assert mood.recipients.count(NURSE) == 2


def test_an_alarm_that_the_operator_refuses_goes_another_way_and_never_in_circles(
    store: Store, mood: Mood, tmp_path: Path
) -> None:
    box = tmp_path / "bounces"
    box.mkdir()
    routes = f'''[bounces]
folder = "{box}"
[alarm]
to = ["duty@hill.example"]'''
    with mail_server(mood) as port:
        settings = settings_for(port, routes=routes)
        with store.write() as connection:
            operator_alarm(connection, "feed", "silent", CLINIC, NOW, settings.clinic.zone)
        for round_ in range(6):
            at = NOW + round_ * timedelta(minutes=10)
            deliver_due(store, settings, at, who="test")
            for row in deliveries(store):
                if row.bounced_at is None:
                    (box / f"{round_}-{row.id}.eml").write_bytes(
                        bounce(row.message_id, to=row.recipient)
                    )
            empty_boxes(store, settings, at)
    rows = deliveries(store)
    assert {row.recipient for row in rows} == {CLINIC, "duty@hill.example"}
    feed = [row.recipient for row in rows if row.payload["topic"] == "feed"]
    assert feed == [CLINIC, "duty@hill.example"]
    topics = {(row.recipient, row.payload["topic"]) for row in rows}
    assert len(topics) == len(rows) == 6
    assert all(row.bounced_at is not None for row in rows)
    nobody = [row for row in rows if "nobody else to go to" in row.payload["text"]]
    assert [row.payload["topic"] for row in nobody][:1] == ["address refused: duty@hill.example"]


@pytest.mark.parametrize(("urgency", "told"), [("critical", 1), ("urgent", 1), ("routine", 0)])
def test_a_delay_is_told_where_it_matters(
    store: Store, settings: Settings, tmp_path: Path, urgency: str, told: int
) -> None:
    ours = sent_to_nurse(store, settings, urgency)
    (tmp_path / "bounces" / "1.eml").write_bytes(bounce(ours, "delayed"))
    assert empty_boxes(store, settings, LATER) == Emptied(1, 0)
    first, *alarms = deliveries(store)
    assert (first.state, len(alarms)) == ("sent", told)


@pytest.mark.parametrize(("urgency", "told"), [("critical", 2), ("urgent", 1)])
def test_of_two_that_are_late_each_critical_one_needs_a_telephone_call(
    store: Store, settings: Settings, tmp_path: Path, urgency: str, told: int
) -> None:
    for number in range(2):
        ours = sent_to_nurse(store, settings, urgency)
        (tmp_path / "bounces" / f"{number}.eml").write_bytes(bounce(ours, "delayed"))
    empty_boxes(store, settings, LATER)
    alarms = [row for row in deliveries(store) if row.kind == "operator"]
    assert len(alarms) == told


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"Subject: Out of office\r\n\r\nBack on Monday.", "no delivery report"),
        (bounce("<unknown@elsewhere.example>"), "does not say which"),
    ],
)
def test_what_cannot_be_matched_is_said_and_not_lost(
    store: Store, settings: Settings, tmp_path: Path, raw: bytes, says: str
) -> None:
    (tmp_path / "bounces" / "1.eml").write_bytes(raw)
    assert empty_boxes(store, settings, LATER) == Emptied(1, 0)
    (alarm,) = deliveries(store)
    assert says in alarm.payload["text"]


@pytest.mark.parametrize(
    "strange",
    [
        b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=x-no-such-one\r\n\r\nAway.\r\n",
        bounce(OURS).replace(b"User unknown", b"User\0unknown"),
    ],
    ids=["unknown charset", "a NUL"],
)
def test_one_mail_that_cannot_be_read_keeps_no_other_report_back(
    store: Store, settings: Settings, strange: bytes
) -> None:
    message_id = sent_to_nurse(store, settings)
    assert settings.bounces.folder is not None
    (settings.bounces.folder / "1.eml").write_bytes(strange)
    (settings.bounces.folder / "2.eml").write_bytes(bounce(message_id))
    assert empty_boxes(store, settings, LATER) == Emptied(mails=2, bounced=1)
    alarms = [row.payload["topic"] for row in deliveries(store) if row.kind == "operator"]
    assert len(alarms) == 2


def test_a_box_that_cannot_be_read_is_an_alarm(store: Store) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = settings_for(1, routes=_imap(port, "BOX"))
    pytest.MonkeyPatch().setenv("BOX", "demopass")
    assert empty_boxes(store, settings, NOW) == Emptied(0, 0)
    (alarm,) = deliveries(store)
    assert alarm.payload["text"].startswith("the mailbox of bounces, 127.0.0.1: ")


def _imap(port: int, password_env: str) -> str:
    return f"""
    [bounces]
    imap_host = "127.0.0.1"
    imap_port = {port}
    imap_security = "none"
    imap_username = "demouser"
    imap_password_env = "{password_env}"
    timeout_seconds = 5
    """


@contextmanager
def imap_server() -> Iterator[int]:
    """A real IMAP server with an empty mailbox on a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    program = [sys.executable, "-c", "from pymap.main import main; main()"]
    program += ["--host", "127.0.0.1", "--port", str(port), "--no-tls", "dict"]
    with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(100):
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield port
        finally:
            server.terminate()


def test_a_mailbox_is_emptied_over_imap_and_each_mail_once(
    store: Store, mood: Mood, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOX", "demopass")
    with mail_server(mood) as mail, imap_server() as port:
        settings = settings_for(mail, routes=_imap(port, "BOX"))
        ours = sent_to_nurse(store, settings)
        with imaplib.IMAP4("127.0.0.1", port) as box:
            box.login("demouser", "demopass")
            box.append("INBOX", "", imaplib.Time2Internaldate(0), bounce(ours))
        assert empty_boxes(store, settings, LATER) == Emptied(1, 1)
        assert empty_boxes(store, settings, LATER) == Emptied(0, 0)
    assert deliveries(store)[0].bounced_at == LATER


def test_a_folder_that_is_not_there_is_told(store: Store, tmp_path: Path) -> None:
    settings = settings_for(1, routes=f'[bounces]\nfolder = "{tmp_path / "bouncs"}"')
    assert empty_boxes(store, settings, LATER) == Emptied()
    (alarm,) = deliveries(store)
    assert alarm.payload["text"] == "the folder of bounces: No such file or directory"
