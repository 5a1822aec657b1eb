"""Breaching results as stories: episodes for the oracle (specification, section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from monitor.core.case import Case
from monitor.core.protocol import Protocol, Rule
from monitor.core.vocabulary import Kind, Urgency
from tests.property.oracle_values import add


@dataclass(frozen=True)
class Point:
    """One analyte at one instant (a trend: on one day) as one rule sees it."""

    at: datetime
    day: date
    value: Fraction
    comparator: str
    met: tuple[tuple[str, Fraction], ...]
    """For each level: `certain`, `may` or `no`, and its limit."""
    received: datetime

    @property
    def certain(self) -> int:
        return max((i + 1 for i, (word, _) in enumerate(self.met) if word == "certain"), default=0)

    @property
    def possible(self) -> int:
        return max((i + 1 for i, (word, _) in enumerate(self.met) if word != "no"), default=0)

    @property
    def breaches(self) -> bool:
        return self.possible > 0

    @property
    def level(self) -> int:
        return self.certain or self.possible

    def badness(self, downward: bool) -> tuple[int, int, Fraction, int]:
        """Greater is worse: certain before possible, level, value, what a sign may hide."""
        signs = {"<": -2, "<=": -1, "": 0, ">=": 1, ">": 2}
        sign = signs[self.comparator]
        perhaps = 0 if self.certain else self.possible
        if downward:
            return (self.certain, perhaps, -self.value, -sign)
        return (self.certain, perhaps, self.value, sign)


@dataclass(frozen=True)
class Episode:
    rule: str
    breaches: tuple[datetime, ...]
    worst: Point
    level: int
    kind: Kind
    urgency: Urgency
    limit: Fraction
    recovered: bool
    alerting: bool


def episodes(
    rule: Rule,
    case: Case,
    protocol: Protocol,
    points: list[Point],
    first_dose: date,
    now: Point | None,
) -> list[Episode]:
    groups: list[list[Point]] = []
    other_between = False
    for point in points:
        if not point.breaches:
            other_between = True
            continue
        near = bool(groups) and point.day <= add(groups[-1][-1].day, protocol.episode_gap)
        if groups and (near or not other_between):
            groups[-1].append(point)
        else:
            groups.append([point])
        other_between = False
    found: list[Episode] = []
    spoken: Episode | None = None
    spoken_on: date | None = None
    for group in groups:
        going_on = group[-1] is points[-1]
        since = case.enrolment.enrolled_on
        alerting = going_on or group[-1].day >= since or recovered_on(group, points) >= since
        minded = now is not None and now.breaches
        recovered = not (going_on and minded)
        episode = describe(rule, group, first_dose, recovered, False)
        if alerting:
            day = speaks_on(rule, group, points, spoken, spoken_on)
            if day is not None:
                episode = describe(rule, group, first_dose, recovered, True)
                spoken, spoken_on = episode, day
        found.append(episode)
    return found


def recovered_on(group: list[Point], points: list[Point]) -> date:
    """The day of the result that ended the episode: one that was going on at enrolment
    alerts, whether anyone looked in between or not."""
    for point in points:
        if point.at > group[-1].at:
            return point.day
    raise AssertionError("still going on")


def speaks_on(
    rule: Rule,
    group: list[Point],
    points: list[Point],
    before: Episode | None,
    before_on: date | None,
) -> date | None:
    """The day of the breach at which the episode may speak: `confirm` and `again_after`."""
    run = 0
    confirmed = False
    for point in points:
        run = run + 1 if point.breaches else 0
        if point not in group:
            continue
        confirmed = confirmed or run >= rule.confirm
        if not confirmed:
            continue
        if before is None or before_on is None or rule.again_after is None:
            return point.day
        if point.day >= add(before_on, rule.again_after) or much_worse(rule, point, before):
            return point.day
    return None


def much_worse(rule: Rule, point: Point, before: Episode) -> bool:
    """A worse level, or a value at least 10 % worse."""
    if point.level > before.worst.level:
        return True
    if rule.downward:
        return point.value < before.worst.value and point.value * 10 <= before.worst.value * 9
    return point.value > before.worst.value and point.value * 10 >= before.worst.value * 11


def describe(
    rule: Rule, group: list[Point], first_dose: date, recovered: bool, alerting: bool
) -> Episode:
    worst = group[0]
    for point in group[1:]:
        if point.badness(rule.downward) > worst.badness(rule.downward):
            worst = point
    level = rule.levels[worst.level - 1]
    kind, urgency = level.action, level.urgency
    if worst.certain == 0:
        kind = Kind.REVIEW
        urgency = Urgency.URGENT if urgency is Urgency.CRITICAL else urgency
    if all(point.day < first_dose for point in group):
        kind = Kind.REVIEW
    return Episode(
        rule=rule.id,
        breaches=tuple(point.at for point in group),
        worst=worst,
        level=worst.certain,
        kind=kind,
        urgency=urgency,
        limit=worst.met[worst.level - 1][1],
        recovered=recovered,
        alerting=alerting,
    )
