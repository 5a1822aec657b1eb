"""What the core is given of a patient, and waking those of whom something new is known."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import insert

from monitor.core.model import Case, Status
from monitor.store import tables
from monitor.store.frames import load_cases
from monitor.store.tables import table_of
from tests.clinic import ZONE, Clinic, at


def _case(clinic: Clinic, enrolment: int, until: str = "") -> Case:
    with clinic.store.read() as connection:
        day = at(until) if until else None
        (case,) = load_cases(connection, [enrolment], until=day, zone=ZONE)
    return case


def test_a_case_holds_the_enrolment_and_its_results_digit_for_digit(clinic: Clinic) -> None:
    enrolment = clinic.enrol("A1", dose_mg_per_day=Decimal("150"), clinic="east")
    clinic.results("A1", "2026-01-12", {"neutrophils": "1.60"}, ref_high=Decimal("7.50"))
    case = _case(clinic, enrolment)
    assert (case.enrolment.mrn, case.enrolment.clinic) == ("A1", "east")
    assert case.enrolment.dose_mg_per_day == 150
    (result,) = case.results
    assert (str(result.value), str(result.ref_high)) == ("1.60", "7.50")
    assert result.collected_at == at("2026-01-12", 9)
    assert result.collected_on == date(2026, 1, 12)
    assert result.status is Status.FINAL


def test_only_what_stands_is_seen(clinic: Clinic) -> None:
    enrolment = clinic.enrol("A1")
    clinic.results("A1", "2026-01-12", {"platelets": "90"})
    clinic.results("A1", "2026-01-13", {"neutrophils": "1.0"}, status="withdrawn")
    clinic.supersede("A1", "platelets", "2026-01-12")
    clinic.results("A1", "2026-01-14", {"platelets": "190"})
    clinic.event("A1", "2026-01-14", "hold", withdrawn=True)
    case = _case(clinic, enrolment)
    assert [result.value for result in case.results] == [190]
    assert case.events == ()


def test_until_hides_what_came_later(clinic: Clinic) -> None:
    enrolment = clinic.enrol("A1")
    clinic.results("A1", "2026-01-12", {"platelets": "200"})
    clinic.results("A1", "2026-01-19", {"platelets": "210"})
    clinic.event("A1", "2026-01-12", "hold")
    clinic.event("A1", "2026-01-20", "resume")
    case = _case(clinic, enrolment, until="2026-01-15")
    assert [result.value for result in case.results] == [200]
    assert [event.event for event in case.events] == ["hold"]


def test_an_event_of_one_enrolment_is_not_one_of_the_other(clinic: Clinic) -> None:
    first = clinic.enrol("A1")
    enrolments = table_of(tables.EnrolmentRow)
    (known,) = clinic.rows(tables.EnrolmentRow, id=first)
    with clinic.store.write() as connection:
        other = {**known._mapping, "id": first + 1, "drug": "methotrexate"}
        connection.execute(insert(enrolments).values(other))
    clinic.event("A1", "2026-01-12", "hold", enrolment_id=first)
    clinic.event("A1", "2026-01-13", "comedication_start", "warfarin")
    assert [it.event for it in _case(clinic, first).events] == ["hold", "comedication_start"]
    assert [it.event for it in _case(clinic, first + 1).events] == ["comedication_start"]


def test_held_rows_of_known_analytes_are_seen_until_they_are_resolved(clinic: Clinic) -> None:
    enrolment = clinic.enrol("A1")
    (patient,) = clinic.rows(tables.Patient)
    row = {
        "file_id": clinic.file_id,
        "line": 7,
        "source": "",
        "raw": {"value": "0,4*", "unit": "G/L"},
        "raw_digest": "1",
        "reason_code": "value",
        "reason": "not a number",
        "hint": "",
        "mrn_key": "a1",
        "patient_id": patient.id,
        "analyte": "lymphocytes",
        "collected_on": date(2026, 1, 12),
        "possible_values": "0.4 4",
        "held_at": at("2026-01-12"),
        "resolved_by": "",
        "resolution": "",
    }
    with clinic.store.write() as connection:
        held = insert(table_of(tables.HeldRowTable))
        connection.execute(held.values(state="held", **row))
        connection.execute(held.values(state="discarded", **row))
        connection.execute(held.values(state="held", **row | {"analyte": ""}))
    (found,) = _case(clinic, enrolment).held
    assert (found.analyte, found.received_value, found.received_unit) == (
        "lymphocytes",
        "0,4*",
        "G/L",
    )
    assert found.possible_values == (Decimal("0.4"), Decimal(4))


def test_waking_reaches_all_enrolments_of_a_patient_and_nobody_else(clinic: Clinic) -> None:
    mine = clinic.enrol("A1")
    other = clinic.enrol("B2")
    clinic.review(at("2026-01-05"))
    asleep = clinic.next_review(other)
    touched = clinic.results("A1", "2026-01-06", {"platelets": "200"})
    assert touched == (mine,)
    assert clinic.next_review(mine) == at("2026-01-06", 9)
    assert clinic.next_review(other) == asleep
