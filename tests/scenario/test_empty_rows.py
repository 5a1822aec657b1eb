"""A row without a value beside the number of the same result in the same file, as a line for a
comment is, never takes the place of that number."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.intake import records
from monitor.store import tables
from tests.desk import Desk, sqlite_desk

HEADER = "mrn,collected_at,analyte,value,unit,status,reported_at,comment"
NUMBER = "P1,2026-03-02T08:00,platelets,30,10*9/L,,2026-03-02T11:00,"
REMARK = "P1,2026-03-02T08:00,platelets,,,,,platelet clumps seen"


def _enrolled(desk: Desk) -> None:
    desk.enrol("P1,azathioprine,2026-01-05,,,")


def _comments(desk: Desk) -> list[tuple[str, str]]:
    rows = desk.clinic.rows(tables.ResultRow, analyte="platelets", stands=True)
    return [(row.comment, row.doubtful_comment) for row in rows]


def test_a_number_stands_and_has_the_comment_of_the_line_below_it(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        _enrolled(desk)
        report = desk.load(NUMBER, REMARK, header=HEADER)
        assert (report.stored, report.ignored) == (1, 1)
        assert any("their comments are the number's" in note for note in report.notes)
        assert desk.standing("platelets") == ["30"]
        assert _comments(desk) == [("platelet clumps seen", "platelet clumps")]


@pytest.mark.parametrize(
    ("line", "stands"),
    [
        (REMARK.replace(",,,,,", ",,,,2026-03-02T11:00,"), "30"),
        (REMARK.replace(",,,,,", ",,,,2026-03-02T12:00,"), "empty value"),
        (REMARK.replace(",,,,,", ",,,C,,"), "empty value"),
        (REMARK.replace(",,,,,", ",,,P,,"), "30"),
        (REMARK.replace(",,,,,", ",clotted,,,2026-03-02T11:00,"), "clotted"),
        (NUMBER.replace(",30,", ",31,"), "31"),
    ],
)
def test_only_what_says_nothing_is_a_remark(
    migrated_sqlite: Path, tmp_path: Path, line: str, stands: str
) -> None:
    """A later report, a correction and words for no result are reports of their own."""
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        _enrolled(desk)
        desk.load(NUMBER, line, header=HEADER)
        assert desk.standing("platelets") == [stands]


def test_so_it_is_where_the_file_repeats_what_is_known(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        _enrolled(desk)
        desk.load(NUMBER, header=HEADER)
        report = desk.load(NUMBER, REMARK, header=HEADER)
        assert (report.duplicate, report.ignored) == (1, 1)
        assert (desk.standing("platelets"), len(_comments(desk))) == (["30"], 1)
        again = desk.load(NUMBER, REMARK, NUMBER.replace("-02T", "-03T"), header=HEADER)
        assert (again.stored, again.ignored) == (1, 1)
        assert _comments(desk)[0] == ("platelet clumps seen", "platelet clumps")


def test_an_empty_row_of_another_file_is_a_report(migrated_sqlite: Path, tmp_path: Path) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        _enrolled(desk)
        desk.load(NUMBER.replace("2026-03-02T11:00", ""), header=HEADER)
        desk.load(REMARK, header=HEADER)
        assert desk.standing("platelets") == ["empty value"]


def test_so_it_is_in_a_large_file(
    migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "BLOCKS_FROM", 1)
    monkeypatch.setattr(records, "BLOCK_CHARACTERS", 200)
    others = [f"P1,2026-02-{n % 28 + 1:02}T{n % 20:02}:30,alt,{n}5,U/L,,," for n in range(40)]
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        _enrolled(desk)
        report = desk.load(NUMBER, *others[:20], REMARK, *others[20:], header=HEADER)
        assert (report.stored, report.ignored) == (41, 1)
        assert _comments(desk) == [("platelet clumps seen", "platelet clumps")]
