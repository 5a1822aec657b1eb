"""What the events up to a day make of an enrolment (specification, section 4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from monitor.core.case import Case, Event
from monitor.core.protocol import Protocol

OF_THE_DRUG = ("start", "dose", "hold", "resume", "stop")


@dataclass(frozen=True)
class Course:
    """Anchors up to the day (never none), starts, increases and resumptions, first dose, and whether and how it ended."""

    anchors: list[date]
    begun: list[date]
    first_dose: date
    ended_on: date | None
    for_good: bool
    elsewhere: bool


def course(
    case: Case, protocol: Protocol, today: date, restarts: frozenset[date] | set[date] = frozenset()
) -> Course:
    """`restarts`: days on which a drug was added that begins the phases anew."""
    start = case.enrolment.started_on
    past = [event for event in as_told(case.events) if event.on <= today and concerns(event, case)]
    starts = [event.on for event in past if event.event == "start"]
    anchors = {start, *starts, *restarts}
    if "dose_increase" in protocol.restart_on:
        anchors |= {day for day in increases(case, past) if day >= start}
    if "resume" in protocol.restart_on:
        anchors |= {day for day in resumptions(past) if day >= start}
    ended_on, for_good = end(past, start)
    again = [day for day in [*increases(case, past), *resumptions(past)] if day >= start]
    return Course(
        anchors=sorted(day for day in anchors if day <= today) or [start],
        begun=(starts or [start]) + again,
        first_dose=min(starts) if starts else start,
        ended_on=ended_on,
        for_good=for_good,
        elsewhere=is_elsewhere(past, today),
    )


def as_told(events: Iterable[Event]) -> list[Event]:
    """By day and, within a day, in the order received (specification, section 4)."""
    return sorted(events, key=lambda it: (it.on, it.received_at, it.file_id, it.line, it.id))


def concerns(event: Event, case: Case) -> bool:
    """Start, dose, hold, resume and stop of another drug are not of this enrolment."""
    return event.event not in OF_THE_DRUG or event.drug in ("", case.enrolment.drug)


def increases(case: Case, past: list[Event]) -> list[date]:
    """A first known dose is no increase; a return after a reduction is one."""
    known = case.enrolment.dose_mg_per_day
    dose = None if known is None else Fraction(known)
    days = []
    for event in past:
        if event.event == "dose":
            if dose is not None and Fraction(event.value) > dose:
                days.append(event.on)
            dose = Fraction(event.value)
    return days


def resumptions(past: list[Event]) -> list[date]:
    """`resume` counts only after a hold."""
    held = False
    days = []
    for event in past:
        if event.event == "hold":
            held = True
        if event.event == "resume":
            if held:
                days.append(event.on)
            held = False
    return days


def end(past: list[Event], start: date) -> tuple[date | None, bool]:
    """The day it ended, and whether nothing at all is due any more."""
    ends = [event.on for event in past if event.event in ("stop", "died")]
    for_good = any(event.event == "died" for event in past)
    handed_over = False
    for event in past:
        if event.event == "transfer_out" and event.on >= start:
            handed_over = True
        if event.event == "accepted_by" and handed_over:
            ends.append(event.on)
            for_good = True
    return min(ends, default=None), for_good


def is_elsewhere(past: list[Event], today: date) -> bool:
    """Until the day named, or until the event `back`; on the day named they are ours again."""
    until: date | None = None
    for event in past:
        if event.event == "monitored_elsewhere":
            until = date.fromisoformat(event.value)
        if event.event == "back":
            until = None
    return until is not None and today < until
