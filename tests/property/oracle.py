"""The slow, obvious answer for one patient, written from the specification alone.

Everything here walks over days and results with plain loops; numbers are `Fraction`s. It
shares the nouns of `monitor.core.model` with the product and none of its reasoning. Section
numbers are those of the specification (`docs/specification.md`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from monitor.core.analytes import Catalogue
from monitor.core.calendar import parse_duration
from monitor.core.model import Case, Result, Urgency
from monitor.core.personal_terms import Terms
from monitor.core.protocol import Panel, PanelSchedule, Protocol
from tests.property.oracle_baseline import BaselineAnswer, baseline
from tests.property.oracle_course import Course, course
from tests.property.oracle_episodes import Episode, Point
from tests.property.oracle_rules import held_urgency, judge_rule, rechecks
from tests.property.oracle_toxicity import Symptom, Together, symptoms, together
from tests.property.oracle_values import add, take, valid, with_derived

__all__ = ["Answer", "PanelAnswer", "answer", "due_day"]

DECLARED_PANEL = "cbc"


@dataclass(frozen=True)
class PanelAnswer:
    due_on: date | None
    because: str
    state: str
    days_overdue: int
    last_completed_on: date | None
    declared: bool
    phases: frozenset[str]
    """More than one where two anchors tie."""
    urgency: Urgency | None
    """Of its lateness; None unless overdue."""
    partial: list[tuple[date, frozenset[str]]]


@dataclass(frozen=True)
class Answer:
    today: date
    course: Course
    panels: dict[str, PanelAnswer]
    episodes: list[Episode]
    unjudged: set[tuple[str, datetime]]
    unusable: dict[str, tuple[frozenset[int], Urgency]]
    held: tuple[frozenset[int], Urgency] | None
    baseline: BaselineAnswer
    symptoms: list[Symptom]
    combinations: list[Together]

    @property
    def alerting(self) -> list[Episode]:
        return [episode for episode in self.episodes if episode.alerting]


def answer(
    case: Case, protocol: Protocol, catalogue: Catalogue, now: datetime, zone: ZoneInfo
) -> Answer:
    today = now.astimezone(zone).date()
    protocol = with_intervals(protocol, case, today)
    life = course(case, protocol, today)
    results = with_derived(case.results, catalogue)
    episodes: list[Episode] = []
    unjudged: set[tuple[str, datetime]] = set()
    wanted: dict[str, date] = {}
    points: dict[str, list[Point]] = {}
    for rule in protocol.rules:
        judged = judge_rule(rule, case, protocol, results, life.first_dose, life.ended_on, today)
        episodes += judged.episodes
        points[rule.id] = judged.points
        if judged.unjudged is not None:
            unjudged.add((rule.id, judged.unjudged))
        for day in rechecks(rule, judged.now):
            if not life.for_good and not judged.accepted:
                wanted[rule.analyte] = min(day, wanted.get(rule.analyte, day))
    spoken = symptoms(case, protocol, results, life, today)
    panels = {}
    for panel in [it for it in protocol.panels if it.on_demand is None]:
        days = [wanted[name] for name in panel.analytes if name in wanted]
        recheck = min(days, default=None)
        asked = [] if life.for_good else [it.on for it in spoken if panel.id in it.tests]
        panels[panel.id] = panel_answer(panel, case, protocol, results, life, today, recheck, asked)
    rechecked = {
        panel.id for panel in protocol.panels if any(name in wanted for name in panel.analytes)
    }
    return Answer(
        today=today,
        course=life,
        panels=panels,
        episodes=episodes,
        unjudged=unjudged,
        unusable={} if life.elsewhere else unusable(case, protocol, life, panels, rechecked),
        held=None if life.for_good else held_urgency(case, protocol),
        baseline=baseline(
            case,
            protocol,
            life,
            {name: panel.last_completed_on for name, panel in panels.items()},
            today,
        ),
        symptoms=spoken,
        combinations=[
            found
            for it in protocol.combinations
            for found in together(it, case, protocol, points, life.first_dose)
        ],
    )


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


def completions(panel: Panel, case: Case, results: list[Result], today: date) -> set[date]:
    days = set()
    for day in {result.collected_on for result in results}:
        if day <= today and not missing_on(panel, results, day):
            days.add(day)
    return days


def missing_on(panel: Panel, results: list[Result], day: date) -> set[str]:
    """What keeps a day from completing the panel (section 5)."""
    there = {result.analyte for result in results if result.collected_on == day and valid(result)}
    missing = {name for name in panel.all_of if name not in there}
    for group in panel.any_of:
        if not any(name in there for name in group):
            missing |= set(group)
    return missing


def panel_answer(
    panel: Panel,
    case: Case,
    protocol: Protocol,
    results: list[Result],
    life: Course,
    today: date,
    recheck: date | None,
    asked: list[date],
) -> PanelAnswer:
    done = completions(panel, case, results, today)
    tested = case.enrolment.last_tested_on
    declared_days = {tested} if panel.id == DECLARED_PANEL and tested and tested <= today else set()
    last = max(done | declared_days, default=None)
    planned = due_day(protocol, panel.id, last, life.anchors)
    due_on, entries, phases = planned
    if life.ended_on is not None:
        having = [(phase.name, phase.schedule(panel.id)) for phase in protocol.phases]
        due_on, (name, entry) = None, [pair for pair in having if pair[1] is not None][-1]
        entries, phases = [entry] if entry else [], [name]
    graces = [add(due_on, entry.grace) for entry in entries] if due_on else []
    scheduled = min(graces, default=None)
    partial = [
        (day, frozenset(missing_on(panel, results, day)))
        for day in sorted({result.collected_on for result in results})
        if (last is None or day > last)
        and day <= today
        and any(
            result.collected_on == day and valid(result) and result.analyte in panel.analytes
            for result in results
        )
    ]
    because = "schedule"
    late_after = scheduled
    if recheck is not None and (due_on is None or recheck <= due_on):
        due_on, because = recheck, "recheck"
    if recheck is not None:
        late_after = recheck if late_after is None else min(late_after, recheck)
    event = min((day for day in asked if last is None or last < day), default=None)
    if event is not None:
        if due_on is None or event < due_on or (event == due_on and because == "schedule"):
            due_on, because = event, "event"
        late_after = event if late_after is None else min(late_after, event)
    state, late, urgency = "ended", 0, None
    if due_on is not None and late_after is not None and entries:
        entry = min(entries, key=lambda entry: add(date(2001, 1, 1), entry.grace))
        state = state_on(today, due_on, late_after, entry)
        urgency = lateness(state, entry, recheck if event is None else event)
        late = (today - due_on).days if urgency is not None else 0
    if state == "ended":
        phases, partial = [], []
    return PanelAnswer(
        due_on=due_on,
        because=because,
        state=state,
        days_overdue=late,
        last_completed_on=last,
        declared=last is not None and last in declared_days and last not in done,
        phases=frozenset(phases),
        urgency=urgency,
        partial=partial,
    )


def state_on(today: date, due_on: date, late_after: date, entry: PanelSchedule) -> str:
    """The states in whole days; `late_after` is the last day of grace."""
    if today > late_after:
        return "seriously_overdue" if today > add(due_on, entry.escalate_after) else "overdue"
    return "due" if today >= take(due_on, entry.lead) else "up_to_date"


def lateness(state: str, entry: PanelSchedule, recheck: date | None) -> Urgency | None:
    """How urgent a late panel is; None where it is not late. Under a recheck, or after an event
    that asked for it, it is urgent."""
    if state not in ("overdue", "seriously_overdue"):
        return None
    urgency = entry.urgency if state == "overdue" else entry.serious_urgency
    if recheck is None:
        return urgency
    return max(urgency, Urgency.URGENT, key=lambda word: word.rank)


def due_day(
    protocol: Protocol, panel: str, last: date | None, anchors: list[date]
) -> tuple[date | None, list[PanelSchedule], list[str]]:
    """The earliest due day over the anchors that count; `anchors` ascending, up to today."""
    counting = [
        anchor
        for anchor in anchors
        if last is None or anchor > last or not any(anchor < other <= last for other in anchors)
    ]
    offers = []
    for anchor in counting:
        offer = due_from(protocol, panel, last, anchor)
        if offer is not None:
            offers.append(offer)
    if not offers:
        return None, [], []
    first = min(day for day, _, _ in offers)
    same = [(entry, name) for day, entry, name in offers if day == first]
    shortest = min(add(first, entry.grace) for entry, _ in same)
    kept = [(entry, name) for entry, name in same if add(first, entry.grace) == shortest]
    return first, [entry for entry, _ in kept], [name for _, name in kept]


def due_from(
    protocol: Protocol, panel: str, last: date | None, anchor: date
) -> tuple[date, PanelSchedule, str] | None:
    """due(A) of section 4, steps 1 to 3."""
    base = anchor if last is None or last < anchor else last
    begin = anchor
    for phase in protocol.phases:
        end = None if phase.until is None else add(anchor, phase.until)
        if end is not None and base >= end:
            begin = end
            continue
        entry = phase.schedule(panel)
        if entry is not None:
            candidate = max(add(base, entry.every), begin)
            if end is None or candidate <= end:
                return candidate, entry, phase.name
            if 2 * (end - base) > candidate - base:
                return end, entry, phase.name
        begin = end or begin
    return None


def unusable(
    case: Case,
    protocol: Protocol,
    life: Course,
    panels: dict[str, PanelAnswer],
    rechecked: set[str],
) -> dict[str, tuple[frozenset[int], Urgency]]:
    """Panels to be drawn again: a sample without a result since the last completion."""
    asked = {}
    watched_from = take(min(case.enrolment.started_on, life.first_dose), protocol.watch_from)
    for panel in [it for it in protocol.panels if it.id in panels]:
        status = panels[panel.id]
        if status.state == "ended":
            continue
        ids = {
            result.id
            for result in case.results
            if result.value is None
            and result.analyte in panel.analytes
            and result.collected_on >= watched_from
            and (status.last_completed_on is None or result.collected_on > status.last_completed_on)
        }
        if ids:
            urgencies = {
                entry.urgency
                for phase in protocol.phases
                if phase.name in status.phases and (entry := phase.schedule(panel.id))
            }
            urgent = panel.id in rechecked or Urgency.ROUTINE not in urgencies
            asked[panel.id] = (frozenset(ids), Urgency.URGENT if urgent else Urgency.ROUTINE)
    return asked
