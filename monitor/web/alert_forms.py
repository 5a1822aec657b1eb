"""What people can do with one alert, as forms: which there are, and what their fields offer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select

from monitor.core.actions import (
    ACKNOWLEDGED_DAYS,
    ACKNOWLEDGED_DAYS_AT_MOST,
    REVIEW_DAYS_AT_MOST,
    ActionRefused,
    closes_itself,
    last_snoozed_day,
)
from monitor.core.calendar import clinic_day
from monitor.core.outcomes import CLOSING, CONTACT, ENOUGH_FOR_CRITICAL
from monitor.core.permissions import May, allows
from monitor.core.vocabulary import ENDED_BY_CLOSING, SELF_CLOSING, Kind, Urgency
from monitor.operations import accounts
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.tables import table_of
from monitor.web.visit import Visit

_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_PATIENTS = table_of(tables.Patient)


@dataclass(frozen=True, slots=True)
class Forms:
    """The forms of one alert for one person. A form that is not there says why, where somebody
    would look for it."""

    version: int
    acknowledge: bool
    """False where a colleague has it: then it is taken over."""
    assign: bool
    contact: bool
    snooze: bool
    close: bool
    no_close: str
    tomorrow: date
    acknowledged_until: date
    acknowledged_at_most: date
    outcome_within: str
    """How soon after an acknowledgement an outcome has to follow, such as "4 hours"; "" where none
    has to."""
    snooze_at_most: date
    review_needed: bool
    review_at_most: date


@dataclass(frozen=True, slots=True)
class Found:
    """An alert's row, and whose it is."""

    row: Any
    patient_id: int
    person: Any


def found(store: Store, alert_id: int) -> Found | None:
    """The alert of this number."""
    query = (
        select(_ALERTS, _ENROLMENTS.c.patient_id)
        .join(_ENROLMENTS, _ENROLMENTS.c.id == _ALERTS.c.enrolment_id)
        .where(_ALERTS.c.id == alert_id)
    )
    with store.read() as connection:
        row = connection.execute(query).one_or_none()
        if row is None:
            return None
        person = connection.execute(select(_PATIENTS).where(_PATIENTS.c.id == row.patient_id)).one()
    return Found(row, row.patient_id, person)


def others_of(store: Store, case: Found) -> Counter[str]:
    """The patient's other live alerts by urgency: an alert's page tells of one alone."""
    columns = _ALERTS.c
    query = (
        select(columns.urgency, func.count())
        .join(_ENROLMENTS, _ENROLMENTS.c.id == columns.enrolment_id)
        .where(_ENROLMENTS.c.patient_id == case.patient_id)
        .where(columns.state != "closed", columns.id != case.row.id)
        .group_by(columns.urgency)
    )
    with store.read() as connection:
        return Counter({row[0]: row[1] for row in connection.execute(query)})


def urgency_of(store: Store, alert_id: int) -> str:
    """The urgency of an alert; "" where there is none of this number."""
    with store.read() as connection:
        return connection.scalar(select(_ALERTS.c.urgency).where(_ALERTS.c.id == alert_id)) or ""


def forms_of(visit: Visit, row: Any) -> Forms:
    """What this person may do with this alert now."""
    today = clinic_day(visit.now, visit.site.settings.clinic.zone)
    live, urgency, kind = row.state != "closed", Urgency(row.urgency), Kind(row.kind)
    works = live and visit.may(May.WORK_ALERTS)
    mine = (row.acknowledged_by or "").casefold() == visit.who.casefold()
    taken = row.state == "acknowledged" and not mine
    no_close = _no_close(visit, row, kind)
    goes_on = not row.recovered and not row.cause.startswith(ENDED_BY_CLOSING)
    escalation = visit.site.settings.escalation
    most = escalation.snooze_at_most(urgency)
    owes = urgency is Urgency.CRITICAL and not row.outcome_at and escalation.critical_outcome
    tomorrow, last_snoozed = today + timedelta(days=1), last_snoozed_day(urgency, today, most)
    return Forms(
        version=row.version,
        acknowledge=works and not taken,
        assign=works,
        contact=works,
        snooze=works and urgency is not Urgency.CRITICAL and tomorrow <= last_snoozed,
        close=live and not no_close,
        no_close=no_close if live else "",
        tomorrow=tomorrow,
        acknowledged_until=today + timedelta(days=ACKNOWLEDGED_DAYS),
        acknowledged_at_most=today + timedelta(days=ACKNOWLEDGED_DAYS_AT_MOST),
        outcome_within=str(escalation.critical_outcome) if owes else "",
        snooze_at_most=last_snoozed,
        review_needed=goes_on,
        review_at_most=today + timedelta(days=REVIEW_DAYS_AT_MOST[urgency]),
    )


def may_close(visit: Visit, row: Any) -> bool:
    """Whether this person may close this alert."""
    return visit.may(May.CLOSE_ALERTS) or (row.recovered and visit.may(May.CLOSE_RECOVERED))


def choices(visit: Visit) -> dict[str, Any]:
    """What the fields of the forms offer."""
    return {
        "contacts": list(CONTACT.items()),
        "enough": [CONTACT[it] for it in CONTACT if it in ENOUGH_FOR_CRITICAL],
        "closings": list(CLOSING.items()),
        "colleague_options": [(it, it) for it in colleagues(visit)],
    }


def colleagues(visit: Visit) -> list[str]:
    """Names of those who may deal with alerts, one's own first."""
    everybody = accounts.accounts(visit.site.store)
    names = [
        it.full_name
        for it in everybody
        if not it.is_disabled and allows(it.role, May.WORK_ALERTS) and it.id != visit.account.id
    ]
    return ([visit.who] if visit.may(May.WORK_ALERTS) else []) + sorted(names)


def chosen_colleague(visit: Visit) -> str:
    """To whom a form assigns. Raises ActionRefused for who cannot deal with it (any more)."""
    to = visit.text("to")
    if to and to not in colleagues(visit):
        raise ActionRefused(f"{to} cannot deal with alerts here: choose somebody else")
    return to


def _no_close(visit: Visit, row: Any, kind: Kind) -> str:
    if kind in SELF_CLOSING:
        return closes_itself(kind)
    if may_close(visit, row):
        return ""
    if visit.may(May.CLOSE_RECOVERED):
        return "a clinician closes it while it goes on"
    return "" if not visit.may(May.WORK_ALERTS) else "a clinician closes it"
