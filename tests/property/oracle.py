"""The slow, obvious answer for one patient, written from the specification alone.

Everything here walks over days and results with plain loops; numbers are `Fraction`s. It
shares the nouns of `monitor.core` (vocabulary, case, answer) with the product and none of its
reasoning. Section numbers are those of the specification.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from monitor.core.case import Case, Result
from monitor.core.catalogue import Catalogue
from monitor.core.protocol import Lateness, Panel, PanelSchedule, Protocol
from monitor.core.vocabulary import Urgency
from tests.property.oracle_baseline import BaselineAnswer, baseline, phenotype
from tests.property.oracle_care import (
    concerned_panels,
    demands,
    for_whom,
    interactions,
    life_events,
    missed,
    restarts,
    targets,
    tasks,
)
from tests.property.oracle_course import Course, course
from tests.property.oracle_doses import GENES, dose_answer
from tests.property.oracle_episodes import Episode, Point
from tests.property.oracle_rules import held_urgency, judge_rule, rechecks
from tests.property.oracle_terms import (
    ended_terms,
    outside_ages,
    run_out,
    stricter,
    up_to,
    with_intervals,
)
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
    care: dict[str, Any]
    """Other drugs, life events, tasks, targets and missed tests, by cause and first day."""
    silent: set[str]
    """Late panels that another drug of the patient tells of."""
    raised: dict[str, Urgency]
    """Late panels told here for another drug too, which finds them more urgent."""
    baseline: BaselineAnswer
    symptoms: list[Symptom]
    combinations: list[Together]

    @property
    def alerting(self) -> list[Episode]:
        return [episode for episode in self.episodes if episode.alerting]


@dataclass
class ByRules:
    """What the rules on analytes make of the results."""

    episodes: list[Episode] = field(default_factory=list)
    unjudged: set[tuple[str, datetime]] = field(default_factory=set)
    wanted: dict[str, date] = field(default_factory=dict)
    """By analyte, the day of its recheck."""
    points: dict[str, list[Point]] = field(default_factory=dict)


def answer(
    case: Case,
    protocol: Protocol,
    catalogue: Catalogue,
    now: datetime,
    zone: ZoneInfo,
    alone: bool = False,
) -> Answer:
    """What is to be said of one enrolment; `alone`: whatever the patient's others say."""
    today = now.astimezone(zone).date()
    written = protocol
    protocol = with_intervals(protocol, case, today)
    life = course(case, protocol, today, restarts(case, protocol, catalogue, today))
    results = with_derived(case.results, catalogue)
    rules = by_rules(case, protocol, life, results, today)
    state = state_of(case, life, today)
    genes = {gene: phenotype(case, gene, today, zone) for gene in GENES}
    dosed = dose_answer(
        case, protocol, life, state, rules.episodes, rules.points, results, genes, today
    )
    spoken = symptoms(case, protocol, results, life, today)
    panels = {}
    done = {it.id: all_completions(it, case, results, today) for it in protocol.panels}
    last = {name: max(days, default=None) for name, days in done.items()}
    owed = demands(case, protocol, catalogue, life, last, today)
    concerned = concerned_panels(case, protocol, catalogue, life, today)
    concerned |= {name for name, _ in dosed.kidney}
    for panel in protocol.panels:
        recheck = min(
            (rules.wanted[name] for name in panel.analytes if name in rules.wanted), default=None
        )
        asked = [(it[3], it[4]) for it in owed if it[2] == panel.id]
        if not life.for_good:
            asked += by_symptoms(panel.id, spoken, done[panel.id])
            asked += [(day, Urgency.URGENT) for name, day in dosed.kidney if name == panel.id]
        is_asked = recheck is not None or asked or panel.id in concerned
        if panel.on_demand is not None and not is_asked:
            continue
        found = panel_answer(panel, case, protocol, results, life, today, recheck, asked, written)
        if panel.on_demand is not None and found.due_on is None and life.ended_on is None:
            found = replace(found, state="up_to_date")
        panels[panel.id] = found
    care = interactions(case, protocol, catalogue, life, owed, today)
    care |= life_events(case, protocol, catalogue, life, today)
    care |= dosed.said | ended_terms(case, life, today)
    care |= outside_ages(case, protocol, life, today)
    care |= tasks(case, protocol, state, life, today, asked_elsewhere(case, protocol, today))
    care |= targets(case, protocol, results, state, life, today)
    for panel in protocol.panels:
        care |= missed(panel, case, protocol, life, done[panel.id], due_day, today)
    silent, raised = told_once(case, written, catalogue, now, zone, panels, state, alone)
    rechecked = {
        panel.id
        for panel in protocol.panels
        if any(name in rules.wanted for name in panel.analytes)
    }
    sick = {it.rule for it in rules.episodes if it.alerting and not it.recovered}
    going_on = {rule.analyte for rule in protocol.rules if rule.id in sick}
    whole = Answer(
        today=today,
        course=life,
        panels=panels,
        episodes=rules.episodes,
        unjudged=rules.unjudged,
        unusable={} if life.elsewhere else unusable(case, protocol, life, panels, rechecked),
        held=None if life.for_good else held_urgency(case, protocol, life.ended_on, going_on),
        care=care,
        silent=silent,
        raised=raised,
        baseline=baseline(
            case,
            protocol,
            life,
            {name: panel.last_completed_on for name, panel in panels.items()},
            genes,
            today,
        ),
        symptoms=spoken,
        combinations=[
            found
            for it in protocol.combinations
            for found in together(it, case, protocol, rules.points, life.first_dose)
        ],
    )
    died = any(event.event == "died" and event.on <= today for event in case.events)
    return without_a_word(whole) if died else whole


def without_a_word(whole: Answer) -> Answer:
    """Nobody is told of anything of who died; where the panels stand is still known."""
    return replace(
        whole,
        episodes=[],
        unjudged=set(),
        unusable={},
        held=None,
        care={},
        raised={},
        baseline=BaselineAnswer(missing=None, poor={}),
        symptoms=[],
        combinations=[],
        panels={name: replace(it, urgency=None) for name, it in whole.panels.items()},
    )


def by_rules(
    case: Case, protocol: Protocol, life: Course, results: list[Result], today: date
) -> ByRules:
    found = ByRules()
    for rule in protocol.rules:
        judged = judge_rule(rule, case, protocol, results, life.first_dose, life.ended_on, today)
        found.episodes += judged.episodes
        found.points[rule.id] = judged.points
        if judged.unjudged is not None:
            found.unjudged.add((rule.id, judged.unjudged))
        for day in rechecks(rule, judged.now):
            if not life.for_good and not judged.accepted:
                found.wanted[rule.analyte] = min(day, found.wanted.get(rule.analyte, day))
    return found


def by_symptoms(panel: str, spoken: list[Symptom], done: set[date]) -> list[tuple[date, Urgency]]:
    """A symptom's tests are due on its day, until they are done."""
    return [
        (it.on, Urgency.URGENT)
        for it in spoken
        if panel in it.tests and not any(day >= it.on for day in done)
    ]


def told_once(
    case: Case,
    protocol: Protocol,
    catalogue: Catalogue,
    now: datetime,
    zone: ZoneInfo,
    panels: dict[str, PanelAnswer],
    state: str,
    alone: bool,
) -> tuple[set[str], dict[str, Urgency]]:
    """Of a panel that is late under several drugs, the one with the earlier due day tells (of
    the same day one that lasts before one that was stopped, then the older enrolment), as
    urgently as the most urgent."""
    silent: set[str] = set()
    raised: dict[str, Urgency] = {}
    if alone or course(case, protocol, now.astimezone(zone).date()).elsewhere:
        return silent, raised
    for sibling in case.siblings:
        whole = replace(sibling, siblings=(case,))
        said = answer(whole, protocol, catalogue, now, zone, alone=True)
        if said.course.elsewhere:
            continue
        ended = state_of(whole, said.course, said.today) == "stopped"
        for name, mine in panels.items():
            theirs = said.panels.get(name)
            if theirs is None or mine.urgency is None or theirs.urgency is None:
                continue
            if mine.due_on is None or theirs.due_on is None:
                continue
            before = (theirs.due_on, ended, sibling.enrolment.id)
            if before < (mine.due_on, state == "stopped", case.enrolment.id):
                silent.add(name)
            elif theirs.urgency.rank > mine.urgency.rank:
                raised[name] = theirs.urgency
    return silent, raised


def asked_elsewhere(case: Case, protocol: Protocol, today: date) -> set[str]:
    """Tasks that an older enrolment of the patient asks for."""
    found: set[str] = set()
    for sibling in case.siblings:
        life = course(sibling, protocol, today)
        start, enrolled = sibling.enrolment.started_on, sibling.enrolment.enrolled_on
        begun = any(it.event == "start" and it.on <= today for it in sibling.events)
        confirmed = start <= enrolled or begun
        older = sibling.enrolment.id < case.enrolment.id
        if older and confirmed and state_of(sibling, life, today) == "active":
            indication = sibling.enrolment.indication
            found |= {task.id for task in protocol.tasks if for_whom(task, indication)}
    return found


def state_of(case: Case, life: Course, today: date) -> str:
    """stopped, elsewhere, planned, or one of active and held, which are alike here."""
    if life.ended_on is not None:
        return "stopped"
    if life.elsewhere:
        return "elsewhere"
    start, enrolled = case.enrolment.started_on, case.enrolment.enrolled_on
    begun = any(event.event == "start" and event.on <= today for event in case.events)
    return "planned" if start > enrolled and not begun and today < start else "active"


def all_completions(panel: Panel, case: Case, results: list[Result], today: date) -> set[date]:
    """Those by results, and the one declared at enrolment."""
    tested = case.enrolment.last_tested_on
    declared = {tested} if panel.id == DECLARED_PANEL and tested and tested <= today else set()
    return completions(panel, case, results, today) | declared


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
    asked: list[tuple[date, Urgency]],
    written: Protocol,
) -> PanelAnswer:
    done = completions(panel, case, results, today)
    tested = case.enrolment.last_tested_on
    declared_days = {tested} if panel.id == DECLARED_PANEL and tested and tested <= today else set()
    last = max(done | declared_days, default=None)
    planned = due_day(protocol, panel.id, last, life.anchors)
    for day, before in run_out(written, panel.id, case, today):
        planned = stricter(planned, day, due_day(before, panel.id, last, up_to(day, life.anchors)))
    due_on, entries, phases = planned
    if life.ended_on is not None:
        having = [(phase.name, phase.schedule(panel.id)) for phase in protocol.phases]
        due_on, (name, entry) = (
            None,
            ([pair for pair in having if pair[1] is not None] or [("on demand", None)])[-1],
        )
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
    due_on, late_after, because = with_asked(due_on, late_after, because, asked)
    state, late, urgency = "ended", 0, None
    ways: list[Lateness] = list(entries)
    if entries:
        ways = [min(entries, key=lambda entry: add(date(2001, 1, 1), entry.grace))]
    if not ways and panel.on_demand is not None:
        ways, phases = [panel.on_demand], ["on demand"]
    if due_on is not None and late_after is not None and ways:
        state = state_on(today, due_on, late_after, ways[0])
        urgency = lateness(state, ways[0], recheck)
        if urgency is not None:
            urgency = max([urgency, *(it for _, it in asked)], key=lambda word: word.rank)
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


def with_asked(
    due_on: date | None, late_after: date | None, because: str, asked: list[tuple[date, Urgency]]
) -> tuple[date | None, date | None, str]:
    """What events and drugs ask for, without grace, beside the schedule and the recheck."""
    for day, _ in asked:
        late_after = day if late_after is None else min(late_after, day)
        if due_on is None or day < due_on or (day == due_on and because == "schedule"):
            due_on, because = day, "event"
    return due_on, late_after, because


def state_on(today: date, due_on: date, late_after: date, entry: Lateness) -> str:
    """The states in whole days; `late_after` is the last day of grace."""
    if today > late_after:
        return "seriously_overdue" if today > add(due_on, entry.escalate_after) else "overdue"
    return "due" if today >= take(due_on, entry.lead) else "up_to_date"


def lateness(state: str, entry: Lateness, recheck: date | None) -> Urgency | None:
    """How urgent a late panel is; None where it is not late. Under a recheck it is urgent."""
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
        if status.due_on is None:
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
            if not urgencies and panel.on_demand is not None:
                urgencies = {panel.on_demand.urgency}
            urgent = panel.id in rechecked or Urgency.ROUTINE not in urgencies
            asked[panel.id] = (frozenset(ids), Urgency.URGENT if urgent else Urgency.ROUTINE)
    return asked
