"""What a protocol file may say of symptoms and of cell lines that are low together.

Plain values, as those of `protocol.py`; reading them is in `protocol_toxicity.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from monitor.core.calendar import Duration
from monitor.core.vocabulary import Kind, Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class LastValue:
    """The last value of an analyte, on the day of the symptom or before it, is below a limit
    (canonical unit) or only may be."""

    analyte: str
    below: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class NoValue:
    """No value of an analyte was collected in a time up to the day of the symptom, which lies
    in this phase."""

    analyte: str
    within: Duration
    phase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterEvent:
    """An event of this kind happened on the day of the symptom, or no longer before it."""

    event: str
    within: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class SymptomLevel:
    """What a symptom rule asks for where all of its conditions hold; without any, always."""

    action: Kind
    urgency: Urgency
    soon_after_start: Duration | None = None
    """A symptom came in this time after a start, a resumption after a hold, or an increase."""
    last: LastValue | None = None
    none_since: NoValue | None = None
    after: AfterEvent | None = None
    say: tuple[str, ...] = ()

    @property
    def is_conditional(self) -> bool:
        return (self.soon_after_start, self.last, self.none_since, self.after) != (None,) * 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SymptomRule:
    """A combination of symptoms: one of each group, all of them within `together`."""

    id: str
    title: str
    source: str
    groups: tuple[tuple[str, ...], ...]
    levels: tuple[SymptomLevel, ...]
    """Mildest first; of those whose conditions hold the last one speaks."""
    together: Duration | None = None
    """The longest time between the first and the last symptom; None with one group."""
    unless: tuple[str, ...] = ()
    """Silent on a symptom that is part of what one of these rules speaks of."""
    test_today: tuple[str, ...] = ()
    """Panels that are due on the day of the symptom."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CombinationLevel:
    """So many lines that are low at once."""

    lines_low: int
    action: Kind
    urgency: Urgency
    say: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """Cell lines that speak together. A line is a few rules of the file; it is low while the
    latest result of one of them breaches it."""

    id: str
    title: str
    source: str
    lines: tuple[tuple[str, ...], ...]
    together: Duration
    """How far a line's latest result may lie before the one that is looked at."""
    levels: tuple[CombinationLevel, ...]
    note: str = ""
