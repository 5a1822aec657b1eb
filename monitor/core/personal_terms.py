"""What a clinician may set for one patient, as plain values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Terms(StrEnum):
    """What a clinician may set for one patient."""

    LIMIT = "limit"
    """Another number in a level of a rule."""
    INTERVAL = "interval"
    """Another `every` of a panel in a phase."""
    BASELINE = "baseline"
    """Accepted as it is: the latest result of a rule asks for no recheck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """What a clinician set for one patient: never without reason, author and end."""

    id: int
    what: Terms
    subject: str
    """The id of the rule, or of the panel."""
    level: int = 0
    """Of a limit: which level of the rule, from 1."""
    value: Decimal | None = None
    """Of a limit: the number that stands in for the level's own, in its unit."""
    phase: str = ""
    every: str = ""
    """Of an interval: the duration as text."""
    since: date
    until: date
    """The day on which the protocol's own returns."""
    by: str
    second: str = ""
    reason: str
    ended_on: date | None = None
    """A person ended it before."""
    set_at: datetime

    def is_on(self, day: date) -> bool:
        return self.since <= day < self.last

    def stood_on(self, day: date) -> bool:
        """In force for at least a part of the day."""
        is_ended = self.ended_on is not None and self.ended_on < day
        return self.since <= day < self.until and not is_ended

    @property
    def last(self) -> date:
        """The first day without it."""
        return self.until if self.ended_on is None else min(self.until, self.ended_on)


def in_force(limits: Iterable[Personal], level: int, day: date) -> Personal | None:
    """Of the limits of a rule the one that stands in for a level on a day; of several the one
    set last."""
    own = [it for it in limits if it.level == level and it.is_on(day)]
    return _set_last(own)


def stood_at(limits: Iterable[Personal], level: int, day: date, at: datetime) -> Personal | None:
    """The one that stood in for a level at an instant of a day: set by then, and not ended by a
    person on an earlier day. Of the day on which one is ended it is not known when."""
    own = [it for it in limits if it.level == level and it.set_at <= at and it.stood_on(day)]
    return _set_last(own)


def _set_last(limits: Iterable[Personal]) -> Personal | None:
    return max(limits, key=lambda it: (it.set_at, it.id), default=None)
