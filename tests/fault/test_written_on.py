"""An upload that pauses for longer than a file has to settle: what comes behind is not lost."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.demo.catcher import Catcher
from monitor.intake.inbox import take_inbox
from monitor.intake.written_on import WrittenOn
from monitor.store.database import Store
from monitor.store.outbox import DELIVERIES
from tests.clinic import CONFIG
from tests.desk import NOW, Desk
from tests.processes import ClinicFolder, met

PATIENTS = "mrn,drug,started_on\nA1,azathioprine,2026-01-05\nA2,azathioprine,2026-01-05\n"
BEGINNING = (
    "mrn,collected_at,analyte,value,unit\nA1,2026-01-12T08:00,platelets,231,10*9/L\nA2,2026-01-1"
)
END = "2T08:10,neutrophils,0.4,10*9/L\n"
SOURCE = '[sources.north]\nunits = { platelets = "10*9/L" }\n'


@pytest.mark.parametrize("killed", [False, True])
def test_what_comes_behind_a_pause_is_taken_in_and_told(
    clinic: ClinicFolder, mailbox: Catcher, killed: bool
) -> None:
    daemon = clinic.start()
    clinic.drop("patients.csv", PATIENTS)
    assert met(lambda: clinic.done("patients.csv"))
    with (clinic.inbox / "labs.csv").open("w") as upload:
        upload.write(BEGINNING)
        upload.flush()
        assert met(lambda: clinic.done("labs.csv"))
        if killed:
            daemon.kill()
        upload.write(END)
    if killed:
        clinic.start()
    assert met(lambda: any("CRITICAL" in mail.subject for mail in mailbox.caught))
    assert met(lambda: clinic.done("labs-again.csv"))
    assert met(lambda: any("written on" in mail.subject for mail in mailbox.caught))
    assert clinic.run("verify").returncode == 0


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    desk = Desk(store, tmp_path, CONFIG + SOURCE)
    desk.enrol("A1,azathioprine,2026-01-05,,,", "A2,azathioprine,2026-01-05,,,")
    (desk.settings.intake.inbox / "north").mkdir(parents=True)
    return desk


def put_away(desk: Desk, path: Path, text: str) -> tuple[WrittenOn, Path]:
    """Who watches a file that was taken in just now, and where it lies."""
    path.write_text(text)
    watching = WrittenOn(desk.settings)
    watching.look(desk.store, NOW)
    (outcome,) = outcomes = take_inbox(desk.store, desk.settings, NOW)
    watching.note(outcomes, NOW)
    return watching, desk.settings.intake.inbox / outcome.moved_to


def told(desk: Desk) -> list[str]:
    with desk.store.read() as connection:
        rows = connection.execute(DELIVERIES.select().where(DELIVERIES.c.kind == "operator")).all()
    return [row.payload["topic"] for row in rows]


def test_it_goes_back_to_the_folder_of_its_source(desk: Desk) -> None:
    folder = desk.settings.intake.inbox / "north"
    watching, path = put_away(desk, folder / "labs.csv", BEGINNING)
    path.write_text(BEGINNING + END)
    os.utime(path, (NOW.timestamp() + 60, NOW.timestamp() + 60))
    later = NOW + timedelta(minutes=1)
    assert watching.look(desk.store, later)
    assert [it.name for it in folder.iterdir()] == ["labs-again.csv"]
    (outcome,) = take_inbox(desk.store, desk.settings, later + timedelta(minutes=1))
    assert outcome.moved_to == "done/labs-again.csv"
    assert desk.standing() == ["0.4"]
    assert told(desk) == ["file labs.csv was written on"]


def test_an_empty_file_that_was_refused_is_read_once_it_has_come(desk: Desk) -> None:
    inbox = desk.settings.intake.inbox
    watching, path = put_away(desk, inbox / "labs.csv", "")
    assert path.parent.name == "failed"
    path.write_text(BEGINNING + END)
    assert watching.look(desk.store, NOW + timedelta(seconds=20))
    assert (inbox / "labs-again.csv").read_text() == BEGINNING + END


def test_a_new_date_alone_is_no_new_content(desk: Desk) -> None:
    inbox = desk.settings.intake.inbox
    watching, path = put_away(desk, inbox / "labs.csv", BEGINNING)
    os.utime(path, (NOW.timestamp() + 60, NOW.timestamp() + 60))
    assert not watching.look(desk.store, NOW + timedelta(minutes=1))
    assert not WrittenOn(desk.settings).look(desk.store, NOW + timedelta(minutes=1))
    assert path.exists()
    assert told(desk) == []


def test_a_file_of_the_same_name_that_waits_is_not_written_over(desk: Desk) -> None:
    inbox = desk.settings.intake.inbox
    watching, path = put_away(desk, inbox / "labs.csv", BEGINNING)
    (inbox / "labs-again.csv").write_text("waits")
    path.write_text(BEGINNING + END)
    assert not watching.look(desk.store, NOW + timedelta(minutes=1))
    assert (inbox / "labs-again.csv").read_text() == "waits"
    (inbox / "labs-again.csv").unlink()
    assert watching.look(desk.store, NOW + timedelta(minutes=2))
    assert (inbox / "labs-again.csv").exists()
