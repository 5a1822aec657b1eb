"""Which days complete a panel (specification, section 5)."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from monitor.core.case import Enrolment
from monitor.core.ordered import Results
from monitor.core.protocol import Panel

DECLARED_PANEL = "cbc"
"""The panel of which `last_tested_on` says that it was done elsewhere."""


@dataclass(frozen=True, slots=True)
class Completions:
    """The days up to today on which one panel was complete, and those on which it was not
    although something of it was measured (with what was missing)."""

    days: tuple[date, ...]
    declared: date | None
    partial: tuple[tuple[date, tuple[str, ...]], ...]

    @property
    def last(self) -> date | None:
        last = self.days[-1] if self.days else None
        if self.declared is None:
            return last
        return self.declared if last is None else max(last, self.declared)

    @property
    def last_is_declared(self) -> bool:
        return self.declared is not None and self.last not in self.days


def completions(panel: Panel, results: Results, enrolment: Enrolment, today: date) -> Completions:
    """Complete and partial days of a panel among valid results collected up to `today`."""
    days = sorted(_complete(panel, results))
    complete = tuple(days[: bisect_right(days, today)])
    declared = enrolment.last_tested_on if panel.id == DECLARED_PANEL else None
    found = Completions(complete, declared if _past(declared, today) else None, ())
    partial = days_in_part(panel, results, found.last, today)
    return Completions(found.days, found.declared, partial)


def _complete(panel: Panel, results: Results) -> Iterable[date]:
    """The days on which everything that the panel asks for was measured."""
    parts = [results.days(name) for name in panel.all_of]
    parts += [frozenset().union(*map(results.days, group)) for group in panel.any_of]
    return parts[0].intersection(*parts[1:]) if parts else ()


def days_in_part(
    panel: Panel, results: Results, last: date | None, today: date
) -> tuple[tuple[date, tuple[str, ...]], ...]:
    """The days after a completion, up to today, on which something of the panel was measured, and
    what was missing."""
    measured: dict[date, set[str]] = defaultdict(set)
    for name in panel.analytes:
        days = results.days(name)
        if last is not None and max(days, default=last) <= last:
            continue
        for day in days:
            if (last is None or day > last) and day <= today:
                measured[day].add(name)
    return tuple((day, _missing(panel, measured[day])) for day in sorted(measured))


def _past(day: date | None, today: date) -> bool:
    return day is not None and day <= today


def _missing(panel: Panel, present: set[str]) -> tuple[str, ...]:
    single = tuple(name for name in panel.all_of if name not in present)
    groups = tuple(" or ".join(group) for group in panel.any_of if not present.intersection(group))
    return single + groups
