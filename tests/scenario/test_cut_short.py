"""A file that was taken in while it was still being written, then whole: what its last row said
when it was cut short goes, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.intake.batches import revert
from monitor.intake.load import load_file
from monitor.intake.report import FileReport
from monitor.operations.batches import batch
from monitor.operations.verify import verify
from monitor.store import tables
from monitor.store.database import Store
from tests.desk import NOW, Desk

LONG = "mrn,collected_at,analyte,value,unit\n"
FIRST = "A1,2026-03-09,platelets,231,10*9/L\n"


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    desk = Desk(store, tmp_path)
    desk.enrol("A1,azathioprine,2026-01-05,,,", "A2,azathioprine,2026-01-05,,,")
    return desk


def load(desk: Desk, name: str, text: str) -> FileReport:
    path = desk.folder / name
    path.write_text(text)
    return load_file(desk.store, desk.settings, path, "", NOW)


def adds_up(desk: Desk) -> bool:
    return not verify(desk.store, desk.settings, NOW)


HELD = ("A2,2026-03-1", "A2,2026-03-10,neutro", "A2,2026-03-10,neutrophils,1.", "A9", '"A2')


@pytest.mark.parametrize("cut", HELD)
def test_a_held_row_that_was_cut_short_goes_when_all_of_it_comes(desk: Desk, cut: str) -> None:
    row = "A2,2026-03-10,neutrophils,1.4,10*9/L\n"
    if not row.startswith(cut):
        row = {"A9": "A99,2026-03-10,neutrophils,1.4,10*9/L\n", '"A2': f'"A2"{row[2:]}'}[cut]
    load(desk, "labs.csv", LONG + FIRST + cut)
    assert len(desk.held()) == 1
    report = load(desk, "labs-again.csv", LONG + FIRST + row)
    assert any("line 3 came whole" in note for note in report.notes)
    assert [it.reason_code for it in desk.held()] == (["unknown_patient"] if cut == "A9" else [])
    (gone,) = desk.held("discarded")
    assert gone.resolution.startswith("cut short: the whole row came with batch ")
    (line,) = desk.clinic.rows(tables.AuditRow, what="row cut short taken away")
    assert "line 3" in line.detail
    assert desk.standing() == ([] if cut == "A9" else ["1.4"])
    assert adds_up(desk)


WIDE = "mrn,collected_at,neutrophils [10*9/L]\n"
LAST = "collected_at,analyte,value,unit,mrn\n"


def test_a_value_that_was_cut_short_does_not_stand_beside_the_whole_one(desk: Desk) -> None:
    """A day without a time: 1 and 12 would be two results, and the 1 an alert."""
    load(desk, "labs.csv", WIDE + "A1,2026-03-09,4\nA2,2026-03-10,1")
    desk.clinic.review(NOW)
    assert desk.whose() == {"A1": ["4"], "A2": ["1"]}
    alerts = desk.clinic.rows(tables.AlertRow, rule="neutropenia")
    assert [it.state for it in alerts] == ["open"]
    load(desk, "labs.csv", WIDE + "A1,2026-03-09,4\nA2,2026-03-10,12\n")
    desk.clinic.review(NOW)
    assert desk.whose() == {"A1": ["4"], "A2": ["12"]}
    alerts = desk.clinic.rows(tables.AlertRow, rule="neutropenia")
    assert [it.state for it in alerts] == ["closed"]
    cut, whole = (it.id for it in desk.clinic.rows(tables.File, name="labs.csv"))
    assert batch(desk.store, cut)[1].last_row_whole_in == whole
    assert adds_up(desk)


def test_a_number_that_was_cut_short_leaves_nothing_with_the_wrong_patient(desk: Desk) -> None:
    desk.enrol("A12,azathioprine,2026-01-05,,,")
    row = "2026-03-10,neutrophils,1.4,10*9/L,A12\n"
    load(desk, "labs.csv", LAST + row[:-2])
    assert desk.whose() == {"A1": ["1.4"]}
    load(desk, "labs.csv", LAST + row)
    assert desk.whose() == {"A12": ["1.4"]}
    assert adds_up(desk)


def test_cells_of_the_row_that_had_come_whole_stay(desk: Desk) -> None:
    header = "mrn,collected_at,neutrophils [10*9/L],platelets [10*9/L]\n"
    load(desk, "labs.csv", header + "A1,2026-03-09,0.9,23")
    desk.clinic.review(NOW)
    load(desk, "labs.csv", header + "A1,2026-03-09,0.9,231\n")
    assert (desk.standing(), desk.standing("platelets")) == (["0.9"], ["231"])
    tally = desk.clinic.review(NOW)
    alerts = desk.clinic.rows(tables.AlertRow, rule="neutropenia")
    assert [it.state for it in alerts] == ["open"]
    assert tally.opened == 0
    assert adds_up(desk)


@pytest.mark.parametrize("cut", ["", "clum", '"clumps, \nplease', '"clumps, \n'])
def test_a_comment_that_was_cut_short_is_read_whole(desk: Desk, cut: str) -> None:
    """The result itself had come whole, and the same again would be a duplicate."""
    header, row = LONG[:-1] + ",comment\n", "A2,2026-03-10,platelets,90,10*9/L,"
    comment = '"clumps, \nplease repeat"' if cut.startswith('"') else "clumps"
    load(desk, "labs.csv", header + FIRST[:-1] + ",\n" + row + cut)
    report = load(desk, "labs.csv", header + FIRST[:-1] + ",\n" + row + comment + "\n")
    assert any("line 3 came whole" in note for note in report.notes)
    rows = desk.clinic.rows(tables.ResultRow, stands=True)
    assert [it.comment for it in rows] == ["", comment.strip('"')]
    assert desk.held() == []
    assert adds_up(desk)


def test_every_piece_of_a_row_in_quotes_goes(desk: Desk) -> None:
    """Each of its lines was held by itself; quotes elsewhere, even a lone one, change nothing."""
    header = LONG[:-1] + ",comment\n"
    rows = header + FIRST[:-1] + ',5" tube\nA1,2026-03-08,alt,30,U/L,"all\nwell"\n'
    last = 'A2,2026-03-10,platelets,90,10*9/L,"clumps\n\nplease\nrepeat"\n'
    for place in range(1, len(last) - 2):
        load(desk, "labs.csv", rows + last[:place])
        load(desk, "labs.csv", rows + last)
        assert desk.held() == []
        (whole,) = desk.clinic.rows(tables.ResultRow, patient_id=2, stands=True)
        assert whole.comment == "clumps\n\nplease\nrepeat"
        file_id = desk.clinic.rows(tables.File, name="labs.csv")[-1].id
        revert(desk.store, desk.settings, file_id, by="Ada", reason="again", now=NOW)
    assert adds_up(desk)


def test_no_row_goes_that_is_not_the_beginning_of_this_one(desk: Desk) -> None:
    """The same words in a file that did not begin so; a whole row whose line has no end; rows
    before the one that was cut short."""
    load(desk, "other.csv", LONG + "A1,2026-03-09,platelets,232,10*9/L\nA2,2026-03-10,neutro")
    load(desk, "labs.csv", LONG + "A1,2026-03-09,platelets,x,10*9/L\nA2,2026-03-10,neutrophils,1.4")
    load(desk, "labs.csv", LONG + "A1,2026-03-09,platelets,x,10*9/L\nA2,2026-03-10,neutrophils,1.4")
    assert sorted(it.line for it in desk.held()) == [2, 3, 3]
    load(desk, "ends.csv", LONG + FIRST + "A2,2026-03-10,alt,30,furlong")
    load(
        desk, "ends.csv", LONG + FIRST + "A2,2026-03-10,alt,30,furlong\nA2,2026-03-10,alt,31,U/L\n"
    )
    assert [it.line for it in desk.held()] == [3, 2, 3, 3]
    assert desk.held("discarded") == []


@pytest.mark.parametrize("first", [1, 2])
def test_a_whole_file_that_is_taken_back_gives_back_what_it_took(desk: Desk, first: int) -> None:
    texts = [(WIDE + "A2,2026-03-10,1"), (WIDE + "A2,2026-03-10,12\n")]
    for text in texts:
        load(desk, "labs.csv", text)
    desk.clinic.review(NOW)
    files = [it.id for it in desk.clinic.rows(tables.File, name="labs.csv")]
    batches = (files[2 - first], files[first - 1])
    revert(desk.store, desk.settings, batches[0], by="Ada", reason="wrong", now=NOW)
    assert desk.whose() == ({"A2": ["1"]} if first == 1 else {"A2": ["12"]})
    assert adds_up(desk)
    revert(desk.store, desk.settings, batches[1], by="Ada", reason="wrong", now=NOW)
    assert desk.whose() == {}
    assert adds_up(desk)


@pytest.mark.parametrize("enrolled", [True, False])
def test_what_was_cut_short_stays_away_while_another_file_has_it_whole(
    desk: Desk, *, enrolled: bool
) -> None:
    """A file that grew, and was taken in three times; the middle one is taken back."""
    if enrolled:
        desk.enrol("A12,azathioprine,2026-01-05,,,")
    row = "2026-03-10,neutrophils,1.4,10*9/L,A12\n"
    load(desk, "labs.csv", LAST + row[:-2])
    load(desk, "labs.csv", LAST + row)
    load(desk, "labs.csv", LAST + row + "2026-03-11,neutrophils,1.5,10*9/L,A12\n")
    _, middle, last = (it.id for it in desk.clinic.rows(tables.File, name="labs.csv"))
    revert(desk.store, desk.settings, middle, by="Ada", reason="wrong", now=NOW)
    assert desk.whose() == ({"A12": ["1.4", "1.5"]} if enrolled else {})
    assert adds_up(desk)
    revert(desk.store, desk.settings, last, by="Ada", reason="wrong", now=NOW)
    assert desk.whose() == {"A1": ["1.4"]}
    assert adds_up(desk)


def test_a_held_row_waits_again_once_the_whole_file_is_taken_back(desk: Desk) -> None:
    load(desk, "labs.csv", LONG + "A2,2026-03-10,neutrophils,1.")
    load(desk, "labs.csv", LONG + "A2,2026-03-10,neutrophils,1.4,10*9/L\n")
    whole = desk.clinic.rows(tables.File, name="labs.csv")[-1]
    revert(desk.store, desk.settings, whole.id, by="Ada", reason="wrong", now=NOW)
    assert [it.line for it in desk.held()] == [2]
    assert adds_up(desk)


PIECES = {
    "a day": (WIDE + "A1,2026-03-09,4\n", "A2,2026-03-10,1", "2\n", ["12"]),
    "an instant": (WIDE + "A1,2026-03-09,4\n", "A2,2026-03-10T08:00,1", "2\n", ["12"]),
    "goes on": (WIDE + "A1,2026-03-09,4\n", "A2,2026-03-10,1", "2\nA1,2026-03-10,5\n", ["12"]),
    "another's": (
        LAST + "2026-03-09,neutrophils,4,10*9/L,A1\n",
        "2026-03-10,neutrophils,1.4,10*9/L,A2",
        "2\n",
        [],
    ),
}


@pytest.mark.parametrize("name", PIECES)
def test_a_file_that_breaks_off_takes_nothing_from_the_whole_one(desk: Desk, name: str) -> None:
    """It came later, and would supersede, stand beside, or be another patient's."""
    before, row, rest, stands = PIECES[name]
    load(desk, "labs.csv", before + row + rest)
    desk.clinic.review(NOW)
    report = load(desk, "labs.csv", before + row)
    whole, piece = (it.id for it in desk.clinic.rows(tables.File, name="labs.csv"))
    assert any(f"in line 3, which batch {whole} had brought whole" in it for it in report.notes)
    assert desk.whose().get("A2", []) == stands
    desk.clinic.review(NOW)
    assert desk.clinic.rows(tables.AlertRow, rule="neutropenia") == []
    assert batch(desk.store, piece)[1].last_row_whole_in == whole
    assert adds_up(desk)
    revert(desk.store, desk.settings, whole, by="Ada", reason="wrong", now=NOW)
    assert desk.whose()["A2"] == [row.split(",")[2] if stands else "1.4"]
    assert adds_up(desk)


OTHERS = ["a correction", "a line that ends", "another file", "nothing before"]


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_piece_of_another_file_counts(desk: Desk, name: str) -> None:
    """What it corrects has to be the beginning of what stood, and nothing else may differ."""
    header = "mrn,collected_at,analyte,unit,value\n"
    first = "A1,2026-03-09,platelets,10*9/L,231\n"
    row = "A2,2026-03-10T08:00,neutrophils,10*9/L,"
    second, third = {
        "a correction": (first + row + "1.4", first + row + "0.4"),
        "a line that ends": (first + row + "1.4\n", first + row + "1\n"),
        "another file": (first + row + "1.4\n", first.replace("231", "232") + row + "1"),
        "nothing before": (row + "1.4\n", row + "1"),
    }[name]
    load(desk, "labs.csv", header + second)
    report = load(desk, "labs.csv", header + third)
    assert report.superseded >= 1
    assert desk.standing() == [third.strip().rpartition(",")[2]]
    assert adds_up(desk)


def test_a_correction_in_a_row_that_is_whole_is_no_piece(desk: Desk) -> None:
    """0.4 is the beginning of 0.42, but the line goes on behind it: it is what was measured."""
    row = FIRST + "A2,2026-03-10T08:00,neutrophils,{},10*9/L"
    load(desk, "labs.csv", LONG + row.format("0.42"))
    report = load(desk, "labs.csv", LONG + row.format("0.4"))
    assert report.superseded == 1
    assert desk.standing() == ["0.4"]
