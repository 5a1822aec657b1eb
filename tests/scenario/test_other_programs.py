"""What goes to other programs: no more of a patient than the privacy of their channel allows."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.delivery.send import deliver_due
from monitor.review import review_due
from monitor.store.database import Store
from tests.clinic import at
from tests.desk import Desk

CONFIG = """
[clinic]
timezone = "Europe/Zurich"
email = "operator@clinic.example"
telephone = "+41 00 000 00 00"
[queues.ehr]
privacy = "{privacy}"
[[routes]]
to = ["queue:ehr"]
digest = false
"""
NOW = at("2026-01-06")


def told(store: Store, folder: Path, privacy: str) -> list[dict[str, Any]]:
    """The documents about somebody whose count is far too low, whose ALT is raised, and who is
    with child."""
    desk = Desk(store, folder, CONFIG.format(privacy=privacy))
    desk.clinic.enrol("A100")
    desk.load(
        "A100,2026-01-06T08:00,neutrophils,0.31,10*9/L,s1,,,",
        "A100,2026-01-06T08:00,alt,317,U/L,s1,,,",
        now=NOW,
    )
    desk.events("A100,2026-01-06,pregnancy,,,,", now=NOW)
    review_due(store, desk.settings, NOW, everyone=True)
    deliver_due(store, desk.settings, NOW, who="test")
    files = sorted((folder / "queue").iterdir())
    return [json.loads(path.read_text(encoding="utf-8")) for path in files]


@pytest.mark.parametrize(("privacy", "urgent_is_told"), [("minimal", False), ("full", True)])
def test_another_program_is_told_what_the_privacy_of_its_channel_allows(
    store: Store, tmp_path: Path, privacy: str, urgent_is_told: bool
) -> None:
    documents = told(store, tmp_path, privacy)
    by_urgency = {it["urgency"]: json.dumps(it) for it in documents}
    assert "0.31" in by_urgency["critical"]
    for secret in ("317", "Pregnancy"):
        assert (secret in by_urgency["urgent"]) is urgent_is_told, secret


PAGER = """
[clinic]
timezone = "Europe/Zurich"
email = "operator@clinic.example"
telephone = "+41 00 000 00 00"
[queues.ehr]
[[routes]]
to = ["queue:ehr"]
digest = false
"""


def test_what_is_void_arrives_after_what_it_voids(store: Store, tmp_path: Path) -> None:
    """The folder was away when the alert came, and back before the next attempt: a program heard
    that alert 1 is withdrawn, and minutes later of a new alert 1."""
    desk = Desk(store, tmp_path, PAGER)
    desk.clinic.enrol("A100")
    queue = tmp_path / "queue"
    queue.write_text("in the way")

    def run(now: datetime) -> list[str]:
        review_due(store, desk.settings, now, everyone=True)
        deliver_due(store, desk.settings, now, who="test")
        files = queue.iterdir() if queue.is_dir() else []
        made = {path.stat().st_mtime_ns: path for path in files}
        return [json.loads(path.read_text())["kind"] for _, path in sorted(made.items())]

    desk.load("A100,2026-01-06T08:00,neutrophils,0.31,10*9/L,s1,,,", now=NOW)
    for minutes in range(0, 40, 5):
        assert run(NOW + timedelta(minutes=minutes)) == []
    queue.unlink()
    again = NOW + timedelta(minutes=41)
    desk.load("A100,2026-01-06T08:00,neutrophils,3.1,10*9/L,s1,corrected,,", now=again)
    assert run(again) in ([], ["alert", "withdrawal"])
    assert run(again + timedelta(minutes=15)) == ["alert", "withdrawal"]


def test_a_program_reads_days_and_instants(store: Store, tmp_path: Path) -> None:
    """They were `6 Jan 2026, 12:00`, in the language of the clinic."""
    desk = Desk(store, tmp_path, PAGER.replace("[clinic]", '[clinic]\nlocale = "de"'))
    desk.clinic.enrol("A100")
    desk.load("A100,2026-01-06T08:00,neutrophils,0.31,10*9/L,s1,,,", now=NOW)
    late = at("2026-01-20")
    for now in (NOW, late):
        review_due(store, desk.settings, now, everyone=True)
        deliver_due(store, desk.settings, now, who="test")
    documents = [json.loads(path.read_text()) for path in (tmp_path / "queue").iterdir()]
    first = min(documents, key=lambda it: it["created_at"])
    assert first["created_at"] == "2026-01-06T12:00:00+01:00"
    (alert,) = first["alerts"]
    assert (alert["collected_at"], alert["state"]) == ("2026-01-06T08:00:00+01:00", "open")
    panels = [it for told in documents for alert in told["alerts"] for it in alert["panels"]]
    assert {it["due_on"] for it in panels} == {"2026-01-07"}


def test_a_program_meets_each_alert_of_a_message_that_could_not_be_laid_out(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("a fault of ours")

    monkeypatch.setattr("monitor.delivery.message.render_alerts", broken)
    desk = Desk(store, tmp_path, PAGER)
    desk.clinic.enrol("A100")
    desk.load("A100,2026-01-06T08:00,neutrophils,0.31,10*9/L,s1,,,", now=NOW)
    review_due(store, desk.settings, NOW, everyone=True)
    deliver_due(store, desk.settings, NOW, who="test")
    (path,) = (tmp_path / "queue").iterdir()
    document = json.loads(path.read_text())
    assert "layout failed" in document["subject"]
    (alert,) = document["alerts"]
    assert alert["urgency"] == "critical"
    assert f"alerts {alert['id']}," in document["subject"]
