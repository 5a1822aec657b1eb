"""An edit for one drug of a patient is heard by the others, which share panels with it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import insert

from monitor.core.personal_terms import Personal, Terms
from monitor.core.protocol_file import digest_of
from monitor.operations.personal import end_term, set_term
from monitor.operations.schedule_edit import apply
from monitor.operations.schedule_preview import edit_of, preview
from monitor.operations.verify import verify
from monitor.resources import schedules_folder
from monitor.store import tables
from monitor.store.rulebook import put_in_force
from monitor.store.tables import table_of
from tests.clinic import Clinic, at
from tests.schedules_folder import edit, text_of, write

OTHER = "methotrexate-bsr-2017"
NOW = at("2026-01-24")


@pytest.fixture
def both(ward: Clinic) -> tuple[int, int]:
    """A patient on azathioprine, whose blood count has been due since 12 January, and on
    methotrexate, whose has been since the 19th: azathioprine tells of it."""
    first = ward.enrol("B1")
    text = (Path(schedules_folder()) / f"{OTHER}.toml").read_text(encoding="utf-8")
    (row,) = ward.rows(tables.EnrolmentRow)
    same = {name: it for name, it in row._mapping.items() if name != "id"}
    other = {"drug": "methotrexate", "protocol_id": OTHER, "dose_mg_per_day": Decimal("2.14")}
    with ward.store.write() as connection:
        put_in_force(connection, OTHER, text, digest_of(text), at("2026-01-01"), "test", "first")
        done = connection.execute(insert(table_of(tables.EnrolmentRow)).values(same | other))
    assert done.inserted_primary_key is not None
    second = int(done.inserted_primary_key[0])
    ward.review(NOW)
    assert overdue(ward, first) == {"cbc"} and "cbc" not in overdue(ward, second)
    return first, second


def overdue(ward: Clinic, enrolment: int) -> set[str]:
    """The panels of its live overdue alert."""
    live = [it for it in ward.alerts(enrolment) if it.cause == "overdue" and not it.closed_at]
    return {panel for it in live for panel, _ in it.panels}


def test_what_one_drug_tells_no_more_the_other_tells(
    ward: Clinic, both: tuple[int, int], folder: Path
) -> None:
    write(folder, text_of(folder).partition("# ==== Examples")[0])
    path = edit(folder, 'every = "1 week"', 'every = "4 weeks"')
    shown = preview(ward.store, ward.settings, edit_of(path), NOW)
    assert (shown.enrolled, [it.drug for it in shown.patients]) == (
        1, ["azathioprine", "methotrexate"]
    )  # fmt: skip
    apply(ward.store, ward.settings, edit_of(path), NOW, by="Dr A", reason="a test")
    assert verify(ward.store, ward.settings, NOW) == []
    first, second = both
    assert "cbc" not in overdue(ward, first) and "cbc" in overdue(ward, second)


def for_a_few_days(ward: Clinic, until: date) -> None:
    """Methotrexate asks for more, and so tells of the count."""
    term = Personal(
        id=0,
        what=Terms.INTERVAL,
        subject="cbc",
        phase="until stable",
        every="4 days",
        since=NOW.date(),
        until=until,
        by="Dr A",
        reason="a rash",
        set_at=NOW,
    )
    set_term(ward.store, ward.settings, "B1", "methotrexate", term, NOW)
    ward.review(NOW)
    assert verify(ward.store, ward.settings, NOW) == []


def test_an_interval_of_one_drug_is_heard_by_the_other_as_it_begins_and_is_ended(
    ward: Clinic, both: tuple[int, int]
) -> None:
    first, second = both
    for_a_few_days(ward, date(2026, 2, 3))
    assert "cbc" not in overdue(ward, first) and "cbc" in overdue(ward, second)
    then = at("2026-01-27")
    end_term(ward.store, ward.settings, 1, by="Dr A", reason="the rash is gone", now=then)
    ward.review(then)
    assert verify(ward.store, ward.settings, then) == []
    assert "cbc" in overdue(ward, first) and "cbc" not in overdue(ward, second)


def test_a_test_that_was_overdue_when_an_interval_ran_out_is_told_where_it_was(
    ward: Clinic, both: tuple[int, int]
) -> None:
    """Only a completion ends that; the other drug is silent about it until then."""
    first, second = both
    for_a_few_days(ward, date(2026, 1, 27))
    for day in ("2026-01-27", "2026-02-09"):
        ward.review(at(day))
        assert verify(ward.store, ward.settings, at(day)) == []
        assert "cbc" not in overdue(ward, first) and "cbc" in overdue(ward, second)
