"""`verify` is silent on what the monitor made, and finds everything made otherwise."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update

from monitor.operations.digests import compose_digests
from monitor.operations.people import acknowledge, close
from monitor.operations.verify import owed, verify
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.tables import table_of
from tests.clinic import CBC, LFT, Clinic, at
from tests.desk import NOW as DESK_NOW
from tests.desk import Desk

NOW = at("2026-01-20")
LOST = (
    tables.Patient,
    tables.EnrolmentRow,
    tables.File,
    tables.ReadingRow,
    tables.AlertRow,
    tables.Delivery,
)


@pytest.fixture
def story(ward: Clinic) -> Clinic:
    """A low count (alert 1), a test that is late (alert 2), and all that came of them."""
    ward.enrol("A1", now=at("2026-01-05"))
    ward.enrol("B2", now=at("2026-01-05"))
    for mrn in ("A1", "B2"):
        ward.results(mrn, "2026-01-05", CBC | LFT)
    ward.review(at("2026-01-05"))
    ward.results("A1", "2026-01-12", CBC | {"neutrophils": "1.2"})
    ward.review(at("2026-01-12"))
    ward.results("A1", "2026-01-19", CBC | {"neutrophils": "1.4"})
    ward.review(at("2026-01-15"))
    ward.review(NOW)
    return ward


def _found(ward: Clinic, now: datetime = NOW) -> list[tuple[str, str]]:
    return [(it.about, it.what) for it in verify(ward.store, ward.settings, now)]


def test_what_the_monitor_made_verifies(story: Clinic) -> None:
    assert [row.kind for row in story.rows(tables.AlertRow)] == ["withhold", "overdue_test"]
    assert _found(story) == []


def test_what_people_did_verifies(story: Clinic) -> None:
    acknowledge(story.store, story.settings, 2, by="Ada", now=NOW)
    close(
        story.store,
        story.settings,
        1,
        by="Ada",
        outcome="dose halved",
        review_by=date(2026, 1, 25),
        now=NOW,
    )
    story.review(NOW)
    assert _found(story) == []
    story.review(at("2026-01-25"))
    assert _found(story, at("2026-01-25")) == []


def test_work_that_is_owed_is_no_difference(story: Clinic) -> None:
    story.results("B2", "2026-01-20", CBC | {"platelets": "40"}, hour=11)
    assert owed(story.store, NOW) == 1
    assert _found(story) == []
    far = NOW + timedelta(days=200)
    assert owed(story.store, far) == 2
    assert _found(story, far) == []


def test_an_earlier_now_is_judged_at_the_instant_of_the_database(story: Clinic) -> None:
    assert _found(story, at("2026-01-08")) == []


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"urgency": "routine"}, "urgency"),
        ({"kind": "review"}, "kind"),
        ({"recovered": True}, "recovered"),
        ({"worst_value": 1}, "worst value"),
        ({"level": 2}, "level"),
        ({"breaches": ["2026-01-12T08:00:00+00:00"]}, "breaches"),
        ({"summary": "all is well"}, "summary"),
        ({"protocol_digest": "x"}, "protocol"),
    ],
)
def test_an_alert_that_says_otherwise_is_found(
    story: Clinic, values: dict[str, Any], what: str
) -> None:
    story.set(tables.AlertRow, 1, **values)
    assert _found(story) == [("alert 1", what)]


def test_shown_evidence_that_says_otherwise_is_found(story: Clinic) -> None:
    (row,) = story.rows(tables.AlertRow, id=1)
    story.set(tables.AlertRow, 1, shown={**row.shown, "latest_value": "4.0"})
    assert _found(story) == [("alert 1", "latest_value")]
    (row,) = story.rows(tables.AlertRow, id=2)
    panels = [{**row.shown["panels"][0], "due_on": "2026-01-19"}]
    story.set(tables.AlertRow, 2, shown={**row.shown, "panels": panels})
    assert _found(story)[1:] == [("alert 2", "panels")]


def test_an_alert_that_was_lost_or_invented_or_doubled_is_found(story: Clinic) -> None:
    (late,) = story.rows(tables.AlertRow, id=2)
    twin = {**late._mapping, "id": 3}
    with story.store.write() as connection:
        connection.execute(insert(table_of(tables.AlertRow)).values(twin))
    assert ("enrolment 2", "one cause, one alert") in _found(story)
    story.set(tables.AlertRow, 3, cause="sample_unusable:cbc")
    assert ("alert 3", "an alert without cause") in _found(story)
    story.set(tables.AlertRow, 2, state="closed", closed_at=NOW)
    assert ("enrolment 2", "an alert is missing") in _found(story)


def test_a_result_that_came_by_no_file_is_found_with_what_it_would_change(story: Clinic) -> None:
    (row,) = story.rows(tables.ResultRow, analyte="platelets", collected_on=date(2026, 1, 19))
    story.set(tables.ResultRow, row.id, value=20)
    assert ("enrolment 1", "an alert is missing") in _found(story)


@pytest.mark.parametrize(
    "otherwise",
    [{"stands": False}, {"status": "withdrawn"}, {"taken_back": True}],
    ids=["put aside", "withdrawn", "its file taken back"],
)
def test_a_result_alone_that_stands_or_not_against_what_was_reported_is_found(
    story: Clinic, otherwise: dict[str, Any]
) -> None:
    (row,) = story.rows(
        tables.ResultRow, analyte="alt", collected_on=date(2026, 1, 5), patient_id=1
    )
    story.set(tables.ResultRow, row.id, **otherwise)
    assert (f"result {row.id}", "whether a result stands") in _found(story)


def test_of_two_reports_of_one_result_the_one_that_should_not_stand_is_found(
    story: Clinic,
) -> None:
    story.results("A1", "2026-01-19", {"platelets": "180"}, received_at=NOW)
    found = [about for about, what in _found(story) if what == "whether a result stands"]
    (before, after) = story.rows(
        tables.ResultRow, analyte="platelets", collected_on=date(2026, 1, 19)
    )
    assert before.stands and after.stands
    assert found == [f"result {before.id}"]


def test_an_enrolment_that_would_sleep_too_long_is_found(story: Clinic) -> None:
    story.set(tables.EnrolmentRow, 2, next_review_at=None)
    assert _found(story) == [("enrolment 2", "wakes too late")]


def test_an_urgent_alert_of_which_nobody_was_told_is_found(story: Clinic) -> None:
    bears = table_of(tables.DeliveryAlert)
    with story.store.write() as connection:
        connection.execute(delete(bears).where(bears.c.alert_id == 1))
    assert ("alert 1", "never told") in _found(story)


def test_a_digest_that_lists_an_urgent_alert_has_not_told_it(story: Clinic) -> None:
    compose_digests(story.store, story.settings, NOW)
    bears, messages = table_of(tables.DeliveryAlert), table_of(tables.Delivery)
    told = select(messages.c.id).where(messages.c.kind != "digest")
    with story.store.write() as connection:
        connection.execute(delete(bears).where(bears.c.delivery_id.in_(told)))
    assert {row.alert_id for row in story.rows(tables.DeliveryAlert)} == {1, 2}
    assert _found(story)[:2] == [("alert 1", "never told"), ("alert 2", "never told")]


@pytest.mark.sqlite_only
@pytest.mark.parametrize("model", LOST, ids=lambda it: it.__tablename__)
def test_a_row_that_others_refer_to_and_that_is_gone_is_found(
    story: Clinic, model: type[Any]
) -> None:
    """As a damaged file leaves it, or another program, which asks nobody."""
    table = table_of(model)
    with story.store.read() as connection:
        file = connection.execute(text("PRAGMA database_list")).one().file
    with closing(sqlite3.connect(file)) as other:
        (first,) = other.execute(f"SELECT min(id) FROM {table.name}").fetchone()
        other.execute(f"DELETE FROM {table.name} WHERE id = ?", (first,))
        other.commit()
    found = verify(story.store, story.settings, NOW)
    assert found
    assert {it.what for it in found} == {f"rows that refer to {table.name} which are gone"}


def test_a_result_whose_reading_is_gone_is_found_and_nothing_is_derived_from_it(
    story: Clinic,
) -> None:
    (row,) = story.rows(tables.ResultRow, analyte="neutrophils", collected_on=date(2026, 1, 19))
    results = table_of(tables.ResultRow)
    with story.store.write() as connection:
        connection.execute(update(results).where(results.c.id == row.id).values(reading_id=999))
    assert [str(it) for it in verify(story.store, story.settings, NOW)] == [
        "results, reading_id: rows that refer to readings which are gone: stands as 1, derived 0"
    ]


def test_a_value_that_was_changed_where_it_is_kept_is_found(story: Clinic) -> None:
    readings = table_of(tables.ReadingRow)
    with story.store.write() as connection:
        changed = update(readings).where(readings.c.received_value == "250")
        connection.execute(changed.values(value=251))
    assert [what for _, what in _found(story)] == ["what results say"]


def test_a_patient_whom_no_number_leads_to_is_found(story: Clinic) -> None:
    numbers = table_of(tables.Identifier)
    with story.store.write() as connection:
        connection.execute(delete(numbers).where(numbers.c.patient_id == 2))
    assert _found(story) == [("patient 2", "the number of a patient")]


@pytest.mark.parametrize(
    ("values", "lacks"),
    [
        ({"state": "closed", "closed_at": NOW, "closed_by": "Ada"}, "its end"),
        ({"state": "acknowledged", "acknowledged_by": "Ada"}, "who took it"),
    ],
)
def test_an_alert_whose_history_does_not_tell_how_it_stands_is_found(
    story: Clinic, values: dict[str, Any], lacks: str
) -> None:
    until = {"acknowledged_until": date(2026, 1, 25), "review_by": date(2026, 1, 25)}
    story.set(tables.AlertRow, 2, **values | until)
    assert "alert 2: its history: stands as without " + lacks + ", derived told" in [
        str(it) for it in verify(story.store, story.settings, NOW)
    ]


def test_an_alert_without_a_history_is_found(story: Clinic) -> None:
    history = table_of(tables.AlertHistory)
    with story.store.write() as connection:
        connection.execute(delete(history).where(history.c.alert_id == 2))
    assert _found(story) == [("alert 2", "its history")]


@pytest.mark.parametrize("model", [tables.EnrolmentRow, tables.EventRow, tables.MergeRow])
def test_what_a_file_said_of_people_and_that_is_gone_is_found(
    store: Store, tmp_path: Path, model: type[Any]
) -> None:
    desk = Desk(store, tmp_path)
    desk.enrol("A1,azathioprine,2026-01-05,,,", "B2,azathioprine,2026-01-05,,,")
    desk.enrol("A1,azathioprine,2026-01-05,Muster,,", "C3,azathioprine,2026-01-05,,,")
    desk.events("A1,2026-03-01,symptom,fever,,,", "B2,2026-03-02,dose,50,azathioprine,,")
    desk.events("B2,2026-03-02,dose,50,azathioprine,,entered-in-error", "Z9,2026-03-03,merge,A1,,,")
    desk.clinic.review(DESK_NOW)
    assert _found(desk.clinic, DESK_NOW) == []
    *_, last = desk.clinic.rows(model)
    table = table_of(model)
    with store.write() as connection:
        for its in (tables.DeliveryAlert, tables.AlertHistory, tables.AlertRow, tables.KeptAnswer):
            connection.execute(delete(table_of(its)))
        connection.execute(delete(table).where(table.c.id == last.id))
    assert (f"file {last.file_id}", "rows of the file") in _found(desk.clinic, DESK_NOW)


def test_rows_of_a_file_that_do_not_add_up_are_found(story: Clinic) -> None:
    (file,) = story.rows(tables.File)
    story.set(tables.File, file.id, rows=file.rows + 1)
    assert _found(story) == [("file 1", "rows and their outcomes")]
    story.set(tables.File, file.id, stored=file.stored + 1)
    assert _found(story) == [("file 1", "results of the file")]
    story.set(tables.File, file.id, stored=file.stored, quarantined=1)
    assert _found(story) == [("file 1", "quarantined rows of the file")]


def test_one_that_cannot_be_judged_is_found(story: Clinic) -> None:
    story.set(tables.EnrolmentRow, 1, protocol_id="no such protocol")
    assert ("enrolment 1", "could not be judged") in _found(story)
