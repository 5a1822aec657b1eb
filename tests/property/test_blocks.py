"""Rows taken in as columns, in blocks, end as the same rows taken in one by one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from monitor.intake import plain_results, records, table_reader
from monitor.intake.report import FileReport
from monitor.intake.survey import UnreadableFile
from monitor.store import tables
from monitor.store.database import open_store
from tests.clinic import at
from tests.desk import Desk

_HEADER = (
    "mrn,collected_at,analyte,value,unit,ref_low,ref_high,specimen_id,status,reported_at,comment"
)
_PEOPLE = ("P1,azathioprine,2026-01-05,,,", "P2,azathioprine,2026-01-05,Muster,Anna,1970-01-01")
_OFTEN = 40
"""Times as often as each of the odd ones comes the plain one."""


def _cell(plain: Sequence[str], *odd: str) -> SearchStrategy[str]:
    return st.sampled_from([*(list(plain) * _OFTEN), *odd])


_LINES = st.tuples(
    _cell(["P1", "P2"], " p1", "X9", "", "0P1", "P-1"),
    _cell(
        ["2026-03-02T08:00", "2026-03-03T09:30:00", "2026-03-04"],
        "03/04/2026", "13/03/2026", "2027-01-01", "", "soon", "2026-03-29 02:30",
    ),
    _cell(["neutrophils", "lymphocytes", "hemoglobin"], "731-0", "Neutrophils ", "unobtainium", ""),
    _cell(["4.2", "1.1", "0.5"], "<0.1", "0,5", "clotted", "", "12*", "-1", "4.20", "99999", "60"),
    _cell(["10*9/L"], "G/L", "%", "", "g/dL", "furlong"),
    _cell([""], "1.8", "0", "x", "NULL"),
    _cell([""], "7.5", "1.0", "NA"),
    _cell(["", "S1", "S2"], "s1 ", "serum", "urine", "NULL", "-", "00"),
    _cell(["", "F"], "C", "P", "W", "X", "I", "zz", "NULL", "F - Final"),
    _cell([""], "2026-03-05T10:00", "soon", "NULL"),
    _cell([""], "platelet clumps", '"a, b"', "NULL"),
).map(",".join)  # fmt: skip
_ODD_LINES = st.sampled_from(
    ["", ",,,,,,,,,,", "P1,2026-03-02", _HEADER, 'P1,"2026', "*** end of report ***", "P1;4.2"]
)
_FILES = st.one_of(
    st.lists(_LINES, min_size=6, max_size=30),
    st.lists(st.one_of(*[_LINES] * 12, _ODD_LINES), min_size=1, max_size=24),
)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with two patients, for each example to copy."""
    folder = tmp_path_factory.mktemp("blocks")
    store = open_store(f"sqlite:///{folder / 'monitor.db'}")
    store.migrate()
    Desk(store, folder).enrol(*_PEOPLE)
    store.dispose()
    return folder / "monitor.db"


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(first=_FILES, second=_FILES, size=st.integers(60, 1200), rows=st.sampled_from([1, 5, 99]))
@example(
    first=["P1,2026-03-02T08:00,neutrophils,4.2,10*9/L,,,,W,,", *["P1,2026-03-02T08:00,neutrophils,4.2,10*9/L,,,,,,"] * 2],
    second=["P1,2026-03-02T08:00,neutrophils,4.2,10*9/L,,,,,,"],
    size=400,
    rows=99,
)  # fmt: skip
@example(
    first=[
        "P1,2026-03-02T08:00,lymphocytes,1.1,10*9/L,,,,F,,",
        "P2,2026-03-02T08:00,lymphocytes,,10*9/L,,,S2,F,,",
        'P2,2026-03-04,neutrophils,0.5,10*9/L,,,S1,,,"a, b"',
        "P1,2026-03-02T08:00,neutrophils,4.2,10*9/L,,,S2,,,",
        "P2,2026-03-04,neutrophils,1.1,10*9/L,,,S1,F,,",
    ],
    second=[],
    size=89,
    rows=1,
)
def test_blocks_end_as_the_rows_one_by_one(
    clinic: Path, tmp_path: Path, first: list[str], second: list[str], size: int, rows: int
) -> None:
    files = (first, [*second, *first[:5]])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(records, "BLOCKS_FROM", 1 << 30)
        alone = _taken_in(clinic, tmp_path / "alone", files)
        patched.setattr(records, "BLOCKS_FROM", 1)
        patched.setattr(records, "BLOCK_CHARACTERS", size)
        patched.setattr(records, "_KEPT_IN_MEMORY", size)
        patched.setattr(plain_results, "ROWS_TOGETHER", rows)
        together = _taken_in(clinic, tmp_path / "together", files)
        patched.setattr(table_reader, "AT_ONCE_FROM", 1)
        at_once = _taken_in(clinic, tmp_path / "at once", files)
    assert together == alone
    assert at_once == alone


def _taken_in(clinic: Path, folder: Path, files: Sequence[Sequence[str]]) -> Any:
    """Everything that is there after these files, and their reports."""
    with _desk(clinic, folder) as desk:
        reports = [_load(desk, lines) for lines in files]
        results = {row.id: row._mapping for row in desk.clinic.rows(tables.ResultRow)}
        held = {row.id: row._mapping for row in desk.clinic.rows(tables.HeldRowTable)}
        pieces = {row.id: {"file_id": row.id, "line": 0} for row in desk.clinic.rows(tables.File)}
        rows_of: dict[str, Any] = {"result": results, "held": held, "settled": held, "cut": pieces}
        repeats = [
            (row.what, row.file_id, row.line, _place(rows_of[row.what][row.row_id]))
            for row in desk.clinic.rows(tables.Repeat)
        ]
        files_kept = [row._mapping for row in desk.clinic.rows(tables.File)]
        woken = [row.next_review_at for row in desk.clinic.rows(tables.EnrolmentRow)]
        return reports, _rows(results), _rows(held), sorted(repeats), files_kept, woken


@contextmanager
def _desk(clinic: Path, folder: Path) -> Iterator[Desk]:
    folder.mkdir(exist_ok=True)
    shutil.copy(clinic, folder / "monitor.db")
    store = open_store(f"sqlite:///{folder / 'monitor.db'}")
    try:
        yield Desk(store, folder)
    finally:
        store.dispose()


def _load(desk: Desk, lines: Sequence[str]) -> FileReport | str:
    try:
        return desk.load(*lines, header=_HEADER, now=at("2026-03-10"))
    except UnreadableFile as refused:
        return str(refused)


def _place(row: Any) -> tuple[int, int]:
    return row["file_id"], row["line"]


def _rows(rows: dict[int, Any]) -> list[Any]:
    """Rows by their place, without the number the database gave them, and without what a held
    one may mean: that goes by the units of the rows read so far, in whatever portions."""
    left = ("id", "possible_values")
    plain = [{name: it for name, it in row.items() if name not in left} for row in rows.values()]
    return sorted(plain, key=lambda row: (_place(row), str(row)))
