"""Whom a protocol is for by age: outside it, or unknown, is said and never silently applied."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from monitor.core import findings as words
from monitor.core.answer import Considered, Finding
from monitor.core.calendar import Duration, start_of_day
from monitor.core.protocol import Ages
from monitor.core.vocabulary import Kind, Urgency

if TYPE_CHECKING:
    from monitor.core.judges import View

CAUSE = "ages"


def findings(view: View) -> Iterator[Finding]:
    """A review while the patient's age lies outside the protocol's, or lay so until the stop."""
    ages, born = view.protocol.ages, view.case.enrolment.birth_date
    if ages is None or born is None:
        return
    since = _outside_since(ages, born, view)
    if since is None:
        return
    yield Finding(
        enrolment_id=view.case.enrolment.id,
        cause=CAUSE,
        kind=Kind.REVIEW,
        urgency=Urgency.URGENT,
        summary=(
            f"Outside the ages of the protocol on {words.day_text(since)}: "
            f"{age_text(born, since)}, it is for {ages}"
        ),
        source=view.protocol.source,
        recovered=view.life.stopped_on is not None or is_within(ages, born, view.today),
        breaches=(start_of_day(since, view.zone),),
        action=words.action_words(Kind.REVIEW, view.case.enrolment.drug),
        say=("Its limits and intervals are not made for this age: a protocol for it is needed.",),
        arithmetic=(f"born {words.day_text(born)}; the protocol is for {ages}",),
    )


def wakes(view: View) -> Iterator[date]:
    """The birthdays on which the answer changes: outside the ages all, for the age is told."""
    ages, born = view.protocol.ages, view.case.enrolment.birth_date
    if ages is not None and born is not None:
        yield from (day for day in _borders(ages, born) if day is not None)
        if not is_within(ages, born, view.today):
            yield _birthday(born, view.today.year - born.year)
            yield _birthday(born, view.today.year - born.year + 1)


def remark(view: View) -> Iterator[str]:
    """Beside every finding of a rule, where the limit may not be meant for the patient."""
    ages, born = view.protocol.ages, view.case.enrolment.birth_date
    if ages is None:
        return
    if born is None:
        yield f"Age not known: this limit is for {ages}."
    elif not is_within(ages, born, view.today):
        yield f"Outside the ages of the protocol ({age_text(born, view.today)}): it is for {ages}."


def facts(view: View) -> Iterator[str]:
    """The age, and that it is a risk where the protocol says so."""
    ages, born = view.protocol.ages, view.case.enrolment.birth_date
    if born is None:
        yield "age not known"
        return
    age = age_text(born, view.today)
    risk = None if ages is None else ages.risk_from
    if risk is not None and view.today >= _birthday(born, risk):
        yield f"{age}: a risk, side effects are commoner from {risk} years on"
    else:
        yield age


def is_within(ages: Ages, born: date, day: date) -> bool:
    """From the birthday of `from` on, until the day before that of `below`."""
    first, end = _borders(ages, born)
    return (first is None or day >= first) and (end is None or day < end)


def _borders(ages: Ages, born: date) -> tuple[date | None, date | None]:
    first = None if ages.first is None else _birthday(born, ages.first)
    return first, None if ages.below is None else _birthday(born, ages.below)


def _outside_since(ages: Ages, born: date, view: View) -> date | None:
    """The first day of the enrolment on which the age lay outside; None: it never did."""
    enrolled, (_, end) = view.case.enrolment.enrolled_on, _borders(ages, born)
    if not is_within(ages, born, enrolled):
        return enrolled
    last = view.today if view.life.stopped_on is None else view.life.stopped_on
    return end if end is not None and end <= last else None


def _birthday(born: date, years: int) -> date:
    return Duration(months=12 * years).after(born)


def age_text(born: date, day: date) -> str:
    """`68 years old` on a day."""
    years = day.year - born.year - (_birthday(born, day.year - born.year) > day)
    return f"{years} years old"


def considered(view: View) -> Iterator[Considered]:
    """Whom the protocol is for, where the patient is one of them or the age is not known."""
    ages, born = view.protocol.ages, view.case.enrolment.birth_date
    if ages is None:
        return
    if born is None:
        why = f"the birth date is not known; the protocol is for {ages}"
        yield Considered(room=CAUSE, subject="age", why=(why,), judged=False)
    elif _outside_since(ages, born, view) is None:
        why = f"{age_text(born, view.today)}; the protocol is for {ages}"
        yield Considered(room=CAUSE, subject="age", why=(why,))
