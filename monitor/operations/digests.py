"""The daily digests: one a recipient and clinic day, with where everybody stands.

A digest is owed from the recipient's time of day on, however late the monitor wakes, and on
quiet days too. A routine alert that no digest takes goes into one for the last resort.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, select

from monitor.config import Settings, route_book
from monitor.core.calendar import clinic_day
from monitor.core.routebook import RouteBook
from monitor.core.vocabulary import Urgency
from monitor.delivery.digest import CameIn, DigestContent, DueLine, Ledger
from monitor.delivery.layout import seen_by
from monitor.operations.burden import count
from monitor.operations.digest_alerts import (
    DIGEST,
    LAST_RESORT,
    alerts_of,
    kinds_of_all,
    kinds_of_live,
    last_digest,
    told_in_digests,
)
from monitor.operations.digest_died import Died, closing_lines, died
from monitor.operations.digest_facts import came_in_since, held_by_reason, notices_since
from monitor.operations.digest_lines import ended_lines, live_lines
from monitor.operations.digest_readers import (
    About,
    Reader,
    covers,
    last_resort,
    readers,
    reads,
    reads_leftover,
)
from monitor.operations.digest_standings import Standings, standings
from monitor.operations.muted import muted_alerts
from monitor.operations.routes_check import warnings
from monitor.store import outbox
from monitor.store.database import Store
from monitor.store.errors import StoreError
from monitor.store.outbox import DELIVERIES

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """What all digests of a day are made of."""

    settings: Settings
    book: RouteBook
    now: datetime
    since: dict[str, datetime]
    """When each reader had the last one, by address."""
    first: frozenset[str]
    """Readers who had none yet."""
    kinds: Sequence[About]
    dead: Died
    muted: dict[int, int]
    quarantine: tuple[tuple[str, int], ...]
    came_in: Mapping[datetime, CameIn]
    """What was loaded since, by when a reader had the last one."""


def compose_digests(store: Store, settings: Settings, now: datetime) -> int:
    """Put the digests that are due by now into the outbox; how many were new. One that cannot be
    made keeps none of the others back; what it raised is raised in the end."""
    book = route_book(settings)
    composed = 0
    failed: list[Exception] = []
    with store.read() as reading:
        owed = _owed(reading, settings, book, now)
        if not owed:
            return 0
        day = _day(reading, settings, book, owed, now)
        found = standings(reading, settings, book, owed, now)
        for reader, own in zip(owed, found, strict=True):
            try:
                content = _content(reading, day, reader, own)
            except StoreError:
                raise
            except Exception as fault:  # noqa: BLE001  # of one reader; the others have theirs
                failed.append(fault)
                continue
            with store.write() as connection:
                composed += _put(connection, day, reader, content)
    if failed:
        raise failed[0]
    return composed


def _owed(
    connection: Connection, settings: Settings, book: RouteBook, now: datetime
) -> list[Reader]:
    local = now.astimezone(settings.clinic.zone)
    wanted = readers(settings, book, now)
    if all(reader.ways for reader in wanted) and _is_anything_left(connection, book):
        wanted.append(last_resort(settings, book))
    ripe = [reader for reader in wanted if local.time() >= reader.digest_at]
    keys = {_key(reader, local.date()): reader for reader in ripe}
    query = select(DELIVERIES.c.once_key).where(DELIVERIES.c.once_key.in_(list(keys)))
    there = set(connection.scalars(query))
    return [reader for key, reader in keys.items() if key not in there]


def _key(reader: Reader, day: object) -> str:
    last = "" if reader.ways else LAST_RESORT
    return f"{DIGEST}{reader.address.lower()}:{day}{last}"


def _is_anything_left(connection: Connection, book: RouteBook) -> bool:
    """Whether a live alert is in nobody's digest and in nobody's messages."""
    return any(reads_leftover(book, about) for about in kinds_of_live(connection))


def _day(
    connection: Connection,
    settings: Settings,
    book: RouteBook,
    owed: Sequence[Reader],
    now: datetime,
) -> _Day:
    last = {it.address: last_digest(connection, it) for it in owed}
    since = {address: at or now - _DAY for address, at in last.items()}
    earliest = min(since.values())
    return _Day(
        settings=settings,
        book=book,
        now=now,
        since=since,
        first=frozenset(address for address, at in last.items() if at is None),
        kinds=kinds_of_all(connection, earliest),
        dead=died(connection, earliest, now),
        muted=muted_alerts(connection),
        quarantine=held_by_reason(connection),
        came_in={at: came_in_since(connection, at, now) for at in set(since.values())},
    )


def _content(connection: Connection, day: _Day, reader: Reader, found: Standings) -> DigestContent:
    """What one reader is told. Of the alerts only the reader's own are read: a country has many
    thousands, and some dozens of readers."""
    settings, book, now = day.settings, day.book, day.now
    since, zone, privacy = day.since[reader.address], settings.clinic.zone, _privacy(day, reader)
    kinds = [about for about in day.kinds if reads(reader, book, about)]
    rows = [
        row
        for row in alerts_of(connection, kinds, since, zone)
        if row.patient_id not in day.dead.everyone
    ]
    live = [row for row in rows if row.state != "closed"]
    closed = [row for row in rows if row.state == "closed"]
    known = told_in_digests(connection, reader)
    dead = [
        it
        for it in day.dead.newly
        if it.received_at > since and covers(reader, book, it.clinic, it.drug)
    ]
    due = _told_once(sorted(found.due, key=lambda due: (due.due_on, due.person.mrn)))
    return DigestContent(
        day=clinic_day(now, zone),
        **live_lines(live, known, privacy, now, zone, day.muted),
        ended=(*ended_lines(closed, privacy, now, zone), *closing_lines(dead, privacy)),
        due_soon=tuple(due if privacy == "full" else (it.discreet for it in due)),
        unjudged=tuple(found.unjudged),
        quarantine=day.quarantine,
        notices=(
            *notices_since(connection, since, now),
            *_for_operator(connection, settings, book, reader, now),
        ),
        came_in=day.came_in[since],
        is_first=reader.address in day.first,
        ledger=Ledger(**found.counts),
    )


def _told_once(due: Sequence[DueLine]) -> list[DueLine]:
    """A test that several drugs of a patient ask for by the same day is one line, with what is
    asked with it and the earlier last open day."""
    told: dict[tuple[str, str, date], DueLine] = {}
    for line in due:
        key = line.person.mrn, line.panel, line.due_on
        known = told.get(key, line)
        left = known.latest_on and line.latest_on and min(known.latest_on, line.latest_on)
        told[key] = replace(known, ask=known.ask or line.ask, latest_on=left)
    return list(told.values())


def _privacy(day: _Day, reader: Reader) -> str:
    """What the reader's digest may name: the level of the role, else of the channel."""
    return seen_by(day.settings, reader.address).mail.privacy


def _put(connection: Connection, day: _Day, reader: Reader, content: DigestContent) -> bool:
    """Whether it was new."""
    return outbox.put(
        connection,
        once_key=_key(reader, content.day),
        kind="digest",
        recipient=reader.address,
        urgency=Urgency.ROUTINE.value,
        payload={"content": content.to_payload(), "privacy": _privacy(day, reader)},
        lines=[(alert_id, "digest", "") for alert_id in content.alert_ids],
        now=day.now,
        zone=day.settings.clinic.zone,
        sender=day.settings.mail.sender,
    )


def _for_operator(
    connection: Connection, settings: Settings, book: RouteBook, reader: Reader, now: datetime
) -> list[str]:
    """What the operator should see to about the routes, and who is told too much."""
    if reader.address.lower() != settings.clinic.email.lower():
        return []
    over = count(connection, settings, None, None, now).over_budget
    return [*warnings(settings, book, now), *(f"over budget: {it}" for it in over)]
