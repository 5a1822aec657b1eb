"""The alerts of a digest: which kinds there are for whom, and one reader's."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, Select, func, or_, select, tuple_

from monitor.core.routing import severity
from monitor.operations.digest_readers import About, Reader
from monitor.store import tables
from monitor.store.frames import chunks
from monitor.store.outbox import BEARS, DELIVERIES
from monitor.store.persons import who
from monitor.store.silent_feeds import say_suspected
from monitor.store.tables import table_of

_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_PATIENTS = table_of(tables.Patient)
_ABOUT = (_ENROLMENTS.c.clinic, _ENROLMENTS.c.drug, _ALERTS.c.kind, _ALERTS.c.urgency)
_IS_LIVE = _ALERTS.c.state != "closed"
DIGEST = "digest:"
"""How the key of a reader's own digest begins."""
LAST_RESORT = ":last-resort"
"""How the key of a digest of what no other takes ends."""


def kinds_of_live(connection: Connection) -> list[About]:
    """What routes are asked of live alerts, each combination once."""
    query = _kinds().where(_IS_LIVE)
    return [About._make(row) for row in connection.execute(query)]


def kinds_of_all(connection: Connection, since: datetime) -> list[About]:
    """The same with the alerts that were closed since an instant."""
    query = _kinds().where(or_(_IS_LIVE, _ALERTS.c.closed_at > since))
    return [About._make(row) for row in connection.execute(query)]


def alerts_of(
    connection: Connection, kinds: Collection[About], since: datetime, zone: ZoneInfo
) -> list[Row[Any]]:
    """Of these kinds the live alerts and those closed since an instant, worst and oldest
    first. Asked piece by piece: a country has more kinds than a statement takes."""
    rows = [row for piece in chunks(sorted(kinds)) for row in _of_kinds(connection, piece, since)]
    rows.sort(key=lambda row: (row.opened_at, row.id))
    say_suspected(connection, rows, zone)
    return sorted(rows, key=lambda row: severity(row.urgency, row.kind))


def _of_kinds(
    connection: Connection, kinds: Sequence[About], since: datetime
) -> Sequence[Row[Any]]:
    query = (
        select(
            _ALERTS,
            _ENROLMENTS.c.patient_id,
            _ENROLMENTS.c.clinic,
            _ENROLMENTS.c.drug,
            _PATIENTS.c.mrn,
            *who(),
        )
        .join(_ENROLMENTS, _ENROLMENTS.c.id == _ALERTS.c.enrolment_id)
        .join(_PATIENTS, _PATIENTS.c.id == _ENROLMENTS.c.patient_id)
        .where(tuple_(*_ABOUT).in_(list(kinds)))
        .where(or_(_IS_LIVE, _ALERTS.c.closed_at > since))
    )
    return connection.execute(query).all()


def last_digest(connection: Connection, reader: Reader) -> datetime | None:
    """When the last one of a reader was composed: of the last resort's and of those by a route,
    which one address may both have, each goes on from its own."""
    last_resort = DELIVERIES.c.once_key.endswith(LAST_RESORT)
    same = ~last_resort if reader.ways else last_resort
    query = select(func.max(DELIVERIES.c.created_at)).where(*_own_digests(reader), same)
    last: datetime | None = connection.scalar(query)
    return last


def told_in_digests(connection: Connection, reader: Reader) -> set[int]:
    """The live alerts that a digest of this reader has named already."""
    query = (
        select(BEARS.c.alert_id)
        .join(DELIVERIES, BEARS.c.delivery_id == DELIVERIES.c.id)
        .join(_ALERTS, _ALERTS.c.id == BEARS.c.alert_id)
        .where(_IS_LIVE, *_own_digests(reader))
    )
    return set(connection.scalars(query.distinct()))


def _kinds() -> Select[Any]:
    return (
        select(*_ABOUT)
        .distinct()
        .join_from(_ALERTS, _ENROLMENTS, _ENROLMENTS.c.id == _ALERTS.c.enrolment_id)
    )


def _own_digests(reader: Reader) -> tuple[Any, ...]:
    """Not those of another that came here because the other's address did not take them."""
    own = func.lower(DELIVERIES.c.recipient) == reader.address.lower()
    return (DELIVERIES.c.kind == "digest", own, DELIVERIES.c.once_key.startswith(DIGEST))
