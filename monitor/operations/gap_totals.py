"""What the days of a gap report add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from monitor.core.adherence import Adherence
from monitor.core.gap_reasons import Reason
from monitor.core.gaps import Interval, PanelDays
from monitor.core.spans import ONE_DAY, days_of, length
from monitor.operations.patient_days import Days, PatientDays, Place
from monitor.operations.period import Counted

_REASONS = tuple(Reason)


class Longest(NamedTuple):
    """The longest gap, the first of several."""

    mrn: str
    test: str
    interval: Interval

    def document(self) -> dict[str, Any]:
        first, end = self.interval.days
        return {
            "mrn": self.mrn,
            "test": self.test,
            "from": first.isoformat(),
            "to": (end - ONE_DAY).isoformat(),
            "days": length(self.interval.days),
        }


@dataclass(slots=True)
class Sums:
    """Patient-days of a place, or of all."""

    patients: int = 0
    with_gaps: int = 0
    days: int = 0
    covered: int = 0
    elsewhere: int = 0
    by_reason: Counter[Reason] = field(default_factory=Counter)
    """Each day that is not covered under the reason of the test that has the least to say."""
    patients_by_reason: Counter[Reason] = field(default_factory=Counter)
    longest: Longest | None = None

    def count(self, days: Days) -> None:
        """The days of one more patient."""
        self.patients += bool(days.watched or days.elsewhere)
        self.with_gaps += bool(days.uncovered)
        self.days += len(days.watched)
        self.covered += days.covered
        self.elsewhere += len(days.elsewhere - days.watched)
        own = Counter(_REASONS[rank] for rank in days.uncovered.values())
        self.by_reason += own
        self.patients_by_reason += Counter(own.keys())

    def see(self, longest: Longest) -> None:
        if self.longest is None or length(longest.interval.days) > length(
            self.longest.interval.days
        ):
            self.longest = longest

    def document(self) -> dict[str, Any]:
        return {
            "patients": self.patients,
            "patients_with_gaps": self.with_gaps,
            "days": self.days,
            "covered": self.covered,
            "not_covered": self.days - self.covered,
            "nothing_on_record": self.by_reason[Reason.NOTHING],
            "elsewhere": self.elsewhere,
            "longest_gap": self.longest.document() if self.longest else None,
        }


class Totals:
    """Adds up one enrolment after the other, those of a patient together."""

    def __init__(self) -> None:
        self.enrolments = 0
        self.not_judged = 0
        self.all = Sums()
        self.places: dict[Place, Sums] = {}
        self.protocols: dict[str, str] = {}
        self._days = PatientDays(self.all, self.places)

    def add(
        self, mrn: str, whose: Counted, found: Adherence, panels: list[tuple[str, PanelDays]]
    ) -> None:
        """The next enrolment, its panels with their titles."""
        self.enrolments += 1
        own = self.places.setdefault(whose.place, Sums())
        why: dict[date, int] = {}
        for title, panel in panels:
            for interval in panel.intervals:
                for day, rank in interval.ranks().items():
                    why[day] = max(rank, why.get(day, rank))
            if panel.longest is not None:
                for sums in (own, self.all):
                    sums.see(Longest(mrn, title, panel.longest))
        days = self._days.of(whose.patient, whose.place)
        days.add(found.watched, why, days_of(found.elsewhere))

    def document(self) -> dict[str, Any]:
        """To be asked for once all are added."""
        self._days.flush()
        return {
            "enrolments": self.enrolments,
            "not_judged": self.not_judged,
            **self.all.document(),
            "reasons": list(self._reasons()),
            "clinics": [
                {"clinic": clinic, "drug": drug, **it.document()}
                for (clinic, drug), it in sorted(self.places.items())
            ],
            "protocols": dict(sorted(self.protocols.items())),
        }

    def _reasons(self) -> Iterator[dict[str, Any]]:
        for reason in Reason:
            if days := self.all.by_reason[reason]:
                patients = self.all.patients_by_reason[reason]
                yield {"reason": reason.value, "days": days, "patients": patients}
