"""What later files build on, when an enrolment file is to be taken back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from monitor.intake.changes import CHANGES
from monitor.intake.context import chunks
from monitor.intake.merged_rows import may_wait
from monitor.intake.repeats import REPEATS
from monitor.store import tables
from monitor.store.tables import table_of

_FILES = table_of(tables.File)
_RESULTS = table_of(tables.ResultRow)
_EVENTS = table_of(tables.EventRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_CHUNK = 500
_NAMED = 5


class BatchRefused(Exception):
    """A file that cannot be taken back as it is; the text says why, and what would do it."""


def refuse_if_needed(connection: Connection, file_id: int, kind: str) -> None:
    """Raise BatchRefused, naming them, where later files would lack a patient or an enrolment
    had this file never come."""
    needed = _later_files(connection, file_id) if kind == "enrol" else []
    if not needed:
        return
    named = ", ".join(f"{name} (batch {number})" for number, name in needed[:_NAMED])
    more = f" and {len(needed) - _NAMED} more" if len(needed) > _NAMED else ""
    raise BatchRefused(
        f"other files build on the enrolments of this one: {named}{more}. Take those back first, "
        "the latest first; or record the event stop for whoever should not be watched"
    )


def _later_files(connection: Connection, file_id: int) -> list[tuple[int, str]]:
    columns = _ENROLMENTS.c
    query = select(columns.id, columns.patient_id).where(columns.file_id == file_id)
    needed = _changing_the_same(connection, file_id)
    rows = list(connection.execute(query))
    return building_on(connection, file_id, rows, needed)


def building_on(
    connection: Connection, file_id: int, rows: Sequence[Any], needed: Collection[int] = ()
) -> list[tuple[int, str]]:
    """Other files that need one of these enrolments of a file (id, patient_id), or are `needed`
    anyway."""
    needed = set(needed)
    for part in chunks(rows, _CHUNK):
        enrolments, patients = [row.id for row in part], sorted({row.patient_id for row in part})
        alone = _without_other_enrolment(connection, file_id, patients)
        needed |= _naming(connection, enrolments, patients) | _about(connection, alone)
    files = select(_FILES.c.id, _FILES.c.name).where(
        _FILES.c.id.in_(sorted(needed - {file_id})), _FILES.c.reverted_at.is_(None)
    )
    return [(row.id, row.name) for row in connection.execute(files.order_by(_FILES.c.id))]


def _changing_the_same(connection: Connection, file_id: int) -> set[int]:
    """Files that later changed a cell that this one had changed."""
    mine = CHANGES.alias()
    same = and_(
        mine.c.what == CHANGES.c.what,
        mine.c.row_id == CHANGES.c.row_id,
        mine.c.name == CHANGES.c.name,
    )
    query = select(CHANGES.c.file_id).join(mine, same)
    return set(connection.scalars(query.where(mine.c.file_id == file_id, CHANGES.c.id > mine.c.id)))


def _without_other_enrolment(
    connection: Connection, file_id: int, patients: Sequence[int]
) -> list[int]:
    columns = _ENROLMENTS.c
    others = select(columns.patient_id).where(
        columns.patient_id.in_(patients),
        columns.stands,
        or_(columns.file_id != file_id, columns.file_id.is_(None)),
    )
    return sorted(set(patients) - set(connection.scalars(others)))


def _naming(connection: Connection, enrolments: Sequence[int], patients: Sequence[int]) -> set[int]:
    """Files with events of these enrolments, with their rows again, or with later ones."""
    events, columns = _EVENTS.c, _ENROLMENTS.c
    of_enrolment = select(events.file_id).where(
        events.enrolment_id.in_(enrolments), ~events.taken_back
    )
    repeated = select(REPEATS.c.file_id).where(
        REPEATS.c.what == "enrolment", REPEATS.c.row_id.in_(enrolments)
    )
    later = select(columns.file_id).where(
        columns.patient_id.in_(patients),
        columns.id > min(enrolments),
        columns.stands,
        columns.file_id.is_not(None),
    )
    return {file for query in (of_enrolment, repeated, later) for file in connection.scalars(query)}


def _about(connection: Connection, patients: Sequence[int]) -> set[int]:
    """Files with events or results of these patients, but for what can be held again."""
    events, results = _EVENTS.c, _RESULTS.c
    of_patient = select(events.file_id).where(events.patient_id.in_(patients), ~events.taken_back)
    may_wait_again = may_wait(connection, patients)
    direct = select(results.id, results.file_id).where(
        results.patient_id.in_(patients), ~results.taken_back
    )
    return {
        *connection.scalars(of_patient),
        *(row.file_id for row in connection.execute(direct) if row.id not in may_wait_again),
    }
