"""The routes of a clinic as the core knows them: who hears of an alert, tier by tier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Literal

from monitor.core.contacts import Contact, Tier, merged
from monitor.core.escalation import Ladder, Pace
from monitor.core.vocabulary import Kind, Urgency
from monitor.core.waits import Wait
from monitor.core.worktime import WorkTime

Hours = Literal["any", "open", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One route. An empty list of names means all; `hours` says whether it hears of what
    comes at any hour, only in the clinic's working hours, or only outside them."""

    tiers: tuple[Tier, ...]
    name: str = ""
    clinics: Sequence[str] = ()
    drugs: Sequence[str] = ()
    kinds: Sequence[str] = ()
    urgencies: Sequence[str] = ()
    hours: Hours = "any"
    next_tier: tuple[Wait, ...] = ()
    """In place of the urgency's own; those in working hours say nothing of critical alerts."""
    digest: bool = True
    digest_at: time = time(7, 30)

    def takes(self, *, clinic: str, drug: str, kind: str, urgency: str) -> bool:
        """Whether it hears of such an alert; names are compared without case."""
        wanted = (
            (self.clinics, clinic),
            (self.drugs, drug),
            (self.kinds, kind),
            (self.urgencies, urgency),
        )
        return all(not names or _among(value, names) for names, value in wanted)

    def paces(self, urgency: Urgency) -> bool:
        """Whether it has times of its own for such an alert: a critical one waits for no working
        hours."""
        no_good = urgency is Urgency.CRITICAL and any(wait.working for wait in self.next_tier)
        return bool(self.next_tier) and not no_good

    def hears_at(self, instant: datetime, hours: WorkTime) -> bool:
        return self.hours == "any" or (self.hours == "open") == hours.is_open(instant)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteBook:
    """Every route, how fast each urgency climbs, the clinic's working time, and the address
    that hears of what nobody else does. `faults` are what is wrong with the files behind it."""

    ways: tuple[Way, ...]
    paces: Mapping[Urgency, Pace]
    hours: WorkTime
    last_resort: str
    contacts: tuple[Contact, ...] = ()
    faults: tuple[str, ...] = ()

    def troubles(self, now: datetime) -> list[str]:
        """What keeps somebody from being told now: files that are wrong, an empty rota."""
        empty = [
            f"[recipients.{contact.role}]: nobody is on call by its rota now"
            for contact in self.contacts
            if contact.reach(now).empty_rota
        ]
        return [*self.faults, *empty]

    def matching(self, *, clinic: str, drug: str, kind: str, urgency: str) -> list[Way]:
        """The routes that hear of such an alert at some hour."""
        return [
            way
            for way in self.ways
            if way.takes(clinic=clinic, drug=drug, kind=kind, urgency=urgency)
        ]

    def ladder(
        self, at: datetime, *, clinic: str, drug: str, kind: str, urgency: Urgency
    ) -> Ladder:
        """The ladder of such an alert that is put to people at an instant: the tiers of every
        route that hears of it then, the first ones together, then the second ones ... A task
        that recurs is one line of the first tier's digest and never more."""
        ways = [
            way
            for way in self.matching(clinic=clinic, drug=drug, kind=kind, urgency=urgency.value)
            if way.hears_at(at, self.hours)
        ]
        own = [way.next_tier for way in ways if way.paces(urgency)]
        pace = self.paces[urgency]
        if own:
            pace = replace(pace, next_tier=min(own, key=lambda waits: waits[0].span))
        tiers = merged([way.tiers for way in ways])
        return Ladder(
            tiers=tiers[:1] if kind == Kind.TASK_DUE.value else tiers,
            pace=pace,
            urgency=urgency,
            hours=self.hours,
            last_resort=self.last_resort,
        )


def _among(value: str, names: Sequence[str]) -> bool:
    return value.strip().casefold() in {name.strip().casefold() for name in names}
