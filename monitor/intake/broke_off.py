"""A file that broke off within its last row, after all of it had been taken in.

The bytes of the whole file are not there any more, so nothing proves it. A file is taken for a
piece of another where it ends without the end of a line, every row before was a row of that file at
the same line, and what the last row says is the beginning of what stood there: 23 of 231, the
number A1 of A12. What was read of it would supersede the whole, for it came later.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, union, union_all

from monitor.intake.cut_short import Cut, Whole
from monitor.intake.held import HELD
from monitor.intake.repeats import REPEATS
from monitor.intake.survey import Survey
from monitor.store import tables
from monitor.store.tables import table_of

_FILES = table_of(tables.File)
_PATIENTS = table_of(tables.Patient)
_RESULTS = table_of(tables.ResultRow)
_READINGS = table_of(tables.ReadingRow)
_MOST_OF_A_ROW = 500
"""Results of one row of the wide form, and more than there are."""


class _Said(NamedTuple):
    """What a row says, as it was written."""

    analyte: str
    day: str
    written: tuple[str, ...]
    """Number, value and unit."""

    def begins(self, whole: _Said) -> bool:
        same = (self.analyte, self.day) == (whole.analyte, whole.day)
        pairs = zip(self.written, whole.written, strict=True)
        return same and self != whole and all(it.startswith(mine) for mine, it in pairs)


def broke_off(connection: Connection, file: Whole) -> tuple[Cut, int] | None:
    """The last row of this file, where it breaks off, and the file that had brought all of it."""
    is_table = file.survey.format == "csv" and file.counts["duplicate"]
    if not is_table or not 0 < file.new <= _MOST_OF_A_ROW or _ends(file.survey):
        return None
    lines = _lines_of(connection, file.id)
    if len(lines) != 1:
        return None
    (line,) = lines
    mine = _said(connection, _RESULTS.c.file_id == file.id)
    for whole in _files_with_all_before(connection, file, line) if mine else ():
        theirs = _said(connection, _of(whole, line)) + _held(connection, whole, line)
        if all(any(it.begins(other) for other in theirs) for it in mine):
            return Cut(file.id, line, line), whole
    return None


def _ends(survey: Survey) -> bool:
    """Whether the last line does."""
    with survey.open() as stream:
        stream.seek(max(survey.size - 4, 0))
        return stream.read().rstrip(b"\0").endswith((b"\n", b"\r"))


def _lines_of(connection: Connection, file_id: int) -> set[int]:
    """The lines of the rows that this file was the first to bring."""
    both = (select(it.c.line).where(it.c.file_id == file_id) for it in (_RESULTS, HELD))
    return set(connection.scalars(union(*both)))


def _files_with_all_before(connection: Connection, file: Whole, line: int) -> list[int]:
    """Files of the source that have each row that this one repeats, at the same line; the latest
    first. None where it repeats nothing above its last line."""
    mine = (
        select(REPEATS.c.what, REPEATS.c.row_id, REPEATS.c.line)
        .where(REPEATS.c.file_id == file.id, REPEATS.c.what.in_(("result", "held")))
        .subquery()
    )
    other = REPEATS.alias()
    again = and_(other.c.what == mine.c.what, other.c.row_id == mine.c.row_id)
    theirs = union_all(
        *(
            select(table.c.file_id, mine.c.what, mine.c.row_id).join(
                mine, and_(mine.c.what == what, table.c.id == mine.c.row_id)
            ).where(table.c.line == mine.c.line)
            for what, table in (("result", _RESULTS), ("held", HELD))
        ),
        select(other.c.file_id, mine.c.what, mine.c.row_id)
        .join(mine, again)
        .where(other.c.line == mine.c.line, other.c.file_id != file.id),
    ).subquery()  # fmt: skip
    wanted, first = connection.execute(select(func.count(), func.min(mine.c.line))).one()
    if not wanted or first >= line:
        return []
    query = (
        select(theirs.c.file_id)
        .join(_FILES, _FILES.c.id == theirs.c.file_id)
        .where(
            _FILES.c.kind == "results",
            _FILES.c.source == file.source,
            _FILES.c.reverted_at.is_(None),
        )
        .group_by(theirs.c.file_id)
        .having(func.count() == wanted)
        .order_by(theirs.c.file_id.desc())
    )
    return list(connection.scalars(query))


def _of(file_id: int, line: int) -> ColumnElement[bool]:
    """Results of a file on a line, and those that it has said too."""
    same = (REPEATS.c.what == "result") & (REPEATS.c.file_id == file_id) & (REPEATS.c.line == line)
    repeated = select(REPEATS.c.row_id).where(same)
    own = (_RESULTS.c.file_id == file_id) & (_RESULTS.c.line == line)
    return or_(own, _RESULTS.c.id.in_(repeated))


def _said(connection: Connection, which: ColumnElement[bool]) -> list[_Said]:
    columns = _RESULTS.c
    home = func.coalesce(columns.home_id, columns.patient_id)
    query = (
        select(
            columns.analyte, columns.collected_on, _PATIENTS.c.mrn,
            _READINGS.c.received_value, _READINGS.c.received_unit,
        )
        .join(_READINGS, _READINGS.c.id == columns.reading_id)
        .join(_PATIENTS, _PATIENTS.c.id == home)
        .where(which, ~columns.taken_back)
    )  # fmt: skip
    return [_as_written(*row) for row in connection.execute(query)]


def _held(connection: Connection, file_id: int, line: int) -> list[_Said]:
    query = select(HELD).where(HELD.c.file_id == file_id, HELD.c.line == line)
    return [
        _as_written(
            row.analyte,
            row.collected_on,
            *(str(row.raw.get(name, "")) for name in ("mrn", "value", "unit")),
        )
        for row in connection.execute(query)
    ]


def _as_written(analyte: str, day: object, *written: str) -> _Said:
    return _Said(analyte, str(day), tuple(text.strip().casefold() for text in written))
