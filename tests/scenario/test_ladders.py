"""The ladder in virtual time: each path as a diary, and the alert's own history beside it.

Nobody looks at fixed times here: the clinic is reviewed at the instants at which something
happens and at those at which the review itself asked to be woken, as the daemon would. The
diaries are `tests/golden/ladders/NAME.txt` (`UPDATE_GOLDEN=1` writes them anew: read the
difference as somebody who is on call would).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.config import read_settings
from monitor.core.actions import ActionRefused
from monitor.operations.alert_story import alert_then, story
from monitor.operations.verify import verify
from monitor.store import tables
from monitor.store.database import open_store
from tests.clinic import Clinic
from tests.scenario.ladder_stories import CALM, CONFIG, FIRST_LOOK, ROTA, STORIES, ZONE, at

GOLDEN = Path(__file__).parents[1] / "golden" / "ladders"
STANDS = ("urgency", "kind", "state", "recovered", "asked_at", "rungs_told", "acknowledged_at",
          "acknowledged_by", "acknowledged_until", "snoozed_until", "review_by", "outcome_at",
          "outcome_missed", "assigned_to", "version", "closed_at")  # fmt: skip


def stands(alert: Any) -> dict[str, Any]:
    """What people and the ladder had made of an alert (a row, or what was read of the past)."""
    return {name: getattr(alert, name) for name in STANDS}


class Diary:
    """A clinic with one patient, woken when it asked to be."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.lines: list[str] = []
        self.seen = 0
        self.day = ""
        self.clocks_change = False
        self.stood: dict[tuple[int, datetime], dict[str, Any]] = {}
        """How each alert stood after each look."""

    def note(self, now: datetime, text: str) -> None:
        local = now.astimezone(ZONE)
        today = f"{local:%a} {local.day} {local:%b %Y}"
        if today != self.day:
            self.lines += ["", today]
            self.day = today
        clock = f"{local:%H:%M %Z}" if self.clocks_change else f"{local:%H:%M}"
        self.lines.append(f"  {clock}  {text}")

    def look(self, now: datetime) -> None:
        self.clinic.review(now)
        self.stood |= {(row.id, now): stands(row) for row in self.clinic.rows(tables.AlertRow)}
        for row in self.clinic.rows(tables.Delivery)[self.seen :]:
            self.seen += 1
            said = [f"{self.alert(line.alert_id)} {line.what}" for line in self._lines(row.id)] or [
                str(row.payload.get("topic"))
            ]
            self.note(now, f"{row.urgency} to {row.recipient}: {', '.join(said)}")

    def look_back(self) -> None:
        """What the histories say of each look is what the alerts said then."""
        with self.clinic.store.read() as connection:
            for (alert_id, now), then in self.stood.items():
                told = alert_then(connection, self.clinic.settings, alert_id, now)
                assert stands(told.alert) == then, f"alert {alert_id} at {now}"

    def _lines(self, delivery: int) -> list[Any]:
        return self.clinic.rows(tables.DeliveryAlert, delivery_id=delivery)

    def alert(self, alert_id: int) -> str:
        (row,) = self.clinic.rows(tables.AlertRow, id=alert_id)
        return str(row.rule or row.kind)

    def alert_of_story(self) -> int:
        """The alert that people act on: the gravest that is not closed."""
        rows = [row for row in self.clinic.rows(tables.AlertRow) if row.state != "closed"]
        rank = {"critical": 0, "urgent": 1, "routine": 2}
        rows = [row for row in rows if row.kind != "baseline_missing"]
        rows.sort(key=lambda row: (rank[row.urgency], row.rule is None, row.id))
        return int(rows[0].id) if rows else 0


@pytest.fixture
def diary(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Diary]:
    path = tmp_path / "monitor.db"
    shutil.copy(migrated_sqlite, path)
    (tmp_path / "rota.csv").write_text(ROTA, encoding="utf-8")
    store = open_store(f"sqlite:///{path}")
    clinic = Clinic(store, read_settings(CONFIG, tmp_path / "config.toml", {}))
    yield Diary(clinic)
    store.dispose()


@pytest.mark.parametrize("name", STORIES)
def test_the_ladder_as_a_diary(diary: Diary, name: str) -> None:
    end, steps = STORIES[name]
    clinic = diary.clinic
    diary.clocks_change = name.endswith("_night")
    first = at(steps[0][0]) - timedelta(hours=1)
    first = at(FIRST_LOOK[name]) if name in FIRST_LOOK else first
    started = f"{first - timedelta(days=3):%Y-%m-%d}"
    if name == "declined":
        started = "2026-02-23"
    enrolment = clinic.enrol("A1", started, now=first, tpmt="normal", nudt15="normal")
    clinic.results("A1", started, CALM | {"bilirubin": "10", "alt": "20"}, received_at=first)
    diary.look(first)
    todo = [(at(when), text, act) for when, text, act in steps]
    while True:
        woken = clinic.next_review(enrolment)
        instants = [todo[0][0]] if todo else []
        instants += [woken] if woken is not None else []
        if not instants or min(instants) > at(end):
            break
        now = min(instants)
        while todo and todo[0][0] <= now:
            _, text, act = todo.pop(0)
            diary.note(now, text)
            try:
                act(clinic, diary.alert_of_story(), now)
            except ActionRefused as refused:
                diary.note(now, f"  refused: {refused}")
        diary.look(now)
    diary.look_back()
    assert list(verify(clinic.store, clinic.settings, at(end))) == []
    told = story(clinic.store, clinic.settings, first_alert(diary), at(end))
    history = [
        f"  {entry.at.astimezone(ZONE):%d %b %H:%M}  {entry.by}: {entry.what}"
        + (f" to {entry.to}" if entry.to else "")
        + (f", {entry.text}" if entry.text and entry.text != entry.what else "")
        for entry in told.entries
    ]
    text = "\n".join([*diary.lines, "", "History of the alert", *history]).strip() + "\n"
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def first_alert(diary: Diary) -> int:
    """The first alert with a rule, else the first: whose story the diary tells."""
    rows = diary.clinic.rows(tables.AlertRow)
    return int(next((row.id for row in rows if row.rule), rows[0].id))
