"""A line with a date among the rows of a report that was not understood may name the next patient,
or another day: what stands below it is nobody's, or of no day, until a person says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.desk import sqlite_desk

ABOVE = ("Patient ID;P1", "Collected;2026-03-02T08:00")
HEADER = "Test;Result;Unit"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Bruno Frei, 11.02.1981", "no_mrn"),
        ("FREI Bruno (11/02/1981)", "no_mrn"),
        ("Blutbild vom 01.02.2026", "no_date"),
    ],
)
def test_rows_below_a_dated_line_are_held(
    migrated_sqlite: Path, tmp_path: Path, line: str, reason: str
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        rows = "Neutrophils;3.4;10*9/L", line, "Neutrophils;0.4;10*9/L", "Neutrophils;0.3;10*9/L"
        desk.load(*ABOVE, HEADER, *rows, header="Laboratory North 05.03.2026")
        assert desk.whose() == {"P1": ["3.4"]}
        assert [row.reason_code for row in desk.held()] == ["field_count", reason, reason]


@pytest.mark.parametrize("line", ["Laboratory North 06.03.2026", "Printed 05.03.2026 10:15"])
def test_the_head_of_each_page_says_nothing_of_its_rows(
    migrated_sqlite: Path, tmp_path: Path, line: str
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        rows = "Neutrophils;3.4;10*9/L", line, "Platelets;90;10*9/L"
        desk.load(*ABOVE, HEADER, *rows, header="Laboratory North 05.03.2026")
        assert desk.standing("platelets") == ["90"]
