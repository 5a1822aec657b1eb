"""The days that a report is about, and whose."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from monitor.operations.patient_days import Place
from monitor.operations.report_overdue import Which
from monitor.store import tables
from monitor.store.errors import StoreError
from monitor.store.frames import all_enrolment_ids
from monitor.store.tables import table_of

_ENROLMENTS = table_of(tables.EnrolmentRow)
_LAST_MONTHS = 11


class NoPeriod(StoreError):
    """These days cannot be reported on."""


class Counted(NamedTuple):
    """Whose an enrolment is, and where it is counted."""

    patient: int
    place: Place


def check_period(first: date, last: date) -> None:
    """Raises NoPeriod where there is no day from the first to the last."""
    if first > last:
        raise NoPeriod(f"--from {first} lies after --to {last}")


def days_asked(
    connection: Connection, asked_for: tuple[date | None, date | None], today: date
) -> tuple[date, date]:
    """The first and the last day of a report: twelve months up to today where none are named, as
    far as anybody was enrolled. Raises NoPeriod."""
    last = min(asked_for[1] or today, today)
    first = asked_for[0] or _usual_first(connection, last)
    check_period(first, last)
    return first, last


def enrolments_asked(connection: Connection, which: Which) -> dict[int, Counted]:
    """The enrolments of the clinic and drug asked for, by id."""
    columns = _ENROLMENTS.c
    query = select(columns.id, columns.patient_id, columns.clinic, columns.drug)
    standing = set(all_enrolment_ids(connection))
    return {
        row.id: Counted(row.patient_id, (row.clinic, row.drug))
        for row in connection.execute(query)
        if row.id in standing and which.takes(row.clinic, row.drug)
    }


def _usual_first(connection: Connection, last: date) -> date:
    first = last.replace(day=1)
    for _ in range(_LAST_MONTHS):
        first = (first - timedelta(days=1)).replace(day=1)
    enrolled: date | None = connection.scalar(select(func.min(_ENROLMENTS.c.enrolled_on)))
    return first if enrolled is None else min(max(first, enrolled.replace(day=1)), last)
