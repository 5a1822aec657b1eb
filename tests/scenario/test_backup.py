"""The whole database in one file, and back: consistent, checked, on either database, and never
over something that nobody said to replace."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select

from monitor.config import load_settings
from monitor.core.calendar import parse_duration
from monitor.intake.inbox import take_inbox
from monitor.operations.backup import backup, restore
from monitor.store import backups
from monitor.store.backups import note_backup
from monitor.store.copying import counts, file_store
from monitor.store.database import Store, open_store
from monitor.store.errors import StoreError
from monitor.store.tables import AlertHistory, AlertRow, Fact, ResultRow, table_of
from tests.clinic import CBC, CONFIG, LFT, Clinic, at, settings_in
from tests.command_line import CommandLine

PEOPLE = """\
mrn,drug,started_on,tpmt,nudt15,dose_mg_per_day,weight_kg
P1,azathioprine,2026-01-05,normal,normal,100,70
P2,azathioprine,2026-01-05,normal,normal,100,70
"""
LOW = """\
mrn,collected_at,analyte,value,unit,specimen_id
P1,2026-01-12T09:00,neutrophils,0.7,10*9/L,S1
P9,2026-01-12T09:00,neutrophils,3.7,10*9/L,S2
"""
SINCE = "2026-01-12T12:00"


@pytest.fixture
def lived(clinic: CommandLine) -> CommandLine:
    """Two patients, one with a critical alert, and a row in quarantine."""
    clinic("enrol", clinic.write("people.csv", PEOPLE), "--at", "2026-01-05")
    assert clinic("load", clinic.write("low.csv", LOW), "--at", SINCE).code == 3
    return clinic


def alerts(desk: CommandLine) -> object:
    return desk("alerts", "--json", "--at", SINCE).json


def test_what_was_lost_comes_back(lived: CommandLine) -> None:
    before = alerts(lived)
    made = lived("backup", "copy.db", "--json").json
    assert made["rows"]["patients"] == 2
    assert made["rows"]["quarantine"] == 1
    assert (lived.folder / "copy.db").stat().st_mode & 0o077 == 0
    lived("ack", "1", "--by", "Ann", "--at", SINCE)
    assert alerts(lived) != before
    refused = lived("restore", "copy.db")
    assert refused.code == 2
    assert "--replace" in refused.err
    assert alerts(lived) != before
    done = lived("restore", "copy.db", "--replace")
    assert done.code == 0, done.err
    assert "goes out again" in done.out
    assert alerts(lived) == before
    assert lived("verify", "--at", SINCE).code == 0
    later = LOW.replace("P9", "P2").replace("2026-01-12T09:00", "2026-01-12T11:00")
    more = lived("load", lived.write("later.csv", later), "--at", SINCE)
    assert more.code == 0, more.err  # ids count on after the highest that came in


def test_a_copy_that_the_database_cannot_note_is_made_and_said(
    lived: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a database whose disk is full one wants a copy most."""

    def full(connection: Connection, at: datetime) -> None:
        if ".backup-" not in str(connection.engine.url.database):
            raise StoreError("database or disk is full")
        note_backup(connection, at)  # into the copy

    with monkeypatch.context() as patch:
        patch.setattr(backups, "note_backup", full)
        made = lived("backup", "copy.db")
        again = lived("backup", "copy.db", "--replace", "--json")
    assert made.code == 3
    assert "copied: copy.db" in made.out
    assert "The copy is whole" in made.err
    assert "database or disk is full" in made.err
    assert again.json["not_noted"] == "database or disk is full"
    assert lived("restore", "copy.db", "--replace").code == 0


def test_files_that_came_in_after_the_backup_are_named(lived: CommandLine) -> None:
    """They lie in done/, and nobody else would miss their rows."""
    settings = load_settings(lived.folder / "config.toml")
    inbox, store = settings.intake.inbox, open_store(settings.database.url)
    inbox.mkdir(exist_ok=True)
    for name, day in (("before.csv", "13"), ("since.csv", "14")):
        (inbox / name).write_text(LOW.replace("2026-01-12", f"2026-01-{day}"))
        take_inbox(store, settings, at(f"2026-01-{day}T12:00"))
        if name == "before.csv":
            lived("backup", "copy.db")
    store.dispose()
    done = lived("restore", "copy.db", "--replace")
    assert f"still in {inbox / 'done'}: since.csv. Put it into the inbox again" in done.out
    again = lived("restore", "copy.db", "--replace", "--json").json
    assert again["came_since"] == ["since.csv"]
    (inbox / "done" / "since.csv").rename(inbox / "since.csv")
    assert "still in" not in lived("restore", "copy.db", "--replace").out


def test_a_backup_goes_to_the_other_database(
    lived: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = alerts(lived)
    lived("backup", "copy.db")
    monkeypatch.setenv("MONITOR__DATABASE__URL", f"sqlite:///{tmp_path / 'other.db'}")
    done = lived("restore", "copy.db")
    assert done.code == 0, done.err
    assert alerts(lived) == before
    assert lived("verify", "--at", SINCE).code == 0


def test_what_is_no_backup_changes_nothing(lived: CommandLine) -> None:
    before = alerts(lived)
    lived("backup", "copy.db")
    assert lived("backup", "copy.db").code == 2
    assert "--replace" in lived("backup", "copy.db").err
    whole = (lived.folder / "copy.db").read_bytes()
    (lived.folder / "half.db").write_bytes(whole[: len(whole) // 2])
    with sqlite3.connect(lived.folder / "foreign.db") as foreign:
        foreign.execute("CREATE TABLE t (x)")
    (lived.folder / "text.db").write_text("mrn,drug\n")
    said = {
        "half.db": "is damaged",
        "foreign.db": "none of the monitor's",
        "text.db": "is no backup",
        "nowhere.db": "cannot be read",
    }
    for name, words in said.items():
        ended = lived("restore", name, "--replace")
        assert ended.code == 2
        assert words in ended.err
        assert "Traceback" not in ended.err
    assert alerts(lived) == before


def test_where_nothing_can_be_written_no_fault_of_ours_is_named(lived: CommandLine) -> None:
    (lived.folder / "shelf").mkdir()
    for place, says in {
        "shelf": "shelf is a folder: name a file in it",
        "/proc/copy.db": "/proc/copy.db cannot be written: ",
    }.items():
        ended = lived("backup", place, "--replace")
        assert ended.code == 2
        assert says in ended.err


def test_the_database_itself_is_no_backup(lived: CommandLine, store_url: str) -> None:
    if not store_url.startswith("sqlite"):
        return
    live = Path(store_url.removeprefix("sqlite:///"))
    before, inode = alerts(lived), live.stat().st_ino
    (lived.folder / "link.db").symlink_to(live)
    for command in ("backup", "restore"):
        for name in (str(live), "link.db"):
            ended = lived(command, name, "--replace")
            assert ended.code == 2
            assert "is the database itself" in ended.err
    assert live.stat().st_ino == inode, "a daemon would go on in a file that is no longer there"
    assert alerts(lived) == before


@pytest.mark.parametrize("beside", ["-wal", "-journal", ".lock"])
def test_what_lies_beside_the_database_is_no_place_for_a_backup(
    lived: CommandLine, store_url: str, beside: str
) -> None:
    """SQLite takes a file of that name for its own, and throws it away: there would be none."""
    if not store_url.startswith("sqlite"):
        return
    place = Path(store_url.removeprefix("sqlite:///") + beside)
    was_there = place.exists()
    ended = lived("backup", str(place), "--replace")
    assert (ended.code, place.exists()) == (2, was_there)
    assert "is the database itself" in ended.err


def test_a_running_daemon_is_not_pulled_from_under(lived: CommandLine, store_url: str) -> None:
    if not store_url.startswith("sqlite"):
        return  # there the rows change in one transaction, which daemons wait for
    lived("backup", "copy.db")
    running = open_store(store_url)
    with running.hold_daemon_lock():
        ended = lived("restore", "copy.db", "--replace")
    running.dispose()
    assert ended.code == 2
    assert "end that one first" in ended.err


@pytest.mark.postgresql_only
def test_what_somebody_writes_meanwhile_does_not_stand_beside_what_is_restored(
    ward: Clinic, tmp_path: Path
) -> None:
    """Its patients would be others', for their numbers are given again."""
    ward.enrol("A1")
    copy = tmp_path / "copy.db"
    backup(ward.store, copy, at("2026-01-05"), replace=False)
    with ward.store.read() as connection:
        kept = counts(connection)
    ward.enrol("B2")
    (row, *_) = ward.rows(ResultRow, patient_id=2)
    url = ward.store.engine.url.render_as_string(hide_password=False)
    settings = settings_in(tmp_path, f'{CONFIG}\n[database]\nurl = "{url}"\n')
    restored = threading.Thread(target=restore, args=(settings, copy), kwargs={"replace": True})
    with ward.store.write() as connection:
        results = table_of(ResultRow)
        columns = [it for it in results.c if it.name != "id"]
        again = select(*columns).where(results.c.patient_id == row.patient_id)
        connection.execute(insert(results).from_select([it.name for it in columns], again))
        restored.start()
        restored.join(timeout=2)
    restored.join(timeout=60)
    with ward.store.read() as connection:
        assert counts(connection) == kept


def test_nor_is_a_damaged_file_moved_from_under_it(lived: CommandLine, store_url: str) -> None:
    if not store_url.startswith("sqlite"):
        return  # a file of our own is SQLite's alone
    lived("backup", "copy.db")
    file = lived.folder / "monitor.db"
    damaged = b"SQLite format 3\0" + bytes(5000)
    file.write_bytes(damaged)
    running = open_store(store_url)
    with running.hold_daemon_lock():
        ended = lived("restore", "copy.db", "--replace")
    running.dispose()
    assert ended.code == 2
    assert "end that one first" in ended.err
    assert file.read_bytes() == damaged
    assert not Path(f"{file}.damaged").exists()


def test_a_damaged_database_is_kept_aside(lived: CommandLine, store_url: str) -> None:
    if not store_url.startswith("sqlite"):
        return  # a file of our own is SQLite's alone
    before = alerts(lived)
    lived("backup", "copy.db")
    file = lived.folder / "monitor.db"
    for kept in ("damaged", "damaged-2"):
        file.write_bytes(b"SQLite format 3\0" + kept.encode() + bytes(5000))
        for ending in ("-wal", "-shm"):
            Path(f"{file}{ending}").unlink(missing_ok=True)
        assert lived("restore", "copy.db").code == 2
        assert lived("restore", "copy.db", "--replace").code == 0
        assert alerts(lived) == before
        assert kept.encode() + bytes(1) in Path(f"{file}.{kept}").read_bytes()
    assert b"damaged\0" in Path(f"{file}.damaged").read_bytes()


def test_a_copy_is_of_one_instant_while_others_write(ward: Clinic, tmp_path: Path) -> None:
    """A review writes alerts and what is next in one transaction: no copy has half of it."""
    from monitor.operations.backup import backup

    for number in range(12):
        ward.enrol(f"P{number}")
    ending = threading.Event()

    def live() -> None:
        day = 0
        while not ending.is_set():
            day += 1
            now = at("2026-01-12") + timedelta(hours=day)
            for number in range(12):
                ward.results(f"P{number}", now.date().isoformat(), CBC | {"neutrophils": "0.7"})
            ward.review(now)

    writer = threading.Thread(target=live)
    writer.start()
    try:
        for number in range(4):
            backup(ward.store, tmp_path / f"{number}.db", at("2026-01-12"), replace=False)
    finally:
        ending.set()
        writer.join()
    for number in range(4):
        with file_store(tmp_path / f"{number}.db").read() as connection:
            files = counts(connection)
            entries = select(table_of(AlertHistory).c.alert_id)
            without = table_of(AlertRow).c.id.not_in(entries)
            query = select(func.count()).select_from(table_of(AlertRow)).where(without)
            history = connection.execute(query).scalar_one()
            assert history == 0
            assert (files["results"] - 12 * len(CBC | LFT)) % len(CBC) == 0


def test_a_backup_that_is_too_old_is_said(
    lived: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITOR__BACKUP__ALARM_AFTER", "2 days")
    parts = lived("health", "--json", "--at", SINCE).json["parts"]
    assert "never been a backup" in parts["backup"]["says"]
    lived("backup", "copy.db", "--at", "2026-01-12T13:00")
    assert lived("health", "--json", "--at", "2026-01-14T20:00").json["parts"]["backup"]["well"]
    parts = lived("health", "--json", "--at", "2026-01-15T13:00").json["parts"]
    assert not parts["backup"]["well"]
    assert "12 Jan 2026" in parts["backup"]["says"]


def test_an_old_backup_alarms_the_operator_once_a_day(store: Store, tmp_path: Path) -> None:
    from monitor.operations.backup import alarm_if_stale
    from tests.clinic import settings_in

    settings = settings_in(tmp_path)
    assert not alarm_if_stale(store, settings, at("2026-01-12"))
    kept = settings.backup.model_copy(update={"alarm_after": settings.intake.late_after})
    settings = settings.model_copy(update={"backup": kept})
    assert alarm_if_stale(store, settings, at("2026-01-12"))
    assert not alarm_if_stale(store, settings, at("2026-01-12", 13))
    assert alarm_if_stale(store, settings, at("2026-01-13"))


@pytest.mark.parametrize("zone", ["Europe/Zurich", "America/Los_Angeles", "Pacific/Auckland"])
def test_the_age_of_a_backup_is_counted_by_the_clinic_s_days(
    store: Store, tmp_path: Path, zone: str
) -> None:
    from monitor.operations.backup import stale
    from tests.clinic import settings_in

    settings = settings_in(tmp_path)
    here = settings.clinic.model_copy(update={"timezone": zone})
    kept = settings.backup.model_copy(update={"alarm_after": parse_duration("1 day")})
    settings = settings.model_copy(update={"clinic": here, "backup": kept})
    made = datetime(2026, 3, 2, 20, tzinfo=here.zone)
    with store.write() as connection:
        note_backup(connection, made)
    assert not stale(store, settings, made.replace(day=3, hour=23).astimezone(UTC))
    assert stale(store, settings, made.replace(day=4, hour=0).astimezone(UTC))


def test_a_backup_remembers_that_it_is_one(lived: CommandLine) -> None:
    lived("backup", "copy.db", "--at", SINCE)
    shutil.copy(lived.folder / "copy.db", lived.folder / "read.db")
    with file_store(lived.folder / "read.db").read() as connection:
        facts = table_of(Fact)
        value = connection.scalar(select(facts.c.value).where(facts.c.name == "last_backup"))
    assert value is not None
