"""The accounts of the files: what was said of their rows, and what is there of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, exists, func, select

from monitor.store import tables
from monitor.store.tables import table_of

_FILES = table_of(tables.File)
_RESULTS = table_of(tables.ResultRow)
_HELD = table_of(tables.HeldRowTable)
_REPEATS = table_of(tables.Repeat)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_EVENTS = table_of(tables.EventRow)
_MERGES = table_of(tables.MergeRow)
CUT = "cut"
"""Of a repeat: the file that broke off within a row, and where the row came whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One file: its rows by outcome as reported, and those that are found in the tables."""

    file_id: int
    kind: str
    rows: int
    accounted: int
    """Sum of all outcomes that were reported."""
    kept: int
    """Rows reported as stored, superseded or withdrawn: each is a result."""
    duplicates: int
    """Of these, one that was reported later than what stands is kept, for the order of reports."""
    quarantined: int
    results_found: int
    held_found: int
    """Rows of the file that are or were in quarantine."""
    taken_found: int
    """Of those, the ones that went in later; they are results too."""
    said_found: int
    """Of a file about people that counts: what its rows have said. No fewer than were kept, for a
    row may withdraw several events, and one that says nothing new of an enrolment is noted too."""
    is_reverted: bool
    """Then rows that had waited again and gone in again are found more than once."""


def accounts(connection: Connection) -> list[Account]:
    """The account of every file, oldest first."""
    counts = ~_RESULTS.c.taken_back | _FILES.c.reverted_at.is_not(None) | _cut_short()
    results = _by_file(connection, _RESULTS, counts)
    held = _by_file(connection, _HELD)
    taken = _by_file(connection, _HELD, _HELD.c.state.in_(("taken", "reverted")))
    said, excused = _said(connection), _excused(connection)
    return [
        Account(
            file_id=row.id,
            kind=row.kind,
            rows=row.rows,
            accounted=sum(
                (
                    row.stored,
                    row.duplicate,
                    row.superseded,
                    row.withdrawn,
                    row.quarantined,
                    row.ignored,
                )
            ),
            kept=row.stored + row.superseded + row.withdrawn,
            duplicates=row.duplicate,
            quarantined=row.quarantined,
            results_found=results.get(row.id, 0),
            held_found=held.get(row.id, 0),
            taken_found=taken.get(row.id, 0),
            said_found=row.stored if row.id in excused else said[row.id],
            is_reverted=row.reverted_at is not None,
        )
        for row in connection.execute(select(_FILES).order_by(_FILES.c.id))
    ]


def _said(connection: Connection) -> Counter[int]:
    """By file its enrolments and the rows that spoke of others, its events, those that it withdrew,
    and its merges."""
    of_enrolment = _REPEATS.c.what == "enrolment"
    found: Counter[int] = Counter()
    for table, which in (
        (_ENROLMENTS, None), (_REPEATS, of_enrolment), (_EVENTS, None), (_MERGES, None),
    ):  # fmt: skip
        found.update(_by_file(connection, table, which))
    withdrawn = select(_EVENTS.c.withdrawn_in, func.count()).group_by(_EVENTS.c.withdrawn_in)
    found.update({row[0]: row[1] for row in connection.execute(withdrawn) if row[0] is not None})
    return found


def _excused(connection: Connection) -> set[int]:
    """Files about people of which nothing need be found: those that were taken back, and those that
    came when it was not noted yet which file had enrolled somebody, or withdrawn an event."""
    enrolled = select(func.max(_ENROLMENTS.c.enrolled_at)).where(_ENROLMENTS.c.file_id.is_(None))
    by_nobody = _EVENTS.c.withdrawn & _EVENTS.c.withdrawn_in.is_(None) & ~_EVENTS.c.taken_back
    excused = (
        _FILES.c.reverted_at.is_not(None)
        | (_FILES.c.received_at <= enrolled.scalar_subquery())
        | ((_FILES.c.kind == "events") & exists().where(by_nobody))
    )
    return set(connection.scalars(select(_FILES.c.id).where(excused)))


def _cut_short() -> ColumnElement[bool]:
    """Results of a row that was cut short: taken away, with all of the file beside them."""
    columns = _REPEATS.c
    same = (columns.row_id == _RESULTS.c.file_id) & (columns.line == _RESULTS.c.line)
    return exists().where(columns.what == CUT, same)


def _by_file(
    connection: Connection, table: Table, which: ColumnElement[bool] | None = None
) -> dict[int, int]:
    query = select(table.c.file_id, func.count()).join(_FILES, _FILES.c.id == table.c.file_id)
    if which is not None:
        query = query.where(which)
    return {row[0]: row[1] for row in connection.execute(query.group_by(table.c.file_id))}
