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
