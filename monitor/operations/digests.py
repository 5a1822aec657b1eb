"""The daily digests: one a recipient and clinic day, with where everybody stands.

A digest is owed from the recipient's time of day on, however late the monitor wakes, and on
quiet days too. A routine alert that no digest takes goes into one for the last resort.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from monitor.config import Route, Settings
from monitor.core.calendar import clinic_day
from monitor.core.model import Review, Urgency
from monitor.core.routing import recipients, severity, takes, unique
from monitor.delivery.digest import DigestContent, DueLine, Ledger
from monitor.delivery.words import short_day
from monitor.operations.answers import answers
from monitor.operations.digest_due import due_soon
from monitor.operations.digest_facts import came_in_since, held_by_reason, notices_since
from monitor.operations.digest_lines import ended_lines, live_lines
from monitor.operations.status import standing_of
from monitor.store import outbox, tables
from monitor.store.database import Store
from monitor.store.outbox import BEARS, DELIVERIES
from monitor.store.persons import of_person
from monitor.store.tables import table_of

_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_PATIENTS = table_of(tables.Patient)
_DEFAULT_TIME = "07:30"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads a digest. `routes` are those that send it; none for the last resort, which
    reads what no digest takes."""

    address: str
    digest_at: time
    routes: tuple[Route, ...] = ()


@dataclass(slots=True)
class _Standings:
    """What one pass over everybody found for one reader."""

    counts: dict[str, int] = field(default_factory=dict)
    due: list[DueLine] = field(default_factory=list)
    unjudged: list[tuple[str, str]] = field(default_factory=list)


def compose_digests(store: Store, settings: Settings, now: datetime) -> int:
    """Put the digests that are due by now into the outbox; how many were new."""
    with store.read() as connection:
        owed = _owed(connection, settings, now)
        contents = _contents(connection, settings, owed, now) if owed else []
    composed = 0
    for reader, content in zip(owed, contents, strict=True):
        with store.write() as connection:
            composed += outbox.put(
                connection,
                once_key=_key(reader, content.day),
                kind="digest",
                recipient=reader.address,
                urgency=Urgency.ROUTINE.value,
                payload={"content": content.to_payload()},
                lines=[(alert_id, "digest", "") for alert_id in content.alert_ids],
                now=now,
                zone=settings.clinic.zone,
                sender=settings.mail.sender,
            )
    return composed


def readers(settings: Settings) -> list[Reader]:
    """Everyone in a route with a digest, at the earliest time any of them names; where no
    route has one, the last resort."""
    digests = [route for route in settings.routes if route.digest]
    found = []
    for address in unique(address for route in digests for address in route.to):
        own = tuple(route for route in digests if address.lower() in _addresses(route))
        at = min(time.fromisoformat(route.digest_at) for route in own)
        found.append(Reader(address=address, digest_at=at, routes=own))
    return found or [_last_resort(settings)]


def _last_resort(settings: Settings) -> Reader:
    times = [time.fromisoformat(route.digest_at) for route in settings.routes if route.digest]
    at = min(times, default=time.fromisoformat(_DEFAULT_TIME))
    return Reader(address=settings.clinic.email, digest_at=at)


def _owed(connection: Connection, settings: Settings, now: datetime) -> list[Reader]:
    local = now.astimezone(settings.clinic.zone)
    wanted = readers(settings)
    if all(reader.routes for reader in wanted) and _is_anything_left(connection, settings):
        wanted.append(_last_resort(settings))
    ripe = [reader for reader in wanted if local.time() >= reader.digest_at]
    keys = {_key(reader, local.date()): reader for reader in ripe}
    query = select(DELIVERIES.c.once_key).where(DELIVERIES.c.once_key.in_(list(keys)))
    there = set(connection.scalars(query))
    return [reader for key, reader in keys.items() if key not in there]


def _key(reader: Reader, day: date) -> str:
    last = "" if reader.routes else ":last-resort"
    return f"digest:{reader.address.lower()}:{day.isoformat()}{last}"


def _is_anything_left(connection: Connection, settings: Settings) -> bool:
    """Whether a live alert is in nobody's digest and in nobody's messages."""
    columns = (_ALERTS.c.kind, _ALERTS.c.urgency, _ENROLMENTS.c.clinic, _ENROLMENTS.c.drug)
    query = (
        select(*columns)
        .distinct()
        .join(_ENROLMENTS, _ENROLMENTS.c.id == _ALERTS.c.enrolment_id)
        .where(_ALERTS.c.state != "closed")
    )
    rows: Sequence[Any] = connection.execute(query).all()
    return any(_reads_leftover(settings, row) for row in rows)


def _reads_leftover(settings: Settings, row: Row[Any]) -> bool:
    asked = {"clinic": row.clinic, "drug": row.drug, "kind": row.kind, "urgency": row.urgency}
    if any(route.digest and takes(route, **asked) for route in settings.routes):
        return False
    routes = settings.routes if row.urgency != Urgency.ROUTINE.value else []
    return recipients(routes, "", **asked) == [""]


def _reads(reader: Reader, settings: Settings, row: Row[Any]) -> bool:
    if not reader.routes:
        return _reads_leftover(settings, row)
    asked = {"clinic": row.clinic, "drug": row.drug, "kind": row.kind, "urgency": row.urgency}
    return any(takes(route, **asked) for route in reader.routes)


def _covers(reader: Reader, settings: Settings, clinic: str, drug: str) -> bool:
    """Whether an enrolment is among those whose standing the reader is told."""
    routes: Iterable[Route] = reader.routes
    if not reader.routes:
        return not any(_takes_place(it, clinic, drug) for it in settings.routes if it.digest)
    return any(_takes_place(route, clinic, drug) for route in routes)


def _takes_place(route: Route, clinic: str, drug: str) -> bool:
    kind = next(iter(route.kinds), "")
    urgency = next(iter(route.urgencies), "")
    return takes(route, clinic=clinic, drug=drug, kind=kind, urgency=urgency)


def _contents(
    connection: Connection, settings: Settings, owed: Sequence[Reader], now: datetime
) -> list[DigestContent]:
    standings = _standings(connection, settings, owed, now)
    return [
        _content(connection, settings, reader, found, now)
        for reader, found in zip(owed, standings, strict=True)
    ]


def _content(
    connection: Connection, settings: Settings, reader: Reader, found: _Standings, now: datetime
) -> DigestContent:
    zone = settings.clinic.zone
    since = _last_digest(connection, reader) or now - timedelta(days=1)
    rows = [row for row in _alerts(connection, since) if _reads(reader, settings, row)]
    known = _told_in_digests(connection, reader)
    live = [row for row in rows if row.state != "closed"]
    closed = [row for row in rows if row.state == "closed"]
    privacy = settings.mail.privacy
    return DigestContent(
        day=clinic_day(now, zone),
        **live_lines(live, known, privacy, now, zone),
        ended=ended_lines(closed, privacy, now, zone),
        due_soon=tuple(sorted(found.due, key=lambda due: (due.due_on, due.person.mrn))),
        unjudged=tuple(found.unjudged),
        quarantine=held_by_reason(connection),
        notices=notices_since(connection, since, now),
        came_in=came_in_since(connection, since, now),
        ledger=Ledger(**found.counts),
    )


def _standings(
    connection: Connection, settings: Settings, owed: Sequence[Reader], now: datetime
) -> list[_Standings]:
    found = [_Standings() for _ in owed]
    for batch in answers(connection, settings, now, until=now):
        people = _people(connection, [case.enrolment.id for case in batch.cases])
        for case in batch.cases:
            if case.enrolment.id in batch.failed:
                _count(found, owed, settings, people[case.enrolment.id], "not_judged")
        for review in batch.reviews:
            row = people[review.case.enrolment.id]
            for standing in _count(found, owed, settings, row, standing_of(review)):
                if review.life.state.value == "held":
                    standing.counts["held"] = standing.counts.get("held", 0) + 1
                standing.due += due_soon(review, batch.rulebook, row, settings, now)
                standing.unjudged += _unjudged(review, settings)
    return found


def _count(
    found: Sequence[_Standings],
    owed: Sequence[Reader],
    settings: Settings,
    row: Row[Any],
    standing: str,
) -> list[_Standings]:
    """Count an enrolment for everyone who is told of it; what they are told."""
    own = [
        each
        for each, reader in zip(found, owed, strict=True)
        if _covers(reader, settings, row.clinic, row.drug)
    ]
    for each in own:
        each.counts[standing] = each.counts.get(standing, 0) + 1
    return own


def _unjudged(review: Review, settings: Settings) -> list[tuple[str, str]]:
    zone = settings.clinic.zone
    lines = []
    for it in review.unjudged:
        day = short_day(clinic_day(it.collected_at, zone))
        why = f"{it.rule.replace('_', ' ')}, result of {day}: {it.why}"
        lines.append((review.case.enrolment.mrn, why))
    return lines


def _people(connection: Connection, ids: Collection[int]) -> dict[int, Row[Any]]:
    query = (
        select(_ENROLMENTS.c.id, _ENROLMENTS.c.clinic, _ENROLMENTS.c.drug, *_person_columns())
        .join(_PATIENTS, _PATIENTS.c.id == _ENROLMENTS.c.patient_id)
        .where(_ENROLMENTS.c.id.in_(list(ids)))
    )
    return {row.id: row for row in connection.execute(query)}


def _alerts(connection: Connection, since: datetime) -> list[Row[Any]]:
    """Live alerts and those closed since the last digest, worst and oldest first."""
    query = (
        select(_ALERTS, _ENROLMENTS.c.clinic, _ENROLMENTS.c.drug, *_person_columns())
        .join(_ENROLMENTS, _ENROLMENTS.c.id == _ALERTS.c.enrolment_id)
        .join(_PATIENTS, _PATIENTS.c.id == _ENROLMENTS.c.patient_id)
        .where(or_(_ALERTS.c.state != "closed", _ALERTS.c.closed_at > since))
        .order_by(_ALERTS.c.opened_at, _ALERTS.c.id)
    )
    rows = connection.execute(query).all()
    return sorted(rows, key=lambda row: severity(row.urgency, row.kind))


def _person_columns() -> tuple[Any, ...]:
    names = ("family_name", "given_name", "birth_date")
    return (_PATIENTS.c.mrn, *(of_person(name) for name in names))


def _last_digest(connection: Connection, reader: Reader) -> datetime | None:
    query = select(func.max(DELIVERIES.c.created_at)).where(*_own_digests(reader))
    last: datetime | None = connection.scalar(query)
    return last


def _told_in_digests(connection: Connection, reader: Reader) -> set[int]:
    query = select(BEARS.c.alert_id).join(DELIVERIES, BEARS.c.delivery_id == DELIVERIES.c.id)
    return set(connection.scalars(query.where(*_own_digests(reader)).distinct()))


def _own_digests(reader: Reader) -> tuple[Any, ...]:
    own = func.lower(DELIVERIES.c.recipient) == reader.address.lower()
    return (DELIVERIES.c.kind == "digest", own)


def _addresses(route: Route) -> set[str]:
    return {address.lower() for address in route.to}
