"""What a clinic came to know, and when: a copy of its database that begins knowing nothing and
is told everything again.

What came in the ordinary course is known from the instant it was taken in. A result or event
that was taken in much later (`[intake] late_after`) is known from when the laboratory reported
it, else from its own day: so a history that was loaded in one go unfolds as it happened.
Patients enrolled before the first day asked for are known from their enrolment; where the days
asked for lie before the first file was taken in, those enrolled are known from their start day.
Numbers that are merged now, and cells of a patient that were filled in later, count as known
from the beginning. Files that were taken back count for nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, delete, func, insert, or_, select, update
from sqlmodel import SQLModel

from monitor.config import Settings
from monitor.core.calendar import Duration, clinic_day, start_of_day
from monitor.intake.results import restand
from monitor.store import copying, tables
from monitor.store.database import Store
from monitor.store.frames import all_enrolment_ids, chunks, wake, wake_enrolments
from monitor.store.readings import whole_results
from monitor.store.tables import table_of

_KEPT = {"facts", "files", "readings", "patients", "identifiers", "merges", "fixes",
         "person_changes", "enrolments"}  # fmt: skip
"""What is no history, or is needed for what refers to it."""
_TEXTS = table_of(tables.ProtocolText)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_EVENTS = table_of(tables.EventRow)
_RESULTS = table_of(tables.ResultRow)
_HELD = table_of(tables.HeldRowTable)
_PERSONAL = table_of(tables.PersonalRow)
_FILES = table_of(tables.File)
_FACTS = table_of(tables.Fact)
_AT_ONCE = 1000
_EVERYONE = -1


@dataclass(frozen=True, slots=True)
class _Input:
    """One row to be known from `at` on: put in, or changed. `ids` are of patients."""

    at: datetime
    file_id: int
    table: Table
    row: dict[str, Any]
    is_change: bool = False
    is_in_full: bool = True
    """Of a result only its id and `received_at` are kept here: there are many."""
    patient_id: int | None = None
    enrolment_id: int | None = None


@dataclass(slots=True)
class Past:
    """The history of one database, to be told again to a copy of it, in order."""

    whole: Store
    copy: Store
    settings: Settings
    first_day: date
    since: datetime
    """What was taken in before this is known to the copy from the beginning."""
    as_it_came: bool = False
    _inputs: list[_Input] = field(default_factory=list)
    _next: int = 0

    @property
    def next_at(self) -> datetime | None:
        """When the next thing becomes known."""
        return self._inputs[self._next].at if self._next < len(self._inputs) else None

    def tell(self, now: datetime) -> Iterator[list[int]]:
        """Tell the copy what is known by `now`, file by file; after each the enrolments that
        it touched, which are woken."""
        upto = self._next
        while upto < len(self._inputs) and self._inputs[upto].at <= now:
            upto += 1
        ready, self._next = self._inputs[self._next : upto], upto
        for _, group in groupby(ready, key=lambda it: (it.at, it.file_id)):
            inputs = self._in_full(list(group))
            with self.copy.write() as connection:
                touched = _tell(connection, inputs, now)
            yield touched

    def tell_all(self, now: datetime) -> None:
        """The same in one go: what was known before the days that are looked at."""
        upto = self._next
        while upto < len(self._inputs) and self._inputs[upto].at <= now:
            upto += 1
        ready, self._next = self._inputs[self._next : upto], upto
        for start in range(0, len(ready), _AT_ONCE):
            inputs = self._in_full(ready[start : start + _AT_ONCE])
            with self.copy.write() as connection:
                _tell(connection, inputs, now)

    def _in_full(self, inputs: list[_Input]) -> list[_Input]:
        wanted = {it.row["id"]: it for it in inputs if not it.is_in_full}
        if not wanted:
            return inputs
        found = {}
        with self.whole.read() as connection:
            for ids in chunks(sorted(wanted)):
                for row in connection.execute(select(_RESULTS).where(_RESULTS.c.id.in_(ids))):
                    found[row.id] = {**row._mapping, **wanted[row.id].row, "stands": False}
        return [it if it.is_in_full else replace(it, row=found[it.row["id"]]) for it in inputs]


def past_of(
    store: Store,
    settings: Settings,
    folder: Path,
    first_day: date,
    since: datetime,
    *,
    as_it_came: bool,
) -> Past:
    """A snapshot of the database in `folder`, and a copy of it that knows, of results, no more
    than had been taken in before `since`, and of all else nothing."""
    copying.snapshot(store, folder / "whole.db")
    copying.copy_file(folder / "whole.db", folder / "copy.db")
    whole = copying.file_store(folder / "whole.db")
    copy = copying.file_store(folder / "copy.db")
    past = Past(whole, copy, settings, first_day, since, as_it_came)
    with whole.read() as connection:
        past._inputs = sorted(
            _Reader(connection, past).inputs(), key=lambda it: (it.at, it.file_id)
        )
    with copy.write() as connection:
        _forget(connection, since)
        restand(connection, {it.patient_id for it in past._inputs if it.patient_id is not None})
    return past


def _forget(connection: Connection, since: datetime) -> None:
    for table in reversed(SQLModel.metadata.sorted_tables):
        if table.name not in _KEPT:
            later = [_RESULTS.c.id.in_(_came_since(since))] if table is _RESULTS else []
            connection.execute(delete(table).where(*later))
    connection.execute(delete(_FACTS).where(_FACTS.c.name == "brought_to"))
    connection.execute(update(_ENROLMENTS).values(stands=False, next_review_at=None))


def _came_since(since: datetime) -> Select[tuple[int]]:
    columns = whole_results().c
    return select(columns.id).where(columns.received_at >= since)


def _tell(connection: Connection, inputs: list[_Input], now: datetime) -> list[int]:
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for it in inputs:
        if not it.is_change:
            rows[it.table.name].append(it.row)
    for table in SQLModel.metadata.sorted_tables:
        for start in range(0, len(rows[table.name]), _AT_ONCE):
            connection.execute(insert(table), rows[table.name][start : start + _AT_ONCE])
    for it in inputs:
        if it.is_change:
            values = {name: value for name, value in it.row.items() if name != "id"}
            changed = update(it.table).where(it.table.c.id == it.row["id"])
            connection.execute(changed.values(values))
    patients = {it.patient_id for it in inputs if it.patient_id is not None}
    restand(connection, patients)
    touched = set(wake(connection, patients, now))
    enrolments = {it.enrolment_id for it in inputs if it.enrolment_id is not None}
    if _EVERYONE in enrolments:
        enrolments = set(all_enrolment_ids(connection))
    wake_enrolments(connection, enrolments, now)
    return sorted((touched | enrolments) & set(all_enrolment_ids(connection)))


@dataclass(slots=True)
class _Reader:
    """Reads the whole database, and says from when each row is known."""

    connection: Connection
    past: Past

    def inputs(self) -> Iterator[_Input]:
        yield from self._texts()
        yield from self._enrolments()
        yield from self._events()
        yield from self._results()
        yield from self._held()
        yield from self._personal()

    @property
    def _zone(self) -> Any:
        return self.past.settings.clinic.zone

    def _known(
        self, received: datetime, own: datetime, reported: datetime | None = None
    ) -> datetime:
        """From when something is known that came at `received`."""
        late_after: Duration | None = self.past.settings.intake.late_after
        said = reported or own
        if self.past.as_it_came or late_after is None or received <= said:
            return received
        in_course = late_after.after(clinic_day(said, self._zone))
        return received if clinic_day(received, self._zone) <= in_course else max(said, own)

    def _texts(self) -> Iterator[_Input]:
        """The first text of each protocol was always in force."""
        seen: set[str] = set()
        begin = datetime.min.replace(tzinfo=self._zone, year=1900)
        for row in self._rows(select(_TEXTS).order_by(_TEXTS.c.id)):
            first = row["protocol_id"] not in seen
            seen.add(row["protocol_id"])
            at = begin if first else row["applied_at"]
            yield _Input(at, 0, _TEXTS, row, enrolment_id=_EVERYONE)

    def _enrolments(self) -> Iterator[_Input]:
        went_live = self.connection.scalar(select(func.min(_FILES.c.received_at)))
        before = went_live is not None and self.past.first_day < clinic_day(went_live, self._zone)
        query = select(_ENROLMENTS).where(_ENROLMENTS.c.stands).order_by(_ENROLMENTS.c.id)
        for row in self._rows(query):
            at = row["enrolled_at"]
            change: dict[str, Any] = {"id": row["id"], "stands": True}
            if before and not self.past.as_it_came:
                at = min(at, start_of_day(row["started_on"], self._zone))
                change |= {"enrolled_at": at, "enrolled_on": clinic_day(at, self._zone)}
            yield _Input(
                at, row["file_id"] or 0, _ENROLMENTS, change, is_change=True,
                enrolment_id=row["id"],
            )  # fmt: skip

    def _events(self) -> Iterator[_Input]:
        files = self.connection.execute(select(_FILES.c.id, _FILES.c.received_at))
        came = {row.id: row.received_at for row in files}
        query = select(_EVENTS).where(~_EVENTS.c.taken_back).order_by(_EVENTS.c.id)
        for row in self._rows(query):
            who = row["patient_id"]
            at = self._known(row["received_at"], start_of_day(row["on"], self._zone))
            first = {**row, "withdrawn": False}
            yield _Input(at, row["file_id"], _EVENTS, first, patient_id=who)
            if row["withdrawn"]:
                file_id = row["withdrawn_in"] or row["file_id"]
                change = {"id": row["id"], "withdrawn": True}
                at = max(at, came[file_id])
                yield _Input(at, file_id, _EVENTS, change, is_change=True, patient_id=who)

    def _results(self) -> Iterator[_Input]:
        it = whole_results().c
        columns = (
            it.id,
            it.patient_id,
            it.file_id,
            it.received_at,
            it.collected_at,
            it.reported_at,
        )
        query = select(*columns).where(~it.taken_back, it.received_at >= self.past.since)
        for row in self.connection.execute(query.order_by(it.id)):
            at = self._known(row.received_at, row.collected_at, row.reported_at)
            yield _Input(
                at, row.file_id, _RESULTS, {"id": row.id, "received_at": at}, is_in_full=False,
                patient_id=row.patient_id,
            )  # fmt: skip

    def _held(self) -> Iterator[_Input]:
        """Rows that waited for a person; those of a history that were taken in later are among
        the results."""
        query = select(_HELD).where(_HELD.c.state != "reverted").order_by(_HELD.c.id)
        for row in self._rows(query.where(or_(_HELD.c.state == "held", _HELD.c.analyte != ""))):
            day, at = row["collected_on"], row["held_at"]
            known = at if day is None else self._known(at, start_of_day(day, self._zone))
            if row["state"] == "taken" and known < at:
                continue
            who = row["patient_id"]
            waits = {"state": "held", "resolved_at": None, "resolved_by": "", "resolution": ""}
            first = {**row, **waits, "held_at": known}
            yield _Input(known, row["file_id"], _HELD, first, patient_id=who)
            if row["resolved_at"] is not None:
                change = {name: row[name] for name in ("id", "patient_id", *waits)}
                at = max(known, row["resolved_at"])
                yield _Input(at, row["file_id"], _HELD, change, is_change=True, patient_id=who)

    def _personal(self) -> Iterator[_Input]:
        ends = ("ended_on", "ended_by", "ended_because", "ended_at")
        for row in self._rows(select(_PERSONAL).order_by(_PERSONAL.c.id)):
            who = row["enrolment_id"]
            lasting = {"ended_on": None, "ended_by": "", "ended_because": "", "ended_at": None}
            yield _Input(row["set_at"], 0, _PERSONAL, {**row, **lasting}, enrolment_id=who)
            if row["ended_at"] is not None:
                change = {name: row[name] for name in ("id", *ends)}
                yield _Input(
                    row["ended_at"], 0, _PERSONAL, change, is_change=True, enrolment_id=who
                )

    def _rows(self, query: Any) -> Iterator[dict[str, Any]]:
        found: Any = self.connection.execute(query)
        row: Row[Any]
        for row in found:
            yield dict(row._mapping)
