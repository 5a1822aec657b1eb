"""Columns that say what a specimen is, whatever they are called: leukocytes of the urine have the
name and the unit of those of the blood."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import Source
from monitor.core.catalogue import Catalogue
from monitor.core.catalogue_file import load_catalogue
from monitor.intake import records, table_reader
from monitor.intake.formats import open_rows
from monitor.intake.nearest import nearest_analyte
from monitor.intake.raw import RawRow
from monitor.intake.raw_blocks import one_by_one
from monitor.intake.survey import survey
from monitor.intake.table_reader import read_at_once
from monitor.intake.vocabulary import vocabulary
from monitor.resources import schedules_folder


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    text = (schedules_folder() / "analytes.toml").read_text(encoding="utf-8")
    return load_catalogue(text, "analytes.toml")


def _names(path: Path, text: str, catalogue: Catalogue) -> tuple[list[str], tuple[str, ...]]:
    path.write_text(text, encoding="utf-8")
    with open_rows(survey(path), Source(), catalogue) as found:
        rows = [it for it in found.items if isinstance(it, RawRow)]
        return [row.analyte for row in rows], tuple(found.notes)


@pytest.mark.parametrize(
    ("header", "blood", "other"),
    [
        ("标本类型", "全血", "尿液"),
        ("标本类型", "EDTA抗凝静脉血", "随机尿"),
        ("検体種別", "血液", "髄液"),
        ("검체", "EDTA혈액", "소변"),
        ("Milieu", "Sang", "LCR"),
        ("Биоматериал", "Кровь с ЭДТА", "Моча"),
        ("Materiał badany", "Krew żylna", "Mocz"),
        ("Specimen Type", "Blood", "Cord Blood"),
        ("Specimen Type", "Blood", "Platelet rich plasma"),
        ("Specimen", "Venous blood", "Cord blood"),
        ("Specimen", "Blood", "Platelet rich plasma"),
        ("Sample ID", "EDTA-Blut", "Nabelschnurblut"),
        ("Muestra", "Sangre", "Saliva"),
        ("a name that nobody knows", "whatever is blood there", "Urine"),
        ("a name that nobody knows", "", "Urin"),
        ("Box", "A", "CSF"),
    ],
)
def test_what_is_of_no_blood_is_kept_apart_under_any_header(
    tmp_path: Path, catalogue: Catalogue, header: str, blood: str, other: str
) -> None:
    lines = [
        f"mrn,collected,{header},test,result,unit",
        f"P1,2026-03-13,{blood},WBC,3900,/uL",
        f"P1,2026-03-13,{other},WBC,20,/uL",
    ]
    found, _ = _names(tmp_path / "file.csv", "\n".join(lines), catalogue)
    assert found == ["WBC", f"WBC ({other})"]


@pytest.mark.parametrize(
    "cell", ["Bone Marrow", "MSU", "Urology", "Urine culture pending", "EMU", "blood and urine"]
)
def test_a_ward_or_a_sentence_in_an_unknown_column_says_nothing(
    tmp_path: Path, catalogue: Catalogue, cell: str
) -> None:
    lines = ["mrn,collected,Sent from,test,result,unit", f"P1,2026-03-13,{cell},WBC,0.4,10^9/L"]
    found, notes = _names(tmp_path / "file.csv", "\n".join(lines), catalogue)
    assert found == ["WBC"]
    assert not any("specimen" in note for note in notes)


def test_the_wide_form_too_and_the_report_says_so(tmp_path: Path, catalogue: Catalogue) -> None:
    lines = [
        "mrn,collected,Tube,WBC [10*9/L],creatinine [umol/L]",
        "P1,2026-03-13,A,3.9,80",
        "P1,2026-03-13,Urine,0.02,9000",
    ]
    found, notes = _names(tmp_path / "file.csv", "\n".join(lines), catalogue)
    assert found == ["WBC", "creatinine", "WBC (Urine)", "creatinine (Urine)"]
    said = [note for note in notes if "specimen" in note]
    assert len(said) == 1
    assert said[0].startswith('"Tube" says what the specimen is, by its cells')


def test_a_known_column_of_specimens_has_the_last_word(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    lines = [
        "mrn,collected,Specimen Type,X,test,result,unit",
        "P1,2026-03-13,Blood,Urine,WBC,4,G/L",
    ]
    found, _ = _names(tmp_path / "file.csv", "\n".join(lines), catalogue)
    assert found == ["WBC"]


def test_in_a_large_file_one_specimen_far_below_is_seen(
    tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "BLOCKS_FROM", 1)
    monkeypatch.setattr(records, "BLOCK_CHARACTERS", 400)
    monkeypatch.setattr(table_reader, "AT_ONCE_FROM", 1)
    blood = [f"P1,2026-03-0{n % 9 + 1},{n},EDTA,WBC,{n}.5,G/L" for n in range(300)]
    urine = "P1,2026-03-05,x,Urine,WBC,25,/uL"
    path = tmp_path / "file.csv"
    path.write_text("\n".join(["mrn,collected_at,note no,tube,test,value,unit", *blood, urine]))
    at_once = read_at_once(survey(path), Source(), catalogue)
    assert at_once is not None
    with pytest.raises(table_reader.SaysOtherwise):
        list(at_once.rows())
    (table,), _ = table_reader.read_tables(survey(path), Source(), catalogue)
    rows = [it for it in one_by_one(table.rows()) if isinstance(it, RawRow)]
    assert [row.analyte for row in rows if row.analyte != "WBC"] == ["WBC (Urine)"]


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("Leukozyten (Stix)", ""),
        ("Leukocytes, dipstick", ""),
        ("Leukozyten Sediment", ""),
        ("Leukozytn", "white_cells"),
    ],
)
def test_what_a_strip_or_the_sediment_shows_is_not_suggested_as_a_count(
    catalogue: Catalogue, name: str, suggested: str
) -> None:
    found = nearest_analyte(catalogue, name, ["/ul"])
    assert found == (f'did you mean "{suggested}"?' if suggested else "")


def test_blood_that_is_not_the_patients_own_is_no_blood_of_the_patient() -> None:
    known = vocabulary()
    assert not any(map(known.is_blood_material, ["Cord blood", "Blood product", "脐带血"]))
    assert all(map(known.is_blood_material, ["Blood", "Venous blood", "血清（SST）", "Сыворотка"]))
