"""The first row of a table is never lost in a header that is only half understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.intake.survey import UnreadableFile
from tests.desk import sqlite_desk

ROWS = ("WBC,3.1 L,x10E3/uL,3.4-10.8", "Platelets,90,x10E3/uL,150-450", "ALT,<5,U/L,0-50")


@pytest.mark.parametrize("first", range(len(ROWS)))
def test_a_header_without_a_column_we_know_takes_no_row_along(
    migrated_sqlite: Path, tmp_path: Path, first: int
) -> None:
    rows = (*ROWS[first:], *ROWS[:first])
    above = (
        "Patient ID: P1",
        "Date Collected: 2026-03-02",
        "Quantity,Result,Units,Reference Interval",
    )
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        with pytest.raises(UnreadableFile, match="the header lacks analyte"):
            desk.load(*above, *rows, header="Laboratory North")
        report = desk.load(*above[:2], above[2].replace("Quantity", "Tests"), *rows, header="North")
        assert (report.rows, report.stored) == (3, 3)
