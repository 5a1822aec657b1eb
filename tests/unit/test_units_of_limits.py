"""A unit that stands nowhere but behind the limits is that of the value beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import Source
from monitor.core.catalogue import Catalogue
from monitor.core.catalogue_file import load_catalogue
from monitor.intake.formats import open_rows
from monitor.intake.measure import Measures
from monitor.intake.measured import Measure
from monitor.intake.ranges import range_of
from monitor.intake.raw import RawRow
from monitor.intake.survey import survey
from monitor.resources import schedules_folder

CUMULATIVE = """\
"Patient ID: 5011",,,
Component,Latest Ref Rng & Units,1/5/2026,1/19/2026
WBC,4.0 - 11.0 x10E3/uL,3.9 (L),2.1 (L)
ALT,0 - 44 IU/L,30,CANCELED
"""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    text = (schedules_folder() / "analytes.toml").read_text(encoding="utf-8")
    return load_catalogue(text, "analytes.toml")


def _rows(path: Path, text: str, catalogue: Catalogue) -> tuple[list[RawRow], tuple[str, ...]]:
    path.write_text(text, encoding="utf-8")
    with open_rows(survey(path), Source(), catalogue) as found:
        return [it for it in found.items if isinstance(it, RawRow)], tuple(found.notes)


def test_a_report_that_tells_units_behind_the_limits_alone_is_read(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    rows, _ = _rows(tmp_path / "file.csv", CUMULATIVE, catalogue)
    assert [f"{it.analyte} {it.value} {it.unit} {it.ref_low} {it.ref_high}" for it in rows] == [
        "WBC 3.9 (L) x10E3/uL 4.0 11.0",
        "WBC 2.1 (L) x10E3/uL 4.0 11.0",
        "ALT 30 IU/L 0 44",
        "ALT CANCELED IU/L 0 44",
    ]
    measured = Measures(catalogue, Source()).measure(rows[1].analyte, rows[1].value, rows[1].unit)
    assert isinstance(measured, Measure)


@pytest.mark.parametrize(
    ("row", "meant"),
    [
        ("WBC,2.1 L,,4.0-11.0 10^3/uL", "10^3/uL"),
        ("WBC,2.1,NULL,4.0-11.0 10^3/uL", "10^3/uL"),
        ("ALT,52,,<45 U/L", "U/L"),
        # Its own unit, in its column or behind the number, is the better one.
        ("WBC,2100,/uL,4.0-11.0 10^3/uL", "/uL"),
        ("Hemoglobin,12.1 g/dL,,120-160 g/L", ""),
        # What is no unit of the test, or a word, is none.
        ("ALT,52,,0-45 fasting", ""),
        ("ALT,52,,0-45 mmol/L", ""),
        ("ALT,52,,0-45", ""),
        ("ALT,52,,men 0-45 U/L", ""),
    ],
)
def test_it_counts_only_where_the_value_has_none(
    tmp_path: Path, catalogue: Catalogue, row: str, meant: str
) -> None:
    text = f"mrn,collected,test,result,unit,range\nP1,2026-03-13,{row}\n"
    rows, notes = _rows(tmp_path / "file.csv", text, catalogue)
    assert rows[0].unit == meant
    assert not any("behind the limits" in note for note in notes)


def test_the_report_says_so_where_no_column_is_one_of_units(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    text = "mrn,collected,test,result,range\nP1,2026-03-13,WBC,2.1,4.0-11.0 K/uL\n"
    rows, notes = _rows(tmp_path / "file.csv", text, catalogue)
    assert rows[0].unit == "K/uL"
    assert "a unit behind the limits is that of the value where the value has none" in notes


def test_what_is_behind_the_limits() -> None:
    assert range_of("4.0 - 11.0 x10E3/uL") == ("4.0", "11.0", "x10E3/uL")
    assert range_of("< 45 U/L") == ("", "45", "U/L")
    assert range_of("> 60 %") == ("60", "", "%")
    assert range_of("3,9 - 10,2") == ("3,9", "10,2", "")
    assert range_of("negative") == ("", "", "")


@pytest.mark.parametrize(
    ("header", "row", "meant"),
    [
        ("reference_unit", "ALT,45,U/L,0.17,0.67,ukat/L", "45 U/L"),
        ("Ref Range Units", "Hemoglobin,13.1,g/dL,120,160,g/L", "13.1 g/dL"),
        ("reference_unit", "ALT,45,U/L,7,56,IU/L", "45 U/L 7 56"),
        ("reference_unit", "ALT,45,U/L,7,56,", "45 U/L 7 56"),
        ("reference_unit", "ALT,45,U/L,7,56,adults", "45 U/L 7 56"),
    ],
)
def test_limits_of_another_unit_in_a_column_of_its_own_are_none_of_the_value(
    tmp_path: Path, catalogue: Catalogue, header: str, row: str, meant: str
) -> None:
    text = f"mrn,collected,test,result,unit,ref_low,ref_high,{header}\nP1,2026-03-13,{row}\n"
    ((found,), _) = _rows(tmp_path / "file.csv", text, catalogue)
    assert f"{found.value} {found.unit} {found.ref_low} {found.ref_high}".strip() == meant


def test_a_unit_and_its_name_that_mean_different_things_are_no_unit(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    text = (
        "person_id,measurement_datetime,measurement_source_value,value_as_number,"
        "unit_source_value,unit_concept_name\n"
        "P1,2026-03-01 08:00:00,718-7,13.1,g/dL,gram per liter\n"
        "P1,2026-03-01 08:00:00,777-3,200,K/uL,thousand per microliter\n"
        "P1,2026-03-01 08:00:00,1742-6,45,U/L,No matching concept\n"
    )
    rows, _ = _rows(tmp_path / "file.csv", text, catalogue)
    assert [it.unit for it in rows] == ["g/dL, named gram per liter", "K/uL", "U/L"]
    held = Measures(catalogue, Source()).measure(rows[0].analyte, rows[0].value, rows[0].unit)
    assert not isinstance(held, Measure)


def test_the_unit_that_a_set_gives_all_hospitals_stands_beside_that_of_each(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    text = (
        "patientunitstayid,collected,labname,labresult,labmeasurenamesystem,labmeasurenameinterface\n"
        "S1,2026-03-01 08:00,WBC x 1000,12.3,K/mcL,x10 3/uL\n"
        "S1,2026-03-01 08:00,WBC x 1000,12.3,K/mcL,/mm3\n"
        "S1,2026-03-01 08:00,WBC x 1000,12.3,K/mcL,10\n"
        "S1,2026-03-01 08:00,WBC x 1000,12.3,K/mcL,\n"
    )
    rows, _ = _rows(tmp_path / "file.csv", text, catalogue)
    assert [it.unit for it in rows] == ["x10 3/uL", "/mm3, named K/mcL", "10", "K/mcL"]
