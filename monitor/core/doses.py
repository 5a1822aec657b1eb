"""The dose history of an enrolment: mg a day, and with the weight of the day, mg/kg a day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from monitor.core.answer import Dose, Life
from monitor.core.case import Case, in_turn
from monitor.core.findings import day_text
from monitor.core.recalled import of_analyte

_WEIGHT = "weight"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """A recorded weight, in kg, and the day it was told."""

    kg: Decimal
    on: date

    def __str__(self) -> str:
        return f"{self.kg.normalize():f} kg ({day_text(self.on)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A dose in force from a day on, with the weight of that day where one is known."""

    on: date
    mg: Decimal
    weight: Weight | None

    def __str__(self) -> str:
        per_kg = "weight not known"
        if self.weight is not None:
            per_kg = f"{self.mg / self.weight.kg:.2f} mg/kg/day at {self.weight}"
        return f"{self.mg.normalize():f} mg/day from {day_text(self.on)}: {per_kg}"


def weights(case: Case, today: date) -> list[Weight]:
    """Every weight told up to a day, oldest first; of one day the enrolment's own, events in the
    order they came, results (of one instant the lowest last: it allows the least)."""
    known = []
    if case.enrolment.weight_kg:
        known.append(Weight(kg=case.enrolment.weight_kg, on=case.enrolment.enrolled_on))
    known += [
        Weight(kg=Decimal(event.value), on=event.on)
        for event in in_turn(case.events)
        if event.event == _WEIGHT and event.on <= today
    ]
    known += [
        Weight(kg=result.value, on=result.collected_on)
        for result in sorted(
            of_analyte(case.results, _WEIGHT),
            key=lambda it: (it.collected_at, -(it.value or 0)),
        )
        if result.is_valid and result.value and result.collected_on <= today
    ]
    return sorted(known, key=lambda it: it.on)


def weight_of(known: list[Weight], day: date) -> Weight | None:
    """The latest up to a day; before the first was told, the first."""
    past = [it for it in known if it.on <= day]
    return past[-1] if past else next(iter(known), None)


def history(case: Case, life: Life, today: date, known: list[Weight] | None = None) -> list[Given]:
    """The doses, oldest first. What was set before the first dose is one: the last of it. `known`
    are the `weights`, where they were reckoned already."""
    known = weights(case, today) if known is None else known
    begun = [dose for dose in life.doses if dose.on <= life.first_dose_on][-1:]
    later = [dose for dose in life.doses if dose.on > life.first_dose_on]
    return list(_changes(known, [*begun, *later]))


def _changes(known: list[Weight], doses: list[Dose]) -> Iterator[Given]:
    before = None
    for dose in doses:
        if dose.mg_per_day != before:
            yield Given(on=dose.on, mg=dose.mg_per_day, weight=weight_of(known, dose.on))
        before = dose.mg_per_day
