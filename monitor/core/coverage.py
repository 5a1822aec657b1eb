"""Whether every hour has somebody for a critical alert, and how they could be reached.

Pure, and as strict as the question: a mailbox whose role has no telephone and no second
channel reaches nobody at night, and an address of which nobody has said when it is read is
counted for the clinic's working hours only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.contacts import Contact, Reach, Tier
from monitor.core.routebook import RouteBook, Way
from monitor.core.vocabulary import Urgency

_HOUR = timedelta(hours=1)
YEAR = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Hours without a person for critical alerts of `what`, in `stretches` pieces."""

    what: str
    first: datetime
    until: datetime
    """End of the first stretch."""
    hours: int
    stretches: int


@dataclass(frozen=True, slots=True)
class Family:
    """Alerts that the same routes hear of, by an example in words."""

    what: str
    ways: tuple[Way, ...]


def families(book: RouteBook, urgency: Urgency = Urgency.CRITICAL) -> list[Family]:
    """Every combination of routes that an alert of this urgency can meet."""
    clinics = ["", *dict.fromkeys(it for way in book.ways for it in way.clinics)]
    drugs = ["", *dict.fromkeys(it for way in book.ways for it in way.drugs)]
    kinds = ["", *dict.fromkeys(it for way in book.ways for it in way.kinds)]
    found: dict[tuple[int, ...], Family] = {}
    for clinic in clinics:
        for drug in drugs:
            for kind in kinds:
                asked = {"clinic": clinic, "drug": drug, "kind": kind, "urgency": urgency.value}
                taken = tuple(n for n, way in enumerate(book.ways) if way.takes(**asked))
                parts = [it for it in (clinic, drug, kind.replace("_", " ")) if it]
                what = ", ".join(parts) or "any other clinic, drug and kind"
                found.setdefault(taken, Family(what, tuple(book.ways[n] for n in taken)))
    return list(found.values())


def gaps(book: RouteBook, since: datetime, span: timedelta = YEAR) -> list[Gap]:
    """The hours from `since` on in which a critical alert finds no person, by family."""
    return [
        gap for family in families(book) if (gap := _gap(family, book, since, span)) is not None
    ]


def somebody_at(ways: Sequence[Way], book: RouteBook, instant: datetime) -> bool:
    """Whether a person would hear of it: of any tier, for each is told in the end."""
    return any(
        _is_person(contact, book, instant)
        for way in ways
        if way.hears_at(instant, book.hours)
        for tier in way.tiers
        for contact in tier
    )


def _is_person(contact: Contact, book: RouteBook, instant: datetime) -> bool:
    reach = contact.reach(instant)
    stated = contact.stated or book.hours.is_open(instant)
    return reach.there and bool(reach.addresses) and stated


def _gap(family: Family, book: RouteBook, since: datetime, span: timedelta) -> Gap | None:
    first = until = None
    hours = stretches = 0
    before = True
    at = since
    while at < since + span:
        there = somebody_at(family.ways, book, at)
        if not there:
            hours += 1
            first = first or at
            stretches += before
        elif first is not None and until is None:
            until = at
        before = there
        at += _HOUR
    if first is None:
        return None
    return Gap(what=family.what, first=first, until=until or at, hours=hours, stretches=stretches)


def mail_only(book: RouteBook, now: datetime) -> list[str]:
    """Tiers that hear of critical alerts by mail alone: no telephone, no second channel."""
    found = []
    for family in families(book):
        for way in family.ways:
            for place, tier in enumerate(way.tiers, start=1):
                if not any(_second_way(reach) for reach in _reaches(tier, now)):
                    roles = ", ".join(contact.role for contact in tier)
                    found.append(
                        f"{_name(way, book)}, tier {place} ({roles}): only mail; a critical alert "
                        "needs a telephone number or a second channel beside it"
                    )
    return list(dict.fromkeys(found))


def no_address(book: RouteBook, now: datetime) -> list[str]:
    """Tiers that have no address at some time of their rota, or at all."""
    found = []
    for way in book.ways:
        for place, tier in enumerate(way.tiers, start=1):
            if not any(reach.addresses for reach in _reaches(tier, now)):
                roles = ", ".join(contact.role for contact in tier)
                found.append(f"{_name(way, book)}, tier {place} ({roles}): nobody has an address")
    return found


def _reaches(tier: Tier, now: datetime) -> Iterator[Reach]:
    """How a tier is reached: now, and in each week of its rotas to come."""
    for contact in tier:
        yield contact.reach(now)
        if contact.rota is not None:
            for shift in contact.rota.shifts:
                if (start := contact.rota.starts(shift.week)) > now:
                    yield contact.reach(start)


def _second_way(reach: Reach) -> bool:
    others = any(":" in address and "@" not in address for address in reach.addresses)
    return bool(reach.telephone) or others


def _name(way: Way, book: RouteBook) -> str:
    return f"route {way.name or book.ways.index(way) + 1}"
