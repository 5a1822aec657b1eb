"""Failures of a channel in virtual time, as diaries: a critical alert whose first address does
not take it. `tests/golden/ladders/channel_NAME.txt` (`UPDATE_GOLDEN=1` writes them anew)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from monitor.config import Settings, read_settings
from monitor.delivery.send import deliver_due
from monitor.operations.alert_story import story
from monitor.operations.bounces import empty_boxes
from monitor.operations.digests import compose_digests
from monitor.operations.stuck import alarm_if_stuck
from monitor.operations.verify import verify
from monitor.store import tables
from monitor.store.database import open_store
from monitor.store.outbox import DELIVERIES
from tests.clinic import Clinic
from tests.fault.test_bounces import bounce
from tests.mail_world import Mood, mail_server
from tests.scenario.ladder_stories import CALM, CONFIG, ROTA, ZONE, at

GOLDEN = Path(__file__).parents[1] / "golden" / "ladders"
NURSE = "nurse@hill.example"
FALL = at("2026-03-02T10:00")
LOOKS = [0, 1, 12, 20, 31, 61, 91]
"""Minutes after the result at which the daemon looks and sends."""
More = Callable[[Clinic, datetime, Path], None]


def config(port: int, folder: Path) -> Settings:
    text = f"""{CONFIG}
    [mail]
    host = "127.0.0.1"
    port = {port}
    sender = "monitor@hill.example"
    [queues.ehr]
    folder = "{folder / "queue"}"
    [bounces]
    folder = "{folder / "bounces"}"
    [alarm]
    to = ["queue:ehr"]
    """
    return read_settings(text, folder / "config.toml", {})


def refused(mood: Mood, minute: int) -> None:
    """The nurse's address is refused for good until it is corrected after an hour."""
    mood.to = {NURSE: "550 5.1.1 no such user"} if minute < 60 else {}


def put_off(mood: Mood, minute: int) -> None:
    """The server puts everything off for half an hour."""
    mood.sender = "451 4.3.0 not now" if minute < 30 else ""


def taken(mood: Mood, minute: int) -> None:
    """The server takes everything; one mail comes back after twelve minutes."""


STORIES = {"refused": refused, "put_off": put_off, "bounced": taken}


@contextmanager
def clinic_of(migrated: Path, folder: Path, port: int) -> Iterator[Clinic]:
    (folder / "bounces").mkdir()
    (folder / "rota.csv").write_text(ROTA, encoding="utf-8")
    shutil.copy(migrated, folder / "monitor.db")
    store = open_store(f"sqlite:///{folder / 'monitor.db'}")
    clinic = Clinic(store, config(port, folder))
    clinic.enrol("A1", "2026-02-27", now=FALL - timedelta(hours=1))
    clinic.results("A1", "2026-02-27", CALM | {"bilirubin": "10", "alt": "20"}, received_at=FALL)
    clinic.review(FALL - timedelta(minutes=30))
    yield clinic
    store.dispose()


@pytest.mark.parametrize("name", STORIES)
def test_a_channel_that_fails_as_a_diary(name: str, migrated_sqlite: Path, tmp_path: Path) -> None:
    mood, lines = Mood(), []
    with mail_server(mood) as port, clinic_of(migrated_sqlite, tmp_path, port) as clinic:
        values = CALM | {"neutrophils": "0.4"}
        clinic.results("A1", "2026-03-02", values, collected_at=FALL, received_at=FALL)
        for minute in LOOKS:
            now = FALL + timedelta(minutes=minute)
            STORIES[name](mood, minute)
            if name == "bounced" and minute == 12:
                _come_back(clinic, tmp_path)
            clinic.review(now)
            empty_boxes(clinic.store, clinic.settings, now)
            alarm_if_stuck(clinic.store, clinic.settings, now)
            deliver_due(clinic.store, clinic.settings, now, who="test", despite_back_off=True)
            lines.append(f"{now.astimezone(ZONE):%H:%M}")
            lines += [f"  {line}" for line in _outbox(clinic)]
        end = FALL + timedelta(minutes=LOOKS[-1])
        assert list(verify(clinic.store, clinic.settings, end)) == []
        (alert,) = clinic.rows(tables.AlertRow, rule="neutropenia")
        told = story(clinic.store, clinic.settings, alert.id, end)
        lines += ["", "History of the alert"]
        lines += [
            f"  {it.at.astimezone(ZONE):%H:%M}  {it.by}: {it.what}"
            + (f" to {it.to} ({it.state})" if it.to else "")
            + f", {it.text}"
            for it in told.entries
        ]
    _same_as_golden(f"channel_{name}", lines)


def _outbox(clinic: Clinic) -> list[str]:
    """Every message there is, and how it stands now."""
    said = []
    for row in clinic.rows(tables.Delivery):
        about = row.payload.get("topic") or row.kind
        why = f" ({row.last_error.split(': ')[-1]})" if row.last_error else ""
        said.append(f"{row.state:8} {row.urgency} to {row.recipient}: {about}{why}")
    return said


def _come_back(clinic: Clinic, folder: Path) -> None:
    with clinic.store.read() as connection:
        first = connection.scalar(select(DELIVERIES.c.message_id).order_by(DELIVERIES.c.id))
    (folder / "bounces" / "1.eml").write_bytes(bounce(str(first)))


def _same_as_golden(name: str, lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_a_role_is_confirmed_every_three_months_or_the_operator_reads_it_daily(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    """Confirmed on 10 January: from 10 April on each digest says so, until it is done."""
    lines = []
    with clinic_of(migrated_sqlite, tmp_path, 1) as clinic:
        digest = 'to = ["nurses", "clinic@hill.example"]'
        text = CONFIG.replace('to = ["nurses"]', digest)
        for today, confirmed in (
            ("2026-04-09", "2026-01-10"),
            ("2026-04-10", "2026-01-10"),
            ("2026-04-11", "2026-01-10"),
            ("2026-04-12", "2026-04-12"),
            ("2026-07-11", "2026-04-12"),
            ("2026-07-12", "2026-04-12"),
        ):
            there = f'addresses = ["nurse@hill.example"]\nconfirmed_on = "{confirmed}"'
            written = text.replace('addresses = ["nurse@hill.example"]', there)
            settings = read_settings(written, tmp_path / "config.toml", {})
            compose_digests(clinic.store, settings, at(f"{today}T07:30"))
            rows = clinic.rows(tables.Delivery, kind="digest", recipient="clinic@hill.example")
            said = [it for it in rows[-1].payload["content"]["notices"] if "nurses" in it]
            lines.append(f"{today}  {said[0] if said else 'nothing about the role'}")
    _same_as_golden("role_confirmation", lines)
