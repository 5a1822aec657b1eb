"""Comparators in a column of their own: understood where they mean one thing, and never passed
over where a source says that the column is one of comparators."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clinic import CONFIG
from tests.desk import Desk, sqlite_desk

HEADER = "mrn,collected_at,analyte,value,unit,"
MAPPED = f'{CONFIG}\n[sources.north.columns]\ncomparator = "sign"\n'


def load(desk: Desk, column: str, value: str, *words: str) -> tuple[list[str], int]:
    """What stands of rows with a value and a word beside it, and how many are held."""
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    lines = [
        f"P1,2026-03-02T08:{n:02},neutrophils,{value},10*9/L,{it}" for n, it in enumerate(words)
    ]
    source = "north" if column == "sign" else ""
    desk.load(*lines, header=f"{HEADER}{column}", source=source)
    return desk.standing(), len(desk.held())


@pytest.mark.parametrize("column", ["sign", "comparator", "RESULT_NUM_MODIFIER"])
@pytest.mark.parametrize(
    ("words", "read"),
    [
        (("L", "below", "LT", "kleiner als"), "<0.4"),
        (("LE", "≤"), "<=0.4"),
        (("G", "&gt;", "4172704"), ">0.4"),
        (("GE", ">="), ">=0.4"),
        (("E", "EQ", "=", "4172703", "NI", ""), "0.4"),
    ],
)
def test_a_comparator_is_what_its_column_says(
    migrated_sqlite: Path, tmp_path: Path, column: str, words: tuple[str, ...], read: str
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path, MAPPED) as desk:
        assert load(desk, column, "0.4", *words) == ([read] * len(words), 0)


def test_a_number_without_a_nought_has_its_comparator_too(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        assert load(desk, "Result Modifier", ".4", "LT") == (["<0.4"], 0)


@pytest.mark.parametrize("word", ["H", "~", "NE", "4035566"])
def test_a_word_that_nobody_knows_holds_its_row(
    migrated_sqlite: Path, tmp_path: Path, word: str
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path, MAPPED) as desk:
        assert load(desk, "sign", "0.4", word) == ([], 1)
        [held] = desk.held()
        assert (held.reason_code, held.analyte) == ("comparator", "neutrophils")
        assert held.possible_values == "0.4"
        assert held.reason == (
            "neutrophils: a word in the column of comparators that says none we know"
        )
        assert f'"{word}"' in held.hint and 'comparator = ""' in held.hint


def test_a_column_that_is_only_called_like_one_counts_where_it_is_understood(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    words = ("H", "L", "below", "XN-1000")
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        assert load(desk, "Qualifier", "0.4", *words) == (["0.4"] * 4, 0)


def test_a_sign_in_a_column_without_a_name_before_the_value_belongs_to_it(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    """`<0.5` is below 0.5, and 0.5 is not."""
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        rows = (
            "P1;2026-03-02T08:00;neutrophils;<;0.5;10*9/L",
            "P1;2026-03-03T08:00;neutrophils;;2.5;10*9/L",
            "P1;2026-03-04T08:00;neutrophils;x;3.5;10*9/L",
        )
        desk.load(*rows, header="mrn;collected_at;analyte;;value;unit")
        assert desk.standing() == ["2.5", "3.5", "<0.5"]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("NEUT [10*9/L],NEUT comparator,WBC [10*9/L]", "0.5,<,3"),
        ("NEUT [10*9/L],NEUT sign,WBC [10*9/L]", "0.5,<,3"),
        (",NEUT [10*9/L],WBC [10*9/L]", "<,0.5,3"),
        ("Op,NEUT [10*9/L],Ward,WBC [10*9/L]", "<,0.5,East,3"),
    ],
)
def test_a_sign_beside_an_analyte_of_the_wide_form(
    migrated_sqlite: Path, tmp_path: Path, header: str, row: str
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        desk.load(f"P1,2026-03-02T08:00,{row}", header=f"mrn,collected_at,{header}")
        assert desk.standing() == ["<0.5"]
        assert desk.standing("white_cells") == ["3"]


def test_signs_of_a_large_file_are_read_alike(migrated_sqlite: Path, tmp_path: Path) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        rows = [
            f"P1;{2000 + n // 336}-{n // 28 % 12 + 1:02}-{n % 28 + 1:02}T08:00;neutrophils;"
            f"{'<' if n == 1999 else ''};0.5;10*9/L"
            for n in range(2000)
        ]
        desk.load(*rows, header="mrn;collected_at;analyte;;value;unit")
        assert desk.standing().count("<0.5") == 1


def test_what_is_no_comparator_beside_no_value_is_the_result_itself(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        assert load(desk, "TVAL_CHAR", "", "clotted", "<0.3", "E", "L") == (
            ["<0.3", "clotted", "empty value", "empty value"],
            0,
        )
        assert load(desk, "TVAL_CHAR", "", "few seen")[1] == 1


@pytest.mark.parametrize(
    ("columns", "cells", "stands"),
    [
        ("value,X,unit", "0.5,<,10*9/L", "<0.5"),
        ("value,RELATIVE_INDICATOR,unit", "0.5,<,10*9/L", "<0.5"),
        ("unit,RELATIVE_INDICATOR,note,value", "10*9/L,<,,0.5", "<0.5"),
        ("unit,value,X", "10*9/L,0.5,<", "<0.5"),
        ("value,unit,X,status", "0.5,10*9/L,<,F", "<0.5"),
        # It may be that of the limits.
        ("unit,value,X,ref_high", "10*9/L,0.5,<,7.5", "0.5"),
        ("unit,value,X,range", "10*9/L,0.5,<,7.5", "0.5"),
        ("value,unit,X,ref_high", "0.5,10*9/L,<,7.5", "0.5"),
    ],
)
def test_a_sign_behind_the_value_belongs_to_it_where_no_limits_follow(
    migrated_sqlite: Path, tmp_path: Path, columns: str, cells: str, stands: str
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        header = f"mrn,collected_at,analyte,{columns}"
        desk.load(f"P1,2026-03-02T08:00,neutrophils,{cells}", header=header)
        assert desk.standing() == [stands]
