"""Feeds that fall silent, lose an analyte or change a unit: stories in virtual time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from monitor.intake.load import load_file
from monitor.operations import feed_watch, feeds
from monitor.operations.alert_list import alert_rows
from monitor.operations.batches import revert
from monitor.operations.digests import compose_digests
from monitor.operations.feed_shift import judged_otherwise
from monitor.operations.feed_watch import Feed
from monitor.operations.health import examine
from monitor.operations.shifted_values import ROWS_READ
from monitor.operations.status import status_rows
from monitor.operations.worklist import Wanted, worklist
from monitor.review import review_due
from monitor.store import tables
from monitor.store.tables import table_of
from tests.clinic import CBC, CONFIG, at, settings_in
from tests.desk import Desk, sqlite_desk

START = date(2026, 1, 5)  # a Monday
LAB = CONFIG + "\n[sources.lab]\n"
COUNTS = ("rows", "stored", "duplicate", "superseded", "withdrawn", "quarantined", "ignored")


@pytest.fixture
def desk(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "inbox").mkdir()
    with sqlite_desk(migrated_sqlite, tmp_path, LAB) as found:
        yield found


def file_of(desk: Desk, day: date, hour: int = 9, source: str = "lab") -> int:
    """A results file that came on a day."""
    values = dict.fromkeys(COUNTS, 0) | {
        "kind": "results", "name": f"{day}.csv", "sha256": f"{source}{day}{hour}",
        "source": source, "received_at": at(day.isoformat(), hour), "other_messages": 0,
    }  # fmt: skip
    with desk.store.write() as connection:
        done = connection.execute(insert(table_of(tables.File)).values(values))
        assert done.inserted_primary_key is not None
        return int(done.inserted_primary_key[0])


def bring(desk: Desk, mrn: str, day: date, values: dict[str, str], file_id: int) -> None:
    desk.clinic.results(mrn, day.isoformat(), values, hour=8, file_id=file_id)


def weekdays(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if day.weekday() < 5:
            yield day


def feed(desk: Desk, now: datetime, source: str = "lab") -> Feed:
    found = feed_watch.feeds(desk.store, desk.settings, now)
    return next(it for it in found if it.source == source)


def told(desk: Desk) -> list[str]:
    """Topics of the operator's alarms, in order."""
    return [it.payload["topic"] for it in desk.clinic.rows(tables.Delivery, kind="operator")]


def review(desk: Desk, now: datetime) -> None:
    review_due(desk.store, desk.settings, now, everyone=True)


def marked(desk: Desk, now: datetime) -> dict[str, bool]:
    """Who has an overdue alert, and whether the feed is suspected in it."""
    rows = alert_rows(desk.store, desk.settings, {"open"}, now)
    return {
        it["mrn"]: it.get("feed_suspected", False) for it in rows if it["kind"] == "overdue_test"
    }


def test_a_silent_feed_is_told_and_its_patients_are_marked(desk: Desk) -> None:
    """Daily files until Friday 20 February; A was tested that week, B not since January; C is
    another laboratory's."""
    for mrn in ("A", "B", "C"):
        desk.clinic.enrol(mrn, START.isoformat())
    last = date(2026, 2, 20)
    for of_day in weekdays(START, last):
        number = file_of(desk, of_day)
        if of_day.weekday() == 3:
            bring(desk, "A", of_day, CBC, number)
            if of_day < date(2026, 1, 20):
                bring(desk, "B", of_day, CBC, number)
            bring(desk, "C", of_day, CBC, file_of(desk, of_day, 11, "other"))
    for day in ("2026-02-10", "2026-02-20"):
        review(desk, at(day, 18))
    sunday, monday = at("2026-02-22"), at("2026-02-23", 11)
    for quiet in (sunday, monday):
        feeds.watch(desk.store, desk.settings, quiet)
        assert told(desk) == []
    assert feed(desk, monday).state == "well"
    assert feed(desk, monday).next == at("2026-02-23")
    late = at("2026-02-23", 13)
    assert feeds.watch(desk.store, desk.settings, late)
    assert not feeds.watch(desk.store, desk.settings, late + timedelta(hours=1))
    assert told(desk) == ["feed lab is silent"]
    nameless = replace(feed(desk, late), source="").alarms()[0]
    assert nameless[0] == "feed of files without a source is silent"
    assert feed(desk, late).state == "silent"
    health = {it.name: it for it in examine(desk.store, desk.settings, late).parts}["feeds"]
    assert not health.well and "lab is silent" in health.says

    wednesday = at("2026-03-04")
    for days in range(1, 10):
        review(desk, late + timedelta(days=days))
    assert marked(desk, wednesday) == {"A": True, "B": False, "C": False}
    rows = {it["mrn"]: it for it in status_rows(desk.store, desk.settings, wednesday)
            if it["panel"] == "cbc"}  # fmt: skip
    assert {mrn: it.get("feed_suspected", False) for mrn, it in rows.items()} == {
        "A": True, "B": False, "C": False,
    }  # fmt: skip
    assert rows["A"]["state"] in ("overdue", "seriously_overdue")
    compose_digests(desk.store, desk.settings, wednesday)
    digests = desk.clinic.rows(tables.Delivery, kind="digest")
    text = json.dumps([it.payload for it in digests])
    assert text.count("Feed suspected: nothing has come from lab since 20 Feb 2026") == 1

    file_of(desk, date(2026, 3, 4), 13)
    feeds.watch(desk.store, desk.settings, at("2026-03-04", 14))
    assert marked(desk, at("2026-03-04", 14)) == {"A": False, "B": False, "C": False}


def test_the_day_since_which_nothing_has_come_is_the_clinic_s_own(desk: Desk) -> None:
    """Files come at midnight, which in UTC is the evening before."""
    desk.clinic.enrol("A", START.isoformat())
    last = date(2026, 2, 20)
    for of_day in weekdays(START, last):
        number = file_of(desk, of_day, 0)
        if of_day.weekday() == 3:
            bring(desk, "A", of_day, CBC, number)
    monday, wednesday = at("2026-02-23", 23), at("2026-03-04")
    feeds.watch(desk.store, desk.settings, monday)
    review(desk, wednesday)
    alarm = desk.clinic.rows(tables.Delivery, kind="operator")[0].payload["text"]
    assert alarm.startswith("Nothing has come from lab since 20 Feb 2026")
    compose_digests(desk.store, desk.settings, wednesday)
    (digest,) = desk.clinic.rows(tables.Delivery, kind="digest")
    said = "Feed suspected: nothing has come from lab since 20 Feb 2026"
    assert said in json.dumps(digest.payload)
    (somebody,) = worklist(desk.store, desk.settings, Wanted(), wednesday).patients
    assert said in "".join(cause.feed_suspected for cause in somebody.causes)


def test_a_configured_hour_and_a_source_that_is_not_watched(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    config = CONFIG + '\n[sources.lab]\nexpected = ["wed 12:00"]\n[sources.old]\nwatched = false\n'
    with sqlite_desk(migrated_sqlite, tmp_path, config) as desk:
        for source in ("lab", "old"):
            file_of(desk, START, source=source)
        wednesday = "2026-01-07"
        assert feed(desk, at(wednesday, 11)).next == at(wednesday)
        assert feed(desk, at(wednesday, 13)).state == "silent"
        assert feed(desk, at("2026-07-01"), "old").state == "not watched"
        assert feed(desk, at("2026-07-01"), "old").alarms() == []


def test_an_analyte_that_comes_no_longer_is_told(desk: Desk) -> None:
    desk.clinic.enrol("A", START.isoformat())
    for number, day in enumerate(weekdays(START, date(2026, 1, 23))):
        values = dict(CBC)
        if number >= 12:
            del values["lymphocytes"]
        bring(desk, "A", day, values, file_of(desk, day))
        now = at(day.isoformat(), 18)
        gone = [(name, since.date()) for name, since in feed(desk, now).vanished]
        assert gone == ([("lymphocytes", date(2026, 1, 21))] if number >= 14 else [])
    feeds.watch(desk.store, desk.settings, now)
    assert told(desk) == ["feed lab: no lymphocytes"]


@pytest.mark.parametrize("count", [2, 3])
def test_three_overdue_in_one_day_are_a_question_to_the_feed(desk: Desk, count: int) -> None:
    for number in range(count):
        desk.clinic.enrol(f"N{number}", START.isoformat())
        bring(desk, f"N{number}", START, CBC, file_of(desk, START, 9 + number))
    for days in range(12):
        now = at((START + timedelta(days=days)).isoformat(), 18)
        review(desk, now)
        desk.settings.intake.__dict__["feed_silence_alarm"] = None
        feeds.watch(desk.store, desk.settings, now)
    assert told(desk) == (["feed lab: patients overdue"] if count == 3 else [])


PEOPLE = tuple(f"N{number}" for number in range(12))


def counts(desk: Desk, day: date, values: list[str], unit: str = "10*9/L") -> Any:
    lines = [
        f"{mrn},{day}T08:00,neutrophils,{value},{unit},,,,"
        for mrn, value in zip(PEOPLE, values, strict=True)
    ]
    return desk.load(*lines, now=at(day.isoformat(), 18), source="lab")


def test_values_ten_times_as_large_are_told_judged_and_set_right(desk: Desk) -> None:
    """The laboratory goes over to 10*2/uL and still writes its own word for the unit. N0 has 0.6,
    which now reads as 6.0; all others are healthy, and too high."""
    desk.enrol(*(f"{mrn},azathioprine,{START},,," for mrn in PEOPLE), now=at("2026-01-05"))
    spelt = settings_in(desk.folder, LAB + 'unit_spellings = { "Z" = "10*9/L" }\n')
    desk.settings = desk.clinic.settings = spelt
    for week in range(6):
        day = START + timedelta(weeks=week)
        usual = [f"{3 + (number + week) % 5 * 0.7:.1f}" for number in range(12)]
        counts(desk, day, usual, "Z")
        assert feed(desk, at(day.isoformat(), 19)).shifts == ()
    before = desk.folder / f"file{desk.number}.csv"
    day = START + timedelta(weeks=6)
    counts(desk, day, ["6.0", *(f"{30 + number}" for number in range(11))], "Z")
    now = at(day.isoformat(), 19)
    review(desk, now)
    (shift,) = feed(desk, now).shifts
    assert (shift.analyte, shift.power, shift.factor) == ("neutrophils", 1, "10")
    assert shift.files == (f"file{desk.number}.csv",) and shift.files != (before.name,)
    judged = judged_otherwise(desk.store, spelt, shift, now)
    assert judged.reassured == ("N0",)
    assert set(judged.others) == set(PEOPLE[1:])
    feeds.watch(desk.store, spelt, now)
    (alarm,) = [it for it in desk.clinic.rows(tables.Delivery, kind="operator")
                if "shifted" in it.payload["topic"]]  # fmt: skip
    assert f"file{desk.number}.csv (file {shift.file_ids[0]})" in alarm.payload["text"]
    assert not any(mrn in alarm.payload["text"] for mrn in PEOPLE)
    assert desk.clinic.rows(tables.AlertRow, rule="neutropenia") == []

    revert(desk.store, spelt, shift.file_ids[0], by="Ann", reason="10*2/uL", now=now)
    right = settings_in(desk.folder, LAB + 'unit_spellings = { "Z" = "10*2/uL" }\n')
    desk.settings = desk.clinic.settings = right
    again = load_file(desk.store, right, desk.folder / shift.files[0], "lab", now)
    assert again.stored == 12
    review(desk, now)
    assert feed(desk, now).shifts == ()
    (alert,) = desk.clinic.rows(tables.AlertRow, rule="neutropenia")
    assert (alert.kind, alert.shown["mrn"]) == ("discontinue", "N0")


def test_a_past_in_one_file_is_looked_at_from_its_end(desk: Desk) -> None:
    """More results than are looked at every few minutes: the newest of them are what a later file
    is compared with, and the file has brought what some of it shows."""
    desk.enrol(*(f"{mrn},azathioprine,{START},,," for mrn in PEOPLE), now=at("2026-01-05"))
    rows = [
        f"{mrn},{START - timedelta(days=number // 24)}T{number % 24:02}:00,neutrophils,"
        f"{3 + number % 5 * 0.7:.1f},10*9/L,,,,"
        for mrn in PEOPLE
        for number in range(1 + ROWS_READ // len(PEOPLE))
    ]
    desk.load(*rows, now=at(START.isoformat(), 18), source="lab")
    (large,) = desk.clinic.rows(tables.File, source="lab")
    assert large.stored > ROWS_READ
    assert feed(desk, at(START.isoformat(), 19)).analytes == ("neutrophils",)
    day = START + timedelta(weeks=1)
    counts(desk, day, [f"{30 + number}" for number in range(12)])
    (shift,) = feed(desk, at(day.isoformat(), 19)).shifts
    assert (shift.power, len(shift.file_ids)) == (1, 1)
    assert large.id not in shift.file_ids
