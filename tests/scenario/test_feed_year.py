"""A laboratory's feed over a year, with the unevenness of real ones: how often a steady feed is
suspected, and how soon each fault of one is told.

The rhythm: on weekdays a file at about half past nine and often one in the afternoon, one day in
forty none at all, none on holidays; some ten patients a file, a differential for most, bilirubin
for few. Values are of thirty patients who differ, and wander.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from monitor.operations import feed_watch, feeds
from monitor.store import tables
from monitor.store.database import Store, open_store
from monitor.store.readings import Reading, Readings
from monitor.store.tables import table_of
from tests.clinic import CONFIG, ZONE, Clinic, settings_in

FIRST, LAST = date(2025, 1, 6), date(2026, 1, 9)
HOLIDAYS = (date(2025, 4, 18), date(2025, 4, 21), date(2025, 12, 25), date(2025, 12, 26))
WATCHED = CONFIG.replace(
    "[clinic]\n", f"[clinic]\nholidays = [{', '.join(it.isoformat() for it in HOLIDAYS)}]\n"
)
USUAL = {
    "white_cells": 6.0,
    "neutrophils": 3.5,
    "lymphocytes": 1.4,
    "platelets": 240.0,
    "alt": 28.0,
}
SHARE = {"lymphocytes": 0.85, "neutrophils": 0.85, "alt": 0.9, "bilirubin": 0.1}
PATIENTS = 30
LEARNED = date(2025, 3, 3)
"""From here on the feed's habits are known: eight weeks."""
SEED = 20260113


@dataclass(frozen=True)
class Arrival:
    """One file: when it came, and the analytes with the values of each patient in it."""

    at: datetime
    rows: tuple[tuple[int, str, float], ...]


def year(luck: random.Random) -> Iterator[Arrival]:
    """The files of a steady feed."""
    level = {n: {name: luck.lognormvariate(0, 0.25) for name in USUAL} for n in range(PATIENTS)}
    for number in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(days=number)
        missing = luck.random() < 0.025 and LAST - day > timedelta(days=7)
        if day.weekday() > 4 or day in HOLIDAYS or missing:
            continue
        times = [time(9, 30)] + [time(15, 10)] * (luck.random() < 0.6)
        for usual in times:
            minutes = round(luck.gauss(0, 25))
            at = datetime.combine(day, usual, ZONE) + timedelta(minutes=minutes)
            yield Arrival(at, tuple(_rows(luck, level)))


def _rows(
    luck: random.Random, level: dict[int, dict[str, float]]
) -> Iterator[tuple[int, str, float]]:
    for patient in luck.sample(range(PATIENTS), luck.randint(4, 14)):
        for name, usual in USUAL.items():
            if luck.random() < SHARE.get(name, 1.0):
                value = usual * level[patient][name] * luck.lognormvariate(0, 0.2)
                yield patient, name, max(0.1, value)
        if luck.random() < SHARE["bilirubin"]:
            yield patient, "bilirubin", luck.lognormvariate(2.2, 0.4)


@dataclass
class Laboratory:
    """The feed in a database."""

    store: Store
    clinic: Clinic
    luck: random.Random

    def take(self, arrivals: Iterator[Arrival]) -> None:
        with self.store.write() as connection:
            for arrival in arrivals:
                self._file(connection, arrival)

    def _file(self, connection: Connection, arrival: Arrival) -> None:
        at = arrival.at.astimezone(UTC)
        counts = dict.fromkeys(
            ("rows", "stored", "duplicate", "superseded", "withdrawn", "quarantined", "ignored"), 0
        )
        file: dict[str, Any] = {
            "kind": "results", "name": "day.csv", "sha256": at.isoformat(), "source": "lab",
            "received_at": at, "other_messages": 0, **counts,
        }  # fmt: skip
        done = connection.execute(insert(table_of(tables.File)).values(file))
        assert done.inserted_primary_key is not None
        file_id = int(done.inserted_primary_key[0])
        common = {
            "collected_at": at - timedelta(hours=2), "collected_on": arrival.at.date(),
            "timed": True, "stands": True, "file_id": file_id,
        }  # fmt: skip
        readings = Readings(connection).numbers(
            Reading(Decimal(f"{value:.3g}"), received_value=f"{value:.3g}")
            for _, _, value in arrival.rows
        )
        rows = [
            common
            | {"patient_id": patient + 1, "analyte": name, "line": line, "reading_id": number}
            for line, ((patient, name, _), number) in enumerate(
                zip(arrival.rows, readings, strict=True), 2
            )
        ]
        connection.execute(insert(table_of(tables.ResultRow)), rows)

    def alarms(self, now: datetime) -> list[str]:
        """Topics that would be told now."""
        found = feed_watch.feeds(self.store, self.clinic.settings, now)
        return [topic for it in found for topic, _ in it.alarms()]


@pytest.fixture(scope="module")
def steady(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the year of a steady feed."""
    folder = tmp_path_factory.mktemp("year")
    shutil.copy(migrated_sqlite, folder / "monitor.db")
    store = open_store(f"sqlite:///{folder / 'monitor.db'}")
    clinic = Clinic(store, settings_in(folder, WATCHED))
    for number in range(PATIENTS):
        clinic.enrol(f"N{number}", "2025-01-01")
    Laboratory(store, clinic, random.Random(SEED)).take(year(random.Random(SEED)))
    store.dispose()
    return folder


@pytest.fixture
def laboratory(steady: Path, tmp_path: Path) -> Iterator[Laboratory]:
    shutil.copy(steady / "monitor.db", tmp_path / "monitor.db")
    store = open_store(f"sqlite:///{tmp_path / 'monitor.db'}")
    yield Laboratory(store, Clinic(store, settings_in(tmp_path, WATCHED)), random.Random(SEED + 1))
    store.dispose()


def test_a_steady_feed_is_suspected_only_where_a_day_brought_nothing(
    laboratory: Laboratory,
) -> None:
    """Looked at late on every evening, when a silence is longest and all files are there. That
    many evenings of a year are told, each after a day on which nothing came."""
    came = {it.at.date() for it in year(random.Random(SEED))}
    days = [LEARNED + timedelta(days=n) for n in range((LAST - LEARNED).days + 1)]
    told = {day: laboratory.alarms(datetime.combine(day, time(23), ZONE)) for day in days}
    silent = {day for day in days if "feed lab is silent" in told[day]}
    missing = {it for it in days if it.weekday() < 5 and it not in HOLIDAYS} - came
    until_it_came = {day for day in days if _last_weekday(day) in missing and day not in came}
    assert silent <= until_it_came
    assert len(silent) <= len(days) / 40
    assert {day for day in days if told[day]} == silent


def _last_weekday(day: date) -> date:
    while day.weekday() > 4 or day in HOLIDAYS:
        day -= timedelta(days=1)
    return day


@pytest.mark.parametrize(
    ("power", "analyte"),
    [
        (1, "platelets"),
        (2, "neutrophils"),
        (3, "alt"),
        (-1, "alt"),
        (-2, "platelets"),
        (-3, "neutrophils"),
    ],
)
def test_a_shift_by_a_power_of_ten_is_told_with_the_first_files(
    laboratory: Laboratory, power: int, analyte: str
) -> None:
    told = []
    for arrival in _after(laboratory.luck):
        rows = tuple(
            (n, name, value * 10.0**power if name == analyte else value)
            for n, name, value in arrival.rows
        )
        laboratory.take(iter([Arrival(arrival.at, rows)]))
        told.append(laboratory.alarms(arrival.at + timedelta(minutes=1)))
    assert told[2] == [f"feed lab: {analyte} shifted"]


def test_an_analyte_that_vanishes_is_told_within_days(laboratory: Laboratory) -> None:
    told: dict[date, list[str]] = {}
    for arrival in _after(laboratory.luck):
        rows = tuple(it for it in arrival.rows if it[1] != "lymphocytes")
        laboratory.take(iter([Arrival(arrival.at, rows)]))
        told[arrival.at.date()] = laboratory.alarms(arrival.at + timedelta(minutes=1))
    within = sorted(told)[3]
    assert told[within] == ["feed lab: no lymphocytes"]


def test_a_silence_is_told_on_the_second_day_at_the_latest(laboratory: Laboratory) -> None:
    monday = datetime(2026, 1, 12, tzinfo=ZONE)
    assert laboratory.alarms(monday.replace(hour=8)) == []
    assert laboratory.alarms(monday + timedelta(days=1, hours=14)) == ["feed lab is silent"]
    assert feeds.watch(
        laboratory.store, laboratory.clinic.settings, monday + timedelta(days=1, hours=14)
    )


def _after(luck: random.Random) -> list[Arrival]:
    """The files of the two weeks after the year."""
    shift = timedelta(days=(date(2026, 1, 12) - FIRST).days)
    files = (Arrival(it.at + shift, it.rows) for it in year(luck))
    return [next(files) for _ in range(12)]
