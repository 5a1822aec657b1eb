"""A database that was brought years ahead of the clock goes on without a restore."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from monitor import clock
from monitor.operations.brought_back import NotBroughtBack, ahead, bring_back
from monitor.operations.digests import compose_digests
from monitor.operations.people import acknowledge, close
from monitor.operations.verify import verify
from monitor.store import daemons, tables
from monitor.store.database import Store, open_store
from monitor.store.errors import StoreBusy, TooEarly
from monitor.store.facts import brought_to
from tests.clinic import CBC, LFT, Clinic, at
from tests.command_line import CommandLine
from tests.desk import NOW, Desk, sqlite_desk

FAR = at("2031-05-01")
HOUR = timedelta(hours=1)


def _story(desk: Desk) -> Desk:
    """One whose counts are low, one who is late, one who is well."""
    clinic = desk.clinic
    for mrn in ("A1", "B2", "C3"):
        clinic.enrol(mrn, now=at("2026-01-05"))
    for week in range(1, 9):
        day = date(2026, 1, 5) + timedelta(weeks=week)
        for mrn in ("A1", "C3"):
            clinic.results(mrn, day.isoformat(), CBC | LFT)
    clinic.results("A1", "2026-03-09", CBC | {"neutrophils": "0.4"})
    clinic.review(NOW)
    compose_digests(desk.store, desk.settings, NOW)
    return desk


def _live(clinic: Clinic) -> set[tuple[Any, ...]]:
    names = ("enrolment_id", "kind", "rule", "urgency", "recovered", "summary")
    rows = [it for it in clinic.rows(tables.AlertRow) if it.state != "closed"]
    return {tuple(getattr(row, name) for name in names) for row in rows}


def _goes_far(desk: Desk) -> None:
    """Somebody tries what would be by then; people answer what they see, by that clock."""
    desk.clinic.review(FAR)
    compose_digests(desk.store, desk.settings, FAR)
    compose_digests(desk.store, desk.settings, NOW + timedelta(days=1))
    late, *_ = [it.id for it in desk.clinic.rows(tables.AlertRow, kind="overdue_test")]
    acknowledge(desk.store, desk.settings, late, by="Ada", now=FAR)
    low, *_ = [it.id for it in desk.clinic.rows(tables.AlertRow) if it.breaches]
    close(
        desk.store, desk.settings, low, by="Ada", outcome="halved", now=FAR,
        review_by=date(2031, 5, 6),
    )  # fmt: skip
    desk.clinic.review(FAR + HOUR)


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return _story(Desk(store, tmp_path))


def test_it_goes_on_as_if_it_had_never_been_there(
    desk: Desk, migrated_sqlite: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in peace"
    folder.mkdir()
    _goes_far(desk)
    now = NOW + HOUR
    with pytest.raises(TooEarly):
        desk.clinic.review(now)
    bring_back(desk.store, desk.settings, now, by="Ada", reason="a slip of the year")
    assert ahead(desk.store, now) is None
    desk.clinic.review(now)
    assert verify(desk.store, desk.settings, now) == []
    with sqlite_desk(migrated_sqlite, folder) as other:
        peace = _story(other)
        peace.clinic.review(now)
        assert _live(desk.clinic) == _live(peace.clinic)
        for day in range(1, 30):
            later = now + timedelta(days=day)
            for it in (desk, peace):
                it.clinic.results("B2", later.date().isoformat(), CBC | {"platelets": "30"})
                it.clinic.review(later)
                compose_digests(it.store, it.settings, later)
        assert _live(desk.clinic) == _live(peace.clinic)
        assert verify(desk.store, desk.settings, later) == []
        told = _messages(desk, now)
        assert told >= _messages(peace, now)


def _messages(desk: Desk, now: datetime) -> set[tuple[str, str, date]]:
    rows = desk.clinic.rows(tables.Delivery)
    kinds = ("digest", "alert")
    return {
        (it.kind, it.recipient, it.for_day)
        for it in rows
        if it.created_at > now and it.kind in kinds
    }


def test_nothing_waits_for_an_instant_that_has_not_come(desk: Desk) -> None:
    _goes_far(desk)
    now = NOW + HOUR
    bring_back(desk.store, desk.settings, now, by="Ada", reason="a slip of the year")
    desk.clinic.review(now)
    for message in desk.clinic.rows(tables.Delivery, state="waiting"):
        assert message.next_attempt_at <= now
        assert message.for_day <= now.date()
    for alert in desk.clinic.rows(tables.AlertRow):
        assert alert.opened_at <= now
        assert alert.state != "acknowledged"
    with desk.store.read() as connection:
        assert brought_to(connection) == now
    (line,) = [it for it in desk.clinic.rows(tables.AuditRow) if "brought back" in it.what]
    assert "Ada: a slip of the year" in line.detail


def test_a_database_that_is_not_ahead_is_left_alone(desk: Desk) -> None:
    assert ahead(desk.store, NOW) is None
    with pytest.raises(NotBroughtBack, match="does not lie ahead"):
        bring_back(desk.store, desk.settings, NOW, by="Ada", reason="to be sure")
    desk.clinic.review(FAR)
    with pytest.raises(NotBroughtBack, match="--by WHO"):
        bring_back(desk.store, desk.settings, NOW, by="", reason="")
    found = ahead(desk.store, NOW)
    assert found is not None
    assert found.brought_to == FAR


@pytest.mark.postgresql_only
def test_while_a_daemon_works_it_is_refused(desk: Desk) -> None:
    desk.clinic.review(FAR)
    me = daemons.Identity(id="one", host="here", pid=1, version="1", revision="1")
    with desk.store.write() as connection:
        daemons.started(connection, me, NOW)
    with pytest.raises(StoreBusy, match="end all daemons"):
        bring_back(desk.store, desk.settings, NOW, by="Ada", reason="a slip")


def test_the_command_says_how_it_stands_and_brings_back(clinic: CommandLine) -> None:
    assert clinic("clock").code == 0
    (clinic.folder / "patients.csv").write_text("mrn,drug,started_on\nA1,azathioprine,2026-01-05\n")
    assert clinic("enrol", "patients.csv", "--at", "2090-01-05").code == 0
    assert clinic("sweep").code == 2
    told = clinic("clock")
    assert told.code == 3
    assert "files 1, changes" in told.out
    assert "2090-01-05" in told.out
    said = ("--by", "Ada", "--reason", "a slip of the year")
    assert clinic("clock", "--bring-back-to", "2090-01-05", *said).code == 2
    today = clock.now().date().isoformat()
    assert clinic("clock", "--bring-back-to", today).code == 2
    assert clinic("clock", "--bring-back-to", today, *said).code == 0
    assert clinic("sweep").code == 0
    assert clinic("verify").code == 0
    assert clinic("clock").code == 0


def test_an_instant_ahead_of_a_daemon_that_works_is_refused(clinic: CommandLine) -> None:
    store = open_store(os.environ["MONITOR__DATABASE__URL"])
    me = daemons.Identity(id="one", host="here", pid=1, version="1", revision="1")
    with store.write() as connection:
        daemons.started(connection, me, clock.now())
    refused = clinic("sweep", "--at", "2090-01-05")
    assert refused.code == 2
    assert "lies ahead of the clock, and daemon one works" in refused.err
    assert clinic("status", "--at", "2090-01-05").code == 0
    assert clinic("sweep").code == 0
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    mine = {"host": socket.gethostname(), "pid": killed.pid}
    with store.write() as connection:
        connection.execute(update(daemons.DAEMONS).values(mine))
    assert clinic("sweep", "--at", "2090-01-05").code == 0
    store.dispose()
