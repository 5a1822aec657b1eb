"""The values of each analyte of a patient over time, and the limits that hold for them, in the
words and digits in which an alert says them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from monitor.core.case import Result
from monitor.core.findings import day_text
from monitor.core.indications import meant_for
from monitor.core.judges import View
from monitor.core.personal import limits_of
from monitor.core.personal_terms import Personal, in_force
from monitor.core.phenotypes import CODED, phenotype_of_code
from monitor.core.protocol import Level
from monitor.core.units import show


@dataclass(frozen=True, slots=True)
class Limit:
    """A line of a figure: beyond it the protocol asks for something."""

    value: Decimal
    action: str
    urgency: str
    downward: bool
    text: str


@dataclass(frozen=True, slots=True)
class Course:
    """The values of one analyte, oldest first, and the limits that hold for them."""

    analyte: str
    title: str
    unit: str
    decimals: int
    results: tuple[Result, ...]
    limits: tuple[Limit, ...]

    @property
    def is_coded(self) -> bool:
        """Whether it is told in words and has no course."""
        return self.analyte in CODED

    @property
    def latest(self) -> Result:
        return self.results[-1]

    def shown(self, result: Result) -> str:
        """A value as its alert says it: `0.40`; in full where a limit is near. "" for none. Of a
        genotype its word: the number is only how it is stored."""
        if result.value is None:
            return ""
        if self.is_coded:
            return phenotype_of_code(result.value).value
        limits = [it.value for it in self.limits]
        return f"{result.comparator}{show(result.value, self.decimals, limits)}"


def courses_of(results: Sequence[Result], views: Sequence[View]) -> Iterator[Course]:
    """Watched analytes first, in the order of the protocol's panels."""
    by_analyte: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_analyte[result.analyte].append(result)
    wanted = [
        analyte for view in views for panel in view.protocol.panels for analyte in panel.analytes
    ]
    for analyte in dict.fromkeys([*wanted, *sorted(by_analyte)]):
        own = by_analyte.get(analyte)
        if own:
            known = views[0].catalogue.analytes[analyte]
            limits = tuple(_limits(analyte, own[-1], views, known.unit))
            yield Course(analyte, known.title, known.unit, known.decimals, tuple(own), limits)


def _limits(analyte: str, latest: Result, views: Sequence[View], unit: str) -> Iterator[Limit]:
    seen = set()
    for view in views:
        indication = view.case.enrolment.indication
        for rule in view.protocol.rules:
            if rule.analyte != analyte or not meant_for(rule, indication):
                continue
            personal = limits_of(rule.id, view.case.personal)
            for number, level in enumerate(rule.levels, 1):
                own = in_force(personal, number, view.today)
                value = _value(level, latest, own)
                if value is None or (value, rule.downward) in seen:
                    continue
                seen.add((value, rule.downward))
                side = "below" if rule.downward else "above"
                text = f"{side} {value:f} {unit}: {level.action.value.replace('_', ' ')}"
                if own is not None:
                    text += f" (personal limit until {day_text(own.last)})"
                yield Limit(value, level.action.value, level.urgency.value, rule.downward, text)


def _value(level: Level, latest: Result, own: Personal | None) -> Decimal | None:
    """Where a level begins, in the canonical unit; None for one that looks at a course. `own`
    stands in for its number."""
    number = next(
        (it for it in (level.below, level.above, level.above_times_uln) if it is not None), None
    )
    if number is None or level.looks_at_course:
        return None
    if own is not None and own.value is not None:
        number = own.value
    if level.above_times_uln is None:
        return number
    upper = latest.usable_uln or level.default_uln
    return None if upper is None else number * upper
