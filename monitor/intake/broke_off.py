"""A file that broke off within its last row, after all of it had been taken in.

The bytes of the whole file are not there any more, so nothing proves it. A file is taken for a
piece of another where it ends without the end of a line, every row before was a row of that file at
the same line, and what the last row says is the beginning of what stood there: 23 of 231, the
number A1 of A12. What was read of it would supersede the whole, for it came later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, and_, func, or_, select, union, union_all

from monitor.intake.cut_short import Cut, Whole
from monitor.intake.held import HELD
from monitor.intake.repeats import REPEATS
from monitor.intake.survey import Survey
from monitor.store import tables
from monitor.store.tables import table_of

_FILES = table_of(tables.File)
_PATIENTS = table_of(tables.Patient)
_EVENTS = table_of(tables.EventRow)
_RESULTS = table_of(tables.ResultRow)
_READINGS = table_of(tables.ReadingRow)
_OF_RESULTS = (("result", _RESULTS), ("held", HELD))
_OF_EVENTS = (("event", _EVENTS),)
"""What repeats call the rows of a table."""
_NOT_PLAIN = re.compile(r"[^0-9a-z.]")
_LAST_BYTES = 4096
_MOST_OF_A_ROW = 500
"""Results of one row of the wide form, and more than there are."""


_Kinds = Sequence[tuple[str, Table]]


class _Said(NamedTuple):
    """What a row says, as it was written."""

    what: str
    """The analyte, or the event."""
    day: str
    written: tuple[str, ...]
    """Number, value and unit; of an event number, value, drug and note."""

    def begins(self, whole: _Said, last: str) -> bool:
        """Whether the whole one goes on from where this one ends, with which its line ends."""
        if (self.what, self.day) != (whole.what, whole.day):
            return False
        pairs = [it for it in zip(self.written, whole.written, strict=True) if it[0] != it[1]]
        return bool(pairs) and all(
            it.startswith(mine) and last.endswith(_plain(mine)) for mine, it in pairs
        )


_Reader = Callable[[Connection, ColumnElement[bool]], list[_Said]]


def broke_off(connection: Connection, file: Whole) -> tuple[Cut, int] | None:
    """The last row of this file of results, where it breaks off, and the file that had brought all
    of it."""
    return _broke_off(connection, file, _OF_RESULTS, _said)


def events_broke_off(connection: Connection, file: Whole) -> tuple[Cut, int] | None:
    """The same of a file of events."""
    return _broke_off(connection, file, _OF_EVENTS, _happened)


def _broke_off(
    connection: Connection, file: Whole, kinds: _Kinds, read: _Reader
) -> tuple[Cut, int] | None:
    line = _its_line(connection, file, kinds)
    if line is None:
        return None
    (what, table), *_ = kinds
    mine = read(connection, table.c.file_id == file.id)
    for whole in _files_with_all_before(connection, file, line, kinds) if mine else ():
        theirs = read(connection, _of(whole, line, what, table)) + _held(connection, whole, line)
        if _begin(mine, theirs, file.survey):
            return Cut(file.id, line, line), whole
    return None


def _begin(mine: Sequence[_Said], theirs: Sequence[_Said], survey: Survey) -> bool:
    last = _plain(_last_words(survey))
    return all(any(it == other or it.begins(other, last) for other in theirs) for it in mine)


def _last_words(survey: Survey) -> str:
    with survey.open() as stream:
        stream.seek(max(survey.size - _LAST_BYTES, 0))
        return stream.read().replace(b"\0", b"").decode("latin-1")


def _plain(text: str) -> str:
    """Without what encodings, quotes and separators make of it."""
    return _NOT_PLAIN.sub("", text.casefold())


def _its_line(connection: Connection, file: Whole, kinds: _Kinds) -> int | None:
    """The line of all that a file was the first to bring, where that may be broken off."""
    is_table = file.survey.format == "csv" and file.counts["duplicate"]
    if (
        not is_table
        or not 0 < file.new <= _MOST_OF_A_ROW
        or _last_words(file.survey).endswith(("\n", "\r"))
    ):
        return None
    both = (select(it.c.line).where(it.c.file_id == file.id) for _, it in kinds)
    lines = set(connection.scalars(union(*both)))
    return lines.pop() if len(lines) == 1 else None


def _files_with_all_before(
    connection: Connection, file: Whole, line: int, kinds: _Kinds
) -> list[int]:
    """Files of the source that have each row that this one repeats, at the same line; the latest
    first. None where it repeats nothing above its last line."""
    mine = (
        select(REPEATS.c.what, REPEATS.c.row_id, REPEATS.c.line)
        .where(REPEATS.c.file_id == file.id, REPEATS.c.what.in_([what for what, _ in kinds]))
        .subquery()
    )
    other = REPEATS.alias()
    again = and_(other.c.what == mine.c.what, other.c.row_id == mine.c.row_id)
    theirs = union_all(
        *(
            select(table.c.file_id, mine.c.what, mine.c.row_id).join(
                mine, and_(mine.c.what == what, table.c.id == mine.c.row_id)
            ).where(table.c.line == mine.c.line)
            for what, table in kinds
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
            _FILES.c.source == file.source,
            _FILES.c.reverted_at.is_(None),
        )
        .group_by(theirs.c.file_id)
        .having(func.count() == wanted)
        .order_by(theirs.c.file_id.desc())
    )
    return list(connection.scalars(query))


def _of(file_id: int, line: int, what: str, table: Table) -> ColumnElement[bool]:
    """Rows of a file on a line, and those that it has said too."""
    same = (REPEATS.c.what == what) & (REPEATS.c.file_id == file_id) & (REPEATS.c.line == line)
    repeated = select(REPEATS.c.row_id).where(same)
    own = (table.c.file_id == file_id) & (table.c.line == line)
    return or_(own, table.c.id.in_(repeated))


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


def _happened(connection: Connection, which: ColumnElement[bool]) -> list[_Said]:
    columns = _EVENTS.c
    query = (
        select(
            columns.event, columns.on, _PATIENTS.c.mrn, columns.value, columns.drug, columns.note
        )
        .join(_PATIENTS, _PATIENTS.c.id == func.coalesce(columns.home_id, columns.patient_id))
        .where(which, ~columns.taken_back)
    )
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


def _as_written(what: str, day: object, *written: str) -> _Said:
    return _Said(what, str(day), tuple(text.strip().casefold() for text in written))
