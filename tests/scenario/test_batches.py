"""A wrong file taken back: what it had changed is as if it had never come, and told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from monitor.core.vocabulary import AlertState
from monitor.intake.batches import revert
from monitor.intake.dependence import BatchRefused
from monitor.intake.mending import Mend, fix
from monitor.operations import arrivals, batches
from monitor.operations.status import status_rows
from monitor.operations.verify import verify
from monitor.store import tables
from monitor.store.database import Store
from tests.clinic import CBC, at
from tests.desk import LONG, NOW, Desk, sqlite_desk

LATER = at("2026-03-12")


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    desk = Desk(store, tmp_path)
    desk.enrol("P1,azathioprine,2026-01-05,,,", "P2,azathioprine,2026-01-05,,,")
    return desk


@pytest.fixture
def quick_desk(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,", "P2,azathioprine,2026-01-05,,,")
        yield desk


def line(value: str, mrn: str = "P1", day: str = "2026-03-02", **more: str) -> str:
    cells = {
        "mrn": mrn, "collected_at": f"{day}T08:00", "analyte": "neutrophils", "value": value,
        "unit": "10*9/L", "specimen_id": "", "status": "", "reported_at": "", "comment": "",
    }  # fmt: skip
    return ",".join((cells | more).values())


def back(desk: Desk, batch_id: int) -> Any:
    done, _ = batches.revert(
        desk.store, desk.settings, batch_id, by="Ada", reason="wrong file", now=LATER
    )
    assert [str(it) for it in verify(desk.store, desk.settings, LATER)] == []
    return done


def refused(desk: Desk, batch_id: int) -> str:
    with pytest.raises(BatchRefused) as refusal:
        revert(desk.store, desk.settings, batch_id, by="Ada", reason="wrong", now=LATER)
    return str(refusal.value)


def last(desk: Desk) -> int:
    return int(desk.clinic.rows(tables.File)[-1].id)


def test_superseded_values_come_back_and_the_file_may_be_loaded_again(desk: Desk) -> None:
    desk.load(line("3.1"), line("3.2", mrn="P2"))
    path = desk.file(LONG, line("0.3", status="C"), line("2.9", day="2026-03-04"))
    arrivals.load(desk.store, desk.settings, path, "", NOW)
    assert desk.whose() == {"P1": ["0.3", "2.9"], "P2": ["3.2"]}
    done = back(desk, last(desk))
    assert (done.results, done.passed_on) == (2, 0)
    assert desk.whose() == {"P1": ["3.1"], "P2": ["3.2"]}
    assert len(desk.clinic.rows(tables.ResultRow)) == 4
    wrong = f"this file was taken back before, as batch {last(desk)}, by Ada: its rows count again"
    again = arrivals.load(desk.store, desk.settings, path, "", LATER).report
    assert (again.superseded, again.stored, again.duplicate) == (1, 1, 0)
    assert wrong in again.notes
    once_more = arrivals.load(desk.store, desk.settings, path, "", LATER).report
    assert once_more.duplicate == 2
    assert wrong not in once_more.notes
    assert desk.whose() == {"P1": ["0.3", "2.9"], "P2": ["3.2"]}


def test_the_alert_of_a_wrong_file_is_withdrawn_and_its_readers_told(desk: Desk) -> None:
    path = desk.file(LONG, line("0.3"))
    assert arrivals.load(desk.store, desk.settings, path, "", NOW).tally.opened
    back(desk, last(desk))
    (alert,) = [row for row in desk.clinic.rows(tables.AlertRow) if row.rule is not None]
    assert alert.state == AlertState.CLOSED.value
    assert "withdrawn" in {row.what for row in desk.clinic.rows(tables.AlertHistory)}
    assert desk.clinic.rows(tables.Delivery, kind="withdrawal")


def test_what_another_file_has_said_too_is_that_files_now(desk: Desk) -> None:
    desk.load(line("3.1"), line("5", day="2026-03-03", unit=""))
    first = last(desk)
    desk.load(line("5", day="2026-03-03", unit=""), line("3.1"))
    desk.load(line("3.1"))
    done = back(desk, first)
    assert (done.results, done.held, done.passed_on) == (1, 1, 2)
    assert desk.whose() == {"P1": ["3.1"]}
    (held,) = desk.held()
    assert held.file_id == first + 1
    back(desk, first + 1)
    assert (desk.whose(), desk.held()) == ({"P1": ["3.1"]}, [])
    back(desk, first + 2)
    assert desk.whose() == {}


FULL = f"{LONG},ref_low,ref_high"
TWICE = [
    # what the first says of the same value, what the second says, what is read of it then
    (",,,,,200", ",,,,,40", {"ref_high": 40}),
    ("s1,,,haemolysed,,", "s1,,,,,", {"comment": "", "doubtful_comment": ""}),
    ("s1,,,,,", "s1,,,haemolysed,,", {"comment": "haemolysed", "doubtful_comment": "haemolysed"}),
    (",,2026-03-04T10:00,,,", ",,2026-03-03T10:00,,,", {"reported_at": at("2026-03-03", 10)}),
    (",C,,,,", ",,,,,", {"status": "final"}),
    ("S1,,,,,", "s1,,,,,", {"specimen_id": "s1"}),
]


@pytest.mark.parametrize(("first", "second", "read"), TWICE)
@pytest.mark.parametrize("moved", [False, True])
def test_of_a_row_that_another_file_has_said_too_stands_what_that_file_says(
    migrated_sqlite: Path, tmp_path: Path, first: str, second: str, read: Any, *, moved: bool
) -> None:
    """A multiple of the upper limit, a doubt about the specimen and what came later than what are
    judged by these: those of the wrong file were left behind."""
    row = "P1,2026-03-02T08:00,alt,120,U/L"
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,", "P2,azathioprine,2026-01-05,,,")
        desk.load(f"{row},{first}", header=FULL)
        wrong = last(desk)
        assert desk.load(f"{row},{second}", header=FULL).duplicate == 1
        (stands,) = desk.clinic.rows(tables.ResultRow, stands=True)
        assert stands.file_id == wrong
        if moved:
            desk.events("P1,2026-03-09,merge,P2,,,")
        back(desk, wrong)
        (stands,) = desk.clinic.rows(tables.ResultRow, stands=True)
        assert {name: getattr(stands, name) for name in read} == read


def test_held_rows_go_with_their_file_and_those_it_let_go_are_held_again(desk: Desk) -> None:
    desk.load(line("2.1", analyte="ZZ"))
    held = last(desk)
    fix(desk.store, desk.settings, 1, Mend(analyte="neutrophils"), by="Ada", now=NOW)
    assert desk.whose() == {"P1": ["2.1"]}
    back(desk, held)
    assert (desk.whose(), desk.held(), len(desk.held("reverted"))) == ({}, [], 1)


def test_events_come_and_go_with_their_file(desk: Desk) -> None:
    desk.events("P1,2026-02-01,hold,,,,", "P2,2026-02-01,comedication_start,allopurinol,,,")
    first = last(desk)
    desk.events(
        "P1,2026-02-01,hold,,,,", "P2,2026-02-01,comedication_start,allopurinol,,,entered-in-error"
    )
    done = back(desk, first + 1)
    assert done.events == 0
    rows = desk.clinic.rows(tables.EventRow, withdrawn=False)
    assert sorted(row.event for row in rows) == ["comedication_start", "hold"]
    desk.events("P1,2026-02-01,hold,,,,", "P1,2026-02-03,resume,,,,")
    done = back(desk, first)
    assert (done.events, done.passed_on) == (2, 1)
    rows = desk.clinic.rows(tables.EventRow, withdrawn=False)
    assert sorted(row.event for row in rows) == ["hold", "resume"]


def test_a_merge_goes_with_its_file(desk: Desk) -> None:
    desk.load(line("3.1"), line("3.2", mrn="P2", day="2026-03-03"))
    desk.events("P1,2026-03-09,merge,P2,,,")
    assert desk.whose() == {"P2": ["3.1", "3.2"]}
    assert back(desk, last(desk)).merges == 1
    assert desk.whose() == {"P1": ["3.1"], "P2": ["3.2"]}
    assert desk.events("P1,2026-03-09,merge,P2,,,", now=LATER).taken == 1


def test_events_of_a_day_keep_their_order_when_the_first_to_say_one_is_taken_back(
    quick_desk: Desk,
) -> None:
    desk = quick_desk
    desk.events("P1,2026-02-01,hold,,,,")
    first = last(desk)
    desk.events("P1,2026-02-01,hold,,,,", "P1,2026-02-01,resume,,,,")
    back(desk, first)
    states = {row["enrolment_state"] for row in status_rows(desk.store, desk.settings, LATER, "P1")}
    assert states == {"active"}


def test_a_merge_that_was_taken_back_stays_so_when_the_first_to_say_it_is(
    quick_desk: Desk,
) -> None:
    desk = quick_desk
    desk.load(line("3.1"), line("3.2", mrn="P2", day="2026-03-03"))
    desk.events("P1,2026-03-09,merge,P2,,,")
    first = last(desk)
    desk.events("P1,2026-03-09,merge,P2,,,", "P2,2026-02-01,hold,,,,")
    desk.events("P1,2026-03-10,unmerge,P2,,,", now=LATER)
    back(desk, first)
    assert desk.whose() == {"P1": ["3.1"], "P2": ["3.2"]}


def test_a_wrong_enrolment_goes_and_its_results_wait_again(desk: Desk) -> None:
    desk.load(line("0.3", mrn="P9"))
    enrolled = desk.file("mrn,drug,started_on,family_name", "P9,azathioprine,2026-01-05,Muster")
    arrivals.enrol(desk.store, desk.settings, enrolled, NOW)
    assert desk.whose() == {"P9": ["0.3"]}
    done = back(desk, last(desk))
    assert done.enrolments == 1
    assert desk.whose() == {}
    assert [row.reason_code for row in desk.held()] == ["unknown_patient"]
    alerts = [row for row in desk.clinic.rows(tables.AlertRow) if row.shown["mrn"] == "P9"]
    assert alerts and all(row.state == AlertState.CLOSED.value for row in alerts)
    assert desk.clinic.rows(tables.Delivery, kind="withdrawal")
    (patient,) = desk.clinic.rows(tables.Patient, mrn="P9")
    assert patient.family_name == ""
    arrivals.enrol(desk.store, desk.settings, enrolled, LATER)
    assert desk.whose() == {"P9": ["0.3"]}
    assert verify(desk.store, desk.settings, LATER) == []


def test_a_row_that_waits_again_is_told_of_whom_it_may_be(quick_desk: Desk) -> None:
    """It was held as before, and of the patient whose number is nearly the same nobody heard."""
    desk = quick_desk
    desk.load(line("0.3", mrn="P01"))
    desk.enrol("P01,azathioprine,2026-01-05,,,")
    desk.clinic.review(NOW)
    assert not desk.clinic.rows(tables.AlertRow, kind="quarantined_result")
    back(desk, last(desk))
    (alert,) = desk.clinic.rows(tables.AlertRow, kind="quarantined_result")
    assert (alert.shown["mrn"], alert.urgency) == ("P1", "critical")


def test_rows_that_went_in_again_and_again_add_up_once_their_file_is_taken_back(
    quick_desk: Desk,
) -> None:
    desk = quick_desk
    desk.load(line("0.3", mrn="P9"), line("0.4", mrn="P9", day="2026-03-03"))
    first = last(desk)
    for _ in range(3):
        desk.enrol("P9,azathioprine,2026-01-05,,,")
        back(desk, last(desk))
    back(desk, first)


def test_what_came_again_while_its_patient_was_enrolled_waits_for_both_files(
    quick_desk: Desk,
) -> None:
    desk = quick_desk
    desk.load(line("0.3", mrn="P9"))
    first = last(desk)
    desk.enrol("P9,azathioprine,2026-01-05,,,")
    enrolment = last(desk)
    assert desk.load(line("0.3", mrn="P9"), line("3.1")).duplicate == 1
    for wrong in (enrolment, first):
        back(desk, wrong)
        assert [row.raw["value"] for row in desk.held()] == ["0.3"]


def test_ever_so_many_rows_that_wait_again_are_not_named_in_one_statement(
    quick_desk: Desk,
) -> None:
    days = (str(date(2020, 1, 1) + timedelta(days=day)) for day in range(1_100))
    quick_desk.load(*(line("3.1", mrn="P9", day=day) for day in days))
    quick_desk.enrol("P9,azathioprine,2020-01-05,,,")
    asked: list[int] = []

    @event.listens_for(quick_desk.store.engine, "before_cursor_execute")
    def count(*it: Any) -> None:
        if it[2].startswith("SELECT"):
            asked.append(len(it[3]))

    revert(quick_desk.store, quick_desk.settings, last(quick_desk), by="A", reason="w", now=LATER)
    assert len(quick_desk.held()) == 1_100
    assert max(asked) < 1_000, "a database takes only so many parameters: 32,766, 65,535"


def test_changed_cells_of_an_enrolment_come_back(desk: Desk) -> None:
    header = "mrn,drug,started_on,birth_date,weight_kg,tpmt"
    desk.enrol("P1,azathioprine,2026-01-05,1970-02-03,70.5,", header=header)
    desk.enrol("P1,azathioprine,2026-01-05,,72,poor", header=header)
    back(desk, last(desk))
    row = desk.clinic.rows(tables.EnrolmentRow)[0]
    assert (str(row.weight_kg), row.tpmt) == ("70.5", "")
    back(desk, last(desk) - 1)
    row = desk.clinic.rows(tables.EnrolmentRow)[0]
    assert row.weight_kg is None
    assert desk.clinic.rows(tables.Patient)[0].birth_date is None


def test_what_later_files_build_on_is_refused_and_they_are_named(quick_desk: Desk) -> None:
    first = last(quick_desk)
    quick_desk.load(line("3.1"))
    assert f"file2.csv (batch {first + 1})" in refused(quick_desk, first)
    back(quick_desk, first + 1)
    quick_desk.events("P2,2026-02-01,dose,125,,,")
    assert f"file3.csv (batch {first + 2})" in refused(quick_desk, first)
    back(quick_desk, first + 2)
    quick_desk.enrol("P1,azathioprine,2026-01-05,Muster,,1970-02-03")
    assert f"file4.csv (batch {first + 3})" in refused(quick_desk, first)
    back(quick_desk, first + 3)
    assert back(quick_desk, first).enrolments == 2
    assert "taken back already, by Ada" in refused(quick_desk, first)
    assert "there is no batch 99" in refused(quick_desk, 99)


def test_a_stop_taken_back_after_the_drug_was_begun_anew_is_said(desk: Desk) -> None:
    """The patient is watched twice then, and nothing said why; a withdrawn stop was told."""
    desk.enrol("P8,azathioprine,2026-01-05,,,")
    desk.events("P8,2026-02-01,stop,,azathioprine,,")
    stop = last(desk)
    desk.enrol("P8,azathioprine,2026-03-02,,,")
    told = (
        "P8 is enrolled on azathioprine more than once now, from 2026-01-05 and from 2026-03-02: "
        "both are watched; if the first did end, record its stop anew"
    )
    shown, _ = batches.revert(
        desk.store, desk.settings, stop, by="Ada", reason="wrong", now=NOW, preview=True
    )
    assert shown.notes == (told,)
    assert back(desk, stop).notes == (told,)
    desk.events("P8,2026-02-01,stop,,azathioprine,,")
    assert back(desk, last(desk)).notes == (told,)


def test_a_preview_says_what_would_happen_and_changes_nothing(desk: Desk) -> None:
    path = desk.file(LONG, line("0.3"))
    arrivals.load(desk.store, desk.settings, path, "", NOW)
    done, tally = batches.revert(
        desk.store, desk.settings, last(desk), by="A", reason="?", now=LATER, preview=True
    )
    assert (done.results, tally.closed) == (1, 1)
    assert desk.whose() == {"P1": ["0.3"]}
    assert desk.clinic.rows(tables.File)[-1].reverted_at is None


def test_an_issuer_known_from_a_wrong_file_alone_is_forgotten(quick_desk: Desk) -> None:
    header = "mrn,issuer,collected_at,analyte,value,unit"
    cells = "2026-03-02T08:00,neutrophils,2.1,10*9/L"
    quick_desk.load(f"P1,LAKE,{cells}", header=header)
    lake = last(quick_desk)
    quick_desk.load(f"P1,CITY,{cells}", header=header)
    assert [row.reason_code for row in quick_desk.held()] == ["another_issuer"]
    back(quick_desk, lake)
    quick_desk.load(f"P1,CITY,{cells.replace('2.1', '2.2')}", header=header)
    assert quick_desk.whose() == {"P1": ["2.2"]}


NAMED = "mrn,issuer,collected_at,analyte,value,unit"


def named(issuer: str, value: str) -> str:
    return f"P1,{issuer},2026-03-02T08:00,neutrophils,{value},10*9/L"


def held_for(desk: Desk) -> list[tuple[str, str]]:
    return [(row.reason_code, row.raw["value"]) for row in desk.held()]


def test_an_issuer_that_another_file_names_too_stays_known(desk: Desk) -> None:
    """However its name is written: the numbers of another one are somebody else's."""
    desk.load(named("Klinik Bergstraße", "2.1"), header=NAMED)
    desk.load(named("KLINIK BERGSTRASSE", "2.2"), header=NAMED)
    back(desk, last(desk))
    desk.load(named("LAKE", "0.3"), header=NAMED)
    assert held_for(desk) == [("another_issuer", "0.3")]


def test_an_issuer_that_the_hospital_named_by_merging_numbers_stays_known(desk: Desk) -> None:
    path = desk.folder / "merge.hl7"
    start = "MSH|^~\\&|LAB|NORTH|M|C|20260305110000||ADT^A40|9|P|2.5.1"
    path.write_text(f"{start}\rPID|1||P1^^^NORTH^MR\rMRG|OLD^^^NORTH^MR\r", encoding="ascii")
    arrivals.load(desk.store, desk.settings, path, "", NOW)
    hospital = last(desk)
    desk.load(line("2.1"))
    back(desk, last(desk))
    desk.load(named("LAKE", "0.3"), header=NAMED)
    assert held_for(desk) == [("another_issuer", "0.3")]
    back(desk, hospital)
    assert desk.whose() == {"P1": ["0.3"]}


def test_what_the_issuer_of_a_wrong_file_had_held_goes_in_once_it_is_forgotten(desk: Desk) -> None:
    desk.load(named("LAKE", "2.1"), header=NAMED)
    lake = last(desk)
    desk.load(named("CITY", "0.4"), header=NAMED)
    assert held_for(desk) == [("another_issuer", "0.4")]
    back(desk, lake)
    assert (desk.whose(), held_for(desk)) == ({"P1": ["0.4"]}, [])


def test_several_files_in_any_order_leave_what_the_others_say(desk: Desk) -> None:
    full = [line(value, analyte=name) for name, value in CBC.items()]
    desk.load(*full)
    desk.load(*full, line("3.9", status="C"))
    desk.load(line("3.8", status="C", reported_at="2026-03-03T10:00"))
    first = last(desk) - 2
    back(desk, first)
    assert desk.whose() == {"P1": ["3.8"]}
    back(desk, first + 2)
    assert desk.whose() == {"P1": ["3.9"]}
    standing = {row.analyte for row in desk.clinic.rows(tables.ResultRow, stands=True)}
    held = {row.analyte for row in desk.held()}
    assert (standing, held) == (set(CBC) - {"hemoglobin"}, {"hemoglobin"})
