"""Which numbers of a merge message end: those like the one that stays, in whatever order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.intake.load import load_file
from monitor.intake.report import FileReport
from tests.desk import NOW, Desk, sqlite_desk
from tests.hl7_messages import obx, oru


@pytest.fixture
def desk(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    """Two numbers are enrolled, and the one that will end has a result."""
    with sqlite_desk(migrated_sqlite, tmp_path) as made:
        for mrn in ("100", "101"):
            made.clinic.enrol(mrn, "2026-01-05", baseline=False)
        made.clinic.results("101", "2026-03-02", {"neutrophils": "1.1"})
        yield made


def merge(desk: Desk, stays: str, ends: str, event: str = "A40^ADT_A39") -> FileReport:
    header = f"MSH|^~\\&|A|N|M|C|20260303110000||ADT^{event}|9|P|2.5.1"
    path = desk.folder / f"merge{desk.number}.hl7"
    desk.number += 1
    path.write_text("\r".join([header, f"PID|1||{stays}", f"MRG|{ends}"]) + "\r")
    return load_file(desk.store, desk.settings, path, "", NOW)


@pytest.mark.parametrize(
    ("stays", "ends"),
    [
        ("100^^^A^MR~200^^^B^MR", "201^^^B^MR~101^^^A^MR"),
        ("200^^^B^PI~100^^^A^MR", "201^^^B^PI~101^^^A^MR"),
        ("100^^^A^MR", "201^^^B^MR~101^^^A"),
        ("100^^^A", "102^^^A~101^^^A"),
        ("100^^^&dns.example&DNS^PI", "9013^^^&1.2.3&ISO^PI~101^^^&dns.example&DNS"),
        ("100^^^A^PI~77^^^NHS^NH", "77^^^NHS^NH~101^^^A^PI"),
        ("100", "101"),
        ("100^^^A^MR", "101"),
        ("100^^^A^MR", "101^^^A^PI"),
        ("|100^^^A", "102^^^B^PI~101^^^A"),
    ],
)
def test_the_number_of_the_same_issuer_and_type_ends(desk: Desk, stays: str, ends: str) -> None:
    report = merge(desk, stays, ends)
    assert (report.rows, report.other_messages) == (0, 1)
    assert desk.whose() == {"100": ["1.1"]}


@pytest.mark.parametrize("ends", ["102~101", "9013^^^&1.2.3&ISO^PI~101"])
def test_a_number_that_may_be_something_else_is_not_followed_but_held(
    desk: Desk, ends: str
) -> None:
    """101 may be an account: it is for a person to say."""
    report = merge(desk, "100", ends)
    assert (report.quarantined, report.other_messages) == (1, 1)
    assert "enrolled" in desk.held()[0].reason
    assert "101" not in desk.held()[0].reason
    assert desk.whose() == {"101": ["1.1"]}


def test_a_further_number_of_nobody_or_of_the_same_patient_is_no_row(desk: Desk) -> None:
    assert merge(desk, "100^^^A^MR", "101^^^A^MR~555^^^C^PT").rows == 0
    again = merge(desk, "100^^^A^MR", "103^^^A^MR~101^^^A^PT")
    assert again.rows == 0, "101 is 100 by now"


def test_a_number_that_stays_does_not_end(desk: Desk) -> None:
    report = merge(desk, "101^^^A^MR~100^^^A^MR", "100^^^A^MR~101^^^A^MR")
    assert (report.rows, report.other_messages) == (0, 1)
    assert desk.whose() == {"101": ["1.1"]}


def test_a_merge_of_persons_is_one_of_patients(desk: Desk) -> None:
    merge(desk, "100^^^A^MR", "101^^^A^MR", "A30")
    assert desk.whose() == {"100": ["1.1"]}


def test_later_results_under_a_number_that_ended_follow(desk: Desk) -> None:
    merge(desk, "100^^^A^MR~200^^^B^MR", "201^^^B^MR~101^^^A^MR")
    path = desk.folder / "later.hl7"
    message = oru(obx("751-8^Neutrophils^LN", "1.2"), mrn="101", specimen="S9")
    path.write_text(message.replace("^^^NORTH^", "^^^A^").replace("|Keller^Anna||19700501|F", ""))
    load_file(desk.store, desk.settings, path, "", NOW)
    assert desk.whose() == {"100": ["1.1", "1.2"]}
