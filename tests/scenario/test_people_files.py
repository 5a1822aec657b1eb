"""Enrolment and events files, on both databases: taken, duplicate or refused with the reason,
and nothing that is known silently rewritten (interfaces: "Enrolment CSV", "Events CSV")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.core.protocol_file import digest_of
from monitor.intake.survey import UnreadableFile
from monitor.operations.status import status_rows
from monitor.resources import schedules_folder
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.rulebook import put_in_force
from tests.clinic import at
from tests.desk import NOW, Desk, sqlite_desk

FULL = (
    "mrn,family_name,given_name,birth_date,sex,drug,indication,started_on,dose_mg_per_day,"
    "weight_kg,tpmt,nudt15,clinic,protocol,last_tested_on"
)
ANNA = "P1,Muster,Anna,1970-02-03,F,Azathioprine,IBD,2026-01-05,100,70.5,Normal,,north,,2025-12-29"
BRIEF = "mrn,drug,started_on"


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path)


@pytest.fixture
def quick_desk(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    """The same on SQLite alone."""
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        yield desk


def reasons(desk: Desk, *lines: str, header: str = FULL) -> list[str]:
    report = desk.enrol(*lines, header=header)
    assert report.rows == report.taken + report.duplicate + len(report.refused) == len(lines)
    return [it.reason for it in report.refused]


# ------------------------------------------------------------------ enrolment


def test_a_patient_is_enrolled_with_all_that_the_row_says(desk: Desk) -> None:
    report = desk.enrol(ANNA, header=FULL)
    assert (report.rows, report.taken, report.duplicate, report.refused) == (1, 1, 0, ())
    (patient,) = desk.clinic.rows(tables.Patient)
    (enrolment,) = desk.clinic.rows(tables.EnrolmentRow)
    assert (patient.mrn, patient.family_name, patient.birth_date) == (
        "P1",
        "Muster",
        date(1970, 2, 3),
    )
    assert (enrolment.drug, enrolment.protocol_id) == ("azathioprine", "azathioprine")
    assert (enrolment.dose_mg_per_day, enrolment.weight_kg) == (100, Decimal("70.5"))
    assert (enrolment.tpmt, enrolment.nudt15, enrolment.clinic) == ("normal", "", "north")
    assert enrolment.last_tested_on == date(2025, 12, 29)
    assert enrolment.enrolled_on == date(2026, 3, 10)
    assert enrolment.next_review_at == NOW
    assert report.touched == (enrolment.id,)


def test_the_same_file_again_is_all_duplicates(desk: Desk) -> None:
    desk.enrol(ANNA, "P2,,,,,azathioprine,,2026-01-05,,,,,,,", header=FULL)
    report = desk.enrol(
        ANNA,
        "P2,,,,,azathioprine,,2026-01-05,,,,,,,",
        header=FULL,
        now=at("2026-04-01"),
    )
    assert (report.taken, report.duplicate, report.touched) == (0, 2, ())
    assert {it.enrolled_on for it in desk.clinic.rows(tables.EnrolmentRow)} == {date(2026, 3, 10)}


def test_an_empty_cell_leaves_what_is_known_and_a_filled_one_adds(desk: Desk) -> None:
    desk.enrol(ANNA, header=FULL)
    report = desk.enrol(
        "p1 ,,,,,azathioprine,,2026-01-05,,,,intermediate,,,2026-02-01", header=FULL
    )
    assert (report.taken, report.refused) == (1, ())
    (enrolment,) = desk.clinic.rows(tables.EnrolmentRow)
    assert (enrolment.tpmt, enrolment.nudt15) == ("normal", "intermediate")
    assert (enrolment.dose_mg_per_day, enrolment.last_tested_on) == (100, date(2026, 2, 1))
    (patient,) = desk.clinic.rows(tables.Patient)
    assert patient.family_name == "Muster"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("P1,,,,,azathioprine,,2026-01-06,,,,,,,", "event start"),
        ("P1,,,,,azathioprine,,2026-01-05,150,,,,,,", "event dose"),
        ("P1,,,,,azathioprine,,2026-01-05,,,poor,,,,", "event genotype, value tpmt:poor"),
        ("P1,,,,,azathioprine,,2026-01-05,,,,,south,,", "transfer_out"),
        ("P1,,,,,azathioprine,,2026-01-05,,,,,,other,", "event stop"),
        ("P1,,,1971-02-03,,azathioprine,,2026-01-05,,,,,,,", "birth date"),
        ("P1,Meier,,,,azathioprine,,2026-01-05,,,,,,,", "family name"),
    ],
)
def test_a_change_that_an_event_has_to_say_is_refused_and_names_it(
    quick_desk: Desk, line: str, told: str
) -> None:
    quick_desk.enrol(ANNA, header=FULL)
    before = quick_desk.clinic.rows(tables.EnrolmentRow), quick_desk.clinic.rows(tables.Patient)
    (reason,) = reasons(quick_desk, line)
    assert told in reason
    assert (
        quick_desk.clinic.rows(tables.EnrolmentRow),
        quick_desk.clinic.rows(tables.Patient),
    ) == before


def test_a_new_name_is_taken_where_the_birth_date_agrees(desk: Desk) -> None:
    desk.enrol(ANNA, header=FULL)
    assert reasons(desk, "P1,Meier,,1970-02-03,,azathioprine,,2026-01-05,,,,,,,") == []
    assert desk.clinic.rows(tables.Patient)[0].family_name == "Meier"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (",,,,,azathioprine,,2026-01-05,,,,,,,", "mrn is empty"),
        ("---,,,,,azathioprine,,2026-01-05,,,,,,,", "no patient number"),
        ("P1,,,,,,,2026-01-05,,,,,,,", "drug is empty"),
        ("P1,,,,,azathioprine,,,,,,,,,", "started_on is empty"),
        ("P1,,,,,azathioprine,,05.01.2026,,,,,,,", "started_on is no day"),
        ("P1,,,,,azathioprine,,2026-02-30,,,,,,,", "started_on is no day"),
        ("P1,,,,,azathioprine,,1826-01-05,,,,,,,", "2026-03-02, from 1900 to 2299"),
        ("P1,,,,,azathioprine,,2029-01-05,,,,,,,", "more than 2 years ahead"),
        ("P1,,,2026-03-11,,azathioprine,,2026-04-05,,,,,,,", "birth_date lies in the future"),
        ("P1,,,2026-01-06,,azathioprine,,2026-01-05,,,,,,,", "before the birth date"),
        ("P1,,,,,azathioprine,,2026-01-05,0,,,,,,", "must be above 0"),
        ("P1,,,,,azathioprine,,2026-01-05,-5,,,,,,", "no number above 0"),
        ("P1,,,,,azathioprine,,2026-01-05,1e9,,,,,,", "no number above 0"),
        ("P1,,,,,azathioprine,,2026-01-05,100 mg,,,,,,", "as 2.5, without a unit, up to 999999"),
        ("P1,,,,,azathioprine,,2026-01-05,,seventy,,,,,", "no number above 0"),
        ("P1,,,,,azathioprine,,2026-01-05,,,nomal,,,,", 'did you mean "normal"'),
        ("P1,,,,,azathioprine,,2026-01-05,,,,,,,2026-03-11", "last_tested_on lies in the future"),
        ("P1,,,,,unknownine,,2026-01-05,,,,,,,", "known: azathioprine"),
        ("P1,,,,,azathioprine,,2026-01-05,,,,,,nowhere,", "no protocol 'nowhere'"),
        ("P1,azathioprine,2026-01-05", "3 fields where the header names 15"),
    ],
)
def test_a_row_that_cannot_be_taken_is_refused_and_the_others_go_in(
    quick_desk: Desk, line: str, told: str
) -> None:
    report = quick_desk.enrol("P7,,,,,azathioprine,,2026-01-05,,,,,,,", line, ANNA, header=FULL)
    assert (report.taken, [it.line for it in report.refused]) == (2, [3])
    assert told in report.refused[0].reason
    assert len(quick_desk.clinic.rows(tables.Patient)) == 2


def test_after_a_stop_only_a_later_start_opens_a_new_enrolment(desk: Desk) -> None:
    desk.enrol("P1,azathioprine,2026-01-05", header=BRIEF)
    desk.events("P1,2026-02-10,stop,,,,")
    for start in ("2026-01-05", "2026-02-10"):
        (reason,) = reasons(desk, f"P1,azathioprine,{start}", header=BRIEF)
        assert "ended on 2026-02-10" in reason
    assert reasons(desk, "P1,azathioprine,2026-03-01", header=BRIEF) == []
    assert len(desk.clinic.rows(tables.EnrolmentRow)) == 2
    desk.events("P1,2026-03-05,dose,150,,,")
    new = desk.clinic.rows(tables.EnrolmentRow)[-1]
    assert desk.clinic.rows(tables.EventRow)[-1].enrolment_id == new.id


@pytest.mark.parametrize("end", ["stop", "died"])
@pytest.mark.parametrize("event", ["start,", "dose,100", "hold,", "resume,"])
def test_what_is_said_of_a_treatment_after_its_end_is_refused(
    quick_desk: Desk, end: str, event: str
) -> None:
    desk = quick_desk
    desk.enrol("P1,azathioprine,2026-01-05", header=BRIEF)
    assert desk.events("P1,2026-02-09,dose,50,,,").taken == 1
    desk.events(f"P1,2026-02-10,{end},,,,")
    late = f"P1,2026-02-11,{event},,,"
    (refused,) = desk.events(late, f"P1,2026-02-10,{event},,,").refused
    assert refused.line == 2
    assert "2026-02-10" in refused.reason
    assert "entered-in-error" in refused.reason
    assert desk.events("P1,2026-02-09,dose,50,,,").duplicate == 1
    desk.events(f"P1,2026-02-10,{end},,,,entered-in-error")
    assert desk.events(late).taken == 1


def test_a_stop_before_what_the_treatment_did_later_is_noted(desk: Desk) -> None:
    desk.enrol("P1,azathioprine,2026-01-05", header=BRIEF)
    desk.events("P1,2026-02-20,dose,150,,,")
    assert not any("stopped before" in note for note in desk.events("P1,2026-02-20,stop,,,,").notes)
    desk.events("P1,2026-02-20,stop,,,,entered-in-error")
    (note,) = [it for it in desk.events("P1,2026-02-10,stop,,,,").notes if "stopped before" in it]
    assert "its dose of 2026-02-20" in note


def test_what_stands_in_messages_is_one_line(quick_desk: Desk) -> None:
    desk = quick_desk
    desk.enrol(
        '"P\n1","Ev\r\nNeutrophils normal","\u202eA\tB",,,azathioprine,,2026-01-05,,,,,"c\nd",,',
        header=FULL,
    )
    (patient,) = desk.clinic.rows(tables.Patient)
    assert (patient.mrn, patient.family_name) == ("P 1", "Ev Neutrophils normal")
    assert patient.given_name == "A B"
    (enrolment,) = desk.clinic.rows(tables.EnrolmentRow)
    assert enrolment.clinic == "c d"
    desk.events('P 1,2026-02-01,hold,,,"two\nlines",')
    assert desk.clinic.rows(tables.EventRow)[-1].note == "two\nlines"


@pytest.mark.parametrize("weight", ["600", "1.7"])
def test_a_weight_that_nobody_has_is_refused(quick_desk: Desk, weight: str) -> None:
    (reason,) = reasons(
        quick_desk,
        f"P1,azathioprine,2026-01-05,{weight}",
        "P2,azathioprine,2026-01-05,60",
        header=f"{BRIEF},weight_kg",
    )
    assert "between 2 and 350" in reason
    (refused,) = quick_desk.events(f"P2,2026-01-06,weight,{weight},,,").refused
    assert "between 2 and 350" in refused.reason
    assert quick_desk.events("P2,2026-01-06,weight,350,,,").taken == 1


def test_a_stop_still_to_come_has_not_ended_anything(desk: Desk) -> None:
    desk.enrol("P1,azathioprine,2026-01-05", header=BRIEF)
    desk.events("P1,2026-04-10,stop,,,,")
    (reason,) = reasons(desk, "P1,azathioprine,2026-04-20", header=BRIEF)
    assert "start day 2026-01-05" in reason


def test_the_dead_are_not_enrolled_again(desk: Desk) -> None:
    desk.enrol("P1,azathioprine,2026-01-05", header=BRIEF)
    desk.events("P1,2026-02-10,died,,,,")
    (reason,) = reasons(desk, "P1,azathioprine,2026-03-01", header=BRIEF)
    assert "dead" in reason
    desk.events("P1,2026-02-10,died,,,,entered-in-error")
    assert reasons(desk, "P1,azathioprine,2026-01-05", header=BRIEF) == []


def _with_mercaptopurine(desk: Desk) -> None:
    text = (schedules_folder() / "mercaptopurine.toml").read_text(encoding="utf-8")
    with desk.store.write() as connection:
        put_in_force(connection, "mercaptopurine", text, digest_of(text), NOW, "test", "second")


def test_a_file_of_another_kind_is_told_whose_it_is(quick_desk: Desk) -> None:
    events, results = "mrn,on,event", "mrn,collected_at,analyte,value,unit"
    for take, header, kind in (
        (quick_desk.enrol, events, "an events file: monitor events"),
        (quick_desk.enrol, results, "a results file: monitor load"),
        (quick_desk.events, BRIEF, "an enrolment file: monitor enrol"),
        (quick_desk.events, results, "a results file: monitor load"),
    ):
        with pytest.raises(UnreadableFile, match=f"this is {kind} takes it"):
            take(header=header)


def test_a_declared_test_of_which_nothing_comes_is_told(quick_desk: Desk) -> None:
    """A protocol that calls its blood count otherwise has no panel that it would count for."""
    desk, header = quick_desk, f"{BRIEF},last_tested_on"
    text = (schedules_folder() / "leflunomide-bsr-2017.toml").read_text(encoding="utf-8")
    text = re.sub(r"\bcbc\b", "fbc", text)
    with desk.store.write() as connection:
        put_in_force(connection, "leflunomide-bsr-2017", text, digest_of(text), NOW, "test", "fbc")
    told = (
        "last_tested_on counts for a panel called cbc, and protocol leflunomide-bsr-2017 has none"
    )
    report = desk.enrol("P1,leflunomide,2026-01-05,2026-01-02", header=header)
    assert any(f"line 2: {told}" in note for note in report.notes), report.notes
    report = desk.enrol("P1,leflunomide,2026-01-05,2026-01-03", header=header)
    assert any(told in note for note in report.notes), report.notes
    report = desk.enrol(
        "P1,leflunomide,2026-01-05,", "P2,azathioprine,2026-01-05,2026-01-02", header=header
    )
    assert not any("last_tested_on" in note for note in report.notes), report.notes


def test_the_dead_are_not_enrolled_on_another_drug(desk: Desk) -> None:
    """Nobody would ever be told of it: a death told of the wrong patient has to be taken back."""
    _with_mercaptopurine(desk)
    desk.enrol("P1,azathioprine,2026-01-05", header=BRIEF)
    desk.events("P1,2026-02-10,died,,,,")
    (reason,) = reasons(desk, "P1,mercaptopurine,2026-03-01", header=BRIEF)
    assert "recorded as dead since 2026-02-10" in reason
    desk.events("P1,2026-02-10,died,,,,entered-in-error")
    assert reasons(desk, "P1,mercaptopurine,2026-03-01", header=BRIEF) == []


def test_that_another_clinic_monitors_is_said_of_a_new_treatment(quick_desk: Desk) -> None:
    desk = quick_desk
    _with_mercaptopurine(desk)
    desk.enrol("P1,azathioprine,2026-01-05", header=BRIEF)
    desk.events("P1,2026-02-10,monitored_elsewhere,2026-09-01,,,")
    row = "P1,mercaptopurine,2026-03-01"
    (note,) = [it for it in desk.enrol(row, header=BRIEF).notes if it.startswith("line")]
    assert "another clinic monitors this patient until 2026-09-01" in note
    again = desk.enrol(row, "P2,mercaptopurine,2026-03-01", header=BRIEF).notes
    assert not [it for it in again if it.startswith("line")]


def test_a_stop_taken_back_after_the_drug_was_begun_anew_leaves_two_and_says_so(
    quick_desk: Desk,
) -> None:
    desk = quick_desk
    stop = "P1,2026-02-10,stop,,,"
    desk.enrol("P1,azathioprine,2026-01-05", header=BRIEF)
    desk.events(f"{stop},")
    desk.enrol("P1,azathioprine,2026-02-20", header=BRIEF)
    (note,) = [it for it in desk.events(f"{stop},entered-in-error").notes if "line" in it]
    assert "azathioprine is enrolled more than once now, from 2026-01-05 and from 2026-0" in note
    assert desk.events("P1,2026-02-10,stop,,,it did end,").taken == 1
    rows = status_rows(desk.store, desk.settings, NOW, "P1")
    assert [it["enrolment_state"] for it in rows if it["panel"] == "cbc"] == ["stopped", "active"]


OUT, ACCEPTED = (
    "P1,2026-02-10,transfer_out,St Example,,,",
    "P1,2026-02-12,accepted_by,Dr Example,,,",
)


@pytest.mark.parametrize(
    ("begun", "rows", "watched"),
    [
        (None, [ACCEPTED], "azathioprine is"),
        (None, [OUT, ACCEPTED], None),
        (None, [ACCEPTED, OUT], None),
        ("2026-02-11", [OUT, ACCEPTED], "mercaptopurine is"),
        ("2026-02-10", [OUT, ACCEPTED], None),
    ],
)
def test_what_is_watched_on_though_somebody_was_accepted_is_said(
    quick_desk: Desk, begun: str | None, rows: list[str], watched: str | None
) -> None:
    desk = quick_desk
    _with_mercaptopurine(desk)
    desk.enrol("P1,azathioprine,2026-01-05", header=BRIEF)
    if begun is not None:
        desk.enrol(f"P1,mercaptopurine,{begun}", header=BRIEF)
    notes = [it for it in desk.events(*rows).notes if "no transfer_out" in it]
    assert [f"{watched} watched on" in it for it in notes] == ([True] if watched else [])


def test_a_likely_second_number_of_somebody_is_noted(desk: Desk) -> None:
    desk.enrol(ANNA, header=FULL)
    report = desk.enrol(
        "0P1,,,,,azathioprine,,2026-01-05,,,,,,,",
        "Q5,Muster,Anna,1970-02-03,,azathioprine,,2026-01-05,,,,,,,",
        header=FULL,
    )
    assert report.taken == 2
    assert ["same patient?" in note for note in report.notes] == [False, True, True]


def test_a_likely_second_number_is_noted_of_somebody_whom_the_same_file_brought(
    quick_desk: Desk,
) -> None:
    """Enrolled some lines above, or known by a birth date since then, or under another name."""
    header = "mrn,drug,started_on,family_name,given_name,birth_date"
    report = quick_desk.enrol(
        "P1,azathioprine,2026-01-05,Muster,Anna,",
        "P2,azathioprine,2026-01-05,Muster,Anna,1970-02-03",
        "P1,azathioprine,2026-01-05,Muster,Anna,1970-02-03",
        "P1,azathioprine,2026-01-05,Meier,Anna,1970-02-03",
        "P3,azathioprine,2026-01-05,Meier,Anna,1970-02-03",
        "P-3,azathioprine,2026-01-05,Frei,Carl,1980-02-03",
        header=header,
    )
    noted = [note for note in report.notes if "same patient?" in note]
    assert [note.partition(":")[0] for note in noted] == ["line 6", "line 7"]
    assert "name and birth date" in noted[0]
    assert "leading zeros" in noted[1]


def test_an_enrolment_file_without_its_columns_is_unreadable(desk: Desk) -> None:
    with pytest.raises(UnreadableFile, match="lacks started_on"):
        desk.enrol("P1,azathioprine", header="mrn,drug")
    with pytest.raises(UnreadableFile, match="twice"):
        desk.enrol("P1,azathioprine,2026-01-05,P1", header="mrn,drug,started_on,mrn")


def test_a_file_without_a_line_of_names_is_refused_without_repeating_whose_row_it_is(
    quick_desk: Desk,
) -> None:
    """Errors end in logs, in reports beside the inbox and in mails to the operator."""
    with pytest.raises(UnreadableFile, match="reads like a row") as refused:
        quick_desk.enrol("", header=ANNA)
    assert "started_on" in str(refused.value)
    assert not any(word in str(refused.value) for word in ("P1", "Muster", "Anna", "1970"))


# ------------------------------------------------------------------ events

VALID = (
    "start,", "dose,150", "dose,62.5", "hold,2026-04-01", "hold,", "resume,", "stop,",
    "weight,70.5", "comedication_start,allopurinol", "comedication_stop,allopurinol",
    "intended_combination,allopurinol", "symptom,fever", "symptom,abdominal pain", "relapse,",
    "vaccine,yellow fever", "pregnancy,", "breastfeeding,", "transfusion,", "genotype,tpmt:poor",
    "genotype,NUDT15: Intermediate", "task_done,skin-check", "supply,90", "inpatient,2026-03-20",
    "away,2026-03-20", "declined,", "monitored_elsewhere,2026-06-01", "back,",
    "transfer_out,Dr Example", "accepted_by,Dr Example", "died,", "DIED,", "Comedication-Start,x",
)  # fmt: skip


@pytest.mark.parametrize("what", VALID)
def test_every_event_is_taken_once_and_wakes_the_patient(quick_desk: Desk, what: str) -> None:
    quick_desk.enrol("P1,azathioprine,2026-01-05", header=BRIEF)
    report = quick_desk.events(f"p1,2026-03-02,{what},,,")
    assert (report.taken, report.refused, len(report.touched)) == (1, (), 1)
    again = quick_desk.events(f"P1,2026-03-02,{what},,,")
    assert (again.taken, again.duplicate, again.touched) == (0, 1, ())
    (event,) = quick_desk.clinic.rows(tables.EventRow)
    of_enrolment = event.event in ("start", "dose", "hold", "resume", "stop")
    assert (event.enrolment_id is not None) == of_enrolment


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("P1,2026-03-02,dosis,100,,,", 'did you mean "dose"'),
        ("P1,2026-03-02,,100,,,", "event is empty"),
        ("P1,2026-03-02,dose,,,,", "value is empty"),
        ("P1,2026-03-02,dose,much,,,", "no number above 0"),
        ("P1,2026-03-02,dose,0,,,", "above 0"),
        ('P1,2026-03-02,dose,"62,5",,,', "with a point"),
        ("P1,2026-03-02,hold,soon,,,", "is no day"),
        ("P1,2026-03-02,away,,,,", "is no day"),
        ("P1,2026-03-02,away,2026-03-01,,,", "before the event"),
        ("P1,2026-03-02,genotype,poor,,,", "tpmt:poor"),
        ("P1,2026-03-02,genotype,tpmt:slow,,,", "normal, intermediate"),
        ("P1,2026-03-02,supply,1.5,,,", "whole number"),
        ("P1,2026-03-02,symptom,,,,", "value is empty"),
        ("P1,2026-03-20,died,,,,", "in the future"),
        ("P1,2029-03-20,stop,,,,", "2 years ahead"),
        ("P1,2026-03-02,monitored_elsewhere,2126-03-20,,,", "2 years ahead"),
        ("P1,2026-03-02,hold,2029-03-20,,low count,", "2 years ahead"),
        ("P1,2026-03-02,genotype_unavailable,tpmt:2029-03-20,,Dr A: closed,", "2 years ahead"),
        ("P1,02.03.2026,stop,,,,", "on is no day"),
        ("P1,,stop,,,,", "on is empty"),
        (",2026-03-02,stop,,,,", "mrn is empty"),
        ("P9,2026-03-02,stop,,,,", "not enrolled"),
        ("0P1,2026-03-02,stop,,,,", "leading zeros"),
        ("P1,2026-03-02,stop,,mercaptopurine,,", "not enrolled on this drug"),
        ("P1,2026-03-02,stop,,,,perhaps", "entered-in-error"),
        ("P1,2026-03-02,stop,,,,entered-in-error", "no such event"),
        ("P1,2026-03-02,merge,P1,,,", "cannot be merged with itself"),
        ("P1,2026-03-02,unmerge,P2,,,", "nothing to take back"),
    ],
)
def test_an_event_that_cannot_be_taken_is_refused_and_the_others_go_in(
    quick_desk: Desk, line: str, told: str
) -> None:
    quick_desk.enrol("P1,azathioprine,2026-01-05", header=BRIEF)
    report = quick_desk.events("P1,2026-03-01,dose,50,,,", line, "P1,2026-03-03,dose,75,,,")
    assert (report.taken, [it.line for it in report.refused]) == (2, [3])
    assert told in report.refused[0].reason


def test_entered_in_error_withdraws_the_same_event_for_good(desk: Desk) -> None:
    desk.enrol("P1,azathioprine,2026-01-05", header=BRIEF)
    desk.events("P1,2026-03-02,dose,150,,,", "P1,2026-03-02,symptom,fever,,,")
    report = desk.events("P1,2026-03-02,dose,150,,,Entered in Error")
    assert (report.taken, len(report.touched)) == (1, 1)
    assert [it.withdrawn for it in desk.clinic.rows(tables.EventRow)] == [True, False]
    again = desk.events("P1,2026-03-02,dose,150,,,", "P1,2026-03-02,dose,150,,,entered-in-error")
    assert (again.taken, again.duplicate) == (0, 2)
    assert any("withdrawn before" in note for note in again.notes)
    assert desk.events("P1,2026-03-02,dose,150,,said again,").taken == 1


def test_a_withdrawal_without_value_needs_one_event_to_mean(desk: Desk) -> None:
    desk.enrol("P1,azathioprine,2026-01-05", header=BRIEF)
    desk.events("P1,2026-03-02,symptom,fever,,,", "P1,2026-03-02,symptom,rash,,,")
    report = desk.events("P1,2026-03-02,symptom,,,,entered-in-error")
    assert "several such events" in report.refused[0].reason
    assert desk.events("P1,2026-03-02,symptom,rash,,,entered-in-error").taken == 1
    assert desk.events("P1,2026-03-02,symptom,,,,entered-in-error").taken == 1


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("fever; chills", "chills or fever"),
        ("Fever 39.2", "fever"),
        ("no fever", "fever"),
        ("fever and sore throat", "fever or sore_throat"),
    ],
)
def test_a_symptom_among_other_words_is_refused_for_nobody_would_be_told(
    quick_desk: Desk, value: str, named: str
) -> None:
    quick_desk.enrol("P1,azathioprine,2026-01-05", header=BRIEF)
    report = quick_desk.events(
        f"P1,2026-03-02,symptom,{value},,,", "P1,2026-03-02,symptom,tired,,,"
    )
    assert (report.taken, [it.line for it in report.refused]) == (1, [2])
    assert f"by its word alone: {named};" in report.refused[0].reason


def test_a_stop_in_error_is_withdrawn_and_the_enrolment_goes_on(desk: Desk) -> None:
    desk.enrol("P1,azathioprine,2026-01-05", header=BRIEF)
    desk.events("P1,2026-02-02,stop,,,,")
    assert desk.events("P1,2026-02-02,stop,,,,entered-in-error").taken == 1
    assert desk.enrol("P1,azathioprine,2026-01-05", header=BRIEF).duplicate == 1


def test_the_dose_in_force_is_no_change_and_the_first_one_neither(desk: Desk) -> None:
    header = "mrn,drug,started_on,dose_mg_per_day"
    desk.enrol("P1,azathioprine,2026-01-05,100", header=header)
    desk.events("P1,2026-02-02,dose,150,,,")
    for dose in ("100", "150", "150.0"):
        assert desk.enrol(f"P1,azathioprine,2026-01-05,{dose}", header=header).duplicate == 1
    assert "event dose" in reasons(desk, "P1,azathioprine,2026-01-05,125", header=header)[0]


@pytest.mark.parametrize("name", ["Imurek", "IMUREK 50 mg", "Azathioprin", "azathioprine"])
def test_a_brand_name_is_taken_as_its_drug_and_said(desk: Desk, name: str) -> None:
    header = "mrn,drug,started_on"
    report = desk.enrol(f"B1,{name},2026-01-05", header=header)
    assert (report.taken, report.refused) == (1, ())
    (row,) = desk.clinic.rows(tables.EnrolmentRow)
    assert (row.drug, row.protocol_id) == ("azathioprine", "azathioprine")
    said = any("is taken as azathioprine" in note for note in report.notes)
    assert said is (name != "azathioprine")
    again = desk.enrol("B1,azathioprine,2026-01-05", header=header)
    assert (again.taken, again.duplicate) == (0, 1)
    assert desk.events(f"B1,2026-02-02,hold,,{name},,").taken == 1


def test_a_name_that_means_two_monitored_drugs_or_none_is_refused(desk: Desk) -> None:
    report = desk.enrol(
        "B1,Imurek and Purinethol,2026-01-05", "B2,Wonderin,2026-01-05",
        "B3,azathiprine,2026-01-05", header="mrn,drug,started_on",
    )  # fmt: skip
    assert [it.line for it in report.refused] == [2, 3, 4]
    assert all("no protocol names the drug" in it.reason for it in report.refused)
    asked = ['did you mean "azathioprine"?' in it.reason for it in report.refused]
    assert asked == [False, False, True]


def test_an_issuer_stands_before_the_number_or_in_a_column_of_its_own(quick_desk: Desk) -> None:
    header = "mrn,issuer,drug,started_on"
    row = "{},{},azathioprine,2026-01-05"
    first = reasons(quick_desk, row.format("7", "north"), row.format("7", ""), header=header)
    assert first == []
    again = quick_desk.enrol(
        row.format("north:7", ""), row.format("north:7", "NORTH"), header=header
    )
    assert (again.taken, again.duplicate) == (0, 2)
    assert reasons(quick_desk, row.format("north:7", "south"), header=header) == [
        "mrn names another issuer than the column issuer"
    ]
    assert {it.mrn for it in quick_desk.clinic.rows(tables.Patient)} == {"7", "north:7"}
    told = quick_desk.events("7,south,2026-02-02,weight,70", header="mrn,issuer,on,event,value")
    assert [it.reason for it in told.refused] != []
    told = quick_desk.events("7,north,2026-02-02,weight,70", header="mrn,issuer,on,event,value")
    assert (told.taken, told.refused) == (1, ())


def test_a_stop_told_late_of_a_day_between_two_treatments_ends_the_first_only(desk: Desk) -> None:
    desk.enrol("T1,azathioprine,2025-01-06,,,", now=at("2025-01-06"))
    desk.events("T1,2025-06-30,stop,,,,", now=at("2025-07-01"))
    desk.enrol("T1,azathioprine,2026-01-05,,,", now=at("2026-01-05"))
    desk.events("T1,2025-07-15,stop,,,,")
    states = [row["enrolment_state"] for row in status_rows(desk.store, desk.settings, NOW, "T1")]
    assert states == ["stopped", "stopped", "active", "active"]


def test_a_plan_can_be_stopped_before_its_first_day(desk: Desk) -> None:
    desk.enrol("T1,azathioprine,2025-01-06,,,", now=at("2025-01-06"))
    desk.events("T1,2025-06-30,stop,,,,", now=at("2025-07-01"))
    desk.enrol("T1,azathioprine,2026-04-06,,,", now=at("2026-03-02"))
    desk.events("T1,2026-03-09,stop,,,,")
    states = {row["enrolment_state"] for row in status_rows(desk.store, desk.settings, NOW, "T1")}
    assert states == {"stopped"}


def test_a_stop_that_comes_again_does_not_end_the_drug_begun_on_its_day(desk: Desk) -> None:
    _with_mercaptopurine(desk)
    stop = "T1,2026-03-02,stop,,,,"
    desk.enrol("T1,azathioprine,2026-01-05,,,")
    desk.events(stop)
    desk.enrol("T1,mercaptopurine,2026-03-02,,,")
    report = desk.events(stop, "T1,2026-03-09,hold,,,,")
    assert (report.taken, report.duplicate) == (1, 1)
    states = {
        row["drug"]: row["enrolment_state"]
        for row in status_rows(desk.store, desk.settings, NOW, "T1")
    }
    assert states == {"azathioprine": "stopped", "mercaptopurine": "held"}


def test_a_clinic_is_the_same_however_its_name_is_written(desk: Desk) -> None:
    """A row with `north` for somebody of North was refused, with the advice to hand over; and
    reports counted two clinics."""
    header = "mrn,drug,started_on,clinic"
    desk.enrol("B1,azathioprine,2026-01-05,North", header=header)
    again = desk.enrol(
        "B1,azathioprine,2026-01-05,north", "B2,azathioprine,2026-01-05,NORTH",
        "B3,azathioprine,2026-01-05,south", "B4,azathioprine,2026-01-05,South", header=header,
    )  # fmt: skip
    assert (again.taken, again.duplicate, again.refused) == (3, 1, ())
    clinics = [row.clinic for row in desk.clinic.rows(tables.EnrolmentRow)]
    assert clinics == ["North", "North", "south", "south"]
    (other,) = desk.enrol("B1,azathioprine,2026-01-05,south", header=header).refused
    assert "transfer_out" in other.reason
