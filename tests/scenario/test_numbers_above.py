"""Whose the rows of a report are, by the lines above it: where two numbers are said, nobody's."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.intake.survey import UnreadableFile
from tests.desk import Desk, sqlite_desk

HEADER = "Collected,Test,Result,Unit"
ROW = "2026-03-02T08:00,Neutrophils,0.4,10*9/L"


def enrolled(desk: Desk) -> None:
    desk.enrol("P1,azathioprine,2026-01-05,,,", "P2,azathioprine,2026-01-05,,,")


@pytest.mark.parametrize("other", ["Patient ID: P2", "Patient ID;P2"])
def test_of_two_patients_above_a_header_the_second_is_not_lost_in_it(
    migrated_sqlite: Path, tmp_path: Path, other: str
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        enrolled(desk)
        with pytest.raises(UnreadableFile, match="lacks mrn"):
            desk.load(other.replace(";", ","), HEADER, ROW, header="Patient ID: P1")
        assert desk.whose() == {}
