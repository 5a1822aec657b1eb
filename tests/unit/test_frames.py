"""What the core is given of a patient, and waking those of whom something new is known."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import insert

from monitor.core.case import Case
from monitor.core.personal_terms import Personal, Terms
from monitor.core.vocabulary import Status
from monitor.store import tables
from monitor.store.frames import all_enrolment_ids, as_known_at, load_cases
from monitor.store.personal import add_personal
from monitor.store.tables import table_of
from tests.clinic import CBC, ZONE, Clinic, at
from tests.statements import asked

DAY = date(2026, 1, 13)


def _case(ward: Clinic, enrolment: int, until: str = "") -> Case:
    with ward.store.read() as connection:
        day = at(until) if until else None
        (case,) = load_cases(connection, [enrolment], until=day, zone=ZONE)
    return case


def _also_on(ward: Clinic, enrolment: int, drug: str) -> None:
    """Another enrolment of the same patient, the next one."""
    (known,) = ward.rows(tables.EnrolmentRow, id=enrolment)
    with ward.store.write() as connection:
        other = {**known._mapping, "id": enrolment + 1, "drug": drug}
        connection.execute(insert(table_of(tables.EnrolmentRow)).values(other))


def test_a_case_holds_the_enrolment_and_its_results_digit_for_digit(ward: Clinic) -> None:
    enrolment = ward.enrol("A1", baseline=False, dose_mg_per_day=Decimal(150), clinic="east")
    ward.results("A1", "2026-01-12", {"neutrophils": "1.60"}, ref_high=Decimal("7.50"))
    case = _case(ward, enrolment)
    assert (case.enrolment.mrn, case.enrolment.clinic) == ("A1", "east")
    assert case.enrolment.dose_mg_per_day == 150
    (result,) = case.results
    assert (str(result.value), str(result.ref_high)) == ("1.60", "7.50")
    assert result.collected_at == at("2026-01-12", 9)
    assert result.collected_on == date(2026, 1, 12)
    assert result.status is Status.FINAL


def test_only_what_stands_is_seen(ward: Clinic) -> None:
    enrolment = ward.enrol("A1", baseline=False)
    ward.results("A1", "2026-01-12", {"platelets": "90"})
    ward.results("A1", "2026-01-13", {"neutrophils": "1.0"}, status="withdrawn")
    ward.supersede("A1", "platelets", "2026-01-12")
    ward.results("A1", "2026-01-14", {"platelets": "190"})
    ward.event("A1", "2026-01-14", "hold", withdrawn=True)
    case = _case(ward, enrolment)
    assert [result.value for result in case.results] == [190]
    assert case.events == ()


def test_until_hides_what_came_later(ward: Clinic) -> None:
    enrolment = ward.enrol("A1", baseline=False)
    ward.results("A1", "2026-01-12", {"platelets": "200"})
    ward.results("A1", "2026-01-19", {"platelets": "210"})
    ward.event("A1", "2026-01-12", "hold")
    ward.event("A1", "2026-01-20", "resume")
    case = _case(ward, enrolment, until="2026-01-15")
    assert [result.value for result in case.results] == [200]
    assert [event.event for event in case.events] == ["hold"]


@pytest.mark.parametrize(
    "until", ["2026-01-04", "2026-01-05", "2026-01-12", "2026-01-15", "2026-01-19", "2026-01-25"]
)
def test_what_was_known_at_an_earlier_instant_is_what_is_read_for_it(
    ward: Clinic, until: str
) -> None:
    ward.enrol("C3", "2026-01-19")
    for mrn in ("A1", "B2", "D4"):
        enrolment = ward.enrol(mrn)
        for day in ("2026-01-12", "2026-01-19"):
            ward.results(mrn, day, CBC | {"alt": ""})
        ward.event(mrn, "2026-01-12", "hold")
        ward.event(mrn, "2026-01-20", "resume")
        ward.hold_row(mrn, "2026-01-19", "lymphocytes", "0,4*")
    _also_on(ward, enrolment, "methotrexate")
    limit = Personal(
        id=0, what=Terms.LIMIT, subject="neutropenia", level=1, value=Decimal(1), since=DAY,
        until=date(2026, 12, 1), by="Dr A", reason="Duffy-null", set_at=at("2026-01-13"),
    )  # fmt: skip
    with ward.store.write() as connection:
        add_personal(connection, 3, limit)
    with ward.store.read() as connection:
        ids = all_enrolment_ids(connection)
        now = load_cases(connection, ids, until=at("2026-02-01"), zone=ZONE)
        then = load_cases(connection, ids, until=at(until), zone=ZONE)
        assert as_known_at(connection, now, at(until), ZONE) == then
    assert len(now) == 5


def test_an_event_of_one_enrolment_is_not_one_of_the_other(ward: Clinic) -> None:
    first = ward.enrol("A1", baseline=False)
    _also_on(ward, first, "methotrexate")
    ward.event("A1", "2026-01-12", "hold", enrolment_id=first)
    ward.event("A1", "2026-01-13", "comedication_start", "warfarin")
    assert [it.event for it in _case(ward, first).events] == ["hold", "comedication_start"]
    assert [it.event for it in _case(ward, first + 1).events] == ["comedication_start"]


def test_held_rows_of_known_analytes_are_seen_until_they_are_resolved(ward: Clinic) -> None:
    enrolment = ward.enrol("A1", baseline=False)
    ward.hold_row("A1", "2026-01-12", "lymphocytes", "0,4*", possible_values="0.4 4")
    ward.hold_row("A1", "2026-01-12", "lymphocytes", "0,4*", state="discarded")
    ward.hold_row("A1", "2026-01-12", "", "0,4*")
    (found,) = _case(ward, enrolment).held
    assert (found.analyte, found.received_value, found.received_unit) == (
        "lymphocytes",
        "0,4*",
        "G/L",
    )
    assert found.possible_values == (Decimal("0.4"), Decimal(4))


def test_waking_reaches_all_enrolments_of_a_patient_and_nobody_else(ward: Clinic) -> None:
    mine = ward.enrol("A1", baseline=False)
    other = ward.enrol("B2", baseline=False)
    ward.review(at("2026-01-05"))
    asleep = ward.next_review(other)
    touched = ward.results("A1", "2026-01-06", {"platelets": "200"})
    assert touched == (mine,)
    assert ward.next_review(mine) == at("2026-01-06", 9)
    assert ward.next_review(other) == asleep


def test_results_that_came_message_by_message_ask_for_their_files_at_once(ward: Clinic) -> None:
    """A laboratory that sends messages enters each of them into the list of files."""
    enrolment = ward.enrol("A1", baseline=False)
    for day in range(12, 22):
        Clinic(ward.store, ward.settings).results("A1", f"2026-01-{day}", CBC)
    with asked(ward.store) as statements:
        case = _case(ward, enrolment)
    assert len({it.collected_on for it in case.results}) == 10
    assert len([it for it in statements if "FROM files" in it]) == 1
