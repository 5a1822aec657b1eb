"""The ladder of an alert: who is to be told at which instant, until somebody answers.

Pure: (when it was put to people, tiers, working time) -> rungs, each with its own instant.
What is due by an instant is every rung up to it, so the answer does not depend on how often
one looks: a rung that was missed is told late, with the others, and never skipped.

Times are those of issue and hazard log (C6), to be signed by each site; they are in the
config, not here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate

from monitor.core.changes import Alert
from monitor.core.contacts import Tier, addresses_at, anybody_there
from monitor.core.vocabulary import AlertState, Urgency
from monitor.core.waits import Wait
from monitor.core.worktime import WorkTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast the ladder of one urgency is climbed.

    `next_tier`: since the alert was put to people, the waits after which the second tier, the
    third ... are told; a ladder with more tiers goes on in the steps of the last. `outcome`:
    how long an acknowledgement lasts without an outcome. `repeat`: how often the end of the
    ladder is told again. `at_once_when_closed`: with longer than this to the next working
    hour, whoever is on duty is told at once. `last_resort`: whether the ladder ends there.
    """

    next_tier: tuple[Wait, ...]
    outcome: Wait | None = None
    repeat: Wait | None = None
    at_once_when_closed: timedelta | None = None
    last_resort: bool = False
    by_message: bool = True
    """False: the first tier reads it in its digest, and later tiers are told in working hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A step of the ladder: told at `at` to `addresses`, each once; `tier` counts from 1, and is
    0 for the last resort."""

    at: datetime
    tier: int
    addresses: tuple[str, ...]
    why: str
    again: bool = False
    """The end of the ladder, told once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """What an alert's rungs follow from."""

    tiers: tuple[Tier, ...]
    pace: Pace
    urgency: Urgency
    hours: WorkTime
    """The clinic's."""
    last_resort: str

    def rungs(self, asked_at: datetime) -> Iterator[Rung]:
        """Every rung of an alert put to people at `asked_at`, in order; endless where the end
        repeats. The first is the first tier's, told at once (routine: in the digest)."""
        told: set[str] = set()
        last: Rung | None = None
        instants = self._instants(asked_at)
        for place, tier in enumerate(self.tiers):
            at = instants[place]
            addresses, why = self._people(place, tier, at)
            fresh = tuple(it for it in _unique(addresses) if it.lower() not in told)
            if fresh:
                told.update(it.lower() for it in fresh)
                last = Rung(at=at, tier=place + 1, addresses=fresh, why=why)
                yield last
        if not self.tiers:
            told.add(self.last_resort.lower())
            last = Rung(at=asked_at, tier=0, addresses=(self.last_resort,), why="no route takes it")
            yield last
        if self.pace.last_resort and self.last_resort.lower() not in told:
            at = instants[-1]
            last = Rung(at=at, tier=0, addresses=(self.last_resort,), why="the last resort")
            yield last
        if self.pace.repeat is not None and last is not None:
            yield from self._repeats(last)

    def _repeats(self, last: Rung) -> Iterator[Rung]:
        assert self.pace.repeat is not None
        at = last.at
        while True:
            at = self.pace.repeat.after(at, self.hours)
            addresses = _unique([*self._on_duty(at), self.last_resort])
            why = "still nobody has it"
            yield Rung(at=at, tier=last.tier, addresses=addresses, why=why, again=True)

    def _on_duty(self, at: datetime) -> list[str]:
        """Everybody of the ladder who is there at an instant; its end where nobody is."""
        reached = [contact.reach(at) for tier in self.tiers for contact in tier]
        there = [address for reach in reached if reach.there for address in reach.addresses]
        return there or (addresses_at(self.tiers[-1], at) if self.tiers else [])

    def _instants(self, asked_at: datetime) -> list[datetime]:
        """When each tier is told, and the last resort where it is: none later than the ones after
        it, for rungs are counted. (From a Friday evening "4 working hours" end after "6 hours".)"""
        places = range(len(self.tiers) + self.pace.last_resort)
        backwards = (self._at(place, asked_at) for place in reversed(places))
        return [*accumulate(backwards, min)][::-1]

    def _at(self, place: int, asked_at: datetime) -> datetime:
        """When a tier (0 is the first) is told."""
        if place == 0:
            return asked_at
        waits = self.pace.next_tier
        if not waits:
            return asked_at
        at = waits[min(place, len(waits)) - 1].after(asked_at, self.hours)
        for _ in range(place - len(waits)):
            at = self._step.after(at, self.hours)
        return at if self.pace.by_message else self.hours.next_open(at)

    @property
    def _step(self) -> Wait:
        waits = self.pace.next_tier
        if len(waits) < 2:
            return waits[-1]
        return Wait(max(waits[-1].span - waits[-2].span, timedelta(minutes=1)), waits[-1].working)

    def _people(self, place: int, tier: Tier, at: datetime) -> tuple[list[str], str]:
        """A tier's addresses, and those of the next one on duty where that must not wait."""
        addresses = addresses_at(tier, at)
        why = "told first" if place == 0 else "not acknowledged in time"
        if not addresses:
            why = f"{why}; nobody has an address there"
            tier = next((it for it in self.tiers[place + 1 :] if addresses_at(it, at)), ())
            addresses = addresses_at(tier, at)
        if not addresses:
            return [self.last_resort], why
        if self._must_find_somebody(at) and not anybody_there(tier, at):
            for later in self.tiers[place + 1 :]:
                if anybody_there(later, at):
                    return addresses + addresses_at(later, at), f"{why}; nobody is on duty there"
        return addresses, why

    def _must_find_somebody(self, at: datetime) -> bool:
        if self.urgency is Urgency.CRITICAL:
            return True
        longest = self.pace.at_once_when_closed
        return longest is not None and self.hours.next_open(at) - at > longest


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """What is due of an alert's ladder by an instant, and when to look again.

    `asked_at` and `climbed` (rungs told once these are) are the alert's own afterwards;
    `outcome_missed` where the time for an outcome has passed and the ladder began anew.
    """

    asked_at: datetime | None
    climbed: int
    due: tuple[Rung, ...] = ()
    upcoming: tuple[Rung, ...] = ()
    outcome_missed: bool = False
    next_at: datetime | None = None


def escalate(alert: Alert, ladder: Ladder, now: datetime, *, ahead: int = 1) -> Escalation:
    """What is due of the ladder of a live alert by `now`, and the next instant to look.

    An alert that is snoozed, recovered or closed asks nobody, nor one that nobody was told of.
    What is told of the ladder is who heard, not how many rungs: an edit of the routes or a
    correction may have put the alert on another one.
    An acknowledged one asks again once the time for its outcome is over: from then on as one
    that nobody has, though it stays acknowledged. `ahead` is how many rungs to come to name.
    """
    asked_at, climbed, missed = alert.asked_at, alert.rungs_told, alert.outcome_missed
    if not asks(alert) or asked_at is None:
        return Escalation(asked_at=asked_at, climbed=climbed, outcome_missed=missed)
    if alert.state is AlertState.ACKNOWLEDGED and not missed:
        due_at = outcome_due_at(alert, ladder)
        if due_at is None or due_at > now:
            return Escalation(asked_at=asked_at, climbed=climbed, next_at=due_at)
        asked_at, climbed, missed = due_at, 0, True
    due: list[Rung] = []
    upcoming: list[Rung] = []
    told = 0
    alert = replace(alert, rungs_told=climbed)
    for place, rung in enumerate(ladder.rungs(asked_at)):
        if rung.again and missed:
            break  # somebody has it: who did not answer the first time is not told for ever
        owed = still_owed(rung, place, alert, ladder, asked_at)
        if owed is None:
            told += 1
        elif owed.at <= now:
            due.append(owed)
        elif len(upcoming) < ahead:
            upcoming.append(owed)
        else:
            break
    return Escalation(
        asked_at=asked_at,
        climbed=told + len(due),
        due=tuple(due),
        upcoming=tuple(upcoming),
        outcome_missed=missed,
        next_at=upcoming[0].at if upcoming else None,
    )


def still_owed(
    rung: Rung, place: int, alert: Alert, ladder: Ladder, asked_at: datetime
) -> Rung | None:
    """A rung of an alert's ladder with those of it who have not heard yet; None where all have.
    What the first tier reads in its digest is owed by no message."""
    heard = alert.heard
    if heard is None or (place == 0 and not ladder.pace.by_message):
        return rung if place >= alert.rungs_told else None
    if rung.again:
        is_told = heard.climbed_at is not None and rung.at <= heard.climbed_at
        return None if is_told else rung
    fresh = tuple(it for it in rung.addresses if not heard.by(it, asked_at))
    return replace(rung, addresses=fresh) if fresh else None


def asks(alert: Alert) -> bool:
    """Whether an alert waits for somebody: live, put to people, going on, not resting."""
    return (
        alert.state is not AlertState.CLOSED
        and alert.asked_at is not None
        and not alert.recovered
        and alert.snoozed_until is None
    )


def outcome_due_at(alert: Alert, ladder: Ladder) -> datetime | None:
    """By when an acknowledged alert needs an outcome; None where it has one or needs none."""
    wait = ladder.pace.outcome
    if wait is None or alert.acknowledged_at is None or alert.outcome_at is not None:
        return None
    if alert.state is not AlertState.ACKNOWLEDGED:
        return None
    return wait.after(alert.acknowledged_at, ladder.hours)


def reason_of(escalation: Escalation, ladder: Ladder) -> str:
    """Who more is told now, in words that follow "Not acknowledged" or "No outcome yet"."""
    rung = next((it for it in reversed(escalation.due) if not it.again), None)
    if rung is None:
        return "told again"
    told = f"told to tier {rung.tier}" if rung.tier else "told to the last resort"
    if escalation.outcome_missed:
        return f"none within {ladder.pace.outcome} of the acknowledgement, {told}"
    return told


def _unique(addresses: Sequence[str]) -> tuple[str, ...]:
    seen: dict[str, str] = {}
    for address in addresses:
        seen.setdefault(address.lower(), address)
    return tuple(seen.values())
