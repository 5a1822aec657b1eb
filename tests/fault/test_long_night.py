"""The nightly sweep goes through everybody: in a country that takes longer than a daemon may be
silent, and nothing is taken for dead meanwhile."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

import pytest

from monitor import clock
from monitor.config import Settings
from monitor.daemon import daemon as daemon_module
from monitor.daemon.daemon import Daemon
from monitor.operations import feeds
from monitor.review import Tally, review_due
from monitor.store.database import Store
from tests.clinic import Clinic
from tests.processes import met


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("job", "where", "work"),
    [("digests", daemon_module, "compose_digests"), ("feeds", feeds, "watch")],
)
def test_every_other_job_runs_while_the_night_lasts(
    ward: Clinic, monkeypatch: pytest.MonkeyPatch, job: str, where: Any, work: str
) -> None:
    """The digests and the watch over the feeds waited for the sweep: `monitor health` called them
    silent after a quarter of an hour, and the heartbeat stopped."""
    sweeping, enough, ran = threading.Event(), threading.Event(), threading.Event()

    def review(store: Store, settings: Settings, now: datetime, **more: Any) -> Tally:
        if more.get("everyone"):
            sweeping.set()
            enough.wait()
        return review_due(store, settings, now, **more)

    def runs(_store: Store, _settings: Settings, _now: datetime) -> int:
        ran.set()
        return 0

    def runs_anew() -> bool:
        running._keeper.look(job, clock.now())
        return ran.wait(0.5)

    monkeypatch.setattr(daemon_module, "review_due", review)
    monkeypatch.setattr(where, work, runs)
    running = Daemon(ward.settings)
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        assert sweeping.wait(30) and ran.wait(30)
        ran.clear()
        assert met(runs_anew, 10)
    finally:
        enough.set()
        running.stop()
        thread.join()
