"""The last row of an enrolment or events file that was read before all of it was there: what it
said counts for nothing once the whole file comes, which then says it as it was meant. It comes back
if the whole file is taken back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, exists, func, select, update

from monitor.intake.changes import CHANGES, change_back, note_changes
from monitor.intake.csv import HEADER_WITHIN
from monitor.intake.cut_short import Cut, broken_off, note_cut, whole_in
from monitor.intake.dependence import building_on
from monitor.intake.heirs import Heirs
from monitor.intake.sayings import MERGES
from monitor.intake.survey import Survey
from monitor.store import tables
from monitor.store.tables import table_of

_FILES = table_of(tables.File)
_PATIENTS = table_of(tables.Patient)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_EVENTS = table_of(tables.EventRow)
_LOOK_BACK = timedelta(days=7)
_MOST_FILES = 100


def cut_people(connection: Connection, survey: Survey, file_id: int, now: datetime) -> list[Cut]:
    """The rows in which earlier files of the kind of this one broke off, and that are whole in it.
    Which row a file broke off in, its count of rows tells but for the header and blank lines."""
    if survey.format != "csv":
        return []
    columns = _FILES.c
    kind = select(columns.kind).where(columns.id == file_id).scalar_subquery()
    query = select(columns.id, columns.sha256, columns.rows).where(
        columns.kind == kind,
        columns.id != file_id,
        columns.rows <= survey.lines,
        columns.received_at >= now - _LOOK_BACK,
        columns.reverted_at.is_(None),
    )
    files = connection.execute(query.order_by(columns.id.desc()).limit(_MOST_FILES)).all()
    lines = {row.rows + above for row in files for above in range(1, HEADER_WITHIN)}
    found = []
    for sha256, first, last in broken_off(survey, lines):
        found += [Cut(row.id, first, last) for row in files if row.sha256 == sha256]
    return [cut for cut in found if whole_in(connection, cut.file_id) is None]


def take_events_away(connection: Connection, cut: Cut) -> tuple[set[int], set[int]]:
    """Let the event of a row that broke off count no more, and what it said of numbers, but for
    what other files have said too. Whose they were, and of whom it was said."""
    heirs = Heirs(connection, cut.file_id)
    events = cut.rows_of(_EVENTS) & ~_EVENTS.c.taken_back
    heirs.pass_on("event", _EVENTS, events, "stored", {})
    gone = update(_EVENTS).where(events).values(taken_back=True, withdrawn=True)
    patients = set(connection.scalars(gone.returning(_EVENTS.c.patient_id)))
    merges = cut.rows_of(MERGES) & ~MERGES.c.taken_back
    heirs.pass_on("merge", MERGES, merges, "stored", {})
    unsaid = update(MERGES).where(merges).values(taken_back=True)
    rows = connection.execute(unsaid.returning(MERGES.c.old_id, MERGES.c.new_id)).all()
    return patients, {patient for row in rows for patient in row}


def events_come_back(connection: Connection, cut: Cut) -> tuple[set[int], set[int]]:
    """The opposite, for the whole file is taken back."""
    events = cut.rows_of(_EVENTS) & _EVENTS.c.taken_back
    again = (
        update(_EVENTS)
        .where(events)
        .values(taken_back=False, withdrawn=_EVENTS.c.withdrawn_in.is_not(None))
    )
    patients = set(connection.scalars(again.returning(_EVENTS.c.patient_id)))
    merges = cut.rows_of(MERGES) & MERGES.c.taken_back
    said = update(MERGES).where(merges).values(taken_back=False)
    rows = connection.execute(said.returning(MERGES.c.old_id, MERGES.c.new_id)).all()
    return patients, {patient for row in rows for patient in row}


@dataclass(frozen=True, slots=True)
class Undone:
    """Whose a row of an enrolment file was that was taken away, and what to say of it."""

    patients: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()


class CutEnrolments:
    """The rows in which earlier enrolment files broke off: each is taken away when the whole file
    comes to it. Which row of a file said what is told by the patients of the rows above (`above`),
    which are the same in both: what else the file did was said by its last row."""

    def __init__(self, connection: Connection, survey: Survey, file_id: int, now: datetime) -> None:
        self._connection, self._file_id, self._now = connection, file_id, now
        self._left = cut_people(connection, survey, file_id, now)
        self.above: set[int] = set()

    @property
    def are_left(self) -> bool:
        """Whether any is still to come."""
        return bool(self._left)

    def take_away(self, line: int) -> Undone:
        """Undo what was said by those that the whole file has come to."""
        patients: set[int] = set()
        notes = []
        for cut in [it for it in self._left if it.first <= line]:
            self._left.remove(cut)
            rows = self._opened_by(cut)
            needed = building_on(self._connection, cut.file_id, rows)
            if needed:
                named = ", ".join(f"{name} (batch {number})" for number, name in needed)
                notes.append(
                    f"line {cut.first} was cut short in batch {cut.file_id}, and other files build "
                    f"on the enrolment by it: {named}"
                )
                continue
            mine = self._undo(cut, rows)
            if mine:
                note_cut(self._connection, cut, self._file_id, cut.lines, mine, self._now)
                notes.append(cut.came_whole)
            patients |= mine
        return Undone(frozenset(patients), tuple(notes))

    def _opened_by(self, cut: Cut) -> list[Any]:
        columns = _ENROLMENTS.c
        query = select(columns.id, columns.patient_id).where(
            columns.file_id == cut.file_id, columns.stands
        )
        rows = self._connection.execute(query)
        return [it for it in rows if it.patient_id not in self.above]

    def _undo(self, cut: Cut, enrolments: Sequence[Any]) -> set[int]:
        """As a change of the whole file: it stands again if that is taken back."""
        changes = _changes_of(self._connection, cut.file_id, self.above)
        change_back(self._connection, changes, self._file_id)
        for row in enrolments:
            mine = _ENROLMENTS.c.id == row.id
            self._connection.execute(update(_ENROLMENTS).where(mine).values(stands=False))
            ended = {"what": "enrolment", "row_id": row.id, "name": "stands"}
            ended |= {"file_id": self._file_id, "before": str(True), "after": str(False)}
            note_changes(self._connection, [ended])
        return {it.patient_id for it in (*enrolments, *changes)}


def _changes_of(connection: Connection, file_id: int, above: Collection[int]) -> list[Row[Any]]:
    """The cells that a file changed of patients who are not among those above, as far as nobody
    has changed them since; the last one first."""
    later, patient = CHANGES.alias(), func.coalesce(_PATIENTS.c.person_id, _PATIENTS.c.id)
    same = (later.c.what == CHANGES.c.what) & (later.c.row_id == CHANGES.c.row_id)
    same &= (later.c.name == CHANGES.c.name) & (later.c.id > CHANGES.c.id)
    of_enrolment = (CHANGES.c.what == "enrolment") & (_ENROLMENTS.c.id == CHANGES.c.row_id)
    owner = func.coalesce(_ENROLMENTS.c.patient_id, CHANGES.c.row_id)
    query = (
        select(CHANGES, patient.label("patient_id"))
        .outerjoin(_ENROLMENTS, of_enrolment)
        .join(_PATIENTS, _PATIENTS.c.id == owner)
        .where(CHANGES.c.file_id == file_id, ~exists().where(same, later.c.file_id != file_id))
        .order_by(CHANGES.c.id.desc())
    )
    return [it for it in connection.execute(query) if it.patient_id not in above]
