"""Several columns that may be one of ours: what stands beside a value needs no choice of a person,
and no comment is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import Source
from monitor.core.catalogue import Catalogue
from monitor.core.catalogue_file import load_catalogue
from monitor.intake import records
from monitor.intake.formats import open_rows
from monitor.intake.raw import RawRow
from monitor.intake.raw_blocks import one_by_one
from monitor.intake.survey import UnreadableFile, survey
from monitor.intake.table_reader import read_tables
from monitor.resources import schedules_folder


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    text = (schedules_folder() / "analytes.toml").read_text(encoding="utf-8")
    return load_catalogue(text, "analytes.toml")


def _read(
    path: Path, header: str, cells: str, catalogue: Catalogue, **mapping: object
) -> tuple[RawRow, tuple[str, ...]]:
    text = f"mrn,collected_at,test,result,unit,{header}\nP1,2026-03-13,PLT,44,G/L,{cells}\n"
    path.write_text(text, encoding="utf-8")
    with open_rows(survey(path), Source.model_validate(mapping), catalogue) as found:
        (row,) = [it for it in found.items if isinstance(it, RawRow)]
        return row, tuple(found.notes)


@pytest.mark.parametrize(
    ("header", "cells", "comment"),
    [
        ("Comments,Remarks", "seen,platelet clumps", "seen\nplatelet clumps"),
        ("Result Comment,COMPONENT_COMMENT", ",platelet clumps", "platelet clumps"),
        ("Notes,Comment", "platelet clumps,", "platelet clumps"),
        ("Комментарий,Примечание", "a,a", "a"),
    ],
)
def test_every_column_of_comments_counts(
    tmp_path: Path, catalogue: Catalogue, header: str, cells: str, comment: str
) -> None:
    row, notes = _read(tmp_path / "file.csv", header, cells, catalogue)
    assert row.comment == comment
    assert not any("not used" in note for note in notes)


def test_a_source_that_wants_no_comments_gets_none(tmp_path: Path, catalogue: Catalogue) -> None:
    columns = {"comment": ""}
    row, _ = _read(tmp_path / "a.csv", "Comments,Remarks", "a,b", catalogue, columns=columns)
    assert row.comment == ""


def test_of_several_ranges_and_days_of_the_report_the_first_is_taken(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    row, _ = _read(
        tmp_path / "file.csv",
        "Reference Range,Normal Range,Report Date,Reported On",
        "150-400,1-2,2026-03-14,2026-03-15",
        catalogue,
    )
    assert (row.ref_low, row.ref_high, row.reported_at) == ("150", "400", "2026-03-14")


@pytest.mark.parametrize(
    ("cells", "analyte"),
    [
        ("Left arm,Blood", "PLT"),
        (",Blood", "PLT"),
        ("Urine,Blood", "PLT (Urine)"),
        ("Left arm,Urine", "PLT (Urine)"),
        ("Venipuncture,", "PLT"),
    ],
)
def test_the_source_of_a_specimen_beside_its_kind_only_says_what_is_no_blood(
    tmp_path: Path, catalogue: Catalogue, cells: str, analyte: str
) -> None:
    row, _ = _read(tmp_path / "file.csv", "Specimen Source,Specimen Type", cells, catalogue)
    assert row.analyte == analyte


def test_two_days_of_collection_are_still_a_question(tmp_path: Path, catalogue: Catalogue) -> None:
    path = tmp_path / "file.csv"
    path.write_text(
        "mrn,Visit Date,Test Date,test,result,unit\nP1,2026-03-13,2026-03-14,PLT,4,G/L\n"
    )
    with (
        pytest.raises(UnreadableFile, match="several columns that may be collected_at"),
        open_rows(survey(path), Source(), catalogue),
    ):
        pass


def test_comments_of_blocks_too(
    tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "BLOCKS_FROM", 1)
    monkeypatch.setattr(records, "BLOCK_CHARACTERS", 150)
    path = tmp_path / "file.csv"
    plain = [f"P1,2026-03-0{n % 9 + 1},PLT,{n}.5,G/L,," for n in range(30)]
    lines = [*plain, "P1,2026-03-05,PLT,25,G/L,,clumped", *plain]
    path.write_text("\n".join(["mrn,collected_at,test,value,unit,comment,remarks", *lines]))
    (table,), _ = read_tables(survey(path), Source(), catalogue)
    rows = [it for it in one_by_one(table.rows()) if isinstance(it, RawRow)]
    assert [row.comment for row in rows if row.comment] == ["clumped"]
