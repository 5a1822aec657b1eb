"""The one closing line for a patient recorded as died: nothing else is ever sent about them.

Source: founding brief ("no mail about the dead but one closing line"). Their alerts close by
themselves (`core.alerts`); taking the event back opens them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from monitor.core.vocabulary import DIED, Urgency
from monitor.delivery.content import person_of
from monitor.delivery.digest import DigestLine
from monitor.delivery.words import short_day
from monitor.store import tables
from monitor.store.persons import who
from monitor.store.tables import table_of

_ENROLMENTS = table_of(tables.EnrolmentRow)
_EVENTS = table_of(tables.EventRow)
_PATIENTS = table_of(tables.Patient)


@dataclass(frozen=True, slots=True)
class Died:
    """Patients of whom nothing is said, and the enrolments of those recorded lately."""

    everyone: frozenset[int]
    newly: Sequence[Row[Any]]


def died(connection: Connection, since: datetime, now: datetime) -> Died:
    """Who is recorded as died by `now`; newly: recorded after `since`."""
    query = (
        select(
            _ENROLMENTS.c.patient_id,
            _ENROLMENTS.c.clinic,
            _ENROLMENTS.c.drug,
            _EVENTS.c.on,
            _EVENTS.c.received_at,
            _PATIENTS.c.mrn,
            *who(),
        )
        .join(_PATIENTS, _PATIENTS.c.id == _ENROLMENTS.c.patient_id)
        .join(_EVENTS, _EVENTS.c.patient_id == _ENROLMENTS.c.patient_id)
        .where(_EVENTS.c.event == DIED, ~_EVENTS.c.withdrawn, ~_EVENTS.c.taken_back)
        .where(_EVENTS.c.received_at <= now)
        .order_by(_EVENTS.c.on, _ENROLMENTS.c.id)
    )
    rows = connection.execute(query).all()
    return Died(
        everyone=frozenset(row.patient_id for row in rows),
        newly=[row for row in rows if row.received_at > since],
    )


def closing_lines(rows: Sequence[Row[Any]], privacy: str) -> tuple[DigestLine, ...]:
    """One line a patient, whatever the number of their drugs and alerts."""
    first = {row.patient_id: row for row in reversed(rows)}
    return tuple(
        DigestLine(
            alert_ids=(),
            person=person_of(row, privacy),
            urgency=Urgency.ROUTINE.value,
            text=f"Recorded as died on {short_day(row.on)}: all alerts are closed",
            note="nothing more is sent about this patient",
        )
        for row in sorted(first.values(), key=lambda row: row.on)
    )
