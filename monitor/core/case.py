"""What is known of one enrolment, as plain values: all that the core is given.

Instants are aware datetimes in UTC, days are calendar dates in the clinic's time zone, quantities
are exact decimals in the analyte's canonical unit (`schedules/analytes.toml`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from monitor.core.personal_terms import Personal
from monitor.core.vocabulary import Status

if TYPE_CHECKING:
    from monitor.core.recalled import Recalled


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """One patient on one monitored drug under one protocol, from a start day."""

    id: int
    patient_id: int
    mrn: str
    drug: str
    protocol_id: str
    started_on: date
    enrolled_on: date
    indication: str = ""
    clinic: str = ""
    dose_mg_per_day: Decimal | None = None
    last_tested_on: date | None = None
    weight_kg: Decimal | None = None
    tpmt: str = ""
    nudt15: str = ""
    sex: str = ""
    birth_date: date | None = None
    home: int = 0
    """The patient under whose number it came, before numbers were merged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened on a day: a dose, a hold, a stop."""

    id: int
    on: date
    event: str
    value: str = ""
    drug: str = ""
    note: str = ""
    received_at: datetime
    file_id: int = 0
    line: int = 0

    @property
    def turn(self) -> tuple[date, datetime, int, int, int]:
        """By day, and on one day in the order in which it was said: ids do not tell, for what
        two files have said gets a new one when the first of them is taken back."""
        return (self.on, self.received_at, self.file_id, self.line, self.id)


def in_turn(events: Iterable[Event]) -> list[Event]:
    """Events as they happened."""
    return sorted(events, key=_TURN)


_TURN = attrgetter("turn")


class Result(NamedTuple):
    """One analyte value of one specimen, as it stands after corrections. A tuple, because a
    review makes hundreds of them a patient.

    `value` is None where the laboratory gave no result (`no_result` holds its words).
    `timed` is False where only the day of collection is known. `derived` holds the
    arithmetic of a value that no laboratory reported (white cells x percent).
    """

    id: int
    analyte: str
    collected_at: datetime
    collected_on: date
    value: Decimal | None
    received_at: datetime
    comparator: str = ""
    status: Status = Status.FINAL
    specimen_id: str = ""
    timed: bool = True
    received_value: str = ""
    received_unit: str = ""
    ref_low: Decimal | None = None
    ref_high: Decimal | None = None
    comment: str = ""
    no_result: str = ""
    below_plausible: bool = False
    doubtful_comment: str = ""
    method: str = ""
    """How it was measured, as the laboratory names it; empty: not known."""
    source: str = ""
    derived: str = ""

    @property
    def value_is_known(self) -> bool:
        """There is a value, preliminary ones too."""
        return self.value is not None

    @property
    def is_valid(self) -> bool:
        """Counts towards a panel: final or corrected, with a value (numeric or censored)."""
        return self.value is not None and self.status is not Status.PRELIMINARY

    @property
    def usable_uln(self) -> Decimal | None:
        """Its upper reference limit; one that is 0 or not above the lower is none."""
        high, low = self.ref_high, self.ref_low
        if high is None or high <= 0 or (low is not None and high <= low):
            return None
        return high


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRow:
    """A quarantined row of an enrolled patient, as one of an analyte that it may be of: one whose
    names contradict each other is there once for each."""

    id: int
    analyte: str
    collected_on: date | None
    received_value: str
    received_unit: str
    reason: str
    held_at: datetime
    possible_values: tuple[Decimal, ...] = ()
    """The raw number in every unit its source uses, canonical; empty where it is no number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All the core needs to judge one enrolment; results are those that stand, any order, or
    what is recalled of them."""

    enrolment: Enrolment
    results: tuple[Result, ...] | Recalled = ()
    events: tuple[Event, ...] = ()
    held: tuple[HeldRow, ...] = ()
    personal: tuple[Personal, ...] = ()
    siblings: tuple[Case, ...] = ()
    """The patient's other enrolments, themselves without siblings."""
