"""What a schedule says of an enrolment, from what it is counted from alone: due days, what is late,
where too many tests were missed, and until when. No result, event or other judge is asked, so an
edit of the phases is answered for those of whom nothing else changes (docs/adr/0054)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import NamedTuple

from monitor.core import due, missed
from monitor.core.answer import PanelStatus
from monitor.core.basis import Basis
from monitor.core.calendar import Duration
from monitor.core.panels import Completions
from monitor.core.protocol import Protocol
from monitor.core.protocol_care import Missed
from monitor.core.vocabulary import LATE, PanelState


class Told(NamedTuple):
    """What alerts tell of by a schedule alone."""

    late: tuple[tuple[PanelStatus, Duration, str], ...]
    """The panels that are late, when each is told again, and what is asked on the occasion."""
    missed: tuple[tuple[missed.Gap, Missed], ...]
    """Where too many tests were missed, and what is said of it."""


class BySchedule(NamedTuple):
    """What a schedule says on a day."""

    panels: tuple[tuple[str, date, PanelState], ...]
    """Each panel with its due day and state; none that has ended."""
    told: Told
    next_change_on: date | None
    """The first later day on which it says something else."""


NOTHING_TOLD = Told((), ())


def by_schedule(protocol: Protocol, basis: Basis, today: date) -> BySchedule:
    """What the schedule of a protocol says, where neither a recheck nor anything else beside it
    asks for a panel."""
    states: list[tuple[str, date, PanelState]] = []
    late: list[tuple[PanelStatus, Duration, str]] = []
    days: list[date | None] = []
    for panel in basis.done if basis.stopped_on is None else ():
        last = basis.last_done(panel)
        duty = due.scheduled(protocol, panel, last, basis.anchors, today)
        if duty is None:
            continue
        state, changes_on = due.timing(duty.schedule, duty.due_on, duty.last_day_in_grace, today)
        states.append((panel, duty.due_on, state))
        days.append(changes_on)
        if state in LATE:  # else the next miss is the end of the grace
            days += missed.next_miss(protocol, panel, basis, today)
            if not basis.elsewhere:
                late.append(_late(protocol, panel, last, duty, today))
    return BySchedule(
        tuple(states),
        Told(tuple(late), tuple(missed.too_long(protocol, basis, today))),
        min(filter(None, days), default=None),
    )


def panels_by_schedule(protocol: Protocol, basis: Basis, today: date) -> tuple[PanelStatus, ...]:
    """Where each panel that a phase asks for stands, as `by_schedule`; those too that ended."""
    return tuple(
        _status(protocol, it.id, basis, today) for it in protocol.panels if it.id in basis.done
    )


def _status(protocol: Protocol, panel: str, basis: Basis, today: date) -> PanelStatus:
    last, duty = basis.last_done(panel), None
    if basis.stopped_on is None:
        duty = due.scheduled(protocol, panel, last, basis.anchors, today)
    return due.status(protocol, panel, _done_on(last), duty, (), (), today)


def _late(
    protocol: Protocol, panel: str, last: date | None, duty: due.Obligation, today: date
) -> tuple[PanelStatus, Duration, str]:
    """A late panel as its alert shows it, which names neither the end of its grace nor the next
    change."""
    status = due.status(protocol, panel, _done_on(last), duty, (), (), today)
    shown = replace(status, in_time_until=None, next_change_on=None)
    return shown, duty.schedule.repeat, protocol.asked_with(status)


def _done_on(last: date | None) -> Completions:
    return Completions(() if last is None else (last,), None, ())
