"""What the rules of a protocol file make of a set's values, in plain Python.

The text of the protocol is read with tomllib and the rules are applied as the manual tells
them; nothing of `monitor` is imported, so that two readings of the same words meet.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from tools.real_data.rows import truths

_URGENCIES = ["routine", "urgent", "critical"]
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One number of one patient."""

    mrn: str
    analyte: str
    at: pd.Timestamp
    number: Decimal
    comparator: str = ""
    uln: Decimal | None = None
    lln: Decimal | None = None

    @property
    def on(self) -> pd.Timestamp:
        return self.at.tz_localize(None).normalize()

    @property
    def trusted(self) -> bool:
        """May be a baseline or part of a trend."""
        low: int = truths()["analytes"][self.analyte]["low"]
        return not self.comparator and self.number >= low


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    start: pd.Timestamp
    first_dose: pd.Timestamp
    enrolled: pd.Timestamp
    stop: pd.Timestamp | None


@dataclass(frozen=True, kw_only=True)
class Expected:
    """One alert that a rule must have opened."""

    mrn: str
    rule: str
    value: Decimal | None
    """None of cell lines that are low together."""
    instants: frozenset[pd.Timestamp]
    """Where the worst value was collected; it may have been reached several times."""
    kind: str
    urgency: str
    """Of an alert that opens now: routine where it is recovered already, unless critical."""
    urgency_then: str
    """Of one that opened while the episode went on."""
    recovered: bool


@dataclass(frozen=True, slots=True)
class Met:
    """A value under a rule: the worst level met for certain, and the worst that may be."""

    value: Value
    certain: int
    may: int
    sign: int
    """-1 where lower is worse."""

    @property
    def breaches(self) -> bool:
        return self.certain > 0 or self.may > 0

    @property
    def severity(self) -> tuple[int, int, Decimal]:
        return self.certain, self.may, self.sign * self.value.number


def protocol_of(path: Path) -> Mapping[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)


def with_counts(values: Sequence[Value]) -> list[Value]:
    """The values, and the counts that percentages of the same instant give."""
    analytes = truths()["analytes"]
    specimens: dict[tuple[str, pd.Timestamp], list[Value]] = defaultdict(list)
    for value in values:
        specimens[value.mrn, value.at].append(value)
    made: list[Value] = []
    for members in specimens.values():
        reported = {it.analyte for it in members}
        shares: dict[str, list[Value]] = defaultdict(list)
        for it in members:
            count = analytes[it.analyte].get("count")
            if count and count not in reported:
                shares[count].append(it)
        for count, parts in shares.items():
            if any("adds_to" not in analytes[it.analyte] for it in parts):
                made += _counts(count, [it for it in members if it.analyte == "white_cells"], parts)
    return [*values, *made]


def _counts(count: str, totals: Iterable[Value], parts: Sequence[Value]) -> Iterator[Value]:
    lowest: dict[str, Value] = {}
    for part in sorted(parts, key=lambda it: it.number, reverse=True):
        lowest[part.analyte] = part
    for total in totals:
        signs = {it.comparator[0] for it in (total, *lowest.values()) if it.comparator}
        if len(signs) < 2:
            share = sum((it.number for it in lowest.values()), Decimal(0))
            yield Value(
                mrn=total.mrn,
                analyte=count,
                at=total.at,
                number=total.number * share / _HUNDRED,
                comparator=next(iter(signs), ""),
            )


def expected_alerts(
    values: Iterable[Value], people: Mapping[str, Person], protocol: Mapping[str, Any]
) -> list[Expected]:
    """Every alert that the rules owe."""
    series: dict[tuple[str, str], list[Value]] = defaultdict(list)
    for value in sorted(values, key=lambda it: it.at):
        series[value.analyte, value.mrn].append(value)
    return [
        owed
        for rule in protocol["rules"]
        for (analyte, mrn), own in series.items()
        if analyte == rule["analyte"] and mrn in people and not rule.get("indications")
        for owed in _of_patient(mrn, own, people[mrn], rule, protocol)
    ]


def _of_patient(
    mrn: str,
    values: Sequence[Value],
    person: Person,
    rule: Mapping[str, Any],
    protocol: Mapping[str, Any],
) -> Iterator[Expected]:
    seen = watched(values, person, rule, protocol)
    if not any(it.breaches for it in seen):
        return
    spoken: list[list[Met]] = []
    for episode, going_on in episodes(seen, rule, protocol):
        if "again_after" in rule and not _speaks_again(episode, spoken, rule):
            continue
        spoken.append(episode)
        if going_on or episode[-1].value.on >= person.enrolled:
            yield expected(mrn, episode, rule, person, going_on=going_on)


def watched(
    values: Sequence[Value],
    person: Person,
    rule: Mapping[str, Any],
    protocol: Mapping[str, Any],
) -> list[Met]:
    """What a rule on one analyte makes of the values that are watched, in order."""
    first = rule["levels"][0]
    if "falls_in_a_row" in first:
        met = _falls(values, first)
    elif "rise_from_baseline" in first or "fall_from_baseline" in first:
        met = _from_baseline(values, first, person, protocol)
    else:
        met = [_meet(value, rule["levels"]) for value in values]
    return list(_watched(_worst_at_once(met), person, protocol))


def duration(text: str) -> pd.DateOffset:
    number, unit = text.split()
    count = int(number)
    match unit.rstrip("s"):
        case "day":
            return pd.DateOffset(days=count)
        case "week":
            return pd.DateOffset(weeks=count)
        case "month":
            return pd.DateOffset(months=count)
    return pd.DateOffset(years=count)


def _meet(value: Value, levels: Sequence[Mapping[str, Any]]) -> Met:
    sign = -1 if "below" in levels[0] else 1
    certain = may = 0
    for number, level in enumerate(levels, start=1):
        breach = _breach(value, _limit(level, value), sign)
        certain = number if breach == "certain" else certain
        may = number if breach == "may" else may
    return Met(value, certain, may, sign)


def _limit(level: Mapping[str, Any], value: Value) -> Decimal:
    if "above_times_uln" not in level:
        return Decimal(level.get("below", level.get("above")))
    uln = value.uln
    if uln is None or uln <= 0 or (value.lln is not None and uln <= value.lln):
        uln = Decimal(level["default_uln"])
    return Decimal(level["above_times_uln"]) * uln


def _breach(value: Value, limit: Decimal, sign: int) -> str:
    """certain, may or no: strictly beyond the limit."""
    number, limit = sign * value.number, sign * limit
    beyond = "<" if sign < 0 else ">"
    if not value.comparator:
        return "certain" if number > limit else "no"
    if value.comparator[0] == beyond:
        strictly = value.comparator == beyond
        return "certain" if number > limit or (strictly and number == limit) else "may"
    return "no" if number <= limit else "may"


def _worst_at_once(met: Iterable[Met]) -> list[Met]:
    """Results of one instant are judged as one, by the worst."""
    instants: dict[pd.Timestamp, Met] = {}
    for it in met:
        known = instants.get(it.value.at)
        if known is None or it.severity > known.severity:
            instants[it.value.at] = it
    return [instants[at] for at in sorted(instants)]


def _falls(values: Sequence[Value], level: Mapping[str, Any]) -> list[Met]:
    """Falls in a row of more than a percentage, one value a day: the lowest."""
    keep = 1 - Decimal(level["each"].removesuffix("%").strip()) / _HUNDRED
    ceiling = Decimal(level.get("only_below", "Infinity"))
    days: dict[pd.Timestamp, Value] = {}
    for value in values:
        if value.on not in days or value.number < days[value.on].number:
            days[value.on] = value
    met: list[Met] = []
    falls, before = 0, None
    for day in sorted(days):
        value = days[day]
        if not value.trusted:
            falls, before = 0, None
            continue
        falls = falls + 1 if before is not None and value.number < before * keep else 0
        before = value.number
        enough = falls >= level["falls_in_a_row"] and value.number < ceiling
        met.append(Met(value, int(enough), 0, -1))
    return met


def _from_baseline(
    values: Sequence[Value],
    level: Mapping[str, Any],
    person: Person,
    protocol: Mapping[str, Any],
) -> list[Met]:
    """More than a percentage above (or below) the baseline while it lies within a time, afterwards
    the earliest value in that time."""
    sign = 1 if "rise_from_baseline" in level else -1
    percent = level.get("rise_from_baseline", level.get("fall_from_baseline"))
    factor = 1 + sign * Decimal(str(percent).removesuffix("%").strip()) / _HUNDRED
    trusted = [it for it in values if it.trusted]
    since = person.first_dose - duration(protocol["baseline"]["within"])
    before = [it for it in trusted if since <= it.on <= person.first_dose][-2:]
    basis = before or [it for it in trusted if it.on > person.first_dose][:1]
    if not basis:
        return []
    base = sum((it.number for it in basis), Decimal(0)) / len(basis)
    met = []
    for value in values:
        if value.at <= basis[-1].at:
            continue
        against = base
        window = value.on - duration(level["within"]) if "within" in level else None
        if window is not None and basis[-1].on < window:
            earlier = [it for it in trusted if it.at < value.at and it.on >= window]
            if not earlier:
                continue
            against = earlier[0].number
        breach = _breach(value, against * factor, sign)
        met.append(Met(value, int(breach == "certain"), int(breach == "may"), sign))
    return met


def _watched(series: Iterable[Met], person: Person, protocol: Mapping[str, Any]) -> Iterator[Met]:
    since = min(person.start, person.first_dose) - duration(protocol["watch_from"])
    until = None if person.stop is None else person.stop + duration(protocol["wash_out"])
    breaching = False
    for met in series:
        if met.value.on < since:
            continue
        if until is not None and met.value.on > until and not breaching:
            return
        breaching = met.breaches
        yield met


def episodes(
    series: Sequence[Met], rule: Mapping[str, Any], protocol: Mapping[str, Any]
) -> Iterator[tuple[list[Met], bool]]:
    """Breaches that belong together, confirmed ones only; and whether they go on."""
    gap = duration(protocol["episode_gap"])
    stories: list[list[Met]] = []
    longest: list[int] = []
    run = 0
    for met in series:
        if not met.breaches:
            run = 0
            continue
        apart = run == 0 and stories and met.value.on > stories[-1][-1].value.on + gap
        if not stories or apart:
            stories.append([])
            longest.append(0)
        run += 1
        stories[-1].append(met)
        longest[-1] = max(longest[-1], run)
    for place, story in enumerate(stories):
        if longest[place] >= rule.get("confirm", 1):
            yield story, place == len(stories) - 1 and series[-1].breaches


def _speaks_again(
    episode: Sequence[Met], spoken: Sequence[Sequence[Met]], rule: Mapping[str, Any]
) -> bool:
    """A rule that speaks once in a while does so again after that time, or when it is worse."""
    if not spoken:
        return True
    last = spoken[-1][rule.get("confirm", 1) - 1].value.on
    worst = max(spoken[-1], key=lambda it: it.severity)
    markedly = worst.value.number * (_HUNDRED + 10 * worst.sign) / _HUNDRED
    return any(
        it.value.on >= last + duration(rule["again_after"])
        or it.sign * it.value.number >= worst.sign * markedly
        for it in episode
    )


def expected(
    mrn: str, episode: Sequence[Met], rule: Mapping[str, Any], person: Person, *, going_on: bool
) -> Expected:
    worst = max(episode, key=lambda it: it.severity)
    level = rule["levels"][(worst.certain or worst.may) - 1]
    urgency = level["urgency"]
    if not worst.certain:
        urgency = min(urgency, "urgent", key=_URGENCIES.index)
    late = not going_on and urgency != "critical"
    early = all(it.value.on < person.first_dose for it in episode)
    return Expected(
        mrn=mrn,
        rule=rule["id"],
        value=worst.value.number,
        instants=frozenset(it.value.at for it in episode if it.severity == worst.severity),
        kind=level["action"] if worst.certain and not early else "review",
        urgency="routine" if late else urgency,
        urgency_then=urgency,
        recovered=not going_on,
    )
