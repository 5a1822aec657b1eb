"""What one result, one look and one message cost does not grow with those enrolled nor with
their past: no statement of theirs reads a table that grows for ever from end to end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from monitor.delivery.send import deliver_due
from monitor.intake.enrol import enrol_file
from monitor.intake.messages import Arrived, take_messages
from monitor.operations import arrivals, feeds
from monitor.operations.desk import desk
from monitor.operations.stuck import alarm_if_stuck
from monitor.store import tables
from monitor.store.database import Store
from tests.clinic import CBC, Clinic, at
from tests.hl7_messages import obx, oru
from tests.statements import asked, planned

GROW = frozenset(
    "alert_history deliveries delivery_alerts enrolments events identifiers patients "
    "results".split()
)
NOW = at("2026-01-12")
LOW = "mrn,collected_at,analyte,value,unit\nP7,2026-01-12T09:30,neutrophils,0.7,10*9/L\n"

pytestmark = pytest.mark.sqlite_only


@contextmanager
def every_whole_read(store: Store) -> Iterator[list[str]]:
    """The tables that statements on a store read whole, each time they do, by SQLite's own plan."""
    found: list[str] = []

    def look(cursor: Any, statement: str, parameters: Any) -> None:
        for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall():
            words = row[3].split()
            if words[0] == "SCAN" and words[1] in GROW:
                found.append(f"{words[1]}: {' '.join(statement.split())}")

    with planned(store, look):
        yield found


@contextmanager
def whole_reads(store: Store) -> Iterator[set[str]]:
    """The same, each once."""
    with every_whole_read(store) as each:
        found: set[str] = set()
        yield found
        found.update(each)


def test_a_result_its_review_its_mail_and_an_idle_look_read_no_growing_table_whole(
    ward: Clinic,
) -> None:
    for number in range(20):
        ward.enrol(f"P{number}", now=at("2026-01-05"), baseline=number % 2 == 0)
        ward.results(f"P{number}", "2026-01-12", CBC, received_at=NOW)
    ward.review(NOW)
    store, settings = ward.store, ward.settings
    file = settings.intake.inbox.parent / "low.csv"
    file.write_text(LOW, encoding="utf-8")
    later = NOW + timedelta(minutes=1)
    with whole_reads(store) as found:
        loaded = arrivals.load(store, settings, file, "", later)
        assert loaded.report.stored == 1
        assert loaded.tally.opened
        ward.review(later)
        deliver_due(store, settings, later, who="test")
        feeds.watch(store, settings, later)
        alarm_if_stuck(store, settings, later)
    assert found == set()


def test_a_patient_who_is_enrolled_does_not_look_through_those_before(ward: Clinic) -> None:
    """A list of thousands would take hours: each of them has a name and a birth date, by which
    the likeness to all others is looked for."""
    store, settings = ward.store, ward.settings
    reads = []
    for first, many in ((0, 2), (2, 20)):
        rows = [f"E{n},azathioprine,2026-01-05,Muster,Nr{n},19{40 + n}-02-03" for n in range(22)]
        file = settings.intake.inbox.parent / f"people{first}.csv"
        head = "mrn,drug,started_on,family_name,given_name,birth_date"
        file.write_text("\n".join([head, *rows[first : first + many]]) + "\n", encoding="utf-8")
        with every_whole_read(store) as found:
            assert enrol_file(store, settings, file, NOW).taken == many
        reads.append(len(found))
    assert reads[0] == reads[1]


def test_a_message_about_a_stranger_does_not_look_through_everybody(ward: Clinic) -> None:
    """Whole-hospital feeds are of strangers. Each was compared with all birth dates there are, and
    its number with those of all rows that wait in quarantine."""
    store, settings = ward.store, ward.settings
    with asked(store) as statements:
        for number in range(3):
            message = oru(obx("751-8^Neutrophils^LN", "2.5"), mrn=f"S{number}", control=str(number))
            (took,) = take_messages(store, settings, [Arrived(message.encode())], NOW)
            assert took.counts == {"quarantined": 1}
    assert any("birth_date = " in it for it in statements)
    assert not any("birth_date IS NOT NULL" in it for it in statements)
    held = [it for it in statements if it.startswith("SELECT DISTINCT quarantine.mrn_key")]
    assert all("mrn_key IN" in it for it in held)


def test_a_look_when_nobody_is_due_asks_one_question(ward: Clinic) -> None:
    ward.enrol("P1", now=at("2026-01-05"))
    ward.review(NOW)
    questions: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        questions.append(statement)

    with whole_reads(ward.store) as found:
        event.listen(ward.store.engine, "before_cursor_execute", note)
        ward.review(NOW)
        event.remove(ward.store.engine, "before_cursor_execute", note)
    assert len(questions) == 1
    assert found == set()


def test_the_operators_page_adds_up_the_rows_of_files_without_reading_results(
    ward: Clinic,
) -> None:
    ward.enrol("P1", now=at("2026-01-05"))
    ward.review(NOW)
    with whole_reads(ward.store) as found:
        rows = desk(ward.store, ward.settings, NOW).rows
    assert (rows.files, rows.rows, rows.accounted, rows.unequal) == (1, 7, 7, 0)
    assert [it for it in found if it.startswith("results: ")] == []
    ward.set(tables.File, ward.file_id, rows=9)
    rows = desk(ward.store, ward.settings, NOW).rows
    assert (rows.rows, rows.accounted, rows.unequal) == (9, 7, 1)


def test_a_table_that_is_read_whole_is_found(ward: Clinic) -> None:
    with whole_reads(ward.store) as found, ward.store.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM results WHERE line = 1")
    assert len(found) == 1
