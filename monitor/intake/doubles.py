"""One patient enrolled twice on one drug at a time, under two numbers: one enrolment is kept.

The other stays on record and is not watched; its events, doses and alerts belong to the kept
one. Which is kept: that of the number that survives, else the one that was enrolled first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select, update

from monitor.core.vocabulary import AlertState
from monitor.intake.context import chunks
from monitor.store import tables
from monitor.store.alerts import MONITOR, add_history
from monitor.store.tables import table_of

_PATIENTS = table_of(tables.Patient)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_EVENTS = table_of(tables.EventRow)
_ALERTS = table_of(tables.AlertRow)
_CHUNK = 500
MOVED = "moved"
"""In an alert's history: it belongs to another enrolment now."""


def settle_doubles(
    connection: Connection, patient_ids: Collection[int], now: datetime
) -> list[str]:
    """Decide anew for these patients which enrolments are kept, and let the alerts follow;
    returns what a person should know."""
    notes: list[str] = []
    for ids in chunks(sorted(set(patient_ids)), _CHUNK):
        rows = _enrolments(connection, ids)
        kept = _kept(rows, _own_ends(connection, [row.id for row in rows]))
        for row in rows:
            into = kept[row.id]
            if row.merged_into == into:
                continue
            connection.execute(
                update(_ENROLMENTS)
                .where(_ENROLMENTS.c.id == row.id)
                .values(merged_into=into, stands=into is None)
            )
            if into is not None:
                notes.append(_note(row, next(it for it in rows if it.id == into)))
        _move_alerts(connection, kept, now)
    return notes


def misplaced(connection: Connection) -> list[int]:
    """Enrolments that are kept and should not be, or the other way round."""
    doubled = select(_ENROLMENTS.c.patient_id).where(_ENROLMENTS.c.home_id.is_not(None)).distinct()
    found: list[int] = []
    for ids in chunks(sorted(connection.scalars(doubled)), _CHUNK):
        rows = _enrolments(connection, ids)
        kept = _kept(rows, _own_ends(connection, [row.id for row in rows]))
        found += [row.id for row in rows if row.merged_into != kept[row.id]]
    return found


def _enrolments(connection: Connection, patient_ids: Sequence[int]) -> list[Row[Any]]:
    """The enrolments of these patients but those whose file was taken back."""
    columns = _ENROLMENTS.c
    home = func.coalesce(columns.home_id, columns.patient_id).label("home")
    query = (
        select(columns.id, columns.patient_id, columns.drug, columns.started_on, home)
        .add_columns(columns.merged_into, _PATIENTS.c.mrn)
        .join(_PATIENTS, _PATIENTS.c.id == func.coalesce(columns.home_id, columns.patient_id))
        .where(
            columns.patient_id.in_(patient_ids),
            or_(columns.stands, columns.merged_into.is_not(None)),
        )
    )
    return list(connection.execute(query.order_by(columns.id)))


def _own_ends(connection: Connection, enrolment_ids: Sequence[int]) -> dict[int, date]:
    """The day on which each was stopped under its own number."""
    columns = _EVENTS.c
    ends: dict[int, date] = {}
    for ids in chunks(enrolment_ids, _CHUNK):
        query = (
            select(columns.enrolment_id, func.min(columns.on))
            .where(columns.enrolment_id.in_(ids), columns.event == "stop", ~columns.withdrawn)
            .group_by(columns.enrolment_id)
        )
        ends.update({row[0]: row[1] for row in connection.execute(query)})
    return ends


def _kept(rows: Sequence[Row[Any]], ends: dict[int, date]) -> dict[int, int | None]:
    """For each enrolment the one that is kept for it; None: itself."""
    of_drug: dict[tuple[int, str], list[Row[Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda it: (it.home != it.patient_id, it.id)):
        of_drug[row.patient_id, row.drug].append(row)
    kept: dict[int, int | None] = {}
    for same in of_drug.values():
        standing: list[Row[Any]] = []
        for row in same:
            into = next((it for it in standing if _at_one_time(row, it, ends)), None)
            kept[row.id] = None if into is None else into.id
            if into is None:
                standing.append(row)
    return kept


def _at_one_time(one: Row[Any], other: Row[Any], ends: dict[int, date]) -> bool:
    if one.home == other.home:
        return False  # one after the other, as its own file had it
    first, second = sorted((one, other), key=lambda it: (it.started_on, it.id))
    end = ends.get(first.id)
    return end is None or second.started_on <= end


def _move_alerts(connection: Connection, kept: dict[int, int | None], now: datetime) -> None:
    columns = _ALERTS.c
    home = func.coalesce(columns.home_id, columns.enrolment_id)
    for ids in chunks(sorted(kept), _CHUNK):
        query = select(columns.id, columns.enrolment_id, columns.state, home.label("home"))
        for row in connection.execute(query.where(home.in_(ids)).order_by(columns.id)).all():
            into = kept[row.home] or row.home
            if into == row.enrolment_id:
                continue
            values = {"enrolment_id": into, "home_id": None if into == row.home else row.home}
            connection.execute(update(_ALERTS).where(columns.id == row.id).values(values))
            if row.state != AlertState.CLOSED.value:
                note = f"from enrolment {row.enrolment_id} to enrolment {into}"
                add_history(connection, [(row.id, MOVED, MONITOR, note)], now)


def _note(row: Row[Any], kept: Row[Any]) -> str:
    return (
        f"{row.mrn} and {kept.mrn} are one patient, enrolled on {row.drug} under two numbers: the "
        f"enrolment of {kept.mrn} is kept, the other stays on record; look at dose and genotype"
    )
