"""What stands in a clinic, in words that two clinics have in common: no ids, no instants of
arrival. Two clinics that were given the same files must agree in all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import FromClause, Select, select

from monitor.store import tables
from monitor.store.database import open_store
from monitor.store.readings import whole_results
from monitor.store.tables import table_of

_PATIENTS = table_of(tables.Patient)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_RESULTS = whole_results()
_EVENTS = table_of(tables.EventRow)
_HELD = table_of(tables.HeldRowTable)
_ALERTS = table_of(tables.AlertRow)
_DELIVERIES = table_of(tables.Delivery)
_BEARS = table_of(tables.DeliveryAlert)
_DIGEST = "digest"
_RESULT = (
    "analyte collected_at specimen_id value comparator no_result status stands "
    "received_value received_unit line"
)
_HELD_ROW = "raw mrn_key analyte reason_code reason state line"
_OF_THE_RUN = ("id", "opened_at")

Key = tuple[str, str, str | None]
"""An alert by its patient, kind and rule: one each in the story."""


def rows(url: str) -> dict[str, Counter[str]]:
    """Every row of what was taken in, counted: one that stands twice is seen."""
    people = select(_PATIENTS.c.mrn, *_columns(_ENROLMENTS, "drug started_on dose_mg_per_day"))
    results = select(_PATIENTS.c.mrn, *_columns(_RESULTS, _RESULT))
    events = select(_PATIENTS.c.mrn, *_columns(_EVENTS, "on event value drug withdrawn"))
    return _counted(
        url,
        enrolments=people.join_from(
            _ENROLMENTS, _PATIENTS, _ENROLMENTS.c.patient_id == _PATIENTS.c.id
        ),
        results=results.join_from(_RESULTS, _PATIENTS, _RESULTS.c.patient_id == _PATIENTS.c.id),
        events=events.join_from(_EVENTS, _PATIENTS, _EVENTS.c.patient_id == _PATIENTS.c.id),
        quarantine=select(*_columns(_HELD, _HELD_ROW)),
    )


def standings(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What `monitor status --json` said."""
    return sorted(found, key=lambda row: (row["mrn"], row["panel"]))


def alerts(found: list[dict[str, Any]]) -> dict[Key, dict[str, Any]]:
    """What `monitor alerts --json` said."""
    assert len({_key(alert) for alert in found}) == len(found), "an alert is there twice"
    return {
        _key(alert): {name: it for name, it in alert.items() if name not in _OF_THE_RUN}
        for alert in found
    }


def told(url: str, message_ids: Iterable[str]) -> set[tuple[str, Key]]:
    """Who was told of which alerts by the messages that a mail server took."""
    taken = set(message_ids)
    query = (
        select(_DELIVERIES.c.message_id, _DELIVERIES.c.recipient, _PATIENTS.c.mrn)
        .add_columns(_ALERTS.c.kind, _ALERTS.c.rule)
        .join_from(_BEARS, _DELIVERIES)
        .join(_ALERTS, _ALERTS.c.id == _BEARS.c.alert_id)
        .join(_ENROLMENTS, _ENROLMENTS.c.id == _ALERTS.c.enrolment_id)
        .join(_PATIENTS, _PATIENTS.c.id == _ENROLMENTS.c.patient_id)
    )
    return {
        (row.recipient, (row.mrn, row.kind, row.rule))
        for row in _all(url, query)
        if row.message_id in taken
    }


def said_of_each(url: str) -> Counter[tuple[str, int, str]]:
    """How often the outbox tells a recipient the same thing of an alert, digests apart: each of
    them tells of whatever is still open."""
    query = select(_DELIVERIES.c.recipient, _BEARS.c.alert_id, _BEARS.c.what)
    found = _all(url, query.join_from(_BEARS, _DELIVERIES).where(_DELIVERIES.c.kind != _DIGEST))
    return Counter((row.recipient, row.alert_id, row.what) for row in found)


def digests(url: str) -> int:
    """How many digests were written."""
    return len(_all(url, select(_DELIVERIES.c.id).where(_DELIVERIES.c.kind == _DIGEST)))


def deliveries(url: str) -> dict[str, str]:
    """The state of every message of the outbox, by Message-ID."""
    query = select(_DELIVERIES.c.message_id, _DELIVERIES.c.state)
    return {row.message_id: row.state for row in _all(url, query)}


def _key(alert: dict[str, Any]) -> Key:
    return alert["mrn"], alert["kind"], alert["rule"]


def _columns(table: FromClause, names: str) -> list[Any]:
    return [table.c[name] for name in names.split()]


def _counted(url: str, **queries: Select[Any]) -> dict[str, Counter[str]]:
    return {
        name: Counter(repr(tuple(row)) for row in _all(url, query))
        for name, query in queries.items()
    }


def _all(url: str, query: Select[Any]) -> list[Any]:
    store = open_store(url)
    try:
        with store.read() as connection:
            return list(connection.execute(query))
    finally:
        store.dispose()
