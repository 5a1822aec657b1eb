"""Drugs taken beside the monitored one, and whether an intended combination answers for them.

A stretch is a number of days on which the same was known of a combination: the drugs, the dose,
the document. An intended combination answers an alarm only with a dose that the file allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from monitor.core.answer import Life, Taking
from monitor.core.case import Event
from monitor.core.doses import weight_of, weights
from monitor.core.findings import day_text
from monitor.core.indications import meant_for
from monitor.core.protocol_interactions import Intended, Interaction

if TYPE_CHECKING:
    from monitor.core.judges import View


def entries(view: View) -> list[Interaction]:
    indication = view.case.enrolment.indication
    return view.once(
        "interactions",
        lambda: [it for it in view.protocol.interactions if meant_for(it, indication)],
    )


def about(it: Interaction, view: View) -> list[Taking]:
    """The drugs an interaction is about that are or were taken while the monitored one was (or
    was to be)."""
    if not view.life.takings:
        return []
    stopped_on, names = view.life.stopped_on, view.catalogue.drugs
    return [
        taking
        for taking in view.life.takings
        if it.is_about(taking.drug, names) and (stopped_on is None or taking.start < stopped_on)
    ]


def together_from(taking: Taking, life: Life) -> date:
    return max(taking.start, life.first_dose_on)


def over_on(taking: Taking, life: Life) -> date | None:
    """The first day on which the two are no longer taken together; None: they are."""
    return min((day for day in (taking.stop, life.stopped_on) if day is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Days on which the same things were known of a combination. `until` is the first day
    after; `answer` is None where the interaction alarms."""

    start: date
    until: date | None
    documented: date | None
    answer: str | None
    text: str

    def lines(self) -> Iterator[str]:
        until = f" until {day_text(self.until)}" if self.until is not None else ""
        yield f"from {day_text(self.start)}{until}: {self.text}"


def stretches(it: Interaction, taking: Taking, view: View) -> list[Stretch]:
    over = over_on(taking, view.life)
    last = (
        view.today if over is None or over > view.today else date.fromordinal(over.toordinal() - 1)
    )
    days = {taking.start}
    if it.intended is not None:
        days.update(dose.on for dose in view.life.doses)
        days.update(event.on for event in _documents(taking, view))
        days.update(weight.on for weight in weights(view.case, view.today))
    starts = sorted(day for day in days if taking.start <= day <= last)
    ends: list[date | None] = [
        *starts[1:],
        over if over is not None and over <= view.today else None,
    ]
    return [_stretch(it, taking, day, end, view) for day, end in zip(starts, ends, strict=True)]


def _stretch(it: Interaction, taking: Taking, day: date, until: date | None, view: View) -> Stretch:
    documents = [event.on for event in _documents(taking, view) if event.on <= day]
    answer, text = None, f"{written(taking)} beside {view.case.enrolment.drug}"
    if it.intended is not None and documents:
        allowed, text = _dose_allowed(it.intended, taking, day, view)
        text = f"intended combination documented on {day_text(documents[-1])}; {text}"
        answer = text if allowed else None
    return Stretch(
        start=day,
        until=until,
        documented=documents[-1] if documents else None,
        answer=answer,
        text=text,
    )


def _documents(taking: Taking, view: View) -> list[Event]:
    """The events that document this combination as intended: those of the drug since it was
    last stopped before, up to its stop."""
    names = view.catalogue.drugs
    before = [
        other.stop
        for other in view.life.takings
        if other.drug == taking.drug and other.stop is not None and other.stop <= taking.start
    ]
    since = max(before, default=date.min)
    return [
        event
        for event in view.case.events
        if event.event == "intended_combination"
        and taking.drug in names.find(event.value)
        and since <= event.on <= view.today
        and (taking.stop is None or event.on < taking.stop)
    ]


def _dose_allowed(intended: Intended, taking: Taking, day: date, view: View) -> tuple[bool, str]:
    """Whether the dose in force on a day is a small enough part, with the arithmetic."""
    dose = _dose_on(view.life, day)
    if dose is None:
        return False, "the dose is not known, so it cannot be compared"
    reference, of_what = _reference(intended, taking, view)
    if reference is None:
        return False, f"{dose:f} mg/day: {of_what}"
    most = Fraction(reference) * intended.at_most
    is_allowed = Fraction(dose) <= most
    how = "at most" if is_allowed else "more than"
    part = f"{intended.at_most.numerator}/{intended.at_most.denominator}"
    return is_allowed, (
        f"the dose, {dose:f} mg/day, is {how} {part} of {reference:f} mg/day ({of_what}; the "
        f"protocol allows {intended.text})"
    )


def _reference(intended: Intended, taking: Taking, view: View) -> tuple[Decimal | None, str]:
    """The dose that a part is taken of, and what it is."""
    span = intended.of_highest_within
    since = span.before(taking.start)
    doses = [dose for dose in view.life.doses if dose.on < taking.start]
    counted = [dose for dose in doses if dose.on >= since]
    counted += [dose for dose in doses if dose.on < since][-1:]
    if counted:
        highest = max(dose.mg_per_day for dose in counted)
        return highest, f"the highest dose of the {span} before {day_text(taking.start)}"
    weight = weight_of(weights(view.case, view.today), view.today)
    if intended.usual_mg_per_kg is None or weight is None:
        return None, "no dose before it and no weight are known to compare with"
    usual = intended.usual_mg_per_kg * weight.kg
    return usual, f"the usual {intended.usual_mg_per_kg:f} mg/kg/day at {weight.kg:f} kg"


def _dose_on(life: Life, day: date) -> Decimal | None:
    known = [dose for dose in life.doses if dose.on <= day]
    return known[-1].mg_per_day if known else None


def written(taking: Taking) -> str:
    """A drug as it was recorded, and by the name protocols use where that is another."""
    same = taking.written.casefold() == taking.drug.casefold()
    return taking.drug if same else f"{taking.written} ({taking.drug})"
