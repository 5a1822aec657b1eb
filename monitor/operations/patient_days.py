"""Patient-days, as every report counts them: a day of a patient on two treatments is one, and is
covered where no test of any of them was past its grace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

Place = tuple[str, str]
"""Clinic and drug."""


@dataclass(slots=True)
class Days:
    """Of one patient, in one place or everywhere."""

    watched: set[date] = field(default_factory=set)
    """On treatment and monitored here."""
    uncovered: dict[date, int] = field(default_factory=dict)
    """Those on which a test was past its grace, with the rank of why; the highest of several."""
    elsewhere: set[date] = field(default_factory=set)

    def add(
        self, watched: Iterable[date], uncovered: Mapping[date, int], elsewhere: Iterable[date] = ()
    ) -> None:
        self.watched.update(watched)
        self.elsewhere.update(elsewhere)
        for day, rank in uncovered.items():
            self.uncovered[day] = max(rank, self.uncovered.get(day, rank))

    @property
    def covered(self) -> int:
        return len(self.watched - self.uncovered.keys())


class Counts(Protocol):
    """Where days are added up."""

    def count(self, days: Days) -> None: ...


class PatientDays:
    """Counts one patient after the other: by place, and everywhere."""

    def __init__(self, total: Counts, places: Mapping[Place, Counts]) -> None:
        self._total, self._counts = total, places
        self._patient: int | None = None
        self._places: dict[Place, Days] = {}

    def of(self, patient: int, place: Place) -> Days:
        """Where to add the days of the next treatment; those of one patient follow each other."""
        if patient != self._patient:
            self.flush()
            self._patient = patient
        return self._places.setdefault(place, Days())

    def flush(self) -> None:
        """Count those of the patient that is at hand."""
        everywhere = Days()
        for place, days in self._places.items():
            self._counts[place].count(days)
            everywhere.add(days.watched, days.uncovered, days.elsewhere)
        if self._places:
            self._total.count(everywhere)
        self._places.clear()
