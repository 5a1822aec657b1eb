"""A line beside a table that says of the whole report what kind of one it is: no row below
`PRELIMINARY REPORT` is final."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.vocabulary import Status
from monitor.intake.banners import banner_in
from monitor.store import tables
from tests.desk import Desk, sqlite_desk

LONG = "mrn,collected_at,analyte,value,unit"
ROW = "P1,2026-03-02,neutrophils,0.4,10*9/L"


def statuses(desk: Desk) -> dict[str, str]:
    return {row.analyte: row.status for row in desk.clinic.rows(tables.ResultRow)}


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("PRELIMINARY REPORT", Status.PRELIMINARY),
        ("*** Preliminary results, subject to change ***", Status.PRELIMINARY),
        ("City Lab,,PRELIMINARY", Status.PRELIMINARY),
        ("Report: preliminary", Status.PRELIMINARY),
        ("Vorläufiger Befund - Endbefund folgt", Status.PRELIMINARY),
        ("Résultats non validés", Status.PRELIMINARY),
        ("Voorlopige uitslag", Status.PRELIMINARY),
        ("CORRECTED REPORT", Status.CORRECTED),
        ("Final report", Status.FINAL),
        ("Provisional diagnosis", Status.FINAL),
        ("Partial thromboplastin time", Status.FINAL),
    ],
)
def test_the_line_above_says_it_of_every_row(
    migrated_sqlite: Path, tmp_path: Path, line: str, status: Status
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        desk.load(LONG, ROW, header=line)
        assert statuses(desk) == {"neutrophils": status}


def test_a_status_of_a_rows_own_comes_first_and_no_row_is_taken_for_a_banner(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        desk.load(
            f"{LONG},status",
            f"{ROW},",
            "P1,,lymphocytes,0.3,10*9/L,Final",
            "P1,2026-03-02,platelets,300,10*9/L,final",
            "CORRECTED REPORT,,,,,",
            "P1,2026-03-02,hemoglobin,130,g/L,",
            header="PRELIMINARY REPORT",
        )
        assert statuses(desk) == {
            "neutrophils": Status.PRELIMINARY,
            "platelets": Status.FINAL,
            "hemoglobin": Status.CORRECTED,
        }
        assert [row.reason_code for row in desk.held()] == ["no_date"]


def test_what_stands_below_a_report_that_is_none_is_held(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        desk.load(LONG, ROW, header="CANCELLED REPORT")
        assert desk.standing() == []
        assert [row.reason for row in desk.held()] == ['unknown status "CANCELLED REPORT"']


def test_a_cell_of_a_row_is_no_banner() -> None:
    assert banner_in(["P1", "Final"], above=False) == ""
    assert banner_in(["Final", "P1", "WBC"], above=False) == ""
    assert banner_in(["Cancelled tests: 2"], above=True) == ""
