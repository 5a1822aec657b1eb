"""The daily digests: one a recipient and clinic day, with where everybody stands.

A digest is owed from the recipient's time of day on, however late the monitor wakes, and on
quiet days too. A routine alert that no digest takes goes into one for the last resort.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from monitor.config import Settings, route_book
from monitor.core.answer import Review
from monitor.core.calendar import clinic_day
from monitor.core.contacts import Contact
from monitor.core.routebook import RouteBook, Way
from monitor.core.routing import severity
from monitor.core.vocabulary import Urgency
from monitor.delivery.digest import DigestContent, DueLine, Ledger
from monitor.delivery.words import short_day
from monitor.operations.answers import answers
from monitor.operations.burden import count
from monitor.operations.digest_died import closing_lines, died
from monitor.operations.digest_due import due_soon
from monitor.operations.digest_facts import came_in_since, held_by_reason, notices_since
from monitor.operations.digest_lines import ended_lines, live_lines
from monitor.operations.muted import muted_alerts
from monitor.operations.routes_check import warnings
from monitor.operations.status import standing_of
from monitor.store import outbox, tables
from monitor.store.database import Store
from monitor.store.outbox import BEARS, DELIVERIES
from monitor.store.persons import of_person
from monitor.store.silent_feeds import say_suspected
from monitor.store.tables import table_of

_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_PATIENTS = table_of(tables.Patient)
_DEFAULT_TIME = "07:30"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads a digest. `ways` are the routes that send it; none for the last resort, which
    reads what no digest takes."""

    address: str
    digest_at: time
    ways: tuple[Way, ...] = ()


@dataclass(slots=True)
class _Standings:
    """What one pass over everybody found for one reader."""

    counts: dict[str, int] = field(default_factory=dict)
    due: list[DueLine] = field(default_factory=list)
    unjudged: list[tuple[str, str]] = field(default_factory=list)


def compose_digests(store: Store, settings: Settings, now: datetime) -> int:
    """Put the digests that are due by now into the outbox; how many were new."""
    book = route_book(settings)
    with store.read() as connection:
        owed = _owed(connection, settings, book, now)
        contents = _contents(connection, settings, book, owed, now) if owed else []
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


def readers(settings: Settings, book: RouteBook, now: datetime) -> list[Reader]:
    """Everyone in the first tier of a route with a digest, at the time of their role, else at
    the earliest that a route of theirs names; where no route has one, the last resort. A role
    with days of its own reads none on a day off."""
    day = clinic_day(now, settings.clinic.zone)
    found: dict[str, Reader] = {}
    for way in (it for it in book.ways if it.digest):
        for contact in way.tiers[0]:
            if _off(settings, contact, day):
                continue
            own = settings.recipients[contact.role].digest_at if contact.stated else ""
            at = time.fromisoformat(own) if own else way.digest_at
            for address in contact.reach(now).addresses:
                known = found.get(address.lower(), Reader(address=address, digest_at=at))
                found[address.lower()] = Reader(
                    address=known.address,
                    digest_at=min(known.digest_at, at),
                    ways=(*known.ways, way),
                )
    if any(way.digest for way in book.ways):
        return list(found.values())
    return [_last_resort(settings, book)]


def _off(settings: Settings, contact: Contact, day: date) -> bool:
    """Whether a role that named its own days has this one off."""
    role = settings.recipients[contact.role] if contact.stated else None
    if role is None or contact.hours is None or not (role.open_days or role.holidays):
        return False
    return not contact.hours.spans(day)


def _last_resort(settings: Settings, book: RouteBook) -> Reader:
    times = [way.digest_at for way in book.ways if way.digest]
    at = min(times, default=time.fromisoformat(_DEFAULT_TIME))
    return Reader(address=settings.clinic.email, digest_at=at)


def _owed(
    connection: Connection, settings: Settings, book: RouteBook, now: datetime
) -> list[Reader]:
    local = now.astimezone(settings.clinic.zone)
    wanted = readers(settings, book, now)
    if all(reader.ways for reader in wanted) and _is_anything_left(connection, book):
        wanted.append(_last_resort(settings, book))
    ripe = [reader for reader in wanted if local.time() >= reader.digest_at]
    keys = {_key(reader, local.date()): reader for reader in ripe}
    query = select(DELIVERIES.c.once_key).where(DELIVERIES.c.once_key.in_(list(keys)))
    there = set(connection.scalars(query))
    return [reader for key, reader in keys.items() if key not in there]


def _key(reader: Reader, day: date) -> str:
    last = "" if reader.ways else ":last-resort"
    return f"digest:{reader.address.lower()}:{day.isoformat()}{last}"


def _is_anything_left(connection: Connection, book: RouteBook) -> bool:
    """Whether a live alert is in nobody's digest and in nobody's messages."""
    columns = (_ALERTS.c.kind, _ALERTS.c.urgency, _ENROLMENTS.c.clinic, _ENROLMENTS.c.drug)
    query = (
        select(*columns)
        .distinct()
        .join(_ENROLMENTS, _ENROLMENTS.c.id == _ALERTS.c.enrolment_id)
        .where(_ALERTS.c.state != "closed")
    )
    rows: Sequence[Any] = connection.execute(query).all()
    return any(_reads_leftover(book, row) for row in rows)


def _asked(row: Row[Any]) -> dict[str, str]:
    return {"clinic": row.clinic, "drug": row.drug, "kind": row.kind, "urgency": row.urgency}


def _reads_leftover(book: RouteBook, row: Row[Any]) -> bool:
    taking = book.matching(**_asked(row))
    if any(way.digest for way in taking):
        return False
    return row.urgency == Urgency.ROUTINE.value or not taking


def _reads(reader: Reader, book: RouteBook, row: Row[Any]) -> bool:
    if not reader.ways:
        return _reads_leftover(book, row)
    return any(way.takes(**_asked(row)) for way in reader.ways)


def _covers(reader: Reader, book: RouteBook, clinic: str, drug: str) -> bool:
    """Whether an enrolment is among those whose standing the reader is told."""
    if not reader.ways:
        return not any(_takes_place(way, clinic, drug) for way in book.ways if way.digest)
    return any(_takes_place(way, clinic, drug) for way in reader.ways)


def _takes_place(way: Way, clinic: str, drug: str) -> bool:
    kind = next(iter(way.kinds), "")
    urgency = next(iter(way.urgencies), "")
    return way.takes(clinic=clinic, drug=drug, kind=kind, urgency=urgency)


def _contents(
    connection: Connection,
    settings: Settings,
    book: RouteBook,
    owed: Sequence[Reader],
    now: datetime,
) -> list[DigestContent]:
    standings = _standings(connection, settings, book, owed, now)
    return [
        _content(connection, settings, book, reader, found, now)
        for reader, found in zip(owed, standings, strict=True)
    ]


def _content(
    connection: Connection,
    settings: Settings,
    book: RouteBook,
    reader: Reader,
    found: _Standings,
    now: datetime,
) -> DigestContent:
    zone = settings.clinic.zone
    since = _last_digest(connection, reader) or now - timedelta(days=1)
    rows = [row for row in _alerts(connection, since) if _reads(reader, book, row)]
    known = _told_in_digests(connection, reader)
    dead = died(connection, since, now)
    rows = [row for row in rows if row.patient_id not in dead.everyone]
    live = [row for row in rows if row.state != "closed"]
    closed = [row for row in rows if row.state == "closed"]
    own = [it for it in dead.newly if _covers(reader, book, it.clinic, it.drug)]
    privacy = settings.mail.privacy
    return DigestContent(
        day=clinic_day(now, zone),
        **live_lines(live, known, privacy, now, zone, muted_alerts(connection)),
        ended=(*ended_lines(closed, privacy, now, zone), *closing_lines(own, privacy)),
        due_soon=tuple(sorted(found.due, key=lambda due: (due.due_on, due.person.mrn))),
        unjudged=tuple(found.unjudged),
        quarantine=held_by_reason(connection),
        notices=(
            *notices_since(connection, since, now),
            *_for_operator(connection, settings, book, reader, now),
        ),
        came_in=came_in_since(connection, since, now),
        ledger=Ledger(**found.counts),
    )


def _standings(
    connection: Connection,
    settings: Settings,
    book: RouteBook,
    owed: Sequence[Reader],
    now: datetime,
) -> list[_Standings]:
    found = [_Standings() for _ in owed]
    for batch in answers(connection, settings, now, until=now):
        people = _people(connection, [case.enrolment.id for case in batch.cases])
        for case in batch.cases:
            if case.enrolment.id in batch.failed:
                _count(found, owed, book, people[case.enrolment.id], "not_judged")
        for review in batch.reviews:
            row = people[review.case.enrolment.id]
            for standing in _count(found, owed, book, row, standing_of(review)):
                if review.life.state.value == "held":
                    standing.counts["held"] = standing.counts.get("held", 0) + 1
                standing.due += due_soon(review, batch.rulebook, row, settings, now)
                standing.unjudged += _unjudged(review, settings)
    return found


def _count(
    found: Sequence[_Standings],
    owed: Sequence[Reader],
    book: RouteBook,
    row: Row[Any],
    standing: str,
) -> list[_Standings]:
    """Count an enrolment for everyone who is told of it; what they are told."""
    own = [
        each
        for each, reader in zip(found, owed, strict=True)
        if _covers(reader, book, row.clinic, row.drug)
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
        select(
            _ALERTS,
            _ENROLMENTS.c.patient_id,
            _ENROLMENTS.c.clinic,
            _ENROLMENTS.c.drug,
            *_person_columns(),
        )
        .join(_ENROLMENTS, _ENROLMENTS.c.id == _ALERTS.c.enrolment_id)
        .join(_PATIENTS, _PATIENTS.c.id == _ENROLMENTS.c.patient_id)
        .where(or_(_ALERTS.c.state != "closed", _ALERTS.c.closed_at > since))
        .order_by(_ALERTS.c.opened_at, _ALERTS.c.id)
    )
    rows = connection.execute(query).all()
    say_suspected(connection, rows)
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


def _for_operator(
    connection: Connection, settings: Settings, book: RouteBook, reader: Reader, now: datetime
) -> list[str]:
    """What the operator should see to about the routes, and who is told too much."""
    if reader.address.lower() != settings.clinic.email.lower():
        return []
    over = count(connection, settings, None, None, now).over_budget
    return [*warnings(settings, book, now), *(f"over budget: {it}" for it in over)]
