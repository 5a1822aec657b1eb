"""What the events make of an enrolment on one day: its state, anchors and doses.

Source: specification, sections 1 and 4. An event takes effect on its day; one to come
changes nothing before it, and wakes the enrolment then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from monitor.core.model import Dose, Enrolment, EnrolmentState, Event, Life
from monitor.core.protocol import Protocol


def life_of(enrolment: Enrolment, events: Sequence[Event], protocol: Protocol, today: date) -> Life:
    """The life of an enrolment as its events up to `today` tell it."""
    ordered = sorted(events, key=lambda event: (event.on, event.id))
    past = [event for event in ordered if event.on <= today]
    start = enrolment.started_on
    starts = [event.on for event in past if event.event == "start"]
    first_dose_on = starts[0] if starts else start
    planned = start > enrolment.enrolled_on and not starts
    stopped_on, ended_by = _end(past, start)
    elsewhere_until = _elsewhere_until(past, today)
    doses = _doses(enrolment, past)
    restarts = _restarts(enrolment, past)
    counting = [day for what, day in restarts if what in protocol.restart_on]
    return Life(
        state=_state(
            stopped=stopped_on is not None,
            elsewhere=elsewhere_until is not None,
            held=_held(past),
            planned=planned and today < start,
        ),
        anchors=tuple(sorted({start, *starts, *counting})),
        begun_on=tuple(sorted({*(starts or [start]), *(day for _, day in restarts)})),
        first_dose_on=first_dose_on,
        start_confirmed=not planned,
        watch_from=protocol.watch_from.before(min(start, first_dose_on)),
        stopped_on=stopped_on,
        watch_until=None if stopped_on is None else protocol.wash_out.after(stopped_on),
        ended_for_good=ended_by in ("died", "transfer accepted"),
        ended_by=ended_by,
        last_dose=doses[-1] if doses else None,
        doses=doses,
        next_change_on=_next_change(ordered, today, start, planned, elsewhere_until),
        comedication=_comedication(past),
    )


def parse_day(text: str) -> date | None:
    """An ISO day, or None: intake has refused what is neither."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _end(past: Iterable[Event], start: date) -> tuple[date | None, str]:
    """The day of the first event that ended the enrolment, and what speaks of it: a death or
    an accepted transfer after a stop ends the rechecks that the stop left."""
    stopped_on: date | None = None
    handed_over = False
    for event in past:
        if event.event == "stop":
            stopped_on = stopped_on or event.on
        if event.event == "died":
            return stopped_on or event.on, "died"
        if event.on < start:
            continue
        if event.event == "transfer_out":
            handed_over = True
        elif event.event == "accepted_by" and handed_over:
            return stopped_on or event.on, "transfer accepted"
    return stopped_on, "stopped" if stopped_on else ""


def _elsewhere_until(past: Iterable[Event], today: date) -> date | None:
    """The day until which another clinic monitors; on that day the patient is ours again."""
    until = None
    for event in past:
        if event.event == "monitored_elsewhere":
            until = parse_day(event.value)
        elif event.event == "back":
            until = None
    return until if until is not None and today < until else None


def _held(past: Iterable[Event]) -> bool:
    held = False
    for event in past:
        if event.event in ("hold", "resume"):
            held = event.event == "hold"
    return held


def _state(*, stopped: bool, elsewhere: bool, held: bool, planned: bool) -> EnrolmentState:
    if stopped:
        return EnrolmentState.STOPPED
    if elsewhere:
        return EnrolmentState.ELSEWHERE
    if planned:
        return EnrolmentState.PLANNED
    return EnrolmentState.HELD if held else EnrolmentState.ACTIVE


def _restarts(enrolment: Enrolment, past: Iterable[Event]) -> list[tuple[str, date]]:
    """Dose increases and resumptions after a hold, by the names of `restart_on`."""
    days = []
    dose, held = enrolment.dose_mg_per_day, False
    for event in past:
        restarted = ""
        if event.event == "dose":
            new = _number(event.value)
            increased = dose is not None and new is not None and new > dose
            restarted = "dose_increase" if increased else ""
            dose = dose if new is None else new
        elif event.event == "hold":
            held = True
        elif event.event == "resume":
            restarted = "resume" if held else ""
            held = False
        if restarted and event.on >= enrolment.started_on:
            days.append((restarted, event.on))
    return days


def _doses(enrolment: Enrolment, past: Iterable[Event]) -> tuple[Dose, ...]:
    doses = []
    if enrolment.dose_mg_per_day is not None:
        doses.append(Dose(on=enrolment.started_on, mg_per_day=enrolment.dose_mg_per_day))
    for event in past:
        amount = _number(event.value) if event.event == "dose" else None
        if amount is not None:
            doses.append(Dose(on=event.on, mg_per_day=amount))
    return tuple(doses)


def _comedication(past: Iterable[Event]) -> tuple[str, ...]:
    drugs: dict[str, str] = {}
    for event in past:
        name = event.value.strip().casefold()
        if event.event == "comedication_start":
            drugs[name] = name
        elif event.event == "comedication_stop":
            drugs.pop(name, None)
    return tuple(drugs)


def _next_change(
    ordered: Iterable[Event],
    today: date,
    start: date,
    planned: bool,
    elsewhere_until: date | None,
) -> date | None:
    days = [event.on for event in ordered if event.on > today]
    if planned and start > today:
        days.append(start)
    if elsewhere_until is not None:
        days.append(max(elsewhere_until, today + timedelta(days=1)))
    return min(days, default=None)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
