"""A line of units below or above the names, in tables that hold more than we know."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import Source
from monitor.core.catalogue import Catalogue
from monitor.core.catalogue_file import load_catalogue
from monitor.intake.formats import open_rows
from monitor.intake.raw import BadLine, RawRow
from monitor.intake.survey import survey
from monitor.resources import schedules_folder

NAMES = "Patient ID,Date,WBC,MCHC,Glucose,NRBC,PLT,Urine albumin,ALT/AST"
UNITS = ",,10^9/L,g/dL,mmol/L,/100 WBC,10^9/L,mg/L,ratio"
LIMITS = ",,4.0-10.0,32-36,3.9 - 5.5,<1,150-400,0-20,"
ROW = "1,2026-01-05,3.1,33,5.0,0,88,12,1.1"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    text = (schedules_folder() / "analytes.toml").read_text(encoding="utf-8")
    return load_catalogue(text, "analytes.toml")


def _rows(path: Path, lines: list[str], catalogue: Catalogue) -> list[str]:
    path.write_text("\n".join(lines), encoding="utf-8")
    with open_rows(survey(path), Source(), catalogue) as found:
        rows = [it for it in found.items if isinstance(it, RawRow)]
    return [f"{it.analyte} {it.value} {it.unit} {it.ref_low} {it.ref_high}".strip() for it in rows]


@pytest.mark.parametrize(
    "lines",
    [
        [NAMES, UNITS, ROW],
        [UNITS, NAMES, ROW],
        [NAMES, UNITS.replace(",,", "Unit,,", 1), ROW],
    ],
)
def test_units_of_what_nobody_knows_stand_beside_those_of_ours(
    tmp_path: Path, catalogue: Catalogue, lines: list[str]
) -> None:
    found = _rows(tmp_path / "file.csv", lines, catalogue)
    assert found == ["WBC 3.1 10^9/L", "PLT 88 10^9/L"]


def test_brackets_around_a_unit_are_none_of_it(tmp_path: Path, catalogue: Catalogue) -> None:
    units = UNITS.replace("10^9/L", "[10^9/L]", 1).replace(",10^9/L", ",(10(3)/uL)")
    found = _rows(tmp_path / "file.csv", [NAMES, units, ROW], catalogue)
    assert found == ["WBC 3.1 10^9/L", "PLT 88 (10(3)/uL)"]


def test_so_do_limits(tmp_path: Path, catalogue: Catalogue) -> None:
    found = _rows(tmp_path / "file.csv", [NAMES, UNITS, LIMITS, ROW], catalogue)
    assert found == ["WBC 3.1 10^9/L 4.0 10.0", "PLT 88 10^9/L 150 400"]


def test_beside_limits_a_row_may_end_in_a_separator_and_one_too_long_is_said_to_be(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    path = tmp_path / "file.csv"
    found = _rows(path, [NAMES, UNITS, LIMITS, f"{ROW},"], catalogue)
    assert found == ["WBC 3.1 10^9/L 4.0 10.0", "PLT 88 10^9/L 150 400"]
    path.write_text("\n".join([NAMES, UNITS, LIMITS, ROW, f"{ROW},x"]), encoding="utf-8")
    with open_rows(survey(path), Source(), catalogue) as read:
        bad = [it for it in read.items if isinstance(it, BadLine)]
    assert [(it.line, it.reason) for it in bad] == [(5, "10 fields where the header names 9")]


@pytest.mark.parametrize(
    "line",
    [
        "2,,10^9/L,g/dL,mmol/L,/100 WBC,10^9/L,mg/L,ratio",
        ",2026-01-04,10^9/L,g/dL,mmol/L,/100 WBC,10^9/L,mg/L,ratio",
        ",,10^9/L,33,mmol/L,/100 WBC,10^9/L,mg/L,ratio",
        ",,10^9/L,,,,88,,",
    ],
)
def test_a_row_of_somebody_is_no_line_of_units(
    tmp_path: Path, catalogue: Catalogue, line: str
) -> None:
    found = _rows(tmp_path / "file.csv", [NAMES, line, ROW], catalogue)
    assert found[-2:] == ["WBC 3.1", "PLT 88"]


@pytest.mark.parametrize("title", ["WBC (CSF)", "WBC [Urine]", "Leukocytes (pleural fluid)"])
def test_another_material_in_brackets_is_no_unit(
    tmp_path: Path, catalogue: Catalogue, title: str
) -> None:
    lines = [f"mrn,collected,WBC [G/L],{title}", "1,2026-01-05,3.1,2"]
    assert _rows(tmp_path / "file.csv", lines, catalogue) == ["WBC 3.1 G/L"]
