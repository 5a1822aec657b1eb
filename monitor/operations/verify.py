"""Derive everything from scratch and compare with what stands (specification, section 9).

Enrolments whose review is owed are left out: what they will say is known to be still to come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, or_, select

from monitor.config import Settings
from monitor.core.alerts import reconcile
from monitor.core.answer import Finding, Review
from monitor.core.changes import Alert
from monitor.core.evidence import evidence
from monitor.core.protocol import Protocol
from monitor.core.told_again import urgency_now
from monitor.core.vocabulary import AlertState, Urgency
from monitor.intake import doubles, merges, results
from monitor.operations.answers import Answers, answers, finding_about
from monitor.operations.muted import muted_alerts
from monitor.store import brought, made, tables
from monitor.store.claims import OF_ANY_RANK
from monitor.store.database import Store
from monitor.store.facts import brought_to
from monitor.store.frames import chunks
from monitor.store.heard import load_heard
from monitor.store.intact import altered_readings, loose, untold
from monitor.store.ledger import accounts
from monitor.store.outbox import DELIVERIES
from monitor.store.rulebook import RuleBook
from monitor.store.tables import table_of

_ALERTS = table_of(tables.AlertRow)
_PATIENTS = table_of(tables.Patient)
_NUMBERS = table_of(tables.Identifier)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_BEARS = table_of(tables.DeliveryAlert)
_SHOWN = (
    "mrn",
    "drug",
    "rule",
    "level",
    "summary",
    "action",
    "say",
    "source",
    "analyte",
    "unit",
    "value",
    "comparator",
    "collected_at",
    "latest_value",
    "latest_comparator",
    "latest_collected_at",
    "limit",
    "limit_text",
    "recovered",
)
_SHOWN_OF_PANELS = ("panel", "due_on", "state", "because", "last_completed_on")


@dataclass(frozen=True)
class Difference:
    """One thing that stands otherwise than it should. `what` is a word for programs."""

    what: str
    about: str
    """`enrolment 12`, `alert 7`, `message 5` or `file 3`; of rows that are gone who refers to them,
    by table and column."""
    stands: str
    derived: str

    def __str__(self) -> str:
        return f"{self.about}: {self.what}: stands as {self.stands}, derived {self.derived}"


def verify(store: Store, settings: Settings, now: datetime) -> list[Difference]:
    """Everything in which the database differs from what follows from its inputs; empty: none.

    Where rows are gone that others refer to, that alone is said: nothing can be derived from them.
    Judges at `now`, or at the instant the database has been brought to if that is later:
    its alerts speak of then.
    """
    with store.read() as connection:
        at = max(now, brought_to(connection) or now)
        found = list(_of_references(connection))
        if found:
            return found
        found += [*_of_files(connection), *_of_identity(connection), *_of_records(connection)]
        owed = _owed(connection, at)
        next_reviews = _next_reviews(connection)
        for batch in answers(connection, settings, at):
            found += [_not_judged(enrolment) for enrolment in batch.failed]
            found += _of_batch(connection, settings, batch, owed, next_reviews, at)
        found += [*_never_told(connection, owed), *_of_messages(connection)]
    return found


def owed(store: Store, now: datetime) -> int:
    """How many enrolments are still to be reviewed by `now`: work owed, no difference."""
    with store.read() as connection:
        return len(_owed(connection, now))


def _of_references(connection: Connection) -> Iterator[Difference]:
    for it in loose(connection):
        what = f"rows that refer to {it.to} which are gone"
        yield _unequal(what, f"{it.table}, {it.column}", it.rows, 0)


def _of_records(connection: Connection) -> Iterator[Difference]:
    """What was written down once and stays: what results read, what happened to alerts."""
    for reading in altered_readings(connection):
        yield Difference(
            "what results say", f"reading {reading}", "altered", "from what was written"
        )
    for alert, lacks in untold(connection):
        yield Difference("its history", f"alert {alert}", f"without {lacks}", "told")


def _of_files(connection: Connection) -> Iterator[Difference]:
    for it in brought.missing(connection):
        yield _unequal(f"rows of the file in {it.table}", f"file {it.file_id}", it.found, it.left)
    for account in accounts(connection):
        about = f"file {account.file_id}"
        if account.rows != account.accounted:
            yield _unequal("rows and their outcomes", about, account.rows, account.accounted)
        if account.kind != "results":
            if account.said_found < account.kept:
                yield _unequal("rows of the file", about, account.said_found, account.kept)
            continue
        # A row taken from quarantine later may have turned out to be a duplicate, and a
        # duplicate that was reported later is kept.
        most = account.kept + account.duplicates + account.taken_found
        too_many = account.results_found > most and not account.is_reverted
        if account.results_found < account.kept or too_many:
            yield _unequal("results of the file", about, account.results_found, account.kept)
        if account.quarantined != account.held_found:
            yield _unequal(
                "quarantined rows of the file", about, account.held_found, account.quarantined
            )


def _of_identity(connection: Connection) -> Iterator[Difference]:
    """Whose everything is, by all that was said of numbers; and which reports stand."""
    for patient in merges.misplaced(connection):
        yield Difference("whose a number is", f"patient {patient}", "another's", "by the merges")
    for enrolment in doubles.misplaced(connection):
        yield Difference(
            "which enrolment is kept", f"enrolment {enrolment}", "otherwise", "by the merges"
        )
    numbered = exists().where(_NUMBERS.c.patient_id == _PATIENTS.c.id)
    for patient in connection.scalars(select(_PATIENTS.c.id).where(~numbered)):
        yield Difference("the number of a patient", f"patient {patient}", "none", "known by one")
    for ids in chunks(list(connection.scalars(select(_PATIENTS.c.id).order_by(_PATIENTS.c.id)))):
        for result, stands in results.misplaced(connection, ids):
            yield _unequal("whether a result stands", f"result {result}", stands, not stands)
    open_ones = select(_ALERTS.c.id).join(_ENROLMENTS, _ENROLMENTS.c.id == _ALERTS.c.enrolment_id)
    fallen = _ALERTS.c.state != AlertState.CLOSED.value, ~_ENROLMENTS.c.stands
    owed = _ENROLMENTS.c.next_review_at.is_(None)
    for alert in connection.scalars(open_ones.where(*fallen, owed).order_by(_ALERTS.c.id)):
        yield Difference("an alert without enrolment", f"alert {alert}", "live", "nothing")


def _of_batch(
    connection: Connection,
    settings: Settings,
    batch: Answers,
    owed: frozenset[int],
    next_reviews: Mapping[int, datetime | None],
    at: datetime,
) -> Iterator[Difference]:
    reviews = [it for it in batch.reviews if it.case.enrolment.id not in owed]
    ids = [review.case.enrolment.id for review in reviews]
    alerts, rows = load_heard(connection, ids), _live_rows(connection, ids)
    for review in reviews:
        enrolment = review.case.enrolment
        protocol = batch.rulebook.protocols[enrolment.protocol_id]
        own = alerts[enrolment.id]
        found = list(_of_alerts(review, own, rows, protocol, batch))
        if not found:
            sleeps = next_reviews[enrolment.id]
            found = list(_to_come(review, own, batch.rulebook, sleeps, settings, at))
        yield from found


def _of_alerts(
    review: Review,
    alerts: Sequence[Alert],
    rows: Mapping[int, Row[Any]],
    protocol: Protocol,
    batch: Answers,
) -> Iterator[Difference]:
    """Live alerts against findings, one by one."""
    live = [alert for alert in alerts if alert.state is not AlertState.CLOSED]
    answered = [alert for alert in alerts if alert.closed_by is not None]
    about = f"enrolment {review.case.enrolment.id}"
    for finding in review.findings:
        own = [alert for alert in live if finding_about(alert, [finding])]
        if len(own) > 1:
            names = " and ".join(str(alert.id) for alert in own)
            yield Difference("one cause, one alert", about, f"alerts {names}", finding.cause)
        elif own:
            shown = evidence(finding, review, protocol, batch.rulebook.catalogue)
            expected = _expected(own[0], finding, shown, protocol)
            yield from _compared(own[0].id, expected, _standing(rows[own[0].id]))
        elif not any(finding_about(alert, [finding]) for alert in answered):
            yield Difference("an alert is missing", about, "no alert", finding.cause)
    for alert in live:
        if finding_about(alert, review.findings) is None:
            yield Difference("an alert without cause", f"alert {alert.id}", alert.cause, "nothing")


def _to_come(
    review: Review,
    alerts: Sequence[Alert],
    rulebook: RuleBook,
    sleeps_until: datetime | None,
    settings: Settings,
    at: datetime,
) -> Iterator[Difference]:
    """What a review would do now, though none is owed; and whether it will wake in time."""
    about = f"enrolment {review.case.enrolment.id}"
    protocol = rulebook.protocols[review.case.enrolment.protocol_id]
    zone = settings.clinic.zone
    decision = reconcile(review, alerts, protocol, rulebook.catalogue, at, zone)
    for change in decision.changes:
        yield Difference(f"a change nobody owes: {change.what}", about, "not made", change.reason)
    due = decision.next_review_at
    if due is not None and (sleeps_until is None or sleeps_until > due):
        yield _unequal("wakes too late", about, sleeps_until, due)


def _expected(
    alert: Alert, finding: Finding, shown: Mapping[str, Any], protocol: Protocol
) -> dict[str, Any]:
    return {
        **{key: shown[key] for key in _SHOWN},
        "kind": finding.kind.value,
        "urgency": urgency_now(finding, alert).value,
        "worst value": finding.worst.value if finding.worst else None,
        "breaches": [instant.isoformat() for instant in finding.breaches],
        "subjects": list(finding.subjects),
        "panels": _panels(shown),
        "protocol": protocol.digest,
    }


def _standing(row: Row[Any]) -> dict[str, Any]:
    columns = ("rule", "level", "summary", "recovered")
    return {
        **{key: row.shown.get(key) for key in _SHOWN},
        **{key: row._mapping[key] for key in columns},
        "kind": row.kind,
        "urgency": row.urgency,
        "worst value": row.worst_value,
        "breaches": row.breaches,
        "subjects": row.subjects,
        "panels": _panels(row.shown),
        "protocol": row.protocol_digest,
    }


def _panels(shown: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{key: panel[key] for key in _SHOWN_OF_PANELS} for panel in shown["panels"]]


def _compared(
    alert_id: int, expected: Mapping[str, Any], stands: Mapping[str, Any]
) -> Iterator[Difference]:
    for key, value in expected.items():
        if stands[key] != value:
            yield _unequal(key, f"alert {alert_id}", stands[key], value)


def _never_told(connection: Connection, owed: frozenset[int]) -> Iterator[Difference]:
    """Live urgent and critical alerts that no message bears, but for those that are muted, and
    those that were and ask nobody any more: they recovered, rest, or somebody has them. A digest
    lists whatever is live, and is no word of its own."""
    columns = _ALERTS.c
    muted = muted_alerts(connection)
    told = (
        select(_BEARS.c.alert_id)
        .join(DELIVERIES, DELIVERIES.c.id == _BEARS.c.delivery_id)
        .where(_BEARS.c.alert_id == columns.id, DELIVERIES.c.kind != "digest")
    )
    loud = [Urgency.URGENT.value, Urgency.CRITICAL.value]
    answered = or_(
        columns.recovered,
        columns.snoozed_until.is_not(None),
        columns.state == AlertState.ACKNOWLEDGED.value,
    )
    query = select(columns.id, columns.enrolment_id, columns.urgency).where(
        columns.state != AlertState.CLOSED.value,
        columns.urgency.in_(loud),
        ~told.exists(),
        ~and_(columns.asked_at.is_(None), answered),
    )
    for row in connection.execute(query.order_by(_ALERTS.c.id)):
        if row.id in muted or row.enrolment_id in owed:
            continue
        yield Difference("never told", f"alert {row.id}", "no message", f"{row.urgency}: told")


def _of_messages(connection: Connection) -> Iterator[Difference]:
    """What was made to be sent is there, to the last line of a digest."""
    for it in made.unmade(connection):
        yield _unequal("its messages", f"alert {it.alert_id}", it.found, it.made)
    for message in made.lineless(connection):
        about = f"message {message.delivery_id}"
        yield _unequal("the alerts it lists", about, message.bears, message.lists)


def _owed(connection: Connection, at: datetime) -> frozenset[int]:
    query = select(_ENROLMENTS.c.id).where(OF_ANY_RANK, _ENROLMENTS.c.next_review_at <= at)
    return frozenset(connection.scalars(query))


def _next_reviews(connection: Connection) -> dict[int, datetime | None]:
    query = select(_ENROLMENTS.c.id, _ENROLMENTS.c.next_review_at)
    return {row.id: row.next_review_at for row in connection.execute(query)}


def _live_rows(connection: Connection, enrolment_ids: Sequence[int]) -> dict[int, Row[Any]]:
    rows: dict[int, Row[Any]] = {}
    for ids in chunks(enrolment_ids):
        query = select(_ALERTS).where(
            _ALERTS.c.enrolment_id.in_(ids), _ALERTS.c.state != AlertState.CLOSED.value
        )
        rows |= {row.id: row for row in connection.execute(query)}
    return rows


def _not_judged(enrolment_id: int) -> Difference:
    about = f"enrolment {enrolment_id}"
    return Difference("could not be judged", about, "unknown", "unknown")


def _unequal(what: str, about: str, stands: object, derived: object) -> Difference:
    return Difference(what, about, str(stands), str(derived))
