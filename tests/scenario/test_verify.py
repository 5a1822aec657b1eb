"""`verify` is silent on what the monitor made, and finds everything made otherwise."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert

from monitor.operations.people import acknowledge, close
from monitor.operations.verify import owed, verify
from monitor.store import tables
from monitor.store.tables import table_of
from tests.clinic import CBC, LFT, Clinic, at

NOW = at("2026-01-20")


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
    assert _found(story) == [("alert 1", "never told")]


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
