"""By when each address must have been told of an alert, reckoned in the plainest way: hours are
walked one by one. Sources: `docs/choices/routes.md`; ADR 29, 30."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache

from tests.property.telling_plan import LAST_RESORT, ROLES, ZONE, Plan, on_call

HOLIDAY = date(2026, 3, 17)
CLOSED_LONG = timedelta(hours=24)


@cache
def is_open(instant: datetime) -> bool:
    """Whether the clinic is at work: 08:00 to 18:00 on weekdays but the holiday."""
    local = instant.astimezone(ZONE)
    return local.weekday() < 5 and local.date() != HOLIDAY and 8 <= local.hour < 18


@cache
def next_open(instant: datetime) -> datetime:
    """The instant itself, or the next full hour at which the clinic opens."""
    while not is_open(instant):
        instant = instant.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return instant


@cache
def working(instant: datetime, hours: int) -> datetime:
    """The end of so many working hours, at the end of a day rather than the next morning."""
    instant, left = next_open(instant), timedelta(hours=hours)
    while True:
        evening = instant.astimezone(ZONE).replace(hour=18, minute=0, second=0, microsecond=0)
        if instant + left <= evening:
            return instant + left
        left -= evening - instant
        instant = next_open(evening.astimezone(UTC))


def week_of(instant: datetime) -> date:
    """The Monday of the week on call: it is handed over at 8 in the morning."""
    local = instant.astimezone(ZONE)
    monday = local.date() - timedelta(days=local.weekday())
    early = local.weekday() == 0 and local.hour < 8
    return monday - timedelta(weeks=1) if early else monday


def addresses(plan: Plan, tier: tuple[str, ...], at: datetime) -> list[str]:
    """Of its roles at an instant."""
    return [it for role in tier for it in _of_role(plan, role, at)]


def _of_role(plan: Plan, role: str, at: datetime) -> tuple[str, ...]:
    away = plan.away if role == "on_call" else None
    if away is not None and week_of(at) not in away:
        return (on_call(week_of(at)),)
    return ROLES[role]


def tiers_of(plan: Plan, at: datetime) -> list[tuple[str, ...]]:
    """Those of every route that hears of an alert of that hour, the first ones together ..."""
    ways = [] if plan.instead and not is_open(at) else [plan.tiers]
    if plan.out_of_hours and not is_open(at):
        ways.append(plan.out_of_hours)
    longest = max(len(way) for way in ways)
    return [tuple(role for way in ways if n < len(way) for role in way[n]) for n in range(longest)]


def instants_of(plan: Plan, urgency: str, asked: datetime, places: int) -> list[datetime]:
    """When each tier is told, and after them the last resort of a critical alert."""
    waits = list(plan.critical)
    while len(waits) < places:
        waits.append(waits[-1] + (waits[-1] - waits[-2] if len(waits) > 1 else waits[-1]))
    found = [asked]
    for place in range(1, places):
        if urgency == "critical":
            found.append(asked + timedelta(minutes=waits[place - 1]))
        elif urgency == "urgent":
            found.append(working(found[-1], plan.urgent_hours))
        else:
            found.append(next_open(asked + timedelta(days=14 * place)))
    return found


def told_by(plan: Plan, urgency: str, kind: str, asked: datetime) -> dict[str, datetime]:
    """By when each address must have been told of an alert that nobody takes in hand. Of what is
    routine the first tier reads in its digest."""
    tiers = tiers_of(plan, asked)[: 1 if kind == "task_due" else None]
    instants = instants_of(plan, urgency, asked, len(tiers) + (urgency == "critical"))
    found: dict[str, datetime] = {}
    for place, tier in enumerate(tiers):
        at = instants[place]
        told = addresses(plan, tier, at)
        closed_long = urgency == "urgent" and next_open(at) - at > CLOSED_LONG
        if (urgency == "critical" or closed_long) and not _anybody(plan, tier, at):
            later = (it for it in tiers[place + 1 :] if _anybody(plan, it, at))
            told += addresses(plan, next(later, ()), at)
        for address in told:
            found[address] = min(at, found.get(address, at))
    if urgency == "critical":
        found.setdefault(LAST_RESORT, instants[-1])
    return {who: at for who, at in found.items() if urgency != "routine" or at > asked}


def _anybody(plan: Plan, tier: tuple[str, ...], at: datetime) -> bool:
    return any(_there(plan, role, at) for role in tier)


def _there(plan: Plan, role: str, at: datetime) -> bool:
    nobody = role == "on_call" and plan.away is not None and week_of(at) in plan.away
    return not nobody and (role in plan.always or is_open(at))
