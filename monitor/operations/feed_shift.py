"""Who is judged otherwise once shifted values are set right: tried, and taken back.

Nothing is changed here. To set it right, the files are reverted, the unit is named in the
config, and they are loaded again; then everybody is judged by the right values.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, bindparam, select, update

from monitor.config import Settings
from monitor.core.vocabulary import Kind
from monitor.intake.context import Preview
from monitor.operations.shifted_values import Shift
from monitor.review import BATCH, review_batch
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.frames import chunks, wake
from monitor.store.readings import Reading, Readings, readings_of
from monitor.store.tables import table_of

_RESULTS = table_of(tables.ResultRow)
_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_PATIENTS = table_of(tables.Patient)
_OF_VALUES = (Kind.REVIEW, Kind.WITHHOLD, Kind.DOSE_REDUCTION, Kind.DISCONTINUE)


@dataclass(frozen=True, slots=True)
class Judged:
    """Patients (MRNs) whose values lie in a shift."""

    reassured: tuple[str, ...]
    """Would be alerted by the right values, and are not."""
    alarmed: tuple[str, ...]
    """Are alerted, and would not be."""
    others: tuple[str, ...]


def judged_otherwise(store: Store, settings: Settings, shift: Shift, now: datetime) -> Judged:
    """Judge the patients of a shift by what their values would be, and take it back."""
    before: dict[str, set[tuple[str, str]]] = {}
    after: dict[str, set[tuple[str, str]]] = {}
    try:
        with store.write() as connection:
            mrns = _mrns(connection, shift.patient_ids)
            before = _alerts(connection, shift.patient_ids)
            _set_right(connection, shift)
            touched = wake(connection, shift.patient_ids, now)
            for start in range(0, len(touched), BATCH):
                review_batch(connection, settings, touched[start : start + BATCH], now)
            after = _alerts(connection, shift.patient_ids)
            raise Preview
    except Preview:
        pass
    reassured = {it for it in mrns if after.get(it, set()) - before.get(it, set())}
    alarmed = {it for it in mrns if before.get(it, set()) - after.get(it, set())}
    others = mrns - reassured - alarmed
    return Judged(tuple(sorted(reassured)), tuple(sorted(alarmed)), tuple(sorted(others)))


def _set_right(connection: Connection, shift: Shift) -> None:
    factor = Decimal(1).scaleb(-shift.power)
    readings = Readings(connection)
    for piece in chunks(shift.result_ids):
        query = select(_RESULTS.c.id, _RESULTS.c.reading_id).where(_RESULTS.c.id.in_(piece))
        rows = connection.execute(query).all()
        said = readings_of(connection, (row.reading_id for row in rows))
        right = readings.numbers(_times(said[row.reading_id], factor) for row in rows)
        statement = update(_RESULTS).where(_RESULTS.c.id == bindparam("of"))
        connection.execute(
            statement.values(reading_id=bindparam("it")),
            [{"of": row.id, "it": number} for row, number in zip(rows, right, strict=True)],
        )


def _times(reading: Reading, factor: Decimal) -> Reading:
    assert reading.value is not None, "only numbers are shifted"
    return reading._replace(value=reading.value * factor)


def _alerts(
    connection: Connection, patient_ids: Collection[int]
) -> dict[str, set[tuple[str, str]]]:
    """Live alerts about values, by MRN: rule and kind."""
    query = (
        select(_PATIENTS.c.mrn, _ALERTS.c.rule, _ALERTS.c.kind)
        .join(_ENROLMENTS, _ENROLMENTS.c.patient_id == _PATIENTS.c.id)
        .join(_ALERTS, _ALERTS.c.enrolment_id == _ENROLMENTS.c.id)
        .where(
            _PATIENTS.c.id.in_(patient_ids),
            _ALERTS.c.state != "closed",
            _ALERTS.c.recovered.is_(False),
            _ALERTS.c.kind.in_([kind.value for kind in _OF_VALUES]),
        )
    )
    found: dict[str, set[tuple[str, str]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.mrn, set()).add((row.rule, row.kind))
    return found


def _mrns(connection: Connection, patient_ids: Iterable[int]) -> set[str]:
    query = select(_PATIENTS.c.mrn).where(_PATIENTS.c.id.in_(list(patient_ids)))
    return set(connection.scalars(query))
