"""The last row of a file that was taken in while it was still being written, once all of it comes.

That an earlier file is the beginning of this one, and broke off within a line, is told by its
digest: nothing else makes two rows the same row. What the whole line does not say again counts
for nothing then, and comes back if the whole file is taken back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, exists, func, select, update

from monitor.intake.held import HELD
from monitor.intake.repeats import REPEATS, note_repeats
from monitor.intake.results import restand
from monitor.intake.survey import Survey
from monitor.store import audit, tables
from monitor.store.ledger import CUT
from monitor.store.tables import table_of

MONITOR = "the monitor"
_FILES = table_of(tables.File)
_RESULTS = table_of(tables.ResultRow)
_LOOK_BACK = timedelta(days=7)
_MOST_FILES = 100
_MOST_OF_A_LINE = 500
"""Rows of one line of the wide form, and more than there are."""
_LONGEST_LINE = 1 << 16
"""Bytes: no row is longer that somebody could have written."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A file that has just been taken in, and how many of its rows had been known or were let
    go."""

    id: int
    source: str
    survey: Survey
    duplicate: int
    ignored: int


@dataclass(frozen=True, slots=True)
class Mended:
    """What was taken away, and whose it was."""

    notes: tuple[str, ...] = ()
    patients: frozenset[int] = frozenset()


def take_away_cut_rows(connection: Connection, whole: Whole, now: datetime) -> Mended:
    """Take away what the last row of earlier files said, where it came whole in this one."""
    if whole.survey.format != "csv":
        return Mended()
    lines = _last_lines(connection, whole, now)
    notes: list[str] = []
    patients: set[int] = set()
    for sha256, line in _broken_off(whole.survey, {line for _, line in lines.values()}):
        for file_id, (digest, last) in lines.items():
            if (digest, last) == (sha256, line):
                gone = _take_away(connection, whole, file_id, line, now)
                patients |= gone
                if gone:
                    notes.append(
                        f"line {line} came whole: what batch {file_id} read of it, which was cut "
                        "short there, counts no more"
                    )
    mine = frozenset(it for it in patients if it)
    restand(connection, mine)
    return Mended(tuple(notes), mine)


def come_back(connection: Connection, file_id: int) -> tuple[set[int], list[int]]:
    """What this file took away counts again, for it is itself taken back: the patients, and the
    held rows."""
    patients: set[int] = set()
    held: list[int] = []
    cut = (
        select(REPEATS.c.row_id, REPEATS.c.line)
        .join(_FILES, _FILES.c.id == REPEATS.c.row_id)
        .where(REPEATS.c.what == CUT, REPEATS.c.file_id == file_id, _FILES.c.reverted_at.is_(None))
    )
    for earlier, line in connection.execute(cut).all():
        results = _of_line(_RESULTS, earlier, line) & _RESULTS.c.taken_back
        back = update(_RESULTS).where(results).values(taken_back=False)
        patients |= set(connection.scalars(back.returning(_RESULTS.c.patient_id)))
        rows = _of_line(HELD, earlier, line) & (HELD.c.resolved_by == MONITOR)
        again = update(HELD).where(rows, HELD.c.state == "discarded")
        again = again.values(state="held", resolved_at=None, resolved_by="", resolution="")
        held += connection.scalars(again.returning(HELD.c.id))
    return patients, held


def whole_in(connection: Connection, file_id: int) -> int | None:
    """In which file the last row of this one came whole; None: in none."""
    query = select(REPEATS.c.file_id).where(REPEATS.c.what == CUT, REPEATS.c.row_id == file_id)
    found: int | None = connection.scalar(query.order_by(REPEATS.c.id.desc()).limit(1))
    return found


def _last_lines(connection: Connection, whole: Whole, now: datetime) -> dict[int, tuple[str, int]]:
    """Files that this one may have begun as, whose rows it brought again but for the last:
    their digest, and the line of their last row."""
    columns = _FILES.c
    query = (
        select(columns.id, columns.sha256)
        .where(
            columns.kind == "results",
            columns.source == whole.source,
            columns.id != whole.id,
            columns.rows - columns.ignored <= whole.duplicate + _MOST_OF_A_LINE,
            columns.ignored <= whole.ignored,
            columns.received_at >= now - _LOOK_BACK,
            columns.reverted_at.is_(None),
        )
        .order_by(columns.id.desc())
        .limit(_MOST_FILES)
    )
    digests = {row.id: row.sha256 for row in connection.execute(query)}
    last: dict[int, int] = {}
    for table in (_RESULTS, HELD):
        most = select(table.c.file_id, func.max(table.c.line))
        which = table.c.file_id.in_(list(digests))
        for file_id, line in connection.execute(most.where(which).group_by(table.c.file_id)):
            last[file_id] = max(line, last.get(file_id, 0))
    return {file_id: (digests[file_id], line) for file_id, line in last.items()}


def _broken_off(survey: Survey, lines: Collection[int]) -> Iterator[tuple[str, int]]:
    """The digest of all up to each place within each of these lines at which something of the row
    is still to come, with the line."""
    if not lines:
        return
    with survey.open() as stream:
        before = hashlib.sha256()
        for number, line in enumerate(stream, 1):
            if number in lines:
                yield from ((it, number) for it in _within(line, before.copy()))
            if number >= max(lines):
                return
            before.update(line)


def _within(line: bytes, digest: Any) -> Iterator[str]:
    for place in range(min(len(line.rstrip(b"\r\n\0")), _LONGEST_LINE) - 1):
        digest.update(line[place : place + 1])
        yield digest.hexdigest()


def _take_away(
    connection: Connection, whole: Whole, file_id: int, line: int, now: datetime
) -> set[int]:
    """Whose rows they were, 0 for nobody's; empty where the whole line says the same again."""
    results = _of_line(_RESULTS, file_id, line) & ~_RESULTS.c.taken_back
    gone = update(_RESULTS).where(results, ~_said_again(_RESULTS, "result", whole.id))
    gone = gone.values(taken_back=True, stands=False)
    patients = list(connection.scalars(gone.returning(_RESULTS.c.patient_id)))
    rows = _of_line(HELD, file_id, line) & (HELD.c.state == "held")
    let_go = update(HELD).where(rows, ~_said_again(HELD, "held", whole.id))
    let_go = let_go.values(
        state="discarded",
        resolved_at=now,
        resolved_by=MONITOR,
        resolution=f"cut short: the whole row came with batch {whole.id}, line {line}",
    )
    patients += connection.scalars(let_go.returning(func.coalesce(HELD.c.patient_id, 0)))
    if patients:
        note_repeats(connection, CUT, [(file_id, whole.id, line)])
        for patient in sorted(set(patients)):
            audit.note(
                connection,
                audit.Actor(MONITOR),
                "row cut short taken away",
                now,
                patient_id=patient or None,
                detail=f"batch {file_id}, line {line}; whole in batch {whole.id}",
            )
    return set(patients)


def _of_line(table: Table, file_id: int, line: int) -> ColumnElement[bool]:
    return (table.c.file_id == file_id) & (table.c.line == line)


def _said_again(table: Table, what: str, file_id: int) -> ColumnElement[bool]:
    same = (REPEATS.c.what == what) & (REPEATS.c.row_id == table.c.id)
    return exists().where(same, REPEATS.c.file_id == file_id)
