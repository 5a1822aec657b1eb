"""Rows that a column of their own marks as deleted: they may be so, and they may be the ones that
count."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clinic import at
from tests.desk import Desk, sqlite_desk

NOW = at("2026-03-14")
COLUMNS = "mrn,collected,test,result,unit"


@pytest.fixture
def desk(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(migrated_sqlite, tmp_path) as found:
        yield found


@pytest.mark.parametrize(
    ("header", "stands", "marked"),
    [
        ("voided", "0", "1"),
        ("Is Deleted", "FALSE", "TRUE"),
        ("Entered in error", "", "x"),
        ("storniert", "nein", "ja"),
        ("voided", "NULL", "2026-03-14"),
    ],
)
def test_a_marked_row_is_held_and_the_others_are_stored(
    desk: Desk, header: str, stands: str, marked: str
) -> None:
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    report = desk.load(
        f"P1,2026-03-10T08:00,neutrophils,4.1,10*9/L,{stands}",
        f"P1,2026-03-11T08:00,neutrophils,5.1,10*9/L,{marked}",
        header=f"{COLUMNS},{header}",
        now=NOW,
    )
    assert (report.stored, report.quarantined) == (1, 1)
    (row,) = desk.held()
    assert row.reason == f"the row is marked as deleted: {marked}"
    assert desk.standing() == ["4.1"]


def test_it_does_not_take_away_the_result_in_its_place(desk: Desk) -> None:
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    report = desk.load(
        "P1,2026-03-10T08:00,neutrophils,9.1,10*9/L,F,1",
        "P1,2026-03-10T08:00,neutrophils,0.9,10*9/L,F,0",
        header=f"{COLUMNS},status,voided",
        now=NOW,
    )
    assert (report.stored, report.quarantined) == (1, 1)
    assert desk.standing() == ["0.9"]


def test_nor_do_flags_for_statuses_let_it_in(desk: Desk) -> None:
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    report = desk.load(
        "P1,2026-03-10T08:00,neutrophils,9.1,10*9/L,H,1",
        "P1,2026-03-11T08:00,neutrophils,0.9,10*9/L,L,0",
        "P1,2026-03-12T08:00,neutrophils,3.9,10*9/L,N,0",
        header=f"{COLUMNS},status,voided",
        now=NOW,
    )
    assert (report.stored, report.quarantined) == (2, 1)
    assert desk.standing() == ["0.9", "3.9"]


def test_the_wide_form_too(desk: Desk) -> None:
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    report = desk.load(
        "P1,2026-03-10T08:00,9.1,200,true",
        "P1,2026-03-11T08:00,0.9,100,false",
        header="mrn,collected,neutrophils [10*9/L],platelets [10*9/L],deleted",
        now=NOW,
    )
    assert (report.stored, report.quarantined) == (2, 2)
    assert desk.standing() == ["0.9"]
