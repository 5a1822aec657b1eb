"""Results that came late, and the alerts that would have opened on an earlier day had they come
on time: for the report of a load, and as a list."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from monitor.config import Settings
from monitor.core.calendar import Duration, clinic_day
from monitor.core.case import Case
from monitor.core.changes import Alert
from monitor.core.late import SaidEarlier, said_earlier
from monitor.intake.context import chunks
from monitor.review import judge
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.frames import load_alerts, load_cases
from monitor.store.readings import whole_results
from monitor.store.rulebook import RuleBook, load_rulebook
from monitor.store.tables import table_of

_ENROLMENTS = table_of(tables.EnrolmentRow)
_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LateAlert:
    """An alert that late results opened later than need be, or never."""

    mrn: str
    drug: str
    rule: str
    kind: str
    urgency: str
    """As it would have been on that day."""
    analyte: str
    would_have_opened_on: date
    opened_on: date | None
    """None: nobody was ever alerted, for it was over when the results came."""
    days_late: int
    """Days between the two, or until now."""
    alert_id: int | None
    summary: str

    def document(self) -> dict[str, Any]:
        return {
            "mrn": self.mrn,
            "drug": self.drug,
            "rule": self.rule,
            "kind": self.kind,
            "urgency": self.urgency,
            "analyte": self.analyte,
            "would_have_opened_on": self.would_have_opened_on.isoformat(),
            "opened_on": self.opened_on.isoformat() if self.opened_on else None,
            "days_late": self.days_late,
            "alert": self.alert_id,
            "summary": self.summary,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LateReport:
    """Results that came late within a time, and what they would have said earlier."""

    since: datetime | None
    results: int
    patients: int
    alerts: tuple[LateAlert, ...]

    def document(self) -> dict[str, Any]:
        return {
            "since": self.since.isoformat() if self.since else None,
            "late_results": self.results,
            "patients": self.patients,
            "alerts": [alert.document() for alert in self.alerts],
        }


def late_report(
    store: Store,
    settings: Settings,
    now: datetime,
    *,
    since: datetime | None = None,
    only: Collection[int] | None = None,
) -> LateReport:
    """What came late, received at or after `since` (None: ever) and up to `now`; of `only`
    these enrolments."""
    with store.read() as connection:
        return late_in(connection, settings, now, since=since, only=only)


def late_in(
    connection: Connection,
    settings: Settings,
    now: datetime,
    *,
    since: datetime | None,
    only: Collection[int] | None = None,
) -> LateReport:
    """The same within the caller's transaction, such as one that has just reviewed a file; of
    `only` these enrolments."""
    threshold = settings.intake.late_after
    if threshold is None:
        return LateReport(since=since, results=0, patients=0, alerts=())
    late: dict[int, set[int]] = {}
    for patients in _patients_of(connection, only):
        late |= _late_results(connection, threshold, now, since, settings.clinic.zone, patients)
    rulebook = load_rulebook(connection)
    zone = settings.clinic.zone
    found: list[LateAlert] = []
    for enrolment_ids in _enrolments_of(connection, late):
        alerts = load_alerts(connection, enrolment_ids)
        # Every episode that speaks has an alert, so nobody else need be judged.
        told = [it for it, known in alerts.items() if any(alert.breaches for alert in known)]
        cases = load_cases(connection, told, until=now, zone=zone)
        reviews, _ = judge(cases, rulebook, now, zone)
        for review in reviews:
            case = review.case
            protocol = rulebook.protocols[case.enrolment.protocol_id]
            for said in said_earlier(
                review, late[case.enrolment.patient_id], protocol, rulebook.catalogue, zone
            ):
                alert = _of_episode(alerts[case.enrolment.id], said)
                found += _late_alert(case, said, alert, rulebook, settings, now)
    found.sort(key=lambda it: (it.would_have_opened_on, it.mrn, it.rule))
    return LateReport(
        since=since,
        results=sum(map(len, late.values())),
        patients=len(late),
        alerts=tuple(found),
    )


def _late_results(
    connection: Connection,
    threshold: Duration,
    now: datetime,
    since: datetime | None,
    zone: ZoneInfo,
    patients: Collection[int] | None,
) -> Mapping[int, set[int]]:
    """Ids of the standing results that came later than that after collection, by patient."""
    columns = whole_results().c
    query = select(columns.id, columns.patient_id, columns.collected_at, columns.received_at).where(
        columns.stands,
        columns.received_at <= now,
    )
    if patients is not None:
        query = query.where(columns.patient_id.in_(patients))
    if since is not None:
        query = query.where(columns.received_at >= since)
    late: dict[int, set[int]] = {}
    for row in connection.execute(query):
        if clinic_day(row.received_at, zone) > threshold.after(clinic_day(row.collected_at, zone)):
            late.setdefault(row.patient_id, set()).add(row.id)
    return late


def _patients_of(
    connection: Connection, enrolments: Collection[int] | None
) -> Iterator[list[int] | None]:
    """The patients of these enrolments, some at a time; None, once, for everybody."""
    if enrolments is None:
        yield None
        return
    for ids in chunks(sorted(enrolments), _BATCH):
        query = select(_ENROLMENTS.c.patient_id).where(_ENROLMENTS.c.id.in_(ids)).distinct()
        yield list(connection.scalars(query))


def _enrolments_of(connection: Connection, patients: Collection[int]) -> Iterator[list[int]]:
    for ids in chunks(sorted(patients), _BATCH):
        query = select(_ENROLMENTS.c.id).where(_ENROLMENTS.c.patient_id.in_(ids))
        found = list(connection.scalars(query.order_by(_ENROLMENTS.c.id)))
        if found:
            yield found


def _of_episode(alerts: Collection[Alert], said: SaidEarlier) -> Alert | None:
    """The alert of the same cause that bears a breach of the episode, the oldest of several."""
    breaches = set(said.finding.breaches)
    same = [it for it in alerts if it.cause == said.finding.cause and breaches & set(it.breaches)]
    return min(same, key=lambda it: it.opened_at, default=None)


def _late_alert(
    case: Case,
    said: SaidEarlier,
    alert: Alert | None,
    rulebook: RuleBook,
    settings: Settings,
    now: datetime,
) -> list[LateAlert]:
    zone = settings.clinic.zone
    would = clinic_day(said.at, zone)
    opened = clinic_day(alert.opened_at, zone) if alert else None
    days = ((opened or clinic_day(now, zone)) - would).days
    if days <= 0:
        return []
    finding = said.finding
    return [
        LateAlert(
            mrn=case.enrolment.mrn,
            drug=case.enrolment.drug,
            rule=finding.rule or "",
            kind=finding.kind.value,
            urgency=finding.urgency.value,
            analyte=rulebook.catalogue.analytes[finding.analyte].title if finding.analyte else "",
            would_have_opened_on=would,
            opened_on=opened,
            days_late=days,
            alert_id=alert.id if alert else None,
            summary=finding.summary,
        )
    ]
