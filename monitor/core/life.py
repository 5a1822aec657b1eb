"""What the events make of an enrolment on one day: its state, anchors and doses.

Source: specification, sections 1 and 4. An event takes effect on its day; one to come
changes nothing before it, and wakes the enrolment then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from monitor.core.answer import Dose, Life, Taking
from monitor.core.case import Case, Enrolment, Event, in_turn
from monitor.core.comedication import takings
from monitor.core.drugs import DrugNames
from monitor.core.indications import meant_for
from monitor.core.protocol import Protocol
from monitor.core.protocol_interactions import COMEDICATION
from monitor.core.vocabulary import DIED, EnrolmentState


def life_of(
    enrolment: Enrolment,
    events: Sequence[Event],
    protocol: Protocol,
    today: date,
    names: DrugNames,
    siblings: Sequence[Case] = (),
) -> Life:
    """The life of an enrolment as its events up to `today` tell it; the patient's other
    monitored drugs are taken beside it like any other."""
    ordered = in_turn(events)
    past = [event for event in ordered if event.on <= today]
    start = enrolment.started_on
    starts = [event.on for event in past if event.event == "start"]
    first_dose_on = starts[0] if starts else start
    planned = start > enrolment.enrolled_on and not starts
    stopped_on, ended_by = end_of(past, start)
    elsewhere_until = _elsewhere_until(past, today)
    doses = _doses(enrolment, past)
    taken = takings(past, names)
    taken += [it for sibling in siblings if (it := _other_drug(sibling, enrolment, today))]
    taken.sort(key=lambda it: (it.start, it.drug))
    restarts = _restarts(enrolment, past)
    anchors = {start, *starts, *(day for what, day in restarts if what in protocol.restart_on)}
    anchors.update(_restarts_by_interaction(enrolment, taken, protocol, names))
    return Life(
        state=_state(
            stopped=stopped_on is not None,
            elsewhere=elsewhere_until is not None,
            held=_held(past),
            planned=planned and today < start,
        ),
        anchors=tuple(sorted(anchors)),
        begun_on=tuple(sorted({*(starts or [start]), *(day for _, day in restarts)})),
        first_dose_on=first_dose_on,
        start_confirmed=not planned,
        elsewhere_until=elsewhere_until,
        watch_from=protocol.watch_from.before(min(start, first_dose_on)),
        stopped_on=stopped_on,
        watch_until=_watch_until(stopped_on, enrolment, protocol, today, siblings),
        ended_for_good=ended_by in (DIED, _HANDED_OVER),
        ended_by=ended_by,
        last_dose=doses[-1] if doses else None,
        doses=doses,
        next_change_on=_next_change(ordered, today, enrolment, elsewhere_until),
        takings=tuple(taken),
        comedication=tuple(dict.fromkeys(it.drug for it in taken if it.is_on(today))),
    )


def parse_day(text: str) -> date | None:
    """An ISO day, or None: intake has refused what is neither."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


_HANDED_OVER = "transfer accepted"
ENDING = ("stop", DIED, "transfer_out", "accepted_by")
"""The events by which a treatment ends."""


def end_of(past: Iterable[Event], start: date) -> tuple[date | None, str]:
    """The day of the first event that ended the enrolment, and what speaks of it: a death or
    an accepted transfer after a stop ends the rechecks that the stop left."""
    stopped_on: date | None = None
    ended_by, handed_over = "", False
    for event in past:
        if event.event == DIED:
            return stopped_on or event.on, DIED
        if ended_by == _HANDED_OVER:
            continue
        if event.event == "stop":
            stopped_on, ended_by = stopped_on or event.on, "stopped"
        if event.on < start:
            continue
        if event.event == "transfer_out":
            handed_over = True
        elif event.event == "accepted_by" and handed_over:
            stopped_on, ended_by = stopped_on or event.on, _HANDED_OVER
    return stopped_on, ended_by


def _watch_until(
    stopped_on: date | None,
    enrolment: Enrolment,
    protocol: Protocol,
    today: date,
    siblings: Sequence[Case],
) -> date | None:
    """The last day of the wash-out. From the day on which the same drug is begun anew it is the
    next enrolment that watches: one value is told once."""
    if stopped_on is None:
        return None
    anew = [
        it.started_on - timedelta(days=1)
        for it in (case.enrolment for case in siblings)
        if it.drug == enrolment.drug and it.started_on > stopped_on and it.enrolled_on <= today
    ]
    return min([protocol.wash_out.after(stopped_on), *anew])


def _elsewhere_until(past: Iterable[Event], today: date) -> date | None:
    """The day until which another clinic monitors; on that day the patient is ours again."""
    until = None
    for event in past:
        if event.event == "monitored_elsewhere":
            until = parse_day(event.value)
        elif event.event == "back":
            until = None
    return until if until is not None and today < until else None


def spells_elsewhere(events: Iterable[Event], today: date) -> list[tuple[date, date]]:
    """The stretches (first day, first day after it) in which another clinic monitored, up to
    today."""
    spells: list[tuple[date, date]] = []
    for event in in_turn(events):
        until = parse_day(event.value) if event.event == "monitored_elsewhere" else None
        if event.event in ("monitored_elsewhere", "back") and spells:
            spells[-1] = (spells[-1][0], min(spells[-1][1], event.on))
        if until is not None and event.on <= today:
            spells.append((event.on, until))
    return [(first, end) for first, end in spells if first < end]


def is_within(day: date, spells: Iterable[tuple[date, date]]) -> bool:
    """Whether a day lies in one of these stretches."""
    return any(first <= day < end for first, end in spells)


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which the drug was held; `until` None: it still is."""

    since: date
    until: date | None
    note: str


def pauses(events: Iterable[Event]) -> list[Pause]:
    """Every hold among events in their order, each until the next resumption."""
    found: list[Pause] = []
    for event in events:
        paused = bool(found) and found[-1].until is None
        if event.event == "hold" and not paused:
            found.append(Pause(event.on, None, event.note))
        elif event.event == "resume" and paused:
            found[-1] = replace(found[-1], until=event.on)
    return found


def _held(past: Iterable[Event]) -> bool:
    found = pauses(past)
    return bool(found) and found[-1].until is None


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


def _restarts_by_interaction(
    enrolment: Enrolment, taken: Sequence[Taking], protocol: Protocol, names: DrugNames
) -> list[date]:
    """Days on which a drug was added that starts the schedule again."""
    if "interaction" not in protocol.restart_on:
        return []
    return [
        taking.start
        for taking in taken
        for it in protocol.interactions
        if it.restart
        and meant_for(it, enrolment.indication)
        and it.event == COMEDICATION
        and it.is_about(taking.drug, names)
        and taking.start >= enrolment.started_on
    ]


def _other_drug(sibling: Case, enrolment: Enrolment, today: date) -> Taking | None:
    """Another enrolment of the patient as a drug that is taken, from its first dose to its end."""
    other = sibling.enrolment
    past = in_turn(event for event in sibling.events if event.on <= today)
    starts = [event.on for event in past if event.event == "start"]
    start = starts[0] if starts else other.started_on
    if other.drug == enrolment.drug or start > today:
        return None
    stop, _ = end_of(past, other.started_on)
    if stop is not None and stop <= start:
        return None
    return Taking(
        drug=other.drug, written=other.drug, start=start, stop=stop, enrolment_id=other.id
    )


def _next_change(
    ordered: Iterable[Event],
    today: date,
    enrolment: Enrolment,
    elsewhere_until: date | None,
) -> date | None:
    days = [event.on for event in ordered if event.on > today]
    days += [day for day in (enrolment.started_on, enrolment.enrolled_on) if day > today]
    if elsewhere_until is not None:
        days.append(max(elsewhere_until, today + timedelta(days=1)))
    return min(days, default=None)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
