"""What was set for one patient and has run out, and whom a protocol is for (specification,
section 4; docs/protocol-files.md, `ages`)."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from monitor.core.calendar import parse_duration
from monitor.core.case import Case
from monitor.core.personal_terms import Personal, Terms
from monitor.core.protocol import Ages, PanelSchedule, Protocol
from monitor.core.vocabulary import Urgency
from tests.property.oracle_course import Course
from tests.property.oracle_values import add

Planned = tuple[date | None, list[PanelSchedule], list[str]]
"""A due day with what the phases that gave it say of it, and their names."""


def ended_terms(case: Case, life: Course, today: date) -> dict[str, Any]:
    """Told when one runs out before a stop, unless a person ended it or another followed without
    a gap."""
    told: dict[str, Any] = {}
    for it in case.personal:
        followed = any(follows(other, it) for other in case.personal if other.id != it.id)
        ran_out = it.ended_on is None and it.until <= today
        in_time = life.ended_on is None or it.until <= life.ended_on
        if ran_out and not followed and in_time:
            told[f"personal_ended:{it.id}"] = {
                "kind": "review",
                "urgency": Urgency.ROUTINE,
                "recovered": life.ended_on is not None,
            }
    return told


def follows(later: Personal, it: Personal) -> bool:
    same = all(
        getattr(later, name) == getattr(it, name) for name in ("what", "subject", "level", "phase")
    )
    gone = later.until if later.ended_on is None else min(later.until, later.ended_on)
    return same and later.since <= it.until < gone


def outside_ages(case: Case, protocol: Protocol, life: Course, today: date) -> dict[str, Any]:
    """Once on any day since the enrolment the patient was too young or too old."""
    born, ages = case.enrolment.birth_date, protocol.ages
    if born is None or ages is None:
        return {}
    stopped = life.ended_on is not None
    last = min(today, life.ended_on or today)
    day, was_outside = case.enrolment.enrolled_on, False
    while True:
        was_outside = was_outside or not fits(ages, born, day)
        if day >= last:
            break
        day += timedelta(days=1)
    said = {
        "kind": "review",
        "urgency": Urgency.URGENT,
        "recovered": stopped or fits(ages, born, today),
    }
    return {"ages": said} if was_outside else {}


def fits(ages: Ages, born: date, day: date) -> bool:
    last = calendar.monthrange(day.year, born.month)[1]
    birthday = date(day.year, born.month, min(born.day, last))
    years = day.year - born.year - (1 if day < birthday else 0)
    old_enough = ages.first is None or years >= ages.first
    return old_enough and (ages.below is None or years < ages.below)


def with_intervals(protocol: Protocol, case: Case, today: date) -> Protocol:
    """The intervals that a clinician set for the patient, in force today: those set last."""
    phases = []
    for phase in protocol.phases:
        panels = []
        for entry in phase.panels:
            own = [
                it
                for it in case.personal
                if it.what is Terms.INTERVAL
                and (it.phase, it.subject) == (phase.name, entry.panel)
                and it.since <= today < min(it.until, it.ended_on or it.until)
            ]
            own.sort(key=lambda it: (it.set_at, it.id))
            every = parse_duration(own[-1].every) if own else entry.every
            panels.append(replace(entry, every=every))
        phases.append(replace(phase, panels=tuple(panels)))
    return replace(protocol, phases=tuple(phases))


def run_out(
    written: Protocol, panel: str, case: Case, today: date
) -> Iterator[tuple[date, Protocol]]:
    """The last day of each interval that ran out by itself, and the intervals of that day."""
    for it in case.personal:
        own = it.what is Terms.INTERVAL and it.subject == panel
        if own and it.ended_on is None and it.until <= today:
            day = it.until - timedelta(days=1)
            yield day, with_intervals(written, case, day)


def stricter(planned: Planned, day: date, then: Planned) -> Planned:
    """A completion is the only thing that ends overdue: what was overdue on a day stays so."""
    due_on, entries, phases = then
    if due_on is None or day <= min(add(due_on, it.grace) for it in entries):
        return planned
    if planned[0] is None or due_on < planned[0]:
        return then
    if due_on > planned[0]:
        return planned
    return due_on, planned[1] + entries, planned[2] + phases


def up_to(day: date, anchors: list[date]) -> list[date]:
    return [it for it in anchors if it <= day] or anchors[:1]
