"""`verify` misses every row that is gone, also of those to which nothing refers."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update

from monitor.intake.batches import revert
from monitor.operations.digests import compose_digests
from monitor.operations.verify import verify
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.tables import table_of
from tests.clinic import CBC, Clinic, at
from tests.desk import NOW, Desk

BEARS, MESSAGES = table_of(tables.DeliveryAlert), table_of(tables.Delivery)
CRITICAL = CBC | {"neutrophils": "0.3"}


def _found(clinic: Clinic, now: datetime = NOW) -> list[tuple[str, str]]:
    return [(it.about, it.what) for it in verify(clinic.store, clinic.settings, now)]


def _told_thrice(ward: Clinic) -> list[int]:
    """A critical count, of which the nurse was told, then the clinic, and again; the messages."""
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-12", CRITICAL)
    now = at("2026-01-12")
    ward.review(now)
    for _ in range(8):
        now += timedelta(hours=1)
        ward.review(now)
    return [row.id for row in ward.rows(tables.Delivery, kind="alert")]


@pytest.mark.parametrize("which", ["first", "middle", "last"])
def test_a_lost_message_of_a_critical_ladder_is_found(ward: Clinic, which: str) -> None:
    ids = _told_thrice(ward)
    assert len(ids) > 3
    now = at("2026-01-12", 20)
    assert _found(ward, now) == []
    lost = {"first": ids[0], "middle": ids[len(ids) // 2], "last": ids[-1]}[which]
    (alert,) = {row.alert_id for row in ward.rows(tables.DeliveryAlert, delivery_id=lost)}
    with ward.store.write() as connection:
        connection.execute(delete(BEARS).where(BEARS.c.delivery_id == lost))
        connection.execute(delete(MESSAGES).where(MESSAGES.c.id == lost))
    assert (f"alert {alert}", "its messages") in _found(ward, now)


def test_a_lost_line_of_a_message_is_found_also_of_one_made_before_they_were_counted(
    ward: Clinic,
) -> None:
    ids = _told_thrice(ward)
    now = at("2026-01-12", 20)
    with ward.store.write() as connection:
        connection.execute(update(table_of(tables.AlertRow)).values(messages_made=None))
    assert _found(ward, now) == []
    with ward.store.write() as connection:
        connection.execute(delete(BEARS).where(BEARS.c.delivery_id == ids[-1]))
    assert _found(ward, now) == [(f"message {ids[-1]}", "the alerts it lists")]


def test_a_lost_line_of_a_digest_is_found(ward: Clinic) -> None:
    ward.enrol("A1", now=at("2026-01-05"))
    ward.enrol("B2", now=at("2026-01-05"), baseline=False)
    ward.review(at("2026-01-05"))
    ward.review(at("2026-01-20"))
    compose_digests(ward.store, ward.settings, at("2026-01-20"))
    digest, *_ = (row.id for row in ward.rows(tables.Delivery, kind="digest"))
    lines = ward.rows(tables.DeliveryAlert, delivery_id=digest)
    assert len(lines) > 1
    assert _found(ward, at("2026-01-20")) == []
    mine = (BEARS.c.delivery_id == digest) & (BEARS.c.alert_id == lines[-1].alert_id)
    with ward.store.write() as connection:
        connection.execute(delete(BEARS).where(mine))
    assert _found(ward, at("2026-01-20")) == [(f"message {digest}", "the alerts it lists")]


def test_what_is_not_sent_about_the_dead_is_not_missed(store: Store, tmp_path: Path) -> None:
    desk = Desk(store, tmp_path)
    desk.enrol("A1,azathioprine,2026-01-05,,,", "B2,azathioprine,2026-01-05,,,")
    desk.clinic.review(NOW)
    assert desk.clinic.rows(tables.Delivery, kind="alert", state="waiting")
    desk.events("A1,2026-03-09,died,,,,")
    desk.clinic.review(NOW)
    assert _found(desk.clinic) == []


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    made = Desk(store, tmp_path)
    made.enrol("A1,azathioprine,2026-01-05,,,")
    return made


def test_each_row_that_files_left_is_missed_when_it_is_gone(desk: Desk) -> None:
    """Amid a history of files that were taken back, said the same, and were taken in later."""
    with desk.store.write() as connection:
        files = table_of(tables.File)
        connection.execute(update(files).where(files.c.name == "all.csv").values(left_rows={}))
    first = desk.clinic.rows(tables.File)[-1].id
    good = "A1,2026-03-02T08:00,{},{},G/L,,,,"
    desk.load(good.format("neutrophils", "4.0"), good.format("platelets", "200"))
    again = desk.load(
        good.format("neutrophils", "4.0"),
        good.format("lymphocytes", "1.5"),
        "B2,2026-03-02T08:00,neutrophils,3.1,G/L,,,,",
    )
    assert (again.duplicate, again.stored, again.quarantined) == (1, 1, 1)
    desk.load(good.format("lymphocytes", "1.5"), good.format("neutrophils", "4.0"))
    desk.enrol("B2,azathioprine,2026-01-05,Muster,,")
    desk.enrol("B2,azathioprine,2026-01-05,Muster,Bea,")
    desk.events("B2,2026-03-02,symptom,fever,,,", "B2,2026-03-03,symptom,chills,,,")
    desk.events("B2,2026-03-02,symptom,fever,,,", "B2,2026-03-04,symptom,rash,,,")
    revert(desk.store, desk.settings, first + 1, by="Ada", reason="the wrong laboratory", now=NOW)
    desk.clinic.review(NOW)
    assert _found(desk.clinic) == []
    for model in (
        tables.ResultRow, tables.Repeat, tables.PersonChange, tables.EventRow
    ):  # fmt: skip
        table = table_of(model)
        with desk.store.read() as connection:
            rows = connection.execute(select(table)).all()
        assert rows
        for row in rows:
            with desk.store.write() as connection:
                connection.execute(delete(table).where(table.c.id == row.id))
            about = (f"file {row.file_id}", f"rows of the file in {table.name}")
            assert about in _found(desk.clinic), row
            with desk.store.write() as connection:
                connection.execute(table.insert().values(row._mapping))
    assert _found(desk.clinic) == []


def test_what_an_older_program_did_to_counted_files_is_no_loss(desk: Desk) -> None:
    """It knows of no counts: it adds to files, and takes repeats out with a file."""
    good = "A1,2026-03-02T08:00,{},{},G/L,,,,"
    desk.load(good.format("neutrophils", "4.0"))
    desk.load(good.format("neutrophils", "4.0"), good.format("platelets", "200"))
    files, repeats = table_of(tables.File), table_of(tables.Repeat)
    *_, first, second = desk.clinic.rows(tables.File)
    revert(desk.store, desk.settings, first.id, by="Ada", reason="wrong", now=NOW)
    with desk.store.write() as connection:
        # as they stood before: an older program leaves them as they are
        for file in (first, second):
            mine = files.c.id == file.id
            connection.execute(update(files).where(mine).values(left_rows=file.left_rows))
    revert(desk.store, desk.settings, second.id, by="Ada", reason="wrong", now=NOW)
    with desk.store.write() as connection:
        mine = files.c.id == second.id
        connection.execute(update(files).where(mine).values(left_rows=second.left_rows))
        assert connection.scalar(select(func.count()).select_from(repeats)) == 0
    desk.clinic.review(NOW)
    assert _found(desk.clinic) == []


def test_a_file_that_was_not_counted_is_not_doubted(desk: Desk) -> None:
    desk.load("A1,2026-03-02T08:00,neutrophils,4.0,G/L,,,,")
    with desk.store.write() as connection:
        connection.execute(update(table_of(tables.File)).values(left_rows=None))
    desk.load("A1,2026-03-02T08:00,neutrophils,4.0,G/L,,,,", "A1,2026-03-03,alt,20,U/L,,,,")
    desk.clinic.review(NOW)
    assert _found(desk.clinic) == []
