"""The audit trail: written, never changed. Who saw a patient, who changed what, from where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from monitor.store import tables
from monitor.store.tables import table_of

_AUDIT = table_of(tables.AuditRow)
_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
COMMAND_LINE = "command line"
EVENT_RECORDED = "event recorded"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a person of the pages and where they sit, or the command line."""

    who: str
    user_id: int | None = None
    address: str = ""


ON_THE_COMMAND_LINE = Actor(COMMAND_LINE)


def note(
    connection: Connection,
    actor: Actor,
    what: str,
    now: datetime,
    *,
    patient_id: int | None = None,
    alert_id: int | None = None,
    detail: str = "",
) -> None:
    """Add one line. `detail` is a few words and never a value of a patient; the patient of an
    alert is known by the alert."""
    patient = (
        select(_ENROLMENTS.c.patient_id)
        .join(_ALERTS, _ALERTS.c.enrolment_id == _ENROLMENTS.c.id)
        .where(_ALERTS.c.id == alert_id)
        .scalar_subquery()
    )
    connection.execute(
        insert(_AUDIT).values(
            at=now,
            user_id=actor.user_id,
            who=actor.who,
            what=what,
            patient_id=patient_id if alert_id is None else patient,
            alert_id=alert_id,
            address=actor.address,
            detail=detail,
        )
    )
