"""Who can be told: roles with addresses, telephone and hours, and who is on call by rota.

A contact is a role, not a person. Whether somebody is there at an hour is a matter of the
role's hours and, where it has a rota, of the week that the rota gives to somebody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.core.calendar import from_clinic_local
from monitor.core.worktime import WorkTime

_WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Shift:
    """Somebody who is on call for a week. `week` is its Monday."""

    week: date
    name: str
    addresses: tuple[str, ...]
    telephone: str = ""


@dataclass(frozen=True, slots=True)
class Rota:
    """Who is on call, week by week. A week begins at the hand-over, a clock time of the zone,
    so that it stays at that time when clocks change."""

    shifts: tuple[Shift, ...]
    zone: ZoneInfo
    weekday: int = 0
    at: time = time(8)

    def starts(self, monday: date) -> datetime:
        """The hand-over into the week of this Monday."""
        local = datetime.combine(monday + timedelta(days=self.weekday), self.at)
        return from_clinic_local(local, self.zone)

    def week_of(self, instant: datetime) -> date:
        """The Monday of the week that is on call at an instant."""
        day = instant.astimezone(self.zone).date()
        monday = day - timedelta(days=day.weekday())
        return monday if self.starts(monday) <= instant else monday - _WEEK

    def on_call(self, instant: datetime) -> tuple[Shift, ...]:
        week = self.week_of(instant)
        return tuple(shift for shift in self.shifts if shift.week == week)


@dataclass(frozen=True, slots=True)
class Contact:
    """A role. Without `rota` its own addresses; `hours` None is at any hour."""

    role: str
    addresses: tuple[str, ...] = ()
    telephone: str = ""
    hours: WorkTime | None = None
    rota: Rota | None = None
    stated: bool = True
    """False for an address that stands in a route by itself: whose it is, and when it is
    read, nobody has said."""

    def reach(self, instant: datetime) -> Reach:
        """How to reach the role at an instant, and whether somebody is there."""
        there = self.hours is None or self.hours.is_open(instant)
        if self.rota is None:
            return Reach(self.role, self.addresses, self.telephone, there)
        shifts = self.rota.on_call(instant)
        names = ", ".join(shift.name for shift in shifts)
        addresses = tuple(address for shift in shifts for address in shift.addresses)
        telephone = next((it.telephone for it in shifts if it.telephone), self.telephone)
        return Reach(
            f"{self.role} ({names})" if names else self.role,
            addresses or self.addresses,
            telephone,
            there and bool(shifts),
            empty_rota=not shifts,
        )


@dataclass(frozen=True, slots=True)
class Reach:
    """A contact at an instant. `there`: somebody is on duty and reads it."""

    who: str
    addresses: tuple[str, ...]
    telephone: str
    there: bool
    empty_rota: bool = False


Tier = tuple[Contact, ...]
"""Those who are told together."""


def addresses_at(tier: Iterable[Contact], instant: datetime) -> list[str]:
    """Every address of a tier at an instant, in order."""
    return [address for contact in tier for address in contact.reach(instant).addresses]


def anybody_there(tier: Iterable[Contact], instant: datetime) -> bool:
    """Whether somebody of a tier who has an address is on duty."""
    reached = (contact.reach(instant) for contact in tier)
    return any(reach.there and bool(reach.addresses) for reach in reached)


def merged(ladders: Sequence[Sequence[Tier]]) -> tuple[Tier, ...]:
    """One ladder of several routes': the first tiers together, then the second ones ..."""
    longest = max((len(ladder) for ladder in ladders), default=0)
    return tuple(
        tuple(dict.fromkeys(it for ladder in ladders if n < len(ladder) for it in ladder[n]))
        for n in range(longest)
    )
