"""A run that takes longer than a lease, while another one looks for what is owed."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from monitor.delivery.send import deliver_due
from monitor.store import leases
from monitor.store.database import Store, open_store
from tests.fault.kill_mail import Postbox
from tests.mail_world import mail_server, queue_alert, settings_for

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
