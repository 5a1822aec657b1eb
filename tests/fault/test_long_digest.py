"""Digests go through everybody: in a country that takes minutes, and no lab file waits for it."""

from __future__ import annotations

import threading
from datetime import datetime

import pytest

from monitor.config import Settings
from monitor.daemon import daemon as daemon_module
from monitor.daemon.daemon import Daemon
from monitor.store.database import Store
from tests.clinic import Clinic
from tests.processes import met


@pytest.mark.sqlite_only
def test_no_file_waits_for_a_long_digest(ward: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    composing, enough = threading.Event(), threading.Event()

    def compose(_store: Store, _settings: Settings, _now: datetime) -> int:
        composing.set()
        enough.wait()
        return 0

    monkeypatch.setattr(daemon_module, "compose_digests", compose)
    running = Daemon(ward.settings)
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        assert composing.wait(30)
        inbox = ward.settings.intake.inbox
        (inbox / "patients.csv").write_text("mrn,drug,started_on\nA1,azathioprine,2026-01-05\n")
        assert met(lambda: (inbox / "done" / "patients.csv").exists())
    finally:
        enough.set()
        running.stop()
        thread.join()
