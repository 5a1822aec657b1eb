"""Symptoms and combinations for the oracle (founding brief; specification, section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from monitor.core.case import Case, Event, Result
from monitor.core.protocol import Protocol
from monitor.core.toxicity_rules import (
    AfterEvent,
    Combination,
    LastValue,
    NoValue,
    SymptomLevel,
    SymptomRule,
)
from monitor.core.vocabulary import Kind, Urgency
from tests.property.oracle_course import Course
from tests.property.oracle_episodes import Point
from tests.property.oracle_values import add, below, take


@dataclass(frozen=True)
class Symptom:
    """A rule that speaks of a day."""

    rule: str
    on: date
    level: int
    kind: Kind
    urgency: Urgency
    tests: tuple[str, ...]


def symptoms(
    case: Case, protocol: Protocol, results: list[Result], life: Course, today: date
) -> list[Symptom]:
    begin = take(min(case.enrolment.started_on, life.first_dose), protocol.watch_from)
    end = today
    if life.ended_on is not None:
        end = min(end, add(life.ended_on, protocol.wash_out))
    events = [it for it in case.events if it.event == "symptom" and begin <= it.on <= end]
    days = sorted({event.on for event in events})
    parts = {}
    for rule in protocol.symptoms:
        for day in days:
            belonging_to_it = belonging(rule, day, events)
            if belonging_to_it:
                parts[rule.id, day] = belonging_to_it
    spoken = []
    for rule in protocol.symptoms:
        for day in days:
            part = parts.get((rule.id, day), [])
            if not part or is_told_elsewhere(rule, part, parts):
                continue
            said = of_day(rule, day, part, case, protocol, results, life)
            if said is not None:
                spoken.append(said)
    return spoken


def of_day(
    rule: SymptomRule,
    day: date,
    part: list[Event],
    case: Case,
    protocol: Protocol,
    results: list[Result],
    life: Course,
) -> Symptom | None:
    said = None
    for number, level in enumerate(rule.levels, start=1):
        if holds(level, day, part, case, protocol, results, life):
            kind = Kind.REVIEW if day < life.first_dose else level.action
            said = Symptom(rule.id, day, number, kind, level.urgency, rule.test_today)
    return said


def is_told_elsewhere(
    rule: SymptomRule, part: list[Event], parts: dict[tuple[str, date], list[Event]]
) -> bool:
    for (other, _), theirs in parts.items():
        if other in rule.unless and any(event in theirs for event in part):
            return True
    return False


def belonging(rule: SymptomRule, day: date, events: list[Event]) -> list[Event]:
    """What comes together on the day: nothing unless one of each group is there."""
    words = [word for group in rule.groups for word in group]
    if not any(event.on == day and event.value in words for event in events):
        return []
    part = []
    for event in events:
        early_enough = event.on <= day
        late_enough = event.on == day or (
            rule.together is not None and add_days(event.on, rule) >= day
        )
        if event.value in words and early_enough and late_enough:
            part.append(event)
    for group in rule.groups:
        if not any(event.value in group for event in part):
            return []
    return part


def add_days(on: date, rule: SymptomRule) -> date:
    assert rule.together is not None
    return add(on, rule.together)


def holds(
    level: SymptomLevel,
    day: date,
    part: list[Event],
    case: Case,
    protocol: Protocol,
    results: list[Result],
    life: Course,
) -> bool:
    """Every condition that the level names."""
    if level.soon_after_start is not None and not is_soon(level, part, life):
        return False
    if level.last is not None and not last_is_below(level.last, day, results):
        return False
    if level.none_since is not None and not none_was_drawn(
        level.none_since, day, protocol, results, life
    ):
        return False
    return level.after is None or is_after(level.after, day, case)


def is_soon(level: SymptomLevel, part: list[Event], life: Course) -> bool:
    for begun in life.begun:
        for event in part:
            assert level.soon_after_start is not None
            if begun <= event.on < add(begun, level.soon_after_start):
                return True
    return False


def last_is_below(last: LastValue, day: date, results: list[Result]) -> bool:
    known = numbers(last.analyte, day, results)
    newest = max((result.collected_at for result in known), default=None)
    for result in known:
        value, limit = Fraction(result.value or 0), Fraction(last.below)
        if result.collected_at == newest and below(value, result.comparator, limit) != "no":
            return True
    return False


def none_was_drawn(
    terms: NoValue, day: date, protocol: Protocol, results: list[Result], life: Course
) -> bool:
    if phase_on(day, protocol, life) != terms.phase:
        return False
    for result in numbers(terms.analyte, day, results):
        if result.collected_on >= take(day, terms.within):
            return False
    return True


def is_after(terms: AfterEvent, day: date, case: Case) -> bool:
    for event in case.events:
        if event.event == terms.event and event.on <= day <= add(event.on, terms.within):
            return True
    return False


def numbers(analyte: str, day: date, results: list[Result]) -> list[Result]:
    return [
        result
        for result in results
        if result.analyte == analyte and result.value is not None and result.collected_on <= day
    ]


def phase_on(day: date, protocol: Protocol, life: Course) -> str:
    anchors = [anchor for anchor in life.anchors if anchor <= day]
    if not anchors:
        return ""
    for phase in protocol.phases:
        if phase.until is None or day < add(anchors[-1], phase.until):
            return phase.name
    return ""


# --- Combinations -----------------------------------------------------------------------


@dataclass(frozen=True)
class Together:
    """An episode of a combination."""

    combination: str
    breaches: tuple[datetime, ...]
    level: int
    kind: Kind
    urgency: Urgency
    recovered: bool


@dataclass(frozen=True)
class Count:
    """How many lines are low at an instant, for certain and perhaps."""

    at: datetime
    day: date
    certain: int
    possible: int

    @property
    def breaches(self) -> bool:
        return self.possible > 0


def together(
    combination: Combination,
    case: Case,
    protocol: Protocol,
    points: dict[str, list[Point]],
    first_dose: date,
) -> list[Together]:
    named = [rule for line in combination.lines for rule in line]
    instants = {point.at: point.day for rule in named for point in points.get(rule, [])}
    counts = [count(combination, at, instants[at], points) for at in sorted(instants)]
    groups: list[list[Count]] = []
    other_between = False
    for it in counts:
        if not it.breaches:
            other_between = True
            continue
        near = bool(groups) and it.day <= add(groups[-1][-1].day, protocol.episode_gap)
        if groups and (near or not other_between):
            groups[-1].append(it)
        else:
            groups.append([it])
        other_between = False
    found = []
    for group in groups:
        later = [it for it in counts if it.at > group[-1].at]
        if later and later[0].day < case.enrolment.enrolled_on:
            continue
        found.append(describe(combination, group, bool(later), first_dose))
    return found


def count(
    combination: Combination, at: datetime, day: date, points: dict[str, list[Point]]
) -> Count:
    sure = perhaps = 0
    for line in combination.lines:
        low, certain = False, False
        for rule in line:
            before = [point for point in points.get(rule, []) if point.at <= at]
            if not before or before[-1].day < take(day, combination.together):
                continue
            low = low or before[-1].breaches
            certain = certain or before[-1].certain > 0
        sure += certain
        perhaps += low
    certain_level = possible_level = 0
    for number, level in enumerate(combination.levels, start=1):
        if sure >= level.lines_low:
            certain_level = number
        if perhaps >= level.lines_low:
            possible_level = number
    return Count(at, day, certain_level, possible_level)


def describe(
    combination: Combination, group: list[Count], recovered: bool, first_dose: date
) -> Together:
    worst = group[0]
    for it in group[1:]:
        if (it.certain, it.possible) > (worst.certain, worst.possible):
            worst = it
    level = combination.levels[(worst.certain or worst.possible) - 1]
    kind, urgency = level.action, level.urgency
    if worst.certain == 0:
        kind = Kind.REVIEW
        urgency = Urgency.URGENT if urgency is Urgency.CRITICAL else urgency
    if all(point.day < first_dose for point in group):
        kind = Kind.REVIEW
    return Together(
        combination=combination.id,
        breaches=tuple(it.at for it in group),
        level=worst.certain,
        kind=kind,
        urgency=urgency,
        recovered=recovered,
    )
