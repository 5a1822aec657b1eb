"""The fault table of `docs/faults.md`: each fault once, with a real server or a real full disk,
and what came of one critical alert: lost, repeated, who else was told.

The alert is for a nurse; the next tier of its ladder is a doctor, the last resort the clinic;
messages that wait longer than 10 minutes alarm by a queue folder. Each fault is there for a
first attempt and for a second one 11 minutes later; then it is mended. `UPDATE_GOLDEN=1`
writes the page anew: read the difference.
"""

from __future__ import annotations

import json
import os
import shutil
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from sqlalchemy import event, select, update

from monitor.config import Settings
from monitor.core.routing import Line, Planned
from monitor.core.vocabulary import Urgency
from monitor.delivery.send import deliver_due
from monitor.operations.stuck import alarm_if_stuck
from monitor.store import leases, outbox, tables
from monitor.store.database import Store, open_store
from monitor.store.errors import StoreError
from monitor.store.outbox import DELIVERIES, enqueue
from tests.clinic import Clinic
from tests.fault.test_channels import Pager, _no_room_for, free_port, pager_server, webhook
from tests.mail_world import Mood, add_alert, mail_server, settings_for

NOW = datetime(2026, 5, 12, 7, 2, tzinfo=UTC)
PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
NURSE, DOCTOR, CLINIC = "nurse@hill.example", "doctor@hill.example", "clinic@hill.example"


@dataclass
class World:
    """A store, what mail servers took, a pager, a queue folder."""

    store: Store
    folder: Path
    mood: Mood = field(default_factory=Mood)
    pager: Pager = field(default_factory=Pager)
    to: str = NURSE

    def settings(self, port: int, more: str = "", *, hook: int = 0) -> Settings:
        text = f"""
        {webhook(hook, timeout_seconds=0.3) if hook else ""}
        [queues.ehr]
        folder = {json.dumps(str(self.folder / "queue"))}
        [alarm]
        to = ["{CLINIC if self.to.startswith("queue") else "queue:ehr"}"]
        [[routes]]
        to = ["{self.to}"]
        then = [["{DOCTOR}"]]
        """
        return settings_for(port, more, routes=text)

    def queue_alert(self) -> None:
        with self.store.write() as connection:
            alert = add_alert(connection, NOW, "critical", asked_at=NOW, rungs_told=1)
            line = Line(alert_id=alert, what="opened", reason="", urgency=Urgency.CRITICAL)
            planned = Planned(
                kind="alert", recipient=self.to, urgency=Urgency.CRITICAL, lines=(line,)
            )
            enqueue(connection, [planned], NOW, zone=ZONE, sender="monitor@hill.example")


ZONE = settings_for(1).clinic.zone
Fault = Callable[[World], AbstractContextManager[Settings]]


@contextmanager
def refuses_connection(world: World) -> Iterator[Settings]:
    yield world.settings(free_port())


@contextmanager
def hangs(world: World) -> Iterator[Settings]:
    world.mood.slow = 1.0
    with mail_server(world.mood) as port:
        settings = world.settings(port)
        brief = settings.mail.model_copy(update={"timeout_seconds": 0.2})
        yield settings.model_copy(update={"mail": brief})
    world.mood.slow = 0


def answers_recipient(reply: str) -> Fault:
    @contextmanager
    def fault(world: World) -> Iterator[Settings]:
        world.mood.to[NURSE] = reply
        with mail_server(world.mood) as port:
            yield world.settings(port)
        del world.mood.to[NURSE]

    return fault


def answers_data(*replies: str) -> Fault:
    @contextmanager
    def fault(world: World) -> Iterator[Settings]:
        world.mood.data = list(replies)
        with mail_server(world.mood) as port:
            yield world.settings(port)
        world.mood.data = []

    return fault


@contextmanager
def killed_after_acceptance(world: World) -> Iterator[Settings]:
    """As if the process had been killed between the server's answer and its record."""
    with mail_server(world.mood) as port:
        settings = world.settings(port)
        deliver_due(world.store, settings, NOW, who="test")
        with world.store.write() as connection:
            held = {"state": "waiting", "leased_until": NOW + leases.LEASE}
            connection.execute(update(DELIVERIES).values(held | {"leased_by": "x|host|1|y"}))
        yield settings


@contextmanager
def bad_certificate(world: World) -> Iterator[Settings]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with mail_server(world.mood, tls=context, starttls=True) as port:
        yield world.settings(port, 'security = "starttls"')


@contextmanager
def wrong_password(world: World) -> Iterator[Settings]:
    user = 'security = "starttls"\nusername = "monitor"\npassword_env = "FAULT_PASSWORD"'
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(world.folder / "ca.pem")
    users = {"monitor": "right"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAULT_PASSWORD", "wrong")
        patch.setenv("SSL_CERT_FILE", str(world.folder / "ca.pem"))
        with mail_server(world.mood, tls=context, starttls=True, users=users) as port:
            yield world.settings(port, user)


def webhook_answers(code: int) -> Fault:
    @contextmanager
    def fault(world: World) -> Iterator[Settings]:
        world.pager.answers = [(code, {})] * 2
        with pager_server(world.pager) as hook, mail_server(world.mood) as port:
            yield world.settings(port, hook=hook)
        world.pager.answers = []

    return fault


@contextmanager
def webhook_hangs(world: World) -> Iterator[Settings]:
    world.pager.slow = threading.Event()
    slow = Pager(slow=world.pager.slow)
    world.pager.slow = None
    with pager_server(slow) as hook, mail_server(world.mood) as port:
        yield world.settings(port, hook=hook)


@contextmanager
def full_queue_folder(world: World) -> Iterator[Settings]:
    with mail_server(world.mood) as port, _no_room_for(200):
        yield world.settings(port)


FAULTS: dict[str, tuple[Fault, str]] = {
    "SMTP refuses the connection": (refuses_connection, NURSE),
    "SMTP hangs": (hangs, NURSE),
    "SMTP answers the data with 421": (answers_data(*["421 4.3.2 closing"] * 9), NURSE),
    "SMTP answers the recipient with 450": (answers_recipient("450 4.2.1 busy"), NURSE),
    "SMTP answers the recipient with 550": (answers_recipient("550 5.1.1 no such user"), NURSE),
    "SMTP takes the data and drops the line": (answers_data("drop"), NURSE),
    "Killed after SMTP took it, before it was noted": (killed_after_acceptance, NURSE),
    "SMTP shows a certificate nobody vouches for": (bad_certificate, NURSE),
    "SMTP does not accept the password": (wrong_password, NURSE),
    "Webhook answers 500": (webhook_answers(500), "webhook:pager"),
    "Webhook answers 410": (webhook_answers(410), "webhook:pager"),
    "Webhook does not answer in time": (webhook_hangs, "webhook:pager"),
    "Disk full while the queue file is written": (full_queue_folder, "queue:ehr"),
}


def observed(world: World, fault: Fault) -> tuple[str, str, str]:
    """(who has the alert and how often, what became of the first message, who was alarmed)."""
    world.queue_alert()
    with fault(world) as settings:
        deliver_due(world.store, settings, NOW, who="test")
        first = _state(world.store)
        late = NOW + timedelta(minutes=11)
        alarm_if_stuck(world.store, settings, late)
        deliver_due(world.store, settings, late, who="test", despite_back_off=True)
    with pager_server(world.pager) as hook, mail_server(world.mood) as port:
        settings = world.settings(port, hook=hook if world.to.startswith("webhook") else 0)
        after = NOW + timedelta(minutes=40)
        deliver_due(world.store, settings, after, who="test", despite_back_off=True)
    assert _state(world.store) in {"sent", "failed"}
    with world.store.read() as connection:
        assert outbox.waiting(connection) == 0, "nothing is owed any more"
    return _arrived(world), first, _alarms(world.store)


def _state(store: Store) -> str:
    with store.read() as connection:
        return str(connection.scalar(select(DELIVERIES.c.state).order_by(DELIVERIES.c.id)))


def _arrived(world: World) -> str:
    """Who has the alert, and how often; the same Message-ID counts as a repeat."""
    came: list[tuple[str, str]] = [
        (to.partition("@")[0], str(mail["Message-ID"]))
        for to, mail in zip(world.mood.recipients, world.mood.taken, strict=True)
        if mail["Subject"].startswith("CRITICAL")
    ]
    came += [("webhook", headers["webhook-id"]) for headers, _ in world.pager.taken]
    box = world.folder / "queue"
    for path in sorted(box.iterdir()) if box.exists() else ():
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["kind"] == "alert":
            came.append(("queue", document["message_id"]))
    assert came, "the alert was lost"
    said = [
        name if times == 1 else f"{name}, {times} times with one Message-ID"
        for (name, _), times in Counter(came).items()
    ]
    return "; ".join(said)


def _alarms(store: Store) -> str:
    """What was said to whom of the fault."""
    query = select(DELIVERIES).where(DELIVERIES.c.kind == "operator").order_by(DELIVERIES.c.id)
    with store.read() as connection:
        rows: list[Any] = list(connection.execute(query))
    said = [f"{row.recipient.partition('@')[0]}: {row.payload['topic']}" for row in rows]
    return "; ".join(said) or "nobody"


@pytest.fixture(scope="module")
def table(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each fault did."""
    seen: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAGER_SECRET", "a secret both sides know")
        for name, (fault, to) in FAULTS.items():
            folder = tmp_path_factory.mktemp("fault")
            shutil.copy(migrated_sqlite, folder / "monitor.db")
            store = open_store(f"sqlite:///{folder / 'monitor.db'}")
            seen[name] = observed(World(store, folder, to=to), fault)
            store.dispose()
    return seen


HEAD = """# What happens when something on the way fails

Each fault as it was tried, with a real server or a real full disk, on one critical alert for a nurse, whose next tier is a doctor and whose last resort is the clinic; messages that wait longer than 10 minutes alarm by a queue folder (by mail where the queue folder itself is the trouble). The fault is there for a first attempt and for one 11 minutes later, then it is mended. `tests/fault/test_fault_table.py` writes this page and fails when it is not true.

**Lost: nothing, in any row.** A repeat carries the same Message-ID, so that a mail program shows it once.

| fault | the alert reached | first attempt | alarmed |
| --- | --- | --- | --- |
"""  # noqa: E501  # a page, not code
TAIL = """| Disk full while the alert is written to the database | nurse, after there was room | rolled back whole: no alert, no message, the patient still owed | the command fails and says so; `monitor health` is not well, and the heartbeat stops |

`waiting` messages are tried again after 15 seconds, then twice as long each time, up to a quarter of an hour. `failed` messages have gone to the next tier of the ladder, or to the last resort, and the address is used again next time: it is never just switched off.
"""  # noqa: E501  # a page, not code


def test_the_page_says_what_was_seen(table: dict[str, tuple[str, str, str]]) -> None:
    lines = [
        f"| {name} | {arrived} | {first} | {alarmed} |"
        for name, (arrived, first, alarmed) in table.items()
    ]
    page = HEAD + "\n".join(lines) + "\n" + TAIL
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(page, encoding="utf-8")
    assert page == PAGE.read_text(encoding="utf-8")


def test_a_disk_full_while_the_database_is_written_owes_everything_afterwards(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    """The last row of the page: nothing half written, and all of it once there is room."""
    shutil.copy(migrated_sqlite, tmp_path / "monitor.db")
    store = open_store(f"sqlite:///{tmp_path / 'monitor.db'}")
    clinic = Clinic(store, settings_for(1))
    people = [f"A{number}" for number in range(30)]
    for mrn in people:
        clinic.enrol(mrn, "2026-05-04", now=NOW - timedelta(days=1))
        clinic.results(mrn, "2026-05-11", {"neutrophils": "0.4"}, received_at=NOW)
    with database_full(store), pytest.raises(StoreError, match="full"):
        clinic.review(NOW)
    assert clinic.rows(tables.AlertRow) == []
    assert clinic.rows(tables.Delivery) == []
    clinic.review(NOW + timedelta(minutes=1))
    assert len(clinic.rows(tables.AlertRow, rule="neutropenia", urgency="critical")) == len(people)
    told = [row.recipient for row in clinic.rows(tables.Delivery, urgency="critical")]
    assert told == [CLINIC] * len(people)
    store.dispose()


@contextmanager
def database_full(store: Store) -> Iterator[None]:
    """SQLite may not take another page, as on a full disk."""

    def no_more_pages(connection: Any, _: Any) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    store.engine.dispose()
    event.listen(store.engine, "connect", no_more_pages)
    try:
        yield
    finally:
        event.remove(store.engine, "connect", no_more_pages)
        store.engine.dispose()


def test_whatever_waited_was_told_by_another_way(table: dict[str, tuple[str, str, str]]) -> None:
    for name, (arrived, first, alarmed) in table.items():
        if first == "waiting" and "Killed" not in name:
            assert "do not go out" in alarmed, name
        if first == "failed":
            assert "doctor" in arrived, name
            assert "address refused" in alarmed, name
