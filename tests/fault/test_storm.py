"""Many messages at once: laid out by a process of its own, recorded one by one, whatever ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import func, select

from monitor.config import Settings
from monitor.delivery import desk
from monitor.delivery.helper import Helper
from monitor.delivery.send import Sent, deliver_due
from monitor.store.database import Store
from monitor.store.outbox import DELIVERIES
from tests.fault.kill_mail import Postbox
from tests.mail_world import mail_server, queue_alert, settings_for
from tests.processes import ROOT, met

NOW = datetime(2026, 5, 12, 7, 2, tzinfo=UTC)
MAILS = 100
PATIENCE = 60.0
STARTS_ONE = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from monitor.config import read_settings
from monitor.delivery.helper import Helper
from monitor.store.database import open_store
settings = read_settings('[clinic]\\nemail = "a@b.example"', Path("config.toml"), {})
helper = Helper(open_store("sqlite:///nothing.db"), settings, datetime.now(UTC))
while not helper.is_ready:
    time.sleep(0.01)
print(helper._process.pid, flush=True)
time.sleep(600)
"""


@dataclass
class Watched(Postbox):
    """Does something before it takes a message, given the number of those taken before."""

    waits: tuple[float, ...] = (0.0,)
    before: Callable[[int], object] = field(default=lambda number: None)

    async def handle_DATA(  # noqa: N802  # named by aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.before(len(self.accepted))
        return await super().handle_DATA(server, session, envelope)


@pytest.fixture
def postbox() -> Watched:
    return Watched()


@pytest.fixture
def settings(postbox: Watched) -> Iterator[Settings]:
    with mail_server(postbox) as port:
        yield settings_for(port)


@pytest.fixture
def laid_out(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The messages that a helper laid out; it is at work from the first one. One that was let go
    because others took long comes again."""
    found: list[int] = []
    begin, lay_out = Helper.__init__, Helper.lay_out

    def begin_and_wait(helper: Helper, *given: Any) -> None:
        begin(helper, *given)
        assert met(lambda: helper.is_ready, PATIENCE)

    def note(helper: Helper, messages: Any) -> Any:
        made = lay_out(helper, messages)
        pairs = zip(messages, made, strict=True)
        found.extend(message.id for message, it in pairs if it is not None)
        return made

    monkeypatch.setattr(desk, "_STORM", MAILS)
    monkeypatch.setattr(Helper, "__init__", begin_and_wait)
    monkeypatch.setattr(Helper, "lay_out", note)
    return found


def fill(store: Store, settings: Settings, many: int = MAILS) -> None:
    for number in range(many):
        queue_alert(store, settings, f"{number}@hill.example", NOW, "critical")


def helpers() -> list[Any]:
    return [it for it in multiprocessing.active_children() if it.name == "monitor layout"]


@pytest.mark.parametrize("many", [20, MAILS])
def test_each_message_is_recorded_before_the_next_one_is_handed_over(
    store: Store, settings: Settings, postbox: Watched, laid_out: list[int], many: int
) -> None:
    recorded: list[int] = []

    def look(_number: int) -> None:
        with store.read() as connection:
            query = select(func.count()).where(DELIVERIES.c.state == "sent")
            recorded.append(int(connection.scalar(query) or 0))

    postbox.before = look
    fill(store, settings, many)
    assert deliver_due(store, settings, NOW, who="test") == Sent(many, 0, 0)
    assert recorded == list(range(many))


def test_a_storm_is_laid_out_by_a_helper_as_it_would_be_without_one(
    store: Store, settings: Settings, postbox: Watched, laid_out: list[int]
) -> None:
    fill(store, settings)
    assert deliver_due(store, settings, NOW, who="test") == Sent(MAILS, 0, 0)
    assert len(set(laid_out)) == MAILS
    assert len(postbox.by_message_id()) == len(postbox.accepted) == MAILS
    assert {it.subject for it in postbox.accepted} == {
        f"CRITICAL, MRN A{number}: prescriber to decide on discontinuation"
        for number in range(1, MAILS + 1)
    }
    assert helpers() == []


def test_a_helper_that_dies_is_done_without(
    store: Store, settings: Settings, postbox: Watched, laid_out: list[int]
) -> None:
    postbox.before = lambda number: helpers()[0].kill() if number == 10 else None
    fill(store, settings)
    assert deliver_due(store, settings, NOW, who="test") == Sent(MAILS, 0, 0)
    assert 10 <= len(set(laid_out)) < MAILS
    assert len(postbox.by_message_id()) == len(postbox.accepted) == MAILS


def test_what_a_helper_cannot_lay_out_goes_out_in_bare_words(
    store: Store, settings: Settings, postbox: Watched, laid_out: list[int]
) -> None:
    fill(store, settings)
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE alerts SET shown = '{}' WHERE id = 50")
    assert deliver_due(store, settings, NOW, who="test") == Sent(MAILS + 1, 0, 0)
    bare = [it.subject for it in postbox.accepted if "layout failed" in it.subject]
    assert bare == ["CRITICAL: alerts 50, layout failed, look now"]


def test_a_helper_ends_with_its_process_however_that_ends() -> None:
    own = subprocess.Popen(
        [sys.executable, "-c", STARTS_ONE], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert own.stdout is not None
    pid = int(own.stdout.readline())
    assert _is_there(pid)
    own.send_signal(signal.SIGKILL)
    own.wait()
    own.stdout.close()
    assert met(lambda: not _is_there(pid))


def _is_there(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False
