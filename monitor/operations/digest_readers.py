"""Who reads a digest, and of what: which alerts, and whose standing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import NamedTuple

from monitor.config import Settings
from monitor.core.calendar import clinic_day
from monitor.core.contacts import Contact, Tier, addresses_at
from monitor.core.routebook import RouteBook, Way
from monitor.core.vocabulary import Urgency

_DEFAULT_TIME = "07:30"


class About(NamedTuple):
    """What routes ask of an alert."""

    clinic: str
    drug: str
    kind: str
    urgency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads a digest. `ways` are the routes that send it; none for the last resort, which
    reads what no digest takes."""

    address: str
    digest_at: time
    ways: tuple[Way, ...] = ()


def readers(settings: Settings, book: RouteBook, now: datetime) -> list[Reader]:
    """Everyone in the first tier of a route with a digest, at the time of their role, else at
    the earliest that a route of theirs names; where no route has one, the last resort. A role
    with days of its own reads none on a day off. Where nobody of a tier has an address, as in a
    week that a rota gives to nobody, the next one reads it, and in the end the last resort."""
    day = clinic_day(now, settings.clinic.zone)
    found: dict[str, Reader] = {}
    for way in (it for it in book.ways if it.digest):
        for contact in _reading(way, settings, now):
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
    return [last_resort(settings, book)]


def _reading(way: Way, settings: Settings, now: datetime) -> Tier:
    """Whom a route's digest reaches."""
    nobody_else = (Contact(role="", addresses=(settings.clinic.email,), stated=False),)
    return next((tier for tier in way.tiers if addresses_at(tier, now)), nobody_else)


def _off(settings: Settings, contact: Contact, day: date) -> bool:
    """Whether a role that named its own days has this one off."""
    role = settings.recipients[contact.role] if contact.stated else None
    if role is None or contact.hours is None or not (role.open_days or role.holidays):
        return False
    return not contact.hours.spans(day)


def last_resort(settings: Settings, book: RouteBook) -> Reader:
    """The clinic's own address, at the earliest time of any digest."""
    times = [way.digest_at for way in book.ways if way.digest]
    at = min(times, default=time.fromisoformat(_DEFAULT_TIME))
    return Reader(address=settings.clinic.email, digest_at=at)


def reads_leftover(book: RouteBook, about: About) -> bool:
    """Whether no digest takes an alert, and no message either."""
    taking = book.matching(**about._asdict())
    if any(way.digest for way in taking):
        return False
    return about.urgency == Urgency.ROUTINE.value or not taking


def reads(reader: Reader, book: RouteBook, about: About) -> bool:
    """Whether such alerts stand in a reader's digest."""
    if not reader.ways:
        return reads_leftover(book, about)
    return any(way.takes(**about._asdict()) for way in reader.ways)


def covers(reader: Reader, book: RouteBook, clinic: str, drug: str) -> bool:
    """Whether an enrolment is among those whose standing the reader is told."""
    if not reader.ways:
        return not any(_takes_place(way, clinic, drug) for way in book.ways if way.digest)
    return any(_takes_place(way, clinic, drug) for way in reader.ways)


def _takes_place(way: Way, clinic: str, drug: str) -> bool:
    kind = next(iter(way.kinds), "")
    urgency = next(iter(way.urgencies), "")
    return way.takes(clinic=clinic, drug=drug, kind=kind, urgency=urgency)
