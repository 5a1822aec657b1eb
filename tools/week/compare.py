"""What stands at the end of two runs, in words that both have in common: no ids, and nothing of
when a message happened to be sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import FromClause, Select, cast, func, select, text
from sqlalchemy.types import BigInteger, String

from monitor.store import tables
from monitor.store.database import open_store
from monitor.store.readings import whole_results
from monitor.store.tables import table_of

_PATIENTS = table_of(tables.Patient)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_RESULTS = whole_results()
_EVENTS = table_of(tables.EventRow)
_HELD = table_of(tables.HeldRowTable)
_FILES = table_of(tables.File)
_ALERTS = table_of(tables.AlertRow)
_HISTORY = table_of(tables.AlertHistory)
_DELIVERIES = table_of(tables.Delivery)
_BEARS = table_of(tables.DeliveryAlert)

_RESULT = (
    "analyte collected_at specimen_id value comparator no_result status stands received_value "
    "received_unit received_at line"
)
_ENROLMENT = (
    "drug clinic started_on dose_mg_per_day weight_kg stands enrolled_at next_review_at wake_rank"
)
_ALERT = (
    "drug cause kind rule urgency state recovered opened_at summary level downward worst_value "
    "breaches told_level told_value last_told_at first_seen_recovered asked_at rungs_told "
    "version assigned_to acknowledged_at acknowledged_until acknowledged_by outcome_at "
    "outcome_missed review_by closed_at closed_by closed_recovered outcome protocol_digest"
)
_FILE = (
    "kind name source received_at rows stored duplicate superseded withdrawn quarantined ignored"
)
_SHOWN = 3
"""Of what differs so many are shown."""

Found = Mapping[str, Counter[str]]


def standing(url: str, since: datetime) -> Found:
    """Everything that stands. Of results and messages what came `since`; of all results how
    many there are, and the sum of what they say."""
    own = (_PATIENTS.c.mrn,)
    of_alert = (*own, _ENROLMENTS.c.drug, *_columns(_ALERTS, "cause opened_at"))
    alerts = _of_enrolment(select(*own, *_alert_columns()).select_from(_ALERTS), _ALERTS)
    history = select(*of_alert, *_columns(_HISTORY, "at what by note code version"))
    history = _of_enrolment(
        history.select_from(_HISTORY).join(_ALERTS, _ALERTS.c.id == _HISTORY.c.alert_id), _ALERTS
    )
    told = select(*_columns(_DELIVERIES, "kind recipient for_day state"), *of_alert, _BEARS.c.what)
    told = _of_enrolment(
        told.select_from(_BEARS)
        .join(_DELIVERIES, _DELIVERIES.c.id == _BEARS.c.delivery_id)
        .join(_ALERTS, _ALERTS.c.id == _BEARS.c.alert_id),
        _ALERTS,
    ).where(_DELIVERIES.c.created_at >= since)
    unborn = select(*_columns(_DELIVERIES, "once_key state")).where(
        _DELIVERIES.c.created_at >= since, _DELIVERIES.c.kind.in_(("digest", "operator"))
    )
    return _counted(
        url,
        enrolments=_of_patient(select(*own, *_columns(_ENROLMENTS, _ENROLMENT)), _ENROLMENTS),
        events=_of_patient(
            select(*own, *_columns(_EVENTS, "on event value drug withdrawn")), _EVENTS
        ),
        results=_of_patient(select(*own, *_columns(_RESULTS, _RESULT)), _RESULTS).where(
            _RESULTS.c.received_at >= since
        ),
        all_results=select(func.count(), func.sum(cast(_hash_of_result(), BigInteger))),
        files=select(*_columns(_FILES, _FILE)),
        quarantine=select(*_columns(_HELD, "raw mrn_key analyte reason_code reason state line")),
        alerts=alerts,
        history=history.where(_HISTORY.c.at >= since),
        told=told,
        digests_and_notices=unborn,
    )


def differences(disturbed: Found, in_peace: Found) -> list[str]:
    """What one has and the other has not."""
    return [line for name in in_peace for line in _between(name, disturbed[name], in_peace[name])]


def messages(url: str, since: datetime) -> dict[str, str]:
    """The state of every message that is owed `since`, by Message-ID."""
    query = select(_DELIVERIES.c.message_id, _DELIVERIES.c.state)
    store = open_store(url)
    try:
        with store.read() as connection:
            rows = connection.execute(query.where(_DELIVERIES.c.created_at >= since))
            return {row.message_id: row.state for row in rows}
    finally:
        store.dispose()


def _between(name: str, disturbed: Counter[str], in_peace: Counter[str]) -> Iterator[str]:
    for where, only in (
        ("only in the disturbed run", disturbed - in_peace),
        ("only in the run in peace", in_peace - disturbed),
    ):
        if only:
            shown = "; ".join(sorted(only)[:_SHOWN])
            yield f"{name}: {only.total()} {where}: {shown}"


def _columns(table: FromClause, names: str) -> list[Any]:
    return [table.c[name] for name in names.split()]


def _alert_columns() -> list[Any]:
    return [_ENROLMENTS.c.drug, *_columns(_ALERTS, _ALERT.removeprefix("drug "))]


def _of_patient(query: Select[Any], table: FromClause) -> Select[Any]:
    return query.join_from(table, _PATIENTS, _PATIENTS.c.id == table.c.patient_id)


def _of_enrolment(query: Select[Any], table: FromClause) -> Select[Any]:
    return query.join(_ENROLMENTS, _ENROLMENTS.c.id == table.c.enrolment_id).join(
        _PATIENTS, _PATIENTS.c.id == _ENROLMENTS.c.patient_id
    )


def _hash_of_result() -> Any:
    """One number of what a row says; of the past the ids of patients are the same in both."""
    words = [
        func.coalesce(cast(_RESULTS.c[name], String), "")
        for name in "analyte collected_at value status stands taken_back".split()
    ]
    return func.hashtext(func.concat_ws("|", *words))


def _counted(url: str, **queries: Any) -> dict[str, Counter[str]]:
    store = open_store(url)
    try:
        with store.read() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            return {
                name: Counter(repr(tuple(row)) for row in connection.execute(query))
                for name, query in queries.items()
            }
    finally:
        store.dispose()
