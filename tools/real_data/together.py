"""Cell lines that are low together, read a second time: as `judge`, without the monitor's code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pandas as pd

from tools.real_data.judge import Expected, Met, Person, Value, duration, episodes, watched
from tools.real_data.judge import expected as expected_of


def expected_combinations(
    values: Iterable[Value], people: Mapping[str, Person], protocol: Mapping[str, Any]
) -> list[Expected]:
    """Every alert that the combinations owe."""
    series: dict[str, dict[str, list[Value]]] = defaultdict(lambda: defaultdict(list))
    for value in sorted(values, key=lambda it: it.at):
        series[value.mrn][value.analyte].append(value)
    return [
        owed
        for combination in protocol.get("combinations", ())
        for mrn, own in series.items()
        if mrn in people
        for owed in _of_patient(mrn, own, people[mrn], combination, protocol)
    ]


def _of_patient(
    mrn: str,
    own: Mapping[str, Sequence[Value]],
    person: Person,
    combination: Mapping[str, Any],
    protocol: Mapping[str, Any],
) -> Iterator[Expected]:
    rules = {rule["id"]: rule for rule in protocol["rules"]}
    lines = [
        [watched(own.get(rules[it]["analyte"], ()), person, rules[it], protocol) for it in line]
        for line in combination["lines"]
    ]
    instants = sorted({met.value.at for line in lines for seen in line for met in seen})
    points = [_at(mrn, instant, lines, combination) for instant in instants]
    for episode, going_on in episodes(points, combination, protocol):
        if going_on or episode[-1].value.on >= person.enrolled:
            owed = expected_of(mrn, episode, combination, person, going_on=going_on)
            yield replace(owed, value=None)


def _at(
    mrn: str,
    instant: pd.Timestamp,
    lines: Sequence[Sequence[Sequence[Met]]],
    combination: Mapping[str, Any],
) -> Met:
    """How many lines are low at an instant, for certain and perhaps, as levels."""
    here = Value(mrn=mrn, analyte=combination["id"], at=instant, number=Decimal(0))
    since = here.on - duration(combination["together"])
    low = [[it for seen in line for it in _last(seen, instant, since)] for line in lines]
    sure = sum(any(it.certain for it in line) for line in low)
    perhaps = sum(bool(line) for line in low)
    levels = [level["lines_low"] for level in combination["levels"]]
    certain = sum(sure >= it for it in levels)
    return Met(here, certain, sum(perhaps >= it for it in levels), -1)


def _last(seen: Sequence[Met], instant: pd.Timestamp, since: pd.Timestamp) -> list[Met]:
    """The latest value up to an instant, where it breaches and is not too old."""
    until = [it for it in seen if it.value.at <= instant][-1:]
    return [it for it in until if it.breaches and it.value.on >= since]
