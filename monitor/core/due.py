"""When a panel is due: completions x phases x anchors (specification, section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from monitor.core.answer import Demand, PanelStatus
from monitor.core.panels import Completions
from monitor.core.protocol import Lateness, PanelSchedule, Phase, Protocol, Settled
from monitor.core.vocabulary import LATE, Because, PanelState, Urgency, worst_urgency

ON_DEMAND = "on demand"
"""Shown as the phase of a panel that no phase asks for."""
_ONE_DAY = timedelta(days=1)
_REMEMBERED = 16384


class Obligation(NamedTuple):
    """One due day, with the phase whose grace, lead and urgency apply to it."""

    due_on: date
    phase: Phase
    schedule: PanelSchedule
    last_day_in_grace: date

    @property
    def order(self) -> tuple[date, date]:
        """The strictest first."""
        return self.due_on, self.last_day_in_grace


def scheduled(
    protocol: Protocol,
    panel: str,
    last_completed_on: date | None,
    anchors: Sequence[date],
    today: date,
) -> Obligation | None:
    """The earliest obligation over every anchor that counts; None where the schedule ended.

    A restart can bring a test forward and can never forgive one.
    """
    if len(anchors) == 1:
        return _from_anchor(protocol, panel, last_completed_on, anchors[0])
    strictest: Obligation | None = None
    for anchor in _counting_anchors(anchors, last_completed_on, today):
        duty = _from_anchor(protocol, panel, last_completed_on, anchor)
        if duty is not None and (strictest is None or duty.order < strictest.order):
            strictest = duty
    return strictest


def _counting_anchors(anchors: Sequence[date], last: date | None, today: date) -> Sequence[date]:
    """From the last anchor on or before the latest completion (or the first) to today's."""
    before = [anchor for anchor in anchors if last is not None and anchor <= last]
    first = before[-1] if before else anchors[0]
    return [anchor for anchor in anchors if anchor == first or first < anchor <= today]


def _from_anchor(
    protocol: Protocol, panel: str, last: date | None, anchor: date
) -> Obligation | None:
    """due(A): steps 1 to 3 of the specification for one anchor."""
    course = protocol.scheduled.get(panel)
    if course is None:
        return None
    base = anchor if last is None else max(last, anchor)
    settled = course.settled
    if settled is not None and base >= settled.begins.after(anchor):
        return _in_settled(settled, base)
    phase_start = anchor
    for phase, schedule in course.steps:
        phase_end = None if phase.until is None else phase.until.after(anchor)
        if schedule is not None and (phase_end is None or base < phase_end):
            candidate = max(schedule.every.after(base), phase_start)
            if phase_end is None or candidate <= phase_end:
                return _obligation(candidate, phase, schedule)
            if 2 * (phase_end - base) > candidate - base:
                return _obligation(phase_end, phase, schedule)
        if phase_end is not None:
            phase_start = phase_end
    return None


@lru_cache(_REMEMBERED)
def _in_settled(settled: Settled, base: date) -> Obligation:
    """The same for all whose last test was on that day: most of the enrolled."""
    return _obligation(settled.schedule.every.after(base), settled.phase, settled.schedule)


def _obligation(due_on: date, phase: Phase, schedule: PanelSchedule) -> Obligation:
    return Obligation(due_on, phase, schedule, schedule.grace.after(due_on))


@dataclass(frozen=True, slots=True)
class Recheck:
    """A rule's level that the latest result meets asks for its panel again by this day."""

    due_on: date
    rule: str


def status(
    protocol: Protocol,
    panel: str,
    done: Completions,
    obligation: Obligation | None,
    rechecks: Sequence[Recheck],
    demands: Sequence[Demand],
    today: date,
) -> PanelStatus:
    """Where a panel stands today, from its obligation by schedule, by recheck and by demand.

    A recheck allows no grace and makes lateness urgent, a demand too; all obligations stand,
    and the strictest decides.
    """
    recheck = min((it.due_on for it in rechecks), default=None)
    demand = min((it.due_on for it in demands), default=None)
    terms = _terms(protocol, panel, obligation)
    if terms is None or (obligation is None and recheck is None and demand is None):
        return nothing_due(panel, done)
    phase, schedule = terms
    duties = []
    if obligation is not None:
        duties.append((obligation.due_on, obligation.last_day_in_grace))
    if recheck is not None:
        duties.append((recheck, recheck))
    if demand is not None:
        duties.append((demand, demand))
    due_on = min(due for due, _ in duties)
    grace_end = min(end for _, end in duties)
    state, next_change_on = timing(schedule, due_on, grace_end, today)
    return PanelStatus(
        panel=panel,
        phase=phase,
        last_completed_on=done.last,
        declared=done.last_is_declared,
        due_on=due_on,
        because=_because(due_on, recheck, demand),
        state=state,
        days_overdue=(today - due_on).days if state in LATE else 0,
        urgency=worst_urgency(
            _urgency(schedule, state, under_recheck=recheck is not None),
            *(it.urgency for it in demands),
        ),
        repeat_days=(schedule.repeat.after(today) - today).days,
        under_recheck=recheck is not None,
        partial=done.partial,
        demanded_by=tuple(it.why for it in demands),
        in_time_until=grace_end,
        next_change_on=next_change_on,
    )


class Timing(NamedTuple):
    """The state of a panel on a day, and the first later day on which it is another."""

    state: PanelState
    next_change_on: date | None


def timing(terms: Lateness, due_on: date, grace_end: date, today: date) -> Timing:
    """How far a panel is with its due day, by the lead and escalation of its phase."""
    lead_begin = terms.lead.before(due_on)
    if today < lead_begin:
        return Timing(PanelState.UP_TO_DATE, lead_begin)
    if today <= grace_end:
        return Timing(PanelState.DUE, grace_end + _ONE_DAY)
    last_not_serious = max(terms.escalate_after.after(due_on), grace_end)
    if today <= last_not_serious:
        return Timing(PanelState.OVERDUE, last_not_serious + _ONE_DAY)
    return Timing(PanelState.SERIOUSLY_OVERDUE, None)


def _terms(
    protocol: Protocol, panel: str, obligation: Obligation | None
) -> tuple[str, Lateness] | None:
    """The phase whose grace, lead and urgency apply; after the end, the last that has the panel;
    where none has it, those of the panel on demand."""
    if obligation is not None:
        return obligation.phase.name, obligation.schedule
    for phase in reversed(protocol.phases):
        schedule = phase.schedule(panel)
        if schedule is not None:
            return phase.name, schedule
    on_demand = protocol.panel(panel).on_demand
    return None if on_demand is None else (ON_DEMAND, on_demand)


def _because(due_on: date, recheck: date | None, demand: date | None) -> Because:
    if recheck == due_on:
        return Because.RECHECK
    return Because.EVENT if demand == due_on else Because.SCHEDULE


def _urgency(schedule: Lateness, state: PanelState, *, under_recheck: bool) -> Urgency:
    serious = state is PanelState.SERIOUSLY_OVERDUE
    urgency = schedule.serious_urgency if serious else schedule.urgency
    return worst_urgency(urgency, Urgency.URGENT) if under_recheck else urgency


def nothing_due(panel: str, done: Completions, *, lasting: bool = False) -> PanelStatus:
    """A panel that nothing asks for: ended, or (`lasting`) one on demand whose demands are met."""
    return PanelStatus(
        panel=panel,
        phase=ON_DEMAND if lasting else "",
        last_completed_on=done.last,
        declared=done.last_is_declared,
        due_on=None,
        because=Because.SCHEDULE,
        state=PanelState.UP_TO_DATE if lasting else PanelState.ENDED,
        days_overdue=0,
        urgency=Urgency.ROUTINE,
        repeat_days=None,
        partial=(),
    )
