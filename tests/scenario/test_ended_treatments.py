"""A treatment that has ended: what is still watched of it, and what the next one watches."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from monitor.core.protocol_file import digest_of
from monitor.core.vocabulary import AlertState
from monitor.operations.patient_facts import facts
from monitor.operations.patient_file import patient_file
from monitor.operations.status import status_rows
from monitor.operations.verify import verify
from monitor.resources import schedules_folder
from monitor.store import tables
from monitor.store.rulebook import put_in_force
from tests.clinic import CBC, LFT, Clinic, at
from tests.desk import NOW, sqlite_desk

ENROL = "mrn,drug,started_on"
WHOLE = "mrn,drug,started_on,dose_mg_per_day,weight_kg,tpmt,nudt15"


def causes(ward: Clinic, enrolment: int) -> list[str]:
    """What is live of an enrolment."""
    return sorted(
        alert.cause for alert in ward.alerts(enrolment) if alert.state is not AlertState.CLOSED
    )


def stopped(ward: Clinic, on: str) -> int:
    """A patient of whom all tests were done until the treatment ended."""
    enrolment = ward.enrol("A1", "2026-01-05")
    for day in ("2026-01-12", "2026-01-19", "2026-01-26"):
        ward.results("A1", day, CBC)
    ward.event("A1", on, "stop", enrolment_id=enrolment)
    ward.review(at(on))
    return enrolment


def test_a_held_row_after_the_wash_out_is_nobodys_alert(ward: Clinic) -> None:
    """Nor would it be one if it could be read."""
    enrolment = stopped(ward, "2026-02-01")  # 6 weeks: to 15 March
    for day, expected in (("2026-03-16", []), ("2026-03-15", ["quarantined_result"])):
        ward.hold_row("A1", day, "neutrophils", "0.4", possible_values="0.4")
        ward.review(at("2026-03-16"))
        assert causes(ward, enrolment) == expected


def test_a_held_row_is_told_while_an_episode_of_it_goes_on(ward: Clinic) -> None:
    enrolment = stopped(ward, "2026-02-01")
    ward.results("A1", "2026-03-15", CBC | {"neutrophils": "0.9"})
    ward.hold_row("A1", "2026-03-16", "neutrophils", "0.4", possible_values="0.4")
    ward.hold_row("A1", "2026-03-16", "platelets", "4", possible_values="4")
    ward.review(at("2026-03-16"))
    assert causes(ward, enrolment) == ["quarantined_result", "rule:neutropenia"]
    (alert,) = (it for it in ward.alerts(enrolment) if it.cause == "quarantined_result")
    assert len(alert.subjects) == 1


def test_a_gene_that_cannot_be_read_is_told_whenever_it_comes(ward: Clinic) -> None:
    enrolment = stopped(ward, "2026-02-01")
    ward.hold_row("A1", "2026-06-01", "tpmt", "see report")
    ward.review(at("2026-06-01"))
    assert causes(ward, enrolment) == ["quarantined_result"]


def test_from_the_day_it_is_begun_anew_the_next_enrolment_watches(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    """Within the wash-out: one count is one alert, and one mail."""
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05", header=ENROL, now=at("2026-01-05"))
        desk.events("P1,2026-02-01,stop,,,,", now=at("2026-02-01"))
        desk.enrol("P1,azathioprine,2026-02-09", header=ENROL, now=at("2026-02-09"))
        desk.load(
            "P1,2026-02-08,alt,120,U/L,S1,final,,",
            "P1,2026-02-10,neutrophils,0.9,10*9/L,S2,final,,",
            "P1,2026-02-10,lymphocytes,0.4,furlong,S2,final,,",
            now=at("2026-02-10"),
        )
        ward = desk.clinic
        ward.review(at("2026-02-10"))
        first, again = (row.id for row in ward.rows(tables.EnrolmentRow))
        both = "rule:raised_alt"
        assert [it for it in causes(ward, first) if not it.startswith("missed")] == [both]
        alone = ["baseline_missing", "dose_check:dose_unknown"]
        assert [it for it in causes(ward, again) if it not in alone] == [
            "quarantined_result", "rule:neutropenia", both,
        ]  # fmt: skip
        assert verify(ward.store, ward.settings, at("2026-02-10")) == []


LATER = (
    ("2026-06-01", "P1,2026-06-01,dose,100,,,"),
    ("2026-06-05", "P1,2026-06-05,hold,2026-07-01,,,"),
)
STOP = ("2026-06-10", "P1,2026-02-10,stop,,,,")
ANEW = ("2026-06-10", "P1,azathioprine,2026-02-20,50,70,normal,normal")
END = ("2026-06-09", "P1,2026-06-09,stop,,,,")


@pytest.mark.parametrize(
    ("told", "ended"),
    [
        ([*LATER, STOP, ANEW], False),
        ([STOP, ANEW, *LATER], False),
        ([*LATER, END, STOP, ANEW], True),
        ([STOP, ANEW, *LATER, END], True),
    ],
)
def test_what_happened_is_of_the_treatment_of_its_day_whenever_the_stop_was_told(
    migrated_sqlite: Path, tmp_path: Path, told: list[tuple[str, str]], ended: bool
) -> None:
    """The increase begins the weekly counts of the new treatment anew."""
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        begun = "P1,azathioprine,2026-01-05,50,70,normal,normal"
        desk.enrol(begun, header=WHOLE, now=at("2026-01-05"))
        for _, row in told:
            if "azathioprine" in row:
                report = desk.enrol(row, header=WHOLE, now=at("2026-06-10"))
                notes = " ".join(report.notes)
                inherits = told[0] != STOP
                assert ("dose of 2026-06-01, hold of 2026-06-05" in notes) is inherits
                assert ("withdraw that stop" in notes) is (inherits and ended)
            else:
                assert desk.events(row, now=at("2026-06-10")).taken == 1
        ward = desk.clinic
        for day in ("2026-05-26", "2026-06-01"):
            ward.results("P1", day, CBC | LFT)
        states = {
            (row["enrolment_state"], row["due_on"])
            for row in status_rows(ward.store, ward.settings, at("2026-06-11"))
            if row["panel"] == "cbc"
        }
        assert states == (
            {("stopped", None)} if ended else {("stopped", None), ("held", "2026-06-08")}
        )
        again = desk.events(*(row for _, row in LATER), now=at("2026-06-11"))
        assert (again.taken, again.duplicate) == (0, 2)
        ward.review(at("2026-06-11"))
        assert verify(ward.store, ward.settings, at("2026-06-11")) == []


def reasons(ward: Clinic, enrolment: int) -> dict[str, str]:
    """Why the alerts of an enrolment were closed, by their causes."""
    found = {it.id: it.cause for it in ward.alerts(enrolment)}
    rows = ward.rows(tables.AlertHistory, what="closed")
    return {found[row.alert_id]: row.note for row in rows if row.alert_id in found}


def test_back_is_refused_where_no_treatment_is_left_to_be_watched(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    """A nurse who recorded that a patient came back was told that the row was taken, and nobody
    watched: an accepted transfer ends a treatment, as a stop does."""
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05", header=ENROL, now=at("2026-01-05"))
        desk.events(
            "P1,2026-02-01,transfer_out,Hill,,,",
            "P1,2026-02-02,accepted_by,Dr Hill,,,",
            now=at("2026-02-02"),
        )
        report = desk.events("P1,2026-06-01,back,,,,", now=at("2026-06-01"))
        assert report.taken == 0
        (refusal,) = report.refused
        assert "this treatment ended on 2026-02-02 (transfer accepted)" in refusal.reason
        assert "a new one is enrolled with a started_on after that day" in refusal.reason
        desk.enrol("P1,azathioprine,2026-06-01", header=ENROL, now=at("2026-06-01"))
        report = desk.events("P1,2026-06-01,back,,,,", now=at("2026-06-01"))
        assert (report.taken, report.refused) == (1, ())
        # Of a time that has passed it is told late.
        desk.events("P1,2026-08-01,stop,,,,", now=at("2026-08-01"))
        report = desk.events("P1,2026-07-01,back,,,,", now=at("2026-08-02"))
        assert report.taken == 1


def test_a_transfer_that_was_accepted_is_not_said_to_wait_beside_the_next_treatment(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    """Who came back and was enrolled anew stood there as handed over to nobody."""
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:

        def waits(day: str) -> bool:
            said = facts(desk.store, desk.settings, at(day), "P1")
            return any("is not accepted yet" in line for line in said)

        desk.enrol("P1,azathioprine,2026-01-05", header=ENROL, now=at("2026-01-05"))
        desk.events("P1,2026-02-01,transfer_out,Hill,,,", now=at("2026-02-01"))
        assert waits("2026-02-01")
        desk.events("P1,2026-02-02,accepted_by,Dr Hill,,,", now=at("2026-02-02"))
        desk.enrol("P1,azathioprine,2026-06-01", header=ENROL, now=at("2026-06-01"))
        assert not waits("2026-06-02")
        desk.events("P1,2026-07-01,transfer_out,Hill,,,", now=at("2026-07-01"))
        assert waits("2026-07-01")


def test_a_stop_of_the_day_on_which_the_next_treatment_was_begun_does_not_end_it(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    """It was told first, and the true day of the stop after it."""
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05", header=ENROL, now=at("2026-01-05"))
        desk.events("P1,2026-02-20,stop,,,,", "P1,2026-02-10,stop,,,,", now=at("2026-02-20"))
        report = desk.enrol("P1,azathioprine,2026-02-20", header=ENROL, now=at("2026-02-20"))
        assert not [it for it in report.notes if it.startswith("line")]
        rows = status_rows(desk.store, desk.settings, at("2026-02-21"))
        assert {it["enrolment_state"] for it in rows} == {"stopped", "active"}


@pytest.mark.parametrize(
    ("anew", "other", "states"),
    [
        (None, "P2,azathioprine,2026-02-15", {"stopped", "active"}),
        ("P1,azathioprine,2026-02-20", "P2,azathioprine,2026-01-05", {"stopped", "active"}),
        ("P1,azathioprine,2026-02-20", None, {"stopped"}),
    ],
)
def test_a_stop_told_under_one_number_never_ends_what_came_under_another(
    migrated_sqlite: Path,
    tmp_path: Path,
    anew: str | None,
    other: str | None,
    states: set[str],
) -> None:
    """Nor by what it says of the next treatment under its own number."""
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        now = at("2026-06-20")
        desk.enrol("P1,azathioprine,2026-01-05", header=ENROL, now=at("2026-01-05"))
        desk.events("P1,2026-06-20,stop,,,,", "P1,2026-02-10,stop,,,,", now=now)
        for row in filter(None, (anew, other)):
            desk.enrol(row, header=ENROL, now=now)
        if other is not None:
            assert desk.events("P2,2026-06-20,merge,P1,,,", now=now).taken == 1
        rows = status_rows(desk.store, desk.settings, now, "P1")
        assert {it["enrolment_state"] for it in rows} == states
        desk.clinic.review(now)
        assert verify(desk.store, desk.settings, now) == []


def test_of_a_stopped_treatment_nothing_but_its_recheck_is_to_come(ward: Clinic) -> None:
    enrolment = ward.enrol("A1", "2026-01-05")
    ward.results("A1", "2026-01-12", CBC | {"neutrophils": "0.9"})
    ward.event("A1", "2026-01-12", "stop", enrolment_id=enrolment)
    ward.review(at("2026-01-13"))
    (patient,) = ward.rows(tables.Patient)
    (treatment,) = patient_file(ward.store, ward.settings, patient.id, at("2026-01-13")).treatments
    assert [(it.panel, it.due_on) for it in treatment.coming] == [("cbc", date(2026, 1, 14))]


def test_each_treatment_of_a_patients_file_has_its_own_alerts_and_events(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        ward = desk.clinic
        text = (schedules_folder() / "mercaptopurine.toml").read_text(encoding="utf-8")
        with ward.store.write() as connection:
            put_in_force(connection, "mercaptopurine", text, digest_of(text), NOW, "test", "too")
        desk.enrol("P1,azathioprine,2026-01-05", header=ENROL, now=at("2026-01-05"))
        ward.review(at("2026-01-15"))
        desk.events("P1,2026-01-15,dose,50,,,", "P1,2026-01-15,stop,,,,", now=at("2026-01-15"))
        for drug in ("azathioprine", "mercaptopurine"):
            desk.enrol(f"P1,{drug},2026-01-16", header=ENROL, now=at("2026-01-16"))
        ward.review(at("2026-01-16"))
        (patient,) = ward.rows(tables.Patient)
        file = patient_file(ward.store, ward.settings, patient.id, at("2026-01-16"))
        for treatment in file.treatments:
            own = {it.id for it in ward.alerts(treatment.case.enrolment.id)}
            assert treatment.alerts == own != set()
        assert {(it.event, it.drug) for it in file.events} == {
            ("dose", "azathioprine"), ("stop", "azathioprine"),
        }  # fmt: skip


def test_what_is_done_after_a_stop_ends_its_alert_and_not_the_stop(ward: Clinic) -> None:
    enrolment = ward.enrol("A1", "2026-01-05")
    ward.results("A1", "2026-01-12", CBC | {"neutrophils": "0.9"})
    ward.event("A1", "2026-01-12", "stop", enrolment_id=enrolment)
    row = ward.hold_row("A1", "2026-01-13", "platelets", "4", possible_values="4")
    ward.review(at("2026-01-15"))
    ward.results("A1", "2026-01-14", CBC, received_at=at("2026-01-16"))
    ward.set(tables.HeldRowTable, row, state="discarded")
    ward.review(at("2026-01-16"))
    assert causes(ward, enrolment) == ["rule:neutropenia"]
    assert reasons(ward, enrolment) == {
        "overdue": "test done",
        "quarantined_result": "no row is held",
    }


@pytest.mark.parametrize("done", ["2026-01-12", "2026-01-05"])
def test_a_stop_that_is_told_late_ends_what_it_takes_the_cause_of(ward: Clinic, done: str) -> None:
    """Whatever was done between it and the test that was owed."""
    enrolment = ward.enrol("A1", "2026-01-05")
    ward.results("A1", done, CBC)
    ward.review(at("2026-01-22"))
    assert causes(ward, enrolment) == ["overdue"]
    ward.event("A1", "2026-01-08", "stop", enrolment_id=enrolment, received_at=at("2026-01-22"))
    ward.review(at("2026-01-23"))
    assert reasons(ward, enrolment)["overdue"] == "stopped"


def test_a_recheck_after_a_stop_is_the_other_clinics_while_it_monitors(ward: Clinic) -> None:
    """As it is of a treatment that goes on: nothing else that a person can say ends it."""
    enrolment = ward.enrol("A1", "2026-01-05")
    ward.results("A1", "2026-01-12", CBC | {"neutrophils": "0.9"})
    ward.event("A1", "2026-01-12", "stop", enrolment_id=enrolment)
    ward.review(at("2026-01-15"))
    assert causes(ward, enrolment) == ["overdue", "rule:neutropenia"]
    ward.event("A1", "2026-01-15", "monitored_elsewhere", "2026-02-02")
    for day, expected in (
        ("2026-01-15", ["rule:neutropenia"]),
        ("2026-02-01", ["rule:neutropenia"]),
        ("2026-02-02", ["overdue", "rule:neutropenia"]),
    ):
        ward.review(at(day))
        assert causes(ward, enrolment) == expected, day
        assert verify(ward.store, ward.settings, at(day)) == []
