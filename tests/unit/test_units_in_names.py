"""`WBC (K/uL)` as the name of a test, in a table that has a column of units besides."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import Source
from monitor.core.catalogue import Catalogue
from monitor.core.catalogue_file import load_catalogue
from monitor.intake import records
from monitor.intake.formats import open_rows
from monitor.intake.known_names import known_of
from monitor.intake.raw import RawRow
from monitor.intake.raw_blocks import RawBlock, one_by_one
from monitor.intake.survey import survey
from monitor.intake.table_reader import read_tables
from monitor.resources import schedules_folder


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    text = (schedules_folder() / "analytes.toml").read_text(encoding="utf-8")
    return load_catalogue(text, "analytes.toml")


@pytest.mark.parametrize(
    ("name", "unit", "read"),
    [
        ("WBC (K/uL)", "K/uL", "WBC | K/uL"),
        ("WBC (10^9/L)", "K/uL", "WBC | K/uL"),
        ("Platelets (10^9/L)", "", "Platelets | 10^9/L"),
        ("Platelets (10^9/L)", "NULL", "Platelets | 10^9/L"),
        ("ALT [U/L]", "U/L", "ALT | U/L"),
        ("Creatinine [mg/dL]", "mg/dL", "Creatinine | mg/dL"),
        ("Neutrófilos (mm3)", "/mm3", "Neutrófilos | /mm3"),
        ("Neutrophils (10^9/L)", "10^9/L", "Neutrophils | 10^9/L"),
        # What the two say is not the same: nobody knows such a name.
        ("Neutrophils (10^9/L)", "%", "Neutrophils (10^9/L) | %"),
        ("Creatinine (mg/dL)", "umol/L", "Creatinine (mg/dL) | umol/L"),
        ("Platelets (10^9/L)", "furlong", "Platelets (10^9/L) | furlong"),
        ("Platelets (mm3)", "", "Platelets (mm3) |"),
        ("Hemoglobin (A1c)", "%", "Hemoglobin (A1c) | %"),
        ("WBC (urine)", "/uL", "WBC (urine) | /uL"),
        ("Neutrophils (%)", "%", "Neutrophils (%) | %"),
        ("WBC x 1000", "", "WBC x 1000 |"),
        ("Neutrophils (%)", "", "Neutrophils (%) | %"),
        ("LYMPH %", "", "LYMPH % | %"),
        ("% Lymphocytes", "NULL", "% Lymphocytes | %"),
        ("LYMPH %", "10^9/L", "LYMPH % | 10^9/L"),
        ("neutrophils_percent", "", "neutrophils_percent |"),
    ],
)
def test_a_unit_that_the_name_repeats_is_no_part_of_it(
    tmp_path: Path, catalogue: Catalogue, name: str, unit: str, read: str
) -> None:
    path = tmp_path / "file.csv"
    path.write_text(f"mrn,collected,test,result,unit\nP1,2026-03-13,{name},3,{unit}\n")
    with open_rows(survey(path), Source(), catalogue) as found:
        (row,) = [it for it in found.items if isinstance(it, RawRow)]
    assert f"{row.analyte} | {row.unit}".strip() == read


def test_in_blocks_too(
    tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "BLOCKS_FROM", 1)
    monkeypatch.setattr(records, "BLOCK_CHARACTERS", 150)
    path = tmp_path / "file.csv"
    plain = [f"P1,2026-03-0{n % 9 + 1},WBC,{n}.5,G/L" for n in range(30)]
    lines = [*plain, "P1,2026-03-05,PLT (G/L),25,G/L", *plain]
    path.write_text("\n".join(["mrn,collected_at,test,value,unit", *lines]))
    (table,), _ = read_tables(survey(path), Source(), catalogue)
    found = list(table.rows())
    assert sum(it.rows for it in found if isinstance(it, RawBlock)) > 40
    rows = [it for it in one_by_one(found) if isinstance(it, RawRow)]
    assert [row.analyte for row in rows if row.analyte != "WBC"] == ["PLT"]


def test_the_same_unit_in_other_letters_is_the_same(catalogue: Catalogue) -> None:
    known = known_of(Source(), catalogue)
    assert known.same_unit("WBC", "K/uL", "G/L")
    assert not known.same_unit("WBC", "K/uL", "/uL")
    assert not known.same_unit("WBC", "nonsense", "nonsense")
