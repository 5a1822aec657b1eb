"""Whose the rows of a report are, by the lines above it: the number of a country counts where no
better one stands there, and where two numbers are said nobody's rows are anybody's."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.intake.survey import UnreadableFile
from tests.clinic import CONFIG
from tests.desk import Desk, sqlite_desk

HEADER = "Collected,Test,Result,Unit"
ROW = "2026-03-02T08:00,Neutrophils,0.4,10*9/L"


def enrolled(desk: Desk) -> None:
    desk.enrol("P1,azathioprine,2026-01-05,,,", "P2,azathioprine,2026-01-05,,,")


@pytest.mark.parametrize("other", ["Patient ID: P2", "Patient ID;P2", "CHI number: P2"])
def test_of_two_patients_above_a_header_the_second_is_not_lost_in_it(
    migrated_sqlite: Path, tmp_path: Path, other: str
) -> None:
    first = "NHS number: P1" if "CHI" in other else "Patient ID: P1"
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        enrolled(desk)
        with pytest.raises(UnreadableFile, match="lacks mrn"):
            desk.load(other.replace(";", ","), HEADER, ROW, header=first)
        assert desk.whose() == {}


@pytest.mark.parametrize(
    "line",
    [
        "NHS Number: P1", "NHS No.,P1", "CPR-nr.: P1", "BSN: P1", "AHV-Nr.: P1", "PESEL: P1",
        "Codice fiscale: P1", "DNI/NIE: P1", "Numéro de sécurité sociale: P1", "CPF: P1",
    ],
)  # fmt: skip
def test_the_number_of_a_country_is_the_patients(
    migrated_sqlite: Path, tmp_path: Path, line: str
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        enrolled(desk)
        desk.load("", HEADER, ROW, header=line)
        assert desk.whose() == {"P1": ["0.4"]}


def test_the_number_of_the_hospital_comes_before_that_of_the_country(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        enrolled(desk)
        desk.load("NHS Number: P2", "MRN: P1", "", HEADER, ROW, header="City Hospital 1")
        assert desk.whose() == {"P1": ["0.4"]}


def test_each_report_is_of_the_number_above_it(migrated_sqlite: Path, tmp_path: Path) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        enrolled(desk)
        later = ROW.replace("0.4", "0.3"), ROW.replace("0.4", "0.2")
        lines = (HEADER, ROW, "BSN: P2", later[0], "BSN:", later[1])
        desk.load(*lines, header="NHS Number: P1")
        assert desk.whose() == {"P1": ["0.4"], "P2": ["0.3"]}
        assert [row.reason_code for row in desk.held()] == ["no_mrn"]


def test_the_number_of_a_case_is_nobodys(migrated_sqlite: Path, tmp_path: Path) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        enrolled(desk)
        with pytest.raises(UnreadableFile, match="lacks mrn"):
            desk.load("", HEADER, ROW, header="Fallnummer: P1")


@pytest.mark.parametrize("number", ["1.23457E+11", "1,23457E+11", "1e+08"])
def test_a_number_that_became_an_amount_is_nobodys_and_never_ignored(
    migrated_sqlite: Path, tmp_path: Path, number: str
) -> None:
    config = f'{CONFIG}\n[intake]\nunknown_patients = "ignore"\n'
    with sqlite_desk(migrated_sqlite, tmp_path, config) as desk:
        enrolled(desk)
        desk.load(f'"{number}",{ROW}', f"X9,{ROW}", header=f"MRN,{HEADER}")
        [held] = desk.held()
        assert held.reason_code == "mrn_amount"
        assert "took the patient's number for an amount" in held.reason


@pytest.mark.parametrize(
    "line",
    [
        "MRN: P1   Date of birth: 01.05.1970   Sex: F",
        "Name: Keller Anna  MRN: P1",
        "MRN: P1 Referring Doctor: Dr X",
        "MRN:P1 NHS No.:943 476 5919",
        "MRN: P1 Printed: 2026-03-05 08:15",
    ],
)
def test_one_line_may_say_several_things(migrated_sqlite: Path, tmp_path: Path, line: str) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        enrolled(desk)
        desk.load("", HEADER, ROW, header=line)
        assert desk.whose() == {"P1": ["0.4"]}


@pytest.mark.parametrize(
    "line", ["Patient: P1 Keller Anna", "Patient ID: P1 (verified)", "MRN: P1 MRN: P2"]
)
def test_what_is_no_number_alone_is_nobodys_number(
    migrated_sqlite: Path, tmp_path: Path, line: str
) -> None:
    """It was held as a number of somebody who is not enrolled, to be taken in upon enrolment."""
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        enrolled(desk)
        with pytest.raises(UnreadableFile, match="lacks mrn"):
            desk.load("", HEADER, ROW, header=line)


def test_a_number_that_is_missing_among_several_things_is_nobodys(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        enrolled(desk)
        lines = HEADER, ROW, "Patient ID: Sex: F", ROW.replace("0.4", "0.3")
        desk.load(*lines, header="Patient ID: P1 Sex: M")
        assert desk.whose() == {"P1": ["0.4"]}
        assert [row.reason_code for row in desk.held()] == ["no_mrn"]


def test_a_number_may_begin_with_the_letters_of_its_hospital(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("RXH 12345,azathioprine,2026-01-05,,,")
        desk.load("", HEADER, ROW, header="MRN: RXH 12345")
        assert desk.whose() == {"RXH 12345": ["0.4"]}
