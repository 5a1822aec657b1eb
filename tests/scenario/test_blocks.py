"""Large files go in by blocks of rows, on either database (small blocks stand for large files;
that they end as single rows do is shown in `tests/property/test_blocks.py`)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.config import Source
from monitor.core.catalogue_file import load_catalogue
from monitor.intake import records, shapes, table_reader
from monitor.intake.raw import RawRow
from monitor.intake.raw_blocks import RawBlock, one_by_one
from monitor.intake.survey import UnreadableFile, survey
from monitor.intake.table_reader import read_tables
from monitor.resources import schedules_folder
from monitor.store import tables
from monitor.store.database import Store
from tests.desk import Desk

_HEADER = "mrn,collected_at,analyte,value,unit,ref_low,ref_high,specimen_id,reported_at,comment"


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BLOCKS_FROM", 1)
    monkeypatch.setattr(records, "BLOCK_CHARACTERS", 150)
    monkeypatch.setattr(table_reader, "AT_ONCE_FROM", 1)


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    desk = Desk(store, tmp_path)
    desk.enrol("P1,azathioprine,2026-01-05,,,", "P2,azathioprine,2026-01-05,,,")
    return desk


def test_plain_lines_come_in_blocks_and_odd_ones_between_them(tmp_path: Path) -> None:
    plain = [f"P1,2026-03-0{n % 9 + 1},neutrophils,{n}.5,G/L" for n in range(30)]
    lines = ["mrn,collected_at,analyte,value,unit", *plain, 'P1,2026-03-01,alt,"2",U/L', *plain]
    path = tmp_path / "file.csv"
    path.write_text("\n".join(lines))
    text = (schedules_folder() / "analytes.toml").read_text(encoding="utf-8")
    catalogue = load_catalogue(text, "analytes.toml")
    (table,), _ = read_tables(survey(path), Source(), catalogue)
    found = list(table.rows())
    blocks = [it for it in found if isinstance(it, RawBlock)]
    assert sum(it.rows for it in blocks) + len(found) - len(blocks) == 61
    assert sum(it.rows for it in blocks) > 50


@pytest.mark.parametrize("word", ["NULL", "NA", "-", "N/A", "None", "0", "(null)"])
def test_what_stands_in_place_of_a_specimens_number_ties_nothing_together(
    desk: Desk, word: str
) -> None:
    """Two draws of one day were one specimen "NULL", and the worse of them gone."""
    report = desk.load(
        f"P1,2026-03-02T08:00,neutrophils,0.4,G/L,,,{word},,",
        f"P1,2026-03-02T18:00,neutrophils,1.2,G/L,,,{word},,",
        header=_HEADER,
    )
    assert (report.stored, report.superseded) == (2, 0)
    assert desk.standing() == ["0.4", "1.2"]


def test_a_column_in_which_a_program_wrote_null_says_nothing(desk: Desk) -> None:
    report = desk.load(
        "P1,2026-03-02T08:00,neutrophils,0.4,G/L,NULL,NA,NULL,NaN,NULL",
        "P1,NULL,neutrophils,0.4,G/L,,,,,",
        header=_HEADER,
    )
    assert (report.stored, report.quarantined) == (1, 1)
    (row,) = desk.clinic.rows(tables.ResultRow)
    assert (row.comment, row.specimen_id, row.reported_at) == ("", "", None)
    assert [it.reason_code for it in desk.held()] == ["no_date"]


def test_every_cell_arrives_as_it_was_sent(desk: Desk) -> None:
    remark = "tab\there, back\\slash, ä".replace(",", ";")
    report = desk.load(
        *[f"P{n % 2 + 1},2026-03-0{n % 9 + 1}T08:30:00,neutrophils,{n}.50,G/L,1.8,7.5,"
          f"T{n},2026-03-09T10:00:00,{remark}" for n in range(18)],
        header=_HEADER,
    )  # fmt: skip
    assert (report.rows, report.stored) == (18, 18)
    row = desk.clinic.rows(tables.ResultRow, line=13)[0]
    assert (row.value, row.received_value, row.received_unit) == (Decimal("11.50"), "11.50", "G/L")
    assert (row.ref_low, row.ref_high, row.specimen_id) == (Decimal("1.8"), Decimal("7.5"), "T11")
    assert (row.collected_on, row.timed, row.comment) == (date(2026, 3, 3), True, remark)
    assert row.collected_at.isoformat() == "2026-03-03T07:30:00+00:00"
    assert (
        row.reported_at is not None and row.reported_at.isoformat() == "2026-03-09T09:00:00+00:00"
    )
    assert row.stands and not row.taken_back and row.home_id is None


def test_orders_of_urine_are_kept_apart_in_blocks_too(tmp_path: Path) -> None:
    blood = [f"P1,2026-03-0{n % 9 + 1},CBC,WBC,{n}.5,G/L" for n in range(30)]
    urine = "P1,2026-03-05,Urinalysis,WBC,25,/uL"
    path = tmp_path / "file.csv"
    path.write_text("\n".join(["mrn,collected_at,panel,test,value,unit", *blood, urine, *blood]))
    text = (schedules_folder() / "analytes.toml").read_text(encoding="utf-8")
    (table,), _ = read_tables(survey(path), Source(), load_catalogue(text, "analytes.toml"))
    found = list(table.rows())
    assert sum(it.rows for it in found if isinstance(it, RawBlock)) > 40
    rows = [it for it in one_by_one(found) if isinstance(it, RawRow)]
    assert len(rows) == 61
    assert {row.line: row.analyte for row in rows if row.analyte != "WBC"} == {
        32: "WBC (Urinalysis)"
    }


def test_what_stands_follows_corrections_in_other_blocks_and_files(desk: Desk) -> None:
    header = "mrn,collected_at,analyte,value,unit,status"
    lines = [f"P1,2026-02-{day:02},neutrophils,4.{day},G/L," for day in range(1, 21)]
    again = "P1,2026-02-03,neutrophils,1.9,G/L,C"
    first = desk.load(*lines, again, header=header)
    assert (first.stored, first.superseded) == (20, 1)
    second = desk.load(*lines, "P1,2026-02-04,neutrophils,4.4,G/L,W", header=header)
    assert (second.duplicate, second.withdrawn) == (20, 1)
    assert len(desk.standing()) == 19
    assert "1.9" in desk.standing() and "4.3" not in desk.standing()


def test_who_is_not_enrolled_is_held_and_goes_in_with_the_enrolment(desk: Desk) -> None:
    header = "mrn,collected_at,analyte,value,unit"
    lines = [f"P{n % 3 + 1},2026-02-{n:02},neutrophils,4.{n},G/L" for n in range(1, 22)]
    report = desk.load(*lines, header=header)
    assert (report.stored, report.quarantined) == (14, 7)
    desk.enrol("P3,azathioprine,2026-01-05,,,")
    assert len(desk.standing()) == 21 and not desk.held()
    assert desk.load(*lines, "P1,2026-03-01,neutrophils,3,G/L", header=header).duplicate == 21


@pytest.mark.parametrize(
    ("last", "day"), [("13/02/2026", date(2026, 1, 2)), ("02/13/2026", date(2026, 2, 1))]
)
def test_what_the_end_of_a_file_says_of_its_dates_holds_for_its_beginning(
    desk: Desk, last: str, day: date
) -> None:
    header = "mrn,collected_at,analyte,value,unit"
    lines = [f"P{n % 2 + 1},02/01/2026,neutrophils,{n}.5,G/L" for n in range(2, 30)]
    report = desk.load(*lines, f"P1,{last},neutrophils,3.5,G/L", header=header)
    assert any(f"line {len(lines) + 2} can be read no other way" in it for it in report.notes)
    found = {row.collected_on for row in desk.clinic.rows(tables.ResultRow)}
    assert found == {day, date(2026, 2, 13)}


def test_lines_below_the_rows_are_no_rows_in_a_file_that_is_read_at_once(desk: Desk) -> None:
    header = "mrn,collected_at,analyte,value,unit"
    lines = [f"P{n % 2 + 1},2026-02-{n:02},neutrophils,4.{n},G/L" for n in range(2, 22)]
    report = desk.load(*lines, "end of report,,,,", header=header)
    assert (report.stored, report.rows, report.problems) == (20, 20, ())
    assert f"line {len(lines) + 2} below the rows: no rows" in report.notes


def test_a_file_that_turns_out_to_be_of_another_notation_leaves_nothing(desk: Desk) -> None:
    header = "mrn,collected_at,analyte,value,unit"
    source = Source(header=header.split(","), date_format="month_first", decimal_comma=False)
    desk.settings = desk.settings.model_copy(update={"sources": {"lab": source}})
    lines = [f"P{n % 2 + 1},02/03/2026,neutrophils,4.{n},G/L" for n in range(2, 22)]
    with pytest.raises(UnreadableFile, match="dates are day first"):
        desk.load(*lines, "P1,13/02/2026,neutrophils,4.2,G/L", header=header, source="lab")
    assert not desk.clinic.rows(tables.ResultRow)
    assert "file2.csv" not in [it.name for it in desk.clinic.rows(tables.File)]


@pytest.mark.parametrize(
    ("first", "second", "row"),
    [
        (
            "mrn,collected_at,neutrophils [G/L],lymphocytes [G/L]",
            "mrn,collected_at,lymphocytes [G/L],neutrophils [G/L]",
            "P1,2026-03-0{},1.5,0.3",
        ),
        (
            "mrn,collected_at,analyte,value,unit,ref_low",
            "mrn,collected_at,analyte,ref_low,unit,value",
            "P1,2026-03-0{},neutrophils,1.5,G/L,0.3",
        ),
        (
            "mrn,collected_at,analyte,value,unit,ref_low",
            "mrn,collected_at,analyte,ref_low,unit,value,comment",
            "P1,2026-03-0{},neutrophils,1.5,G/L,0.3,",
        ),
    ],
)
def test_rows_of_a_large_file_are_never_read_under_a_header_before_their_own(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, first: str, second: str, row: str
) -> None:
    monkeypatch.setattr(table_reader, "_SMALL", 0)
    above = [f"P2,2026-02-{n:02},{row.split(',', 2)[2].rstrip(',')}" for n in range(1, 21)]
    desk.load(*above, second, *map(row.format, range(1, 10)), header=first)
    mine = desk.clinic.rows(tables.ResultRow, patient_id=1, analyte="neutrophils")
    assert [str(it.value) for it in mine] == ["0.3"] * 9
    others = desk.clinic.rows(tables.ResultRow, patient_id=2, analyte="neutrophils")
    assert [str(it.value) for it in others] == ["1.5"] * 20
    assert not desk.held()


@pytest.mark.parametrize(
    "lines",
    [
        [
            "mrn,collected_at,neutrophils [G/L],lymphocytes [G/L]",
            "P1,2026-03-02,4.2,1.1",
            "mrn,collected_at,lymphocytes [G/L],neutrophils [G/L]",
            "P1,2026-03-03,1.1,0.3",
        ],
        [
            "Patient ID: P1",
            "collected_at,neutrophils [G/L]",
            "2026-03-02,4.2",
            "Patient ID: P2",
            "collected_at,neutrophils [G/L]",
            "2026-03-03,0.3",
        ],
    ],
)
def test_a_file_too_long_to_see_under_which_lines_its_rows_stand_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, lines: list[str]
) -> None:
    monkeypatch.setattr(table_reader, "_SMALL", 0)
    monkeypatch.setattr(shapes, "_MOST_RECORDS", 2)
    with pytest.raises(UnreadableFile, match="load it in parts"):
        desk.load(*lines[1:], header=lines[0])
    assert not desk.clinic.rows(tables.ResultRow)


def test_a_day_that_says_no_date_is_held_from_among_plain_rows_too(desk: Desk) -> None:
    header = "mrn,collected_at,analyte,value,unit"
    lines = [f"P1,2026-02-{n:02},neutrophils,4.{n},G/L" for n in range(1, 21)]
    report = desk.load(*lines, "P1,1900-01-01,neutrophils,0.3,G/L", *lines[:2], header=header)
    assert (report.stored, report.quarantined, report.duplicate) == (20, 1, 2)
    assert "programs write" in desk.held()[0].reason


def test_units_below_the_names_are_read_in_a_large_file_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_reader, "_SMALL", 0)
    lines = [f"P{n % 2 + 1},2026-02-{n:02},4.{n},2{n}" for n in range(1, 21)]
    report = desk.load(",,10*9/L,U/L", *lines, header="mrn,collected_at,neutrophils,alt")
    assert (report.rows, report.stored) == (40, 40)
