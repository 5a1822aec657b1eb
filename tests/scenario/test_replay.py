"""History lived through once more says what was said: the same messages on the same days, to the
same people, about the same alerts, with the live database left as it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from monitor.config import Settings
from monitor.core.calendar import clinic_day
from monitor.operations import arrivals, people
from monitor.operations.alert_list import alert_rows
from monitor.operations.owed import send_what_is_owed
from monitor.operations.replay import NoReplay, Replay, replay
from monitor.operations.schedules import adopt
from monitor.resources import schedules_folder
from monitor.store.copying import counts
from monitor.store.database import Store
from monitor.store.facts import brought_to
from tests.clinic import ZONE, at, settings_in
from tests.command_line import CommandLine

FIRST, LAST = date(2026, 1, 5), date(2026, 2, 7)
CONFIG = f"""
[clinic]
timezone = "Europe/Zurich"
email = "operator@clinic.example"
[schedules]
folder = "{schedules_folder()}"
[queues.out]
folder = "out"
privacy = "full"
[[routes]]
to = ["queue:out"]
"""
PEOPLE = """\
mrn,drug,started_on,tpmt,nudt15,dose_mg_per_day,weight_kg,last_tested_on
P1,azathioprine,2026-01-05,normal,normal,100,70,2025-12-29
P2,azathioprine,2026-01-05,normal,normal,100,70,2025-12-29
P3,azathioprine,2026-01-05,normal,,100,70,2025-12-29
"""
HEADER = "mrn,collected_at,analyte,value,unit,specimen_id,status"
CBC = {"hemoglobin": ("140", "g/L"), "white_cells": ("6.0", "10*9/L"),
       "neutrophils": ("4.0", "10*9/L"), "lymphocytes": ("1.5", "10*9/L"),
       "platelets": ("250", "10*9/L")}  # fmt: skip
STORY = """\
2026-01-12 P1
2026-01-12 P2
2026-01-12 P3 platelets=90
2026-01-13 P3 specimen=2026-01-12 platelets=290 status=corrected
2026-01-19 P1
2026-01-19 P2 neutrophils=0.8
2026-01-21 P2 neutrophils=1.9
2026-01-26 P2
2026-01-27 P3
2026-02-05 P1
2026-02-06 P2 lymphocytes=0.4
"""
EVENTS = {"2026-01-20": "P2,2026-01-20,hold,2026-01-27,,low count,",
          "2026-01-27": "P2,2026-01-27,resume,,,,"}  # fmt: skip
ACTS = {"2026-01-19": "reached", "2026-02-06": "reached"}


def rows_of(day: str) -> list[str]:
    """The lines of the laboratory's file of a day."""
    found = []
    for line in STORY.splitlines():
        when, mrn, *rest = line.split()
        said = dict(word.split("=") for word in rest)
        if when != day:
            continue
        drawn, status = said.pop("specimen", day), said.pop("status", "final")
        wanted = said if status == "corrected" else dict.fromkeys(CBC, "") | said
        for name, value in wanted.items():
            usual, unit = CBC[name]
            found.append(
                f"{mrn},{drawn}T08:00,{name},{value or usual},{unit},{mrn}-{drawn},{status}"
            )
    return found


def file_of(folder: Path, rows: list[str], header: str = HEADER) -> Path:
    path = folder / f"file-{len(list(folder.glob('file-*')))}.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@dataclass(frozen=True)
class Lived:
    """A clinic that lived through its days."""

    store: Store
    settings: Settings
    folder: Path

    def said(self, since: date = FIRST) -> list[tuple[str, str]]:
        """(day, subject) of every message that went out."""
        found = []
        for path in (self.folder / "out").glob("*.json"):
            message = json.loads(path.read_text())
            subject, sent = message["subject"], self.sent[message["message_id"]]
            if sent >= since:
                found.append((sent.isoformat(), subject))
        return sorted(found)

    @property
    def sent(self) -> dict[str, date]:
        from sqlalchemy import select

        from monitor.store.outbox import DELIVERIES

        with self.store.read() as connection:
            rows = connection.execute(select(DELIVERIES.c.message_id, DELIVERIES.c.sent_at))
            return {
                row.message_id.strip("<>"): clinic_day(row.sent_at, ZONE)
                for row in rows
                if row.sent_at is not None
            }


@pytest.fixture
def lived(store: Store, tmp_path: Path) -> Lived:
    """Day by day: the laboratory at nine, what people do at once, what is owed every hour."""
    settings = settings_in(tmp_path, CONFIG)
    adopt(store, settings.schedules.folder, at("2026-01-01"))
    day = FIRST
    while day <= LAST:
        if day == FIRST:
            path = tmp_path / "people.csv"
            path.write_text(PEOPLE)
            arrivals.enrol(store, settings, path, at(day.isoformat(), 0))
        for hour in (0, 8, 9, 20):
            now = at(day.isoformat(), hour)
            if hour == 9:
                _nine(store, settings, tmp_path, day.isoformat(), now)
            send_what_is_owed(store, settings, now, who="test")
            if hour == 9:
                _people(store, settings, day.isoformat(), now)
        day += timedelta(days=1)
    return Lived(store, settings, tmp_path)


def _nine(store: Store, settings: Settings, folder: Path, day: str, now: datetime) -> None:
    if day in EVENTS:
        path = file_of(folder, [EVENTS[day]], "mrn,on,event,value,drug,note,status")
        arrivals.events(store, settings, path, now)
    if rows := rows_of(day):
        arrivals.load(store, settings, file_of(folder, rows), "", now)


def _people(store: Store, settings: Settings, day: str, now: datetime) -> None:
    if day not in ACTS:
        return
    for alert in alert_rows(store, settings, {"open"}, now):
        if alert["urgency"] == "critical":
            people.contact(store, settings, alert["id"], outcome=ACTS[day], by="Ann", now=now)


def said(found: Replay) -> list[tuple[str, str]]:
    return sorted((message["at"][:10], message["subject"]) for message in found.messages)


def opened(rows: list[dict[str, object]]) -> list[tuple[object, ...]]:
    names = ("mrn", "kind", "rule", "urgency", "state", "recovered")
    return sorted((str(row["opened_at"])[:10], *(str(row[name]) for name in names)) for row in rows)


def test_history_says_again_what_it_said(lived: Lived) -> None:
    with lived.store.read() as connection:
        before = counts(connection), brought_to(connection)
    found = replay(lived.store, lived.settings, FIRST, LAST)
    assert said(found) == lived.said()
    assert len(found.messages) > 35
    end = at(LAST.isoformat(), 23)
    lived_alerts = alert_rows(lived.store, lived.settings, {"open", "acknowledged", "closed"}, end)
    assert opened(found.alerts) == opened(lived_alerts)
    assert (found.acts, found.acts_left_out) == (2, 0)
    with lived.store.read() as connection:
        assert (counts(connection), brought_to(connection)) == before
    # some days of it, with what stood before them standing
    middle = date(2026, 2, 1)
    assert said(replay(lived.store, lived.settings, middle, LAST)) == lived.said(middle)
    document = found.document()
    assert [it["day"] for it in document["days"]][:2] == ["2026-01-05", "2026-01-06"]
    assert sum(it["messages"] + it["digests"] for it in document["days"]) == len(found.messages)
    assert sum(it["opened"] for it in document["days"]) == len(lived_alerts)


def test_a_history_that_was_loaded_in_one_go_unfolds_as_it_happened(
    store: Store, tmp_path: Path
) -> None:
    """Everything came on one day, long afterwards: replayed, each result is known on its day."""
    settings = settings_in(tmp_path, CONFIG)
    now = at("2026-06-01")
    adopt(store, settings.schedules.folder, now)
    (tmp_path / "people.csv").write_text(PEOPLE)
    arrivals.enrol(store, settings, tmp_path / "people.csv", now)
    days = sorted({line[:10] for line in STORY.splitlines()})
    for day in days:
        arrivals.load(store, settings, file_of(tmp_path, rows_of(day)), "", now)
    found = replay(store, settings, FIRST, LAST)
    first = {(it["mrn"], it["kind"]): it["opened_at"][:10] for it in reversed(found.alerts)}
    assert first["P2", "discontinue"] == "2026-01-19"
    assert first["P1", "overdue_test"] == "2026-01-29"
    platelets = [it for it in found.alerts if it["analyte"] == "platelets"]
    assert [(it["mrn"], it["opened_at"][:10], it["state"]) for it in platelets] == [
        ("P3", "2026-01-12", "closed")
    ]
    silent = replay(store, settings, FIRST, LAST, as_it_came=True)
    assert silent.alerts == []


def test_days_that_cannot_be_lived(ward_like: tuple[Store, Settings]) -> None:
    store, settings = ward_like
    with pytest.raises(NoReplay, match="lies after"):
        replay(store, settings, LAST, FIRST)
    with pytest.raises(NoReplay, match="at most"):
        replay(store, settings, date(1990, 1, 1), LAST)
    empty = replay(store, settings, FIRST, FIRST)
    assert empty.alerts == []
    assert [it["kind"] for it in empty.messages] == ["digest"]


@pytest.fixture
def ward_like(store: Store, tmp_path: Path) -> tuple[Store, Settings]:
    return store, settings_in(tmp_path, CONFIG)


def test_the_command_prints_one_document(clinic: CommandLine) -> None:
    done = clinic("replay", "--from", "2026-01-05", "--to", "2026-01-06", "--json")
    assert done.code == 0, done.err
    assert {"from", "to", "days", "alerts", "messages"} <= set(done.json)
    assert set(done.json["messages"][0]) >= {"at", "to", "subject", "alerts"}
    assert "2 digests" in clinic("replay", "--from", "2026-01-05", "--to", "2026-01-06").out
    assert clinic("replay", "--from", "soon", "--to", "2026-01-06").code == 2
