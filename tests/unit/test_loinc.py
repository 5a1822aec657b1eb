"""LOINC codes with the name of their system beside them decide like bare ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import Source
from monitor.core.catalogue import Catalogue
from monitor.core.catalogue_file import load_catalogue
from monitor.intake.formats import open_rows
from monitor.intake.loinc import without_system
from monitor.intake.measure import Measures
from monitor.intake.raw import RawRow
from monitor.intake.survey import survey
from monitor.resources import schedules_folder


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    text = (schedules_folder() / "analytes.toml").read_text(encoding="utf-8")
    return load_catalogue(text, "analytes.toml")


@pytest.mark.parametrize(
    "code",
    [
        "LOINC:6690-2",
        "loinc 6690-2",
        "LN:6690-2",
        "LOINC|6690-2",
        "http://loinc.org|6690-2",
        "https://loinc.org/6690-2",
        "http://loinc.org#6690-2",
        "urn:oid:2.16.840.1.113883.6.1|6690-2",
        "6690-2^Leukocytes^LN",
        "LN^6690-2^Leukocytes",
        "6690-2 (LOINC)",
        "6690-2|LOINC",
    ],
)
def test_the_system_beside_a_code_is_no_part_of_it(code: str, catalogue: Catalogue) -> None:
    assert without_system(code) == "6690-2"
    found = Measures(catalogue, Source()).analyte(code)
    assert found is not None and found.name == "white_cells"


@pytest.mark.parametrize(
    "code", ["LOINC:6690-3", "LNX 6690-2", "6690-2/7", "PLN6690-2", "6690-2", "WBC", "LN", ""]
)
def test_what_is_none_stays_as_it_is(code: str) -> None:
    assert without_system(code) == code


@pytest.mark.parametrize("form", ["LOINC:{}", "http://loinc.org|{}", "{}^Leukocytes^LN"])
def test_a_code_of_the_urine_is_not_read_by_its_name(
    tmp_path: Path, catalogue: Catalogue, form: str
) -> None:
    path = tmp_path / "file.csv"
    codes = ("5821-4", "20405-7", "6690-2")
    lines = [f"P1,2026-03-13,{form.format(code)},Leukocytes,30,/uL" for code in codes]
    path.write_text("\n".join(["patient_id,effective_date,code,display,value,unit", *lines]))
    with open_rows(survey(path), Source(), catalogue) as found:
        rows = [it for it in found.items if isinstance(it, RawRow)]
    assert [row.analyte for row in rows] == list(codes)


def test_a_source_may_map_the_code_as_it_writes_it(tmp_path: Path, catalogue: Catalogue) -> None:
    path = tmp_path / "file.csv"
    path.write_text("mrn,collected_at,code,value,unit\nP1,2026-03-13,LOINC:5821-4,30,/uL\n")
    source = Source(codes={"LOINC:5821-4": "white_cells"})
    with open_rows(survey(path), source, catalogue) as opened:
        (row,) = [it for it in opened.items if isinstance(it, RawRow)]
    assert row.analyte == "LOINC:5821-4"
    found = Measures(catalogue, source).analyte(row.analyte)
    assert found is not None and found.name == "white_cells"
