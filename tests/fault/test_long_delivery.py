"""A run that takes longer than a lease, while another one looks for what is owed; and one that
leaves off, so that what failed in it is not kept back until everything else has gone out."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from monitor.delivery.send import deliver_due
from monitor.store import leases
from monitor.store.database import Store, open_store
from tests.fault.kill_mail import Postbox
from tests.mail_world import Mood, mail_server, queue_alert, settings_for

NOW = datetime(2026, 5, 12, 7, 2, tzinfo=UTC)
MAILS = 6
WAIT = 0.9
"""Seconds the server takes for a mail: far below the lease, so that a busy machine does not
outlive it with one mail; all of them together take longer than it lasts."""
LEASE, LATER = timedelta(seconds=4), timedelta(seconds=4.4)


def test_no_message_is_sent_by_two_runs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE", LEASE)
    postbox = Postbox(waits=(WAIT,))
    with mail_server(postbox) as port:
        settings = settings_for(port)
        for number in range(MAILS):
            queue_alert(store, settings, f"{number}@hill.example", NOW)

        def long_run() -> None:
            other = open_store(store.engine.url.render_as_string(hide_password=False))
            deliver_due(other, settings, NOW, who="daemon")
            other.dispose()

        thread = threading.Thread(target=long_run)
        thread.start()
        time.sleep(LATER.total_seconds())
        deliver_due(store, settings, NOW + LATER, who="another")
        thread.join()
    ids = [it.message_id for it in postbox.accepted]
    assert (len(ids), len(set(ids))) == (MAILS, MAILS)


def test_a_critical_mail_that_was_put_off_does_not_wait_for_all_others(store: Store) -> None:
    mood = Mood(to={"doctor@hill.example": "451 4.7.1 greylisted"}, slow=0.1)
    with mail_server(mood) as port:
        settings = settings_for(port)
        queue_alert(store, settings, "doctor@hill.example", NOW, "critical")
        for number in range(20):
            queue_alert(store, settings, f"{number}@hill.example", NOW)
        first = deliver_due(store, settings, NOW, who="daemon", within=0.5)
        assert first.left
        assert 0 < first.sent < 20
        mood.to.clear()
        second = deliver_due(store, settings, NOW + timedelta(minutes=1), who="daemon")
    assert mood.recipients[first.sent] == "doctor@hill.example", "it overtakes the others"
    assert (second.sent, second.waiting, second.left) == (21 - first.sent, 0, False)
