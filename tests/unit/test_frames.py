"""What the core is given of a patient, and waking those of whom something new is known."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import insert

from monitor.core.case import Case
from monitor.core.vocabulary import Status
from monitor.store import tables
from monitor.store.frames import load_cases
from monitor.store.tables import table_of
from tests.clinic import ZONE, Clinic, at


def _case(ward: Clinic, enrolment: int, until: str = "") -> Case:
    with ward.store.read() as connection:
        day = at(until) if until else None
        (case,) = load_cases(connection, [enrolment], until=day, zone=ZONE)
    return case


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


def test_an_event_of_one_enrolment_is_not_one_of_the_other(ward: Clinic) -> None:
    first = ward.enrol("A1", baseline=False)
    enrolments = table_of(tables.EnrolmentRow)
    (known,) = ward.rows(tables.EnrolmentRow, id=first)
    with ward.store.write() as connection:
        other = {**known._mapping, "id": first + 1, "drug": "methotrexate"}
        connection.execute(insert(enrolments).values(other))
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
