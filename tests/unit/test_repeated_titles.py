"""Columns of one name, each behind the one of an analyte: a flag, a unit, a range for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import Source
from monitor.core.catalogue import Catalogue
from monitor.core.catalogue_file import load_catalogue
from monitor.intake.formats import open_rows
from monitor.intake.raw import RawRow
from monitor.intake.survey import UnreadableFile, survey
from monitor.resources import schedules_folder


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    text = (schedules_folder() / "analytes.toml").read_text(encoding="utf-8")
    return load_catalogue(text, "analytes.toml")


def _rows(path: Path, text: str, catalogue: Catalogue) -> list[str]:
    path.write_text(text, encoding="utf-8")
    with open_rows(survey(path), Source(), catalogue) as found:
        rows = [it for it in found.items if isinstance(it, RawRow)]
    return [
        f"{it.analyte} {it.value} {it.unit} {it.ref_low} {it.ref_high} {it.comment}".strip()
        for it in rows
    ]


@pytest.mark.parametrize(
    ("header", "cells", "read"),
    [
        (
            "WBC [G/L],Flag,PLT [G/L],Flag",
            "3.1,L,88,clumped",
            ["WBC 3.1 G/L", "PLT 88 G/L   clumped"],
        ),
        ("WBC,Unit,PLT,Unit", "3100,/uL,88,G/L", ["WBC 3100 /uL", "PLT 88 G/L"]),
        (
            "WBC,Unit,Ref Range,PLT,Unit,Ref Range",
            "3.1,G/L,4-10,88,G/L,150-400",
            ["WBC 3.1 G/L 4 10", "PLT 88 G/L 150 400"],
        ),
        ("WBC [G/L],Flag,NRBC,Flag,PLT [G/L],Flag", "3.1,,0,,88,", ["WBC 3.1 G/L", "PLT 88 G/L"]),
    ],
)
def test_what_is_said_of_each_value_is_told_apart(
    tmp_path: Path, catalogue: Catalogue, header: str, cells: str, read: list[str]
) -> None:
    text = f"mrn,collected,{header}\nP1,2026-03-13,{cells}\n"
    assert _rows(tmp_path / "file.csv", text, catalogue) == read


def test_two_comments_of_one_name_both_count(tmp_path: Path, catalogue: Catalogue) -> None:
    text = "mrn,collected,test,result,unit,Comment,Comment\nP1,2026-03-13,PLT,88,G/L,a,clumped\n"
    assert _rows(tmp_path / "file.csv", text, catalogue) == ["PLT 88 G/L   a\nclumped"]


@pytest.mark.parametrize("twice", ["Result", "Unit", "MRN"])
def test_a_column_of_the_long_form_twice_is_still_refused(
    tmp_path: Path, catalogue: Catalogue, twice: str
) -> None:
    text = f"MRN,collected,test,Result,Unit,{twice}\nP1,2026-03-13,PLT,88,G/L,1\n"
    with pytest.raises(UnreadableFile, match="names a column twice"):
        _rows(tmp_path / "file.csv", text, catalogue)
