"""An enrolment or events file that was read while it was still being written, then whole: what its
last row said where it broke off counts for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.intake.batches import revert
from monitor.intake.enrol import enrol_file
from monitor.intake.events import events_file
from monitor.intake.report import PeopleReport
from monitor.operations.batches import batch
from monitor.operations.verify import verify
from monitor.store import tables
from monitor.store.database import Store
from tests.desk import NOW, Desk

EVENTS = "mrn,on,event,value,note\nA1,2026-02-02,dose,100,\n"
LAST = "event,value,note,on,mrn\ndose,100,,2026-02-02,A1\n"


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    desk = Desk(store, tmp_path)
    desk.enrol("A1,azathioprine,2026-01-05,,,", "A2,azathioprine,2026-01-05,,,")
    return desk


def events(desk: Desk, text: str) -> PeopleReport:
    path = desk.folder / "events.csv"
    path.write_text(text)
    return events_file(desk.store, desk.settings, path, NOW)


def happened(desk: Desk) -> list[tuple[str, str, str, str]]:
    """What counts of A1's, A2's and A12's events, but for the dose that came whole."""
    mrns = {row.id: row.mrn for row in desk.clinic.rows(tables.Patient)}
    rows = desk.clinic.rows(tables.EventRow, withdrawn=False)
    return sorted((mrns[it.patient_id], it.event, it.value, it.note) for it in rows)[1:]


def files(desk: Desk, kind: str) -> list[int]:
    return [it.id for it in desk.clinic.rows(tables.File, kind=kind)]


def adds_up(desk: Desk) -> bool:
    return not verify(desk.store, desk.settings, NOW)


CUTS = {
    "a dose": (EVENTS.replace(",note", "").replace("100,", "100"), "A2,2026-02-10,dose,12", "5"),
    "a note": (EVENTS, "A2,2026-02-10,symptom,fever,since Mon", "day"),
    "in quotes": (EVENTS, 'A2,2026-02-10,symptom,fever,"since\nMon', 'day"'),
}


@pytest.mark.parametrize("name", CUTS)
def test_an_event_that_was_cut_short_does_not_stand_beside_the_whole_one(
    desk: Desk, name: str
) -> None:
    before, row, rest = CUTS[name]
    events(desk, before + row)
    report = events(desk, before + row + rest + "\n")
    assert (report.taken, report.duplicate, report.refused) == (1, 1, ())
    ((mrn, _, value, note),) = happened(desk)
    assert (mrn, value + note) in {
        ("A2", "125"),
        ("A2", "feversince Monday"),
        ("A2", "feversince\nMonday"),
    }
    assert adds_up(desk)


def test_nobody_is_stopped_whose_number_is_the_beginning_of_anothers(desk: Desk) -> None:
    desk.enrol("A12,azathioprine,2026-01-05,,,")
    events(desk, LAST + "stop,,,2026-02-10,A1")
    assert happened(desk) == [("A1", "stop", "", "")]
    report = events(desk, LAST + "stop,,,2026-02-10,A12\n")
    cut, whole = files(desk, "events")
    assert f"line 3 came whole: what batch {cut} read of it, which was cut short" in " ".join(
        report.notes
    )
    assert happened(desk) == [("A12", "stop", "", "")]
    assert batch(desk.store, cut)[1].last_row_whole_in == whole
    (line,) = desk.clinic.rows(tables.AuditRow, what="row cut short taken away")
    assert "line 3" in line.detail
    assert adds_up(desk)
    revert(desk.store, desk.settings, whole, by="Ada", reason="wrong", now=NOW)
    assert happened(desk) == [("A1", "stop", "", "")]
    assert adds_up(desk)


def test_the_whole_row_may_be_refused(desk: Desk) -> None:
    """A12 is not enrolled; A1 goes on all the same."""
    events(desk, "event,on,mrn\nstop,2026-02-10,A1")
    report = events(desk, "event,on,mrn\nstop,2026-02-10,A12\n")
    assert (report.taken, len(report.refused)) == (0, 1)
    assert desk.clinic.rows(tables.EventRow, withdrawn=False) == []
    assert report.touched
    assert adds_up(desk)


def test_numbers_are_not_merged_with_the_beginning_of_another(desk: Desk) -> None:
    desk.enrol("A22,azathioprine,2026-01-05,,,")
    desk.load("A2,2026-03-09,neutrophils,4,10*9/L,,,,", "A1,2026-03-09,neutrophils,3,10*9/L,,,,")
    header = "mrn,on,event,value\nA1,2026-02-02,dose,100\n"
    events(desk, header + "A1,2026-03-09,merge,A2")
    assert desk.whose() == {"A2": ["3", "4"]}
    events(desk, header + "A1,2026-03-09,merge,A22\n")
    assert desk.whose() == {"A2": ["4"], "A22": ["3"]}
    assert adds_up(desk)
    revert(desk.store, desk.settings, files(desk, "events")[-1], by="Ada", reason="wrong", now=NOW)
    assert desk.whose() == {"A2": ["3", "4"]}
    assert adds_up(desk)


def test_what_another_file_has_said_too_stays(desk: Desk) -> None:
    header = "mrn,on,event,value\nA1,2026-02-02,dose,100\n"
    events(desk, header + "A2,2026-02-10,dose,12")
    desk.events("A2,2026-02-10,dose,12,,,")
    events(desk, header + "A2,2026-02-10,dose,125\n")
    assert [it[2] for it in happened(desk)] == ["12", "125"]


def test_an_event_is_not_taken_away_that_is_no_beginning(desk: Desk) -> None:
    """A whole row whose line has no end, and another file with the same words."""
    header = "mrn,on,event,value\nA1,2026-02-02,dose,100\n"
    events(desk, header + "A2,2026-02-10,dose,125")
    events(desk, header + "A2,2026-02-10,dose,125\nA2,2026-02-11,dose,150\n")
    events(desk, header.replace("100", "75") + "A2,2026-02-10,dose,1250\n")
    assert [it[2] for it in happened(desk) if it[0] == "A2"] == ["125", "1250", "150"]


AFTER = {
    "a dose": (EVENTS.replace(",note", "").replace("100,", "100"), "A2,2026-02-10,dose,12", "5"),
    "a note": (EVENTS, "A2,2026-02-10,symptom,fever,since Mon", "day"),
    "a number": (LAST, "stop,,,2026-02-10,A1", "2"),
}


@pytest.mark.parametrize("name", AFTER)
def test_a_file_that_breaks_off_after_the_whole_one_says_nothing(desk: Desk, name: str) -> None:
    desk.enrol("A12,azathioprine,2026-01-05,,,")
    before, row, rest = AFTER[name]
    events(desk, before + row + rest + "\n")
    said = happened(desk)
    report = events(desk, before + row)
    whole, piece = files(desk, "events")
    assert any(f"in line 3, which batch {whole} had brought whole" in it for it in report.notes)
    assert happened(desk) == said
    assert batch(desk.store, piece)[1].last_row_whole_in == whole
    assert adds_up(desk)


def test_another_event_in_a_file_without_an_end_counts(desk: Desk) -> None:
    header = "mrn,on,event,value\nA1,2026-02-02,dose,100\n"
    events(desk, header + "A2,2026-02-10,dose,125\n")
    events(desk, header + "A2,2026-02-11,dose,12")
    events(desk, header + "A2,2026-02-10,dose,50")
    events(desk, header + "A2,2026-02-10,dose,1\n")
    assert [it[2] for it in happened(desk)] == ["1", "12", "125", "50"]


def enrol(desk: Desk, text: str) -> PeopleReport:
    path = desk.folder / "patients.csv"
    path.write_text(text)
    return enrol_file(desk.store, desk.settings, path, NOW)


def enrolled(desk: Desk) -> dict[str, tuple[str, str]]:
    """Start day and dose, by the number, of those whom the files of patients enrolled."""
    mrns = {row.id: row.mrn for row in desk.clinic.rows(tables.Patient)}
    return {
        mrns[it.patient_id]: (str(it.started_on), str(it.dose_mg_per_day))
        for it in desk.clinic.rows(tables.EnrolmentRow, stands=True)
        if mrns[it.patient_id] not in ("A1", "A2")
    }


START = "mrn,drug,dose_mg_per_day,started_on\nA5,azathioprine,100,2026-01-05\n"
DOSE = "mrn,drug,started_on,dose_mg_per_day\nA5,azathioprine,2026-01-05,100\n"
NUMBER = "drug,started_on,dose_mg_per_day,mrn\nazathioprine,2026-01-05,100,A5\n"
OPENED = {
    "start day": (START, "A61,azathioprine,125,2026-01-1", "2"),
    "dose": (DOSE, "A61,azathioprine,2026-01-12,12", "5"),
    "number": (NUMBER, "azathioprine,2026-01-12,125,A6", "1"),
}


@pytest.mark.parametrize("name", OPENED)
def test_nobody_stays_enrolled_by_a_row_that_was_cut_short(desk: Desk, name: str) -> None:
    before, row, rest = OPENED[name]
    enrol(desk, before + row)
    desk.clinic.review(NOW)
    as_cut = enrolled(desk)
    assert as_cut.keys() == {"A5", "A6" if name == "number" else "A61"}
    report = enrol(desk, before + row + rest + "\n")
    assert (report.taken, report.duplicate, report.refused) == (1, 1, ())
    assert enrolled(desk) == {"A5": ("2026-01-05", "100"), "A61": ("2026-01-12", "125")}
    desk.clinic.review(NOW)
    live = {it.id for it in desk.clinic.rows(tables.EnrolmentRow, stands=True)}
    alerts = desk.clinic.rows(tables.AlertRow)
    assert {it.enrolment_id for it in alerts if it.state != "closed"} <= live
    cut, whole = files(desk, "enrol")[-2:]
    assert batch(desk.store, cut)[1].last_row_whole_in == whole
    assert adds_up(desk)
    revert(desk.store, desk.settings, whole, by="Ada", reason="wrong", now=NOW)
    assert enrolled(desk) == as_cut
    assert adds_up(desk)


def test_what_it_filled_in_of_somebody_known_is_emptied_again(desk: Desk) -> None:
    """A dose that differs from what is known would be refused."""
    desk.enrol("A61,azathioprine,2026-01-12,,,")
    enrol(desk, DOSE + "A61,azathioprine,2026-01-12,12")
    assert enrolled(desk)["A61"] == ("2026-01-12", "12")
    report = enrol(desk, DOSE + "A61,azathioprine,2026-01-12,125\n")
    assert report.refused == ()
    assert enrolled(desk)["A61"] == ("2026-01-12", "125")
    assert adds_up(desk)
    revert(desk.store, desk.settings, files(desk, "enrol")[-1], by="A", reason="x", now=NOW)
    assert enrolled(desk)["A61"] == ("2026-01-12", "12")


def test_an_enrolment_on_which_others_build_is_said(desk: Desk) -> None:
    enrol(desk, NUMBER + "azathioprine,2026-01-12,125,A6")
    desk.events("A6,2026-02-10,dose,150,,,")
    report = enrol(desk, NUMBER + "azathioprine,2026-01-12,125,A61\n")
    assert any("line 3 was cut short in batch" in note for note in report.notes)
    assert enrolled(desk).keys() == {"A5", "A6", "A61"}
    assert adds_up(desk)


def test_rows_above_stay_as_they_are(desk: Desk) -> None:
    """Those of whom the file speaks once more where it broke off too."""
    ids = []
    for text in (
        START + "A5,azathioprine,100,2026-01-0",
        START + "A5,azathioprine,100,2026-01-05\n",
    ):
        enrol(desk, text)
        ids.append([it.id for it in desk.clinic.rows(tables.EnrolmentRow, stands=True)])
    assert ids[0] == ids[1]
    assert enrolled(desk) == {"A5": ("2026-01-05", "100")}
