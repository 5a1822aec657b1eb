"""Which days complete a panel (specification, section 5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from monitor.core.case import Enrolment, Result
from monitor.core.protocol import Panel

_DECLARED_PANEL = "cbc"


@dataclass(frozen=True, slots=True)
class Completions:
    """The days up to today on which one panel was complete, and those on which it was not
    although something of it was measured (with what was missing)."""

    days: tuple[date, ...]
    declared: date | None
    partial: tuple[tuple[date, tuple[str, ...]], ...]

    @property
    def last(self) -> date | None:
        known = self.days[-1:] + ((self.declared,) if self.declared else ())
        return max(known, default=None)

    @property
    def last_is_declared(self) -> bool:
        return self.declared is not None and self.last not in self.days


def completions(
    panel: Panel, results: Iterable[Result], enrolment: Enrolment, today: date
) -> Completions:
    """Complete and partial days of a panel among valid results collected up to `today`."""
    wanted = set(panel.analytes)
    measured: dict[date, set[str]] = defaultdict(set)
    for result in results:
        if result.analyte in wanted and result.is_valid and result.collected_on <= today:
            measured[result.collected_on].add(result.analyte)
    complete, partial = [], []
    for day in sorted(measured):
        missing = _missing(panel, measured[day])
        if missing:
            partial.append((day, missing))
        else:
            complete.append(day)
    declared = enrolment.last_tested_on if panel.id == _DECLARED_PANEL else None
    found = Completions(tuple(complete), declared if _past(declared, today) else None, ())
    last = found.last
    since = tuple(entry for entry in partial if last is None or entry[0] > last)
    return Completions(found.days, found.declared, since)


def _past(day: date | None, today: date) -> bool:
    return day is not None and day <= today


def _missing(panel: Panel, present: set[str]) -> tuple[str, ...]:
    single = tuple(name for name in panel.all_of if name not in present)
    groups = tuple(" or ".join(group) for group in panel.any_of if not present.intersection(group))
    return single + groups
